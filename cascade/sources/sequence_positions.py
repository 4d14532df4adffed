"""How far each sequence has come: the one thing that a rolled back transaction does not take back."""

from collections.abc import Mapping
from typing import Any


def read_sequence_positions(cursor: Any) -> Mapping[str, int | None]:
    """By sequence the last number that it gave, None where it gave none yet or may not be read.

    In an open transaction, which waits at most 2 s for one that is locked.
    """
    cursor.execute("SELECT pg_catalog.set_config('lock_timeout', '2s', true)")
    cursor.execute(_POSITIONS)
    return {f"{schema}.{name}": last for schema, name, last in cursor.fetchall()}


_POSITIONS = """
SELECT schemaname::text, sequencename::text, last_value FROM pg_catalog.pg_sequences ORDER BY 1, 2
"""

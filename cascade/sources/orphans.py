"""Rows that refer to nothing in the table that they should refer to, where a key points at another copy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cascade.core.layout import RowEvidence, TableName, quoted


@dataclass(frozen=True, slots=True)
class AstrayKey:
    """A foreign key of ``table``: its columns, and the columns of the table that it should refer to."""

    table: TableName
    name: str
    columns: tuple[str, ...]
    wanted: TableName
    wanted_columns: tuple[str, ...]


def read_orphans(cursor: Any, keys: Sequence[AstrayKey]) -> Mapping[tuple[TableName, str], RowEvidence]:
    """How many rows of each key's table refer to nothing in the right one, counted to 10,000.

    ``cursor`` must be in no transaction. One statement for all keys; a table that is locked or forbidden does not
    end the rest.
    """
    if not keys:
        return {}
    cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        cursor.execute(_SETTINGS)
        cursor.execute("SELECT pg_catalog.set_config('cascade.keys', %s, true)", [json.dumps(list(map(_asked, keys)))])
        cursor.execute(_COUNT)
        cursor.execute("SELECT pg_catalog.current_setting('cascade.orphans')")
        answers = json.loads(cursor.fetchone()[0])
    finally:
        cursor.execute("ROLLBACK")
    return {
        (key.table, key.name): RowEvidence(answer.get("counted"), None, answer.get("problem"))
        for key, answer in zip(keys, answers, strict=True)
    }


def _asked(key: AstrayKey) -> dict[str, str]:
    """The query for one key; its names are quoted here, because the DO block only runs it."""
    pairs = zip(key.columns, key.wanted_columns, strict=True)
    equal = " AND ".join(f"r.{quoted(right)} = t.{quoted(left)}" for left, right in pairs)
    filled = " AND ".join(f"t.{quoted(column)} IS NOT NULL" for column in key.columns)
    rows = (
        f"SELECT FROM {key.table} t WHERE {filled} AND NOT EXISTS "
        f"(SELECT FROM {key.wanted} r WHERE {equal}) LIMIT {RowEvidence.COUNT_LIMIT + 1}"
    )
    return {"query": f"SELECT pg_catalog.count(*) FROM ({rows}) AS part"}


_SETTINGS = """
SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';
SET LOCAL row_security = off
"""

# The path stays the session's: the columns' own types may have their operators there.
_COUNT = """
DO $$
DECLARE
  key json;
  number bigint;
  answers jsonb := '[]';
  time_is_up boolean := false;
BEGIN
  FOR key IN SELECT * FROM pg_catalog.json_array_elements(pg_catalog.current_setting('cascade.keys')::json) LOOP
    IF time_is_up THEN
      answers := answers || '{"problem": "not counted: an earlier key took all of the time"}'::jsonb;
      CONTINUE;
    END IF;
    BEGIN
      EXECUTE key ->> 'query' INTO number;
      -- Undone for its locks, as in catalog.sql.
      RAISE SQLSTATE 'CS000';
    EXCEPTION
      WHEN SQLSTATE 'CS000' THEN
        answers := answers || pg_catalog.jsonb_build_object('counted', number);
      -- The time is that of the whole block, and is not measured a second time.
      WHEN query_canceled THEN
        time_is_up := true;
        answers := answers || pg_catalog.jsonb_build_object('problem', SQLERRM);
      WHEN OTHERS THEN
        answers := answers || pg_catalog.jsonb_build_object('problem', SQLERRM);
    END;
  END LOOP;
  PERFORM pg_catalog.set_config('cascade.orphans', answers::text, true);
END $$
"""

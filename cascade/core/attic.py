"""The attic: a schema for copies that do not count. Nothing is ever dropped."""

from cascade.core.decisions import Decisions
from cascade.core.observed import Observed

PREFIX = "cascade_attic_"
"""Schemas of that prefix are never read as copies."""


def is_attic(schema: str) -> bool:
    """Whether the schema is one of things put aside."""
    return schema.startswith(PREFIX)


def attic_of(decisions: Decisions, observed: Observed) -> str:
    """The attic of a plan: named after the day it was made, numbered where one of that day holds something already.

    A plan is made again when it is applied, so the day comes from it and not from the clock.
    """
    day = decisions.made_on or observed.read_at[:10].replace("-", "")
    name, number = PREFIX + day, 1
    while any(names and _is_of(schema, name) for schema, names in observed.attics.items()):
        number += 1
        name = f"{PREFIX}{day}_{number}"
    return name


def attic_for(position: int, attic: str) -> str:
    """The schema for the copy at that position among those of one table that go: all of them have one name.

    >>> attic_for(0, "cascade_attic_20261127"), attic_for(1, "cascade_attic_20261127")
    ('cascade_attic_20261127', 'cascade_attic_20261127_copy_2')
    """
    return attic if position == 0 else f"{attic}{_COPY}{position + 1}"


_COPY = "_copy_"


def _is_of(schema: str, attic: str) -> bool:
    return schema == attic or schema.startswith(attic + _COPY)

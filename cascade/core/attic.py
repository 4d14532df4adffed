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
    while observed.attics.get(name):
        number += 1
        name = f"{PREFIX}{day}_{number}"
    return name

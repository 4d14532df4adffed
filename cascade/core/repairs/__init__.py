"""Repairs: for each drift that can be cured, the actions that cure it, in no order yet."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from cascade.core.drift import Drift
from cascade.core.repairs.choice import without
from cascade.core.repairs.columns import (
    add_columns,
    alter_columns,
    alteration_obstacle,
    column_obstacle,
    generation_obstacle,
)
from cascade.core.repairs.constraints import constraint_obstacle, repair_constraints
from cascade.core.repairs.counters import set_sequences
from cascade.core.repairs.indexes import index_obstacle, repair_indexes
from cascade.core.repairs.keys import add_foreign_keys, key_obstacle, mend_foreign_keys
from cascade.core.repairs.repair import LeftOut, Repair
from cascade.core.repairs.rights import grant_rights
from cascade.core.repairs.sides import Sides, Surroundings
from cascade.core.repairs.strays import move_strays
from cascade.core.repairs.surroundings import with_surroundings
from cascade.core.repairs.tables import copies_obstacle, creation_obstacle, move_obstacle, repair_tables

__all__ = ["LeftOut", "Repair", "Sides", "Surroundings", "decide_repairs", "make_repairs"]

_OBSTACLES: tuple[Callable[[Drift, Sides], str], ...] = (
    move_obstacle,
    copies_obstacle,
    creation_obstacle,
    column_obstacle,
    generation_obstacle,
    alteration_obstacle,
    constraint_obstacle,
    key_obstacle,
    index_obstacle,
)
"""In the order in which things are decided: tables before the columns in them, those before what is made of them."""

_MAKERS: tuple[Callable[[Sides, LeftOut], Iterator[Repair]], ...] = (
    repair_tables,
    move_strays,
    add_columns,
    alter_columns,
    repair_constraints,
    repair_indexes,
    add_foreign_keys,
    mend_foreign_keys,
    set_sequences,
    grant_rights,
)


def decide_repairs(sides: Sides) -> Sides:
    """The same sides, where each drift that can have no step says why in ``undecided``."""
    for obstacle in _OBSTACLES:
        decided = [
            drift if drift.undecided else replace(drift, undecided=obstacle(drift, sides)) for drift in sides.drifts
        ]
        sides = replace(sides, drifts=tuple(decided))
    return sides


def make_repairs(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """The repairs of all decided drifts; what cannot be made, or is to be left out, is noted in ``left_out``."""
    made = (repair for make in _MAKERS for repair in make(sides, left_out))
    for repair in without(made, sides.decisions.leave_out, left_out):
        yield with_surroundings(repair, sides)

"""Sequences that are behind the highest value of their column."""

from collections.abc import Iterator

from cascade.core.actions import SetSequence
from cascade.core.findings import DriftKind
from cascade.core.layout import Counter, Table, TableName
from cascade.core.plan import Lock, LockMode
from cascade.core.repairs.constraints import part_repair
from cascade.core.repairs.repair import LeftOut, Repair
from cascade.core.repairs.sides import Sides
from cascade.core.repairs.strays import move_of_sequence


def set_sequences(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Each of them set to the highest value, after the move of the table that owns it, or its own."""
    for drift in sides.decided(DriftKind.SEQUENCE_BEHIND):
        found = sides.found(drift.table) if drift.table else None
        if drift.table is None or found is None or not isinstance(drift.there, Counter):
            continue
        counter = drift.there
        move = move_of_sequence(counter.sequence, sides)
        place = TableName(drift.table.schema, counter.sequence.name) if move else _place(counter, found, drift.table)
        yield part_repair(
            SetSequence(drift.table, counter.column, place, counter.increment),
            drift,
            counter.column,
            sides,
            waits_for=(move.id,) if move else (),
            locks=(Lock(drift.table, LockMode.SHARE, healthy=False),),
        )


def _place(counter: Counter, found: Table, table: TableName) -> TableName:
    column = found.column(counter.column)
    is_owned = column is not None and column.sequence is not None and column.sequence.name == counter.sequence
    return TableName(table.schema, counter.sequence.name) if is_owned else counter.sequence

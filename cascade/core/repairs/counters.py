"""Sequences that are behind the highest value of their column."""

from collections.abc import Iterator

from cascade.core.actions import SetSequence
from cascade.core.findings import DriftKind
from cascade.core.layout import Counter, Table, TableName
from cascade.core.plan import Lock, LockMode
from cascade.core.repairs.constraints import part_repair
from cascade.core.repairs.repair import LeftOut, Repair
from cascade.core.repairs.sides import Sides


def set_sequences(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Each of them set to the highest value, after the move that takes an owned sequence along."""
    for drift in sides.decided(DriftKind.SEQUENCE_BEHIND):
        found = sides.found(drift.table) if drift.table else None
        if drift.table is None or found is None or not isinstance(drift.there, Counter):
            continue
        counter = drift.there
        action = SetSequence(drift.table, counter.column, _place(counter, found, drift.table), counter.increment)
        locks = (Lock(drift.table, LockMode.SHARE, healthy=False),)
        yield part_repair(action, drift, counter.column, sides, locks=locks)


def _place(counter: Counter, found: Table, table: TableName) -> TableName:
    column = found.column(counter.column)
    is_owned = column is not None and column.sequence is not None and column.sequence.name == counter.sequence
    return TableName(table.schema, counter.sequence.name) if is_owned else counter.sequence

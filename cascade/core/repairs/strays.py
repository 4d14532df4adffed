"""What tables use and was left astray: extensions, types, functions and the like, moved along."""

from collections.abc import Iterator

from cascade.core.actions import MoveObject
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import TableName, UsedObject, quoted
from cascade.core.repairs.repair import LeftOut, Repair, order_of
from cascade.core.repairs.sides import Sides


def move_strays(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Each stray to the schema of the tables that use it. PostgreSQL wants no order: all that uses it holds its OID."""
    for drift in sides.decided(DriftKind.STRAY_OBJECT):
        if isinstance(drift.there, UsedObject) and drift.table is not None:
            yield _move(drift, drift.there, sides)


def move_of_sequence(sequence: TableName, sides: Sides) -> Repair | None:
    """The move of a sequence that no column owns; None where it stays."""
    found = ("sequence", sequence.schema, quoted(sequence.name))
    for drift in sides.decided(DriftKind.STRAY_OBJECT):
        used = drift.there
        if isinstance(used, UsedObject) and (used.kind, used.schema, used.name) == found:
            return _move(drift, used, sides)
    return None


def _move(drift: Drift, used: UsedObject, sides: Sides) -> Repair:
    assert drift.table is not None, "a stray is used by a table"
    return Repair(
        id=f"move_object:{drift.object}",
        action=MoveObject(used, drift.table.schema),
        table=drift.table,
        object=drift.object,
        cures=(drift.id,),
        waits_for=(),
        hazards=(),
        locks=(),
        order=order_of(sides.expected.tables[drift.table], MoveObject, drift.table, (drift.object,)),
    )

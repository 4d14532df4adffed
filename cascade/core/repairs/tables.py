"""Whole tables: moved, made anew."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.actions import CreateTable, MoveTable
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import ConstraintKind, Rights, RowEvidence, TableName
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.repair import LeftOut, Repair, cures_of, order_of
from cascade.core.repairs.sides import Sides, clash, names_of


def repair_tables(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Move each misplaced table, create each missing one."""
    yield from (_move(name, sides) for name in sides.moved)
    yield from (_create(name, sides) for name in sides.created)


def move_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a misplaced table cannot be moved, ``""`` where it can."""
    if drift.kind is not DriftKind.MISPLACED_TABLE or drift.table is None:
        return ""
    if len(drift.copies) != 1:
        return f"it lies in {len(drift.copies)} places: say which copy counts"
    copy = drift.copies[0]
    rivals = [d.table for d in sides.drifts if d.kind is drift.kind and copy in d.copies and d.table != drift.table]
    if rivals:
        return f"{copy} could be {drift.table} or {rivals[0]}"
    return clash(names_of(sides.observed.tables[copy], drift.table.schema), sides.names_now)


def creation_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a missing table cannot be made, ``""`` where it can."""
    if drift.kind is not DriftKind.MISSING_TABLE or drift.table is None:
        return ""
    expected = sides.expected.tables[drift.table]
    if not expected.compared:
        return "its definition is not known: it could not be made for comparison"
    return clash(names_of(expected.table, drift.table.schema), sides.names_after_moves)


def _move(name: TableName, sides: Sides) -> Repair:
    copy = sides.moved[name]
    return Repair(
        id=f"move_table:{name}",
        action=MoveTable(copy, name),
        table=name,
        object="",
        cures=cures_of(sides, DriftKind.MISPLACED_TABLE, name),
        waits_for=(),
        hazards=(),
        locks=(Lock(copy, LockMode.ACCESS_EXCLUSIVE, healthy=False),),
        order=order_of(sides.expected.tables[name], MoveTable, name),
    )


def _create(name: TableName, sides: Sides) -> Repair:
    expected = sides.expected.tables[name]
    constraints = tuple(c for c in expected.table.constraints if c.kind is not ConstraintKind.FOREIGN_KEY)
    # What the table was read with in its temporary place is no part of what is made.
    table = replace(
        expected.table, constraints=constraints, owner="", pages=0, oid=0, rows=RowEvidence(), rights=Rights()
    )
    return Repair(
        id=f"create_table:{name}",
        action=CreateTable(table),
        table=name,
        object="",
        cures=cures_of(sides, DriftKind.MISSING_TABLE, name),
        waits_for=(),
        hazards=(Hazard(HazardKind.ROWS_NOT_RESTORED, "its rows are not brought back"),),
        locks=(),
        order=order_of(expected, CreateTable, name),
    )

"""Whole tables: moved, made anew."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cascade.core.actions import CreateSchema, CreateTable, ExchangeTable, MoveTable, ShelveTable
from cascade.core.attic import attic_for
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import ConstraintKind, Dependant, Rights, RowEvidence, Table, TableName, quoted
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.keys import repointing_from
from cascade.core.repairs.repair import LeftOut, Repair, cures_of, order_of, step_id
from cascade.core.repairs.sides import Sides, bears_its_names, clash, names_of


def repair_tables(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Move each misplaced table, exchange or put aside copies that do not count, create each missing one."""
    yield from (_move(name, sides) for name in sides.moved if name not in sides.exchanged)
    yield from (_create(name, sides) for name in sides.created)
    twice = [
        drift
        for kind in (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE)
        for drift in sides.decided(kind)
        if drift.kept is not None
    ]
    made: set[str] = set()
    for drift in twice:
        attics = _attics(drift, sides)
        yield from (_make_attic(attic, drift, sides) for attic in attics.values() if attic not in made)
        made |= set(attics.values())
        yield from _settle(drift, attics, sides)


def _attics(drift: Drift, sides: Sides) -> dict[TableName, str]:
    """By copy that goes the attic that it goes into: all have one name, so the second needs a schema of its own."""
    assert drift.table is not None, "a copy is of a table"
    going = [copy for copy in dict.fromkeys((drift.table, *drift.copies)) if copy != drift.kept]
    return {copy: attic_for(position, sides.attic) for position, copy in enumerate(going)}


def _make_attic(attic: str, drift: Drift, sides: Sides) -> Repair:
    assert drift.table is not None, "a copy is of a table"
    return Repair(
        id=f"create_schema:{quoted(attic)}",
        action=CreateSchema(attic),
        table=drift.table,
        object=attic,
        cures=(),
        waits_for=(),
        hazards=(),
        locks=(),
        order=order_of(sides.expected.tables[drift.table], CreateSchema, drift.table),
    )


def _settle(drift: Drift, attics: Mapping[TableName, str], sides: Sides) -> Iterator[Repair]:
    """The copy that counts into its place, the others into the attic."""
    table, kept = drift.table, drift.kept
    assert table is not None, "a copy is of a table"
    assert kept is not None, "the copy that counts is known"
    rows = dict(zip(drift.copies, drift.rows, strict=True))
    exclusive = LockMode.ACCESS_EXCLUSIVE
    if kept != table:
        yield Repair(
            id=step_id(ExchangeTable, table),
            action=ExchangeTable(
                kept, table, attics[table], is_shell=not drift.decision, carried=_carried(drift, sides)
            ),
            table=table,
            object="",
            cures=(drift.id, *(d.id for d in sides.going if d.settled_with == table)),
            waits_for=(f"create_schema:{quoted(attics[table])}",),
            hazards=(_into_the_attic(table, attics[table]),),
            locks=(Lock(kept, exclusive, healthy=False), Lock(table, exclusive, healthy=False)),
            order=order_of(sides.expected.tables[table], ExchangeTable, table),
        )
    exchanged = {step_id(ExchangeTable, table)} if kept != table else set()
    for copy in (copy for copy in drift.copies if copy != kept):
        is_shell = rows[copy].has_rows is False
        yield Repair(
            id=f"shelve_table:{copy}",
            action=ShelveTable(copy, attics[copy], is_shell=is_shell),
            table=table,
            object=str(copy),
            cures=(drift.id,),
            waits_for=tuple(
                sorted({*exchanged, f"create_schema:{quoted(attics[copy])}", *repointing_from(copy, sides)})
            ),
            hazards=(_into_the_attic(copy, attics[copy]),),
            locks=(Lock(copy, exclusive, healthy=False),),
            order=order_of(sides.expected.tables[table], ShelveTable, table, (copy.schema,)),
        )


def _into_the_attic(table: TableName, attic: str) -> Hazard:
    return Hazard(HazardKind.ATTIC, f"the copy at {table} goes into {quoted(attic)}; nothing in it is dropped")


def _carried(drift: Drift, sides: Sides) -> tuple[Dependant, ...]:
    """What is bound to the copy that goes, and has to be bound to the one that comes."""
    there = {(d.kind, d.name) for table in _copies_of(drift, sides) for d in table.dependants}
    bound = tuple(d for d in drift.bound if d.definition and (d.kind, d.name) not in there)
    return (*bound, *_row_security(drift, sides))


def _row_security(drift: Drift, sides: Sides) -> Iterator[Dependant]:
    """Policies hide nothing before row security is enabled, which is no part of them."""
    goes = sides.surroundings.put_aside.get(drift.table) if drift.table else None
    for kept in _copies_of(drift, sides):
        if goes is not None and goes.row_security and not kept.row_security:
            yield Dependant("row security", "ENABLE", f"ALTER TABLE {goes.name} ENABLE ROW LEVEL SECURITY;")
        if goes is not None and goes.force_row_security and not kept.force_row_security:
            yield Dependant("row security", "FORCE", f"ALTER TABLE {goes.name} FORCE ROW LEVEL SECURITY;")


def _copies_of(drift: Drift, sides: Sides) -> list[Table]:
    found = sides.observed.tables.get(drift.kept) if drift.kept else None
    return [found] if found else []


def copies_obstacle(drift: Drift, sides: Sides) -> str:
    """Why copies cannot be exchanged or put aside, ``""`` where they can."""
    if drift.kept is None or drift.table is None:
        return ""
    stuck = [d for d in drift.bound if not d.definition and d.kind not in _GO_ALONG]
    if stuck:
        return f"{stuck[0].kind} {stuck[0].name} is bound to the copy that would go, and cannot be carried over"
    if drift.kept == drift.table:
        return ""
    kept = sides.observed.tables[drift.kept]
    return clash(names_of(kept, drift.table.schema), sides.names_now)


_GO_ALONG = frozenset({"partition", "child", "statistics object"})
"""What belongs to the copy that goes, rather than to its name."""


def as_made(table: Table) -> Table:
    """The table as CREATE TABLE makes it: no foreign keys, and nothing of the temporary place where it was read."""
    constraints = tuple(c for c in table.constraints if c.kind is not ConstraintKind.FOREIGN_KEY)
    return replace(table, constraints=constraints, owner="", pages=0, oid=0, rows=RowEvidence(), rights=Rights())


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
    taken = clash(names_of(expected.table, drift.table.schema), sides.names_after_moves)
    bearer = bears_its_names(expected.table, drift.table.schema, sides.observed)
    if not taken or bearer is None:
        return taken
    return (
        f"{taken} of {bearer}, which no applied migration accounts for. If that is {drift.table.name} under another "
        f"name: ALTER TABLE {bearer} RENAME TO {quoted(drift.table.name)}; and plan again"
    )


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
    return Repair(
        id=f"create_table:{name}",
        action=CreateTable(as_made(expected.table)),
        table=name,
        object="",
        cures=cures_of(sides, DriftKind.MISSING_TABLE, name),
        waits_for=(),
        hazards=(Hazard(HazardKind.ROWS_NOT_RESTORED, "its rows are not brought back"),),
        locks=(),
        order=order_of(expected, CreateTable, name),
    )

"""Repairs: what a drift needs, small enough that no cycle can remain. Here those of whole tables and of rights."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from cascade.core.actions import Action, AddColumn, AddForeignKey, CreateTable, GrantTable, GrantUsage, MoveTable
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import ConstraintKind, Rights, RowEvidence, TableName, quoted
from cascade.core.plan import Hazard, Lock, LockMode
from cascade.core.repairable import Sides

Order = tuple[tuple[int, str, str, int], int, int, str]
"""Where a repair stands among those that could come next: history, state position, kind of action, name."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A step that has no place in the order yet; ``order`` says where it would like to stand."""

    id: str
    action: Action
    table: TableName
    object: str
    cures: tuple[str, ...]
    waits_for: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    locks: tuple[Lock, ...]
    order: Order


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Parts of a repair that cannot be made, in a sentence each, by the drift that they belong to."""

    sentences: dict[str, list[str]] = field(default_factory=dict)

    def note(self, drifts: Iterable[str], sentence: str) -> None:
        """Keep a sentence for these drifts."""
        for drift in drifts:
            self.sentences.setdefault(drift, []).append(sentence)

    def noted(self, drift: Drift) -> Drift:
        """The drift with its sentences as further evidence."""
        sentences = tuple(sorted(self.sentences.get(drift.id, ())))
        return replace(drift, evidence=drift.evidence + sentences) if sentences else drift


def cures_of(sides: Sides, kind: DriftKind, table: TableName, object_: str | None = None) -> tuple[str, ...]:
    """The ids of the decided drifts of that kind there."""
    found = (d for d in sides.drifts if d.kind is kind and d.table == table and object_ in (None, d.object))
    return tuple(sorted({drift.id for drift in found if not drift.undecided}))


def order_of(table: ExpectedTable, action: type[Action], name: TableName, columns: Iterable[str] = ()) -> Order:
    """The place in history of the columns, where it is known, else of the table."""
    made_by = [table.column_made_by.get(column, table.made_by).order for column in columns] or [table.made_by.order]
    return (max(made_by), table.state_position, _RANK.index(action), ".".join((str(name), *columns)))


# Of one operation a table comes before its columns, and they before their keys.
_RANK: tuple[type[Action], ...] = (GrantUsage, MoveTable, CreateTable, AddColumn, AddForeignKey, GrantTable)


def makers_of(table: TableName, columns: Iterable[str], sides: Sides) -> set[str]:
    """The ids of the steps that bring a table to its place and these columns into it."""
    made = {f"move_table:{table}"} if table in sides.moved else set()
    made |= {f"create_table:{table}"} if table in sides.created else set()
    return made | {column_id(table, column) for column in columns if column in sides.added.get(table, ())}


def column_id(table: TableName, column: str) -> str:
    """The id of the step that adds a column."""
    return f"add_column:{table}.{quoted(column)}"


# --------------------------------------------------------------------------------------------------------- tables


def repair_tables(sides: Sides) -> Iterator[Repair]:
    """Move each misplaced table, create each missing one."""
    yield from (_move(name, sides) for name in sides.moved)
    yield from (_create(name, sides) for name in sides.created)


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
        hazards=(Hazard("rows_not_restored", "its rows are not brought back"),),
        locks=(),
        order=order_of(expected, CreateTable, name),
    )


# --------------------------------------------------------------------------------------------------------- rights


def grant_rights(sides: Sides) -> Iterator[Repair]:
    """USAGE once for each schema that lacks it, and the privileges that each table lacks."""
    schemas: dict[str, list[Drift]] = {}
    for drift in sides.drifts:
        if drift.kind is not DriftKind.UNREACHABLE_TABLE or drift.undecided or drift.table is None:
            continue
        if _lacks_usage(drift.table.schema, sides):
            schemas.setdefault(drift.table.schema, []).append(drift)
        privileges = _lacking_privileges(drift.table, sides)
        if privileges:
            yield _grant_table(drift.table, drift, privileges, sides)
    for schema, drifts in sorted(schemas.items()):
        yield _grant_usage(schema, drifts, sides)
    yield from _grant_created(sides)


def _grant_created(sides: Sides) -> Iterator[Repair]:
    """What the role would lack on each new table, as far as at least three tables beside it all agree."""
    if sides.default_rights is None:
        return
    for name in sorted(sides.created):
        beside = _rights_beside(name, sides)
        given = sides.default_rights.get(name.schema, frozenset())
        agreed = [right for right in _PRIVILEGES if len(beside) >= 3 and all(getattr(r, right) for r in beside)]
        lacking = tuple(right.upper() for right in agreed if right not in given)
        drift = next(d for d in sides.drifts if d.kind is DriftKind.MISSING_TABLE and d.table == name)
        if lacking:
            yield _grant_table(name, drift, lacking, sides)


def _rights_beside(name: TableName, sides: Sides) -> list[Rights]:
    """What the role may do with the other tables of the app, or of the schema where the app has too few."""
    app = sides.expected.tables[name].app
    others = [
        (expected.app, table.rights)
        for other, expected in sides.expected.tables.items()
        for table in (sides.found(other),)
        if table is not None and table.read_in_full and other.schema == name.schema
    ]
    of_the_app = [rights for of, rights in others if of == app]
    return of_the_app if len(of_the_app) >= 3 else [rights for _, rights in others]


def _lacks_usage(schema: str, sides: Sides) -> bool:
    return any(
        not table.rights.usage
        for table in sides.observed.tables.values()
        if table.name.schema == schema and table.read_in_full
    )


def _lacking_privileges(name: TableName, sides: Sides) -> tuple[str, ...]:
    """What the role lacks beside SELECT, as far as it has that on another table, or all where it can read none."""
    found = sides.found(name)
    if found is None or found.rights.select:
        return ()
    others = (sides.found(other) for other in sides.expected.tables if other != name)
    readable = [t.rights for t in others if t is not None and t.read_in_full and t.rights.select]
    usual = {right for right in _PRIVILEGES if not readable or any(getattr(r, right) for r in readable)}
    return tuple(right.upper() for right in _PRIVILEGES if right in usual and not getattr(found.rights, right))


_PRIVILEGES = ("select", "insert", "update", "delete")


def _grant_table(name: TableName, drift: Drift, privileges: tuple[str, ...], sides: Sides) -> Repair:
    return Repair(
        id=f"grant_table:{name}",
        action=GrantTable(name, privileges, sides.application_role),
        table=name,
        object="",
        cures=(drift.id,),
        waits_for=tuple(sorted(makers_of(name, (), sides))),
        hazards=(),
        locks=(),
        order=order_of(sides.expected.tables[name], GrantTable, name),
    )


def _grant_usage(schema: str, drifts: Iterable[Drift], sides: Sides) -> Repair:
    order, table = min(
        (order_of(sides.expected.tables[d.table], GrantUsage, d.table), d.table) for d in drifts if d.table
    )
    return Repair(
        id=f"grant_usage:{quoted(schema)}",
        action=GrantUsage(schema, sides.application_role),
        table=table,
        object=schema,
        cures=tuple(sorted(drift.id for drift in drifts)),
        waits_for=(),
        hazards=(),
        locks=(),
        order=order,
    )

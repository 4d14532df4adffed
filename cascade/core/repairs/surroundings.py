"""What else feels a step: users of healthy tables, subscribers, and things that are bound to a table by its OID."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cascade.core.actions import (
    AddColumn,
    AlterColumn,
    CreateTable,
    ExchangeTable,
    MoveTable,
    SetNotNull,
    ShelveTable,
)
from cascade.core.data_migrations import DataMigration, writers_of
from cascade.core.layout import Column, ConstraintKind, Table, TableName, quoted
from cascade.core.plan import Hazard, HazardKind
from cascade.core.repairs.repair import Repair
from cascade.core.repairs.sides import Sides
from cascade.core.words import listed


def with_surroundings(repair: Repair, sides: Sides) -> Repair:
    """The repair with the hazards that do not come from what it does, but from where it does that."""
    around = (
        *_left_behind(repair, sides),
        *_replication(repair, sides),
        *_row_security(repair, sides),
        *_data_migrations(repair, sides),
        *_healthy_locks(repair),
    )
    return replace(repair, hazards=(*repair.hazards, *around)) if around else repair


def _left_behind(repair: Repair, sides: Sides) -> Iterator[Hazard]:
    """Views, functions and statistics stay in the schema where they are; by its OID they go on with the table."""
    match repair.action:
        case MoveTable(table, _) | ExchangeTable(table, _):
            bound = [d for d in sides.observed.tables[table].dependants if d.kind in _STAY]
        case _:
            return
    if bound:
        names = listed([f"{d.kind} {d.name}" for d in bound])
        words = f"{names} {'stays' if len(bound) == 1 else 'stay'} behind; what reads {table} goes on with it"
        yield Hazard(HazardKind.LEFT_BEHIND, words)


_STAY = frozenset({"view", "materialized view", "function", "statistics object", "partition", "child"})


def _replication(repair: Repair, sides: Sides) -> Iterator[Hazard]:
    """Changes are sent under the table's name, and a subscriber stops at one that it has not (Logical Replication)."""
    match repair.action:
        case MoveTable(table, to) | ExchangeTable(table, to):
            yield from _renamed(sides.observed.tables[table], to, sides)
            yield from _shelved(sides.surroundings.put_aside.get(to))
        case ShelveTable(table):
            yield from _shelved(sides.surroundings.put_aside.get(table))
        case CreateTable(created):
            yield from _entered(created, created.name, sides.surroundings.publications.get(created.name.schema, ()))
        case AddColumn(table, column):
            published, there = _published(table, sides)
            sql = f"ALTER TABLE {there} ADD COLUMN {quoted(column.name)} {column.type};"
            words = f"{table} is published by {listed(published)}: a subscriber stops where it has no {column.name}"
            yield from [Hazard(HazardKind.REPLICATION, words, (_BEFORE, sql))] if published else []
        case AlterColumn(table, found, wanted) if found.type != wanted.type:
            published, there = _published(table, sides)
            sql = f"ALTER TABLE {there} ALTER COLUMN {quoted(wanted.name)} TYPE {wanted.type};"
            words = f"{table} is published by {listed(published)}: a subscriber stops at a value that it cannot hold"
            yield from [Hazard(HazardKind.REPLICATION, words, (_BEFORE, sql))] if published else []
        case _:
            return


_BEFORE = "-- on each subscriber, before the repair:"
# A change is sent under the name that the table had then, so one that still waits is lost on a table moved too early.
_CAUGHT_UP = "-- on each subscriber, after the repair, once it has all that was written before it:"


def _renamed(moved: Table, to: TableName, sides: Sides) -> Iterator[Hazard]:
    here, there = (frozenset(sides.surroundings.publications.get(name.schema, ())) for name in (moved.name, to))
    published = frozenset(moved.publications)
    move = (*_schema(to.schema), f"ALTER TABLE {moved.name} SET SCHEMA {quoted(to.schema)};")
    staying = sorted((published - here) | (published & there))
    if staying:
        words = f"{moved.name} is published by {listed(staying)}: a subscriber stops until it knows the table as {to}"
        yield Hazard(HazardKind.REPLICATION, words, (_CAUGHT_UP, *move))
    leaving = sorted((published & here) - there)
    if leaving:
        words = (
            f"{moved.name} leaves {listed(leaving)}, which publishes the schema: its changes are no longer sent, "
            "unless it is added by name"
        )
        # By name it is published wherever it lies, and so no change is missed meanwhile.
        added = tuple(f"ALTER PUBLICATION {quoted(name)} ADD TABLE {moved.name};" for name in leaving)
        yield Hazard(HazardKind.REPLICATION, words, ("-- here, before the repair:", *added, _CAUGHT_UP, *move))
    yield from _entered(moved, to, sorted(there - published))
    if moved.subscriptions:
        words = (
            f"{listed(moved.subscriptions)} writes {moved.name}, and stops here unless the publisher calls it {to}; "
            "what was sent under the old name has to be here before the repair"
        )
        yield Hazard(HazardKind.REPLICATION, words, ("-- on the publisher, before the repair:", *move))


def _entered(table: Table, place: TableName, publications: Sequence[str]) -> Iterator[Hazard]:
    if not publications:
        return
    words = f"{place} comes into {listed(publications)}: a subscriber without such a table stops at its first row"
    only = f" that has no {table.name}" if table.publications else ""
    yield Hazard(
        HazardKind.REPLICATION,
        words,
        (
            f"-- on each subscriber{only}, before the repair:",
            *_schema(place.schema),
            f"CREATE TABLE IF NOT EXISTS {place} ({_receiving(table)});",
            f"-- on each subscriber{only}, after the repair, in psql:",
            _refresh(publications),
        ),
    )


def _receiving(table: Table) -> str:
    """What a table needs to receive rows: the columns by name and type, and the key by which rows are found again."""
    columns = [f"{quoted(c.name)} {c.type}{_computed(c)}{'' if c.nullable else ' NOT NULL'}" for c in table.columns]
    keys = [c.columns for c in table.constraints if c.kind is ConstraintKind.PRIMARY_KEY]
    return ", ".join((*columns, *(f"PRIMARY KEY ({', '.join(map(quoted, key))})" for key in keys)))


def _computed(column: Column) -> str:
    kept = "STORED" if column.generated == "s" else "VIRTUAL"
    return f" GENERATED ALWAYS AS ({column.default}) {kept}" if column.generated else ""


def _refresh(publications: Sequence[str]) -> str:
    """For psql, since the statement runs in no block, and only the subscriber knows its subscriptions by name."""
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in publications)
    return (
        "SELECT format('ALTER SUBSCRIPTION %I REFRESH PUBLICATION', subname) FROM pg_subscription "
        "WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        f"AND subenabled AND subpublications && ARRAY[{names}] \\gexec"
    )


def _shelved(copy: Table | None) -> Iterator[Hazard]:
    if copy is None:
        return
    used = (*(f"published by {name}" for name in copy.publications), *(f"written by {s}" for s in copy.subscriptions))
    if used:
        yield Hazard(HazardKind.REPLICATION, f"{copy.name}, which goes into the attic, is {listed(used)}")


def _published(table: TableName, sides: Sides) -> tuple[tuple[str, ...], TableName]:
    """The publications that send the table, and what it is called on a subscriber before the repair."""
    found = sides.found(table)
    entered = sides.surroundings.publications.get(table.schema, ())
    if found is None:
        return (), table
    names = tuple(sorted({*found.publications, *entered}))
    return names, found.name if found.publications else table


def _schema(name: str) -> tuple[str, ...]:
    """Every database has a schema public, as a rule."""
    return () if name == "public" else (f"CREATE SCHEMA IF NOT EXISTS {quoted(name)};",)


def _row_security(repair: Repair, sides: Sides) -> Iterator[Hazard]:
    """What reads rows to prove something reads all of them, or the step fails: ``row_security = off``."""
    match repair.action:
        case ExchangeTable(_, place, is_shell=True) | ShelveTable(place, is_shell=True):
            read = sides.surroundings.put_aside.get(place)
        case SetNotNull(place) | AlterColumn(place):
            read = sides.found(place)
        case _:
            return
    if read is not None and read.row_security:
        whom = "its owner as well" if read.force_row_security else "all but its owner"
        words = f"policies of {read.name} hide rows from {whom}: a role that may not see them all stops at this step"
        yield Hazard(HazardKind.ROW_SECURITY, words)


def _data_migrations(repair: Repair, sides: Sides) -> Iterator[Hazard]:
    """What wrote rows once is recorded as applied, and does not come again."""
    match repair.action:
        case CreateTable(created):
            wrote = writers_of(sides.expected.tables[created.name], (), sides.surroundings.data_migrations)
        case AddColumn(table, column):
            wrote = writers_of(sides.expected.tables[table], (column.name,), sides.surroundings.data_migrations)
        case _:
            return
    yield from (_will_not_rerun(migration) for migration in wrote)


def _will_not_rerun(migration: DataMigration) -> Hazard:
    return Hazard(HazardKind.DATA_MIGRATION, f"what {migration} may have written here is not written again")


def _healthy_locks(repair: Repair) -> Iterator[Hazard]:
    for lock in repair.locks:
        if lock.healthy and lock.mode.blocks_writers:
            who = "reads or writes" if lock.mode.blocks_readers else "writes"
            words = f"{lock.table}, which is healthy, is locked {lock.mode.value}: who {who} it waits"
            yield Hazard(HazardKind.HEALTHY_LOCK, words)

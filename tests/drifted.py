"""Random tables that hang together as Django's do, and random damage to them, for property tests.

Self-references, cycles, many-to-many tables, multi-table inheritance, and several keys between two tables are all
ordinary here. Definitions are spelled as PostgreSQL prints them, so the tables can be made on a server.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Layout,
    Reference,
    RowEvidence,
    Table,
    TableName,
    quoted,
)

TARGET, ELSEWHERE = "public", "test_schema"
NAMES = ("user", "match", "bounty", "endorsement", "order", "Odd name", 'a"b', "überweisung")
EMPTY = RowEvidence(counted=0)


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done to healthy tables, by bare table name and (table, column)."""

    misplaced: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    columns: frozenset[tuple[str, str]] = frozenset()


def expected_of(*tables: ExpectedTable) -> ExpectedLayout:
    return ExpectedLayout({table.name: table for table in tables}, reference="a test")


def made_by(position: int, operation: int = 0, app: str = "app") -> Provenance:
    return Provenance(MigrationKey(app, f"{position:04}"), "Operation", operation, position)


def foreign_key(table: str, column: str, to: str, to_column: str = "id") -> Constraint:
    return Constraint(
        f"{table}_{column}_fk",
        ConstraintKind.FOREIGN_KEY,
        (column,),
        references=Reference(TableName(TARGET, to), (to_column,)),
        deferrable=True,
        initially_deferred=True,
    )


def primary_key(table: str, column: str) -> tuple[Constraint, Index]:
    name = f"{table}_pkey"
    text = quoted(column)
    return (
        Constraint(name, ConstraintKind.PRIMARY_KEY, (column,), definition=f"PRIMARY KEY ({text})", index=name),
        Index(name, (column,), f"btree ({text})", unique=True, constraint=name),
    )


def unique(table: str, *columns: str) -> tuple[Constraint, Index]:
    name, text = f"{table}_{'_'.join(columns)}_uniq", ", ".join(map(quoted, columns))
    return (
        Constraint(name, ConstraintKind.UNIQUE, columns, definition=f"UNIQUE ({text})", index=name),
        Index(name, columns, f"btree ({text})", unique=True, constraint=name),
    )


def index(table: str, column: str, *, where: str = "") -> Index:
    suffix = f" WHERE {where}" if where else ""
    return Index(f"{table}_{column}_{'part_' if where else ''}idx", (column,), f"btree ({quoted(column)}){suffix}")


# --------------------------------------------------------------------------------------------------- random tables


@st.composite
def expected_layouts(draw: st.DrawFn) -> ExpectedLayout:
    """Some tables of some apps with keys between them."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    parents = {name: draw(st.sampled_from([None, *names[:position]])) for position, name in enumerate(names)}
    keys = st.lists(_keys(names), max_size=2)
    shapes = {name: draw(st.tuples(keys, st.booleans(), st.sampled_from(["accounts", "teams"]))) for name in names}
    tables = {name: _table_of(name, parents, *shape) for name, shape in shapes.items()}
    for number, (one, other) in enumerate(draw(st.lists(st.tuples(*2 * [st.sampled_from(names)]), max_size=1))):
        through = f"{one}_{other}_{number}"
        tables[through] = _through(through, (one, other), parents, tables[one])
    return expected_of(*tables.values())


@dataclass(frozen=True, slots=True)
class _Key:
    to: str
    nullable: bool
    is_unique: bool
    migration: int


def _keys(names: list[str]) -> st.SearchStrategy[_Key]:
    return st.builds(_Key, st.sampled_from(names), st.booleans(), st.booleans(), st.integers(1, 9))


def _table_of(name: str, parents: Mapping[str, str | None], keys: list[_Key], plain: bool, app: str) -> ExpectedTable:
    """A table; one with a parent has the key to it as its primary key."""
    position, identity, parent = list(parents).index(name) + 1, _identity(name, parents), parents[name]
    columns, parts, constraints = [identity], [primary_key(name, identity.name)], []
    indexes, made = [], {identity.name: made_by(position)}
    if parent is not None:
        constraints.append(foreign_key(name, identity.name, parent, _key_column(parent, parents)))
    for number, key in enumerate(keys):
        column = f"{key.to}_{number}_id"
        columns.append(Column(column, "bigint", nullable=key.nullable))
        constraints.append(foreign_key(name, column, key.to, _key_column(key.to, parents)))
        if key.is_unique:
            parts.append(unique(name, column))
        else:
            indexes.append(index(name, column))
        made[column] = made_by(max(position, key.migration), number)
    if plain:
        columns += _PLAIN_COLUMNS
        parts.append(unique(name, "name", "rank"))
        indexes.append(index(name, "name", where="(rank > 0)"))
        constraints.append(_check(name))
    table = _table(name, columns, parts, constraints, indexes)
    return ExpectedTable(
        table, app, f"{app}.Model{position}", made_by(position, app=app), made, state_position=position
    )


def _through(
    name: str, ends: tuple[str, str], parents: Mapping[str, str | None], owner: ExpectedTable
) -> ExpectedTable:
    """A many-to-many table, of a table with itself too."""
    columns = ("from_id", "to_id")
    table = _table(
        name,
        [Column("id", "bigint", nullable=False, identity="d"), *(Column(c, "bigint", nullable=False) for c in columns)],
        [primary_key(name, "id"), unique(name, *columns)],
        [foreign_key(name, c, to, _key_column(to, parents)) for c, to in zip(columns, ends, strict=True)],
        [index(name, column) for column in columns],
    )
    return ExpectedTable(table, owner.app, owner.model, owner.made_by, {}, state_position=owner.state_position)


def _table(
    name: str,
    columns: Iterable[Column],
    parts: Iterable[tuple[Constraint, Index]],
    constraints: Iterable[Constraint],
    indexes: Iterable[Index],
) -> Table:
    parts = list(parts)
    return Table(
        TableName(TARGET, name),
        columns=tuple(columns),
        constraints=(*(constraint for constraint, _ in parts), *constraints),
        indexes=(*(serving for _, serving in parts), *indexes),
        rows=EMPTY,
    )


def _key_column(name: str, parents: Mapping[str, str | None]) -> str:
    return "id" if parents[name] is None else "parent_ptr_id"


def _identity(name: str, parents: Mapping[str, str | None]) -> Column:
    return Column(_key_column(name, parents), "bigint", nullable=False, identity="d" if parents[name] is None else "")


_PLAIN_COLUMNS = (
    Column("rank", "integer"),
    Column("name", "text", nullable=False, default="''::text"),
    Column("doubled", "integer", generated="s", default="(rank * 2)"),
)


def _check(table: str) -> Constraint:
    return Constraint(f"{table}_rank_check", ConstraintKind.CHECK, ("rank",), definition="CHECK ((rank >= 0))")


# --------------------------------------------------------------------------------------------------- random damage


def damages(expected: ExpectedLayout) -> st.SearchStrategy[Damage]:
    """For each table one of: nothing, moved away, dropped; and of what is left some columns dropped."""
    names = sorted(name.name for name in expected.tables)
    columns = [
        (name.name, column.name) for name in sorted(expected.tables) for column in expected.tables[name].table.columns
    ]
    fates = st.lists(st.sampled_from(["healthy", "misplaced", "missing"]), min_size=len(names), max_size=len(names))
    lost = st.lists(st.sampled_from(columns), max_size=4, unique=True)
    return st.builds(lambda fates, lost: _damage(dict(zip(names, fates, strict=True)), lost), fates, lost)


def _damage(fates: Mapping[str, str], lost: list[tuple[str, str]]) -> Damage:
    # A generated column goes with the column that it is computed from.
    cascaded = {*lost, *((table, "doubled") for table, column in lost if column == "rank")}
    return Damage(
        frozenset(name for name, fate in fates.items() if fate == "misplaced"),
        frozenset(name for name, fate in fates.items() if fate == "missing"),
        frozenset((table, column) for table, column in cascaded if fates[table] != "missing"),
    )


def drifts_of(expected: ExpectedLayout, damage: Damage) -> tuple[Drift, ...]:
    """The damage as drifts."""
    return tuple(drift for table in expected.tables.values() for drift in _drifts_of_table(table, damage))


def _drifts_of_table(table: ExpectedTable, damage: Damage) -> Iterator[Drift]:
    bare = table.name.name
    if bare in damage.misplaced:
        copies = (TableName(ELSEWHERE, bare),)
        yield replace(_about(table, DriftKind.MISPLACED_TABLE), copies=copies)
    if bare in damage.missing:
        yield _about(table, DriftKind.MISSING_TABLE)
    for column in table.table.columns:
        if (bare, column.name) in damage.columns:
            provenance = table.column_made_by.get(column.name, table.made_by)
            yield replace(
                _about(table, DriftKind.MISSING_COLUMN),
                object=column.name,
                columns=(column.name,),
                made_by=provenance,
            )


def _about(table: ExpectedTable, kind: DriftKind) -> Drift:
    return Drift(kind, kind.facts.severity, table.name, app=table.app, model=table.model, made_by=table.made_by)


def observed_after(expected: ExpectedLayout, damage: Damage) -> Layout:
    """What PostgreSQL has left after the damage, CASCADE included."""
    return Layout.of(
        _what_is_left(table.table, damage)
        for table in expected.tables.values()
        if table.name.name not in damage.missing
    )


def _what_is_left(table: Table, damage: Damage) -> Table:
    bare = table.name.name
    lost = {column for name, column in damage.columns if name == bare}
    columns = tuple(column for column in table.columns if column.name not in lost)
    constraints = tuple(
        _where_it_points(constraint, damage)
        for constraint in table.constraints
        if not lost.intersection(constraint.columns) and not _has_lost_its_target(constraint, damage)
    )
    serving = {constraint.name for constraint in constraints}
    indexes = tuple(
        index
        for index in table.indexes
        if not lost.intersection(index.columns)
        and not ("rank" in lost and "rank" in (index.tail or ""))
        and (index.constraint is None or index.constraint in serving)
    )
    schema = ELSEWHERE if bare in damage.misplaced else TARGET
    return replace(table, name=TableName(schema, bare), columns=columns, constraints=constraints, indexes=indexes)


def _has_lost_its_target(constraint: Constraint, damage: Damage) -> bool:
    reference = constraint.references
    if reference is None:
        return False
    to = reference.table.name
    return to in damage.missing or any((to, column) in damage.columns for column in reference.columns)


def _where_it_points(constraint: Constraint, damage: Damage) -> Constraint:
    # A key follows its target by OID.
    reference = constraint.references
    if reference is None or reference.table.name not in damage.misplaced:
        return constraint
    return replace(constraint, references=replace(reference, table=TableName(ELSEWHERE, reference.table.name)))

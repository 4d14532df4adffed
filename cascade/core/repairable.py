"""What can be repaired: the two sides of a repair, and which drifts get a step at all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

from cascade.core.definitions import computed_from, is_unique
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind
from cascade.core.layout import Column, Layout, RowEvidence, Table, TableName


@dataclass(frozen=True)
class Sides:
    """Expected beside observed, the drifts in scope, and the tables that have any drift, in scope or not.

    ``default_rights``: what the application role gets on a new table of each schema; None where nobody knows.
    """

    expected: ExpectedLayout
    observed: Layout
    drifts: tuple[Drift, ...]
    drifted: frozenset[TableName]
    application_role: str
    default_rights: Mapping[str, frozenset[str]] | None = None

    @cached_property
    def moved(self) -> Mapping[TableName, TableName]:
        """Where each table that will be moved lies now."""
        return {drift.table: drift.copies[0] for drift in self._cured(DriftKind.MISPLACED_TABLE) if drift.table}

    @cached_property
    def created(self) -> frozenset[TableName]:
        """The tables that will be made."""
        return frozenset(drift.table for drift in self._cured(DriftKind.MISSING_TABLE) if drift.table)

    @cached_property
    def added(self) -> Mapping[TableName, tuple[str, ...]]:
        """The columns that will be added to each table, in the order in which that is possible."""
        found: dict[TableName, list[str]] = {}
        for drift in self._cured(DriftKind.MISSING_COLUMN):
            if drift.table is not None:
                found.setdefault(drift.table, []).append(drift.object)
        return {name: tuple(sorted(columns, key=partial(self._column_order, name))) for name, columns in found.items()}

    @cached_property
    def names_now(self) -> Mapping[TableName, str]:
        """What bears each of the names that tables, indexes and owned sequences share."""
        tables = self.observed.tables.values()
        owned = dict(pair for table in tables for pair in _names_of(table, table.name.schema))
        return {**self.observed.other_names, **owned}

    @cached_property
    def names_after_moves(self) -> Mapping[TableName, str]:
        """The same, with those that moved tables bring."""
        moved = ((self.observed.tables[copy], name.schema) for name, copy in self.moved.items())
        return {**self.names_now, **dict(pair for table, schema in moved for pair in _names_of(table, schema))}

    @cached_property
    def names_after(self) -> Mapping[TableName, str]:
        """The same, with those of created tables as well."""
        created = (self.expected.tables[name].table for name in self.created)
        names = dict(pair for table in created for pair in _names_of(table, table.name.schema))
        return {**self.names_after_moves, **names}

    def found(self, name: TableName) -> Table | None:
        """The table that is, or by a move will be, in that place; None for one that is missing."""
        return self.observed.tables.get(self.moved.get(name, name))

    def will_exist(self, name: TableName) -> bool:
        """Whether the table is in its place after the repair."""
        return name in self.created or self.found(name) is not None

    def will_have(self, name: TableName, column: str) -> bool:
        """Whether the table has the column after the repair; of a table that was not read in full this is believed."""
        found = self.found(name)
        if name in self.created or column in self.added.get(name, ()):
            return True
        return found is not None and (not found.read_in_full or found.column(column) is not None)

    def _cured(self, kind: DriftKind) -> Iterator[Drift]:
        return (drift for drift in self.drifts if drift.kind is kind and not drift.undecided)

    def _column_order(self, name: TableName, column: str) -> tuple[bool, tuple[int, str, str, int], str]:
        """Columns that others are computed from first, then by history."""
        expected = self.expected.tables[name]
        found = expected.table.column(column)
        generated = found is not None and found.generated != ""
        return (generated, expected.column_made_by.get(column, expected.made_by).order, column)


# ------------------------------------------------------------------------------------------------- what gets a step


def decide_repairs(sides: Sides) -> Sides:
    """The same sides, where each drift that can have no step says why in ``undecided``.

    Tables are decided before the columns in them, and plain columns before those that are computed from them.
    """
    for obstacle in (_move_obstacle, _creation_obstacle, _column_obstacle, _generation_obstacle):
        decided = [
            drift if drift.undecided else replace(drift, undecided=obstacle(drift, sides)) for drift in sides.drifts
        ]
        sides = replace(sides, drifts=tuple(decided))
    return sides


def _move_obstacle(drift: Drift, sides: Sides) -> str:
    if drift.kind is not DriftKind.MISPLACED_TABLE or drift.table is None:
        return ""
    if len(drift.copies) != 1:
        return f"it lies in {len(drift.copies)} places: say which copy counts"
    copy = drift.copies[0]
    rivals = [d.table for d in sides.drifts if d.kind is drift.kind and copy in d.copies and d.table != drift.table]
    if rivals:
        return f"{copy} could be {drift.table} or {rivals[0]}"
    return _clash(_names_of(sides.observed.tables[copy], drift.table.schema), sides.names_now)


def _creation_obstacle(drift: Drift, sides: Sides) -> str:
    if drift.kind is not DriftKind.MISSING_TABLE or drift.table is None:
        return ""
    expected = sides.expected.tables[drift.table]
    if not expected.compared:
        return "its definition is not known: it could not be made for comparison"
    return _clash(_names_of(expected.table, drift.table.schema), sides.names_after_moves)


def _column_obstacle(drift: Drift, sides: Sides) -> str:
    if drift.kind is not DriftKind.MISSING_COLUMN or drift.table is None:
        return ""
    expected = sides.expected.tables[drift.table]
    column = expected.table.column(drift.object)
    found = sides.found(drift.table)
    if found is None:
        return f"no step brings {drift.table} itself to its place"
    if not expected.compared or column is None:
        return "its definition is not known"
    return _value_obstacle(column, expected.table, found.rows)


def _value_obstacle(column: Column, table: Table, rows: RowEvidence) -> str:
    """Why the rows that are there would refuse the column."""
    if rows.has_rows is False or column.identity or column.generated:
        return ""
    value = column.default if column.default is not None else column.fill
    if value is None:
        return (
            "" if column.nullable else "it is NOT NULL without a default: add it by hand, with a value for the old rows"
        )
    if "(" not in value and rows.counted != 1 and is_unique(table, (column.name,)):
        return f"existing rows would all take {value}, and it has to be unique: add it by hand"
    return ""


def _generation_obstacle(drift: Drift, sides: Sides) -> str:
    if drift.kind is not DriftKind.MISSING_COLUMN or drift.table is None:
        return ""
    table = sides.expected.tables[drift.table].table
    column = table.column(drift.object)
    if column is None or not column.generated:
        return ""
    absent = [c.name for c in computed_from(column, table) if not sides.will_have(drift.table, c.name)]
    return f"it is computed from {absent[0]}, which no step adds" if absent else ""


def _names_of(table: Table, schema: str) -> list[tuple[TableName, str]]:
    """The names that a table takes in a schema, which no other relation there may have, with what bears each."""
    sequences = [
        c.sequence.name.name for c in table.columns if c.sequence and c.sequence.name.schema == table.name.schema
    ]
    return [
        (TableName(schema, table.name.name), f"the table {table.name}"),
        *((TableName(schema, index.name), f"an index of {table.name}") for index in table.indexes),
        *((TableName(schema, sequence), f"a sequence of {table.name}") for sequence in sequences),
    ]


def _clash(wanted: Iterable[tuple[TableName, str]], there: Mapping[TableName, str]) -> str:
    taken = next(((name, there[name]) for name, _ in wanted if name in there), None)
    return f"the name {taken[0]} is taken by {taken[1]}" if taken else ""

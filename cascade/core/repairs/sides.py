"""The two sides of a repair, and what will be true of them once it is done."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from cascade.core.data_migrations import DataMigration
from cascade.core.decisions import Decisions
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Layout, RowEvidence, Table, TableName


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What no step cures, and some step may disturb.

    ``publications`` are those that take in, by schema, every table which comes there. ``data_migrations`` may have
    written rows of what is made anew. ``put_aside`` are the copies that do not count, as they lie.
    """

    publications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    data_migrations: tuple[DataMigration, ...] = ()
    put_aside: Mapping[TableName, Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Sides:
    """Expected beside observed, the drifts in scope, and the tables that have any drift, in scope or not.

    ``default_rights``: what the application role gets on a new table of each schema; None where nobody knows.
    ``violations``: how many rows break a rule that is not in force yet, by table as it lies now and constraint or
    column. ``attic`` is the schema for what is put aside. ``going`` are the drifts that
    go when copies of a table are settled.
    """

    expected: ExpectedLayout
    observed: Layout
    drifts: tuple[Drift, ...]
    drifted: frozenset[TableName]
    application_role: str
    default_rights: Mapping[str, frozenset[str]] | None = None
    violations: Mapping[tuple[TableName, str], RowEvidence] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    attic: str = "cascade_attic"
    surroundings: Surroundings = field(default_factory=Surroundings)
    going: tuple[Drift, ...] = ()

    @cached_property
    def moved(self) -> Mapping[TableName, TableName]:
        """Where each table that will be moved lies now."""
        moved = {drift.table: drift.copies[0] for drift in self._cured(DriftKind.MISPLACED_TABLE) if drift.table}
        return moved | {name: drift.kept for name, drift in self.exchanged.items() if drift.kept is not None}

    @cached_property
    def exchanged(self) -> Mapping[TableName, Drift]:
        """The tables among them whose place another copy holds until then, with the finding that says so."""
        twice = (*self._cured(DriftKind.DUPLICATED_TABLE), *self._cured(DriftKind.SHADOWED_TABLE))
        return {drift.table: drift for drift in twice if drift.table and drift.kept and drift.kept != drift.table}

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
        owned = dict(pair for table in tables for pair in names_of(table, table.name.schema))
        return {**self.observed.other_names, **owned}

    @cached_property
    def names_after_moves(self) -> Mapping[TableName, str]:
        """The same, with those that moved tables bring."""
        moved = ((self.observed.tables[copy], name.schema) for name, copy in self.moved.items())
        return {**self.names_now, **dict(pair for table, schema in moved for pair in names_of(table, schema))}

    @cached_property
    def names_after(self) -> Mapping[TableName, str]:
        """The same, with those of created tables as well."""
        created = (self.expected.tables[name].table for name in self.created)
        names = dict(pair for table in created for pair in names_of(table, table.name.schema))
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

    def decided(self, kind: DriftKind) -> Iterator[Drift]:
        """The drifts of that kind which get a step: worse than a note, and no longer undecided."""
        return (drift for drift in self._cured(kind) if drift.severity is not Severity.NOTE)

    def may_have_rows(self, name: TableName) -> bool:
        """Whether the table holds rows once it is in its place, as far as anybody knows."""
        found = self.found(name)
        return name not in self.created and found is not None and found.rows.has_rows is not False

    def is_large(self, name: TableName) -> bool:
        """Whether reading all of it takes long enough to do that without blocking anybody."""
        found = self.found(name)
        return found is not None and found.pages >= self.decisions.large_pages

    def violations_of(self, name: TableName, part: str) -> RowEvidence:
        """The rows that break the rule of that constraint, or hold NULL in that column, as far as they were counted."""
        found = self.found(name)
        return self.violations.get((found.name, part), RowEvidence()) if found else RowEvidence()

    def _cured(self, kind: DriftKind) -> Iterator[Drift]:
        return (drift for drift in self.drifts if drift.kind is kind and not drift.undecided)

    def _column_order(self, name: TableName, column: str) -> tuple[bool, tuple[int, str, str, int], str]:
        """Columns that others are computed from first, then by history."""
        expected = self.expected.tables[name]
        found = expected.table.column(column)
        generated = found is not None and found.generated != ""
        return (generated, expected.column_made_by.get(column, expected.made_by).order, column)


def names_of(table: Table, schema: str) -> list[tuple[TableName, str]]:
    """The names that a table takes in a schema, which no other relation there may have, with what bears each."""
    sequences = [
        c.sequence.name.name for c in table.columns if c.sequence and c.sequence.name.schema == table.name.schema
    ]
    return [
        (TableName(schema, table.name.name), f"the table {table.name}"),
        *((TableName(schema, index.name), f"an index of {table.name}") for index in table.indexes),
        *((TableName(schema, sequence), f"a sequence of {table.name}") for sequence in sequences),
    ]


def bears_its_names(table: Table, schema: str, layout: Layout) -> TableName | None:
    """The table that no migration accounts for and that has an index of this name: it may be this one, renamed."""
    names = (name for name, _ in names_of(table, schema))
    return next((layout.index_of[name] for name in names if name in layout.index_of), None)


def clash(wanted: Iterable[tuple[TableName, str]], there: Mapping[TableName, str]) -> str:
    """Which of the names is taken, and by what, ``""`` where none is."""
    taken = next(((name, there[name]) for name, _ in wanted if name in there), None)
    return f"the name {taken[0]} is taken by {taken[1]}" if taken else ""

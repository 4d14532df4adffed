"""The expected layout: what the applied migrations say exists, each part with its provenance."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from cascade.core.history import HistoryNotes, MigrationKey, PendingMigration, Provenance, SourceLines
from cascade.core.layout import Layout, Table, TableName, quoted


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Something that the answer does not cover: what, why, and how to have it checked."""

    what: str
    why: str
    how: str


@dataclass(frozen=True, slots=True)
class ModelField:
    """A field of the model as the applied migrations leave it: name, class and column."""

    name: str
    type: str
    column: str


@dataclass(frozen=True, slots=True)
class ExpectedTable:
    """One table that applied migrations made.

    ``table`` has its place in the target. With ``compared`` False only the column names are known and
    nothing else of it may be compared or made. ``model`` is ``app.Model``; for an automatic through table
    the model that owns the field, which ``through_field`` then names; empty for a table that RunSQL or RunPython
    made and no model has. ``state_position`` is the model's
    place in the migration state. ``part_made_by`` knows the constraints and indexes that operations of their own
    made, by name, and unique_together by its columns. ``column_altered_by`` knows which AlterField of Django's last
    gave an aspect of a column, named as in a finding, another value in the database. ``may_lack_like`` are columns
    that AlterField may have left without the index for LIKE that Django makes with a new one. ``removed_fields``
    counts those that applied migrations took out of the model again, at most a column each.
    """

    table: Table
    app: str
    model: str
    made_by: Provenance
    column_made_by: Mapping[str, Provenance] = field(default_factory=dict)
    column_altered_by: Mapping[str, Mapping[str, Provenance]] = field(default_factory=dict)
    part_made_by: Mapping[str | frozenset[str], Provenance] = field(default_factory=dict)
    state_position: int = 0
    fields: tuple[ModelField, ...] = ()
    model_source: SourceLines | None = None
    compared: bool = True
    through_field: str = ""
    may_lack_like: frozenset[str] = frozenset()
    removed_fields: int = 0

    @property
    def name(self) -> TableName:
        """Where the table belongs."""
        return self.table.name

    @property
    def own_model(self) -> str:
        """The model whose own table this is; empty for an automatic through table and one that no model has."""
        return "" if self.through_field else self.model

    def origin_of(self, part: str, columns: Iterable[str]) -> Provenance:
        """What made a constraint or index of that name over these columns: itself, else the last of its columns."""
        columns = tuple(columns)
        known = self.part_made_by.get(part) or self.part_made_by.get(frozenset(columns))
        if known is not None:
            return known
        made_by = [self.column_made_by.get(column, self.made_by) for column in columns]
        return max(made_by, key=lambda made: made.order, default=self.made_by)


@dataclass(frozen=True)
class ExpectedLayout:
    """All tables that the applied migrations say exist, by identity.

    ``reference`` says in words how it was built. ``known_names`` are tables that a model or an unmigrated app
    accounts for though no applied migration does (unmanaged, pending, another database's). ``replaces`` are the
    squashed migrations of each squash. ``undecided_apps`` maps an app to why nothing can be said of what its
    migrations changed. ``exact``: made by running the migrations themselves, so that whatever RunSQL and RunPython
    changed is in it. ``remarks`` are sentences about the reference that belong beside the answer.
    """

    tables: Mapping[TableName, ExpectedTable]
    reference: str
    apps: tuple[str, ...] = ()
    known_names: frozenset[str] = frozenset()
    pending: tuple[PendingMigration, ...] = ()
    notes: HistoryNotes = field(default_factory=HistoryNotes)
    not_checked: tuple[NotChecked, ...] = ()
    undecided_apps: Mapping[str, str] = field(default_factory=dict)
    replaces: Mapping[MigrationKey, tuple[MigrationKey, ...]] = field(default_factory=dict)
    applied_count: int = 0
    exact: bool = False
    remarks: tuple[str, ...] = ()
    source_revision: str | None = None

    def layout(self) -> Layout:
        """The tables alone."""
        return Layout.of(expected.table for expected in self.tables.values())


def what_extensions_bring(made: Mapping[str, MigrationKey], installed: Collection[str]) -> tuple[NotChecked, ...]:
    """What cannot be told for want of an extension that an applied migration ``made``.

    Its functions are not compared, and tables of its types cannot be made for comparison.
    """
    return tuple(
        NotChecked(
            f"what the extension {quoted(name)} brings",
            f"{migration} makes it, and this database has no such extension",
            f"run CREATE EXTENSION {quoted(name)} and ask again",
        )
        for name, migration in made.items()
        if name not in installed
    )

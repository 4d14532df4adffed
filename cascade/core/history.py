"""What migrations made, when they were recorded, and where they are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

HISTORY_TABLE = "django_migrations"


@dataclass(frozen=True, slots=True)
class SourceLines:
    """A place in source code. ``file`` is relative to the project where it lies inside it."""

    file: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.file}:{self.first}" if self.first == self.last else f"{self.file}:{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, order=True)
class MigrationKey:
    """A migration by app label and name, as Django's loader keys it."""

    app: str
    name: str

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of ``django_migrations``. ``position`` is its id, ``applied`` ISO 8601 in UTC."""

    key: MigrationKey
    applied: str
    position: int


@dataclass(frozen=True)
class History:
    """The rows of one ``django_migrations``, in the order of their ids, and the schema that holds it."""

    schema: str
    records: tuple[Record, ...]

    @cached_property
    def by_key(self) -> Mapping[MigrationKey, Record]:
        """The record of each migration; of several rows for one, the first."""
        return {record.key: record for record in reversed(self.records)}


@dataclass(frozen=True, slots=True)
class Provenance:
    """The migration and operation that made an object.

    ``operation`` is Django's own description of it; ``position`` is the recorder's id, of a squashed
    migration its own or that of the first it replaces; ``source`` is the operation's place in its file.
    """

    migration: MigrationKey
    operation: str
    operation_index: int
    position: int
    applied: str | None = None
    source: SourceLines | None = None

    @property
    def order(self) -> tuple[int, str, str, int]:
        """Where this stands in history: the recorder's id first, then ties by name and operation."""
        return (self.position, self.migration.app, self.migration.name, self.operation_index)


@dataclass(frozen=True, slots=True)
class FieldBefore:
    """A field as it was before an AlterField.

    ``altered_by`` is None where that changed Django's state alone (``SeparateDatabaseAndState``).
    """

    field: Any
    altered_by: Provenance | None


@dataclass
class ModelOrigin:
    """Which operation made a model's table, each of its fields, and each of its constraints and indexes.

    ``added`` are the fields as first written. ``parts`` are ``Meta.constraints`` and ``Meta.indexes`` by name, and
    each set of ``unique_together`` by its fields. ``unproven`` are the constraints that were added NOT VALID and
    that no operation has validated yet (django.contrib.postgres.operations). ``earlier`` are the fields as they were
    before each AlterField, oldest first. ``removed`` counts the fields that were taken out again.
    """

    made_by: Provenance
    fields: dict[str, Provenance] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)
    parts: dict[str | frozenset[str], Provenance] = field(default_factory=dict)
    unproven: set[str] = field(default_factory=set)
    earlier: dict[str, list[FieldBefore]] = field(default_factory=dict)
    removed: int = 0


@dataclass(frozen=True, slots=True)
class PendingMigration:
    """A migration with a file and no record, with the table names and (table, column) pairs that it would make.

    ``makes_more``: it does other things too, whose effect is not looked for.
    """

    key: MigrationKey
    tables: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    makes_more: bool = False


@dataclass(frozen=True, slots=True)
class HistoryNotes:
    """What the record and the files say of each other, apart from drift.

    ``without_file``: records that no file and no squash accounts for. ``ahead_apps``: apps with a record newer
    than any of their files, so that the code beside the tool is not the code that was deployed.
    ``several_leaves``: apps whose files end in more than one leaf.
    """

    without_file: tuple[MigrationKey, ...] = ()
    ahead_apps: tuple[str, ...] = ()
    several_leaves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

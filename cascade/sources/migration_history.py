"""The applied migrations replayed into Django's state, and which operation made what."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.migrations import operations as django_operations
from django.db.migrations.exceptions import BadMigrationError, CircularDependencyError, NodeNotFoundError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from cascade.core.history import (
    FieldBefore,
    History,
    HistoryNotes,
    MigrationKey,
    ModelOrigin,
    PendingMigration,
    Provenance,
    Record,
)
from cascade.errors import HistoryError

ModelKey = tuple[str, str]
"""App label and lower-case model name, as ``ProjectState.models`` is keyed."""


@dataclass(frozen=True)
class Replay:
    """The state after the applied migrations, and where each model and field in it came from.

    ``applied`` are the records of what was replayed, in that order, ``history`` all of them as they were read.
    """

    history: History
    state: ProjectState
    origins: Mapping[ModelKey, ModelOrigin]
    migrations: Mapping[MigrationKey, Migration]
    pending: tuple[PendingMigration, ...]
    notes: HistoryNotes
    migrated_apps: frozenset[str]
    unmigrated_apps: frozenset[str]
    applied: tuple[Record, ...]


def read_replay(history: History) -> Replay:
    """Load the project's migrations and replay those that ``history`` records.

    Raises ``HistoryError`` where the files cannot be loaded or contradict each other.
    """
    loader, applied = load_applied(record.key for record in history.records)
    replayer = _Replayer(ProjectState(real_apps=loader.unmigrated_apps))
    records = tuple(_record_of(migration, history) for migration in applied)
    for migration, record in zip(applied, records, strict=True):
        replayer.replay(migration, record)
    return Replay(
        history=history,
        state=replayer.state,
        origins=replayer.origins,
        migrations={MigrationKey(*node): loader.graph.nodes[node] for node in loader.graph.nodes},
        pending=tuple(_pending(loader, replayer.state)),
        notes=_notes(loader, history),
        migrated_apps=frozenset(loader.migrated_apps),
        unmigrated_apps=frozenset(loader.unmigrated_apps),
        applied=records,
    )


def load_applied(recorded: Iterable[MigrationKey]) -> tuple[MigrationLoader, tuple[Migration, ...]]:
    """The project's migrations, and those that this record means, each after all that it depends on.

    Raises ``HistoryError`` where the files cannot be loaded or contradict each other.
    """
    loader = _load(recorded)
    nodes = [node for node in _in_order(loader) if node in loader.applied_migrations]
    return loader, tuple(loader.graph.nodes[node] for node in nodes)


class _RecordedLoader(MigrationLoader):
    """Django's loader with the record taken from a history that was read, not from the visible table."""

    def __init__(self, recorded: Iterable[MigrationKey]) -> None:
        self._recorded: dict[tuple[str, str], Any] = {(key.app, key.name): None for key in recorded}
        super().__init__(connection=None, ignore_no_migrations=True)

    @property
    def applied_migrations(self) -> dict[tuple[str, str], Any]:
        """What is recorded; a squash whose replaced migrations are all recorded is added by the loader."""
        return self._recorded

    @applied_migrations.setter
    def applied_migrations(self, value: object) -> None:
        """The loader resets this when it has no connection; the record stays."""


def _load(recorded: Iterable[MigrationKey]) -> MigrationLoader:
    try:
        return _RecordedLoader(recorded)
    except (NodeNotFoundError, CircularDependencyError, BadMigrationError) as error:
        raise HistoryError(
            f"The migration files of this checkout do not fit together: {error}",
            hint="Is this the code that is deployed, with all of its apps installed?",
        ) from error
    except Exception as error:
        raise HistoryError(
            f"A migration module cannot be imported: {type(error).__name__}: {error}",
            hint="python manage.py showmigrations fails in the same way and shows where.",
        ) from error


def _in_order(loader: MigrationLoader) -> list[tuple[str, str]]:
    """Every node after those it depends on, as ``migrate`` would run them from nothing."""
    order: dict[tuple[str, str], None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        order.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    return list(order)


def _record_of(migration: Migration, history: History) -> Record:
    """The migration's own row, or for a squash known by what it replaces the first and last of those."""
    key = MigrationKey(migration.app_label, migration.name)
    own = history.by_key.get(key)
    if own is not None:
        return own
    replaced = [history.by_key[MigrationKey(*k)] for k in migration.replaces if MigrationKey(*k) in history.by_key]
    if not replaced:  # a squash of squashes: the loader knows it as applied, no single row does
        return Record(key, "", 0)
    return Record(key, max(r.applied for r in replaced), min(r.position for r in replaced))


_DJANGO_OPERATIONS = ("django.db.migrations.operations.", "django.contrib.postgres.operations")
_MODEL_NAMES = ("name", "model_name", "old_name", "new_name")


class _Replayer:
    """Replays operations one by one and notes after each what appeared."""

    def __init__(self, state: ProjectState) -> None:
        self.state = state
        self.origins: dict[ModelKey, ModelOrigin] = {}
        self._tables: dict[str, ModelOrigin] = {}

    def replay(self, migration: Migration, record: Record) -> None:
        if type(migration).mutate_state is not Migration.mutate_state:
            # A migration that changes state in its own way is one operation to us.
            migration.mutate_state(self.state, preserve=False)
            self._note(migration, _made_by(migration, record, 0, None), None)
            return
        for index, operation in enumerate(migration.operations):
            made_by = _made_by(migration, record, index, operation)
            self._note_earlier(migration.app_label, operation, made_by)
            self._carry_renames(migration.app_label, operation)
            operation.state_forwards(migration.app_label, self.state)
            self._note(migration, made_by, operation)
            self._note_validation(migration.app_label, operation)

    def _note(self, migration: Migration, made_by: Provenance, operation: Operation | None) -> None:
        state_only = isinstance(operation, django_operations.SeparateDatabaseAndState)
        app = migration.app_label
        for key in [key for key in self.origins if key[0] == app and key not in self.state.models]:
            del self.origins[key]
        for key in self._touched(app, operation):
            self._note_model(key, self.state.models[key], made_by, operation, state_only=state_only)

    def _touched(self, app: str, operation: Operation | None) -> list[ModelKey]:
        """The models whose parts may be others than before.

        Django's own operations name their model. A project's own may do anything, even put a model into another
        app than its migration's.
        """
        parts = list(_parts(operation)) if operation is not None else []
        if operation is not None and all(type(part).__module__.startswith(_DJANGO_OPERATIONS) for part in parts):
            named = [(app, str(getattr(part, name, "")).lower()) for part in parts for name in _MODEL_NAMES]
            return [key for key in dict.fromkeys(named) if key in self.state.models]
        return [key for key in self.state.models if key[0] == app or operation is None or key not in self.origins]

    def _note_model(
        self, key: ModelKey, model: ModelState, made_by: Provenance, operation: Operation | None, *, state_only: bool
    ) -> None:
        table = default_table_name(model)
        origin = self.origins.get(key)
        if origin is None:
            # A model that moves between apps by state alone keeps the table that is there.
            earlier = self._tables.get(table) if state_only else None
            origin = ModelOrigin(earlier.made_by if earlier else made_by)
            if earlier:
                origin.fields.update(earlier.fields)
                origin.parts.update(earlier.parts)
                origin.added.update(earlier.added)
                origin.earlier.update(earlier.earlier)
                origin.removed = earlier.removed
            self.origins[key] = origin
        self._tables[table] = origin
        if origin.fields.keys() != model.fields.keys():
            for name in [name for name in origin.fields if name not in model.fields]:
                del origin.fields[name]
                origin.removed += 1
            for name in model.fields:
                if name not in origin.fields:
                    origin.fields[name] = made_by
                    origin.added[name] = getattr(operation, "field", None)
        parts = set(_parts_of_table(model))
        origin.parts = {part: origin.parts.get(part, made_by) for part in parts} if parts else {}

    def _note_validation(self, app: str, operation: Operation) -> None:
        for part in _parts(operation):
            # By name: django.contrib.postgres cannot be imported without its driver.
            classes = {cls.__name__ for cls in type(part).__mro__}
            if not classes.isdisjoint({"AddConstraintNotValid", "ValidateConstraint"}):
                origin = self.origins.get((app, str(getattr(part, "model_name", "")).lower()))
                if origin is not None and "ValidateConstraint" in classes:
                    origin.unproven.discard(getattr(part, "name", ""))
                elif origin is not None:
                    origin.unproven.add(part.constraint.name)  # type: ignore[attr-defined]

    def _note_earlier(self, app: str, operation: Operation, made_by: Provenance) -> None:
        for part in _parts(operation):
            if isinstance(part, django_operations.AlterField):
                key = (app, part.model_name_lower)
                if key in self.origins and part.name in self.state.models[key].fields:
                    field = self.state.models[key].fields[part.name]
                    # What another operation tells the state of, the database need not have seen.
                    before = FieldBefore(field, made_by if part is operation else None)
                    self.origins[key].earlier.setdefault(part.name, []).append(before)

    def _carry_renames(self, app: str, operation: Operation) -> None:
        for part in _parts(operation):
            if isinstance(part, django_operations.RenameModel):
                origin = self.origins.pop((app, part.old_name_lower), None)
                if origin is not None:
                    self.origins[app, part.new_name_lower] = origin
            elif isinstance(part, django_operations.RenameField):
                origin = self.origins.get((app, part.model_name_lower))
                if origin is not None and part.old_name in origin.fields:
                    origin.fields[part.new_name] = origin.fields.pop(part.old_name)
                    origin.added[part.new_name] = origin.added.pop(part.old_name, None)
                    origin.earlier[part.new_name] = origin.earlier.pop(part.old_name, [])
        if isinstance(operation, django_operations.SeparateDatabaseAndState):
            for part in operation.database_operations:
                if isinstance(part, django_operations.AlterModelTable):
                    old = self.state.models.get((app, part.name_lower))
                    if old is not None and part.table and default_table_name(old) in self._tables:
                        self._tables[part.table] = self._tables[default_table_name(old)]


def _made_by(migration: Migration, record: Record, index: int, operation: Operation | None) -> Provenance:
    key = MigrationKey(migration.app_label, migration.name)
    return Provenance(key, _words(operation), index, record.position, record.applied or None)


def _parts_of_table(model: ModelState) -> Iterator[str | frozenset[str]]:
    """The constraints and indexes that ``Meta`` names, and the fields of each set that is unique together."""
    yield from (constraint.name for constraint in model.options.get("constraints") or ())
    yield from (index.name for index in model.options.get("indexes") or ())
    yield from (frozenset(fields) for fields in model.options.get("unique_together") or ())


def default_table_name(model: ModelState) -> str:
    """The model's ``db_table``, worked out as ``Options.contribute_to_class`` does for PostgreSQL."""
    from django.db.backends.utils import truncate_name

    explicit = model.options.get("db_table")
    return explicit or truncate_name(f"{model.app_label}_{model.name_lower}", 63)


def _parts(operation: Operation) -> Iterator[Operation]:
    """The operation, or what it does to the state where it holds others."""
    if isinstance(operation, django_operations.SeparateDatabaseAndState):
        for part in operation.state_operations:
            yield from _parts(part)
    else:
        yield operation
        yield from getattr(operation, "state_operations", None) or ()


def _words(operation: Operation | None) -> str:
    """The operation's class and subject: ``AddField skillendorsement.bounty``."""
    if operation is None:
        return "Migration.mutate_state"
    name = getattr(operation, "name", None) or getattr(operation, "new_name", None)
    model = getattr(operation, "model_name", None)
    subject = ".".join(str(part) for part in (model, name) if part)
    return f"{type(operation).__name__} {subject}".strip()


def _pending(loader: MigrationLoader, state: ProjectState) -> Iterator[PendingMigration]:
    """Migrations with a file and no record, in order, with what they would make."""
    tables = {key: default_table_name(model) for key, model in state.models.items()}
    for node in _in_order(loader):
        if node not in loader.applied_migrations:
            yield _would_make(loader.graph.nodes[node], tables)


def _would_make(migration: Migration, tables: dict[ModelKey, str]) -> PendingMigration:
    """What the migration would make; the models that it creates are added to ``tables``."""
    made: list[str] = []
    columns: list[tuple[str, str]] = []
    app = migration.app_label
    for operation in migration.operations:
        if isinstance(operation, django_operations.CreateModel):
            if not operation.options.get("proxy") and operation.options.get("managed", True):
                table = default_table_name(ModelState(app, operation.name, [], operation.options))
                tables[app, operation.name_lower] = table
                made.append(table)
                made += [name for field in operation.fields for name in _through_table(table, *field)]
        elif isinstance(operation, django_operations.AddField) and operation.field.many_to_many:
            made += _through_table(tables.get((app, operation.model_name_lower), ""), operation.name, operation.field)
        elif isinstance(operation, django_operations.AddField):
            by_name = f"{operation.name}_id" if operation.field.is_relation else operation.name
            column = operation.field.db_column or by_name
            columns.append((tables.get((app, operation.model_name_lower), ""), column))
    looked_for = (django_operations.CreateModel, django_operations.AddField)
    more = any(not isinstance(operation, looked_for) for operation in migration.operations)
    return PendingMigration(MigrationKey(app, migration.name), tuple(made), tuple(columns), makes_more=more)


def _through_table(table: str, name: str, field: Any) -> list[str]:
    """The table of a many-to-many field that names no model for it (``ManyToManyField._get_m2m_db_table``)."""
    from django.db.backends.utils import strip_quotes, truncate_name

    if not field.many_to_many or getattr(field.remote_field, "through", None) is not None:
        return []
    return [field.db_table or truncate_name(f"{strip_quotes(table)}_{name}", 63)]


def _notes(loader: MigrationLoader, history: History) -> HistoryNotes:
    files = {MigrationKey(*key) for key in loader.disk_migrations}
    replaced = {MigrationKey(*key) for m in loader.disk_migrations.values() for key in m.replaces}
    without_file = tuple(r for r in history.records if r.key not in files and r.key not in replaced)
    leaves: dict[str, list[str]] = {}
    for app, name in sorted(loader.graph.leaf_nodes()):
        leaves.setdefault(app, []).append(name)
    return HistoryNotes(
        without_file=tuple(dict.fromkeys(record.key for record in without_file)),
        ahead_apps=tuple(sorted({r.key.app for r in without_file if _is_ahead(r, files, history)})),
        several_leaves={app: tuple(names) for app, names in leaves.items() if len(names) > 1},
    )


def _is_ahead(record: Record, files: set[MigrationKey], history: History) -> bool:
    """Whether the record is newer than every file of its app, by number and by when it was recorded."""
    own_files = [key for key in files if key.app == record.key.app]
    if not own_files:
        return False  # the app is not installed: it says nothing of the apps that are
    recorded = [history.by_key[key].position for key in own_files if key in history.by_key]
    return record.position > max(recorded, default=0) and _number(record.key) >= max(map(_number, own_files))


def _number(key: MigrationKey) -> int:
    found = re.match(r"\d+", key.name)
    return int(found.group()) if found else 0

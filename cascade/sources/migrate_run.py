"""What a run of ``migrate`` is about to make, and the tables of a migration state; the database is not asked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.apps import apps as registry
from django.conf import settings
from django.core import mail
from django.db import connections, router
from django.db.backends.utils import split_identifier, strip_quotes, truncate_name
from django.db.migrations import operations as django_operations
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState

from cascade.core.guard import TableToMake
from cascade.core.history import MigrationKey
from cascade.core.layout import TableName, clipped
from cascade.core.made_by_run import States, StateTable, made_between
from cascade.errors import CascadeError

Plan = Iterable[tuple[Migration, bool]]
"""The plan that ``pre_migrate`` and ``post_migrate`` hand on: each migration, and whether it is unapplied."""


def is_test_environment() -> bool:
    """Whether Django's test runner has set this process up: its databases are its own, and thrown away.

    ``mail.outbox`` is made by ``setup_test_environment`` (Django, Testing tools, Email services).
    """
    return hasattr(mail, "outbox")


def switches_schemas(alias: str) -> bool:
    """Whether the connection's backend leads each tenant to a schema of its own, as django-tenants does."""
    return any(hasattr(connections[alias], name) for name in ("set_tenant", "set_schema", "schema_name"))


def read_tables_to_make(plan: Plan, apps: Any, alias: str) -> tuple[TableToMake, ...]:
    """The tables that these migrations will make under a bare name, in their order.

    ``apps`` are the models before the run. From CreateModel, many-to-many fields and RunSQL; what RunPython makes,
    and what unapplying a DeleteModel makes again, is not known before. What a router keeps elsewhere is left out.
    """
    known = {(m._meta.app_label, m._meta.model_name): m._meta.db_table for m in apps.get_models()}
    return tuple(
        TableToMake(name, MigrationKey(migration.app_label, migration.name))
        for migration, backwards in plan
        if not backwards
        for operation in migration.operations
        for schema, name in _made(operation, migration.app_label, known, alias)
        if not schema
    )


def read_made(plan: Plan, apps: Any, alias: str) -> tuple[StateTable, ...]:
    """What these migrations make and record, by their state; ``apps`` are the models before the run.

    What is unapplied makes nothing that is recorded. Django's own state after a run does not know of what was faked.
    Raises a ``CascadeError`` where an operation of the project's own does not work on the state alone.
    """
    forwards = [migration for migration, backwards in plan if not backwards]
    if not forwards:
        return ()
    try:
        state = ProjectState.from_apps(apps)
        before = _tables_of(state, alias, {})
        for migration in forwards:
            migration.mutate_state(state, preserve=False)
        return made_between(before, _tables_of(state, alias, _migrations_of(forwards)))
    except Exception as error:
        raise CascadeError(f"What this run makes cannot be worked out: {type(error).__name__}: {error}") from error


def _tables_of(state: ProjectState, alias: str, migrations: Mapping[tuple[str, str], MigrationKey]) -> States:
    """The tables of this state that ``migrate`` makes in that database."""
    found = {}
    for (app, model), facts in state.models.items():
        if not _is_made(facts.options, f"{app}.{model}") or not _is_allowed(alias, app, model):
            continue
        made_by = migrations.get((app, model), migrations.get((app, "")))
        table = facts.options.get("db_table") or _default_name(f"{app}_{model}")
        columns = tuple(_columns(facts, connections[alias]))
        names = [(split_identifier(table), columns)]
        names += [(through, ()) for name, field in facts.fields.items() for through in _through(table, name, field)]
        for name, those in names:
            place = TableName(*map(clipped, name))
            found[place] = StateTable(place, app, f"{app}.{facts.name}", those, made_by)
    return found


def _columns(model: ModelState, connection: Any) -> Iterator[str]:
    for name, field in model.fields.items():
        named = field.clone()
        named.set_attributes_from_name(name)
        if named.many_to_many or named.column is None:
            continue
        # What a foreign key is like depends on a model that is not rendered here; it has a column.
        if named.is_relation or named.db_parameters(connection)["type"] is not None:
            yield clipped(named.column)


def _migrations_of(migrations: Iterable[Migration]) -> Mapping[tuple[str, str], MigrationKey]:
    """By app and model the first migration that names the model, by app and ``""`` the last of the app."""
    found: dict[tuple[str, str], MigrationKey] = {}
    for migration in migrations:
        app, key = migration.app_label, MigrationKey(migration.app_label, migration.name)
        for operation in migration.operations:
            for attribute in ("model_name", "name"):
                found.setdefault((app, str(getattr(operation, attribute, "")).lower()), key)
        found[app, ""] = key
    return found


def _made(operation: Operation, app: str, known: dict[tuple[str, Any], str], alias: str) -> Iterator[tuple[str, str]]:
    """Schema and name of each table that it makes; ``known`` takes in the models that it adds."""
    match operation:
        case django_operations.SeparateDatabaseAndState():
            for part in operation.database_operations:
                yield from _made(part, app, known, alias)
        case django_operations.CreateModel():
            table = operation.options.get("db_table") or _default_name(f"{app}_{operation.name_lower}")
            known[app, operation.name_lower] = table
            label = f"{app}.{operation.name_lower}"
            if _is_made(operation.options, label) and _is_allowed(alias, app, operation.name_lower):
                yield split_identifier(table)
                for name, field in operation.fields:
                    yield from _through(table, name, field)
        case django_operations.AddField():
            if _is_allowed(alias, app, operation.model_name_lower):
                yield from _through(known.get((app, operation.model_name_lower), ""), operation.name, operation.field)
        case django_operations.RunSQL():
            if router.allow_migrate(alias, app, **operation.hints):
                yield from _made_by_sql(operation.sql)


def _is_made(options: Mapping[str, Any], label: str) -> bool:
    """Not of a proxy, an unmanaged model, or one for which the settings name another (``AUTH_USER_MODEL``)."""
    swapped = getattr(settings, options["swappable"], None) if options.get("swappable") else None
    is_swapped = bool(swapped) and str(swapped).lower() != label
    return not options.get("proxy") and options.get("managed", True) and not is_swapped


def _is_allowed(alias: str, app: str, model: str) -> bool:
    """Whether the routers let that model be in that database; they get the model as it is now, where there is one."""
    try:
        hints = {"model": registry.get_model(app, model)}
    except LookupError:
        hints = {}
    return bool(router.allow_migrate(alias, app, model_name=model, **hints))


def _through(table: str, name: str, field: Any) -> Iterator[tuple[str, str]]:
    """The table of a many-to-many field that names no model for it (``ManyToManyField._get_m2m_db_table``)."""
    if field.many_to_many and getattr(field.remote_field, "through", None) is None:
        yield split_identifier(field.db_table or _default_name(f"{strip_quotes(table)}_{name}"))


def _default_name(name: str) -> str:
    return truncate_name(name, 63)


def _made_by_sql(sql: Any) -> Iterator[tuple[str, str]]:
    """What plain CREATE TABLE makes; not in code with branches, nor where the SQL sets a search_path itself."""
    from cascade.core.ddl import Thing, Verb, ddl_in  # few runs need it

    parts = [sql] if isinstance(sql, str) else sql or ()
    texts = [str(part if isinstance(part, str) else part[0]) for part in parts]
    if any("search_path" in text for text in texts):
        return
    for done in ddl_in(*texts):
        if (done.verb, done.thing) == (Verb.MAKE, Thing.TABLE) and not done.conditional:
            yield done.schema, done.table

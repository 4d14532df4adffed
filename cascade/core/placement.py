"""Where things belong and where names lead: pure functions of histories, search_path and rights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import assert_never

from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.history import History, MigrationKey
from cascade.core.layout import Layout, Table, TableName, quoted
from cascade.core.observed import Observed
from cascade.errors import HistoryError, NoSuchName


class PathSource(Enum):
    """Where a search_path is set, from the strongest on (PostgreSQL, Server Configuration, 20.1)."""

    SESSION = "session"
    CLIENT = "client"
    ROLE_IN_DATABASE = "database user"
    ROLE = "user"
    DATABASE = "database"
    EVERY_ROLE = "global"
    SERVER = "configuration file"
    DEFAULT = "default"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SkippedSchema:
    """A schema on the path that PostgreSQL passes over in silence, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class SearchPath:
    """A search_path as it works for one role.

    ``setting`` is its text, ``where`` says in words where it is set (``ALTER ROLE app_user IN DATABASE shop``),
    ``effective`` are the schemas that exist and may be used, in order, pg_catalog left out.
    """

    setting: str
    source: PathSource
    where: str
    effective: tuple[str, ...]
    skipped: tuple[SkippedSchema, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the tables of this project belong, and for whom names are resolved.

    ``role`` serves requests; ``path`` is its search_path. ``target`` is the schema where tables belong and
    ``target_because`` why. ``creation_schema`` is where a table made now over this connection would land.
    """

    role: str
    path: SearchPath
    target: str
    target_because: str
    creation_schema: str | None
    notes: tuple[str, ...] = ()


class Standing(Enum):
    """What a copy outside the target is."""

    STRAY = "stray"
    ENVIRONMENT = "environment"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Ownership:
    """To whom a copy belongs, and the evidence in one phrase."""

    standing: Standing
    because: str


def work_out_path(observed: Observed, *, client_path: str | None = None) -> SearchPath:
    """The application role's search_path: what its connections get, and where that is set.

    ``client_path`` is what DATABASES asks for. For the connected role the session itself is the proof; for
    another role the settings are followed from the strongest on.
    """
    setting, source, where = _setting_of(observed, client_path)
    usable = {schema.name: schema.usage for schema in observed.schemas}
    return _followed(setting, source, where, observed.application_role, usable)


def as_of_now(placement: Placement, observed: Observed) -> Placement:
    """The same place with the same search_path, followed by the rights of now: a GRANT USAGE opens a schema."""
    usable = {schema.name: schema.usage for schema in observed.schemas}
    path = placement.path
    return replace(placement, path=_followed(path.setting, path.source, path.where, placement.role, usable))


def work_out_connected_path(observed: Observed, *, client_path: str | None = None) -> SearchPath:
    """The search_path of the session that was read, whose role is the one that would migrate over this connection."""
    source = _source(observed.session_path_source)
    where = _where(source, observed.connected_as, observed.database, asked=client_path is not None)
    usable = {schema.name: schema.connected_usage for schema in observed.schemas}
    return _followed(observed.session_path, source, where, observed.connected_as, usable)


def parse_search_path(setting: str, *, role: str) -> tuple[str, ...]:
    """The schema names of a search_path, ``$user`` replaced.

    >>> parse_search_path('"$user", Public,"Odd ""s"" , x"', role="app")
    ('app', 'public', 'Odd "s" , x')
    """
    names = []
    for match in re.finditer(r'\s*(?:"((?:[^"]|"")*)"|([^,"]+))\s*(?:,|$)', setting):
        in_quotes, bare = match.groups()
        name = in_quotes.replace('""', '"') if in_quotes is not None else bare.strip().lower()
        if name:
            names.append(role if name == "$user" else name)
    return tuple(names)


def decide_placement(observed: Observed, path: SearchPath, *, schema: str | None = None) -> Placement:
    """Where tables belong: the schema asked for, else that of the history which the application sees.

    A history in a schema on the path that the role may not USE still counts: that right is what is missing.
    Raises ``NoSuchName`` for an unknown schema and ``HistoryError`` where several histories could count and
    none is on the path.
    """
    target, because, notes = _target(observed, path, schema)
    return Placement(
        role=observed.application_role,
        path=path,
        target=target,
        target_because=because,
        creation_schema=observed.session_schema,
        notes=notes,
    )


def resolve(name: str, path: SearchPath, layout: Layout) -> TableName | None:
    """The relation that this unqualified name finds along the path, or None."""
    for schema in path.effective:
        if TableName(schema, name) in layout.tables:
            return TableName(schema, name)
    return None


def judge_copy(copy: Table, expected: ExpectedTable, observed: Observed, expectation: ExpectedLayout) -> Ownership:
    """Whether a copy outside the target belongs to an environment of its own or strayed there.

    An environment's own history records the migration that makes the table, and the table's keys, followed to
    their end, stay inside. A history that came after the table, and records much that its schema does not have,
    was copied there or faked: then the evidence disagrees. (Most of what a tenant's history records may be
    absent too, because a router keeps it elsewhere; but its tables came after it.)
    """
    schema = copy.name.schema
    if schema not in observed.history_schemas:
        return Ownership(Standing.STRAY, f"{schema} has no django_migrations of its own")
    history = observed.history(schema)
    if history is None:
        return Ownership(Standing.DISPUTED, f"the django_migrations of {schema} could not be read")
    migration = expected.made_by.migration
    if not _records(history, migration, expectation):
        return Ownership(Standing.STRAY, f"the django_migrations of {schema} does not record {migration}")
    outside = _key_leaving(copy, observed.layout)
    if outside is not None:
        return Ownership(Standing.STRAY, outside)
    inside, absent = _made_by(history, schema, expectation, observed.layout)
    if absent > inside and copy.oid < observed.history_oid(schema):
        return Ownership(
            Standing.DISPUTED,
            f"the django_migrations of {schema} records {migration}, but came after the table, and {absent} of the "
            f"{inside + absent} tables that it records are not there",
        )
    return Ownership(Standing.ENVIRONMENT, f"{schema} is an environment of its own: its history records {migration}")


def _followed(setting: str, source: PathSource, where: str, role: str, usable: Mapping[str, bool]) -> SearchPath:
    """The path as it works for the role: ``usable`` says of each schema that there is whether the role may USE it."""
    effective: list[str] = []
    skipped: list[SkippedSchema] = []
    for name in parse_search_path(setting, role=role):
        if name in effective or name == "pg_catalog":
            continue
        if name not in usable:
            if name != role:  # "$user" names no schema in most databases
                skipped.append(SkippedSchema(name, "it does not exist"))
        elif not usable[name]:
            skipped.append(SkippedSchema(name, f"{role} may not USE it"))
        else:
            effective.append(name)
    return SearchPath(setting, source, where, tuple(effective), tuple(skipped))


def _setting_of(observed: Observed, client_path: str | None) -> tuple[str, PathSource, str]:
    role, database = observed.application_role, observed.database
    if role == observed.connected_as:
        source = _source(observed.session_path_source)
        return observed.session_path, source, _where(source, role, database, asked=client_path is not None)
    if client_path is not None:
        return client_path, PathSource.CLIENT, _where(PathSource.CLIENT, role, database, asked=True)
    for wanted_role, in_database, source in (
        (role, True, PathSource.ROLE_IN_DATABASE),
        (role, False, PathSource.ROLE),
        (None, True, PathSource.DATABASE),
        (None, False, PathSource.EVERY_ROLE),
    ):
        for stored in observed.path_settings:
            if (stored.role, stored.in_database) == (wanted_role, in_database):
                return stored.value, source, _where(source, role, database)
    source = _source(observed.session_path_source)
    if source in (PathSource.SERVER, PathSource.DEFAULT):
        return observed.session_path, source, _where(source, role, database)
    return '"$user", public', PathSource.DEFAULT, "PostgreSQL's default; postgresql.conf cannot be seen from here"


def _source(word: str) -> PathSource:
    try:
        return PathSource(word)
    except ValueError:
        return PathSource.UNKNOWN


def _where(source: PathSource, role: str, database: str, *, asked: bool = False) -> str:
    """In words where a path of this source is set, as the statement that sets it where there is one."""
    match source:
        case PathSource.SESSION:
            return "SET by the application on connecting"
        case PathSource.CLIENT:
            return "OPTIONS in DATABASES" if asked else "the client's options (PGOPTIONS, a service file)"
        case PathSource.ROLE_IN_DATABASE:
            return f"ALTER ROLE {quoted(role)} IN DATABASE {quoted(database)}"
        case PathSource.ROLE:
            return f"ALTER ROLE {quoted(role)}"
        case PathSource.DATABASE:
            return f"ALTER DATABASE {quoted(database)}"
        case PathSource.EVERY_ROLE:
            return "ALTER ROLE ALL"
        case PathSource.SERVER:
            return "postgresql.conf"
        case PathSource.DEFAULT:
            return "PostgreSQL's default"
        case PathSource.UNKNOWN:
            return "a source that PostgreSQL does not name"
    assert_never(source)


def _target(observed: Observed, path: SearchPath, schema: str | None) -> tuple[str, str, tuple[str, ...]]:
    if schema is not None:
        if observed.schema(schema) is None:
            raise NoSuchName("schema", schema, (s.name for s in observed.schemas), where=f" in {observed.database}")
        return schema, "it was asked for", ()
    named = parse_search_path(path.setting, role=observed.application_role)
    seen = [name for name in dict.fromkeys(named) if name in observed.history_schemas]
    if seen:
        notes: tuple[str, ...] = ()
        if len(seen) > 1:
            others = ", ".join(seen[1:])
            notes = (f"Two histories could count: {seen[0]} is first on the search_path, {others} is on it too.",)
        return seen[0], f"the django_migrations that {observed.application_role} sees is there", notes
    if len(observed.history_schemas) == 1:
        only = observed.history_schemas[0]
        note = f"No schema on the search_path of {observed.application_role} holds a django_migrations; {only} does."
        return only, "the only django_migrations is there", (note,)
    if observed.history_schemas:
        raise HistoryError(
            f"The search_path of {observed.application_role} ({path.setting}) leads to no django_migrations, "
            f"and there are several: {', '.join(observed.history_schemas)}.",
            hint="Say which counts with --schema, or name the role that serves requests with --app-role.",
        )
    first = path.effective[0] if path.effective else "public"
    return first, f"it is the first schema on the search_path of {observed.application_role}", ()


def _records(history: History, migration: MigrationKey, expectation: ExpectedLayout) -> bool:
    """Whether it is recorded, itself or as a squash through what it replaces or is replaced by."""
    return not recorded_as(migration, expectation).isdisjoint(history.by_key)


def recorded_as(migration: MigrationKey, expectation: ExpectedLayout) -> frozenset[MigrationKey]:
    """The migration, what it replaces and what replaces it: where a history has one of them, it was run."""
    squashes = (squash for squash, replaced in expectation.replaces.items() if migration in replaced)
    return frozenset({migration, *expectation.replaces.get(migration, ()), *squashes})


def _key_leaving(copy: Table, layout: Layout) -> str | None:
    """The first key, on the way along keys from this table, that leads out of its schema, in words."""
    waiting, seen = [copy.name], {copy.name}
    while waiting:
        name = waiting.pop(0)
        table = layout.tables.get(name)
        for key in table.foreign_keys if table else ():
            assert key.references is not None
            to = key.references.table
            if to.schema != copy.name.schema:
                return f"its keys lead out of {copy.name.schema}: {name.name} ({', '.join(key.columns)}) to {to}"
            if to not in seen:
                seen.add(to)
                waiting.append(to)
    for table, key in layout.referring.get(copy.name, ()):
        if table.name.schema != copy.name.schema:
            return f"the key {quoted(key.name)} of {table.name} points at it"
    return None


def _made_by(history: History, schema: str, expectation: ExpectedLayout, layout: Layout) -> tuple[int, int]:
    """Of the tables that this history records as made: how many are in its schema, how many are not."""
    recorded = [
        expected.name.name
        for expected in expectation.tables.values()
        if _records(history, expected.made_by.migration, expectation)
    ]
    inside = sum(TableName(schema, name) in layout.tables for name in recorded)
    return inside, len(recorded) - inside

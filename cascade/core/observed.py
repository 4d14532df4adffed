"""What one reading of a database found, as the document that ``catalog.sql`` answers.

The document is the same whether a driver ran the query or psql wrote it to a file, so both are decoded here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cascade.core.history import History, MigrationKey, Record
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Counter,
    Dependant,
    Grant,
    Index,
    Layout,
    Reference,
    RelationKind,
    Rights,
    RowEvidence,
    Sequence,
    Table,
    TableName,
    TypeRef,
    UsedObject,
)

DOCUMENT_VERSION = 3
"""The value of ``cascade_observed`` in the document: another one has other parts, and cannot be decoded."""

Document = Mapping[str, Any]


class MalformedDocument(ValueError):
    """The document is not what ``catalog.sql`` answers; the message names the part."""


@dataclass(frozen=True, slots=True)
class Server:
    """The server that was read. ``address`` is None on a local socket."""

    version: str
    version_num: int
    address: str | None
    port: int
    in_recovery: bool

    @property
    def major(self) -> int:
        """The major version, such as 15."""
        return self.version_num // 10_000

    @property
    def short_version(self) -> str:
        """The version without the packager's words, such as 15.18."""
        return self.version.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class SchemaFacts:
    """A schema: may the application role use it, may the connected role create in it, and use it itself.

    ``application_create``: the application role may create in it; None where that was not asked.
    ``default_rights`` are what the application role gets by default on a table made there by the owner of its
    ``django_migrations``, or else by the connected role; ``default_grants`` what every role gets (``pg_default_acl``).
    """

    name: str
    owner: str
    usage: bool
    create: bool
    connected_usage: bool = True
    default_rights: frozenset[str] = frozenset()
    default_grants: tuple[Grant, ...] = ()
    application_create: bool | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An installed extension and the schema of its objects.

    ``held_by`` is whose the objects are where the connected role owns the extension and not them, as that of a trusted
    extension does; None where it owns both, or neither.
    """

    name: str
    schema: str
    held_by: str | None = None


@dataclass(frozen=True, slots=True)
class PathSetting:
    """A stored search_path (``pg_db_role_setting``). ``role`` is None for every role."""

    role: str | None
    in_database: bool
    value: str


@dataclass(frozen=True, slots=True)
class HistoryReading:
    """A ``django_migrations`` table: its rows, or why they could not be read. ``oid`` tells what was made before it."""

    schema: str
    history: History | None
    problem: str | None
    oid: int = 0


@dataclass(frozen=True)
class Observed:
    """One reading of one database, in one snapshot.

    ``type_schemas`` hold extensions, types or collations; ``types_fingerprint`` changes when any of those, an
    operator class or a function does. ``event_triggers`` are enabled ones which DDL would fire. ``violations`` are, by
    table as it lies and the name of a constraint or column, the rows that break a rule which is not in force: that
    refer to nothing in the right table, hold NULL, fail a check or repeat what is to be unique; they are read apart,
    by ``sources.violations``. ``attics`` are schemas of things put aside, with the names taken there: never copies.
    ``subscriptions`` and logical replication ``slots`` are those of this database; ``schema_publications`` names, by
    schema, the publications that take in every table which comes there.
    """

    read_at: str
    server: Server
    database: str
    connected_as: str
    may_create_temporary: bool
    application_role: str
    application_role_exists: bool
    known_roles: tuple[str, ...]
    session_path: str
    session_path_source: str
    session_schema: str | None
    path_settings: tuple[PathSetting, ...]
    schemas: tuple[SchemaFacts, ...]
    type_schemas: tuple[str, ...]
    types_fingerprint: str
    extensions: tuple[Extension, ...]
    event_triggers: tuple[str, ...]
    history_schemas: tuple[str, ...]
    histories: tuple[HistoryReading, ...]
    layout: Layout
    violations: Mapping[tuple[TableName, str], RowEvidence] = field(default_factory=dict)
    attics: Mapping[str, frozenset[str]] = field(default_factory=dict)
    subscriptions: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    schema_publications: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def schema(self, name: str) -> SchemaFacts | None:
        """The schema of that name, or None."""
        return next((schema for schema in self.schemas if schema.name == name), None)

    def history(self, schema: str) -> History | None:
        """The migration history of that schema, where it was read."""
        return next((h.history for h in self.histories if h.schema == schema), None)

    @cached_property
    def named_roles(self) -> tuple[str, ...]:
        """The roles that this reading names, PostgreSQL's own apart: those that own, that were granted something, and
        the two whose rights were asked.

        ``known_roles`` are among them: as ``catalog.sql`` answers, all of the server, but only where the application
        role does not exist.
        """
        tables = self.layout.tables.values()
        grants = (*(table.grants for table in tables), *(schema.default_grants for schema in self.schemas))
        roles = {
            self.application_role,
            self.connected_as,
            *self.known_roles,
            *(schema.owner for schema in self.schemas),
            *(table.owner for table in tables),
            *(grant.role for given in grants for grant in given),
        }
        return tuple(sorted(role for role in roles if role and not role.startswith("pg_")))

    def history_oid(self, schema: str) -> int:
        """The OID of that schema's ``django_migrations``, 0 where it is not known."""
        return next((h.oid for h in self.histories if h.schema == schema), 0)


def observed_from(document: Document) -> Observed:
    """Decode what ``catalog.sql`` answered.

    Raises ``MalformedDocument`` where the document is not of that shape.
    """
    try:
        return _observed(document)
    except KeyError as error:
        raise MalformedDocument(f"{error} is not there") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise MalformedDocument(f"{type(error).__name__}: {error}") from error


def _observed(document: Document) -> Observed:
    server = document["server"]
    role = document["application_role"]
    return Observed(
        read_at=document["read_at"],
        server=Server(
            server["version"], int(server["version_num"]), server["address"], server["port"], server["in_recovery"]
        ),
        database=document["database"],
        connected_as=document["connected_as"],
        may_create_temporary=document["may_create_temporary"],
        application_role=role["name"],
        application_role_exists=role["exists"],
        known_roles=tuple(document["roles"] or ()),
        session_path=document["session_path"] or "",
        session_path_source=document["session_path_source"] or "",
        session_schema=document["session_schema"],
        path_settings=tuple(PathSetting(s["role"], s["database"], s["value"]) for s in document["path_settings"]),
        schemas=tuple(
            SchemaFacts(
                s["name"],
                s["owner"],
                bool(s["usage"]),
                bool(s["create"]),
                s["connected_usage"],
                frozenset(s["default_rights"] or ()),
                _grants(s["default_grants"]),
                s.get("application_create"),
            )
            for s in document["schemas"]
        ),
        type_schemas=tuple(document["type_schemas"]),
        types_fingerprint=document["types_fingerprint"],
        extensions=tuple(Extension(e["name"], e["schema"], e.get("held_by")) for e in document["extensions"] or ()),
        event_triggers=tuple(document["event_triggers"]),
        attics={schema: frozenset(names) for schema, names in document["attics"].items()},
        subscriptions=tuple(document["subscriptions"]),
        slots=tuple(document["slots"]),
        schema_publications={schema: tuple(names) for schema, names in document["schema_publications"].items()},
        history_schemas=tuple(document["history_schemas"]),
        histories=tuple(_history(h) for h in document["histories"]),
        layout=Layout.of(
            (table_from(t) for t in document["tables"]),
            {TableName(schema, name): _OTHERS[kind] for schema, name, kind, *_ in document["other_names"]},
            {
                TableName(schema, name): TableName(schema, table)
                for schema, name, _, *of in document["other_names"]
                for table in of
            },
        ),
    )


_OTHERS = {"i": "an index", "I": "an index", "S": "a sequence", "c": "a composite type"}


def _history(document: Document) -> HistoryReading:
    records = document.get("records")
    history = None
    if records is not None:
        history = History(
            document["schema"],
            tuple(Record(MigrationKey(app, name), applied, position) for position, app, name, applied in records),
        )
    return HistoryReading(document["schema"], history, document.get("problem"), document["oid"])


def table_from(document: Document) -> Table:
    """Decode one table of the document."""
    name = TableName(document["schema"], document["name"])
    kind = RelationKind(document["kind"])
    if "columns" not in document:
        extension, is_partition = document["extension"], document["is_partition"]
        return Table(
            name, kind, extension=extension, is_partition=is_partition, read_in_full=False, definitions_read=False
        )
    return Table(
        name,
        kind,
        columns=tuple(_column(c) for c in document["columns"]),
        constraints=tuple(_constraint(c) for c in document["constraints"]),
        indexes=tuple(_index(i) for i in document["indexes"]),
        owner=document["owner"],
        comment=document["comment"],
        pages=document["pages"],
        rows=RowEvidence(
            document["counted"],
            document["estimate"],
            document["uncounted_because"],
            uncut=bool(document["counted_uncut"]),
        ),
        rights=Rights(**{right: bool(value) for right, value in document["rights"].items()}),
        extension=document["extension"],
        is_partition=document["is_partition"],
        row_security=document["row_security"],
        force_row_security=document["force_row_security"],
        dependants=tuple(Dependant(*parts) for parts in document["dependants"]),
        publications=tuple(document["publications"]),
        subscriptions=tuple(document["subscriptions"]),
        definitions_read=document["locked_by"] is None,
        grants=_grants(document["grants"]),
        uses=tuple(sorted(_used_object(*parts) for parts in document["uses"])),
        counters=tuple(_counter(c) for c in document["counters"]),
        locked_by=tuple(document["locked_by"] or ()),
        alterable=document["alterable"],
        oid=document["oid"],
        dropped_columns=document.get("dropped_columns"),
        replica_identity=document.get("replica_identity"),
    )


def _grants(pairs: Iterable[Iterable[str]]) -> tuple[Grant, ...]:
    return tuple(sorted(Grant(role, privilege) for role, privilege in pairs))


def _used_object(kind: str, schema: str, name: str, extension: str, used_by: str) -> UsedObject:
    return UsedObject(kind, schema, name, extension or None, used_by)


def _counter(document: Document) -> Counter:
    schema, name = document["sequence"]
    return Counter(
        document["column"],
        TableName(schema, name),
        document.get("next_value"),
        document.get("highest"),
        document["increment"],
        document.get("problem"),
    )


def _column(document: Document) -> Column:
    sequence, type_ref = document["sequence"], document["type_ref"]
    return Column(
        document["name"],
        document["type"],
        nullable=document["nullable"],
        default=document["default"],
        identity=document["identity"],
        generated=document["generated"],
        collation=document["collation"],
        comment=document["comment"],
        sequence=_sequence(sequence) if sequence else None,
        type_ref=TypeRef(type_ref["schema"], type_ref["name"], type_ref["extension"]) if type_ref else None,
    )


def _sequence(document: Document) -> Sequence:
    return Sequence(
        TableName(document["schema"], document["name"]),
        document["type"],
        document["start"],
        document["increment"],
        document["minimum"],
        document["maximum"],
        document["cache"],
        document["cycle"],
    )


_CONSTRAINT_KINDS = {
    "p": ConstraintKind.PRIMARY_KEY,
    "u": ConstraintKind.UNIQUE,
    "c": ConstraintKind.CHECK,
    "f": ConstraintKind.FOREIGN_KEY,
    "x": ConstraintKind.EXCLUSION,
    "n": ConstraintKind.NOT_NULL,
}


def _constraint(document: Document) -> Constraint:
    return Constraint(
        document["name"],
        _CONSTRAINT_KINDS[document["kind"]],
        tuple(document["columns"]),
        definition=document["definition"],
        references=_reference(document["references"]) if document["references"] else None,
        deferrable=document["deferrable"],
        initially_deferred=document["initially_deferred"],
        validated=document["validated"],
        enforced=document["enforced"],
        enabled=document["enabled"],
        index=document["index"],
        comment=document["comment"],
    )


def _reference(document: Document) -> Reference:
    return Reference(
        TableName(document["schema"], document["table"]),
        tuple(document["columns"]),
        on_update=document["on_update"],
        on_delete=document["on_delete"],
        match=document["match"],
        set_columns=tuple(document["set_columns"] or ()),
    )


def _index(document: Document) -> Index:
    return Index(
        document["name"],
        tuple(document["columns"]),
        document["tail"],
        unique=document["unique"],
        valid=document["valid"],
        constraint=document["constraint"],
        comment=document["comment"],
    )

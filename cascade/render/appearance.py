"""How one step stands beside others: what it is about, from what to what, and which are of its sort."""

from dataclasses import dataclass

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AddForeignKey,
    AddNotNullProof,
    AlterColumn,
    CreateIndex,
    CreateSchema,
    CreateTable,
    EnableConstraint,
    ExchangeTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    MoveObject,
    MoveTable,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
    SetOwner,
    SetSequence,
    ShelveTable,
    ValidateConstraint,
)
from cascade.core.layout import TableName, quoted
from cascade.render.looks import LOOKS_OF_ACTIONS, Look
from cascade.render.wording import short_name


@dataclass(frozen=True, slots=True)
class Appearance:
    """How one step looks: ``what`` it is about, the ``way`` from what to what, and the ``band`` of its like."""

    look: Look
    what: str
    way: str
    band: str


def appearance_of(action: Action, target: str) -> Appearance:
    """How an action looks beside others; tables of the schema ``target`` go without it."""
    return Appearance(LOOKS_OF_ACTIONS[type(action)], *_told(action, target))


_Told = tuple[str, str, str]
"""What, way and band."""


def _told(action: Action, target: str) -> _Told:
    def of(table: TableName, part: str = "") -> str:
        return _part(table, part, target)

    match action:
        case MoveTable(table, to):
            return _moved(table, to)
        case ExchangeTable(table, to):
            return _exchanged(table, to)
        case ShelveTable(table, attic):
            return str(table), f"-> {quoted(attic)}", "put aside"
        case CreateSchema(schema):
            return f"schema {quoted(schema)}", "made", "put aside"
        case CreateTable(made):
            return _created(made.name)
        case MoveObject(used, to_schema):
            what = f"extension {quoted(used.extension)}" if used.extension else f"{used.kind} {used.name}"
            return what, f"{quoted(used.schema)} -> {quoted(to_schema)}", "what tables use"
        case AddColumn(table, column):
            return of(table, column.name), column.type, "columns"
        case AlterColumn(table, found, wanted, aspects):
            return of(table, wanted.name), _altered(found.type, wanted.type, aspects), "columns"
        case AddNotNullProof(table, column_name) | SetNotNull(table, column_name):
            return of(table, column_name), "NOT NULL", "columns"
        case AddForeignKey(table, key) | RepointForeignKey(table, _, key):
            to = key.references.table if key.references else table
            return _key(table, key.columns, to, target)
        case (
            AddConstraint(table, constraint)
            | ReplaceConstraint(table, _, constraint)
            | EnableConstraint(table, constraint)
        ):
            return of(table, constraint.name), constraint.kind.value, "constraints"
        case ValidateConstraint(table, constraint):
            return of(table, constraint.name), "old rows", "validated"
        case CreateIndex(table, index) | ReplaceIndex(table, _, index) | RebuildIndex(table, index):
            return of(table, index.name), "index", "indexes"
        case SetSequence(table, column_name):
            return of(table, column_name), "next value", "sequences"
        case SetOwner(table, owner):
            return of(table), f"owner -> {quoted(owner)}", "rights"
        case GrantUsage(schema_name, role):
            return f"schema {quoted(schema_name)}", _granted(("USAGE",), role), "rights"
        case GrantTable(table, privileges, role):
            return of(table), _granted(privileges, role), "rights"
        case GrantSequence(_, sequence, privileges, role):
            return of(sequence), _granted(privileges, role), "rights"


def _moved(here: TableName, there: TableName) -> _Told:
    source, target = quoted(here.schema), quoted(there.schema)
    return quoted(there.name), f"{source} -> {target}", f"out of {source} into {target}"


def _exchanged(here: TableName, there: TableName) -> _Told:
    return quoted(there.name), f"{quoted(here.schema)} -> {quoted(there.schema)}, in exchange", "exchanged"


def _created(table: TableName) -> _Told:
    schema = quoted(table.schema)
    return quoted(table.name), f"nowhere -> {schema}", f"created in {schema}"


def _altered(found: str, wanted: str, aspects: tuple[str, ...]) -> str:
    return f"{found} -> {wanted}" if "type" in aspects else ", ".join(aspects)


def _key(table: TableName, columns: tuple[str, ...], to: TableName, target: str) -> _Told:
    what = f"{short_name(table, target)} ({', '.join(quoted(name) for name in columns)})"
    return what, f"-> {short_name(to, target)}", "foreign keys"


def _granted(privileges: tuple[str, ...], role: str) -> str:
    return f"{', '.join(privileges)} -> {quoted(role) if role else 'PUBLIC'}"


def _part(table: TableName, part: str, target: str) -> str:
    return short_name(table, target) + (f".{quoted(part)}" if part else "")

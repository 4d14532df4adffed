"""How one step stands beside others in a ladder: from the action itself, and from what a plan's JSON keeps of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
from cascade.core.layout import ConstraintKind, TableName, quoted
from cascade.render.looks import LOOKS_OF_ACTIONS, Look, look_called
from cascade.render.wording import short_name

JSON = Mapping[str, Any]


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


def appearance_kept(step: JSON, target: str) -> Appearance:
    """The same of a step in a plan's JSON; of an action that this cascade does not know, what it is about."""
    return Appearance(look_called(step["action"]), *_told_kept(step, TableName(step["schema"], step["table"]), target))


def _told_kept(step: JSON, table: TableName, target: str) -> _Told:
    details = step["details"]
    match step["action"], details:
        case "move_table", {"from": here, "to": there}:
            return _moved(_name(here), _name(there))
        case "exchange_table", {"from": here, "to": there}:
            return _exchanged(_name(here), _name(there))
        case "shelve_table", {"attic": attic}:
            return str(table), f"-> {quoted(attic)}", "put aside"
        case "create_schema", {"schema": schema}:
            return f"schema {quoted(schema)}", "made", "put aside"
        case "create_table", _:
            return _created(table)
        case "move_object", {"object": used, "to": to}:
            return f"{used['kind']} {used['name']}", f"-> {quoted(to)}", "what tables use"
        case "add_column", {"column": {"name": name, "type": type_}}:
            return _part(table, name, target), type_, "columns"
        case "alter_column", {"found": found, "wanted": wanted, "aspects": aspects}:
            way = _altered(found["type"], wanted["type"], aspects)
            return _part(table, wanted["name"], target), way, "columns"
        case (("add_not_null_proof" | "set_not_null"), {"column": name}):
            return _part(table, name, target), "NOT NULL", "columns"
        case ("add_foreign_key", key) | ("repoint_foreign_key", {"wanted": key}):
            to = _name(key["references"]) if key["references"] else table
            return _key(table, key["columns"], to, target)
        case "validate_constraint", {"constraint": constraint}:
            return _part(table, constraint["name"], target), "old rows", "validated"
        case (_, {"constraint": constraint}) | ("replace_constraint", {"wanted": constraint}):
            kind = constraint.get("kind", ConstraintKind.FOREIGN_KEY.value)
            return _part(table, constraint["name"], target), kind, "constraints"
        case ("create_index" | "rebuild_index", {"index": index}) | ("replace_index", {"wanted": index}):
            return _part(table, index["name"], target), "index", "indexes"
        case "set_sequence", {"column": name}:
            return _part(table, name, target), "next value", "sequences"
        case "set_owner", {"owner": owner}:
            return _part(table, "", target), f"owner -> {quoted(owner)}", "rights"
        case "grant_usage", {"schema": schema, "role": role}:
            return f"schema {quoted(schema)}", _granted(("USAGE",), role), "rights"
        case (("grant_table" | "grant_sequence"), {"privileges": privileges, "role": role}):
            on = _name(details["sequence"]) if "sequence" in details else table
            return _part(on, "", target), _granted(privileges, role), "rights"
        case _:
            return _part(table, step["object"], target), str(step["action"]).replace("_", " "), "other"


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


def _name(place: JSON) -> TableName:
    return TableName(place["schema"], place["table"])

"""How steps look in a picture: a word, a colour and a border each, and what they say in a few words."""

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
from cascade.render.wording import short_name


@dataclass(frozen=True, slots=True)
class Look:
    """How a status is shown: a word, a colour and the style of the border, so that none of them has to be seen."""

    word: str
    colour: str
    style: str


# Okabe and Ito: colours that people who see colours differently can tell apart.
MOVE = Look("move", "#0072B2", "solid")
CREATE = Look("create", "#D55E00", "solid")
ADD = Look("add", "#E69F00", "solid")
CHANGE = Look("change", "#E69F00", "dashed")
KEY = Look("key", "#CC79A7", "dashed")
CHECK = Look("validate", "#CC79A7", "dotted")
GRANT = Look("grant", "#009E73", "dashed")
ATTIC = Look("put aside", "#999999", "solid")
DECIDE = Look("decide", "#000000", "dotted")
ADVICE = Look("advice", "#56B4E9", "dotted")
LEFT_OUT = Look("left out", "#999999", "dotted")
OK = Look("ok", "#009E73", "solid")
UNSURE = Look("unsure", "#F0E442", "dashed")
MEANINGS = (
    (MOVE, "the table is in another schema and moves with its rows"),
    (CREATE, "it is nowhere and is made anew, empty"),
    (ADD, "a column, constraint or index is added"),
    (CHANGE, "something that differs is made what it should be"),
    (KEY, "a foreign key is added, or points where it should"),
    (CHECK, "old rows are checked, while people read and write"),
    (GRANT, "a role gets a right"),
    (ATTIC, "a copy that does not count goes into the attic; nothing is dropped"),
    (DECIDE, "a person has to decide first: no step"),
    (ADVICE, "no step repairs this: the text says what to do"),
    (LEFT_OUT, "outside what was asked for: no step, still broken"),
)


@dataclass(frozen=True, slots=True)
class Appearance:
    """How one step looks: ``what`` it is about, the ``way`` from what to what, and the ``band`` of its like."""

    look: Look
    what: str
    way: str
    band: str


def appearance_of(action: Action, target: str) -> Appearance:
    """How an action looks beside others; tables of the schema ``target`` go without it."""

    def of(table: TableName, part: str = "") -> str:
        return short_name(table, target) + (f".{quoted(part)}" if part else "")

    match action:
        case MoveTable(table, to):
            way = f"{quoted(table.schema)} -> {quoted(to.schema)}"
            return Appearance(MOVE, quoted(to.name), way, f"out of {quoted(table.schema)} into {quoted(to.schema)}")
        case ExchangeTable(table, to):
            way = f"{quoted(table.schema)} -> {quoted(to.schema)}"
            return Appearance(MOVE, quoted(to.name), f"{way}, in exchange", "exchanged")
        case ShelveTable(table, attic):
            return Appearance(ATTIC, str(table), f"-> {quoted(attic)}", "put aside")
        case CreateSchema(schema):
            return Appearance(ATTIC, f"schema {quoted(schema)}", "made", "put aside")
        case CreateTable(made):
            schema = quoted(made.name.schema)
            return Appearance(CREATE, quoted(made.name.name), f"nowhere -> {schema}", f"created in {schema}")
        case MoveObject(used, to_schema):
            what = f"extension {quoted(used.extension)}" if used.extension else f"{used.kind} {used.name}"
            return Appearance(MOVE, what, f"{quoted(used.schema)} -> {quoted(to_schema)}", "what tables use")
        case AddColumn(table, column):
            return Appearance(ADD, of(table, column.name), column.type, "columns")
        case AlterColumn(table, found, wanted, aspects):
            way = f"{found.type} -> {wanted.type}" if "type" in aspects else ", ".join(aspects)
            return Appearance(CHANGE, of(table, wanted.name), way, "columns")
        case AddNotNullProof(table, column_name) | SetNotNull(table, column_name):
            return Appearance(CHANGE, of(table, column_name), "NOT NULL", "columns")
        case AddForeignKey(table, key) | RepointForeignKey(table, _, key):
            to = key.references.table if key.references else table
            what = f"{of(table)} ({', '.join(quoted(name) for name in key.columns)})"
            return Appearance(KEY, what, f"-> {of(to)}", "foreign keys")
        case AddConstraint(table, constraint):
            return Appearance(ADD, of(table, constraint.name), constraint.kind.value, "constraints")
        case ReplaceConstraint(table, _, constraint) | EnableConstraint(table, constraint):
            return Appearance(CHANGE, of(table, constraint.name), constraint.kind.value, "constraints")
        case ValidateConstraint(table, constraint):
            return Appearance(CHECK, of(table, constraint.name), "old rows", "validated")
        case CreateIndex(table, index):
            return Appearance(ADD, of(table, index.name), "index", "indexes")
        case ReplaceIndex(table, _, index) | RebuildIndex(table, index):
            return Appearance(CHANGE, of(table, index.name), "index", "indexes")
        case SetSequence(table, column_name):
            return Appearance(CHANGE, of(table, column_name), "next value", "sequences")
        case SetOwner(table, owner):
            return Appearance(GRANT, of(table), f"owner -> {quoted(owner)}", "rights")
        case GrantUsage(schema_name, role):
            return Appearance(GRANT, f"schema {quoted(schema_name)}", f"USAGE -> {_role(role)}", "rights")
        case GrantTable(table, privileges, role):
            return Appearance(GRANT, of(table), f"{', '.join(privileges)} -> {_role(role)}", "rights")
        case GrantSequence(_, sequence, privileges, role):
            return Appearance(GRANT, of(sequence), f"{', '.join(privileges)} -> {_role(role)}", "rights")


def _role(role: str) -> str:
    return quoted(role) if role else "PUBLIC"

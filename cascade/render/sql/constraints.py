"""Constraints, foreign keys and indexes, and the comments on all that a table has."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from cascade.core.actions import AddConstraint, CreateIndex, ReplaceConstraint, ReplaceIndex
from cascade.core.layout import Column, Constraint, ConstraintKind, Index, Table, TableName, quoted
from cascade.render.sql.words import NotRenderable, do, literal, names


def render_add_foreign_key(table: TableName, constraint: Constraint) -> tuple[str, ...]:
    """The statements that add one foreign key, worded from its columns and where it points.

    >>> from cascade.core.layout import Reference
    >>> key = Constraint("fk", ConstraintKind.FOREIGN_KEY, ("user_id",),
    ...                  references=Reference(TableName("public", "user"), ("id",)), deferrable=True)
    >>> print(*render_add_foreign_key(TableName("public", "bounty"), key))
    ALTER TABLE public.bounty ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES public."user" (id) DEFERRABLE;
    """
    reference = constraint.references
    if constraint.kind is not ConstraintKind.FOREIGN_KEY or reference is None:
        raise NotRenderable(f"{quoted(constraint.name)} on {table} is not a foreign key with a known target.")
    parts = (
        f"FOREIGN KEY ({names(constraint.columns)}) REFERENCES {reference.table} ({names(reference.columns)})",
        _known(_MATCH, reference.match, constraint),
        _on("UPDATE", _known(_ACTIONS, reference.on_update, constraint)),
        _on("DELETE", _known(_ACTIONS, reference.on_delete, constraint), reference.set_columns),
        deferral(constraint),
        # What is not enforced is never validated either, and PostgreSQL takes only one of the two words.
        "" if constraint.enforced else "NOT ENFORCED",
        "NOT VALID" if constraint.enforced and not constraint.validated else "",
    )
    add = f"ALTER TABLE {table} ADD CONSTRAINT {quoted(constraint.name)} {' '.join(filter(None, parts))};"
    return (add, *constraint_comments(table, [constraint]))


def make_constraint(table: TableName, constraint: Constraint, index: Index | None = None) -> tuple[str, ...]:
    """The statements that add one constraint of any kind; ``index`` is that which serves it."""
    if constraint.kind is ConstraintKind.FOREIGN_KEY:
        return render_add_foreign_key(table, constraint)
    indexes = () if index is None else (replace(index, constraint=constraint.name),)
    return (add_constraint(table, constraint, indexes), *constraint_comments(table, [constraint]))


def drop_constraint(table: TableName, name: str, *, if_exists: bool = False) -> str:
    """DROP CONSTRAINT; what depends on it keeps it from going."""
    return f"ALTER TABLE {table} DROP CONSTRAINT {'IF EXISTS ' if if_exists else ''}{quoted(name)};"


def add_constraint_step(action: AddConstraint) -> tuple[str, ...]:
    """The constraint, over an index that is there already where one was built beforehand."""
    if not action.using_index or action.index is None:
        return make_constraint(action.table, action.constraint, action.index)
    constraint, index = action.constraint, action.index
    kind = "PRIMARY KEY" if constraint.kind is ConstraintKind.PRIMARY_KEY else "UNIQUE"
    words = (kind, f"USING INDEX {quoted(index.name)}", deferral(constraint))
    add = f"ALTER TABLE {action.table} ADD CONSTRAINT {quoted(constraint.name)} {' '.join(filter(None, words))};"
    return (add, *constraint_comments(action.table, [constraint]))


def replace_constraint(action: ReplaceConstraint) -> tuple[str, ...]:
    """The constraint that differs dropped, and made as it should be."""
    made = AddConstraint(action.table, action.wanted, action.wanted_index, action.using_index)
    return (drop_constraint(action.table, action.found.name), *add_constraint_step(made))


def undo_replace_constraint(action: ReplaceConstraint) -> tuple[str, ...]:
    """The constraint as it was found."""
    return (
        drop_constraint(action.table, action.wanted.name),
        *make_constraint(action.table, action.found, action.found_index),
    )


def create_index(action: CreateIndex) -> tuple[str, ...]:
    """CREATE INDEX, CONCURRENTLY where the action says so, and its comment."""
    (statement,) = create_indexes(action.table, [replace(action.index, constraint=None)])
    if action.concurrently:
        statement = statement.replace("INDEX ", "INDEX CONCURRENTLY ", 1)
    return (statement, *index_comments(action.table, [action.index]))


def replace_index(action: ReplaceIndex) -> tuple[str, ...]:
    """The index that differs dropped, and made as it should be; where it goes aside, neither blocks anybody."""
    table, found, wanted = action.table, action.found, action.wanted
    if not action.aside:
        return (drop_index(table, found), *create_indexes(table, [wanted]), *index_comments(table, [wanted]))
    aside = TableName(table.schema, action.aside)
    rename = f"ALTER INDEX {TableName(table.schema, found.name)} RENAME TO {quoted(action.aside)};"
    return (
        *((rename,) if action.aside != found.name else ()),
        *create_index(CreateIndex(table, wanted, concurrently=True)),
        f"DROP INDEX CONCURRENTLY {aside};",
    )


def clear_broken_off(action: CreateIndex | ReplaceIndex) -> str:
    """What is left of the step that was broken off is taken back: the new index, and the name of the old one."""
    table, built = action.table, action.index if isinstance(action, CreateIndex) else action.wanted
    drop = f"    {drop_index(table, built, if_exists=True)}"
    if isinstance(action, CreateIndex) or action.aside == action.found.name:
        return do("BEGIN", f"  IF {_has_index(table, built.name, 'NOT i.indisvalid')} THEN", drop, "  END IF;", "END")
    back = f"    ALTER INDEX {TableName(table.schema, action.aside)} RENAME TO {quoted(action.found.name)};"
    return do("BEGIN", f"  IF {_has_index(table, action.aside)} THEN", drop, back, "  END IF;", "END")


def _has_index(table: TableName, name: str, state: str = "true") -> str:
    """The condition that the table has an index of that name and in that state."""
    return (
        "EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
        f"WHERE i.indrelid = pg_catalog.to_regclass({literal(str(table))}) AND c.relname = {literal(name)} AND {state})"
    )


def drop_index(table: TableName, index: Index, *, if_exists: bool = False) -> str:
    """DROP INDEX in the table's schema."""
    return f"DROP INDEX {'IF EXISTS ' if if_exists else ''}{TableName(table.schema, index.name)};"


def is_inline(constraint: Constraint) -> bool:
    """Whether it stands in CREATE TABLE on a line of its own."""
    return constraint.kind in _READING_ORDER and not is_late(constraint)


def is_late(constraint: Constraint) -> bool:
    """Whether it can only be added: CREATE TABLE would take a constraint that is not valid for a valid one."""
    addable = constraint.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)
    return addable and constraint.enforced and not constraint.validated


def reading_order(constraint: Constraint) -> tuple[int, str]:
    """Constraints as people list them: the primary key first, then by kind and name."""
    position = _READING_ORDER.index(constraint.kind) if constraint.kind in _READING_ORDER else len(_READING_ORDER)
    return (position, constraint.name)


_READING_ORDER = (
    ConstraintKind.PRIMARY_KEY,
    ConstraintKind.UNIQUE,
    ConstraintKind.EXCLUSION,
    ConstraintKind.CHECK,
)


def add_constraint(table: TableName, constraint: Constraint, indexes: Iterable[Index]) -> str:
    """ADD CONSTRAINT, of any kind but a foreign key."""
    return f"ALTER TABLE {table} ADD {constraint_definition(constraint, indexes)};"


def constraint_definition(constraint: Constraint, indexes: Iterable[Index]) -> str:
    """The constraint as it stands in CREATE TABLE and ADD CONSTRAINT; ``indexes`` know its storage parameters."""
    definition = constraint.definition
    if definition is None:
        raise NotRenderable(f"The definition of the constraint {quoted(constraint.name)} is not known.")
    # The text says whether the constraint was in force where it was read, the value whether it is to be.
    definition = _IN_FORCE.sub("", definition)
    parameters = _storage_parameters(constraint, indexes)
    if parameters:
        when = deferral(constraint)
        definition = " ".join(filter(None, (definition.removesuffix(f" {when}"), parameters, when)))
    if constraint.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL):
        definition += "" if constraint.enforced else " NOT ENFORCED"
        definition += " NOT VALID" if constraint.enforced and not constraint.validated else ""
    return f"CONSTRAINT {quoted(constraint.name)} {definition}"


_IN_FORCE = re.compile("( NOT VALID| NOT ENFORCED)+$")


def _storage_parameters(constraint: Constraint, indexes: Iterable[Index]) -> str:
    """Of a primary key or unique constraint: its own text leaves them out, that of its index ends with them."""
    if constraint.kind not in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE):
        return ""
    tail = next((index.tail for index in indexes if index.constraint == constraint.name), None)
    found = _PARAMETERS_AT_END.search(tail or "")
    return found[0].lstrip() if found else ""


# Nothing else can end so: an identifier with an equals sign ends in a double quote before the bracket.
_PARAMETERS_AT_END = re.compile(r" WITH \(\w+=(?:\w+|'[^']*')(?:, \w+=(?:\w+|'[^']*'))*\)$")


def deferral(constraint: Constraint) -> str:
    """When the constraint is checked, where that is not at once."""
    if not constraint.deferrable:
        return ""
    return "DEFERRABLE INITIALLY DEFERRED" if constraint.initially_deferred else "DEFERRABLE"


def _known(words: dict[str, str], letter: str, constraint: Constraint) -> str:
    if letter not in words:
        raise NotRenderable(f"{letter!r} in the foreign key {quoted(constraint.name)} is unknown.")
    return words[letter]


_MATCH = {"s": "", "f": "MATCH FULL"}
_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _on(event: str, action: str, columns: Sequence[str] = ()) -> str:
    if not action:
        return ""
    return f"ON {event} {action}" + (f" ({names(columns)})" if columns else "")


def create_indexes(table: TableName, indexes: Iterable[Index]) -> list[str]:
    """The indexes that serve no constraint, by name."""
    own = sorted((index for index in indexes if index.constraint is None), key=lambda index: index.name)
    unknown = [index.name for index in own if index.tail is None]
    if unknown:
        raise NotRenderable(f"The definition of the index {quoted(unknown[0])} on {table} is not known.")
    # An index lies where its table lies, so PostgreSQL takes no schema here.
    return [
        f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {quoted(index.name)} ON {table} USING {index.tail};"
        for index in own
    ]


def comments(table: Table) -> list[str]:
    """COMMENT ON for the table and all that it has, foreign keys apart."""
    constraints = [c for c in table.constraints if c.kind is not ConstraintKind.FOREIGN_KEY]
    own = [f"COMMENT ON TABLE {table.name} IS {literal(table.comment)};"] if table.comment else []
    return [
        *own,
        *column_comments(table.name, table.columns),
        *constraint_comments(table.name, constraints),
        *index_comments(table.name, table.indexes),
    ]


def column_comments(table: TableName, columns: Iterable[Column]) -> list[str]:
    """COMMENT ON for the columns that have one."""
    return [
        f"COMMENT ON COLUMN {table}.{quoted(column.name)} IS {literal(column.comment)};"
        for column in columns
        if column.comment
    ]


def constraint_comments(table: TableName, constraints: Iterable[Constraint]) -> list[str]:
    """COMMENT ON for the constraints that have one."""
    return [
        f"COMMENT ON CONSTRAINT {quoted(constraint.name)} ON {table} IS {literal(constraint.comment)};"
        for constraint in sorted(constraints, key=reading_order)
        if constraint.comment
    ]


def index_comments(table: TableName, indexes: Iterable[Index]) -> list[str]:
    """COMMENT ON for the indexes that have one."""
    return [
        f"COMMENT ON INDEX {TableName(table.schema, index.name)} IS {literal(index.comment)};"
        for index in sorted(indexes, key=lambda index: index.name)
        if index.comment
    ]

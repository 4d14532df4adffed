"""What each action says in SQL, and what takes it back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

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
from cascade.core.layout import Constraint, TableName, quoted
from cascade.core.plan import Step
from cascade.render.sql.columns import (
    add_column,
    add_not_null_proof,
    alter_column,
    refuse_what_would_not_fit,
    set_not_null,
    set_sequence,
    undo_alter_column,
    undo_set_not_null,
)
from cascade.render.sql.constraints import (
    add_constraint_step,
    clear_broken_off,
    create_index,
    create_indexes,
    drop_constraint,
    drop_index,
    index_comments,
    make_constraint,
    render_add_foreign_key,
    replace_constraint,
    replace_index,
    undo_replace_constraint,
)
from cascade.render.sql.tables import (
    create_schema,
    drop_empty_schema,
    exchange_table,
    move_object,
    move_table,
    render_create_table,
    shelve_table,
    undo_exchange_table,
)
from cascade.render.sql.undo import drop_column, drop_table, refuse_loss_of_rows, refuse_loss_of_values
from cascade.render.sql.words import NotRenderable


def render_step_sql(step: Step) -> tuple[str, ...]:
    """The statements of one step, in order, each ending in a semicolon."""
    return render_action(step.action)


def render_action(action: Action) -> tuple[str, ...]:
    """The statements of one action, in order, each ending in a semicolon.

    >>> render_action(MoveTable(TableName("test_schema", "bounty"), TableName("public", "bounty")))
    ('ALTER TABLE test_schema.bounty SET SCHEMA public;',)
    """
    match action:
        case CreateSchema(schema):
            return create_schema(schema)
        case MoveTable(table, to):
            return (move_table(table, to),)
        case ExchangeTable():
            return exchange_table(action)
        case ShelveTable():
            return shelve_table(action)
        case CreateTable(made):
            return render_create_table(made)
        case MoveObject():
            return move_object(action)
        case AddColumn():
            return add_column(action)
        case AlterColumn():
            return alter_column(action)
        case AddNotNullProof():
            return add_not_null_proof(action)
        case SetNotNull():
            return set_not_null(action)
        case AddForeignKey(table, constraint):
            return render_add_foreign_key(table, constraint)
        case RepointForeignKey(table, found, wanted):
            return (drop_constraint(table, found.name), *render_add_foreign_key(table, wanted))
        case AddConstraint():
            return add_constraint_step(action)
        case ReplaceConstraint():
            return replace_constraint(action)
        case ValidateConstraint(table, constraint):
            return (f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(constraint.name)};",)
        case EnableConstraint(table, constraint):
            return _make_again(table, replace(constraint, enforced=True, enabled=True, validated=False))
        case CreateIndex():
            return create_index(action)
        case ReplaceIndex():
            return replace_index(action)
        case RebuildIndex(table, index):
            return (f"REINDEX INDEX CONCURRENTLY {TableName(table.schema, index.name)};",)
        case SetSequence():
            return set_sequence(action)
        case SetOwner(table, owner):
            return (f"ALTER TABLE {table} OWNER TO {quoted(owner)};",)
        case GrantUsage(schema, role):
            return (f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {_role(role)};",)
        case GrantTable(table, privileges, role):
            return (f"GRANT {_privileges(privileges)} ON TABLE {table} TO {_role(role)};",)
        case GrantSequence(_, sequence, privileges, role):
            return (f"GRANT {_privileges(privileges)} ON SEQUENCE {sequence} TO {_role(role)};",)
        case _:
            assert_never(action)


def render_undo(action: Action) -> tuple[str, ...]:
    """The statements that take one action back by itself.

    None of them drops a row: they refuse with the count instead. To take back several actions is to send the
    ``render_refusals`` of them all, and then what ``render_taking_back`` gives, in reverse.
    """
    match action:
        case CreateTable(made):
            return (refuse_loss_of_rows(made.name, then=drop_table(made.name)),)
        case AddColumn(table, column) if not column.generated:
            return (refuse_loss_of_values(table, column, then=drop_column(table, column)),)
        case _:
            return (*render_refusals(action), *render_taking_back(action))


def render_refusals(action: Action) -> tuple[str, ...]:
    """What refuses to take the action back, with the count, where rows or values written since would be lost.

    It is sent before anything else is taken back, for that may write rows anew which nobody has written since.
    """
    match action:
        case CreateTable(made):
            return (refuse_loss_of_rows(made.name),)
        case AddColumn(table, column) if not column.generated:
            return (refuse_loss_of_values(table, column),)
        case AlterColumn(aspects=aspects) if "type" in aspects:
            return (refuse_what_would_not_fit(action),)
        case _:
            return ()


def render_clearing(action: Action) -> tuple[str, ...]:
    """What takes back the beginnings of an action that was broken off, where it is not all done or not at all."""
    match action:
        case CreateIndex(concurrently=True):
            return (clear_broken_off(action),)
        case ReplaceIndex(aside=aside) if aside:
            return (clear_broken_off(action),)
        case _:
            return ()


def render_taking_back(action: Action) -> tuple[str, ...]:
    """The statements that take an action back once its refusals have passed.

    Nothing takes back a sequence that was set, an index that was made valid or a trigger that was enabled: none is
    anything that somebody could want as it was.
    """
    match action:
        case CreateSchema(schema):
            return drop_empty_schema(schema)
        case MoveTable(table, to):
            return (move_table(to, table),)
        case ExchangeTable():
            return undo_exchange_table(action)
        case ShelveTable(table, attic):
            return (move_table(TableName(attic, table.name), table),)
        case CreateTable(made):
            return (drop_table(made.name),)
        case MoveObject():
            return move_object(action, back=True)
        case AddColumn(table, column):
            return (drop_column(table, column),)
        case AlterColumn():
            return undo_alter_column(action)
        case AddNotNullProof(table, _, proof):
            return (drop_constraint(table, proof, if_exists=True),)
        case SetNotNull():
            return undo_set_not_null(action)
        case AddForeignKey(table, constraint) | AddConstraint(table, constraint):
            return (drop_constraint(table, constraint.name),)
        case RepointForeignKey(table, found, wanted):
            return (drop_constraint(table, wanted.name), *render_add_foreign_key(table, found))
        case ReplaceConstraint():
            return undo_replace_constraint(action)
        case ValidateConstraint(table, constraint):
            return _make_again(table, replace(constraint, validated=False))
        case EnableConstraint(table, constraint):
            return _make_again(table, constraint)
        case CreateIndex(table, index):
            # Not CONCURRENTLY: it fits in the one transaction, and DROP INDEX is as short as the other drops there. A
            # constraint that came to use the index has taken it along, when it was dropped.
            return (drop_index(table, index, if_exists=True),)
        case ReplaceIndex(table, found_index, index):
            made_again = create_indexes(table, [found_index])
            return (drop_index(table, index), *made_again, *index_comments(table, [found_index]))
        case RebuildIndex() | SetSequence():
            return ()
        case SetOwner(table, _, was):
            return (f"ALTER TABLE {table} OWNER TO {quoted(was)};",)
        case GrantUsage(schema, role):
            return (f"REVOKE USAGE ON SCHEMA {quoted(schema)} FROM {_role(role)};",)
        case GrantTable(table, privileges, role):
            return (f"REVOKE {_privileges(privileges)} ON TABLE {table} FROM {_role(role)};",)
        case GrantSequence(_, sequence, privileges, role):
            return (f"REVOKE {_privileges(privileges)} ON SEQUENCE {sequence} FROM {_role(role)};",)
        case _:
            assert_never(action)


def _make_again(table: TableName, constraint: Constraint) -> tuple[str, ...]:
    """PostgreSQL has no statement that takes validity back, so the constraint is dropped and made as it was."""
    return (drop_constraint(table, constraint.name, if_exists=True), *make_constraint(table, constraint))


def _privileges(privileges: Sequence[str]) -> str:
    unknown = [p for p in privileges if p not in _PRIVILEGES]
    if unknown or not privileges:
        raise NotRenderable(f"Not privileges on a table or sequence: {', '.join(unknown) or 'none given'}.")
    return ", ".join(privileges)


_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN", "USAGE")


def _role(role: str) -> str:
    return quoted(role) if role else "PUBLIC"

"""Whole tables: created, moved, exchanged, put aside; and what tables use."""

from collections.abc import Iterable

from cascade.core.actions import ExchangeTable, MoveObject, ShelveTable
from cascade.core.layout import Constraint, ConstraintKind, Dependant, RelationKind, Table, TableName, quoted
from cascade.render.sql.columns import column_definition, create_sequence, fit_sequence
from cascade.render.sql.constraints import (
    add_constraint,
    comments,
    constraint_definition,
    create_indexes,
    is_inline,
    is_late,
    reading_order,
)
from cascade.render.sql.words import NotRenderable, do, literal


def render_create_table(table: Table) -> tuple[str, ...]:
    """The statements that make a table with its columns, constraints, indexes and comments, without foreign keys.

    Raises ``NotRenderable`` for what a layout does not hold in full: partitions, row security, another
    relation than a table, or definitions that another session's lock kept from being read.
    What layouts leave out is left out here too: storage parameters of the table, persistence, inheritance,
    tablespace, triggers, owner and grants.
    """
    _refuse_what_is_not_known(table)
    inline, twins = _without_twins(sorted((c for c in table.constraints if is_inline(c)), key=reading_order))
    late = [*twins, *sorted((c for c in table.constraints if is_late(c)), key=reading_order)]
    elements = [column_definition(table.name, column, table.constraints) for column in table.columns]
    elements += [constraint_definition(c, table.indexes) for c in inline]
    body = "(\n    " + ",\n    ".join(elements) + "\n)" if elements else "()"
    return (
        *(create_sequence(column.sequence) for column in table.columns if column.sequence and not column.identity),
        f"CREATE TABLE {table.name} {body};",
        *(statement for column in table.columns for statement in fit_sequence(table.name, column)),
        *(add_constraint(table.name, c, table.indexes) for c in late),
        *create_indexes(table.name, table.indexes),
        *comments(table),
    )


def _without_twins(constraints: Iterable[Constraint]) -> tuple[list[Constraint], list[Constraint]]:
    """The constraints, and apart those that are unique over columns which an earlier one is unique over already.

    Of two such in one CREATE TABLE PostgreSQL makes the first alone; added afterwards it makes both.
    """
    unique = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
    first: list[Constraint] = []
    twins: list[Constraint] = []
    for constraint in constraints:
        is_twin = constraint.kind in unique and any(
            other.kind in unique and other.columns == constraint.columns for other in first
        )
        (twins if is_twin else first).append(constraint)
    return first, twins


def _refuse_what_is_not_known(table: Table) -> None:
    if table.kind is not RelationKind.TABLE:
        raise NotRenderable(f"{table.name} is no plain table but a {table.kind.name.lower().replace('_', ' ')}.")
    if table.is_partition:
        raise NotRenderable(f"{table.name} is a partition, and its bounds are not part of a layout.")
    if table.row_security:
        raise NotRenderable(f"{table.name} has row security, and its policies are not part of a layout.")
    if table.extension is not None:
        raise NotRenderable(f"{table.name} belongs to the extension {quoted(table.extension)}.")
    if not table.read_in_full or not table.definitions_read:
        raise NotRenderable(f"{table.name} was not read in full.")


def move_table(table: TableName, to: TableName) -> str:
    """SET SCHEMA keeps the OID, so rows, indexes, keys, owned sequences and grants travel with the table."""
    if table.name != to.name:
        raise NotRenderable(f"A move keeps the name: {table} cannot become {to}.")
    return f"ALTER TABLE {table} SET SCHEMA {quoted(to.schema)};"


def exchange_table(action: ExchangeTable) -> tuple[str, ...]:
    """The copy in the place goes into the attic, the one that counts comes, and what was bound to the first too."""
    return (
        _lock(action.table, action.to),
        *((refuse_rows(action.to),) if action.is_shell else ()),
        move_table(action.to, TableName(action.attic, action.to.name)),
        move_table(action.table, action.to),
        *(dependant.definition for dependant in action.carried),
    )


def undo_exchange_table(action: ExchangeTable) -> tuple[str, ...]:
    """Both copies back where they lay, with what is bound to each."""
    shelved = TableName(action.attic, action.to.name)
    return (
        _lock(action.to, shelved),
        *(_drop_carried(dependant, action.to) for dependant in action.carried if dependant.kind in _OF_THE_TABLE),
        move_table(action.to, action.table),
        move_table(shelved, action.to),
        *(dependant.definition for dependant in action.carried if dependant.kind not in _OF_THE_TABLE),
    )


def shelve_table(action: ShelveTable) -> tuple[str, ...]:
    """A copy that does not count goes into the attic."""
    return (
        *((refuse_rows(action.table),) if action.is_shell else ()),
        move_table(action.table, TableName(action.attic, action.table.name)),
    )


def create_schema(schema: str) -> tuple[str, ...]:
    """The attic, with a word for whoever finds it."""
    said = "Put aside by cascade: copies that did not count. Nothing in here is used."
    return (f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)};", f"COMMENT ON SCHEMA {quoted(schema)} IS {literal(said)};")


def drop_empty_schema(schema: str) -> tuple[str, ...]:
    """The schema dropped, unless something lies in it."""
    return (
        do(
            "BEGIN",
            f"  IF NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = {literal(quoted(schema))}::regnamespace) THEN",
            f"    DROP SCHEMA {quoted(schema)};",
            "  END IF;",
            "END",
        ),
    )


def move_object(action: MoveObject, *, back: bool = False) -> tuple[str, ...]:
    """An extension, type, function or the like set into another schema; ``back`` where it was."""
    used = action.object
    here, there = (action.to, used.schema) if back else (used.schema, action.to)
    if used.extension:
        return (f"ALTER EXTENSION {quoted(used.extension)} SET SCHEMA {quoted(there)};",)
    return (f"ALTER {used.kind.upper()} {quoted(here)}.{used.name} SET SCHEMA {quoted(there)};",)


def _lock(*tables: TableName) -> str:
    """All at once, in one order for everybody, so that two who want both cannot wait for one another."""
    return f"LOCK TABLE {', '.join(map(str, sorted(tables)))} IN ACCESS EXCLUSIVE MODE;"


def refuse_rows(table: TableName) -> str:
    """Locks the table, and raises where it holds rows or where that cannot be seen."""
    refusal = f"nothing was changed: {table} was empty when the plan was made, and holds rows now"
    return do(
        "BEGIN",
        "  IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN",
        "    -- An older snapshot would not see what was written while the lock was waited for.",
        "    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: run this in a READ COMMITTED transaction';",
        "  END IF;",
        f"  LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;",
        "  SET LOCAL row_security = off;  -- rows that a policy would hide are then an error, not an empty table",
        f"  IF EXISTS (SELECT FROM {table}) THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(refusal)};",
        "  END IF;",
        "END",
    )


_OF_THE_TABLE = frozenset({"rule", "policy", "trigger", "row security"})
"""Kinds that each table has its own of; others, such as views, are bound to one table or the other."""


def _drop_carried(dependant: Dependant, table: TableName) -> str:
    if dependant.kind == "row security":
        return f"ALTER TABLE {table} {'NO FORCE' if dependant.name == 'FORCE' else 'DISABLE'} ROW LEVEL SECURITY;"
    return f"DROP {dependant.kind.upper()} {dependant.name} ON {table};"

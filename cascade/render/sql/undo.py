"""Drops that refuse to lose anything: with rows or values written since, they say how many."""

from cascade.core.layout import Column, TableName, quoted
from cascade.render.sql.columns import fill_of
from cascade.render.sql.words import do, literal


def drop_table(table: TableName) -> str:
    """DROP TABLE, once ``refuse_loss_of_rows`` has passed."""
    return f"DROP TABLE {table};"


def refuse_loss_of_rows(table: TableName, *, then: str = "") -> str:
    """An error where the table holds rows, else ``then``, in one block."""
    return _refuse(
        table,
        count=f"SELECT pg_catalog.count(*) INTO written FROM {table};",
        refusal=f"not undone: dropping {table} would lose the rows that it holds: ",
        then=then,
    )


def drop_column(table: TableName, column: Column) -> str:
    """DROP COLUMN, once ``refuse_loss_of_values`` has passed."""
    return f"ALTER TABLE {table} DROP COLUMN {quoted(column.name)};"


def refuse_loss_of_values(table: TableName, column: Column, *, then: str = "") -> str:
    """An error where a row holds another value than adding the column gave it, else ``then``, in one block.

    Numbers and other values that differ from row to row come by writing every row anew, in the transaction that added
    the column: whatever has the column's own xmin was not written since, whichever value it has. That holds until the
    rows are written anew once more, as a change of another column's type does.
    """
    # Compared as text, because a type such as json has no equality.
    value = f"(t.{quoted(column.name)})::pg_catalog.text"
    given = _given_to_old_rows(column)
    # What PostgreSQL keeps for rows that are older than the column: of now() it is the moment when the column came.
    for_old_rows = _of_column(table, column, "(a.attmissingval::pg_catalog.text::pg_catalog.text[])[1]")
    unwritten = f"coalesce({for_old_rows}, (CAST(({given}) AS {column.type}))::pg_catalog.text)" if given else "NULL"
    added_by = _of_column(table, column, "a.xmin")
    return _refuse(
        table,
        count=(
            f"SELECT pg_catalog.count(*) INTO written FROM {table} AS t "
            f"WHERE {value} IS DISTINCT FROM {unwritten} "
            f"AND t.xmin IS DISTINCT FROM {added_by};"
        ),
        refusal=f"not undone: {table} holds values in {quoted(column.name)}, and dropping it would lose them: ",
        then=then,
    )


def _given_to_old_rows(column: Column) -> str | None:
    """The value that adding the column gave, where it is one for all rows and asking for it changes nothing."""
    if column.identity or column.sequence or "nextval(" in (column.default or ""):
        return None
    return column.default if column.default is not None else fill_of(column)


def _of_column(table: TableName, column: Column, what: str) -> str:
    return (
        f"(SELECT {what} FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = {literal(str(table))}"
        f"::pg_catalog.regclass AND a.attname = {literal(column.name)})"
    )


def _refuse(table: TableName, *, count: str, refusal: str, then: str) -> str:
    # The lock comes before the count, and an older snapshot would not see what was written meanwhile.
    return do(
        "DECLARE",
        "  written bigint;",
        "BEGIN",
        "  IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN",
        "    RAISE EXCEPTION USING MESSAGE = 'not undone: run this in a READ COMMITTED transaction';",
        "  END IF;",
        f"  LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;",
        "  -- Rows that a policy would hide are then an error, not an empty table.",
        "  SET LOCAL row_security = off;",
        f"  {count}",
        "  IF written > 0 THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(refusal)} || written;",
        "  END IF;",
        *([f"  {then}"] if then else []),
        "END",
    )

"""Drops that refuse to lose anything: with rows or values written since, they say how many."""

from cascade.core.layout import Column, TableName, quoted
from cascade.render.sql.columns import fill_of
from cascade.render.sql.words import do, literal


def drop_empty_table(table: TableName) -> str:
    """DROP TABLE, refused where it holds rows."""
    return _guarded_drop(
        table,
        count=f"SELECT pg_catalog.count(*) INTO written FROM {table};",
        refusal=f"not undone: dropping {table} would lose the rows that it holds: ",
        drop=f"DROP TABLE {table};",
    )


def drop_unwritten_column(table: TableName, column: Column) -> str:
    """Refuse where a row holds another value than the one that adding the column gave it.

    Numbers and other values that differ from row to row come by writing every row anew, in the transaction that added
    the column: whatever has the column's own xmin was not written since, whichever value it has.
    """
    drop = f"ALTER TABLE {table} DROP COLUMN {quoted(column.name)};"
    if column.generated:
        return drop
    # Compared as text, because a type such as json has no equality.
    value = f"(t.{quoted(column.name)})::pg_catalog.text"
    given = _given_to_old_rows(column)
    unwritten = f"(CAST(({given}) AS {column.type}))::pg_catalog.text" if given else "NULL"
    added_by = (
        f"(SELECT a.xmin FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = {literal(str(table))}"
        f"::pg_catalog.regclass AND a.attname = {literal(column.name)})"
    )
    return _guarded_drop(
        table,
        count=(
            f"SELECT pg_catalog.count(*) INTO written FROM {table} AS t "
            f"WHERE {value} IS DISTINCT FROM {unwritten} AND t.xmin IS DISTINCT FROM {added_by};"
        ),
        refusal=f"not undone: {table} holds values in {quoted(column.name)}, and dropping it would lose them: ",
        drop=drop,
    )


def _given_to_old_rows(column: Column) -> str | None:
    """The value that adding the column gave, where it is one for all rows and asking for it changes nothing."""
    if column.identity or column.sequence or "nextval(" in (column.default or ""):
        return None
    return column.default if column.default is not None else fill_of(column)


def _guarded_drop(table: TableName, *, count: str, refusal: str, drop: str) -> str:
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
        f"  {drop}",
        "END",
    )

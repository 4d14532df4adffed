"""The making of the expected side reaches nothing but its own temporary schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import ConnectionHandler
from django.db.backends.utils import CursorWrapper

from cascade.core.expected import ExpectedTable
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import Table, TableName
from cascade.errors import UnexpectedLock
from cascade.sources.expected import BATCH, WordedTable, expected_tables, read_definitions
from tests.servers import Database

if not settings.configured:
    settings.configure(USE_TZ=True)
    django.setup()

MADE_BY = Provenance(MigrationKey("shop", "0001_initial"), "CreateModel item", 0, 1)


def worded(name: str, *statements: str, schema: str = "public") -> WordedTable:
    expected = ExpectedTable(Table(TableName(schema, name)), "shop", f"shop.{name}", MADE_BY)
    return WordedTable(expected, statements, {})


def made(name: str, columns: str = "id bigint PRIMARY KEY") -> WordedTable:
    return worded(name, f'CREATE TABLE "pg_temp"."{name}" ({columns})')


@contextmanager
def cursor(database: Database) -> Iterator[Any]:
    handler = ConnectionHandler({"default": database.settings()})
    connection: Any = handler["default"]
    connection.ensure_connection()
    try:
        yield CursorWrapper(connection.connection.cursor(), connection)
    finally:
        connection.close()


def read(tables: list[WordedTable], database: Database) -> Any:
    with cursor(database) as open_cursor:
        return read_definitions(tables, open_cursor, path=("public",), report=lambda message: None)


def test_what_is_made_is_spelled_by_the_server_and_gone_afterwards(database: Database) -> None:
    tables = [made("item", 'id bigint PRIMARY KEY, name varchar(20) COLLATE "C", UNIQUE (name)')]
    found, not_checked = expected_tables(tables, read(tables, database))
    item = found[TableName("public", "item")].table
    assert [(column.name, column.type) for column in item.columns] == [
        ("id", "bigint"),
        ("name", "character varying(20)"),
    ]
    assert {constraint.name for constraint in item.constraints} >= {"item_pkey", "item_name_key"}
    assert not_checked == ()
    assert database.connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'item'").fetchone() == (0,)


def test_a_statement_that_reaches_a_live_table_is_refused_and_rolled_back(database: Database) -> None:
    database.connection.execute("CREATE TABLE public.live (id int)")
    tables = [made("item"), worded("other", "CREATE INDEX reaching ON public.live (id)")]
    with pytest.raises(UnexpectedLock, match=r"public\.live"):
        read(tables, database)
    assert database.connection.execute("SELECT to_regclass('public.reaching')").fetchone() == (None,)


def test_a_lock_above_reading_is_refused(database: Database) -> None:
    database.connection.execute("CREATE TABLE public.live (id int)")
    with pytest.raises(UnexpectedLock, match="RowShareLock"):
        read([made("item"), worded("other", "SELECT * FROM public.live FOR UPDATE")], database)


def test_the_indexes_of_a_table_that_could_not_be_made_do_not_land_on_the_live_one(database: Database) -> None:
    database.connection.execute("CREATE TABLE public.paint (id int, colour text)")
    paint = worded(
        "paint",
        'CREATE TABLE "pg_temp"."paint" (id bigint PRIMARY KEY, colour no_such_type)',
        'CREATE INDEX paint_colour ON "pg_temp"."paint" (colour)',
    )
    tables = [made("before"), paint, made("after")]
    definitions = read(tables, database)
    found, not_checked = expected_tables(tables, definitions)
    assert "no_such_type" in definitions.problems["public.paint"]
    assert [found[TableName("public", name)].compared for name in ("before", "paint", "after")] == [True, False, True]
    assert [entry.what for entry in not_checked] == ["the definition of public.paint"]
    assert database.connection.execute("SELECT to_regclass('public.paint_colour')").fetchone() == (None,)


def test_tables_of_one_name_in_two_schemas_are_both_made(database: Database) -> None:
    tables = [
        worded("item", 'CREATE TABLE "pg_temp"."item" (a int)', schema="one"),
        worded("item", 'CREATE TABLE "pg_temp"."item" (b int)', schema="two"),
    ]
    found, _ = expected_tables(tables, read(tables, database))
    columns = {name.schema: table.table.columns[0].name for name, table in found.items()}
    assert columns == {"one": "a", "two": "b"}


def test_more_tables_than_one_batch_holds_are_all_made(one_database: Database) -> None:
    tables = [made(f"item{number}") for number in range(BATCH * 2 + 1)]
    found, not_checked = expected_tables(tables, read(tables, one_database))
    assert len(found) == len(tables)
    assert not_checked == ()


def test_a_name_longer_than_postgresql_keeps_is_found_under_what_it_keeps(one_database: Database) -> None:
    long = "ü" * 40
    table = worded("ü" * 31, f'CREATE TABLE "pg_temp"."{long}" (id int)')
    found, not_checked = expected_tables([table], read([table], one_database))
    assert found[TableName("public", "ü" * 31)].compared
    assert not_checked == ()

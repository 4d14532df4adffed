"""What the operations of a migration do by hand, read without running them."""

import functools
from collections.abc import Callable
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState

from cascade.core.ddl import UNKNOWN
from cascade.core.history import MigrationKey, Record
from cascade.sources.handmade_operations import read_handmade_changes

if not settings.configured:
    settings.configure(USE_TZ=True)
    django.setup()


def initial() -> list[Operation]:
    item = [
        ("id", models.BigAutoField(primary_key=True)),
        ("path", models.CharField(max_length=255)),
        ("price", models.IntegerField(db_index=True)),
        ("owner", models.ForeignKey("shop.Owner", on_delete=models.CASCADE)),
        ("tags", models.ManyToManyField("shop.Owner", related_name="+")),
    ]
    return [
        migrations.CreateModel(
            "Owner", [("id", models.BigAutoField(primary_key=True))], options={"db_table": "people"}
        ),
        migrations.CreateModel("Item", item, options={"unique_together": {("path", "price")}}),
    ]


def read(*later: Operation) -> list[str]:
    """What these operations, each a migration after the initial one, did: as ``n: verb thing table[.name] [(…)]``."""
    applied = []
    for number, operations in enumerate((initial(), *([operation] for operation in later)), start=1):
        migration = type("Migration", (migrations.Migration,), {"operations": operations})(f"{number:04}", "shop")
        applied.append((migration, Record(MigrationKey("shop", f"{number:04}"), "", number)))
    changes = read_handmade_changes(applied, (), table_name=table_name)
    lines = []
    for change in changes:
        ddl = change.ddl
        line = f"{change.made_by.position}: {ddl.verb.value} {ddl.thing.value} {ddl.table}"
        line += f".{ddl.name}" if ddl.name else ""
        line += f" ({', '.join(ddl.columns)})" if ddl.columns and ddl.columns != (ddl.name,) else ""
        lines.append(line + (f" = {ddl.value}" if ddl.value is not None else ""))
    return lines


def table_name(model: ModelState) -> str:
    return model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"


def run_python(code: Callable[..., Any]) -> list[str]:
    return read(migrations.RunPython(code))


def database(*operations: Operation) -> list[str]:
    return read(migrations.SeparateDatabaseAndState(database_operations=operations))


COLLATED = ["2: alter type shop_item.path = character varying(255)", "2: alter collation shop_item.path = C"]
COLLATE = 'ALTER TABLE {} ALTER COLUMN path TYPE varchar(255) COLLATE "C"'


def test_migrations_of_models_alone_have_done_nothing_by_hand() -> None:
    assert read(migrations.AlterField("item", "price", models.BigIntegerField())) == []


# ---------------------------------------------------------------------------------------------------------------- RunSQL


@pytest.mark.parametrize(
    "sql",
    [
        COLLATE.format("shop_item"),
        [COLLATE.format("shop_item")],
        ["UPDATE shop_item SET path = ''", (COLLATE.format("shop_item"), None)],
        [(COLLATE.format("shop_item"), [])],
    ],
)
def test_sql_is_a_text_or_a_list_of_texts_and_parameters(sql: Any) -> None:
    assert read(migrations.RunSQL(sql, reverse_sql="DROP TABLE shop_item")) == COLLATED


def test_parameters_are_put_in_as_the_driver_would() -> None:
    sql = "ALTER TABLE shop_item ADD CONSTRAINT some CHECK (path LIKE %s || '%%' AND price > %s)"
    assert read(migrations.RunSQL([(sql, ["it's", 3])]))[0].endswith("= check(path like 'it''s' || '%' and price > 3)")
    (done, *_) = read(migrations.RunSQL([("ALTER TABLE shop_item ADD CHECK (path LIKE '%s')", None)]))
    assert done.endswith("= check(path like '%s')")


def certainties(sql: Any) -> list[bool]:
    migration = type("Migration", (migrations.Migration,), {"operations": [*initial(), migrations.RunSQL(sql)]})
    applied = [(migration("0001", "shop"), Record(MigrationKey("shop", "0001"), "", 1))]
    return [change.certain for change in read_handmade_changes(applied, (), table_name=table_name)]


def test_sql_in_a_branch_is_not_certain_to_have_run() -> None:
    assert certainties("DO $$ BEGIN IF EXISTS (SELECT 1) THEN DROP INDEX by_price; END IF; END $$") == [False]
    assert certainties("DO $$ BEGIN DROP INDEX by_price; END $$") == [True]


def test_the_code_of_a_function_has_run_where_the_operation_calls_it() -> None:
    make = "CREATE FUNCTION tidy() RETURNS void AS 'DROP INDEX by_price' LANGUAGE SQL"
    assert read(migrations.RunSQL(make)) == []
    assert read(migrations.RunSQL([make, "SELECT tidy()"])) == ["2: drop index .by_price"]


def test_no_operation_is_nothing() -> None:
    assert read(migrations.RunSQL(migrations.RunSQL.noop), migrations.RunPython(migrations.RunPython.noop)) == []


def test_a_class_of_its_own_is_still_runsql() -> None:
    class RunSQL(migrations.RunSQL):
        pass

    assert read(RunSQL(COLLATE.format("shop_item"))) == COLLATED


# ------------------------------------------------------------------------------------------------------------- RunPython

STATEMENT = COLLATE.format("shop_item")
TABLES = ("shop_item", "people")
PER_TABLE = {"shop_item": "by_price", "people": "by_name"}


def helper(schema_editor: Any, table: str, column: str = "path") -> None:
    schema_editor.execute(f'ALTER TABLE {schema_editor.quote_name(table)} ALTER {column} TYPE varchar(255) COLLATE "C"')


def wording(table: str) -> str:
    return COLLATE.format(table)


def literal(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute('ALTER TABLE shop_item ALTER COLUMN path TYPE varchar(255) COLLATE "C"')


def constant(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(STATEMENT)


def by_cursor(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(STATEMENT)


def by_another_connection(apps: Any, schema_editor: Any) -> None:
    connection.cursor().execute('ALTER TABLE %s ALTER path TYPE varchar(255) COLLATE "C"' % "shop_item")  # noqa: UP031


def of_model(apps: Any, schema_editor: Any) -> None:
    Item = apps.get_model("shop", "Item")
    table = Item._meta.db_table
    schema_editor.execute(f'ALTER TABLE "{table}" ALTER path TYPE varchar(255) COLLATE "C"')


def of_model_by_dotted_name(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(COLLATE.format(apps.get_model("shop.Item")._meta.db_table))


def of_a_table_that_is_worked_out(apps: Any, schema_editor: Any) -> None:
    Item = apps.get_model("shop", "Item")
    table = getattr(Item, "anything").table  # noqa: B009
    schema_editor.execute(COLLATE.format(table))


def in_a_helper(apps: Any, schema_editor: Any) -> None:
    helper(schema_editor, "shop_item")


def in_an_inner_function(apps: Any, schema_editor: Any) -> None:
    def inner(table: str) -> None:
        schema_editor.execute(wording(table))

    inner(table="shop_item")


def in_a_branch_for_postgresql(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor != "postgresql":
        schema_editor.execute("ALTER TABLE shop_item DROP COLUMN path")
        return
    schema_editor.execute(STATEMENT)


def joined(apps: Any, schema_editor: Any) -> None:
    sql = "ALTER TABLE " + TABLES[0] + " "
    sql = "ALTER TABLE shop_item"
    sql += " ALTER path TYPE varchar(255)"
    schema_editor.execute(sql + ' COLLATE "C"')


def composed(apps: Any, schema_editor: Any) -> None:
    from psycopg import sql

    statement = sql.SQL('ALTER TABLE {} ALTER {column} TYPE varchar(255) COLLATE "C"')
    schema_editor.execute(statement.format(sql.Identifier("shop_item"), column=sql.Identifier("path")))


class Dropper:
    table = "shop_item"

    def __call__(self, apps: Any, schema_editor: Any) -> None:
        helper(schema_editor, self.table)

    def method(self, apps: Any, schema_editor: Any) -> None:
        helper(schema_editor, self.table)


def given_more(schema_editor: Any, table: str, apps: Any, editor: Any) -> None:
    editor.execute(COLLATE.format(table))


@pytest.mark.parametrize(
    "code",
    [
        literal,
        constant,
        by_cursor,
        by_another_connection,
        of_model,
        of_model_by_dotted_name,
        of_a_table_that_is_worked_out,
        in_a_helper,
        in_an_inner_function,
        in_a_branch_for_postgresql,
        joined,
        composed,
        Dropper(),
        Dropper().method,
        functools.partial(given_more, None, "shop_item"),
        lambda apps, schema_editor: schema_editor.execute(STATEMENT),
    ],
)
def test_sql_that_python_executes_is_found(code: Callable[..., Any]) -> None:
    assert run_python(code) == COLLATED


def over_literals(apps: Any, schema_editor: Any) -> None:
    for table, index in PER_TABLE.items():
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {index}")
    for table, column in [("shop_item", "path"), ("people", "name")]:
        schema_editor.execute(f"ALTER TABLE {table} ALTER {column} DROP NOT NULL")


def test_loops_over_what_is_written_down_are_followed_item_by_item() -> None:
    assert run_python(over_literals) == [
        "2: drop constraint shop_item.by_price",
        "2: drop constraint people.by_name",
        "2: alter nullability shop_item.path = null",
        "2: alter nullability people.name = null",
    ]


def over_found_names(apps: Any, schema_editor: Any) -> None:
    Item = apps.get_model("shop", "Item")
    for name in schema_editor._constraint_names(Item, unique=True):
        schema_editor.execute(f"ALTER TABLE {Item._meta.db_table} DROP CONSTRAINT {name}")
        schema_editor.execute(f"DROP INDEX {name}_like")


def test_what_is_only_known_at_run_time_stays_unknown_on_the_tables_that_the_code_names() -> None:
    assert run_python(over_found_names) == [
        f"2: drop constraint shop_item.{UNKNOWN}",
        f"2: drop index shop_item.{UNKNOWN}_like",
    ]


def only_rows(apps: Any, schema_editor: Any) -> None:
    for item in apps.get_model("shop", "Item").objects.all():
        item.save()
    schema_editor.execute("UPDATE shop_item SET path = 'DROP TABLE shop_item'")


def test_python_that_is_about_rows_did_nothing() -> None:
    assert run_python(only_rows) == []


def endless(apps: Any, schema_editor: Any) -> None:
    endless(apps, schema_editor)
    schema_editor.execute(STATEMENT)


def test_a_function_that_calls_itself_is_read_and_left() -> None:
    assert set(run_python(endless)) == set(COLLATED)


def test_code_without_a_source_did_nothing() -> None:
    names: dict[str, Any] = {}
    exec("def code(apps, schema_editor):\n    schema_editor.execute('DROP TABLE shop_item')", names)
    assert run_python(names["code"]) == []


def editor_calls(apps: Any, schema_editor: Any) -> None:
    Item, Owner = apps.get_model("shop", "Item"), apps.get_model("shop", "Owner")
    schema_editor.add_index(Item, models.Index(fields=["path", "owner"], name="by_path"))
    schema_editor.remove_index(Item, models.Index(fields=["price"], name="by_price"))
    schema_editor.remove_constraint(model=Item, constraint=models.UniqueConstraint(fields=["path"], name="once"))
    schema_editor.alter_field(Item, Item._meta.get_field("owner"), Item._meta.get_field("owner"))
    schema_editor.remove_field(Item, Item._meta.get_field("price"))
    field = models.IntegerField(null=True)
    field.set_attributes_from_name("weight")
    schema_editor.add_field(Item, field)
    schema_editor.alter_unique_together(Item, [("path", "price")], [])
    schema_editor.alter_db_table(Owner, "people", "shop_owner")
    schema_editor.delete_model(Owner)
    schema_editor.create_model(Item.tags.through)
    schema_editor.execute(schema_editor._delete_fk_sql(Item, "owner_fk"))


def test_calls_of_the_schema_editor_are_known_by_their_literals() -> None:
    assert run_python(editor_calls) == [
        "2: make index shop_item.by_path (path, owner_id)",
        "2: drop index shop_item.by_price (price)",
        "2: drop constraint shop_item.once (path)",
        "2: drop index shop_item.once (path)",
        "2: alter column shop_item.owner_id",
        "2: drop column shop_item.price",
        "2: make column shop_item.weight",
        "2: drop constraint shop_item (path, price)",
        "2: rename table people.people = shop_owner",
        "2: drop table people",
        "2: make table shop_item_tags",
        "2: drop constraint shop_item.owner_fk",
    ]


def without_a_pair(apps: Any, schema_editor: Any) -> None:
    Item = apps.get_model("shop", "Item")
    before = Item._meta.unique_together
    after = set(before) - {("path", "price")}
    after |= {("path", "owner")}
    put_together(schema_editor, Item, before, after)


def put_together(schema_editor: Any, model: Any, before: Any, after: Any) -> None:
    schema_editor.alter_unique_together(model, before, after)


def test_sets_of_fields_are_known_by_what_the_model_had_until_then() -> None:
    expected = ["2: drop constraint shop_item (path, price)", "2: make constraint shop_item (path, owner_id)"]
    assert run_python(without_a_pair) == expected


def test_what_one_app_does_to_the_model_of_another_is_known_by_its_columns() -> None:
    in_shop = migrations.Migration("0001", "shop")
    in_shop.operations = [*initial(), migrations.AlterUniqueTogether("item", {("path", "owner")})]
    beside = migrations.Migration("0001", "stock")
    beside.operations = [migrations.RunPython(without_owner)]
    applied = [(m, Record(MigrationKey(m.app_label, m.name), "", n)) for n, m in enumerate((in_shop, beside))]
    (change,) = read_handmade_changes(applied, (), table_name=table_name)
    assert (change.ddl.table, change.ddl.columns) == ("shop_item", ("path", "owner_id"))


def without_owner(apps: Any, schema_editor: Any) -> None:
    schema_editor.alter_unique_together(apps.get_model("shop", "Item"), {("path", "owner")}, set())


def with_whatever_is_found(apps: Any, schema_editor: Any) -> None:
    Item = apps.get_model("shop", "Item")
    schema_editor.alter_unique_together(Item, *found_somewhere(Item))


def found_somewhere(model: Any) -> Any:
    return model.elsewhere


def test_sets_of_fields_that_are_only_known_at_run_time_may_be_any_of_the_table() -> None:
    assert run_python(with_whatever_is_found) == ["2: drop constraint shop_item"]


# --------------------------------------------------------------------------------------------------- database_operations


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (migrations.RunSQL("DROP INDEX by_price"), ["drop index .by_price"]),
        (migrations.CreateModel("Log", []), ["make table shop_log"]),
        (migrations.DeleteModel("Item"), ["drop table shop_item"]),
        (migrations.RenameModel("Item", "Ware"), ["rename table shop_item.shop_item = shop_ware"]),
        (migrations.AlterModelTable("Item", "wares"), ["rename table shop_item.shop_item = wares"]),
        (migrations.AddField("item", "buyer", models.ForeignKey("shop.Owner", models.CASCADE)), ["make column shop_item.buyer_id"]),
        (migrations.RemoveField("item", "owner"), ["drop column shop_item.owner_id"]),
        (migrations.RemoveField("item", "tags"), ["drop table shop_item_tags"]),
        (migrations.RenameField("item", "owner", "buyer"), ["rename column shop_item.owner_id = buyer_id"]),
        (migrations.AlterField("item", "price", models.BigIntegerField()), ["alter column shop_item.price", "drop index shop_item (price)"]),
        (migrations.AddIndex("item", models.Index(fields=["-price"], name="i")), ["make index shop_item.i (price)"]),
        (migrations.RemoveIndex("item", "i"), ["drop index shop_item.i"]),
        (migrations.RenameIndex("item", "j", old_name="i"), ["rename index shop_item.i = j"]),
        (migrations.RemoveConstraint("item", "c"), ["drop constraint shop_item.c", "drop index shop_item.c"]),
        (migrations.AlterUniqueTogether("item", {("path", "owner")}), ["drop constraint shop_item (path, price)", "make constraint shop_item (path, owner_id)"]),
    ],
)  # fmt: skip
def test_each_of_djangos_operations_is_known_beside_the_state(operation: Operation, expected: list[str]) -> None:
    assert [line.removeprefix("2: ") for line in database(operation)] == expected


def test_what_no_sql_says_is_shown_as_the_call_that_does_it() -> None:
    rename = migrations.SeparateDatabaseAndState(database_operations=[migrations.AlterModelTable("item", "wares")])
    migration = type("Migration", (migrations.Migration,), {"operations": [*initial(), rename]})("0001", "shop")
    (change,) = read_handmade_changes(
        [(migration, Record(MigrationKey("shop", "0001"), "", 1))], (), table_name=table_name
    )
    assert str(change) == "shop.0001 SeparateDatabaseAndState (operation 3): AlterModelTable(shop_item, wares)"


def test_each_database_operation_sees_what_those_before_it_did() -> None:
    done = database(migrations.RenameModel("Item", "Ware"), migrations.RemoveField("ware", "owner"))
    assert done == ["2: rename table shop_item.shop_item = shop_ware", "2: drop column shop_ware.owner_id"]


def test_state_operations_do_nothing_to_the_database() -> None:
    assert read(migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Item")])) == []


# ----------------------------------------------------------------------------------------------- operations of one's own


class Statement(Operation):
    """Executes what it was given."""

    def __init__(self, words: str, table: str) -> None:
        self.words, self.table = words, table

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Says nothing to the state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(f"ALTER TABLE {self.table} {self.words}")


class Sql(Operation):
    """Executes it in a way that nobody can follow."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Says nothing to the state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        getattr(schema_editor, "exe" + "cute")(self.sql)


def test_an_operation_of_ones_own_is_read_by_its_code_and_by_its_sql() -> None:
    assert read(Statement("DROP CONSTRAINT once", "shop_item")) == ["2: drop constraint shop_item.once"]
    assert read(Sql("DROP INDEX by_price")) == ["2: drop index .by_price"]


# ------------------------------------------------------------------------------------------------------------ later names


def test_statements_follow_a_table_and_a_column_to_their_later_names() -> None:
    drop = migrations.RunSQL("ALTER TABLE shop_item ALTER path DROP NOT NULL; DROP TABLE shop_item_tags")
    done = read(
        drop,
        migrations.RenameField("item", "path", "place"),
        migrations.RenameModel("Item", "Ware"),
        migrations.AlterModelTable("ware", "wares"),
    )
    assert done == ["2: alter nullability wares.place = null", "2: drop table shop_item_tags"]


def test_a_table_that_was_renamed_by_hand_keeps_what_was_done_to_it() -> None:
    rename = migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL("ALTER TABLE shop_item RENAME TO wares")],
        state_operations=[migrations.AlterModelTable("item", "wares")],
    )
    assert read(migrations.RunSQL("ALTER TABLE shop_item ALTER path DROP NOT NULL"), rename) == [
        "2: alter nullability wares.path = null",
        "3: rename table shop_item.shop_item = wares",
    ]


def test_a_view_follows_the_names_that_its_model_gets() -> None:
    assert read(
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("CREATE VIEW shop_cheap AS SELECT 1 AS id")],
            state_operations=[migrations.CreateModel("Cheap", [("id", models.BigAutoField(primary_key=True))])],
        ),
        migrations.RenameModel("Cheap", "Bargain"),
        migrations.RunSQL("ALTER VIEW shop_bargain RENAME TO bargains"),
    ) == ["2: make view bargains = view", "4: rename view shop_bargain.shop_bargain = bargains"]


def test_changes_come_in_the_order_of_the_records() -> None:
    def migration(name: str, sql: str) -> migrations.Migration:
        return type("Migration", (migrations.Migration,), {"operations": [migrations.RunSQL(sql)]})(name, "shop")

    applied = [
        (migration("0001_b", "DROP INDEX b"), Record(MigrationKey("shop", "0001_b"), "", 7)),
        (migration("0001_a", "DROP INDEX a"), Record(MigrationKey("shop", "0001_a"), "", 3)),
    ]
    changes = read_handmade_changes(applied, (), table_name=table_name)
    assert [change.ddl.name for change in changes] == ["a", "b"]

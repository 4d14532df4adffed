"""What the record and the files say of each other: renames, squashes, missing files, code that is not deployed."""

import textwrap
from pathlib import Path

import pytest

from tests.scenarios.sites import Project, Site, found, project_site
from tests.servers import Database

MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = {dependencies}
    operations = [
        {operations}
    ]
    {more}
"""

ID = '("id", models.BigAutoField(primary_key=True))'


def migration(*operations: str, after: str | tuple[str, ...] = (), more: str = "") -> str:
    names = (after,) if isinstance(after, str) else after
    dependencies = [tuple(name.split(".")) if "." in name else ("shop", name) for name in names]
    return MIGRATION.format(dependencies=dependencies, operations=",\n        ".join(operations), more=more)


def create(model: str, *fields: str, options: str = "{}") -> str:
    return f"migrations.CreateModel({model!r}, [{', '.join((ID, *fields))}], options={options})"


@pytest.fixture
def shop(tmp_path: Path, one_database: Database) -> "Shop":
    return Shop(tmp_path, one_database)


class Shop:
    """A project of the apps shop and store, whose migrations a test writes."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database

    def site(self, **files: str) -> Site:
        """``shop_0001_x="…"`` is the migration 0001_x of shop. Files of an earlier call that are not named are gone."""
        for old in self.folder.glob("*/migrations/0*.py"):
            old.unlink()
        paths = {f"{name.split('_', 1)[0]}/migrations/{name.split('_', 1)[1]}.py": text for name, text in files.items()}
        project = Project(self.folder, ("shop", "store"), files={"shop/models.py": "", "store/models.py": "", **paths})
        return project_site(project, self.database)


INITIAL = migration(create("Item", '("name", models.CharField(max_length=20))'))


def test_a_record_without_a_file_is_a_note(shop: Shop) -> None:
    second = migration('migrations.AddField("item", "price", models.IntegerField(null=True))', after="0001_initial")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_price=second)
    site.manage("migrate", "-v0")
    site.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('gone', '0001_initial', now())")
    plan = site.plan()
    assert plan["drifts"] == []
    assert any("no file in this checkout: gone.0001_initial" in note for note in plan["notes"])


def test_a_database_ahead_of_the_checkout_is_undecided_and_gets_no_step(shop: Shop) -> None:
    second = migration('migrations.AddField("item", "price", models.IntegerField(null=True))', after="0001_initial")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_price=second)
    site.manage("migrate", "-v0")
    site = shop.site(shop_0001_initial=INITIAL)
    site.execute("CREATE SCHEMA stray")
    site.execute("ALTER TABLE shop_item SET SCHEMA stray")
    plan = site.plan()
    assert found(plan) == {"misplaced_table shop_item"}
    assert plan["drifts"][0]["undecided"] == "the database is ahead of this checkout"
    assert plan["steps"] == []
    assert plan["complete"] is False
    assert any("ahead of this checkout" in note for note in plan["notes"])


def test_the_expected_side_is_read_once_whatever_order_sets_come_in(shop: Shop) -> None:
    fields = ", ".join(f'("f{n}", models.IntegerField())' for n in range(6))
    together = ", ".join(f'("f{n}", "f{n + 1}")' for n in range(5))
    item = f'migrations.CreateModel("Item", [{fields}], options={{"unique_together": {{{together}}}}})'
    site = shop.site(shop_0001_initial=migration(item))
    site.manage("migrate", "-v0")
    for seed in range(4):
        assert found(site.plan(PYTHONHASHSEED=str(seed))) == set()
    assert len(list(Path(site.environment["XDG_CACHE_HOME"]).glob("django-cascade/*.json"))) == 1


def test_a_renamed_table_keeps_the_migration_that_first_made_it(shop: Shop) -> None:
    second = migration('migrations.RenameModel("Item", "Product")', after="0001_initial")
    third = migration('migrations.AlterModelTable("product", "wares")', after="0002_rename")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_rename=second, shop_0003_table=third)
    site.manage("migrate", "-v0")
    assert found(site.plan()) == set()
    site.execute("CREATE SCHEMA stray")
    site.execute("ALTER TABLE wares SET SCHEMA stray")
    plan = site.plan()
    assert found(plan) == {"misplaced_table wares"}
    assert plan["drifts"][0]["migration"] == "shop.0001_initial"


def test_a_renamed_field_keeps_the_migration_that_added_it(shop: Shop) -> None:
    second = migration('migrations.AddField("item", "price", models.IntegerField(null=True))', after="0001_initial")
    third = migration('migrations.RenameField("item", "price", "cost")', after="0002_price")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_price=second, shop_0003_cost=third)
    site.manage("migrate", "-v0")
    site.execute("ALTER TABLE shop_item DROP COLUMN cost")
    plan = site.plan()
    assert found(plan) == {"missing_column shop_item.cost"}
    assert plan["drifts"][0]["migration"] == "shop.0002_price"


def test_a_model_moved_between_apps_keeps_the_migration_that_made_its_table(shop: Shop) -> None:
    out = migration(
        'migrations.SeparateDatabaseAndState(database_operations=[migrations.AlterModelTable("item", "store_item")],'
        ' state_operations=[migrations.DeleteModel("Item")])',
        after="0001_initial",
    )
    into = migration(
        f"migrations.SeparateDatabaseAndState(state_operations=[{create('Item', NAME)}])", after="shop.0002_out"
    )
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_out=out, store_0001_initial=into)
    site.manage("migrate", "-v0")
    assert found(site.plan()) == set()
    site.execute("CREATE SCHEMA stray")
    site.execute("ALTER TABLE store_item SET SCHEMA stray")
    drift = site.plan()["drifts"][0]
    assert (drift["table"], drift["migration"]) == ("store_item", "shop.0001_initial")


NAME = '("name", models.CharField(max_length=20))'


def test_a_squash_counts_as_what_it_replaces(shop: Shop) -> None:
    second = migration('migrations.AddField("item", "price", models.IntegerField(null=True))', after="0001_initial")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_price=second)
    site.manage("migrate", "-v0")
    squash = migration(
        create("Item", NAME, '("price", models.IntegerField(null=True))'),
        more='replaces = [("shop", "0001_initial"), ("shop", "0002_price")]',
    )
    with_files = shop.site(shop_0001_initial=INITIAL, shop_0002_price=second, shop_0001_squashed_0002=squash)
    assert with_files.plan()["drifts"] == []
    without = shop.site(shop_0001_squashed_0002=squash)
    plan = without.plan()
    assert plan["drifts"] == []
    assert not any("no file" in note for note in plan["notes"])
    without.execute("DROP TABLE shop_item")
    assert found(without.plan()) == {"missing_table shop_item"}


def test_several_leaves_are_a_note_and_only_what_is_recorded_counts(shop: Shop) -> None:
    one = migration('migrations.AddField("item", "price", models.IntegerField(null=True))', after="0001_initial")
    other = migration('migrations.AddField("item", "weight", models.IntegerField(null=True))', after="0001_initial")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_price=one)
    site.manage("migrate", "-v0")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_price=one, shop_0002_weight=other)
    plan = site.plan()
    assert found(plan) == set()
    assert any("several leaf migrations" in note for note in plan["notes"])


def test_unmanaged_and_proxy_models_make_no_table(shop: Shop) -> None:
    more = migration(
        create("Report", options='{"managed": False}'),
        'migrations.CreateModel("Shown", [], options={"proxy": True}, bases=("shop.item",))',
        after="0001_initial",
    )
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_more=more)
    site.manage("migrate", "-v0")
    assert site.plan()["drifts"] == []


def test_a_table_whose_type_is_missing_is_named_and_the_rest_is_compared(shop: Shop) -> None:
    code = """
    from django.db import models

    class Colour(models.Field):
        def db_type(self, connection):
            return "colour"
    """
    typed = "from shop.fields import Colour\n" + migration(
        create("Paint", '("colour", Colour())'), create("Can", NAME), after="0001_initial"
    )
    (shop.folder / "shop").mkdir(exist_ok=True)
    (shop.folder / "shop" / "fields.py").write_text("\n".join(line[4:] for line in code.splitlines()))
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_paint=typed)
    site.execute("CREATE TYPE colour AS ENUM ('red', 'blue')")
    site.manage("migrate", "-v0")
    assert site.plan()["drifts"] == []
    reference = site.database.server.dsn("postgres")
    plan = site.plan("--reference", reference)
    assert plan["drifts"] == []
    assert plan["complete"] is False
    assert ["shop_paint" in entry["what"] for entry in plan["not_checked"]] == [True]
    assert "colour" in plan["not_checked"][0]["why"]


def test_tables_in_a_schema_that_their_name_gives_belong_there(shop: Shop) -> None:
    quoted = migration(
        create("Ledger", NAME, options="""{"db_table": '"books"."ledger"'}"""),
        create("Entry", '("ledger", models.ForeignKey("shop.Ledger", on_delete=models.CASCADE))',
               options="""{"db_table": 'books"."entry'}"""),
        after="0001_initial",
    )  # fmt: skip
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_books=quoted)
    site.execute("CREATE SCHEMA books")
    site.manage("migrate", "-v0")
    assert site.plan()["drifts"] == []
    site.execute("ALTER TABLE books.ledger SET SCHEMA public")
    plan = site.plan()
    assert found(plan) == {"misplaced_table ledger"}
    assert plan["steps"][0]["sql"] == ["ALTER TABLE public.ledger SET SCHEMA books;"]


def test_automatic_through_tables_are_expected_and_known_by_the_field_that_made_them(shop: Shop) -> None:
    second = migration('migrations.AddField("item", "like", models.ManyToManyField("shop.Item"))', after="0001_initial")
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_like=second)
    site.manage("migrate", "-v0")
    site.execute("DROP TABLE shop_item_like")
    plan = site.plan()
    assert found(plan) == {"missing_table shop_item_like"}
    assert plan["drifts"][0]["migration"] == "shop.0002_like"
    for step in plan["steps"]:
        for statement in step["sql"]:
            site.execute(statement)
    assert site.plan()["drifts"] == []


def test_a_pending_migration_whose_many_to_many_table_is_absent_is_no_unrecorded_one(shop: Shop) -> None:
    more = migration(
        'migrations.AddField("item", "price", models.IntegerField(null=True))',
        'migrations.AddField("item", "related", models.ManyToManyField("shop.Item"))',
        after="0001_initial",
    )
    site = shop.site(shop_0001_initial=INITIAL, shop_0002_more=more)
    site.manage("migrate", "shop", "0001", "-v0")
    site.execute("ALTER TABLE shop_item ADD COLUMN price int")
    assert found(site.plan(), severities=("note",)) == {"pending_migration None.shop.0002_more"}
    site.execute("CREATE TABLE shop_item_related (id int)")
    assert found(site.plan(), severities=("note",)) == {"unrecorded_migration None.shop.0002_more"}


def test_an_operation_may_put_a_model_into_another_app(shop: Shop) -> None:
    operation = """
        from django.db import migrations

        class CreateInStore(migrations.CreateModel):
            def state_forwards(self, app_label, state):
                super().state_forwards("store", state)

            def database_forwards(self, app_label, schema_editor, from_state, to_state):
                super().database_forwards("store", schema_editor, from_state, to_state)
    """
    (shop.folder / "shop").mkdir(exist_ok=True)
    (shop.folder / "shop" / "operations.py").write_text(textwrap.dedent(operation))
    across = "from shop.operations import CreateInStore\n" + migration(
        create("Shelf").replace("migrations.CreateModel", "CreateInStore"), after=("0001_initial", "store.0001_initial")
    )
    store = migration(create("Store"))
    site = shop.site(shop_0001_initial=INITIAL, store_0001_initial=store, shop_0002_across=across)
    site.manage("migrate", "-v0")
    assert site.plan()["drifts"] == []
    site.execute("DROP TABLE store_shelf")
    (drift,) = site.plan()["drifts"]
    assert (drift["kind"], drift["table"], drift["migration"]) == ("missing_table", "store_shelf", "shop.0002_across")

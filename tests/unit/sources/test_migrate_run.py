"""Which tables a run of migrate will make under a bare name, and what it makes by its state: without a database."""

from collections.abc import Mapping
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connections, migrations, models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.test import override_settings

if not settings.configured:
    settings.configure(USE_TZ=True)
    django.setup()

from cascade.sources import migrate_run
from cascade.sources.migrate_run import read_made, read_tables_to_make

ID = ("id", models.BigAutoField(primary_key=True))


@pytest.fixture(autouse=True)
def _of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend says which fields have a column; nobody connects."""
    settings = connections.configure_settings({"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}})
    monkeypatch.setattr(migrate_run, "connections", {"default": DatabaseWrapper(settings["default"], "default")})


def create(name: str, *fields: tuple[str, Any], **options: Any) -> Operation:
    return migrations.CreateModel(name, [ID, *fields], options=options)


def migration(*operations: Operation, name: str = "0002_later") -> migrations.Migration:
    made = migrations.Migration(name, "shop")
    made.operations = list(operations)
    return made


def before() -> ProjectState:
    state = ProjectState()
    return migration(create("Item", db_table="goods"), create("Owner"), name="0001").mutate_state(state)


def to_make(*operations: Operation, backwards: bool = False) -> list[str]:
    plan = [(migration(*operations), backwards)]
    return [table.name for table in read_tables_to_make(plan, before().apps, "default")]


def made(*operations: Operation, backwards: bool = False) -> Mapping[str, tuple[str, ...]]:
    plan = [(migration(*operations), backwards)]
    return {str(table.name).lstrip('".'): table.columns for table in read_made(plan, before().apps, "default")}


MANY = models.ManyToManyField("shop.Owner")


@pytest.mark.parametrize(
    ("operation", "tables"),
    [
        (create("Tag"), ["shop_tag"]),
        (create("Tag", db_table="tags"), ["tags"]),
        (create("Tag", db_table='"wares"."tags"'), []),
        (create("Tag", db_table='wares"."tags'), []),
        (create("Tag", ("owners", MANY)), ["shop_tag", "shop_tag_owners"]),
        (create("Tag", proxy=True), []),
        (create("Tag", managed=False), []),
        (migrations.AddField("item", "owners", MANY), ["goods_owners"]),
        (migrations.AddField("item", "price", models.IntegerField(default=0)), []),
        (migrations.RenameModel("Item", "Ware"), []),
        (migrations.RunSQL("CREATE TABLE log (id int); CREATE TABLE wares.log (id int)"), ["log"]),
        (migrations.RunSQL([("CREATE TABLE log (id int)", None)]), ["log"]),
        (migrations.RunSQL("SET search_path = wares; CREATE TABLE log (id int)"), []),
        (migrations.RunSQL("DO $$ BEGIN IF false THEN CREATE TABLE log (id int); END IF; END $$"), []),
        (migrations.RunPython(migrations.RunPython.noop), []),
        (migrations.SeparateDatabaseAndState(state_operations=[create("Tag")]), []),
        (migrations.SeparateDatabaseAndState(database_operations=[create("Tag")]), ["shop_tag"]),
    ],
)
def test_a_table_counts_that_lands_where_the_search_path_leads(operation: Operation, tables: list[str]) -> None:
    assert to_make(operation) == tables


def test_what_is_unapplied_makes_nothing() -> None:
    assert to_make(create("Tag"), backwards=True) == []
    assert made(create("Tag"), backwards=True) == {}


@override_settings(TAG_MODEL="other.Tag")
def test_a_model_for_which_the_settings_name_another_makes_no_table() -> None:
    assert to_make(create("Tag", swappable="TAG_MODEL")) == []
    assert made(create("Tag", swappable="TAG_MODEL")) == {}


@override_settings(DATABASE_ROUTERS=[f"{__name__}.Elsewhere"])
def test_what_a_router_keeps_elsewhere_makes_no_table_here() -> None:
    operations = [create("Tag"), migrations.RunSQL("CREATE TABLE log (id int)")]
    assert to_make(*operations) == []
    assert made(*operations) == {}


class Elsewhere:
    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return False


def test_by_its_state_a_run_makes_tables_columns_and_through_tables_under_their_last_names() -> None:
    key = models.ForeignKey("shop.Owner", models.CASCADE, null=True)
    operations = [
        create("Tag", ("word", models.CharField(max_length=9))),
        migrations.RenameField("tag", "word", "text"),
        migrations.RenameModel("Tag", "Label"),
        migrations.AddField("item", "owner", key),
        migrations.AddField("item", "owners", models.ManyToManyField("shop.Owner", related_name="+")),
        migrations.AddField("item", "passing", models.IntegerField(null=True)),
        migrations.RemoveField("item", "passing"),
        migrations.AlterModelOptions("owner", {"ordering": ["id"]}),
    ]
    assert made(*operations) == {"shop_label": ("id", "text"), "goods": ("owner_id",), "goods_owners": ()}


def test_each_table_is_told_with_the_first_migration_that_names_its_model() -> None:
    plan = [
        (migration(create("Tag")), False),
        (migration(migrations.AddField("tag", "word", models.TextField()), name="0003_word"), False),
    ]
    assert [str(table.migration) for table in read_made(plan, before().apps, "default")] == ["shop.0002_later"]

"""A healthy project whose migrations did much by SQL and Python of their own; and drift on the very same tables."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import Project, Site, found, project_site
from tests.servers import Database

pytestmark = pytest.mark.one_version

INITIAL = """
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Owner", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Item",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("path", models.CharField(max_length=255, unique=True)),
                ("price", models.IntegerField(db_index=True)),
                ("weight", models.IntegerField()),
                ("colour", models.CharField(max_length=20)),
                ("size", models.CharField(max_length=20)),
                ("owner", models.ForeignKey("shop.Owner", on_delete=models.CASCADE)),
            ],
            options={
                "indexes": [models.Index(fields=["weight", "price"], name="by_weight")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(price__gt=0), name="price_positive"),
                    models.UniqueConstraint(fields=["weight", "owner"], name="one_weight"),
                ],
            },
        ),
    ]
"""

BY_HAND = """
from django.db import migrations, models

COLLATION = 'ALTER TABLE {} ALTER COLUMN path TYPE varchar(255) COLLATE "C"'


def collate(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(COLLATION.format(apps.get_model("shop", "Item")._meta.db_table))


def drop_index(apps, schema_editor):
    Item = apps.get_model("shop", "Item")
    for index in Item._meta.indexes:
        if index.name == "by_weight":
            schema_editor.remove_index(Item, models.Index(fields=["weight", "price"], name="by_weight"))


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunPython(collate),
        migrations.RunSQL([
            "ALTER TABLE shop_item DROP CONSTRAINT price_positive, ALTER colour DROP NOT NULL",
            "ALTER TABLE shop_item ALTER size TYPE text, ALTER size DROP NOT NULL",
            ("ALTER TABLE shop_item ADD CONSTRAINT price_at_least CHECK (price >= %s) NOT VALID", [1]),
        ]),
        migrations.RunPython(drop_index),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RemoveConstraint("item", "one_weight"),
                migrations.AlterField("item", "weight", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL('''
            DO $$
            DECLARE
                key text;
            BEGIN
                SELECT conname INTO key FROM pg_constraint
                    WHERE conrelid = 'shop_item'::regclass AND contype = 'f';
                EXECUTE format('ALTER TABLE shop_item ALTER CONSTRAINT %I NOT DEFERRABLE', key);
            END $$;
            -- More than the model knows.
            CREATE INDEX item_colours ON shop_item (lower(colour), price);
            CREATE TABLE shop_log (id bigserial PRIMARY KEY, item_id bigint REFERENCES shop_item);
        '''),
    ]
"""

AFTERWARDS = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_by_hand")]
    operations = [
        # Changes nothing in the database.
        migrations.AlterField("item", "colour", models.CharField(max_length=20, help_text="By name.")),
        # Another type, which overrules what SQL said of that; and nothing about NULL.
        migrations.AlterField("item", "size", models.CharField(max_length=50)),
        # There and back in the state alone: the database has seen neither.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField("item", "size", models.CharField(max_length=50, null=True)),
                migrations.AlterField("item", "size", models.CharField(max_length=50)),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL("CREATE VIEW shop_cheap AS SELECT id, price FROM shop_item WHERE price < 9"),
            ],
            state_operations=[
                migrations.CreateModel(
                    "Cheap",
                    [("id", models.BigAutoField(primary_key=True)), ("price", models.IntegerField())],
                ),
            ],
        ),
    ]
"""

EXPLAINED = {
    "different_column shop_item.path": 'shop.0002_by_hand RunPython (operation 1): ALTER TABLE shop_item ALTER COLUMN path TYPE varchar(255) COLLATE "C"',
    "different_column shop_item.colour": "shop.0002_by_hand RunSQL (operation 2): ALTER TABLE shop_item DROP CONSTRAINT price_positive, ALTER colour DROP NOT NULL",
    "different_column shop_item.size": "shop.0002_by_hand RunSQL (operation 2): ALTER TABLE shop_item ALTER size TYPE text, ALTER size DROP NOT NULL",
    "different_constraint shop_item.price_at_least": "shop.0002_by_hand RunSQL (operation 2): ALTER TABLE shop_item ADD CONSTRAINT price_at_least CHECK (price >= 1) NOT VALID",
    "missing_index shop_item.by_weight": "shop.0002_by_hand RunPython (operation 3): schema_editor.remove_index(shop_item, by_weight)",
    "missing_constraint shop_item.one_weight": "shop.0002_by_hand SeparateDatabaseAndState (operation 4): RemoveConstraint(shop_item, one_weight)",
    "different_column shop_item.weight": "shop.0002_by_hand SeparateDatabaseAndState (operation 4): AlterField(shop_item, weight)",
    "extra_index shop_item.item_colours": "shop.0002_by_hand RunSQL (operation 5): CREATE INDEX item_colours ON shop_item (lower(colour), price)",
    "missing_table shop_cheap": "shop.0003_afterwards SeparateDatabaseAndState (operation 4): CREATE VIEW shop_cheap AS SELECT id, price FROM shop_item WHERE price < 9",
    "extra_table shop_log": "shop.0002_by_hand RunSQL (operation 5): CREATE TABLE shop_log (id bigserial PRIMARY KEY, item_id bigint REFERENCES shop_item)",
}


@pytest.fixture
def site(tmp_path: Path, one_database: Database) -> Site:
    project = Project(
        tmp_path,
        ("shop",),
        files={
            "shop/models.py": "",
            "shop/migrations/0001_initial.py": INITIAL,
            "shop/migrations/0002_by_hand.py": BY_HAND,
            "shop/migrations/0003_afterwards.py": AFTERWARDS,
        },
    )
    site = project_site(project, one_database)
    site.manage("migrate", "-v0")
    return site


def explanations(plan: dict[str, Any]) -> dict[str, str]:
    return {
        f"{drift['kind']} {drift['table']}{'.' + drift['object'] if drift['object'] else ''}": drift["explained_by"]
        for drift in plan["drifts"]
        if drift.get("explained_by")
    }


def test_what_migrations_did_by_hand_is_no_alarm_and_names_the_operation(site: Site) -> None:
    plan = site.plan()
    assert found(plan) == set()
    assert plan["steps"] == []
    said = explanations(plan)
    key = next(name for name in said if "_fk_" in name)
    assert said.pop(key).endswith("RunSQL (operation 5): ALTER TABLE shop_item ALTER CONSTRAINT … NOT DEFERRABLE")
    assert said == EXPLAINED
    assert site.cascade("check").returncode == 0


@pytest.mark.parametrize(
    "injected",
    [
        {
            'ALTER TABLE shop_item ALTER path TYPE varchar(300) COLLATE "C"': "different_column shop_item.path",
            "ALTER TABLE shop_item ALTER colour TYPE text": "different_column shop_item.colour",
            "ALTER TABLE shop_item ALTER size TYPE text": "different_column shop_item.size",
            "ALTER TABLE shop_item ALTER price DROP NOT NULL": "different_column shop_item.price",
            "ALTER TABLE shop_item DROP CONSTRAINT shop_item_pkey CASCADE": "missing_constraint shop_item.shop_item_pkey",
            "ALTER TABLE shop_item DROP CONSTRAINT shop_item_path_key": "missing_constraint shop_item.shop_item_path_key",
            "DROP INDEX {by_price}": "missing_index shop_item.{by_price}",
        },
        {
            'ALTER TABLE shop_item ALTER path TYPE varchar(255) COLLATE "POSIX"': "different_column shop_item.path",
            "ALTER TABLE shop_item DROP COLUMN colour": "missing_column shop_item.colour",
        },
        {
            "DROP VIEW shop_cheap": "missing_table shop_cheap",
            "DROP TABLE shop_item CASCADE": "missing_table shop_item",
        },
    ],
)  # fmt: skip
def test_drift_on_the_same_table_is_found_all_the_same(site: Site, injected: dict[str, str]) -> None:
    ((by_price,),) = site.rows("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%btree (price)'")
    for statement in injected:
        site.execute(statement.format(by_price=by_price))
    assert found(site.plan()) == {finding.format(by_price=by_price) for finding in injected.values()}

"""What happened, told from databases to which it really did."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import Project, Site, project_site
from tests.servers import Database

pytestmark = pytest.mark.one_version

MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{after}]
    operations = [{operations}]
"""

KEY = 'models.ForeignKey("shop.{to}", models.CASCADE)'


def create(model: str, *fields: str) -> str:
    return f'migrations.CreateModel("{model}", [("id", models.BigAutoField(primary_key=True)), {", ".join(fields)}])'


OPERATIONS = {
    "0001_initial": [create("Item", '("name", models.CharField(max_length=20))'), create("Tag")],
    "0002_order": [create("Order", f'("item", {KEY.format(to="Item")})')],
    "0003_invoice": [
        create("Invoice", f'("order", {KEY.format(to="Order")})', '("total", models.IntegerField())'),
        'migrations.AddField("item", "price", models.IntegerField(null=True))',
    ],
    "0004_review": [
        create("Review", f'("item", {KEY.format(to="Item")})'),
        'migrations.AddIndex("item", models.Index(fields=["name"], name="item_by_name"))',
    ],
    "0005_report": [create("Report"), 'migrations.AddField("order", "note", models.TextField(null=True))'],
    "0006_badge": [create("Badge")],
}
"""What each migration of the shop does."""

NAMES = tuple(OPERATIONS)


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Site:
    """A shop of six migrations on an empty database, nothing migrated, and a schema beside ``public``."""
    files = {"shop/models.py": ""}
    before = ""
    for name, operations in OPERATIONS.items():
        after = f'("shop", "{before}")' if before else ""
        files[f"shop/migrations/{name}.py"] = MIGRATION.format(after=after, operations=", ".join(operations))
        before = name
    site = project_site(Project(tmp_path, ("shop",), files=files), database)
    site.execute("CREATE SCHEMA stray")
    return site


def migrate(site: Site, upto: str, *more: str, path: str = "") -> None:
    """Run migrate as a deployment would; ``path`` is the wrong search_path that it has."""
    options = {"PGOPTIONS": f"-c search_path={path}"} if path else {}
    site.manage("migrate", "shop", upto, "-v0", *more, **options)


def date(site: Site, **days: str) -> None:
    """Let records be of these days, ``m0003="2026-03-01"``, the others of the first of January; a second apart."""
    site.execute("UPDATE django_migrations SET applied = '2026-01-01 10:00Z'::timestamptz + id * interval '1 second'")
    for name, day in days.items():
        site.execute(
            f"UPDATE django_migrations SET applied = '{day} 10:00Z'::timestamptz + id * interval '1 second'"
            f" WHERE name LIKE '{name[1:]}%'"
        )


def causes(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.plan()["causes"]
    return found


def only(site: Site) -> dict[str, Any]:
    (cause,) = causes(site)
    return cause


def keys(*numbers: str) -> list[str]:
    return [f"shop.{name}" for name in NAMES if name[:4] in numbers]


# ------------------------------------------------------------------------------------------------------- search_path


def test_a_run_under_another_search_path_is_told_with_its_window_and_what_else_it_made(shop: Site) -> None:
    migrate(shop, "0002")
    migrate(shop, "0004", path="stray,public")
    migrate(shop, "0006")
    date(shop, m0003="2026-03-01", m0004="2026-03-01", m0005="2026-05-01", m0006="2026-05-01")
    cause = only(shop)
    assert cause["verdict"] == "search_path"
    assert cause["migrations"] == keys("0003", "0004")
    assert (cause["first"][:10], cause["last"][:10]) == ("2026-03-01", "2026-03-01")
    assert cause["drifts"] == ["misplaced_table:public.shop_invoice", "misplaced_table:public.shop_review"]
    assert "all 2 tables made in that window are in stray" in cause["evidence_for"]
    assert cause["evidence_against"] == []
    assert any("shop_item.price" in other and other.startswith("in public") for other in cause["others"])


def test_two_runs_under_the_wrong_path_are_two_causes(shop: Site) -> None:
    migrate(shop, "0002")
    migrate(shop, "0006", path="stray,public")
    date(shop, m0003="2026-03-01", m0004="2026-03-01", m0005="2026-05-01", m0006="2026-05-01")
    assert [(c["verdict"], c["migrations"]) for c in causes(shop)] == [
        ("search_path", keys("0003", "0004")),
        ("search_path", keys("0005", "0006")),
    ]


def test_a_table_moved_from_among_those_of_its_migration_was_moved_by_hand(shop: Site) -> None:
    migrate(shop, "0006")
    shop.execute("ALTER TABLE shop_tag SET SCHEMA stray")
    cause = only(shop)
    assert cause["verdict"] == "by_hand"
    assert cause["last"] is None
    assert "public.shop_item" in " ".join(cause["evidence_for"])


def test_a_table_moved_from_the_middle_of_a_run_fits_no_pattern(shop: Site) -> None:
    migrate(shop, "0006")
    shop.execute("ALTER TABLE shop_order SET SCHEMA stray")
    cause = only(shop)
    assert cause["verdict"] == "unknown"
    assert "a move by hand" in " ".join(cause["evidence_against"])


# --------------------------------------------------------------------------------------------------------------- fake


def test_migrations_recorded_together_and_nowhere_are_one_fake(shop: Site) -> None:
    migrate(shop, "0004")
    migrate(shop, "0006", "--fake")
    cause = only(shop)
    assert cause["verdict"] == "fake"
    assert cause["migrations"] == keys("0005", "0006")
    assert "none of the 3 things that they make is in any schema" in cause["evidence_for"]
    assert any("recorded within 1 second" in sentence for sentence in cause["evidence_for"])


def test_what_later_migrations_made_speaks_against_an_older_state(shop: Site) -> None:
    migrate(shop, "0004")
    migrate(shop, "0005", "--fake")
    migrate(shop, "0006")
    cause = only(shop)
    assert cause["verdict"] == "fake"
    assert any("no older state" in sentence for sentence in cause["evidence_for"])
    assert not any("older state" in sentence for sentence in cause["evidence_against"])


# -------------------------------------------------------------------------------------------------------- gone since


def test_a_table_gone_while_its_migrations_other_things_are_there_was_dropped_since(shop: Site) -> None:
    migrate(shop, "0006")
    date(shop, m0003="2026-03-01")
    shop.execute("DROP TABLE shop_invoice")
    cause = only(shop)
    assert cause["verdict"] == "by_hand"
    assert (cause["first"][:10], cause["last"]) == ("2026-03-01", None)
    assert any("shop_item.price" in sentence for sentence in cause["evidence_for"])
    assert "some time after 2026-03-01" in " ".join(shop.cascade("plan").stdout.split())


def test_a_column_that_was_dropped_is_told_from_one_that_was_never_made(shop: Site) -> None:
    migrate(shop, "0006")
    shop.execute("DROP TABLE shop_report; ALTER TABLE shop_order DROP COLUMN note")
    shop.execute("CREATE TABLE shop_report (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)")
    dropped = only(shop)
    assert dropped["verdict"] == "by_hand"
    assert dropped["sentence"].startswith("shop_order.note: made by shop.0005_report and gone since"), dropped
    mark = "1 column was dropped from public.shop_order, and no recorded migration drops one"
    assert mark in dropped["evidence_for"]
    # Made anew by somebody, the table has no mark: nothing is known of what it was.
    shop.execute("DROP TABLE shop_order CASCADE")
    shop.execute(
        "CREATE TABLE shop_order (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, item_id bigint NOT NULL)"
    )
    [never] = [cause for cause in causes(shop) if "missing_column:public.shop_order.note" in cause["drifts"]]
    assert never["verdict"] != "by_hand", never
    assert "never in public.shop_order as it is now" in never["sentence"], never


def test_a_dropped_column_alone_of_its_migration_is_no_fake(shop: Site) -> None:
    operations = 'migrations.AddField("badge", "rank", models.IntegerField(null=True))'
    more = MIGRATION.format(after='("shop", "0006_badge")', operations=operations)
    (shop.folder / "shop/migrations/0007_rank.py").write_text(more)
    migrate(shop, "0007")
    shop.execute("ALTER TABLE shop_badge DROP COLUMN rank")
    dropped = only(shop)
    assert dropped["verdict"] == "by_hand"
    assert dropped["sentence"].startswith("shop_badge.rank: made by shop.0007_rank and gone since")
    assert any("recorded with --fake" in sentence for sentence in dropped["evidence_against"])
    # A migration of which nobody knows any more what it did may have left the mark.
    shop.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0003_lost', now())")
    unsure = only(shop)
    assert unsure["verdict"] == "unknown"
    assert unsure["sentence"] == "shop_badge.rank: recorded by shop.0007_rank, and dropped since or never made"


def test_a_table_that_a_later_key_needed_was_there_once(shop: Site) -> None:
    migrate(shop, "0004")
    shop.execute("DROP TABLE shop_order CASCADE")
    cause = only(shop)
    assert cause["verdict"] == "by_hand"
    assert any("shop_invoice" in sentence for sentence in cause["evidence_for"])


# ------------------------------------------------------------------------------------------------------------ restore


def test_a_dump_restored_under_a_newer_record_is_a_partial_restore(shop: Site) -> None:
    migrate(shop, "0004")
    dump = shop.folder / "old.dump"
    _program(shop, "pg_dump", "-Fc", "-t", "shop_*", "-f", str(dump))
    migrate(shop, "0006")
    date(shop, m0005="2026-03-01", m0006="2026-05-01")
    for name in ("badge", "report", "review", "invoice", "order", "tag", "item"):
        shop.execute(f"DROP TABLE shop_{name}")
    _program(shop, "pg_restore", "-d", shop.database.name, str(dump))
    cause = only(shop)
    assert cause["verdict"] == "partial_restore"
    assert cause["migrations"] == keys("0005", "0006")
    assert any("loaded from a dump" in sentence for sentence in cause["evidence_for"])
    assert any("--fake" in sentence for sentence in cause["evidence_against"])


def test_tables_younger_than_a_moment_gone_over_several_runs_look_restored_and_the_order_speaks_against(
    shop: Site,
) -> None:
    migrate(shop, "0006")
    date(shop, m0005="2026-03-01", m0006="2026-05-01")
    shop.execute("DROP TABLE shop_report, shop_badge")
    shop.execute("ALTER TABLE shop_order DROP COLUMN note")
    cause = only(shop)
    assert cause["verdict"] == "partial_restore"
    assert any("not loaded anew" in sentence for sentence in cause["evidence_against"])


# ------------------------------------------------------------------------------------------------------------ by hand


def test_dropped_indexes_are_one_line_however_many(shop: Site) -> None:
    migrate(shop, "0006")
    for (name,) in shop.rows(
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid"
        " WHERE c.relname LIKE 'shop%' AND NOT indisunique"
    ):
        shop.execute(f"DROP INDEX {name}")
    lost = [cause for cause in causes(shop) if "index" in cause["sentence"]]
    assert len(lost) == 1
    assert lost[0]["verdict"] == "by_hand"
    assert "4 indexes" in lost[0]["sentence"]
    assert len(lost[0]["drifts"]) == 4


def test_an_altered_column_was_altered_by_hand_and_a_faked_alter_is_not_ruled_out(shop: Site) -> None:
    migrate(shop, "0006")
    shop.execute("ALTER TABLE shop_item ALTER name TYPE varchar(40), ALTER name DROP NOT NULL")
    cause = only(shop)
    assert cause["verdict"] == "by_hand"
    assert cause["drifts"] == ["different_column:public.shop_item.name"]
    assert any("--fake" in sentence for sentence in cause["evidence_against"])


def test_keys_switched_off_and_never_validated_are_told_apart(shop: Site) -> None:
    migrate(shop, "0006")
    shop.execute("ALTER TABLE shop_invoice DISABLE TRIGGER ALL")
    key = shop.rows("SELECT conname FROM pg_constraint WHERE conrelid = 'shop_review'::regclass AND contype = 'f'")[0][
        0
    ]
    shop.execute(f"ALTER TABLE shop_review DROP CONSTRAINT {key}")
    shop.execute(f"ALTER TABLE shop_review ADD CONSTRAINT {key} FOREIGN KEY (item_id) REFERENCES shop_item(id)"
                 " DEFERRABLE INITIALLY DEFERRED NOT VALID")  # fmt: skip
    found = {cause["drifts"][0].split(":")[0]: cause["verdict"] for cause in causes(shop)}
    assert found == {"disabled_constraint": "by_hand", "not_validated_constraint": "by_hand"}


def test_an_empty_table_made_again_beside_the_full_one_is_told_with_what_it_lacks(shop: Site) -> None:
    migrate(shop, "0002")
    migrate(shop, "0004", path="stray,public")
    shop.execute("INSERT INTO shop_item (name) VALUES ('one')")
    shop.execute("INSERT INTO shop_order (item_id) VALUES (1)")
    shop.execute("INSERT INTO stray.shop_invoice (order_id, total) VALUES (1, 7)")
    migrate(shop, "0006")
    shop.execute("CREATE TABLE IF NOT EXISTS shop_invoice (id bigint PRIMARY KEY, order_id bigint NOT NULL)")
    date(shop, m0003="2026-03-01", m0004="2026-03-01", m0005="2026-05-01", m0006="2026-05-01")
    run, again = sorted(causes(shop), key=lambda cause: cause["verdict"] != "search_path")
    assert (run["verdict"], again["verdict"]) == ("search_path", "by_hand")
    assert {"misplaced_table:public.shop_review", again["drifts"][0]} <= set(run["drifts"])
    assert "made again" in again["sentence"]
    assert (again["first"][:10], again["last"]) == ("2026-05-01", None)
    words = " ".join(again["evidence_for"])
    assert "public.shop_invoice (0 rows) is younger than stray.shop_invoice (1 row)" in words
    assert "shop_invoice.total is missing since shop.0003_invoice" in words
    assert "missing_column:public.shop_invoice.total" in again["drifts"]


def test_a_second_copy_made_elsewhere_later_is_no_run_of_migrate(shop: Site) -> None:
    migrate(shop, "0006")
    shop.execute("CREATE TABLE stray.shop_invoice (LIKE shop_invoice INCLUDING ALL)")
    cause = only(shop)
    assert cause["verdict"] == "by_hand"
    assert "a second time in stray" in cause["sentence"]


def test_what_is_left_in_a_dump_that_was_loaded_into_another_schema_is_no_run_of_migrate(shop: Site) -> None:
    migrate(shop, "0006")
    date(shop, m0002="2026-03-01", m0003="2026-03-01")
    dump = shop.folder / "dump.sql"
    _program(shop, "pg_dump", "-t", "shop_*", "-f", str(dump))
    dump.write_text(dump.read_text().replace("public.", "stray."))
    _program(shop, "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", shop.database.name, "-f", str(dump))
    shop.execute("DROP TABLE shop_order, shop_invoice")
    (lost,) = (cause for cause in causes(shop) if "misplaced_table:public.shop_order" in cause["drifts"])
    assert lost["verdict"] == "by_hand"
    assert lost["drifts"] == ["misplaced_table:public.shop_order", "misplaced_table:public.shop_invoice"]
    assert "copied into stray with others" in lost["sentence"]


# -------------------------------------------------------------------------------------------------------------- mixed


def test_a_mixed_history_is_taken_apart(shop: Site) -> None:
    migrate(shop, "0002")
    migrate(shop, "0004", path="stray,public")
    migrate(shop, "0005", "--fake")
    migrate(shop, "0006")
    shop.execute("ALTER TABLE shop_item DROP COLUMN price")
    shop.execute("ALTER TABLE shop_order ALTER item_id DROP NOT NULL")
    date(shop, m0003="2026-03-01", m0004="2026-03-01", m0005="2026-04-01", m0006="2026-05-01")
    found = {tuple(cause["drifts"]): cause["verdict"] for cause in causes(shop)}
    assert found == {
        ("misplaced_table:public.shop_invoice", "misplaced_table:public.shop_review"): "search_path",
        ("missing_table:public.shop_report", "missing_column:public.shop_order.note"): "fake",
        ("missing_column:public.shop_item.price",): "by_hand",
        ("different_column:public.shop_order.item_id",): "by_hand",
    }


def test_every_broken_or_risky_finding_has_a_cause(incident: Site) -> None:
    incident.execute("REVOKE ALL ON teams_team FROM app_user")
    incident.execute("ALTER TABLE accounts_user ALTER timezone DROP NOT NULL")
    plan = incident.plan()
    explained = {drift for cause in plan["causes"] for drift in cause["drifts"]}
    amiss = {d["id"] for d in plan["drifts"] if d["severity"] != "note" and d["kind"] != "creation_schema_differs"}
    assert amiss <= explained
    assert {cause["verdict"] for cause in plan["causes"]} >= {"search_path", "fake", "unknown"}


def _program(site: Site, name: str, *arguments: str) -> None:
    done = subprocess.run(
        [site.database.server.program(name), *arguments],
        env={**os.environ, **site.database.environment("postgres")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

"""The repair as a migration: right on the drifted database, nothing on all others, loud where it cannot be right."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.scenarios.sites import Project, Site, flat, found, project_site, run_program
from tests.servers import Database, fresh_database

SHOP = {
    "shop/models.py": """
        from django.db import models

        class Item(models.Model):
            name = models.CharField(max_length=40, db_index=True)
            label = models.CharField(max_length=40, blank=True)
            price = models.IntegerField(default=0)

            class Meta:
                constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="item_price_positive")]

        class Order(models.Model):
            item = models.ForeignKey(Item, models.CASCADE)
            note = models.CharField(max_length=40, null=True)
    """,
    "shop/migrations/0001_initial.py": """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            initial = True
            operations = [
                migrations.CreateModel("Item", [
                    ("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False, verbose_name="ID")),
                    ("name", models.CharField(max_length=40, db_index=True)),
                    ("label", models.CharField(max_length=40, blank=True)),
                ]),
            ]
    """,
    "shop/migrations/0002_order.py": """
        import django.db.models.deletion
        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [
                migrations.CreateModel("Order", [
                    ("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False, verbose_name="ID")),
                    ("item", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="shop.item")),
                ]),
            ]
    """,
    "shop/migrations/0003_later.py": """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = [("shop", "0002_order")]
            operations = [
                migrations.AddField("order", "note", models.CharField(max_length=40, null=True)),
                migrations.AddField("item", "price", models.IntegerField(default=0)),
                migrations.AddConstraint("item", models.CheckConstraint(
                    condition=models.Q(("price__gte", 0)), name="item_price_positive")),
            ]
    """,
    "billing/models.py": """
        from django.db import models

        class Invoice(models.Model):
            order = models.ForeignKey("shop.Order", models.CASCADE)
    """,
    "billing/migrations/0001_initial.py": """
        import django.db.models.deletion
        from django.db import migrations, models

        class Migration(migrations.Migration):
            initial = True
            dependencies = [("shop", "0002_order")]
            operations = [
                migrations.CreateModel("Invoice", [
                    ("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False, verbose_name="ID")),
                    ("order", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="shop.order")),
                ]),
            ]
    """,
}
SETTINGS = """
    if "SITE_SQLITE" in os.environ:
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SITE_SQLITE"]}}
"""
STRAY = "-c search_path=stray,public"


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Site:
    """Orders and invoices went elsewhere, and a column and a constraint went missing; rows are there."""
    site = project_site(Project(tmp_path, ("shop", "billing"), settings=SETTINGS, files=SHOP), database)
    site.execute("CREATE SCHEMA stray")
    site.manage("migrate", "shop", "0001", "-v0")
    site.manage("migrate", "-v0", SITE_OPTIONS=STRAY)
    site.execute("INSERT INTO public.shop_item (name, label, price) VALUES ('one', 'first', 1)")
    site.execute("INSERT INTO stray.shop_order (item_id) VALUES (1)")
    site.execute("INSERT INTO stray.billing_invoice (order_id) VALUES (1)")
    site.execute("ALTER TABLE public.shop_item DROP CONSTRAINT item_price_positive")
    site.execute("ALTER TABLE stray.shop_order DROP COLUMN note")
    assert found(site.plan()) == {
        "misplaced_table shop_order",
        "misplaced_table billing_invoice",
        "missing_column shop_order.note",
        "missing_constraint shop_item.item_price_positive",
    }
    return site


def on_another(site: Site, database: Database) -> Site:
    return Site(database, {**site.environment, "SITE_NAME": database.name}, site.folder)


def test_the_migration_repairs_the_drifted_database_and_leaves_every_other_alone(shop: Site, tmp_path: Path) -> None:
    wrote = shop.cascade("migration")
    assert wrote.returncode == 0, wrote.stderr
    [of_shop] = tmp_path.glob("shop/migrations/0004_*.py")
    [of_billing] = tmp_path.glob("billing/migrations/0002_*.py")
    for file in (of_shop, of_billing):
        assert not [line for line in file.read_text().splitlines() if "import" in line and "cascade" in line]
    shop.manage("makemigrations", "--check", "--dry-run")
    assert "SET SCHEMA" in shop.manage("sqlmigrate", "shop", of_shop.stem).stdout

    before = _layout(shop)
    shop.manage("migrate", "-v0")
    assert found(shop.plan()) == set()
    assert shop.rows(
        "SELECT o.item_id, i.id FROM public.shop_order o JOIN public.billing_invoice i ON i.order_id = o.id"
    ) == [(1, 1)]
    repaired = _layout(shop)
    assert repaired != before

    # Back, which changes nothing, and forth again, which finds nothing to do.
    shop.manage("migrate", "shop", "0003", "-v0")
    assert _layout(shop) == repaired
    shop.manage("migrate", "-v0")
    assert _layout(shop) == repaired

    with fresh_database(shop.database.server) as empty:
        site = on_another(shop, empty)
        site.manage("migrate", "shop", "0003", "-v0")
        site.manage("migrate", "billing", "0001", "-v0")
        healthy = _layout(site)
        site.manage("migrate", "-v0")
        assert _layout(site) == healthy
        assert found(site.plan()) == set()

    with fresh_database(shop.database.server) as empty:
        site = on_another(shop, empty)
        site.execute("CREATE SCHEMA tenant")
        site.manage("migrate", "-v0", SITE_OPTIONS="-c search_path=tenant")
        assert site.rows("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ '^(shop|billing)'") == [
            ("tenant",)
        ]

    shop.manage("migrate", "-v0", SITE_SQLITE=str(tmp_path / "db.sqlite3"))


@pytest.mark.one_version
def test_an_empty_copy_gives_way_one_with_rows_is_left_to_a_person_and_what_is_nowhere_is_made(shop: Site) -> None:
    shop.execute("CREATE TABLE public.shop_order (LIKE stray.shop_order INCLUDING ALL)")
    assert shop.cascade("migration").returncode == 0
    recorded = shop.rows("SELECT count(*) FROM django_migrations")
    shop.execute("INSERT INTO public.shop_order (item_id) VALUES (1)")
    failed = run_program("-m", "django", "migrate", environment=shop.environment, folder=shop.folder)
    assert failed.returncode == 1
    assert "holds rows" in failed.stderr
    assert shop.rows("SELECT count(*) FROM django_migrations") == recorded

    shop.execute("DELETE FROM public.shop_order")
    shop.manage("migrate", "-v0")
    assert found(shop.plan()) == set()
    [[said]] = shop.rows("SELECT obj_description(oid) FROM pg_namespace WHERE nspname LIKE 'cascade_attic%'")
    assert "Put aside by cascade" in said
    assert shop.rows("SELECT item_id FROM public.shop_order") == [(1,)]

    shop.manage("migrate", "shop", "0003", "-v0")
    shop.execute("DROP TABLE public.shop_order CASCADE")
    shop.execute("DELETE FROM public.billing_invoice")
    shop.manage("migrate", "-v0")
    assert found(shop.plan()) == set()


@pytest.mark.one_version
def test_of_empty_copies_the_one_that_keys_refer_to_takes_its_place(shop: Site) -> None:
    shop.execute("TRUNCATE stray.shop_order CASCADE")
    shop.execute("CREATE TABLE public.shop_order (LIKE stray.shop_order INCLUDING ALL)")
    assert shop.cascade("migration").returncode == 0
    shop.manage("migrate", "-v0")
    assert found(shop.plan()) == set()
    keys = "SELECT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'public.shop_order'::regclass"
    assert shop.rows(keys) == [("billing_invoice",)]


@pytest.mark.one_version
def test_the_migration_does_what_apply_does_and_leaves_what_a_person_decides(shop: Site) -> None:
    [[key]] = shop.rows(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'stray.shop_order'::regclass AND contype = 'f'"
    )
    [[index]] = shop.rows(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'stray.shop_order'::regclass AND NOT indisunique"
    )
    for statement in (
        f"ALTER TABLE stray.shop_order DROP CONSTRAINT {key}",
        f"ALTER TABLE stray.shop_order ADD CONSTRAINT {key} FOREIGN KEY (item_id) REFERENCES shop_item ON DELETE CASCADE",
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass",
        "CREATE STATISTICS stray.of_items ON id, price FROM public.shop_item",
        # Both are NOT NULL, there are rows, and only of a label that may be blank it is known what they get.
        "ALTER TABLE public.shop_item DROP COLUMN name, DROP COLUMN label",
    ):
        shop.execute(statement)
    wrote = shop.cascade("migration")
    assert wrote.returncode == 0, wrote.stderr
    assert "it leaves public.shop_item.name: it is NOT NULL without a default" in wrote.stderr
    assert "NEXT     read and commit it; migrate then runs it in every environment" in wrote.stderr
    shop.manage("migrate", "-v0")
    assert found(shop.plan()) == {"missing_column shop_item.name"}
    assert shop.rows("SELECT label FROM public.shop_item") == [("",)]
    assert shop.rows(f"SELECT confdeltype::text FROM pg_constraint WHERE conname = '{key}'") == [("a",)]


@pytest.mark.one_version
def test_the_journal_keeps_the_migration_that_the_plan_would_have_been(shop: Site) -> None:
    found_now = shop.cascade("migration", "--print").stdout
    shop.cascade("plan", "-o", "plan.json")
    assert found_now.count("class Migration") == 2
    of_plan = shop.cascade("migration", "plan.json", "--print")
    assert of_plan.stdout == found_now, of_plan.stderr
    done = shop.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cascade migration --journal journal.jsonl" in done.stdout
    assert "cascade migration --journal" in shop.cascade("migration").stderr
    kept = ("migration", "--journal", "journal.jsonl")
    assert shop.cascade(*kept, "--print").stdout == found_now
    written = shop.cascade(*kept)
    assert written.returncode == 0, written.stderr
    shop.manage("migrate", "-v0")
    assert shop.cascade(*kept).returncode == 0
    assert shop.cascade(*kept, "--print").stdout == found_now


@pytest.mark.one_version
def test_what_came_after_the_repair_comes_after_its_migration(shop: Site) -> None:
    shop.cascade("plan", "-o", "plan.json")
    done = shop.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    (shop.folder / "shop/migrations/0004_more.py").write_text(MORE)
    shop.manage("migrate", "-v0")
    late = shop.cascade("migration", "--journal", "journal.jsonl")
    assert late.returncode == 1
    assert "shop has migrations that were not applied where the repair was planned (0004_more)" in flat(late.stderr)
    assert "--before-pending" in late.stderr
    assert shop.cascade("migration", "--journal", "journal.jsonl", "--before-pending").returncode == 0
    [file] = shop.folder.glob("shop/migrations/0005_repair_*.py")
    assert 'run_before = [\n        ("shop", "0004_more"),' in file.read_text()
    assert '("shop", "0003_later")' in file.read_text()
    with fresh_database(shop.database.server) as another:
        drifted = on_another(shop, another)
        drifted.execute("CREATE SCHEMA stray")
        drifted.manage("migrate", "shop", "0001", "-v0")
        drifted.manage("migrate", "shop", "0003", "-v0", SITE_OPTIONS=STRAY)
        drifted.manage("migrate", "-v0")
        assert found(drifted.plan()) == set()
        assert drifted.rows("SELECT obj_description('public.shop_order'::regclass)") == [("later",)]


MORE = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("shop", "0003_later")]
    operations = [migrations.RunSQL("COMMENT ON TABLE public.shop_order IS 'later'")]
"""


@pytest.mark.parametrize("source", ["what is found", "a journal"])
def test_repairs_of_apps_from_elsewhere_go_into_one_that_has_no_migration_yet(
    source: str, tmp_path: Path, one_database: Database
) -> None:
    """They run after all that those apps' own migrations do, also where a database is made from nothing."""
    settings = SETTINGS + "    INSTALLED_APPS.append('repairs')\n"
    installed = Project(tmp_path / "site-packages", ("shop", "billing"), settings=settings, files=SHOP)
    site = project_site(installed, one_database)
    own = tmp_path / "repairs" / "migrations"
    own.mkdir(parents=True)
    for folder in (own, own.parent):
        (folder / "__init__.py").touch()
    site = replace(site, environment={**site.environment, "PYTHONPATH": f"{site.environment['PYTHONPATH']}:{tmp_path}"})
    site.execute("CREATE SCHEMA stray")
    site.manage("migrate", "shop", "-v0")
    site.manage("migrate", "-v0", SITE_OPTIONS=STRAY)
    site.execute("ALTER TABLE public.shop_order DROP COLUMN note")

    command: tuple[str, ...] = ("migration",)
    if source == "a journal":
        found_now = site.cascade("migration", "--into", "repairs", "--print").stdout
        site.cascade("plan", "-o", "plan.json")
        assert site.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl").returncode == 0
        command = ("migration", "--journal", "journal.jsonl")
        assert site.cascade(*command, "--into", "repairs", "--print").stdout == found_now
    refused = site.cascade(*command)
    assert (refused.returncode, "--into APP" in refused.stderr) == (1, True), refused.stderr
    assert site.cascade(*command, "--into", "repairs").returncode == 0
    [file] = own.glob("0001_repair_*.py")
    assert '        ("billing", "0001_initial"),\n        ("shop", "0003_later"),\n    ]' in file.read_text()
    site.manage("migrate", "-v0")
    assert found(site.plan()) == set()
    with fresh_database(one_database.server) as empty:
        anew = on_another(site, empty)
        anew.manage("migrate", "-v0")
        assert found(anew.plan()) == set()


@pytest.mark.one_version
def test_what_cannot_be_put_right_is_named_and_not_recorded(shop: Site) -> None:
    """Types, NULL, constraints and indexes of what is placed are looked at, whatever quotes are in a name."""
    odd = '"odd' + '"' * 6 + "'" * 3 + '"'
    shop.execute(f"ALTER SCHEMA stray RENAME TO {odd}")
    assert shop.cascade("migration").returncode == 0
    recorded = shop.rows("SELECT count(*) FROM django_migrations")
    [[index]] = shop.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'shop_order' AND indexname ~ '_item_id_'")
    for statement in (
        f"DROP INDEX {{}}.{index}",
        "ALTER TABLE {}.shop_order ALTER COLUMN item_id TYPE integer, ALTER COLUMN item_id DROP NOT NULL",
        "ALTER TABLE {}.shop_order DROP CONSTRAINT shop_order_pkey CASCADE",
    ):
        shop.execute(statement.format(odd))
    failed = run_program("-m", "django", "migrate", environment=shop.environment, folder=shop.folder)
    assert failed.returncode == 1
    assert "the repair is not complete" in failed.stderr
    assert "shop_order.item_id is not a column of type bigint NOT NULL" in failed.stderr
    assert "the constraint shop_order_pkey of shop_order is not there" in failed.stderr
    assert re.search("the index shop_order_item_id_\\w+ of shop_order is not there", failed.stderr)
    assert shop.rows("SELECT count(*) FROM django_migrations") == recorded


@pytest.mark.one_version
def test_an_environment_in_the_other_schema_keeps_its_tables(shop: Site) -> None:
    """On a database where what strayed elsewhere is an environment's: the rows of both stay where they are."""
    with fresh_database(shop.database.server) as other:
        site = on_another(shop, other)
        site.execute("CREATE SCHEMA stray")
        site.manage("migrate", "-v0")
        site.manage("migrate", "-v0", SITE_OPTIONS="-c search_path=stray")
        site.execute("INSERT INTO stray.shop_item (name, label, price) VALUES ('one', 'first', 1)")
        site.execute("INSERT INTO stray.shop_order (item_id) VALUES (1)")
        site.execute("INSERT INTO stray.billing_invoice (order_id) VALUES (1)")
        for schema in ("public", "stray"):
            site.execute(f"CREATE STATISTICS {schema}.of_items ON id, price FROM {schema}.shop_item")
        healthy = _layout(site)

        shop.execute("CREATE STATISTICS stray.of_items ON id, price FROM public.shop_item")
        shop.execute("CREATE TABLE public.shop_order (LIKE stray.shop_order INCLUDING ALL)")
        assert shop.cascade("migration").returncode == 0
        site.manage("migrate", "-v0")
        assert _layout(site) == healthy

        site.execute("INSERT INTO public.shop_item (name, label, price) SELECT 'i', 'l', 1 FROM generate_series(1, 2)")
        site.execute("INSERT INTO public.shop_order (item_id) VALUES (1), (2)")
        site.execute("DELETE FROM public.django_migrations WHERE name ~ 'repair'")
        site.manage("migrate", "-v0")
        assert _layout(site) == healthy

        site.execute("DROP TABLE public.billing_invoice")
        site.execute("DELETE FROM public.django_migrations WHERE name ~ 'repair'")
        site.manage("migrate", "-v0")
        assert found(site.plan()) == set()
        assert site.rows("SELECT order_id FROM stray.billing_invoice") == [(1,)]
        assert site.rows("SELECT count(*) FROM public.billing_invoice") == [(0,)]


@pytest.mark.one_version
def test_what_depends_on_one_database_is_named_and_left_out(shop: Site) -> None:
    for statement in (
        "CREATE TABLE public.shop_order (LIKE stray.shop_order INCLUDING ALL)",
        "CREATE VIEW public.orders AS SELECT id FROM public.shop_order",
        "INSERT INTO public.shop_item (id, name, label, price) VALUES (100, 'far', '', 1)",
    ):
        shop.execute(statement)
    printed = shop.cascade("migration", "--print", "--keep", "shop_order=stray").stdout
    assert "exchange_table:public.shop_order: a person decided which copy counts" in printed
    wrote = shop.cascade("migration")
    assert wrote.returncode == 0, wrote.stderr
    [file] = shop.folder.glob("shop/migrations/0004_*.py")
    text = file.read_text()
    assert "exchange_table:public.shop_order: the view public.orders is bound to the copy that would go" in text
    assert "waits for exchange_table:public.shop_order" in text
    assert "set_sequence:public.shop_item.id: how far a sequence is behind depends on the rows" in text
    shop.manage("migrate", "-v0")
    assert shop.rows("SELECT last_value FROM public.shop_item_id_seq") == [(1,)]
    assert shop.rows("SELECT item_id FROM stray.shop_order") == [(1,)]
    assert {"duplicated_table shop_order", "missing_constraint shop_item.item_price_positive"} & found(shop.plan()) == {
        "duplicated_table shop_order"
    }


@pytest.mark.one_version
def test_a_copy_is_put_aside_only_where_it_is_surely_empty_and_nothing_is_bound_to_it(shop: Site) -> None:
    role = f"owner_of_{shop.database.name}"
    shop.execute("CREATE TABLE public.shop_order (LIKE stray.shop_order INCLUDING ALL)")
    assert shop.cascade("migration").returncode == 0
    shop.execute("CREATE VIEW public.orders AS SELECT id FROM public.shop_order")
    failed = run_program("-m", "django", "migrate", environment=shop.environment, folder=shop.folder)
    assert (
        "bound to the empty public.shop_order, and not carried over by a migration: view public.orders" in failed.stderr
    )

    for statement in (
        "DROP VIEW public.orders",
        "INSERT INTO public.shop_order (item_id) VALUES (7)",
        f"CREATE ROLE {role} LOGIN",
        f"GRANT ALL ON DATABASE {shop.database.name} TO {role}",
        f"GRANT ALL ON SCHEMA public, stray TO {role}",
        f"""DO $$ DECLARE t record; BEGIN
            FOR t IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'stray') LOOP
                EXECUTE format('ALTER TABLE %I.%I OWNER TO {role}', t.schemaname, t.tablename);
            END LOOP; END $$""",
        "ALTER TABLE public.shop_order ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    ):
        shop.execute(statement)
    try:
        environment = {**shop.environment, "SITE_USER": role}
        failed = run_program("-m", "django", "migrate", environment=environment, folder=shop.folder)
        assert "row-level security" in failed.stderr
        assert shop.rows("SELECT item_id FROM public.shop_order") == [(7,)]
    finally:
        shop.execute(f"REASSIGN OWNED BY {role} TO postgres")
        shop.execute(f"DROP OWNED BY {role}")
        shop.execute(f"DROP ROLE {role}")


@pytest.mark.one_version
def test_pending_migrations_of_the_app_come_first_unless_a_person_says_otherwise(shop: Site, tmp_path: Path) -> None:
    (tmp_path / "shop/migrations/0004_pending.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("shop", "0003_later")]\n'
        "    operations = [migrations.RunSQL(\"UPDATE public.shop_order SET note = 'x'\")]\n"
    )
    refused = shop.cascade("migration")
    assert refused.returncode == 1
    assert "0004_pending" in refused.stderr
    assert "--before-pending" in refused.stderr
    assert not list(tmp_path.glob("*/migrations/*repair*"))
    assert shop.cascade("migration", "--before-pending").returncode == 0
    [file] = tmp_path.glob("shop/migrations/*repair*.py")
    assert 'run_before = [\n        ("shop", "0004_pending"),' in file.read_text()
    shop.manage("migrate", "-v0")
    assert shop.rows("SELECT note FROM public.shop_order") == [("x",)]
    assert found(shop.plan()) == set()


def _layout(site: Site) -> list[tuple[object, ...]]:
    """Every column, constraint and index with its OID, from the catalogs."""
    return site.rows("""
        SELECT c.oid, n.nspname, c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        UNION ALL SELECT oid, NULL, conname, contype::text, pg_get_constraintdef(oid), NULL, convalidated FROM pg_constraint
        WHERE conrelid <> 0 ORDER BY 1, 2, 3, 5
    """)


TAGS = {
    "shop/models.py": """
        from django.contrib.postgres.fields import HStoreField
        from django.contrib.postgres.indexes import GinIndex
        from django.db import models

        class Item(models.Model):
            name = models.TextField()
            tags = HStoreField()

            class Meta:
                indexes = [GinIndex(fields=["name"], name="item_like", opclasses=["gin_trgm_ops"])]
    """,
    "shop/migrations/0001_initial.py": """
        from django.contrib.postgres.fields import HStoreField
        from django.contrib.postgres.indexes import GinIndex
        from django.contrib.postgres.operations import HStoreExtension, TrigramExtension
        from django.db import migrations, models

        class Migration(migrations.Migration):
            initial = True
            operations = [
                HStoreExtension(),
                TrigramExtension(),
                migrations.CreateModel("Item", [
                    ("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False, verbose_name="ID")),
                    ("name", models.TextField()),
                    ("tags", HStoreField()),
                ], options={"indexes": [GinIndex(fields=["name"], name="item_like", opclasses=["gin_trgm_ops"])]}),
            ]
    """,
}


@pytest.mark.one_version
def test_an_extension_may_be_installed_elsewhere_in_another_environment(tmp_path: Path, database: Database) -> None:
    site = project_site(Project(tmp_path, ("django.contrib.postgres", "shop"), files=TAGS), database)
    for statement in (
        "CREATE SCHEMA stray",
        "CREATE SCHEMA extensions",
        "CREATE EXTENSION hstore SCHEMA extensions",
        "CREATE EXTENSION pg_trgm SCHEMA extensions",
        f"ALTER DATABASE {database.name} SET search_path = public, extensions",
    ):
        site.execute(statement)
    site.manage("migrate", "-v0")
    site.execute("ALTER TABLE public.shop_item SET SCHEMA stray")
    assert found(site.plan()) == {"misplaced_table shop_item"}
    assert site.cascade("migration").returncode == 0
    site.manage("migrate", "-v0")
    assert found(site.plan()) == set()
    with fresh_database(database.server) as empty:
        other = on_another(site, empty)
        other.manage("migrate", "-v0")
        assert found(other.plan()) == set()


PAIR = {
    "shop/models.py": """
        from django.db import models

        class Item(models.Model):
            shelf = models.IntegerField()
            place = models.IntegerField()

            class Meta:
                unique_together = [("shelf", "place")]
    """,
    "shop/migrations/0001_initial.py": """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            initial = True
            operations = [
                migrations.CreateModel("Item", [
                    ("id", models.BigAutoField(primary_key=True, auto_created=True, serialize=False, verbose_name="ID")),
                    ("shelf", models.IntegerField()),
                    ("place", models.IntegerField()),
                ], options={"unique_together": {("shelf", "place")}}),
            ]
    """,
}


@pytest.mark.one_version
def test_the_columns_of_a_unique_constraint_may_stand_in_any_order(tmp_path: Path, database: Database) -> None:
    """As those of a many-to-many table do that was renamed from the other side."""
    site = project_site(Project(tmp_path, ("shop",), files=PAIR), database)
    site.manage("migrate", "-v0")
    [[name]] = site.rows("SELECT conname FROM pg_constraint WHERE conrelid = 'shop_item'::regclass AND contype = 'u'")
    site.execute(f"ALTER TABLE shop_item DROP CONSTRAINT {name}, ADD CONSTRAINT {name} UNIQUE (place, shelf)")
    site.execute("CREATE SCHEMA stray")
    site.execute("ALTER TABLE shop_item SET SCHEMA stray")
    assert found(site.plan()) == {"misplaced_table shop_item"}
    assert site.cascade("migration").returncode == 0
    site.manage("migrate", "-v0")
    assert found(site.plan()) == set()

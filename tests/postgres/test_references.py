"""References beside the default one: the migrations themselves, run on a scratch database, and other servers."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from textwrap import dedent

import pytest
from psycopg import sql

from tests.scenarios.sites import CHECKOUT, Project, Site, demo_site, found, project_site
from tests.servers import Database, Server, SharedServers, fresh_database

pytestmark = pytest.mark.one_version

INITIAL = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        initial = True
        operations = [
            migrations.CreateModel("Item", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=40)),
                ("price", models.IntegerField(default=0)),
            ]),
        ]
"""

BY_HAND = """
    from django.db import migrations

    def add_by_hand(apps, editor):
        editor.execute("ALTER TABLE shop_item ADD COLUMN weight numeric(8, 2) NOT NULL DEFAULT 1.5")
        editor.execute("CREATE INDEX shop_by_weight ON shop_item (weight) WHERE price > 0")

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.RunSQL([
                "ALTER TABLE shop_item ALTER COLUMN name TYPE text",
                "ALTER TABLE shop_item ADD CONSTRAINT shop_price_positive CHECK (price >= 0)",
                "CREATE TABLE shop_log (id serial PRIMARY KEY, item_id bigint REFERENCES shop_item, said text)",
            ]),
            migrations.RunPython(add_by_hand),
        ]
"""

PENDING = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_by_hand")]
        operations = [migrations.RunSQL("CREATE TABLE shop_later (id integer)")]
"""


class Shop:
    """A site with one app ``shop`` whose migrations a test writes, and the server where they may be run."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database

    def site(self, *, settings: str = "", **migrations: str) -> Site:
        files = {f"shop/migrations/{name}.py": text for name, text in migrations.items()}
        return project_site(Project(self.folder, ("shop",), settings=settings, files=files), self.database)

    @cached_property
    def runner(self) -> str:
        return make_runner(self.database.server)

    @property
    def reference(self) -> tuple[str, ...]:
        return as_run(self.database.server, self.runner)


def make_runner(server: Server) -> str:
    """A role for one test, which owns its scratch databases: others on the server run migrations, too."""
    role = f"runner_{os.getpid()}_{next(_counter)}"
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER").format(sql.Identifier(role)))
    return role


_counter = itertools.count(1)


def as_run(server: Server, role: str) -> tuple[str, ...]:
    """The options for the exact reference, on the server that the database itself is on."""
    return ("--reference", "migrations", "--reference-dsn", server.dsn(user=role))


def scratch_databases(server: Server, role: str) -> list[str]:
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'cascade\\_scratch%%' AND pg_get_userbyid(datdba) = %s",
            [role],
        ).fetchall()
    return [name for (name,) in rows]


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Shop:
    return Shop(tmp_path, database)


@pytest.fixture
def one_shop(tmp_path: Path, one_database: Database) -> Shop:
    return Shop(tmp_path, one_database)


@pytest.fixture
def pauper(one_server: Server) -> Iterator[str]:
    """A role that may create no database."""
    role = f"pauper_{os.getpid()}"
    with one_server.connect() as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        yield role
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


# ------------------------------------------------------------------------------------------------- what is found by it


def test_a_healthy_database_is_what_its_migrations_make(server: Server, servers: SharedServers, tmp_path: Path) -> None:
    with demo_site(server, servers, tmp_path, healthy=True) as site:
        role = make_runner(server)
        plan = site.plan(*as_run(server, role))
        assert [drift["id"] for drift in plan["drifts"] if drift["severity"] != "note"] == []
        assert plan["complete"] is True
        assert f"(PostgreSQL {server.version}." in plan["expected"]["reference"]
    assert scratch_databases(server, role) == []


def test_an_embedded_server_will_do(one_server: Server, servers: SharedServers, tmp_path: Path) -> None:
    with demo_site(one_server, servers, tmp_path, healthy=True) as site:
        plan = site.plan("--reference", "migrations")
        assert found(plan) == set()
        assert "running 43 migrations on an embedded server" in plan["expected"]["reference"]


def test_the_settings_may_name_the_reference(one_shop: Shop) -> None:
    own = f'CASCADE = {{"REFERENCE": "migrations", "REFERENCE_DSN": "{one_shop.database.server.dsn()}"}}'
    site = one_shop.site(settings=own, **{"0001_initial": INITIAL, "0002_by_hand": BY_HAND})
    site.manage("migrate", "-v0")
    plan = site.plan()
    assert plan["drifts"] == []
    assert "running 2 migrations on the reference server" in plan["expected"]["reference"]


def test_both_references_find_the_same(server: Server, servers: SharedServers, tmp_path: Path) -> None:
    with demo_site(server, servers, tmp_path) as site:
        assert found(site.plan(*as_run(server, make_runner(server)))) == found(site.plan()) != set()


def test_what_was_made_by_hand_in_a_migration_is_expected(shop: Shop) -> None:
    site = shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND})
    site.manage("migrate", "-v0")
    plan = site.plan(*shop.reference)
    assert plan["drifts"] == []
    assert plan["complete"] is True


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DROP TABLE shop_log", "missing_table shop_log"),
        ("ALTER TABLE shop_item DROP COLUMN weight", "missing_column shop_item.weight"),
        ("DROP INDEX shop_by_weight", "missing_index shop_item.shop_by_weight"),
        (
            "ALTER TABLE shop_item DROP CONSTRAINT shop_price_positive",
            "missing_constraint shop_item.shop_price_positive",
        ),
        ("ALTER TABLE shop_item ALTER COLUMN name TYPE varchar(40)", "different_column shop_item.name"),
    ],
)
def test_what_a_migration_made_by_hand_is_missed(one_shop: Shop, damage: str, finding: str) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND})
    site.manage("migrate", "-v0")
    site.execute(damage)
    plan = site.plan(*one_shop.reference)
    assert finding in found(plan)


def test_a_table_that_no_model_has_is_explained_by_the_migration_that_made_it(one_shop: Shop) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND})
    site.manage("migrate", "-v0")
    site.execute("DROP TABLE shop_log")
    [missing] = site.plan(*one_shop.reference)["drifts"]
    assert (missing["kind"], missing["table"], missing["migration"]) == (
        "missing_table",
        "shop_log",
        "shop.0002_by_hand",
    )
    explained = site.cascade("explain", "shop_log", *one_shop.reference).stdout
    assert "a table that no model has" in explained
    assert "0002_by_hand" in explained


def test_a_table_that_a_migration_dropped_by_hand_is_not_expected(one_shop: Shop) -> None:
    gone = INITIAL.replace("        ]\n", '            migrations.RunSQL("DROP TABLE shop_item"),\n        ]\n')
    site = one_shop.site(**{"0001_initial": gone})
    site.manage("migrate", "-v0")
    assert site.plan(*one_shop.reference)["drifts"] == []


def test_a_pending_migration_is_not_run(one_shop: Shop) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND, "0003_pending": PENDING})
    site.manage("migrate", "-v0", "shop", "0002")
    plan = site.plan(*one_shop.reference)
    assert found(plan) == set()
    assert [drift["kind"] for drift in plan["drifts"]] == ["pending_migration"]


def test_tables_belong_in_the_target_there_too(shop: Shop) -> None:
    shop.database.connection.execute('CREATE SCHEMA "Odd shop"')
    site = shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND})
    path = {"SITE_OPTIONS": '-c search_path="Odd\\ shop"'}
    site.manage("migrate", "-v0", **path)
    assert site.rows("SELECT schemaname FROM pg_tables WHERE tablename = 'shop_log'") == [("Odd shop",)]
    plan = site.plan(*shop.reference, **path)
    assert plan["target_schema"] == "Odd shop"
    assert plan["drifts"] == []


def test_extensions_are_there_before_the_migrations_are_run(shop: Shop) -> None:
    shop.database.connection.execute("CREATE SCHEMA ext")
    shop.database.connection.execute("CREATE EXTENSION citext SCHEMA ext")
    typed = BY_HAND.replace("TYPE text", "TYPE ext.citext")
    site = shop.site(**{"0001_initial": INITIAL, "0002_by_hand": typed})
    path = {"SITE_OPTIONS": "-c search_path=public,ext"}
    site.manage("migrate", "-v0", **path)
    assert site.plan(*shop.reference, **path)["drifts"] == []


GRANTING = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RunSQL("GRANT SELECT ON shop_item TO {role}"),
                      migrations.RunSQL("ALTER TABLE shop_item OWNER TO {role}")]
"""


def test_a_migration_may_give_to_a_role_and_that_is_no_drift(one_shop: Shop, pauper: str) -> None:
    others = "".join(
        f"""
            migrations.CreateModel("Other{number}", [("id", models.BigAutoField(primary_key=True))]),"""
        for number in range(3)
    )
    initial = INITIAL.replace("        operations = [", f"        operations = [{others}")
    site = one_shop.site(**{"0001_initial": initial, "0002_grant": GRANTING.format(role=pauper)})
    site.manage("migrate", "-v0")
    try:
        plan = site.plan("--reference", "migrations")
    finally:
        site.execute(f"REASSIGN OWNED BY {pauper} TO CURRENT_USER")
        site.execute(f"DROP OWNED BY {pauper}")
    (drift,) = plan["drifts"]
    assert (drift["kind"], drift["severity"]) == ("different_privileges", "note")
    assert "OWNER TO" in drift["explained_by"]


# ---------------------------------------------------------------------------------------------------- what it may touch


def test_no_other_database_of_the_project_is_reached(one_shop: Shop) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        others = f"""
            DATABASES["other"] = {{**DATABASES["default"], "HOST": "127.0.0.1", "PORT": {listening.getsockname()[1]}}}
            DATABASES["mirror"] = {{**DATABASES["other"], "TEST": {{"MIRROR": "default"}}}}
        """
        asks = """
            from django.db import connections, migrations

            def ask(apps, editor):
                import os
                if "MIGRATING" not in os.environ:
                    connections["other"].ensure_connection()
                    assert apps.get_model("shop", "Item").objects.using("mirror").count() == 1

            def make(apps, editor):
                apps.get_model("shop", "Item").objects.create(name="one")

            class Migration(migrations.Migration):
                dependencies = [("shop", "0001_initial")]
                operations = [migrations.RunPython(make), migrations.RunPython(ask)]
        """
        # The mirror is read through a connection of its own, which sees what is committed.
        asks = asks.replace("operations =", "atomic = False\n                operations =")
        site = one_shop.site(settings=others, **{"0001_initial": INITIAL, "0002_ask": asks})
        site.manage("migrate", "-v0", MIGRATING="yes")
        before = site.rows("SELECT last_value, (SELECT count(*) FROM shop_item) FROM shop_item_id_seq")
        assert site.plan(*one_shop.reference)["drifts"] == []
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert site.rows("SELECT last_value, (SELECT count(*) FROM shop_item) FROM shop_item_id_seq") == before == [(1, 1)]


def test_the_environment_leads_no_connection_elsewhere(one_shop: Shop) -> None:
    """What libpq takes from it counts for the site, and not for the scratch database."""
    site = one_shop.site(**{"0001_initial": INITIAL})
    site.manage("migrate", "-v0")
    site.execute("CREATE SCHEMA astray")
    plan = site.plan(*one_shop.reference, PGOPTIONS="-c search_path=public,astray", PGDATABASE="nowhere")
    assert plan["drifts"] == []


def test_a_session_on_the_scratch_database_does_not_ask_the_environment(one_server: Server) -> None:
    program = """
        import sys
        from django.conf import settings
        settings.configure()
        from cascade.effects.reference import reference_connection
        from cascade.effects.scratch_database import Surroundings, scratch_database
        server = {"NAME": "postgres", "USER": "postgres", "HOST": sys.argv[1], "PORT": sys.argv[2]}
        surroundings = Surroundings(schemas=("wanted",), path=("wanted",), extensions=())
        with scratch_database(server, surroundings, report=print) as scratch, reference_connection(scratch) as cursor:
            cursor.execute("SHOW search_path")
            print(cursor.fetchone()[0])
    """
    said = subprocess.run(
        [sys.executable, "-c", dedent(program), one_server.host, str(one_server.port)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PGOPTIONS": "-c search_path=astray"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert said.stdout == "wanted\n"


def test_no_file_is_stored_while_migrations_are_run(one_shop: Shop) -> None:
    stores = """
        from django.core.files.base import ContentFile
        from django.core.files.storage import default_storage
        from django.db import migrations

        def store(apps, editor):
            default_storage.save("stored.txt", ContentFile(b"text"))

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunPython(store)]
    """
    media = one_shop.folder / "media"
    site = one_shop.site(settings=f'MEDIA_ROOT = "{media}"', **{"0001_initial": INITIAL, "0002_store": stores})
    site.manage("migrate", "-v0")
    (media / "stored.txt").unlink()
    assert site.plan(*one_shop.reference)["drifts"] == []
    assert list(media.iterdir()) == []


def test_no_mail_is_sent_while_migrations_are_run(one_shop: Shop) -> None:
    mails = """
        from django.core import mail
        from django.db import migrations

        def send(apps, editor):
            import os
            if "MIGRATING" not in os.environ:
                mail.send_mail("subject", "text", "me@example.org", ["you@example.org"])

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunPython(send)]
    """
    site = one_shop.site(
        settings='EMAIL_HOST = "127.0.0.1"\nEMAIL_PORT = 1', **{"0001_initial": INITIAL, "0002": mails}
    )
    site.manage("migrate", "-v0", MIGRATING="yes")
    assert site.plan(*one_shop.reference)["drifts"] == []


# ------------------------------------------------------------------------------------------------------------ the cache


def test_the_same_migrations_are_run_once(one_shop: Shop, pauper: str) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND})
    site.manage("migrate", "-v0")
    reference = ("--reference", "migrations", "--reference-dsn", one_shop.database.server.dsn(user=pauper))
    one_shop.database.connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(pauper)))
    assert site.plan(*reference)["drifts"] == []
    # From here on no scratch database can be made.
    one_shop.database.connection.execute(sql.SQL("ALTER ROLE {} NOCREATEDB").format(sql.Identifier(pauper)))
    assert site.plan(*reference)["drifts"] == []
    one_shop.site(**{"0001_initial": INITIAL, "0002_by_hand": BY_HAND + "# changed\n"})
    assert site.cascade("plan", *reference).returncode == 1


@pytest.mark.parametrize("changed", ["shop/make.sql", "shop/helpers.py"])
def test_what_a_migration_takes_from_another_file_counts_as_its_own(one_shop: Shop, changed: str) -> None:
    reads = """
        from pathlib import Path
        from django.db import migrations
        from shop import helpers

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunSQL(Path(__file__).parents[1].joinpath("make.sql").read_text()),
                          migrations.RunPython(helpers.make)]
    """
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_reads": reads})
    (one_shop.folder / "shop/make.sql").write_text("ALTER TABLE shop_item ADD by_sql integer")
    helper = 'def make(apps, editor):\n    editor.execute("ALTER TABLE shop_item ADD by_code integer")\n'
    (one_shop.folder / "shop/helpers.py").write_text(helper)
    site.manage("migrate", "-v0")
    assert found(site.plan(*one_shop.reference)) == set()
    file = one_shop.folder / changed
    file.write_text(file.read_text().replace("by_", "of_"))
    assert any(finding.startswith("missing_column shop_item.of_") for finding in found(site.plan(*one_shop.reference)))


# ------------------------------------------------------------------------------------------------------------ bad input


def refused(site: Site, *arguments: str, says: tuple[str, ...], **more: str) -> None:
    done = site.cascade("plan", *arguments, **more)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in says:
        assert words in done.stderr, done.stderr


def test_a_migration_that_fails_is_named_and_the_scratch_database_is_gone(shop: Shop) -> None:
    shop.database.connection.execute("CREATE TABLE elsewhere (id integer)")
    leans = BY_HAND.replace(
        "CREATE TABLE shop_log", "ALTER TABLE elsewhere ADD COLUMN item integer;CREATE TABLE shop_log"
    )
    site = shop.site(**{"0001_initial": INITIAL, "0002_by_hand": leans})
    site.manage("migrate", "-v0")
    refused(site, *shop.reference, says=("shop.0002_by_hand fails", 'relation "elsewhere" does not exist'))
    assert scratch_databases(shop.database.server, shop.runner) == []


def test_a_scratch_database_that_cannot_be_dropped_is_named(one_shop: Shop) -> None:
    stays = """
        from django.db import migrations

        def stay(apps, editor):
            import os
            if "MIGRATING" not in os.environ:
                editor.execute(f"ALTER DATABASE {editor.connection.settings_dict['NAME']} IS_TEMPLATE true")

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunPython(stay)]
    """
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_stay": stays})
    site.manage("migrate", "-v0", MIGRATING="yes")
    server = one_shop.database.server
    done = site.cascade("plan", *one_shop.reference)
    [left] = scratch_databases(server, one_shop.runner)
    with server.connect() as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(sql.Identifier(left)))
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(left)))
    assert done.returncode == 1
    assert f"{left} is left on the reference server" in done.stderr
    assert f"DROP DATABASE {left}" in done.stderr


def test_a_role_that_may_not_create_a_database(one_shop: Shop, pauper: str) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL})
    site.manage("migrate", "-v0")
    reference = ("--reference", "migrations", "--reference-dsn", one_shop.database.server.dsn(user=pauper))
    refused(site, *reference, says=("scratch database cannot be created", "permission denied", "CREATEDB"))
    assert scratch_databases(one_shop.database.server, pauper) == []


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("host=127.0.0.1 port=1 password=s3cret", "reference server cannot be reached"),
        ("not a dsn", "not a DSN"),
    ],
)
def test_a_dsn_that_leads_nowhere(one_shop: Shop, dsn: str, says: str) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL})
    site.manage("migrate", "-v0")
    done = site.cascade("plan", "--reference", "migrations", "--reference-dsn", dsn)
    assert done.returncode == 1
    assert says in done.stderr
    assert "s3cret" not in done.stderr


def test_a_server_for_migrations_that_are_not_to_be_run(one_shop: Shop) -> None:
    site = one_shop.site(**{"0001_initial": INITIAL})
    refused(site, "--reference-dsn", one_shop.database.server.dsn(), says=("--reference migrations",))


@pytest.mark.parametrize(
    "how", [lambda dsn: ("--reference", dsn), lambda dsn: ("--reference", "migrations", "--reference-dsn", dsn)]
)
def test_a_server_of_another_major_version_is_refused(
    how: Callable[[str], tuple[str, ...]], servers: SharedServers, tmp_path: Path
) -> None:
    with fresh_database(servers.get("pg15")) as database:
        site = Shop(tmp_path, database).site(**{"0001_initial": INITIAL})
        site.manage("migrate", "-v0")
        other = servers.get("pg18")
        role = make_runner(other)
        refused(site, *how(other.dsn(user=role)), says=("PostgreSQL 18.", "the database 15.", "Give a server of 15"))
        assert scratch_databases(other, role) == []


def test_a_file_from_another_major_version_is_answered_with_both_versions_named(
    servers: SharedServers, tmp_path: Path
) -> None:
    with fresh_database(servers.get("pg15")) as database:
        site = Shop(tmp_path, database).site(**{"0001_initial": INITIAL})
        site.manage("migrate", "-v0")
        script = tmp_path / "catalog.sql"
        script.write_text(site.cascade("catalog-sql").stdout)
        command = [database.server.program("psql"), "-XAt", "-f", str(script)]
        observed = tmp_path / "observed.json"
        observed.write_bytes(
            subprocess.run(
                command, env={**os.environ, **database.environment()}, stdout=subprocess.PIPE, check=True
            ).stdout
        )
        plan = site.plan("--observed", str(observed))
        assert found(plan) == set()
        assert any("PostgreSQL 18." in note and "15." in note for note in plan["notes"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_scratch_database_is_gone_after_an_interruption(one_shop: Shop, number: int) -> None:
    slow = """
        from django.db import migrations

        def wait(apps, editor):
            import os
            with editor.connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(%s)", [os.environ.get("SLOW", 0)])

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunPython(wait)]
    """
    site = one_shop.site(**{"0001_initial": INITIAL, "0002_slow": slow})
    site.manage("migrate", "-v0")
    server, role = one_shop.database.server, one_shop.runner
    process = subprocess.Popen(
        [sys.executable, "-m", "cascade", "plan", *one_shop.reference],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **site.environment, "SLOW": "60"},
        cwd=site.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that are run under nohup hand on a SIGHUP that is ignored, and what is ignored stays so.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    _wait_until(lambda: bool(_sleeping(server, role)))
    assert len(scratch_databases(server, role)) == 1
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does it
    else:
        process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr.strip()) == (1, "", "Stopped.")
    assert scratch_databases(server, role) == []


def _sleeping(server: Server, role: str) -> list[tuple[str]]:
    with server.connect() as connection:
        return connection.execute(
            "SELECT datname FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(%%' AND usename = %s", [role]
        ).fetchall()


def _wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)

"""``cascade history`` and ``cascade where``: the window can be seen, and why tables landed where they did."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import MISPLACED, Project, Site, flat, found, project_site
from tests.servers import Database, Server

pytestmark = pytest.mark.one_version


def history(site: Site, *arguments: str) -> list[dict[str, Any]]:
    done = site.cascade("history", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    migrations: list[dict[str, Any]] = json.loads(done.stdout)["migrations"]
    return migrations


def where(site: Site, *arguments: str, user: str = "", **more: str) -> dict[str, Any]:
    done = site.cascade("where", "--format", "json", *arguments, user=user, **more)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def role(answer: dict[str, Any], duty: str) -> dict[str, Any]:
    view: dict[str, Any] = next(view for view in answer["roles"] if view[duty])
    return view


# ------------------------------------------------------------------------------------------------------------- history


def test_the_window_of_the_incident_can_be_seen(incident: Site) -> None:
    migrations = history(incident)
    recorded = incident.rows("SELECT app || '.' || name FROM django_migrations ORDER BY id")
    assert [entry["migration"] for entry in migrations] == [name for (name,) in recorded]
    astray = {entry["name"][:4]: entry for entry in migrations if entry["app"] == "user_profile" and entry["astray"]}
    assert list(astray) == ["0033", "0035", "0037", "0038", "0039", "0040"]
    tables = [name for entry in astray.values() for name in entry["astray"] if "." not in name]
    assert sorted(tables) == sorted(MISPLACED)
    assert astray["0038"]["found"] == [{"schemas": ["test_schema"], "count": 2}]
    faked = next(entry for entry in migrations if entry["migration"] == "teams.0003_teammembership_left_at")
    assert faked["found"] == [{"schemas": [], "count": 1}]
    assert faked["astray"] == ["teams_teammembership.left_at"]


def test_what_is_in_place_is_folded_unless_asked_for(one_incident: Site) -> None:
    text = one_incident.cascade("history").stdout
    assert "migrations, " in text
    assert "all in public" in text
    assert "accounts.0001_initial" not in text
    assert "! " in text
    in_full = one_incident.cascade("history", "-v").stdout
    assert "accounts.0001_initial" in in_full
    assert "…" not in in_full
    assert max(map(len, text.splitlines())) <= 100


def test_only_an_app_and_only_the_last_are_shown(one_incident: Site) -> None:
    assert {entry["app"] for entry in history(one_incident, "--app", "teams")} == {"teams"}
    recorded = len(one_incident.rows("SELECT FROM django_migrations"))
    assert f"the last 2 of {recorded} migrations recorded in" in flat(
        one_incident.cascade("history", "--last", "2").stdout
    )
    assert [entry["position"] for entry in history(one_incident, "--last", "2")] == [
        id_ for (id_,) in one_incident.rows("SELECT id FROM django_migrations ORDER BY id DESC LIMIT 2")
    ][::-1]
    done = one_incident.cascade("history", "--app", "team")
    assert done.returncode == 1
    assert "teams" in done.stderr


def test_a_pause_between_two_runs_is_a_line_of_its_own(one_incident: Site) -> None:
    one_incident.execute(
        "UPDATE django_migrations SET applied = applied - interval '3 days' WHERE app <> 'user_profile'"
    )
    one_incident.execute("UPDATE django_migrations SET applied = applied + interval '2 hours' WHERE name LIKE '0033%'")
    text = one_incident.cascade("history", "--app", "user_profile").stdout
    assert "-- 2 hours without a record --" in text


def test_pending_squashed_and_lost_migrations_are_shown_as_such(one_incident: Site) -> None:
    one_incident.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('gone', '0001_initial', now())")
    one_incident.execute("DELETE FROM django_migrations WHERE app = 'user_profile' AND name LIKE '0041%'")
    standing = {entry["migration"]: entry["standing"] for entry in history(one_incident)}
    assert standing["gone.0001_initial"] == "without_file"
    assert standing["user_profile.0041_userprofile_last_seen_at"] == "pending"
    assert list(standing)[-1].startswith("user_profile.0041")
    text = one_incident.cascade("history", "-v").stdout
    assert "no file in this checkout" in " ".join(text.split())
    assert "-- not applied yet --" in text


def test_an_empty_database_has_an_empty_history(one_database: Database, tmp_path: Path) -> None:
    site = _bare_site(one_database, tmp_path)
    done = site.cascade("history")
    assert done.returncode == 0, done.stderr
    assert "Nothing is recorded" in done.stdout


# --------------------------------------------------------------------------------------------------------------- where


def test_one_screen_explains_the_incident(incident: Site) -> None:
    answer = where(incident)
    assert answer["target_schema"] == "public"
    pages, migrates = role(answer, "serves"), role(answer, "migrates")
    assert (pages["role"], pages["search_path"]) == ("app_user", "public")
    assert pages["search_path_source"].startswith("ALTER ROLE app_user IN DATABASE")
    assert "may not create" in pages["creation_refused"]
    assert (migrates["role"], migrates["creation_schema"]) == ("migrator", "public")
    assert {held["schema"]: held["tables"] for held in answer["holdings"]}["test_schema"] == len(MISPLACED)
    assert any("test_schema, where app_user does not look" in sentence for sentence in answer["amiss"])
    text = incident.cascade("where").stdout
    assert "BROKEN" in text
    assert len(text.splitlines()) < 25


def test_the_path_that_caused_it_is_shown_with_its_source(one_incident: Site) -> None:
    answer = where(one_incident, PGOPTIONS="-c search_path=test_schema,public")
    migrates = role(answer, "migrates")
    assert migrates["search_path_source"] == "PGOPTIONS"
    assert migrates["creation_schema"] == "test_schema"
    assert any("lands in test_schema, and belongs in public" in sentence for sentence in answer["amiss"])
    assert answer["asked"] == {"search_path": "test_schema,public", "source": "PGOPTIONS", "arrived": True}


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("ALTER ROLE migrator IN DATABASE {database} SET search_path = test_schema, public", "IN DATABASE"),
        ("ALTER DATABASE {database} SET search_path = test_schema, public", "ALTER DATABASE"),
    ],
)
def test_a_path_set_on_the_server_is_named_by_the_statement_that_sets_it(
    one_incident: Site, statement: str, source: str
) -> None:
    one_incident.execute(statement.format(database=f'"{one_incident.database.name}"'))
    migrates = role(where(one_incident), "migrates")
    assert source in migrates["search_path_source"]
    assert migrates["creation_schema"] == "test_schema"


def test_schemas_that_are_passed_over_are_named_with_the_reason(one_incident: Site) -> None:
    one_incident.execute("CREATE SCHEMA closed")
    name = one_incident.database.name
    one_incident.execute(f'ALTER ROLE app_user IN DATABASE "{name}" SET search_path = closed, nowhere, public')
    skipped = role(where(one_incident), "serves")["search_path_skipped"]
    assert skipped == [
        {"schema": "closed", "why": "app_user may not USE it"},
        {"schema": "nowhere", "why": "it does not exist"},
    ]


def test_every_history_is_listed_and_the_one_that_counts_is_said(one_incident: Site) -> None:
    one_incident.execute("CREATE TABLE test_schema.django_migrations (LIKE public.django_migrations INCLUDING ALL)")
    one_incident.execute("GRANT SELECT ON test_schema.django_migrations TO migrator")
    histories = {place["schema"]: place for place in where(one_incident)["histories"]}
    assert histories["public"]["counts"] is True
    assert (histories["test_schema"]["counts"], histories["test_schema"]["records"]) == (False, 0)


def test_a_table_with_a_schema_of_its_own_is_no_alarm(one_database: Database, tmp_path: Path) -> None:
    log = """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            initial = True
            operations = [migrations.CreateModel(
                "Log", [("id", models.AutoField(primary_key=True))], options={"db_table": '"audit"."log"'})]
    """
    site = project_site(Project(tmp_path, ("shop",), files={"shop/migrations/0001_initial.py": log}), one_database)
    site.execute("CREATE SCHEMA audit")
    site.manage("migrate", "-v0")
    answer = where(site)
    assert answer["amiss"] == []
    assert answer["holdings"] == [{"schema": "audit", "tables": 1}]


def test_tables_that_are_there_twice_are_amiss_and_said_to_be_found_where_they_are(one_incident: Site) -> None:
    for table in ("teams_team", "user_profile_badge"):
        one_incident.execute(f"CREATE TABLE test_schema.{table} ()")
    twice = "2 expected tables are in their place and in test_schema as well"
    assert f"{twice}; whether there are rows in both is not read here." in where(one_incident)["amiss"]
    name = one_incident.database.name
    one_incident.execute(f'ALTER ROLE app_user IN DATABASE "{name}" SET search_path = test_schema, public')
    assert f"{twice}, where app_user finds them first." in where(one_incident)["amiss"]


def test_where_needs_no_right_to_make_temporary_tables(one_incident: Site) -> None:
    one_incident.execute(f'REVOKE TEMP ON DATABASE "{one_incident.database.name}" FROM PUBLIC')
    answer = where(one_incident, user="app_user")
    assert answer["expected_tables"] == 24


def test_where_answers_on_an_empty_database(one_database: Database, tmp_path: Path) -> None:
    site = _bare_site(one_database, tmp_path)
    answer = where(site)
    assert answer["histories"] == []
    assert answer["expected_tables"] == 0
    assert role(answer, "migrates")["creation_schema"] == "public"
    assert "no django_migrations in any schema" in site.cascade("where").stdout


def test_where_answers_where_several_histories_could_count(one_incident: Site) -> None:
    for schema in ("one", "other"):
        one_incident.execute(f"CREATE SCHEMA {schema}")
        one_incident.execute(f"CREATE TABLE {schema}.django_migrations (LIKE public.django_migrations)")
    one_incident.execute("DROP TABLE public.django_migrations")
    answer = where(one_incident)
    assert answer["target_schema"] is None
    assert "one, other" in answer["undecided"]


def test_a_pooler_that_drops_start_up_parameters_is_found(one_database: Database, tmp_path: Path) -> None:
    site = _bare_site(one_database, tmp_path, SITE_OPTIONS="-c search_path=wanted,public")
    assert where(site)["asked"]["arrived"] is True
    with pooler(one_database.server) as port:
        answer = where(_with(site, SITE_HOST="127.0.0.1", SITE_PORT=str(port)))
    assert answer["asked"] == {"search_path": "wanted,public", "source": "OPTIONS in DATABASES", "arrived": False}
    assert "ignore_startup_parameters" in answer["amiss"][0]


@contextmanager
def pooler(server: Server) -> Iterator[int]:
    """Passes everything on to the server, but for ``options`` in the start-up packet, as a pooler may be told to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, server), daemon=True).start()
        yield listening.getsockname()[1]


def _serve(listening: socket.socket, server: Server) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()


def _pass_on(client: socket.socket, server: Server) -> None:
    """One connection: refuse encryption, then send the start-up packet without its options (Protocol, 53.2.1)."""
    with client, socket.create_connection(("127.0.0.1", server.port)) as upstream:
        packet = _packet(client)
        while packet[:4] != struct.pack("!i", 196_608):
            client.sendall(b"N")
            packet = _packet(client)
        words = packet[4:].split(b"\0")
        kept = [part for name, value in zip(words[::2], words[1::2], strict=False) if name and name != b"options"
                for part in (name, value)]  # fmt: skip
        body = packet[:4] + b"\0".join(kept) + b"\0\0"
        upstream.sendall(struct.pack("!i", len(body) + 4) + body)
        back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
        back.start()
        _pump(client, upstream)
        back.join()


def _packet(source: socket.socket) -> bytes:
    length = struct.unpack("!i", _exactly(source, 4))[0]
    return _exactly(source, length - 4)


def _exactly(source: socket.socket, number: int) -> bytes:
    data = b""
    while len(data) < number:
        data += source.recv(number - len(data)) or b"\0" * number
    return data


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def _bare_site(database: Database, folder: Path, **more: str) -> Site:
    """A project without apps on an empty database."""
    return _with(project_site(Project(folder, ()), database), **more)


def _with(site: Site, **more: str) -> Site:
    return Site(site.database, {**site.environment, **more}, site.folder, site.options)


@pytest.mark.one_version
def test_a_path_that_leads_past_the_tables_is_one_setting_to_change(one_healthy: Site) -> None:
    database = one_healthy.database.name
    one_healthy.execute(f"ALTER ROLE app_user IN DATABASE {database} SET search_path = app")
    plan = one_healthy.plan()
    [cause] = plan["causes"]
    assert "the search_path of app_user, the role that serves pages, does not lead to public" in cause["sentence"]
    assert (cause["first"], cause["last"]) == (None, None)
    assert f"its search_path is app (ALTER ROLE app_user IN DATABASE {database})" in cause["evidence_for"]
    assert plan["stopgap"]["sql"] == f"ALTER ROLE app_user IN DATABASE {database} SET search_path = public, app;"
    assert plan["stopgap"]["reverse"] == f"ALTER ROLE app_user IN DATABASE {database} SET search_path = app;"
    assert plan["cascade"] == []
    text = one_healthy.cascade("plan").stdout
    assert "GRANT" not in text
    checked = one_healthy.cascade("check")
    assert checked.returncode == 2
    assert len([line for line in checked.stdout.splitlines() if "unreachable_table" in line]) == 1
    each = json.loads(one_healthy.cascade("check", "--format", "json").stdout)["findings"]
    broken = [finding for finding in each if finding["severity"] == "broken"]
    assert len(broken) == len([d for d in plan["drifts"] if d["severity"] == "broken"]) > 10
    where = flat(one_healthy.cascade("where").stdout)
    assert "BROKEN app_user serves pages and does not look in public, where tables belong" in where
    assert f"it does not find {len(broken)} tables there" in where
    one_healthy.execute(plan["stopgap"]["sql"])
    assert found(one_healthy.plan()) == set()

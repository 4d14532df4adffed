"""The demo replays the incident: what goes astray, what goes missing, and which page notices first."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cascade.demo.replay import (
    APPLICATION,
    OWNER,
    SETTINGS_AFTER_HAND_REPAIR,
    ReplayFailed,
    demo_environment,
    how_to_connect,
    replay_hand_repair,
    replay_healthy,
    replay_incident,
)
from cascade.effects.embedded_server import EmbeddedServer, embedded_server
from tests.servers import make_run_folder

DRIFTED = "arena"
HEALTHY = "arena_healthy"
ROOT = Path(__file__).parents[2]

ROWS_OF_MISPLACED_TABLES = {
    "user_profile_about_item": 240,
    "user_profile_stream_config": 20,
    "user_profile_skill_endorsement": 400,
    "user_profile_endorsement_opportunity": 0,
    "user_profile_bounty": 120,
    "user_profile_bounty_participant": 200,
    "user_profile_bounty_result": 0,
}
ENDORSEMENT = "user_profile_skill_endorsement"
OPPORTUNITY = "user_profile_endorsement_opportunity"


def silent(message: str) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    # Not in pytest's own folder: another run of pytest closes that to the user whom root's server runs as.
    folder = make_run_folder()
    try:
        with embedded_server(folder, report=silent) as server:
            replay_incident(server, DRIFTED, report=silent)
            replay_healthy(server, HEALTHY, report=silent)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def connect(
    server: EmbeddedServer, database: str, *, role: str = "", autocommit: bool = False
) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=server.host,
        port=server.port,
        user=role or server.user,
        dbname=database,
        autocommit=autocommit,
    )


def ask(server: EmbeddedServer, database: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(server, database) as connection:
        return connection.execute(query.encode(), values).fetchall()


def ask_column(server: EmbeddedServer, database: str, query: str, *values: Any) -> list[Any]:
    return [row[0] for row in ask(server, database, query, *values)]


def run_in_project(
    server: EmbeddedServer, database: str, *arguments: str, role: str = OWNER
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            **demo_environment(server, database, role=role),
        },
        capture_output=True,
        text=True,
        check=False,
    )


# Settings belong to a process, so the pages are asked in one of their own.
REQUEST_PAGES = """
import json, sys
import django
django.setup()
from django.contrib.auth import get_user_model
from django.db import ProgrammingError
from django.test import Client

answers = {}
for username, path in json.loads(sys.argv[1]):
    client = Client()
    if username:
        client.force_login(get_user_model().objects.get(username=username))
    try:
        answers[path] = client.get(path).status_code
    except ProgrammingError as error:
        answers[path] = str(error).splitlines()[0]
print(json.dumps(answers))
"""


def request_pages(server: EmbeddedServer, database: str, *pages: tuple[str, str]) -> dict[str, int | str]:
    done = run_in_project(server, database, "-c", REQUEST_PAGES, json.dumps(pages), role=APPLICATION)
    assert done.returncode == 0, done.stderr
    answers: dict[str, int | str] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("table", ROWS_OF_MISPLACED_TABLES)
def test_a_table_of_the_window_is_in_the_other_schema_and_nowhere_else(server: EmbeddedServer, table: str) -> None:
    assert ask_column(server, DRIFTED, "SELECT schemaname FROM pg_tables WHERE tablename = %s", table) == [
        "test_schema"
    ]


def test_nothing_else_is_in_the_other_schema(server: EmbeddedServer) -> None:
    assert set(ask_column(server, DRIFTED, "SELECT tablename FROM pg_tables WHERE schemaname = 'test_schema'")) == set(
        ROWS_OF_MISPLACED_TABLES
    )


@pytest.mark.parametrize(("table", "rows"), ROWS_OF_MISPLACED_TABLES.items())
def test_misplaced_tables_hold_the_rows_that_the_healthy_ones_hold(
    server: EmbeddedServer, table: str, rows: int
) -> None:
    misplaced = ask(server, DRIFTED, f"SELECT t::text FROM test_schema.{table} t ORDER BY id")
    in_place = ask(server, HEALTHY, f"SELECT t::text FROM public.{table} t ORDER BY id")
    assert len(misplaced) == rows
    assert misplaced == in_place


@pytest.mark.parametrize(
    ("table", "rows"),
    {
        "accounts_user": 61,
        "teams_teammembership": 84,
        "tournament_engine_match_match": 180,
        "user_profile_userprofile": 61,
        "user_profile_userprofile_badges": 30,
    }.items(),
)
def test_healthy_tables_have_rows_too(server: EmbeddedServer, table: str, rows: int) -> None:
    assert ask_column(server, DRIFTED, f"SELECT count(*) FROM public.{table}") == [rows]


def test_the_column_is_missing_though_its_migration_is_recorded(server: EmbeddedServer) -> None:
    columns = """
        SELECT column_name FROM information_schema.columns
        WHERE table_name = 'teams_teammembership' AND column_name = 'left_at'
    """
    assert ask(server, DRIFTED, columns) == []
    assert ask(server, HEALTHY, columns) == [("left_at",)]
    assert ask_column(server, DRIFTED, "SELECT name FROM django_migrations WHERE app = 'teams' ORDER BY id") == [
        "0001_initial",
        "0002_team_tag",
        "0003_teammembership_left_at",
    ]


def test_both_databases_record_the_same_migrations_once_each(server: EmbeddedServer) -> None:
    recorded = "SELECT app, name FROM django_migrations ORDER BY app, name"
    assert ask(server, DRIFTED, recorded) == ask(server, HEALTHY, recorded)
    assert len(ask(server, DRIFTED, recorded)) == len(set(ask(server, DRIFTED, recorded)))


def test_a_migration_of_the_window_altered_a_table_that_is_in_its_place(
    server: EmbeddedServer,
) -> None:
    assert ask(
        server,
        DRIFTED,
        "SELECT table_schema FROM information_schema.columns"
        " WHERE table_name = 'user_profile_userprofile' AND column_name = 'accent_color'",
    ) == [("public",)]


@pytest.mark.parametrize("database", [DRIFTED, HEALTHY])
def test_the_endorsement_has_fourteen_columns_and_the_bounty_came_last(server: EmbeddedServer, database: str) -> None:
    assert ask_column(server, database, COLUMNS, ENDORSEMENT) == [
        "id",
        "skill_name",
        "comment",
        "created_at",
        "ip_address",
        "user_agent",
        "is_flagged",
        "flag_reason",
        "reviewed_at",
        "endorser_id",
        "match_id",
        "receiver_id",
        "reviewed_by_id",
        "bounty_id",
    ]


@pytest.mark.parametrize("database", [DRIFTED, HEALTHY])
def test_the_opportunity_has_nine_columns(server: EmbeddedServer, database: str) -> None:
    assert ask_column(server, database, COLUMNS, OPPORTUNITY) == [
        "id",
        "expires_at",
        "is_used",
        "used_at",
        "notified",
        "notified_at",
        "created_at",
        "match_id",
        "player_id",
    ]


COLUMNS = """
    SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position
"""


def indexed_columns(server: EmbeddedServer, table: str) -> dict[str, str]:
    definitions = ask(server, DRIFTED, "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", table)
    return {name: definition.partition(" USING btree ")[2] for name, definition in definitions}


def test_the_endorsement_has_the_indexes_of_the_incident(server: EmbeddedServer) -> None:
    indexes = indexed_columns(server, ENDORSEMENT)
    on_keys = {
        columns for name, columns in indexes.items() if name.startswith(ENDORSEMENT) and columns.endswith("_id)")
    }
    assert {
        "user_profile_skill_endorsement_skill_name_39e7906f": "(skill_name)",
        "user_profile_skill_endorsement_skill_name_39e7906f_like": "(skill_name varchar_pattern_ops)",
        "user_profile_skill_endorsement_created_at_450df565": "(created_at)",
        "user_profil_receive_a4e8c9_idx": "(receiver_id, created_at DESC)",
        "user_profil_match_i_8b9e49_idx": "(match_id, created_at)",
        "user_profil_receive_2d9b44_idx": "(receiver_id, skill_name)",
        "user_profil_is_flag_148abd_idx": "(is_flagged, created_at)",
    }.items() <= indexes.items()
    assert on_keys == {
        "(endorser_id)",
        "(match_id)",
        "(receiver_id)",
        "(reviewed_by_id)",
        "(bounty_id)",
    }
    # Eleven of migration 0037 and the bounty's; the primary key's and the unique constraint's beside.
    assert len(indexes) == 11 + 1 + 2


def test_the_opportunity_has_the_indexes_of_the_incident(server: EmbeddedServer) -> None:
    indexes = indexed_columns(server, OPPORTUNITY)
    assert {
        "user_profile_endorsement_opportunity_expires_at_005fac76": "(expires_at)",
        "user_profil_expires_630798_idx": "(expires_at, is_used)",
        "user_profil_player__6b9b5a_idx": "(player_id, is_used, expires_at)",
    }.items() <= indexes.items()
    assert {"(match_id)", "(player_id)"} <= set(indexes.values())
    assert len(indexes) == 5 + 2


@pytest.mark.parametrize(
    ("table", "named", "referenced"),
    [
        (
            ENDORSEMENT,
            {
                "unique_endorsement_per_match_endorser": "UNIQUE (match_id, endorser_id)",
                "no_self_endorsement": "CHECK ((NOT (endorser_id = receiver_id)))",
            },
            ["accounts_user"] * 3 + ["tournament_engine_match_match", "test_schema.user_profile_bounty"],
        ),
        (
            OPPORTUNITY,
            {"unique_opportunity_per_match_player": "UNIQUE (match_id, player_id)"},
            ["accounts_user", "tournament_engine_match_match"],
        ),
    ],
)
def test_constraints_and_keys_are_those_of_the_incident(
    server: EmbeddedServer, table: str, named: dict[str, str], referenced: list[str]
) -> None:
    constraints = ask(
        server,
        DRIFTED,
        "SELECT conname, contype, pg_get_constraintdef(oid), confrelid::regclass::text"
        " FROM pg_constraint WHERE conrelid = %s::regclass",
        f"test_schema.{table}",
    )
    assert {name: text for name, kind, text, _ in constraints if kind in "uc"} == named
    assert sorted(target for _, kind, _, target in constraints if kind == "f") == sorted(referenced)


def test_the_application_role_owns_nothing_and_looks_into_public_only(
    server: EmbeddedServer,
) -> None:
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'test_schema')"
    assert ask_column(server, DRIFTED, owners) == [OWNER]
    with connect(server, DRIFTED, role=APPLICATION) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("public",)
        counted = connection.execute("SELECT count(*) FROM test_schema.user_profile_bounty")
        assert counted.fetchone() == (120,)


PAGES = (
    ("cobalt1", "/me/settings/"),
    ("", "/@cobalt1/"),
    ("referee", "/admin/"),
    ("referee", "/admin/user_profile/userprofile/"),
    ("", "/login/"),
)


def test_every_page_of_the_healthy_site_answers(server: EmbeddedServer) -> None:
    assert request_pages(server, HEALTHY, *PAGES) == {
        "/me/settings/": 200,
        "/@cobalt1/": 200,
        "/admin/": 200,
        "/admin/user_profile/userprofile/": 200,
        "/login/": 200,
    }


def test_pages_of_the_drifted_site_fail_where_a_table_or_column_is_not_in_place(
    server: EmbeddedServer,
) -> None:
    assert request_pages(server, DRIFTED, *PAGES) == {
        "/me/settings/": "column teams_teammembership.left_at does not exist",
        "/@cobalt1/": 'relation "user_profile_about_item" does not exist',
        "/admin/": 200,
        "/admin/user_profile/userprofile/": 200,
        "/login/": 200,
    }


def test_repaired_one_at_a_time_the_profile_page_fails_in_the_order_of_the_incident(
    server: EmbeddedServer,
) -> None:
    """The day that the incident took: move what the page misses, ask again, read the next name."""
    with connect(server, "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE arena_by_hand TEMPLATE {DRIFTED} OWNER {OWNER}".encode())
    met = []
    with connect(server, "arena_by_hand", autocommit=True) as connection:
        while (answer := request_pages(server, "arena_by_hand", PAGES[1])["/@cobalt1/"]) != 200:
            table = str(answer).split('"')[1]
            met.append(table)
            connection.execute(f"ALTER TABLE test_schema.{table} SET SCHEMA public".encode())
    assert met == [
        "user_profile_about_item",
        "user_profile_stream_config",
        "user_profile_skill_endorsement",
        "user_profile_bounty",
        "user_profile_bounty_participant",
    ]


@pytest.mark.parametrize("database", [DRIFTED, HEALTHY])
@pytest.mark.parametrize("command", [("makemigrations",), ("migrate",)], ids=["models", "history"])
def test_django_itself_sees_nothing_wrong_in_either_database(
    server: EmbeddedServer, database: str, command: tuple[str, ...]
) -> None:
    done = run_in_project(server, database, "-m", "django", *command, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_project_has_a_manage_py_for_commands_by_hand(server: EmbeddedServer) -> None:
    manage = ROOT / "cascade" / "demo" / "project" / "manage.py"
    done = run_in_project(server, DRIFTED, str(manage), "showmigrations", "--plan")
    assert done.returncode == 0, done.stderr
    assert "[X]  user_profile.0037_p0_skill_endorsements" in done.stdout


def test_what_to_type_by_hand_names_the_database(
    server: EmbeddedServer,
) -> None:
    words = how_to_connect(server, DRIFTED)
    assert f"export CASCADE_DEMO_HOST={server.host}" in words
    assert "export CASCADE_DEMO_NAME=arena" in words
    assert "-m cascade plan --app user_profile" in words


@pytest.mark.slow
def test_a_kept_server_is_used_and_stopped_as_the_demo_says(tmp_path: Path) -> None:
    hostile = {"PGOPTIONS": "-c search_path=nowhere", "DJANGO_SETTINGS_MODULE": "no.such.settings"}
    demo = [sys.executable, "-m", "cascade", "demo", "--after-hand-repair", "--keep", "-o", str(tmp_path / "output")]
    done = in_shell(shlex.join(demo), **hostile)
    before, _, after = done.stderr.partition("To stop it: ")
    assert after, done.stderr
    stop = after.splitlines()[0]
    try:
        assert done.returncode == 0, done.stderr
        used = in_shell(before.partition("To use it by hand:")[2])
    finally:
        stopped = in_shell(stop)
    assert (used.returncode, stopped.returncode, stopped.stderr) == (0, 0, "")
    assert not Path(stop.rpartition("rm -r ")[2]).exists()
    assert "[X] 0062_repair_skill_endorsement_tables" in used.stdout
    assert f"{ENDORSEMENT} is there twice: 0 rows in public, 400 rows in test_schema." in " ".join(done.stdout.split())
    assert (tmp_path / "output" / "plan.txt").read_text() == done.stdout
    assert sorted(file.name for file in (tmp_path / "output").iterdir()) == [
        "plan.dot",
        "plan.json",
        "plan.svg",
        "plan.txt",
    ]


def in_shell(commands: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-e", "-c", commands],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_repair_by_hand_is_replayed_on_top_of_the_incident(server: EmbeddedServer) -> None:
    said: list[str] = []
    replay_hand_repair(server, "arena_by_hand_migration", report=said.append)
    assert said[-2].endswith(f"({SETTINGS_AFTER_HAND_REPAIR}):")
    assert said[-1] == "  migrate user_profile"
    places = "SELECT schemaname, tablename FROM pg_tables WHERE tablename LIKE 'user_profile_%%' ORDER BY 1, 2"
    assert set(ask(server, "arena_by_hand_migration", places)) - set(ask(server, DRIFTED, places)) == {
        ("public", ENDORSEMENT),
        ("public", OPPORTUNITY),
    }
    assert set(ask(server, DRIFTED, places)) <= set(ask(server, "arena_by_hand_migration", places))


def test_a_replay_can_be_repeated_and_comes_out_the_same(server: EmbeddedServer) -> None:
    layout = """
        SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema IN ('public', 'test_schema') ORDER BY 1, 2, ordinal_position
    """
    said: list[str] = []
    replay_incident(server, "arena_again", report=said.append)
    replay_incident(server, "arena_again", report=silent)
    assert ask(server, "arena_again", layout) == ask(server, DRIFTED, layout)
    assert "  migrate user_profile 0040" in said
    assert "  migrate teams --fake" in said


def test_a_database_of_somebody_else_is_not_dropped(server: EmbeddedServer) -> None:
    with connect(server, "postgres", autocommit=True) as connection:
        connection.execute('CREATE DATABASE "not ours"')
    with pytest.raises(ReplayFailed, match="that the demo did not make"):
        replay_incident(server, "not ours", report=silent)
    assert ask(server, "not ours", "SELECT 1") == [(1,)]


def test_an_odd_database_name_and_the_callers_own_settings_do_no_harm(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=nowhere")
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "no.such.settings")
    replay_healthy(server, 'Odd "näme"; --', report=silent)
    monkeypatch.delenv("PGOPTIONS")
    assert ask(server, 'Odd "näme"; --', "SELECT count(*) FROM public.user_profile_bounty") == [(120,)]

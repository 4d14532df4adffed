"""On somebody's production server: locks, triggers, replicas, rights, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.scenarios.sites import CHECKOUT, MISPLACED, Site, found


def test_a_plan_comes_though_another_session_locks_a_healthy_and_a_misplaced_table(incident: Site) -> None:
    locked = ("public.teams_team", "test_schema.user_profile_bounty")
    with incident.database.connect() as other:
        other.autocommit = False
        other.execute(f"LOCK TABLE {', '.join(locked)} IN ACCESS EXCLUSIVE MODE")
        plan = incident.plan()
        other.rollback()
    assert {f"misplaced_table {name}" for name in MISPLACED} <= found(plan)
    assert plan["complete"] is False
    not_checked = " ".join(entry["what"] + " " + entry["why"] for entry in plan["not_checked"])
    assert all(name in not_checked for name in locked)
    assert "pid" in not_checked


def test_a_trigger_on_ddl_is_not_fired_and_what_was_not_compared_is_said(incident: Site) -> None:
    incident.execute(
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$"
    )
    incident.execute("CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()")
    plan = incident.plan()
    assert {f"misplaced_table {name}" for name in MISPLACED} <= found(plan)
    assert "missing_column teams_teammembership.left_at" in found(plan)
    assert plan["complete"] is False
    assert "event trigger" in plan["not_checked"][0]["why"]
    assert "No drift" not in incident.cascade("plan").stdout


def test_without_the_right_to_temporary_tables_another_server_is_the_reference(incident: Site) -> None:
    name = incident.database.name
    incident.execute(f"REVOKE TEMP ON DATABASE {name} FROM PUBLIC, migrator")
    incident.execute(f"ALTER DATABASE {name} OWNER TO postgres")
    without = incident.plan()
    assert without["complete"] is False
    assert "temporary" in without["not_checked"][0]["why"]
    reference = incident.database.server.dsn("postgres")
    complete = incident.plan("--reference", reference)
    assert complete["complete"] is True
    assert found(complete) == found(without)


def test_a_healthy_database_that_was_not_compared_in_full_is_not_called_free_of_drift(one_healthy: Site) -> None:
    one_healthy.execute(
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no DDL here'; END $$"
    )
    one_healthy.execute("CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()")
    assert "No drift" not in one_healthy.cascade("plan").stdout
    assert one_healthy.cascade("check").returncode == 3


def test_reading_changes_nothing_that_a_dump_shows(incident: Site) -> None:
    before = _dump(incident)
    incident.plan()
    incident.cascade("check")
    assert _dump(incident) == before


def test_no_statement_but_reads_and_temporary_tables_is_sent(one_incident: Site) -> None:
    """The server's own log is the witness: outside pg_temp every transaction was read-only."""
    name = one_incident.database.name
    one_incident.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    # With writing forbidden the expected side cannot be made, but the observed side must read all the same.
    done = one_incident.cascade("plan", "--format", "json", "--reference", one_incident.database.server.dsn("postgres"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("seconds", [0.9, 1.1, 1.3])
def test_nothing_is_left_behind_after_a_kill(one_incident: Site, seconds: float) -> None:
    before = _dump(one_incident)
    with _started(one_incident) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    for _ in range(100):
        if one_incident.rows(_SESSIONS) == [(0,)]:
            break
        time.sleep(0.1)
    assert one_incident.rows(_SESSIONS) == [(0,)]
    assert one_incident.rows("SELECT count(*) FROM pg_class WHERE relpersistence = 't'") == [(0,)]
    assert _dump(one_incident) == before


_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@contextmanager
def _started(site: Site) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **site.environment}
    with subprocess.Popen(
        [sys.executable, "-m", "cascade", "plan"],
        env=environment,
        cwd=site.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield process


def _dump(site: Site) -> str:
    done = subprocess.run(
        [site.database.server.program("pg_dump"), "--no-sync", site.database.dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    # \restrict and \unrestrict carry a key that is new in each dump.
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))

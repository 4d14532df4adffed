"""A rehearsal runs the real steps and leaves nothing; on a clone the database itself is not even locked."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.scenarios.sites import MISPLACED, Site, flat
from tests.scenarios.test_repair import dump

QUICK = ("--tries", "1", "--lock-timeout", "0.3")


@contextmanager
def somebody_reads_on(site: Site) -> Iterator[None]:
    """A session that lets others read, and has a lock which every rehearsal on the database itself would wait for."""
    with site.database.connect() as somebody, somebody.transaction():
        somebody.execute("LOCK TABLE test_schema.user_profile_bounty, public.django_migrations IN SHARE MODE")
        yield


def test_a_clone_of_the_layout_stands_in_for_the_database(incident: Site) -> None:
    """On PostgreSQL 15 the clone is of another major version, which prints definitions differently."""
    incident.execute("ALTER TABLE public.teams_team DROP CONSTRAINT teams_team_pkey CASCADE")
    incident.execute("GRANT SELECT ON test_schema.user_profile_bounty TO app_user")
    before = dump(incident)
    assert incident.cascade("plan", "-o", "plan.json").returncode == 0
    with somebody_reads_on(incident):
        cloned = incident.cascade("rehearse", "plan.json", "--clone")
        here = incident.cascade("rehearse", "plan.json", *QUICK)
    assert cloned.returncode == 0, cloned.stdout + cloned.stderr
    assert "on a clone without rows" in cloned.stdout
    assert "could not take" not in cloned.stdout
    assert "ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;" in cloned.stdout
    assert (here.returncode, "Nothing was changed" in here.stderr) == (1, True), here.stdout + here.stderr
    assert dump(incident) == before


@pytest.mark.one_version
def test_production_is_rehearsed_on_a_clone_unless_a_person_says_here(one_incident: Site) -> None:
    (one_incident.folder / "of_production.py").write_text(
        "from cascade.demo.project.settings import *\n"
        f'CASCADE = {{**CASCADE, "PRODUCTION": ["elsewhere", "127.0.0.1:{one_incident.database.server.port}"]}}\n'
    )
    of_production = ("--settings", "of_production", "--pythonpath", str(one_incident.folder))
    with somebody_reads_on(one_incident):
        default = one_incident.cascade("rehearse", *of_production)
        here = one_incident.cascade("rehearse", "--here", *of_production, *QUICK)
    assert default.returncode == 0, default.stdout + default.stderr
    assert "on a clone without rows" in default.stdout
    assert here.returncode == 1
    assert "on the database itself" in one_incident.cascade("rehearse").stdout


@pytest.mark.one_version
def test_where_no_step_could_be_tried_nothing_is_said_to_be_verified(one_healthy: Site) -> None:
    """An index is rebuilt outside of any transaction."""
    index = "user_profil_player__6b9b5a_idx"
    one_healthy.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass")
    done = one_healthy.cascade("rehearse")
    assert "VERIFIED Nothing: every step needs to be outside of a transaction" in done.stdout, done.stderr
    assert "is cured" not in done.stdout


@pytest.mark.one_version
def test_a_step_that_fails_on_the_clone_is_said_before_it_fails_on_production(one_incident: Site) -> None:
    """An event trigger is part of the layout."""
    one_incident.execute(
        "CREATE FUNCTION public.no_moves() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION 'nothing is moved here'; END$$"
    )
    one_incident.execute(
        "CREATE EVENT TRIGGER no_moves ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.no_moves()"
    )
    dsn = ("--reference", "embedded")
    done = one_incident.cascade("rehearse", "--clone", "--app", "user_profile", *dsn)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "nothing is moved here" in done.stderr


@pytest.mark.one_version
def test_what_no_step_cures_is_said_and_is_an_exit_code(one_incident: Site) -> None:
    """Rows in both copies: that needs a person."""
    one_incident.execute("CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL)")
    one_incident.execute("ALTER TABLE public.user_profile_bounty OWNER TO migrator")
    one_incident.execute("INSERT INTO public.user_profile_bounty SELECT * FROM test_schema.user_profile_bounty LIMIT 1")
    done = one_incident.cascade("rehearse")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "No step cures" in done.stdout


@pytest.mark.one_version
def test_a_plan_file_and_another_question_are_not_taken_together(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("rehearse", "plan.json", "--app", "teams")
    assert done.returncode == 1
    assert "PLAN says what it is about" in done.stderr


@pytest.mark.one_version
def test_each_command_of_a_repair_says_what_it_is_about_and_what_comes_next(one_incident: Site) -> None:
    planned = flat(one_incident.cascade("plan", "-o", "plan.json").stderr)
    assert planned.startswith("wrote plan.json PLAN ")
    number = len(MISPLACED) + 1
    assert f"{number} broken, 0 risky; {number} steps." in planned
    assert planned.endswith("NEXT cascade rehearse plan.json")
    assert flat(one_incident.cascade("rehearse", "plan.json").stdout).endswith("NEXT cascade apply plan.json")
    applied = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl").stdout
    assert re.search(r"made at \S+ \S+ UTC, and the same at \S+ \S+ UTC\.", flat(applied))
    undone = one_incident.cascade("undo", "journal.jsonl")
    head = flat(undone.stdout)
    assert head.startswith("UNDO The repair of ")
    assert f"{number} steps on {one_incident.database.name} on " in head
    assert "What it repaired will be broken again:" in head
    assert "Read what would be undone, then give --noinput." in undone.stderr

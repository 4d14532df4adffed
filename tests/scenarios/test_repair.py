"""From the plan to the deed and back, on the command line as people do it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cascade.demo.witness import lost_rows, read_rows
from tests.scenarios.sites import CHECKOUT, INTERRUPTIBLE, MISPLACED, NO_SECOND_SESSION, Site, flat, found
from tests.servers import Server


def test_a_plan_is_rehearsed_applied_and_taken_back(incident: Site) -> None:
    address, name = _address(incident), incident.database.name
    before, rows = dump(incident), read_rows(address, name)
    saved = incident.cascade("plan", "-o", "plan.json")
    assert saved.returncode == 0, saved.stderr

    rehearsed = incident.cascade("rehearse", "plan.json")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "All of it was rolled back: nothing was changed." in rehearsed.stdout
    assert (
        "LOCKS    ACCESS EXCLUSIVE on public.teams_teammembership, test_schema.user_profile_about_item,"
        in rehearsed.stdout
    )
    assert dump(incident) == before

    applied = incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert applied.returncode == 0, applied.stderr + applied.stdout
    _assert_every_statement_was_shown_first(incident, applied.stdout)
    assert found(incident.plan()) == set()
    assert not lost_rows(address, name, rows)

    undone = incident.cascade("undo", "journal.jsonl", "--noinput")
    assert undone.returncode == 0, undone.stderr
    assert dump(incident) == before
    assert not lost_rows(address, name, rows)
    again = incident.cascade("undo", "journal.jsonl", "--noinput")
    assert (again.returncode, "has been undone already" in again.stderr) == (1, True)


def _assert_every_statement_was_shown_first(site: Site, output: str) -> None:
    events = [json.loads(line) for line in (site.folder / "journal.jsonl").read_text().splitlines()]
    sent = _sent(site)
    assert len(sent) == len(MISPLACED) + 1
    assert all(statement in output for statement in sent)
    others = [event["event"] for event in events if event["event"] != "statement"]
    assert others == ["begin", "migrations", "committing", "committed", "looked", "afterwards"]
    assert all(event["milliseconds"] >= 0 for event in events if event["event"] == "statement")


def test_the_script_sends_what_apply_sends_and_its_mirror_takes_it_back(one_incident: Site) -> None:
    one_incident.execute("DROP TABLE public.teams_team CASCADE")
    before = dump(one_incident)
    script = one_incident.cascade("plan", "--format", "sql").stdout
    undo = one_incident.cascade("plan", "--format", "undo-sql").stdout
    _psql(one_incident, script)
    after = dump(one_incident)
    assert "nothing was changed" in _psql(one_incident, script, fails=True)
    _psql(one_incident, undo)
    assert dump(one_incident) == before
    assert "nothing was changed" in _psql(one_incident, undo, fails=True)

    one_incident.cascade("plan", "-o", "plan.json")
    one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert dump(one_incident) == after
    sent, at = _sent(one_incident), 0
    for statement in sent:
        assert statement in script[at:], statement
        at = script.index(statement, at) + len(statement)
    assert len(re.findall(r"^(?:ALTER|CREATE|GRANT|DROP|UPDATE)\b", script, re.MULTILINE)) == len(sent)


def test_the_script_sees_what_was_changed_while_it_waited_for_its_locks(one_incident: Site) -> None:
    script = one_incident.cascade("plan", "--format", "sql").stdout
    with one_incident.database.connect() as somebody, ThreadPoolExecutor() as pool:
        somebody.execute("BEGIN; ALTER TABLE test_schema.user_profile_bounty ADD COLUMN later integer")
        running = pool.submit(_psql, one_incident, script, fails=True)
        _wait_for_a_waiter(one_incident)
        somebody.execute("COMMIT")
        said = running.result()
    assert "nothing was changed: not defined as it was read: test_schema.user_profile_bounty" in said


def _sent(site: Site) -> list[str]:
    events = [json.loads(line) for line in (site.folder / "journal.jsonl").read_text().splitlines()]
    return [event["sql"] for event in events if event["event"] == "statement"]


def _psql(site: Site, script: str, *, fails: bool = False) -> str:
    server = site.database.server
    done = subprocess.run(
        [server.program("psql"), "-X", "-q", site.database.server.dsn(site.database.name, "migrator")],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


@pytest.mark.parametrize("orphans", [0, 1])
def test_the_keys_that_went_with_a_primary_key_come_back_with_it(one_incident: Site, orphans: int) -> None:
    """A row that refers to nothing meanwhile leaves its key NOT VALID, and is told."""
    keys = "SELECT count(*), count(*) FILTER (WHERE convalidated) FROM pg_constraint WHERE confrelid = 'teams_team'::regclass"
    [[before, _]] = one_incident.rows(keys)
    one_incident.execute("ALTER TABLE public.teams_team DROP CONSTRAINT teams_team_pkey CASCADE")
    for _ in range(orphans):
        one_incident.execute(
            "UPDATE public.tournaments_tournament_teams SET team_id = -1 WHERE id = (SELECT min(id) FROM public.tournaments_tournament_teams)"
        )
    drifted = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == (2 if orphans else 0), done.stdout + done.stderr
    assert one_incident.rows(keys) == [(before, before - orphans)]
    assert one_incident.cascade("undo", "journal.jsonl", "--noinput").returncode == 0
    assert dump(one_incident) == drifted


def test_an_index_by_which_subscribers_know_rows_stays_until_they_know_them_otherwise(one_healthy: Site) -> None:
    """Where it is gone PostgreSQL refuses each UPDATE and DELETE of what is published."""
    site, table = one_healthy, "public.teams_teammembership"
    site.execute(f"ALTER TABLE {table} DROP CONSTRAINT unique_member_per_team")
    site.execute(f"ALTER TABLE {table} ADD CONSTRAINT unique_member_per_team UNIQUE (user_id, team_id, role)")
    site.execute(f"ALTER TABLE {table} REPLICA IDENTITY USING INDEX unique_member_per_team")
    plan = site.plan()
    assert plan["steps"] == []
    [drift] = [drift for drift in plan["drifts"] if drift["severity"] == "risky"]
    instead = f"ALTER TABLE {table} REPLICA IDENTITY DEFAULT"
    assert drift["undecided"].endswith(f"first {instead}"), drift["undecided"]
    site.execute(instead)
    assert [step["action"] for step in site.plan()["steps"]] == ["replace_constraint"]


def test_a_key_to_an_exchanged_table_is_validated_after_the_exchange(one_incident: Site) -> None:
    """That it is not validated comes to light only when the copy that it points at is in its place."""
    key = "user_profile_bounty__bounty_id_7d63d1af_fk_user_prof"
    participants = "test_schema.user_profile_bounty_participant"
    one_incident.execute(
        "CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    )
    one_incident.execute("ALTER TABLE public.user_profile_bounty OWNER TO migrator")
    one_incident.execute(f"ALTER TABLE {participants} DROP CONSTRAINT {key}")
    one_incident.execute(
        f"ALTER TABLE {participants} ADD CONSTRAINT {key} FOREIGN KEY (bounty_id) "
        "REFERENCES test_schema.user_profile_bounty (id) DEFERRABLE INITIALLY DEFERRED NOT VALID"
    )
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert one_incident.rows(f"SELECT convalidated FROM pg_constraint WHERE conname = '{key}'") == [(True,)]


def test_losses_of_every_kind_are_rehearsed_cured_and_taken_back(one_incident: Site) -> None:
    """A rehearsal leaves no trace, sequences included; nothing that the undo cannot take back keeps it from the rest."""
    site = one_incident
    for statement in (
        # The rows are elsewhere, and so is the sequence that is behind them.
        "SET ROLE migrator",
        "CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL)",
        "RESET ROLE",
        "SELECT setval('test_schema.user_profile_bounty_id_seq', 3)",
        "ALTER TABLE public.tournaments_tournament_teams ALTER COLUMN id DROP IDENTITY",
        "ALTER TABLE public.teams_teammembership DISABLE TRIGGER ALL",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = (SELECT indexrelid FROM pg_index WHERE indrelid ="
        " 'public.user_profile_userprofile'::regclass AND NOT indisunique ORDER BY 1 LIMIT 1)",
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC, app_user",
    ):
        site.execute(statement)
    before, behind = dump(site), site.rows("SELECT last_value FROM test_schema.user_profile_bounty_id_seq")
    site.cascade("plan", "-o", "plan.json")
    steps = {step["id"] for step in json.loads((site.folder / "plan.json").read_text())["steps"]}
    assert steps >= {"set_sequence:public.user_profile_bounty.id", "grant_usage:public"}, steps

    rehearsed = site.cascade("rehearse", "plan.json")
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    assert site.rows("SELECT last_value FROM test_schema.user_profile_bounty_id_seq") == behind == [(3,)]
    applied = site.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert found(site.plan()) == set()
    assert site.rows(
        "SELECT nextval('public.user_profile_bounty_id_seq') > (SELECT max(id) FROM public.user_profile_bounty),"
        " nextval(pg_get_serial_sequence('public.tournaments_tournament_teams', 'id'))"
        " > (SELECT max(id) FROM public.tournaments_tournament_teams)"
    ) == [(True, True)]

    undone = site.cascade("undo", "journal.jsonl", "--noinput")
    assert undone.returncode == 0, undone.stderr
    # What was made valid stays so; pg_dump leaves an invalid index out.
    assert [line for line in dump(site) if line not in before and not line.startswith("CREATE INDEX")] == []


@pytest.mark.one_version
def test_an_undo_that_would_lose_rows_says_so_and_not_in_which_statement(one_incident: Site) -> None:
    one_incident.execute("DROP TABLE public.tournaments_tournament_teams")
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    after = dump(one_incident)
    one_incident.execute(
        "INSERT INTO public.tournaments_tournament_teams (tournament_id, team_id)"
        " SELECT min(t.id), min(m.id) FROM public.tournaments_tournament t, public.teams_team m"
    )
    undone = one_incident.cascade("undo", "journal.jsonl", "--noinput")
    assert undone.returncode == 1
    assert (
        "\ncascade: Not undone: dropping public.tournaments_tournament_teams would lose the rows that it holds: 1\n"
        "  Nothing was changed"
    ) in undone.stderr, undone.stderr
    assert dump(one_incident) == after


def test_nobody_is_asked_where_nobody_answers(one_incident: Site) -> None:
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    asked = one_incident.cascade("apply", "plan.json")
    assert asked.returncode == 1
    assert "there is no terminal on which to ask" in asked.stderr
    assert "--noinput" in asked.stderr
    assert dump(one_incident) == before


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _newer(text: str) -> str:
    return json.dumps({**json.loads(text), "schema_version": 99})


def _edited(text: str) -> str:
    return text.replace("SET SCHEMA public", "SET SCHEMA elsewhere", 1)


def _with_a_step_less(text: str) -> str:
    document = json.loads(text)
    return json.dumps({**document, "steps": document["steps"][1:]})


def _with_another_question(text: str) -> str:
    document = json.loads(text)
    return json.dumps({**document, "question": {**document["question"], "apps": ["teams"]}})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: "", "no JSON, or was cut off"),
        (_cut, "no JSON, or was cut off"),
        (lambda text: "[]", "no plan of cascade"),
        (lambda text: '{"schema_version": 1}', "no whole plan"),
        (_newer, "version 99"),
        (_edited, "was edited"),
        (_with_a_step_less, "was edited"),
        (_with_another_question, "Nothing was changed"),
    ],
)
def test_a_plan_file_that_is_not_as_it_was_made_is_refused(
    one_incident: Site, spoil: Callable[[str], str], says: str
) -> None:
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    file = one_incident.folder / "plan.json"
    file.write_text(spoil(file.read_text()))
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 1
    assert says in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert dump(one_incident) == before


def test_what_changed_since_the_plan_is_said_and_a_new_plan_is_asked_for(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    one_incident.execute("ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public")
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 1
    assert "is not as it was when" in done.stderr
    assert "move_table:public.user_profile_bounty" in done.stderr
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    assert one_incident.cascade("apply", "plan.json", "--noinput").returncode == 0
    nothing = one_incident.cascade("apply", "plan.json", "--noinput")
    assert nothing.returncode == 1
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    assert "nothing to run" in one_incident.cascade("apply", "plan.json", "--noinput").stdout


def test_a_role_that_owns_half_of_the_tables_is_stopped_before_the_first_statement(one_incident: Site) -> None:
    for table in MISPLACED[::2]:
        one_incident.execute(f"ALTER TABLE test_schema.{table} OWNER TO postgres")
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 1
    assert "belongs to postgres" in flat(done.stdout)
    assert "the preflight says no" in done.stderr
    assert dump(one_incident) == before
    owner = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", one_incident.database.dsn)
    assert owner.returncode == 0, owner.stdout + owner.stderr


def test_a_target_schema_that_is_not_writable_or_not_there_changes_nothing(one_incident: Site) -> None:
    one_incident.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC, migrator")
    one_incident.execute("ALTER SCHEMA public OWNER TO postgres")
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 1
    assert "may not create in public" in flat(done.stdout)
    missing = one_incident.cascade("plan", "--schema", "nowhere")
    assert missing.returncode == 1
    assert "nowhere" in missing.stderr
    assert dump(one_incident) == before


def test_a_database_that_takes_no_writes_by_default_is_repaired_all_the_same(one_incident: Site) -> None:
    one_incident.execute(f"ALTER DATABASE {one_incident.database.name} SET default_transaction_read_only = on")
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "default_transaction_read_only is on" in flat(done.stdout)


@pytest.mark.one_version
def test_a_repair_that_nobody_can_watch_says_so_before_it_locks_anything(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    one_incident.execute(NO_SECOND_SESSION)
    rehearsed = one_incident.cascade("rehearse", "plan.json", "--here")
    assert rehearsed.returncode == 0, rehearsed.stderr
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stderr
    assert "second connection cannot tell" in flat(done.stdout)
    assert "no second session" in flat(done.stdout)
    for said in (rehearsed.stderr, done.stderr):
        assert said.startswith("cascade: Nobody watches who waits for this repair"), said
        assert "more than 1 s (--max-wait)" in said
    events = [json.loads(line)["event"] for line in (one_incident.folder / "journal.jsonl").read_text().splitlines()]
    assert 0 < events.index("unwatched") < events.index("statement")


def test_a_plan_is_applied_with_other_settings_than_it_was_made_with(one_healthy: Site) -> None:
    """To the end: also when it is looked at again after the COMMIT."""
    one_healthy.execute("ALTER TABLE public.teams_team ALTER COLUMN tag DROP NOT NULL")
    (one_healthy.folder / "of_deployment.py").write_text("from cascade.demo.project.settings import *\n")
    saved = one_healthy.cascade("plan", "-o", "plan.json", "--settings", "cascade.demo.project.settings")
    assert saved.returncode == 0, saved.stderr
    where = ("--settings", "of_deployment", "--pythonpath", str(one_healthy.folder))
    done = one_healthy.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl", *where)
    assert done.returncode == 0, done.stdout + done.stderr
    # Nothing is left but what needs a person, and that is an exit code; so is a limit that is none.
    one_healthy.execute("ALTER TABLE public.teams_team ALTER COLUMN tag TYPE text")
    one_healthy.cascade("plan", "-o", "plan.json")
    empty = one_healthy.cascade("apply", "plan.json", "--noinput")
    assert (empty.returncode, "no steps" in empty.stdout) == (2, True), empty.stdout + empty.stderr
    limitless = one_healthy.cascade("apply", "plan.json", "--noinput", "--lock-timeout", "0")
    assert (limitless.returncode, "--lock-timeout" in limitless.stderr) == (1, True), limitless.stderr


def test_another_server_or_database_is_not_taken_for_the_plans(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    dsn = one_incident.database.server.dsn("postgres", "migrator")
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", dsn)
    assert done.returncode == 1
    assert "this is postgres, the plan is for" in flat(done.stdout)
    unreachable = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", "host=127.0.0.1 port=1 dbname=x")
    assert unreachable.returncode == 1
    assert "cannot be reached" in unreachable.stderr
    unknown = one_incident.cascade("apply", "plan.json", "--noinput", "--apply-database", "defalt")
    assert 'no database "defalt"' in unknown.stderr
    assert "default" in unknown.stderr


def test_who_stops_it_by_hand_is_told_what_was_done(one_incident: Site) -> None:
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    command = [sys.executable, *INTERRUPTIBLE, "apply", "plan.json", "--noinput"]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **one_incident.environment}
    with one_incident.database.connect() as somebody:
        somebody.execute("BEGIN; LOCK TABLE test_schema.user_profile_bounty IN ACCESS SHARE MODE")
        with subprocess.Popen(
            command,
            env=environment,
            cwd=one_incident.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as applying:
            _wait_for_a_waiter(one_incident)
            applying.send_signal(signal.SIGINT)
            said = applying.communicate(timeout=60)[1]
            assert "Stopped. Nothing was changed" in said, (applying.returncode, said)
            assert "What was tried is written down in cascade-" in said
    assert applying.returncode == 1
    assert dump(one_incident) == before
    assert one_incident.cascade("apply", "plan.json", "--noinput").returncode == 0


def test_the_journal_of_a_failed_repair_is_named_kept_and_in_nobodys_way(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    again = ("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    with one_incident.database.connect() as somebody:
        somebody.execute("BEGIN; LOCK TABLE test_schema.user_profile_bounty IN ACCESS SHARE MODE")
        failed = one_incident.cascade(*again, "--lock-timeout", "0.1", "--tries", "1")
    assert failed.returncode == 1
    assert "Nothing was changed: in 1 tries a lock was not to be had" in failed.stderr
    assert "What was tried is written down in journal.jsonl." in failed.stderr
    tried = (one_incident.folder / "journal.jsonl").read_text()
    last = json.loads(tried.splitlines()[-1])
    assert (last["event"], "a lock was not to be had" in last["why"]) == ("rolled_back", True)
    done = one_incident.cascade(*again)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the earlier one, of which nothing is left, is kept as journal.1.jsonl" in flat(done.stdout)
    assert (one_incident.folder / "journal.1.jsonl").read_text() == tried
    nothing = one_incident.cascade("undo", "journal.1.jsonl", "--noinput")
    assert (nothing.returncode, "there is nothing to undo" in nothing.stderr) == (1, True)
    # One that was undone gives way too, one that an undo may need to nothing.
    assert one_incident.cascade("undo", "journal.jsonl", "--noinput").returncode == 0
    assert one_incident.cascade(*again).returncode == 0
    assert (one_incident.folder / "journal.2.jsonl").is_file()
    one_incident.execute("DROP TABLE accounts_user_groups")
    one_incident.cascade("plan", "-o", "plan.json")
    refused = one_incident.cascade(*again)
    assert refused.returncode == 1
    assert "journal.jsonl is there already, and may be needed for an undo" in flat(refused.stdout)


def _wait_for_a_waiter(site: Site) -> None:
    for _ in range(600):
        if site.rows(
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'test_schema.user_profile_bounty'::regclass"
        ):
            return
        time.sleep(0.05)
    raise AssertionError("apply did not come so far")


# --------------------------------------------------------------------------------------------------------------- undo


def _applied(site: Site) -> Path:
    site.cascade("plan", "-o", "plan.json")
    done = site.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert "REPAIRED" in done.stdout, done.stdout + done.stderr
    return site.folder / "journal.jsonl"


def test_an_undo_keeps_rows_that_were_written_since(one_incident: Site) -> None:
    one_incident.execute("DROP TABLE test_schema.user_profile_bounty CASCADE")
    _applied(one_incident)
    one_incident.execute(
        "INSERT INTO public.user_profile_badge (slug, title) VALUES ('written', 'since')",
    )
    [[creator]] = one_incident.rows("SELECT min(id) FROM public.accounts_user")
    columns = dict(
        one_incident.rows(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
            "AND table_name = 'user_profile_bounty' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'"
        )
    )
    values = {name: str(creator) if name == "creator_id" else _value_of(type_) for name, type_ in columns.items()}
    one_incident.execute(
        f"INSERT INTO public.user_profile_bounty ({', '.join(values)}) VALUES ({', '.join(values.values())})"
    )
    before = dump(one_incident)
    done = one_incident.cascade("undo", "journal.jsonl", "--noinput")
    assert done.returncode == 1
    assert "dropping public.user_profile_bounty would lose the rows that it holds: 1" in done.stderr
    assert dump(one_incident) == before


def _value_of(type_: str) -> str:
    if "timestamp" in type_:
        return "now()"
    if type_ == "boolean":
        return "false"
    return "'x'" if "char" in type_ or type_ == "text" else "1"


@pytest.mark.parametrize("beside", ["", "ALTER TABLE public.tournaments_tournament_teams ALTER team_id TYPE integer"])
def test_an_identity_column_is_taken_back_until_a_row_is_written(beside: str, one_incident: Site) -> None:
    """Also where taking back another column's type writes every row anew."""
    one_incident.execute(f"ALTER TABLE public.tournaments_tournament_teams DROP COLUMN id; {beside}")
    one_incident.execute(
        "INSERT INTO public.tournaments_tournament_teams (tournament_id, team_id)"
        " SELECT t.id, m.id FROM public.tournaments_tournament t, public.teams_team m ON CONFLICT DO NOTHING"
    )
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    script = one_incident.cascade("plan", "--format", "undo-sql").stdout

    def repair(journal: str) -> None:
        done = one_incident.cascade("apply", "plan.json", "--noinput", "--allow", "rewrite", "--journal", journal)
        assert done.returncode == 0, done.stdout + done.stderr

    repair("first.jsonl")
    undone = one_incident.cascade("undo", "first.jsonl", "--noinput")
    assert undone.returncode == 0, undone.stderr
    assert dump(one_incident) == before
    repair("second.jsonl")
    _psql(one_incident, script)
    assert dump(one_incident) == before
    repair("third.jsonl")
    one_incident.execute(
        "UPDATE public.tournaments_tournament_teams SET team_id = team_id"
        " WHERE id = (SELECT min(id) FROM public.tournaments_tournament_teams)"
    )
    refused = one_incident.cascade("undo", "third.jsonl", "--noinput")
    assert refused.returncode == 1
    for said in (refused.stderr, _psql(one_incident, script, fails=True)):
        assert "holds values in id, and dropping it would lose them: 1" in said


def test_an_undo_refuses_what_was_changed_since(one_incident: Site) -> None:
    _applied(one_incident)
    one_incident.execute("ALTER TABLE public.user_profile_bounty ADD COLUMN later integer")
    before = dump(one_incident)
    done = one_incident.cascade("undo", "journal.jsonl", "--noinput")
    assert done.returncode == 1
    assert "no longer as the repair left them" in done.stderr
    assert dump(one_incident) == before


def test_a_database_of_that_name_on_another_server_is_not_what_was_repaired(
    one_incident: Site, old_server: Server
) -> None:
    journal, name = _applied(one_incident), one_incident.database.name
    with old_server.connect() as administration:
        administration.execute(f"CREATE DATABASE {name}".encode())
        try:
            dsn = old_server.dsn(name)
            done = one_incident.cascade("undo", str(journal), "--noinput", "--dsn", dsn)
        finally:
            administration.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    assert (done.returncode, f"The journal is of another {name}" in done.stderr) == (1, True), done.stderr


def test_a_journal_that_is_no_whole_one_is_refused(one_incident: Site) -> None:
    journal = _applied(one_incident)
    lines, before = journal.read_text().splitlines(keepends=True), dump(one_incident)
    other = one_incident.folder / "other.jsonl"
    for text, says in (
        ("", "is no journal of a repair"),
        ("{}\n", "is no journal of a repair"),
        ("".join(lines)[:300], "is no journal of a repair"),
        ("".join(lines[1:]), "is no journal of a repair"),
        (lines[0].replace('"journal": 1', '"journal": 9') + "".join(lines[1:]), "version 9"),
        ("".join(lines[:3]), "nothing to undo"),
    ):
        other.write_text(text)
        done = one_incident.cascade("undo", "other.jsonl", "--noinput")
        assert (done.returncode, says in done.stderr) == (1, True), (says, done.stderr)
        assert "Traceback" not in done.stderr
    missing = one_incident.cascade("undo", "nowhere.jsonl", "--noinput")
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)
    assert dump(one_incident) == before
    # Cut off after the COMMIT was sent: the server knows that it holds.
    other.write_text("".join(line for line in lines if '"committed"' not in line and '"looked"' not in line))
    undone = one_incident.cascade("undo", "other.jsonl", "--noinput")
    assert undone.returncode == 0
    # What the server confirms is shown before it is run, like the rest.
    assert "ALTER TABLE public.user_profile_bounty SET SCHEMA test_schema;" in undone.stdout
    assert found(one_incident.plan()) != set()


def dump(site: Site) -> list[str]:
    """The whole layout, as pg_dump sees it."""
    program = site.database.server.program("pg_dump")
    done = subprocess.run([program, "-s", site.database.dsn], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\"))]


def _address(site: Site) -> Any:
    return SimpleNamespace(host=site.database.server.host, port=site.database.server.port, user="postgres")

"""Copies of a table: what is bound to one that gives way, where several go, and what a person decided."""

import json
import re

import pytest

from tests.scenarios.sites import Site, flat, found
from tests.scenarios.test_repair import dump

BOUNTY = "user_profile_bounty"


def make_copy(site: Site, schema: str, *, rows: bool = False) -> str:
    """A copy of the bounties, owned as the others are; empty unless ``rows``."""
    copy = f"{schema}.{BOUNTY}"
    site.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION migrator") if schema != "public" else None
    site.execute(f"CREATE TABLE {copy} (LIKE test_schema.{BOUNTY} INCLUDING ALL)")
    site.execute(f"ALTER TABLE {copy} OWNER TO migrator")
    site.execute(f"GRANT ALL ON {copy} TO app_user")
    if rows:
        site.execute(f"INSERT INTO {copy} SELECT * FROM test_schema.{BOUNTY} LIMIT 1")
    return copy


@pytest.mark.one_version
def test_row_security_goes_on_with_the_table_that_counts_and_each_copy_has_an_attic(one_incident: Site) -> None:
    shell = make_copy(one_incident, "public")
    make_copy(one_incident, "stray")
    one_incident.execute(f"ALTER TABLE {shell} ENABLE ROW LEVEL SECURITY")
    one_incident.execute(f"CREATE POLICY few ON {shell} USING (stake > 1000000)")
    before = dump(one_incident)
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    flags = f"SELECT relrowsecurity FROM pg_class WHERE oid = 'public.{BOUNTY}'::regclass"
    assert one_incident.rows(flags) == [(True,)]
    attics = "SELECT count(DISTINCT schemaname) FROM pg_tables WHERE schemaname LIKE 'cascade\\_attic%'"
    assert one_incident.rows(attics) == [(2,)]
    undone = one_incident.cascade("undo", "journal.jsonl", "--noinput")
    assert undone.returncode == 0, undone.stderr
    assert dump(one_incident) == before


@pytest.mark.one_version
def test_a_trigger_that_is_disabled_on_a_shell_withholds_the_exchange(one_incident: Site) -> None:
    shell = make_copy(one_incident, "public")
    one_incident.execute("CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    one_incident.execute(
        f"CREATE TRIGGER quiet BEFORE INSERT ON {shell} FOR EACH ROW EXECUTE FUNCTION public.nothing()"
    )
    one_incident.execute(f"ALTER TABLE {shell} DISABLE TRIGGER quiet")
    plan = one_incident.plan()
    assert not [step for step in plan["steps"] if step["action"] == "exchange_table"]
    [copies] = [d for d in plan["drifts"] if d["kind"] == "duplicated_table"]
    assert "trigger quiet is bound to the copy that would go" in copies["undecided"]


@pytest.mark.one_version
def test_the_copy_that_a_person_keeps_is_the_table_and_nothing_is_asked_again(one_incident: Site) -> None:
    make_copy(one_incident, "public", rows=True)
    keep = ("--keep", f"{BOUNTY}=test_schema")
    one_incident.cascade("plan", *keep, "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found(one_incident.plan()) == set()


@pytest.mark.one_version
def test_a_table_is_not_made_anew_while_keys_point_at_its_copy(one_incident: Site) -> None:
    done = one_incident.cascade("plan", "--create", BOUNTY)
    assert done.returncode == 1
    assert f"--take {BOUNTY}=test_schema" in done.stderr


@pytest.mark.one_version
def test_what_a_person_leaves_out_is_said_to_be_left_out(one_incident: Site) -> None:
    text = one_incident.cascade("plan", "--leave-out", f"move_table:public.{BOUNTY}").stdout
    assert f"LEFT OUT by --leave-out: 1 step; not repaired: {BOUNTY}." in text
    assert "BY HAND" not in text


@pytest.mark.one_version
def test_a_table_that_somebody_has_locked_is_not_called_changed(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    with one_incident.database.connect() as somebody, somebody.transaction():
        somebody.execute(f"LOCK TABLE test_schema.{BOUNTY} IN ACCESS EXCLUSIVE MODE")
        done = one_incident.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 1
    assert f"test_schema.{BOUNTY} cannot be compared with the plan, for pid" in done.stderr


@pytest.mark.one_version
@pytest.mark.parametrize("orphans", [0, 1])
def test_a_key_to_the_copy_that_goes_is_repointed_before_that_goes_into_the_attic(
    one_healthy: Site, orphans: int
) -> None:
    key = point_a_key_at_a_copy(one_healthy, orphans=orphans)
    before = dump(one_healthy)
    plan = one_healthy.plan("--keep", f"{BOUNTY}=public")
    steps = [step["action"] for step in plan["steps"] if step["action"] != "create_schema"]
    assert steps == ["repoint_foreign_key", "shelve_table", *["validate_constraint"] * (not orphans)]
    left = {f"not_validated_constraint {key}"} if orphans else set()
    one_healthy.cascade("plan", "--keep", f"{BOUNTY}=public", "-o", "plan.json")
    done = one_healthy.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == (2 if orphans else 0), done.stdout + done.stderr
    assert found(one_healthy.plan()) == left
    undone = one_healthy.cascade("undo", "journal.jsonl", "--noinput")
    assert undone.returncode == 0, undone.stderr
    assert dump(one_healthy) == before


@pytest.mark.one_version
@pytest.mark.parametrize("kept", ["public", "test_schema"])
def test_a_key_to_the_second_copy_that_goes_is_repointed_before_that_goes_into_an_attic_of_its_own(
    one_healthy: Site, kept: str
) -> None:
    point_a_key_at_a_copy(one_healthy)
    key = point_a_key_at_a_copy(one_healthy, schema="test_schema_2", table="user_profile_bounty_result")
    before = dump(one_healthy)
    one_healthy.cascade("plan", "--keep", f"{BOUNTY}={kept}", "-o", "plan.json")
    plan = json.loads((one_healthy.folder / "plan.json").read_text())
    second = next(step for step in plan["steps"] if step["id"] == f"shelve_table:test_schema_2.{BOUNTY}")
    assert second["details"]["attic"].endswith("_copy_2")
    assert f"repoint_foreign_key:public.{key}" in second["waits_for"]
    [misdirected] = [drift for drift in plan["drifts"] if drift["id"] == f"misdirected_foreign_key:public.{key}"]
    assert misdirected["observed"] == f"refers to test_schema_2.{BOUNTY}"
    rehearsed = one_healthy.cascade("rehearse", "plan.json")
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    done = one_healthy.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found(one_healthy.plan()) == set()
    undone = one_healthy.cascade("undo", "journal.jsonl", "--noinput")
    assert undone.returncode == 0, undone.stderr
    assert dump(one_healthy) == before
    leave_out = ("--leave-out", f"repoint_foreign_key:public.{key}")
    fewer = [step["id"] for step in one_healthy.plan("--keep", f"{BOUNTY}={kept}", *leave_out)["steps"]]
    assert not [step for step in fewer if "_copy_2" in step or step == second["id"]], "an attic for nothing"


@pytest.mark.one_version
def test_a_key_into_an_attic_is_misdirected_whoever_put_its_table_there(one_healthy: Site) -> None:
    key = point_a_key_at_a_copy(one_healthy)
    one_healthy.execute("CREATE SCHEMA cascade_attic_2026_01_02")
    one_healthy.execute(f"ALTER TABLE test_schema.{BOUNTY} SET SCHEMA cascade_attic_2026_01_02")
    assert found(one_healthy.plan()) == {f"misdirected_foreign_key {key}"}
    assert one_healthy.cascade("check").returncode == 2
    one_healthy.cascade("plan", "-o", "plan.json")
    refused = one_healthy.cascade("apply", "plan.json", "--noinput")
    assert "it may not use cascade_attic_2026_01_02" in flat(refused.stdout + refused.stderr)
    one_healthy.execute("ALTER SCHEMA cascade_attic_2026_01_02 OWNER TO migrator")
    done = one_healthy.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found(one_healthy.plan()) == set()


@pytest.mark.one_version
def test_apply_leaves_no_less_than_the_rehearsal_said(one_healthy: Site) -> None:
    key = point_a_key_at_a_copy(one_healthy)
    leave_out = f"repoint_foreign_key:public.{key}"
    one_healthy.execute("ALTER TABLE public.teams_team ALTER COLUMN tag DROP NOT NULL")
    one_healthy.cascade("plan", "--keep", f"{BOUNTY}=public", "--leave-out", leave_out, "-o", "plan.json")
    rehearsed = one_healthy.cascade("rehearse", "plan.json")
    applied = one_healthy.cascade("apply", "plan.json", "--noinput")
    assert (rehearsed.returncode, applied.returncode) == (2, 2), rehearsed.stdout + applied.stdout
    left = [left_in(done.stdout) for done in (rehearsed, applied)]
    assert left[0] == left[1] == {f"misdirected_foreign_key:public.{key}", f"duplicated_table:public.{BOUNTY}"}


def left_in(screen: str) -> set[str]:
    """The ids of the findings that a rehearsal, or apply, says are left."""
    return set(re.findall(r"[a-z_]+:public\.[\w.]*\w", flat(screen).partition(" LEFT ")[2]))


def point_a_key_at_a_copy(
    site: Site, *, orphans: int = 0, schema: str = "test_schema", table: str = "user_profile_bounty_participant"
) -> str:
    """A copy of the bounties with their rows, and the key of a table in the target leads to it: TABLE.KEY."""
    site.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION migrator")
    site.execute(f"CREATE TABLE {schema}.{BOUNTY} (LIKE public.{BOUNTY} INCLUDING ALL)")
    site.execute(f"ALTER TABLE {schema}.{BOUNTY} OWNER TO migrator")
    site.execute(f"INSERT INTO {schema}.{BOUNTY} SELECT * FROM public.{BOUNTY}")
    [(name,)] = site.rows(
        f"SELECT conname FROM pg_constraint WHERE conrelid = 'public.{table}'::regclass "
        f"AND confrelid = 'public.{BOUNTY}'::regclass"
    )
    site.execute(f"ALTER TABLE public.{table} DROP CONSTRAINT {name}")
    if orphans:
        least = f"(SELECT min(bounty_id) FROM public.{table})"
        site.execute(f"UPDATE {schema}.{BOUNTY} SET id = 1000 WHERE id = {least}")
        site.execute(f"UPDATE public.{table} SET bounty_id = 1000 WHERE bounty_id = {least}")
    site.execute(
        f"ALTER TABLE public.{table} ADD CONSTRAINT {name} FOREIGN KEY (bounty_id) "
        f"REFERENCES {schema}.{BOUNTY} (id) DEFERRABLE INITIALLY DEFERRED"
    )
    return f"{table}.{name}"


@pytest.mark.one_version
def test_of_empty_copies_the_one_that_keys_refer_to_is_the_table(one_incident: Site) -> None:
    one_incident.execute(f"TRUNCATE test_schema.{BOUNTY} CASCADE")
    make_copy(one_incident, "public")
    plan = one_incident.plan()
    [copies] = [d for d in plan["drifts"] if (d["kind"], d["table"]) == ("duplicated_table", BOUNTY)]
    assert f"test_schema.{BOUNTY} counts: all are empty, and keys refer to it alone" in copies["evidence"]
    one_incident.cascade("plan", "-o", "plan.json")
    applied = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert applied.returncode == 0, applied.stderr
    assert found(one_incident.plan()) == set()
    assert one_incident.cascade("undo", "journal.jsonl", "--noinput").returncode == 0

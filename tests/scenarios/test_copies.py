"""Copies of a table: what is bound to one that gives way, where several go, and what a person decided."""

import pytest

from tests.scenarios.sites import Site, found
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

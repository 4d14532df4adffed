"""Counters that are behind, rights that only one table lacks, and what a table uses that lies astray."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import MISPLACED, Site, found

pytestmark = pytest.mark.one_version

BOUNTY = "user_profile_bounty"


@pytest.fixture
def reporter(one_healthy: Site) -> Iterator[str]:
    """A role beside the application's, with no rights yet. Roles are the server's: it goes again."""
    role = f"{one_healthy.database.name}_reporter"
    one_healthy.execute(f"CREATE ROLE {role}")
    yield role
    one_healthy.execute(f"DROP OWNED BY {role}")
    one_healthy.execute(f"DROP ROLE {role}")


# ---------------------------------------------------------------------------------------------------------- counters


def test_a_sequence_that_was_set_back_is_behind(healthy: Site) -> None:
    healthy.execute(f"SELECT setval('{BOUNTY}_id_seq', 7, false)")
    plan = healthy.plan()
    assert found(plan) == {f"sequence_behind {BOUNTY}.id"}
    (drift,) = (d for d in plan["drifts"] if d["kind"] == "sequence_behind")
    assert (drift["severity"], drift["columns"]) == ("broken", ["id"])
    (cause,) = plan["causes"]
    assert "an ALTER SEQUENCE … RESTART or a setval by hand would look the same" in cause["evidence_against"]
    highest = healthy.rows(f"SELECT max(id) FROM {BOUNTY}")[0][0]
    assert drift["evidence"] == [f"public.{BOUNTY}_id_seq gives 7 next; the highest id is {highest}"]
    assert healthy.rows(drift["query"]) == [(7, False, highest)]
    healthy.execute(f"SELECT setval('{BOUNTY}_id_seq', {highest})")
    assert found(healthy.plan()) == set()


def test_a_misplaced_table_takes_its_counter_along(incident: Site) -> None:
    incident.execute(f"SELECT setval('test_schema.{BOUNTY}_id_seq', 1)")
    assert {f"misplaced_table {BOUNTY}", f"sequence_behind {BOUNTY}.id"} <= found(incident.plan())


def test_counters_that_may_not_be_read_are_one_gap_and_no_finding(one_healthy: Site) -> None:
    plan = one_healthy.plan(user="app_user")
    assert "sequence_behind" not in {drift["kind"] for drift in plan["drifts"]}
    one_healthy.execute("REVOKE SELECT ON ALL SEQUENCES IN SCHEMA public FROM app_user")
    plan = one_healthy.plan(user="app_user")
    gaps = [entry for entry in plan["not_checked"] if "sequence" in entry["what"]]
    assert len(gaps) == 1
    assert "more" in gaps[0]["what"]
    assert plan["complete"] is False


def test_a_sequence_that_no_column_owns_is_moved_and_then_set(one_incident: Site, tmp_path: Path) -> None:
    with one_incident.database.connect("migrator") as migrator:
        migrator.execute("CREATE SEQUENCE test_schema.numbers")
    one_incident.execute("ALTER TABLE teams_team ALTER id DROP IDENTITY")
    one_incident.execute("ALTER TABLE teams_team ALTER id SET DEFAULT nextval('test_schema.numbers')")
    one_incident.execute("SELECT setval('test_schema.numbers', 1)")
    before = one_incident.rows(_NUMBERS)
    assert {"stray_object teams_team.sequence test_schema.numbers", "sequence_behind teams_team.id"} <= found(
        one_incident.plan()
    )
    plan, journal = tmp_path / "plan.json", tmp_path / "journal.jsonl"
    one_incident.cascade("plan", "-o", str(plan))
    applied = one_incident.cascade("apply", str(plan), "--noinput", f"--journal={journal}")
    assert applied.returncode == 0, applied.stderr
    assert found(one_incident.plan()) == set()
    undone = one_incident.cascade("undo", str(journal), "--noinput")
    assert undone.returncode == 0, undone.stderr
    assert one_incident.rows(_NUMBERS) == before


_NUMBERS = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'numbers'"


# -------------------------------------------------------------------------------------------------------- privileges


def test_a_right_that_only_one_table_lacks_is_found(healthy: Site) -> None:
    healthy.execute(f"REVOKE DELETE ON {BOUNTY} FROM app_user")
    (drift,) = risky(healthy.plan(), "different_privileges")
    assert drift["table"] == BOUNTY
    assert "lacks DELETE for app_user" in drift["observed"]
    assert len(healthy.rows(drift["query"])) == 4


@pytest.mark.parametrize("by_default", [True, False])
def test_rights_that_several_tables_lack_are_all_given_by_one_plan(one_healthy: Site, by_default: bool) -> None:
    kept = "GRANT" if by_default else "REVOKE"
    one_healthy.execute(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public {kept} ALL ON TABLES "
        f"{'TO' if by_default else 'FROM'} app_user"
    )
    one_healthy.execute(f"REVOKE SELECT, INSERT ON {BOUNTY}_participant FROM app_user")
    one_healthy.execute(f"REVOKE INSERT ON {BOUNTY} FROM app_user")
    one_healthy.cascade("plan", "-o", "plan.json")
    done = one_healthy.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found(one_healthy.plan()) == set()
    for table in (BOUNTY, f"{BOUNTY}_participant"):
        assert one_healthy.rows(f"SELECT has_table_privilege('app_user', '{table}', 'INSERT')") == [(True,)]


def test_where_all_tables_are_made_anew_the_application_is_given_what_it_needs(one_healthy: Site) -> None:
    """As where a record of migrations was copied from another environment, with no default privileges."""
    one_healthy.execute(
        "ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public REVOKE ALL ON TABLES FROM app_user;"
        "DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename <> 'django_migrations' LOOP EXECUTE format('DROP TABLE public.%I CASCADE', name); END LOOP;"
        " END $$"
    )
    one_healthy.cascade("plan", "-o", "plan.json")
    done = one_healthy.cascade("apply", "plan.json", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert found(one_healthy.plan()) == set()
    assert one_healthy.rows("SELECT has_table_privilege('app_user', 'public.teams_team', 'INSERT')") == [(True,)]


def test_a_misplaced_table_is_judged_by_the_rights_that_it_carries(incident: Site) -> None:
    incident.execute(f"REVOKE INSERT ON test_schema.{BOUNTY} FROM app_user")
    (drift,) = risky(incident.plan(), "different_privileges")
    assert (drift["table"], drift["observed"]) == (BOUNTY, "lacks INSERT for app_user")


def test_an_owner_that_all_neighbours_differ_from_is_found(one_healthy: Site) -> None:
    one_healthy.execute(f"ALTER TABLE {BOUNTY} OWNER TO postgres")
    (drift,) = risky(one_healthy.plan(), "different_privileges")
    assert drift["table"] == BOUNTY
    assert "owned by postgres" in drift["observed"]


def test_a_grant_that_all_neighbours_have_is_due_and_public_stands_for_it(one_healthy: Site, reporter: str) -> None:
    one_healthy.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reporter}")
    assert found(one_healthy.plan()) == set()
    one_healthy.execute(f"REVOKE SELECT ON {BOUNTY} FROM {reporter}")
    assert found(one_healthy.plan()) == {f"different_privileges {BOUNTY}"}
    one_healthy.execute(f"GRANT SELECT ON {BOUNTY} TO PUBLIC")
    assert found(one_healthy.plan()) == set()


def test_a_grant_on_one_table_alone_is_on_purpose(one_healthy: Site, reporter: str) -> None:
    one_healthy.execute(f"GRANT ALL ON {BOUNTY} TO {reporter}")
    assert found(one_healthy.plan()) == set()


def test_default_privileges_that_came_after_the_tables_say_nothing(one_healthy: Site, reporter: str) -> None:
    one_healthy.execute(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT ON TABLES TO {reporter}"
    )
    assert found(one_healthy.plan()) == set()


def test_default_privileges_speak_for_the_table_of_a_small_app(one_healthy: Site, reporter: str) -> None:
    one_healthy.execute(
        f"ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT ON TABLES TO {reporter}"
    )
    one_healthy.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reporter}")
    one_healthy.execute(f"REVOKE SELECT ON teams_team FROM {reporter}")
    (drift,) = risky(one_healthy.plan(), "different_privileges")
    assert drift["table"] == "teams_team"
    assert any("default privileges" in line for line in drift["evidence"])


def test_a_superuser_as_the_application_lacks_nothing(one_healthy: Site) -> None:
    one_healthy.execute(f"REVOKE ALL ON {BOUNTY} FROM postgres")
    one_healthy.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO postgres")
    one_healthy.execute(f"REVOKE ALL ON {BOUNTY} FROM postgres")
    assert found(one_healthy.plan("--app-role", "postgres", user="postgres")) == set()


# ------------------------------------------------------------------------------------------------------------ strays


def test_an_extension_in_a_schema_of_its_own_on_the_path_is_no_stray(healthy: Site) -> None:
    healthy.execute("CREATE SCHEMA extensions")
    healthy.execute("GRANT USAGE ON SCHEMA extensions TO PUBLIC")
    healthy.execute("CREATE EXTENSION pg_trgm SCHEMA extensions")
    healthy.execute("CREATE INDEX ON teams_team USING gin (name extensions.gin_trgm_ops)")
    app_path(healthy, "public, extensions")
    assert found(healthy.plan()) == set()


def test_an_extension_where_the_application_does_not_look_is_one_stray(healthy: Site) -> None:
    healthy.execute("CREATE SCHEMA aside")
    healthy.execute("CREATE EXTENSION pg_trgm SCHEMA aside")
    healthy.execute("CREATE INDEX by_name ON teams_team USING gin (name aside.gin_trgm_ops)")
    healthy.execute("CREATE INDEX by_title ON user_profile_bounty USING gin ((id::text) aside.gin_trgm_ops)")
    (drift,) = risky(healthy.plan(), "stray_object")
    assert (drift["object"], drift["observed"]) == ("extension pg_trgm", "in aside")
    text = " ".join(drift["evidence"])
    assert "public.teams_team: the index by_name" in text
    assert "public.user_profile_bounty: the index by_title" in text
    assert healthy.rows(drift["query"]) == [("pg_trgm", "aside")]


def test_a_trusted_extension_is_left_to_a_superuser_and_the_rest_is_repaired(
    one_incident: Site, tmp_path: Path
) -> None:
    """The role that migrates may make it and then owns it, but not what it consists of."""
    one_incident.execute(f"GRANT CREATE ON DATABASE {one_incident.database.name} TO migrator")
    with one_incident.database.connect("migrator") as migrator:
        migrator.execute("CREATE EXTENSION pg_trgm SCHEMA test_schema")
        migrator.execute(f"CREATE INDEX ON test_schema.{BOUNTY} USING gin ((id::text) test_schema.gin_trgm_ops)")
    assert "move_object" in {step["action"] for step in one_incident.plan(user="postgres")["steps"]}
    (drift,) = risky(one_incident.plan(), "stray_object")
    assert drift["undecided"] == (
        "migrator owns the extension, and postgres what it consists of: "
        "a superuser has to run ALTER EXTENSION pg_trgm SET SCHEMA public"
    )
    file = tmp_path / "plan.json"
    one_incident.cascade("plan", "-o", str(file))
    assert one_incident.cascade("apply", str(file), "--noinput").returncode == 2
    assert found(one_incident.plan()) == {"stray_object user_profile_bounty.extension pg_trgm"}
    one_incident.execute("ALTER EXTENSION pg_trgm SET SCHEMA public")
    assert found(one_incident.plan()) == set()


def test_what_is_reached_by_its_oid_alone_is_no_stray_where_the_application_does_not_look(one_healthy: Site) -> None:
    one_healthy.execute("CREATE SCHEMA audit")
    one_healthy.execute("CREATE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
    one_healthy.execute("CREATE TRIGGER noted BEFORE UPDATE ON teams_team FOR EACH ROW EXECUTE FUNCTION audit.note()")
    one_healthy.execute("CREATE FUNCTION audit.odd(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1")
    one_healthy.execute("CREATE INDEX ON teams_team (audit.odd(name))")
    assert "stray_object" not in {drift["kind"] for drift in one_healthy.plan()["drifts"]}


def test_a_type_where_the_application_does_not_look_is_stray_and_named_as_it_is(one_healthy: Site) -> None:
    one_healthy.execute("CREATE SCHEMA aside")
    one_healthy.execute("CREATE TYPE aside.status AS ENUM ('new')")
    one_healthy.execute("ALTER TABLE teams_team ADD status aside.status")
    plan = one_healthy.plan()
    (drift,) = risky(plan, "stray_object")
    assert (drift["object"], drift["observed"]) == ("type aside.status", "in aside")
    (cause,) = (cause["sentence"] for cause in plan["causes"] if drift["id"] in cause["drifts"])
    assert "type aside.status" in cause
    assert '"type aside.status"' not in cause


def test_what_the_same_run_left_behind_is_stray_though_the_schema_is_on_the_path(incident: Site) -> None:
    incident.execute(
        "CREATE FUNCTION test_schema.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
    )
    for table in (f"test_schema.{BOUNTY}", "public.teams_team"):
        incident.execute(
            f"CREATE TRIGGER touched BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION test_schema.touch()"
        )
    app_path(incident, "public, test_schema")
    (drift,) = risky(incident.plan(), "stray_object")
    assert drift["object"] == "function test_schema.touch()"
    text = " ".join(drift["evidence"])
    assert f"test_schema.{BOUNTY}: the trigger touched" in text
    assert "public.teams_team: the trigger touched" in text
    assert len(incident.rows(drift["query"])) == 2


@pytest.mark.parametrize(
    ("prepared", "stray"),
    [
        (("CREATE STATISTICS test_schema.together ON id, name FROM teams_team",), "statistics test_schema.together"),
        (
            (
                "CREATE SEQUENCE test_schema.numbers START 1000",
                "ALTER TABLE teams_team ALTER id DROP IDENTITY",
                "ALTER TABLE teams_team ALTER id SET DEFAULT nextval('test_schema.numbers')",
                "GRANT USAGE ON SEQUENCE test_schema.numbers TO app_user",
            ),
            "sequence test_schema.numbers",
        ),
        (
            (
                "CREATE TYPE test_schema.status AS ENUM ('new')",
                'CREATE DOMAIN test_schema."My status" AS test_schema.status[]',
                'ALTER TABLE teams_team ADD status test_schema."My status"',
            ),
            'domain test_schema."My status"',
        ),
        (
            (
                "CREATE TYPE test_schema.status AS ENUM ('new')",
                "CREATE DOMAIN public.statuses AS test_schema.status[]",
                "ALTER TABLE teams_team ADD status public.statuses",
            ),
            "type test_schema.status",
        ),
        (
            (
                "CREATE COLLATION test_schema.\"Odd\" (locale = 'C')",
                'CREATE INDEX ON teams_team (name COLLATE test_schema."Odd")',
            ),
            'collation test_schema."Odd"',
        ),
    ],
)
def test_each_kind_of_stray_is_found_and_shown_by_its_query(
    one_incident: Site, prepared: tuple[str, ...], stray: str
) -> None:
    for statement in prepared:
        one_incident.execute(statement)
    drifts = {drift["object"]: drift for drift in risky(one_incident.plan(), "stray_object")}
    assert stray in drifts
    assert one_incident.rows(drifts[stray]["query"])


def test_what_only_a_tenant_uses_is_no_stray(one_healthy: Site) -> None:
    one_healthy.execute("CREATE SCHEMA tenant AUTHORIZATION migrator")
    one_healthy.manage("migrate", CASCADE_DEMO_USER="migrator", PGOPTIONS="-c search_path=tenant")
    one_healthy.execute("CREATE TYPE tenant.status AS ENUM ('new')")
    one_healthy.execute("ALTER TABLE tenant.teams_team ADD status tenant.status")
    assert found(one_healthy.plan()) == set()


def test_what_a_tenant_uses_too_is_not_taken_from_it(one_healthy: Site) -> None:
    one_healthy.execute("CREATE SCHEMA tenant AUTHORIZATION migrator")
    one_healthy.manage("migrate", CASCADE_DEMO_USER="migrator", PGOPTIONS="-c search_path=tenant")
    one_healthy.execute("CREATE TYPE tenant.status AS ENUM ('new')")
    for schema in ("tenant", "public"):
        one_healthy.execute(f"ALTER TABLE {schema}.teams_team ADD status tenant.status")
    (drift,) = risky(one_healthy.plan(), "stray_object")
    assert drift["object"] == "type tenant.status"
    assert "tenant.teams_team" in drift["undecided"]


def test_the_incident_itself_left_no_stray_and_no_counter_behind(incident: Site) -> None:
    kinds = {drift["kind"] for drift in incident.plan()["drifts"] if drift["severity"] != "note"}
    assert kinds == {"misplaced_table", "missing_column"}
    assert len(MISPLACED) == 7


def risky(plan: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [drift for drift in plan["drifts"] if drift["kind"] == kind]


def app_path(site: Site, path: str) -> None:
    site.execute(f"ALTER ROLE app_user IN DATABASE {site.database.name} SET search_path = {path}")

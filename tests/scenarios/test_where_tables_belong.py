"""Rights, environments and search paths: what is drift, and what only looks like it."""

import pytest

from tests.scenarios.sites import MISPLACED, Site, found

pytestmark = pytest.mark.one_version

OLD_NAME = "different_names user_profile_userprofile"
"""A constraint of the demo that has kept its name when its field was altered."""


def test_a_schema_that_may_not_be_used_makes_its_tables_unreachable_and_moves_none(incident: Site) -> None:
    _repair_by_moving(incident)
    incident.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC, app_user")
    plan = incident.plan()
    kinds = {drift["kind"] for drift in plan["drifts"] if drift["severity"] == "broken"}
    assert kinds == {"unreachable_table", "missing_column"}
    assert {step["action"] for step in plan["steps"]} == {"grant_usage", "add_column"}
    incident.execute("GRANT USAGE ON SCHEMA public TO app_user")


def test_a_table_that_may_not_be_read_is_unreachable_and_a_grant_repairs_it(incident: Site) -> None:
    _repair_by_moving(incident)
    incident.execute("REVOKE ALL ON user_profile_bounty FROM app_user")
    plan = incident.plan("--app", "user_profile")
    assert found(plan) == {"unreachable_table user_profile_bounty"}
    assert [step["action"] for step in plan["steps"]] == ["grant_table"]
    for statement in plan["steps"][0]["sql"]:
        incident.execute(statement)
    assert found(incident.plan("--app", "user_profile")) == set()


def test_a_table_of_which_only_some_columns_may_be_read_is_unreachable(one_healthy: Site) -> None:
    """Django's SELECT names every column of the model, and is refused as a whole."""
    one_healthy.execute("REVOKE ALL ON teams_team FROM app_user")
    one_healthy.execute("GRANT INSERT, UPDATE, DELETE, SELECT (id) ON teams_team TO app_user")
    assert found(one_healthy.plan()) == {"unreachable_table teams_team"}
    rows = one_healthy.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'teams_team'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    for (column,) in rows:
        one_healthy.execute(f"GRANT SELECT ({column}) ON teams_team TO app_user")
    assert found(one_healthy.plan()) == set()


def test_a_misplaced_table_is_broken_whether_or_not_its_schema_may_be_used(incident: Site) -> None:
    incident.execute("REVOKE USAGE ON SCHEMA test_schema FROM app_user")
    plan = incident.plan("--app", "user_profile")
    assert found(plan) >= {f"misplaced_table {name}" for name in MISPLACED}
    refused = " ".join(plan["stopgap"]["refused_because"])
    assert "may not USE" in refused


def test_a_history_that_a_test_run_left_behind_makes_no_environment(incident: Site) -> None:
    """A run with test_schema alone on its path makes a history there, and stops at the first misplaced table."""
    options = "-c search_path=test_schema"
    for app in ("contenttypes", "auth", "accounts"):
        incident.manage("migrate", app, CASCADE_DEMO_USER="migrator", PGOPTIONS=options)
    assert incident.rows("SELECT to_regclass('test_schema.django_migrations') IS NOT NULL") == [(True,)]
    plan = incident.plan()
    assert {f"misplaced_table {name}" for name in MISPLACED} <= found(plan)
    assert "create_table" not in {step["action"] for step in plan["steps"]}


def test_a_copied_history_makes_no_environment_either(incident: Site) -> None:
    incident.execute("CREATE TABLE test_schema.django_migrations AS TABLE public.django_migrations")
    plan = incident.plan()
    assert {f"misplaced_table {name}" for name in MISPLACED} <= found(plan)
    assert "create_table" not in {step["action"] for step in plan["steps"]}


def test_a_second_environment_is_left_alone(healthy: Site) -> None:
    healthy.execute("CREATE SCHEMA staging AUTHORIZATION migrator")
    healthy.manage("migrate", CASCADE_DEMO_USER="migrator", PGOPTIONS="-c search_path=staging")
    plan = healthy.plan()
    assert found(plan) == set()
    assert plan["complete"] is True


def test_a_table_dropped_beside_a_second_environment_is_not_taken_from_there(healthy: Site) -> None:
    healthy.execute("CREATE SCHEMA staging AUTHORIZATION migrator")
    healthy.manage("migrate", CASCADE_DEMO_USER="migrator", PGOPTIONS="-c search_path=staging")
    healthy.execute("DROP TABLE public.user_profile_bounty_result CASCADE")
    plan = healthy.plan()
    assert found(plan) == {"missing_table user_profile_bounty_result"}
    assert {step["action"] for step in plan["steps"]} == {"create_table", "add_foreign_key"}


def test_a_path_on_the_database_that_leads_elsewhere_first_changes_severity_not_findings(incident: Site) -> None:
    name = incident.database.name
    incident.execute(f"ALTER ROLE app_user IN DATABASE {name} RESET search_path")
    incident.execute(f"ALTER DATABASE {name} SET search_path = test_schema, public")
    plan = incident.plan()
    tables = {d["table"]: d["severity"] for d in plan["drifts"] if d["kind"] == "misplaced_table"}
    assert tables == dict.fromkeys(MISPLACED, "risky")
    assert "creation_schema_differs" in {drift["kind"] for drift in plan["drifts"]}
    assert "ALTER DATABASE" in plan["search_path_source"]


def test_a_copy_beside_a_table_in_its_place_is_named_and_left_to_a_person(incident: Site) -> None:
    incident.execute("CREATE TABLE test_schema.teams_team (LIKE public.teams_team INCLUDING ALL)")
    incident.execute("INSERT INTO test_schema.teams_team SELECT * FROM public.teams_team LIMIT 1")
    plan = incident.plan("--app", "teams")
    assert "duplicated_table teams_team" in found(plan)
    assert "teams_team" not in {step["table"] for step in plan["steps"]}


def test_an_empty_copy_that_nothing_refers_to_is_a_note(one_incident: Site) -> None:
    one_incident.execute("CREATE TABLE test_schema.teams_team (LIKE public.teams_team INCLUDING ALL)")
    assert "duplicated_table teams_team" in found(one_incident.plan("--app", "teams")), "nobody may count its rows"
    one_incident.execute("ALTER TABLE test_schema.teams_team OWNER TO migrator")
    plan = one_incident.plan("--app", "teams")
    assert "duplicated_table teams_team" in found(plan, severities=("note",))


def test_two_stray_copies_need_a_decision_and_take_it(one_incident: Site) -> None:
    one_incident.execute("CREATE SCHEMA other")
    one_incident.execute("CREATE TABLE other.user_profile_bounty AS TABLE test_schema.user_profile_bounty")
    undecided = one_incident.plan("--app", "user_profile")
    assert "user_profile_bounty" not in {step["table"] for step in undecided["steps"]}
    decided = one_incident.plan("--app", "user_profile", "--take", "user_profile_bounty=test_schema")
    assert "user_profile_bounty" in {step["table"] for step in decided["steps"] if step["action"] == "move_table"}


def test_of_two_stray_copies_an_empty_one_that_nothing_refers_to_asks_for_no_decision(one_incident: Site) -> None:
    one_incident.execute("CREATE SCHEMA other AUTHORIZATION migrator")
    with one_incident.database.connect("migrator") as migrator:
        migrator.execute("CREATE TABLE other.user_profile_bounty (LIKE test_schema.user_profile_bounty)")
    plan = one_incident.plan("--app", "user_profile")
    (drift,) = (d for d in plan["drifts"] if (d["kind"], d["table"]) == ("misplaced_table", "user_profile_bounty"))
    assert (drift["observed"], drift["undecided"]) == ("in test_schema", "")
    assert "other.user_profile_bounty is empty, and nothing refers to it" in drift["evidence"]
    (move,) = (s for s in plan["steps"] if (s["action"], s["table"]) == ("move_table", "user_profile_bounty"))
    assert move["sql"] == ["ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;"]


def test_a_pending_migration_is_no_drift(one_healthy: Site) -> None:
    one_healthy.manage("migrate", "teams", "0002", CASCADE_DEMO_USER="migrator")
    plan = one_healthy.plan()
    assert found(plan) == set()
    assert found(plan, severities=("note",)) == {OLD_NAME, "pending_migration None.teams.0003_teammembership_left_at"}


def test_what_was_made_by_hand_before_its_migration_is_unrecorded(one_healthy: Site) -> None:
    one_healthy.execute("DELETE FROM django_migrations WHERE app = 'teams' AND name LIKE '0003%'")
    plan = one_healthy.plan()
    assert found(plan, severities=("note",)) == {
        OLD_NAME,
        "unrecorded_migration None.teams.0003_teammembership_left_at",
    }


def test_tables_and_columns_of_nobody_are_notes(one_healthy: Site) -> None:
    one_healthy.execute("CREATE TABLE public.by_hand (id int)")
    one_healthy.execute("ALTER TABLE teams_team ADD COLUMN by_hand int")
    plan = one_healthy.plan()
    assert found(plan) == set()
    assert found(plan, severities=("note",)) == {OLD_NAME, "extra_table by_hand", "extra_column teams_team.by_hand"}


def _repair_by_moving(site: Site) -> None:
    for name in MISPLACED:
        site.execute(f"ALTER TABLE test_schema.{name} SET SCHEMA public")


def test_a_view_put_in_the_place_of_a_misplaced_table_is_no_table(one_incident: Site) -> None:
    one_incident.execute("CREATE VIEW public.user_profile_bounty AS TABLE test_schema.user_profile_bounty")
    plan = one_incident.plan("--app", "user_profile")
    drift = next(drift for drift in plan["drifts"] if drift["table"] == "user_profile_bounty")
    assert (drift["kind"], drift["severity"]) == ("misplaced_table", "risky")
    assert "is a view" in drift["undecided"]
    assert "user_profile_bounty" not in {step["table"] for step in plan["steps"]}


def test_a_view_that_the_path_finds_before_the_table_is_told(one_healthy: Site) -> None:
    one_healthy.execute("CREATE SCHEMA front")
    one_healthy.execute("CREATE VIEW front.teams_team AS SELECT 1 AS id")
    one_healthy.execute("GRANT USAGE ON SCHEMA front TO app_user")
    name = one_healthy.database.name
    one_healthy.execute(f"ALTER ROLE app_user IN DATABASE {name} SET search_path = front, public")
    assert found(one_healthy.plan()) == {"shadowed_table teams_team"}


@pytest.mark.parametrize(
    ("taken_by", "words"),
    [
        ("CREATE INDEX user_profile_bounty_result_pkey ON public.old_results (id)", "by an index"),
        ("CREATE SEQUENCE public.user_profile_bounty_result_id_seq", "by a sequence"),
        ("CREATE TYPE public.user_profile_bounty_result AS (id int)", "by a composite type"),
    ],
)
def test_a_name_that_something_else_took_in_the_target_is_told_before_the_plan_fails(
    one_incident: Site, taken_by: str, words: str
) -> None:
    """A table renamed to keep it keeps the names of its indexes, for one."""
    one_incident.execute("CREATE TABLE public.old_results (id int)")
    one_incident.execute(taken_by)
    plan = one_incident.plan("--app", "user_profile")
    assert "user_profile_bounty_result" not in {step["table"] for step in plan["steps"]}
    drift = next(drift for drift in plan["drifts"] if drift["table"] == "user_profile_bounty_result")
    assert drift["undecided"].endswith(words)


def test_one_table_alone_elsewhere_may_have_been_moved_by_hand(one_healthy: Site) -> None:
    one_healthy.execute("CREATE SCHEMA elsewhere")
    one_healthy.execute("ALTER TABLE user_profile_bounty_result SET SCHEMA elsewhere")
    (cause,) = one_healthy.plan()["causes"]
    assert any("a move by hand" in sentence for sentence in cause["evidence_against"])


def test_tenants_whose_history_records_what_a_router_keeps_elsewhere_are_left_alone(one_healthy: Site) -> None:
    """As tenant backends do it: each schema records every migration, and has but the tables of some apps."""
    for tenant in ("tenant_a", "tenant_b"):
        one_healthy.execute(f"CREATE SCHEMA {tenant} AUTHORIZATION migrator")
        one_healthy.manage(
            "migrate", "contenttypes", CASCADE_DEMO_USER="migrator", PGOPTIONS=f"-c search_path={tenant}"
        )
        one_healthy.manage("migrate", "--fake", CASCADE_DEMO_USER="migrator", PGOPTIONS=f"-c search_path={tenant}")
    assert found(one_healthy.plan()) == set()
    one_healthy.execute("DROP TABLE public.django_content_type CASCADE")
    plan = one_healthy.plan()
    assert found(plan) == {"missing_table django_content_type"}
    assert plan["steps"] == []
    assert "--create" in plan["drifts"][0]["decision"]


def test_a_table_without_keys_beside_a_faked_history_is_a_persons_decision(one_incident: Site) -> None:
    one_incident.execute("CREATE TABLE test_schema.django_migrations (LIKE public.django_migrations INCLUDING ALL)")
    one_incident.execute("INSERT INTO test_schema.django_migrations SELECT * FROM public.django_migrations")
    one_incident.execute("ALTER TABLE test_schema.user_profile_about_item DROP CONSTRAINT " + _key(one_incident))
    drift = next(d for d in one_incident.plan()["drifts"] if d["table"] == "user_profile_about_item")
    assert drift["kind"] == "misplaced_table"
    assert "environment" in drift["undecided"]
    taken = one_incident.plan("--take", "user_profile_about_item=test_schema")
    assert "move_table:public.user_profile_about_item" in {step["id"] for step in taken["steps"]}


def _key(site: Site) -> str:
    return str(
        site.rows(
            "SELECT quote_ident(conname) FROM pg_constraint"
            " WHERE conrelid = 'test_schema.user_profile_about_item'::regclass AND contype = 'f'"
        )[0][0]
    )

"""What differs inside of tables that are in their place: each alteration is found as what it is, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import Site, demo_site, found
from tests.servers import Server, SharedServers

ALTERATIONS = {
    # --- columns
    "ALTER TABLE teams_team ALTER COLUMN tag TYPE varchar(9)": "different_column teams_team.tag",
    "ALTER TABLE tournaments_tournament ALTER COLUMN prize_pool TYPE numeric(12,2)": (
        "different_column tournaments_tournament.prize_pool"
    ),
    "ALTER TABLE user_profile_userprofile ALTER COLUMN bio DROP NOT NULL": (
        "different_column user_profile_userprofile.bio"
    ),
    'ALTER TABLE user_profile_userprofile ALTER COLUMN display_name TYPE varchar(40) COLLATE "C"': (
        "different_column user_profile_userprofile.display_name"
    ),
    "ALTER TABLE user_profile_about_item ALTER COLUMN id DROP IDENTITY": "different_column user_profile_about_item.id",
    "ALTER TABLE teams_teammembership DROP COLUMN user_id CASCADE": "missing_column teams_teammembership.user_id",
    # --- constraints
    "ALTER TABLE user_profile_bounty DROP CONSTRAINT bounty_has_a_stake": (
        "missing_constraint user_profile_bounty.bounty_has_a_stake"
    ),
    "ALTER TABLE user_profile_stream_config DROP CONSTRAINT user_profile_stream_config_profile_id_key": (
        "missing_constraint user_profile_stream_config.user_profile_stream_config_profile_id_key"
    ),
    "ALTER TABLE user_profile_bounty_result DROP CONSTRAINT user_profile_bounty_result_pkey": (
        "missing_constraint user_profile_bounty_result.user_profile_bounty_result_pkey"
    ),
    "ALTER TABLE user_profile_skill_endorsement DROP CONSTRAINT no_self_endorsement,"
    " ADD CONSTRAINT no_self_endorsement CHECK (endorser_id > receiver_id) NOT VALID": (
        "different_constraint user_profile_skill_endorsement.no_self_endorsement"
    ),
    "ALTER TABLE user_profile_about_item DROP CONSTRAINT unique_about_item_position,"
    ' ADD CONSTRAINT unique_about_item_position UNIQUE (profile_id, "position") DEFERRABLE': (
        "different_constraint user_profile_about_item.unique_about_item_position"
    ),
    "ALTER TABLE tournament_engine_match_match DROP CONSTRAINT no_match_against_itself,"
    " ADD CONSTRAINT no_match_against_itself CHECK (NOT home_team_id = away_team_id) NOT VALID": (
        "not_validated_constraint tournament_engine_match_match.no_match_against_itself"
    ),
    # --- foreign keys
    'ALTER TABLE teams_teammembership DROP CONSTRAINT "teams_teammembership_team_id_2ee7a456_fk_teams_team_id"': (
        "missing_constraint teams_teammembership.teams_teammembership_team_id_2ee7a456_fk_teams_team_id"
    ),
    "ALTER TABLE user_profile_bounty DROP CONSTRAINT user_profile_bounty_creator_id_4f24bc37_fk_accounts_user_id,"
    " ADD CONSTRAINT other_name FOREIGN KEY (creator_id) REFERENCES accounts_user (id) ON DELETE CASCADE": (
        "different_constraint user_profile_bounty.other_name"
    ),
    "ALTER TABLE user_profile_bounty DROP CONSTRAINT user_profile_bounty_match_id_4e127632_fk_tournamen,"
    " ADD CONSTRAINT unproven FOREIGN KEY (match_id) REFERENCES tournament_engine_match_match (id)"
    " DEFERRABLE INITIALLY DEFERRED NOT VALID": "not_validated_constraint user_profile_bounty.unproven",
    "ALTER TABLE tournaments_tournament_teams DISABLE TRIGGER ALL": (
        "disabled_constraint tournaments_tournament_teams.tournaments_tournament_teams_team_id_b2314c1a_fk_teams_team_id"
    ),
    # --- indexes
    "DROP INDEX user_profile_skill_endorsement_created_at_450df565": (
        "missing_index user_profile_skill_endorsement.user_profile_skill_endorsement_created_at_450df565"
    ),
    "DROP INDEX user_profil_receive_a4e8c9_idx;"
    " CREATE INDEX user_profil_receive_a4e8c9_idx ON user_profile_skill_endorsement (receiver_id, created_at)": (
        "different_index user_profile_skill_endorsement.user_profil_receive_a4e8c9_idx"
    ),
    "DROP INDEX user_profil_expires_630798_idx;"
    " CREATE INDEX other_name_idx ON user_profile_endorsement_opportunity (expires_at, is_used) WHERE is_used": (
        "different_index user_profile_endorsement_opportunity.other_name_idx"
    ),
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'user_profil_player__6b9b5a_idx'::regclass": (
        "invalid_index user_profile_endorsement_opportunity.user_profil_player__6b9b5a_idx"
    ),
}
"""What is done, and the one finding that it is."""

SECOND_KEY = "disabled_constraint tournaments_tournament_teams.tournaments_tourname_tournament_id_a2496153_fk_tournamen"

HARMLESS = (
    "ALTER TABLE teams_team RENAME CONSTRAINT teams_team_name_key TO unique_names",
    "ALTER INDEX teams_team_name_c519f9ad_like RENAME TO old_name",
    "ALTER TABLE teams_team ALTER COLUMN founded_at SET DEFAULT now()",
    "ALTER TABLE accounts_user ADD COLUMN legacy text",
    "CREATE INDEX by_hand ON accounts_user (email)",
    "ALTER TABLE accounts_user ADD CONSTRAINT has_name CHECK (username <> '')",
    "ALTER TABLE tournaments_tournament DROP CONSTRAINT tournaments_tournament_slug_key;"
    " CREATE UNIQUE INDEX slug_guard ON tournaments_tournament (slug)",
    "ALTER TABLE user_profile_stream_config ALTER COLUMN id DROP IDENTITY; CREATE SEQUENCE stream_ids;"
    " GRANT USAGE ON SEQUENCE stream_ids TO app_user; ALTER SEQUENCE stream_ids OWNER TO migrator;"
    " ALTER SEQUENCE stream_ids OWNED BY user_profile_stream_config.id; SELECT setval('stream_ids', 1000);"
    " ALTER TABLE user_profile_stream_config ALTER COLUMN id SET DEFAULT nextval('stream_ids')",
)
"""What is not as the migrations made it, and breaks nothing."""


@pytest.fixture(scope="module")
def altered(server: Server, servers: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with demo_site(server, servers, tmp_path_factory.mktemp("altered"), healthy=True) as site:
        for statement in ALTERATIONS:
            site.execute(statement)
        yield site


@pytest.fixture(scope="module")
def plan(altered: Site) -> dict[str, Any]:
    return altered.plan()


def test_each_alteration_is_found_as_what_it_is_and_nothing_else_is(plan: dict[str, Any]) -> None:
    assert found(plan) == {*ALTERATIONS.values(), SECOND_KEY}


def test_what_went_with_a_column_is_told_with_it_and_not_counted_again(plan: dict[str, Any]) -> None:
    drift = next(d for d in plan["drifts"] if d["kind"] == "missing_column")
    assert [text.split(":")[0] for text in drift["consequences"]] == [
        "the constraint unique_member_per_team",
        "the foreign key public.teams_teammembership (user_id) -> public.accounts_user",
        "the index teams_teammembership_user_id_0cb613d1",
    ]


def test_a_finding_shows_both_definitions_and_the_query_that_shows_them(altered: Site, plan: dict[str, Any]) -> None:
    drift = next(d for d in plan["drifts"] if d["object"] == "tag")
    assert (drift["expected"], drift["observed"]) == (
        "tag character varying(6) NOT NULL",
        "tag character varying(9) NOT NULL",
    )
    assert drift["aspects"] == ["type"]
    shown = altered.rows(drift["query"].rstrip(";"))
    assert ("tag", "character varying(9)") in {row[:2] for row in shown}


def test_every_query_that_is_shown_can_be_run(altered: Site, plan: dict[str, Any]) -> None:
    queries = {drift["query"] for drift in plan["drifts"] if drift["query"]}
    assert len(queries) > 10
    for query in queries:
        assert altered.rows(query.rstrip(";"))


def test_what_breaks_nothing_is_at_most_a_note(server: Server, servers: SharedServers, tmp_path: Path) -> None:
    with demo_site(server, servers, tmp_path, healthy=True) as site:
        for statement in HARMLESS:
            site.execute(statement)
        plan = site.plan()
        assert found(plan) == set()
        assert found(plan, severities=("note",)) == {
            "different_names teams_team",
            "different_names tournaments_tournament",
            "different_names user_profile_userprofile",
            "different_column teams_team.founded_at",
            "extra_column accounts_user.legacy",
            "extra_index accounts_user.by_hand",
            "extra_constraint accounts_user.has_name",
        }
        assert plan["steps"] == []


def test_a_key_that_went_with_what_made_its_target_unique_is_told_with_that(
    one_server: Server, servers: SharedServers, tmp_path: Path
) -> None:
    with demo_site(one_server, servers, tmp_path, healthy=True) as site:
        site.execute("ALTER TABLE user_profile_bounty DROP CONSTRAINT user_profile_bounty_pkey CASCADE")
        gone = site.plan()["drifts"]
        site.execute("ALTER TABLE user_profile_bounty ADD PRIMARY KEY (id, stake)")
        other = site.plan()["drifts"]
    for drifts, kind in ((gone, "missing_constraint"), (other, "different_constraint")):
        drift = next(d for d in drifts if d["severity"] != "note")
        assert drift["kind"] == kind
        assert [d["id"] for d in drifts if d["severity"] != "note"] == [drift["id"]]
        assert [text.rpartition(" -> ")[2] for text in drift["consequences"]] == ["public.user_profile_bounty"] * 3


@pytest.fixture
def healthy(server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Site]:
    with demo_site(server, servers, tmp_path, healthy=True) as site:
        yield site


KEY = "user_profile_bounty_creator_id_4f24bc37_fk_accounts_user_id"


def point_at_a_copy(site: Site, *, rows: bool) -> None:
    site.execute(
        "CREATE SCHEMA IF NOT EXISTS test_schema; CREATE TABLE test_schema.accounts_user (LIKE accounts_user INCLUDING ALL)"
    )
    site.execute("INSERT INTO test_schema.accounts_user SELECT * FROM accounts_user")
    site.execute(
        f"ALTER TABLE user_profile_bounty DROP CONSTRAINT {KEY}, ADD CONSTRAINT {KEY} FOREIGN KEY (creator_id)"
        " REFERENCES test_schema.accounts_user (id) DEFERRABLE INITIALLY DEFERRED"
    )
    if not rows:
        site.execute("TRUNCATE user_profile_bounty CASCADE; TRUNCATE test_schema.accounts_user CASCADE")


def test_a_key_to_the_wrong_copy_is_risky_while_all_its_rows_are_in_the_right_one_too(healthy: Site) -> None:
    point_at_a_copy(healthy, rows=True)
    plan = healthy.plan()
    assert found(plan) == {f"misdirected_foreign_key user_profile_bounty.{KEY}", "duplicated_table accounts_user"}
    drift = next(d for d in plan["drifts"] if d["kind"] == "misdirected_foreign_key")
    assert (drift["severity"], drift["observed"]) == ("risky", "refers to test_schema.accounts_user")
    assert "all that its rows refer to is in public.accounts_user too" in drift["evidence"]


def test_a_key_to_the_wrong_copy_is_broken_where_rows_refer_to_nothing_in_the_right_one(healthy: Site) -> None:
    point_at_a_copy(healthy, rows=True)
    healthy.execute(
        'INSERT INTO test_schema.accounts_user SELECT (jsonb_populate_record(u, \'{"id": 999999, "username": "x"}\')).*'
        " FROM accounts_user u LIMIT 1"
    )
    healthy.execute(
        "UPDATE user_profile_bounty SET creator_id = 999999 WHERE id IN (SELECT id FROM user_profile_bounty LIMIT 3)"
    )
    drift = next(d for d in healthy.plan()["drifts"] if d["kind"] == "misdirected_foreign_key")
    assert drift["severity"] == "broken"
    assert "3 rows refer to nothing in public.accounts_user" in drift["evidence"]


@pytest.mark.parametrize(
    "path", ["public", "test_schema, public", "public, test_schema", "test_schema"], ids=lambda path: f"path {path}"
)
def test_a_copy_with_rows_and_a_key_to_it_are_found_under_every_path_of_the_database(healthy: Site, path: str) -> None:
    point_at_a_copy(healthy, rows=True)
    healthy.execute(f"ALTER DATABASE {healthy.database.name} SET search_path = {path}")
    healthy.execute(f"ALTER ROLE app_user IN DATABASE {healthy.database.name} RESET search_path")
    findings = found(healthy.plan("--schema", "public"))
    assert f"misdirected_foreign_key user_profile_bounty.{KEY}" in findings
    copies = {f for f in findings if f.endswith("_table accounts_user")}
    assert copies == {
        "shadowed_table accounts_user" if path.startswith("test_schema") else "duplicated_table accounts_user"
    }


def test_both_ways_a_key_of_a_table_that_strayed_is_judged_by_where_things_belong(healthy: Site) -> None:
    """Of two tables that strayed together the key between them is right; that to a copy of one in place is not."""
    healthy.execute("CREATE SCHEMA IF NOT EXISTS test_schema")
    for table in ("user_profile_bounty", "user_profile_bounty_participant"):
        healthy.execute(f"ALTER TABLE {table} SET SCHEMA test_schema")
    assert found(healthy.plan()) == {
        "misplaced_table user_profile_bounty",
        "misplaced_table user_profile_bounty_participant",
    }
    healthy.execute("CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL)")
    findings = found(healthy.plan())
    for table, key in (
        ("user_profile_bounty_participant", "user_profile_bounty__bounty_id_7d63d1af_fk_user_prof"),
        ("user_profile_bounty_result", "user_profile_bounty__bounty_id_11cb0e58_fk_user_prof"),
        ("user_profile_skill_endorsement", "user_profile_skill_e_bounty_id_a31027b2_fk_user_prof"),
    ):
        assert f"misdirected_foreign_key {table}.{key}" in findings

"""The demo's second act: what a repair by hand leaves behind, by the catalogs alone, and cascade's answer to it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cascade.demo.replay import SETTINGS_AFTER_HAND_REPAIR
from tests.scenarios.sites import MISPLACED, Site, demo_site, found
from tests.servers import Server, SharedServers

pytestmark = pytest.mark.one_version

ENDORSEMENT = "user_profile_skill_endorsement"
OPPORTUNITY = "user_profile_endorsement_opportunity"
REMADE = (ENDORSEMENT, OPPORTUNITY)

MADE_BY_THE_FIRST_MIGRATION = {
    ENDORSEMENT: {
        ("unique", "match_id,endorser_id"),
        ("check", "endorser_id,receiver_id"),
        ("key", "endorser_id"),
        ("key", "match_id"),
        ("key", "receiver_id"),
        ("key", "reviewed_by_id"),
    },
    OPPORTUNITY: {("unique", "match_id,player_id"), ("key", "match_id"), ("key", "player_id")},
}
ADDED_WITH_THE_BOUNTY = {("key", "bounty_id")}


@pytest.fixture(scope="module")
def site(server: Server, servers: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo after the incident and the repair by hand, on each server in turn, for reading."""
    with incident_of_that_code(server, servers, tmp_path_factory.mktemp("hand")) as site:
        site.manage("migrate", "user_profile")
        yield site


@pytest.fixture(scope="module")
def plan(site: Site) -> dict[str, Any]:
    return site.plan()


@contextmanager
def incident_of_that_code(server: Server, servers: SharedServers, folder: Path) -> Iterator[Site]:
    """The demo after the incident, with the migration in its code that repairs by hand, and not yet applied."""
    with demo_site(server, servers, folder) as site:
        yield replace(site, environment={**site.environment, "DJANGO_SETTINGS_MODULE": SETTINGS_AFTER_HAND_REPAIR})


# ------------------------------------------------------------------------------------------------- what is left behind


def test_the_repair_is_recorded_like_any_other_migration(site: Site) -> None:
    assert site.rows("SELECT app, name FROM public.django_migrations ORDER BY id DESC LIMIT 2") == [
        ("user_profile", "0062_repair_skill_endorsement_tables"),
        ("user_profile", "0041_userprofile_last_seen_at"),
    ]


def test_a_shell_is_in_public_and_every_row_is_in_the_other_schema(site: Site) -> None:
    assert rows_in(site, "public") == {ENDORSEMENT: 0, OPPORTUNITY: 0}
    assert rows_in(site, "test_schema") == {ENDORSEMENT: 400, OPPORTUNITY: 0}


def test_the_shell_has_thirteen_of_fourteen_columns(site: Site) -> None:
    assert len(columns_of(site, "test_schema", ENDORSEMENT)) == 14
    assert len(columns_of(site, "public", ENDORSEMENT)) == 13
    assert columns_of(site, "test_schema", ENDORSEMENT) - columns_of(site, "public", ENDORSEMENT) == {
        ("bounty_id", "bigint", False)
    }
    assert columns_of(site, "test_schema", OPPORTUNITY) == columns_of(site, "public", OPPORTUNITY)


@pytest.mark.parametrize("table", REMADE)
def test_every_constraint_was_skipped_because_the_other_copy_has_one_of_its_name(site: Site, table: str) -> None:
    there = constraints_of(site, "test_schema", table)
    assert constraints_of(site, "public", table) == {}
    assert set(there.values()) - ADDED_WITH_THE_BOUNTY == MADE_BY_THE_FIRST_MIGRATION[table]


@pytest.mark.parametrize("table", REMADE)
def test_every_constraint_is_made_where_no_other_copy_answers(
    server: Server, servers: SharedServers, tmp_path: Path, table: str
) -> None:
    with incident_of_that_code(server, servers, tmp_path) as site:
        for name in REMADE:
            site.execute(f"DROP TABLE test_schema.{name}")
        site.manage("migrate", "user_profile")
        assert set(constraints_of(site, "public", table).values()) == MADE_BY_THE_FIRST_MIGRATION[table]


def test_every_index_was_made_because_its_name_is_looked_for_in_the_schema_of_its_table(site: Site) -> None:
    of_the_bounty, of_unique = "(bounty_id)", "(match_id, endorser_id)"
    assert indexes_of(site, "test_schema", ENDORSEMENT) - indexes_of(site, "public", ENDORSEMENT) == {
        of_the_bounty,
        of_unique,
    }
    assert len(indexes_of(site, "public", ENDORSEMENT)) == 11 + len(["of the primary key"])
    assert indexes_of(site, "test_schema", OPPORTUNITY) - indexes_of(site, "public", OPPORTUNITY) == {
        "(match_id, player_id)"
    }


def test_no_key_refers_to_either_copy(site: Site) -> None:
    referring = "SELECT conrelid::regclass FROM pg_constraint JOIN pg_class c ON c.oid = confrelid WHERE relname IN {}"
    assert site.rows(referring.format(REMADE)) == []


def test_django_itself_sees_nothing_wrong(site: Site) -> None:
    site.manage("migrate", "--check")
    site.manage("makemigrations", "--check")


# ---------------------------------------------------------------------------------------------------- what cascade says


def test_all_that_is_wrong_is_named_and_nothing_else(site: Site, plan: dict[str, Any]) -> None:
    skipped = {
        f"missing_constraint {table}.{name}"
        for table in REMADE
        for name, what in constraints_of(site, "test_schema", table).items()
        if what not in ADDED_WITH_THE_BOUNTY
    }
    assert len(skipped) == 6 + 3
    assert found(plan) == {
        *(f"misplaced_table {table}" for table in MISPLACED if table not in REMADE),
        f"duplicated_table {ENDORSEMENT}",
        f"missing_column {ENDORSEMENT}.bounty_id",
        "missing_column teams_teammembership.left_at",
        *skipped,
    }
    assert plan["complete"] is True


def test_the_two_copies_are_told_with_the_rows_of_each(plan: dict[str, Any]) -> None:
    drift = the_finding(plan, "duplicated_table", ENDORSEMENT)
    assert drift["severity"] == "risky"
    assert f"public.{ENDORSEMENT}: 0 rows" in drift["evidence"]
    assert f"test_schema.{ENDORSEMENT}: 400 rows" in drift["evidence"]
    assert [(copy["schema"], copy["rows"]["counted"]) for copy in drift["copies"]] == [("test_schema", 400)]


def test_a_copy_without_rows_that_nothing_points_at_is_a_note(plan: dict[str, Any]) -> None:
    assert the_finding(plan, "duplicated_table", OPPORTUNITY)["severity"] == "note"


def test_the_missing_column_is_told_with_the_migration_that_added_it(plan: dict[str, Any]) -> None:
    drift = the_finding(plan, "missing_column", ENDORSEMENT)
    assert drift["object"] == "bounty_id"
    assert drift["severity"] == "broken"
    assert drift["migration"] == "user_profile.0040_skillendorsement_bounty"
    assert drift["observed"] == f"not among the 13 columns of public.{ENDORSEMENT}"


@pytest.mark.parametrize("table", REMADE)
def test_each_constraint_that_was_skipped_is_told_with_what_answered_for_it(
    site: Site, plan: dict[str, Any], table: str
) -> None:
    answered = f"a constraint of that name is on test_schema.{table}: a check by name alone finds that one"
    printed = definitions_of(site, "test_schema", table)
    findings = [d for d in plan["drifts"] if (d["kind"], d["table"]) == ("missing_constraint", table)]
    assert findings
    for drift in findings:
        assert answered in drift["evidence"]
        assert drift["migration"] == "user_profile.0037_p0_skill_endorsements"
        assert drift["expected"] == printed[drift["object"]]


def test_the_text_says_where_the_rows_are_and_what_is_missing_since_when(site: Site) -> None:
    text = " ".join(site.cascade("plan").stdout.split())
    assert f"{ENDORSEMENT} is there twice: 0 rows in public, 400 rows in test_schema." in text
    assert f"{ENDORSEMENT}.bounty_id" in text
    assert "user_profile.0040" in text
    assert "4 foreign keys missing" in text


def test_what_the_plan_proposes_loses_no_row(server: Server, servers: SharedServers, tmp_path: Path) -> None:
    with incident_of_that_code(server, servers, tmp_path) as site:
        site.manage("migrate", "user_profile")
        before = endorsed_bounties(site)
        assert site.cascade("plan", "-o", "repair.sql").returncode == 0
        ran = subprocess.run(
            [server.program("psql"), "-X", "-f", "repair.sql"],
            env={**os.environ, **site.database.environment("migrator")},
            cwd=site.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert endorsed_bounties(site) == before
        assert not [finding for finding in found(site.plan(), severities=("broken",)) if "misplaced" in finding]


def test_a_healthy_site_is_not_repaired_by_hand(site: Site) -> None:
    done = site.cascade("demo", "--after-hand-repair", "--healthy")
    assert done.returncode == 1
    assert "A healthy site needs no repair" in done.stderr


# ------------------------------------------------------------------------------------------------------- the catalogs


def rows_in(site: Site, schema: str) -> dict[str, int]:
    return {table: site.rows(f"SELECT count(*) FROM {schema}.{table}")[0][0] for table in REMADE}


def columns_of(site: Site, schema: str, table: str) -> set[tuple[str, str, bool]]:
    """Name, type and NOT NULL."""
    return set(
        site.rows(
            "SELECT attname::text, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
            f" WHERE attrelid = '{schema}.{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        )
    )


def constraints_of(site: Site, schema: str, table: str) -> dict[str, tuple[str, str]]:
    """By name the kind and the columns; primary key and NOT NULL, which belong to CREATE TABLE, apart."""
    rows = site.rows(f"""
        SELECT conname, CASE contype WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' WHEN 'f' THEN 'key' END,
               (SELECT string_agg(attname, ',' ORDER BY place) FROM pg_attribute
                JOIN unnest(conkey) WITH ORDINALITY AS key (number, place) ON attnum = number
                WHERE attrelid = conrelid)
        FROM pg_constraint WHERE conrelid = '{schema}.{table}'::regclass AND contype IN ('u', 'c', 'f')
    """)
    return {name: (kind, columns) for name, kind, columns in rows}


def definitions_of(site: Site, schema: str, table: str) -> dict[str, str]:
    """By name the definition as PostgreSQL prints it to one who looks into no schema."""
    query = (
        f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{schema}.{table}'::regclass"
    )
    with site.database.connect(options="-c search_path=pg_catalog") as connection:
        return dict(connection.execute(query.encode()).fetchall())


def indexes_of(site: Site, schema: str, table: str) -> set[str]:
    """What the indexes are over."""
    rows = site.rows(f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{schema}' AND tablename = '{table}'")
    return {definition.partition(" USING btree ")[2] for (definition,) in rows}


def endorsed_bounties(site: Site) -> dict[int, int | None]:
    """Each endorsement of the copy that has rows with its bounty."""
    for (schema,) in site.rows(f"SELECT schemaname FROM pg_tables WHERE tablename = '{ENDORSEMENT}' ORDER BY 1 DESC"):
        rows = dict(site.rows(f"SELECT id, bounty_id FROM {schema}.{ENDORSEMENT}"))
        if rows:
            return rows
    return {}


def the_finding(plan: dict[str, Any], kind: str, table: str) -> dict[str, Any]:
    (drift,) = [drift for drift in plan["drifts"] if (drift["kind"], drift["table"]) == (kind, table)]
    return drift

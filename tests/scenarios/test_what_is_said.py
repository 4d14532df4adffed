"""What a person reads of drift inside of tables: the plan, the check, and the page of each thing."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.scenarios.sites import Site, demo_site
from tests.servers import Server, SharedServers

pytestmark = pytest.mark.one_version

INJECTED = (
    "ALTER TABLE teams_team ALTER COLUMN tag TYPE varchar(99)",
    "ALTER TABLE teams_teammembership DROP CONSTRAINT unique_member_per_team",
    "DROP INDEX teams_teammembership_user_id_0cb613d1",
    "CREATE INDEX team_lower ON teams_team (lower(tag))",
    "SELECT setval(pg_get_serial_sequence('teams_team', 'id'), 1, false)",
)


@pytest.fixture(scope="module")
def site(server: Server, servers: SharedServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The healthy demo with some differences inside of its tables."""
    with demo_site(server, servers, tmp_path_factory.mktemp("said"), healthy=True) as site:
        for statement in INJECTED:
            site.execute(statement)
        yield site


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def test_the_plan_tells_each_difference_and_its_step(site: Site) -> None:
    text = one_line(site.cascade("plan"))

    assert (
        "The sequence of teams_team.id is behind, so the next INSERTs fail: public.teams_team_id_seq gives 1 next"
        in text
    )
    assert "teams_team.tag is character varying(99)" in text
    assert "expected character varying(" in text
    assert "The unique constraint on teams_teammembership (" in text
    assert "The index on teams_teammembership (user_id), teams_teammembership_user_id_0cb613d1, is missing" in text
    assert "CREATE INDEX teams_teammembership_user_id_0cb613d1 ON public.teams_teammembership" in text


def test_a_check_has_a_line_for_each_that_fits_a_log(site: Site) -> None:
    done = site.cascade("check")

    kinds = [line.split()[1] for line in done.stdout.splitlines()[:-1]]
    assert sorted(kinds) == ["different_column", "missing_constraint", "missing_index", "sequence_behind"]
    assert max(len(line.rpartition("  [")[0] or line) for line in done.stdout.splitlines()) <= 160


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("teams_team.tag", "expected tag character varying("),
        ("teams.Team.tag", "RISKY teams_team.tag is character varying(99)"),
        ("unique_member_per_team", "expected unique_member_per_team UNIQUE (team_id, user_id)"),
        ("teams_teammembership_user_id_0cb613d1", "RISKY The index on teams_teammembership (user_id)"),
        ("team_lower", "expected by no applied migration"),
        ("teams_team_id_seq", "next value 1"),
        ("teams.0001", "Recorded as applied"),
        ("public", "It is where tables belong"),
        ("different_column:public.teams_team.tag", "MEANING The column is there with another type"),
        ("teams_team", "DIFFERS The column teams_team.tag: different_column"),
    ],
)
def test_anything_that_has_a_name_can_be_explained(site: Site, name: str, said: str) -> None:
    assert said in one_line(site.cascade("explain", name))


def test_an_unknown_kind_is_answered_with_near_ones(site: Site) -> None:
    done = site.cascade("explain", "--kind", "missing_indx")

    assert done.returncode == 1
    assert "Did you mean missing_index" in done.stderr


def test_the_query_that_comes_with_a_finding_runs_and_shows_it(site: Site) -> None:
    for drift in site.plan()["drifts"]:
        if drift["query"]:
            assert site.rows(drift["query"].replace("%", "%%")), drift["id"]


def test_a_table_that_may_only_have_another_name_is_not_said_to_be_lost(one_healthy: Site) -> None:
    one_healthy.execute("ALTER TABLE teams_teammembership RENAME TO teams_members")
    text = one_line(one_healthy.cascade("plan"))

    assert (
        "is taken by an index of public.teams_members, which no applied migration accounts for. If that is "
        "teams_teammembership under another name: ALTER TABLE public.teams_members RENAME TO teams_teammembership; "
        "and plan again."
    ) in text
    assert "not brought back" not in text
    one_healthy.execute("ALTER TABLE public.teams_members RENAME TO teams_teammembership")
    assert one_healthy.cascade("check").returncode == 0


def test_a_table_that_only_another_environment_has_is_told_from_one_that_is_lost(one_healthy: Site) -> None:
    one_healthy.execute(
        "CREATE SCHEMA stage; CREATE TABLE stage.django_migrations (LIKE public.django_migrations INCLUDING ALL);"
        "ALTER TABLE django_session SET SCHEMA stage; DELETE FROM django_migrations WHERE app = 'sessions'"
    )
    text = one_line(one_healthy.cascade("explain", "--error", 'relation "django_session" does not exist'))

    assert "sessions.0001_initial makes a table of that name, and is pending here: migrate runs it." in text
    assert "stage is another environment: it has a django_migrations of its own." in text
    one_healthy.execute("DROP SCHEMA stage CASCADE")
    scoped = one_healthy.cascade("plan", "--table", "django_session")
    assert "sessions.0001_initial makes it, and is not recorded as applied" in scoped.stderr


def test_a_database_where_nothing_is_recorded_may_be_the_wrong_one(one_healthy: Site) -> None:
    one_healthy.execute("DELETE FROM django_migrations")

    assert "Is it the database that is meant? Then migrate makes the tables." in one_line(one_healthy.cascade("plan"))


@pytest.mark.parametrize("spelled", ["--no-input", "--yes"])
def test_who_does_not_want_to_be_asked_may_say_so_as_django_and_apt_do(one_healthy: Site, spelled: str) -> None:
    one_healthy.execute("DROP INDEX teams_teammembership_user_id_0cb613d1")
    one_healthy.cascade("plan", "-o", "plan.json")

    assert one_healthy.cascade("apply", "plan.json", spelled).returncode == 0

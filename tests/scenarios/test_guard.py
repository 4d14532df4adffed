"""Before and after ``migrate``, inside of Django: the run that caused the incident is refused, or told at once."""

from tests.scenarios.guarded import STRAYED_SETTINGS, django, guarded
from tests.scenarios.sites import MISPLACED, Site

THE_RUN = ("migrate", "user_profile", "0040")


def test_the_run_that_caused_the_incident_is_refused_and_nothing_is_made(before_the_incident: Site) -> None:
    site = guarded(before_the_incident, on=STRAYED_SETTINGS)
    done = django(site, *THE_RUN)
    assert done.returncode == 1
    assert "it would make 7 tables in test_schema; they belong in public." in done.stderr
    assert "test_schema,public, set by OPTIONS in DATABASES" in done.stderr
    assert 'CASCADE["GUARD"] = "warn"' in done.stderr
    assert "Traceback" not in done.stderr
    assert site.rows("SELECT 1 FROM pg_tables WHERE schemaname = 'test_schema'") == []
    assert site.rows("SELECT 1 FROM public.django_migrations WHERE name LIKE '0033%'") == []


def test_with_warn_it_runs_and_the_proof_names_every_table(before_the_incident: Site) -> None:
    site = guarded(before_the_incident, on=STRAYED_SETTINGS, more='CASCADE = {**CASCADE, "GUARD": "warn"}')
    done = django(site, *THE_RUN, "--verbosity", "0")
    assert done.returncode == 0
    warning, proof = done.stderr.split("cascade: ")[1:]
    assert "makes 7 tables in test_schema" in warning
    assert "migrate recorded 7 tables that app_user does not reach in public:" in proof
    for table in MISPLACED:
        assert f"{table} is in test_schema" in proof
    assert "user_profile_userprofile" not in proof


def test_what_a_fake_recorded_and_is_not_there_is_named_at_once(before_the_incident: Site) -> None:
    done = django(guarded(before_the_incident), "migrate", "teams", "--fake", "-v", "0")
    assert done.returncode == 0
    assert "teams_teammembership.left_at is missing  (teams.0003_teammembership_left_at)" in done.stderr


def test_on_the_healthy_path_nothing_is_said(before_the_incident: Site) -> None:
    done = django(guarded(before_the_incident), "migrate", "-v", "0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_table_that_the_application_role_may_not_read_is_named(before_the_incident: Site) -> None:
    rights = "ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public REVOKE ALL ON TABLES FROM app_user"
    before_the_incident.execute(rights)
    done = django(guarded(before_the_incident), *THE_RUN, "-v", "0", "--skip-checks")
    assert done.returncode == 0
    assert "migrate recorded 7 tables that app_user does not reach in public:" in done.stderr
    assert (
        "user_profile_bounty: app_user lacks SELECT on public.user_profile_bounty  (user_profile.0038_bounties)"
        in done.stderr
    )

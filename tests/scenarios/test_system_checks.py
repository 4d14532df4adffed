"""``manage.py check --database``: warnings that name the next command, and never stop a repair."""

from shutil import copytree

from tests.scenarios.guarded import django, guarded
from tests.scenarios.sites import CHECKOUT, Site


def test_the_drifted_database_gives_a_warning_for_each_kind_with_the_next_command(one_incident: Site) -> None:
    done = django(guarded(one_incident), "check", "--database", "default")
    assert done.returncode == 0
    assert "(cascade.W002) 7 tables of user_profile are in test_schema, where app_user does not look." in done.stderr
    assert "(cascade.W010) teams_teammembership.left_at is missing" in done.stderr
    assert done.stderr.count("HINT: manage.py cascade plan shows why, and the order of repair.") == 2
    strict = django(guarded(one_incident), "check", "--database", "default", "--fail-level", "WARNING")
    assert strict.returncode == 1


def test_the_healthy_database_gives_none(one_healthy: Site) -> None:
    done = django(guarded(one_healthy), "check", "--database", "default", "--fail-level", "WARNING")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


def test_without_a_database_asked_for_nobody_connects(one_incident: Site) -> None:
    done = django(guarded(one_incident), "check", "--fail-level", "WARNING", CASCADE_DEMO_PORT="1")
    assert done.returncode == 0


def test_a_database_that_is_down_is_a_warning_and_no_traceback(one_incident: Site) -> None:
    done = django(guarded(one_incident), "check", "--database", "default", CASCADE_DEMO_PORT="1")
    assert done.returncode == 0
    assert (
        '(cascade.W001) cascade could not look: The database "default" at 127.0.0.1:1 cannot be reached' in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_only_the_apps_that_were_named_are_checked(one_incident: Site) -> None:
    done = django(guarded(one_incident), "check", "teams", "--database", "default")
    assert "teammembership" in done.stderr
    assert "user_profile" not in done.stderr


def test_a_database_of_another_vendor_is_left_alone(one_incident: Site) -> None:
    sqlite = 'DATABASES["other"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}'
    site = guarded(one_incident, more=sqlite)
    assert django(site, "check", "--database", "other", "--fail-level", "WARNING").returncode == 0
    done = django(site, "migrate", "--database", "other", "-v", "0")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_migration_that_repairs_runs_through_with_checks_and_guard_on(one_incident: Site) -> None:
    modules = {}
    for app in ("user_profile", "teams"):
        modules[app] = f"migrations_of_{app}"  # the demo's own are not to be written to
        copytree(CHECKOUT / "cascade/demo/project/apps" / app / "migrations", one_incident.folder / modules[app])
    site = guarded(one_incident, more=f"MIGRATION_MODULES = {modules!r}")
    written = django(site, "cascade", "migration")
    assert written.stderr.count(f"wrote {site.folder}") == 2, written.stderr
    done = django(site, "migrate")
    assert done.returncode == 0, done.stderr
    assert "cascade.W002" in done.stderr
    assert "migrate recorded" not in done.stderr
    assert django(site, "cascade", "check").returncode == 0
    assert django(site, "check", "--database", "default", "--fail-level", "WARNING").returncode == 0

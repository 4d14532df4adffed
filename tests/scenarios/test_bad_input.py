"""Bad input: a clear sentence, exit code 1, nothing on stdout, and no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cascade.sources.catalog import catalog_sql
from tests.scenarios.sites import CHECKOUT, Project, Site, project_site, run_program
from tests.servers import Database


def refused(site: Site, *arguments: str, says: tuple[str, ...], **more: str) -> None:
    done = site.cascade(*arguments, **more)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in says:
        assert words in done.stderr, done.stderr


def test_no_settings(tmp_path: Path) -> None:
    done = run_program("-m", "cascade", "plan", environment={"DJANGO_SETTINGS_MODULE": ""}, folder=tmp_path)
    assert done.returncode == 1
    assert "No Django settings" in done.stderr
    assert "--settings" in done.stderr


def test_settings_that_do_not_import(one_incident: Site) -> None:
    refused(one_incident, "plan", "--settings", "no.such.settings", says=('"no.such.settings" cannot be imported',))


def test_settings_that_raise(tmp_path: Path, one_database: Database) -> None:
    site = project_site(
        Project(tmp_path, ("django.contrib.auth",), settings="raise RuntimeError('no secret found')"), one_database
    )
    refused(site, "plan", says=('"settings" fails', "no secret found"))


def test_a_database_that_is_down(one_incident: Site) -> None:
    refused(one_incident, "plan", says=("cannot be reached", "127.0.0.1:1"), CASCADE_DEMO_PORT="1")


def test_a_database_that_is_not_there(one_incident: Site) -> None:
    refused(one_incident, "plan", says=("cannot be reached", "does not exist"), CASCADE_DEMO_NAME="nowhere")


def test_no_password_is_ever_shown(one_incident: Site) -> None:
    done = one_incident.cascade("plan", CASCADE_DEMO_PORT="1", CASCADE_DEMO_PASSWORD="s3cret")
    assert "s3cret" not in done.stdout + done.stderr


def test_a_database_that_is_not_postgresql(tmp_path: Path, one_database: Database) -> None:
    settings = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}'
    site = project_site(Project(tmp_path, ("django.contrib.contenttypes",), settings=settings), one_database)
    refused(site, "plan", says=("SQLite", "PostgreSQL"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--app", "user_profil"), ('no app "user_profil"', "user_profile")),
        (("--table", "user_profile_bount"), ('no table "user_profile_bount"', "user_profile_bounty")),
        (("--app-role", "app_usr"), ('no role "app_usr"', "app_user")),
        (("--schema", "publik"), ('no schema "publik"', "public")),
        (("--database", "defualt"), ('no database "defualt"', "default")),
    ],
)
def test_an_unknown_name_with_the_nearest_one(
    one_incident: Site, arguments: tuple[str, ...], says: tuple[str, ...]
) -> None:
    refused(one_incident, "plan", *arguments, says=says)


def test_an_unknown_table_to_explain_with_the_nearest_one(one_incident: Site) -> None:
    refused(one_incident, "explain", "user_profile_bount", says=("user_profile_bounty",))


def test_an_option_that_does_not_exist(one_incident: Site) -> None:
    refused(one_incident, "plan", "--no-such-option", says=("No such option",))


@pytest.mark.parametrize(
    ("command", "option", "seconds"),
    [
        *(("apply", limit, "nan") for limit in ("--lock-timeout", "--statement-timeout", "--max-wait", "--max-hold")),
        ("undo", "--lock-timeout", "inf"),
        ("rehearse", "--statement-timeout", "-1"),
        ("probe", "--timeout", "inf"),
    ],
)
def test_a_limit_that_is_no_number_of_seconds(one_incident: Site, command: str, option: str, seconds: str) -> None:
    file = () if command == "probe" else ("file.json",)
    refused(one_incident, command, *file, option, seconds, says=(f"Invalid value for '{option}'", seconds, " is not "))


def test_a_migration_that_fails_to_import(tmp_path: Path, one_database: Database) -> None:
    files = {"shop/models.py": "", "shop/migrations/0001_initial.py": "import no_such_module"}
    site = project_site(Project(tmp_path, ("shop",), files=files), one_database)
    one_database.connection.execute(_HISTORY)
    refused(site, "plan", says=("migration module cannot be imported", "no_such_module"))


def test_a_module_of_the_project_named_cascade(tmp_path: Path, one_database: Database) -> None:
    site = project_site(
        Project(tmp_path, ("django.contrib.auth",), files={"manage.py": "", "cascade.py": ""}), one_database
    )
    done = run_program(
        "-c",
        "import sys; sys.path.remove(''); from cascade.cli import main; main(['plan'])",
        environment={**site.environment, "PYTHONPATH": site.environment["PYTHONPATH"].split(":")[0]},
        folder=tmp_path,
    )
    assert done.returncode == 1
    assert "module of its own named cascade" in done.stderr


def test_tables_of_the_project_but_no_history(one_incident: Site) -> None:
    one_incident.execute("DROP TABLE django_migrations")
    refused(one_incident, "plan", says=("no django_migrations in any schema",))


def test_a_schema_without_history_beside_one_that_has_it(one_incident: Site) -> None:
    refused(one_incident, "plan", "--schema", "test_schema", says=("there is one in public", "--schema"))


def test_a_history_that_may_not_be_read(one_incident: Site) -> None:
    one_incident.execute("ALTER TABLE django_migrations OWNER TO postgres")
    one_incident.execute("REVOKE ALL ON django_migrations FROM migrator, app_user")
    refused(one_incident, "plan", says=("django_migrations cannot be read", "GRANT SELECT"))


def test_no_migration_applied_is_no_error(tmp_path: Path, one_database: Database) -> None:
    site = project_site(Project(tmp_path, ("django.contrib.contenttypes", "django.contrib.auth")), one_database)
    plan = site.plan()
    assert plan["steps"] == []
    assert "No migration is recorded" in site.cascade("plan").stdout


@pytest.mark.parametrize("text", ["", "{", '{"cascade_observed": 1, "tabl', "[]", "{}", '{"cascade_observed": 1}'])
def test_an_observed_file_that_is_corrupt_or_cut_off(one_incident: Site, text: str) -> None:
    (one_incident.folder / "observed.json").write_text(text)
    refused(one_incident, "plan", "--observed", "observed.json", says=("observed.json", "catalog.sql"))


def test_an_observed_file_that_is_newer(one_incident: Site) -> None:
    (one_incident.folder / "observed.json").write_text(json.dumps({"cascade_observed": 99}))
    refused(one_incident, "plan", "--observed", "observed.json", says=("version 99", "pip install --upgrade"))


def test_an_observed_file_that_is_not_there(one_incident: Site) -> None:
    refused(one_incident, "plan", "--observed", "nowhere.json", says=("nowhere.json cannot be read",))


def test_a_dot_that_fails(one_incident: Site) -> None:
    program = one_incident.folder / "bin" / "dot"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'dot: broken' >&2\nexit 3\n")
    program.chmod(0o755)
    refused(one_incident, "graph", "--format", "svg", says=("dot: broken",), PATH=f"{program.parent}:/usr/bin:/bin")
    for command in ("plan", "history"):
        done = one_incident.cascade(command, "--format", "svg", PATH=f"{program.parent}:/usr/bin:/bin")
        assert (done.returncode, done.stdout[:5]) == (0, "<svg ")


def test_an_output_folder_that_is_not_there(one_incident: Site) -> None:
    says = ("no/such/folder/plan.txt cannot be written", "Make the folder no/such/folder first.")
    refused(one_incident, "plan", "-o", "no/such/folder/plan.txt", says=says)


def test_an_output_folder_in_which_nothing_can_be_written(one_incident: Site) -> None:
    says = ("/proc/plan.txt cannot be written", "Name a file in a folder that may be written.")
    refused(one_incident, "plan", "-o", "/proc/plan.txt", says=says)
    (one_incident.folder / "taken").touch()
    refused(one_incident, "demo", "-o", "taken/demo", says=("The folder taken/demo cannot be made", "Name another"))


def test_pictures_where_there_is_no_graphviz(one_incident: Site) -> None:
    code = """
import sys, sysconfig
there = sysconfig.get_path
sysconfig.get_path = lambda name, *more, **options: "/" if name == "scripts" else there(name, *more, **options)
from cascade.cli import main
main(sys.argv[1:])
"""

    def ask(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**one_incident.environment, "PATH": "/"}
        return run_program("-c", code, *arguments, environment=environment, folder=one_incident.folder)

    done = ask("graph", "-o", "graph.svg")
    assert (done.returncode, "There is no Graphviz" in done.stderr, "--format dot" in done.stderr) == (1, True, True)
    assert not (one_incident.folder / "graph.svg").exists()
    for command in ("plan", "history"):
        done = ask(command, "--format", "svg")
        assert (done.returncode, done.stdout[:5], done.stderr) == (0, "<svg ", "")


def test_an_output_that_is_no_regular_file_is_written_to_and_stays_what_it_is(one_healthy: Site) -> None:
    real, link = one_healthy.folder / "real.txt", one_healthy.folder / "link.txt"
    link.symlink_to(real)
    pipe = one_healthy.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for output in (link, pipe):
        assert one_healthy.cascade("plan", "-o", str(output), "--format", "text").returncode == 0
    assert link.is_symlink()
    assert "No drift" in real.read_text()
    assert pipe.is_fifo()
    assert b"No drift" in os.read(reader, 100_000)
    os.close(reader)


def test_a_terminal_that_lacks_a_letter_gets_the_answer_all_the_same(one_incident: Site) -> None:
    for command in (("plan",), ("explain", "user_profile_bounty_result")):
        done = one_incident.cascade(*command, PYTHONIOENCODING="latin-1")
        assert (done.returncode, done.stderr) == (0, "")
    script = subprocess.run(
        [sys.executable, "-m", "cascade", "catalog-sql"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
        cwd=one_incident.folder,
    )
    assert script.stdout.decode() == catalog_sql()


def test_an_unknown_entry_in_the_settings(tmp_path: Path, one_database: Database) -> None:
    project = Project(tmp_path, ("django.contrib.contenttypes",), settings='CASCADE = {"SCHEME": "public"}')
    refused(project_site(project, one_database), "plan", says=('no entry "SCHEME"', "SCHEMA"))


def test_a_reference_that_cannot_be_reached(one_incident: Site) -> None:
    refused(one_incident, "plan", "--reference", "host=127.0.0.1 port=1 dbname=x", says=("reference server",))


_HISTORY = (
    "CREATE TABLE django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
    " app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL)"
)

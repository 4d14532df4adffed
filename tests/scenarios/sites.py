"""Databases with a Django site on them, and ``cascade`` run against them as a person would: as a program."""

import fcntl
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from psycopg import sql

from cascade.demo.replay import demo_environment, replay_foundation, replay_healthy, replay_incident
from tests.servers import Database, Server, SharedServers, fresh_database

CHECKOUT = Path(__file__).resolve().parents[2]

MISPLACED = (
    "user_profile_about_item",
    "user_profile_stream_config",
    "user_profile_skill_endorsement",
    "user_profile_endorsement_opportunity",
    "user_profile_bounty",
    "user_profile_bounty_participant",
    "user_profile_bounty_result",
)
"""What the incident put into ``test_schema``, in the order of the migrations that made it."""

NO_SECOND_SESSION = """
CREATE FUNCTION public.no_second_session() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('is_superuser') = 'off' AND EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cascade'
    ) THEN RAISE EXCEPTION 'no second session beside a repair'; END IF;
END $$;
CREATE EVENT TRIGGER no_second_session ON login EXECUTE FUNCTION public.no_second_session()
"""
"""Lets nobody but superusers log in while a session of a repair is open (PostgreSQL 17 and later).

A connection limit would do it on every version, but it also counts sessions that are just being closed."""


INTERRUPTIBLE = (
    *("-X", "faulthandler"),
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from cascade.cli import main; main()",
)
"""``cascade`` as a terminal starts it: a shell that runs tests in the background has children ignore Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Site:
    """A database with a site on it. ``environment`` leads programs to both; ``folder`` is where they run."""

    database: Database
    environment: Mapping[str, str]
    folder: Path
    options: tuple[str, ...] = ()

    def execute(self, statement: str) -> None:
        """As the superuser."""
        self.database.connection.execute(statement)  # type: ignore[arg-type]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.database.connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def cascade(self, *arguments: str, user: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command, as another user of the database where one is given."""
        environment = {**self.environment, **more}
        if user:
            environment["CASCADE_DEMO_USER"] = user
        command, *rest = arguments
        return run_program("-m", "cascade", command, *self.options, *rest, environment=environment, folder=self.folder)

    def plan(self, *arguments: str, user: str = "", **more: str) -> dict[str, Any]:
        """The plan as JSON."""
        done = self.cascade("plan", "--format", "json", *arguments, user=user, **more)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def manage(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        done = run_program("-m", "django", *arguments, environment={**self.environment, **more}, folder=self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done


def run_program(*arguments: str, environment: Mapping[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def flat(text: str) -> str:
    """The text without the breaks and indents that a terminal's width makes."""
    return " ".join(text.split())


def found(plan: Mapping[str, Any], *, severities: tuple[str, ...] = ("broken", "risky")) -> set[str]:
    """The findings of a plan as ``kind table[.object]``."""
    return {
        f"{drift['kind']} {drift['table']}{'.' + drift['object'] if drift['object'] else ''}"
        for drift in plan["drifts"]
        if drift["severity"] in severities
    }


@contextmanager
def demo_site(server: Server, servers: SharedServers, folder: Path, *, healthy: bool = False) -> Iterator[Site]:
    """A copy of the demo's database, replayed once for each server and run."""
    replay = replay_healthy if healthy else replay_incident
    with _copy_of_the_demo(server, servers, folder, "demo_healthy" if healthy else "demo_incident", replay) as site:
        yield site


@contextmanager
def foundation_site(server: Server, servers: SharedServers, folder: Path) -> Iterator[Site]:
    """The demo's database before the run of ``migrate`` that led its tables astray."""
    with _copy_of_the_demo(server, servers, folder, "demo_foundation", replay_foundation) as site:
        yield site


@contextmanager
def _copy_of_the_demo(
    server: Server, servers: SharedServers, folder: Path, template: str, replay: Callable[..., None]
) -> Iterator[Site]:
    _replay_once(server, servers, template, replay)
    with fresh_database(server, template=template) as database:
        # What is set for a role in a database, and who owns it, is not copied with the database.
        database.connection.execute(
            sql.SQL("ALTER ROLE app_user IN DATABASE {} SET search_path = public").format(sql.Identifier(database.name))
        )
        database.connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO migrator").format(sql.Identifier(database.name))
        )
        environment = {
            **demo_environment(_address(server), database.name),
            "XDG_CACHE_HOME": str(folder),
        }
        yield Site(database, environment, folder)


def _replay_once(server: Server, servers: SharedServers, template: str, replay: Callable[..., None]) -> None:
    mark = servers.folder / f"{template}-{server.version}.replayed"
    # One at a time on each server: both make the roles.
    with (servers.folder / f"demo-{server.version}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not mark.exists():
            replay(_address(server), template, report=lambda message: None)
            mark.touch()


def _address(server: Server) -> Any:
    return SimpleNamespace(host=server.host, port=server.port, user="postgres")


@contextmanager
def restored(site: Site, folder: Path) -> Iterator[Site]:
    """The site on a copy of its database that pg_dump and psql made."""
    server, dump = site.database.server, folder / "dump.sql"
    with fresh_database(server, template="template0") as copy:
        for program, *arguments in (
            ("pg_dump", "--no-sync", f"--file={dump}", site.database.dsn),
            ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", f"--file={dump}", copy.dsn),
        ):
            done = subprocess.run([server.program(program), *arguments], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        yield Site(copy, {**site.environment, "SITE_NAME": copy.name}, site.folder)


@dataclass(frozen=True)
class Project:
    """A Django project written for one test: ``files`` by path, below ``folder``."""

    folder: Path
    apps: tuple[str, ...]
    settings: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def write(self) -> None:
        files = {"settings.py": _SETTINGS.format(apps=list(self.apps)) + textwrap.dedent(self.settings)}
        for app in self.apps:
            if "." not in app:
                files |= {f"{app}/__init__.py": "", f"{app}/migrations/__init__.py": ""}
        files |= {path: textwrap.dedent(text) for path, text in self.files.items()}
        for path, text in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def project_site(project: Project, database: Database) -> Site:
    """That project on this database; nothing is migrated yet."""
    project.write()
    environment = {
        "DJANGO_SETTINGS_MODULE": "settings",
        "SITE_HOST": database.server.host,
        "SITE_PORT": str(database.server.port),
        "SITE_NAME": database.name,
        "XDG_CACHE_HOME": str(project.folder / ".cache"),
        "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(project.folder)]),
    }
    return Site(database, environment, project.folder)


_SETTINGS = """
import os

SECRET_KEY = "only-for-tests"
INSTALLED_APPS = {apps}
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["SITE_HOST"],
        "PORT": os.environ["SITE_PORT"],
        "NAME": os.environ["SITE_NAME"],
        "USER": os.environ.get("SITE_USER", "postgres"),
        "OPTIONS": {{"options": os.environ["SITE_OPTIONS"]}} if "SITE_OPTIONS" in os.environ else {{}},
    }}
}}
"""

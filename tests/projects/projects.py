"""Real Django projects from the package index, each in a virtual environment and in databases of its own."""

import contextlib
import fcntl
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg

from cascade.core.expected import ExpectedLayout
from tests.servers import Database, Server, fresh_database

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STRAY_SCHEMA = "test_schema"


@dataclass(frozen=True, slots=True)
class Window:
    """Two moments in the order in which the migrations were released: between them the search_path was wrong.

    ``end`` 1 means that nothing was migrated afterwards. ``order`` is as in ``inspect_project.py``.
    """

    start: float
    end: float = 1.0
    order: str = "number"

    def __str__(self) -> str:
        return f"{self.start:.0%}-to-{self.end:.0%}-by-{self.order}"


@dataclass(frozen=True, slots=True)
class Project:
    """What to install, and when its search_path was wrong. ``quick`` ones are tried every time."""

    name: str
    requirements: tuple[str, ...]
    windows: tuple[Window, ...]
    quick: bool = False


WAGTAIL = ("wagtail==8.0.*", "Django==5.2.*")

WINDOWS = (Window(0.6), Window(0.5, 0.8), Window(0.3, 0.6, order="seed 1"), Window(0.5, 0.9, order="plan"))

PROJECTS = (
    Project("wagtail", WAGTAIL, WINDOWS, quick=True),
    # Its apps took models from one another, which only works in the order of the plan.
    Project(
        "oscar",
        ("django-oscar==4.2.*", "Django==5.2.*"),
        (Window(0.6, order="plan"), *WINDOWS[3:]),
        quick=True,
    ),
    Project("wagtail_large", WAGTAIL, WINDOWS[:1]),
    Project("pretix", ("pretix==2026.*", "Django==5.2.*"), WINDOWS[:2]),
    Project("nautobot", ("nautobot==3.*", "Django==5.2.*"), WINDOWS[:1]),
    Project("tendenci", ("tendenci==16.*", "Django==5.2.*"), WINDOWS[:2]),
)


class ProjectFailed(Exception):
    """A command in the project's environment ended with an error; its last lines are the message."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A project that is installed; its commands run with the cascade that is tested."""

    project: Project
    python: Path

    def migrate(self, database: Database, *, share: float = 1.0, order: str = "number", path: str = "public") -> None:
        """Run ``migrate`` as a checkout that had this share of the migrations.

        Raises ``ProjectFailed`` where a migration does.
        """
        self._run("migrate", f"--share={share}", f"--order={order}", database=database, path=path)

    def analyse(self, database: Database, *, path: str = "public") -> "Analysis":
        """What cascade says of the database, in a process that knows of nothing from earlier runs."""
        with tempfile.TemporaryDirectory(prefix="cascade-projects-") as folder:
            file = Path(folder) / "expected.pickle"
            done = self._run("analyse", f"--expected={file}", database=database, path=path, XDG_CACHE_HOME=folder)
            return Analysis(json.loads(done), pickle.loads(file.read_bytes()))

    def _run(self, *command: str, database: Database, path: str, **environment: str) -> str:
        settings = database.settings(OPTIONS={"options": f"-c search_path={path}"})
        done = subprocess.run(
            [self.python, HERE / "inspect_project.py", *command],
            env={
                # What the caller has set for PostgreSQL or Python is not the project's.
                **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "PYTHON"))},
                "DJANGO_SETTINGS_MODULE": f"{self.project.name}_settings",
                "PROJECT_DATABASE": json.dumps(settings),
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, HERE / "settings"))),
                **environment,
            },
            cwd=HERE,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = "\n".join(done.stderr.strip().splitlines()[-12:])
            raise ProjectFailed(f"{self.project.name}: {' '.join(command)} failed:\n{last}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class Analysis:
    """What ``inspect_project.py`` printed, and the expected layout itself."""

    document: dict[str, Any]
    expected: ExpectedLayout

    def __getitem__(self, part: str) -> Any:
        return self.document[part]

    @property
    def serious(self) -> list[str]:
        """The findings that say that something is broken or may break."""
        return [f"{d['severity']} {d['id']}: {d['observed']}" for d in self["drifts"] if d["severity"] != "note"]


@dataclass(frozen=True, slots=True)
class HealthyDatabase:
    """A database in which every migration ran as it should."""

    checkout: Checkout
    database: Database


def check_out(project: Project) -> Checkout:
    """Install the project where that has not been done; environments are kept between runs."""
    requirements = (*project.requirements, "psycopg[binary]", *_requirements_of_cascade())
    version = ".".join(map(str, sys.version_info[:2]))
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:10]
    folder = _cache() / f"{project.requirements[0].split('=')[0]}-python{version}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, complete = folder / "bin" / "python", folder / "complete"
    with _locked(folder.with_name(f"{folder.name}.lock")):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run_command(sys.executable, "-m", "venv", folder)
            # Most of what is installed is never imported, so compiling all of it would cost more than it saves.
            install = ["install", "--quiet", "--disable-pip-version-check", "--no-compile"]
            _run_command(python, "-m", "pip", *install, *requirements)
            complete.touch()
    return Checkout(project, python)


@contextlib.contextmanager
def healthy_database(checkout: Checkout, server: Server, folder: Path) -> Iterator[HealthyDatabase]:
    """The project's healthy database on that server, made by whichever worker of the run comes first."""
    name = f"healthy_{checkout.project.name}"
    made = folder / f"{name}-{server.version}.made"
    with _locked(made.with_name(f"{made.name}.lock")):
        if not made.exists():
            with server.connect() as administration:
                administration.execute(f"DROP DATABASE IF EXISTS {name}".encode())
                administration.execute(f"CREATE DATABASE {name}".encode())
            with server.connect(name) as connection:
                checkout.migrate(Database(server, name, connection))
            made.touch()
    with server.connect(name) as connection:
        yield HealthyDatabase(checkout, Database(server, name, connection))


def healthy_analysis(healthy: HealthyDatabase, folder: Path) -> Analysis:
    """What cascade says of a healthy database, asked by whichever worker of the run comes first."""
    kept = folder / f"{healthy.database.name}-{healthy.database.server.version}.analysis"
    with _locked(kept.with_name(f"{kept.name}.lock")):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(healthy.checkout.analyse(healthy.database)))
    return cast(Analysis, pickle.loads(kept.read_bytes()))


@contextlib.contextmanager
def drifted_database(checkout: Checkout, server: Server, window: Window) -> Iterator[Database]:
    """A database that was migrated in three runs, the second of which had another schema first on its path."""
    with fresh_database(server) as database:
        database.connection.execute(f"CREATE SCHEMA {STRAY_SCHEMA}".encode())
        checkout.migrate(database, share=window.start, order=window.order)
        checkout.migrate(database, share=window.end, order=window.order, path=f"{STRAY_SCHEMA},public")
        if window.end < 1:
            # A later migration may need a table by its bare name, and then fails as it does in real life.
            with contextlib.suppress(ProjectFailed):
                checkout.migrate(database)
        yield database


def tables_in(connection: psycopg.Connection[Any], schema: str) -> set[str]:
    """The tables of a schema, asked in the plainest way."""
    found = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p')",
        [schema],
    )
    return {name for (name,) in found}


def copy_schema(source: Database, target: Database, folder: Path) -> None:
    """Make all of one database but its rows in another, as PostgreSQL's own programs do."""
    _restore(_dump(source, folder), target, lambda kind: True)


def copy_what_tables_need(source: Database, target: Database, folder: Path) -> None:
    """Make the schemas, extensions, types, functions and the like of one database in another, but no table."""
    _restore(_dump(source, folder), target, _KINDS_BESIDE_TABLES.__contains__)


def _dump(source: Database, folder: Path) -> Path:
    file = folder / f"{source.name}.dump"
    _run_command(
        source.server.program("pg_dump"), "--format=custom", "--schema-only", f"--file={file}", f"--dbname={source.dsn}"
    )
    return file


def _restore(dump: Path, target: Database, wanted: Callable[[str], bool]) -> None:
    pg_restore = target.server.program("pg_restore")
    contents = dump.with_suffix(".contents")
    # "214; 1259 16389 TABLE public name owner": the fourth word is the kind, or how it begins.
    listed = [line for line in _run_command(pg_restore, "--list", dump).splitlines() if line[:1].isdigit()]
    kept = [line for line in listed if wanted(line.split()[3]) and " SCHEMA - public " not in line]
    contents.write_text("\n".join(kept))
    _run_command(pg_restore, f"--use-list={contents}", "--exit-on-error", f"--dbname={target.dsn}", dump)


_KINDS_BESIDE_TABLES = set("SCHEMA EXTENSION TYPE DOMAIN FUNCTION AGGREGATE OPERATOR COLLATION TEXT".split())


def _requirements_of_cascade() -> list[str]:
    """What this distribution depends on: it is imported from the checkout, not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return sorted(project["project"]["dependencies"])


def _cache() -> Path:
    named = os.environ.get("CASCADE_PROJECTS_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "django-cascade-projects"


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run_command(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise ProjectFailed(f"{Path(command[0]).name} failed:\n{last}")
    return done.stdout

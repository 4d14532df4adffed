"""Real Django projects from the package index, each in a virtual environment of its own."""

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade.core.expected import ExpectedLayout
from tests.servers import Database

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


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

    def migrate(
        self,
        database: Database,
        *,
        user: str = "postgres",
        share: float = 1.0,
        order: str = "number",
        path: str = "public",
        fake: bool = False,
    ) -> None:
        """Run ``migrate`` as a checkout that had this share of the migrations.

        Raises ``ProjectFailed`` where a migration does.
        """
        command = ["inspect_project.py", "migrate", f"--share={share}", f"--order={order}"]
        command += ["--fake"] if fake else []
        self._output(command, database, user=user, path=path)

    def analyse(
        self, database: Database, *, user: str = "postgres", app_role: str = "", path: str = "public"
    ) -> "Analysis":
        """What cascade says of the database, in a process that knows of nothing from earlier runs."""
        with tempfile.TemporaryDirectory(prefix="cascade-projects-") as folder:
            file = Path(folder) / "expected.pickle"
            command = ("inspect_project.py", "analyse", f"--expected={file}", f"--app-role={app_role}")
            printed = self._output(command, database, user=user, path=path, XDG_CACHE_HOME=folder)
            return Analysis(json.loads(printed), pickle.loads(file.read_bytes()))

    def _output(self, command: Sequence[str], database: Database, **more: str) -> str:
        return "".join(self.run(command, database, **more))

    def run(
        self,
        command: Sequence[str],
        database: Database,
        *,
        user: str = "postgres",
        path: str = "public",
        **environment: str,
    ) -> Iterator[str]:
        """Run a script of this folder inside the project, and hand on the lines that it prints.

        Without a ``path`` connections have the search_path that the server gives them. Raises ``ProjectFailed`` where it ends with an
        error.
        """
        script, *arguments = command
        with tempfile.TemporaryDirectory(prefix="cascade-projects-") as folder, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                [self.python, HERE / script, *arguments],
                env=self.environment(database, Path(folder), user=user, path=path, **environment),
                cwd=HERE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            with process:
                assert process.stdout is not None
                yield from process.stdout
            if process.returncode:
                errors.seek(0)
                last = "\n".join(errors.read().strip().splitlines()[-12:])
                raise ProjectFailed(f"{self.project.name}: {' '.join(command)} failed:\n{last}")

    def environment(
        self, database: Database, folder: Path, *, user: str = "postgres", path: str = "public", **more: str
    ) -> dict[str, str]:
        """What a process of the project has to know; what it writes goes into the folder."""
        options = {"OPTIONS": {"options": f"-c search_path={path}"}} if path else {}
        return {
            # What the caller has set for PostgreSQL or Python is not the project's.
            **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "PYTHON"))},
            "DJANGO_SETTINGS_MODULE": f"{self.project.name}_settings",
            "PROJECT_DATABASE": json.dumps(database.settings(user, **options)),
            "PROJECT_FOLDER": str(folder),
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, HERE / "settings"))),
            **more,
        }


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


def check_out(project: Project) -> Checkout:
    """Install the project where that has not been done; environments are kept between runs."""
    own = (*project.requirements, "psycopg[binary]")
    version = ".".join(map(str, sys.version_info[:2]))
    digest = hashlib.sha256("\n".join(own).encode()).hexdigest()[:10]
    folder = _cache() / f"{project.requirements[0].split('=')[0]}-python{version}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, installed = folder / "bin" / "python", folder / "installed"
    requirements = "\n".join((*own, *_requirements_of_cascade()))
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not installed.exists():
            shutil.rmtree(folder, ignore_errors=True)
            run_command(sys.executable, "-m", "venv", folder)
        # What cascade itself depends on may have changed since, which is no reason to begin from nothing.
        if not installed.exists() or installed.read_text() != requirements:
            # Most of what is installed is never imported, so compiling all of it would cost more than it saves.
            install = ["install", "--quiet", "--disable-pip-version-check", "--no-compile"]
            run_command(python, "-m", "pip", *install, *requirements.splitlines())
            installed.write_text(requirements)
    return Checkout(project, python)


def _requirements_of_cascade() -> list[str]:
    """What this distribution depends on: it is imported from the checkout, not installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return sorted(project["project"]["dependencies"])


def _cache() -> Path:
    named = os.environ.get("CASCADE_PROJECTS_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "django-cascade-projects"


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock that this file stands for, among all workers of a run."""
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_command(*command: str | Path) -> str:
    """What the program prints. Raises ``ProjectFailed`` with its last lines where it ends with an error."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise ProjectFailed(f"{Path(command[0]).name} failed:\n{last}")
    return done.stdout

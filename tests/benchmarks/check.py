"""How much ``cascade check`` costs beside what else can be run. Prints ratios of whole processes.

    python -m tests.benchmarks.check [--project pretix] [--pairs 15] [--at HOST:PORT]

Commands run alternately, each the whole of a process: ``cascade check`` and another one. That is ``bare.py``, which does
what any such tool has to do at least, and the commands that people use today, on a healthy database all of them.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.projects.databases import HealthyDatabase, chosen_servers, healthy_database
from tests.projects.projects import PROJECTS, check_out, run_command

HERE = Path(__file__).parent
CHECK = ("-m", "cascade", "check")
BARE = (str(HERE / "bare.py"),)
DJANGO = ("-m", "django")
WITH_EXTENSIONS = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
if "django_extensions" not in settings.INSTALLED_APPS:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django_extensions"]
execute_from_command_line(["django", *sys.argv[1:]])
"""


@dataclass(frozen=True, slots=True)
class Other:
    """A command to run in turn with ``check``, which has the expected layout cached or not."""

    name: str
    command: tuple[str, ...]
    cached: bool = True


class CommandFailed(Exception):
    """It ended with a traceback, whose last line is the message."""


OTHERS = (
    Other("a bare script", BARE, cached=False),
    Other("a bare script", BARE),
    Other("a bare script with the same imports", (*BARE, "--imports")),
    Other("`migrate --check`", (*DJANGO, "migrate", "--check", "--skip-checks")),
    Other("`makemigrations --check`", (*DJANGO, "makemigrations", "--check", "--dry-run", "--skip-checks")),
    Other("`sqldiff -a` of django-extensions", ("-c", WITH_EXTENSIONS, "sqldiff", "-a", "--skip-checks")),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, in seconds."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.check", description=__doc__.splitlines()[0])
    known = {project.name: project for project in PROJECTS}
    parser.add_argument("--project", choices=known, default="pretix", help="one of 100 tables or more")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--at", action="append", default=[], metavar="HOST:PORT", help="a running server")
    options = parser.parse_args()
    checkout = check_out(known[options.project])
    print("| check beside | cached | wall, median (lowest to highest) | CPU, median (lowest to highest) |")
    print("|---|---|---|---|")
    with (
        chosen_servers((18,), tuple(options.at)) as (servers, folder),
        healthy_database(checkout, servers[0], folder) as healthy,
    ):
        # Beside the project, not into its environment, where the tests of the projects would find it.
        run_command(checkout.python, "-m", "pip", "install", "--quiet", "--no-deps", "-t", folder, "django-extensions")
        for other in OTHERS:
            try:
                pairs = list(_pairs(healthy, other, options.pairs, str(folder)))
            except CommandFailed as error:
                print(f"| {other.name} | | {error} | |", flush=True)
                continue
            wall = _spread([check.wall / beside.wall for check, beside in pairs])
            cpu = _spread([check.cpu / beside.cpu for check, beside in pairs])
            print(f"| {other.name} | {'yes' if other.cached else 'no'} | {wall} | {cpu} |", flush=True)
            seconds = [statistics.median(costs) for costs in zip(*((c.wall, o.wall) for c, o in pairs), strict=True)]
            print(f"{seconds[0]:.2f} s beside {seconds[1]:.2f} s", file=sys.stderr)


def _pairs(healthy: HealthyDatabase, other: Other, number: int, libraries: str) -> Iterator[tuple[Cost, Cost]]:
    """One of each in turn; the first pair, which warms up the disk, is not counted."""
    with _folder() as kept:
        for position in range(number + 1):
            with _folder() as empty:
                check = _run(healthy, CHECK, libraries, XDG_CACHE_HOME=kept if other.cached else empty)
                beside = _run(healthy, other.command, libraries)
            if position:
                yield check, beside


@contextmanager
def _folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="cascade-benchmark-") as folder:
        yield folder


def _run(healthy: HealthyDatabase, command: Sequence[str], libraries: str, **environment: str) -> Cost:
    with _folder() as folder, tempfile.TemporaryFile("w+") as errors:
        project = healthy.checkout.environment(healthy.database, Path(folder), path="", **environment)
        project["PYTHONPATH"] = os.pathsep.join((project["PYTHONPATH"], libraries))
        begin = time.monotonic()
        process = subprocess.Popen(
            [healthy.checkout.python, *command], env=project, cwd=HERE, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        cost = Cost(time.monotonic() - begin, usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read()
    # An exit code alone does not tell: some of them have an answer that ends with 1.
    if process.returncode and (said.startswith("cascade: ") or "Traceback" in said):
        raise CommandFailed(said.strip().splitlines()[-1])
    return cost


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()

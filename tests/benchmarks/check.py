"""How much ``cascade check`` costs beside what any such tool has to do at least. Prints ratios of whole processes.

    python -m tests.benchmarks.check [--project pretix] [--pairs 15] [--at HOST:PORT]

Commands run alternately, each the whole of a process: ``cascade check`` and ``bare.py``, first with nothing cached,
then with the expected layout cached, then beside a bare script that imports the same libraries.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.projects.databases import HealthyDatabase, chosen_servers, healthy_database
from tests.projects.projects import PROJECTS, check_out

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHECK = ("-m", "cascade", "check")
BARE = (str(HERE / "bare.py"),)
COMPARED = (
    ("a bare script", BARE, False),
    ("a bare script", BARE, True),
    ("a bare script with the same imports", (*BARE, "--imports"), True),
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
        for beside, bare, cached in COMPARED:
            pairs = list(_pairs(healthy, bare, options.pairs, cached=cached))
            wall = _spread([check.wall / other.wall for check, other in pairs])
            cpu = _spread([check.cpu / other.cpu for check, other in pairs])
            print(f"| {beside} | {'yes' if cached else 'no'} | {wall} | {cpu} |", flush=True)
            seconds = [statistics.median(costs) for costs in zip(*((c.wall, o.wall) for c, o in pairs), strict=True)]
            print(f"{seconds[0]:.2f} s beside {seconds[1]:.2f} s", file=sys.stderr)


def _pairs(healthy: HealthyDatabase, bare: Sequence[str], number: int, *, cached: bool) -> Iterator[tuple[Cost, Cost]]:
    """One of each in turn; the first pair, which warms up the disk, is not counted."""
    with _cache() as kept:
        for position in range(number + 1):
            with _cache() as empty:
                check = _run(healthy, CHECK, XDG_CACHE_HOME=kept if cached else empty)
                other = _run(healthy, bare)
            if position:
                yield check, other


@contextmanager
def _cache() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="cascade-benchmark-") as folder:
        yield folder


def _run(healthy: HealthyDatabase, command: Sequence[str], **environment: str) -> Cost:
    with tempfile.TemporaryDirectory(prefix="cascade-benchmark-") as folder:
        return _measured(healthy, command, environment | {"PROJECT_FOLDER": folder})


def _measured(healthy: HealthyDatabase, command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    begin = time.monotonic()
    process = subprocess.Popen(
        [healthy.checkout.python, *command],
        env={**_environment(healthy), **environment},
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()}")
    return Cost(time.monotonic() - begin, usage.ru_utime + usage.ru_stime)


def _environment(healthy: HealthyDatabase) -> Mapping[str, str]:
    project, database = healthy.checkout.project, healthy.database
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "PYTHON"))},
        "DJANGO_SETTINGS_MODULE": f"{project.name}_settings",
        "PROJECT_DATABASE": json.dumps(database.settings("postgres")),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "projects" / "settings"))),
    }


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()

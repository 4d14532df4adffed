"""What the app costs on the healthy path: ``migrate`` of the demo with and without ``cascade.django_app``, in turn.

    python -m tests.benchmarks.guard [--pairs 15]

Each pair is the same run, the seven tables of the incident made in the right place, on a fresh copy of the demo's
database; and ``migrate`` with nothing left to do. Whole processes; and what of each guard and proof took by the clock,
importing them included. Without ``--skip-checks`` the system checks are run too.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.scenarios.sites import Site, foundation_site
from tests.servers import SharedServers, make_run_folder

PROGRAM = """
import sys, time
import django
django.setup()
from django.core.management import call_command
from django.db.models.signals import post_migrate, pre_migrate
from django.apps import apps

spent = 0.0
def timed(receiver):
    def measured(*args, **kwargs):
        global spent
        begin = time.perf_counter()
        try:
            return receiver(*args, **kwargs)
        finally:
            spent += time.perf_counter() - begin
    return measured

if apps.is_installed("cascade.django_app"):
    from cascade.django_app.apps import after_migrate, before_migrate
    app = apps.get_app_config("cascade")
    kept = [(signal, receiver, timed(receiver)) for signal, receiver in
            ((pre_migrate, before_migrate), (post_migrate, after_migrate))]
    for signal, receiver, measured in kept:
        signal.disconnect(receiver, sender=app)
        signal.connect(measured, sender=app, weak=False)
begin = time.perf_counter()
call_command("migrate", *sys.argv[1:], verbosity=0)
print(time.perf_counter() - begin, spent)
"""
WITHOUT = "from cascade.demo.project.settings import *"
WITH = f'{WITHOUT}\nINSTALLED_APPS = [*INSTALLED_APPS, "cascade.django_app"]'
CASES: Mapping[str, Sequence[str]] = {
    "seven tables made, --skip-checks": ("user_profile", "0040", "--skip-checks"),
    "nothing to do, --skip-checks": ("user_profile", "0029", "--skip-checks"),
    "seven tables made, with the system checks": ("user_profile", "0040"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.guard", description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args()
    servers = SharedServers(make_run_folder(), owner=os.getpid())
    try:
        print("| migrate | wall, beside it without the app | CPU, beside it without the app | guard and proof |")
        print("|---|---|---|---|")
        for name, arguments in CASES.items():
            wall, cpu, spent = [], [], []
            for position in range(options.pairs + 1):
                with_app = _run(servers, WITH, arguments)
                without = _run(servers, WITHOUT, arguments)
                if position:  # the first pair warms up the disk and the cache
                    wall.append(with_app.wall / without.wall)
                    cpu.append(with_app.cpu / without.cpu)
                    spent.append(with_app.looking * 1000)
            print(f"| {name} | {_spread(wall, 2)} | {_spread(cpu, 2)} | {_spread(spent, 0)} ms |", flush=True)
    finally:
        servers.stop()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, and what of it guard and proof did, in seconds."""

    wall: float
    cpu: float
    looking: float


def _run(servers: SharedServers, settings: str, arguments: Sequence[str]) -> Cost:
    with _site(servers) as site:
        (site.folder / "measured.py").write_text(settings)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "PYTHON"))},
            "PYTHONPYCACHEPREFIX": str(servers.folder / "bytecode"),  # compiled once, as an installed package is
            **site.environment,
            "DJANGO_SETTINGS_MODULE": "measured",
            "PYTHONPATH": os.pathsep.join((str(Path(__file__).parents[2]), str(site.folder))),
            "XDG_CACHE_HOME": str(servers.folder),
        }
        begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begin
    if done.returncode or done.stderr:
        raise SystemExit(f"migrate {' '.join(arguments)} was not silent:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, float(done.stdout.split()[1]))


@contextmanager
def _site(servers: SharedServers) -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="cascade-benchmark-") as folder,
        foundation_site(servers.get("pg18"), servers, Path(folder)) as site,
    ):
        yield site


def _spread(values: Sequence[float], digits: int) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    main()

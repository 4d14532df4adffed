"""Random drifts, repaired in every way there is, and taken back: ``python -m tests.scenarios.random_drift``.

For each random project a template database is migrated; for each case a copy of it is damaged, and then
  plan → rehearse: nothing changed · apply: nothing curable left, as healthy, rows intact · undo: as drifted
  the psql script instead, the generated migration instead: as after apply; the migration on a healthy copy: no change
What is looked at, pg_dump and checksums of rows, does not come from cascade.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.scenarios.random_sites import APP, STRAY, Site, random_site
from tests.servers import Server, SharedServers, fresh_database, make_run_folder

CHECKOUT = Path(__file__).resolve().parents[2]


class Failed(AssertionError):
    """A case that did not come out as it should; the message names seed, case, damage and difference."""


def run_site(server: Server, seed: int, cases: int, *, every_way: bool = True) -> dict[str, Any]:
    """All cases of one random project, in a process of its own; the figures, or ``Failed``."""
    site = random_site(seed)
    with tempfile.TemporaryDirectory(prefix="cascade-random-") as folder, fresh_database(server) as database:
        _write(Path(folder), site)
        database.connection.execute(f"CREATE SCHEMA {STRAY}".encode())
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(CHECKOUT), folder]),
            "DJANGO_SETTINGS_MODULE": "settings",
            "SITE_HOST": server.host,
            "SITE_PORT": str(server.port),
            "SITE_NAME": database.name,
            "XDG_CACHE_HOME": folder,
        }
        _run([sys.executable, "-m", "django", "migrate", "-v", "0"], environment)
        with database.connection.transaction():  # keys are deferred, and point forwards too
            for statement in site.inserts():
                database.connection.execute(statement.encode())
        database.connection.execute("ANALYZE")
        database.connection.close()
        described = json.dumps({"server": [server.version, server.host, server.port, server.bin_folder]})
        arguments = [described, str(seed), str(cases), database.name, "every" if every_way else "apply"]
        done = _run([sys.executable, "-m", "tests.scenarios.random_drift_case", *arguments], environment)
        figures: dict[str, Any] = json.loads(done.splitlines()[-1])
        return figures


def _write(folder: Path, site: Site) -> None:
    (folder / APP / "migrations").mkdir(parents=True)
    (folder / APP / "__init__.py").touch()
    (folder / APP / "migrations" / "__init__.py").touch()
    for name, text in site.migrations().items():
        (folder / APP / "migrations" / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "settings.py").write_text(_SETTINGS)


_SETTINGS = f"""
import os

SECRET_KEY = "only-for-tests"
INSTALLED_APPS = ["{APP}"]
USE_TZ = True
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["SITE_HOST"],
        "PORT": os.environ["SITE_PORT"],
        "NAME": os.environ["SITE_NAME"],
        "USER": "postgres",
    }}
}}
"""


def _run(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(arguments, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr[-6000:] or done.stdout[-6000:])
    return done.stdout


def main() -> None:
    """Run cases until ``--count``, and print the figures; a failure prints its seed and goes on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=10, help="of one project")
    parser.add_argument("--kind", choices=("pg18", "pg15"), default="pg18")
    options = parser.parse_args()
    servers = SharedServers(make_run_folder(), owner=os.getpid())
    total, failures, begun = Counter[str](), 0, time.monotonic()
    try:
        server = servers.get(options.kind)
        for seed in range(options.seed, options.seed + -(-options.count // options.cases)):
            try:
                total.update(run_site(server, seed, options.cases))
            except Failed as failure:
                failures += 1
                print(f"seed {seed}: {failure}", flush=True)
            print(f"\rseed {seed}: {total['cases']} cases, {failures} failures", end="", file=sys.stderr)
    finally:
        servers.stop()
    print(f"\n{server}: {total['cases']} cases in {time.monotonic() - begun:.0f} s, {failures} projects failed")
    for name, number in sorted(total.items()):
        print(f"  {number:>7}  {name}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

"""Real projects, migrated astray: is what ``cascade probe --predict`` says of their pages what really happens?

    python -m tests.projects.probes [--project NAME] [--server 15|18] [--at HOST:PORT] [--pages 20]

A share of the migrations runs with another schema first on the search_path. Then each page is asked on a copy of the
database of its own, what failed is repaired for good by the plan's SQL, and the page is asked again, over and over.
Ends with 1 where anything was told wrong.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.projects.databases import chosen_servers, drifted_database
from tests.projects.healthy import parsed_options
from tests.projects.projects import PROJECTS, Checkout, Window, check_out
from tests.scenarios.probe_truth import told_of_pages
from tests.servers import Database, Server, fresh_database

PROBED = {"wagtail": Window(0.6), "oscar": Window(0.25, order="plan")}
"""When the search_path of each was wrong: early enough for pages to need several of the tables."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.projects.probes", description=__doc__)
    parser.add_argument("--pages", type=int, default=20, help="how many pages of each project, spread over all")
    options = parsed_options(parser)
    wrong = 0
    with chosen_servers(options.server[-1:], options.at) as (servers, _):
        for project in PROJECTS:
            if project.name in PROBED and project in options.project:
                wrong += _try(check_out(project), servers[0], options.pages)
    return 1 if wrong else 0


def _try(checkout: Checkout, server: Server, most: int) -> int:
    """Print a line for each page, and one that sums up; how many were told wrong."""
    begun, wrong, name = time.monotonic(), 0, checkout.project.name
    with (
        drifted_database(checkout, server, PROBED[checkout.project.name]) as drifted,
        tempfile.TemporaryDirectory(prefix="cascade-probes-") as folder,
    ):
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(_said(checkout, drifted, ["plan"])))
        paths = spread(_said(checkout, drifted, ["pages"]), most)
        probes = json.dumps([{"path": path, "as": "superuser"} for path in paths])
        document = _said(checkout, drifted, ["predict"], PROBES=probes)
        told = told_of_pages(document)
        seconds = sum(probe["milliseconds"] for probe in document["probes"]) / 1000
        drifted.connection.close()
        lengths = []
        for path in paths:
            with fresh_database(server, template=drifted.name) as copy:
                copy.connection.close()
                true = _said(checkout, copy, ["truth", path, str(plan)])
            lengths.append(len(true["failed"]))
            right = told[f"{path} as superuser"] == true
            wrong += not right
            print(f"{name} {path}: {len(true['failed'])} then {true['status']}", flush=True)
            if not right:
                print(f"  told {told[f'{path} as superuser']}\n  true {true}", flush=True)
        unproved = [probe for probe in document["probes"] if probe["verdict"] == "not_provable"]
        for probe in unproved:
            print(f"  {probe['name']}: {probe['reason']}")
    print(
        f"{name} on PostgreSQL {server.version}: {len(paths)} pages, {sum(lengths)} failures in turn (longest "
        f"{max(lengths)}), {wrong} told wrong, {len(unproved)} not provable; told in {seconds:.1f} s, "
        f"{time.monotonic() - begun:.0f} s in all"
    )
    return wrong


def spread(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of them, from all over the list.

    >>> spread("abcdefgh", 4)
    ['a', 'c', 'e', 'g']
    """
    step = max(1, len(paths) / most)
    return [paths[int(number * step)] for number in range(min(most, len(paths)))]


def _said(checkout: Checkout, database: Database, command: Sequence[str], **environment: str) -> Any:
    module = f"{checkout.project.name}_probed_settings"
    lines = checkout.run(["probe_project.py", *command], database, DJANGO_SETTINGS_MODULE=module, **environment)
    return json.loads(list(lines)[-1])


if __name__ == "__main__":
    sys.exit(main())

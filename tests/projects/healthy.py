"""From nothing to the table in docs/measurements.md: real projects, migrated healthy, and what cascade finds in them.

    python -m tests.projects.healthy [--project NAME] [--server 15|18] [--at HOST:PORT]

Each project is installed from the package index and migrated on PostgreSQL 15 and 18. Servers of our own are started
for it and stopped again; on a running server (``--at``) the databases are kept, and used again the next time. The
table is Markdown, alone on stdout. Ends with 1 where anything broken or risky is found.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.projects.databases import chosen_servers, healthy_database
from tests.projects.projects import PROJECTS, Analysis, Project, check_out
from tests.servers import Server

HEADS = (
    "project",
    "PostgreSQL",
    "tables",
    "columns",
    "constraints",
    "indexes",
    "migrations",
    "broken",
    "risky",
    "notes",
    "seconds",
)


def main() -> int:
    options = parsed_options(argparse.ArgumentParser(prog="python -m tests.projects.healthy", description=__doc__))
    print_row(HEADS)
    print_row(["---"] * len(HEADS))
    serious: list[str] = []
    with chosen_servers(options.server, options.at) as (servers, folder):
        for project in options.project:
            for server in servers:
                analysis = _analysis(project, server, folder)
                print_row(row_of(project, server, analysis))
                found = [*analysis.serious, *(f"not checked: {part}" for part in analysis["not_checked"])]
                serious += (f"{project.name} on PostgreSQL {server.version}: {finding}" for finding in found)
    for finding in serious:
        print(finding, file=sys.stderr)
    return 1 if serious else 0


def parsed_options(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options that every script on these projects has, beside its own."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    known = {project.name: project for project in PROJECTS}
    parser.add_argument("--project", action="append", choices=known, help="one of them; may be given again")
    parser.add_argument("--server", action="append", type=int, choices=(15, 18), help="start this one only")
    parser.add_argument("--at", action="append", default=[], metavar="HOST:PORT", help="a running server instead")
    options = parser.parse_args()
    options.project = tuple(known[name] for name in options.project or known)
    options.server = tuple(options.server or (15, 18))
    options.at = tuple(options.at)
    return options


def row_of(project: Project, server: Server, analysis: Analysis) -> Sequence[object]:
    """The figures under ``HEADS``."""
    figures = analysis["figures"]
    counts = [f"{figures[part]:,}" for part in ("tables", "columns", "constraints", "indexes", "migrations")]
    findings = [figures["findings"].get(severity, 0) for severity in ("broken", "risky", "note")]
    return (project.name, server.version, *counts, *findings, figures["seconds"])


def print_row(cells: Iterable[object]) -> None:
    """One line of a table in Markdown."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def _analysis(project: Project, server: Server, folder: Path) -> Analysis:
    with healthy_database(check_out(project), server, folder) as healthy:
        return healthy.analyse()


if __name__ == "__main__":
    sys.exit(main())

"""Real projects, damaged by chance: what cascade finds of it, what it misses, what it invents.

    python -m tests.projects.inject [--count 200] [--seed 1] [--kind NAME] [--project NAME] [--server 15|18]
                                    [--at HOST:PORT] [--to FOLDER]

So many injections of each kind, spread over the projects, on both servers side by side; fewer where these do not offer
as many. What counts as a hit stands in ``expectations.py``. Databases are as in ``healthy.py``. The table is Markdown,
alone on stdout; each miss and each false alarm is told with its statements on stderr, the moment it is seen. Ends with
1 where there is one.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.projects.databases import chosen_servers, healthy_database
from tests.projects.expectations import InjectionKind
from tests.projects.healthy import parsed_options, print_row
from tests.projects.projects import Project, check_out
from tests.servers import Server

HEADS = (
    "injection",
    "drawn",
    "hits",
    "found",
    "missed",
    "false alarms",
    "recall",
    "precision",
    "notes",
    "seconds each",
)

Outcome = Mapping[str, Any]


@dataclass(slots=True)
class Tally:
    """What came of all injections of one kind."""

    drawn: int = 0
    hits: int = 0
    missed: int = 0
    false_alarms: int = 0
    notes: int = 0
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.drawn += 1
        self.hits += outcome["hits"]
        self.missed += len(outcome["missed"])
        self.false_alarms += len(outcome["false_alarms"])
        self.notes += outcome["notes"]
        self.seconds += outcome["seconds"]

    @property
    def row(self) -> Sequence[object]:
        """The figures under ``HEADS``."""
        found = self.hits - self.missed
        shares = (_share(found, self.hits), _share(found, found + self.false_alarms))
        each = f"{self.seconds / self.drawn:.2f}" if self.drawn else "–"
        return (self.drawn, self.hits, found, self.missed, self.false_alarms, *shares, self.notes, each)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.projects.inject", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="injections of each kind")
    parser.add_argument("--seed", default="1", help="another one draws others")
    parser.add_argument("--kind", action="append", choices=[kind.value for kind in InjectionKind])
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="keep what came of it, and go on where a run ended")
    options = parsed_options(parser)
    if options.to:
        options.to.mkdir(parents=True, exist_ok=True)
    tallies = {kind: Tally() for kind in options.kind or [kind.value for kind in InjectionKind]}
    with (
        chosen_servers(options.server, options.at) as (servers, folder),
        ThreadPoolExecutor(len(servers)) as side_by_side,
    ):
        places = len(options.project) * len(servers)
        for project in options.project:
            # What one project does not offer the next ones make up for.
            counts = {kind: -(-(options.count - tally.drawn) // places) for kind, tally in tallies.items()}
            ask = partial(_outcomes, project, folder=folder, counts=counts, seed=options.seed, kept_in=options.to)
            for found in side_by_side.map(ask, servers):
                for outcome in found:
                    tallies[outcome["kind"]].add(outcome)
            places -= len(servers)
    print_row(HEADS)
    print_row(["---"] * len(HEADS))
    for kind, tally in tallies.items():
        print_row((kind, *tally.row))
    return 1 if any(tally.missed or tally.false_alarms for tally in tallies.values()) else 0


def outcomes(
    project: Project, server: Server, *, folder: Path, counts: Mapping[str, int], seed: str
) -> Iterator[Outcome]:
    """What comes of so many injections of each kind into one project's database on one server."""
    wanted = json.dumps({kind: count for kind, count in counts.items() if count > 0})
    with healthy_database(check_out(project), server, folder) as healthy:
        command = ("inject_project.py", f"--count={wanted}", f"--seed={seed} {project.name} {server.version}")
        for line in healthy.checkout.run(command, healthy.database, path=""):
            yield json.loads(line)


def in_words(outcome: Outcome) -> list[str]:
    """What is wrong with an outcome, and the statements that show it again."""
    wrong = [f"missed: {miss}" for miss in outcome["missed"]]
    wrong += [f"false alarm: {alarm}" for alarm in outcome["false_alarms"]]
    if not wrong:
        return []
    return [f"{outcome['kind']} {outcome['number']}", *wrong, *(f"    {s};" for s in outcome["statements"])]


def _outcomes(
    project: Project, server: Server, *, kept_in: Path | None, counts: Mapping[str, int], **asked: Any
) -> list[Outcome]:
    """All outcomes of one project on one server, as far as they were not kept by an earlier run."""
    name = f"{project.name}-{server.version}"
    complete = kept_in / f"{name}.jsonl" if kept_in else None
    if complete and complete.exists():
        return _kept(complete)
    unfinished = complete.with_suffix(".unfinished") if complete else Path(os.devnull)
    found = _of_complete_kinds(_kept(unfinished))
    asked["counts"] = {kind: count for kind, count in counts.items() if kind not in {one["kind"] for one in found}}
    with unfinished.open("w") as file:
        file.writelines(f"{json.dumps(outcome)}\n" for outcome in found)
        for outcome in outcomes(project, server, **asked):
            found.append(outcome)
            print(json.dumps(outcome), file=file, flush=True)
            _tell(in_words(outcome), project, server)
    _tell([f"{len(found)} injections"], project, server)
    if complete:
        unfinished.rename(complete)
    return found


def _kept(file: Path) -> list[Outcome]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _of_complete_kinds(found: list[Outcome]) -> list[Outcome]:
    """Without those of the last kind, which was not at its end when the run was."""
    return [outcome for outcome in found if outcome["kind"] != found[-1]["kind"]]


def _tell(lines: Sequence[str], project: Project, server: Server) -> None:
    if lines:
        print(f"{project.name} on PostgreSQL {server.version}:", *lines, sep="\n  ", file=sys.stderr, flush=True)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "–"


if __name__ == "__main__":
    sys.exit(main())

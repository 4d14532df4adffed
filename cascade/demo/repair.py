"""The second half of the demo: the plan rehearsed, applied, proved and taken back, each claim by a witness."""

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from cascade.core.answer import Answer
from cascade.core.limits import Limits
from cascade.core.preflight import may_go_on
from cascade.core.runs import StepRun
from cascade.demo.pages import PAGES
from cascade.demo.replay import DATABASE
from cascade.demo.witness import ask_pages, dump_layout, lost_rows, read_rows
from cascade.effects.embedded_server import EmbeddedServer
from cascade.effects.files import write_file
from cascade.errors import CascadeError
from cascade.render.plan_json import render_plan_json
from cascade.render.preflight import render_preflight
from cascade.workflows.plan_file import read_plan_file, replan
from cascade.workflows.question import Question
from cascade.workflows.repairing import apply_plan, preflight, rehearse_plan, repair_target, undo_journal
from cascade.workflows.reporting import Kept, read_incident, report_files, write_report

Report = Callable[[str], None]
Pages = Mapping[str, int | str]
"""What each page answered: a status, or the database's error."""


class NotProved(CascadeError):
    """Something that the demo claims did not hold."""


def show_repair(server: EmbeddedServer, answer: Answer, settings: str, output: Path, *, report: Report) -> None:
    """Repair the demo's database, write the postmortem to ``output``, and take the repair back.

    Raises ``NotProved`` where a claim does not hold.
    """
    asked_before = ask_pages(server, DATABASE, settings), _now()
    report(f"Before: {_pages_in_words(asked_before[0])}.")
    # Whoever logs in writes rows, so the pages are asked before the rows are looked at.
    before, rows = dump_layout(server, DATABASE), read_rows(server, DATABASE)
    with tempfile.TemporaryDirectory(prefix="cascade-demo-") as folder:
        file, journal = Path(folder) / "plan.json", Path(folder) / "journal.jsonl"
        write_file(file, render_plan_json(answer))
        saved = read_plan_file(file)
        answer = replan(saved, report=_silent)
        target = repair_target(saved.question)

        rehearsed = rehearse_plan(answer, saved.question, target, Limits(), report=_silent)
        _claim(dump_layout(server, DATABASE) == before, "the rehearsal left something behind")
        _claim(not lost_rows(server, DATABASE, rows), "the rehearsal touched rows")
        report(f"Rehearsed: {len(rehearsed.runs)} steps, {_total(rehearsed.runs):.0f} ms; the dump is as before.")

        checks = preflight(answer, saved.question, target, journal, allowed=frozenset())
        report(render_preflight(checks).rstrip())
        _claim(may_go_on(checks), "the preflight says no")
        applied = apply_plan(answer, saved.question, target, Limits(), journal, report=_silent)
        _claim(not applied.left, f"{len(applied.left)} findings are left")
        _claim(applied.afterwards.plan.is_empty, "the plan afterwards is not empty")
        report(f"Applied: {len(applied.runs)} steps, {_total(applied.runs):.0f} ms; the plan afterwards is empty.")
        lost = lost_rows(server, DATABASE, rows)
        _claim(not lost, "; ".join(lost))
        count = sum(table.count for table in rows.values())
        report(f"Rows: all {count:,} in {len(rows)} tables are there, by checksum.")
        pages = ask_pages(server, DATABASE, settings)
        _claim(set(pages.values()) == {200}, f"a page fails: {pages}")
        report(f"Pages: {', '.join(pages)} all answer 200.")
        _write_report(Path(folder), journal, (asked_before, (pages, _now())), output)
        report(f"Wrote report.html and report.md to {output}.")

        rows = read_rows(server, DATABASE, {oid: table.columns for oid, table in rows.items()})
        undone = undo_journal(journal, target, Limits(), report=_silent)
        _claim(dump_layout(server, DATABASE) == before, "the dump after the undo is another")
        lost = lost_rows(server, DATABASE, rows)
        _claim(not lost, "; ".join(lost))
        report(f"Undone: {len(undone.steps)} steps; pg_dump --schema-only prints what it printed before.")


def _write_report(folder: Path, journal: Path, asked: Iterable[tuple[Pages, str]], output: Path) -> None:
    """The postmortem from what ``cascade apply`` and the pages left behind."""
    files = []
    for number, (pages, at) in enumerate(asked):
        files.append(folder / f"probes-{number}.json")
        write_file(files[-1], json.dumps({"asked_at": at, "probes": [_probe(*page) for page in pages.items()]}))
    incident = read_incident(Kept(journal=journal, probes=tuple(files)), Question())
    write_report(report_files(incident), output)


def _probe(path: str, said: int | str) -> dict[str, object]:
    answered = isinstance(said, int)
    return {
        "kind": "page",
        "path": path,
        "as": _WHO_ASKS[path],
        "verdict": "passed" if said == 200 else "failed",
        "status": said if answered else None,
        "reason": "" if answered else said,
    }


_WHO_ASKS = {path: user for user, path in PAGES}


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _pages_in_words(pages: Pages) -> str:
    failing = {path: said for path, said in pages.items() if said != 200}
    return "; ".join(f"{path} fails, {said}" for path, said in failing.items()) or "no page fails"


def _total(runs: Iterable[StepRun]) -> float:
    return sum(run.milliseconds for run in runs)


def _claim(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotProved(f"The demo did not come out as it claims: {otherwise}.")


def _silent(message: str) -> None:
    """Report to nobody."""

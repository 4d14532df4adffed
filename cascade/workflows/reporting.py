"""The postmortem, written from what was kept of an incident."""

import ast
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from cascade.core.documents import moment_of, serious
from cascade.core.incident import Incident, RepairFile
from cascade.core.journal import Journal, parse_journal
from cascade.core.probe_results import MalformedResults, measured_chains, parse_probe_results
from cascade.core.redaction import find_names, redact
from cascade.core.shape import first_misfit
from cascade.errors import CascadeError, FileError
from cascade.render.plan_json import SCHEMA_VERSION, plan_document, plan_schema
from cascade.render.report import Report, is_marked, make_report, marked, render_report_html, render_report_markdown
from cascade.render.wording import moment
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, silent
from cascade.workflows.question import Report as Progress

REPORT_FORMATS = ("html", "markdown")


@dataclass(frozen=True)
class Kept:
    """The files that were kept: each may be a plan (``cascade plan -o plan.json``) or a look (``catalog.sql``).

    ``before`` and ``after`` are such files, ``journal`` is what ``cascade apply`` wrote, ``probes`` what
    ``cascade probe --format json`` did, ``migration`` the file of the repair migration.
    """

    before: Path | None = None
    after: Path | None = None
    journal: Path | None = None
    probes: tuple[Path, ...] = ()
    migration: Path | None = None


def read_incident(
    kept: Kept,
    question: Question,
    *,
    hide_names: bool = False,
    hide_also: Sequence[str] = (),
    report: Progress = silent,
) -> Incident:
    """The incident as far as these files tell it; without any of them the database is read as it is now.

    The project is needed only where a look has to be compared with what its migrations say. ``hide_names`` replaces
    hosts, roles, paths and names of users, each by the same word everywhere, and the names ``hide_also``. Raises
    ``FileError`` for a file that is none of what it should be.
    """
    migration = _migration(kept.migration) if kept.migration else None
    journal = _journal(kept.journal) if kept.journal else None
    events = [dict(event) for event in journal.events] if journal else None
    before = _before(kept, events, question, report)
    after = _plan(kept.after, question, report) if kept.after else _afterwards(events, kept.journal)
    if events is not None and events[0].get("plan_id") != before["plan_id"]:
        raise FileError(
            f"{kept.journal} is of the plan {events[0].get('plan_id')}, and {kept.before} is {before['plan_id']}."
        )
    if kept.after:
        _in_order(kept, before, after, journal)
    given = [(path, read_json(path, "results of probes")) for path in kept.probes]
    asked = [*((kept.journal, results) for results in _probed(events)), *given]
    sources, probes = [path for path, _ in asked], [results for _, results in asked]
    if kept.after and before["database"] != after["database"]:
        raise FileError(
            f"{kept.before or 'The plan'} is of {before['database']}, and {kept.after} of {after['database']}."
        )
    documents: list[Any] = [before, after, events, probes, migration]
    if hide_names:
        _refuse_idle(hide_also, documents)
        documents = redact(documents, find_names(documents, hide_also))
    before, after, events, probes, migration = documents
    healthy_at = ""
    if kept.after and journal is None and any(serious(after["drifts"])) and not any(serious(before["drifts"])):
        before, after, healthy_at = after, None, before["read_at"]  # it began in between
    return Incident(
        before,
        after,
        _read_anew(events) if journal else None,
        tuple(
            result
            for path, found in zip(sources, probes, strict=True)
            for result in _results(parse_probe_results, path, found)
        ),
        by_hand=after is not None and kept.journal is None,
        migration=RepairFile(*migration) if migration else None,
        healthy_at=healthy_at,
        measured=next(filter(None, map(partial(_results, measured_chains), sources, probes)), ()),
    )


def _refuse_idle(names: Iterable[str], documents: list[Any]) -> None:
    """A mistyped name would leave the right one in the report."""
    for name in names:
        if redact(documents, {name: ""}) == redact(documents, {name: name}):
            raise CascadeError(
                f"{name!r} is to be hidden, and stands nowhere as a word of its own in what the report is made of.",
                hint="Is it spelled as there? --hide takes a whole word, such as anna in /users/anna/.",
            )


def report_files(incident: Incident, formats: Sequence[str] = REPORT_FORMATS) -> Mapping[str, str]:
    """The texts of the report by the names of their files: the page, the Markdown and its pictures."""
    report = make_report(incident)
    files: dict[str, str] = {}
    if "markdown" in formats:
        files["report.md"] = render_report_markdown(report)
        files |= _pictures(report)
    if "html" in formats:
        files["report.html"] = render_report_html(report)
    return files


def _pictures(report: Report) -> dict[str, str]:
    named = ((f"{picture.name}.svg", picture.alone) for picture in report.pictures)
    return {name: marked(name, svg) for name, svg in named}


def write_report(files: Mapping[str, str], folder: Path, *, report: Progress = silent) -> tuple[Path, ...]:
    """Write the files into the folder, which is made where it is not there.

    Where that cannot be done they are written into a new temporary folder, for what they tell may be gone tomorrow,
    and the ``FileError`` says where. Pictures that an earlier report left, and that the Markdown of this one does not
    show, are removed and reported; whatever else lies there stays.
    """
    from cascade.effects.files import make_folder, remove_files, temporary_folder

    try:
        make_folder(folder)
        written = _written(files, folder)
        if "report.md" in files:
            for path in remove_files(folder, "*.svg", lambda name, text: name not in files and is_marked(name, text)):
                report(f"removed {path}, a picture of an earlier report")
        return written
    except FileError as error:
        instead = temporary_folder("cascade-report-")
        _written(files, instead)
        raise FileError(error.message, hint=f"The report is in {instead} instead; -o names another folder.") from error


def _written(files: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    from cascade.effects.files import write_file

    for name, text in files.items():
        write_file(folder / name, text)
    return tuple(folder / name for name in files)


# ------------------------------------------------------------------------------------------------------------ the files


def _before(kept: Kept, events: Any, question: Question, report: Progress) -> Any:
    if kept.before is not None:
        return _plan(kept.before, question, report)
    if events is not None:
        plan = events[0].get("plan")
        if plan is None:
            raise FileError(
                f"{kept.journal} does not hold the plan: an older program wrote it.",
                hint="Name the plan too: cascade report plan.json --journal JOURNAL.",
            )
        return usable_plan(plan, f"The plan in {kept.journal}")
    if kept.after is not None:
        raise CascadeError(
            "--after says how it is after a repair; what was before it?",
            hint="Name the plan, or the look from before: cascade report BEFORE --after AFTER.",
        )
    return _as_json(plan_document(analyse(question, report=report)))


def _in_order(kept: Kept, before: Any, after: Any, journal: Journal | None) -> None:
    """Raises ``FileError`` where the look from after the repair is from before it."""
    looked, first = moment_of(after["read_at"]), moment_of(before["read_at"])
    if looked and first and looked < first:
        raise FileError(
            f"{kept.after} was read at {moment(after['read_at'])}, before {kept.before or 'the plan of the journal'} "
            f"({moment(before['read_at'])}): --after says how it is after a repair.",
            hint="Change them over: cascade report EARLIER --after LATER.",
        )
    sent = (journal.committed_at or (journal.sent_at if journal.in_flight else "")) if journal else ""
    committed = moment_of(sent)
    if looked and committed and looked < committed.replace(microsecond=0):
        raise FileError(
            f"{kept.after} was read at {moment(after['read_at'])}, and the repair was committed at {moment(sent)}: "
            "it does not say how it is after it.",
            hint="Look again: cascade plan -o after.json.",
        )


def _plan(path: Path, question: Question, report: Progress) -> Any:
    """A plan from its file, or made from a look at the database that psql wrote."""
    document = read_json(path, "plan")
    if isinstance(document, dict) and "cascade_observed" in document:
        looked = replace(question, observed_file=path, apps=(), tables=())
        return _as_json(plan_document(analyse(looked, report=report)))
    return usable_plan(document, str(path))


def usable_plan(document: Any, where: str) -> Any:
    """The document, if it is a plan that can be told from. Raises ``FileError`` that says what of ``where`` is not."""
    if not isinstance(document, dict) or "schema_version" not in document:
        raise FileError(
            f"{where} is neither a plan (cascade plan -o plan.json) nor a look at a database (catalog.sql)."
        )
    if document["schema_version"] != SCHEMA_VERSION:
        raise FileError(
            f"{where} is a plan of version {document['schema_version']}; this program reads {SCHEMA_VERSION}.",
            hint="Use the program that made it.",
        )
    misfit = first_misfit(document, plan_schema())
    if misfit:
        raise FileError(
            f"{where} is no whole plan: {misfit}. It was cut or edited, or another version of this program wrote it.",
            hint="Make it again: cascade plan -o plan.json.",
        )
    return document


def read_json(path: Path, what: str) -> Any:
    """What the file holds. Raises ``FileError`` where it cannot be read or is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise FileError(f"{path} cannot be read: {why}.") from error
    except ValueError as error:
        raise FileError(f"{path} holds no {what}: it is no JSON, or was cut off ({error}).") from error


def _as_json(document: Any) -> Any:
    """As it would come out of a file: lists for tuples, and nothing that is shared."""
    return json.loads(json.dumps(document))


def _journal(path: Path) -> Journal:
    from cascade.effects.repair.journal import read_journal

    return read_journal(path)


def _read_anew(events: Any) -> Journal:
    """The journal with the names that its events have now."""
    return parse_journal(json.dumps(event) for event in events)


def _afterwards(events: Any, journal: Path | None) -> Any:
    """How it was found after the repair; nothing where that was taken back since."""
    found = None
    for event in events or ():
        match event["event"]:
            case "afterwards":
                found = usable_plan(event["plan"], f"The later look in {journal}")
            case "undone":
                found = None
    return found


def _probed(events: Any) -> list[Any]:
    """What pages answered before the repair and after it; before alone where it was taken back since."""
    rounds: list[Any] = []
    for event in events or ():
        match event["event"]:
            case "probed":
                rounds.append({**event["results"], "asked_at": event["at"]})  # by the clock that COMMIT is noted by
            case "undone":
                del rounds[1:]
    return rounds


_Read = TypeVar("_Read")


def _results(read: Callable[[Any], _Read], path: Path | None, document: Any) -> _Read:
    """What is read of the results of probes in that file."""
    try:
        return read(document)
    except MalformedResults as error:
        raise FileError(
            f"{path} holds no results of probes: {error}.", hint="cascade probe --format json writes them."
        ) from error


def _migration(path: Path) -> tuple[str, str, str]:
    """Its name, its text and its app. Raises ``FileError`` where it is no migration."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise FileError(f"The migration {path} cannot be read: {why}.") from error
    except (SyntaxError, ValueError) as error:
        raise FileError(f"{path} is no migration: it is no Python.", hint=_MIGRATIONS) from error
    if not any(isinstance(node, ast.ClassDef) and node.name == "Migration" for node in tree.body):
        raise FileError(f"{path} is no migration: it has no class Migration.", hint=_MIGRATIONS)
    folder = path.resolve().parent
    return path.name, text, folder.parent.name if folder.name == "migrations" else ""


_MIGRATIONS = "cascade migration writes one: --migration apps/shop/migrations/0062_repair.py."

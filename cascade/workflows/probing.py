"""Probes: the application asked whether it works, without a trace, and what would fail after each repair."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from cascade.core.answer import Answer
from cascade.core.attribution import attribute, curing_steps, pending_reason
from cascade.core.cascades import with_exact_chains
from cascade.core.layout import quoted
from cascade.core.probed import Probed
from cascade.core.probes import Probe, ProbeKind, Verdict, with_users_made
from cascade.errors import CascadeError
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report
from cascade.workflows.repairing import is_production, repair_target

if TYPE_CHECKING:
    from cascade.effects.probe.run import Lab


def run_probes(
    question: Question, *, models: bool = True, discovered: bool = False, seconds: float = 10.0, report: Report
) -> Probed:
    """Ask every page and every model, whatever becomes of the others. Leaves nothing behind but the sequences named.

    Raises a ``CascadeError`` where there is nothing to ask, or nothing could keep a page from committing.
    """
    if question.observed_file is not None:
        raise CascadeError("A file cannot be probed.", hint="Leave out --observed.")
    answer = analyse(question, report=report)
    found = _models(question.database) if models else ()
    probes = (*_pages(discovered=discovered, may_be_none=bool(found)), *found)
    return _run(answer, question, with_users_made(probes), seconds, report)


def predict_cascade(
    question: Question, *, discovered: bool = False, clone: bool | None = None, seconds: float = 10.0, report: Report
) -> Probed:
    """Run each page on the database as it is, and repair by the plan's steps what fails at the moment when it fails.

    The order in which that happens is the one in which failures would surface if one thing at a time were repaired.
    The plan of the answer has it as its exact chains. All is rolled back. ``clone``: on a clone without rows, as it is
    by default where ``CASCADE["PRODUCTION"]`` names the server: the steps lock tables as long as a page takes.
    """
    answer = analyse(question, report=report)
    return predict_for(answer, question, discovered=discovered, clone=clone, seconds=seconds, report=report)


def predict_for(
    answer: Answer,
    question: Question,
    *,
    discovered: bool = False,
    clone: bool | None = None,
    seconds: float = 10.0,
    report: Report,
) -> Probed:
    """The same for an answer that is there."""
    if question.observed_file is not None:
        raise CascadeError("A file cannot be probed.", hint="Leave out --observed.")
    probes = with_users_made(_pages(discovered=discovered))
    if clone is None:
        clone = is_production(repair_target(question))
    with _clone_of(question, report) if clone else nullcontext() as settings:
        probed = _run(answer, question, probes, seconds, report, predict=True, clone=settings)
    plan = with_exact_chains(answer.plan, probed.runs, answer.expected)
    return replace(probed, answer=replace(answer, plan=plan))


def with_exact_cascade(answer: Answer, question: Question, *, report: Report) -> Answer:
    """The answer with what each declared page fails at, in turn. It says where a page could not be asked to its end."""
    probed = predict_for(answer, question, report=report)
    return replace(probed.answer, notes=(*probed.answer.notes, *_notes(probed)))


def _notes(probed: Probed) -> Iterator[str]:
    open_ = [str(run.probe) for run in probed.runs if run.verdict is not Verdict.PASSED]
    if open_:
        what = f"{len(open_)} of {len(probed.runs)} probes did not come to a good end, such as {open_[0]}"
        yield f"{what}: cascade probe --predict says why."
    if probed.advanced:
        yield f"Sequences that went on while pages were probed, by them or by others: {', '.join(probed.advanced)}."


@contextmanager
def _clone_of(question: Question, report: Report) -> Iterator[Mapping[str, Any]]:
    """The settings that lead to a clone of the layout, there as long as this lasts."""
    from django.db import connections

    from cascade.effects.layout_clone import layout_clone, read_original
    from cascade.sources.project import open_connection
    from cascade.workflows.cursor import database_errors, raw_cursor

    settings = connections.settings[question.database]
    with database_errors(), raw_cursor(open_connection(question.database)) as cursor:
        about = read_original(cursor)
    with layout_clone(settings, about, report=report) as made:
        yield {**settings, "OPTIONS": {}, "PASSWORD": "", **made.settings, "ENGINE": settings["ENGINE"]}


def _pages(*, discovered: bool, may_be_none: bool = False) -> tuple[Probe, ...]:
    from cascade.sources.pages import discover_pages
    from cascade.sources.project import read_project

    declared = read_project().cascade.probes
    found = discover_pages().probes if discovered else ()
    pages = (*declared, *(probe for probe in found if str(probe) not in set(map(str, declared))))
    if not pages and not may_be_none:
        raise CascadeError(
            "No probe is declared.",
            hint='Declare some in the settings: CASCADE = {"PROBES": [{"path": "/me/", "as": "user"}]}. '
            "cascade probe --discover lists what there is.",
        )
    return pages


def _models(alias: str) -> tuple[Probe, ...]:
    from cascade.sources.models import models_of_database

    return tuple(Probe(ProbeKind.MODEL, model=label) for label in models_of_database(alias))


def ask_pages(answer: Answer, question: Question, *, seconds: float, report: Report, within: Any = None) -> Probed:
    """Ask the declared pages, of an answer that is there.

    ``within`` is the cursor of a transaction in which the steps have been run.
    """
    probes = with_users_made(_pages(discovered=False))
    if within is not None:
        cured = {cure for step in answer.plan.steps for cure in step.cures}
        left = tuple(drift for drift in answer.plan.drifts if drift.id not in cured)
        answer = replace(answer, plan=replace(answer.plan, drifts=left))
    return _run(answer, question, probes, seconds, report, within=within)


def _run(
    answer: Answer,
    question: Question,
    probes: Iterable[Probe],
    seconds: float,
    report: Report,
    *,
    predict: bool = False,
    clone: Mapping[str, Any] | None = None,
    within: Any = None,
) -> Probed:
    from cascade.effects.probe.outside import kept_in_memory
    from cascade.effects.probe.run import role_taken, run_probe

    lab = _lab(answer, question, seconds, clone=clone, within=within)
    before = _positions(question.database, within)
    steps_for = partial(curing_steps, plan=answer.plan) if predict else None
    runs = []
    with kept_in_memory():
        role = role_taken(lab) or answer.observed.connected_as
        for probe in probes:
            report(str(probe))
            runs.append(run_probe(probe, lab, steps_for=steps_for))
    after = _positions(question.database, within)
    advanced = tuple(name for name, last in after.items() if last != before.get(name))
    return Probed(answer, tuple(runs), role, advanced, predicted=predict, on_clone=clone is not None)


def _lab(answer: Answer, question: Question, seconds: float, *, clone: Mapping[str, Any] | None, within: Any) -> "Lab":
    from django.db import connections

    from cascade.effects.probe.outside import addresses_of
    from cascade.effects.probe.run import Lab
    from cascade.sources.project import open_connection, read_project

    own = open_connection(question.database)
    settings = {alias: connections.settings[alias] for alias in connections}
    there = {alias: entry for alias, entry in settings.items() if connections[alias].vendor == "postgresql"}
    elsewhere = clone or (within.db.settings_dict if within else None)
    placement, others = answer.placement, answer.placement.role != answer.observed.connected_as
    return Lab(
        alias=question.database,
        aliases={**there, question.database: elsewhere} if elsewhere else there,
        twins=frozenset(alias for alias, entry in settings.items() if _is_twin(entry, question.database, settings)),
        search_path=", ".join(map(quoted, placement.path.effective)) if others or elsewhere else "",
        role=placement.role if others or elsewhere else "",
        sent_options="" if elsewhere else str(getattr(own.connection.info, "options", "") or ""),
        allowed=addresses_of(read_project().cascade.probe_allow),
        seconds=seconds,
        attribute=partial(attribute, answer=answer),
        explain=partial(pending_reason, answer=answer),
        within=within.db.connection if within else None,
    )


def _is_twin(entry: Mapping[str, Any], alias: str, settings: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether another alias leads to the same database, or to a replica that tests take for it."""
    own = settings[alias]
    if entry is own:
        return False
    same = all(str(entry.get(key) or "") == str(own.get(key) or "") for key in ("ENGINE", "HOST", "PORT", "NAME"))
    return same or (entry.get("TEST") or {}).get("MIRROR") == alias


def _positions(alias: str, within: Any) -> Mapping[str, int | None]:
    """How far the sequences have come, asked in the transaction that may have locked them, else in one for it alone."""
    from cascade.sources.project import open_connection
    from cascade.sources.sequence_positions import read_sequence_positions
    from cascade.workflows.cursor import database_errors, raw_cursor

    with database_errors():
        if within is not None:
            return read_sequence_positions(within)
        with raw_cursor(open_connection(alias)) as cursor:
            cursor.execute("BEGIN READ ONLY")
            try:
                return read_sequence_positions(cursor)
            finally:
                cursor.execute("ROLLBACK")

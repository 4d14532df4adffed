"""The repair: rehearsed, applied, taken back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from cascade.core.actions import ExchangeTable, Phase, ShelveTable
from cascade.core.answer import Answer
from cascade.core.decisions import Decisions
from cascade.core.detect import detect_drift
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.fingerprint import digest_for_undo, digest_of_tables, fingerprint_of, tables_of
from cascade.core.history import HISTORY_TABLE
from cascade.core.journal import Journal, JournalStep
from cascade.core.layout import Layout, Table, TableName
from cascade.core.limits import Limits
from cascade.core.observed import Observed
from cascade.core.placement import as_of_now
from cascade.core.plan import HazardKind
from cascade.core.preflight import Check, ServerIdentity, make_checks
from cascade.core.probed import Probed
from cascade.core.runs import StepRun
from cascade.core.verification import new_drifts, uncured
from cascade.effects.layout_clone import layout_clone, read_original
from cascade.effects.own_connection import Settings, own_connection
from cascade.effects.repair.apply import Work, apply_late_step, apply_transaction, rehearse_transaction
from cascade.effects.repair.journal import JournalWriter, name_to_keep_it_by, open_journal, read_journal, write_header
from cascade.effects.repair.session import RepairRefused, Session, read_only_by_default, repair_session
from cascade.effects.repair.transaction import sole_repair
from cascade.effects.repair.undo import Undone, committed_steps, undo
from cascade.errors import CascadeError, FileError, NoSuchName, first_line
from cascade.render.plan_json import plan_document
from cascade.render.probes_json import probes_document
from cascade.sources.preflight import read_facts, read_identity
from cascade.workflows.answering import analyse
from cascade.workflows.migration import migrations_document
from cascade.workflows.question import Question, Report
from cascade.workflows.reading import read_again, read_clone

Ask = Callable[[Any], tuple[str, ...]]
"""Given the cursor of the open transaction, the pages that worked before and do no longer."""


@dataclass(frozen=True)
class Target:
    """Where the repair runs, and as whom: the settings of a database, and how it is called in words."""

    settings: Settings
    name: str


@dataclass(frozen=True)
class Rehearsed:
    """The steps as they went in a transaction that was rolled back.

    ``skipped`` are those that none can hold, and those that wait for such a one.

    ``left`` is what stays broken or risky in the scope of the plan, for no step is to cure it. ``not_cloned``: of a
    rehearsal on a clone, what the clone could not take, in a phrase each.
    """

    runs: tuple[StepRun, ...]
    skipped: tuple[str, ...]
    left: tuple[Drift, ...]
    not_cloned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Applied:
    """The steps as they went, the journal, and what a new look afterwards found."""

    runs: tuple[StepRun, ...]
    journal: Path
    afterwards: Answer

    @property
    def left(self) -> tuple[Drift, ...]:
        """What is still broken or risky in the scope of the plan."""
        return self.afterwards.findings()


def repair_target(question: Question, *, alias: str | None = None, dsn: str | None = None) -> Target:
    """Where to repair: another alias in DATABASES, a DSN, else the alias that was read.

    The project has to be set up. Raises ``NoSuchName`` for an unknown alias, ``CascadeError`` for a DSN that is none.
    """
    from django.db import connections

    if alias and dsn:
        raise CascadeError("--apply-database and --dsn both say where to repair.", hint="Give one of them.")
    name = alias or question.database
    if name not in connections.settings:
        raise NoSuchName("database", name, connections.settings, where=" in DATABASES")
    settings: Mapping[str, Any] = connections.settings[name]
    if dsn:
        from cascade.effects.reference import settings_of

        return Target({"ENGINE": "django.db.backends.postgresql", **settings_of(dsn)}, "the DSN")
    return Target(settings, f'the alias "{name}"')


def is_production(target: Target) -> bool:
    """Whether ``CASCADE["PRODUCTION"]`` in the settings of the project, which is set up, names the target's server."""
    from cascade.sources.project import read_project

    return read_project().cascade.is_production(target.settings)


def preflight(
    answer: Answer, question: Question, target: Target, journal: Path, *, allowed: frozenset[HazardKind]
) -> tuple[Check, ...]:
    """Whether the plan can be run there, question by question. Changes nothing, and leaves no file."""
    from django.db import connections

    with own_connection(connections.settings[question.database]) as cursor:
        read_over = read_identity(cursor)
    with repair_session(target.settings) as session:
        here = read_identity(session.cursor)
        elsewhere = here.database != read_over.database
        facts = read_facts(
            answer.plan,
            session.cursor,
            open_another=partial(own_connection, target.settings),
            read_over=read_over,
            changed=() if elsewhere else _changed_since(answer, question, session.cursor, within=False),
            history=_history_table(answer),
            journal=journal,
            earlier_journal=name_to_keep_it_by(journal),
        )
    return make_checks(answer, facts, allowed=allowed, journal=str(journal))


def rehearse_plan(
    answer: Answer,
    question: Question,
    target: Target,
    limits: Limits,
    *,
    ask: Ask | None = None,
    report: Report,
    warn: Report | None = None,
) -> Rehearsed:
    """Run the steps in a transaction that cannot commit, look whether they cure what they claim, roll back.

    ``ask`` asks the application in between, by the cursor of that transaction. ``warn`` gets what has to stand, else
    ``report`` does. Raises ``RepairRefused`` where the database is a read-only replica.
    """
    unwatched = partial(_say_unwatched, limits, warn or report)
    with repair_session(_settings(target, ask)) as session:
        _refuse_replica(session)
        runs = rehearse_transaction(session, _work(answer, question, limits, report, unwatched, ask))
    return _rehearsed(answer, runs)


def _refuse_replica(session: Session) -> None:
    session.cursor.execute("SELECT pg_catalog.pg_is_in_recovery()")
    if session.cursor.fetchone()[0]:
        raise RepairRefused(
            "This is a read-only replica: no step can be tried on it.",
            hint="Connect to the primary (--dsn), or let a copy of the layout stand in for it (--clone).",
        )


def rehearse_on_clone(
    answer: Answer, question: Question, target: Target, limits: Limits, *, ask: Ask | None = None, report: Report
) -> Rehearsed:
    """The same on a clone of the layout on an embedded server: the database is read by pg_dump alone.

    There are no rows, so what only they could show (time, a broken rule) does not show.
    """
    with repair_session(target.settings) as session:
        about = read_original(session.cursor)
    with layout_clone(target.settings, about, report=report) as clone, repair_session(clone.settings) as session:
        report("looking at the clone")
        expected, observed = read_clone(session.cursor, answer, question, report)
        # What is found to differ there, as another version may print it, is nothing that the steps did.
        found = detect_drift(expected, observed, answer.placement, question.decisions)
        there = replace(answer, expected=expected, observed=observed)
        verify = partial(_verify, there, question, (*_known(answer), *found))
        work = Work(
            answer.plan,
            _history_table(answer),
            limits,
            unchanged=lambda _: (),
            verify=verify,
            report=report,
            unwatched=report,  # nobody else is there
        )
        work = replace(work, ask=ask) if ask else work
        runs = rehearse_transaction(session, work)
    return replace(_rehearsed(answer, runs), not_cloned=clone.refused)


def _rehearsed(answer: Answer, runs: tuple[StepRun, ...]) -> Rehearsed:
    plan = answer.plan
    cured = {cure for step in plan.steps for cure in step.cures}
    left = tuple(drift for drift in answer.findings() if drift.id not in cured)
    return Rehearsed(runs, tuple(step.id for step in plan.not_in_a_transaction), left)


def apply_plan(
    answer: Answer,
    question: Question,
    target: Target,
    limits: Limits,
    journal: Path,
    *,
    before: Probed | None = None,
    ask: Ask | None = None,
    report: Report,
    warn: Report | None = None,
) -> Applied:
    """Run the plan: the one transaction, verified before its COMMIT, then the other steps one by one; then look again.

    The journal holds every statement and how to take it back. ``ask`` asks the application before COMMIT, by the cursor
    of the transaction, and says which pages the steps would break; ``before`` is what it answered until then, for the
    journal. ``warn`` gets what has to stand, else ``report`` does. Raises a ``CascadeError`` that says what was
    changed, if anything, and how to go on.
    """
    tables = tables_of(answer.plan.steps)
    with (
        repair_session(_settings(target, ask)) as session,
        sole_repair(session),
        open_journal(journal) as writer,
        _naming(journal),
        _stopped_by_hand(journal),
    ):
        _write_beginning(writer, answer, question, read_identity(session.cursor))
        unwatched = partial(_write_unwatched, writer, limits, warn or report)
        work = _work(answer, question, limits, report, unwatched, ask)
        if before is not None:
            writer.write("probed", results=probes_document(before))
        runs = [*apply_transaction(session, work, writer)]
        session.cursor.execute("SET default_transaction_read_only = off")  # pages are no longer asked in it
        for step in answer.plan.steps:
            if step.phase is not Phase.TRANSACTION:
                report(step.id)
                runs.append(apply_late_step(session, step, work, writer))
        with _after_commit(journal):
            observed = _look(answer, question, session, within=False)
            writer.write("looked", after=digest_for_undo(observed, tables))
    report("looking again")
    with _stopped_by_hand(journal), _after_commit(journal):
        afterwards = _look_again(question, journal, report)
    return Applied(tuple(runs), journal, afterwards)


def _write_beginning(writer: JournalWriter, answer: Answer, question: Question, identity: ServerIdentity) -> None:
    """What is about to be done, to which database, and the repair as migrations for the others."""
    tables = tables_of(answer.plan.steps)
    write_header(
        writer,
        answer.plan.steps,
        plan_id=answer.plan_id,
        database=answer.observed.database,
        system=identity.system,
        oid=identity.oid,
        host=answer.host,
        question=dict(answer.question),
        tables=[[table.schema, table.name] for table in tables],
        before=digest_for_undo(answer.observed.layout, tables),
        plan=plan_document(answer),
    )
    writer.write("migrations", **migrations_document(answer, question))


def _look_again(question: Question, journal: Path, report: Report) -> Answer:
    """What is found after the repair, which the journal keeps."""
    # What was decided is done, and would be refused as idle.
    done = Decisions(large_pages=question.decisions.large_pages, made_on=question.decisions.made_on)
    afterwards = analyse(replace(question, decisions=done), report=report)
    with open_journal(journal, append=True) as writer:
        writer.write("afterwards", plan=plan_document(afterwards))
    return afterwards


def journal_probes(journal: Path, after: Probed) -> None:
    """What the application answers after the repair, for who reads the journal."""
    with _after_commit(journal), open_journal(journal, append=True) as writer:
        writer.write("probed", results=probes_document(after))


@contextmanager
def _naming(journal: Path) -> Iterator[None]:
    """Adds to what went wrong where it is written down, and how to take back what is committed."""
    try:
        yield
    except CascadeError as error:
        with suppress(FileError):  # it could not be begun
            undo_it = f"To take back what is committed: cascade undo {journal}"
            where = undo_it if read_journal(journal).done else f"What was tried is written down in {journal}."
            if str(journal) not in error.hint:
                error.hint = "\n  ".join(filter(None, (error.hint, where)))
        raise


@contextmanager
def _stopped_by_hand(journal: Path) -> Iterator[None]:
    """Says what was done until then, as the journal has it."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        read = read_journal(journal)
        if read.in_flight:
            raise CascadeError(
                "Stopped in the COMMIT: only the server knows whether it holds.", hint="Ask it: cascade plan."
            ) from interrupt
        if not read.done:
            raise CascadeError("Stopped. Nothing was changed: all of it was rolled back.") from interrupt
        raise CascadeError(
            f"Stopped: {len(read.done)} steps are committed.",
            hint=f"What is left to do: cascade plan. To take back what was done: cascade undo {journal}",
        ) from interrupt


@contextmanager
def _after_commit(journal: Path) -> Iterator[None]:
    """What fails here changes nothing of what was done."""
    from django.db import Error

    try:
        yield
    except (CascadeError, Error) as error:
        what = error.message if isinstance(error, CascadeError) else first_line(error)
        raise CascadeError(
            f"The repair is committed, and could not be looked at again: {what}",
            hint=f"What is left to do: cascade plan. To take it back: cascade undo {journal}",
        ) from error


def steps_to_undo(path: Path, target: Target) -> tuple[JournalStep, ...]:
    """The steps that an undo would take back, in the order in which they ran; the server is asked for the last COMMIT.

    Raises a ``CascadeError`` where there is nothing to undo.
    """
    journal = _not_undone(path)
    with repair_session(target.settings) as session:
        return committed_steps(journal, session)


def _not_undone(path: Path) -> Journal:
    journal = read_journal(path)
    if journal.undone:
        raise RepairRefused(f"{path} has been undone already: nothing is changed.")
    return journal


def undo_journal(path: Path, target: Target, limits: Limits, *, report: Report, warn: Report | None = None) -> Undone:
    """Put the layout back as it was before the repair that this journal is of.

    ``warn`` gets what has to stand, else ``report`` does.
    Raises a ``CascadeError`` where the layout is no longer as the repair left it, or where rows were written since
    that would be lost; then nothing is changed.
    """
    journal = _not_undone(path)
    with repair_session(target.settings) as session, sole_repair(session), open_journal(path, append=True) as writer:
        unwatched = partial(_write_unwatched, writer, limits, warn or report)
        return undo(journal, session, limits, writer, look=_digest_of_now, report=report, unwatched=cache(unwatched))


def _digest_of_now(cursor: Any, tables: Sequence[TableName], *, within: bool) -> str:
    from cascade.sources.catalog import CatalogScope, read_catalog, read_catalog_within

    names = tuple(sorted({table.name for table in tables}))
    scope = CatalogScope(tables=names, histories=(), rows=(), counters=(), names=())
    read = read_catalog_within if within else read_catalog
    return digest_for_undo(read(cursor, scope).layout, tables)


def journal_path(answer: Answer) -> Path:
    """Where a journal goes when nobody says: the current folder, by database, plan and moment."""
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    database = "".join(c if c.isalnum() or c in "-_" else "_" for c in answer.observed.database)
    return Path(f"cascade-{database}-{answer.plan_id}-{moment}.jsonl")


def _settings(target: Target, ask: Ask | None) -> Settings:
    """Where pages run in the session of the repair, nothing that they do outside of its transaction may last."""
    return read_only_by_default(target.settings) if ask else target.settings


def _work(
    answer: Answer, question: Question, limits: Limits, report: Report, unwatched: Report, ask: Ask | None
) -> Work:
    work = Work(
        answer.plan,
        _history_table(answer),
        limits,
        unchanged=partial(_changed_since, answer, question),
        verify=partial(_verify, answer, question, _known(answer)),
        report=report,
        unwatched=cache(unwatched),
    )
    return replace(work, ask=ask) if ask else work


def _write_unwatched(journal: JournalWriter, limits: Limits, warn: Report, why: str) -> None:
    journal.write("unwatched", why=why)
    _say_unwatched(limits, warn, why)


def _say_unwatched(limits: Limits, warn: Report, why: str) -> None:
    warn(
        f"Nobody watches who waits for this repair, for there is no second connection: {why}\n"
        f"  So somebody is taken to wait from the first lock on: all is rolled back when locks have been held for more "
        f"than {limits.max_wait:g} s (--max-wait). Where that is too short, free a connection, or give a longer one."
    )


def _history_table(answer: Answer) -> TableName | None:
    table = TableName(answer.placement.target, HISTORY_TABLE)
    return table if table.schema in answer.observed.history_schemas else None


def _look(answer: Answer, question: Question, session: Session, *, within: bool) -> Layout:
    return read_again(session.cursor, answer.expected, answer.placement, question, within=within).layout


def _changed_since(answer: Answer, question: Question, cursor: Any, *, within: bool = True) -> tuple[str, ...]:
    """Which of the tables that the plan touches are not as it found them; also whether a migration was recorded."""
    now = read_again(cursor, answer.expected, answer.placement, question, within=within)
    changed = []
    if fingerprint_of(now.layout, answer.plan.steps) != answer.fingerprint:
        before = answer.observed.layout
        differing = [
            str(table)
            for table in tables_of(answer.plan.steps)
            if digest_of_tables(before, [table]) != digest_of_tables(now.layout, [table])
        ]
        changed.append(f"{', '.join(differing[:3])} changed")
    changed += [f"what is bound to {table} changed" for table in _bound_otherwise(answer, now)]
    then, history = (observed.history(answer.placement.target) for observed in (answer.observed, now))
    if then is not None and history is not None and set(then.by_key) != set(history.by_key):
        changed.append("other migrations are recorded")
    return tuple(changed)


def _known(answer: Answer) -> tuple[Drift, ...]:
    return (*answer.plan.drifts, *answer.plan.left_out, *(drift for drift, _ in answer.ignored))


def _bound_otherwise(answer: Answer, now: Observed) -> Iterator[TableName]:
    """The copies that are exchanged or put aside to which other things are bound than the plan carries over."""
    for step in answer.plan.steps:
        match step.action:
            case ExchangeTable(table, to):
                copies: tuple[TableName, ...] = (table, to)
            case ShelveTable(table):
                copies = (table,)
            case _:
                continue
        for copy in copies:
            then, there = (observed.layout.tables.get(copy) for observed in (answer.observed, now))
            if then is not None and there is not None and _bound(then) != _bound(there):
                yield copy


def _bound(table: Table) -> object:
    return frozenset(table.dependants), table.row_security, table.force_row_security


def _verify(
    answer: Answer, question: Question, known: Sequence[Drift], cursor: Any, done: frozenset[str]
) -> tuple[str, ...]:
    """What the steps claimed and did not cure, and what is new."""
    now = read_again(cursor, answer.expected, answer.placement, question, within=True)
    after = detect_drift(answer.expected, now, as_of_now(answer.placement, now), question.decisions)
    explained = {drift.id for drift in known if drift.severity is Severity.NOTE}
    serious = tuple(drift for drift in after if drift.id not in explained)
    return (
        *(f"{id_} is still there" for id_ in uncured(answer.plan, done, serious)),
        *(f"{id_} is new" for id_ in new_drifts(answer.plan, done, known, serious)),
    )

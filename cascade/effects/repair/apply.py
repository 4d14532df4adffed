"""Run the steps of a plan: those of one transaction together, verified before COMMIT, then the others one by one."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cascade.core.actions import (
    Action,
    AddColumn,
    AlterColumn,
    CreateIndex,
    ExchangeTable,
    MoveTable,
    Phase,
    RebuildIndex,
    ReplaceIndex,
    ShelveTable,
)
from cascade.core.layout import TableName
from cascade.core.limits import Limits
from cascade.core.meanwhile import while_rebuilt
from cascade.core.plan import Plan, Step, locks_to_begin_with
from cascade.core.runs import StepRun
from cascade.effects.repair.journal import JournalWriter
from cascade.effects.repair.rolled_back import make_uncommittable, refuse_without_temp
from cascade.effects.repair.session import RepairRefused, ServerLost, Session, is_lost
from cascade.effects.repair.transaction import Report, StatementFailed, Transaction, in_transaction
from cascade.errors import CascadeError, FileError, first_line
from cascade.render.sql import render_action, render_step_sql

Verify = Callable[[Any, frozenset[str]], tuple[str, ...]]
"""Given the cursor of the open transaction and the ids of the steps done, what is wrong, in a phrase each."""


class VerificationFailed(RepairRefused):
    """The steps ran, and the layout is not what they promised; all of it was rolled back."""


@dataclass(frozen=True)
class Work:
    """What has to be done, where, and how it is proved.

    ``history`` is the ``django_migrations`` that is locked against a ``migrate`` at the same moment. ``unchanged`` and
    ``verify`` look at the layout within the transaction: before the first statement, and before COMMIT. ``unwatched``
    is told why nobody watches who waits. ``ask`` asks the application before COMMIT, once the layout is right.
    """

    plan: Plan
    history: TableName | None
    limits: Limits
    unchanged: Callable[[Any], tuple[str, ...]]
    verify: Verify
    report: Report
    unwatched: Report
    ask: Callable[[Any], tuple[str, ...]] = lambda cursor: ()


def apply_transaction(session: Session, work: Work, journal: JournalWriter) -> tuple[StepRun, ...]:
    """All steps of the one transaction, committed once what they promise holds. Nothing where there are none."""
    from django.db import Error

    steps = work.plan.steps_in(Phase.TRANSACTION)
    if not steps:
        return ()

    xid, sent, committed = "", False, False

    def commit(transaction: Transaction) -> None:
        nonlocal xid, sent, committed
        transaction.cursor.execute("SELECT pg_catalog.pg_current_xact_id()::text")
        xid = transaction.cursor.fetchone()[0]
        # On the disk first: when the connection breaks in the COMMIT, only the server knows, and this is what to ask.
        journal.write("committing", xid=xid, steps=[step.id for step in steps])
        sent = True
        try:
            transaction.cursor.execute("COMMIT")
        except Error as error:
            if not is_lost(error):  # the server has answered, and there may be another try
                sent = False
                with suppress(FileError):  # what the server said matters more
                    journal.write("rolled_back", xid=xid)
            raise
        committed = True
        _write_after_commit(journal, "The repair is committed.", "committed", xid=xid)

    try:
        return in_transaction(
            session,
            partial(_run_all, steps, work, journal),
            limits=work.limits,
            report=work.report,
            unwatched=work.unwatched,
            commit=commit,
        )
    except ServerLost:
        raise
    except BaseException as error:
        # Who is interrupted in the COMMIT does not know how it ended; the server does, and an undo asks it.
        known = not sent or isinstance(error, CascadeError)
        if known and not committed:
            why = error.message if isinstance(error, CascadeError) else type(error).__name__
            with suppress(FileError):  # it may be the journal that failed
                journal.write("rolled_back", xid=xid, why=why)
        raise


def _write_after_commit(journal: JournalWriter, done: str, event: str, **facts: Any) -> None:
    """Write what cannot be taken back by failing."""
    try:
        journal.write(event, **facts)
    except FileError as error:
        raise FileError(f"{done} {error.message}", hint="What is left to do: cascade plan.") from error


def rehearse_transaction(session: Session, work: Work) -> tuple[StepRun, ...]:
    """The same statements, in a transaction that cannot commit, verified and rolled back.

    Steps that read much under a weak lock are rehearsed with the others; an index that would be built concurrently
    is not, nor what waits for it.
    """
    skipped = {step.id for step in work.plan.not_in_a_transaction}
    steps = tuple(step for step in work.plan.steps if step.id not in skipped)

    def run(transaction: Transaction) -> tuple[StepRun, ...]:
        refuse_without_temp(transaction.cursor)
        runs = _run_all(steps, work, None, transaction)
        make_uncommittable(transaction.cursor)
        return runs

    return in_transaction(session, run, limits=work.limits, report=work.report, unwatched=work.unwatched, commit=None)


def apply_late_step(session: Session, step: Step, work: Work, journal: JournalWriter) -> StepRun:
    """One step after the transaction, in a transaction of its own or in none; it can be run again."""
    if step.phase is Phase.CONCURRENT:
        return _apply_concurrently(session, step, journal)

    def run(transaction: Transaction) -> StepRun:
        return _run(step, transaction, journal)

    def commit(transaction: Transaction) -> None:
        transaction.cursor.execute("COMMIT")
        _write_after_commit(journal, f"{step.id} is committed.", "done", step=step.id)

    limits = work.limits if _is_felt(step) else replace(work.limits, statement_timeout=0)
    nothing = f"What came before {step.id} is committed, and nothing of it was changed"
    return in_transaction(
        session,
        run,
        limits=limits,
        report=work.report,
        unwatched=work.unwatched,
        commit=commit,
        nothing=nothing,
    )


def _run_all(
    steps: Sequence[Step], work: Work, journal: JournalWriter | None, transaction: Transaction
) -> tuple[StepRun, ...]:
    _lock_first(steps, work, transaction)
    changed = work.unchanged(transaction.cursor)
    if changed:
        raise RepairRefused(
            f"Nothing was changed: since the plan was made, {'; '.join(changed)}.",
            hint="Make a new plan: cascade plan -o plan.json.",
        )
    files = _files_of(steps, transaction.cursor)
    held = transaction.locks()
    runs: list[StepRun] = []
    for number, step in enumerate(steps, start=1):
        work.report(f"step {number} of {len(steps)}: {step.id}")
        run = _run(step, transaction, journal)
        runs.append(run if runs else replace(run, locks=(*held, *run.locks)))
    done = frozenset(step.id for step in steps)
    wrong = (*_moved_otherwise(files, _rewritten(steps), transaction.cursor), *work.verify(transaction.cursor, done))
    if wrong:
        raise VerificationFailed(
            f"Nothing was changed: after the steps {'; '.join(wrong)}.",
            hint="All of it was rolled back. This should not happen: please report it with the plan.",
        )
    failing = work.ask(transaction.cursor)
    if failing:
        raise VerificationFailed(
            f"Nothing was changed: pages that worked before would fail, {'; '.join(failing)}.",
            hint="All of it was rolled back. cascade rehearse --probe says more.",
        )
    return tuple(runs)


def _run(step: Step, transaction: Transaction, journal: JournalWriter | None) -> StepRun:
    took = 0.0
    for statement in render_step_sql(step):
        if _is_felt(step):
            transaction.watch.others_feel_it()
        milliseconds = transaction.run(statement)
        took += milliseconds
        if journal is not None:
            journal.write("statement", step=step.id, sql=statement, milliseconds=round(milliseconds, 1))
    return StepRun(step, took, transaction.locks())


def _is_felt(step: Step) -> bool:
    """Whether it hinders readers or writers; what does not may take its time."""
    return any(lock.mode.blocks_writers for lock in step.locks)


def _lock_first(steps: Sequence[Step], work: Work, transaction: Transaction) -> None:
    """The history, and the drifted tables that are there."""
    if work.history is not None:
        transaction.run(f"LOCK TABLE {work.history} IN SHARE ROW EXCLUSIVE MODE")
    modes = locks_to_begin_with(steps)
    there = _existing(modes, transaction.cursor)
    for table, mode in modes.items():
        if table in there:
            transaction.run(f"LOCK TABLE {table} IN {mode.value} MODE")
    if there:
        transaction.watch.others_feel_it()


def _existing(tables: Iterable[TableName], cursor: Any) -> set[TableName]:
    found = set()
    for table in sorted(tables):
        cursor.execute(_IS_TABLE, [table.schema, table.name])
        if cursor.fetchone():
            found.add(table)
    return found


_IS_TABLE = """
SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p')
"""


def _files_of(steps: Sequence[Step], cursor: Any) -> dict[TableName, tuple[int, int]]:
    """By the place where each moved table will be: its OID and the file that holds its rows."""
    found = {}
    for step in steps:
        move = _move_of(step.action)
        if move is not None:
            facts = _file_of(move[0], cursor)
            if facts is not None:
                found[move[1]] = facts
    return found


def _move_of(action: Action) -> tuple[TableName, TableName] | None:
    match action:
        case MoveTable(table, to) | ExchangeTable(table, to):
            return table, to
        case ShelveTable(table, attic):
            return table, TableName(attic, table.name)
        case _:
            return None


def _rewritten(steps: Sequence[Step]) -> set[TableName]:
    """The tables whose rows a step may write into a new file."""
    return {step.table for step in steps if isinstance(step.action, AddColumn | AlterColumn)}


def _moved_otherwise(
    files: dict[TableName, tuple[int, int]], rewritten: set[TableName], cursor: Any
) -> tuple[str, ...]:
    """The proof that every row is there, with no scan: the same table, and the same file."""
    wrong = []
    for table, (oid, file) in files.items():
        now = _file_of(table, cursor)
        if now is None or now[0] != oid or (table not in rewritten and now[1] != file):
            wrong.append(f"{table} is not the table that was moved")
    return tuple(wrong)


def _file_of(table: TableName, cursor: Any) -> tuple[int, int] | None:
    cursor.execute(
        "SELECT c.oid::bigint, c.relfilenode::bigint FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        [table.schema, table.name],
    )
    row = cursor.fetchone()
    return (row[0], row[1]) if row else None


# ----------------------------------------------------------------------------------------------------- concurrently


def _apply_concurrently(session: Session, step: Step, journal: JournalWriter) -> StepRun:
    """In no transaction, with no snapshot of ours held open; what an earlier try left behind is cleared away first."""
    from django.db import Error

    cursor, took = session.cursor, 0.0
    try:
        # It queues behind nobody who reads or writes, and so makes nobody wait.
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET search_path = pg_catalog, pg_temp")
        for statement in _still_to_do(step, cursor):
            begun = time.monotonic()
            cursor.execute(statement)
            milliseconds = (time.monotonic() - begun) * 1000
            took += milliseconds
            journal.write("statement", step=step.id, sql=statement, milliseconds=round(milliseconds, 1))
        journal.write("done", step=step.id)
    except Error as error:
        if is_lost(error):
            raise ServerLost(
                f"The connection was lost during {step.id}: {first_line(error)}",
                hint="What came before it is committed. What is left to do: cascade plan.",
            ) from error
        raise StatementFailed(
            f"PostgreSQL refused {step.id}: {first_line(error)}",
            hint="What came before it is committed. What is left to do: cascade plan.",
        ) from error
    return StepRun(step, took, ())


def _still_to_do(step: Step, cursor: Any) -> list[str]:
    """The statements without what is done already, after a DROP of what a broken try left."""
    match step.action:
        case CreateIndex():
            return _still_to_build(step.action, cursor)
        case ReplaceIndex(table, found, index, aside) if aside == found.name:
            build = CreateIndex(table, index, concurrently=True)
            *_, drop = render_step_sql(step)
            return [*_still_to_build(build, cursor), drop]
        case RebuildIndex(table, index):
            left = [name for name in while_rebuilt(index.name) if name != index.name]
            broken = [TableName(table.schema, name) for name in left if _validity(table, name, cursor) is False]
            clear = [f"DROP INDEX CONCURRENTLY {name}" for name in broken]
            return [*clear, *render_step_sql(step)]
        case _:
            return list(render_step_sql(step))


def _still_to_build(action: CreateIndex, cursor: Any) -> list[str]:
    """Nothing where the index is valid: as such it was built to its end."""
    valid = _validity(action.table, action.index.name, cursor)
    if valid is True:
        return []
    broken = f"DROP INDEX CONCURRENTLY {TableName(action.table.schema, action.index.name)}"
    return [*([broken] if valid is False else []), *render_action(action)]


def _validity(table: TableName, index: str, cursor: Any) -> bool | None:
    """Whether that index of the table is valid; None where it has none of that name."""
    cursor.execute(
        "SELECT i.indisvalid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace "
        "WHERE n.nspname = %s AND t.relname = %s AND c.relname = %s",
        [table.schema, table.name, index],
    )
    row = cursor.fetchone()
    return row[0] if row else None

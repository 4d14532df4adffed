"""One transaction as a guest: short waits, all of it rolled back before another try, and an end that is decided."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeVar

from cascade.core.layout import TableName
from cascade.core.limits import ADVISORY_KEY, Limits
from cascade.core.runs import HeldLock
from cascade.effects.repair.session import RepairRefused, ServerLost, Session, is_lost, sqlstate, was_interrupted
from cascade.effects.repair.watcher import Watch, watched
from cascade.errors import CascadeError, first_line
from cascade.render.sql import SEARCH_PATH

Report = Callable[[str], None]
Result = TypeVar("Result")

RETRYABLE = {"55P03": "a lock was not to be had", "40P01": "a deadlock", "40001": "a conflict with another transaction"}


class StatementFailed(CascadeError):
    """A statement was refused; the transaction was rolled back."""


class TooLong(CascadeError):
    """Others waited too long, or locks were held too long; the transaction was rolled back."""


@dataclass(frozen=True)
class Transaction:
    """An open transaction: its cursor, and the watch over those who wait for it.

    ``unwatched`` is told why nobody watches, each time that this is found to be so.
    """

    cursor: Any
    watch: Watch
    limits: Limits
    unwatched: Report

    def run(self, statement: str) -> float:
        """Send one statement; how many milliseconds it took. Raises ``StatementFailed`` or ``TooLong``."""
        self.stop_if_too_long()
        self.say_if_unwatched()
        self.watch.statement = statement
        begun = time.monotonic()
        self.cursor.execute(statement)
        took = (time.monotonic() - begun) * 1000
        self.stop_if_too_long()
        return took

    def stop_if_too_long(self) -> None:
        """Raise ``TooLong`` where the watcher has given up for us."""
        if self.watch.why:
            raise TooLong(self.watch.why)

    def say_if_unwatched(self) -> None:
        """Tell why nobody watches, where that is so."""
        if self.watch.unwatched:
            self.unwatched(self.watch.unwatched)

    def locks(self) -> tuple[HeldLock, ...]:
        """The locks on tables that are held now and hinder anybody, by table and mode."""
        self.cursor.execute(_LOCKS)
        return tuple(
            HeldLock(oid, TableName(schema, name), _MODES[mode]) for oid, schema, name, mode in self.cursor.fetchall()
        )


def in_transaction(
    session: Session,
    work: Callable[[Transaction], Result],
    *,
    limits: Limits,
    report: Report,
    unwatched: Report,
    commit: Callable[[Transaction], None] | None,
    nothing: str = "Nothing was changed",
) -> Result:
    """Do the work in one transaction, again from the start where it could not have its locks.

    ``commit`` ends it, None rolls it back; ``nothing`` says what a failure leaves; ``unwatched`` is told why nobody
    watches who waits, before anything is locked where it is known by then. Whatever happens, nothing of a failed try
    stays. Raises what the work raises, ``StatementFailed`` where PostgreSQL refuses, ``TooLong`` where the
    limits were met in every try, and ``ServerLost`` where the connection breaks.
    """
    from django.db import Error

    reason, blockers = "", ""
    for attempt in range(1, limits.tries + 1):
        watch = Watch()
        try:
            with watched(session, limits, watch):
                return _try(session, Transaction(session.cursor, watch, limits, unwatched), work, commit)
        except TooLong as error:
            reason = error.message
        except Error as error:
            if was_interrupted(error):
                raise KeyboardInterrupt from error
            if is_lost(error):
                raise ServerLost(
                    f"The connection was lost: {first_line(error)}",
                    hint="The server rolls back what was not committed. What is left to do: cascade plan.",
                ) from error
            reason = watch.why or RETRYABLE.get(sqlstate(error), "")
            if not reason:
                raise StatementFailed(
                    _refusal(watch.statement, error),
                    hint=f"{nothing}: all of it was rolled back.",
                ) from error
            blockers = watch.blockers
        if attempt < limits.tries:
            pause = min(0.25 * 2**attempt, 5) * (0.5 + random.random())
            report(f"rolled back: {reason}; try {attempt + 1} of {limits.tries} in {pause:.1f} s")
            time.sleep(pause)
    who = f"In the way: {blockers}." if blockers else ""
    raise TooLong(
        f"{nothing}: in {limits.tries} tries {reason}.",
        hint=f"{who} Try again when it is quieter, or with a longer --lock-timeout or --max-wait.".strip(),
    )


def _refusal(statement: str, error: Any) -> str:
    """What a block of ours says where it raises; else the statement that PostgreSQL refused, and why."""
    said = first_line(error)
    if sqlstate(error) == "P0001" and statement.startswith("DO "):
        return f"{said[:1].upper()}{said[1:]}"
    return f"PostgreSQL refused {_beginning(statement)}: {said}"


def _beginning(statement: str, most: int = 90) -> str:
    line = " ".join(statement.rstrip(";").split()) or "to begin"
    return line if len(line) <= most else f"{line[:most]}…"


def _try(
    session: Session,
    transaction: Transaction,
    work: Callable[[Transaction], Result],
    commit: Callable[[Transaction], None] | None,
) -> Result:
    cursor, limits = session.cursor, transaction.limits
    transaction.say_if_unwatched()
    cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE")
    ended = False
    try:
        for statement in opening(limits):
            cursor.execute(statement)
        result = work(transaction)
        if commit is not None:
            transaction.stop_if_too_long()
            commit(transaction)
            ended = True
        return result
    finally:
        if not ended:
            _roll_back(cursor)


def opening(limits: Limits) -> Iterator[str]:
    """What every transaction of a repair sets for itself, before anything else."""
    # Never rounded down to 0, which is no limit.
    yield f"SET LOCAL lock_timeout = {ceil(limits.lock_timeout * 1000)}"
    yield f"SET LOCAL statement_timeout = {ceil(limits.statement_timeout * 1000)}"
    # A program that hangs between two statements must not hold its locks for ever.
    yield "SET LOCAL idle_in_transaction_session_timeout = '60s'"
    yield f"SET LOCAL search_path = {SEARCH_PATH}"
    # What the journal calls committed has to outlive a crash of the server.
    yield (
        "SELECT pg_catalog.set_config('synchronous_commit', 'local', true) "
        "WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
    )


def _roll_back(cursor: Any) -> None:
    """Roll back; a connection that is gone has done so by itself."""
    from django.db import Error

    for _ in range(3):
        try:
            cursor.execute("ROLLBACK")
            return
        except Error as error:
            # The watcher's cancel may meet the ROLLBACK itself.
            if sqlstate(error) != "57014":
                return


@contextmanager
def sole_repair(session: Session) -> Iterator[None]:
    """Hold the advisory lock of this database, tried and never waited for, through all phases."""
    from django.db import Error

    session.cursor.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", [ADVISORY_KEY])
    if not session.cursor.fetchone()[0]:
        session.cursor.execute(_HOLDER, [ADVISORY_KEY >> 32, ADVISORY_KEY & 0xFFFFFFFF])
        holder = session.cursor.fetchone()
        who = f"pid {holder[0]}" if holder else "another session"
        raise RepairRefused(
            f"Another repair of this database is at work: {who} holds its lock.",
            hint="Nothing was changed. Wait until it has ended, and make a new plan.",
        )
    try:
        yield
    finally:
        with suppress(Error):  # the lock goes with the connection
            session.cursor.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [ADVISORY_KEY])


_MODES = {
    "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}
"""The locks that hinder somebody who reads or writes, as ``pg_locks`` names them and as LOCK TABLE does."""

_LOCKS = """
SELECT DISTINCT c.oid::bigint, n.nspname, c.relname, l.mode
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY 2, 3, 4
"""

_HOLDER = """
SELECT pid FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND classid::bigint = %s AND objid::bigint = %s AND granted
"""

"""A second connection that watches who waits for us, and ends what we do when somebody has waited too long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from cascade.core.limits import Limits
from cascade.effects.own_connection import own_connection
from cascade.effects.repair.session import Session
from cascade.errors import CascadeError, first_line

EVERY = 0.1
"""Seconds between two looks."""

CONNECTS_WITHIN = 5.0
"""Seconds; while we wait for the second connection nothing is locked."""


@dataclass
class Watch:
    """What the watcher has seen. ``why`` is set when it has given up for us; then all has to be rolled back.

    ``unwatched`` is why nobody sees who waits for us; then somebody is taken to wait from the first lock on.
    ``statement`` is what we sent last. ``blockers`` are those that we waited for last, not with what they run, which
    may hold values.
    """

    why: str = ""
    unwatched: str = ""
    statement: str = ""
    blockers: str = ""
    locked_since: float | None = None
    waited: float = 0.0
    begun: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def others_feel_it(self) -> None:
        """From now on locks are held that hinder others."""
        if self.locked_since is None:
            self.locked_since = time.monotonic()


@contextmanager
def watched(session: Session, limits: Limits, watch: Watch) -> Iterator[None]:
    """Watch as long as this lasts, from its start on or ``unwatched``."""
    thread = threading.Thread(target=_watch, args=(session, limits, watch), daemon=True, name="cascade-watcher")
    thread.start()
    if not watch.begun.wait(CONNECTS_WITHIN):
        watch.unwatched = f"the server did not answer within {CONNECTS_WITHIN:g} s"
    try:
        yield
    finally:
        watch.over.set()
        thread.join(timeout=5)


def _watch(session: Session, limits: Limits, watch: Watch) -> None:
    from django.db import Error

    try:
        with own_connection(session.settings) as cursor:
            cursor.execute("SELECT pg_catalog.set_config('application_name', 'cascade watcher', false)")
            watch.unwatched = ""
            watch.begun.set()
            _watch_who_waits(cursor, session, limits, watch)
    except (Error, CascadeError) as error:
        watch.unwatched = first_line(error.__cause__ or error)
        watch.begun.set()
        _watch_the_clock(session, limits, watch)


def _watch_who_waits(cursor: Any, session: Session, limits: Limits, watch: Watch) -> None:
    waiting: dict[int, float] = {}
    while not watch.over.wait(EVERY):
        cursor.execute(_WAITERS, [session.pid])
        now = time.monotonic()
        there = {pid for (pid,) in cursor.fetchall()}
        waiting = {pid: waiting.get(pid, now) for pid in there}
        longest = max((now - since for since in waiting.values()), default=0.0)
        watch.waited = max(watch.waited, longest)
        watch.blockers = _blockers(cursor, session.pid) or watch.blockers
        watch.why = watch.why or _waited_too_long(longest, limits, sorted(there)) or _held_too_long(limits, watch)
        if watch.why:
            # Again and again: between two statements there is nothing to cancel.
            cursor.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [session.pid])


def _watch_the_clock(session: Session, limits: Limits, watch: Watch) -> None:
    while not watch.over.wait(EVERY):
        watch.why = watch.why or _held_too_long(limits, watch)
        if watch.why:
            # Asked of the server without a session. Where it is not heard, the repair ends before its next statement.
            with suppress(Exception):
                session.cursor.connection.cancel()


def _blockers(cursor: Any, pid: int) -> str:
    cursor.execute(_BLOCKERS, [pid])
    return ", ".join(f"pid {blocker} ({name or 'unnamed'})" for blocker, name in cursor.fetchall())


# pg_locks and application_name are shown to every role; of pg_stat_activity most is not (Monitoring, 27.2.3).
_WAITERS = """
SELECT DISTINCT l.pid FROM pg_catalog.pg_locks l
WHERE NOT l.granted AND %s = ANY (pg_catalog.pg_blocking_pids(l.pid))
"""

_BLOCKERS = """
SELECT a.pid, a.application_name FROM pg_catalog.pg_stat_activity a
WHERE a.pid = ANY (pg_catalog.pg_blocking_pids(%s)) ORDER BY 1
"""


def _waited_too_long(longest: float, limits: Limits, pids: list[int]) -> str:
    if longest <= limits.max_wait:
        return ""
    return f"pid {', '.join(map(str, pids))} waited for us for more than {limits.max_wait:g} s (--max-wait)"


def _held_too_long(limits: Limits, watch: Watch) -> str:
    held = time.monotonic() - watch.locked_since if watch.locked_since is not None else 0.0
    if limits.max_hold is not None and held > limits.max_hold:
        return f"locks were held for more than {limits.max_hold:g} s (--max-hold)"
    if watch.unwatched and held > limits.max_wait:
        return f"locks were held for more than {limits.max_wait:g} s (--max-wait, for nobody could see who waits)"
    return ""

"""A second connection that watches who waits for us, and ends what we do when somebody has waited too long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cascade.core.limits import Limits
from cascade.effects.repair.session import Session, connection

EVERY = 0.1
"""Seconds between two looks."""


@dataclass
class Watch:
    """What the watcher has seen. ``why`` is set when it has given up for us; then all has to be rolled back.

    ``statement`` is what we sent last. ``blockers`` are those that we waited for last, not with what they run, which
    may hold values.
    """

    why: str = ""
    statement: str = ""
    blockers: str = ""
    locked_since: float | None = None
    waited: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def others_feel_it(self) -> None:
        """From now on locks are held that hinder others."""
        if self.locked_since is None:
            self.locked_since = time.monotonic()


@contextmanager
def watched(session: Session, limits: Limits, watch: Watch) -> Iterator[None]:
    """Watch as long as this lasts. A watcher that cannot connect watches nothing, and its absence ends nothing."""
    thread = threading.Thread(target=_watch, args=(session, limits, watch), daemon=True, name="cascade-watcher")
    thread.start()
    try:
        yield
    finally:
        watch.over.set()
        thread.join(timeout=5)


def _watch(session: Session, limits: Limits, watch: Watch) -> None:
    from django.db import Error

    from cascade.errors import CascadeError

    waiting: dict[int, float] = {}
    try:
        with connection(session.settings) as cursor:
            cursor.execute("SELECT pg_catalog.set_config('application_name', 'cascade watcher', false)")
            while not watch.over.wait(EVERY):
                cursor.execute(_WAITERS, [session.pid])
                now = time.monotonic()
                there = {pid for (pid,) in cursor.fetchall()}
                waiting = {pid: waiting.get(pid, now) for pid in there}
                longest = max((now - since for since in waiting.values()), default=0.0)
                watch.waited = max(watch.waited, longest)
                watch.blockers = _blockers(cursor, session.pid) or watch.blockers
                watch.why = watch.why or _too_long(longest, now, limits, watch, sorted(there))
                if watch.why:
                    # Again and again: between two statements there is nothing to cancel.
                    cursor.execute("SELECT pg_catalog.pg_cancel_backend(%s)", [session.pid])
    except (Error, CascadeError):
        return


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


def _too_long(longest: float, now: float, limits: Limits, watch: Watch, pids: list[int]) -> str:
    if longest > limits.max_wait:
        who = f"pid {', '.join(map(str, pids))}"
        return f"{who} waited for us for more than {limits.max_wait:g} s (--max-wait)"
    if limits.max_hold is not None and watch.locked_since is not None and now - watch.locked_since > limits.max_hold:
        return f"locks were held for more than {limits.max_hold:g} s (--max-hold)"
    return ""

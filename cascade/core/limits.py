"""How long a repair may wait, make others wait, and hold on."""

from dataclasses import dataclass

ADVISORY_KEY = 0x63617363616465
"""The advisory lock that two repairs of one database would both want: ``cascade`` in ASCII."""

LONGEST = 2_000_000.0
"""Seconds; PostgreSQL keeps its limits in milliseconds, in 31 bits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds. We are guests: whoever waits for us counts more than we do.

    ``lock_timeout``: how long a statement waits for a lock, since others queue behind it. ``statement_timeout``: how
    long one may run in the one transaction; 0 is no limit. ``max_wait``: how long somebody may wait for us before all
    is rolled back. ``max_hold``: how long locks that others feel are held in all; None is no limit. ``tries``: how
    often the whole transaction is tried.
    """

    lock_timeout: float = 2.0
    statement_timeout: float = 60.0
    max_wait: float = 1.0
    max_hold: float | None = None
    tries: int = 5

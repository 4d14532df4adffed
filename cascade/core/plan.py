"""The plan: the steps of a repair in an order that holds, and what it leaves."""

from dataclasses import dataclass
from enum import Enum

from cascade.core.actions import Action
from cascade.core.drift import Drift
from cascade.core.layout import TableName


class LockMode(Enum):
    """The table locks that steps take (PostgreSQL, Explicit Locking, 13.3.1)."""

    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that a step takes on a table that exists when it runs. ``healthy``: the table itself has no drift."""

    table: TableName
    mode: LockMode
    healthy: bool


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something that a step could do beside its cure; ``kind`` is the word by which it is accepted."""

    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """One repair. ``id`` derives from action and object; ``waits_for`` holds what PostgreSQL needs, no more.

    ``position`` counts from 1 in repair order; ``wave`` from 1 is the topological generation.
    """

    id: str
    action: Action
    table: TableName
    object: str
    cures: tuple[str, ...]
    waits_for: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    locks: tuple[Lock, ...]
    position: int
    wave: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The order in which failures surface: ``objects`` one after the other. ``source`` is static or exact."""

    start: str
    source: str
    objects: tuple[str, ...]
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order, for the drifts in scope; ``left_out`` are drifts of the database outside the scope."""

    drifts: tuple[Drift, ...]
    steps: tuple[Step, ...]
    chains: tuple[Chain, ...]
    left_out: tuple[Drift, ...] = ()
    scope: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run; undecided findings may still be listed."""
        return not self.steps

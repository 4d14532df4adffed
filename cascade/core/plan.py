"""The plan: the steps of a repair in an order that holds, and what it leaves."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cascade.core.actions import Action, Phase
from cascade.core.drift import Drift
from cascade.core.layout import TableName


class LockMode(Enum):
    """The table locks that steps take (PostgreSQL, Explicit Locking, 13.3.1), the strongest first."""

    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    ROW_SHARE = "ROW SHARE"

    @property
    def blocks_readers(self) -> bool:
        """Whether SELECT waits."""
        return self is LockMode.ACCESS_EXCLUSIVE

    @property
    def blocks_writers(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait."""
        return self in (LockMode.ACCESS_EXCLUSIVE, LockMode.SHARE_ROW_EXCLUSIVE, LockMode.SHARE)


class HazardKind(Enum):
    """What a step can do beside its cure; the value is the word of ``--allow``.

    Those that ``needs_consent`` names are run only where a person has allowed them by that word.
    """

    ROWS_NOT_RESTORED = "rows_not_restored"
    DATA_MIGRATION = "data_migration_will_not_rerun"
    FILLED = "filled"
    ROWS_NOT_CHECKED = "rows_not_checked"
    REWRITE = "rewrite"
    SCAN = "scan"
    VALIDATION = "validation"
    HEALTHY_LOCK = "healthy_lock"
    LEFT_BEHIND = "left_behind"
    ROW_SECURITY = "row_security"
    REPLICATION = "replication"
    ATTIC = "attic"

    @property
    def needs_consent(self) -> bool:
        """Whether ``apply`` wants it allowed by name: it can stop a subscriber, or readers for long."""
        return self in (HazardKind.REWRITE, HazardKind.REPLICATION)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that a step takes on a table that exists when it runs. ``healthy``: the table itself has no drift."""

    table: TableName
    mode: LockMode
    healthy: bool


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something that a step does or could do beside its cure. ``sql`` is what somebody else has to run first."""

    kind: HazardKind
    sentence: str
    sql: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One repair. ``id`` derives from action and object; ``waits_for`` holds what PostgreSQL needs, no more.

    ``position`` counts from 1 in repair order; ``wave`` from 1 is the topological generation. ``phase`` is that of the
    action, or a later one where the step waits for it.
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
    phase: Phase = Phase.TRANSACTION


@dataclass(frozen=True, slots=True)
class Chain:
    """The order in which failures surface: ``objects`` one after the other. ``source`` is static or exact."""

    start: str
    source: str
    objects: tuple[str, ...]
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order, for the drifts in scope; ``left_out`` are drifts of the database outside the scope.

    ``without`` are the ids of the steps that a person did without, and of those that need them. ``surfacing`` are the
    ids of the drifts that may be there after all steps: they stay for want of a step, or only then come to light.
    """

    drifts: tuple[Drift, ...]
    steps: tuple[Step, ...]
    chains: tuple[Chain, ...]
    left_out: tuple[Drift, ...] = ()
    scope: str = ""
    without: tuple[str, ...] = ()
    surfacing: tuple[str, ...] = ()

    def steps_in(self, phase: Phase) -> tuple[Step, ...]:
        """The steps of that phase, in order."""
        return tuple(step for step in self.steps if step.phase is phase)

    @property
    def not_in_a_transaction(self) -> tuple[Step, ...]:
        """The steps that no transaction can hold, and those that wait for such a one, in order."""
        found: dict[str, Step] = {}
        for step in self.steps:
            if step.phase is Phase.CONCURRENT or not found.keys().isdisjoint(step.waits_for):
                found[step.id] = step
        return tuple(found.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run; undecided findings may still be listed."""
        return not self.steps


def locks_to_begin_with(steps: Iterable[Step]) -> dict[TableName, LockMode]:
    """The drifted tables as strongly as a step will want them, in one order for everybody.

    Healthy tables are locked when their turn comes: others use them.
    """
    modes: dict[TableName, LockMode] = {}
    for lock in (lock for step in steps for lock in step.locks if not lock.healthy):
        modes[lock.table] = min(lock.mode, modes.get(lock.table, lock.mode), key=list(LockMode).index)
    return dict(sorted(modes.items()))

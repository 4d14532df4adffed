"""How the steps of a plan went when they were run: what each took, and which locks were held after it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cascade.core.layout import TableName
from cascade.core.plan import Step


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A lock on a table that our transaction holds, ``mode`` in the words of LOCK TABLE (``ACCESS EXCLUSIVE``).

    ``table`` is the name when it was looked at: a step may have moved the table of that OID.
    """

    oid: int
    table: TableName
    mode: str


@dataclass(frozen=True, slots=True)
class StepRun:
    """How a step went: milliseconds of its statements, and the strong locks that are held after it."""

    step: Step
    milliseconds: float
    locks: tuple[HeldLock, ...]


def strongest(runs: Iterable[StepRun]) -> Mapping[TableName, str]:
    """By table the strongest lock that was held, under the name that it had first."""
    found: dict[int, HeldLock] = {}
    for lock in (lock for run in runs for lock in run.locks):
        known = found.setdefault(lock.oid, lock)
        if _STRENGTH.index(lock.mode) > _STRENGTH.index(known.mode):
            found[lock.oid] = HeldLock(lock.oid, known.table, lock.mode)
    return {lock.table: lock.mode for lock in found.values()}


_STRENGTH = ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")

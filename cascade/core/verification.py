"""Did the steps do what they claim, and nothing else? Asked of the layout before COMMIT, and again after it."""

from collections.abc import Collection, Iterable, Iterator

from cascade.core.actions import (
    AddConstraint,
    AddForeignKey,
    CreateIndex,
    CreateTable,
    EnableConstraint,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    ValidateConstraint,
)
from cascade.core.drift import Drift, drift_id
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Constraint
from cascade.core.plan import Plan, Step


def uncured(plan: Plan, done: Collection[str], after: Iterable[Drift]) -> tuple[str, ...]:
    """The ids of drifts that are still there though every step which claims them is ``done`` (ids of steps).

    A key that is left NOT VALID, because rows refer to nothing, is cured as far as the plan said.
    """
    pending = {cure for step in plan.steps if step.id not in done for cure in step.cures}
    claimed = {cure for step in plan.steps if step.id in done for cure in step.cures} - pending - {*plan.surfacing}
    return tuple(sorted(drift.id for drift in after if drift.id in claimed and drift.severity is not Severity.NOTE))


def new_drifts(plan: Plan, done: Collection[str], before: Iterable[Drift], after: Iterable[Drift]) -> tuple[str, ...]:
    """The ids of drifts, worse than a note, that were not there before and that the plan did not announce."""
    known = {*(drift.id for drift in before), *plan.surfacing, *_announced(plan.steps, done)}
    return tuple(sorted(drift.id for drift in after if drift.severity is not Severity.NOTE and drift.id not in known))


def _announced(steps: Iterable[Step], done: Collection[str]) -> Iterator[str]:
    """What a step leaves for a later one, or for a person, such as a constraint that holds for new rows only."""
    for step in steps:
        constraint = _made_not_valid(step)
        if constraint is not None:
            yield drift_id(DriftKind.NOT_VALIDATED_CONSTRAINT, step.table, constraint.name)
        if isinstance(step.action, CreateTable):
            # Beside another of that name a table is made only where a person decided so.
            yield from (drift_id(kind, step.table) for kind in (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE))
            # Without USAGE on the schema it cannot be read either, which is no worse than that it is not there.
            yield drift_id(DriftKind.UNREACHABLE_TABLE, step.table)
        if step.id not in done:
            yield from _cured_later(step)


def _cured_later(step: Step) -> Iterator[str]:
    """What a step that runs after the transaction cures, though it may only come to light within it."""
    match step.action:
        case CreateIndex(table, index):
            yield drift_id(DriftKind.MISSING_INDEX, table, index.name)
        case ReplaceConstraint(table, constraint):
            yield drift_id(DriftKind.DIFFERENT_CONSTRAINT, table, constraint.name)
        case ReplaceIndex(table, index):
            yield drift_id(DriftKind.DIFFERENT_INDEX, table, index.name)
        case RebuildIndex(table, index):
            yield drift_id(DriftKind.INVALID_INDEX, table, index.name)
        case ValidateConstraint(table, constraint):
            yield drift_id(DriftKind.NOT_VALIDATED_CONSTRAINT, table, constraint.name)
        case AddConstraint(table, constraint):
            yield drift_id(DriftKind.MISSING_CONSTRAINT, table, constraint.name)
        case _:
            pass


def _made_not_valid(step: Step) -> Constraint | None:
    match step.action:
        case AddForeignKey(_, constraint) | AddConstraint(_, constraint):
            made = constraint
        case RepointForeignKey(_, _, wanted) | ReplaceConstraint(_, _, wanted):
            made = wanted
        case EnableConstraint(_, constraint):
            return constraint  # made anew, whatever it was
        case _:
            return None
    return None if made.validated else made

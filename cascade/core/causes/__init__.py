"""What happened, as far as placement and history together tell."""

from collections.abc import Iterable

from cascade.core.causes.absence import detect_absences
from cascade.core.causes.changes import detect_changes
from cascade.core.causes.remade import detect_remade
from cascade.core.causes.runs import detect_runs
from cascade.core.causes.story import Cause, Story, Verdict
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind, Severity
from cascade.core.observed import Observed

__all__ = ["Cause", "Verdict", "detect_causes"]


def detect_causes(
    drifts: Iterable[Drift], expected: ExpectedLayout, observed: Observed, target: str
) -> tuple[Cause, ...]:
    """One cause for each event that explains some drifts, in the order in which they happened.

    Every finding that is broken or risky has a cause, if only one that says so much: unknown. A table that is there
    twice can have two: the run that made one copy, and whoever made the other. What is found as it is by design
    (a note, or explained by a migration's own SQL) has none; where a new table would land is told by settings.
    """
    story = Story(tuple(drift for drift in drifts if _asks_for_a_cause(drift)), expected, observed, target)
    causes = [*detect_runs(story), *detect_remade(story)]
    for detect in (detect_absences, detect_changes):
        causes += detect(story, story.without(causes))
    return tuple(sorted(causes, key=lambda cause: (cause.first or "", cause.drifts)))


def _asks_for_a_cause(drift: Drift) -> bool:
    if drift.kind in (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE):
        return True
    return (
        drift.severity is not Severity.NOTE
        and not drift.explained_by
        and drift.kind is not DriftKind.CREATION_SCHEMA_DIFFERS
    )

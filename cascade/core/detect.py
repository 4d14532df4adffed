"""Expected beside observed: where the two differ, with the evidence."""

from dataclasses import replace

from cascade.core.detection.comparison import Comparison, Decisions
from cascade.core.detection.counters import detect_counters
from cascade.core.detection.migrations import detect_creation_schema, detect_migrations
from cascade.core.detection.privileges import detect_privileges
from cascade.core.detection.strays import detect_strays
from cascade.core.detection.structure import detect_structure
from cascade.core.detection.tables import detect_tables
from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import Severity
from cascade.core.observed import Observed
from cascade.core.placement import Placement


def detect_drift(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions = Decisions()
) -> tuple[Drift, ...]:
    """Every difference, worst first, then in the order of history."""
    both = Comparison(expected, observed, placement, decisions)
    found = [
        *detect_creation_schema(both),
        *detect_tables(both),
        *detect_structure(both),
        *detect_strays(both),
        *detect_counters(both),
        *detect_privileges(both),
        *detect_migrations(both),
    ]
    return tuple(sorted((_withheld(drift, expected) for drift in found), key=worst_first))


def _withheld(drift: Drift, expected: ExpectedLayout) -> Drift:
    """No step for an app whose deployed code is not the code beside us."""
    reason = expected.undecided_apps.get(drift.app)
    if reason and drift.severity is not Severity.NOTE and not drift.undecided:
        return replace(drift, undecided=reason)
    return drift

"""Expected beside observed: where the two differ, with the evidence."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from cascade.core.decisions import Decisions
from cascade.core.detection.aside import Aside, put_aside
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.counters import detect_counters
from cascade.core.detection.migrations import detect_creation_schema, detect_migrations
from cascade.core.detection.privileges import detect_privileges
from cascade.core.detection.strays import detect_strays
from cascade.core.detection.structure import detect_structure
from cascade.core.detection.tables import chosen_copies, detect_tables
from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement


def detect_drift(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions = Decisions()
) -> tuple[Drift, ...]:
    """Every difference, worst first, then in the order of history."""
    aside = put_aside(expected, observed, placement, decisions)
    both = Comparison(expected, aside.observed, placement, decisions)
    found = [
        *detect_creation_schema(both),
        *detect_tables(both),
        *detect_structure(both),
        *detect_strays(both),
        *detect_counters(both),
        *detect_privileges(both),
        *detect_migrations(both),
    ]
    found = [*chosen_copies(found, aside, observed, both)]
    known = {drift.id for drift in found}
    as_it_lies = Comparison(expected, observed, placement, decisions)
    found += [drift for drift in _of_shells(aside, as_it_lies) if drift.id not in known]
    two_copies = {d.table for d in found if d.kind in _DOUBLED and d.undecided}
    return tuple(sorted((_withheld(drift, expected, two_copies) for drift in found), key=worst_first))


def _of_shells(aside: Aside, as_it_lies: Comparison) -> Iterator[Drift]:
    """What pages meet now in a table that gives way to another copy: it goes with it."""
    giving_way = {name: choice.kept for name, choice in aside.choices.items() if choice.kept != name}
    if giving_way:
        for drift in detect_structure(as_it_lies):
            if drift.table in giving_way and drift.severity is not Severity.NOTE:
                yield replace(drift, kept=giving_way[drift.table])


_DOUBLED = frozenset({DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE})


def _withheld(drift: Drift, expected: ExpectedLayout, two_copies: Collection[TableName | None]) -> Drift:
    """No step for an app whose deployed code is not the code beside us, and none inside of the wrong copy."""
    if drift.severity is Severity.NOTE or drift.undecided:
        return drift
    reason = expected.undecided_apps.get(drift.app, "")
    if not reason and drift.table in two_copies and drift.kind is not DriftKind.UNREACHABLE_TABLE:
        reason = f"it waits for the decision which copy of {drift.table} counts"
    return replace(drift, undecided=reason) if reason else drift

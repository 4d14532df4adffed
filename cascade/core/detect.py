"""Expected beside observed: where the two differ, with the evidence."""

from collections.abc import Collection
from dataclasses import replace

from cascade.core.decisions import Decisions
from cascade.core.detection.aside import Aside, put_aside
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.counters import detect_counters
from cascade.core.detection.migrations import detect_creation_schema, detect_migrations
from cascade.core.detection.privileges import detect_privileges, due_rights
from cascade.core.detection.strays import detect_strays
from cascade.core.detection.structure import detect_structure
from cascade.core.detection.tables import chosen_copies, detect_tables
from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Constraint, TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement


def detect_drift(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions = Decisions()
) -> tuple[Drift, ...]:
    """Every difference as things lie, worst first, then in the order of history.

    What is wrong with a copy that gives way to another one is ``settled_with`` the finding on the copies.
    """
    aside = put_aside(expected, observed, placement, decisions)
    both = Comparison(expected, observed, placement, decisions)
    found = [*chosen_copies(_detect(both), aside, observed, both)]
    if aside.choices:
        left = {drift.id for drift in _detect(replace(both, observed=aside.observed))}
        found = [
            _settled(drift, aside) if drift.table in aside.given_way or drift.id not in left else drift
            for drift in found
        ]
    two_copies = {d.table for d in found if d.kind in _DOUBLED and d.undecided}
    return tuple(sorted((_withheld(drift, expected, two_copies) for drift in found), key=worst_first))


def detect_to_come(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions = Decisions()
) -> tuple[Drift, ...]:
    """What will be wrong, and is not now or not so, when the copies that count are in their places: to be repaired
    together with them. Each is ``settled_with`` the finding on the copies.
    """
    aside = put_aside(expected, observed, placement, decisions)
    if not aside.choices:
        return ()
    both = Comparison(expected, observed, placement, decisions)
    now = {drift.id for drift in _detect(both)}
    then = (d for d in _detect(replace(both, observed=aside.observed)) if d.severity is not Severity.NOTE)
    coming = (_settled(d, aside) for d in then if d.table in aside.given_way or d.id not in now)
    found = (_withheld(d, expected, ()) for d in coming if d.settled_with and d.kind not in _OF_WHOLE_TABLES)
    return tuple(sorted(found, key=worst_first))


def _detect(both: Comparison) -> list[Drift]:
    due = due_rights(both)
    return [
        *detect_creation_schema(both),
        *detect_tables(both, due),
        *detect_structure(both),
        *detect_strays(both),
        *detect_counters(both),
        *detect_privileges(both, due),
        *detect_migrations(both),
    ]


def _settled(drift: Drift, aside: Aside) -> Drift:
    """The drift with the finding on copies that it depends on: of its table, or of what its key refers to."""
    if drift.severity is Severity.NOTE or drift.kind in _OF_WHOLE_TABLES:
        return drift
    parts = [part for part in (drift.wanted, drift.there) if isinstance(part, Constraint)]
    keys = {part.references.table for part in parts if part.references is not None}
    for name, choice in aside.choices.items():
        if drift.table == name or keys & {name, choice.kept, *choice.shells}:
            return replace(drift, settled_with=name)
    return drift


_OF_WHOLE_TABLES = frozenset(
    {DriftKind.MISPLACED_TABLE, DriftKind.MISSING_TABLE, DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE}
)

_DOUBLED = frozenset({DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE})


def _withheld(drift: Drift, expected: ExpectedLayout, two_copies: Collection[TableName | None]) -> Drift:
    """No step for an app whose deployed code is not the code beside us, and none inside of the wrong copy."""
    if drift.severity is Severity.NOTE or drift.undecided:
        return drift
    reason = expected.undecided_apps.get(drift.app, "")
    if not reason and drift.table in two_copies and drift.kind is not DriftKind.UNREACHABLE_TABLE:
        reason = f"it waits for the decision which copy of {drift.table} counts"
    return replace(drift, undecided=reason) if reason else drift

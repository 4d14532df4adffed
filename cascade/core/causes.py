"""What happened, as far as placement and history together tell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey
from cascade.core.layout import TableName
from cascade.core.observed import Observed

PAUSE = timedelta(minutes=10)
"""Nothing recorded for so long: the next record is of another run of migrate."""


class Verdict(Enum):
    """The patterns that a history can fit."""

    SEARCH_PATH = "search_path"
    FAKE = "fake"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """One event that explains some drifts: the window in ISO 8601 UTC, the migrations, the evidence both ways.

    ``sentence`` says it in one line without the window; ``drifts`` are the ids that it explains.
    """

    verdict: Verdict
    sentence: str
    first: str | None
    last: str | None
    migrations: tuple[MigrationKey, ...]
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    drifts: tuple[str, ...]


def detect_causes(
    drifts: Iterable[Drift], expected: ExpectedLayout, observed: Observed, target: str
) -> tuple[Cause, ...]:
    """One cause for each event that explains some drifts, in the order in which they happened.

    Misplaced tables are explained by schema, what is recorded but absent by migration.
    """
    misplaced: dict[str, list[Drift]] = {}
    absent: dict[MigrationKey, list[Drift]] = {}
    for drift in drifts:
        if drift.kind is DriftKind.MISPLACED_TABLE and len(drift.copies) == 1:
            misplaced.setdefault(drift.copies[0].schema, []).append(drift)
        elif drift.kind in (DriftKind.MISSING_TABLE, DriftKind.MISSING_COLUMN) and drift.made_by:
            absent.setdefault(drift.made_by.migration, []).append(drift)
    causes = [
        _run_under_path(schema, run, expected, observed, target)
        for schema, found in misplaced.items()
        for run in _runs(found)
    ]
    causes += [_absence(migration, found, expected, observed) for migration, found in absent.items()]
    return tuple(sorted(causes, key=lambda cause: (cause.first or "", cause.drifts)))


def _runs(drifts: list[Drift]) -> list[list[Drift]]:
    """The drifts by run of migrate: where nothing was recorded for ``PAUSE``, another run began."""
    runs: list[list[Drift]] = []
    last: datetime | None = None
    for drift in sorted(drifts, key=lambda drift: drift.made_by.order if drift.made_by else (0, "", "", 0)):
        applied = _applied(drift)
        if not runs or (applied and last and applied - last > PAUSE):
            runs.append([])
        runs[-1].append(drift)
        last = applied or last
    return runs


def _applied(drift: Drift) -> datetime | None:
    if drift.made_by is None or not drift.made_by.applied:
        return None
    try:
        return datetime.fromisoformat(drift.made_by.applied)
    except ValueError:
        return None


def _run_under_path(
    schema: str, drifts: list[Drift], expected: ExpectedLayout, observed: Observed, target: str
) -> Cause:
    """A run of migrate with ``schema`` first on its search_path: most of what it made is there."""
    made_by = [drift.made_by for drift in drifts if drift.made_by]
    times = sorted(made.applied for made in made_by if made.applied)
    positions = [made.position for made in made_by]
    window = [
        table
        for table in expected.tables.values()
        if positions and min(positions) <= table.made_by.position <= max(positions)
    ]
    there = [table for table in window if TableName(schema, table.name.name) in observed.layout.tables]
    others = [str(table.name) for table in window if table not in there]
    fits = len(there) > len(others)
    return Cause(
        Verdict.SEARCH_PATH if fits else Verdict.UNKNOWN,
        f"migrate ran with {schema} first on its search_path" if fits else f"some tables were put into {schema}",
        times[0] if times else None,
        times[-1] if times else None,
        tuple(sorted({made.migration for made in made_by})),
        (
            *_made_evidence(schema, len(there), others),
            *_key_evidence(drifts, observed, target),
            *_altered_evidence(positions, expected, observed, target),
        ),
        tuple(_opposing(schema, window, others, observed)),
        tuple(drift.id for drift in drifts),
    )


def _made_evidence(schema: str, there: int, others: list[str]) -> list[str]:
    if others:
        return [f"{there} of {there + len(others)} tables made in that window are in {schema}"]
    return [f"all {there} tables made in that window are in {schema}" if there > 1 else f"it is in {schema}"]


def _opposing(schema: str, window: list[ExpectedTable], others: list[str], observed: Observed) -> Iterator[str]:
    if others:
        some = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        yield f"made in that window, yet not in {schema}: {some} (or moved back since)"
    if schema in observed.history_schemas:
        yield f"{schema} has a django_migrations of its own"
    if len(window) == 1:
        yield "it is the only table made in that window: a move by hand (SET SCHEMA) would look the same"


def _key_evidence(drifts: list[Drift], observed: Observed, target: str) -> list[str]:
    keys = [
        key
        for drift in drifts
        for table in (observed.layout.tables.get(drift.copies[0]),)
        if table is not None
        for key in table.foreign_keys
        if key.references is not None and key.references.table.schema == target
    ]
    if not keys:
        return []
    many = f"{len(keys)} of their keys point" if len(keys) > 1 else "one of their keys points"
    return [f"{many} at tables in {target}"]


def _altered_evidence(positions: list[int], expected: ExpectedLayout, observed: Observed, target: str) -> list[str]:
    """Tables that the same run only altered lay in the target before, and are there still."""
    first, last = (min(positions), max(positions)) if positions else (1, 0)
    altered = [
        table.name
        for table in expected.tables.values()
        if table.made_by.position < first
        and any(first <= made_by.position <= last for made_by in table.column_made_by.values())
    ]
    if not altered or not all(name in observed.layout.tables for name in altered):
        return []
    if len(altered) == 1:
        return [f"{altered[0].name}, which it only altered, is in {target}"]
    return [f"the {len(altered)} tables that it only altered are in {target}"]


def _absence(migration: MigrationKey, drifts: list[Drift], expected: ExpectedLayout, observed: Observed) -> Cause:
    """Recorded and nowhere: a --fake if nothing that the migration makes is there, else it was lost later."""
    made_by = next(drift.made_by for drift in drifts if drift.made_by)
    present = _present(migration, expected, observed)
    things = ", ".join(_thing(drift) for drift in drifts)
    if present:
        sentence = f"{things}: made by {migration} and gone since (dropped by hand, or an older state restored)"
        supporting: tuple[str, ...] = (f"others that the same migration made are there: {', '.join(present[:3])}",)
        verdict = Verdict.UNKNOWN
    else:
        sentence = f"{migration} looks recorded without having run (migrate --fake)"
        supporting = ("nothing that it makes is in any schema",)
        verdict = Verdict.FAKE
    against = () if present else ("a drop by hand, or an older state restored, would look the same",)
    return Cause(
        verdict,
        sentence,
        made_by.applied,
        made_by.applied,
        (migration,),
        supporting,
        against,
        tuple(drift.id for drift in drifts),
    )


def _present(migration: MigrationKey, expected: ExpectedLayout, observed: Observed) -> list[str]:
    """What this migration made and what is there, in any schema."""
    found = []
    for table in expected.tables.values():
        copies = observed.layout.copies.get(table.name.name, ())
        if table.made_by.migration == migration and copies:
            found.append(table.name.name)
        elif table.made_by.migration != migration:
            found += [
                f"{table.name.name}.{column}"
                for column, made_by in table.column_made_by.items()
                if made_by.migration == migration and any(copy.column(column) for copy in copies)
            ]
    return found


def _thing(drift: Drift) -> str:
    name = drift.table.name if drift.table else ""
    return f"{name}.{drift.object}" if drift.object else name

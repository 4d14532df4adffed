"""What happened, as far as placement and history together tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey
from cascade.core.layout import TableName
from cascade.core.observed import Observed


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
    causes = [_run_under_path(schema, found, expected, observed, target) for schema, found in misplaced.items()]
    causes += [_absence(migration, found, expected, observed) for migration, found in absent.items()]
    return tuple(sorted(causes, key=lambda cause: (cause.first or "", cause.drifts)))


def _run_under_path(
    schema: str, drifts: list[Drift], expected: ExpectedLayout, observed: Observed, target: str
) -> Cause:
    """A run of migrate with ``schema`` first on its search_path: everything it made is there, nothing else moved."""
    migrations = {drift.made_by.migration for drift in drifts if drift.made_by}
    times = sorted(drift.made_by.applied for drift in drifts if drift.made_by and drift.made_by.applied)
    supporting, opposing = _made_evidence(schema, migrations, expected, observed)
    supporting += _key_evidence(drifts, observed, target)
    supporting += _altered_evidence(migrations, expected, observed, target)
    if schema in observed.history_schemas:
        opposing.append(f"{schema} has a django_migrations of its own")
    fits = not any(reason.startswith("made by") for reason in opposing)
    return Cause(
        Verdict.SEARCH_PATH if fits else Verdict.UNKNOWN,
        f"migrate ran with {schema} first on its search_path" if fits else f"some tables were put into {schema}",
        times[0] if times else None,
        times[-1] if times else None,
        tuple(sorted(migrations)),
        tuple(supporting),
        tuple(opposing),
        tuple(drift.id for drift in drifts),
    )


def _made_evidence(
    schema: str, migrations: set[MigrationKey], expected: ExpectedLayout, observed: Observed
) -> tuple[list[str], list[str]]:
    made = [table for table in expected.tables.values() if table.made_by.migration in migrations]
    there = [table for table in made if TableName(schema, table.name.name) in observed.layout.tables]
    others = [table.name for table in made if table not in there]
    supporting, opposing = [], []
    if others:
        opposing.append(f"made by the same migrations, yet not in {schema}: {', '.join(map(str, others))}")
    else:
        all_of = f"all {len(made)} tables" if len(made) > 1 else "the only table"
        supporting.append(f"{all_of} that these migrations made {'are' if len(made) > 1 else 'is'} in {schema}")
    return supporting, opposing


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


def _altered_evidence(
    migrations: set[MigrationKey], expected: ExpectedLayout, observed: Observed, target: str
) -> list[str]:
    """Tables that the same migrations only altered lay in the target before, and are there still."""
    altered = [
        table
        for table in expected.tables.values()
        if table.made_by.migration not in migrations
        and any(made_by.migration in migrations for made_by in table.column_made_by.values())
    ]
    if altered and all(table.name in observed.layout.tables for table in altered):
        return [f"the {len(altered)} that they only altered {'are' if len(altered) > 1 else 'is'} in {target}"]
    return []


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

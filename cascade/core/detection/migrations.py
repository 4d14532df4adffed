"""What concerns no table: where a new one would land, and migrations whose record and effect disagree."""

from collections.abc import Iterator

from cascade.core.detection.comparison import Comparison
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import TableName


def detect_creation_schema(both: Comparison) -> Iterator[Drift]:
    """Whether a table made now would land in the target."""
    placement = both.placement
    if placement.creation_schema == placement.target:
        return
    landing = placement.creation_schema
    yield Drift(
        DriftKind.CREATION_SCHEMA_DIFFERS,
        DriftKind.CREATION_SCHEMA_DIFFERS.facts.severity,
        None,
        object=landing or "",
        expected=f"new tables land in {placement.target}",
        observed=f"new tables land in {landing}" if landing else "no schema on the search_path can be used",
        evidence=(
            f"current_schema() is {landing or 'null'} for {both.observed.connected_as}, "
            f"whose search_path is {both.observed.session_path or 'empty'}",
        ),
    )


def detect_migrations(both: Comparison) -> Iterator[Drift]:
    """Migrations without a record: pending, or there all the same."""
    for pending in both.expected.pending:
        there = [_exists(name, None, both) for name in pending.tables]
        there += [_exists(name, column, both) for name, column in pending.columns]
        recorded_elsewise = bool(there) and all(there) and not pending.makes_more
        kind = DriftKind.UNRECORDED_MIGRATION if recorded_elsewise else DriftKind.PENDING_MIGRATION
        made = [*pending.tables, *(f"{table}.{column}" for table, column in pending.columns)]
        yield Drift(
            kind,
            Severity.NOTE,
            None,
            object=str(pending.key),
            expected="recorded as applied" if recorded_elsewise else "not applied",
            observed=f"all that it makes is there: {', '.join(made)}" if recorded_elsewise else "not recorded",
            app=pending.key.app,
        )


def _exists(table: str, column: str | None, both: Comparison) -> bool:
    found = both.observed.layout.tables.get(TableName(both.placement.target, table))
    return found is not None and (column is None or found.column(column) is not None)

"""The proof after a run of ``migrate``: what it made is in the target, and the application role reaches it."""

from collections.abc import Iterable

from cascade.core.detect import detect_drift
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import Column, Table, TableName
from cascade.core.made_by_run import StateTable
from cascade.core.observed import Observed
from cascade.core.placement import Placement


def detect_amiss(made: Iterable[StateTable], observed: Observed, placement: Placement) -> tuple[Drift, ...]:
    """What of it is not in the target, or not within reach of the application role; worst first."""
    tables = [_expected(table, position, placement.target) for position, table in enumerate(made)]
    expected = ExpectedLayout({table.name: table for table in tables}, reference="names only")
    return tuple(drift for drift in detect_drift(expected, observed, placement) if drift.kind in _AMISS)


_AMISS = frozenset(
    {
        DriftKind.MISPLACED_TABLE,
        DriftKind.MISSING_TABLE,
        DriftKind.UNREACHABLE_TABLE,
        DriftKind.SHADOWED_TABLE,
        DriftKind.MISSING_COLUMN,
    }
)


def _expected(table: StateTable, position: int, target: str) -> ExpectedTable:
    migration = table.migration or MigrationKey(table.app, "a migration of this run")
    return ExpectedTable(
        Table(
            TableName(table.name.schema or target, table.name.name),
            columns=tuple(Column(column, "") for column in table.columns),
        ),
        app=table.app,
        model=table.model,
        made_by=Provenance(migration, "", 0, position),
        compared=False,
    )

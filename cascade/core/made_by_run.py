"""What one run of ``migrate`` made, by the states before and after it, and what of it is not where it belongs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cascade.core.detect import detect_drift
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import Column, Table, TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement


@dataclass(frozen=True, slots=True)
class StateTable:
    """A table of a migration state with its columns; the schema of ``name`` is ``""`` where the state names none.

    ``migration`` is the one of the run that names its model first, or else the last of its app.
    """

    name: TableName
    app: str
    model: str
    columns: tuple[str, ...]
    migration: MigrationKey | None = None


States = Mapping[TableName, StateTable]
"""The tables of a migration state by their names."""


def made_between(before: States, after: States) -> tuple[StateTable, ...]:
    """What the second state has and the first has not: whole tables, and of the others the columns that are new.

    What was renamed counts as made under its new name.
    """
    new = []
    for key, table in after.items():
        earlier = before[key].columns if key in before else ()
        columns = tuple(column for column in table.columns if column not in earlier)
        if columns or key not in before:
            new.append(replace(table, columns=columns))
    return tuple(new)


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

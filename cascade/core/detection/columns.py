"""Columns."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.detection.comparison import Comparison, about
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Table


def detect_columns(expected: ExpectedTable, found: Table, both: Comparison) -> Iterator[Drift]:
    """Missing, different and extra columns of a table that was found."""
    if not found.read_in_full:
        return
    there = {column.name for column in found.columns}
    for column in expected.table.columns:
        if column.name not in there:
            made_by = expected.column_made_by.get(column.name, expected.made_by)
            yield replace(
                about(expected, DriftKind.MISSING_COLUMN),
                object=column.name,
                columns=(column.name,),
                expected=f"{column.name} {column.type}".strip(),
                observed=f"not among the {len(there)} columns of {found.name}",
                evidence=(f"{made_by.migration} ({made_by.operation}) is recorded as applied",),
                made_by=made_by,
                undecided="" if expected.compared else "its definition is not known",
            )
    known = {column.name for column in expected.table.columns}
    for column in found.columns:
        if column.name not in known and not _is_pending(expected, column.name, both):
            yield replace(
                about(expected, DriftKind.EXTRA_COLUMN),
                object=column.name,
                columns=(column.name,),
                expected="expected by no applied migration",
                observed=f"{column.name} {column.type}".strip(),
                made_by=None,
            )


def _is_pending(expected: ExpectedTable, column: str, both: Comparison) -> bool:
    return any((expected.name.name, column) in pending.columns for pending in both.expected.pending)

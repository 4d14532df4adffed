"""Which drifts a plan is about, and what it leaves for another."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.graph import KeyGraph, Selector, foreign_keys, neighbourhood, reach_through_keys
from cascade.core.layout import Constraint, TableName


@dataclass(frozen=True, slots=True)
class Scope:
    """The apps and the tables that were asked for; where both are given, what either names. Empty is everything."""

    apps: tuple[str, ...] = ()
    tables: tuple[Selector, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.apps and not self.tables

    def __str__(self) -> str:
        words = [*(("--app", app) for app in self.apps), *(("--table", str(table)) for table in self.tables)]
        return " ".join(f"{option} {shlex.quote(value)}" for option, value in words)


EVERYTHING = Scope()


def split_by_scope(
    drifts: Iterable[Drift], scope: Scope, graph: KeyGraph
) -> tuple[tuple[Drift, ...], tuple[Drift, ...]]:
    """The drifts in scope, and those outside it that still break something or could.

    An app takes its own drifts and what its drifted tables need through foreign keys, directly or through other
    drifted tables. A selector takes its neighbourhood and no more. What concerns the whole database is always in;
    notes outside the scope are dropped.
    """
    drifts = tuple(drifts)
    if scope.is_everything:
        return drifts, ()
    inside = _named(drifts, scope, graph)
    inside |= _needed(drifts, [drift for drift in inside if drift.app in scope.apps], graph)
    outside = (drift for drift in drifts if drift not in inside and drift.severity is not Severity.NOTE)
    return tuple(drift for drift in drifts if drift in inside), tuple(outside)


def _named(drifts: Iterable[Drift], scope: Scope, graph: KeyGraph) -> set[Drift]:
    selected = frozenset[TableName]().union(*(neighbourhood(graph, selector) for selector in scope.tables))
    return {drift for drift in drifts if _is_global(drift) or drift.app in scope.apps or drift.table in selected}


def _is_global(drift: Drift) -> bool:
    return drift.table is None and not drift.app


def _needed(drifts: Iterable[Drift], inside: Iterable[Drift], graph: KeyGraph) -> set[Drift]:
    """What the drifted tables inside need: absent tables with all that is wrong with them, absent key columns."""
    drifts = tuple(drift for drift in drifts if drift.severity is not Severity.NOTE)
    absent = {drift.table for drift in drifts if drift.kind in _ABSENT_TABLE}
    lost = {(drift.table, drift.object) for drift in drifts if drift.kind is DriftKind.MISSING_COLUMN}

    def is_needed(table: TableName, key: Constraint) -> bool:
        return table in absent or not lost.isdisjoint(_referenced_columns(key))

    start = {drift.table for drift in inside if drift.table is not None and drift.severity is not Severity.NOTE}
    reached = reach_through_keys(graph, start, leads_on=is_needed)
    needing = start | reached
    columns = {
        column for table, _, key in foreign_keys(graph) if table in needing for column in _referenced_columns(key)
    }
    return {
        drift
        for drift in drifts
        if (drift.table in reached and drift.table in absent) or (drift.table, drift.object) in columns
    }


_ABSENT_TABLE = frozenset({DriftKind.MISPLACED_TABLE, DriftKind.MISSING_TABLE})


def _referenced_columns(key: Constraint) -> set[tuple[TableName, str]]:
    if key.references is None:
        return set()
    return {(key.references.table, column) for column in key.references.columns}

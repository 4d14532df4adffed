"""How the tables hang together, with what is amiss on each: what the graph shows, in every format."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cascade.core.answer import Answer
from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.graph import Selector, build_graph, foreign_keys, neighbourhood
from cascade.core.history import MigrationKey, SourceLines
from cascade.core.layout import Constraint, RowEvidence, TableName


@dataclass(frozen=True, slots=True)
class MappedTable:
    """An expected table. ``places`` are the schemas where it is found, its own first; none where it is nowhere.

    ``findings`` are broken or risky, the worst first. ``cured`` are those that the plan's steps have cured: none but
    on the map as it is after the repair. ``rows`` are those of the copy that is elsewhere, where they are known.
    """

    name: TableName
    app: str
    model: str
    made_by: MigrationKey | None = None
    source: SourceLines | None = None
    places: tuple[str, ...] = ()
    findings: tuple[Drift, ...] = ()
    cured: tuple[Drift, ...] = ()
    rows: RowEvidence | None = None

    @property
    def kind(self) -> DriftKind | None:
        """The kind of the worst finding; None where the table is as it should be."""
        return self.findings[0].kind if self.findings else None

    @property
    def place(self) -> str | None:
        """The schema where it is found first, None where it is nowhere."""
        return self.places[0] if self.places else None


@dataclass(frozen=True, slots=True)
class MappedKey:
    """An expected foreign key of a mapped table, with what is amiss on it. ``to`` may lie outside the map."""

    table: TableName
    to: TableName
    constraint: Constraint
    finding: Drift | None = None


@dataclass(frozen=True)
class TableMap:
    """Tables in the order of their names with their keys; ``of_all`` counts the tables that are expected in all.

    ``scope`` says in options which of them these are, ``""`` for all.
    """

    tables: tuple[MappedTable, ...]
    keys: tuple[MappedKey, ...]
    of_all: int
    scope: str = ""

    @property
    def amiss(self) -> tuple[MappedTable, ...]:
        """The tables on which something is broken or risky."""
        return tuple(table for table in self.tables if table.findings)

    def around_what_is_amiss(self) -> "TableMap":
        """The tables that are amiss, and those that share a key with one of them."""
        amiss = {table.name for table in self.amiss}
        shared = {end for key in self.keys if amiss & {key.table, key.to} for end in (key.table, key.to)}
        return self._only(amiss | shared)

    def repaired(self, cured: Collection[str]) -> "TableMap":
        """The map after steps that cure the drifts of these ids: what they do not cure is still amiss."""
        return replace(
            self,
            tables=tuple(_repaired(table, cured) for table in self.tables),
            keys=tuple(
                replace(key, finding=None) if key.finding and key.finding.id in cured else key for key in self.keys
            ),
        )

    def _only(self, names: Collection[TableName]) -> "TableMap":
        return replace(
            self,
            tables=tuple(table for table in self.tables if table.name in names),
            keys=tuple(key for key in self.keys if key.table in names),
        )


def map_tables(
    answer: Answer, *, apps: Sequence[str] = (), selectors: Sequence[Selector] = (), scope: str = ""
) -> TableMap:
    """All expected tables; of apps these and what they refer to, of selectors their neighbourhoods.

    The answer has to be about the whole database. Raises ``NoSuchName`` for a selector that names no table.
    """
    graph = build_graph(expected.table for expected in answer.expected.tables.values())
    findings = _findings(answer)
    whole = TableMap(
        tuple(_mapped(table, findings.get(name, []), answer) for name, table in sorted(answer.expected.tables.items())),
        tuple(_mapped_keys(foreign_keys(graph), findings)),
        of_all=len(answer.expected.tables),
        scope=scope,
    )
    if not apps and not selectors:
        return whole
    chosen = frozenset[TableName]().union(*(neighbourhood(graph, selector) for selector in selectors))
    of_apps = {table.name for table in whole.tables if table.app in apps}
    return whole._only(chosen | of_apps | {key.to for key in whole.keys if key.table in of_apps})


def _findings(answer: Answer) -> dict[TableName, list[Drift]]:
    found: dict[TableName, list[Drift]] = {}
    for drift in sorted((*answer.plan.drifts, *answer.plan.left_out), key=worst_first):
        if drift.table is not None and drift.severity is not Severity.NOTE:
            found.setdefault(drift.table, []).append(drift)
    return found


def _mapped(expected: ExpectedTable, findings: Iterable[Drift], answer: Answer) -> MappedTable:
    findings = tuple(findings)
    own = (expected.name.schema,) if expected.name in answer.observed.layout.tables else ()
    copies = dict.fromkeys(copy.schema for drift in findings if not drift.object for copy in drift.copies)
    return MappedTable(
        expected.name,
        expected.app,
        expected.model,
        expected.made_by.migration,
        expected.model_source,
        places=tuple(dict.fromkeys((*own, *copies))),
        findings=findings,
        rows=next((drift.rows[0] for drift in findings if drift.rows and not drift.object), None),
    )


def _mapped_keys(
    keys: Iterable[tuple[TableName, TableName, Constraint]], findings: dict[TableName, list[Drift]]
) -> Iterator[MappedKey]:
    for table, to, constraint in keys:
        amiss = (drift for drift in findings.get(table, ()) if drift.object == constraint.name)
        yield MappedKey(table, to, constraint, next(amiss, None))


def _repaired(table: MappedTable, cured: Collection[str]) -> MappedTable:
    done = tuple(drift for drift in table.findings if drift.id in cured)
    left = tuple(drift for drift in table.findings if drift.id not in cured)
    brought = any(drift.kind.is_about_place for drift in done)
    places = (table.name.schema,) if brought else table.places
    return replace(table, findings=left, cured=done, places=places)

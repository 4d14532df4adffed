"""What all verdicts are reached from: findings, placement and history side by side."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property

from cascade.core.documents import moment_of
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey
from cascade.core.layout import Table, TableName, quoted
from cascade.core.made import Made, MissingPart, what_was_made
from cascade.core.observed import Observed
from cascade.core.timeline import PAUSE
from cascade.core.words import listed


class Verdict(Enum):
    """The patterns that placement and history can fit."""

    SEARCH_PATH = "search_path"
    FAKE = "fake"
    PARTIAL_RESTORE = "partial_restore"
    BY_HAND = "by_hand"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """One event that explains some drifts: the window in ISO 8601 UTC, the migrations, the evidence both ways.

    ``sentence`` says it in one line without the window. ``last`` is None where the window is open: some time after
    ``first``. ``others`` is what else was made in the window and where it is; ``drifts`` are the ids explained.
    """

    verdict: Verdict
    sentence: str
    first: str | None
    last: str | None
    migrations: tuple[MigrationKey, ...]
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    drifts: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """The findings that ask for a cause, beside all that was made and where it is."""

    drifts: tuple[Drift, ...]
    expected: ExpectedLayout
    observed: Observed
    target: str

    def without(self, causes: Iterable[Cause]) -> tuple[Drift, ...]:
        """The findings that these causes leave open."""
        explained = {drift for cause in causes for drift in cause.drifts}
        return tuple(drift for drift in self.drifts if drift.id not in explained)

    @cached_property
    def made(self) -> tuple[Made, ...]:
        """What was made, in the order of history."""
        missing: set[MissingPart] = set()
        for drift in self.drifts:
            if drift.kind in (DriftKind.MISSING_CONSTRAINT, DriftKind.MISSING_INDEX) and drift.table:
                missing |= {(drift.table, drift.object), (drift.table, frozenset(drift.columns))}
        return what_was_made(self.expected, self.observed, frozenset(missing))

    @cached_property
    def tables(self) -> tuple[ExpectedTable, ...]:
        """The expected tables, in the order of history."""
        return tuple(sorted(self.expected.tables.values(), key=lambda table: (table.made_by.order, table.name)))

    @cached_property
    def made_out_of_order(self) -> tuple[TableName, ...]:
        """The tables in their place which are younger than history says, by their OIDs.

        PostgreSQL draws OIDs from one rising counter (System Catalogs; it wraps at 4 billion), and migrations made
        the tables in the order of their records: what does not fit into the longest rising row was made again.
        """
        there = sorted((table.made_by.position, self._oids[table.name], table.name) for table in self._numbered)
        rising = _longest_rising([oid for _, oid, _ in there])
        return tuple(name for _, oid, name in there if oid not in rising)

    @cached_property
    def was_loaded_from_a_dump(self) -> bool:
        """Whether the tables were made in the order of their names, as pg_restore does, and not in that of history."""
        number = len(self._oids)
        by_name = _longest_rising([oid for _, oid in sorted(self._oids.items())])
        return number >= FEW and len(by_name) > max(number - len(self.made_out_of_order), 0.8 * number)

    @cached_property
    def _oids(self) -> Mapping[TableName, int]:
        """The OIDs of the expected tables that are in their place, as far as they are known."""
        there = ((name, self.observed.layout.tables.get(name)) for name in self.expected.tables)
        return {name: table.oid for name, table in there if table is not None and table.oid}

    @property
    def _numbered(self) -> list[ExpectedTable]:
        return [table for table in self.tables if table.name in self._oids]

    def is_in(self, schema: str, table: ExpectedTable) -> bool:
        """Whether a table of that name is in that schema."""
        return TableName(schema, table.name.name) in self.observed.layout.tables

    def here(self, drift: Drift) -> Table | None:
        """What is in the place of the drift's table."""
        return self.observed.layout.tables.get(drift.table) if drift.table else None


LOADED = "the tables' OIDs rise in the order of their names, not of the migrations: they were loaded from a dump"
"""What shows that, in a sentence."""

FEW = 5
"""So few tables have no order to speak of."""


def in_runs(drifts: Iterable[Drift]) -> list[list[Drift]]:
    """The drifts by run of migrate, in the order of history: after a ``PAUSE`` without a record another began."""
    runs: list[list[Drift]] = []
    last: datetime | None = None
    for drift in sorted(drifts, key=lambda drift: drift.made_by.order if drift.made_by else (0, "", "", 0)):
        applied = moment_of(drift.made_by.applied) if drift.made_by else None
        if not runs or (applied and last and applied - last > PAUSE):
            runs.append([])
        runs[-1].append(drift)
        last = applied or last
    return runs


def times_of(drifts: Iterable[Drift]) -> list[str]:
    """When what made the objects of these drifts was recorded, the earliest first."""
    return sorted({drift.made_by.applied for drift in drifts if drift.made_by and drift.made_by.applied})


def migrations_of(drifts: Iterable[Drift]) -> tuple[MigrationKey, ...]:
    """The migrations that made the objects of these drifts."""
    return tuple(sorted({drift.made_by.migration for drift in drifts if drift.made_by}))


def some(names: Sequence[object], most: int = 3) -> str:
    """The first names, and how many more there are.

    >>> some(["a", "b"]), some(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    return listed([str(name) for name in names], most)


def thing(drift: Drift) -> str:
    """What the finding is about, without the schema of its table. A stray names itself, kind and schema included."""
    if drift.kind is DriftKind.STRAY_OBJECT:
        return drift.object
    name = quoted(drift.table.name) if drift.table else ""
    return f"{name}.{quoted(drift.object)}" if name and drift.object else name or drift.object


def _longest_rising(numbers: Sequence[int]) -> frozenset[int]:
    """One of the longest rising rows within the numbers.

    >>> sorted(_longest_rising([1, 9, 2, 3, 8]))
    [1, 2, 3, 8]
    """
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    row, number_ = set(), ends[-1] if ends else None
    while number_ is not None:
        row.add(number_)
        number_ = before[number_]
    return frozenset(row)

"""What every detector looks at: both sides, where things belong, and what a person decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cascade.core.attic import is_attic
from cascade.core.decisions import Decisions
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import Provenance
from cascade.core.layout import Constraint, Table, TableName, quoted
from cascade.core.observed import Observed
from cascade.core.placement import Ownership, Placement, Standing, judge_copy, resolve


@dataclass(frozen=True)
class Comparison:
    """Expected beside observed, in one place."""

    expected: ExpectedLayout
    observed: Observed
    placement: Placement
    decisions: Decisions

    def copies_of(self, expected: ExpectedTable) -> list[tuple[Table, Ownership]]:
        """The tables of that name which no migration puts where they are, each with whose it is."""
        elsewhere = [t for t in self.observed.layout.copies.get(expected.name.name, ()) if t.name != expected.name]
        return [
            (copy, judge_copy(copy, expected, self.observed, self.expected))
            for copy in elsewhere
            if copy.name not in self.expected.tables
            and copy.kind.holds_rows
            and not copy.extension
            and not copy.is_partition
        ]

    def candidates_for(self, expected: ExpectedTable) -> list[tuple[Table, Ownership]]:
        """The copies that an absent table may have become; none where it is to be created anew.

        Of several, one is all that counts where the others are empty and nothing refers to them.
        """
        bare = expected.name.name
        taken = self.decisions.take.get(bare, self.decisions.keep.get(bare))
        if bare in self.decisions.create:
            return []
        candidates = [
            (copy, ownership)
            for copy, ownership in self.copies_of(expected)
            if copy.name.schema == taken or (taken is None and ownership.standing is not Standing.ENVIRONMENT)
        ]
        in_use = [(copy, ownership) for copy, ownership in candidates if not self.is_idle(copy)]
        return in_use if len(in_use) == 1 and in_use[0][0].rows.has_rows else candidates

    def is_idle(self, copy: Table) -> bool:
        """Whether it is surely empty, and nothing refers to it."""
        return copy.rows.has_rows is False and not self.observed.layout.referring.get(copy.name)

    def found(self, name: TableName) -> Table | None:
        """The table that stands for an expected one: that in its place, else the only copy that it may have become."""
        return self._found.get(name)

    @cached_property
    def _found(self) -> Mapping[TableName, Table]:
        found = {}
        for name, expected in self.expected.tables.items():
            here = self.observed.layout.tables.get(name)
            if here is not None:
                if here.kind.holds_rows:
                    found[name] = here
                continue
            candidates = self.candidates_for(expected)
            if len(candidates) == 1:
                found[name] = candidates[0][0]
        return found

    @cached_property
    def place_of(self) -> Mapping[TableName, TableName]:
        """By the name of each table that stands, or could stand, for an expected one: where that belongs."""
        places = {
            copy.name: name
            for name, expected in self.expected.tables.items()
            if name not in self._found
            for copy, _ in self.candidates_for(expected)
        }
        return places | {table.name: name for name, table in self._found.items()}

    def referred(self, name: TableName) -> TableName:
        """The table that a key to ``name`` is about, by the place where it belongs.

        Of a table that no migration makes, such as an unmanaged model's, that which the search_path finds. One in an
        attic is not read, and stands for nothing but itself.
        """
        if name in self.place_of:
            return self.place_of[name]
        if name in self.expected.tables or name in self.observed.layout.tables or is_attic(name.schema):
            return name
        return resolve(name.name, self.placement.path, self.observed.layout) or name

    @cached_property
    def keys_to(self) -> Mapping[TableName, tuple[tuple[ExpectedTable, Constraint], ...]]:
        """The expected foreign keys by the table that they refer to, with the table that they start from."""
        found: dict[TableName, list[tuple[ExpectedTable, Constraint]]] = {}
        for table in self.expected.tables.values():
            for key in table.table.foreign_keys:
                if key.references is not None:
                    found.setdefault(key.references.table, []).append((table, key))
        return {name: tuple(keys) for name, keys in found.items()}


def about(expected: ExpectedTable, kind: DriftKind, *, made_by: Provenance | None = None) -> Drift:
    """A drift of that kind on this table, to be filled in."""
    return Drift(
        kind,
        kind.facts.severity,
        expected.name,
        expected=f"in {quoted(expected.name.schema)}",
        app=expected.app,
        model=expected.model,
        made_by=made_by or expected.made_by,
    )

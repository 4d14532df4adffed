"""Copies that do not count, put aside in the mind: what is left is compared as if they lay in the attic already.

Several tables of one name are one question: which of them is the table? Where the evidence or a person answers it,
the others are as good as gone, and what points at them points astray.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cascade.core.attic import attic_of
from cascade.core.decisions import Decisions
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.layout import Constraint, Layout, Table, TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement, Standing, judge_copy, resolve


@dataclass(frozen=True, slots=True)
class Choice:
    """Of several copies of a table the one that counts. ``shells`` go, in order; ``decided``: a person said so."""

    kept: TableName
    shells: tuple[TableName, ...]
    decided: bool


@dataclass(frozen=True)
class Aside:
    """What was observed without the copies that do not count, and the choices, by the place of the table."""

    observed: Observed
    choices: Mapping[TableName, Choice]

    @property
    def given_way(self) -> frozenset[TableName]:
        """The places whose table gives way to another copy."""
        return frozenset(name for name, choice in self.choices.items() if choice.kept != name)


def put_aside(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions = Decisions()
) -> Aside:
    """Choose where that can be chosen, and take the other copies out of what was observed.

    Keys that refer to them refer to the attic from then on. An empty copy in the place gives way to the only one that
    has rows, or, where all are empty, that keys refer to; an empty one that hides the table from the application goes;
    for everything else a person is asked.
    """
    choices = dict(_choices(expected, observed, placement, decisions))
    if not choices:
        return Aside(observed, {})
    attic = attic_of(decisions, observed)
    gone = {shell: TableName(attic, shell.name) for choice in choices.values() for shell in choice.shells}
    there = observed.layout.tables
    tables = (_repointed(table, gone) for table in there.values() if table.name not in gone)
    along = {c.sequence.name for shell in gone for c in there[shell].columns if c.sequence is not None}
    names = {name: bearer for name, bearer in observed.layout.other_names.items() if name not in along}
    return Aside(replace(observed, layout=Layout.of(tables, names)), choices)


def _choices(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions
) -> Iterator[tuple[TableName, Choice]]:
    for name, table in expected.tables.items():
        copies = observed.layout.copies.get(name.name, ())
        if len(copies) < 2 or name.schema != placement.target:
            continue
        choice = _choice(table, copies, expected, observed, placement, decisions)
        if choice is not None:
            yield name, choice


def _choice(
    expected: ExpectedTable,
    copies: Iterable[Table],
    all_expected: ExpectedLayout,
    observed: Observed,
    placement: Placement,
    decisions: Decisions,
) -> Choice | None:
    tables = [t for t in copies if t.kind.holds_rows and not t.extension and not t.is_partition]
    ours = [t for t in tables if t.name == expected.name or _is_stray(t, expected, observed, all_expected)]
    schema = decisions.keep.get(expected.name.name)
    if schema is not None:
        kept = next((t for t in tables if t.name.schema == schema), None)
        others = tuple(t.name for t in ours if kept is not None and t.name != kept.name)
        return Choice(kept.name, others, decided=True) if kept is not None and others else None
    here = next((t for t in ours if t.name == expected.name), None)
    elsewhere = [t for t in ours if t is not here]
    if here is None or not elsewhere:
        return None
    if here.rows.has_rows is False and (counts := _counting(here, elsewhere, observed.layout)) is not None:
        return Choice(counts.name, tuple(t.name for t in ours if t is not counts), decided=False)
    found = resolve(expected.name.name, placement.path, observed.layout)
    shadows = tuple(t.name for t in elsewhere if t.name == found and t.rows.has_rows is False)
    return Choice(here.name, shadows, decided=False) if shadows and here.rows.has_rows else None


def _counting(here: Table, elsewhere: Iterable[Table], layout: Layout) -> Table | None:
    """The copy that counts beside an empty table in its place, None where nobody knows."""
    filled = [t for t in elsewhere if t.rows.has_rows is not False]
    if filled:
        return filled[0] if len(filled) == 1 and filled[0].rows.has_rows else None
    referred = [t for t in (here, *elsewhere) if layout.referring.get(t.name)]
    return referred[0] if len(referred) == 1 and referred[0] is not here else None


def _is_stray(table: Table, expected: ExpectedTable, observed: Observed, all_expected: ExpectedLayout) -> bool:
    if table.name in all_expected.tables:
        return False
    return judge_copy(table, expected, observed, all_expected).standing is Standing.STRAY


def _repointed(table: Table, gone: Mapping[TableName, TableName]) -> Table:
    """The table with the keys that refer to a copy which is gone referring to the attic."""
    if not any(key.references is not None and key.references.table in gone for key in table.foreign_keys):
        return table
    return replace(table, constraints=tuple(_pointing(constraint, gone) for constraint in table.constraints))


def _pointing(constraint: Constraint, gone: Mapping[TableName, TableName]) -> Constraint:
    reference = constraint.references
    if reference is None or reference.table not in gone:
        return constraint
    return replace(constraint, references=replace(reference, table=gone[reference.table]))

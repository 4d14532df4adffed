"""What each applied migration made, and in which schemas it is found: what causes and the timeline are read from."""

from collections.abc import Iterator
from dataclasses import dataclass

from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.history import Provenance
from cascade.core.layout import Table, TableName, quoted
from cascade.core.observed import Observed
from cascade.core.placement import Standing, judge_copy

MissingPart = tuple[TableName, str | frozenset[str]]
"""A constraint or index that is not there: by its table, and by its name or its columns."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something that an applied migration made, and where it is.

    A table; a column that came later than its table; a constraint or index that an operation of its own made on an
    older table, in words. ``part`` is ``""`` for the table itself. ``places`` are the schemas where it is found, that
    where it belongs first; none where it is nowhere.
    """

    made_by: Provenance
    table: TableName
    part: str
    places: tuple[str, ...]

    @property
    def is_in_place(self) -> bool:
        """Whether it is where it belongs, and nowhere else."""
        return self.places == (self.table.schema,)

    def __str__(self) -> str:
        return f"{quoted(self.table.name)}.{quoted(self.part)}" if self.part else quoted(self.table.name)


def what_was_made(
    expected: ExpectedLayout, observed: Observed, missing: frozenset[MissingPart] = frozenset()
) -> tuple[Made, ...]:
    """All that the applied migrations made, in the order of history.

    Constraints and indexes are among it as far as ``missing`` can tell: those whose columns are known by name.
    """
    found = [
        made
        for table in expected.tables.values()
        for made in _made_of(table, _copies(table, expected, observed), missing)
    ]
    return tuple(sorted(found, key=lambda made: (made.made_by.order, made.table, made.part)))


def _copies(table: ExpectedTable, expected: ExpectedLayout, observed: Observed) -> list[Table]:
    """The table in its place, then those of its name that no environment accounts for."""
    copies = [
        copy
        for copy in observed.layout.copies.get(table.name.name, ())
        if copy.name == table.name
        or (
            copy.name not in expected.tables
            and copy.kind.holds_rows
            and not copy.extension
            and not copy.is_partition
            and judge_copy(copy, table, observed, expected).standing is not Standing.ENVIRONMENT
        )
    ]
    return sorted(copies, key=lambda copy: (copy.name != table.name, copy.name))


def _made_of(table: ExpectedTable, copies: list[Table], missing: frozenset[MissingPart]) -> Iterator[Made]:
    yield Made(table.made_by, table.name, "", tuple(copy.name.schema for copy in copies))
    for column, made_by in table.column_made_by.items():
        if made_by.migration != table.made_by.migration:
            places = tuple(copy.name.schema for copy in copies if not copy.read_in_full or copy.column(column))
            yield Made(made_by, table.name, column, places)
    for part, (made_by, columns) in _parts(table).items():
        if made_by.migration != table.made_by.migration and all(columns):
            gone = (table.name, part) in missing
            places = tuple(
                copy.name.schema
                for copy in copies
                if not gone and (not copy.read_in_full or all(copy.column(column) for column in columns))
            )
            words = part if isinstance(part, str) else f"unique ({', '.join(sorted(part))})"
            yield Made(made_by, table.name, words, places)


def _parts(table: ExpectedTable) -> dict[str | frozenset[str], tuple[Provenance, tuple[str, ...]]]:
    """The constraints and indexes that operations of their own made, with their columns."""
    columns_of: dict[str | frozenset[str], tuple[str, ...]] = {}
    for constraint in table.table.constraints:
        columns_of[constraint.name] = columns_of[frozenset(constraint.columns)] = constraint.columns
    columns_of |= {index.name: index.columns for index in table.table.indexes}
    return {part: (made_by, columns_of[part]) for part, made_by in table.part_made_by.items() if columns_of.get(part)}

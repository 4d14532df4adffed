"""All that can differ inside of one table: columns, constraints, indexes, and names, which are only noted."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cascade.core.detection.columns import detect_columns
from cascade.core.detection.comparison import Comparison, about
from cascade.core.detection.constraints import detect_constraints, match_constraints
from cascade.core.detection.indexes import detect_indexes, match_indexes
from cascade.core.detection.matching import Matches
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, ConstraintKind, Index, Table, quoted
from cascade.core.meanwhile import is_beside


def detect_structure(both: Comparison) -> Iterator[Drift]:
    """What differs inside of each expected table that is there, in its place or elsewhere."""
    for name, expected in both.expected.tables.items():
        found = both.found(name)
        if found is not None:
            yield from detect_columns(expected, found, both)
            if expected.compared and found.read_in_full and found.definitions_read:
                yield from _beside_columns(expected, found, both)


def _beside_columns(expected: ExpectedTable, found: Table, both: Comparison) -> Iterator[Drift]:
    constraints, indexes = match_constraints(expected, found, both), match_indexes(expected, found)
    notes = [_renamed("constraint", one.name, other.name) for one, other in constraints.pairs if one.name != other.name]
    notes += [_renamed("index", one.name, other.name) for one, other in indexes.pairs if one.name != other.name]
    constraints, indexes, equivalents = _without_equivalents(constraints, indexes)
    yield from detect_constraints(constraints, expected, found, both)
    yield from detect_indexes(indexes, expected, found, both)
    notes += equivalents
    if notes:
        yield replace(
            about(expected, DriftKind.DIFFERENT_NAMES),
            expected="the names that migrations would give today",
            observed=f"{len(notes)} under another name",
            evidence=tuple(notes),
        )


def _renamed(thing: str, expected: str, found: str) -> str:
    return f"the {thing} {quoted(expected)} is there as {quoted(found)}"


def _without_equivalents(
    constraints: Matches[Constraint], indexes: Matches[Index]
) -> tuple[Matches[Constraint], Matches[Index], list[str]]:
    """What is left over without unique constraints for which a unique index stands, and the reverse; and a note each.

    Both let the same rows in, and keys may refer to either.
    """
    notes = []
    for one, other in _equal_guards(constraints.expected, indexes.found):
        constraints = replace(constraints, expected=tuple(c for c in constraints.expected if c is not one))
        indexes = replace(indexes, found=tuple(i for i in indexes.found if i is not other))
        notes.append(f"the constraint {quoted(one.name)} is there as the unique index {quoted(other.name)}")
    for one, other in _equal_guards(constraints.found, indexes.expected):
        constraints = replace(constraints, found=tuple(c for c in constraints.found if c is not one))
        indexes = replace(indexes, expected=tuple(i for i in indexes.expected if i is not other))
        notes.append(f"the unique index {quoted(other.name)} is there as the constraint {quoted(one.name)}")
    return constraints, indexes, notes


def _equal_guards(constraints: Iterable[Constraint], indexes: Iterable[Index]) -> Iterator[tuple[Constraint, Index]]:
    # What a repair was building when it was stopped stands for nothing yet: the constraint that differs is there still.
    free = [i for i in indexes if i.unique and i.valid and not is_beside(i)]
    for constraint in constraints:
        wanted = f"UNIQUE ({', '.join(map(quoted, constraint.columns))})"
        if constraint.kind is not ConstraintKind.UNIQUE or constraint.definition != wanted:
            continue
        for index in free:
            plain = f"btree ({', '.join(map(quoted, index.columns))})"
            if set(index.columns) == set(constraint.columns) and index.tail == plain:
                free.remove(index)
                yield constraint, index
                break

"""Counters: whether what a column draws next is above all that it holds."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.detection.comparison import Comparison, about
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable, NotChecked
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import ConstraintKind, Counter, Table, quoted


def detect_counters(both: Comparison) -> Iterator[Drift]:
    """Sequences that are behind, of tables in their place and elsewhere: a table takes its counter along.

    Only where the column alone is unique: elsewhere a number that was given before is no error.
    """
    for expected, found in _found_tables(both):
        for counter in found.counters:
            if counter.is_behind and _is_unique(counter.column, found):
                yield _behind(counter, expected, found)


def unread_counters(both: Comparison) -> Iterator[NotChecked]:
    """Counters that could not be read, those of one reason in one entry.

    A table that is locked is left out: it is named as a whole.
    """
    unread: dict[str, list[tuple[Table, Counter]]] = {}
    for _, found in _found_tables(both):
        for counter in found.counters:
            if counter.problem is not None and not found.locked_by and _is_unique(counter.column, found):
                reason = counter.problem.replace(counter.sequence.name, "…").replace(found.name.name, "…")
                unread.setdefault(reason, []).append((found, counter))
    for reason, counters in sorted(unread.items()):
        columns = [f"{table.name}.{quoted(counter.column)}" for table, counter in counters]
        yield NotChecked(
            f"whether the sequence is behind the highest value of {_some(columns)}",
            reason if len(counters) > 1 else str(counters[0][1].problem),
            "compare the two by hand, or ask again as a role that may read both, when nobody locks them",
        )


def _found_tables(both: Comparison) -> Iterator[tuple[ExpectedTable, Table]]:
    for name, expected in both.expected.tables.items():
        found = both.found(name)
        if found is not None:
            yield expected, found


def _is_unique(column: str, table: Table) -> bool:
    kinds = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
    return any(c.columns == (column,) and c.kind in kinds for c in table.constraints) or any(
        index.unique and index.columns == (column,) and " WHERE " not in (index.tail or "") for index in table.indexes
    )


def _behind(counter: Counter, expected: ExpectedTable, found: Table) -> Drift:
    rising = counter.increment > 0
    highest = f"the {'highest' if rising else 'lowest'} {quoted(counter.column)} is {counter.highest}"
    extreme = "max" if rising else "min"
    replicated = tuple(
        f"{subscription} writes the table, and no sequence is replicated: it matters once this is the primary"
        for subscription in found.subscriptions
    )
    drift = about(expected, DriftKind.SEQUENCE_BEHIND, made_by=expected.column_made_by.get(counter.column))
    return replace(
        drift,
        severity=Severity.NOTE if replicated else drift.severity,
        object=counter.column,
        columns=(counter.column,),
        there=counter,
        expected=f"the next value is {'above' if rising else 'below'} {counter.highest}",
        observed=f"the next value is {counter.next_value}",
        evidence=(f"{counter.sequence} gives {counter.next_value} next; {highest}", *replicated),
        query=f"SELECT last_value, is_called, (SELECT {extreme}({quoted(counter.column)}) FROM {found.name}) "
        f"FROM {counter.sequence};",
    )


def _some(names: list[str], limit: int = 3) -> str:
    """The first of these names, and how many more there are.

    >>> _some(["a", "b"]), _some(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more

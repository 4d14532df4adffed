"""Indexes that serve no constraint: missing, different, invalid, or expected by nobody."""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import partial

from cascade.core.definitions import absent_columns, mentions
from cascade.core.detection.comparison import Comparison, about
from cascade.core.detection.constraints import retyped_columns
from cascade.core.detection.matching import Matches, match
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.expressions import normalised
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Index, Table, TableName
from cascade.core.meanwhile import aside, is_beside, while_rebuilt


def detect_indexes(matches: Matches[Index], expected: ExpectedTable, found: Table, both: Comparison) -> Iterator[Drift]:
    """What differs between the indexes of an expected table and of that which stands for it."""
    near = _near(matches)
    for index in matches.expected:
        other = near.get(index.name)
        if absent_columns(index.tail, index.columns, expected.table, found):
            continue  # told with the column
        if other is not None:
            yield _different(index, other, expected, found)
        else:
            yield _missing(index, matches, expected, found, both)
    for _, other in matches.pairs:
        if not other.valid:
            yield _invalid(other, expected, found)
    replaced = {other.name for other in near.values()}
    for index in matches.found:
        if index.name not in replaced:
            yield _extra(index, expected, found)


def match_indexes(expected: ExpectedTable, found: Table) -> Matches[Index]:
    """The indexes that are the same but for their names, and what is left on each side.

    A valid one is taken before an invalid one of the same definition. What a repair was building in the stead of
    another when it was stopped is on neither side: that other one still has to be replaced.
    """
    left_by_rebuilding = {name for index in found.indexes for name in while_rebuilt(index.name) if name != index.name}
    matches = match(
        [index for index in expected.table.indexes if index.constraint is None],
        sorted(
            (index for index in found.indexes if index.constraint is None),
            key=lambda index: index.name in left_by_rebuilding,
        ),
        (
            _as_printed_and_valid,
            _as_printed,
            _structure,
            partial(_definition_over, columns=retyped_columns(expected, found)),
        ),
    )
    waiting = {index.name for index in matches.found}
    half_built = {one.name for one, other in matches.pairs if one.name == other.name and aside(one.name) in waiting}
    return Matches(
        tuple(pair for pair in matches.pairs if pair[0].name not in half_built),
        (*matches.expected, *(one for one, _ in matches.pairs if one.name in half_built)),
        matches.found,
    )


def query_for_indexes(table: TableName) -> str:
    """The SQL that shows the indexes as PostgreSQL prints them."""
    literal = "'" + str(table).replace("'", "''") + "'"
    return (
        "SELECT indexrelid::regclass, indisvalid, pg_get_indexdef(indexrelid) FROM pg_index "
        f"WHERE indrelid = {literal}::regclass ORDER BY 1;"
    )


def index_in_words(index: Index) -> str:
    """The definition from the access method on.

    >>> index_in_words(Index("i", ("a",), "btree (a)", unique=True, valid=False))
    'UNIQUE INDEX USING btree (a), invalid'
    """
    unique, invalid = "UNIQUE " if index.unique else "", "" if index.valid else ", invalid"
    return f"{unique}INDEX USING {index.tail or '?'}{invalid}"


def is_optional(index: Index, expected: ExpectedTable) -> bool:
    """Whether a table may lack it that was altered by the same migrations."""
    return _is_for_like(index) and not expected.may_lack_like.isdisjoint(index.columns)


def _as_printed_and_valid(index: Index) -> Hashable | None:
    return (index.unique, index.tail) if index.valid else None


def _as_printed(index: Index) -> Hashable | None:
    return (index.unique, index.tail)


def _structure(index: Index) -> Hashable | None:
    return (index.unique, normalised(index.tail or ""))


def _definition_over(index: Index, *, columns: frozenset[str]) -> Hashable | None:
    """A definition whatever it is cast to, where it speaks of columns whose type differs, which is said by itself."""
    if not any(mentions(index.tail, column) for column in columns):
        return None
    return (index.unique, normalised(index.tail or "", casts=False))


def _near(matches: Matches[Index]) -> dict[str, Index]:
    """For what is expected and has no equal, that which is there in its stead: of the same name, else columns.

    Of the same name is also what a repair that was stopped has put aside.
    """
    near: dict[str, Index] = {}
    left = list(matches.found)
    for index in matches.expected:
        same_name = [o for name in (index.name, aside(index.name)) for o in left if o.name == name]
        same_columns = [other for other in left if other.columns == index.columns and "" not in index.columns]
        rivals = [other for other in matches.expected if other.columns == index.columns]
        if same_name or (len(same_columns) == 1 and len(rivals) == 1):
            near[index.name] = (same_name or same_columns)[0]
            left.remove(near[index.name])
    return near


def _missing(index: Index, matches: Matches[Index], expected: ExpectedTable, found: Table, both: Comparison) -> Drift:
    made_by = expected.origin_of(index.name, index.columns)
    has_twin = any(_as_printed(other) == _as_printed(index) for other, _ in matches.pairs)
    optional = is_optional(index, expected)
    drift = _about(DriftKind.MISSING_INDEX, index, expected, found)
    return replace(
        drift,
        severity=Severity.NOTE if has_twin or optional else drift.severity,
        wanted=index,
        expected=index_in_words(index),
        observed=f"not among the {len(found.indexes)} indexes of {found.name}",
        evidence=(
            f"{made_by.migration} ({made_by.operation}) is recorded as applied",
            *(("Django makes it with a new field, and not always where AlterField makes one text",) * optional),
            *_namesakes(index.name, found, both),
        ),
    )


def _is_for_like(index: Index) -> bool:
    """Whether it is the second index that Django makes of a text column, beside that for equality."""
    return len(index.columns) == 1 and (index.tail or "").endswith("_pattern_ops)")


def _namesakes(name: str, found: Table, both: Comparison) -> Iterator[str]:
    """Who else bears the name: a repair by hand that asks for the name alone is answered by that one."""
    for copy in both.observed.layout.copies.get(found.name.name, ()):
        if copy.name != found.name and any(index.name == name for index in copy.indexes):
            yield f"an index of that name is on {copy.name}: a check by name alone finds that one"


def _different(index: Index, other: Index, expected: ExpectedTable, found: Table) -> Drift:
    made_by = expected.origin_of(index.name, index.columns)
    return replace(
        _about(DriftKind.DIFFERENT_INDEX, index, expected, found),
        object=other.name,
        wanted=index,
        there=other,
        expected=index_in_words(index),
        observed=index_in_words(other),
        evidence=(
            f"{made_by.migration} ({made_by.operation}) is recorded as applied",
            *(("it was put aside by a repair that was stopped",) * (other.name == aside(index.name))),
        ),
    )


def _invalid(index: Index, expected: ExpectedTable, found: Table) -> Drift:
    return replace(
        _about(DriftKind.INVALID_INDEX, index, expected, found),
        there=index,
        expected="valid",
        observed="invalid: it is written to and not read",
        evidence=(index_in_words(index),),
    )


def _extra(index: Index, expected: ExpectedTable, found: Table) -> Drift:
    return replace(
        _about(DriftKind.EXTRA_INDEX, index, expected, found),
        expected="expected by no applied migration",
        observed=index_in_words(index),
        evidence=(_BUILT_BESIDE,) if is_beside(index) else (),
        made_by=None,
    )


_BUILT_BESIDE = (
    "a repair that was stopped built it for a constraint: the next takes it over; "
    "where there is none any more, DROP INDEX CONCURRENTLY"
)


def _about(kind: DriftKind, index: Index, expected: ExpectedTable, found: Table) -> Drift:
    return replace(
        about(expected, kind, made_by=expected.origin_of(index.name, index.columns)),
        object=index.name,
        columns=tuple(column for column in index.columns if column),
        query=query_for_indexes(found.name),
    )

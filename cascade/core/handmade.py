"""What migrations did to the database by hand, and which differences that accounts for.

The expected layout comes from Django's state, which does not see RunSQL, RunPython, ``database_operations`` or
operations of a project's own. What they did is no drift; but only where a statement says so of that very thing.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cascade.core.ddl import UNKNOWN, Ddl, Thing, Verb, printed_type, words_in
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.constraints import constraint_in_words
from cascade.core.detection.indexes import index_in_words
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import Provenance
from cascade.core.layout import Column, Constraint, ConstraintKind, Grant, Index, Table


@dataclass(frozen=True, slots=True)
class HandmadeChange:
    """One thing that an operation did to the database and not to Django's state.

    ``table`` of ``ddl`` is the name that the table has after all applied migrations. ``certain``: SQL that ran as it
    is written; else SQL in a branch, or a call in Python code, of which only the literals are known.
    """

    made_by: Provenance
    ddl: Ddl
    certain: bool = True

    def __str__(self) -> str:
        number = self.made_by.operation_index + 1
        return f"{self.made_by.migration} {self.made_by.operation} (operation {number}): {self.ddl.text}"


EXPLAINABLE = frozenset(
    {
        DriftKind.MISPLACED_TABLE,
        DriftKind.MISSING_TABLE,
        DriftKind.EXTRA_TABLE,
        DriftKind.MISSING_COLUMN,
        DriftKind.DIFFERENT_COLUMN,
        DriftKind.EXTRA_COLUMN,
        DriftKind.MISSING_CONSTRAINT,
        DriftKind.DIFFERENT_CONSTRAINT,
        DriftKind.EXTRA_CONSTRAINT,
        DriftKind.NOT_VALIDATED_CONSTRAINT,
        DriftKind.DISABLED_CONSTRAINT,
        DriftKind.MISSING_INDEX,
        DriftKind.DIFFERENT_INDEX,
        DriftKind.EXTRA_INDEX,
        DriftKind.DIFFERENT_PRIVILEGES,
    }
)
"""The kinds that an operation can have meant. Never an invalid index, a sequence behind, a key to another copy."""


def explained(drifts: Iterable[Drift], changes: Sequence[HandmadeChange], both: Comparison) -> tuple[Drift, ...]:
    """The drifts, those that a change accounts for as notes which name it; the others as they are, in their order.

    A change accounts for a drift if it came no earlier than the thing's creation, nor than the last AlterField that
    gave that aspect of a column another value, says of that very thing (by name, or by table and columns) what was
    observed, and is the last one to speak of it.
    """
    return tuple(_explained(drift, changes, both) for drift in drifts)


def _explained(drift: Drift, changes: Sequence[HandmadeChange], both: Comparison) -> Drift:
    if drift.table is None or drift.kind not in EXPLAINABLE:
        return drift
    since = [change for change in changes if drift.made_by is None or change.made_by.order >= drift.made_by.order]
    reasons = _reasons(drift, since, both)
    if not reasons:
        return drift
    return replace(
        drift,
        severity=Severity.NOTE,
        explained_by=str(reasons[0]),
        evidence=(*drift.evidence, *dict.fromkeys(map(_in_words, reasons))),
        undecided="",
        decision="",
    )


def _in_words(change: HandmadeChange) -> str:
    how = "" if change.certain else ", as far as its code can be read"
    return f"{change.made_by.migration} is recorded as applied and did this{how}: {change.ddl.text}"


def _reasons(drift: Drift, changes: Sequence[HandmadeChange], both: Comparison) -> tuple[HandmadeChange, ...]:
    """What accounts for it: one change, or one for each aspect of a column; nothing where one is unaccounted for."""
    found = _table_of(drift, both)
    match drift.kind:
        case DriftKind.MISSING_TABLE | DriftKind.EXTRA_TABLE | DriftKind.MISPLACED_TABLE:
            view = _view_in_place(drift, both)
            return _of_view(drift, changes, view) if view else _of_table(drift, changes)
        case DriftKind.MISSING_COLUMN | DriftKind.EXTRA_COLUMN:
            return _of_presence(drift, changes)
        case DriftKind.DIFFERENT_COLUMN:
            altered_by = _alterations(drift, both)
            return _of_column(drift, changes, found.column(drift.object) if found else None, altered_by)
        case DriftKind.MISSING_CONSTRAINT | DriftKind.DIFFERENT_CONSTRAINT | DriftKind.EXTRA_CONSTRAINT:
            expected = _expected_name(drift, both)
            return _of_part(drift, changes, Thing.CONSTRAINT, expected, found.constraints if found else ())
        case DriftKind.MISSING_INDEX | DriftKind.DIFFERENT_INDEX | DriftKind.EXTRA_INDEX:
            expected = _expected_name(drift, both)
            return _of_part(drift, changes, Thing.INDEX, expected, found.indexes if found else ())
        case DriftKind.NOT_VALIDATED_CONSTRAINT:
            return _of_state(drift, changes, Thing.VALIDATION)
        case DriftKind.DISABLED_CONSTRAINT:
            return _of_state(drift, changes, Thing.ENFORCEMENT)
        case _:
            return _of_privileges(drift, changes)


def _table_of(drift: Drift, both: Comparison) -> Table | None:
    return both.found(drift.table) if drift.table is not None else None


def _view_in_place(drift: Drift, both: Comparison) -> str:
    """``view``, ``materialized view`` or ``foreign table`` where one is in the table's place, else empty."""
    here = both.observed.layout.tables.get(drift.table) if drift.table is not None else None
    return here.kind.name.lower().replace("_", " ") if here is not None and not here.kind.holds_rows else ""


def _expected_name(drift: Drift, both: Comparison) -> str:
    """What the constraint or index was to be called; a different one is named by what is there in its stead."""
    expected = both.expected.tables.get(drift.table) if drift.table is not None else None
    if expected is not None:
        for constraint in expected.table.constraints:
            if constraint_in_words(constraint) == drift.expected:
                return constraint.name
        for index in expected.table.indexes:
            if index_in_words(index) == drift.expected:
                return index.name
    return drift.object


def _alterations(drift: Drift, both: Comparison) -> Mapping[str, Provenance]:
    """The operation of Django's that last altered each aspect of the column."""
    expected = both.expected.tables.get(drift.table) if drift.table is not None else None
    return expected.column_altered_by.get(drift.object, {}) if expected is not None else {}


def _last(changes: Sequence[HandmadeChange], accounts: Callable[[HandmadeChange], bool]) -> tuple[HandmadeChange, ...]:
    """The last one, if that accounts for what is there: what came before it was undone or done again."""
    return (changes[-1],) if changes and accounts(changes[-1]) else ()


def _on_table(ddl: Ddl, drift: Drift) -> bool:
    """Whether the statement is about the drift's table; where it names no schema, that is the one meant."""
    assert drift.table is not None, "what concerns no table is not explained"
    return ddl.table == drift.table.name and ddl.schema in ("", drift.table.schema)


# --------------------------------------------------------------------------------------------------- tables and columns


def _of_table(drift: Drift, changes: Sequence[HandmadeChange]) -> tuple[HandmadeChange, ...]:
    assert drift.table is not None, "what concerns no table is not explained"
    name = drift.table.name
    if drift.kind is DriftKind.MISPLACED_TABLE:
        moves = [c for c in changes if c.ddl.thing is Thing.SCHEMA and c.ddl.table == name]
        return _last(moves, lambda move: move.ddl.value in {copy.schema for copy in drift.copies})
    about = [
        change
        for change in changes
        if change.ddl.thing in (Thing.TABLE, Thing.VIEW)
        and (_on_table(change.ddl, drift) or _is_renamed_to(change.ddl, name))
    ]
    return _last(about, lambda change: _leaves_there(change.ddl, name) is (drift.kind is DriftKind.EXTRA_TABLE))


def _of_view(drift: Drift, changes: Sequence[HandmadeChange], view: str) -> tuple[HandmadeChange, ...]:
    """Why a view or the like is in the table's place."""
    about = [
        change
        for change in changes
        if change.ddl.thing in (Thing.TABLE, Thing.VIEW)
        # What was made bears its later name already.
        and change.ddl.verb is not Verb.RENAME
        and _on_table(change.ddl, drift)
    ]
    return _last(about, lambda change: (change.ddl.verb, change.ddl.value) == (Verb.MAKE, view))


def _of_presence(drift: Drift, changes: Sequence[HandmadeChange]) -> tuple[HandmadeChange, ...]:
    """Why a column is there, or is not."""
    about = [
        change
        for change in changes
        if change.ddl.thing is Thing.COLUMN
        and change.ddl.verb is not Verb.ALTER
        and _on_table(change.ddl, drift)
        and (_may_be(change.ddl.name, drift.object) or _is_renamed_to(change.ddl, drift.object))
    ]
    if drift.kind is DriftKind.EXTRA_COLUMN:
        return _last(about, lambda change: _leaves_there(change.ddl, drift.object))
    if not about:
        return _made_without(drift, changes)
    return _last(about, lambda change: not _leaves_there(change.ddl, drift.object))


def _is_renamed_to(ddl: Ddl, name: str) -> bool:
    return ddl.verb is Verb.RENAME and ddl.value == name


def _leaves_there(ddl: Ddl, name: str) -> bool:
    return ddl.verb is not Verb.DROP and (ddl.verb is not Verb.RENAME or ddl.value == name)


def _made_without(drift: Drift, changes: Iterable[HandmadeChange]) -> tuple[HandmadeChange, ...]:
    """The SQL that made the table, column by column, in the very operation which told the state of the thing."""
    made_by = drift.made_by
    written = [
        change
        for change in changes
        if made_by is not None
        and change.made_by.order == made_by.order
        and change.certain
        and change.ddl.verb is Verb.MAKE
        and _on_table(change.ddl, drift)
    ]
    tables = [change for change in written if change.ddl.thing is Thing.TABLE]
    return tuple(tables[:1]) if any(change.ddl.thing is Thing.COLUMN for change in written) else ()


def _of_column(
    drift: Drift, changes: Sequence[HandmadeChange], column: Column | None, altered_by: Mapping[str, Provenance]
) -> tuple[HandmadeChange, ...]:
    if column is None:
        return ()
    about = [change for change in changes if _on_table(change.ddl, drift) and _may_be(change.ddl.name, column.name)]
    reasons: list[HandmadeChange] = []
    for aspect in drift.aspects:
        altered = altered_by.get(aspect)
        since = [change for change in about if altered is None or change.made_by.order >= altered.order]
        reason = _of_aspect(Thing(aspect), since, column)
        if not reason:
            return ()
        reasons += reason
    return tuple(reasons)


def _of_aspect(aspect: Thing, changes: Sequence[HandmadeChange], column: Column) -> tuple[HandmadeChange, ...]:
    # What draws a value may be an identity or a default.
    things = (aspect, Thing.DEFAULT) if aspect is Thing.IDENTITY else (aspect,)
    about = [
        change
        for change in changes
        if change.ddl.thing in things or (change.ddl.thing is Thing.COLUMN and change.ddl.verb is Verb.ALTER)
    ]
    return _last(about, lambda change: _gave(change.ddl, column))


def _gave(ddl: Ddl, column: Column) -> bool:
    """Whether the column is as the statement says; where it gives no value, whatever is there may be its."""
    value = ddl.value
    if value is None or UNKNOWN in value:
        return True
    match ddl.thing:
        case Thing.TYPE:
            return value == printed_type(column.type)
        case Thing.NULLABILITY:
            return value == ("null" if column.nullable else "not null")
        case Thing.DEFAULT:
            given = "" if value == "null" else value
            return bool(given) == (column.default is not None) and words_in(given) == words_in(column.default or "")
        case Thing.IDENTITY:
            return value == column.identity
        case Thing.GENERATED:
            return value == column.generated
        case Thing.COLLATION:
            return value == (column.collation or "").rsplit(".", 1)[-1].strip('"')
        case Thing.COMMENT:
            return value == (column.comment or "")
        case _:
            return False


# ---------------------------------------------------------------------------------------------- constraints and indexes


def _of_part(
    drift: Drift, changes: Sequence[HandmadeChange], thing: Thing, expected: str, found: Iterable[Constraint | Index]
) -> tuple[HandmadeChange, ...]:
    """Why a constraint or an index is not there, or another one is, or one that nobody expects."""
    names = _names(drift, changes, thing, expected)
    about = [change for change in changes if change.ddl.thing is thing and _is_about_part(change.ddl, drift, names)]
    if drift.kind in (DriftKind.DIFFERENT_CONSTRAINT, DriftKind.DIFFERENT_INDEX):
        there = next((part for part in found if part.name == drift.object), None)
        return _last(about, lambda change: there is not None and _made(change.ddl, there))
    about = [change for change in about if change.ddl.verb is not Verb.ALTER]
    if drift.kind in (DriftKind.EXTRA_CONSTRAINT, DriftKind.EXTRA_INDEX):
        return _last(about, lambda change: change.ddl.verb is Verb.MAKE)
    return _last(about, lambda change: change.ddl.verb is Verb.DROP) if about else _made_without(drift, changes)


def _names(drift: Drift, changes: Sequence[HandmadeChange], thing: Thing, expected: str) -> frozenset[str]:
    """The names that the thing may have borne: those of both sides, and what renames lead from and to."""
    names = {drift.object, expected}
    # Backwards first: a name from before several renames is found by following them from the last.
    for change in (*reversed(changes), *changes):
        ddl = change.ddl
        if ddl.thing is thing and ddl.verb is Verb.RENAME and (ddl.name in names or ddl.value in names):
            names |= {ddl.name, ddl.value or ""}
    return frozenset(names - {""})


def _is_about_part(ddl: Ddl, drift: Drift, names: frozenset[str]) -> bool:
    """By name; one that is made also by table and columns; one of unknown name by whatever else is known of it."""
    assert drift.table is not None, "what concerns no table is not explained"
    if ddl.verb is Verb.RENAME or not (_on_table(ddl, drift) if ddl.table else ddl.schema in ("", drift.table.schema)):
        return False
    if ddl.constraint_type not in (None, drift.constraint_type):
        return False
    if ddl.name and any(_may_be(ddl.name, name) for name in names):
        # A name of which a part is unknown says too little where no table is named either.
        return ddl.table != "" or UNKNOWN not in ddl.name
    if ddl.verb is Verb.MAKE:
        # A table has one primary key, over whatever columns: in a partitioned one the partition key is among them.
        return ddl.constraint_type is ConstraintKind.PRIMARY_KEY or (
            ddl.columns != () and sorted(ddl.columns) == sorted(drift.columns)
        )
    return not ddl.name and ddl.table != "" and ddl.columns in ((), drift.columns)


def _may_be(given: str, name: str) -> bool:
    """Whether a name in a statement, parts of which may be unknown, can be this one."""
    if UNKNOWN not in given:
        return given == name
    return re.fullmatch(".*".join(map(re.escape, given.split(UNKNOWN))), name) is not None


def _made(ddl: Ddl, part: Constraint | Index) -> bool:
    """Whether the statement accounts for the one that is there: it defines it so, or took the expected one away."""
    if ddl.verb is Verb.DROP or ddl.value is None or UNKNOWN in ddl.value:
        return True
    given = words_in(ddl.value)
    if isinstance(part, Index):
        return ddl.unique is part.unique and given == words_in(part.tail or "")
    there = words_in(constraint_in_words(part))
    if part.kind is ConstraintKind.FOREIGN_KEY:
        # The columns that it refers to need not be written.
        return ddl.constraint_type is part.kind and given <= there
    return ddl.constraint_type is part.kind and given == there


def _of_state(drift: Drift, changes: Sequence[HandmadeChange], thing: Thing) -> tuple[HandmadeChange, ...]:
    """Why a constraint is not validated or not enforced."""
    names = _names(drift, changes, Thing.CONSTRAINT, drift.object)
    about = [
        change
        for change in changes
        if change.ddl.thing is thing and _on_table(change.ddl, drift) and _is_of_state(change.ddl, drift, names)
    ]
    return _last(about, lambda change: change.ddl.value == "")


def _is_of_state(ddl: Ddl, drift: Drift, names: frozenset[str]) -> bool:
    """By name; without one, DISABLE TRIGGER ALL is about every constraint, ADD FOREIGN KEY about its columns."""
    if ddl.name:
        return any(_may_be(ddl.name, name) for name in names)
    return ddl.columns in ((), drift.columns)


def _of_privileges(drift: Drift, changes: Sequence[HandmadeChange]) -> tuple[HandmadeChange, ...]:
    """Why a table has another owner than its neighbours, or lacks rights that they have: all of it, or nothing."""
    assert drift.table is not None, "what concerns no table is not explained"
    schema = drift.table.schema
    about = [
        change
        for change in changes
        if _on_table(change.ddl, drift) or (change.ddl.table == "" and change.ddl.schema == schema)
    ]
    reasons: list[HandmadeChange] = []
    if "owner" in drift.aspects:
        owners = [change for change in about if change.ddl.thing is Thing.OWNER]
        reason = _last(owners, lambda change: change.ddl.value == drift.owner)
        if not reason:
            return ()
        reasons += reason
    for grant in drift.lacking:
        rights = [change for change in about if change.ddl.thing is Thing.PRIVILEGES and _is_of(change.ddl, grant)]
        reason = _last(rights, lambda change: change.ddl.verb is Verb.DROP)
        if not reason:
            return ()
        reasons += reason
    return tuple(reasons)


def _is_of(ddl: Ddl, grant: Grant) -> bool:
    return ddl.name in ("", grant.privilege.lower()) and ddl.value == grant.role

"""Findings in sentences: like ones together, definitions where one stands alone, crowded tables told as a whole."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import assert_never

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Constraint, ConstraintKind, TableName, quoted
from cascade.core.words import MANY, counted, listed
from cascade.render.wording import by_app, migration_labels, short_name

TWO_DEFINITIONS = (
    DriftKind.DIFFERENT_COLUMN,
    DriftKind.DIFFERENT_CONSTRAINT,
    DriftKind.DIFFERENT_INDEX,
    DriftKind.DIFFERENT_PRIVILEGES,
    DriftKind.MISDIRECTED_FOREIGN_KEY,
)
"""The kinds whose findings say with both definitions what differs."""


def findings_in_sentences(drifts: Iterable[Drift], answer: Answer, *, most: int = MANY) -> list[str]:
    """One sentence for each sort of finding, like findings put together, at most ``most`` names in each.

    Where much of one table is amiss in several ways, one sentence tells all of it. The order is that in which the
    sorts, or the tables, first appear.
    """
    drifts = tuple(drifts)
    crowded = _crowded_tables(drifts, most)
    groups: dict[tuple[object, ...], list[Drift]] = {}
    for drift in drifts:
        whole = drift.table in crowded and drift.kind in _PARTS
        groups.setdefault(("table", drift.table) if whole else _sort_of(drift), []).append(drift)
    return [
        (_crowd(group, answer, most) if sort[0] == "table" else _sentence(group, answer, most)) + _with_it(group)
        for sort, group in groups.items()
    ]


def explained_in_sentences(drifts: Sequence[Drift], answer: Answer, *, each: bool) -> list[str]:
    """Differences that a migration's own SQL or Python accounts for: how many of which kind, or each with what did."""
    if not drifts:
        return []
    if each:
        return [f"{_sentence([drift], answer, MANY)} Explained by {drift.explained_by}." for drift in drifts]
    kinds = Counter(drift.kind.value for drift in drifts)
    which = ", ".join(f"{kind} {number}" for kind, number in kinds.items())
    are = "difference is" if len(drifts) == 1 else "differences are"
    return [f"{len(drifts):,} {are} the doing of migrations' own SQL or Python ({which}); -v lists them."]


def object_name(drift: Drift, answer: Answer) -> str:
    """What the finding is about, as short as it stays clear. A name is no identity.

    A foreign key is named by its columns and where it should point (``bounty.match_id -> match``), another constraint
    and an index by their columns (``team (slug, tag)``), a rule or an expression by its name.
    """
    if drift.table is None or drift.kind is DriftKind.STRAY_OBJECT:
        return drift.object
    table = short_name(drift.table, answer.placement.target)
    part = _part_name(drift, answer)
    if not part:
        return table
    return f"{table} {part}" if part.startswith("(") else f"{table}.{part}"


def named_with_sort(drift: Drift, answer: Answer) -> str:
    """The part with its sort, and its name where that says more than the columns."""
    name, noun = object_name(drift, answer), noun_of(drift)
    if noun in ("column", "privileges"):
        return f"The {noun} {'of ' if noun == 'privileges' else ''}{name}"
    on = "on " if " (" in name and drift.constraint_type is not ConstraintKind.FOREIGN_KEY else ""
    own = quoted(drift.object) if drift.object else ""
    with_name = f", {own}," if on and own else ""
    return f"The {noun} {on}{name}{with_name}"


def noun_of(drift: Drift) -> str:
    """What sort of thing the finding is about: ``foreign key``, ``index``, ``column`` and so on."""
    if drift.constraint_type is not None:
        return _CONSTRAINTS[drift.constraint_type]
    return _noun_of_kind(drift.kind)


def consequences_in_words(drifts: Iterable[Drift]) -> str:
    """How much went wrong because these did, by sort of thing; empty where nothing did."""
    nouns = Counter(_noun_in(phrase) for drift in drifts for phrase in drift.consequences)
    return listed([counted(number, noun, _plural(noun)) for noun, number in nouns.items()])


def bare_definition(definition: str, drift: Drift) -> str:
    """The definition of a column without its name, which has been said."""
    return definition.removeprefix(f"{quoted(drift.object)} ")


# --------------------------------------------------------------------------------------------------------------- names


_CONSTRAINTS = {
    ConstraintKind.PRIMARY_KEY: "primary key",
    ConstraintKind.UNIQUE: "unique constraint",
    ConstraintKind.CHECK: "check constraint",
    ConstraintKind.FOREIGN_KEY: "foreign key",
    ConstraintKind.EXCLUSION: "exclusion constraint",
    ConstraintKind.NOT_NULL: "NOT NULL constraint",
}
_NAMED_BY_COLUMNS = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.FOREIGN_KEY, None)


def _part_name(drift: Drift, answer: Answer) -> str:
    """The part of a table that the finding is about, without the table."""
    noun = _noun_of_kind(drift.kind)
    by_columns = drift.constraint_type in _NAMED_BY_COLUMNS and drift.columns and all(drift.columns)
    if noun in ("constraint", "foreign key", "index") and by_columns:
        columns = ", ".join(map(quoted, drift.columns))
        if drift.constraint_type is not ConstraintKind.FOREIGN_KEY:
            return f"({columns})"
        to = _referenced(drift, answer)
        arrow = f" -> {short_name(to, answer.placement.target)}" if to else ""
        return f"{columns if len(drift.columns) == 1 else f'({columns})'}{arrow}"
    return quoted(drift.object) if drift.object else ""


def _referenced(drift: Drift, answer: Answer) -> TableName | None:
    """Where the foreign key should point; of one that nobody expects, where it does."""
    if drift.table is None:
        return None
    expected = answer.expected.tables.get(drift.table) if drift.kind is not DriftKind.EXTRA_CONSTRAINT else None
    tables = [expected.table] if expected else []
    tables += answer.observed.layout.copies.get(drift.table.name, ())
    keys: Iterable[Constraint] = (key for table in tables for key in table.foreign_keys)
    return next((key.references.table for key in keys if key.columns == drift.columns and key.references), None)


def _names(group: Sequence[Drift], answer: Answer, *, parts: bool) -> list[str]:
    """The names of the findings, of parts without the table; those that would read alike with their own names."""
    short = [_alone_in_brackets(_part_name(d, answer)) if parts else object_name(d, answer) for d in group]
    often = Counter(short)
    return [
        f"{name} as {quoted(drift.object)}" if often[name] > 1 and drift.object else name
        for drift, name in zip(group, short, strict=True)
    ]


def _alone_in_brackets(name: str) -> str:
    """One column needs no brackets where no table's name stands before it."""
    return name.strip("()") if name.startswith("(") and "," not in name else name


def _noun_in(phrase: str) -> str:
    """What sort of thing a consequence is, which is worded as ``the foreign key a (b) -> c``."""
    nouns = (*_CONSTRAINTS.values(), "constraint", "index", "column", "sequence")
    return next((noun for noun in nouns if phrase.removeprefix("the ").startswith(f"{noun} ")), "other thing")


def _noun_of_kind(kind: DriftKind) -> str:
    word = kind.value.rpartition("_")[2]
    return {"key": "foreign key", "behind": "sequence"}.get(word, word)


def _plural(noun: str) -> str:
    return f"{noun}es" if noun.endswith("x") else f"{noun}s"


# ----------------------------------------------------------------------------------------------------- crowded tables


_PARTS = {
    DriftKind.MISDIRECTED_FOREIGN_KEY: "pointing at another copy",
    DriftKind.MISSING_COLUMN: "missing",
    DriftKind.MISSING_CONSTRAINT: "missing",
    DriftKind.MISSING_INDEX: "missing",
    DriftKind.DIFFERENT_COLUMN: "different",
    DriftKind.DIFFERENT_CONSTRAINT: "different",
    DriftKind.DIFFERENT_INDEX: "different",
    DriftKind.NOT_VALIDATED_CONSTRAINT: "not validated",
    DriftKind.DISABLED_CONSTRAINT: "not enforced",
    DriftKind.INVALID_INDEX: "invalid",
    DriftKind.SEQUENCE_BEHIND: "behind",
    DriftKind.EXTRA_COLUMN: "expected by no applied migration",
    DriftKind.EXTRA_CONSTRAINT: "expected by no applied migration",
    DriftKind.EXTRA_INDEX: "expected by no applied migration",
}
"""What is said of the parts of a table, where several of them are amiss."""


def _crowded_tables(drifts: Iterable[Drift], most: int) -> set[TableName]:
    """Tables with more than ``MANY`` findings of several sorts; none where more tables are so than are listed."""
    sorts: dict[TableName, list[tuple[object, ...]]] = {}
    for drift in drifts:
        if drift.table is not None and drift.kind in _PARTS:
            sorts.setdefault(drift.table, []).append(_sort_of(drift))
    crowded = {table for table, found in sorts.items() if len(found) > MANY and len(set(found)) > 1}
    return crowded if len(crowded) <= most else set()


def _crowd(group: Sequence[Drift], answer: Answer, most: int) -> str:
    """All that is amiss with the parts of one table."""
    table = group[0].table
    assert table is not None, "the parts are those of a table"
    sorts: dict[tuple[str, str], list[Drift]] = {}
    for drift in group:
        sorts.setdefault((_PARTS[drift.kind], noun_of(drift)), []).append(drift)
    parts = [
        f"{counted(len(drifts), noun, _plural(noun))} {state} "
        f"{_in_brackets(listed(_names(drifts, answer, parts=True), most))}"
        for (state, noun), drifts in sorts.items()
    ]
    return f"{short_name(table, answer.placement.target)}: {'; '.join(parts)}{_since(group)}."


def _in_brackets(names: str) -> str:
    return names if names.startswith("(") and names.find(")") == len(names) - 1 else f"({names})"


# ----------------------------------------------------------------------------------------------------------- sentences


def _sort_of(drift: Drift) -> tuple[object, ...]:
    """Findings of one sort go into one sentence."""
    places = tuple(copy.schema for copy in drift.copies)
    seen = drift.observed if drift.kind is DriftKind.UNREACHABLE_TABLE else ""
    return (drift.kind, drift.severity, drift.constraint_type, places, drift.aspects, seen)


def _sentence(group: Sequence[Drift], answer: Answer, most: int) -> str:
    first, target = group[0], answer.placement.target
    names = listed([object_name(drift, answer) for drift in group], most)
    many = len(group) > 1
    match first.kind:
        case DriftKind.MISPLACED_TABLE:
            return _misplaced(group, answer)
        case DriftKind.MISSING_TABLE:
            return f"{names} {'are' if many else 'is'} {first.observed}{_recorded(group)}."
        case DriftKind.UNREACHABLE_TABLE:
            what = f"{counted(len(group), 'table')} cannot be reached" if many else f"{names} cannot be reached"
            return f"{what}: {first.observed}{f' ({names})' if many else ''}."
        case DriftKind.CREATION_SCHEMA_DIFFERS:
            return f"Made now over this connection, {first.observed}; they belong in {quoted(target)}."
        case DriftKind.DUPLICATED_TABLE | DriftKind.SHADOWED_TABLE:
            return _doubled(group, names, answer)
        case DriftKind.MISSING_COLUMN:
            return f"{names} {'are' if many else 'is'} missing{_recorded(group)}{_columns_there(group, answer)}."
        case DriftKind.UNRECORDED_MIGRATION:
            those = "they make" if many else "it makes"
            return f"Not recorded, though all that {those} is there: {names} (migrate --fake records, once compared)."
        case DriftKind.PENDING_MIGRATION:
            return f"Pending, so what {'they make' if many else 'it makes'} is rightly absent: {names}."
        case DriftKind.EXTRA_TABLE:
            return f"In {quoted(target)}, expected by no applied migration: {names}."
        case DriftKind.EXTRA_COLUMN if first.severity is Severity.NOTE:
            return f"Columns expected by no applied migration: {names}."
        case DriftKind.DIFFERENT_NAMES:
            return (
                f"Constraints or indexes of {counted(len(group), 'table')} have other names, and the right structure."
            )
        case DriftKind.UNUSED_IGNORE:
            return f'Named in CASCADE["IGNORE"], met by no finding any more: {names}.'
        case DriftKind.STRAY_OBJECT | DriftKind.DIFFERENT_PRIVILEGES:
            return _gathered(group, names) if many else _alone(first, answer)
        case (
            DriftKind.MISDIRECTED_FOREIGN_KEY
            | DriftKind.MISSING_CONSTRAINT
            | DriftKind.MISSING_INDEX
            | DriftKind.DIFFERENT_COLUMN
            | DriftKind.DIFFERENT_CONSTRAINT
            | DriftKind.DIFFERENT_INDEX
            | DriftKind.NOT_VALIDATED_CONSTRAINT
            | DriftKind.DISABLED_CONSTRAINT
            | DriftKind.INVALID_INDEX
            | DriftKind.SEQUENCE_BEHIND
            | DriftKind.EXTRA_COLUMN
            | DriftKind.EXTRA_CONSTRAINT
            | DriftKind.EXTRA_INDEX
        ):
            return _parts(group, answer, most) if many else _alone(first, answer)
        case _:
            assert_never(first.kind)


def _misplaced(group: Sequence[Drift], answer: Answer) -> str:
    role, path = answer.placement.role, answer.placement.path
    schemas = sorted({copy.schema for drift in group for copy in drift.copies})
    where = " and ".join(quoted(schema) for schema in schemas)
    if len(group) == 1:
        what = f"{object_name(group[0], answer)} is"
    elif len({drift.app for drift in group}) == 1:
        what = f"{len(group):,} tables of {group[0].app} are"
    else:
        what = f"{len(group):,} tables ({by_app(drift.app for drift in group)}) are"
    if group[0].severity is not Severity.BROKEN:
        they, belong = ("them", "they belong") if len(group) > 1 else ("it", "it belongs")
        return f"{what} in {where}, where {role} finds {they} so far; {belong} in {quoted(answer.placement.target)}."
    looks = (
        f"does not find {'them' if len(group) > 1 else 'it'}"
        if any(schema in path.effective for schema in schemas)
        else "does not look"
    )
    return f"{what} in {where}, where {role} {looks}."


def _doubled(group: Sequence[Drift], names: str, answer: Answer) -> str:
    schemas = " and ".join(sorted({quoted(copy.schema) for drift in group for copy in drift.copies}))
    found = f"; {answer.placement.role} finds that one first" if group[0].kind is DriftKind.SHADOWED_TABLE else ""
    harmless = " (empty there, and nothing points at it)" if group[0].severity is Severity.NOTE else ""
    return f"{names} {'are' if len(group) > 1 else 'is'} in place and in {schemas} too{harmless}{found}."


def _gathered(group: Sequence[Drift], names: str) -> str:
    """Several findings of a kind that is about no part of a table."""
    if group[0].kind is DriftKind.STRAY_OBJECT:
        return f"{len(group):,} objects that tables need are in another schema: {names}."
    return f"The owner or grants of {counted(len(group), 'table')} are not those of their neighbours: {names}."


def _parts(group: Sequence[Drift], answer: Answer, most: int) -> str:
    """Several parts of one or more tables, all amiss in one way."""
    first, noun = group[0], noun_of(group[0])
    tables = {drift.table for drift in group}
    target = answer.placement.target
    of = short_name(first.table, target) if len(tables) == 1 and first.table else counted(len(tables), "table")
    names = listed(_names(group, answer, parts=len(tables) == 1), most)
    return f"{len(group):,} {_plural(noun)} of {of} are {_state(first)}: {names}{_since(group)}."


def _state(drift: Drift) -> str:
    if drift.kind is DriftKind.DIFFERENT_COLUMN and drift.aspects:
        return f"of another {listed(drift.aspects)} than expected"
    return _PARTS[drift.kind]


def _alone(drift: Drift, answer: Answer) -> str:
    """One finding, with both definitions where there are two."""
    name = object_name(drift, answer)
    named = named_with_sort(drift, answer)
    since = _since([drift])
    expected, observed = bare_definition(drift.expected, drift), bare_definition(drift.observed, drift)
    match drift.kind:
        case DriftKind.DIFFERENT_COLUMN:
            return f"{name} is {observed}, expected {expected}{since}."
        case DriftKind.DIFFERENT_CONSTRAINT | DriftKind.DIFFERENT_INDEX:
            return f"{named} is {observed}, expected {expected}{since}."
        case DriftKind.MISDIRECTED_FOREIGN_KEY:
            return f"{named} {observed} instead{since}."
        case DriftKind.MISSING_CONSTRAINT | DriftKind.MISSING_INDEX:
            # The columns of a key say all of it.
            told = drift.constraint_type in _NAMED_BY_COLUMNS[:-1] or not expected
            return f"{named} is missing{'' if told else f': {expected}'}{since}."
        case DriftKind.NOT_VALIDATED_CONSTRAINT:
            return f"{named} is not validated: the rows that were there before it are unchecked{since}."
        case DriftKind.DISABLED_CONSTRAINT:
            return f"{named} is not in force: {observed}."
        case DriftKind.INVALID_INDEX:
            return f"{named} is invalid, so it is written to and not read{since}."
        case DriftKind.SEQUENCE_BEHIND:
            return (
                f"The sequence of {name} is behind, so the next INSERTs fail: {', '.join(drift.evidence) or observed}."
            )
        case DriftKind.DIFFERENT_PRIVILEGES:
            return f"{name}: {observed}; expected: {expected}."
        case DriftKind.STRAY_OBJECT:
            return f"{name} is {observed}, expected {expected}."
        case _:  # what nobody expects
            why = f": {drift.evidence[0]}" if drift.evidence and drift.severity is not Severity.NOTE else ""
            return f"{named} is expected by no applied migration{why}."


def _since(group: Sequence[Drift]) -> str:
    made = _migrations(group)
    return f" (since {made})" if made else ""


def _recorded(group: Sequence[Drift]) -> str:
    made = _migrations(group)
    return f" (recorded: {made})" if made else ""


def _columns_there(group: Sequence[Drift], answer: Answer) -> str:
    """How many of the columns are there, where all that is missing is missing in one table that is in its place."""
    table = group[0].table
    if table is None or any(drift.table != table for drift in group):
        return ""
    expected, found = answer.expected.tables.get(table), answer.observed.layout.tables.get(table)
    if expected is None or found is None:
        return ""
    wanted = len(expected.table.columns)
    there = sum(found.column(column.name) is not None for column in expected.table.columns)
    return f"; {there} of {wanted} columns are there" if there < wanted else ""


def _migrations(group: Sequence[Drift]) -> str:
    keys = migration_labels((drift.made_by.migration for drift in group if drift.made_by), with_app=True)
    return listed(list(keys.values()), 2)


def _with_it(group: Sequence[Drift]) -> str:
    words = consequences_in_words(group)
    return f" And with {'them' if len(group) > 1 else 'it'}: {words}." if words else ""

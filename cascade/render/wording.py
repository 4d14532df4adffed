"""Phrases that every text shares: how many, which, where, made by what, with how many rows."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import MigrationKey
from cascade.core.layout import RowEvidence, TableName, quoted

MANY = 4
"""How many names a sentence lists before it says "and … more"."""


def findings_in_sentences(drifts: Iterable[Drift], answer: Answer, *, most: int = MANY) -> list[str]:
    """One sentence for each sort of finding, like findings put together, at most ``most`` names in each.

    The order is that in which the sorts first appear.
    """
    groups: dict[tuple[object, ...], list[Drift]] = {}
    for drift in drifts:
        groups.setdefault(_sort_of(drift), []).append(drift)
    return [_sentence(group, answer, most) for group in groups.values()]


def object_name(drift: Drift, target: str) -> str:
    """What the finding is about, as short as it stays clear.

    >>> object_name(Drift(DriftKind.MISSING_COLUMN, Severity.BROKEN, TableName("public", "team"), "left_at"), "public")
    'team.left_at'
    """
    if drift.table is None:
        return drift.object
    name = short_name(drift.table, target)
    return f"{name}.{quoted(drift.object)}" if drift.object else name


def short_name(table: TableName, target: str) -> str:
    """The table's name, with its schema only where that is not the target."""
    return quoted(table.name) if table.schema == target else str(table)


def counted(number: int, thing: str, things: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "table"), counted(1_200, "table"), counted(0, "index", "indexes")
    ('1 table', '1,200 tables', '0 indexes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def listed(names: Sequence[str], most: int = MANY) -> str:
    """The first names, and how many more there are. The last one alone is never hidden behind "1 more".

    >>> listed(["a", "b", "c", "d"], 2), listed(["a", "b", "c"], 2), listed(["a"])
    ('a, b and 2 more', 'a, b and c', 'a')
    """
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def by_app(apps: Iterable[str]) -> str:
    """How many of which app, in alphabetical order.

    >>> by_app(["teams", "accounts", "teams"])
    'accounts 1, teams 2'
    """
    return ", ".join(f"{app or 'no app'} {number}" for app, number in sorted(Counter(apps).items()))


def rows_in_total(rows: Collection[RowEvidence]) -> str:
    """What is known of the rows of several tables, without claiming more.

    >>> rows_in_total([RowEvidence(3), RowEvidence(0), RowEvidence(9)])
    '12 rows in 2 tables, 1 table empty'
    >>> rows_in_total([RowEvidence(10_001, 52_000), RowEvidence(None, None, "locked by pid 7")])
    '~52,000 rows in 1 table, 1 table whose rows are unknown (locked by pid 7)'
    """
    filled = [r for r in rows if r.has_rows or (r.counted is None and r.estimate)]
    empty = [r for r in rows if r.has_rows is False]
    unknown = [r for r in rows if r not in filled and r not in empty]
    parts = []
    if filled:
        parts.append(f"{_sum(filled)} in {counted(len(filled), 'table')}")
    if empty:
        parts.append(f"{counted(len(empty), 'table')} empty" if filled else f"no row in {counted(len(empty), 'table')}")
    if unknown:
        reasons = sorted({r.unknown_because for r in unknown if r.unknown_because})
        why = f" ({listed(reasons, 2)})" if reasons else ""
        parts.append(f"{counted(len(unknown), 'table')} whose rows are unknown{why}")
    return ", ".join(parts)


def migration_labels(keys: Iterable[MigrationKey], *, with_app: bool = False) -> Mapping[MigrationKey, str]:
    """The shortest label for each: the number alone where all are of one app and no two share it.

    >>> keys = [MigrationKey("shop", "0001_initial"), MigrationKey("shop", "0002_price")]
    >>> list(migration_labels(keys).values()), list(migration_labels(keys, with_app=True).values())
    (['0001', '0002'], ['shop.0001', 'shop.0002'])
    """
    distinct = sorted(set(keys))
    one_app = len({key.app for key in distinct}) == 1 and not with_app
    numbers = Counter((key.app, _number(key)) for key in distinct)
    return {
        key: ("" if one_app else f"{key.app}.") + (_number(key) if numbers[key.app, _number(key)] == 1 else key.name)
        for key in distinct
    }


def moment(iso: str | None) -> str:
    """A moment in UTC to the second, from ISO 8601; another text as it is.

    >>> moment("2025-12-31T14:03:11.5+01:00"), moment("yesterday"), moment(None)
    ('2025-12-31 13:03:11 UTC', 'yesterday', 'at an unknown time')
    """
    at = _parsed(iso)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else iso or "at an unknown time"


def window(first: str | None, last: str | None) -> str:
    """From one moment to another, the date said once.

    >>> window("2025-12-31T13:03:11Z", "2025-12-31T13:03:19Z")
    '2025-12-31 13:03:11 to 13:03:19 UTC'
    """
    start, end = _parsed(first), _parsed(last)
    if start is None or end is None or moment(first) == moment(last):
        return moment(first)
    if start.date() == end.date():
        return f"{start:%Y-%m-%d %H:%M:%S} to {end:%H:%M:%S} UTC"
    return f"{start:%Y-%m-%d %H:%M:%S} to {moment(last)}"


def printable(text: str) -> str:
    r"""The text without control characters, which a name may hold and a terminal would obey.

    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\\x0a'
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def what_was_compared(answer: Answer) -> str:
    """How much the answer covers, in numbers."""
    expected = answer.expected
    columns = sum(len(table.table.columns) for table in expected.tables.values())
    return (
        f"place, right to read and column names of {counted(len(expected.tables), 'table')} "
        f"with {counted(columns, 'column')}, "
        f"as {counted(expected.applied_count, 'applied migration')} made them"
    )


def _sort_of(drift: Drift) -> tuple[object, ...]:
    """Findings of one sort go into one sentence."""
    places = tuple(copy.schema for copy in drift.copies)
    return (drift.kind, drift.severity, places, drift.observed if drift.kind is DriftKind.UNREACHABLE_TABLE else "")


def _sentence(group: list[Drift], answer: Answer, most: int) -> str:
    first, target = group[0], answer.placement.target
    names = listed([object_name(drift, target) for drift in group], most)
    many = len(group) > 1
    match first.kind:
        case DriftKind.MISPLACED_TABLE:
            return _misplaced(group, answer)
        case DriftKind.MISSING_TABLE:
            there = f"are {first.observed}" if many else f"is {first.observed}"
            return f"{names} {there}{_recorded(group)}."
        case DriftKind.UNREACHABLE_TABLE:
            what = f"{counted(len(group), 'table')} cannot be reached" if many else f"{names} cannot be reached"
            return f"{what}: {first.observed}{f' ({names})' if many else ''}."
        case DriftKind.CREATION_SCHEMA_DIFFERS:
            return f"Made now over this connection, {first.observed}; they belong in {quoted(target)}."
        case DriftKind.DUPLICATED_TABLE | DriftKind.SHADOWED_TABLE:
            return _doubled(group, names, answer)
        case DriftKind.MISSING_COLUMN:
            return f"{names} {'are' if many else 'is'} missing{_recorded(group)}."
        case DriftKind.UNRECORDED_MIGRATION:
            those = "they make" if many else "it makes"
            return f"Not recorded, though all that {those} is there: {names} (migrate --fake records, once compared)."
        case DriftKind.PENDING_MIGRATION:
            return f"Pending, so what {'they make' if many else 'it makes'} is rightly absent: {names}."
        case DriftKind.EXTRA_TABLE:
            return f"In {quoted(target)}, expected by no applied migration: {names}."
        case DriftKind.EXTRA_COLUMN:
            return f"Columns expected by no applied migration: {names}."
        case _:
            return f"{first.kind.value}: {names}."


def _misplaced(group: list[Drift], answer: Answer) -> str:
    role, path = answer.placement.role, answer.placement.path
    schemas = sorted({copy.schema for drift in group for copy in drift.copies})
    where = " and ".join(quoted(schema) for schema in schemas)
    if len(group) == 1:
        what = f"{object_name(group[0], answer.placement.target)} is"
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


def _doubled(group: list[Drift], names: str, answer: Answer) -> str:
    schemas = " and ".join(sorted({quoted(copy.schema) for drift in group for copy in drift.copies}))
    found = f"; {answer.placement.role} finds that one first" if group[0].kind is DriftKind.SHADOWED_TABLE else ""
    harmless = " (empty there, and nothing points at it)" if group[0].severity is Severity.NOTE else ""
    return f"{names} {'are' if len(group) > 1 else 'is'} in place and in {schemas} too{harmless}{found}."


def _recorded(group: list[Drift]) -> str:
    keys = migration_labels((drift.made_by.migration for drift in group if drift.made_by), with_app=True)
    return f" (recorded: {listed(list(keys.values()), 2)})" if keys else ""


def _sum(filled: Collection[RowEvidence]) -> str:
    exact = all(r.counted is not None and r.counted <= RowEvidence.COUNT_LIMIT for r in filled)
    total = sum(_at_least(r) for r in filled)
    sure = all(_is_estimated(r) or (r.counted or 0) <= RowEvidence.COUNT_LIMIT for r in filled)
    return f"{'' if exact else '~' if sure else 'more than '}{counted(total, 'row')}"


def _at_least(rows: RowEvidence) -> int:
    return max(rows.counted or 0, rows.estimate or 0) if _is_estimated(rows) else min(rows.counted or 0, 10_000)


def _is_estimated(rows: RowEvidence) -> bool:
    return rows.figure.startswith("~")


def _number(key: MigrationKey) -> str:
    match = re.match(r"\d+(?=_)", key.name)
    return match[0] if match else key.name


def _parsed(iso: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(iso or "")
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

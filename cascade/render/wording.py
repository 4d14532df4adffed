"""Phrases that every text shares: which, where, made by what, with how many rows."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from cascade.core.answer import Answer
from cascade.core.documents import moment_of
from cascade.core.history import MigrationKey
from cascade.core.layout import RowEvidence, TableName, quoted
from cascade.core.words import counted, listed


def short_name(table: TableName, target: str) -> str:
    """The table's name, with its schema only where that is not the target."""
    return quoted(table.name) if table.schema == target else str(table)


def database_at(database: str, host: str) -> str:
    """The database and its server, or the file that it was read from instead; without a server only the database.

    >>> database_at("arena", "127.0.0.1:5432"), database_at("arena", "from observed.json")
    ('arena on 127.0.0.1:5432', 'arena from observed.json')
    """
    return " ".join((quoted(database), *((host if host.startswith("from ") else f"on {host}",) if host else ())))


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
    at = moment_of(iso)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else iso or "at an unknown time"


def window(first: str | None, last: str | None) -> str:
    """From one moment to another, the date said once; without a second one it is open.

    >>> window("2025-12-31T13:03:11Z", "2025-12-31T13:03:19Z"), window("2025-12-31T13:03:11Z", None)
    ('2025-12-31 13:03:11 to 13:03:19 UTC', 'some time after 2025-12-31 13:03:11 UTC')
    """
    if last is None:
        return f"some time after {moment(first)}"
    start, end = moment_of(first), moment_of(last)
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


def xml_text(text: str) -> str:
    """Text as it can stand in XML and in HTML; spaces beside spaces would be lost."""
    text = printable(text)
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("  ", "&#160;&#160;")):
        text = text.replace(letter, entity)
    return text


def what_was_compared(answer: Answer) -> str:
    """What the answer covers, and how much of it."""
    tables = [expected.table for expected in answer.expected.tables.values()]
    indexes = sum(index.constraint is None for table in tables for index in table.indexes)
    return (
        "place, right to read, columns with type, nullability, default, identity and collation, constraints, foreign "
        f"keys, indexes, sequences and privileges of {counted(len(tables), 'table')} "
        f"with {counted(sum(len(table.columns) for table in tables), 'column')}, "
        f"{counted(sum(len(table.constraints) for table in tables), 'constraint')} and "
        f"{counted(indexes, 'index', 'indexes')}, "
        f"as {counted(answer.expected.applied_count, 'applied migration')} made them"
    )


def _sum(filled: Collection[RowEvidence]) -> str:
    exact = all(r.exact for r in filled)
    total = sum(_at_least(r) for r in filled)
    sure = all(_is_estimated(r) or r.exact for r in filled)
    return f"{'' if exact else '~' if sure else 'more than '}{counted(total, 'row')}"


def _at_least(rows: RowEvidence) -> int:
    if _is_estimated(rows):
        return max(rows.counted or 0, rows.estimate or 0)
    counted_rows = rows.counted or 0
    return counted_rows if rows.exact else min(counted_rows, RowEvidence.COUNT_LIMIT)


def _is_estimated(rows: RowEvidence) -> bool:
    return rows.figure.startswith("~")


def _number(key: MigrationKey) -> str:
    match = re.match(r"\d+(?=_)", key.name)
    return match[0] if match else key.name


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

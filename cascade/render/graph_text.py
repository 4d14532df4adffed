"""How the tables hang together, for a terminal: by schema and app, with the keys of each table both ways."""

from collections.abc import Iterator

from cascade.core.answer import Answer
from cascade.core.layout import quoted
from cascade.core.overview import Box
from cascade.core.table_map import MappedKey, MappedTable, TableMap
from cascade.core.words import counted, listed
from cascade.render.graph_words import GraphWords, by_app, by_schema, words_of
from cascade.render.paragraphs import separated, wrapped
from cascade.render.wording import database_at, printable, short_name

MARK = "!"
"""What stands before a table on which something is broken or risky."""

MOST_KEYS = 6
"""How many keys each way are named below a table; a hub has hundreds."""


def render_graph(answer: Answer, tables: TableMap, *, fold: bool = True, colour: bool = False, width: int = 100) -> str:
    """One line a table, below it the keys that start there and those that lead there.

    With ``fold`` healthy tables of an app are one line where there are too many to be looked at.
    """
    words = words_of(answer, tables) if fold else words_of(answer, tables, most=len(tables.tables))
    overview = words.overview
    shown = counted(len(tables.tables), "table")
    of_all = f" of {tables.of_all:,}" if len(tables.tables) < tables.of_all else ""
    head = [
        f"{database_at(answer.observed.database, answer.host)}: {shown}{of_all}, {words.amiss}; "
        f"{counted(len(tables.keys), 'foreign key')}.",
        *([f"Too many to list, so {overview.fold.value}; -v lists them all."] if overview.folded else []),
        f"{MARK} marks what is not as it should be; -> is what a table refers to, <- what refers to it.",
    ]
    blocks = [[line for text in head for line in wrapped(text, width, hang=2)], *_schemas(words, width)]
    lines = map(printable, separated(blocks))
    return "".join(f"{_painted(line) if colour else line}\n" for line in lines)


def _schemas(words: GraphWords, width: int) -> Iterator[list[str]]:
    down: dict[object, list[MappedKey]] = {}
    up: dict[object, list[MappedKey]] = {}
    for key in words.tables.keys:
        down.setdefault(key.table, []).append(key)
        up.setdefault(key.to, []).append(key)
    target = words.target
    for schema, boxes in by_schema(words.overview):
        lines = ["in no schema" if schema is None else quoted(schema) if schema else "in several schemas"]
        for app, together in by_app(boxes):
            if app:
                lines.append(f"  {app}")
            for _, box in together:
                lines += _lines(box, words, width)
                if box.table is not None:
                    lines += _keys(box.table, down.get(box.table.name, []), up.get(box.table.name, []), target, width)
        yield lines


def _lines(box: Box, words: GraphWords, width: int) -> list[str]:
    """A box in its line: what is amiss behind its name."""
    text = ", ".join(filter(None, (words.name(box), words.status(box))))
    first, *more = wrapped(text, width, first=4, hang=6)
    return [f"  {MARK} {first[4:]}" if box.like.findings else first, *more]


def _keys(table: MappedTable, down: list[MappedKey], up: list[MappedKey], target: str, width: int) -> Iterator[str]:
    sides = (
        ("->", [(short_name(key.to, target), key) for key in down]),
        ("<-", [(short_name(key.table, target), key) for key in up if key.table != table.name]),
    )
    for arrow, keys in sides:
        if keys:
            names = [f"{name} ({', '.join(map(quoted, key.constraint.columns))})" for name, key in keys]
            yield from wrapped(f"{arrow} {listed(names, MOST_KEYS)}", width, first=8, hang=11)


def _painted(line: str) -> str:
    return f"  \x1b[1;31m{MARK}\x1b[0m{line[3:]}" if line.startswith(f"  {MARK} ") else line

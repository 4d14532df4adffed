"""A report as Markdown for a repository, its pictures in files beside it.

Everything that is no code is escaped, and code is fenced by more backticks than it holds, so that a name out of the
database stays a name.
"""

import re
from collections.abc import Iterable, Iterator
from typing import assert_never

from cascade.core.words import counted, listed
from cascade.render.report.blocks import (
    MANY,
    MANY_LINES,
    Aside,
    Block,
    Bullets,
    Card,
    Cards,
    Code,
    Details,
    Facts,
    ForAPerson,
    Grid,
    Inline,
    Line,
    Paragraph,
    Part,
    Report,
    Shown,
    Sql,
    Strong,
    of_apps,
)
from cascade.render.wording import printable


def render_report_markdown(report: Report) -> str:
    """The report; pictures are named ``NAME.svg``, to lie in the same folder."""
    parts = [f"# {_text(report.title)}", _line(report.subtitle)]
    for section in report.sections:
        parts.append(f"## {_text(section.title)}")
        parts += _blocks(section.blocks, level=3)
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(blocks: Iterable[Block], *, level: int) -> Iterator[str]:
    for block in blocks:
        yield from _block(block, level)


def _block(block: Block, level: int) -> Iterator[str]:
    match block:
        case Paragraph(line):
            yield _line(line)
        case Bullets(lines):
            yield "\n".join(f"- {_line(line)}" for line in lines)
        case Grid(head, rows) if len(rows) > MANY:
            words = listed([word for word in head if word], 6)
            yield from _folded((f"{len(rows):,} rows: {words}",), [_grid(block)])
        case Grid():
            yield _grid(block)
        case Facts(pairs):
            yield _table(("", ""), [(f"**{_text(word)}**", _cell(line)) for word, line in pairs])
        case Sql(label, text, language) if text.count("\n") >= MANY_LINES:
            yield from _folded((f"{label or 'The text'}, {_lines(text)}",), [_fenced(text, language)])
        case Sql(label, text, language):
            yield f"{_text(label)}:" if label else ""
            yield _fenced(text, language)
        case Shown(picture, caption):
            yield f"![{_text(picture.description)}]({picture.name}.svg)"
            yield f"*{_text(caption)}*"
        case ForAPerson(asks):
            yield f"> **To be filled in by a person.** {_text(asks)}"
        case Aside(summary, inner):
            yield from _folded(summary, _blocks(inner, level=level))
        case Details(told, details) if block.are_many:
            yield _left_out(f"{told}, of {counted(len(details), 'table')}")
        case Details():
            yield from _blocks(block.each, level=level)
        case Cards(cards) if block.are_many:
            for app, group in of_apps(cards).items():
                yield from _folded((f"{app or 'no app'}: {counted(len(group), 'finding')}",), [_grid(_in_rows(group))])
            number = counted(len(cards), "finding")
            yield _left_out(f"what else is known of {number}, with the SQL of the repair and of its undo")
        case Cards(cards):
            for card in cards:
                yield f"{'#' * level} {_line(card.title)}"
                yield from _blocks(card.blocks, level=level + 1)
        case Part(title, inner):
            yield f"{'#' * level} {_line(title)}"
            yield from _blocks(inner, level=level + 1)
        case _:
            assert_never(block)


def _folded(summary: Line, inner: Iterable[str]) -> Iterator[str]:
    yield f"<details>\n<summary>{_html_line(summary)}</summary>"
    yield from inner
    yield "</details>"


def _left_out(told: str) -> str:
    """What would make a file that nobody scrolls through, and where it stands instead."""
    return (
        f"*Left out here: {_text(told)}. {_code('report.html')} has all of it, grouped by app "
        f"({_code('cascade report --format html')}), and so has the plan's JSON.*"
    )


def _in_rows(cards: Iterable[Card]) -> Grid:
    """A line for each finding: enough to know it by."""
    head = ("finding", "kind", "severity", "found", "now")
    return Grid(head, tuple((card.title, (card.kind,), (card.severity,), card.found, card.now) for card in cards))


def _line(line: Line) -> str:
    return "".join(_inline(part) for part in line)


def _inline(part: Inline) -> str:
    match part:
        case Code(text):
            return _code(text)
        case Strong(text):
            return _strong(text)
        case str():
            return _text(part)
        case _:
            assert_never(part)


def _strong(text: str) -> str:
    """Bold, its spaces outside of it: asterisks beside a space are no mark.

    >>> _strong(" (not its place)"), _strong("Mind: ")
    (' **(not its place)**', '**Mind:** ')
    """
    inner = text.strip()
    before, _, after = text.partition(inner)
    return f"{before}**{_text(inner)}**{after}" if inner else text


def _text(text: str) -> str:
    r"""Plain text that stays plain.

    >>> _text("a_b <i> [x](y)")
    'a\\_b &lt;i> \\[x\\](y)'
    """
    escaped = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", printable(text.replace("\n", " ")))
    return escaped.replace("&", "&amp;").replace("<", "&lt;")


def _code(text: str) -> str:
    r"""A name as code, whatever stands in it.

    >>> _code("plain"), _code("a`b")
    ('`plain`', '`` a`b ``')
    """
    inner = printable(text.replace("\n", " "))
    longest = max(map(len, re.findall("`+", inner)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or inner != inner.strip() or not inner else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def _cell(line: Line) -> str:
    """In a table a bar parts cells even within code."""
    return "".join(_code(p.text).replace("|", r"\|") if isinstance(p, Code) else _inline(p) for p in line)


def _grid(grid: Grid) -> str:
    rules = ["---:" if number in grid.right else "---" for number in range(len(grid.head))]
    return _table(tuple(map(_text, grid.head)), [tuple(map(_cell, row)) for row in grid.rows], rules)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], rules: list[str] | None = None) -> str:
    lines = [head, tuple(rules or ["---"] * len(head)), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _fenced(text: str, language: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{_printable_lines(text)}\n{fence}"


def _lines(text: str) -> str:
    return counted(text.count("\n") + 1, "line")


def _printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _html_line(line: Line) -> str:
    """A line where Markdown is not read: within a tag."""
    words = (part.text if isinstance(part, Code | Strong) else part for part in line)
    text = printable("".join(words))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

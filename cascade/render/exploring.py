"""What a notebook shows besides pictures: rows as a table of HTML or text, and what would change without a table."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from cascade.core.exploring import Without
from cascade.core.words import listed
from cascade.render.paragraphs import columns, padded
from cascade.render.wording import printable

MOST_ROWS = 200
"""More rows than that no page wants; the data has them all."""


def render_rows_html(rows: Sequence[Mapping[str, Any]], names: Sequence[str], caption: str = "") -> str:
    """A table of HTML without a script or a style of its own, every cell escaped."""
    head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{_escaped(_cell(row.get(name)))}</td>' for name in names)}</tr>"
        for row in rows[:MOST_ROWS]
    )
    told = f"<caption>{_escaped(caption)}{_more(rows)}</caption>" if caption else ""
    return f"<table>{told}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def render_rows_text(rows: Sequence[Mapping[str, Any]], names: Sequence[str], caption: str = "") -> str:
    """The same in columns, for where there is no HTML."""
    cells = [list(names), *([printable(_cell(row.get(name))) for name in names] for row in rows[:MOST_ROWS])]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*([f"{caption}{_more(rows)}"] if caption else []), *lines])


def _more(rows: Sequence[Any]) -> str:
    return f"; the first {MOST_ROWS} are shown" if len(rows) > MOST_ROWS else ""


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case list() | tuple():
            return ", ".join(map(_cell, value))
        case Mapping():
            return ", ".join(f"{key}: {_cell(inner)}" for key, inner in value.items())
        case _:
            return str(value)


def render_without(without: Without) -> str:
    """What would change, in sentences."""
    lines = [f"Without {without.table}:"]
    for words, names in (
        ("keys of its own", [f"{key} -> {to}" for key, to in without.needs]),
        ("keys of others to it", [f"{key} of {by}" for key, by in without.needed_by]),
        ("steps that are left out", without.steps),
        ("steps that wait for those", without.waiting),
        ("does not come to light before it is repaired, by the keys", without.then),
    ):
        lines += [f"  {words}:", *(f"    {name}" for name in names)] if names else []
    lines += _pages(without)
    return "\n".join(map(printable, lines))


def _pages(without: Without) -> Iterator[str]:
    if not without.is_amiss:
        yield "  pages: not known, for nothing is amiss with it, and pages tell of what is"
    elif without.stops is None:
        yield "  pages: not known, for no failure of a page was measured: cascade plan --probe does it"
    elif not without.stops:
        yield "  pages: none of those that were asked meets it"
    else:
        yield "  pages that would still fail, whatever else is repaired:"
        for stop in without.stops:
            then = f", before it meets {listed(stop.then)}" if stop.then else ""
            yield f"    {stop.page}: at {stop.at}{then}"


def _escaped(text: str) -> str:
    return escape(printable(text))

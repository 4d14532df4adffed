"""What a notebook shows: rows as a table of HTML or text, and the neighbourhood of a table as a picture."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from cascade.core.exploring import Without, name_of
from cascade.core.words import counted
from cascade.render.paragraphs import columns, padded
from cascade.render.report.pictures import Picture
from cascade.render.wording import printable

JSON = Mapping[str, Any]

MOST_BOXES = 80
"""More boxes than that no eye takes in."""
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
        ("does not come to light before it is repaired", without.then),
    ):
        lines += [f"  {words}:", *(f"    {name}" for name in names)] if names else []
    if without.pages is None:
        lines.append("  pages: not known, for no chain was measured with one")
    else:
        lines += ["  pages that meet it:", *(f"    {page}" for page in without.pages)]
    return "\n".join(map(printable, lines))


# -------------------------------------------------------------------------------------------------------------- picture


def draw_neighbourhood(nodes: Sequence[JSON], edges: Iterable[JSON], ranks: Mapping[str, int], title: str) -> Picture:
    """Tables as boxes in columns, keys as lines from left to right: what refers to a table stands left of it.

    ``ranks`` are the columns of the tables by name, from the left. Of more than ``MOST_BOXES`` those in place are left
    out, and the picture says so.
    """
    shown = [node for node in nodes if name_of(node) in ranks]
    left_out = 0
    if len(shown) > MOST_BOXES:
        amiss = [node for node in shown if node["status"] not in ("in_place", "not_compared")]
        left_out = len(shown) - len(amiss[:MOST_BOXES])
        shown = amiss[:MOST_BOXES]
    in_columns = sorted(shown, key=lambda node: (ranks[name_of(node)], node["schema"], node["table"]))
    body: list[str] = []
    places: dict[str, tuple[float, float, float]] = {}
    x, lowest = 20.0, 0.0
    for _, group in groupby(in_columns, key=lambda node: ranks[name_of(node)]):
        column = list(group)
        wide = max(max(columns(node["table"]) * 7.3, columns(_below(node)) * 7) for node in column) + 24
        for number, node in enumerate(column):
            places[name_of(node)] = (x, 44.0 + number * 58, wide)
        lowest = max(lowest, 44.0 + len(column) * 58)
        x += wide + 70
    lines = sorted({(name_of(edge), name_of(edge["references"]), edge["name"]) for edge in edges})
    for start, end, key in lines:
        if start in places and end in places:
            body.append(_line(places[start], places[end], f"{key}: {start} → {end}"))
    body += [_box(node, places[name_of(node)]) for node in in_columns]
    if left_out:
        note = f"{counted(left_out, 'table')} of {len(shown) + left_out} not drawn: those with findings come first."
        body.append(f'<text class="soft" x="20" y="{lowest + 14:g}">{_escaped(note)}</text>')
        lowest += 24
    wide = max(x - 10, 20 + len(title) * 7.5)
    head = f'<text class="head" x="20" y="26">{_escaped(title)}</text>'
    told = f"{counted(len(shown), 'table')}, each left of those that it refers to: " + ", ".join(
        f"{name_of(node)} {_status(node)}" for node in in_columns
    )
    return Picture("neighbourhood", title, told, wide, lowest + 10, "\n".join([head, *body]))


def _box(node: JSON, place: tuple[float, float, float]) -> str:
    x, y, wide = place
    look = {"in_place": "grant", "not_compared": "aside", "missing_table": "create", "missing_column": "add"}.get(
        node["status"], "move"
    )
    return (
        f"<g><title>{_escaped(f'{name_of(node)}: {_status(node)}')}</title>"
        f'<rect class="mark {look}" x="{x:g}" y="{y:g}" width="{wide:g}" height="42" rx="5"/>'
        f'<text class="mono" x="{x + 12:g}" y="{y + 18:g}">{_escaped(node["table"])}</text>'
        f'<text class="soft" x="{x + 12:g}" y="{y + 34:g}">{_escaped(_below(node))}</text></g>'
    )


def _below(node: JSON) -> str:
    where = ", ".join(place["schema"] for place in node["found"]) or "in no schema"
    return f"{where}: {_status(node)}"


def _status(node: JSON) -> str:
    return str(node["status"]).replace("_", " ")


def _line(start: tuple[float, float, float], end: tuple[float, float, float], told: str) -> str:
    (x1, y1, wide), (x2, y2, end_wide) = start, end
    y1, y2 = y1 + 21, y2 + 21
    if x2 > x1:
        x1 += wide
        path, tip = f"C{x1 + 35:g} {y1:g} {x2 - 35:g} {y2:g} {x2 - 7:g} {y2:g}", "l-8 -4 v8 z"
    else:  # within a column, or back: around on the right
        x1, x2 = x1 + wide, x2 + end_wide
        out = max(x1, x2) + 40
        path, tip = f"C{out:g} {y1:g} {out:g} {y2:g} {x2 + 7:g} {y2:g}", "l8 -4 v8 z"
    return (
        f'<g><title>{_escaped(told)}</title><path class="arc" d="M{x1:g} {y1:g} {path}"/>'
        f'<path class="tip" d="M{x2:g} {y2:g} {tip}"/></g>'
    )


def _escaped(text: str) -> str:
    return escape(printable(text))

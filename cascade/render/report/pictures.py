"""The pictures of a report, drawn from a plan's JSON: no program is needed for them, and none can be missing.

Status is said by a word, a colour and the style of a border. Colours are classes of one style sheet, for light and
dark, so that a page with a strict policy can show the pictures as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Any

from cascade.core.words import counted
from cascade.render.paragraphs import columns
from cascade.render.wording import moment, printable

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing: what follows ``<svg …>``, its size, and what it shows in words for those who do not see it."""

    name: str
    title: str
    description: str
    width: float
    height: float
    body: str

    @property
    def inline(self) -> str:
        """For a page that has ``STYLE`` among its own."""
        return self._svg("", "")

    @property
    def alone(self) -> str:
        """As a file of its own, with its style and an opaque ground."""
        ground = f'<rect class="ground" width="{self.width:g}" height="{self.height:g}"/>\n'
        return self._svg(' xmlns="http://www.w3.org/2000/svg"', f"<style>{STYLE}</style>{ground}") + "\n"

    def _svg(self, attributes: str, first: str) -> str:
        return (
            f'<svg{attributes} class="picture" role="img" aria-labelledby="{self.name}-t {self.name}-d" '
            f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}">'
            f'<title id="{self.name}-t">{_escaped(self.title)}</title>'
            f'<desc id="{self.name}-d">{_escaped(self.description)}</desc>\n{first}{self.body}</svg>'
        )


STYLE = """
.picture{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:13px}
.picture text{fill:#1f2328}.picture .soft{fill:#59636e}.picture .head{font-weight:600}
.picture .mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
.picture .ground{fill:#fff}.picture .band{fill:#f6f8fa}.picture .rule{stroke:#d1d9e0}
.picture .box{fill:#fff;stroke:#d1d9e0}.picture .arc{fill:none;stroke:#818b98;stroke-width:1.4}
.picture .tip{fill:#818b98}.picture .mark{stroke-width:2}
.picture .move{fill:#e6f1f9;stroke:#0072b2}.picture .create{fill:#fbebe0;stroke:#d55e00}
.picture .add{fill:#fdf3dd;stroke:#b87800}.picture .change{fill:#fdf3dd;stroke:#b87800;stroke-dasharray:5 3}
.picture .key{fill:#f8ebf2;stroke:#b0568a;stroke-dasharray:5 3}.picture .grant{fill:#e0f3ed;stroke:#009e73}
.picture .aside{fill:#eee;stroke:#818b98;stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){
.picture text{fill:#e6edf3}.picture .soft{fill:#9ba5b1}
.picture .ground{fill:#0d1117}.picture .band{fill:#161b22}.picture .rule{stroke:#3d444d}
.picture .box{fill:#0d1117;stroke:#3d444d}.picture .arc{stroke:#7d8590}.picture .tip{fill:#7d8590}
.picture .move{fill:#0b2a3f;stroke:#56b4e9}.picture .create{fill:#3d2008;stroke:#f0883e}
.picture .add{fill:#332707;stroke:#e69f00}.picture .change{fill:#332707;stroke:#e69f00}
.picture .key{fill:#331a29;stroke:#cc79a7}.picture .grant{fill:#06291f;stroke:#2bbf93}
.picture .aside{fill:#21262d;stroke:#7d8590}}
@media print{
.picture text{fill:#000}.picture .soft{fill:#444}.picture .ground,.picture .box{fill:#fff}.picture .band{fill:#f6f8fa}
.picture .rule,.picture .box{stroke:#ccc}.picture .arc{stroke:#777}.picture .tip{fill:#777}
.picture .move{fill:#e6f1f9;stroke:#0072b2}.picture .create{fill:#fbebe0;stroke:#d55e00}
.picture .add{fill:#fdf3dd;stroke:#b87800}.picture .change{fill:#fdf3dd;stroke:#b87800}
.picture .key{fill:#f8ebf2;stroke:#b0568a}.picture .grant{fill:#e0f3ed;stroke:#009e73}
.picture .aside{fill:#eee;stroke:#818b98}}
"""
"""The style sheet of all pictures."""

_LOOKS = {
    "move_table": ("move", "move"),
    "exchange_table": ("move", "exchange"),
    "move_object": ("move", "move"),
    "create_table": ("create", "create"),
    "create_schema": ("aside", "attic"),
    "shelve_table": ("aside", "put aside"),
    "add_column": ("add", "add"),
    "add_constraint": ("add", "add"),
    "create_index": ("add", "add"),
    "add_foreign_key": ("key", "key"),
    "repoint_foreign_key": ("key", "key"),
    "validate_constraint": ("key", "validate"),
    "grant_usage": ("grant", "grant"),
    "grant_table": ("grant", "grant"),
    "grant_sequence": ("grant", "grant"),
    "set_owner": ("grant", "owner"),
}
_OTHER_LOOK = ("change", "change")

_LETTER, _MONO = 7.0, 7.3
"""How wide a letter is at most in points, of text and of code; letters differ, so there is slack."""
_ROW, _PAD = 30, 20


# --------------------------------------------------------------------------------------------------------------- ladder


def draw_steps(plan: JSON) -> Picture | None:
    """The steps from top to bottom, arcs on the right where a step's table has a key to that of another; or None."""
    steps = plan["steps"]
    if not steps:
        return None
    ladder = _Ladder.of([_cells(step, plan) for step in steps])
    every = list(_arcs(steps, plan))
    arcs = [arc for arc in every if abs(arc[0] - arc[1]) <= LONGEST_ARC][:MOST_ARCS]
    body = [
        *ladder.heads(),
        *(part for number, step in enumerate(steps) for part in ladder.rung(number, step)),
        *(ladder.arc(number, start, end) for number, (start, end) in enumerate(arcs)),
    ]
    height = _TOP + len(steps) * _ROW + _PAD
    if every:
        more = f" {counted(len(every) - len(arcs), 'more is', 'more are')} not drawn." if len(arcs) < len(every) else ""
        note = f"An arrow is a foreign key from one of these tables to another.{more}"
        body.append(_text(_PAD, height + 2, note, "soft"))
        height += 16
    return Picture(
        "steps",
        f"The order of repair: {counted(len(steps), 'step')}",
        f"{counted(len(steps), 'step')} from top to bottom, each with its table, from where to where it goes, the "
        "migration that made it and its rows.",
        ladder.left[-1] + (26 + 9 * min(len(arcs), 12) if arcs else 0) + _PAD,
        height,
        "\n".join(body),
    )


MOST_ARCS, LONGEST_ARC = 30, 20
"""More arcs no eye can follow, and a longer one, in rows, leaves the page that one looks at."""

_HEADS = ("", "", "table", "from → to", "made by", "rows")
_TOP = _PAD + 24


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Rows of cells; ``left`` says where each column begins, and last where all end."""

    rows: Sequence[tuple[str, ...]]
    widths: tuple[float, ...]
    left: tuple[float, ...]

    @classmethod
    def of(cls, rows: Sequence[tuple[str, ...]]) -> "_Ladder":
        """Wide enough for every cell."""
        cells = enumerate(zip(_HEADS, *rows, strict=True))
        widths = [max(_wide(cell, mono=n in _CODE) for cell in column) for n, column in cells]
        widths[_WORD] = max(widths[_WORD], 60)
        left = accumulate((width + 18 for width in widths), initial=float(_PAD))
        return cls(rows, tuple(widths), tuple(left))

    def heads(self) -> Iterator[str]:
        for n, head in enumerate(_HEADS):
            if head:
                yield _text(self._at(n), _PAD + 12, head, "soft", end=n == _ROWS)

    def rung(self, number: int, step: JSON) -> Iterator[str]:
        """A step: its word in a frame, and its cells; its statement is the tooltip."""
        y, (look, word) = _TOP + number * _ROW, _LOOKS.get(step["action"], _OTHER_LOOK)
        if number % 2 == 0:
            yield f'<rect class="band" x="{_PAD - 8}" y="{y}" width="{self.left[-1] - _PAD:g}" height="{_ROW}"/>'
        yield f"<g><title>{_escaped(step['sql'][0] if step['sql'] else step['id'])}</title>"
        x, wide = self.left[_WORD], self.widths[_WORD]
        yield f'<rect class="mark {look}" x="{x:g}" y="{y + 5}" width="{wide:g}" height="{_ROW - 10}" rx="4"/>'
        yield _text(x + wide / 2, y + 19, word, "head", middle=True)
        for n, cell in enumerate(self.rows[number]):
            if n != _WORD and cell:
                class_ = "mono" if n in _CODE else "soft" if n == 0 else ""
                yield _text(self._at(n), y + 19, cell, class_, end=n == _ROWS)
        yield "</g>"

    def arc(self, number: int, start: int, end: int) -> str:
        """From row to row, on the right; later ones reach out further."""
        x = self.left[-1] - 8
        y1, y2 = (_TOP + row * _ROW + _ROW / 2 for row in (start, end))
        reach = x + 16 + 9 * (number % 12 + 1)
        return (
            f'<path class="arc" d="M{x:g} {y1:g} C{reach:g} {y1:g} {reach:g} {y2:g} {x + 7:g} {y2:g}"/>'
            f'<path class="tip" d="M{x:g} {y2:g} l8 -4 v8 z"/>'
        )

    def _at(self, column: int) -> float:
        return self.left[column] + (self.widths[column] if column == _ROWS else 0)


_CODE = frozenset((2, 3, 4))
_WORD, _ROWS = 1, 5


def _cells(step: JSON, plan: JSON) -> tuple[str, ...]:
    drift = next((d for d in plan["drifts"] if d["id"] in step["cures"]), None)
    name = step["table"] + (f".{step['object']}" if step["object"] else "")
    rows = [copy["rows"]["counted"] for copy in (drift or {}).get("copies", ()) if copy["rows"]]
    figure = f"{rows[0]:,}" if len(rows) == 1 and rows[0] is not None else ""
    made_by = (drift or {}).get("migration") or ""
    return (f"{step['position']}", _LOOKS.get(step["action"], _OTHER_LOOK)[1], name, _way(step), made_by, figure)


def _way(step: JSON) -> str:
    details = step["details"]
    here, there = details.get("from"), details.get("to")
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        return f"{here['schema']} → {there['schema']}"
    if step["action"] == "create_table":
        return f"nowhere → {step['schema']}"
    return f"in {step['schema']}"


def _arcs(steps: Sequence[JSON], plan: JSON) -> Iterator[tuple[int, int]]:
    """Pairs of rows, each once, of tables that a key connects; the first row of each table stands for it."""
    first: dict[tuple[str, str], int] = {}
    for number, step in enumerate(steps):
        first.setdefault((step["schema"], step["table"]), number)
    seen = set()
    for edge in plan["edges"]:
        start = first.get((edge["schema"], edge["table"]))
        end = first.get((edge["references"]["schema"], edge["references"]["table"]))
        if start is not None and end is not None and start != end and (start, end) not in seen:
            seen.add((start, end))
            yield start, end


# ------------------------------------------------------------------------------------------------------- before, after


def draw_places(before: JSON, after: JSON | None) -> Picture | None:
    """Which tables with a finding of place lay in which schema, and where they lie afterwards; or None."""
    names = [
        (table["schema"], table["table"])
        for table in before["tables"]
        if any(copy["schema"] != table["schema"] for copy in table["found"]) or not table["found"]
    ]
    if not names:
        return None
    panels: list[tuple[str, JSON | None]] = [("Before the repair", before)]
    panels.append(("After the repair", after) if after else ("After the repair: to be", None))
    drawn = [_panel(title, plan, names) for title, plan in panels]
    width = max(panel.width for panel in drawn)
    body, x = [], float(_PAD)
    for panel in drawn:
        body.append(f'<g transform="translate({x:g} {_PAD})">{panel.body}</g>')
        x += width + 30
    height = max(panel.height for panel in drawn) + 2 * _PAD
    told = " ".join(f"{panel.title}: {panel.told}." for panel in drawn)
    return Picture("places", "Where the tables lay", told, x - 30 + _PAD, height, "\n".join(body))


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    told: str
    width: float
    height: float
    body: str


def _panel(title: str, plan: JSON | None, names: Sequence[tuple[str, str]]) -> _Panel:
    """One box a schema, its tables below one another; without a plan each table is where it belongs."""
    found = {(n["schema"], n["table"]): [c["schema"] for c in n["found"]] for n in plan["nodes"]} if plan else {}
    boxes: dict[str, list[tuple[str, bool]]] = {}
    for schema, table in names:
        for place in (found.get((schema, table)) or ["nowhere"]) if plan else [schema]:
            boxes.setdefault(place, []).append((table, place == schema))
    belongs = {schema for schema, _ in names}
    for schema in sorted(belongs):
        boxes.setdefault(schema, [])
    if plan is None:
        title = "After the repair, as planned"
    in_order = sorted(boxes, key=lambda schema: (schema not in belongs, schema == "nowhere", schema))
    width = max([*(_wide(t, mono=True) for _, t in names), _wide(title), *(_wide(s) for s in boxes)]) + 40
    body, y = [_text(0, 12, title, "head")], 26
    for schema in in_order:
        tables = boxes[schema]
        high = 34 + 24 * max(1, len(tables))
        body.append(f'<rect class="box" x="0" y="{y}" width="{width:g}" height="{high}" rx="8"/>')
        body.append(_text(12, y + 20, schema, "soft head"))
        for number, (table, right) in enumerate(tables):
            at = y + 30 + 24 * number
            look = "grant" if right else "move" if schema != "nowhere" else "create"
            body.append(f'<rect class="mark {look}" x="10" y="{at}" width="{width - 20:g}" height="20" rx="4"/>')
            body.append(_text(18, at + 14, table, "mono"))
        if not tables:
            body.append(_text(18, y + 45, "none of these", "soft"))
        y += high + 12
    told = ", ".join(f"{counted(len(boxes[schema]), 'table')} in {schema}" for schema in in_order)
    return _Panel(title, told, width, y, "".join(body))


# -------------------------------------------------------------------------------------------------------------- history


def draw_history(plan: JSON) -> Picture | None:
    """The record of migrations as a line from left to right, what went astray marked; None where nothing did."""
    records = plan["records"]
    astray = {d["migration"] for d in plan["drifts"] if d["severity"] != "note" and d["migration"]}
    if not records or not astray.intersection(record["migration"] for record in records):
        return None
    step = max(10.0, min(22.0, 860 / len(records)))
    width, base = max(560.0, 2 * _PAD + step * len(records)), 64
    body = [f'<line class="rule" x1="{_PAD}" y1="{base}" x2="{width - _PAD:g}" y2="{base}" stroke-width="2"/>']
    marked = []
    for number, record in enumerate(records):
        x = _PAD + step * (number + 0.5)
        wrong = record["migration"] in astray
        if wrong:
            marked.append((x, record))
        size = 7 if wrong else 4
        side = 2 * size
        shape = (
            f'<rect class="mark create" x="{x - size:g}" y="{base - size}" width="{side}" height="{side}" rx="2"/>'
            if wrong
            else f'<circle class="mark grant" cx="{x:g}" cy="{base}" r="{size}"/>'
        )
        told = _escaped(f"{record['migration']}, {moment(record['applied'])}")
        body.append(f"<g><title>{told}</title>{shape}</g>")
    first, last = marked[0], marked[-1]
    title = f"{counted(len(marked), 'migration')} of which not all is where it belongs"
    half = _wide(title) * 0.6
    middle = min(max((first[0] + last[0]) / 2, half), width - half)
    body.append(f'<path class="arc" d="M{first[0] - 9:g} 48 V38 H{last[0] + 9:g} V48"/>')
    body.append(_text(middle, 28, title, "head", middle=True))
    body.append(_text(_PAD, base + 32, moment(records[0]["applied"]), "soft"))
    body.append(_text(width - _PAD, base + 32, moment(records[-1]["applied"]), "soft", end=True))
    told = f"{counted(len(records), 'migration')} in the order recorded"
    return Picture(
        "history",
        "When it happened",
        f"{told}; {len(marked)} of them, from {first[1]['migration']} to {last[1]['migration']}, left something "
        "that is not where it belongs.",
        width,
        base + 32 + _PAD,
        "\n".join(body),
    )


# ---------------------------------------------------------------------------------------------------------------- text


def _text(x: float, y: float, text: str, class_: str = "", *, end: bool = False, middle: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ' text-anchor="middle"' if middle else ""
    named = f' class="{class_}"' if class_ else ""
    return f'<text{named} x="{x:g}" y="{y:g}"{anchor}>{_escaped(text)}</text>'


def _wide(text: str, *, mono: bool = False) -> float:
    return columns(printable(text)) * (_MONO if mono else _LETTER)


def _escaped(text: str) -> str:
    return escape(printable(text), quote=False)

"""How the tables hang together, as a picture in DOT: schemas and apps as clusters, keys from left to right.

Every table that is amiss stands out by a word, a border and a colour. Tables that many refer to are words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from cascade.core.answer import Answer
from cascade.core.graph import in_columns, ranks
from cascade.core.overview import Arrow, Box
from cascade.core.table_map import TableMap
from cascade.core.words import counted
from cascade.render.graph_words import GraphWords, by_app, by_schema, meanings_of, words_of
from cascade.render.labels import (
    EDGE_DEFAULTS,
    NODE_DEFAULTS,
    badge,
    border,
    font,
    graph_id,
    left_lines,
    legend_rows,
    node,
    source_link,
    title_cell,
    tooltip_text,
)
from cascade.render.looks import FONT, LETTER, TEXT_SIZE, Look, Paint, look_of
from cascade.render.paragraphs import columns, wrapped
from cascade.render.wording import printable

TITLE_WIDTH = 760
"""In points: how wide the title may make a small picture."""

WIDEST_BOX = 46
"""In letters; a name is never broken."""

LONGEST_ROW = 4
"""How many boxes without an arrow stand side by side."""

WIDEST = 1400
"""In points: on a page as wide as paper or a screen the letters of a wider picture are too small."""

FEWEST_COLUMNS = 3
"""With fewer too many arrows would lead back."""

BETWEEN = 80
"""In points, between the columns of boxes, with the edges of what they lie in."""


def render_graph_dot(answer: Answer, tables: TableMap) -> str:
    """The tables and their keys as one picture, without dates, so that it can be compared."""
    panel = _Panel(words_of(answer, tables), "t", answer.source_url)
    words = panel.words
    return _picture(words.head, " ".join(words.explanation()), [panel], list(panel.lines("  ")))


def describe_graph(answer: Answer, tables: TableMap) -> str:
    """The picture in words, for those who cannot see it."""
    words, _ = _fitted(words_of(answer, tables))
    return printable(words.description())


def render_before_after_dot(answer: Answer, tables: TableMap) -> str:
    """What is amiss with what it shares keys with, and below it the same after the plan's steps."""
    before, after = _before_and_after(answer, tables)
    lines: list[str] = []
    for panel, name in ((before, "now"), (after, "after the plan")):
        lines += [
            f"  subgraph cluster_{panel.prefix} {{",
            *_cluster(_heading(name), Paint.PAPER, Paint.PAPER.light, "    "),
        ]
        lines += [f"    {panel.prefix} [style=invis, shape=point, width=0, height=0];", *panel.lines("    "), "  }"]
    # Else Graphviz may put what comes after above what is now.
    lines.append("  first [style=invis, shape=point, width=0, height=0, ordering=out];")
    lines.append("  first -> before [style=invis]; first -> after [style=invis];")
    return _picture(
        f"{before.words.head}, before and after plan {answer.plan_id}", _told(before, after), [before, after], lines
    )


def describe_before_after(answer: Answer, tables: TableMap) -> str:
    """The two panels in words."""
    before, after = _before_and_after(answer, tables)
    return printable(f"Now: {before.words.description()} After the plan: {after.words.description()}")


def _before_and_after(answer: Answer, tables: TableMap) -> tuple["_Panel", "_Panel"]:
    shown = tables.around_what_is_amiss()
    cured = {cure for step in answer.plan.steps for cure in step.cures}
    later = shown.repaired(cured)
    return (
        _Panel(words_of(answer, shown), "before", answer.source_url),
        _Panel(words_of(answer, later), "after", answer.source_url),
    )


def _told(before: "_Panel", after: "_Panel") -> str:
    words = before.words
    if not before.overview.boxes:
        return f"Nothing is amiss, so nothing would change: {words.amiss}."
    shown, of_all = len(words.tables.tables), words.tables.of_all
    rest = "what is amiss and what shares a key with it"
    texts = [
        f"{counted(shown, 'table')} of {of_all:,}: {rest}. Now {words.amiss}; after the plan {after.words.amiss}.",
        *words.arrows(),
        *words.folded(),
    ]
    return " ".join(texts)


class _Panel:
    """One overview as nodes and edges, in clusters by schema and app."""

    def __init__(self, words: GraphWords, prefix: str, source_url: str) -> None:
        self.words, self._places = _fitted(words)
        self.overview = self.words.overview
        self.prefix = prefix
        self._source_url = source_url

    def lines(self, indent: str) -> Iterator[str]:
        """The clusters, then the arrows."""
        if not self.overview.boxes:
            yield f"{indent}{self.prefix}0 [label=<{font('no table', paint=Paint.FAINT)}>];"
        for place, (schema, boxes) in enumerate(by_schema(self.overview)):
            yield f"{indent}subgraph cluster_{self.prefix}_{place} {{"
            look = self.words.schema_look(schema)
            yield from _cluster(
                _place(look, self.words.place(schema)), Paint.PAPER, look.colour, indent + "  ", style=look.style
            )
            alone: list[int] = []
            for at, (app, together) in enumerate(by_app(boxes)):
                if app:
                    yield from self._app(f"{self.prefix}_{place}_{at}", app, together, indent + "  ")
                else:
                    yield from (f"{indent}  {self._box(*one)}" for one in together)
                if not app or len(together) == 1:
                    alone += [number for number, _ in together]
            yield from self._rows(alone, indent + "  ")
            yield f"{indent}}}"
        yield from self._in_columns(indent)
        for arrow in self.overview.arrows:
            yield f"{indent}{self._arrow(arrow)}"

    def _in_columns(self, indent: str) -> Iterator[str]:
        """That boxes with an arrow stand in their columns, where these are given."""
        places = self._places
        touched = {end for arrow in self.overview.arrows for end in (arrow.start, arrow.end)}
        used = sorted({places[number] for number in touched}) if places else []
        for column in used:
            head = f"{self.prefix}_column{column}"
            boxes = " ".join(f"{self.prefix}{number};" for number in sorted(touched) if places[number] == column)
            yield f"{indent}{head} [style=invis, shape=point, width=0, height=0];"
            yield f"{indent}{{ rank=same; {head}; {boxes} }}"
        for left, right in pairwise(used):
            yield f"{indent}{self.prefix}_column{left} -> {self.prefix}_column{right} [style=invis];"

    def _app(self, name: str, app: str, boxes: Sequence[tuple[int, Box]], indent: str) -> Iterator[str]:
        yield f"{indent}subgraph cluster_{name} {{"
        yield from _cluster(font(app, paint=Paint.FAINT), Paint.GROUP, Paint.GROUP.light, indent + "  ")
        yield from (f"{indent}  {self._box(*one)}" for one in boxes)
        yield from self._rows([number for number, _ in boxes], indent + "  ")
        yield f"{indent}}}"

    def _rows(self, numbers: Sequence[int], indent: str) -> Iterator[str]:
        """Boxes without an arrow in rows, where they would else be one long column."""
        touched = {end for arrow in self.overview.arrows for end in (arrow.start, arrow.end)}
        free = [number for number in numbers if number not in touched]
        widest = max((_wide(self.words, number) for number in free), default=0)
        long = min(LONGEST_ROW, max(1, round(len(free) ** 0.5)), int(WIDEST / (widest + BETWEEN)))
        for start in range(0, len(free), long):
            for left, right in pairwise(free[start : start + long]):
                yield f"{indent}{self.prefix}{left} -> {self.prefix}{right} [style=invis];"

    def _box(self, number: int, box: Box) -> str:
        """A node: the name, what is amiss by word and colour, and the keys that are words."""
        words, table = self.words, box.table
        look = words.look(box)
        name = words.name(box)
        beside = [text for text in (words.keys(number), words.hub(number)) if text]
        rows = [left_lines([font(name, bold=look is not None)])]
        if look is not None:
            rows.append(_status(look, words.detail(box), [name, *beside]))
        rows += [left_lines(_narrow(text, name)) for text in beside]
        frame = border(look) if look else f' BORDER="1" COLOR="{Paint.LINE.light}" BGCOLOR="{Paint.PAPER.light}"'
        body = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
        label = f'<TABLE{frame} CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{body}</TABLE>'
        link = source_link(table.source, self._source_url) if table else ""
        return node(f"{self.prefix}{number}", label, tooltip=words.tooltip(box), link=link)

    def _arrow(self, arrow: Arrow) -> str:
        parts = [f"tooltip={tooltip_text(self.words.keys_of(arrow))}"]
        if self._places and not _leads_on(arrow, self._places):
            parts.append("constraint=false")
        if arrow.finding is not None:
            parts.append(f'color="{look_of(arrow.finding.kind).colour}", style=dashed')
        if len(arrow.keys) > 1 or arrow.finding is not None:
            parts.append("penwidth=2")
        return f"{self.prefix}{arrow.start} -> {self.prefix}{arrow.end} [{', '.join(parts)}];"


def _fitted(words: GraphWords) -> tuple[GraphWords, tuple[int, ...]]:
    """The words with the column of each box, where Graphviz would make too many columns for a page; else none.

    Keys that are amiss lead to the right first, then those within an app. What then leads nowhere but back, and is as
    it should be, becomes a word.
    """
    overview = words.overview
    count, home = len(overview.boxes), [(box.schema, box.app) for box in overview.boxes]
    arrows = sorted(overview.arrows, key=lambda one: (one.finding is None, home[one.start] != home[one.end]))
    pairs = [(arrow.start, arrow.end) for arrow in arrows]
    wide = [_wide(words, number) for number in range(count)]
    places = free = ranks(count, pairs)
    for most in range(max(free, default=0), FEWEST_COLUMNS - 1, -1):
        if _width(places, wide) <= WIDEST:
            break
        places = in_columns(count, pairs, most)
    if places == free:
        return words, ()
    back = [arrow for arrow in overview.arrows if not (arrow.finding or _leads_on(arrow, places))]
    return replace(words, overview=overview.in_words(back)), places


def _leads_on(arrow: Arrow, places: Sequence[int]) -> bool:
    return places[arrow.start] < places[arrow.end]


def _wide(words: GraphWords, number: int) -> float:
    """About how wide a box is, in points."""
    box = words.overview.boxes[number]
    look, name = words.look(box), columns(words.name(box))
    beside = [columns(text) for text in (words.keys(number), words.hub(number))]
    status = len(look.word) + 3 + columns(words.detail(box)) if look else 0
    return max(name, *(min(text, WIDEST_BOX) for text in (status, *beside))) * LETTER


def _width(places: Sequence[int], wide: Sequence[float]) -> float:
    """About how wide the boxes are in such columns."""
    widest: dict[int, float] = {}
    for column, points in zip(places, wide, strict=True):
        widest[column] = max(widest.get(column, 0), points)
    return sum(points + BETWEEN for points in widest.values())


def _picture(head: str, text: str, panels: Sequence[_Panel], body: Sequence[str]) -> str:
    meanings = meanings_of(*(panel.words for panel in panels))
    legend = "".join(f"<TR>{row}</TR>" for row in legend_rows(meanings, TITLE_WIDTH))
    if legend:
        table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="3">{legend}</TABLE>'
        legend = f'<TR><TD ALIGN="LEFT">{table}</TD></TR>'
    title = f"<TR>{title_cell(head, text, TITLE_WIDTH)}</TR>"
    label = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">{title}{legend}</TABLE>'
    lines = [
        f"digraph {graph_id(head)} {{",
        *_ATTRIBUTES,
        f"  label=<{label}>;",
        NODE_DEFAULTS,
        EDGE_DEFAULTS,
        *body,
        "}",
    ]
    return "\n".join(lines) + "\n"


_ATTRIBUTES = (
    # An arrow that came in from above would cross the name of a cluster.
    "  edge [tailport=e, headport=w];",
    "  graph [rankdir=LR, newrank=true, ranksep=0.7, nodesep=0.14, pad=0.25, splines=true,"
    f' bgcolor="{Paint.PAPER.light}", fontname="{FONT}", fontsize={TEXT_SIZE}, fontcolor="{Paint.INK.light}"];',
    "  labelloc=t; labeljust=l;",
)


def _cluster(label: str, fill: Paint, colour: str, indent: str, *, style: str = "solid") -> list[str]:
    filled = "filled" if style == "solid" else f"filled,{style}"
    return [
        f'{indent}graph [style="{filled}", fillcolor="{fill.light}", color="{colour}", margin=10, tooltip=" "];',
        f"{indent}label=<{label}>; labelloc=t; labeljust=l;",
    ]


def _place(look: Look, text: str) -> str:
    more = f"<TD>{font(text, paint=Paint.FAINT)}</TD>" if text else ""
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3"><TR>{badge(look)}{more}</TR></TABLE>'


def _heading(text: str) -> str:
    return font(text, size=14, bold=True)


def _status(look: Look, detail: str, others: Sequence[str]) -> str:
    """The word, and beside it what there is to say, in a row that is as wide as the box: else the word would swell."""
    word = round(len(look.word) * LETTER) + 10
    wide = max(min(columns(text), max(WIDEST_BOX, columns(others[0]))) for text in others)
    room = max(0, round(wide * LETTER) - word)
    cells = f'{badge(look, word)}<TD ALIGN="LEFT" WIDTH="{room}">{left_lines(_narrow(detail, others[0]))}</TD>'
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3"><TR>{cells}</TR></TABLE>'


def _narrow(text: str, name: str) -> list[str]:
    """Grey lines no wider than the box has to be for its name."""
    return [font(line, paint=Paint.FAINT) for line in wrapped(text, max(WIDEST_BOX, columns(name)))]

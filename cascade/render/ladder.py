"""A picture of rows, one under the other, all equally wide: what the plan and the history are drawn as.

Nothing is laid out but the arcs, so it reads the same at 5 and at 60 rows, and thousands hurt nobody.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from cascade.render.labels import (
    EDGE_DEFAULTS,
    LETTER,
    NODE_DEFAULTS,
    badge,
    boxed,
    dot_text,
    font,
    legend_rows,
    node,
    text_cell,
    title_cell,
)
from cascade.render.looks import Look, Paint
from cascade.render.paragraphs import columns
from cascade.render.wording import printable

NARROWEST = 640
"""In points: narrower than that the title does not fit."""

MOST_ROWS = 300
"""A picture with more is scrolled rather than seen, and takes long to draw: the others are counted."""


class Sort(Enum):
    """What a column holds: how it is aligned and written."""

    TEXT = "text"
    NUMBER = "number"
    FAINT = "faint"
    BADGE = "badge"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the ladder; what a narrow ladder lacks goes to the one that ``grows``."""

    head: str
    sort: Sort = Sort.TEXT
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its cells, how it looks, what it says to a pointer, where it leads. Without a look it has no border."""

    name: str
    cells: tuple[str, ...]
    look: Look | None = None
    tooltip: str = ""
    link: str = ""


class Ladder:
    """The rows of one picture, with the columns as wide as what stands in them; a column that says nothing has none."""

    def __init__(self, columns_: Sequence[Column], rows: Iterable[Row]) -> None:
        self._columns = tuple(columns_)
        cells = list(zip(*(row.cells for row in rows), strict=True)) or [()] * len(self._columns)
        letters = [max((columns(printable(cell)) for cell in column), default=0) for column in cells]
        wide = [
            max(letter, columns(column.head)) if letter else 0
            for letter, column in zip(letters, self._columns, strict=True)
        ]
        points = [round(letter * LETTER) + 14 if letter else 0 for letter in wide]
        grows = next(number for number, column in enumerate(self._columns) if column.grows)
        points[grows] += max(0, NARROWEST - sum(points))
        self._points = tuple(points)
        self.width = sum(points)

    def title(self, head: str, text: str) -> str:
        """The node of the headline and how the picture is read."""
        return node("title", boxed(title_cell(head, text, self.width)))

    def heads(self) -> str:
        """The node of the columns' heads."""
        return node("heads", self._cells([column.head for column in self._columns], None, Paint.FAINT))

    def row(self, row: Row) -> str:
        """The node of a row."""
        return node(row.name, self._cells(row.cells, row.look, None), tooltip=row.tooltip, link=row.link)

    def band(self, name: str, text: str) -> str:
        """The node of a heading between rows."""
        cell = f'<TD ALIGN="LEFT" WIDTH="{self.width}" BGCOLOR="{Paint.BAND.light}" CELLPADDING="4">'
        return node(name, boxed(f"{cell}{font(text, bold=True)}</TD>"))

    def words(self, name: str, texts: Iterable[str]) -> str:
        """The node of sentences below one another."""
        rows = "".join(f"<TR>{text_cell(text, self.width)}</TR>" for text in texts)
        return node(name, f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">{rows}</TABLE>')

    def verdict(self, look: Look, text: str) -> str:
        """The node of a sentence that is all there is to say."""
        return node("verdict", boxed(badge(look, 80) + text_cell(text, self.width - 80), look))

    def legend(self, meanings: Sequence[tuple[Look, str]], more: Sequence[str] = ()) -> str:
        """The node that says what the words mean; ``more`` are rows of cells after them."""
        rows = "".join(f"<TR>{row}</TR>" for row in (*legend_rows(meanings, self.width), *more))
        return node("legend", f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="3">{rows}</TABLE>')

    def _cells(self, cells: Sequence[str], look: Look | None, paint: Paint | None) -> str:
        parts = []
        for cell, points, column in zip(cells, self._points, self._columns, strict=True):
            if points and look and column.sort is Sort.BADGE:
                parts.append(badge(look, points))
            elif points and cell and paint is None and column.sort is Sort.MARK:
                mark = font(cell, paint=Paint.PAPER, bold=True)
                parts.append(f'<TD WIDTH="{points}" BGCOLOR="{Paint.FAINT.light}">{mark}</TD>')
            elif points:
                align = "RIGHT" if column.sort is Sort.NUMBER else "LEFT"
                ink = Paint.FAINT if column.sort is Sort.FAINT else paint
                parts.append(f'<TD ALIGN="{align}" WIDTH="{points}">{font(cell, paint=ink)}</TD>')
        return boxed("".join(parts), look)


def ladder_dot(name: str, nodes: Sequence[str], arcs: Iterable[str] = ()) -> str:
    """The DOT source of nodes from top to bottom, with arcs beside them."""
    names = [line.split(maxsplit=1)[0] for line in nodes]
    lines = [f"digraph {dot_text(name)} {{", *_ATTRIBUTES, *nodes, *_spine(names), *arcs, "}"]
    return "\n".join(lines) + "\n"


_ATTRIBUTES = (
    f'  graph [rankdir=TB, ranksep=0.03, nodesep=0.1, bgcolor="{Paint.PAPER.light}", pad=0.25, splines=true];',
    NODE_DEFAULTS,
    EDGE_DEFAULTS,
)


def _spine(names: Sequence[str]) -> Iterator[str]:
    """Invisible edges that keep the rows one under the other."""
    for upper, lower in pairwise(names):
        yield f"  {upper} -> {lower} [style=invis, weight=1000];"

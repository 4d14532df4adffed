"""A ladder as Graphviz draws it: a node for each row, and an arc for each key."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from cascade.render.labels import (
    EDGE_DEFAULTS,
    NODE_DEFAULTS,
    badge,
    boxed,
    font,
    graph_id,
    legend_rows,
    node,
    text_cell,
    title_cell,
)
from cascade.render.ladder import Ladder, Row, Sort
from cascade.render.looks import Look, Paint


class DotLadder(Ladder[str]):
    """Each part is the line of a node."""

    def title(self, head: str, text: str) -> str:
        """The node of the headline."""
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
        """The node of sentences."""
        rows = "".join(f"<TR>{text_cell(text, self.width)}</TR>" for text in texts)
        return node(name, f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4">{rows}</TABLE>')

    def verdict(self, look: Look, text: str) -> str:
        """The node of a sentence that is all there is to say."""
        return node("verdict", boxed(badge(look, 80) + text_cell(text, self.width - 80), look))

    def legend(self, meanings: Sequence[tuple[Look, str]], signs: str = "") -> str:
        """The node that says what the words mean."""
        more = [f'<TD ALIGN="RIGHT">{font("rows", paint=Paint.FAINT)}</TD>{text_cell(signs, 200)}'] if signs else []
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
    lines = [f"digraph {graph_id(name)} {{", *_ATTRIBUTES, *nodes, *_spine(names), *arcs, "}"]
    return "\n".join(lines) + "\n"


_ATTRIBUTES = (
    f'  graph [rankdir=TB, ranksep=0.03, nodesep=0.1, bgcolor="{Paint.PAPER.light}", pad=0.25, splines=true];',
    NODE_DEFAULTS,
    EDGE_DEFAULTS,
    # Several end at one place.
    "  edge [arrowsize=0.5, labeldistance=1.2];",
)


def _spine(names: Sequence[str]) -> Iterator[str]:
    """Invisible edges that keep the rows one under the other."""
    for upper, lower in pairwise(names):
        yield f"  {upper} -> {lower} [style=invis, weight=1000];"

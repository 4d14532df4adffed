"""A ladder drawn without Graphviz: rows of cells below one another, and arcs on their right."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cascade.render.ladder import Ladder, Row, Sort
from cascade.render.looks import Look, Paint
from cascade.render.pictures.shapes import (
    Shape,
    arrow,
    at,
    badge,
    below,
    beside,
    framed,
    headline,
    legend,
    letters,
    linked,
    paragraph,
    shifted,
    stacked,
    told,
    words,
)

HEIGHT = 22
"""How high a row is."""
_BASE = 15
"""Where its letters stand."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a ladder; arcs find it by its name."""

    name: str
    shape: Shape


class DrawnLadder(Ladder[Piece]):
    """Each part is a shape as wide as the ladder."""

    def title(self, head: str, text: str) -> Piece:
        """The headline."""
        return Piece("title", headline(head, text, self.width))

    def heads(self) -> Piece:
        """The columns' heads."""
        return Piece("heads", self._cells([column.head for column in self._columns], None, Paint.FAINT))

    def row(self, row: Row) -> Piece:
        """A row in the border of its look; one that has none has no border."""
        cells = self._cells(row.cells, row.look, None)
        shape = framed(cells, row.look) if row.look else _filled(cells)
        return Piece(row.name, linked(told(shape, row.tooltip), row.link))

    def band(self, name: str, text: str) -> Piece:
        """A heading between rows."""
        ground = f'<rect fill="{Paint.BAND.light}" width="{self.width}" height="{HEIGHT}"/>\n'
        return Piece(name, Shape(self.width, HEIGHT, ground + letters(text, 6, _BASE, bold=True)))

    def words(self, name: str, texts: Iterable[str]) -> Piece:
        """Sentences below one another."""
        return Piece(name, below(*(paragraph(text, self.width) for text in texts)))

    def verdict(self, look: Look, text: str) -> Piece:
        """A sentence that is all there is to say."""
        said = paragraph(text, self.width - 100)
        return Piece("verdict", framed(beside(badge(look, 80, said.height + 12), shifted(said, 0, 6), gap=10), look))

    def legend(self, meanings: Sequence[tuple[Look, str]], signs: str = "") -> Piece:
        """What the words mean."""
        shape = legend(meanings, self.width)
        return Piece("legend", below(shape, words([f"rows: {signs}"], paint=Paint.FAINT)) if signs else shape)

    def _cells(self, cells: Sequence[str], look: Look | None, paint: Paint | None) -> Shape:
        body, left = "", 0
        for cell, points, column in zip(cells, self._points, self._columns, strict=True):
            if points and look and column.sort is Sort.BADGE:
                body += at(left, 0, badge(look, points, HEIGHT))
            elif points and cell and paint is None and column.sort is Sort.MARK:
                body += f'<rect fill="{Paint.FAINT.light}" x="{left}" width="{points}" height="{HEIGHT}"/>\n'
                body += letters(cell, left + points / 2, _BASE, fill=Paint.PAPER.light, bold=True, anchor="middle")
            elif points:
                ink = Paint.FAINT if column.sort is Sort.FAINT else paint or Paint.INK
                right = column.sort is Sort.NUMBER
                x, anchor = (left + points - 6, "end") if right else (left + 6, "")
                body += letters(cell, x, _BASE, fill=ink.light, anchor=anchor)
            left += points
        return Shape(self.width, HEIGHT, body)


def _filled(cells: Shape) -> Shape:
    # A pointer meets what is filled: the tooltip of a row shows all over it.
    ground = f'<rect fill="{Paint.PAPER.light}" width="{cells.width:g}" height="{cells.height:g}"/>\n'
    return Shape(cells.width, cells.height, ground + cells.body)


def drawn_ladder(rungs: Iterable[Piece], arcs: Iterable[tuple[str, str, int, str]] = ()) -> Shape:
    """Rows below one another; arcs as ``PlanLadder.arcs`` tells them, those that reach far further out."""
    rungs = tuple(rungs)
    shape, tops = stacked([rung.shape for rung in rungs])
    middle = {rung.name: top + rung.shape.height / 2 for rung, top in zip(rungs, tops, strict=True)}
    drawn = list(_arcs(arcs, middle, shape.width + 3))
    out = max((reach for _, reach in drawn), default=0)
    return Shape(shape.width + out, shape.height, shape.body + "".join(body for body, _ in drawn))


def _arcs(
    arcs: Iterable[tuple[str, str, int, str]], middle: Mapping[str, float], x: float
) -> Iterator[tuple[str, float]]:
    """Each arc, and how far out it reaches. Where several end at a row, each has a place of its own."""
    ends: dict[str, int] = {}
    for start, end, times, tooltip in arcs:
        y1, y2 = middle[start], middle[end]
        ends[end] = ends.get(end, 0) + 1
        y2 += (-1 if y1 < y2 else 1) * min(3 * ends[end] - 2, HEIGHT / 2 - 3)
        # A curve bends out by three quarters of where its handles are.
        reach = 14 + min(abs(y2 - y1) / 4, 70)
        path = f"M{x:g} {y1:g} C{x + reach:g} {y1:g} {x + reach:g} {y2:g} {x + 7:g} {y2:g}"
        body = arrow(path, (x, y2), left=True, tooltip=tooltip)
        out = reach * 0.75 + 8
        if times > 1:
            body += letters(f"×{times}", x + out - 2, (y1 + y2) / 2 + 4, size=9)
            out += 16
        yield body, out

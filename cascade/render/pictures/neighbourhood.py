"""How some tables hang together: in columns along their keys, and in an area for each schema."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from cascade.core.documents import JSON
from cascade.core.exploring import map_tables_kept
from cascade.core.graph import ranks
from cascade.core.layout import quoted
from cascade.core.overview import Arrow, make_overview
from cascade.render.graph_words import GraphWords, by_schema, meanings_of
from cascade.render.looks import Paint, look_of
from cascade.render.pictures.boxes import draw_column, place_head, spread
from cascade.render.pictures.picture import Picture
from cascade.render.pictures.shapes import Shape, arrow, dashes, titled

MOST_BELOW, FEWEST_BELOW, MOST_BESIDE = 20, 4, 4
"""So many boxes stand below one another, then comes another column; without arrows there may be several at once."""
BETWEEN, CLOSE, ABOVE, HEAD, PAD = 64, 24, 12, 38, 12
"""Between columns, between those of one rank, between boxes, for the name of a schema, and around."""


def draw_neighbourhood(plan: JSON, names: Collection[str], title: str) -> Picture:
    """The tables of these names as boxes, keys as arrows: what refers to a table stands left of it.

    Too many tables for one picture are folded as in ``cascade graph``, and the picture says so.
    """
    tables = map_tables_kept(plan, names)
    texts = GraphWords(
        tables,
        make_overview(tables),
        plan["database"],
        plan["target_schema"],
        None if plan["complete"] else tuple(gap["what"] for gap in plan["not_checked"]),
        closer='draw("1+TABLE+1")',
    )
    drawn = _drawn(texts)
    head = f"{title}: {quoted(plan['database'])}"
    shape = titled(head, " ".join(texts.explanation()), drawn, meanings_of(texts))
    return Picture("neighbourhood", title, texts.description(), shape)


_Pair = tuple[int, int]
"""The ends of an arrow."""
_Column = tuple[int, int]
"""A rank, and which of its columns."""


@dataclass(frozen=True, slots=True)
class _Lane:
    """What lies in one schema, by column; what no arrow touches stands left, where none has to cross it."""

    schema: str | None
    columns: Mapping[_Column, Sequence[int]]

    @classmethod
    def of(cls, schema: str | None, numbers: Sequence[int], ranks: Sequence[int], touched: Collection[int]) -> "_Lane":
        columns: dict[_Column, Sequence[int]] = {}
        for rank in sorted({ranks[number] for number in numbers}):
            of_rank = [number for number in numbers if ranks[number] == rank]
            parts = _parts([number for number in of_rank if number in touched], 1)
            parts += _parts([number for number in of_rank if number not in touched], MOST_BESIDE)
            # From the right, where the arrows start.
            columns |= {(rank, -at): part for at, part in enumerate(parts)}
        return cls(schema, columns)


def _parts(numbers: Sequence[int], wanted: int) -> list[Sequence[int]]:
    """In about as many equal columns as wanted, none of them too long or too short."""
    count = max(min(wanted, -(-len(numbers) // FEWEST_BELOW)), -(-len(numbers) // MOST_BELOW))
    long = -(-len(numbers) // max(count, 1))
    return [numbers[start : start + long] for start in range(0, len(numbers), long or 1)]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a box stands."""

    x: float
    y: float
    shape: Shape

    @property
    def right(self) -> float:
        return self.x + self.shape.width

    @property
    def middle(self) -> float:
        return self.y + self.shape.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.shape.height


def _lanes(texts: GraphWords) -> list[_Lane]:
    arrows = [(one.start, one.end) for one in texts.overview.arrows]
    column = ranks(len(texts.overview.boxes), arrows)
    touched = {end for arrow in arrows for end in arrow}
    lanes = [(schema, [number for number, _ in boxes]) for schema, boxes in by_schema(texts.overview)]
    return [
        _Lane.of(schema, _near_what_they_need(numbers, column, arrows), column, touched) for schema, numbers in lanes
    ]


def _near_what_they_need(numbers: Sequence[int], column: Sequence[int], arrows: Sequence[_Pair]) -> list[int]:
    """In such an order that arrows cross less: from the right, each about as high as what it refers to."""
    height: dict[int, float] = {}
    for rank in sorted({column[number] for number in numbers}, reverse=True):
        wanted: dict[int, float] = {}
        for number in (number for number in numbers if column[number] == rank):
            ends = [height[end] for start, end in arrows if start == number and end in height]
            wanted[number] = sum(ends) / len(ends) if ends else float(len(wanted))
        in_order = sorted(wanted, key=lambda number: (wanted[number], number))
        height |= {number: at for at, number in enumerate(in_order)}
    return sorted(numbers, key=height.__getitem__)


def _drawn(texts: GraphWords) -> Shape:
    """The areas of schemas below one another; a column goes through all of them."""
    lanes = _lanes(texts)
    lefts, right = _lefts(texts, lanes)
    places: dict[int, _Place] = {}
    grounds, heads, top = [], [], 0.0
    for lane in lanes:
        for column, numbers in lane.columns.items():
            y = top + HEAD
            for number, shape in zip(numbers, draw_column(texts, numbers), strict=True):
                places[number] = _Place(lefts[column], y, shape)
                y += shape.height + ABOVE
        bottom = max(places[number].bottom for numbers in lane.columns.values() for number in numbers) + PAD
        look = texts.schema_look(lane.schema)
        ground = f'<rect fill="{Paint.PAPER.light}" stroke="{look.colour}"{dashes(look.style)}'
        ground += f' width="{right + PAD:g}" height="{bottom - top:g}"/>\n'
        grounds.append((0.0, top, Shape(right + PAD, bottom - top, ground)))
        heads.append((8.0, top + 8, place_head(look, texts.place(lane.schema))))
        top = bottom + 14
    arrows = "".join(_arrow(texts, one, places) for one in texts.overview.arrows)
    boxes = [(place.x, place.y, place.shape) for place in places.values()]
    return spread([*grounds, (0, 0, Shape(body=arrows)), *heads, *boxes])


def _lefts(texts: GraphWords, lanes: Sequence[_Lane]) -> tuple[Mapping[_Column, float], float]:
    """Where each column begins, and where the last one ends."""
    widths: dict[_Column, float] = {}
    for lane in lanes:
        for column, numbers in lane.columns.items():
            widths[column] = max([widths.get(column, 0), *(s.width for s in draw_column(texts, numbers))])
    ordered = sorted(widths)
    gaps = [CLOSE if one[0] == other[0] else BETWEEN for one, other in pairwise(ordered)]
    steps = (widths[column] + gap for column, gap in zip(ordered, [*gaps, 0], strict=True))
    *lefts, right = accumulate(steps, initial=float(PAD))
    return dict(zip(ordered, lefts, strict=True)), right


# ------------------------------------------------------------------------------------------------------------- arrows


def _arrow(texts: GraphWords, one: Arrow, places: Mapping[int, _Place]) -> str:
    """From the right of a box to the left of another; within a column, or back, to its right."""
    start, end = places[one.start], places[one.end]
    forward = end.x > start.x
    tip = (end.x if forward else end.right, end.middle)
    if forward:
        path = _curve([(start.right, start.middle), *_way(start, end, places), (tip[0] - 7, tip[1])])
    elif end.x == start.x:
        path = _around(start, end, places)
    else:
        path = _back(start, end, places)
    look = look_of(one.finding.kind) if one.finding else None
    thick = len(one.keys) > 1 or look is not None
    return arrow(path, tip, left=not forward, tooltip=texts.keys_of(one), look=look, thick=thick)


_Point = tuple[float, float]


def _way(start: _Place, end: _Place, places: Mapping[int, _Place]) -> Iterator[_Point]:
    """Out of its own column, then through the nearest gap of each between, so that no box is hit."""
    y = start.middle
    beside = _right_of(start.x, places)
    if beside > start.right:
        yield beside, y
    for x, column in _columns_between(start, end, places):
        y = _gap(column, y + (end.middle - y) * (x - start.right) / (end.x - start.right))
        yield x - 6, y
        yield _right_of(x, places) + 6, y


def _back(start: _Place, end: _Place, places: Mapping[int, _Place]) -> str:
    """A turn into the gap below its box, through the nearest gap of each column, and on to the right of the other."""
    below, out = start.bottom + ABOVE / 2, start.right + 14
    turn = f"M{start.right:g} {start.middle:g} C{out:g} {start.middle:g} {out:g} {below:g} {start.right:g} {below:g}"
    points = [(start.right, below), (start.x - 6, below)]
    for x, column in reversed(_columns_between(end, start, places)):
        y = _gap(column, points[-1][1])
        points += [(_right_of(x, places) + 6, y), (x - 6, y)]
    points += [(_right_of(end.x, places) + 6, end.middle), (end.right + 7, end.middle)]
    return turn + _through(points)


def _around(start: _Place, end: _Place, places: Mapping[int, _Place]) -> str:
    """Up or down beside its column."""
    x, corner = _right_of(start.x, places) + 20, 8 if end.y > start.y else -8
    return (
        f"M{start.right:g} {start.middle:g} H{x - 8:g} Q{x:g} {start.middle:g} {x:g} {start.middle + corner:g}"
        f" V{end.middle - corner:g} Q{x:g} {end.middle:g} {x - 8:g} {end.middle:g} H{end.right + 7:g}"
    )


def _columns_between(left: _Place, right: _Place, places: Mapping[int, _Place]) -> list[tuple[float, list[_Place]]]:
    """The columns that stand wholly between, from the left, each with its boxes from above."""
    columns: dict[float, list[_Place]] = {}
    for place in sorted(places.values(), key=lambda place: place.y):
        if left.x < place.x < right.x:
            columns.setdefault(place.x, []).append(place)
    return sorted(columns.items())


def _right_of(x: float, places: Mapping[int, _Place]) -> float:
    """Where the widest box of a column ends."""
    return max(place.right for place in places.values() if place.x == x)


def _gap(column: Sequence[_Place], wanted: float) -> float:
    """How high to pass a column: as wanted, or in the nearest gap."""
    if not any(place.y - 4 < wanted < place.bottom + 4 for place in column):
        return wanted
    gaps = (*(place.y - ABOVE / 2 for place in column), column[-1].bottom + ABOVE / 2)
    return min(gaps, key=lambda gap: abs(gap - wanted))


def _curve(points: Sequence[_Point]) -> str:
    """From the first through all points, level at each of them."""
    return f"M{points[0][0]:g} {points[0][1]:g}" + _through(points)


def _through(points: Sequence[_Point]) -> str:
    """On from the first, where the path is."""
    (x, y), path = points[0], ""
    for to_x, to_y in points[1:]:
        bend = (to_x - x) / 2
        path += f" C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}"
        x, y = to_x, to_y
    return path

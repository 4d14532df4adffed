"""Tables as boxes, and the places where they lie as areas around them: what ``cascade graph`` shows of each."""

from collections.abc import Iterable, Sequence

from cascade.core.overview import Box
from cascade.render.graph_words import GraphWords, by_app
from cascade.render.looks import LETTER, Look, Paint
from cascade.render.paragraphs import columns, wrapped
from cascade.render.pictures.shapes import (
    BADGE,
    Shape,
    area,
    at,
    badge,
    badge_width,
    below,
    beside,
    framed,
    shifted,
    told,
    words,
)
from cascade.render.wording import printable

MOST_BESIDE = 2
"""So many columns of apps stand about side by side."""
LOW = 600
"""In points: what is not higher needs no second column."""
WIDEST = 46
"""In letters; a name is never broken."""


def draw_box(texts: GraphWords, number: int, *, width: float = 0) -> Shape:
    """A table or several: the name, what is amiss by word, colour and border, and the keys that are words."""
    box = texts.overview.boxes[number]
    look, name = texts.look(box), texts.name(box)
    letters = max(WIDEST, columns(printable(name)))
    parts = [words([name], bold=look is not None)]
    if look is not None:
        room = max(letters - round(badge_width(look) / LETTER), 16)
        detail = words(wrapped(texts.detail(box), room), paint=Paint.FAINT)
        parts.append(beside(badge(look, height=BADGE - 4), shifted(detail, 0, 2), gap=6))
    beneath = [text for text in (texts.keys(number), texts.hub(number)) if text]
    parts += [words(wrapped(text, letters), paint=Paint.FAINT) for text in beneath]
    return told(framed(below(*parts, gap=2), look, pad=6, width=width), texts.tooltip(box))


def draw_place(texts: GraphWords, schema: str | None, inner: Shape) -> Shape:
    """What lies in a schema, with its name as a badge above; None is nowhere, ``""`` several."""
    look = texts.schema_look(schema)
    return area(below(place_head(look, texts.place(schema)), inner, gap=8), Paint.PAPER, pad=8, look=look)


def place_head(look: Look, text: str) -> Shape:
    """The name of a place as a badge, and what there is to say of it."""
    return beside(badge(look, height=BADGE - 2), shifted(words([text] if text else [], paint=Paint.FAINT), 0, 3))


def draw_apps(texts: GraphWords, boxes: Sequence[tuple[int, Box]], *, most: int) -> Shape:
    """The boxes of each app on a ground of their own, no more than so many below one another."""
    groups = []
    for app, together in by_app(boxes):
        inner = _in_columns(texts, [number for number, _ in together], most=most)
        groups.append(area(below(words([app], paint=Paint.FAINT), inner), Paint.GROUP) if app else inner)
    return beside(*(below(*column, gap=8) for column in _even(groups)), gap=10)


def _even(groups: Sequence[Shape]) -> list[list[Shape]]:
    """In their order, in no more than so many columns, as even as can be."""
    highs = [group.height for group in groups]
    sums = (sum(highs[start:end]) for start in range(len(highs)) for end in range(start + 1, len(highs) + 1))
    limits = sorted({LOW, *(high for high in sums if high > LOW)})
    filled = (_filled(groups, limit) for limit in limits)
    return next(columns for columns in filled if len(columns) <= MOST_BESIDE)


def _filled(groups: Sequence[Shape], limit: float) -> list[list[Shape]]:
    """One column after the other, none higher than the limit, but for a group that is."""
    columns: list[list[Shape]] = [[]]
    for group in groups:
        if columns[-1] and sum(one.height for one in columns[-1]) + group.height > limit:
            columns.append([])
        columns[-1].append(group)
    return columns


def _in_columns(texts: GraphWords, numbers: Sequence[int], *, most: int) -> Shape:
    """In as many columns as it takes for none to be longer; they are about equally long."""
    long = -(-len(numbers) // -(-len(numbers) // most))
    parts = [numbers[start : start + long] for start in range(0, len(numbers), long)]
    return beside(*(below(*draw_column(texts, part), gap=7) for part in parts), gap=14)


def draw_column(texts: GraphWords, numbers: Sequence[int], *, width: float = 0) -> list[Shape]:
    """Boxes as wide as the widest of them."""
    width = max((draw_box(texts, number).width for number in numbers), default=width)
    return [draw_box(texts, number, width=width) for number in numbers]


def spread(placed: Iterable[tuple[float, float, Shape]]) -> Shape:
    """Shapes at their places."""
    placed = tuple(placed)
    return Shape(
        max((x + shape.width for x, _, shape in placed), default=0),
        max((y + shape.height for _, y, shape in placed), default=0),
        "".join(at(x, y, shape) for x, y, shape in placed),
    )

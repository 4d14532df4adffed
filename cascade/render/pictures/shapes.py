"""What pictures are put together from where Graphviz does not draw them: the same letters, badges and borders.

Each shape is drawn from its own upper left corner, and knows how much room it takes, in points.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from cascade.render.looks import LETTER, NARROWEST, TEXT_SIZE, Look, Paint, ink_on
from cascade.render.paragraphs import columns, wrapped
from cascade.render.wording import printable, xml_text

LINE = 15
"""From one line of text to the next."""
BADGE = 20
"""How high a badge is."""
GAP = 5


@dataclass(frozen=True, slots=True)
class Shape:
    """Elements of SVG, and the room that they take."""

    width: float = 0
    height: float = 0
    body: str = ""


def at(x: float, y: float, shape: Shape) -> str:
    """The shape with its corner there."""
    return f'<g transform="translate({x:g} {y:g})">\n{shape.body}</g>\n' if x or y else shape.body


def stacked(shapes: Sequence[Shape], *, gap: float = GAP) -> tuple[Shape, tuple[float, ...]]:
    """One below the other, and where each begins."""
    tops = tuple(accumulate((shape.height + gap for shape in shapes), initial=0.0))[: len(shapes)]
    height = tops[-1] + shapes[-1].height if shapes else 0
    body = "".join(at(0, top, shape) for top, shape in zip(tops, shapes, strict=True))
    return Shape(max((shape.width for shape in shapes), default=0), height, body), tops


def below(*shapes: Shape, gap: float = GAP) -> Shape:
    """One below the other."""
    return stacked(shapes, gap=gap)[0]


def beside(*shapes: Shape, gap: float = GAP) -> Shape:
    """One right of the other, their tops level."""
    lefts = list(accumulate((shape.width + gap for shape in shapes), initial=0.0))[: len(shapes)]
    width = lefts[-1] + shapes[-1].width if shapes else 0
    body = "".join(at(left, 0, shape) for left, shape in zip(lefts, shapes, strict=True))
    return Shape(width, max((shape.height for shape in shapes), default=0), body)


def shifted(shape: Shape, right: float, down: float) -> Shape:
    """With empty room to the left and above."""
    return Shape(shape.width + right, shape.height + down, at(right, down, shape))


def told(shape: Shape, tooltip: str) -> Shape:
    """The shape with what a pointer reads on it."""
    lines = "\n".join(xml_text(line) for line in tooltip.split("\n"))
    return Shape(shape.width, shape.height, f"<g><title>{lines}</title>\n{shape.body}</g>\n") if tooltip else shape


def linked(shape: Shape, address: str) -> Shape:
    """The shape as a link; none without an address."""
    return Shape(shape.width, shape.height, f'<a href="{xml_text(address)}">\n{shape.body}</a>\n') if address else shape


def wide(text: str, size: int = TEXT_SIZE) -> float:
    """How wide a text is."""
    return columns(printable(text)) * LETTER * size / TEXT_SIZE


def letters(
    text: str,
    x: float = 0,
    y: float = TEXT_SIZE,
    *,
    fill: str = Paint.INK.light,
    bold: bool = False,
    anchor: str = "",
    size: int = 0,
) -> str:
    """The element of a text whose letters stand on the line ``y``; none for no text."""
    if not text:
        return ""
    more = ' font-weight="bold"' if bold else ""
    more += f' text-anchor="{anchor}"' if anchor else ""
    more += f' font-size="{size}"' if size else ""
    return f'<text x="{x:g}" y="{y:g}" fill="{fill}"{more}>{xml_text(text)}</text>\n'


def words(lines: Iterable[str], *, paint: Paint = Paint.INK, bold: bool = False) -> Shape:
    """Lines of text below one another."""
    lines = tuple(lines)
    body = "".join(
        letters(line, 0, number * LINE + TEXT_SIZE, fill=paint.light, bold=bold) for number, line in enumerate(lines)
    )
    return Shape(max(map(wide, lines), default=0), len(lines) * LINE, body)


def paragraph(text: str, width: float) -> Shape:
    """Grey text in lines as long as there is room."""
    return words(wrapped(text, max(40, int(width / LETTER))), paint=Paint.FAINT)


def badge(look: Look, width: float = 0, height: float = BADGE) -> Shape:
    """The status as a word, in letters that can be read on its colour."""
    width = width or badge_width(look)
    ground = f'<rect fill="{look.colour}" width="{width:g}" height="{height:g}"/>\n'
    word = letters(look.word, width / 2, height / 2 + 4, fill=ink_on(look.colour), bold=True, anchor="middle")
    return Shape(width, height, ground + word)


def badge_width(look: Look) -> float:
    """As wide as its word needs."""
    return round(wide(look.word)) + 14


def framed(inner: Shape, look: Look | None, *, pad: float = 0, width: float = 0) -> Shape:
    """In the border of a status; in a thin one where nothing is amiss."""
    width = max(width, inner.width + 2 * pad)
    height = inner.height + 2 * pad
    stroke = look.colour if look else Paint.LINE.light
    line = f' stroke="{stroke}" stroke-width="{2 if look else 1}"{dashes(look.style if look else "solid")}'
    ground = f'<rect fill="{Paint.PAPER.light}"{line} width="{width:g}" height="{height:g}"/>\n'
    return Shape(width, height, ground + at(pad, pad, inner))


def area(inner: Shape, ground: Paint, *, pad: float = 6, look: Look | None = None) -> Shape:
    """On a ground of its own, for what belongs together; with the border of a look, thin."""
    width, height = inner.width + 2 * pad, inner.height + 2 * pad
    line = f' stroke="{look.colour}"{dashes(look.style)}' if look else ""
    return Shape(
        width,
        height,
        f'<rect fill="{ground.light}"{line} width="{width:g}" height="{height:g}"/>\n{at(pad, pad, inner)}',
    )


def dashes(style: str) -> str:
    """The style of a border, as Graphviz draws it."""
    pattern = {"dashed": "5,2", "dotted": "1,5"}.get(style, "")
    return f' stroke-dasharray="{pattern}"' if pattern else ""


def arrow(
    path: str, tip: tuple[float, float], *, left: bool, tooltip: str = "", look: Look | None = None, thick: bool = False
) -> str:
    """A line that ends in a tip, pointing to the left or to the right; of a look it is dashed."""
    colour = look.colour if look else Paint.LINE.light
    line = f'<path d="{path}" fill="none" stroke="{colour}"{dashes("dashed") if look else ""}'
    line += ' stroke-width="2"/>\n' if thick else "/>\n"
    x, y = tip
    back = 7 if left else -7
    point = f'<polygon points="{x:g},{y:g} {x + back:g},{y - 3:g} {x + back:g},{y + 3:g}" fill="{colour}"/>\n'
    return told(Shape(body=line + point), tooltip).body


def titled(head: str, text: str, drawn: Shape, meanings: Sequence[tuple[Look, str]]) -> Shape:
    """A whole picture: its headline and how it is read above, what its words mean below."""
    width = max(drawn.width, NARROWEST)
    return below(headline(head, text, width), drawn, legend(meanings, width), gap=12)


def headline(head: str, text: str, width: float) -> Shape:
    """A headline, and how the picture is read below it."""
    return below(Shape(wide(head, 15), 20, letters(head, 0, 15, bold=True, size=15)), paragraph(text, width), gap=4)


def legend(meanings: Sequence[tuple[Look, str]], width: float) -> Shape:
    """A badge for each word, and what it means."""
    widest = max((badge_width(look) for look, _ in meanings), default=0)
    rows = [
        beside(badge(look, widest), shifted(paragraph(meaning, width - widest - 8), 0, 4), gap=8)
        for look, meaning in meanings
    ]
    return below(*rows, gap=4)

"""What a report is made of, before it is known whether it becomes Markdown or HTML.

Names out of the database stand in ``Code``, so that each form escapes them in its own way, in one place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from cascade.render.pictures import Picture


@dataclass(frozen=True, slots=True)
class Code:
    """A name or a statement inside of a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """A word that is to be seen first."""

    text: str


Inline: TypeAlias = str | Code | Strong
Line: TypeAlias = tuple[Inline, ...]
"""A sentence or two."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences that belong together; ``lead`` is the one that is read if no other is."""

    line: Line
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without an order."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. ``right`` are the numbers of the columns that hold figures."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a word and what is known of it."""

    pairs: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Sql:
    """Statements to be read and copied, or the lines of a program."""

    label: str
    text: str
    language: str = "sql"


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, with a sentence below it."""

    picture: Picture
    caption: str


@dataclass(frozen=True, slots=True)
class ForAPerson:
    """The one paragraph that no data can fill."""

    asks: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Something long that not everybody reads; ``summary`` says what it is."""

    summary: Line
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Card:
    """A finding: what can be filtered by, and all that is known of it."""

    id: str
    kind: str
    severity: str
    app: str
    title: Line
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Cards:
    """The findings, to be filtered where that can be done."""

    cards: tuple[Card, ...]


Block: TypeAlias = "Paragraph | Bullets | Grid | Facts | Sql | Shown | ForAPerson | Aside | Cards | Part"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a section with a heading of its own."""

    title: Line
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A section; ``anchor`` names it in links."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """The whole of it: a title, a line below it, the sections."""

    title: str
    subtitle: Line
    sections: tuple[Section, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures, in the order in which they are shown."""
        return tuple(picture for section in self.sections for picture in _pictures(section.blocks))


def _pictures(blocks: Iterable[Block]) -> Iterator[Picture]:
    """Those of the blocks, however deep they lie."""
    for block in blocks:
        match block:
            case Shown(picture):
                yield picture
            case Aside(_, inner) | Part(_, inner):
                yield from _pictures(inner)
            case Cards(cards):
                yield from (picture for card in cards for picture in _pictures(card.blocks))
            case Paragraph() | Bullets() | Grid() | Facts() | Sql() | ForAPerson():
                pass
            case _:
                assert_never(block)

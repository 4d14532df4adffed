"""What a report is made of, before it is known whether it becomes Markdown or HTML.

Names out of the database stand in ``Code``, so that each form escapes them in its own way, in one place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, assert_never

from cascade.render.pictures import Picture

MANY = 40
"""More findings, tables or rows than that nobody reads one after the other: they are shown in groups, or folded."""

MANY_LINES = 100
"""The same for the lines of statements."""


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
class Detail:
    """What is to be said of one of many, such as a table of an app."""

    app: str
    title: Line
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Details:
    """Something of each table: ``told`` says what. Few stand one below the other, ``folded`` or not."""

    told: str
    details: tuple[Detail, ...]
    folded: bool = True

    @property
    def are_many(self) -> bool:
        """Whether nobody reads them one after the other."""
        return len(self.details) > MANY

    @property
    def each(self) -> "tuple[Block, ...]":
        """One below the other, without groups."""
        return tuple((Aside if self.folded else Part)(detail.title, detail.blocks) for detail in self.details)


@dataclass(frozen=True, slots=True)
class Card:
    """A finding: what can be filtered by, what was ``found`` and how it is ``now``, and all that is known of it."""

    id: str
    kind: str
    severity: str
    app: str
    title: Line
    found: Line
    now: Line
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Cards:
    """The findings, to be filtered where that can be done."""

    cards: tuple[Card, ...]

    @property
    def are_many(self) -> bool:
        """Whether nobody reads them one after the other."""
        return len(self.cards) > MANY


_Of = TypeVar("_Of", Detail, Card)


def of_apps(things: Iterable[_Of]) -> Mapping[str, tuple[_Of, ...]]:
    """What there is of each app, in alphabetical order; within an app the order stays."""
    groups: dict[str, list[_Of]] = {}
    for thing in things:
        groups.setdefault(thing.app, []).append(thing)
    return {app: tuple(groups[app]) for app in sorted(groups)}


Block: TypeAlias = "Paragraph | Bullets | Grid | Facts | Sql | Shown | ForAPerson | Aside | Details | Cards | Part"


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
            case Details():
                yield from _pictures(block.each)
            case Cards(cards):
                yield from (picture for card in cards for picture in _pictures(card.blocks))
            case Paragraph() | Bullets() | Grid() | Facts() | Sql() | ForAPerson():
                pass
            case _:
                assert_never(block)

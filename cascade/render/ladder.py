"""A picture of rows, one under the other, all equally wide: what the plan and the history are drawn as.

Nothing is laid out but the arcs, so it reads the same at 5 and at 60 rows, and thousands hurt nobody.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from cascade.render.looks import LETTER, NARROWEST, Look
from cascade.render.paragraphs import columns
from cascade.render.wording import printable

MOST_ROWS = 300
"""A picture with more is scrolled rather than seen, and takes long to draw: the others are counted."""


MOST_ON_A_PAGE = 30
"""Of more rows the end is out of sight, and the legend stands before them."""


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


Part = TypeVar("Part")
"""What one row is drawn as."""


class Ladder(ABC, Generic[Part]):
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

    @abstractmethod
    def title(self, head: str, text: str) -> Part:
        """The headline and how the picture is read."""

    @abstractmethod
    def heads(self) -> Part:
        """The columns' heads."""

    @abstractmethod
    def row(self, row: Row) -> Part:
        """A row."""

    @abstractmethod
    def band(self, name: str, text: str) -> Part:
        """A heading between rows."""

    @abstractmethod
    def words(self, name: str, texts: Iterable[str]) -> Part:
        """Sentences below one another."""

    @abstractmethod
    def verdict(self, look: Look, text: str) -> Part:
        """A sentence that is all there is to say."""

    @abstractmethod
    def legend(self, meanings: Sequence[tuple[Look, str]], signs: str = "") -> Part:
        """What the words mean, and what the ``signs`` before figures do."""

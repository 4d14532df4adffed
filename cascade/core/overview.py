"""A map of tables made small enough to be looked at: boxes and arrows, no more than an eye can take in."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from cascade.core.drift import Drift
from cascade.core.layout import TableName
from cascade.core.table_map import MappedKey, MappedTable, TableMap

MOST_BOXES = 80
"""Above that nobody reads a picture of boxes."""
MOST_ARROWS = 120
"""What more there is stands as words in the boxes."""
MOST_ARROWS_TO_ONE = 4
"""A table that more boxes than that point at is a hub: its name as a word says more than its arrows."""


class Fold(Enum):
    """How far tables are drawn as one box: no further than it takes."""

    NOTHING = "every table is a box"
    HEALTHY_BY_APP = "healthy tables are one box an app"
    BY_APP = "tables are one box an app and kind of finding"
    BY_SCHEMA = "tables are one box a schema and kind of finding"
    BY_KIND = "tables are one box a kind of finding"


@dataclass(frozen=True, slots=True)
class Box:
    """What is drawn as one: a table, or several that are alike.

    ``schema`` is where they are found, None where they are nowhere; it and ``app`` are ``""`` where they are of
    several. ``tables`` are never none.
    """

    schema: str | None
    app: str
    tables: tuple[MappedTable, ...]

    @property
    def table(self) -> MappedTable | None:
        """The table, where it is one."""
        return self.tables[0] if len(self.tables) == 1 else None

    @property
    def like(self) -> MappedTable:
        """One that stands for all of them."""
        return self.tables[0]


@dataclass(frozen=True, slots=True)
class Arrow:
    """The keys that lead from one box to another, by their places in ``Overview.boxes``."""

    start: int
    end: int
    keys: tuple[MappedKey, ...]

    @property
    def finding(self) -> Drift | None:
        """What is amiss on one of the keys."""
        return next((key.finding for key in self.keys if key.finding), None)


Target = Box | TableName
"""What a key leads to: a box, or a table outside the map."""


@dataclass(frozen=True)
class Overview:
    """Boxes by schema, app and name, and the arrows between them.

    ``words`` are, for each box, the targets of keys without an arrow, with how many keys; ``pointed_at`` counts for
    each hub the boxes that have it as a word. ``leads_back``: some words stand for arrows that would have led back.
    """

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    words: tuple[tuple[tuple[Target, int], ...], ...]
    pointed_at: Mapping[int, int]
    fold: Fold
    leads_back: bool = False

    @property
    def folded(self) -> int:
        """How many tables have no box of their own."""
        return sum(len(box.tables) for box in self.boxes if len(box.tables) > 1)

    def in_words(self, back: Collection[Arrow]) -> "Overview":
        """The same with words for these arrows."""
        words = [list(targets) for targets in self.words]
        for arrow in back:
            words[arrow.start].append((self.boxes[arrow.end], len(arrow.keys)))
        arrows = tuple(arrow for arrow in self.arrows if arrow not in back)
        return replace(self, arrows=arrows, words=tuple(map(tuple, words)), leads_back=bool(back))


def make_overview(tables: TableMap, *, most: int = MOST_BOXES) -> Overview:
    """The tables as at most so many boxes, the least folded first; hubs and what is too much as words.

    Whatever the map, this takes a moment: a box may stand for thousands of tables.
    """
    fold, boxes = _boxes(tables.tables, most)
    box_of = {table.name: number for number, box in enumerate(boxes) for table in box.tables}
    between: dict[tuple[int, int], list[MappedKey]] = {}
    outside: list[Counter[TableName]] = [Counter() for _ in boxes]
    for key in tables.keys:
        if key.to not in box_of:
            outside[box_of[key.table]][key.to] += 1
        else:
            between.setdefault((box_of[key.table], box_of[key.to]), []).append(key)
    inside = {pair: keys for pair, keys in between.items() if pair[0] != pair[1] or len(boxes[pair[0]].tables) == 1}
    hubs = _hubs(inside)
    drawn = _drawn(inside, hubs, boxes, whole=fold is Fold.NOTHING)
    words: list[list[tuple[Target, int]]] = [[] for _ in boxes]
    for (start, end), keys in sorted(inside.items()):
        if (start, end) not in drawn:
            words[start].append((boxes[end], len(keys)))
    for number, counts in enumerate(outside):
        words[number] += sorted(counts.items())
    arrows = tuple(Arrow(*pair, tuple(inside[pair])) for pair in sorted(drawn))
    return Overview(boxes, arrows, tuple(map(tuple, words)), hubs, fold)


_Pair = tuple[int, int]


def _boxes(tables: Iterable[MappedTable], most: int) -> tuple[Fold, tuple[Box, ...]]:
    tables = tuple(tables)
    folded = ((fold, _groups(tables, alike)) for fold, alike in _ALIKE.items())
    fold, groups = next((fold, groups) for fold, groups in folded if len(groups) <= most or fold is Fold.BY_KIND)
    boxes = (
        Box(_one({table.place for table in group}), _one({table.app for table in group}) or "", tuple(group))
        for group in groups
    )
    return fold, tuple(sorted(boxes, key=_by_place))


def _groups(tables: Iterable[MappedTable], alike: Callable[[MappedTable], Hashable]) -> list[list[MappedTable]]:
    groups: dict[Hashable, list[MappedTable]] = {}
    for table in tables:
        groups.setdefault(alike(table), []).append(table)
    return list(groups.values())


def _status(table: MappedTable) -> Hashable:
    return (table.kind, bool(table.cured))


_ALIKE: Mapping[Fold, Callable[[MappedTable], Hashable]] = {
    Fold.NOTHING: lambda table: table.name,
    Fold.HEALTHY_BY_APP: lambda table: table.name if table.findings or table.cured else (table.place, table.app),
    Fold.BY_APP: lambda table: (table.place, table.app, _status(table)),
    Fold.BY_SCHEMA: lambda table: (table.place, _status(table)),
    Fold.BY_KIND: _status,
}


def _one(values: Collection[str | None]) -> str | None:
    """The value, where there is but one."""
    return next(iter(values)) if len(values) == 1 else ""


def _by_place(box: Box) -> tuple[object, ...]:
    return (box.schema is None, box.schema or "", box.app, len(box.tables) > 1, box.like.name)


def _hubs(pairs: Iterable[_Pair]) -> dict[int, int]:
    pointed_at = Counter(end for start, end in pairs if start != end)
    return {end: times for end, times in sorted(pointed_at.items()) if times > MOST_ARROWS_TO_ONE}


def _drawn(pairs: Collection[_Pair], hubs: Collection[int], boxes: tuple[Box, ...], *, whole: bool) -> frozenset[_Pair]:
    """The pairs that get an arrow: none to itself or to a hub, and those with a box that is amiss before others.

    Where boxes are folded, healthy ones get none: how healthy apps hang together is a tangle that hides what is amiss.
    Nor do boxes of several tables that are amiss: where whole apps refer to whole apps, and back, no arrow is followed.
    """

    def is_healthy(pair: _Pair) -> bool:
        return not any(boxes[end].like.findings or boxes[end].like.cured for end in pair)

    def are_many(end: int) -> bool:
        return len(boxes[end].tables) > 1 and not is_healthy((end, end))

    possible = (pair for pair in pairs if pair[0] != pair[1] and pair[1] not in hubs)
    wanted = [pair for pair in possible if whole or not (is_healthy(pair) or any(map(are_many, pair)))]
    return frozenset(sorted(wanted, key=lambda pair: (is_healthy(pair), pair))[:MOST_ARROWS])

"""What the graph of tables says of itself, in every format: of each box, of its keys, and of what is folded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import RowEvidence, TableName, quoted
from cascade.core.overview import MOST_BOXES, Arrow, Box, Fold, Overview, Target, make_overview
from cascade.core.table_map import MappedTable, TableMap
from cascade.core.words import counted, listed
from cascade.render.looks import MEANINGS_ON_TABLES, NOWHERE, REPAIRED, SEVERAL, Look, look_of, looks_of_schemas
from cascade.render.wording import short_name

MOST_TARGETS = 3
"""How many tables a box names that its keys lead to without an arrow."""


Numbered = tuple[int, Box]
"""A box with its place in ``Overview.boxes``."""


def by_schema(overview: Overview) -> Iterator[tuple[str | None, list[Numbered]]]:
    """The boxes of each schema; None is nowhere, ``""`` several."""
    for schema, group in groupby(enumerate(overview.boxes), key=lambda numbered: numbered[1].schema):
        yield schema, list(group)


def by_app(boxes: Iterable[Numbered]) -> Iterator[tuple[str, list[Numbered]]]:
    """The boxes of each app; ``""`` for several apps, and for a box that stands for an app by itself."""
    for app, group in groupby(boxes, key=lambda numbered: numbered[1].app):
        together = list(group)
        alone = len(together) == 1 and together[0][1].table is None
        yield "" if alone else app, together


def words_of(answer: Answer, tables: TableMap, *, most: int = MOST_BOXES) -> "GraphWords":
    """The words of an answer's tables, in at most so many boxes."""
    return GraphWords(
        tables,
        make_overview(tables, most=most),
        answer.observed.database,
        answer.placement.target,
        None if answer.complete else tuple(gap.what for gap in answer.not_checked),
    )


@dataclass(frozen=True, slots=True)
class GraphWords:
    """The words of one overview of the tables of a database.

    ``gaps`` is what could not be checked, None where all was. ``closer`` is how one sees a part in full.
    """

    tables: TableMap
    overview: Overview
    database: str
    target: str
    gaps: tuple[str, ...] | None = None
    closer: str = "--table TABLE+1 or --app APP"

    @property
    def head(self) -> str:
        """What the picture is of."""
        scope = f" {self.tables.scope}" if self.tables.scope else ""
        return f"cascade graph{scope}: {quoted(self.database)}"

    def explanation(self) -> Iterator[str]:
        """What is shown, and how it is read, as far as that is needed here."""
        shown, of_all = len(self.tables.tables), self.tables.of_all
        yield f"{counted(shown, 'table')}{f' of {of_all:,}' if shown < of_all else ''}, {self.amiss}."
        yield from self.arrows()
        if any(self.overview.words):
            yield f"Keys to {', and '.join(self._in_words())}, stand as words."
        yield from self.folded()
        if self.gaps is not None:
            yield f"Not everything was checked: {listed(self.gaps, 2)}."

    def _in_words(self) -> Iterator[str]:
        """Which keys have no arrow."""
        yield "a table that many refer to"
        yield "to one that is not shown"
        if self.overview.fold not in (Fold.NOTHING, Fold.HEALTHY_BY_APP):
            yield "those of several in one box"
        if self.overview.leads_back:
            yield "those that would lead back"

    def arrows(self) -> Iterator[str]:
        """How arrows are read, as far as there are any."""
        arrows = self.overview.arrows
        if arrows:
            yield "An arrow leads from a table to the one that its key refers to."
        if any(len(arrow.keys) > 1 for arrow in arrows):
            yield "A thick one is several keys."
        if any(arrow.finding for arrow in arrows):
            yield "A dashed one is a key that is missing, or not as it should be."

    def folded(self) -> Iterator[str]:
        """That not every table has a box, and how to see those that have none; nothing where each has one."""
        fold, boxes = self.overview.fold, self.overview.boxes
        if fold is not Fold.NOTHING:
            groups = counted(sum(len(box.tables) > 1 for box in boxes), "box", "boxes")
            yield (
                f"{len(self.tables.tables):,} tables are too many for one picture, so {fold.value}: "
                f"{groups} for {self.overview.folded:,} of them. {self.closer} shows a part in full."
            )

    @property
    def amiss(self) -> str:
        """How many tables are not as they should be."""
        amiss = len(self.tables.amiss)
        if amiss:
            return f"{amiss:,} of them {'are not as they' if amiss > 1 else 'is not as it'} should be"
        return "all as they should be" if self.gaps is None else "none of them known to be amiss"

    def schema_look(self, schema: str | None) -> Look:
        """How a place of boxes looks; None is nowhere, ``""`` several."""
        if not schema:
            return NOWHERE if schema is None else SEVERAL
        places = [box.schema for box in self.overview.boxes if box.schema]
        return looks_of_schemas(places, self.target)[schema]

    def place(self, schema: str | None) -> str:
        """What there is to say beside the name of a place."""
        if not schema:
            return "in no schema" if schema is None else "schemas, or in none"
        return "where tables belong" if schema == self.target else ""

    def name(self, target: Target) -> str:
        """A table's name, or what several have in common."""
        if isinstance(target, TableName):
            return short_name(target, self.target)
        table = target.table
        if table is not None:
            return short_name(table.name, self.target)
        return f"{target.app or 'several apps'}: {counted(len(target.tables), 'table')}"

    def look(self, box: Box) -> Look | None:
        """How a box looks on which something is amiss, or was before the repair."""
        like = box.like
        return look_of(like.kind) if like.kind else REPAIRED if like.cured else None

    def detail(self, box: Box) -> str:
        """What there is to say beside the word of a box's look."""
        table = box.table
        if table is None:
            return ""
        return _amiss(table, self.target) if table.findings else _repaired(table)

    def status(self, box: Box) -> str:
        """The word of a box's look and what there is to say beside it, ``""`` where nothing is amiss or was."""
        look = self.look(box)
        return ": ".join(filter(None, (look.word, self.detail(box)))) if look else ""

    def keys(self, number: int) -> str:
        """Where the keys of a box lead that have no arrow."""
        names = [
            f"{self._target(target, number)}{f' ×{times}' if times > 1 else ''}"
            for target, times in self.overview.words[number]
        ]
        return f"keys to {listed(names, MOST_TARGETS)}" if names else ""

    def _target(self, target: Target, number: int) -> str:
        if target is self.overview.boxes[number]:
            return "itself"
        if isinstance(target, Box) and target.table is None:
            return f"tables of {target.app}" if target.app else "tables of several apps"
        return self.name(target)

    def hub(self, number: int) -> str:
        """How many refer to a box without an arrow."""
        times = self.overview.pointed_at.get(number, 0)
        thing = ("table", "tables") if self.overview.fold is Fold.NOTHING else ("box", "boxes")
        return f"referred to by {counted(times, *thing)}" if times else ""

    def keys_of(self, arrow: Arrow) -> str:
        """The keys that an arrow stands for, in lines."""
        lines = [f"{key.table} ({', '.join(key.constraint.columns)}) refers to {key.to}" for key in arrow.keys[:8]]
        return "\n".join([*lines, *([f"and {len(arrow.keys) - 8} more"] if len(arrow.keys) > 8 else [])])

    def tooltip(self, box: Box) -> str:
        """All that is known of a table, in lines; of several their names."""
        table = box.table
        if table is None:
            return "\n".join((self.name(box), listed([str(table.name) for table in box.tables], 20)))
        lines = [str(table.name), *([table.model] if table.model else [])]
        lines += [f"made by {table.made_by}"] if table.made_by else []
        lines += [f"{drift.severity.value}: {drift.id}: {drift.observed}" for drift in table.findings]
        lines += [f"repaired: {drift.id}" for drift in table.cured]
        return "\n".join(lines)

    def description(self) -> str:
        """The picture in words: what it shows, and each box on which something is amiss with its keys."""
        boxes = self.overview.boxes
        told = [
            " ".join(filter(None, (self.name(box), look.word, self.detail(box))))
            for box in boxes
            if (look := self.look(box)) is not None
        ]
        return " ".join((*self.explanation(), *([f"{listed(told, 40)}."] if told else [])))


def meanings_of(*several: GraphWords) -> list[tuple[Look, str]]:
    """What the words on the boxes mean, of those that occur."""
    used = {words.look(box) for words in several for box in words.overview.boxes}
    return [meaning for meaning in MEANINGS_ON_TABLES if meaning[0] in used]


def _amiss(table: MappedTable, target: str) -> str:
    first, *others = table.findings
    parts = [_about(first, table, target)]
    if others:
        parts.append(f"{counted(len(others), 'more finding')}")
    return ", ".join(filter(None, parts))


def _about(drift: Drift, table: MappedTable, target: str) -> str:
    elsewhere = [quoted(schema) for schema in table.places if schema != table.name.schema]
    rows = str(table.rows) if table.rows not in (None, RowEvidence()) else ""
    match drift.kind:
        case DriftKind.MISPLACED_TABLE:
            belongs = f"belongs in {quoted(table.name.schema)}"
            several = f"lies in {listed(elsewhere)}" if len(elsewhere) > 1 else ""
            return ", ".join(filter(None, (belongs, several, rows)))
        case DriftKind.DUPLICATED_TABLE | DriftKind.SHADOWED_TABLE:
            return ", ".join(filter(None, (f"also in {listed(elsewhere)}", rows)))
        case DriftKind.MISSING_TABLE:
            return f"belongs in {quoted(table.name.schema)}" if table.name.schema != target else ""
        case _:
            return quoted(drift.object) if drift.object else ""


def _repaired(table: MappedTable) -> str:
    if not table.cured:
        return ""
    first, *others = table.cured
    match first.kind:
        case DriftKind.MISPLACED_TABLE:
            what = f"out of {listed([quoted(copy.schema) for copy in first.copies])}"
        case DriftKind.MISSING_TABLE:
            what = "made anew, empty"
        case _:
            what = quoted(first.object) if first.object else ""
    more = f"{len(others)} more" if others else ""
    return ", ".join(filter(None, (what, more)))

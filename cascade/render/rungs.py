"""The ladder of a plan, whoever draws it: its rows, its words, and the keys that are arcs."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cascade.core.layout import TableName
from cascade.core.words import counted, listed
from cascade.render.hazards import HazardInWords
from cascade.render.ladder import MOST_ON_A_PAGE, MOST_ROWS, Column, Ladder, Part, Row, Sort
from cascade.render.looks import MEANINGS, Look
from cascade.render.wording import short_name

MOST_ARCS = 30
"""More arcs than that no eye can follow."""
MOST_ARCS_TO_ONE = 6
"""A table that more rows than that point at is a hub: its name as a word says more than its arrows."""
LONGEST_ARC = 20
"""In rows. A longer one leaves the page that one looks at."""
MOST_HAZARDS = 12
"""More are in the text; a picture is for the order."""
LONGEST_TOOLTIP = 600
"""In letters: a table made anew has a long statement, which the text shows whole."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One row of the ladder, and the band that it stands in; ``table`` is the one that the step puts into its place."""

    name: str
    band: str
    look: Look
    what: str
    way: str
    number: str = ""
    wave: str = ""
    migration: str = ""
    rows: str = ""
    keys: str = ""
    breaks: str = ""
    table: TableName | None = None
    tooltip: str = ""
    link: str = ""

    def row(self) -> Row:
        """What stands in the columns."""
        words = (self.look.word, self.migration, self.what, self.way, self.rows, self.keys, self.breaks)
        return Row(self.name, (self.number, self.wave, *words), self.look, shortened(self.tooltip), self.link)


COLUMNS = (
    Column("step", Sort.NUMBER),
    Column("wave", Sort.NUMBER),
    Column("", Sort.BADGE),
    Column("made by"),
    Column("table", grows=True),
    Column("from -> to"),
    Column("rows", Sort.NUMBER),
    Column("keys to", Sort.FAINT),
    Column("breaks"),
)


def shortened(text: str) -> str:
    """The text as long as a tooltip may be."""
    return text if len(text) <= LONGEST_TOOLTIP else f"{text[:LONGEST_TOOLTIP]} …"


def in_bands(rungs: Sequence[Rung]) -> Iterator[Rung]:
    """Bands by wave and sort, where each of them is one stretch of the order of repair; else waves are a column.

    Where there is one wave alone, a band does not name it.
    """
    bands = [(rung.wave, rung.band) for rung in rungs]
    stretches = [band for number, band in enumerate(bands) if number == 0 or bands[number - 1] != band]
    whole = len(stretches) == len(set(stretches))
    alone = len({rung.wave for rung in rungs if rung.wave}) == 1
    for rung in rungs:
        if whole and alone:
            yield replace(rung, wave="")
            continue
        yield replace(rung, band=f"wave {rung.wave}: {rung.band}", wave="") if whole else replace(rung, band="")


UNDECIDED = "undecided: no step until a person decides"
ADVISED = "found, and no step repairs it"


def left_out_by(scope: str) -> str:
    """The band of what the scope leaves out."""
    return f"left out{f' by {scope}' if scope else ''}: still broken afterwards"


def to_mind(hazards: Sequence[HazardInWords]) -> Iterator[str]:
    """A sentence each; above ``MOST_HAZARDS`` the kinds of the others, which the text lists."""
    yield from (hazard.sentence for hazard in hazards[:MOST_HAZARDS])
    if len(hazards) > MOST_HAZARDS:
        kinds = sorted({hazard.kind.value for hazard in hazards[MOST_HAZARDS:]})
        yield f"and {len(hazards) - MOST_HAZARDS} more of {', '.join(kinds)}"


# ------------------------------------------------------------------------------------------------------------- keys

Pairs = Mapping[tuple[TableName, TableName], int]
"""How many keys lead from one table to another."""


def pairs_drawn(places: Sequence[TableName], keys: Pairs) -> Pairs:
    """The pairs of tables whose keys are arcs, with the number of keys: the shortest arcs, hubs apart.

    ``places`` are the tables that the steps put into their place, in order.
    """
    row = {table: number for number, table in enumerate(places)}
    pairs = {(table, to): times for (table, to), times in keys.items() if table in row and to in row and table != to}
    pointed_at = Counter(to for _, to in pairs)
    length = {(table, to): abs(row[table] - row[to]) for table, to in pairs}
    fit = [pair for pair in pairs if pointed_at[pair[1]] <= MOST_ARCS_TO_ONE and length[pair] <= LONGEST_ARC]
    shortest = sorted(fit, key=lambda pair: (length[pair], row[pair[0]], row[pair[1]]))[:MOST_ARCS]
    return {pair: pairs[pair] for pair in sorted(shortest, key=lambda pair: (row[pair[0]], row[pair[1]]))}


def keys_in_words(keys: Pairs, drawn: Pairs, target: str) -> Mapping[TableName, str]:
    """For each table those that its keys point at without an arc."""
    words: dict[TableName, list[str]] = {}
    for (table, to), times in sorted(keys.items()):
        if (table, to) not in drawn:
            name = "itself" if to == table else short_name(to, target)
            words.setdefault(table, []).append(name + (f" ×{times}" if times > 1 else ""))
    return {table: listed(names, 3) for table, names in words.items()}


# ------------------------------------------------------------------------------------------------------------ ladder


@dataclass(frozen=True, slots=True)
class PlanLadder:
    """All that a plan's picture shows. ``gaps`` was not checked; ``verdict`` is all there is to say without a rung."""

    head: str
    rungs: tuple[Rung, ...]
    drawn: Pairs
    waves: int = 0
    gaps: tuple[str, ...] = ()
    verdict: tuple[Look, str] | None = None
    hazards: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[Rung, ...]:
        """The rungs that have a row: of more than ``MOST_ROWS`` the others are counted."""
        return self.rungs[:MOST_ROWS]

    def parts(self, drawn_by: Callable[[Sequence[Column], Sequence[Row]], Ladder[Part]]) -> Iterator[Part]:
        """Everything in the picture, from the title down."""
        rows = [rung.row() for rung in self.shown]
        ladder = drawn_by(COLUMNS, rows)
        used = {rung.look for rung in self.shown}
        legend = [ladder.legend([meaning for meaning in MEANINGS if meaning[0] in used], self._signs())] if used else []
        yield ladder.title(self.head, self.explanation(arcs=bool(self.drawn)))
        yield from legend if len(rows) > MOST_ON_A_PAGE else ()
        if self.verdict:
            yield ladder.verdict(*self.verdict)
        if any(rung.number for rung in self.rungs):
            yield ladder.heads()
        band, bands = "", 0
        for rung, row in zip(self.shown, rows, strict=True):
            if rung.band and rung.band != band:
                band, bands = rung.band, bands + 1
                yield ladder.band(f"band{bands}", band)
            yield ladder.row(row)
        if len(self.rungs) > len(rows):
            more = counted(len(self.rungs) - len(rows), "more row", "more rows")
            yield ladder.band("more", f"and {more}: the text and the JSON have them all")
        if self.hazards:
            yield ladder.band("mind", "mind")
            yield ladder.words("hazards", self.hazards)
        yield from legend if len(rows) <= MOST_ON_A_PAGE else ()

    def arcs(self) -> Iterator[tuple[str, str, int, str]]:
        """The keys between tables that have a row: the names of both rows, how many keys, and what a pointer reads."""
        row = {rung.table: rung.name for rung in self.shown if rung.table is not None}
        for (table, to), times in self.drawn.items():
            if table in row and to in row:
                yield row[table], row[to], times, f"{table} refers to {to}"

    def explanation(self, *, arcs: bool) -> str:
        """What the picture shows, and how it is read, as far as that is needed here."""
        return " ".join(self._explanation(arcs=arcs))

    def _explanation(self, *, arcs: bool) -> Iterator[str]:
        steps = sum(bool(rung.number) for rung in self.rungs)
        if steps:
            yield f"{counted(steps, 'step')} in {counted(self.waves, 'wave')}, from top to bottom."
        elif not self.verdict:
            yield "No step."
        if arcs:
            yield "An arc on the right is a foreign key from one of these tables to another."
        if any(rung.keys for rung in self.rungs):
            yield "Keys to healthy tables, and to one that many point at, stand as words."
        if any(rung.breaks for rung in self.rungs):
            yield "Breaks: the pages that fail for want of the step, measured."
        if self.gaps and not self.verdict:
            yield f"Not everything was checked: {listed(self.gaps, 2)}."

    def description(self) -> str:
        """The picture in words, for those who cannot see it: what it shows, and its rows in order."""
        if self.verdict:
            return self.verdict[1]
        rows = [
            f"{rung.number or rung.band.partition(':')[0]}: {rung.look.word} {rung.what} {rung.way}"
            for rung in self.rungs
        ]
        return f"{self.explanation(arcs=False)} {listed(rows, 40)}."

    def _signs(self) -> str:
        """What the signs before rows mean, of those that occur."""
        return ", ".join(text for sign, text in _SIGNS if any(sign in rung.rows for rung in self.rungs))


_SIGNS = (("~", "~ about"), (">", "> more than"), ("?", "? not known"))

"""The timeline of migrations as a ladder, whoever draws it: a row each, coloured by the schema where what it made is.

What was recorded in the window of a cause is marked by its letter.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cascade.core.answer import Answer
from cascade.core.history import MigrationKey
from cascade.core.layout import quoted
from cascade.core.timeline import Entry, Standing, Timeline
from cascade.core.words import counted, listed
from cascade.render.history import NOTHING, found, header, pause, stretches, summed_up, time_of
from cascade.render.ladder import MOST_ON_A_PAGE, MOST_ROWS, Column, Ladder, Part, Row, Sort
from cascade.render.looks import NOWHERE, SEVERAL, Look, looks_of_schemas
from cascade.render.wording import window

COLUMNS = (
    Column("window", Sort.MARK),
    Column("id", Sort.NUMBER),
    Column("recorded (UTC)", Sort.FAINT),
    Column("landed in", Sort.BADGE),
    Column("migration", grows=True),
    Column("tables and columns"),
    Column("not where it belongs", Sort.FAINT),
)


@dataclass(frozen=True, slots=True)
class Window:
    """When a cause was at work, by ISO 8601, and the migrations that it explains."""

    sentence: str
    first: str
    last: str
    migrations: frozenset[MigrationKey]

    def holds(self, entry: Entry) -> bool:
        """Whether the entry was recorded in it."""
        return entry.migration in self.migrations or (bool(entry.applied) and self.first <= entry.applied <= self.last)


@dataclass(frozen=True, slots=True)
class HistoryLadder:
    """All that a picture of the history shows; ``header`` is how it is read.

    ``whole``: it is known where all that was made is; else only of what is not where it belongs.
    """

    database: str
    header: Sequence[str]
    entries: Sequence[Entry]
    windows: Sequence[Window]
    target: str
    whole: bool = True

    @property
    def head(self) -> str:
        """What the picture is of."""
        return f"cascade history: {quoted(self.database)}"

    def parts(
        self, drawn_by: Callable[[Sequence[Column], Sequence[Row]], Ladder[Part]], *, fold: bool = True
    ) -> Iterator[Part]:
        """The rows, from the title down; with ``fold`` long stretches in place are one. Of too many the last."""
        together = list(stretches(self.entries, fold=fold))
        shown = together[-MOST_ROWS:]
        schemas = self._schemas()
        rows = [self._row(number, stretch, schemas) for number, stretch in enumerate(shown)]
        ladder = drawn_by(COLUMNS, rows)
        used = {row.look for row in rows}
        meanings = [(look, meaning) for look, meaning in self._meanings(schemas) if look in used]
        legend = [ladder.legend(meanings)] if meanings else []
        yield ladder.title(self.head, " ".join(self.header))
        yield from legend if len(rows) > MOST_ON_A_PAGE else ()
        if rows:
            yield ladder.heads()
        if len(together) > len(shown):
            earlier = counted(len(together) - len(shown), "earlier row")
            yield ladder.band("earlier", f"{earlier} not drawn: the text and the JSON have them all")
        before: Entry | None = None
        opened: set[int] = set()
        for number, (stretch, row) in enumerate(zip(shown, rows, strict=True)):
            heading = _heading(before, stretch[0])
            if heading:
                yield ladder.band(f"pause{number}", heading)
            for at in self._windows_of(stretch):
                if at not in opened:
                    opened.add(at)
                    yield ladder.band(f"window{_letter(at)}", self._told(at))
            yield ladder.row(row)
            before = stretch[-1]
        yield from legend if len(rows) <= MOST_ON_A_PAGE else ()

    def description(self) -> str:
        """The picture in words: what is recorded, the windows, and the migrations of which not all is in place."""
        astray = [f"{entry.migration}: {found(entry)}" for entry in self.entries if entry.astray]
        windows = (f"{self._told(at)}." for at in range(len(self.windows)))
        return " ".join((*self.header, *windows, listed(astray, 40)))

    def _schemas(self) -> Mapping[str, Look]:
        landed = [schema for entry in self.entries for places, _ in entry.found for schema in places]
        return looks_of_schemas(landed, self.target)

    def _told(self, at: int) -> str:
        known = self.windows[at]
        return f"window {_letter(at)}: {known.sentence}, {window(known.first, known.last)}"

    def _row(self, number: int, stretch: Sequence[Entry], schemas: Mapping[str, Look]) -> Row:
        first, last = stretch[0], stretch[-1]
        look = _look(stretch, schemas)
        word = look.word if look else NOTHING if self.whole else ""
        marks = " ".join(map(_letter, self._windows_of(stretch)))
        if len(stretch) > 1:
            text = summed_up(stretch) if self.whole else summed_up(stretch, where="nothing of them astray")
            cells = (marks, f"{first.position}-{last.position}", "", word, f"… {text}", "", "")
            return Row(f"row{number}", cells, look, "\n".join(str(entry.migration) for entry in stretch[:40]))
        cells = (
            marks,
            str(first.position or ""),
            time_of(last),
            word,
            str(first.migration),
            found(first) if first.found or self.whole else "",
            listed(first.astray, 2),
        )
        return Row(f"row{number}", cells, look, "\n".join((str(first.migration), *first.astray)))

    def _windows_of(self, stretch: Sequence[Entry]) -> list[int]:
        """The windows in which any of these was recorded."""
        return [at for at, known in enumerate(self.windows) if any(map(known.holds, stretch))]

    def _meanings(self, schemas: Mapping[str, Look]) -> Iterator[tuple[Look, str]]:
        for schema, look in schemas.items():
            belongs = "where tables belong" if schema == self.target else "not where tables belong"
            yield look, f"all that it made is in {quoted(schema)}, {belongs}"
        yield SEVERAL, "what it made is in several schemas, or in one and nowhere"
        yield NOWHERE, "what it made is in no schema"


def make_history_ladder(answer: Answer, timeline: Timeline) -> HistoryLadder:
    """All that the picture shows."""
    windows = [
        Window(cause.sentence, cause.first, cause.last, frozenset(cause.migrations))
        for cause in answer.causes
        if cause.first and cause.last
    ]
    return HistoryLadder(
        answer.observed.database, header(answer, timeline), timeline.entries, windows, answer.placement.target
    )


def _look(stretch: Sequence[Entry], schemas: Mapping[str, Look]) -> Look | None:
    """Where what was made is: the one schema, nowhere, or several; None where nothing was made."""
    places = list(dict.fromkeys(places for entry in stretch for places, _ in entry.found))
    if not places:
        return None
    if len(places) > 1 or len(places[0]) > 1:
        return SEVERAL
    return schemas[places[0][0]] if places[0] else NOWHERE


def _letter(number: int) -> str:
    """A, B, C …, and numbers after Z."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def _heading(before: Entry | None, entry: Entry) -> str:
    """What parts a row from the one before: a pause, or that nothing of what follows is applied."""
    if entry.standing is Standing.PENDING:
        return "not applied yet" if before is not None and before.standing is not Standing.PENDING else ""
    return pause(before, entry) if before is not None and entry.starts_a_run else ""

"""The timeline of migrations as a picture in DOT: a row each, coloured by the schema where what it made landed.

What was recorded in the window of a cause is marked by its letter.
"""

from collections.abc import Iterator, Sequence

from cascade.core.answer import Answer
from cascade.core.causes import Cause
from cascade.core.layout import quoted
from cascade.core.timeline import Entry, Standing, Timeline
from cascade.core.words import counted, listed
from cascade.render.history import NOTHING, found, header, pause, stretches, summed_up, time_of
from cascade.render.ladder import MOST_ROWS, Column, Ladder, Row, Sort, ladder_dot
from cascade.render.looks import NOWHERE, SEVERAL, Look, looks_of_schemas
from cascade.render.wording import printable, window

_COLUMNS = (
    Column("window", Sort.MARK),
    Column("id", Sort.NUMBER),
    Column("recorded (UTC)", Sort.FAINT),
    Column("landed in", Sort.BADGE),
    Column("migration", grows=True),
    Column("tables and columns"),
    Column("not where it belongs", Sort.FAINT),
)


def render_history_dot(answer: Answer, timeline: Timeline, *, fold: bool = True) -> str:
    """The migrations from top to bottom in the order recorded; with ``fold`` long stretches in place are one row.

    Of more than ``MOST_ROWS`` rows the last are drawn.
    """
    picture = _Picture(answer, timeline)
    return ladder_dot(f"cascade history: {quoted(answer.observed.database)}", list(picture.nodes(fold=fold)))


def describe_history(answer: Answer, timeline: Timeline) -> str:
    """The picture in words: what is recorded, the windows, and the migrations of which not all is in place."""
    picture = _Picture(answer, timeline)
    astray = [f"{entry.migration}: {found(entry)}" for entry in timeline.entries if entry.astray]
    return printable(
        " ".join((*header(answer, timeline), *(f"{text}." for text in picture.windows.values()), listed(astray, 40)))
    )


class _Picture:
    """One timeline with a letter for each cause that has a window, and a look for each schema."""

    def __init__(self, answer: Answer, timeline: Timeline) -> None:
        self._answer = answer
        self._timeline = timeline
        self._causes = [cause for cause in answer.causes if cause.first and cause.last]
        landed = [schema for entry in timeline.entries for places, _ in entry.found for schema in places]
        self._schemas = looks_of_schemas(landed, answer.placement.target)

    @property
    def windows(self) -> dict[str, str]:
        """What each letter in the first column stands for."""
        return {
            _letter(number): f"window {_letter(number)}: {cause.sentence}, {window(cause.first, cause.last)}"
            for number, cause in enumerate(self._causes)
        }

    def nodes(self, *, fold: bool) -> Iterator[str]:
        """The rows, from the title down."""
        together = list(stretches(self._timeline.entries, fold=fold))
        shown = together[-MOST_ROWS:]
        rows = [self._row(number, stretch) for number, stretch in enumerate(shown)]
        ladder = Ladder(_COLUMNS, rows)
        yield ladder.title(
            f"cascade history: {quoted(self._answer.observed.database)}",
            " ".join(header(self._answer, self._timeline)),
        )
        if rows:
            yield ladder.heads()
        if len(together) > len(shown):
            earlier = counted(len(together) - len(shown), "earlier row")
            yield ladder.band("earlier", f"{earlier} not drawn: the text and the JSON have them all")
        before: Entry | None = None
        opened: set[str] = set()
        for number, (stretch, row) in enumerate(zip(shown, rows, strict=True)):
            heading = _heading(before, stretch[0])
            if heading:
                yield ladder.band(f"pause{number}", heading)
            for letter in self._windows_of(stretch):
                if letter not in opened:
                    opened.add(letter)
                    yield ladder.band(f"window{letter}", self.windows[letter])
            yield ladder.row(row)
            before = stretch[-1]
        used = {row.look for row in rows}
        meanings = [(look, meaning) for look, meaning in self._meanings() if look in used]
        if meanings:
            yield ladder.legend(meanings)

    def _row(self, number: int, stretch: Sequence[Entry]) -> Row:
        first, last = stretch[0], stretch[-1]
        look = self._look(stretch)
        word, marks = look.word if look else NOTHING, " ".join(self._windows_of(stretch))
        if len(stretch) > 1:
            cells = (marks, f"{first.position}-{last.position}", "", word, f"… {summed_up(stretch)}", "", "")
            return Row(f"row{number}", cells, look, "\n".join(str(entry.migration) for entry in stretch[:40]))
        cells = (
            marks,
            str(first.position or ""),
            time_of(last),
            word,
            str(first.migration),
            found(first),
            listed(first.astray, 2),
        )
        return Row(f"row{number}", cells, look, "\n".join((str(first.migration), *first.astray)))

    def _look(self, stretch: Sequence[Entry]) -> Look | None:
        """Where what was made is: the one schema, nowhere, or several; None where nothing was made."""
        places = dict.fromkeys(places for entry in stretch for places, _ in entry.found)
        if not places:
            return None
        if len(places) > 1 or len(next(iter(places))) > 1:
            return SEVERAL
        return self._schemas[next(iter(places))[0]] if next(iter(places)) else NOWHERE

    def _windows_of(self, stretch: Sequence[Entry]) -> list[str]:
        """The letters of the windows in which any of these was recorded."""
        return [
            _letter(number)
            for number, cause in enumerate(self._causes)
            if any(entry.migration in cause.migrations or _is_within(entry, cause) for entry in stretch)
        ]

    def _meanings(self) -> Iterator[tuple[Look, str]]:
        target = self._answer.placement.target
        for schema, look in self._schemas.items():
            belongs = "where tables belong" if schema == target else "not where tables belong"
            yield look, f"all that it made is in {quoted(schema)}, {belongs}"
        yield SEVERAL, "what it made is in several schemas, or in one and nowhere"
        yield NOWHERE, "what it made is in no schema"


def _letter(number: int) -> str:
    """A, B, C …, and numbers after Z."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def _is_within(entry: Entry, cause: Cause) -> bool:
    return bool(entry.applied) and (cause.first or "") <= entry.applied <= (cause.last or "")


def _heading(before: Entry | None, entry: Entry) -> str:
    """What parts a row from the one before: a pause, or that nothing of what follows is applied."""
    if entry.standing is Standing.PENDING:
        return "not applied yet" if before is not None and before.standing is not Standing.PENDING else ""
    return pause(before, entry) if before is not None and entry.starts_a_run else ""

"""The timeline of migrations, for people and for programs."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from cascade.core.answer import Answer
from cascade.core.documents import moment_of
from cascade.core.timeline import Entry, Standing, Timeline
from cascade.core.words import counted, listed
from cascade.render.json_text import json_text
from cascade.render.paragraphs import columns, padded, wrapped
from cascade.render.wording import database_at, moment, printable, window

SCHEMA_VERSION = 1
"""Grows when a program that reads the old form could be misled by the new one."""

CONTEXT = 2
"""How many migrations in place are shown before and after one whose objects are not."""

FOLDED = 4
"""From so many in a row on, migrations in place are summed up."""

MOST = 5
"""How many names of what is astray are listed below a migration."""

NOTHING = "-"
"""What stands for a migration that made no table and no column."""

MARK = "!"
"""What stands before a migration whose objects are not where they belong."""


def render_history(
    answer: Answer, timeline: Timeline, *, fold: bool = True, colour: bool = False, width: int = 100
) -> str:
    """One line a migration: the recorder's id, when, which, and where its tables and columns are found.

    Where they are not where they belong, a mark stands before it and their names behind it. A pause between two runs
    of migrate is a line of its own. With ``fold`` long stretches of migrations in place are one line.
    """
    lines = [*_wrapped_header(answer, timeline, width), ""]
    lines += _table(timeline.entries, fold=fold, width=width)
    return "".join(f"{_painted(line) if colour else line}\n" for line in lines)


def render_history_json(answer: Answer, timeline: Timeline) -> str:
    """The same for programs: every migration, nothing folded. ``schemas`` is empty for what is in none."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "database": answer.observed.database,
        "read_at": answer.observed.read_at,
        "history_schema": timeline.schema,
        "target_schema": answer.placement.target,
        "migrations": [_entry_document(entry) for entry in timeline.entries],
    }
    return json_text(document)


def _wrapped_header(answer: Answer, timeline: Timeline, width: int) -> list[str]:
    return [
        line
        for text in header(answer, timeline, mark=f"{MARK} marks ")
        for line in wrapped(printable(text), width, hang=2)
    ]


def header(answer: Answer, timeline: Timeline, *, mark: str = "") -> tuple[str, str]:
    """What is recorded where, and of how many migrations not all is in place."""
    recorded = [entry for entry in timeline.entries if entry.standing is not Standing.PENDING]
    astray = sum(bool(entry.astray) for entry in recorded)
    times = [entry.applied for entry in recorded if entry.applied]
    when = f", {window(min(times), max(times))}" if times else ""
    if not recorded:
        amiss = "Nothing is recorded."
    elif astray:
        amiss = f"{mark}{counted(astray, 'migration')} of which not all is where it belongs."
    else:
        amiss = "All that they made is where it belongs."
    if timeline.earlier:
        before = sum(bool(entry.astray) for entry in timeline.earlier)
        amiss += f" Not shown are {counted(len(timeline.earlier), 'earlier one')}, {before} of them not all in place."
    return (
        f"{database_at(answer.observed.database, answer.host)}: {_how_many(timeline, len(recorded))} recorded in "
        f"{timeline.schema}.django_migrations{when}.",
        f"{amiss} Counted are tables, and columns that came later.",
    )


def _how_many(timeline: Timeline, shown: int) -> str:
    if not timeline.earlier:
        return counted(shown, "migration")
    return f"the last {shown} of {counted(shown + len(timeline.earlier), 'migration')}"


def _table(entries: Sequence[Entry], *, fold: bool, width: int) -> Iterator[str]:
    layout = _Layout(entries, width)
    before: Entry | None = None
    for stretch in stretches(entries, fold=fold):
        first, last = stretch[0], stretch[-1]
        if before is not None and first.standing is Standing.PENDING and before.standing is not Standing.PENDING:
            yield layout.separator("not applied yet")
        elif before is not None and first.starts_a_run and first.standing is not Standing.PENDING:
            yield layout.separator(pause(before, first))
        if len(stretch) == 1:
            yield from layout.lines(first)
        else:
            yield from layout.folded(stretch)
        before = last


def stretches(entries: Sequence[Entry], *, fold: bool) -> Iterator[list[Entry]]:
    """The entries one by one, those that are summed up together."""
    near = {at + offset for at, entry in enumerate(entries) if entry.astray for offset in range(-CONTEXT, CONTEXT + 1)}
    waiting: list[Entry] = []
    for at, entry in enumerate(entries):
        if fold and at not in near and entry.standing is not Standing.PENDING:
            waiting.append(entry)
            continue
        yield from _together(waiting)
        waiting = []
        yield [entry]
    yield from _together(waiting)


def _together(stretch: list[Entry]) -> Iterator[list[Entry]]:
    if len(stretch) >= FOLDED:
        yield stretch
    else:
        yield from ([entry] for entry in stretch)


def pause(before: Entry, after: Entry) -> str:
    """How long nothing was recorded between two entries."""
    start, end = moment_of(before.applied), moment_of(after.applied)
    return f"{_duration(end - start)} without a record" if start and end else "a pause"


def _duration(length: timedelta) -> str:
    """A length of time to the larger of its units.

    >>> _duration(timedelta(days=3, hours=4)), _duration(timedelta(minutes=75)), _duration(timedelta(minutes=11))
    ('3 days', '1 hour', '11 minutes')
    """
    if length >= timedelta(days=1):
        return counted(length.days, "day")
    minutes = int(length.total_seconds() // 60)
    return counted(minutes // 60, "hour") if minutes >= 60 else counted(minutes, "minute")


class _Layout:
    """The columns of the table, as wide as what stands in them."""

    def __init__(self, entries: Sequence[Entry], width: int) -> None:
        self._id = max((len(str(entry.position or "")) for entry in entries), default=1)
        self._when = max((columns(time_of(entry)) for entry in entries), default=0)
        self._name = max((columns(printable(str(entry.migration))) for entry in entries), default=0)
        # What is found needs room too: long names push it to a line of its own.
        self._name = min(self._name, max(24, width - self._lead - 24))
        self._width = width

    @property
    def _lead(self) -> int:
        """Where the migration's name begins."""
        return 2 + self._id + 2 + self._when + 2

    def lines(self, entry: Entry) -> list[str]:
        """One migration, what is found wrapped below itself, then the names of what is astray."""
        mark = MARK if entry.astray else " "
        number = padded(str(entry.position or ""), self._id, right=True)
        name = printable(str(entry.migration))
        head = f"{mark} {number}  {padded(time_of(entry), self._when)}  {padded(name, self._name)}"
        at = self._lead + self._name + 2
        places = wrapped(printable(found(entry)), self._width, first=at, hang=at)
        beside = columns(head) + 2 <= at
        lines = [padded(head, at) + places[0][at:], *places[1:]] if beside else [head.rstrip(), *places]
        below = self._lead + 2
        return lines + wrapped(printable(listed(entry.astray, MOST)), self._width, first=below, hang=below)

    def folded(self, stretch: Sequence[Entry]) -> list[str]:
        """Many migrations in place, in one line."""
        at = 2 + self._id + 2
        return wrapped(printable(f"… {summed_up(stretch)}"), self._width, first=at, hang=at + 2)

    def separator(self, text: str) -> str:
        """A line between two runs."""
        return " " * (2 + self._id + 2) + f"-- {text} --"


def summed_up(stretch: Sequence[Entry], *, where: str = "") -> str:
    """Many migrations in place, in a phrase; ``where`` what they made is, if that is not known of each."""
    schemas = list(dict.fromkeys(schema for e in stretch for places, _ in e.found for schema in places))
    where = where or (f"all in {listed(schemas)}" if schemas else "making no table or column")
    without = sum(entry.standing is Standing.WITHOUT_FILE for entry in stretch)
    squashed = sum(entry.standing is Standing.SQUASHED for entry in stretch)
    more = f", {without} of them without a file" if without else ""
    more += f", {squashed} squashed since" if squashed else ""
    days = [entry.applied[:10] for entry in stretch if entry.applied]
    when = f", {min(days)}{f' to {max(days)}' if max(days) != min(days) else ''}" if days else ""
    return f"{counted(len(stretch), 'migration')}{when}, {where}{more}"


def time_of(entry: Entry) -> str:
    """When it was recorded, to the second; empty for one that is not."""
    return moment(entry.applied).removesuffix(" UTC") if entry.applied else ""


def found(entry: Entry) -> str:
    """Where what it made is, and what the files say of it."""
    parts = [f"{' and '.join(places) if places else 'nowhere'} {number}" for places, number in entry.found]
    text = ", ".join(parts)
    match entry.standing:
        case Standing.WITHOUT_FILE:
            text = f"{text}; no file in this checkout" if text else "no file in this checkout"
        case Standing.SQUASHED:
            text = f"{text}; " if text else ""
            text += f"squashed into {entry.counts_as.name if entry.counts_as else 'another'}"
        case Standing.PENDING:
            text = "pending"
        case Standing.APPLIED:
            text = text or NOTHING
    return text


def _painted(line: str) -> str:
    return f"\x1b[1;31m{MARK}\x1b[0m{line[1:]}" if line.startswith(f"{MARK} ") else line


def _entry_document(entry: Entry) -> dict[str, Any]:
    return {
        "migration": str(entry.migration),
        "app": entry.migration.app,
        "name": entry.migration.name,
        "standing": entry.standing.value,
        "position": entry.position,
        "applied": entry.applied or None,
        "found": [{"schemas": list(places), "count": number} for places, number in entry.found],
        "astray": list(entry.astray),
        "counts_as": str(entry.counts_as) if entry.counts_as else None,
        "starts_a_run": entry.starts_a_run,
    }

"""The migrations in the order in which they were recorded, with where that which each made is found."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from cascade.core.documents import moment_of
from cascade.core.expected import ExpectedLayout
from cascade.core.history import History, MigrationKey, Record
from cascade.core.made import Made, what_was_made
from cascade.core.observed import Observed

PAUSE = timedelta(minutes=10)
"""Nothing recorded for so long: the next record is of another run of migrate."""


class Standing(Enum):
    """What the files say of a record, and the record of a file."""

    APPLIED = "applied"
    SQUASHED = "squashed"
    WITHOUT_FILE = "without_file"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Entry:
    """One migration. ``position`` and ``applied`` are the recorder's id and time, None and ``""`` where it has none.

    ``found`` counts the tables and columns that it made by the schemas that hold them, none meaning nowhere;
    ``astray`` names those that are not where they belong, or not only there. ``counts_as`` is the squash that stands
    for the record in the files. ``starts_a_run``: nothing had been recorded for ``PAUSE`` before.
    """

    migration: MigrationKey
    standing: Standing
    position: int | None = None
    applied: str = ""
    found: tuple[tuple[tuple[str, ...], int], ...] = ()
    astray: tuple[str, ...] = ()
    counts_as: MigrationKey | None = None
    starts_a_run: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is recorded, in the order of the recorder's ids, then what is pending; ``schema`` holds the record.

    ``earlier`` are the records that are not shown, for they come before the last ones that were asked for.
    """

    schema: str
    entries: tuple[Entry, ...]
    earlier: tuple[Entry, ...] = ()

    def of_apps(self, apps: Iterable[str]) -> "Timeline":
        """Only the migrations of these apps; of none means of all."""
        wanted = frozenset(apps)
        kept = (entry for entry in self.entries if not wanted or entry.migration.app in wanted)
        return Timeline(self.schema, tuple(kept))

    def last(self, number: int) -> "Timeline":
        """The last so many records, and what is pending."""
        recorded = [entry for entry in self.entries if entry.standing is not Standing.PENDING]
        pending = [entry for entry in self.entries if entry.standing is Standing.PENDING]
        first = max(0, len(recorded) - number)
        return Timeline(self.schema, (*recorded[first:], *pending), tuple(recorded[:first]))


def make_timeline(expected: ExpectedLayout, observed: Observed, history: History) -> Timeline:
    """Every record of this history with where its tables and columns are, and the pending migrations.

    A table that a migration only altered counts where that table lies. What a squash made stands beside its own
    record, or beside the first record of those that it replaces.
    """
    made: dict[int, list[Made]] = {}
    for thing in what_was_made(expected, observed):
        if not thing.part or _is_column(thing, expected):
            made.setdefault(thing.made_by.position, []).append(thing)
    return Timeline(
        history.schema,
        (
            *_recorded(expected, history, made),
            *(Entry(pending.key, Standing.PENDING) for pending in expected.pending),
        ),
    )


def last_run(history: History) -> tuple[Record, ...]:
    """The records of the last run of migrate: since the last ``PAUSE`` in which nothing was recorded."""
    run: list[Record] = []
    for record in history.records:
        before, now = moment_of(run[-1].applied) if run else None, moment_of(record.applied)
        if before and now and now - before > PAUSE:
            run.clear()
        run.append(record)
    return tuple(run)


def _is_column(thing: Made, expected: ExpectedLayout) -> bool:
    return thing.part in expected.tables[thing.table].column_made_by


def _recorded(expected: ExpectedLayout, history: History, made: dict[int, list[Made]]) -> Iterator[Entry]:
    squash_of = {replaced: squash for squash, all_of in expected.replaces.items() for replaced in all_of}
    without_file = frozenset(expected.notes.without_file)
    before: datetime | None = None
    for record in history.records:
        applied = moment_of(record.applied)
        things = made.get(record.position, [])
        squash = squash_of.get(record.key)
        standing = Standing.APPLIED
        if record.key in without_file:
            standing = Standing.WITHOUT_FILE
        elif squash is not None:
            standing = Standing.SQUASHED
        yield Entry(
            record.key,
            standing,
            record.position,
            record.applied,
            found=counted_by_place(thing.places for thing in things),
            astray=tuple(str(thing) for thing in things if not thing.is_in_place),
            counts_as=squash,
            starts_a_run=bool(before and applied and applied - before > PAUSE),
        )
        before = applied or before


def counted_by_place(places: Iterable[tuple[str, ...]]) -> tuple[tuple[tuple[str, ...], int], ...]:
    """How many are where, the most first; nowhere last.

    >>> counted_by_place([(), (), ("public",), ("public", "old")])
    ((('public',), 1), (('public', 'old'), 1), ((), 2))
    """
    return tuple(sorted(Counter(places).items(), key=lambda item: (not item[0], -item[1], item[0])))

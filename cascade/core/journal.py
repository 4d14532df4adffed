"""The journal of a repair, as its lines are read: what was sent, what is committed, how to take it back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cascade.core.layout import TableName

JOURNAL_VERSION = 1


class MalformedJournal(ValueError):
    """The lines are no journal of this version; the message says which line and why."""


@dataclass(frozen=True, slots=True)
class JournalStep:
    """A step of the journal: its id, its phase and the statements that take it back.

    ``undo`` does that by itself; among others ``refuses`` comes before anything is taken back, and then ``takes_back``.
    ``clears`` takes back what is left of it where it was broken off, and does nothing where it was not begun.
    """

    id: str
    phase: str
    undo: tuple[str, ...]
    refuses: tuple[str, ...] = ()
    takes_back: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()


def statements_to_undo(done: Iterable[JournalStep]) -> tuple[tuple[JournalStep, str], ...]:
    """What takes these steps back together, in the order in which it is sent, each statement with its step.

    >>> first = JournalStep("a", "transaction", ("1, 2",), ("1",), ("2",))
    >>> [sql for _, sql in statements_to_undo([first, JournalStep("b", "transaction", ("3",), (), ("3",))])]
    ['1', '3', '2']
    """
    last_first = tuple(done)[::-1]
    return (
        *((step, statement) for step in last_first for statement in step.refuses),
        *((step, statement) for step in last_first for statement in step.takes_back),
    )


@dataclass(frozen=True)
class Journal:
    """What a journal says.

    ``done`` are the steps whose end is known to be committed, in order; ``broken_off`` those of which something may be
    left all the same; ``in_flight`` the transaction ids of COMMITs
    that were begun and not answered, each with its steps: only the server knows. ``before`` and ``after`` are digests
    over ``tables``. ``undone``: it has been taken back already. ``events`` are all lines as they were read.
    """

    header: Mapping[str, Any]
    done: tuple[JournalStep, ...]
    in_flight: Mapping[str, tuple[JournalStep, ...]] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    undone: bool = False
    broken_off: tuple[JournalStep, ...] = ()
    events: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether something that it tells of is, or may be, in the database, so that an undo would need it."""
        return bool(self.done or self.in_flight) and not self.undone

    @property
    def committed_at(self) -> str:
        """When the last of it was committed, ``""`` where nothing is known to be."""
        return self._last("committed", "done")

    @property
    def sent_at(self) -> str:
        """When the last COMMIT was sent."""
        return self._last("committing")

    def _last(self, *kinds: str) -> str:
        return next((str(event["at"]) for event in reversed(self.events) if event.get("event") in kinds), "")

    @property
    def tables(self) -> tuple[TableName, ...]:
        """The places that the steps touched."""
        return tuple(TableName(schema, name) for schema, name in self.header["tables"])


def parse_journal(lines: Iterable[str]) -> Journal:
    """Read the lines of a journal; a last line that was cut off is left aside.

    Raises ``MalformedJournal`` where they are something else, or of a newer version.
    """
    events = _events([line for line in lines if line.strip()])
    if not events or events[0].get("event") != "begin":
        raise MalformedJournal("its first line does not begin a journal")
    header = events[0]
    if header.get("journal") != JOURNAL_VERSION:
        raise MalformedJournal(f"it is of version {header.get('journal')}; this program reads {JOURNAL_VERSION}")
    try:
        return _journal(header, events)
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedJournal(f"a part is missing or of another kind: {error}") from error


def _events(lines: list[str]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
        except ValueError as error:
            if number == len(lines) and number > 1:
                return events  # cut off by the end of the program that wrote it
            raise MalformedJournal(f"line {number} is no JSON: {error}") from error
        if not isinstance(event, dict):
            raise MalformedJournal(f"line {number} is no object")
        events.append(event)
    return events


def _journal(header: Mapping[str, Any], events: list[dict[str, Any]]) -> Journal:
    steps = {step["id"]: _step(step) for step in header["steps"]}
    done: list[JournalStep] = []
    in_flight: dict[str, tuple[JournalStep, ...]] = {}
    before, after, undone = str(header.get("before", "")), "", False
    for event in events[1:]:
        match event.get("event"):
            case "committing":
                in_flight[event["xid"]] = tuple(steps[id_] for id_ in event["steps"])
            case "committed":
                done += in_flight.pop(event["xid"])
            case "done":
                done.append(steps[event["step"]])
            case "looked":
                after = event["after"]
            case "rolled_back":
                in_flight.pop(event.get("xid", ""), None)
            case "undone":
                undone = True
    broken_off = tuple(step for step in steps.values() if step.clears and step not in done)
    return Journal(header, tuple(done), in_flight, before, after, undone, broken_off, tuple(events))


def _step(step: Mapping[str, Any]) -> JournalStep:
    undo = tuple(step["undo"])
    return JournalStep(
        step["id"],
        step["phase"],
        undo,
        tuple(step.get("refuses", ())),
        tuple(step.get("takes_back", undo)),
        tuple(step.get("clears", ())),
    )

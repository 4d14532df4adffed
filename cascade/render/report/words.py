"""Phrases that several sections share."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from cascade.core.documents import JSON
from cascade.core.incident import Incident, Outcome
from cascade.core.words import counted, listed
from cascade.render.pictures import Picture
from cascade.render.report.blocks import MANY, Aside, Block, Bullets, Line

UNREPAIRED = (Outcome.OPEN, Outcome.UNDONE, Outcome.NOT_COMMITTED)
"""Then the plan is still to be run."""


def capital(text: str) -> str:
    """As a sentence begins; a name at its start stays as it is."""
    first = text.partition(" ")[0]
    return text if "_" in first or "." in first else text[:1].upper() + text[1:]


def duration(lasted: timedelta) -> str:
    """A duration by its two largest parts.

    >>> duration(timedelta(days=13, hours=14, minutes=5)), duration(timedelta(seconds=61)), duration(timedelta(0))
    ('13 days 14 hours', '1 minute 1 second', 'less than a second')
    """
    seconds = int(lasted.total_seconds())
    parts: list[str] = []
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        number, seconds = divmod(seconds, size)
        if number or parts:
            parts.append(counted(number, unit) if number else "")
    return " ".join(part for part in parts[:2] if part) or "less than a second"


def what_was_amiss(incident: Incident) -> str:
    """What was amiss, in a phrase: ``7 misplaced tables and 1 missing column``."""
    broken = [drift for drift in incident.findings if drift["severity"] == "broken"] or list(incident.findings)
    return kinds_in_words(broken) or "nothing"


def kinds_in_words(drifts: Iterable[JSON]) -> str:
    """How many of which kind, the first kinds first."""
    kinds = Counter(drift["kind"].replace("_", " ") for drift in drifts)
    return listed([counted(number, noun, _several(noun)) for noun, number in kinds.items()], 3)


def _several(noun: str) -> str:
    """What a kind is called of several findings.

    >>> _several("missing index"), _several("different privileges"), _several("missing table")
    ('missing indexes', 'different privileges', 'missing tables')
    """
    if noun.endswith("index"):
        return f"{noun}es"
    return noun if noun.endswith(("s", "behind")) else f"{noun}s"


def object_of(drift: JSON) -> str:
    """What the finding is about, in short."""
    return ".".join(part for part in (drift["table"], drift["object"]) if part) or drift["id"]


def seen(drift: JSON) -> str:
    """What there is to say of the finding in a few words."""
    return str(drift["observed"] or drift["expected"] or drift["kind"])


def bullets(lines: tuple[Line, ...], what: str) -> Block:
    """The lines as a list; a long one is folded, and ``what`` says of what it is."""
    return Bullets(lines) if len(lines) <= MANY else Aside((what,), (Bullets(lines),))


def pictures_of(*drawn: tuple[Picture | None, str]) -> Iterator[tuple[Picture, str]]:
    """Those that have something to show, each with its caption."""
    return ((picture, caption) for picture, caption in drawn if picture is not None)

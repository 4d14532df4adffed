"""The hazards of a plan in sentences, each once, with the steps that have it."""

from collections.abc import Iterable
from dataclasses import dataclass

from cascade.core.plan import Hazard, HazardKind, Step
from cascade.core.words import MANY, listed


@dataclass(frozen=True, slots=True)
class HazardInWords:
    """A hazard with the steps that have it; ``sql`` is what somebody else has to run first, a line each."""

    kind: HazardKind
    sentence: str
    sql: tuple[str, ...]


def hazards_in_words(steps: Iterable[Step], *, most: int = MANY) -> tuple[HazardInWords, ...]:
    """What the steps do or could do beside their cure, that which has to be allowed by name first.

    ``most``: how many numbers of steps are listed before the rest is counted.
    """
    return in_words(((step.position, hazard) for step in steps for hazard in step.hazards), most=most)


def in_words(hazards: Iterable[tuple[int, Hazard]], *, most: int = MANY) -> tuple[HazardInWords, ...]:
    """The same of hazards with the numbers of their steps."""
    positions: dict[tuple[HazardKind, str, tuple[str, ...]], list[str]] = {}
    for position, hazard in hazards:
        positions.setdefault((hazard.kind, hazard.sentence, hazard.sql), []).append(str(position))
    found = []
    for (kind, sentence, sql), numbers in positions.items():
        where = f"{'step' if len(numbers) == 1 else 'steps'} {listed(numbers, most)}"
        allowed = f"; apply wants --allow {kind.value}" if kind.needs_consent else ""
        found.append(HazardInWords(kind, f"{sentence.rstrip('.')} ({kind.value}, {where}{allowed})", sql))
    return tuple(sorted(found, key=lambda hazard: not hazard.kind.needs_consent))

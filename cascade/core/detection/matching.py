"""Which of the things expected is which of the things found: by structure, never by name."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cascade.core.layout import Constraint, Index

T = TypeVar("T", Constraint, Index)


@dataclass(frozen=True, slots=True)
class Matches(Generic[T]):
    """Pairs of the same structure (expected, found), and what is left over on each side, in the given order."""

    pairs: tuple[tuple[T, T], ...]
    expected: tuple[T, ...]
    found: tuple[T, ...]


def match(
    expected: Sequence[T], found: Sequence[T], structures: Iterable[Callable[[T], Hashable | None]]
) -> Matches[T]:
    """Pair what has the same structure, one to one, by each of ``structures`` in turn.

    Of several of one structure those of the same name are paired. What a structure answers None for it does not pair.
    """
    pairs: list[tuple[T, T]] = []
    left, right = tuple(expected), tuple(found)
    for structure in structures:
        if left and right:
            some, left, right = _pairs(left, right, structure)
            pairs += some
    return Matches(tuple(pairs), left, right)


def _pairs(
    expected: tuple[T, ...], found: tuple[T, ...], structure: Callable[[T], Hashable | None]
) -> tuple[list[tuple[T, T]], tuple[T, ...], tuple[T, ...]]:
    waiting: dict[Hashable, list[T]] = {}
    for item in found:
        key = structure(item)
        if key is not None:
            waiting.setdefault(key, []).append(item)
    partner: dict[int, T] = {}
    # Those whose name is found too choose first.
    for same_name in (True, False):
        for position, item in enumerate(expected):
            candidates = waiting.get(structure(item), []) if position not in partner else []
            chosen = next((c for c in candidates if c.name == item.name or not same_name), None)
            if chosen is not None:
                candidates.remove(chosen)
                partner[position] = chosen
    taken = {id(item) for item in partner.values()}
    return (
        [(item, partner[position]) for position, item in enumerate(expected) if position in partner],
        tuple(item for position, item in enumerate(expected) if position not in partner),
        tuple(item for item in found if id(item) not in taken),
    )

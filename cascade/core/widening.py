"""Which types hold all that another holds, and what it costs a table to change from one to the other.

From PostgreSQL's ALTER TABLE, SET DATA TYPE: the table is not rewritten where the old type is binary coercible to the
new one, or only a modifier grows that the type's length function takes for a mere relabelling.
"""

import re
from enum import Enum


class Widening(Enum):
    """What a change of type without loss costs."""

    FREE = "free"
    REWRITE = "rewrite"


def widening(found: str, wanted: str) -> Widening | None:
    """What it costs to make a column of type ``found`` one of type ``wanted``; None where values could be lost.

    Both as ``format_type`` prints them.

    >>> widening("character varying(20)", "character varying(50)"), widening("integer", "bigint")
    (<Widening.FREE: 'free'>, <Widening.REWRITE: 'rewrite'>)
    >>> widening("bigint", "integer"), widening("numeric(8,2)", "numeric(8,3)")
    (None, None)
    """
    if found.endswith("[]") and wanted.endswith("[]"):
        return widening(found.removesuffix("[]"), wanted.removesuffix("[]")) and Widening.REWRITE
    (old, old_size), (new, new_size) = _parsed(found), _parsed(wanted)
    if old in _WHOLE and new in _WHOLE:
        return Widening.REWRITE if _WHOLE.index(old) < _WHOLE.index(new) else None
    if old in _CHARACTERS and new in _CHARACTERS:
        return Widening.FREE if not new_size or (old_size and old_size <= new_size) else None
    if old == new == "numeric":
        return _numeric(old_size, new_size)
    if (old, new) == ("real", "double precision"):
        return Widening.REWRITE
    if old == new and old in _MOMENTS:
        return Widening.FREE if not new_size or (old_size and old_size <= new_size) else None
    return None


_WHOLE = ("smallint", "integer", "bigint")
_CHARACTERS = ("character varying", "text")
_MOMENTS = (
    "timestamp with time zone",
    "timestamp without time zone",
    "time with time zone",
    "time without time zone",
)


def _parsed(type_: str) -> tuple[str, tuple[int, ...]]:
    """The type without its modifier, and that."""
    match = re.search(r"\(([\d,]+)\)", type_)
    size = tuple(int(part) for part in match[1].split(",")) if match else ()
    return re.sub(r"\([\d,]+\)", "", type_), size


def _numeric(old: tuple[int, ...], new: tuple[int, ...]) -> Widening | None:
    if not new:
        return Widening.FREE
    if len(old) < 2 or len(new) < 2 or new[1] < old[1] or new[0] - new[1] < old[0] - old[1]:
        return None
    return Widening.FREE if new[1] == old[1] else Widening.REWRITE

"""A number with its noun, and some names of many."""

from collections.abc import Sequence

MANY = 4
"""How many names a sentence lists before it says "and … more"."""


def counted(number: int, thing: str, things: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "table"), counted(1_200, "table"), counted(0, "index", "indexes")
    ('1 table', '1,200 tables', '0 indexes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def listed(names: Sequence[str], most: int = MANY) -> str:
    """The first names, and how many more there are. The last one alone is never hidden behind "1 more".

    >>> listed(["a", "b", "c", "d"], 2), listed(["a", "b", "c"], 2), listed(["a"])
    ('a, b and 2 more', 'a, b and c', 'a')
    """
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

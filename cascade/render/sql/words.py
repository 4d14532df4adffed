"""Words that all statements are made of: literals, lists of names, blocks, comments."""

import re
from collections.abc import Iterable

from cascade.core.layout import quoted

SEARCH_PATH = "pg_catalog, pg_temp"
"""The search_path under which definitions were printed, and under which they must be run."""


class NotRenderable(ValueError):
    """The layout does not hold all that the statement would have to say; the message names what is missing."""


def literal(text: str) -> str:
    r"""The text as a string literal, safe whatever ``standard_conforming_strings`` is.

    >>> print(literal("plain"), literal("it's"), literal("C:\\"))
    'plain' 'it''s' E'C:\\'
    """
    doubled = text.replace("'", "''")
    return "E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in text else f"'{doubled}'"


def names(columns: Iterable[str]) -> str:
    """Identifiers in a list."""
    return ", ".join(map(quoted, columns))


def do(*lines: str) -> str:
    """A block, in dollar quotes whose tag no name inside can close."""
    body = "\n".join(lines)
    tag, number = "$cascade$", 0
    while tag[:-1] in body:
        number += 1
        tag = f"$cascade_{number}$"
    return f"DO {tag}\n{body}\n{tag};"


def comment(text: str) -> str:
    """One comment line: a line break in a name would end the comment and run what follows."""
    return f"-- {_BREAKS.sub(' ', text)}".rstrip()


_BREAKS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")


def lines(*texts: str) -> str:
    """Lines of a script, the last one ended too."""
    return "\n".join(texts) + "\n"

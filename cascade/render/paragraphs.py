"""Text in columns of a terminal: wrapped, indented, never cut."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

_WORD = re.compile(r"""(?:"(?:[^"]|"")*"|\S)+""")


def wrapped(text: str, width: int, *, first: int = 0, hang: int = 0) -> list[str]:
    """Lines of at most ``width`` columns; ``first`` spaces before the first, ``hang`` before the others.

    A quoted name stays whole, spaces and all, and so does a word that is wider than the line.

    >>> wrapped('move "an odd name" to public', 14, hang=2)
    ['move', '  "an odd name"', '  to public']
    """
    lines: list[str] = []
    line, room = " " * first, width - first
    empty = True
    for word in words(text):
        needed = columns(word) if empty else columns(word) + 1
        if needed > room and not empty:
            lines.append(line)
            line, room, empty, needed = " " * hang, width - hang, True, columns(word)
        line += word if empty else f" {word}"
        room, empty = room - needed, False
    return [*lines, line] if not empty else lines


def words(text: str) -> list[str]:
    """The words of a text; a space inside double quotes parts nothing.

    >>> words('a "b c".d')
    ['a', '"b c".d']
    """
    return _WORD.findall(text)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide letter, none for a combining mark.

    >>> columns("naïve"), columns("日本")
    (5, 4)
    """
    return sum(_width(character) for character in text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces; ``right`` puts them before it."""
    fill = " " * max(0, width - columns(text))
    return fill + text if right else text + fill


def separated(blocks: Iterable[list[str]]) -> Iterator[str]:
    """The lines of all blocks that have any, an empty line between them."""
    for number, block in enumerate(block for block in blocks if block):
        if number:
            yield ""
        yield from block


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


INDENT = 9
"""Where the text of a labelled paragraph begins."""


def labelled(label: str, text: str, width: int) -> list[str]:
    """A paragraph of lines of at most ``width`` columns, the label before the first, the others below its text.

    >>> labelled("ROWS", "12 in one table", 20)
    ['ROWS     12 in one', '         table']
    """
    lines = wrapped(text, width, first=INDENT, hang=INDENT)
    return [f"{label:<{INDENT}}{lines[0][INDENT:]}", *lines[1:]]


def painted(line: str) -> str:
    r"""The line with the label at its start in colour: a word or two in capitals, or a severity.

    >>> painted("ROWS     12"), painted("  for      all")
    ('\x1b[1mROWS\x1b[0m     12', '  for      all')
    """
    label = _LABEL.match(line)
    return f"\x1b[{_COLOURS.get(label[0], '1')}m{label[0]}\x1b[0m{line[label.end() :]}" if label else line


_LABEL = re.compile(r"(?:[A-Z]{2,}(?: [A-Z]{2,})?|broken|risky|unchecked)(?= |$)")
_COLOURS = {
    "BROKEN": "1;31",
    "broken": "1;31",
    "RISKY": "1;33",
    "risky": "1;33",
    "UNSURE": "1;33",
    "PARTLY": "1;33",
    "UNKNOWN": "1;33",
    "unchecked": "1;33",
    "OK": "1;32",
}

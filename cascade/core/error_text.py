"""What an error text, a traceback or log lines name: the things that PostgreSQL says are not there, or refused."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum


class MentionKind(Enum):
    """What the text says of the thing."""

    RELATION = "relation"
    """A relation that does not exist."""

    COLUMN = "column"
    """A column that does not exist."""

    PART = "part"
    """A constraint, trigger, rule or policy of a relation that does not exist."""

    RIGHTS = "rights"
    """A relation that may not be used."""

    SCHEMA = "schema"
    """A schema that does not exist."""

    SCHEMA_RIGHTS = "schema rights"
    """A schema that may not be used."""

    QUOTED = "quoted"
    """Something in quotes, in a text whose language is not understood. It counts if it is the name of a table."""

    WORD = "word"
    """A bare word, the same, where nothing in quotes is the name of a table."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a text names, as the server printed it: without quotes, a schema before a dot.

    ``part`` is the column, or the constraint with its kind; ``name`` is then the table or what stands for it in the
    statement, empty where the text does not say. ``tables`` are those that the text says an alias stands for.
    ``longer`` are other readings of the name, longest first, where the text does not say where it ends.
    """

    kind: MentionKind
    name: str
    part: str = ""
    tables: tuple[str, ...] = ()
    longer: tuple[str, ...] = ()

    @property
    def is_guess(self) -> bool:
        """Whether the text may well mean something else."""
        return self.kind in (MentionKind.QUOTED, MentionKind.WORD)


def parse_error_text(text: str) -> tuple[Mention, ...]:
    """All that the text names, each once, in the order of the text.

    Only where no message of PostgreSQL's is understood are there guesses.

    >>> parse_error_text('django.db.utils.ProgrammingError: relation "bounty" does not exist')
    (Mention(kind=<MentionKind.RELATION: 'relation'>, name='bounty', part='', tables=(), longer=()),)
    >>> [(m.name, m.part) for m in parse_error_text('column T3.left_at does not exist')]
    [('T3', 'left_at')]
    """
    text = _plain(text)
    understood = tuple(dict.fromkeys(_mention(match) for match in _MESSAGE.finditer(text)))
    if understood:
        return tuple(_with_tables(mention, text) for mention in understood)
    return tuple(dict.fromkeys(_guesses(text)))


def _plain(text: str) -> str:
    """The text without what HTML, JSON, ``repr`` and word processors make of quotes and line breaks."""
    text = html.unescape(text)
    text = text.replace('\\"', '"').replace("\\'", "'").replace("\\r", "").replace("\\n", "\n")
    return text.translate(_QUOTES).replace("\r", "")


_QUOTES = str.maketrans(dict.fromkeys("“”„‟", '"'))

# Two identifiers of 63 bytes and a dot, and nobody's whole log. Quotes inside a name are printed as they are.
_NAME = r"(?:(?!does\s+not\s+exist)[^\n]){1,200}?"
_ABSENT = r"\s+does\s+not\s+exist"
_RELATION = r"(?:relation|table|foreign\s+table|view|materialized\s+view|sequence|index)"
_REST = r"[^\n]{1,200}"

_MESSAGE = re.compile(
    rf"""
      \bcolumn\s+"(?P<column>{_NAME})"\s+of\s+{_RELATION}\s+"(?P<its_table>{_NAME})"{_ABSENT}
    | \b(?P<part_kind>constraint|trigger|rule|policy)\s+"(?P<part>{_NAME})"
          \s+(?:of|for|on)\s+{_RELATION}\s+"(?P<part_table>{_NAME})"{_ABSENT}
    | \b{_RELATION}\s+"(?P<relation>{_NAME})"{_ABSENT}
    | \bschema\s+"(?P<schema>{_NAME})"{_ABSENT}
    | \bcolumn\s+"(?P<lone_column>{_NAME})"{_ABSENT}
    | \bcolumn\s+(?P<dotted>[^\s"]{_NAME}){_ABSENT}
    | \b(?:permission\s+denied\s+for|must\s+be\s+owner\s+of)\s+
          (?:schema\s+(?P<closed_schema>{_REST}) | {_RELATION}\s+(?P<closed>{_REST}))
    """,
    re.VERBOSE,
)


def _mention(match: re.Match[str]) -> Mention:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    match found:
        case {"column": column, "its_table": table}:
            return Mention(MentionKind.COLUMN, table, column)
        case {"part_kind": kind, "part": part, "part_table": table}:
            return Mention(MentionKind.PART, table, f"{kind} {part}")
        case {"relation": relation}:
            return Mention(MentionKind.RELATION, relation)
        case {"schema": schema}:
            return Mention(MentionKind.SCHEMA, schema)
        case {"lone_column": column}:
            return Mention(MentionKind.COLUMN, "", column)
        case {"dotted": dotted}:
            table, _, column = dotted.rpartition(".")
            return Mention(MentionKind.COLUMN, table, column)
        case {"closed_schema": rest}:
            return _open_ended(MentionKind.SCHEMA_RIGHTS, rest)
        case {"closed": rest}:
            return _open_ended(MentionKind.RIGHTS, rest)
    raise AssertionError(f"no group matched in {match[0]!r}")


def _open_ended(kind: MentionKind, rest: str) -> Mention:
    """A name without quotes, which ends the message: what follows on the line may belong to it or not."""
    rest = re.split(r"\s+at\s+character\s+\d+", rest, maxsplit=1)[0].rstrip()
    ends = [found.start() for found in re.finditer(r"""[\s"'),;\]}]|\.(?=[\s"']|$)""", rest) if found.start()]
    readings = [rest, *(rest[:end] for end in reversed(ends))]
    return Mention(kind, readings[-1], longer=tuple(dict.fromkeys(readings[:-1])))


def _with_tables(mention: Mention, text: str) -> Mention:
    """The mention with the tables that its alias stands for, where the text holds the statement."""
    if mention.kind is not MentionKind.COLUMN or not mention.name:
        return mention
    alias = rf'\s+(?:AS\s+)?"?{re.escape(mention.name)}"?(?![\w"])'
    quoted = re.findall(rf'"((?:[^"\n]|""){{1,200}})"{alias}', text, re.IGNORECASE)
    bare = re.findall(rf"\b(?:FROM|JOIN|UPDATE|INTO|,)\s+([\w.$]+){alias}", text, re.IGNORECASE)
    return replace(mention, tables=tuple(dict.fromkeys(name.replace('""', '"') for name in (*quoted, *bare))))


def _guesses(text: str) -> Iterator[Mention]:
    """Names in quotes, then bare words, without statements: they name healthy tables too."""
    lines = list(_without_statements(text.split("\n")))
    for line in lines:
        for groups in _QUOTED.findall(line):
            yield Mention(MentionKind.QUOTED, next(filter(None, groups)))
    for line in lines:
        for word in _WORD.findall(line):
            yield Mention(MentionKind.WORD, word)


_QUOTED = re.compile(r'"([^"\n]{1,200})"|»\s?([^«»\n]{1,200}?)\s?«|«\s?([^«»\n]{1,200}?)\s?»|「([^」\n]{1,200})」')
_WORD = re.compile(r"[a-z_][a-z0-9_$]*(?:\.[a-z_][a-z0-9_$]*){0,2}", re.IGNORECASE | re.ASCII)
_STATEMENT = re.compile(
    r"\b(?:select\b.*|insert\s+into|update\b.*\bset|delete\s+from|alter\s+table|create|drop|truncate|copy)\s",
    re.IGNORECASE,
)


def _without_statements(lines: list[str]) -> Iterator[str]:
    """The lines that are neither SQL, nor the excerpt above a caret, nor a traceback's file."""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        is_excerpt = bool(after.strip()) and not after.strip(" \t^~")
        if not (is_excerpt or _STATEMENT.search(line) or re.match(r'\s*File "', line)):
            yield line

"""Printed expressions, compared by what they say.

PostgreSQL does not always print again what it printed before: ``kind IN ('a', 'b')`` on a ``varchar`` comes back as
``(kind)::text = ANY ((ARRAY['a'::character varying, …])::text[])``, and once that has been read, as after pg_restore,
as ``… ANY (ARRAY[('a'::character varying)::text, …])``. The casts between its character types wander, and
parentheses with them; so both are left out of a comparison. So are schemas: where a function or type lies is a
matter of its own.
"""

import re
from collections.abc import Iterator


def same_expression(one: str | None, other: str | None) -> bool:
    """Whether two printed expressions or definitions say the same.

    >>> same_expression(
    ...     "CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
    ...     "CHECK (((kind)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
    ... )
    True
    >>> same_expression("CHECK ((a AND (b OR c)))", "CHECK (((a AND b) OR c))")
    False
    >>> same_expression("btree (lower((name)::text))", "btree (upper((name)::text))")
    False
    """
    return one == other or (one is not None and other is not None and normalised(one) == normalised(other))


def normalised(expression: str, *, casts: bool = True) -> str:
    """The expression without casts to character types, idle parentheses and schemas; made to be compared only.

    ``casts`` False leaves out all others too, which follow the types of the columns.

    >>> normalised("((public.unaccent((name)::text))::text ~~ 'a::text'::text)")
    "( unaccent f( name ) ~~ 'a::text' )"
    >>> normalised("(size >= (0)::numeric(4,2))", casts=False)
    '( size >= 0 )'
    """
    text = expression if casts else _CAST.sub("", expression)
    return " ".join(_words(_group(iter(_tokens(text)), "")))


_CAST = re.compile(
    r"""::\s*(?:"(?:[^"]|"")+"|[\w.]+(?:\s+(?:varying|precision|with(?:out)?\s+time\s+zone))?)(?:\([\d,]+\))?(?:\[\])*"""
)


# A string, a quoted name, a cast to a character type, a schema before a name, a word or number, an operator.
_TOKEN = re.compile(
    r"""
    (?P<string>[EBX]?'(?:[^']|'')*')
    | (?P<cast>::\s*(?:text|character\s+varying|character|varchar|bpchar)(?![\w"])(?:\(\d+\))?(?:\[\])*)
    | (?P<schema>(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)\.(?=["\w]))
    | (?P<word>"(?:[^"]|"")+"|[\w$.]+)
    | (?P<bracket>[()\[\]])
    | (?P<operator>::|[^\s\w"'()\[\],]+|,)
    """,
    re.VERBOSE,
)

_CLOSING = {"(": ")", "[": "]"}

_Node = str | list["_Node"]


def _tokens(expression: str) -> Iterator[str]:
    """The tokens that count. The bracket of a function's arguments, which follows without a space, is ``f(``."""
    end_of_word = -1
    for match in _TOKEN.finditer(expression):
        if match.lastgroup in ("cast", "schema"):
            continue
        yield "f(" if match[0] == "(" and match.start() == end_of_word else match[0]
        end_of_word = match.end() if match.lastgroup == "word" else -1


def _group(tokens: Iterator[str], closing: str) -> list[_Node]:
    """What stands up to the closing bracket; a group of one is that one, a function and its arguments are one."""
    group: list[_Node] = []
    for token in tokens:
        if token == closing:
            break
        if token == "f(":
            group.append([group.pop(), "f(", *_group(tokens, ")"), ")"])
        elif token in _CLOSING:
            inner = _group(tokens, _CLOSING[token])
            idle = token == "(" and len(inner) == 1
            group.append(inner[0] if idle else [token, *inner, _CLOSING[token]])
        else:
            group.append(token)
    return group


def _words(group: list[_Node]) -> Iterator[str]:
    for node in group:
        if isinstance(node, str):
            yield node
        else:
            yield from _words(node)

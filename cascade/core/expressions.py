"""Printed expressions, compared by what they say.

PostgreSQL does not always print again what it printed before: ``kind IN ('a', 'b')`` on a ``varchar`` comes back as
``(kind)::text = ANY ((ARRAY['a'::character varying, …])::text[])``, and once that has been read, as after pg_restore,
as ``… ANY (ARRAY[('a'::character varying)::text, …])``. The casts between its character types wander, and
parentheses with them; so both are left out of a comparison, but for a cast that cuts off, to ``varchar(5)``. So are
schemas: where a function, operator or type lies is a matter of its own.

What ``AT TIME ZONE`` made before PostgreSQL 14 is the call of a function for ever, in every later version that it is
restored to (``COERCE_SQL_SYNTAX``, by which it is told since, is ignored where expressions are compared in there too).
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
    >>> normalised("((made AT TIME ZONE 'UTC'::text))::date") == normalised("(timezone('UTC'::text, made))::date")
    True
    >>> normalised("((code)::character varying(5))::text")
    '( code ::character varying(5) )'
    >>> normalised("(name OPERATOR(public.%) 'abc'::text)")
    "( name OPERATOR f( % ) 'abc' )"
    """
    text = expression if casts else _CAST.sub("", expression)
    return " ".join(_words(_group(iter(_tokens(text)), "")))


_CAST = re.compile(
    r"""::\s*(?:"(?:[^"]|"")+"|[\w.]+(?:\s+(?:varying|precision|with(?:out)?\s+time\s+zone))?)(?:\([\d,]+\))?(?:\[\])*"""
)


# A string, a cast to a character type, one that cuts off, a schema before a name or operator, a name, word or number,
# an operator.
_TOKEN = re.compile(
    r"""
    (?P<string>[EBX]?'(?:[^']|'')*')
    | (?P<cutting>::character(?:\ varying)?\(\d+\)(?:\[\])*)
    | (?P<cast>::\s*(?:text|character\s+varying|character|varchar|bpchar)(?![\w"])(?:\[\])*)
    | (?P<schema>(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)\.(?=["\w+\-*/<>=~!@#%^&|`?]))
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
            inner = _as_call(_group(tokens, _CLOSING[token]))
            idle = token == "(" and len(inner) == 1
            group.append(inner[0] if idle else [token, *inner, _CLOSING[token]])
        else:
            group.append(token)
    return group


def _as_call(group: list[_Node]) -> list[_Node]:
    """``moment AT TIME ZONE zone`` as ``timezone(zone, moment)``: PostgreSQL prints it in brackets of its own."""
    for position in range(len(group)):
        if group[position : position + 3] == ["AT", "TIME", "ZONE"]:
            moment, zone = group[:position], group[position + 3 :]
            return [["timezone", "f(", *zone, ",", *moment, ")"]]
    return group


def _words(group: list[_Node]) -> Iterator[str]:
    for node in group:
        if isinstance(node, str):
            yield node
        else:
            yield from _words(node)

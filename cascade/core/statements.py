"""What a statement does to its transaction, by its words alone."""

import re
from collections.abc import Iterator
from enum import Enum


class StatementKind(Enum):
    """What matters of a statement to the transaction that it runs in."""

    CONTROL = "control"
    """It begins, ends or prepares a transaction: COMMIT, ROLLBACK, PREPARE TRANSACTION and their like."""

    SAVEPOINT = "savepoint"
    """SAVEPOINT, RELEASE, ROLLBACK TO."""

    CONSTRAINTS = "constraints"
    """SET CONSTRAINTS: deferred checks may run now."""

    WRITE = "write"
    """It may change rows."""

    OTHER = "other"


def kind_of_statement(sql: str) -> StatementKind:
    """What it is; of several statements in one text that which comes first in ``StatementKind``.

    >>> kind_of_statement("/* done */ commit"), kind_of_statement("ROLLBACK TO SAVEPOINT s1")
    (<StatementKind.CONTROL: 'control'>, <StatementKind.SAVEPOINT: 'savepoint'>)
    >>> kind_of_statement("UPDATE t SET a = ';COMMIT'"), kind_of_statement("UPDATE t SET a = 1; COMMIT")
    (<StatementKind.WRITE: 'write'>, <StatementKind.CONTROL: 'control'>)
    """
    kinds = {_kind(words) for words in _beginnings(sql)}
    return next((kind for kind in StatementKind if kind in kinds), StatementKind.OTHER)


def control_word(sql: str) -> str:
    """The word by which a text begins or ends a transaction.

    >>> control_word("UPDATE t SET a = 1; commit")
    'COMMIT'
    """
    return next((words[0] for words in _beginnings(sql) if _kind(words) is StatementKind.CONTROL), "")


def _beginnings(sql: str) -> Iterator[tuple[str, ...]]:
    """The first words of each statement in the text, in capitals."""
    for statement in _OPAQUE.sub(" ", sql).split(";"):
        words = statement.replace("(", " ").split(maxsplit=4)[:4]
        if words:
            yield tuple(word.upper() for word in words)


_OPAQUE = re.compile(
    r"""
      --[^\n]* | /\*.*?\*/
    | [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
    | \$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$
    """,
    re.VERBOSE | re.DOTALL,
)
"""What can hold a semicolon that ends nothing."""


def _kind(words: tuple[str, ...]) -> StatementKind:
    match words:
        case ("ROLLBACK", "TO", *_) | ("ROLLBACK", "TRANSACTION" | "WORK", "TO", *_) | ("SAVEPOINT" | "RELEASE", *_):
            return StatementKind.SAVEPOINT
        case ("COMMIT" | "END" | "ROLLBACK" | "ABORT" | "BEGIN", *_) | ("START" | "PREPARE", "TRANSACTION", *_):
            return StatementKind.CONTROL
        case ("SET", "CONSTRAINTS", *_):
            return StatementKind.CONSTRAINTS
        case ("INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY" | "WITH" | "CALL" | "DO" | "TRUNCATE", *_):
            return StatementKind.WRITE
        case _:
            return StatementKind.OTHER

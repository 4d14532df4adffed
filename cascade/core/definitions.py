"""What the definitions of a table say of its columns."""

import re
from collections.abc import Iterable

from cascade.core.layout import Column, ConstraintKind, Table


def is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    """Whether no two rows can have the same values in exactly these columns."""
    wanted = set(columns)
    return any(
        set(constraint.columns) == wanted
        for constraint in table.constraints
        if constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
    ) or any(
        index.unique and set(index.columns) == wanted and " WHERE " not in (index.tail or "") for index in table.indexes
    )


def computed_from(column: Column, table: Table) -> list[Column]:
    """The columns that a generated column's expression speaks of; none of them is generated itself."""
    return [c for c in table.columns if column.generated and not c.generated and mentions(column.default, c.name)]


def absent_columns(text: str | None, columns: Iterable[str], expected: Table, found: Table) -> list[str]:
    """Of the columns that a constraint or index is about, or that its text speaks of, those which ``found`` lacks."""
    named = set(columns)
    return [
        column.name
        for column in expected.columns
        if found.column(column.name) is None and (column.name in named or mentions(text, column.name))
    ]


def mentions(text: str | None, column: str) -> bool:
    """Whether a printed expression may speak of the column.

    >>> mentions("btree (lower(name))", "name"), mentions("btree (surname)", "name")
    (True, False)
    """
    bare = rf"(?<![\w\"$]){re.escape(column)}(?![\w\"$])"
    return text is not None and (
        re.search(bare, text) is not None or f'"{column.replace(chr(34), chr(34) * 2)}"' in text
    )

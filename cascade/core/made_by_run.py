"""What one run of ``migrate`` made, by the states before and after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cascade.core.history import MigrationKey
from cascade.core.layout import TableName


@dataclass(frozen=True, slots=True)
class StateTable:
    """A table of a migration state with its columns; the schema of ``name`` is ``""`` where the state names none.

    ``migration`` is the one of the run that names its model first, or else the last of its app.
    """

    name: TableName
    app: str
    model: str
    columns: tuple[str, ...]
    migration: MigrationKey | None = None


States = Mapping[TableName, StateTable]
"""The tables of a migration state by their names."""


def made_between(before: States, after: States) -> tuple[StateTable, ...]:
    """What the second state has and the first has not: whole tables, and of the others the columns that are new.

    What was renamed counts as made under its new name.
    """
    new = []
    for key, table in after.items():
        earlier = before[key].columns if key in before else ()
        columns = tuple(column for column in table.columns if column not in earlier)
        if columns or key not in before:
            new.append(replace(table, columns=columns))
    return tuple(new)

"""What migrations once wrote into tables: it is not written again when a table or column is made anew."""

from collections.abc import Iterable
from dataclasses import dataclass

from cascade.core.expected import ExpectedTable
from cascade.core.history import Provenance


@dataclass(frozen=True, slots=True)
class DataMigration:
    """An applied operation that may have written rows: Python, or SQL with INSERT, UPDATE, COPY or MERGE.

    ``words`` are the names that it uses and those in its texts, in lower case. What it did is not known, since
    nothing is run; that it names a table is reason enough to look.
    """

    made_by: Provenance
    words: frozenset[str]

    def __str__(self) -> str:
        """``shop.0042_seed (shop/migrations/0042_seed.py:12-14)``."""
        return (
            f"{self.made_by.migration} ({self.made_by.source})" if self.made_by.source else str(self.made_by.migration)
        )


def writers_of(
    table: ExpectedTable, columns: Iterable[str], migrations: Iterable[DataMigration]
) -> tuple[DataMigration, ...]:
    """Those that name the table or its model, and one of the columns or their fields where any are given."""
    columns = set(columns)
    parts = {c.lower() for c in columns} | {f.name.lower() for f in table.fields if f.column in columns}
    app, _, model = table.own_model.lower().rpartition(".")

    def names(words: frozenset[str]) -> bool:
        of_model = bool(model) and (f"{app}.{model}" in words or {app, model} <= words)
        return of_model or table.name.name.lower() in words

    return tuple(m for m in migrations if names(m.words) and (not parts or not parts.isdisjoint(m.words)))

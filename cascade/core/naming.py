"""The table that a person means by a name."""

from collections.abc import Iterable

from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.history import MigrationKey
from cascade.errors import CascadeError, NoSuchName


def find_table(name: str, expected: ExpectedLayout) -> ExpectedTable:
    """The expected table of that name: ``table``, ``schema.table``, ``app.Model``, or one of the first and last
    without its app, where only one table has it.

    Raises ``NoSuchName`` with the nearest names, and ``CascadeError`` for a table that a pending migration makes.
    """
    by_name: dict[str, ExpectedTable] = {}
    for table in expected.tables.values():
        by_name.setdefault(table.name.name, table)
        by_name.setdefault(f"{table.name.schema}.{table.name.name}", table)
        if table.own_model:
            by_name[table.own_model.lower()] = table
    found = by_name.get(name) or by_name.get(name.lower())
    if found is None:
        # The name without its app: bounty, or the model's class alone.
        short = [t for t in expected.tables.values() if not t.through_field and name.lower() in _short_names(t)]
        if len(short) == 1:
            return short[0]
        makers = [migration.key for migration in expected.pending if name.lower() in migration.tables]
        if makers:
            raise yet_to_come(name, makers[0])
        known: Iterable[str] = [t.name.name for t in expected.tables.values()]
        models = [t.own_model for t in expected.tables.values() if t.own_model]
        raise NoSuchName("table", name, [t.name.name for t in short] or [*known, *models])
    return found


def yet_to_come(name: str, maker: MigrationKey) -> CascadeError:
    """That a table is not there because the migration that makes it did not run, which is no drift."""
    return CascadeError(
        f'There is no table "{name}" yet: {maker} makes it, and is not recorded as applied.',
        hint="python manage.py migrate makes it.",
    )


def _short_names(table: ExpectedTable) -> set[str]:
    return {table.name.name.removeprefix(f"{table.app}_").lower(), table.model.rpartition(".")[2].lower()}

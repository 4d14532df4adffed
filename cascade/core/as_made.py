"""The expected tables as the migrations themselves made them, whatever the models' state says of their parts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cascade.core.expected import ExpectedTable
from cascade.core.history import HISTORY_TABLE, Provenance
from cascade.core.layout import Column, RowEvidence, Table, TableName


def tables_as_made(
    modelled: Iterable[ExpectedTable],
    fills: Mapping[TableName, Mapping[str, str]],
    read: Iterable[Table],
    made_by: Mapping[TableName, Provenance],
) -> dict[TableName, ExpectedTable]:
    """The tables that were read where the migrations had run, those of ``modelled`` with all that is known of them.

    A model's table that is not among them is not expected: a migration dropped it. One that no model has is
    expected where ``made_by`` says which migration made it. ``fills`` are constants that old rows may take, by column.
    """
    known = {table.name: table for table in modelled}
    found = {}
    for table in read:
        if not _is_of_a_migration(table):
            continue
        expected = known.get(table.name) or _without_model(table, made_by.get(table.name))
        if expected is not None:
            found[table.name] = replace(expected, table=_made(table, fills.get(table.name, {})), compared=True)
    return dict(sorted(found.items()))


def _is_of_a_migration(table: Table) -> bool:
    return table.kind.holds_rows and not table.extension and not table.is_partition and table.name.name != HISTORY_TABLE


def _without_model(table: Table, made_by: Provenance | None) -> ExpectedTable | None:
    if made_by is None:
        return None
    return ExpectedTable(table, app=made_by.migration.app, model="", made_by=made_by)


def _made(table: Table, fills: Mapping[str, str]) -> Table:
    """The definitions alone: what is the scratch database's own, such as rows and owner, says nothing."""
    return replace(
        table,
        columns=tuple(_column(column, fills.get(column.name)) for column in table.columns),
        owner="",
        oid=0,
        pages=0,
        rows=RowEvidence(),
        grants=(),
        counters=(),
    )


def _column(column: Column, fill: str | None) -> Column:
    """An identity's sequence is PostgreSQL's affair."""
    return replace(column, fill=fill, sequence=None if column.identity else column.sequence)

"""What a postmortem has to show of each table with a finding: its origin, its definition, and what was found.

It stands in the plan's JSON, so that a report can be written from that file when the database is another already.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cascade.core.actions import AddForeignKey, CreateTable
from cascade.core.answer import Answer
from cascade.core.documents import NewJSON
from cascade.core.expected import ExpectedTable
from cascade.core.findings import Severity
from cascade.core.history import Provenance
from cascade.core.layout import Constraint, ConstraintKind, Index, Table, TableName
from cascade.render.sql import NotRenderable, render_action


def table_documents(answer: Answer) -> list[NewJSON]:
    """The expected tables with a broken or risky finding, in scope or left out, in the order of history."""
    drifts = (*answer.plan.drifts, *answer.plan.left_out)
    concerned = {drift.table for drift in drifts if drift.severity is not Severity.NOTE}
    tables = [expected for name, expected in answer.expected.tables.items() if name in concerned]
    in_order = sorted(tables, key=lambda table: (table.made_by.order, table.state_position, table.name))
    return [_table(expected, answer) for expected in in_order]


def found_in(name: TableName, answer: Answer) -> list[NewJSON]:
    """Where relations of that name lie, the place where it belongs first."""
    return [{"schema": copy.name.schema, "oid": copy.oid} for copy in _copies(name, answer)]


def record_documents(answer: Answer) -> list[NewJSON]:
    """The migrations that are recorded as applied, in the order of the recorder's ids."""
    history = answer.observed.history(answer.placement.target)
    records = history.records if history else ()
    return [
        {"migration": str(record.key), "applied": record.applied, "position": record.position} for record in records
    ]


def _table(expected: ExpectedTable, answer: Answer) -> NewJSON:
    table = expected.table
    return {
        "schema": table.name.schema,
        "table": table.name.name,
        "app": expected.app,
        "model": expected.model,
        "model_source": str(expected.model_source) if expected.model_source else None,
        "fields": [{"name": field.name, "type": field.type, "column": field.column} for field in expected.fields],
        **_origin(expected.made_by),
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "nullable": column.nullable,
                "migration": str(expected.column_made_by.get(column.name, expected.made_by).migration),
            }
            for column in table.columns
        ],
        "constraints": [_constraint(c) for c in table.constraints if c.kind is not ConstraintKind.NOT_NULL],
        "indexes": [_index(index) for index in table.indexes if index.constraint is None],
        "sql": list(_sql(expected)),
        "found": [_found(copy) for copy in _copies(table.name, answer)],
    }


def _origin(made_by: Provenance) -> NewJSON:
    return {
        "migration": str(made_by.migration),
        "operation": made_by.operation,
        "applied": made_by.applied,
        "source": str(made_by.source) if made_by.source else None,
    }


def _constraint(constraint: Constraint) -> NewJSON:
    return {
        "name": constraint.name,
        "kind": constraint.kind.value,
        "columns": list(constraint.columns),
        "definition": constraint.definition or _key(constraint),
    }


def _key(constraint: Constraint) -> str:
    """A foreign key of the expected side is known by its parts, not by a text."""
    to = constraint.references
    return (
        f"FOREIGN KEY ({', '.join(constraint.columns)}) REFERENCES {to.table} ({', '.join(to.columns)})" if to else ""
    )


def _index(index: Index) -> NewJSON:
    return {
        "name": index.name,
        "columns": list(index.columns),
        "unique": index.unique,
        "definition": index.tail or "",
    }


def _sql(expected: ExpectedTable) -> Iterator[str]:
    """The statements that make the table as the applied migrations leave it; none where that is not known."""
    if not expected.compared:
        return
    table = expected.table
    bare = replace(table, constraints=tuple(c for c in table.constraints if c.kind is not ConstraintKind.FOREIGN_KEY))
    try:
        statements = [
            *render_action(CreateTable(bare)),
            *(sql for key in table.foreign_keys for sql in render_action(AddForeignKey(table.name, key))),
        ]
    except NotRenderable:
        return
    yield from statements


def _copies(name: TableName, answer: Answer) -> Iterable[Table]:
    copies = answer.observed.layout.copies.get(name.name, ())
    return sorted(copies, key=lambda copy: (copy.name != name, copy.name))


def _found(copy: Table) -> NewJSON:
    """A relation as it was found; rows are null where nobody counted, and then perhaps estimated."""
    return {
        "schema": copy.name.schema,
        "oid": copy.oid,
        "owner": copy.owner,
        "comment": copy.comment,
        "rows": copy.rows.counted if copy.rows.exact else None,
        "estimate": copy.rows.estimate,
        "columns": [column.name for column in copy.columns],
        "constraints": [c.name for c in copy.constraints if c.kind is not ConstraintKind.NOT_NULL],
        "indexes": [index.name for index in copy.indexes if index.constraint is None],
    }

"""The graph of tables for programs: node-link data, as networkx reads and writes it.

``networkx.node_link_graph(json.load(file), edges="edges")`` makes a ``MultiDiGraph`` of it.
"""

from typing import Any

from cascade.core.answer import Answer
from cascade.core.table_map import MappedKey, MappedTable, TableMap
from cascade.render.json_text import json_text
from cascade.render.plan_json import IN_PLACE

SCHEMA_VERSION = 1
"""Grows when a program that reads the old form could be misled by the new one."""


def render_graph_json(answer: Answer, tables: TableMap) -> str:
    """Every table and every key between two of them, nothing folded, in a decided order."""
    return json_text(graph_document(answer, tables))


def graph_document(answer: Answer, tables: TableMap) -> dict[str, Any]:
    """The same as values. ``status`` is the kind of the worst finding, or ``in_place``."""
    names = {table.name for table in tables.tables}
    return {
        "directed": True,
        "multigraph": True,
        "graph": {
            "schema_version": SCHEMA_VERSION,
            "database": answer.observed.database,
            "read_at": answer.observed.read_at,
            "target_schema": answer.placement.target,
            "application_role": answer.placement.role,
            "plan_id": answer.plan_id,
            "complete": answer.complete,
            "scope": tables.scope,
            "tables": tables.of_all,
        },
        "nodes": [_node(table) for table in tables.tables],
        "edges": [_edge(key) for key in tables.keys if key.to in names],
    }


def _node(table: MappedTable) -> dict[str, Any]:
    worst = table.findings[0] if table.findings else None
    return {
        "id": str(table.name),
        "schema": table.name.schema,
        "table": table.name.name,
        "app": table.app,
        "model": table.model,
        "migration": str(table.made_by),
        "source": str(table.source) if table.source else None,
        "found_in": list(table.places),
        "status": worst.kind.value if worst else IN_PLACE,
        "severity": worst.severity.value if worst else None,
        "findings": [drift.id for drift in table.findings],
    }


def _edge(key: MappedKey) -> dict[str, Any]:
    reference = key.constraint.references
    return {
        "source": str(key.table),
        "target": str(key.to),
        "key": key.constraint.name,
        "columns": list(key.constraint.columns),
        "references": list(reference.columns) if reference else [],
        "status": key.finding.kind.value if key.finding else IN_PLACE,
        "finding": key.finding.id if key.finding else None,
    }

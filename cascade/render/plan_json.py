"""The answer for programs: the contract that ``plan.schema.json`` describes.

Nobody has to parse a sentence: what a step does stands in ``action`` and ``details``. No row's value and no
password is in it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.resources import files
from typing import Any

from cascade.core.actions import Action, AddForeignKey, CreateTable, ExchangeTable, MoveTable, action_name
from cascade.core.answer import Answer
from cascade.core.causes import Cause
from cascade.core.documents import NewJSON
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import Severity
from cascade.core.layout import Column, Constraint, Dependant, Index, RowEvidence, TableName, UsedObject
from cascade.core.plan import Chain, Hazard, Step
from cascade.core.stopgap import Stopgap
from cascade.render.appearance import appearance_of
from cascade.render.evidence import found_in, record_documents, table_documents
from cascade.render.json_text import json_text
from cascade.render.sentences import object_name
from cascade.render.sql import render_action, render_undo

SCHEMA_VERSION = 1
"""Grows when a program that reads the old form could be misled by the new one."""

IN_PLACE = "in_place"
"""The status of a table without a finding."""


def render_plan_json(answer: Answer) -> str:
    """The answer as JSON: indented by 2, keys and lists in a decided order, letters unescaped, one final newline."""
    return json_text(plan_document(answer))


def plan_document(answer: Answer) -> NewJSON:
    """The same as values, in the order of the contract."""
    return {
        "schema_version": SCHEMA_VERSION,
        "plan_id": answer.plan_id,
        "complete": answer.complete,
        "not_checked": [{"what": gap.what, "why": gap.why, "how": gap.how} for gap in answer.not_checked],
        "source_revision": answer.expected.source_revision,
        **setting_document(answer),
        "question": dict(answer.question),
        "fingerprint": answer.fingerprint,
        "scope": answer.plan.scope,
        "drifts": [drift_document(drift, answer) for drift in answer.plan.drifts],
        "causes": [_cause(cause) for cause in answer.causes],
        "steps": [_step(step, answer.placement.target) for step in answer.plan.steps],
        "cascade": [chain_document(chain) for chain in answer.plan.chains],
        "left_out": [drift_document(drift, answer) for drift in answer.plan.left_out],
        "ignored": [{"reason": reason, "drift": drift_document(drift, answer)} for drift, reason in answer.ignored],
        "stopgap": _stopgap(answer.stopgap) if answer.stopgap else None,
        "notes": list(answer.notes),
        "nodes": _nodes(answer),
        "edges": _edges(answer.expected.tables),
        "tables": table_documents(answer),
        "records": record_documents(answer),
    }


def plan_schema() -> NewJSON:
    """The JSON schema of a plan, which ships with the package."""
    text = files("cascade.render").joinpath("plan.schema.json").read_text(encoding="utf-8")
    schema: NewJSON = json.loads(text)
    return schema


def setting_document(answer: Answer) -> NewJSON:
    """What was read, when, as whom, and where names lead."""
    observed, placement = answer.observed, answer.placement
    return {
        "host": answer.host,
        "server_version": observed.server.short_version,
        "server_version_num": observed.server.version_num,
        "in_recovery": observed.server.in_recovery,
        "database": observed.database,
        "read_at": observed.read_at,
        "connected_as": observed.connected_as,
        "application_role": placement.role,
        "search_path": placement.path.setting,
        "search_path_source": placement.path.where,
        "search_path_effective": list(placement.path.effective),
        "search_path_skipped": [{"schema": skipped.name, "why": skipped.why} for skipped in placement.path.skipped],
        "target_schema": placement.target,
        "target_because": placement.target_because,
        "creation_schema": placement.creation_schema,
        "expected": {
            "tables": len(answer.expected.tables),
            "applied_migrations": answer.expected.applied_count,
            "reference": answer.expected.reference,
        },
    }


def drift_document(drift: Drift, answer: Answer) -> NewJSON:
    """One finding."""
    made_by = drift.made_by
    return {
        "id": drift.id,
        "kind": drift.kind.value,
        "severity": drift.severity.value,
        "name": object_name(drift, answer),
        "schema": drift.table.schema if drift.table else None,
        "table": drift.table.name if drift.table else None,
        "object": drift.object,
        "columns": list(drift.columns),
        "constraint_type": drift.constraint_type.value if drift.constraint_type else None,
        "aspects": list(drift.aspects),
        "expected": drift.expected,
        "observed": drift.observed,
        "evidence": list(drift.evidence),
        "query": drift.query,
        "app": drift.app,
        "model": drift.model,
        "migration": str(made_by.migration) if made_by else None,
        "operation": made_by.operation if made_by else None,
        "applied": made_by.applied if made_by else None,
        "source": str(made_by.source) if made_by and made_by.source else None,
        "copies": _copies(drift),
        "consequences": list(drift.consequences),
        "explained_by": drift.explained_by,
        "undecided": drift.undecided,
        "decision": drift.decision,
    }


def _copies(drift: Drift) -> list[NewJSON]:
    """Where the table lies outside the target. Rows that nobody looked at are null."""
    rows: tuple[RowEvidence | None, ...] = drift.rows or (None,) * len(drift.copies)
    return [{**_table(copy), "rows": _rows(known)} for copy, known in zip(drift.copies, rows, strict=True)]


def _rows(rows: RowEvidence | None) -> NewJSON | None:
    """``counted`` is exact where ``exact`` says so; else there are more rows than that, or nobody counted."""
    if rows is None:
        return None
    return {
        "counted": rows.counted if rows.exact or rows.counted is None else RowEvidence.COUNT_LIMIT,
        "exact": rows.exact,
        "estimate": rows.estimate,
        "unknown_because": rows.unknown_because,
    }


def _cause(cause: Cause) -> NewJSON:
    return {
        "verdict": cause.verdict.value,
        "sentence": cause.sentence,
        "first": cause.first,
        "last": cause.last,
        "migrations": [str(migration) for migration in cause.migrations],
        "evidence_for": list(cause.evidence_for),
        "evidence_against": list(cause.evidence_against),
        "others": list(cause.others),
        "drifts": list(cause.drifts),
    }


def _step(step: Step, target: str) -> NewJSON:
    appearance = appearance_of(step.action, target)
    return {
        "id": step.id,
        "position": step.position,
        "wave": step.wave,
        "action": action_name(type(step.action)),
        "phase": step.phase.value,
        **_table(step.table),
        "object": step.object,
        "what": appearance.what,
        "way": appearance.way,
        "sort": appearance.band,
        "details": _details(step.action),
        "cures": list(step.cures),
        "waits_for": list(step.waits_for),
        "hazards": [_hazard(hazard) for hazard in step.hazards],
        "locks": [{**_table(lock.table), "mode": lock.mode.value, "healthy": lock.healthy} for lock in step.locks],
        "sql": list(render_action(step.action)),
        "undo": list(render_undo(step.action)),
    }


def _hazard(hazard: Hazard) -> NewJSON:
    return {
        "kind": hazard.kind.value,
        "sentence": hazard.sentence,
        "needs_consent": hazard.kind.needs_consent,
        "sql": list(hazard.sql),
    }


def _details(action: Action) -> NewJSON:
    """What the action needs to be known, so that nobody has to parse its SQL: by the names of its parts."""
    match action:
        case MoveTable(table, to):
            return {"from": _table(table), "to": _table(to)}
        case ExchangeTable(table, to):
            places = {"from": _table(table), "to": _table(to)}
            return {**places, "attic": action.attic, "is_shell": action.is_shell, "carried": _part(action.carried)}
        case CreateTable(made):
            return {
                "columns": [_column(column) for column in made.columns],
                "constraints": [constraint.name for constraint in made.constraints],
                "indexes": [index.name for index in made.indexes if index.constraint is None],
            }
        case AddForeignKey(_, constraint):
            return _key(constraint)
        case _:
            parts = ((field.name, getattr(action, field.name)) for field in fields(action) if field.name != "table")
            return {name: _part(value) for name, value in parts}


def _part(value: Any) -> Any:
    """A part of an action as JSON: a definition by what tells it from others."""
    match value:
        case Column():
            return _column(value)
        case Constraint(references=None):
            return {"name": value.name, "kind": value.kind.value, "columns": list(value.columns)}
        case Constraint():
            return _key(value)
        case Index():
            return {"name": value.name, "columns": list(value.columns), "unique": value.unique}
        case TableName():
            return _table(value)
        case UsedObject() | Dependant():
            return {"kind": value.kind, "name": value.name}
        case tuple():
            return [_part(one) for one in value]
        case _:
            return value


def _column(column: Column) -> NewJSON:
    return {"name": column.name, "type": column.type, "nullable": column.nullable}


def _key(constraint: Constraint) -> NewJSON:
    reference = constraint.references
    return {
        "name": constraint.name,
        "columns": list(constraint.columns),
        "references": {**_table(reference.table), "columns": list(reference.columns)} if reference else None,
    }


def chain_document(chain: Chain) -> NewJSON:
    """The order in which failures surface, as the contract has it."""
    return {"start": chain.start, "source": chain.source, "probe": chain.probe, "objects": list(chain.objects)}


def _stopgap(stopgap: Stopgap) -> NewJSON:
    return {
        "available": bool(stopgap.sql),
        "schema": stopgap.schema,
        "sql": stopgap.sql,
        "reverse": stopgap.reverse,
        "restart": stopgap.restart,
        "refused_because": list(stopgap.refused_because),
    }


def _nodes(answer: Answer) -> list[NewJSON]:
    """The expected tables; ``status`` is the kind of the worst finding on each, in scope or left out."""
    worst: dict[TableName, Drift] = {}
    for drift in (*answer.plan.drifts, *answer.plan.left_out):
        if drift.table is not None and drift.severity is not Severity.NOTE:
            known = worst.get(drift.table)
            if known is None or drift.severity.rank < known.severity.rank:
                worst[drift.table] = drift
    return [
        {
            **_table(name),
            "app": expected.app,
            "model": expected.model,
            "status": worst[name].kind.value if name in worst else IN_PLACE,
            "found": found_in(name, answer),
        }
        for name, expected in sorted(answer.expected.tables.items())
    ]


def _edges(tables: Mapping[TableName, ExpectedTable]) -> list[NewJSON]:
    """The foreign keys between expected tables, from the referencing table on, by table and columns."""
    return [
        {**_table(name), **_key(key)}
        for name, expected in sorted(tables.items())
        for key in _sorted_keys(expected.table.foreign_keys)
        if key.references is not None and key.references.table in tables
    ]


def _sorted_keys(keys: Iterable[Constraint]) -> list[Constraint]:
    return sorted(keys, key=lambda key: (key.columns, key.name))


def _table(name: TableName) -> NewJSON:
    return {"schema": name.schema, "table": name.name}

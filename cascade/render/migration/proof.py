"""The proof at the end: what has to hold, and what does not in one error."""

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet

from cascade.core.actions import (
    AddConstraint,
    AddForeignKey,
    CreateIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
)
from cascade.core.detection.indexes import is_optional
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.layout import Column, ConstraintKind, TableName
from cascade.core.meanwhile import is_beside
from cascade.core.repair_migrations import RepairMigration, left_columns
from cascade.render.migration.guards import TYPE, has_constraint, has_index, has_key, oid_of
from cascade.render.migration.placing import PLACING
from cascade.render.sql import literal


def prove(
    migration: RepairMigration, expected: ExpectedLayout, drifts: Collection[Drift], target: str
) -> Iterator[str]:
    """What has to hold; what does not is named in one error. What no step cures is not looked at."""
    left = {(drift.table, drift.object) for drift in left_columns(migration, drifts)}
    cured = {cure for step in migration.steps for cure in step.cures}
    differs = {(drift.table, drift.object) for drift in drifts if drift.id not in cured}
    placed = {step.table for step in migration.steps if isinstance(step.action, PLACING)}
    for table in dict.fromkeys(step.table for step in migration.steps):
        if table in expected.tables and expected.tables[table].compared:
            columns = [c for c in expected.tables[table].table.columns if (table, c.name) not in left]
            strict = {c.name for c in columns if table in placed and (table, c.name) not in differs}
            yield from _table_proof(table, columns, strict, target)
            if table in placed:
                yield from _parts_proof(expected.tables[table], {name for of, name in differs if of == table}, target)
    for step in migration.steps:
        match step.action:
            case AddForeignKey(table, key):
                yield from _claim(has_key(table, key, target), f"the foreign key {key.name} of {table.name}")
            case RepointForeignKey(table, _, key):
                holds = has_key(table, key, target, alike=True)
                yield from _claim(holds, f"the foreign key {key.name} of {table.name}")
            case AddConstraint(table, constraint) | ReplaceConstraint(table, _, constraint):
                holds = has_constraint(oid_of(table, target), constraint)
                yield from _claim(holds, f"the constraint {constraint.name} of {table.name}")
            case CreateIndex(index=index) if is_beside(index):
                pass  # it is the constraint's
            case CreateIndex(table, index) | ReplaceIndex(table, _, index):
                yield from _claim(has_index(oid_of(table, target), index), f"the index {index.name} of {table.name}")
            case _:
                pass  # a table or column, which is looked at above
    yield "  IF cardinality(problems) > 0 THEN"
    yield "    RAISE EXCEPTION 'the repair is not complete: %', array_to_string(problems, '; ')"
    yield "      USING HINT = 'Nothing was changed, and nothing is recorded.';"
    yield "  END IF;"


def _table_proof(table: TableName, columns: Iterable[Column], strict: Collection[str], target: str) -> Iterator[str]:
    """The columns by name and type, and by whether they may be NULL those that are ``strict``."""
    oid = oid_of(table, target)
    lines = [
        f"({literal(column.name)}, {literal(column.bare_type)}, "
        f"{'NULL::boolean' if column.name not in strict else str(not column.nullable).lower()})"
        for column in columns
    ]
    if not lines:
        return
    yield "  problems := problems || ARRAY("
    yield f"    SELECT format('%s.%s is not a column of type %s%s', {literal(table.name)}, w.name, w.type,"
    yield "      CASE w.not_null WHEN true THEN ' NOT NULL' WHEN false THEN ' that may be NULL' END)"
    yield f"    FROM (VALUES {', '.join(lines)}) AS w (name, type, not_null)"
    yield f"    LEFT JOIN pg_attribute a ON a.attrelid = {oid} AND a.attname = w.name AND NOT a.attisdropped"
    yield f"    WHERE a.attname IS NULL OR {TYPE} <> w.type OR a.attnotnull <> w.not_null"
    yield "    ORDER BY w.name);"


def _parts_proof(expected: ExpectedTable, differs: AbstractSet[str], target: str) -> Iterator[str]:
    """The constraints and indexes of a placed table, but for those that differ, or are over what does."""
    table, oid = expected.table, oid_of(expected.name, target)
    for constraint in table.constraints:
        is_same = differs.isdisjoint((constraint.name, *constraint.columns))
        if constraint.kind not in _CLAIMED_OTHERWISE and constraint.definition and is_same:
            what = f"the constraint {constraint.name} of {table.name.name}"
            yield from _claim(has_constraint(oid, constraint), what)
    for index in table.indexes:
        is_own = index.constraint is None and not is_optional(index, expected)
        if is_own and index.tail and differs.isdisjoint((index.name, *index.columns)):
            yield from _claim(has_index(oid, index), f"the index {index.name} of {table.name.name}")


_CLAIMED_OTHERWISE = (ConstraintKind.FOREIGN_KEY, ConstraintKind.NOT_NULL)
"""A key where a step makes it, and NOT NULL with its column: it is a constraint since PostgreSQL 18 only."""


def _claim(holds: str, what: str) -> Iterator[str]:
    yield f"  IF NOT {holds} THEN"
    yield f"    problems := problems || {literal(f'{what} is not there')}::text;"
    yield "  END IF;"

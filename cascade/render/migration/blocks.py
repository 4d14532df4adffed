"""What the operations do: a body of PL/pgSQL for each step, for keys that no step makes, and for the proof."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from cascade.core.actions import (
    Action,
    AddConstraint,
    AddForeignKey,
    CreateIndex,
    CreateTable,
    ExchangeTable,
    MoveObject,
    MoveTable,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
)
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.layout import Constraint, Index, TableName
from cascade.core.meanwhile import aside
from cascade.core.plan import Step
from cascade.core.repair_migrations import RepairMigration
from cascade.core.retarget import retargeted
from cascade.render.migration.guards import has_key, is_key, named, oid_of, schema_of, still_to_do
from cascade.render.migration.placing import PLACING, exchange, place
from cascade.render.migration.proof import prove
from cascade.render.migration.statements import TARGET, execute, executed
from cascade.render.sql import literal


def make_blocks(
    migration: RepairMigration, expected: ExpectedLayout, drifts: Collection[Drift], target: str, attic: str
) -> list[tuple[str, str]]:
    """Title and body of each operation: what steps do, the keys of placed tables, and the proof."""
    blocks: list[tuple[str, str]] = []
    # In one transaction a constraint makes its own index: none has to be built for it before.
    taken = {(step.table, index.name) for step in migration.steps if (index := _index_built_for(step.action))}
    for step in migration.steps:
        if isinstance(step.action, CreateIndex) and (step.table, step.action.index.name) in taken:
            continue
        body = "\n".join(_act(step, expected, target, attic))
        if body:
            blocks.append((_title(step), body))
    placed = [step.table for step in migration.steps if isinstance(step.action, PLACING)]
    made = {step.action.constraint.name for step in migration.steps if isinstance(step.action, AddForeignKey)}
    for table in placed:
        for key in expected.tables[table].table.foreign_keys:
            if key.name not in made and key.references is not None and key.references.table in expected.tables:
                body = "\n".join(_key_where_it_can_be(table, key, key.references.table, target))
                blocks.append((f"key {table.name} {' '.join(key.columns)}", body))
    proof = "\n".join(prove(migration, expected, drifts, target))
    blocks.append(("verify", proof))
    return list(dict.fromkeys(blocks))


def _index_built_for(action: Action) -> Index | None:
    match action:
        case AddConstraint(index=index, using_index=True) | ReplaceConstraint(wanted_index=index, using_index=True):
            return index
        case _:
            return None


def _title(step: Step) -> str:
    kind = step.id.partition(":")[0]
    return f"{kind} {step.table.name} {step.object}".strip()


def _act(step: Step, expected: ExpectedLayout, target: str, attic: str) -> Iterator[str]:
    """The body that does what the step does, where that is still to do."""
    action, table = step.action, step.table
    match action:
        case MoveTable(copy, to):
            yield from place(to, copy, expected, target)
        case ExchangeTable(copy, to):
            yield from exchange(action, expected, target, attic)
            yield from place(to, copy, expected, target)
        case CreateTable(made):
            yield from place(made.name, None, expected, target)
        case AddForeignKey(_, key):
            yield from _guarded_key(table, key, target)
        case RepointForeignKey(_, found, wanted):
            yield from _drop_other_key(table, found, wanted, target)
            yield from _guarded_key(table, wanted, target, alike=True)
        case RebuildIndex(_, index):
            yield f"  IF {still_to_do(action, table, target)} THEN"
            own = retargeted(TableName(table.schema, index.name), target, TARGET)
            yield f"    {execute(f'REINDEX INDEX {own}')}"  # CONCURRENTLY fits in no transaction
            yield "  END IF;"
        case _:
            condition = still_to_do(action, table, target)
            if condition:
                yield f"  IF {condition} THEN"
                yield from executed(_in_a_transaction(action, target), target)
                yield "  END IF;"


def _in_a_transaction(action: Action, target: str) -> Action:
    """The action without what no transaction can hold, and with the schema open."""
    match action:
        case CreateIndex(table, index):
            return CreateIndex(table, index)
        case AddConstraint(table, constraint, index):
            return AddConstraint(table, constraint, index)
        case ReplaceConstraint():
            return replace(action, using_index=False)
        case ReplaceIndex(found=found, wanted=wanted):
            # What a repair that was stopped has put aside here bears its own name elsewhere.
            own = wanted.name if found.name == aside(wanted.name) else found.name
            return replace(action, found=replace(found, name=own), aside="")
        case SetNotNull(table, column):
            return SetNotNull(table, column)
        case MoveObject(used, schema) if schema == target:
            return MoveObject(used, TARGET)
        case _:
            return action


def _guarded_key(table: TableName, key: Constraint, target: str, *, alike: bool = False) -> Iterator[str]:
    yield f"  IF NOT {has_key(table, key, target, alike=alike)} THEN"
    yield from executed(AddForeignKey(table, key), target)
    yield "  END IF;"


def _key_where_it_can_be(table: TableName, key: Constraint, to: TableName, target: str) -> Iterator[str]:
    """A key that no step makes: where both tables are in place, and no other key has its name."""
    same_name = named(oid_of(table, target), key.name)
    yield f"  IF {oid_of(to, target)} IS NOT NULL AND NOT EXISTS ({same_name})"
    yield f"      AND NOT {has_key(table, key, target)} THEN"
    yield from executed(AddForeignKey(table, key), target)
    yield "  END IF;"


def _drop_other_key(table: TableName, found: Constraint, wanted: Constraint, target: str) -> Iterator[str]:
    """The key of that name where it points at another table than it should, or does something else there."""
    yield f"  IF EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = {oid_of(table, target)} AND k.contype = 'f'"
    yield f"      AND k.conname = {literal(found.name)} AND NOT ({is_key(wanted, target, alike=True)})) THEN"
    schema, name = schema_of(table, target), literal(table.name)
    yield f"    EXECUTE format('ALTER TABLE %I.%I DROP CONSTRAINT %I', {schema}, {name}, {literal(found.name)});"
    yield "  END IF;"

"""Which repair goes into which app's migration, and in which order those run."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cascade.core.actions import (
    Action,
    AddForeignKey,
    CreateSchema,
    ExchangeTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    RepointForeignKey,
    SetOwner,
    SetSequence,
    ShelveTable,
    ValidateConstraint,
)
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind
from cascade.core.layout import TableName
from cascade.core.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class RepairMigration:
    """One migration: the apps that it repairs, its steps in order, and those whose tables it is about or refers to."""

    apps: tuple[str, ...]
    steps: tuple[Step, ...]
    needs: tuple[str, ...]


RIGHTS = (GrantUsage, GrantTable, GrantSequence, SetOwner)
"""Rights belong to a deployment, not to its code: another database has other roles."""


def steps_of_migrations(plan: Plan) -> tuple[Step, ...]:
    """The steps that belong in a migration, in order."""
    without = left_out_of_migrations(plan)
    return tuple(step for step in plan.steps if step.id not in without and not isinstance(step.action, CreateSchema))


def left_out_of_migrations(plan: Plan) -> Mapping[str, str]:
    """By the id of a step that belongs in no migration: why, in the order of the plan. What waits for it is no more."""
    without: dict[str, str] = {}
    for step in plan.steps:
        needed = next((other for other in step.waits_for if other in without), None)
        why = _of_one_database(step.action) or (f"it waits for {needed}" if needed else "")
        if why:
            without[step.id] = why
    return without


def left_columns(migration: RepairMigration, drifts: Iterable[Drift]) -> tuple[Drift, ...]:
    """What is amiss with columns of the migration's tables, and no step of it cures: a person's, or explained."""
    tables = {step.table for step in migration.steps}
    cured = {cure for step in migration.steps for cure in step.cures}
    left = (d for d in drifts if d.kind in _OF_COLUMNS and d.table in tables and d.id not in cured)
    return tuple(drift for drift in left if drift.undecided or drift.settled_with is None)


_OF_COLUMNS = (DriftKind.MISSING_COLUMN, DriftKind.DIFFERENT_COLUMN)


def _of_one_database(action: Action) -> str:
    """Why the action is about one database and not about the code, ``""`` where it is about the code."""
    match action:
        case GrantUsage() | GrantTable() | GrantSequence() | SetOwner():
            return "rights are given to the roles of one database"
        case SetSequence():
            return "how far a sequence is behind depends on the rows"
        case ShelveTable():
            return "which copies do not count depends on their rows"
        case ExchangeTable(is_shell=False):
            return "a person decided which copy counts"
        case ExchangeTable(carried=(first, *_)):
            return f"the {first.kind} {first.name} is bound to the copy that would go"
        case _:
            return ""


def group_by_app(
    plan: Plan, expected: ExpectedLayout, *, together: Collection[str] = ()
) -> tuple[RepairMigration, ...]:
    """The steps by app, in the order in which the plan first comes to each.

    Those of the apps ``together`` are one migration. A key between two apps goes into the later of their migrations,
    and what validates it too: each migration runs after the one before it.
    """
    steps = steps_of_migrations(plan)

    def apps_of(table: TableName) -> tuple[str, ...]:
        known = expected.tables.get(table)
        app = known.app if known is not None else ""
        return tuple(sorted(together)) if app in together else (app,)

    own = {step.id: apps_of(step.table) for step in steps}
    order = list(dict.fromkeys(own.values()))
    for step in steps:
        ends = [own[step.id], *(apps_of(table) for table in _referred(step) if apps_of(table) in order)]
        own[step.id] = max(ends, key=order.index)
    return tuple(
        RepairMigration(
            apps, of_apps := tuple(step for step in steps if own[step.id] == apps), tuple(_needs(of_apps, expected))
        )
        for apps in order
        if any(own[step.id] == apps for step in steps)
    )


def repaired_apps(plan: Plan, expected: ExpectedLayout) -> frozenset[str]:
    """The apps whose tables the migrations are about."""
    tables = (expected.tables.get(step.table) for step in steps_of_migrations(plan))
    return frozenset(table.app for table in tables if table is not None)


def _referred(step: Step) -> list[TableName]:
    match step.action:
        case AddForeignKey(_, key) | RepointForeignKey(_, _, key) | ValidateConstraint(_, key) if key.references:
            return [key.references.table]
        case _:
            return []


def _needs(steps: Iterable[Step], expected: ExpectedLayout) -> list[str]:
    tables = {table for step in steps for table in (step.table, *_referred(step))}
    return sorted({expected.tables[table].app for table in tables if table in expected.tables})

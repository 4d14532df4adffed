"""Which repair goes into which app's migration, and in which order those run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cascade.core.actions import (
    AddForeignKey,
    CreateSchema,
    GrantSequence,
    GrantTable,
    GrantUsage,
    RepointForeignKey,
    SetOwner,
    ValidateConstraint,
)
from cascade.core.expected import ExpectedLayout
from cascade.core.layout import TableName
from cascade.core.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class RepairMigration:
    """One migration: its app, its steps in order, and the apps whose tables it is about or refers to."""

    app: str
    steps: tuple[Step, ...]
    needs: tuple[str, ...]


NOT_OF_A_MIGRATION = (GrantUsage, GrantTable, GrantSequence, SetOwner)
"""Rights belong to a deployment, not to its code: another database has other roles."""


def group_by_app(plan: Plan, expected: ExpectedLayout, *, into: Mapping[str, str]) -> tuple[RepairMigration, ...]:
    """The steps by app, in the order in which the plan first comes to each.

    ``into`` maps an app whose own code is not to be touched to one of the project. A key between two apps goes into
    the later of their migrations, and what validates it too: each migration runs after the one before it.
    """
    steps = [step for step in plan.steps if not isinstance(step.action, (*NOT_OF_A_MIGRATION, CreateSchema))]

    def app_of(table: TableName) -> str:
        known = expected.tables.get(table)
        app = known.app if known is not None else ""
        return into.get(app, app)

    own = {step.id: app_of(step.table) for step in steps}
    order = list(dict.fromkeys(own.values()))
    for step in steps:
        ends = [own[step.id], *(app_of(table) for table in _referred(step) if app_of(table) in order)]
        own[step.id] = max(ends, key=order.index)
    return tuple(
        RepairMigration(
            app, of_app := tuple(step for step in steps if own[step.id] == app), tuple(_needs(of_app, expected))
        )
        for app in order
        if any(own[step.id] == app for step in steps)
    )


def _referred(step: Step) -> list[TableName]:
    match step.action:
        case AddForeignKey(_, key) | RepointForeignKey(_, _, key) | ValidateConstraint(_, key) if key.references:
            return [key.references.table]
        case _:
            return []


def _needs(steps: Iterable[Step], expected: ExpectedLayout) -> list[str]:
    tables = {table for step in steps for table in (step.table, *_referred(step))}
    return sorted({expected.tables[table].app for table in tables if table in expected.tables})

"""What a role has to be allowed for each step of a plan (the notes on each statement in PostgreSQL's reference)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cascade.core.actions import (
    AddColumn,
    AddConstraint,
    AddForeignKey,
    CreateIndex,
    CreateSchema,
    CreateTable,
    ExchangeTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    MoveObject,
    MoveTable,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetOwner,
    ValidateConstraint,
)
from cascade.core.layout import Constraint, TableName, quoted
from cascade.core.plan import Plan, Step


class Power(Enum):
    """What a role may be able to do; the value says what it lacks, with the names of the need filled in."""

    OWN_TABLE = "{table} belongs to {owner}"
    OWN_OBJECT = "the {detail} {object} belongs to {owner}"
    OWN_MEMBERS = "what the extension {object} consists of belongs to {owner}"
    CREATE_IN = "it may not create in {schema}"
    USE = "it may not use {schema}"
    MAKE_SCHEMA = "it may not make schemas in this database"
    BECOME = "it is no member of {name}"
    LET_CREATE = "{name} may not create in {schema}"
    GIVE_ON_TABLE = "it may not grant {detail} on {table}"
    GIVE_ON_SCHEMA = "it may not grant USAGE on {schema}"
    REFER_TO = "it may not refer to {table}"
    LOCK = "it may not lock {table}"


@dataclass(frozen=True, slots=True)
class Need:
    """One such power over one thing. What does not exist when it is asked for is made by the plan, and its own."""

    power: Power
    schema: str = ""
    name: str = ""
    detail: str = ""

    def lacking(self, owner: str) -> str:
        """Says that the role lacks it; ``owner`` is who has the thing now."""
        return self.power.value.format(
            table=TableName(self.schema, self.name),
            object=f"{quoted(self.schema)}.{self.name}" if self.schema else quoted(self.name),
            schema=quoted(self.schema),
            name=quoted(self.name),
            detail=self.detail,
            owner=quoted(owner),
        )


def rights_needed(plan: Plan, history: TableName | None) -> tuple[Need, ...]:
    """Everything that the steps and the lock on ``history`` need, each once, sorted."""
    needs = {need for step in plan.steps for need in _of_step(step)}
    if history is not None:
        needs |= {_need(Power.LOCK, history)}
    return tuple(sorted(needs, key=lambda need: (need.power.name, need.schema, need.name, need.detail)))


def _need(power: Power, table: TableName) -> Need:
    return Need(power, table.schema, table.name)


def _of_step(step: Step) -> Iterator[Need]:
    match step.action:
        case CreateSchema(schema):
            yield Need(Power.MAKE_SCHEMA, schema)
        case CreateTable(created):
            yield Need(Power.USE, created.name.schema)
            yield Need(Power.CREATE_IN, created.name.schema)
        case MoveObject(used, to):
            where = ("", used.extension, "extension") if used.extension else (used.schema, used.name, used.kind)
            yield Need(Power.OWN_OBJECT, *where)
            if used.extension:
                yield Need(Power.OWN_MEMBERS, "", used.extension)
            yield Need(Power.CREATE_IN, to)
        case GrantUsage(schema, _):
            yield Need(Power.GIVE_ON_SCHEMA, schema)
        case GrantTable(table, privileges, _):
            yield from (Need(Power.GIVE_ON_TABLE, table.schema, table.name, p) for p in privileges)
        case GrantSequence(_, sequence, _, _):
            # Grants on a sequence that a column owns come from the owner of both.
            yield _need(Power.OWN_TABLE, sequence)
        case action:
            table = action.table
            yield Need(Power.USE, table.schema)
            yield _need(Power.OWN_TABLE, table)
            yield from _beside(step)


def _beside(step: Step) -> Iterator[Need]:
    """What is needed beside the table itself."""
    match step.action:
        case MoveTable(_, to):
            yield Need(Power.CREATE_IN, to.schema)
        case ExchangeTable(_, to, _):
            yield _need(Power.OWN_TABLE, to)
            yield Need(Power.CREATE_IN, to.schema)
        case SetOwner(table, owner):
            yield Need(Power.BECOME, "", owner)
            yield Need(Power.LET_CREATE, table.schema, owner)
        case RepointForeignKey(_, there, key):
            yield from _referred(key)
            if there.references is not None:
                # Dropping the key locks what it pointed at, by name.
                yield Need(Power.USE, there.references.table.schema)
                yield _need(Power.LOCK, there.references.table)
        case AddForeignKey(_, key) | ValidateConstraint(_, key):
            yield from _referred(key)
        case (
            CreateIndex(table=table)
            | ReplaceIndex(table=table)
            | AddConstraint(table=table)
            | ReplaceConstraint(table=table)
        ):
            yield Need(Power.CREATE_IN, table.schema)
        case AddColumn(table=table, indexes=indexes) if indexes:
            yield Need(Power.CREATE_IN, table.schema)
        case _:
            return


def _referred(key: Constraint) -> Iterator[Need]:
    if key.references is not None:
        yield Need(Power.USE, key.references.table.schema)
        yield _need(Power.REFER_TO, key.references.table)

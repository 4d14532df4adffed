"""A repair: what a drift needs, small enough that no cycle can remain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AddForeignKey,
    AddNotNullProof,
    AlterColumn,
    CreateIndex,
    CreateSchema,
    CreateTable,
    EnableConstraint,
    ExchangeTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    MoveObject,
    MoveTable,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
    SetOwner,
    SetSequence,
    ShelveTable,
    ValidateConstraint,
    action_name,
)
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, TableName, quoted
from cascade.core.plan import Hazard, Lock
from cascade.core.repairs.sides import Sides

Order = tuple[tuple[int, str, str, int], int, int, str]
"""Where a repair stands among those that could come next: history, state position, kind of action, name."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A step that has no place in the order yet; ``order`` says where it would like to stand."""

    id: str
    action: Action
    table: TableName
    object: str
    cures: tuple[str, ...]
    waits_for: tuple[str, ...]
    hazards: tuple[Hazard, ...]
    locks: tuple[Lock, ...]
    order: Order


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a repair does without: a sentence each, by the drift that it belongs to.

    ``surfacing`` are the ids of the drifts that stay, or come to light, for that reason; ``steps`` those of the steps
    that a person did without.
    """

    sentences: dict[str, list[str]] = field(default_factory=dict)
    surfacing: set[str] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)

    def note(self, drifts: Iterable[str], sentence: str, *, surfaces: str = "") -> None:
        """Keep a sentence for these drifts, and the id of the drift that shows once the others are cured."""
        if surfaces:
            self.surfacing.add(surfaces)
        for drift in drifts:
            self.sentences.setdefault(drift, []).append(sentence)

    def noted(self, drift: Drift, told_as: Mapping[str, str]) -> Drift:
        """The drift with its sentences as further evidence, and with those of drifts that are told as this one."""
        ids = (drift.id, *(id_ for id_, told in told_as.items() if told == drift.id))
        sentences = tuple(sorted({sentence for id_ in ids for sentence in self.sentences.get(id_, ())}))
        return replace(drift, evidence=drift.evidence + sentences) if sentences else drift


def cures_of(sides: Sides, kind: DriftKind, table: TableName, object_: str | None = None) -> tuple[str, ...]:
    """The ids of the decided drifts of that kind there."""
    found = (d for d in sides.drifts if d.kind is kind and d.table == table and object_ in (None, d.object))
    return tuple(sorted({drift.id for drift in found if not drift.undecided}))


def order_of(table: ExpectedTable, action: type[Action], name: TableName, columns: Iterable[str] = ()) -> Order:
    """The place in history of the columns, where it is known, else of the table."""
    made_by = [table.column_made_by.get(column, table.made_by).order for column in columns] or [table.made_by.order]
    return (max(made_by), table.state_position, _RANK.index(action), ".".join((str(name), *columns)))


# Of one operation a table comes before its columns, they before their keys; what reads much comes late.
_RANK: tuple[type[Action], ...] = (
    CreateSchema,
    SetOwner,
    GrantUsage,
    MoveObject,
    MoveTable,
    ExchangeTable,
    ShelveTable,
    CreateTable,
    AddColumn,
    AlterColumn,
    SetSequence,
    ReplaceConstraint,
    AddConstraint,
    ReplaceIndex,
    CreateIndex,
    RebuildIndex,
    AddForeignKey,
    RepointForeignKey,
    EnableConstraint,
    AddNotNullProof,
    ValidateConstraint,
    SetNotNull,
    GrantTable,
    GrantSequence,
)


def makers_of(table: TableName, columns: Iterable[str], sides: Sides) -> set[str]:
    """The ids of the steps that bring a table to its place and these columns into it."""
    made = {f"{'exchange' if table in sides.exchanged else 'move'}_table:{table}"} if table in sides.moved else set()
    made |= {f"create_table:{table}"} if table in sides.created else set()
    return made | {column_id(table, column) for column in columns if column in sides.added.get(table, ())}


def placed(key: Constraint, sides: Sides) -> Constraint:
    """The foreign key with what it refers to where that lies once it is in its place; another constraint as it is."""
    if key.references is None:
        return key
    places = {copy: name for name, copy in sides.moved.items()}
    to = key.references.table
    return replace(key, references=replace(key.references, table=places.get(to, to)))


def step_id(action: type[Action], table: TableName, part: str = "") -> str:
    """The id of a step: the action, the place where the table belongs, and the part of it.

    >>> step_id(AddColumn, TableName("public", "bounty"), "title")
    'add_column:public.bounty.title'
    """
    return f"{action_name(action)}:{table}" + (f".{quoted(part)}" if part else "")


def column_id(table: TableName, column: str) -> str:
    """The id of the step that adds a column."""
    return step_id(AddColumn, table, column)

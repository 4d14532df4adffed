"""The repairs that a plan can hold. A plan holds actions, not SQL; ``render.sql`` words them.

Each action knows all that its undo needs: what it replaces travels with it.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from cascade.core.layout import Column, Constraint, Dependant, Index, Table, TableName, UsedObject


class Phase(Enum):
    """How an action can run: with others in one transaction, in one of its own, or in none.

    ``AFTER`` are those that read much under a weak lock (VALIDATE), so that no strong lock is held meanwhile;
    ``CONCURRENT`` those that PostgreSQL refuses in a transaction block. Both come after the one transaction, and can
    be run again.
    """

    TRANSACTION = "transaction"
    AFTER = "after"
    CONCURRENT = "concurrent"

    @property
    def rank(self) -> int:
        """The order in which they run."""
        return list(Phase).index(self)


# ------------------------------------------------------------------------------------------------------ whole tables


@dataclass(frozen=True, slots=True)
class CreateSchema:
    """A schema for what is put aside, named ``cascade_attic_<date>``; nothing if it is there."""

    schema: str


@dataclass(frozen=True, slots=True)
class MoveTable:
    """``ALTER TABLE … SET SCHEMA``. The OID stays, so rows, indexes, keys, owned sequences and grants travel."""

    table: TableName
    to: TableName


@dataclass(frozen=True, slots=True)
class ExchangeTable:
    """The table that lies in the place ``to`` goes into the attic, and ``table`` takes that place.

    ``is_shell``: what goes is empty, which is proved under the lock; else a person decided. ``carried`` are the views,
    rules and policies bound to what goes, made anew on what comes; foreign keys are steps of their own.
    """

    table: TableName
    to: TableName
    attic: str
    is_shell: bool = True
    carried: tuple[Dependant, ...] = ()


@dataclass(frozen=True, slots=True)
class ShelveTable:
    """A copy that does not count goes into the attic. ``is_shell``: it is empty, which is proved under the lock."""

    table: TableName
    attic: str
    is_shell: bool = True


@dataclass(frozen=True, slots=True)
class CreateTable:
    """The table as it should be, without its foreign keys: each of them is a step of its own."""

    table: Table


@dataclass(frozen=True, slots=True)
class MoveObject:
    """An extension, type, domain, function, sequence or the like that tables use, moved to the schema ``to``.

    Of an extension the whole moves (``object.extension``); ``object.schema`` is where it is now.
    """

    object: UsedObject
    to: str


# ----------------------------------------------------------------------------------------------------------- columns


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A column with the indexes and constraints (foreign keys apart) that contain it."""

    table: TableName
    column: Column
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class AlterColumn:
    """A column made what it should be without loss: ``aspects`` of ``found`` become those of ``wanted``.

    ``aspects`` are those of a finding: ``type`` (to a wider one), ``default``, ``nullability`` (NOT NULL dropped; to
    restore it is ``SetNotNull``), ``identity``, ``collation``, ``comment``.
    """

    table: TableName
    found: Column
    wanted: Column
    aspects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddNotNullProof:
    """``CHECK (column IS NOT NULL) NOT VALID`` under the name ``proof``: validated, it spares SET NOT NULL its scan."""

    table: TableName
    column: str
    proof: str


@dataclass(frozen=True, slots=True)
class SetNotNull:
    """NOT NULL restored, and the validated ``proof`` dropped; ``""`` where the table is small enough to be read.

    ``proof_was_left``: by a repair that was stopped, and validated already.
    """

    table: TableName
    column: str
    proof: str = ""
    proof_was_left: bool = False


# ------------------------------------------------------------------------------------------- constraints and indexes


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    """One foreign key, made once both of its tables are there; ``NOT VALID`` as ``constraint.validated`` says."""

    table: TableName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class RepointForeignKey:
    """A key that points at another copy (``found``) dropped, and made again, NOT VALID, as ``wanted`` says."""

    table: TableName
    found: Constraint
    wanted: Constraint


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """A primary key, unique, check or exclusion constraint; ``index`` is that which serves it, where there is one.

    ``using_index``: the index is there already, built without blocking anybody.
    """

    table: TableName
    constraint: Constraint
    index: Index | None = None
    using_index: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceConstraint:
    """A constraint that differs dropped, and made as it should be; of a foreign key ``RepointForeignKey`` is that.

    ``using_index``: the wanted index is there already, built without blocking anybody, and takes the constraint's name.
    """

    table: TableName
    found: Constraint
    wanted: Constraint
    found_index: Index | None = None
    wanted_index: Index | None = None
    using_index: bool = False


@dataclass(frozen=True, slots=True)
class ValidateConstraint:
    """``VALIDATE CONSTRAINT``: old rows are read under a lock that hinders neither readers nor writers."""

    table: TableName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class EnableConstraint:
    """A constraint put in force again: its triggers enabled, or on PostgreSQL 18 ``ENFORCED``."""

    table: TableName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """An index that serves no constraint, or (``concurrently``) one that a constraint is to use."""

    table: TableName
    index: Index
    concurrently: bool = False


@dataclass(frozen=True, slots=True)
class ReplaceIndex:
    """An index that differs dropped, and made as it should be.

    ``aside``, where nobody is to be blocked meanwhile: the name under which the one that differs waits until the other
    is built.
    """

    table: TableName
    found: Index
    wanted: Index
    aside: str = ""


@dataclass(frozen=True, slots=True)
class RebuildIndex:
    """``REINDEX INDEX CONCURRENTLY`` of an index that was left invalid."""

    table: TableName
    index: Index


# ----------------------------------------------------------------------------------------------- counters and rights


@dataclass(frozen=True, slots=True)
class SetSequence:
    """The sequence set above the column's highest value, which is read when the step runs."""

    table: TableName
    column: str
    sequence: TableName
    increment: int = 1


@dataclass(frozen=True, slots=True)
class SetOwner:
    """The table's owner, which its indexes and owned sequences follow."""

    table: TableName
    owner: str
    was: str


@dataclass(frozen=True, slots=True)
class GrantUsage:
    """USAGE on a schema."""

    schema: str
    role: str


@dataclass(frozen=True, slots=True)
class GrantTable:
    """Privileges on a table, such as ``("SELECT", "INSERT")``; PUBLIC is ``""``."""

    table: TableName
    privileges: tuple[str, ...]
    role: str


@dataclass(frozen=True, slots=True)
class GrantSequence:
    """Privileges, such as ``("USAGE", "SELECT")``, on a sequence that a column of the table draws from."""

    table: TableName
    sequence: TableName
    privileges: tuple[str, ...]
    role: str


Action = (
    CreateSchema
    | MoveTable
    | ExchangeTable
    | ShelveTable
    | CreateTable
    | MoveObject
    | AddColumn
    | AlterColumn
    | AddNotNullProof
    | SetNotNull
    | AddForeignKey
    | RepointForeignKey
    | AddConstraint
    | ReplaceConstraint
    | ValidateConstraint
    | EnableConstraint
    | CreateIndex
    | ReplaceIndex
    | RebuildIndex
    | SetSequence
    | SetOwner
    | GrantUsage
    | GrantTable
    | GrantSequence
)


# ------------------------------------------------------------------------------------------- what all of them answer


def action_name(action: type[Action]) -> str:
    """What an action is called in ids, JSON and ``--leave-out``.

    >>> action_name(GrantUsage)
    'grant_usage'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", action.__name__).lower()


def phase_of(action: Action) -> Phase:
    """How the action can run by itself; a step that waits for a later one runs later too."""
    match action:
        case CreateIndex(concurrently=True) | RebuildIndex():
            return Phase.CONCURRENT
        case ReplaceIndex(aside=aside) if aside:
            return Phase.CONCURRENT
        case ValidateConstraint():
            return Phase.AFTER
        case SetNotNull(proof=proof) if proof:
            return Phase.AFTER
        case _:
            return Phase.TRANSACTION


def touched_tables(action: Action) -> tuple[TableName, ...]:
    """The places that have to hold a certain table, or none, for the action to be right."""
    match action:
        case MoveTable(table, to) | ExchangeTable(table, to):
            return (table, to)
        case CreateTable(created):
            return (created.name,)
        case AddForeignKey(table, key) | RepointForeignKey(table, _, key):
            return (table, key.references.table) if key.references else (table,)
        case CreateSchema() | GrantUsage() | MoveObject():
            return ()
        case (
            ShelveTable(table=table)
            | AddColumn(table=table)
            | AlterColumn(table=table)
            | AddNotNullProof(table=table)
            | SetNotNull(table=table)
            | AddConstraint(table=table)
            | ReplaceConstraint(table=table)
            | ValidateConstraint(table=table)
            | EnableConstraint(table=table)
            | CreateIndex(table=table)
            | ReplaceIndex(table=table)
            | RebuildIndex(table=table)
            | SetSequence(table=table)
            | SetOwner(table=table)
            | GrantTable(table=table)
            | GrantSequence(table=table)
        ):
            return (table,)
        case _:
            assert_never(action)

"""The repairs that a plan can hold. A plan holds actions, not SQL; ``render.sql`` words them."""

from dataclasses import dataclass

from cascade.core.layout import Column, Constraint, Index, Table, TableName


@dataclass(frozen=True, slots=True)
class MoveTable:
    """``ALTER TABLE … SET SCHEMA``. The OID stays, so rows, indexes, keys, owned sequences and grants travel."""

    table: TableName
    to: TableName


@dataclass(frozen=True, slots=True)
class CreateTable:
    """The table as it should be, without its foreign keys: each of them is a step of its own."""

    table: Table


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A column with the indexes and constraints (foreign keys apart) that contain it."""

    table: TableName
    column: Column
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class AddForeignKey:
    """One foreign key, made once both of its tables are there."""

    table: TableName
    constraint: Constraint


@dataclass(frozen=True, slots=True)
class GrantUsage:
    """USAGE on a schema for the application role."""

    schema: str
    role: str


@dataclass(frozen=True, slots=True)
class GrantTable:
    """Privileges on a table for the application role, such as ``("SELECT", "INSERT")``."""

    table: TableName
    privileges: tuple[str, ...]
    role: str


Action = MoveTable | CreateTable | AddColumn | AddForeignKey | GrantUsage | GrantTable

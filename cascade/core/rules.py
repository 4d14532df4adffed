"""Rules that are not in force, and the rows that would break them: keys, NOT NULL, checks, uniqueness."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from cascade.core.detection.comparison import Comparison
from cascade.core.detection.constraints import has_key
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Column, Constraint, ConstraintKind, Index, TableName, quoted


@dataclass(frozen=True, slots=True)
class KeyRule:
    """The columns refer to rows of ``to``; None where that table is made anew, empty."""

    table: TableName
    name: str
    columns: tuple[str, ...]
    to: TableName | None
    to_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotNullRule:
    """The column, which is ``name``, holds no NULL."""

    table: TableName
    name: str


@dataclass(frozen=True, slots=True)
class CheckRule:
    """The expression, as PostgreSQL printed it, is not false."""

    table: TableName
    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class UniqueRule:
    """No two rows have the same values in these columns, NULLs apart, among those where ``predicate`` holds."""

    table: TableName
    name: str
    columns: tuple[str, ...]
    predicate: str = ""


Rule = KeyRule | NotNullRule | CheckRule | UniqueRule


def rules_of(drifts: Iterable[Drift], both: Comparison) -> tuple[Rule, ...]:
    """The rules that a repair of these drifts would put in force on tables that are there, each once."""
    drifts = tuple(drift for drift in drifts if drift.severity is not Severity.NOTE)
    found = dict.fromkeys(rule for drift in drifts for rule in _rules(drift, both))
    created = [drift.table for drift in drifts if drift.kind is DriftKind.MISSING_TABLE and drift.table]
    found |= dict.fromkeys(rule for table in created for rule in _keys_to(table, both))
    return tuple(found)


def breaking_rows(rule: Rule) -> str:
    """The SQL that finds a row for each that breaks the rule, without a final semicolon.

    >>> breaking_rows(NotNullRule(TableName("public", "bounty"), "title"))
    'SELECT FROM public.bounty t WHERE t.title IS NULL'
    """
    match rule:
        case KeyRule(table, _, columns, to, to_columns):
            filled = " AND ".join(f"t.{quoted(column)} IS NOT NULL" for column in columns)
            if to is None:
                return f"SELECT FROM {table} t WHERE {filled}"
            pairs = zip(columns, to_columns, strict=True)
            equal = " AND ".join(f"r.{quoted(theirs)} = t.{quoted(ours)}" for ours, theirs in pairs)
            return f"SELECT FROM {table} t WHERE {filled} AND NOT EXISTS (SELECT FROM {to} r WHERE {equal})"
        case NotNullRule(table, column):
            return f"SELECT FROM {table} t WHERE t.{quoted(column)} IS NULL"
        case CheckRule(table, _, expression):
            return f"SELECT FROM {table} WHERE NOT {expression}"
        case UniqueRule(table, _, columns, predicate):
            listed = ", ".join(map(quoted, columns))
            filled = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
            where = f"{filled} AND {predicate}" if predicate else filled
            return f"SELECT FROM {table} WHERE {where} GROUP BY {listed} HAVING count(*) > 1"
        case _:
            assert_never(rule)


def _rules(drift: Drift, both: Comparison) -> Iterator[Rule]:
    found = both.found(drift.table) if drift.table else None
    if found is None:
        return
    if drift.kind is DriftKind.DIFFERENT_COLUMN and isinstance(drift.wanted, Column):
        if "nullability" in drift.aspects and not drift.wanted.nullable:
            yield NotNullRule(found.name, drift.wanted.name)
        return
    if drift.kind not in _ABOUT_RULES:
        return
    part = drift.wanted or drift.there
    name = drift.there.name if isinstance(drift.there, Constraint | Index) else ""
    match part:
        case Constraint(kind=ConstraintKind.FOREIGN_KEY):
            yield from _key(found.name, part, name or part.name, both)
        case Constraint(kind=ConstraintKind.CHECK, definition=str() as definition):
            match_ = re.match(r"CHECK (\(.*\))", definition, re.DOTALL)
            if match_:
                yield CheckRule(found.name, name or part.name, match_[1])
        case Constraint(kind=ConstraintKind.UNIQUE | ConstraintKind.PRIMARY_KEY):
            yield from _keys_gone_with(drift, part, both)
            if "NULLS NOT DISTINCT" not in (part.definition or ""):
                yield UniqueRule(found.name, name or part.name, part.columns)
        case Index(unique=True, columns=columns, tail=str() as tail) if "" not in columns:
            predicate = tail.partition(" WHERE ")[2]
            if "NULLS NOT DISTINCT" not in tail:
                yield UniqueRule(found.name, drift.object, columns, predicate)
        case _:
            return


_ABOUT_RULES = frozenset(
    {
        DriftKind.MISDIRECTED_FOREIGN_KEY,
        DriftKind.MISSING_CONSTRAINT,
        DriftKind.DIFFERENT_CONSTRAINT,
        DriftKind.NOT_VALIDATED_CONSTRAINT,
        DriftKind.DISABLED_CONSTRAINT,
        DriftKind.MISSING_INDEX,
        DriftKind.DIFFERENT_INDEX,
        DriftKind.INVALID_INDEX,
    }
)


def _key(table: TableName, key: Constraint, name: str, both: Comparison) -> Iterator[KeyRule]:
    if key.references is None:
        return
    place = both.referred(key.references.table)
    expected = place in both.expected.tables
    to = both.found(place) if expected else both.observed.layout.tables.get(place)
    there = {column.name for column in to.columns} if to is not None and to.read_in_full else set()
    if to is None or there.issuperset(key.references.columns):
        yield KeyRule(table, name, key.columns, to.name if to else None, key.references.columns)


def _keys_gone_with(drift: Drift, unique: Constraint, both: Comparison) -> Iterator[KeyRule]:
    """The keys that are made again once their target is unique again."""
    for expected, key in both.keys_to.get(drift.table, ()) if drift.table else ():
        there = both.found(expected.name)
        of_it = key.references is not None and set(key.references.columns) == set(unique.columns)
        if of_it and there is not None and not has_key(key, there, both):
            yield from _key(there.name, key, key.name, both)


def _keys_to(table: TableName, both: Comparison) -> Iterator[KeyRule]:
    """The keys of tables that are there to one that is made anew."""
    for expected, key in both.keys_to.get(table, ()):
        there = both.found(expected.name)
        if there is not None and key.references is not None:
            has_columns = all(there.column(column) is not None for column in key.columns)
            if has_columns:
                yield KeyRule(there.name, key.name, key.columns, None, key.references.columns)

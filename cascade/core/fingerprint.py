"""Is the database still as the plan found it? A digest of the structure that the steps read or touch."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, replace
from enum import Enum
from hashlib import sha256
from typing import Any

from cascade.core.actions import Action, CreateTable, touched_tables
from cascade.core.layout import Layout, Table, TableName
from cascade.core.meanwhile import aside, is_beside
from cascade.core.plan import Step

PLAN_ID_LENGTH = 8


def fingerprint_of(observed: Layout, steps: Iterable[Step]) -> str:
    """A digest over the structure of every table that a step reads or touches, absence included.

    It covers identity, columns, constraints and indexes. Estimates, OIDs, comments, owners and rights do not
    count, so it is the same whoever reads, and stays the same while rows come and go.
    """
    return digest_of_tables(observed, tables_of(steps))


def tables_of(steps: Iterable[Step]) -> tuple[TableName, ...]:
    """The places that the steps read or touch, sorted."""
    return tuple(sorted({table for step in steps for table in (*touched_tables(step.action), *_locked(step))}))


def digest_of_tables(observed: Layout, tables: Iterable[TableName]) -> str:
    """A digest over the structure of what lies in these places, or that nothing does."""
    return _digest([[table.schema, table.name, _structure(observed.tables.get(table))] for table in tables])


def digest_for_undo(observed: Layout, tables: Collection[TableName]) -> str:
    """The same but for what nothing takes back: an index that was rebuilt stays valid, a trigger of a key enabled.

    An index that a repair was building when it was stopped does not come back either, nor counts before.
    """
    there = (observed.tables[name] for name in set(tables) if name in observed.tables)
    return digest_of_tables(Layout.of(map(_whole, there)), tables)


def _whole(table: Table) -> Table:
    names = {index.name for index in table.indexes}
    lasting = (i for i in table.indexes if not is_beside(i) and aside(i.name) not in names)
    return replace(
        table,
        constraints=tuple(replace(constraint, enabled=True) for constraint in table.constraints),
        indexes=tuple(replace(index, valid=True) for index in lasting),
    )


def plan_id_of(fingerprint: str, steps: Iterable[Step]) -> str:
    """Eight hexadecimal digits over the fingerprint and what the steps do, in their order.

    >>> plan_id_of("", ())
    'aa5598c6'
    """
    plan = [[step.id, _described(step.action), sorted(step.waits_for)] for step in steps]
    return _digest([fingerprint, plan])[:PLAN_ID_LENGTH]


def _locked(step: Step) -> Iterator[TableName]:
    for lock in step.locks:
        yield lock.table


def _described(action: Action) -> list[Any]:
    match action:
        case CreateTable(table):
            # Read in a temporary schema, it carries an OID and an owner that say nothing of what is made.
            return ["CreateTable", table.name.schema, table.name.name, table.comment, _structure(table, comments=True)]
        case _:
            return [type(action).__name__, asdict(action)]


def _structure(table: Table | None, *, comments: bool = False) -> Any:
    if table is None:
        return None
    return {
        "kind": table.kind,
        "columns": [_without(asdict(column), comments) for column in table.columns],
        "constraints": [_without(asdict(c), comments) for c in sorted(table.constraints, key=lambda c: c.name)],
        "indexes": [_without(asdict(index), comments) for index in sorted(table.indexes, key=lambda i: i.name)],
    }


def _without(values: dict[str, Any], comments: bool) -> dict[str, Any]:
    return values if comments else {key: value for key, value in values.items() if key != "comment"}


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"{type(value).__name__} has no place in a fingerprint")

"""Indexes that serve no constraint: made, replaced, rebuilt."""

from collections.abc import Iterator

from cascade.core.actions import CreateIndex, RebuildIndex, ReplaceIndex
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, ConstraintKind, Index, Table, TableName, quoted
from cascade.core.meanwhile import aside
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.constraints import keys_obstacle, left_half_built, part_repair, replica_obstacle
from cascade.core.repairs.repair import LeftOut, Repair
from cascade.core.repairs.sides import Sides


def index_obstacle(drift: Drift, sides: Sides) -> str:
    """Why an index cannot be made, replaced or rebuilt, ``""`` where it can."""
    if drift.kind not in _KINDS or drift.table is None:
        return ""
    found = sides.found(drift.table)
    if found is None:
        return f"no step brings {drift.table} itself to its place"
    broken = sides.violations_of(drift.table, drift.object)
    if broken.has_rows:
        return f"{broken} of {found.name} repeat what it makes unique: they have to be put right first"
    if isinstance(drift.there, Index) and isinstance(drift.wanted, Index):
        return _replacement_obstacle(drift.there, drift.wanted, found, drift.table, sides)
    return _name_obstacle(drift.wanted.name, drift.table, sides) if isinstance(drift.wanted, Index) else ""


def _name_obstacle(name: str, table: TableName, sides: Sides) -> str:
    bearer = sides.names_after.get(TableName(table.schema, name))
    return f"the name {quoted(name)} is taken by {bearer}" if bearer else ""


_KINDS = frozenset({DriftKind.MISSING_INDEX, DriftKind.DIFFERENT_INDEX, DriftKind.INVALID_INDEX})


def repair_indexes(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Every index that is missing, differs, or was left invalid."""
    for kind in sorted(_KINDS, key=lambda kind: kind.value):
        for drift in sides.decided(kind):
            if drift.table is not None:
                yield _repair(drift, drift.table, sides)


def _repair(drift: Drift, table: TableName, sides: Sides) -> Repair:
    gently = (Lock(table, LockMode.SHARE_UPDATE_EXCLUSIVE, healthy=False),)
    match drift.wanted, drift.there:
        case Index() as wanted, Index() as there:
            exclusive = (Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),)
            waits_as = _waits_as(there, wanted, table, sides)
            return part_repair(
                ReplaceIndex(table, there, wanted, waits_as),
                drift,
                wanted.name,
                sides,
                hazards=() if waits_as else _scan(table, sides),
                locks=gently if waits_as else exclusive,
            )
        case Index() as wanted, _:
            large = sides.is_large(table)
            writers = (Lock(table, LockMode.SHARE, healthy=False),)
            return part_repair(
                CreateIndex(table, wanted, concurrently=large),
                drift,
                wanted.name,
                sides,
                hazards=() if large else _scan(table, sides),
                locks=gently if large else writers,
            )
        case _, Index() as there:
            return part_repair(RebuildIndex(table, there), drift, there.name, sides, locks=gently)
        case _:
            raise AssertionError("an index is known as it should be, or as it is")


def _waits_as(there: Index, wanted: Index, table: TableName, sides: Sides) -> str:
    """The name under which an index waits until another is built in its stead, ``""`` where it is dropped at once."""
    if there.name == aside(wanted.name):
        return there.name  # a repair that was stopped half-way has begun so
    if not sides.is_large(table):
        return ""
    return aside(there.name) if there.name == wanted.name else there.name


def _scan(table: TableName, sides: Sides) -> tuple[Hazard, ...]:
    if not sides.may_have_rows(table):
        return ()
    return (Hazard(HazardKind.SCAN, f"{table} is read in full, while nobody can write it"),)


def _replacement_obstacle(there: Index, wanted: Index, found: Table, table: TableName, sides: Sides) -> str:
    waits_as = _waits_as(there, wanted, table, sides)
    borne = {there.name, "", *(index.name for index in found.indexes if left_half_built(wanted, index))}
    taken = (_name_obstacle(name, table, sides) for name in (waits_as, wanted.name) if name not in borne)
    needed = replica_obstacle(there.name, found) or _needed_by_keys(there, found, sides)
    return needed or next(filter(None, taken), "")


def _needed_by_keys(there: Index, found: Table, sides: Sides) -> str:
    """A foreign key can rest on a unique index that serves no constraint."""
    if not there.unique or any(_is_unique_over(constraint, there) for constraint in found.constraints):
        return ""
    return keys_obstacle(there.columns, found, sides)


def _is_unique_over(constraint: Constraint, index: Index) -> bool:
    unique = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
    return constraint.kind in unique and set(constraint.columns) == set(index.columns)

"""Constraints other than foreign keys: added, replaced, validated, put in force again."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.actions import (
    Action,
    AddConstraint,
    CreateIndex,
    EnableConstraint,
    ReplaceConstraint,
    ValidateConstraint,
)
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, ConstraintKind, Index, Table, TableName, quoted
from cascade.core.meanwhile import beside
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.repair import LeftOut, Repair, makers_of, order_of, placed, step_id
from cascade.core.repairs.sides import Sides

UNIQUE = frozenset({ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE})


def constraint_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a constraint cannot be made, replaced or validated, ``""`` where it can. Foreign keys are judged apart."""
    constraint = drift.wanted if isinstance(drift.wanted, Constraint) else drift.there
    if not isinstance(constraint, Constraint) or drift.table is None:
        return ""
    if drift.kind not in _KINDS or constraint.kind is ConstraintKind.FOREIGN_KEY:
        return ""
    found = sides.found(drift.table)
    if found is None:
        return f"no step brings {drift.table} itself to its place"
    absent = [column for column in constraint.columns if not sides.will_have(drift.table, column)]
    if absent:
        return f"no step adds the column {quoted(absent[0])}"
    broken = sides.violations_of(drift.table, constraint.name)
    if broken.has_rows:
        return f"{broken} of {found.name} would break it: they have to be put right first"
    if drift.kind is DriftKind.MISSING_CONSTRAINT:
        return _name_obstacle(constraint, found, drift.table, sides)
    if drift.kind is DriftKind.DIFFERENT_CONSTRAINT:
        return _replacement_obstacle(drift, found, sides)
    return ""


_KINDS = frozenset(
    {
        DriftKind.MISSING_CONSTRAINT,
        DriftKind.DIFFERENT_CONSTRAINT,
        DriftKind.NOT_VALIDATED_CONSTRAINT,
        DriftKind.DISABLED_CONSTRAINT,
    }
)


def repair_constraints(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Every constraint that is missing, differs, or is not in force, foreign keys apart."""
    for drift in _drifts(sides, DriftKind.MISSING_CONSTRAINT):
        yield from _add(drift, sides)
    for drift in _drifts(sides, DriftKind.DIFFERENT_CONSTRAINT):
        yield from _replace(drift, sides)
    for drift in _drifts(sides, DriftKind.NOT_VALIDATED_CONSTRAINT):
        assert isinstance(drift.there, Constraint), "a constraint that is not valid is there"
        yield validation(drift, drift.there, (), sides)
    for drift in _drifts(sides, DriftKind.DISABLED_CONSTRAINT):
        yield from enabling(drift, sides)


def validation(drift: Drift, constraint: Constraint, waits_for: tuple[str, ...], sides: Sides) -> Repair:
    """VALIDATE CONSTRAINT, after what made it; it reads all rows, and hinders neither readers nor writers."""
    assert drift.table is not None, "a constraint is on a table"
    constraint = placed(constraint, sides)
    locks = [Lock(drift.table, LockMode.SHARE_UPDATE_EXCLUSIVE, healthy=False)]
    if constraint.references is not None and constraint.references.table != drift.table:
        to = constraint.references.table
        locks.append(Lock(to, LockMode.ROW_SHARE, healthy=to not in sides.drifted))
    words = f"every row of {drift.table} is read, while people read and write"
    return part_repair(
        ValidateConstraint(drift.table, replace(constraint, validated=True)),
        drift,
        constraint.name,
        sides,
        waits_for=(*waits_for, *_makers_of_target(constraint, sides)),
        hazards=(Hazard(HazardKind.VALIDATION, words),),
        locks=tuple(locks),
    )


def enabling(drift: Drift, sides: Sides) -> Iterator[Repair]:
    """A constraint dropped and made anew, for only a superuser may enable the triggers of a key; then validated."""
    assert isinstance(drift.there, Constraint), "a disabled constraint is there"
    assert drift.table is not None, "a constraint is on a table"
    there = placed(drift.there, sides)
    locks = [Lock(drift.table, LockMode.ACCESS_EXCLUSIVE, healthy=False)]
    if there.references is not None and there.references.table != drift.table:
        to = there.references.table
        locks.append(Lock(to, LockMode.ACCESS_EXCLUSIVE, healthy=to not in sides.drifted))
    waits = _makers_of_target(there, sides)
    action = EnableConstraint(drift.table, there)
    yield part_repair(action, drift, there.name, sides, waits_for=waits, locks=tuple(locks))
    if there.kind in (ConstraintKind.FOREIGN_KEY, ConstraintKind.CHECK):
        made = step_id(EnableConstraint, drift.table, drift.there.name)
        yield validation(drift, drift.there, (made,), sides)


def _makers_of_target(constraint: Constraint, sides: Sides) -> tuple[str, ...]:
    """The steps that bring what a foreign key refers to into its place."""
    reference = constraint.references
    return tuple(makers_of(reference.table, reference.columns, sides)) if reference else ()


def making(drift: Drift) -> str:
    """The id of the step that makes a missing constraint, or replaces one that differs."""
    assert drift.table is not None, "a constraint is on a table"
    assert isinstance(drift.wanted, Constraint), "what is to be made is known"
    action = AddConstraint if drift.kind is DriftKind.MISSING_CONSTRAINT else ReplaceConstraint
    return step_id(action, drift.table, drift.wanted.name)


def part_repair(
    action: Action,
    drift: Drift,
    part: str,
    sides: Sides,
    *,
    waits_for: tuple[str, ...] = (),
    hazards: tuple[Hazard, ...] = (),
    locks: tuple[Lock, ...] = (),
    columns: tuple[str, ...] | None = None,
) -> Repair:
    """A repair of a part of a table, after the steps that bring the table and the columns which the part is about."""
    table = drift.table
    assert table is not None, "a part is of a table"
    columns = drift.columns if columns is None else columns
    return Repair(
        id=step_id(type(action), table, part),
        action=action,
        table=table,
        object=part,
        cures=(drift.id,),
        waits_for=tuple(sorted({*waits_for, *makers_of(table, columns, sides)})),
        hazards=hazards,
        locks=locks,
        order=order_of(sides.expected.tables[table], type(action), table, (*columns, part)),
    )


def index_of(constraint: Constraint, table: Table) -> Index | None:
    """The index that serves the constraint."""
    return next((index for index in table.indexes if index.constraint == constraint.name), None)


def left_half_built(wanted: Index, there: Index) -> bool:
    """Whether it is what a repair was building when it was stopped: there, or invalid and cleared away by the next."""
    same = (there.unique, there.tail) == (wanted.unique, wanted.tail)
    return there.name == wanted.name and (same or not there.valid)


def _drifts(sides: Sides, kind: DriftKind) -> Iterator[Drift]:
    for drift in sides.decided(kind):
        if drift.constraint_type is not ConstraintKind.FOREIGN_KEY and drift.table is not None:
            yield drift


def _add(drift: Drift, sides: Sides) -> Iterator[Repair]:
    constraint = drift.wanted
    assert isinstance(constraint, Constraint), "a missing constraint is known"
    assert drift.table is not None, "a constraint is on a table"
    table = drift.table
    exclusive = (Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),)
    if constraint.kind is ConstraintKind.CHECK and constraint.validated and sides.may_have_rows(table):
        later = replace(constraint, validated=False)
        yield part_repair(AddConstraint(table, later), drift, constraint.name, sides, locks=exclusive)
        yield validation(drift, constraint, (making(drift),), sides)
        return
    index = index_of(constraint, sides.expected.tables[table].table)
    if constraint.kind in UNIQUE and index is not None and sides.is_large(table):
        own = replace(index, constraint=None, unique=True)
        yield part_repair(CreateIndex(table, own, concurrently=True), drift, index.name, sides, locks=_gently(table))
        yield part_repair(
            AddConstraint(table, constraint, own, using_index=True),
            drift,
            constraint.name,
            sides,
            waits_for=(step_id(CreateIndex, table, index.name),),
            locks=exclusive,
        )
        return
    hazards = (_scan(table),) if sides.may_have_rows(table) else ()
    action = AddConstraint(table, constraint, index)
    yield part_repair(action, drift, constraint.name, sides, hazards=hazards, locks=exclusive)


def _replace(drift: Drift, sides: Sides) -> Iterator[Repair]:
    wanted, there, table = drift.wanted, drift.there, drift.table
    assert isinstance(wanted, Constraint), "what differs is known as it should be"
    assert isinstance(there, Constraint), "what differs is there"
    assert table is not None, "a constraint is on a table"
    found = sides.found(table)
    assert found is not None, "a constraint of a table without place was decided"
    built = _index_to_build(wanted, sides, table)
    if built is not None:
        making_index = part_repair(
            CreateIndex(table, built, concurrently=True), drift, built.name, sides, locks=_gently(table)
        )
        yield making_index
        yield part_repair(
            ReplaceConstraint(table, there, wanted, index_of(there, found), built, using_index=True),
            drift,
            wanted.name,
            sides,
            waits_for=(making_index.id,),
            locks=(Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),),
        )
        return
    later = wanted.kind is ConstraintKind.CHECK and wanted.validated and sides.may_have_rows(table)
    yield part_repair(
        ReplaceConstraint(
            table,
            there,
            replace(wanted, validated=wanted.validated and not later),
            index_of(there, found),
            index_of(wanted, sides.expected.tables[table].table),
        ),
        drift,
        wanted.name,
        sides,
        hazards=(_scan(table),) if not later and sides.may_have_rows(table) else (),
        locks=(Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),),
    )
    if later:
        yield validation(drift, wanted, (making(drift),), sides)


def _index_to_build(wanted: Constraint, sides: Sides, table: TableName) -> Index | None:
    """Of a unique constraint on a large table the index, under a name of its own until the constraint takes it over."""
    index = index_of(wanted, sides.expected.tables[table].table)
    if wanted.kind not in UNIQUE or index is None or not sides.is_large(table):
        return None
    return replace(index, name=beside(index.name), constraint=None, unique=True)


def _scan(table: TableName) -> Hazard:
    return Hazard(HazardKind.SCAN, f"{table} is read in full, while nobody can write it")


def _gently(table: TableName) -> tuple[Lock, ...]:
    return (Lock(table, LockMode.SHARE_UPDATE_EXCLUSIVE, healthy=False),)


def _name_obstacle(constraint: Constraint, found: Table, table: TableName, sides: Sides) -> str:
    if constraint.name in {other.name for other in found.constraints}:
        return f"{table} has another constraint of the name {quoted(constraint.name)}"
    bearer = sides.names_after.get(TableName(table.schema, constraint.index)) if constraint.index else None
    return f"the name {quoted(constraint.index or '')} is taken by {bearer}" if bearer else ""


def _replacement_obstacle(drift: Drift, found: Table, sides: Sides) -> str:
    there, wanted = drift.there, drift.wanted
    if not isinstance(there, Constraint) or not isinstance(wanted, Constraint):
        return "its definition is not known"
    if wanted.definition is None:
        return "its definition is not known"
    if there.kind not in UNIQUE:
        return ""
    built = _index_to_build(wanted, sides, drift.table) if drift.table is not None else None
    bearer = sides.names_after.get(TableName(found.name.schema, built.name)) if built is not None else None
    if built is not None and bearer is not None and not any(left_half_built(built, there) for there in found.indexes):
        return f"the name {quoted(built.name)} is taken by {bearer}"
    return replica_obstacle(there.index, found) or keys_obstacle(there.columns, found, sides)


def keys_obstacle(columns: tuple[str, ...], found: Table, sides: Sides) -> str:
    """The foreign keys that rest on what makes these columns unique, ``""`` where there are none."""
    keys = [
        f"{table.name} ({key.name})"
        for table, key in sides.observed.referring.get(found.name, ())
        if key.references is not None and set(key.references.columns) == set(columns)
    ]
    return f"foreign keys need it as it is: {', '.join(keys[:3])}" if keys else ""


def replica_obstacle(index: str | None, found: Table) -> str:
    """That the index is the table's replica identity, which would be gone with it; ``""`` where it is not."""
    if index is None or index != found.replica_identity:
        return ""
    has_key = any(constraint.kind is ConstraintKind.PRIMARY_KEY for constraint in found.constraints)
    other = f"ALTER TABLE {found.name} REPLICA IDENTITY {'DEFAULT' if has_key else 'FULL'}"
    return f"it is the replica identity, without which published rows cannot be updated or deleted: first {other}"

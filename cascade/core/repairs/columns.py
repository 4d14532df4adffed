"""Columns to add, with the constraints and indexes that come with each, and columns to alter."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cascade.core.actions import AddColumn, AddNotNullProof, AlterColumn, SetNotNull
from cascade.core.definitions import computed_from, is_unique, mentions
from cascade.core.drift import Drift, drift_id
from cascade.core.findings import DriftKind
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Index,
    RowEvidence,
    Table,
    TableName,
    quoted,
)
from cascade.core.meanwhile import not_null_proof
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.constraints import part_repair, validation
from cascade.core.repairs.repair import LeftOut, Repair, column_id, cures_of, makers_of, order_of
from cascade.core.repairs.sides import Sides
from cascade.core.widening import Widening, widening


def add_columns(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Add each missing column; what of its constraints and indexes cannot be made is noted."""
    for name, columns in sides.added.items():
        yield from (_add_column(name, column, sides, left_out) for column in columns)


def column_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a missing column cannot be added, ``""`` where it can."""
    if drift.kind is not DriftKind.MISSING_COLUMN or drift.table is None:
        return ""
    expected = sides.expected.tables[drift.table]
    column = expected.table.column(drift.object)
    found = sides.found(drift.table)
    if found is None:
        return f"no step brings {drift.table} itself to its place"
    if not expected.compared or column is None:
        return "its definition is not known"
    return _value_obstacle(_filled(column, expected.name, sides), expected.table, found.rows)


def _value_obstacle(column: Column, table: Table, rows: RowEvidence) -> str:
    """Why the rows that are there would refuse the column."""
    if rows.has_rows is False or column.identity or column.generated:
        return ""
    value = column.default if column.default is not None else column.fill
    if value is None:
        option = f"--fill {table.name.name}.{column.name}=EXPRESSION"
        return "" if column.nullable else f"it is NOT NULL without a default: say what old rows get, {option}"
    if "(" not in value and rows.counted != 1 and is_unique(table, (column.name,)):
        return f"existing rows would all take {value}, and it has to be unique: add it by hand"
    return ""


def generation_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a column cannot be computed from those that will be there, ``""`` where it can."""
    if drift.kind is not DriftKind.MISSING_COLUMN or drift.table is None:
        return ""
    table = sides.expected.tables[drift.table].table
    column = table.column(drift.object)
    if column is None or not column.generated:
        return ""
    absent = [c.name for c in computed_from(column, table) if not sides.will_have(drift.table, c.name)]
    return f"it is computed from {absent[0]}, which no step adds" if absent else ""


def _add_column(name: TableName, column_name: str, sides: Sides, left_out: LeftOut) -> Repair:
    expected = sides.expected.tables[name]
    column = expected.table.column(column_name)
    found = sides.found(name)
    assert column is not None, "a column without definition was decided"
    assert found is not None, "a column of a table without place was decided"
    cures = cures_of(sides, DriftKind.MISSING_COLUMN, name, column_name)
    constraints = tuple(_constraints_with(column, expected.table, found, sides, left_out))
    indexes = tuple(_indexes_with(column, expected.table, found, sides, left_out))
    action = AddColumn(name, _filled(column, name, sides), constraints, indexes)
    return Repair(
        id=column_id(name, column_name),
        action=action,
        table=name,
        object=column_name,
        cures=cures,
        waits_for=_column_waits(action, expected.table, sides),
        hazards=tuple(_column_hazards(action)) if found.rows.has_rows is not False else (),
        locks=(Lock(name, LockMode.ACCESS_EXCLUSIVE, healthy=False),),
        order=order_of(expected, AddColumn, name, (column_name,)),
    )


def _constraints_with(
    column: Column, table: Table, found: Table, sides: Sides, left_out: LeftOut
) -> Iterator[Constraint]:
    """The constraints that come with a column: where several columns are added, they come with the last."""
    for constraint in table.constraints:
        columns = _constraint_columns(constraint, table)
        if constraint.kind in _NO_PART_OF_A_COLUMN or column.name != _last_added(columns, table.name, sides):
            continue
        obstacle = _part_obstacle(columns, constraint.index, table.name, sides)
        if not obstacle and constraint.name in {c.name for c in found.constraints}:
            obstacle = "a constraint of that name is there already"
        if obstacle:
            cures = cures_of(sides, DriftKind.MISSING_COLUMN, table.name, column.name)
            surfaces = drift_id(DriftKind.MISSING_CONSTRAINT, table.name, constraint.name)
            left_out.note(cures, f"the constraint {quoted(constraint.name)} is not made: {obstacle}", surfaces=surfaces)
        else:
            yield constraint


_NO_PART_OF_A_COLUMN = frozenset({ConstraintKind.FOREIGN_KEY, ConstraintKind.NOT_NULL})


def _indexes_with(column: Column, table: Table, found: Table, sides: Sides, left_out: LeftOut) -> Iterator[Index]:
    """The indexes that come with a column, likewise."""
    for index in table.indexes:
        columns = _index_columns(index, table)
        if index.constraint is not None or column.name != _last_added(columns, table.name, sides):
            continue
        if column.name not in index.columns and _may_be_there(index, found):
            continue
        obstacle = _part_obstacle(columns, index.name, table.name, sides)
        if obstacle:
            cures = cures_of(sides, DriftKind.MISSING_COLUMN, table.name, column.name)
            surfaces = drift_id(DriftKind.MISSING_INDEX, table.name, index.name)
            left_out.note(cures, f"the index {quoted(index.name)} is not made: {obstacle}", surfaces=surfaces)
        else:
            yield index


def _may_be_there(index: Index, found: Table) -> bool:
    """An expression or a predicate only seems to speak of a missing column where the index is there all the same."""
    there = {(other.tail, other.unique) for other in found.indexes}
    return not found.definitions_read or (index.tail, index.unique) in there


def _constraint_columns(constraint: Constraint, table: Table) -> list[str]:
    """The columns a constraint is about; expressions of an exclusion constraint stand in its text alone."""
    text = constraint.definition if constraint.kind is ConstraintKind.EXCLUSION else None
    return [c.name for c in table.columns if c.name in constraint.columns or mentions(text, c.name)]


def _index_columns(index: Index, table: Table) -> list[str]:
    return [c.name for c in table.columns if c.name in index.columns or mentions(index.tail, c.name)]


def _last_added(columns: Iterable[str], table: TableName, sides: Sides) -> str | None:
    wanted = set(columns)
    return next((column for column in reversed(sides.added.get(table, ())) if column in wanted), None)


def _part_obstacle(columns: Iterable[str], relation: str | None, table: TableName, sides: Sides) -> str:
    """Why an index or a constraint over these columns cannot be made, ``""`` where it can."""
    absent = [column for column in columns if not sides.will_have(table, column)]
    if absent:
        return f"no step adds the column {quoted(absent[0])}"
    bearer = sides.names_after.get(TableName(table.schema, relation)) if relation else None
    return f"its name is taken by {bearer}" if bearer else ""


def _column_waits(action: AddColumn, table: Table, sides: Sides) -> tuple[str, ...]:
    """The table's move, and the added columns that the definitions speak of."""
    spoken_of = {c.name for c in computed_from(action.column, table)}
    for constraint in action.constraints:
        spoken_of.update(_constraint_columns(constraint, table))
    for index in action.indexes:
        spoken_of.update(_index_columns(index, table))
    spoken_of.discard(action.column.name)
    waits = {column_id(action.table, column) for column in sides.added[action.table] if column in spoken_of}
    return tuple(sorted(waits | makers_of(action.table, (), sides)))


def _column_hazards(action: AddColumn) -> Iterator[Hazard]:
    column = action.column
    if column.identity or column.generated == "s" or (column.default is not None and "(" in column.default):
        yield Hazard(HazardKind.REWRITE, f"{action.table} may be written anew, row by row, while nobody can read it")
    if action.constraints or action.indexes:
        yield Hazard(
            HazardKind.SCAN, f"{action.table} is read in full for what comes with the column, while nobody can read it"
        )
    if not column.nullable and column.default is None and column.fill is not None and not column.identity:
        yield Hazard(HazardKind.FILLED, f"existing rows take {column.fill}")


def _filled(column: Column, table: TableName, sides: Sides) -> Column:
    """The column with what a person decided that old rows get."""
    decided = sides.decisions.fill.get(f"{table.name}.{column.name}")
    return column if decided is None else replace(column, fill=decided)


# ------------------------------------------------------------------------------------------------------ alterations


def alteration_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a column that differs cannot be made what it should be without loss, ``""`` where it can."""
    if drift.kind is not DriftKind.DIFFERENT_COLUMN or drift.table is None:
        return ""
    wanted, there, found = drift.wanted, drift.there, sides.found(drift.table)
    if found is None:
        return f"no step brings {drift.table} itself to its place"
    if not isinstance(wanted, Column) or not isinstance(there, Column):
        return "its definition is not known"
    return (
        _type_obstacle(wanted, there, found, drift)
        or _generated_obstacle(drift)
        or _null_obstacle(wanted, there, drift, sides)
    )


def alter_columns(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Each column that differs made what it should be; NOT NULL is restored in steps of its own."""
    for drift in sides.decided(DriftKind.DIFFERENT_COLUMN):
        if drift.table is not None and isinstance(drift.wanted, Column) and isinstance(drift.there, Column):
            yield from _alter(drift, drift.table, drift.wanted, drift.there, sides)


def _alter(drift: Drift, table: TableName, wanted: Column, there: Column, sides: Sides) -> Iterator[Repair]:
    restores = "nullability" in drift.aspects and not wanted.nullable
    aspects = tuple(aspect for aspect in drift.aspects if not (restores and aspect == "nullability"))
    exclusive = (Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),)
    before: tuple[str, ...] = ()
    if restores:
        *steps, last = _restore_not_null(drift, table, wanted.name, sides)
        yield from (*steps, last)
        # An identity column has to be NOT NULL first (CREATE TABLE, GENERATED … AS IDENTITY).
        before = (last.id,) if "identity" in aspects else ()
    if aspects:
        hazards = _rewrite(table, wanted, there) if "type" in aspects and sides.may_have_rows(table) else ()
        action = AlterColumn(table, there, wanted, aspects)
        yield part_repair(action, drift, wanted.name, sides, waits_for=before, hazards=hazards, locks=exclusive)


def _restore_not_null(drift: Drift, table: TableName, column: str, sides: Sides) -> list[Repair]:
    exclusive = (Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),)
    if not sides.is_large(table):
        scan = Hazard(HazardKind.SCAN, f"{table} is read in full, while nobody can read or write it")
        hazards = (scan,) if sides.may_have_rows(table) else ()
        return [part_repair(SetNotNull(table, column), drift, column, sides, hazards=hazards, locks=exclusive)]
    proof = not_null_proof(column)
    check = Constraint(proof, ConstraintKind.CHECK, (column,), f"CHECK (({quoted(column)} IS NOT NULL))")
    left = _left_behind(check, sides.found(table))
    if left is not None and left.validated:
        action = SetNotNull(table, column, proof, proof_was_left=True)
        return [part_repair(action, drift, column, sides, locks=exclusive)]
    steps = [] if left else [part_repair(AddNotNullProof(table, column, proof), drift, column, sides, locks=exclusive)]
    steps.append(validation(drift, check, tuple(step.id for step in steps), sides))
    waits_for = (steps[-1].id,)
    last = part_repair(SetNotNull(table, column, proof), drift, column, sides, waits_for=waits_for, locks=exclusive)
    return [*steps, last]


def _left_behind(check: Constraint, found: Table | None) -> Constraint | None:
    """The proof as a repair that was stopped half-way left it."""
    for there in found.constraints if found is not None else ():
        if there.name == check.name and (there.definition or "").removesuffix(" NOT VALID") == check.definition:
            return there
    return None


def _type_obstacle(wanted: Column, there: Column, found: Table, drift: Drift) -> str:
    if not {"type", "collation"}.intersection(drift.aspects):
        return ""
    views = [dependant.name for dependant in found.dependants if dependant.kind.endswith("view")]
    if views:
        return f"the view {views[0]} may show the column, and PostgreSQL alters no type under a view"
    if "type" in drift.aspects and widening(there.type, wanted.type) is None:
        return f"a change from {there.type} to {wanted.type} can lose what {there.type} holds: a person has to decide"
    return ""


def _generated_obstacle(drift: Drift) -> str:
    return (
        "a generated column cannot be altered: it has to be dropped and added" if "generated" in drift.aspects else ""
    )


def _null_obstacle(wanted: Column, there: Column, drift: Drift, sides: Sides) -> str:
    if "nullability" not in drift.aspects or wanted.nullable or drift.table is None:
        return ""
    empty = sides.violations_of(drift.table, wanted.name)
    return f"it is NULL in {empty}: that needs a value first" if empty.has_rows else ""


def _rewrite(table: TableName, wanted: Column, there: Column) -> tuple[Hazard, ...]:
    if widening(there.type, wanted.type) is not Widening.REWRITE:
        return ()
    return (Hazard(HazardKind.REWRITE, f"{table} is written anew, row by row, while nobody can read it"),)

"""Foreign keys to make: steps of their own, because two tables can need each other."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.actions import AddForeignKey
from cascade.core.definitions import is_unique
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, TableName, quoted
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.repair import LeftOut, Repair, cures_of, makers_of, order_of
from cascade.core.repairs.sides import Sides


def add_foreign_keys(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Each expected key that a repaired thing is an end of, and that the database lacks."""
    for expected in sides.expected.tables.values():
        for key in expected.table.foreign_keys:
            reference = key.references
            cures = _cured_by_key(expected.name, key, sides)
            if reference is None or not cures or _has_key(expected.name, key, sides):
                continue
            obstacle = _key_obstacle(expected, key, sides)
            if obstacle:
                left_out.note(cures, f"the key {_key_in_words(expected.name, key)} is not made: {obstacle}")
            else:
                yield _add_foreign_key(expected, key, cures, sides)


def _cured_by_key(table: TableName, key: Constraint, sides: Sides) -> tuple[str, ...]:
    """The drifts that took the key away: an end that will be made anew."""
    found: set[str] = set()
    for name, columns in _ends(table, key):
        if name in sides.created:
            found.update(cures_of(sides, DriftKind.MISSING_TABLE, name))
        for column in columns:
            if column in sides.added.get(name, ()):
                found.update(cures_of(sides, DriftKind.MISSING_COLUMN, name, column))
    return tuple(sorted(found))


def _ends(table: TableName, key: Constraint) -> Iterator[tuple[TableName, tuple[str, ...]]]:
    yield table, key.columns
    if key.references is not None:
        yield key.references.table, key.references.columns


def _has_key(table: TableName, key: Constraint, sides: Sides) -> bool:
    """Whether the observed table has the key, by structure: names lie."""
    found = sides.found(table)
    return found is not None and any(_structure(key) == _structure(other, sides) for other in found.foreign_keys)


def _structure(key: Constraint, sides: Sides | None = None) -> object:
    """Which columns refer to which of which table; given the sides, to where that table will be."""
    reference = key.references
    if reference is None:
        return None
    places = {copy: name for name, copy in sides.moved.items()} if sides else {}
    return places.get(reference.table, reference.table), frozenset(zip(key.columns, reference.columns, strict=False))


def _key_obstacle(expected: ExpectedTable, key: Constraint, sides: Sides) -> str:
    """Why the key cannot be made, ``""`` where it can."""
    if not expected.compared:
        return f"the definition of {expected.name} is not known"
    for name, columns in _ends(expected.name, key):
        if not sides.will_exist(name):
            return f"no step brings {name} to its place"
        absent = [column for column in columns if not sides.will_have(name, column)]
        if absent:
            return f"no step adds {name}.{quoted(absent[0])}"
    found = sides.found(expected.name)
    if found is not None and key.name in {c.name for c in found.constraints}:
        return f"{expected.name} has another constraint of the name {quoted(key.name)}"
    if not _is_target_unique(key, sides):
        return "nothing makes the columns it refers to unique"
    return ""


def _is_target_unique(key: Constraint, sides: Sides) -> bool:
    """PostgreSQL refuses a key to columns that no primary key or unique index covers."""
    reference = key.references
    if reference is None:
        return False
    found = sides.found(reference.table)
    if found is not None and (not found.read_in_full or is_unique(found, reference.columns)):
        return True
    anew = reference.table in sides.created or any(c in sides.added.get(reference.table, ()) for c in reference.columns)
    return anew and is_unique(sides.expected.tables[reference.table].table, reference.columns)


def _add_foreign_key(expected: ExpectedTable, key: Constraint, cures: tuple[str, ...], sides: Sides) -> Repair:
    name = expected.name
    orphans = _leaves_orphans(name, key, sides)
    made = replace(key, validated=key.validated and not orphans)
    ends = tuple(_ends(name, key))
    waits = {step for table, columns in ends for step in makers_of(table, columns, sides)}
    return Repair(
        id=f"add_foreign_key:{_key_in_words(name, key, arrow='->')}",
        action=AddForeignKey(name, made),
        table=name,
        object=key.name,
        cures=cures,
        waits_for=tuple(sorted(waits)),
        hazards=tuple(_key_hazards(name, made, orphans=orphans, sides=sides)),
        locks=tuple(
            Lock(table, LockMode.SHARE_ROW_EXCLUSIVE, healthy=table not in sides.drifted)
            for table in dict.fromkeys(table for table, _ in ends)
            if table not in sides.created
        ),
        order=order_of(expected, AddForeignKey, name, key.columns),
    )


def _leaves_orphans(table: TableName, key: Constraint, sides: Sides) -> bool:
    """Whether old rows may refer to values that went away with a table or column that is made anew, empty."""
    found, reference = sides.found(table), key.references
    if reference is None or found is None or table in sides.created or found.rows.has_rows is False:
        return False
    added = sides.added.get(reference.table, ())
    lost = reference.table in sides.created or any(column in added for column in reference.columns)
    return lost and not any(_comes_null(table, column, sides) for column in key.columns)


def _comes_null(table: TableName, column_name: str, sides: Sides) -> bool:
    """Whether the column is added and old rows hold nothing in it."""
    column = sides.expected.tables[table].table.column(column_name)
    added = column_name in sides.added.get(table, ())
    return added and column is not None and column.nullable and column.default is None and not column.generated


def _key_hazards(table: TableName, key: Constraint, *, orphans: bool, sides: Sides) -> Iterator[Hazard]:
    if table in sides.created or key.references is None:
        return
    if orphans:
        yield Hazard(
            HazardKind.ROWS_NOT_CHECKED,
            f"the key holds for new rows only (NOT VALID): what old rows of {table} refer to went away with "
            f"{key.references.table}",
        )
    elif key.validated and key.enforced:
        yield Hazard(HazardKind.SCAN, f"every row of {table} is checked against {key.references.table}")


def _key_in_words(table: TableName, key: Constraint, *, arrow: str = " -> ") -> str:
    reference = key.references
    there = f"{reference.table}.{','.join(map(quoted, reference.columns))}" if reference else ""
    return f"{table}.{','.join(map(quoted, key.columns))}{arrow}{there}"

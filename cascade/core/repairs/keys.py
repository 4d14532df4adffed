"""Foreign keys to make: steps of their own, because two tables can need each other."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.actions import AddForeignKey, RepointForeignKey, ValidateConstraint
from cascade.core.definitions import is_unique
from cascade.core.drift import Drift, drift_id
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, ConstraintKind, TableName, quoted
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.repairs.constraints import UNIQUE, enabling, making, validation
from cascade.core.repairs.repair import LeftOut, Repair, cures_of, makers_of, order_of, placed, step_id
from cascade.core.repairs.sides import Sides


def add_foreign_keys(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Each expected key that the database lacks, by itself or because a repaired thing is an end of it."""
    for expected in sides.expected.tables.values():
        for key in expected.table.foreign_keys:
            reference = key.references
            cures = _cured_by_key(expected.name, key, sides)
            if reference is None or not cures or _has_key(expected.name, key, sides):
                continue
            obstacle = _key_obstacle(expected, key, sides)
            if obstacle:
                sentence = f"the key {_key_in_words(expected.name, key)} is not made: {obstacle}"
                surfaces = drift_id(DriftKind.MISSING_CONSTRAINT, expected.name, key.name)
                left_out.note(cures, sentence, surfaces=surfaces)
            else:
                yield from _add_foreign_key(expected, key, cures, sides)


def _cured_by_key(table: TableName, key: Constraint, sides: Sides) -> tuple[str, ...]:
    """The drifts that took the key away: an end that will be made anew, or its own absence."""
    found = {
        drift.id
        for drift in sides.decided(DriftKind.MISSING_CONSTRAINT)
        if drift.table == table and drift.wanted == key
    }
    for name, columns in _ends(table, key):
        if name in sides.created:
            found.update(cures_of(sides, DriftKind.MISSING_TABLE, name))
        for column in columns:
            if column in sides.added.get(name, ()):
                found.update(cures_of(sides, DriftKind.MISSING_COLUMN, name, column))
    found.update(drift.id for drift in _made_unique(key, sides))
    return tuple(sorted(found))


def _made_unique(key: Constraint, sides: Sides) -> Iterator[Drift]:
    """The findings whose cure makes the columns unique that the key refers to: it went with what did so before."""
    if key.references is None:
        return
    to, columns = key.references.table, set(key.references.columns)
    for kind in (DriftKind.MISSING_CONSTRAINT, DriftKind.DIFFERENT_CONSTRAINT):
        for drift in sides.decided(kind):
            wanted = drift.wanted
            if drift.table == to and isinstance(wanted, Constraint) and wanted.kind in UNIQUE:
                yield from [drift] if set(wanted.columns) == columns else []


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


def _key_obstacle(expected: ExpectedTable, key: Constraint, sides: Sides, *, own: str = "") -> str:
    """Why the key cannot be made, ``""`` where it can; ``own`` is the constraint that it replaces."""
    if not expected.compared:
        return f"the definition of {expected.name} is not known"
    for name, columns in _ends(expected.name, key):
        if not sides.will_exist(name):
            return f"no step brings {name} to its place"
        absent = [column for column in columns if not sides.will_have(name, column)]
        if absent:
            return f"no step adds {name}.{quoted(absent[0])}"
    found = sides.found(expected.name)
    if not own and found is not None and key.name in {c.name for c in found.constraints}:
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
    if any(_made_unique(key, sides)):
        return True
    anew = reference.table in sides.created or any(c in sides.added.get(reference.table, ()) for c in reference.columns)
    return anew and is_unique(sides.expected.tables[reference.table].table, reference.columns)


def _add_foreign_key(
    expected: ExpectedTable, key: Constraint, cures: tuple[str, ...], sides: Sides
) -> Iterator[Repair]:
    """The key; where the table has rows it is made NOT VALID, and they are checked afterwards under a weaker lock."""
    name = expected.name
    orphans = _leaves_orphans(name, key, sides) or bool(sides.violations_of(name, key.name).has_rows)
    later = key.validated and key.enforced and sides.may_have_rows(name) and not _all_come_null(name, key, sides)
    made = replace(key, validated=key.validated and not later and not orphans)
    ends = tuple(_ends(name, key))
    waits = {step for table, columns in ends for step in makers_of(table, columns, sides)}
    waits |= {making(drift) for drift in _made_unique(key, sides)}
    repair = Repair(
        id=f"add_foreign_key:{_key_in_words(name, key, arrow='->')}",
        action=AddForeignKey(name, made),
        table=name,
        object=key.name,
        cures=cures,
        waits_for=tuple(sorted(waits)),
        hazards=_orphan_hazards(name, key, sides) if orphans else (),
        locks=tuple(
            Lock(table, LockMode.SHARE_ROW_EXCLUSIVE, healthy=table not in sides.drifted)
            for table in dict.fromkeys(table for table, _ in ends)
            if table not in sides.created
        ),
        order=order_of(expected, AddForeignKey, name, key.columns),
    )
    yield repair
    if later and not orphans:
        yield _validation_after(repair, key, sides)


def _validation_after(repair: Repair, key: Constraint, sides: Sides) -> Repair:
    """VALIDATE for a key that a step makes."""
    locks = [Lock(repair.table, LockMode.SHARE_UPDATE_EXCLUSIVE, healthy=False)]
    if key.references is not None and key.references.table != repair.table:
        to = key.references.table
        locks.append(Lock(to, LockMode.ROW_SHARE, healthy=to not in sides.drifted))
    words = f"every row of {repair.table} is read, while people read and write"
    return Repair(
        id=step_id(ValidateConstraint, repair.table, key.name),
        action=ValidateConstraint(repair.table, replace(key, validated=True)),
        table=repair.table,
        object=key.name,
        cures=repair.cures,
        waits_for=(repair.id,),
        hazards=(Hazard(HazardKind.VALIDATION, words),),
        locks=tuple(locks),
        order=order_of(sides.expected.tables[repair.table], ValidateConstraint, repair.table, key.columns),
    )


def key_obstacle(drift: Drift, sides: Sides) -> str:
    """Why a key that is there cannot be put right, ``""`` where it can."""
    if drift.constraint_type is not ConstraintKind.FOREIGN_KEY or drift.table is None:
        return ""
    found = sides.found(drift.table)
    if drift.kind not in _KEY_KINDS:
        return ""
    if found is None:
        return f"no step brings {drift.table} itself to its place"
    if drift.kind is DriftKind.MISSING_CONSTRAINT:
        return _missing_key_obstacle(drift, sides)
    broken = sides.violations_of(drift.table, drift.object)
    if drift.kind in (DriftKind.MISDIRECTED_FOREIGN_KEY, DriftKind.DIFFERENT_CONSTRAINT):
        return _missing_key_obstacle(drift, sides, own=drift.object)
    return f"{broken} refer to nothing: they have to be put right first" if broken.has_rows else ""


_OF_COPIES = frozenset({DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE})

_KEY_KINDS = frozenset(
    {
        DriftKind.MISSING_CONSTRAINT,
        DriftKind.MISDIRECTED_FOREIGN_KEY,
        DriftKind.DIFFERENT_CONSTRAINT,
        DriftKind.NOT_VALIDATED_CONSTRAINT,
        DriftKind.DISABLED_CONSTRAINT,
    }
)


def _missing_key_obstacle(drift: Drift, sides: Sides, own: str = "") -> str:
    assert drift.table is not None, "a key is on a table"
    if isinstance(drift.wanted, Constraint) and drift.wanted.references is not None:
        to = drift.wanted.references.table
        if any(d.table == to and d.undecided and d.kind in _OF_COPIES for d in sides.drifts):
            return f"it has to be decided first which copy of {to} counts"
    expected = sides.expected.tables[drift.table]
    if not isinstance(drift.wanted, Constraint):
        return "its definition is not known"
    return _key_obstacle(expected, drift.wanted, sides, own=own)


def mend_foreign_keys(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """Keys that are there: pointed where they should point, made what they should be, validated, put in force."""
    for kind in (DriftKind.MISDIRECTED_FOREIGN_KEY, DriftKind.DIFFERENT_CONSTRAINT):
        for drift in _of_keys(sides, kind):
            yield from _repoint(drift, sides)
    for drift in _of_keys(sides, DriftKind.NOT_VALIDATED_CONSTRAINT):
        if isinstance(drift.there, Constraint) and not _is_repointed(drift, sides):
            yield validation(drift, drift.there, (), sides)
    for drift in _of_keys(sides, DriftKind.DISABLED_CONSTRAINT):
        if not _is_repointed(drift, sides):
            yield from enabling(drift, sides)


def repointing_from(copy: TableName, sides: Sides) -> Iterator[str]:
    """The ids of the steps that take keys away from a copy which goes into the attic: no key is to lead there."""
    for drift in _of_keys(sides, DriftKind.MISDIRECTED_FOREIGN_KEY):
        reference = drift.there.references if isinstance(drift.there, Constraint) else None
        if drift.table is not None and reference is not None and reference.table == copy:
            yield step_id(RepointForeignKey, drift.table, drift.object)


def _of_keys(sides: Sides, kind: DriftKind) -> Iterator[Drift]:
    return (drift for drift in sides.decided(kind) if drift.constraint_type is ConstraintKind.FOREIGN_KEY)


def _is_repointed(drift: Drift, sides: Sides) -> bool:
    """Whether another step makes the key anew, and in force."""
    return any(
        other.table == drift.table and other.object == drift.object
        for kind in (DriftKind.MISDIRECTED_FOREIGN_KEY, DriftKind.DIFFERENT_CONSTRAINT)
        for other in _of_keys(sides, kind)
    )


def _repoint(drift: Drift, sides: Sides) -> Iterator[Repair]:
    """The key dropped and made again NOT VALID, then validated; with rows that refer to nothing it stays so."""
    wanted, there, table = drift.wanted, drift.there, drift.table
    assert isinstance(wanted, Constraint), "what differs is known as it should be"
    assert isinstance(there, Constraint), "what differs is there"
    assert wanted.references is not None, "a foreign key refers to something"
    there = placed(there, sides)
    assert table is not None, "a key is on a table"
    found = sides.found(table)
    taken = {other.name for other in found.constraints if other.name != there.name} if found else set()
    target, pointed_at = wanted.references.table, there.references.table if there.references else table
    wanted = replace(wanted, name=there.name if wanted.name in taken else wanted.name)
    waits = {step for name, columns in _ends(table, wanted) for step in makers_of(name, columns, sides)}
    orphans = bool(sides.violations_of(table, there.name).has_rows)
    same = sorted(other.id for other in sides.drifts if other.table == table and other.object == drift.object)
    made = Repair(
        id=step_id(RepointForeignKey, table, there.name),
        action=RepointForeignKey(table, there, replace(wanted, validated=False)),
        table=table,
        object=there.name,
        cures=tuple(cure for cure in same if _is_key_finding(cure, sides)),
        waits_for=tuple(sorted(waits)),
        hazards=_orphan_hazards(table, wanted, sides, counted_as=there.name) if orphans else (),
        # Adding takes SHARE ROW EXCLUSIVE on both, dropping ACCESS EXCLUSIVE, also on what the key pointed at.
        locks=tuple(
            Lock(
                name,
                LockMode.ACCESS_EXCLUSIVE if name in (table, pointed_at) else LockMode.SHARE_ROW_EXCLUSIVE,
                healthy=name not in sides.drifted and name in sides.expected.tables and name != table,
            )
            for name in dict.fromkeys((table, pointed_at, target))
        ),
        order=order_of(sides.expected.tables[table], RepointForeignKey, table, wanted.columns),
    )
    yield made
    if not orphans:
        yield _validation_after(made, wanted, sides)


def _is_key_finding(id_: str, sides: Sides) -> bool:
    drift = next(drift for drift in sides.drifts if drift.id == id_)
    return drift.kind in _KEY_KINDS and not drift.undecided


def _orphan_hazards(
    table: TableName, key: Constraint, sides: Sides, *, counted_as: str | None = None
) -> tuple[Hazard, ...]:
    assert key.references is not None, "a foreign key refers to something"
    counted = sides.violations_of(table, counted_as or key.name)
    why = (
        f"{counted} of {table} refer to nothing in {key.references.table}"
        if counted.has_rows
        else f"what old rows of {table} refer to went away with {key.references.table}"
    )
    return (Hazard(HazardKind.ROWS_NOT_CHECKED, f"the key holds for new rows only (NOT VALID): {why}"),)


def _all_come_null(table: TableName, key: Constraint, sides: Sides) -> bool:
    """Whether no old row can refer to anything, since a column of the key is added and comes empty."""
    return any(_comes_null(table, column, sides) for column in key.columns)


def _leaves_orphans(table: TableName, key: Constraint, sides: Sides) -> bool:
    """Whether old rows may refer to values that went away with a table or column that is made anew, empty."""
    found, reference = sides.found(table), key.references
    if reference is None or found is None or table in sides.created or found.rows.has_rows is False:
        return False
    added = sides.added.get(reference.table, ())
    lost = reference.table in sides.created or any(column in added for column in reference.columns)
    if lost and sides.violations_of(table, key.name).has_rows is False:
        return False  # counted: no row refers to anything
    return lost and not any(_comes_null(table, column, sides) for column in key.columns)


def _comes_null(table: TableName, column_name: str, sides: Sides) -> bool:
    """Whether the column is added and old rows hold nothing in it."""
    column = sides.expected.tables[table].table.column(column_name)
    added = column_name in sides.added.get(table, ())
    return added and column is not None and column.nullable and column.default is None and not column.generated


def _key_in_words(table: TableName, key: Constraint, *, arrow: str = " -> ") -> str:
    reference = key.references
    there = f"{reference.table}.{','.join(map(quoted, reference.columns))}" if reference else ""
    return f"{table}.{','.join(map(quoted, key.columns))}{arrow}{there}"

"""Constraints and foreign keys: missing, different, pointing at the wrong copy, not enforced, or expected by nobody."""

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from cascade.core.definitions import absent_columns, is_unique
from cascade.core.detection.comparison import Comparison, about
from cascade.core.detection.matching import Matches, match
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.expressions import normalised
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Constraint, ConstraintKind, Reference, RowEvidence, Table, TableName, quoted


def detect_constraints(
    matches: Matches[Constraint], expected: ExpectedTable, found: Table, both: Comparison
) -> Iterator[Drift]:
    """What differs between the constraints of an expected table and of that which stands for it.

    NOT NULL is told by its column; here only whether one is validated (PostgreSQL 18 keeps them as constraints).
    """
    near = _near(matches, both)
    for constraint in matches.expected:
        other = near.get(constraint.name)
        if _is_consequence(constraint, expected, found, both):
            continue
        if other is not None:
            yield from _different(constraint, other, expected, found, both)
        else:
            yield _missing(constraint, matches, expected, found, both)
    for constraint, other in matches.pairs:
        yield from _not_in_force(constraint, other, expected, found)
    yield from (_not_validated(c, c, expected, found) for c in found.constraints if _is_unproven_not_null(c))
    paired = {other.name for other in near.values()}
    for constraint in matches.found:
        if constraint.name not in paired:
            yield _extra(constraint, expected, found)


def match_constraints(expected: ExpectedTable, found: Table, both: Comparison) -> Matches[Constraint]:
    """The constraints that are the same but for their names, NOT NULL apart, and what is left on each side."""
    retyped = retyped_columns(expected, found)
    return match(
        [c for c in expected.table.constraints if c.kind is not ConstraintKind.NOT_NULL],
        [c for c in found.constraints if c.kind is not ConstraintKind.NOT_NULL],
        (
            partial(_structure, both=both, as_printed=True),
            partial(_structure, both=both, as_printed=False),
            partial(_rule_over, columns=retyped),
        ),
    )


def retyped_columns(expected: ExpectedTable, found: Table) -> frozenset[str]:
    """The columns of another type than expected: what is said of them is printed with other casts."""
    types = {column.name: column.type for column in found.columns}
    return frozenset(c.name for c in expected.table.columns if types.get(c.name, c.type) != c.type)


def has_key(key: Constraint, found: Table, both: Comparison) -> bool:
    """Whether the table has this foreign key, by structure."""
    wanted = _structure(key, both=both, as_printed=True)
    return any(_structure(other, both=both, as_printed=True) == wanted for other in found.foreign_keys)


def constraint_in_words(constraint: Constraint) -> str:
    """The definition as PostgreSQL prints it; a foreign key, never made on the expected side, is put in its words.

    >>> key = Constraint("fk", ConstraintKind.FOREIGN_KEY, ("a",), references=Reference(TableName("s", "t"), ("id",)))
    >>> constraint_in_words(key)
    'FOREIGN KEY (a) REFERENCES s.t(id)'
    """
    if constraint.references is None:
        return constraint.definition or f"{constraint.kind.value} ({', '.join(map(quoted, constraint.columns))})"
    return "".join(_key_definition(constraint, constraint.references))


def key_in_words(table: TableName, key: Constraint) -> str:
    """From where to where a foreign key points."""
    to = key.references.table if key.references else "nothing"
    return f"{table} ({_quoted_names(key.columns)}) -> {to}"


def rule_of(constraint: Constraint) -> str | None:
    """The text that may speak of columns which the constraint does not list: an exclusion's expressions."""
    return constraint.definition if constraint.kind is ConstraintKind.EXCLUSION else None


def query_for_constraints(table: TableName) -> str:
    """The SQL that shows the constraints as PostgreSQL prints them."""
    literal = "'" + str(table).replace("'", "''") + "'"
    return (
        "SELECT conname, contype, convalidated, pg_get_constraintdef(oid) FROM pg_constraint "
        f"WHERE conrelid = {literal}::regclass ORDER BY contype, conname;"
    )


# ----------------------------------------------------------------------------------------------------------- structure


def _structure(constraint: Constraint, *, both: Comparison, as_printed: bool) -> Hashable | None:
    """What a constraint is, whatever it is called."""
    deferral = (constraint.deferrable, constraint.initially_deferred)
    match constraint.kind:
        case ConstraintKind.PRIMARY_KEY | ConstraintKind.UNIQUE:
            return (constraint.kind, frozenset(constraint.columns), _beside_columns(constraint), deferral)
        case ConstraintKind.FOREIGN_KEY:
            return (constraint.kind, _pairs(constraint), _target(constraint, both), _rules(constraint), deferral)
        case _:
            text = _rule(constraint.definition or "")
            return (constraint.kind, text if as_printed else normalised(text), deferral)


def _rule_over(constraint: Constraint, *, columns: frozenset[str]) -> Hashable | None:
    """A check's rule whatever it is cast to, where it is about columns whose type differs, which is said by itself."""
    if constraint.definition is None or columns.isdisjoint(constraint.columns):
        return None
    return (constraint.kind, normalised(_rule(constraint.definition), casts=False), constraint.deferrable)


def _beside_columns(constraint: Constraint) -> tuple[bool, str]:
    """NULLS NOT DISTINCT, and the columns that are included and not compared."""
    text = constraint.definition or ""
    included = re.search(r"\) INCLUDE \((.*?)\)", text)
    return ("NULLS NOT DISTINCT" in text.partition("(")[0], included[1] if included else "")


def _pairs(key: Constraint) -> Hashable:
    columns = key.references.columns if key.references else ()
    return frozenset(zip(key.columns, columns, strict=False))


def _target(key: Constraint, both: Comparison) -> TableName | None:
    return both.referred(key.references.table) if key.references else None


def _rules(key: Constraint) -> Hashable:
    reference = key.references
    if reference is None:
        return None
    return (reference.on_update, reference.on_delete, reference.match, frozenset(reference.set_columns))


def _rule(definition: str) -> str:
    """The definition without what says whether it is in force."""
    return re.sub(r"( NOT VALID| NOT ENFORCED| NO INHERIT)+$", "", definition)


# ------------------------------------------------------------------------------------------------------- near matches


def _near(matches: Matches[Constraint], both: Comparison) -> dict[str, Constraint]:
    """For what is expected and has no equal, that which is there in its stead, by the name expected.

    A key over the same columns, the primary key, a constraint of the same kind and name; else one of the same kind
    over the same columns, where there is no doubt which.
    """
    near: dict[str, Constraint] = {}
    left = list(matches.found)
    for likeness in (_same_rule_elsewhere, _same_name, _same_columns):
        for constraint in matches.expected:
            if constraint.name in near:
                continue
            alike = [other for other in left if other.kind is constraint.kind and likeness(constraint, other, both)]
            if alike and (len(alike) == 1 or likeness is not _same_columns):
                near[constraint.name] = alike[0]
                left.remove(alike[0])
    return near


def _same_rule_elsewhere(one: Constraint, other: Constraint, both: Comparison) -> bool:
    return one.references is not None and _points_astray(one, other, both) and _rules(one) == _rules(other)


def _same_name(one: Constraint, other: Constraint, both: Comparison) -> bool:
    return one.name == other.name


def _same_columns(one: Constraint, other: Constraint, both: Comparison) -> bool:
    return one.kind is ConstraintKind.PRIMARY_KEY or set(one.columns) == set(other.columns)


def _points_astray(key: Constraint, other: Constraint, both: Comparison) -> bool:
    """The same columns refer to the same columns of a table of the same name, in another schema."""
    if key.references is None or other.references is None or _pairs(key) != _pairs(other):
        return False
    wanted, there = _target(key, both), _target(other, both)
    return wanted is not None and there is not None and wanted != there and wanted.name == there.name


# ------------------------------------------------------------------------------------------------------------ findings


def _is_consequence(constraint: Constraint, expected: ExpectedTable, found: Table, both: Comparison) -> bool:
    """Whether it cannot be there because of another finding, to which it is attached."""
    if absent_columns(rule_of(constraint), constraint.columns, expected.table, found):
        return True
    reference = constraint.references
    if reference is None:
        return False
    name = both.referred(reference.table)
    other = both.found(name) if name in both.expected.tables else both.observed.layout.tables.get(name)
    if other is None:
        return True
    return other.read_in_full and not is_unique(other, reference.columns)


def _missing(
    constraint: Constraint, matches: Matches[Constraint], expected: ExpectedTable, found: Table, both: Comparison
) -> Drift:
    made_by = expected.origin_of(constraint.name, constraint.columns)
    structure = _structure(constraint, both=both, as_printed=True)
    has_twin = any(_structure(other, both=both, as_printed=True) == structure for other, _ in matches.pairs)
    drift = _about(DriftKind.MISSING_CONSTRAINT, constraint, expected, found)
    return replace(
        drift,
        severity=Severity.NOTE if has_twin else drift.severity,
        object=constraint.name,
        wanted=constraint,
        expected=constraint_in_words(constraint),
        observed=f"not among the {_number(found)} constraints of {found.name}",
        evidence=(
            f"{made_by.migration} ({made_by.operation}) is recorded as applied",
            *_namesakes(constraint.name, found, both),
        ),
        consequences=tuple(_keys_gone_with(constraint, expected, both)),
    )


def _number(found: Table) -> int:
    """How many constraints the table has; NOT NULL is one only since PostgreSQL 18."""
    return sum(constraint.kind is not ConstraintKind.NOT_NULL for constraint in found.constraints)


def _namesakes(name: str, found: Table, both: Comparison) -> Iterator[str]:
    """Who else bears the name: a repair by hand that asks for the name alone is answered by that one."""
    for copy in both.observed.layout.copies.get(found.name.name, ()):
        if copy.name != found.name and any(constraint.name == name for constraint in copy.constraints):
            yield f"a constraint of that name is on {copy.name}: a check by name alone finds that one"


def _keys_gone_with(constraint: Constraint, expected: ExpectedTable, both: Comparison) -> Iterator[str]:
    """The foreign keys that cannot be there without what makes their target unique."""
    if constraint.kind not in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE):
        return
    for table, key in both.keys_to.get(expected.name, ()):
        assert key.references is not None, "a foreign key refers to something"
        there = both.found(table.name)
        if set(key.references.columns) == set(constraint.columns) and there and not has_key(key, there, both):
            yield f"the foreign key {key_in_words(table.name, key)}"


def _different(
    constraint: Constraint, other: Constraint, expected: ExpectedTable, found: Table, both: Comparison
) -> Iterator[Drift]:
    astray = _points_astray(constraint, other, both)
    if astray:
        yield _misdirected(constraint, other, expected, found, both)
    if astray or not other.enabled:
        yield from _not_in_force(constraint, other, expected, found)
    if _structure_but_for_place(constraint) == _structure_but_for_place(other):
        return
    made_by = expected.origin_of(constraint.name, constraint.columns)
    yield replace(
        _about(DriftKind.DIFFERENT_CONSTRAINT, constraint, expected, found),
        object=other.name,
        wanted=constraint,
        there=other,
        expected=constraint_in_words(constraint),
        observed=constraint_in_words(other),
        evidence=(f"{made_by.migration} ({made_by.operation}) is recorded as applied",),
        consequences=tuple(_keys_gone_with(constraint, expected, both)),
    )


def _structure_but_for_place(constraint: Constraint) -> Hashable:
    """Of a key all but the schema that it points into."""
    deferral = (constraint.deferrable, constraint.initially_deferred)
    if constraint.references is None:
        return (constraint.columns, normalised(_rule(constraint.definition or "")), deferral)
    return (_pairs(constraint), constraint.references.table.name, _rules(constraint), deferral)


def _misdirected(key: Constraint, other: Constraint, expected: ExpectedTable, found: Table, both: Comparison) -> Drift:
    assert key.references is not None, "only keys are misdirected"
    assert other.references is not None, "only keys are misdirected"
    wanted, there = key.references.table, other.references.table
    copy = both.observed.layout.tables.get(there)
    orphans = both.observed.violations.get((found.name, other.name), RowEvidence())
    drift = _about(DriftKind.MISDIRECTED_FOREIGN_KEY, other, expected, found)
    return replace(
        drift,
        severity=Severity.BROKEN if orphans.has_rows else drift.severity,
        object=other.name,
        wanted=key,
        there=other,
        expected=f"refers to {wanted}",
        observed=f"refers to {there}",
        evidence=(
            f"expected: {constraint_in_words(key)}",
            f"found: {constraint_in_words(other)}",
            *((f"{there}: {copy.rows}",) if copy else ()),
            _orphans_in_words(orphans, wanted),
        ),
        copies=(there,),
        rows=(copy.rows,) if copy else (RowEvidence(),),
    )


def _orphans_in_words(orphans: RowEvidence, wanted: TableName) -> str:
    if orphans.has_rows is None:
        return f"whether rows refer to nothing in {wanted} was not counted" + (
            f": {orphans.unknown_because}" if orphans.unknown_because else ""
        )
    if orphans.has_rows is False:
        return f"all that its rows refer to is in {wanted} too"
    return f"{orphans} {'refer' if orphans.figure != '1' else 'refers'} to nothing in {wanted}"


def _not_in_force(constraint: Constraint, other: Constraint, expected: ExpectedTable, found: Table) -> Iterator[Drift]:
    if constraint.enforced and not (other.enforced and other.enabled):
        why = "it is NOT ENFORCED" if not other.enforced else "triggers that enforce it are disabled"
        yield replace(
            _about(DriftKind.DISABLED_CONSTRAINT, other, expected, found),
            object=other.name,
            wanted=constraint,
            there=other,
            expected="enforced",
            observed=why,
            evidence=(constraint_in_words(other),),
            query=query_for_constraints(found.name) if not other.enforced else _query_for_triggers(found.name),
        )
    # What is not enforced is never validated; saying so twice helps nobody.
    elif constraint.validated and not other.validated:
        yield _not_validated(constraint, other, expected, found)


def _is_unproven_not_null(constraint: Constraint) -> bool:
    return constraint.kind is ConstraintKind.NOT_NULL and not constraint.validated


def _not_validated(constraint: Constraint, other: Constraint, expected: ExpectedTable, found: Table) -> Drift:
    return replace(
        _about(DriftKind.NOT_VALIDATED_CONSTRAINT, other, expected, found),
        object=other.name,
        wanted=constraint,
        there=other,
        expected="validated",
        observed="NOT VALID: rows from before were not checked",
        evidence=(constraint_in_words(other),),
    )


def _extra(constraint: Constraint, expected: ExpectedTable, found: Table) -> Drift:
    return replace(
        _about(DriftKind.EXTRA_CONSTRAINT, constraint, expected, found),
        object=constraint.name,
        expected="expected by no applied migration",
        observed=constraint_in_words(constraint),
        made_by=None,
    )


def _about(kind: DriftKind, constraint: Constraint, expected: ExpectedTable, found: Table) -> Drift:
    return replace(
        about(expected, kind, made_by=expected.origin_of(constraint.name, constraint.columns)),
        columns=constraint.columns,
        constraint_type=constraint.kind,
        query=query_for_constraints(found.name),
    )


# --------------------------------------------------------------------------------------------------------------- words


def _key_definition(key: Constraint, reference: Reference) -> Iterator[str]:
    """As ``pg_get_constraintdef`` words a key, schema always included."""
    yield f"FOREIGN KEY ({_quoted_names(key.columns)}) REFERENCES {reference.table}({_quoted_names(reference.columns)})"
    if reference.match == "f":
        yield " MATCH FULL"
    if reference.on_update != "a":
        yield f" ON UPDATE {_ACTIONS[reference.on_update]}"
    if reference.on_delete != "a":
        yield f" ON DELETE {_ACTIONS[reference.on_delete]}"
    if reference.set_columns:
        yield f" ({_quoted_names(reference.set_columns)})"
    if key.deferrable:
        yield " DEFERRABLE INITIALLY DEFERRED" if key.initially_deferred else " DEFERRABLE"
    if not key.enforced:
        yield " NOT ENFORCED"
    elif not key.validated:
        yield " NOT VALID"


_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _quoted_names(columns: Iterable[str]) -> str:
    return ", ".join(map(quoted, columns))


def _query_for_triggers(table: TableName) -> str:
    literal = "'" + str(table).replace("'", "''") + "'"
    return (
        "SELECT c.conname, t.tgrelid::regclass, t.tgname, t.tgenabled FROM pg_trigger t "
        f"JOIN pg_constraint c ON c.oid = t.tgconstraint WHERE c.conrelid = {literal}::regclass "
        "AND t.tgenabled NOT IN ('O', 'A');"
    )

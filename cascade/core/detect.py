"""Expected beside observed: where the two differ, with the evidence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Table, TableName, quoted
from cascade.core.observed import Observed
from cascade.core.placement import Ownership, Placement, Standing, judge_copy, resolve

HISTORY_TABLE = "django_migrations"


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a person decided where the evidence does not: ``take`` a table from a schema, ``create`` one anew.

    Keys and members are bare table names.
    """

    take: Mapping[str, str] = field(default_factory=dict)
    create: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Sides:
    """All that a detector looks at."""

    expected: ExpectedLayout
    observed: Observed
    placement: Placement
    decisions: Decisions


def detect_drift(
    expected: ExpectedLayout, observed: Observed, placement: Placement, decisions: Decisions = Decisions()
) -> tuple[Drift, ...]:
    """Every difference in location, reach, presence and columns, worst first, then in the order of history."""
    sides = _Sides(expected, observed, placement, decisions)
    found = [
        *_creation_schema(sides),
        *(drift for table in expected.tables.values() for drift in _table_drift(table, sides)),
        *_migration_notes(sides),
        *_extra_tables(sides),
    ]
    withheld = [_withheld(drift, expected) for drift in found]
    return tuple(sorted(withheld, key=worst_first))


def _withheld(drift: Drift, expected: ExpectedLayout) -> Drift:
    """No step for an app whose deployed code is not the code beside us."""
    reason = expected.undecided_apps.get(drift.app)
    if reason and drift.severity is not Severity.NOTE and not drift.undecided:
        return replace(drift, undecided=reason)
    return drift


def _creation_schema(sides: _Sides) -> Iterator[Drift]:
    placement = sides.placement
    if placement.creation_schema == placement.target:
        return
    landing = placement.creation_schema
    yield Drift(
        DriftKind.CREATION_SCHEMA_DIFFERS,
        DriftKind.CREATION_SCHEMA_DIFFERS.facts.severity,
        None,
        object=landing or "",
        expected=f"new tables land in {placement.target}",
        observed=f"new tables land in {landing}" if landing else "no schema on the search_path can be used",
        evidence=(
            f"current_schema() is {landing or 'null'} for {sides.observed.connected_as}, "
            f"whose search_path is {sides.observed.session_path or 'empty'}",
        ),
    )


def _table_drift(expected: ExpectedTable, sides: _Sides) -> Iterator[Drift]:
    layout = sides.observed.layout
    here = layout.tables.get(expected.name)
    elsewhere = [t for t in layout.copies.get(expected.name.name, ()) if t.name not in sides.expected.tables]
    copies = [t for t in elsewhere if t.kind.holds_rows and not t.extension and not t.is_partition]
    judged = [(copy, judge_copy(copy, expected, sides.observed, sides.expected)) for copy in copies]
    if here is None:
        yield from _absent_table(expected, judged, sides)
    elif not here.kind.holds_rows:
        yield from _replaced_table(expected, here, judged, sides)
    else:
        yield from _unreachable(expected, here, sides)
        yield from _other_copies(expected, here, judged, sides)
        yield from _columns(expected, here, sides)


def _absent_table(expected: ExpectedTable, judged: list[tuple[Table, Ownership]], sides: _Sides) -> Iterator[Drift]:
    bare = expected.name.name
    taken = sides.decisions.take.get(bare)
    candidates = [
        (copy, ownership)
        for copy, ownership in judged
        if copy.name.schema == taken or (taken is None and ownership.standing is not Standing.ENVIRONMENT)
    ]
    if candidates and bare not in sides.decisions.create:
        drift = _misplaced(expected, candidates, sides, decided=taken is not None)
        yield drift
        if len(candidates) == 1:
            yield from _columns(expected, candidates[0][0], sides)
            yield from _unreachable_copy(expected, candidates[0][0], sides)
    else:
        yield _missing(expected, judged, sides)


def _replaced_table(
    expected: ExpectedTable, here: Table, judged: list[tuple[Table, Ownership]], sides: _Sides
) -> Iterator[Drift]:
    """A view or the like in the table's place: a migration's own doing, unless the table strayed elsewhere."""
    strays = [(copy, ownership) for copy, ownership in judged if ownership.standing is not Standing.ENVIRONMENT]
    if strays:
        kind = here.kind.name.lower().replace("_", " ")
        drift = _misplaced(expected, strays, sides, decided=False)
        yield replace(
            drift,
            severity=Severity.RISKY,
            undecided=f"{here.name} is a {kind}, which would have to go first",
            decision="",
        )


def _misplaced(
    expected: ExpectedTable, candidates: list[tuple[Table, Ownership]], sides: _Sides, *, decided: bool
) -> Drift:
    found_by_name = resolve(expected.name.name, sides.placement.path, sides.observed.layout)
    places = tuple(copy.name for copy, _ in candidates)
    undecided = decision = ""
    if len(candidates) > 1:
        schemas = ", ".join(place.schema for place in places)
        undecided = f"it lies in {len(places)} schemas ({schemas}): say which copy counts"
    elif candidates[0][1].standing is Standing.DISPUTED and not decided:
        undecided = f"it may belong to an environment of its own: {candidates[0][1].because}"
    if undecided:
        decision = f"--take {quoted(expected.name.name)}={quoted(places[0].schema)}"
    evidence = [f"{copy.name} exists; {ownership.because}" for copy, ownership in candidates]
    if found_by_name is None:
        path = ", ".join(sides.placement.path.effective) or "nothing"
        evidence.append(f"{sides.placement.role} looks in {path} and does not find it")
    else:
        evidence.append(f"{sides.placement.role} finds {found_by_name} by that name")
    drift = _about(expected, DriftKind.MISPLACED_TABLE)
    return replace(
        drift,
        severity=Severity.RISKY if found_by_name in places else Severity.BROKEN,
        observed=" and ".join(f"in {quoted(place.schema)}" for place in places),
        evidence=tuple(evidence),
        copies=places,
        rows=tuple(copy.rows for copy, _ in candidates),
        undecided=undecided,
        decision=decision,
    )


def _missing(expected: ExpectedTable, judged: list[tuple[Table, Ownership]], sides: _Sides) -> Drift:
    bare = expected.name.name
    drift = replace(
        _about(expected, DriftKind.MISSING_TABLE),
        observed="in no schema" if not judged else "only in environments of their own",
        evidence=tuple(f"{copy.name}: {ownership.because}" for copy, ownership in judged)
        or (f"no schema of {sides.observed.database} holds a table of that name",),
        copies=tuple(copy.name for copy, _ in judged),
        rows=tuple(copy.rows for copy, _ in judged),
    )
    in_the_way = [t for t in sides.observed.layout.copies.get(bare, ()) if t.rows.has_rows is not False]
    if in_the_way and bare not in sides.decisions.create:
        places = ", ".join(str(table.name) for table in in_the_way)
        return replace(
            drift,
            undecided=f"a table of that name, with rows or rows unknown, is at {places}",
            decision=f"--create {quoted(bare)}",
        )
    if not expected.compared:
        return replace(drift, undecided="its definition is not known: it could not be made for comparison")
    return drift


def _unreachable(expected: ExpectedTable, here: Table, sides: _Sides) -> Iterator[Drift]:
    lacks = _lacking(here)
    placement = sides.placement
    if not lacks and _is_found(expected, sides):
        return
    drift = _about(expected, DriftKind.UNREACHABLE_TABLE)
    if lacks:
        yield replace(
            drift,
            observed=f"{placement.role} lacks {lacks}",
            evidence=(f"has_schema_privilege and has_table_privilege say so of {placement.role}",),
        )
    else:
        yield replace(
            drift,
            observed=f"{quoted(expected.name.schema)} is not on the search_path of {placement.role}",
            evidence=(f"its search_path is {placement.path.setting or 'empty'} ({placement.path.where})",),
            undecided=f"put {quoted(expected.name.schema)} on the search_path of {placement.role}",
        )


def _is_found(expected: ExpectedTable, sides: _Sides) -> bool:
    """Whether requests can find the table: by its own schema, or anything by that name along the path."""
    own_schema = expected.name.schema != sides.placement.target
    return own_schema or resolve(expected.name.name, sides.placement.path, sides.observed.layout) is not None


def _unreachable_copy(expected: ExpectedTable, copy: Table, sides: _Sides) -> Iterator[Drift]:
    """Rights travel with a moved table, so those that the role lacks on it are lacking afterwards too."""
    if copy.rights.select:
        return
    yield replace(
        _about(expected, DriftKind.UNREACHABLE_TABLE),
        observed=f"{sides.placement.role} lacks SELECT on {copy.name}, and grants travel with the table",
        evidence=(f"has_table_privilege says so of {sides.placement.role}",),
        copies=(copy.name,),
    )


def _lacking(table: Table) -> str:
    if not table.rights.usage:
        return f"USAGE on the schema {quoted(table.name.schema)}"
    return "" if table.rights.select else f"SELECT on {table.name}"


def _other_copies(
    expected: ExpectedTable, here: Table, judged: list[tuple[Table, Ownership]], sides: _Sides
) -> Iterator[Drift]:
    found_by_name = resolve(expected.name.name, sides.placement.path, sides.observed.layout)
    shadow = found_by_name if found_by_name not in (None, here.name) else None
    strays = [copy for copy, own in judged if own.standing is Standing.STRAY or copy.name == shadow]
    if shadow and shadow not in {copy.name for copy in strays}:
        strays.append(sides.observed.layout.tables[shadow])  # a view or a foreign table hides the table as well
    if not strays or expected.name.schema != sides.placement.target:
        return
    kind = DriftKind.SHADOWED_TABLE if shadow else DriftKind.DUPLICATED_TABLE
    harmless = not shadow and all(_is_idle(copy, sides) for copy in strays)
    yield replace(
        _about(expected, kind),
        severity=Severity.NOTE if harmless else Severity.RISKY,
        observed=" and ".join(f"also in {quoted(copy.name.schema)}" for copy in strays),
        evidence=tuple(f"{table.name}: {table.rows}" for table in (here, *strays))
        + ((f"{sides.placement.role} finds {shadow} by that name",) if shadow else ()),
        copies=tuple(copy.name for copy in strays),
        rows=tuple(copy.rows for copy in strays),
        undecided="" if harmless else "which copy counts only a person knows: compare them, and remove or rename one",
    )


def _is_idle(copy: Table, sides: _Sides) -> bool:
    return copy.rows.has_rows is False and not sides.observed.layout.referring.get(copy.name)


def _columns(expected: ExpectedTable, found: Table, sides: _Sides) -> Iterator[Drift]:
    if not found.read_in_full:
        return
    there = {column.name for column in found.columns}
    for column in expected.table.columns:
        if column.name not in there:
            made_by = expected.column_made_by.get(column.name, expected.made_by)
            yield replace(
                _about(expected, DriftKind.MISSING_COLUMN),
                object=column.name,
                columns=(column.name,),
                expected=f"{column.name} {column.type}".strip(),
                observed=f"not among the {len(there)} columns of {found.name}",
                evidence=(f"{made_by.migration} ({made_by.operation}) is recorded as applied",),
                made_by=made_by,
                undecided="" if expected.compared else "its definition is not known",
            )
    known = {column.name for column in expected.table.columns}
    for column in found.columns:
        if column.name not in known and not _is_pending(expected, column.name, sides):
            yield replace(
                _about(expected, DriftKind.EXTRA_COLUMN),
                object=column.name,
                columns=(column.name,),
                expected="expected by no applied migration",
                observed=f"{column.name} {column.type}".strip(),
                made_by=None,
            )


def _is_pending(expected: ExpectedTable, column: str, sides: _Sides) -> bool:
    return any((expected.name.name, column) in pending.columns for pending in sides.expected.pending)


def _migration_notes(sides: _Sides) -> Iterator[Drift]:
    for pending in sides.expected.pending:
        there = [_exists(name, None, sides) for name in pending.tables]
        there += [_exists(name, column, sides) for name, column in pending.columns]
        recorded_elsewise = bool(there) and all(there) and not pending.makes_more
        kind = DriftKind.UNRECORDED_MIGRATION if recorded_elsewise else DriftKind.PENDING_MIGRATION
        made = [*pending.tables, *(f"{table}.{column}" for table, column in pending.columns)]
        yield Drift(
            kind,
            Severity.NOTE,
            None,
            object=str(pending.key),
            expected="recorded as applied" if recorded_elsewise else "not applied",
            observed=f"all that it makes is there: {', '.join(made)}" if recorded_elsewise else "not recorded",
            app=pending.key.app,
        )


def _exists(table: str, column: str | None, sides: _Sides) -> bool:
    found = sides.observed.layout.tables.get(TableName(sides.placement.target, table))
    return found is not None and (column is None or found.column(column) is not None)


def _extra_tables(sides: _Sides) -> Iterator[Drift]:
    pending = {name for migration in sides.expected.pending for name in migration.tables}
    expected_names = {name.name for name in sides.expected.tables}
    for table in sides.observed.layout.tables.values():
        if (
            table.name.schema == sides.placement.target
            and table.kind.holds_rows
            and not table.extension
            and not table.is_partition
            and table.name.name not in {HISTORY_TABLE, *pending}
            and table.name.name not in expected_names
            and table.name.name not in sides.expected.known_names
        ):
            yield Drift(
                DriftKind.EXTRA_TABLE,
                Severity.NOTE,
                table.name,
                expected="expected by no applied migration",
                observed=f"in {quoted(table.name.schema)}",
            )


def _about(expected: ExpectedTable, kind: DriftKind) -> Drift:
    """A drift of that kind on this table, to be filled in."""
    return Drift(
        kind,
        kind.facts.severity,
        expected.name,
        expected=f"in {quoted(expected.name.schema)}",
        app=expected.app,
        model=expected.model,
        made_by=expected.made_by,
    )

"""Tables: in their place and within reach, elsewhere, nowhere, or there twice."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cascade.core.detection.aside import Aside, Choice
from cascade.core.detection.comparison import Comparison, about
from cascade.core.detection.constraints import has_key, key_in_words
from cascade.core.detection.privileges import Due
from cascade.core.drift import OFF_THE_PATH, Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import HISTORY_TABLE
from cascade.core.layout import Grant, Table, quoted
from cascade.core.observed import Observed
from cascade.core.placement import Ownership, Standing, resolve


def detect_tables(both: Comparison, due: Due) -> Iterator[Drift]:
    """Where each expected table is, whether it can be reached, what else bears its name; and what nobody expects.

    One that cannot be read lacks all rights that the application role is ``due`` on it.
    """
    for expected in both.expected.tables.values():
        here = both.observed.layout.tables.get(expected.name)
        copies = both.copies_of(expected)
        if here is None:
            yield from _absent_table(expected, copies, both, due)
        elif not here.kind.holds_rows:
            yield from _replaced_table(expected, here, copies, both)
        else:
            yield from _unreachable(expected, here, both, due)
            yield from _other_copies(expected, here, copies, both)
    yield from _extra_tables(both)


def _absent_table(
    expected: ExpectedTable, judged: list[tuple[Table, Ownership]], both: Comparison, due: Due
) -> Iterator[Drift]:
    candidates = both.candidates_for(expected)
    if candidates:
        yield _misplaced(expected, candidates, both, decided=expected.name.name in both.decisions.take)
        if len(candidates) == 1:
            yield from _unreachable_copy(expected, candidates[0][0], both, due)
    else:
        yield _missing(expected, judged, both)


def _replaced_table(
    expected: ExpectedTable, here: Table, judged: list[tuple[Table, Ownership]], both: Comparison
) -> Iterator[Drift]:
    """A view or the like in the table's place: queries may work, and the table is elsewhere or nowhere."""
    strays = [(copy, ownership) for copy, ownership in judged if ownership.standing is not Standing.ENVIRONMENT]
    kind = here.kind.name.lower().replace("_", " ")
    drift = _misplaced(expected, strays, both, decided=False) if strays else _missing(expected, judged, both)
    yield replace(
        drift,
        severity=Severity.RISKY,
        observed=drift.observed if strays else f"a {kind} is in its place",
        undecided=f"{here.name} is a {kind}, which would have to go first",
        decision="",
    )


def _misplaced(
    expected: ExpectedTable, candidates: list[tuple[Table, Ownership]], both: Comparison, *, decided: bool
) -> Drift:
    found_by_name = resolve(expected.name.name, both.placement.path, both.observed.layout)
    places = tuple(copy.name for copy, _ in candidates)
    undecided = decision = ""
    if len(candidates) > 1:
        schemas = ", ".join(place.schema for place in places)
        undecided = f"it lies in {len(places)} schemas ({schemas}): say which copy counts"
    elif candidates[0][1].standing is Standing.DISPUTED and not decided:
        undecided = f"it may belong to an environment of its own: {candidates[0][1].because}"
    if undecided:
        decision = f"--take {quoted(expected.name.name)}={_likely(candidates)}"
    evidence = [f"{copy.name} exists; {ownership.because}" for copy, ownership in candidates]
    idle = [copy.name for copy, _ in both.copies_of(expected) if copy.name not in places and both.is_idle(copy)]
    evidence += [f"{name} is empty, and nothing refers to it" for name in idle]
    if found_by_name is None:
        path = ", ".join(both.placement.path.effective) or "nothing"
        evidence.append(f"{both.placement.role} looks in {path} and does not find it")
    else:
        evidence.append(f"{both.placement.role} finds {found_by_name} by that name")
    drift = about(expected, DriftKind.MISPLACED_TABLE)
    return replace(
        drift,
        severity=Severity.RISKY if found_by_name in places else Severity.BROKEN,
        observed=" and ".join(f"in {quoted(place.schema)}" for place in places),
        evidence=tuple(evidence),
        copies=places,
        rows=tuple(copy.rows for copy, _ in candidates),
        consequences=tuple(_keys_gone_with(expected, both)) if len(places) > 1 else (),
        undecided=undecided,
        decision=decision,
    )


def _likely(candidates: list[tuple[Table, Ownership]]) -> str:
    """The schema of the only copy that has rows, or of the only one; else which is meant only a person knows."""
    filled = [copy for copy, _ in candidates if copy.rows.has_rows is not False]
    return quoted(filled[0].name.schema) if len(filled) == 1 else "SCHEMA"


def _missing(expected: ExpectedTable, judged: list[tuple[Table, Ownership]], both: Comparison) -> Drift:
    bare = expected.name.name
    drift = replace(
        about(expected, DriftKind.MISSING_TABLE),
        observed="in no schema" if not judged else "only in environments of their own",
        evidence=tuple(f"{copy.name}: {ownership.because}" for copy, ownership in judged)
        or (f"no schema of {both.observed.database} holds a table of that name",),
        copies=tuple(copy.name for copy, _ in judged),
        rows=tuple(copy.rows for copy, _ in judged),
        consequences=tuple(_keys_gone_with(expected, both)),
    )
    in_the_way = [t for t in both.observed.layout.copies.get(bare, ()) if t.rows.has_rows is not False]
    if in_the_way and bare not in both.decisions.create:
        places = ", ".join(str(table.name) for table in in_the_way)
        return replace(
            drift,
            undecided=f"a table of that name, with rows or rows unknown, is at {places}",
            decision=f"--create {quoted(bare)}",
        )
    if not expected.compared:
        return replace(drift, undecided="its definition is not known: it could not be made for comparison")
    return drift


def _keys_gone_with(expected: ExpectedTable, both: Comparison) -> Iterator[str]:
    """The foreign keys of tables that are there to the one that is not."""
    for table, key in both.keys_to.get(expected.name, ()):
        there = both.found(table.name)
        if there is not None and not has_key(key, there, both):
            yield f"the foreign key {key_in_words(table.name, key)}"


def _unreachable(expected: ExpectedTable, here: Table, both: Comparison, due: Due) -> Iterator[Drift]:
    lacks = _lacking(here)
    placement = both.placement
    if not lacks and _is_found(expected, both):
        return
    drift = about(expected, DriftKind.UNREACHABLE_TABLE)
    if lacks:
        yield replace(
            drift,
            observed=f"{placement.role} lacks {lacks}",
            lacking=_due_to_read(here, both, due.get(expected.name, ())),
            evidence=(f"has_schema_privilege and has_table_privilege say so of {placement.role}",),
        )
    else:
        yield replace(
            drift,
            observed=f"{quoted(expected.name.schema)} is not on the search_path of {placement.role}",
            evidence=(f"its search_path is {placement.path.setting or 'empty'} ({placement.path.where})",),
            aspects=(OFF_THE_PATH,),
            undecided=f"the search_path of {placement.role} has to lead to {quoted(expected.name.schema)}: "
            "a setting, which no step touches",
        )


def _is_found(expected: ExpectedTable, both: Comparison) -> bool:
    """Whether requests can find the table: by its own schema, or anything by that name along the path."""
    own_schema = expected.name.schema != both.placement.target
    return own_schema or resolve(expected.name.name, both.placement.path, both.observed.layout) is not None


def _unreachable_copy(expected: ExpectedTable, copy: Table, both: Comparison, due: Due) -> Iterator[Drift]:
    """Rights travel with a moved table, so those that the role lacks on it are lacking afterwards too."""
    if copy.rights.select:
        return
    yield replace(
        about(expected, DriftKind.UNREACHABLE_TABLE),
        observed=f"{both.placement.role} lacks SELECT on {copy.name}, and grants travel with the table",
        lacking=_due_to_read(copy, both, due.get(expected.name, ())),
        evidence=(f"has_table_privilege says so of {both.placement.role}",),
        copies=(copy.name,),
    )


def _due_to_read(table: Table, both: Comparison, due: Iterable[tuple[Grant, str]]) -> tuple[Grant, ...]:
    """What the application role is due on a table that it may not read; on any other that is a finding of its own."""
    return () if table.rights.select else tuple(grant for grant, _ in due if grant.role == both.placement.role)


def _lacking(table: Table) -> str:
    if not table.rights.usage:
        return f"USAGE on the schema {quoted(table.name.schema)}"
    return "" if table.rights.select else f"SELECT on {table.name}"


def _other_copies(
    expected: ExpectedTable, here: Table, judged: list[tuple[Table, Ownership]], both: Comparison
) -> Iterator[Drift]:
    found_by_name = resolve(expected.name.name, both.placement.path, both.observed.layout)
    shadow = found_by_name if found_by_name not in (None, here.name) else None
    strays = [copy for copy, own in judged if own.standing is Standing.STRAY or copy.name == shadow]
    if shadow and shadow not in {copy.name for copy in strays}:
        strays.append(both.observed.layout.tables[shadow])  # a view or a foreign table hides the table as well
    if not strays or expected.name.schema != both.placement.target:
        return
    kind = DriftKind.SHADOWED_TABLE if shadow else DriftKind.DUPLICATED_TABLE
    harmless = not shadow and all(both.is_idle(copy) for copy in strays)
    yield replace(
        about(expected, kind),
        severity=Severity.NOTE if harmless else Severity.RISKY,
        observed=" and ".join(f"also in {quoted(copy.name.schema)}" for copy in strays),
        evidence=tuple(f"{table.name}: {table.rows}" for table in (here, *strays))
        + ((f"{both.placement.role} finds {shadow} by that name",) if shadow else ()),
        copies=tuple(copy.name for copy in strays),
        rows=tuple(copy.rows for copy in strays),
        undecided="" if harmless else "which copy counts only a person knows: compare them",
        decision="" if harmless else f"--keep {quoted(here.name.name)}={_likely_kept(here, strays)}",
        query="" if harmless else _to_compare(here, strays),
    )


def _likely_kept(here: Table, strays: list[Table]) -> str:
    """The schema of the only copy that has rows; else which is meant only a person knows."""
    filled = [table for table in (here, *strays) if table.rows.has_rows is not False]
    return quoted(filled[0].name.schema) if len(filled) == 1 else "SCHEMA"


def _to_compare(here: Table, strays: list[Table]) -> str:
    """The rows of one copy that the other has not, and the other way round, by what both have in common."""
    other = strays[0]
    shared = [quoted(column.name) for column in here.columns if other.column(column.name) is not None]
    columns = ", ".join(shared) or "*"
    one, two = f"SELECT {columns} FROM {here.name}", f"SELECT {columns} FROM {other.name}"
    return (
        f"SELECT '{here.name.schema}' AS only_in, only.* FROM ({one} EXCEPT ALL {two}) AS only "
        f"UNION ALL SELECT '{other.name.schema}', only.* FROM ({two} EXCEPT ALL {one}) AS only;"
    )


def chosen_copies(drifts: Iterable[Drift], aside: Aside, observed: Observed, both: Comparison) -> Iterator[Drift]:
    """The findings, those of tables of which one copy was chosen told as what they are: there twice."""
    told = set()
    for drift in drifts:
        choice = aside.choices.get(drift.table) if drift.table else None
        if choice is not None and drift.kind in (DriftKind.MISPLACED_TABLE, *_TWICE):
            told.add(drift.table)
            yield _chosen(both.expected.tables[drift.table], choice, observed, both)  # type: ignore[index]
        else:
            yield drift
    for name, choice in aside.choices.items():
        if name not in told:
            yield _chosen(both.expected.tables[name], choice, observed, both)


_TWICE = (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE)


def _chosen(expected: ExpectedTable, choice: Choice, observed: Observed, both: Comparison) -> Drift:
    copies = [table for table in (choice.kept, *choice.shells) if table != expected.name]
    rows = {name: observed.layout.tables[name].rows for name in (choice.kept, *choice.shells)}
    found = resolve(expected.name.name, both.placement.path, observed.layout)
    alone = "it alone has rows" if rows[choice.kept].has_rows else "all are empty, and keys refer to it alone"
    why = "a person decided so" if choice.decided else alone
    return replace(
        about(expected, DriftKind.DUPLICATED_TABLE if found == expected.name else DriftKind.SHADOWED_TABLE),
        severity=Severity.RISKY,
        observed=" and ".join(f"also in {quoted(copy.schema)}" for copy in copies),
        evidence=(
            *(f"{name}: {rows[name]}" for name in sorted(rows)),
            f"{choice.kept} counts: {why}",
            *((f"{both.placement.role} finds {found} by that name",) if found != choice.kept else ()),
        ),
        copies=tuple(copies),
        rows=tuple(rows[copy] for copy in copies),
        kept=choice.kept,
        bound=observed.layout.tables[expected.name].dependants if choice.kept != expected.name else (),
        decision=f"--keep {quoted(expected.name.name)}={quoted(choice.kept.schema)}" if choice.decided else "",
    )


def _extra_tables(both: Comparison) -> Iterator[Drift]:
    pending = {name for migration in both.expected.pending for name in migration.tables}
    expected_names = {name.name for name in both.expected.tables}
    for table in both.observed.layout.tables.values():
        if (
            table.name.schema == both.placement.target
            and table.kind.holds_rows
            and not table.extension
            and not table.is_partition
            and table.name.name not in {HISTORY_TABLE, *pending}
            and table.name.name not in expected_names
            and table.name.name not in both.expected.known_names
        ):
            yield Drift(
                DriftKind.EXTRA_TABLE,
                Severity.NOTE,
                table.name,
                expected="expected by no applied migration",
                observed=f"in {quoted(table.name.schema)}",
            )

"""Tables that are there twice: made again in the target while the rows lie elsewhere, or copied elsewhere since."""

from collections.abc import Iterator, Sequence

from cascade.core.causes.runs import is_older
from cascade.core.causes.story import Cause, Story, Verdict, migrations_of, some, thing, times_of
from cascade.core.documents import moment_of
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey
from cascade.core.layout import Table, TableName
from cascade.core.words import counted

DOUBLED = (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE)


def detect_remade(story: Story) -> Iterator[Cause]:
    """For each schema: the tables that were made again in the target beside it, and those that were copied into it."""
    again: dict[str, list[Drift]] = {}
    copied: dict[str, list[Drift]] = {}
    for drift in story.drifts:
        here = story.here(drift)
        if drift.kind not in DOUBLED or here is None or not here.kind.holds_rows:
            continue
        for copy in drift.copies:
            other = story.observed.layout.tables.get(copy)
            if other is not None and other.oid and here.oid:
                (again if is_older(copy, drift, story) else copied).setdefault(copy.schema, []).append(drift)
    for schema, drifts in again.items():
        yield _made_again(schema, drifts, story)
    for schema, drifts in copied.items():
        yield _copied(schema, drifts, story)


def _made_again(schema: str, drifts: Sequence[Drift], story: Story) -> Cause:
    names = [thing(drift) for drift in drifts]
    inside = [drift for drift in story.drifts if drift.table in {d.table for d in drifts} and drift.kind not in DOUBLED]
    what = f"{names[0]} was" if len(names) == 1 else f"{counted(len(names), 'table')} ({some(names)}) were"
    first, last = _window(drifts, story)
    recorded = _recorded_between(first, last, story)
    return Cause(
        Verdict.BY_HAND,
        f"{what} made again in {story.target}, by hand or by a repair of its own "
        f"(CREATE TABLE IF NOT EXISTS finds no copy in another schema)",
        first,
        last,
        (*migrations_of(drifts), *recorded),
        (*_for_made_again(schema, drifts, inside, story), *_recorded_evidence(recorded)),
        tuple(_against_made_again(schema, drifts, inside, story)),
        tuple(dict.fromkeys(drift.id for drift in (*drifts, *inside))),
    )


def _for_made_again(schema: str, drifts: Sequence[Drift], inside: Sequence[Drift], story: Story) -> Iterator[str]:
    pairs = [(here, _copy(schema, drift, story)) for drift in drifts for here in (story.here(drift),) if here]
    for here, copy in pairs[:3]:
        yield f"{here.name} ({here.rows}) is younger than {copy.name} ({copy.rows}): its OID is higher"
    if len(pairs) > 3:
        yield f"and so are {len(pairs) - 3} more"
    for drift in inside:
        if drift.kind is DriftKind.MISSING_COLUMN and drift.table and drift.made_by:
            other = story.observed.layout.tables.get(TableName(schema, drift.table.name))
            beside = f"; {other.name} has it" if other is not None and other.column(drift.object) else ""
            yield f"{thing(drift)} is missing since {drift.made_by.migration} ({drift.made_by.operation}){beside}"
    keys = [drift for drift in inside if drift.kind is DriftKind.MISSING_CONSTRAINT]
    if keys:
        answered = [drift for drift in keys if drift.object in _constraint_names(schema, drift, story)]
        yield f"{counted(len(keys), 'constraint')} missing: {some([thing(drift) for drift in keys])}" + (
            f"; the copy in {schema} has {'that name' if len(answered) == 1 else f'{len(answered)} of those names'}, "
            "so a check by name alone was answered by it"
            if answered
            else ""
        )


def _against_made_again(schema: str, drifts: Sequence[Drift], inside: Sequence[Drift], story: Story) -> Iterator[str]:
    filled = [str(here.name) for drift in drifts for here in (story.here(drift),) if here and here.rows.has_rows]
    if filled:
        yield f"{some(filled)} {'has' if len(filled) == 1 else 'have'} rows, as the table of a run of migrate would"
    if not inside:
        yield "what was compared of its definition is complete: a migration run twice would look the same"


def _copied(schema: str, drifts: Sequence[Drift], story: Story) -> Cause:
    names = [thing(drift) for drift in drifts]
    pairs = [(here, _copy(schema, drift, story)) for drift in drifts for here in (story.here(drift),) if here]
    what = f"{names[0]} was" if len(names) == 1 else f"{counted(len(names), 'table')} ({some(names)}) were"
    return Cause(
        Verdict.BY_HAND,
        f"{what} made a second time in {schema}, by hand or by a tool",
        next(iter(times_of(drifts)), None),
        None,
        migrations_of(drifts),
        (
            *(f"{copy.name} ({copy.rows}) is younger than {here.name} ({here.rows}): its OID is higher"
              for here, copy in pairs[:3]),
            "no recorded migration makes a second one",
        ),
        ("a run of migrate that recorded elsewhere, or whose record was deleted, would look the same",),
        tuple(drift.id for drift in drifts),
    )  # fmt: skip


def _copy(schema: str, drift: Drift, story: Story) -> Table:
    assert drift.table is not None, "a table that is there twice has a name"
    return story.observed.layout.tables[TableName(schema, drift.table.name)]


def _constraint_names(schema: str, drift: Drift, story: Story) -> set[str]:
    copy = story.observed.layout.tables.get(TableName(schema, drift.table.name)) if drift.table else None
    return {constraint.name for constraint in copy.constraints} if copy else set()


def _window(drifts: Sequence[Drift], story: Story) -> tuple[str | None, str | None]:
    """Between the tables that have the next lower and the next higher OIDs: when those were recorded."""
    again = {drift.table for drift in drifts}
    oids = [here.oid for drift in drifts for here in (story.here(drift),) if here]
    known = sorted(
        (table.oid, expected.made_by.applied)
        for expected in story.tables
        for schema in {expected.name.schema, *(copy.schema for drift in drifts for copy in drift.copies)}
        for table in (story.observed.layout.tables.get(TableName(schema, expected.name.name)),)
        if table and table.oid and table.name not in again and expected.made_by.applied
    )
    lower = [applied for oid, applied in known if oid < min(oids)]
    higher = [applied for oid, applied in known if oid > max(oids)]
    return (max(lower) if lower else None, min(higher) if higher else None)


def _recorded_between(first: str | None, last: str | None, story: Story) -> tuple[MigrationKey, ...]:
    """Migrations recorded in that time of which no table or column is known: theirs may be the hand that made it."""
    history = story.observed.history(story.target)
    after, before = moment_of(first), moment_of(last)
    making = {made.made_by.migration for made in story.made}
    found = [
        record.key
        for record in (history.records if history else ())
        for applied in (moment_of(record.applied),)
        if applied and after and applied >= after and (before is None or applied <= before)
        if record.key not in making
    ]
    return tuple(found) if len(found) <= 3 else ()


def _recorded_evidence(recorded: Sequence[MigrationKey]) -> Iterator[str]:
    if recorded:
        yield f"recorded in that time, and making nothing that the state of migrations knows: {some(recorded)}"

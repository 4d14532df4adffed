"""Recorded and not there: never run (--fake), lost with an older state (a restore), or dropped since."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cascade.core.causes.story import LOADED, Cause, Story, Verdict, in_runs, migrations_of, some, thing, times_of
from cascade.core.documents import moment_of
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey
from cascade.core.layout import TableName
from cascade.core.made import Made
from cascade.core.words import counted

BURST = timedelta(seconds=5)
"""Migrations recorded within so little time were hardly run one by one."""

SINGLE = 3
"""So many events of one sort are told one by one; more are told together."""

GROUP = 3
"""So many tables gone, in a database that was loaded from a dump, are no single DROP."""


def detect_absences(story: Story, drifts: Iterable[Drift]) -> Iterator[Cause]:
    """One cause for each event that left what these findings say is missing; constraints count where all is gone."""
    absent: dict[MigrationKey, list[Drift]] = {}
    for drift in drifts:
        if drift.kind in _ABSENT and drift.made_by:
            absent.setdefault(drift.made_by.migration, []).append(drift)
    whole = [_Whole(key, found, story) for key, found in absent.items()]
    never = [one for one in whole if not one.present and not one.was_referred_to and one.made and not one.marks]
    never.sort(key=lambda one: one.position)
    cut_off, never = _cut_off(never, story)
    if cut_off:
        yield _older_state(cut_off, story)
    bursts = _bursts(never)
    for group in bursts if len(bursts) <= SINGLE else [never]:
        yield _faked(group, story)
    dropped = [one for one in whole if one not in never and one not in cut_off]
    yield from _gone_since(dropped, story)


_ABSENT = (
    DriftKind.MISSING_TABLE,
    DriftKind.MISSING_COLUMN,
    DriftKind.MISSING_CONSTRAINT,
    DriftKind.MISSING_INDEX,
)


@dataclass(frozen=True)
class _Whole:
    """One migration of which something is absent: the findings, and what else it made."""

    migration: MigrationKey
    drifts: Sequence[Drift]
    story: Story

    @property
    def made(self) -> list[Made]:
        """All that it made, as far as that is known."""
        return [made for made in self.story.made if made.made_by.migration == self.migration]

    @property
    def present(self) -> list[Made]:
        """What of it is in some schema."""
        return [made for made in self.made if made.places]

    @property
    def position(self) -> int:
        """Its place in the record."""
        return next(drift.made_by.position for drift in self.drifts if drift.made_by)

    @property
    def applied(self) -> str | None:
        """When it was recorded."""
        return next(drift.made_by.applied for drift in self.drifts if drift.made_by)

    @property
    def was_referred_to(self) -> list[str]:
        """Columns which later migrations made as keys to its tables, and which are there: so those tables were too."""
        tables = {made.table for made in self.made if not made.part}
        return [
            str(made)
            for made in self.story.made
            if made.places and made.made_by.position > self.position
            for columns in (_keys_made_with(made, tables, self.story),)
            if columns
        ]

    @property
    def marks(self) -> list[str]:
        """Where nothing but columns is absent: what shows that each of their tables lost more than was recorded."""
        found = [_marks_beyond_the_record(drift, self.story) for drift in self.drifts]
        return list(dict.fromkeys(found)) if all(found) else []

    @property
    def later(self) -> list[Made]:
        """What was recorded later, and is there."""
        return [made for made in self.story.made if made.made_by.position > self.position and made.places]


def _keys_made_with(made: Made, tables: set[TableName], story: Story) -> list[str]:
    """The columns that came with this and refer to one of the tables: CREATE and ADD COLUMN need those to exist."""
    expected = story.expected.tables[made.table]
    return [
        column
        for key in expected.table.foreign_keys
        if key.references is not None and key.references.table in tables and made.table not in tables
        for column in key.columns
        if (made.part == column if made.part else expected.column_made_by.get(column, made.made_by) == made.made_by)
    ]


def _marks_beyond_the_record(drift: Drift, story: Story) -> str:
    """That the column's table bears more marks of dropped columns than migrations can have left there, in a sentence.

    A dropped column leaves a mark in pg_attribute (attisdropped) for as long as its table lives.
    """
    here = story.here(drift)
    if drift.kind is not DriftKind.MISSING_COLUMN or drift.table is None or here is None:
        return ""
    removed = story.expected.tables[drift.table].removed_fields
    if (here.dropped_columns or 0) <= removed:
        return ""
    dropped = "1 column was" if here.dropped_columns == 1 else f"{here.dropped_columns} columns were"
    record = f"; recorded migrations dropped {removed} at most" if removed else ", and no recorded migration drops one"
    return f"{dropped} dropped from {here.name}{record}"


# ------------------------------------------------------------------------------------------------------ an older state


def _cut_off(never: list[_Whole], story: Story) -> tuple[list[_Whole], list[_Whole]]:
    """Those from a moment on after which nothing at all is there, where several runs recorded them; then the rest."""
    if not never:
        return [], []
    last_present = max((made.made_by.position for made in story.made if made.places), default=0)
    after = [one for one in never if one.position > last_present]
    runs = in_runs(drift for one in after for drift in one.drifts)
    if len(runs) < 2 or last_present == 0:
        return [], never
    return after, [one for one in never if one not in after]


def _older_state(gone: Sequence[_Whole], story: Story) -> Cause:
    """Everything after one moment is gone, while the records are there: an older state of the tables came back."""
    drifts = [drift for one in gone for drift in one.drifts]
    last_there = [made for made in story.made if made.places][-1]
    runs = in_runs(drifts)
    return Cause(
        Verdict.PARTIAL_RESTORE,
        f"the tables look restored to a state from before {gone[0].migration}, the record of migrations not",
        gone[0].applied,
        None,
        tuple(one.migration for one in gone),
        (
            f"nothing that {_migrations(gone)} made is in any schema, and all that is there is older",
            f"{'it was' if len(gone) == 1 else 'they were'} recorded in {len(runs)} runs of migrate, "
            f"so one --fake does not explain it",
            *_restored_evidence(story),
        ),
        (
            f"{len(runs)} runs of migrate --fake, or a drop of all that is younger than "
            f"{last_there.made_by.migration}, would look the same",
            *_not_restored_evidence(story),
        ),
        tuple(drift.id for drift in drifts),
    )


def _restored_evidence(story: Story) -> Iterator[str]:
    again = story.made_out_of_order
    if story.was_loaded_from_a_dump:
        yield LOADED
    elif again:
        them = "was" if len(again) == 1 else "were"
        yield f"{some(again)} {them} made after tables of later migrations, by OID: restored, or made again"


def _not_restored_evidence(story: Story) -> Iterator[str]:
    if not story.made_out_of_order:
        yield "the OIDs of the tables that are there rise in the order of the migrations: they were not loaded anew"


# ---------------------------------------------------------------------------------------------------------------- fake


def _bursts(never: Sequence[_Whole]) -> list[list[_Whole]]:
    """The migrations that were recorded together: next to each other, and within ``BURST``."""
    groups: list[list[_Whole]] = []
    for one in never:
        before = moment_of(groups[-1][-1].applied) if groups else None
        applied = moment_of(one.applied)
        if before and applied and applied - before <= BURST and not _present_between(groups[-1][-1], one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _present_between(one: _Whole, other: _Whole) -> bool:
    return any(one.position < made.made_by.position < other.position and made.places for made in one.story.made)


def _faked(group: Sequence[_Whole], story: Story) -> Cause:
    drifts = [drift for one in group for drift in one.drifts]
    it = "it makes" if len(group) == 1 else "they make"
    number = sum(len(one.made) for one in group)
    what = f"nothing that {it}" if number == 1 else f"none of the {number} things that {it}"
    return Cause(
        Verdict.FAKE,
        f"{_migrations(group)} {'looks' if len(group) == 1 else 'look'} recorded without having run (migrate --fake)",
        group[0].applied,
        group[-1].applied,
        tuple(one.migration for one in group),
        (
            f"{what} is in any schema",
            *_burst_evidence(group),
            *_spread_evidence(group),
            *(["what later migrations made is there: no older state came back"] if group[-1].later else []),
            *_never_dropped(drifts, story),
        ),
        tuple(_against_fake(group, drifts, story)),
        tuple(drift.id for drift in drifts),
    )


def _burst_evidence(group: Sequence[_Whole]) -> Iterator[str]:
    first, last = moment_of(group[0].applied), moment_of(group[-1].applied)
    if len(_bursts(group)) == 1 < len(group) and first and last:
        seconds = max(1, round((last - first).total_seconds()))
        yield f"all {len(group)} were recorded within {counted(seconds, 'second')}"


def _spread_evidence(group: Sequence[_Whole]) -> Iterator[str]:
    number = len(_bursts(group))
    if number > 1:
        yield f"they were recorded at {number} times"


def _never_dropped(drifts: Sequence[Drift], story: Story) -> Iterator[str]:
    whole = _without_dropped_columns(drifts, story)
    if whole:
        yield f"no column was ever dropped from {some(whole)}"


def _without_dropped_columns(drifts: Sequence[Drift], story: Story) -> list[str]:
    tables = [story.here(drift) for drift in drifts if drift.kind is DriftKind.MISSING_COLUMN]
    return list(dict.fromkeys(str(table.name) for table in tables if table is not None and table.dropped_columns == 0))


def _against_fake(group: Sequence[_Whole], drifts: Sequence[Drift], story: Story) -> Iterator[str]:
    columns = [drift for drift in drifts if drift.kind is DriftKind.MISSING_COLUMN]
    proven = len(columns) == len(drifts) and len(_without_dropped_columns(drifts, story)) == len(
        {drift.table for drift in columns}
    )
    older = not group[-1].later
    if not proven:
        yield f"a drop by hand{', or an older state restored,' if older else ''} would look the same"
    elif older:
        yield "an older state restored would look the same"


# ---------------------------------------------------------------------------------------------------------- gone since


def _gone_since(dropped: Sequence[_Whole], story: Story) -> Iterator[Cause]:
    """Things that were there once: others of the same migration are, or later ones needed them."""
    losses = [
        (one, [drift for drift in one.drifts if drift.kind in (DriftKind.MISSING_TABLE, DriftKind.MISSING_COLUMN)])
        for one in dropped
    ]
    losses = [(one, lost) for one, lost in losses if lost]
    tables = [drift for _, lost in losses for drift in lost if drift.kind is DriftKind.MISSING_TABLE]
    if story.was_loaded_from_a_dump and len(tables) >= GROUP:
        yield _left_out_of_the_dump(tables, story)
        losses = [(one, [drift for drift in lost if drift not in tables]) for one, lost in losses]
    shown = [_Loss((one,), tuple(lost)) for one, lost in losses if lost]
    proven = [loss for loss in shown if loss.is_proven]
    if len(proven) > SINGLE:
        everything = tuple(drift for loss in proven for drift in loss.drifts)
        shown = [
            _Loss(tuple(loss.of[0] for loss in proven), everything),
            *(loss for loss in shown if not loss.is_proven),
        ]
    yield from map(_dropped, shown)


@dataclass(frozen=True, eq=False)
class _Loss:
    """What is gone of some migrations."""

    of: tuple[_Whole, ...]
    drifts: tuple[Drift, ...]

    @property
    def present(self) -> list[Made]:
        """What else they made and is there."""
        return [made for one in self.of for made in one.present]

    @property
    def referring(self) -> list[str]:
        """What needed it, and is there."""
        return [name for one in self.of for name in one.was_referred_to]

    @property
    def marks(self) -> list[str]:
        """What their tables show of it."""
        return list(dict.fromkeys(mark for one in self.of for mark in one.marks))

    @property
    def may_be_marks_of_migrations(self) -> bool:
        """Whether migrations that nobody can read any more may have left the marks: squashed, or without a file."""
        known = self.of[0].story.expected
        unread = {key.app for key in (*known.replaces, *known.notes.without_file)}
        return any(one.migration.app in unread for one in self.of)

    @property
    def is_never_made(self) -> bool:
        """Whether all of it are columns of tables from which none was ever dropped."""
        story = self.of[0].story
        tables = [story.here(drift) for drift in self.drifts if drift.kind is DriftKind.MISSING_COLUMN]
        return len(tables) == len(self.drifts) and all(table and table.dropped_columns == 0 for table in tables)

    @property
    def evidence(self) -> tuple[str, ...]:
        """What shows that it was there once."""
        them, others = ("it", "migration") if len(self.drifts) == 1 else ("them", "migrations")
        others = others if len(self.of) > 1 else "migration"
        found = []
        if self.present:
            found.append(f"others that the same {others} made are there: {some(self.present)}")
        if self.referring:
            found.append(f"made later as keys to {them}, and there: {some(self.referring)}")
        return (*found, *self.marks)

    @property
    def is_proven(self) -> bool:
        """Whether it was there once, as far as that can be told."""
        if self.is_never_made:
            return False
        return bool(self.present or self.referring or (self.marks and not self.may_be_marks_of_migrations))

    @property
    def against(self) -> str:
        """What would look the same."""
        by = _migrations(self.of)
        if self.is_never_made:
            tables = sorted({str(drift.table) for drift in self.drifts})
            return f"dropped, and {some(tables)} made anew or restored since, would look the same"
        if self.present and not self.referring and not self.marks:
            return f"{by} broken off half way (atomic = False) and recorded with --fake would look the same"
        if self.marks and not self.present and not self.referring:
            others = "a squashed or lost migration or RunSQL" if self.may_be_marks_of_migrations else "RunSQL"
            return f"{by} recorded with --fake, and another column dropped by hand or by {others}, would look the same"
        return "a restore that left it out would look the same"


def _left_out_of_the_dump(tables: Sequence[Drift], story: Story) -> Cause:
    return Cause(
        Verdict.PARTIAL_RESTORE,
        f"{counted(len(tables), 'table')} ({some([*map(thing, tables)])}) did not come back with a restore",
        next(iter(times_of(tables)), None),
        None,
        migrations_of(tables),
        (*_restored_evidence(story), f"{len(tables)} tables are gone at once, and what belongs with them is there"),
        ("a drop by hand after the restore would look the same",),
        tuple(drift.id for drift in tables),
    )


def _dropped(loss: _Loss) -> Cause:
    return Cause(
        Verdict.BY_HAND if loss.is_proven else Verdict.UNKNOWN,
        _loss_in_words(loss),
        next(iter(times_of(loss.drifts)), None),
        None,
        migrations_of(loss.drifts),
        loss.evidence,
        (loss.against,),
        tuple(drift.id for drift in loss.drifts),
    )


def _loss_in_words(loss: _Loss) -> str:
    names, by = some([thing(drift) for drift in loss.drifts]), _migrations(loss.of)
    if loss.is_never_made:
        tables = sorted({str(drift.table) for drift in loss.drifts})
        it, is_ = ("it", "it is") if len(tables) == 1 else ("them", "they are")
        return (
            f"{names}: recorded by {by}, and never in {some(tables)} as {is_} now: no column was ever dropped from {it}"
        )
    if loss.is_proven:
        return f"{names}: made by {by} and gone since (dropped or renamed, by hand or by a tool)"
    if loss.marks:
        return f"{names}: recorded by {by}, and dropped since or never made"
    return f"{names}: recorded by {by}, and not there"


def _migrations(group: Sequence[_Whole]) -> str:
    return (
        str(group[0].migration)
        if len(group) == 1
        else f"{len(group)} migrations ({some([o.migration for o in group])})"
    )

"""Runs of migrate under another search_path: what they made is in that schema, what they only altered is not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from cascade.core.causes.story import Cause, Story, Verdict, in_runs, migrations_of, some, thing, times_of
from cascade.core.documents import moment_of
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Table, TableName
from cascade.core.timeline import PAUSE
from cascade.core.words import counted


def detect_runs(story: Story) -> Iterator[Cause]:
    """For each schema that holds what belongs in the target: the runs that put it there, and what fits none."""
    for schema, drifts in _astray(story).items():
        loose: list[Drift] = []
        for run in in_runs(drifts):
            for piece in _pieces(_Window(schema, tuple(run), story)):
                if piece.fits and piece.came_with_copies:
                    yield _copied_there(piece)
                elif piece.fits:
                    yield _run_under_path(piece)
                else:
                    loose += piece.drifts
        yield from _put_there(schema, loose, story)


@dataclass(frozen=True)
class _Window:
    """The tables astray in one schema between two moments of history."""

    schema: str
    drifts: tuple[Drift, ...]
    story: Story

    @property
    def positions(self) -> tuple[int, int]:
        """The first and the last record."""
        positions = [drift.made_by.position for drift in self.drifts if drift.made_by]
        return min(positions), max(positions)

    @property
    def tables(self) -> list[ExpectedTable]:
        """All tables made in the window."""
        first, last = self.positions
        return [table for table in self.story.tables if first <= table.made_by.position <= last]

    @property
    def elsewhere(self) -> list[ExpectedTable]:
        """Those that are not in the schema."""
        return [table for table in self.tables if not self.story.is_in(self.schema, table)]

    @cached_property
    def beside(self) -> list[ExpectedTable]:
        """Tables that were made before or after, are in their place, and have a copy in the schema too."""
        first, last = self.positions
        astray = {drift.table for drift in _astray(self.story).get(self.schema, ())}
        return [
            table
            for table in self.story.tables
            if not first <= table.made_by.position <= last
            and table.name not in astray
            and table.name in self.story.observed.layout.tables
            and self.story.is_in(self.schema, table)
        ]

    @property
    def came_with_copies(self) -> bool:
        """Whether those in the schema were made together with copies of other tables: their OIDs are mixed."""
        oids = [table.oid for table in self._there(drift.table for drift in self.drifts)]
        return any(min(oids) < table.oid < max(oids) for table in self._there(one.name for one in self.beside))

    def _there(self, names: Iterable[TableName | None]) -> list[Table]:
        copies = (TableName(self.schema, name.name) for name in names if name is not None)
        return [table for name in copies if (table := self.story.observed.layout.tables.get(name)) is not None]

    @property
    def fits(self) -> bool:
        """Whether most of what the window made is in the schema, and this is more than one table among its like."""
        there = len(self.tables) - len(self.elsewhere)
        return there > len(self.elsewhere) and (there > 1 or not _companions(self))


def _astray(story: Story) -> dict[str, list[Drift]]:
    """The findings about tables that were first made elsewhere, by schema: there alone, or there before here."""
    found: dict[str, list[Drift]] = {}
    for drift in story.drifts:
        if drift.made_by is None:
            continue
        if drift.kind is DriftKind.MISPLACED_TABLE and len(drift.copies) == 1:
            found.setdefault(drift.copies[0].schema, []).append(drift)
        elif drift.kind in (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE):
            for copy in drift.copies:
                if is_older(copy, drift, story):
                    found.setdefault(copy.schema, []).append(drift)
    return found


def is_older(copy: TableName, drift: Drift, story: Story) -> bool:
    """Whether the copy was made before the table in its place, by their OIDs."""
    here, other = story.here(drift), story.observed.layout.tables.get(copy)
    return bool(here and other and here.kind.holds_rows and 0 < other.oid < here.oid)


def _pieces(window: _Window) -> list[_Window]:
    """The window where it fits as a whole; else cut wherever history made a table that is in its place."""
    if window.fits:
        return [window]
    home = [table.made_by.position for table in window.elsewhere]
    pieces: list[list[Drift]] = []
    last = None
    for drift in window.drifts:
        assert drift.made_by is not None, "only what a migration made is astray"
        position = drift.made_by.position
        if last is None or any(last < other < position for other in home):
            pieces.append([])
        pieces[-1].append(drift)
        last = position
    return [_Window(window.schema, tuple(piece), window.story) for piece in pieces]


def _companions(window: _Window) -> list[ExpectedTable]:
    """Tables made just before and after, in the same run of migrate as far as their times tell, that are in place."""
    first, last = window.positions
    tables = window.story.tables
    before = [table for table in tables if table.made_by.position < first][-1:]
    after = [table for table in tables if table.made_by.position > last][:1]
    return [
        table for table in before + after if _is_close(table, window) and not window.story.is_in(window.schema, table)
    ]


def _is_close(table: ExpectedTable, window: _Window) -> bool:
    at = moment_of(table.made_by.applied)
    times = [moment for moment in map(moment_of, times_of(window.drifts)) if moment is not None]
    return at is not None and any(abs(at - moment) <= PAUSE for moment in times)


# ------------------------------------------------------------------------------------------------- a run under a path


def _run_under_path(window: _Window) -> Cause:
    times = times_of(window.drifts)
    attached = list(_left_by_the_run(window))
    return Cause(
        Verdict.SEARCH_PATH,
        f"migrate ran with {window.schema} first on its search_path",
        times[0] if times else None,
        times[-1] if times else None,
        migrations_of(window.drifts),
        (
            *_made_evidence(window),
            *_key_evidence(window),
            *_altered_evidence(window),
            *_attached_evidence(attached, window.schema),
        ),
        tuple(_opposing(window)),
        tuple(dict.fromkeys(drift.id for drift in (*window.drifts, *attached))),
        others=tuple(_made_beside(window)),
    )


def _made_evidence(window: _Window) -> list[str]:
    number = len(window.tables)
    if window.elsewhere:
        there = number - len(window.elsewhere)
        return [f"{there} of {number} tables made in that window are in {window.schema}"]
    return [
        f"all {number} tables made in that window are in {window.schema}" if number > 1 else f"it is in {window.schema}"
    ]


def _key_evidence(window: _Window) -> list[str]:
    keys = [
        key
        for drift in window.drifts
        for table in (window.story.observed.layout.tables.get(TableName(window.schema, _bare(drift))),)
        if table is not None
        for key in table.foreign_keys
        if key.references is not None and key.references.table.schema == window.story.target
    ]
    if not keys:
        return []
    number = f"{len(keys)} of their keys point" if len(keys) > 1 else "one of their keys points"
    return [f"{number} at tables in {window.story.target}"]


def _altered_evidence(window: _Window) -> list[str]:
    """Tables that the same run only altered lay in the target before, and are there still."""
    first, last = window.positions
    target = window.story.target
    altered = [
        table.name
        for table in window.story.tables
        if table.made_by.position < first
        and any(first <= made_by.position <= last for made_by in table.column_made_by.values())
    ]
    if not altered or not all(name in window.story.observed.layout.tables for name in altered):
        return []
    if len(altered) == 1:
        return [f"{altered[0].name}, which it only altered, is in {target}"]
    return [f"the {len(altered)} tables that it only altered are in {target}"]


def _attached_evidence(attached: Sequence[Drift], schema: str) -> Iterator[str]:
    stray = list(dict.fromkeys(drift.object for drift in attached if drift.kind is DriftKind.STRAY_OBJECT))
    keys = [drift for drift in attached if drift.kind is DriftKind.MISDIRECTED_FOREIGN_KEY]
    if stray:
        yield f"{some(stray)}, which these tables or others use, {'is' if len(stray) == 1 else 'are'} in {schema} too"
    if keys:
        yield f"{counted(len(keys), 'key')} found the copy in {schema} first: {some([thing(drift) for drift in keys])}"


def _opposing(window: _Window) -> Iterator[str]:
    schema, others = window.schema, window.elsewhere
    if others:
        names = some([table.name for table in others])
        yield f"made in that window, yet not in {schema}: {names} (or moved back since)"
    if schema in window.story.observed.history_schemas:
        yield f"{schema} has a django_migrations of its own"
    if window.beside:
        yield f"{_in_place_too(window)}: a dump restored there would look the same"
    if len(window.tables) == 1:
        yield "it is the only table made in that window: a move by hand (SET SCHEMA) would look the same"
    elif len({table.made_by.migration for table in window.tables}) == 1:
        yield "one migration made them all: a move by hand (SET SCHEMA) would look the same"


def _in_place_too(window: _Window) -> str:
    names = some([table.name for table in window.beside])
    return f"tables that are in their place have a copy in {window.schema}, too: {names}"


def _copied_there(window: _Window) -> Cause:
    times = times_of(window.drifts)
    return Cause(
        Verdict.BY_HAND,
        f"{_these(window.drifts)} copied into {window.schema} with others (a dump restored there, say), "
        f"and are gone from {window.story.target}",
        times[-1] if times else None,
        None,
        migrations_of(window.drifts),
        (f"{_in_place_too(window)}, made between these by their OIDs",),
        (),
        tuple(drift.id for drift in window.drifts),
    )


def _left_by_the_run(window: _Window) -> Iterator[Drift]:
    """What else such a run leaves: types and the like, keys that found the wrong copy, rights of the other schema."""
    names = {_bare(drift) for drift in window.drifts}
    for drift in window.story.drifts:
        match drift.kind:
            case DriftKind.STRAY_OBJECT:
                # Which of several runs under one path made it cannot be told.
                if _lies_in(window.schema, drift, window.story):
                    yield drift
            case DriftKind.MISDIRECTED_FOREIGN_KEY:
                if any(copy.schema == window.schema and copy.name in names for copy in drift.copies):
                    yield drift
            case DriftKind.UNREACHABLE_TABLE:
                if any(copy.schema == window.schema and copy.name in names for copy in drift.copies):
                    yield drift
            case DriftKind.DIFFERENT_PRIVILEGES:
                # Default privileges are those of the schema where a table is made (ALTER DEFAULT PRIVILEGES).
                if _bare(drift) in names and window.story.here(drift) is None:
                    yield drift
            case _:
                pass


def _lies_in(schema: str, drift: Drift, story: Story) -> bool:
    """Whether what strayed lies in that schema."""
    if drift.copies:
        return any(copy.schema == schema for copy in drift.copies)
    copies = story.observed.layout.copies.get(_bare(drift), ())
    used = [used for table in copies for used in table.uses if used.schema == schema]
    return any(name in drift.object for one in used for name in (one.name, one.extension) if name)


def _made_beside(window: _Window) -> Iterator[str]:
    """What the window made besides its tables in that schema, and where it is."""
    first, last = window.positions
    astray = {TableName(window.schema, _bare(drift)) for drift in window.drifts}
    places: dict[tuple[str, ...], list[str]] = {}
    for made in window.story.made:
        if first <= made.made_by.position <= last and TableName(window.schema, made.table.name) not in astray:
            places.setdefault(made.places, []).append(str(made))
    for where, names in places.items():
        yield f"in {' and '.join(where)}: {some(names)}" if where else f"nowhere: {some(names)}"


def _bare(drift: Drift) -> str:
    return drift.table.name if drift.table else ""


# ------------------------------------------------------------------------------------------------------ fits no run


def _put_there(schema: str, drifts: Sequence[Drift], story: Story) -> Iterator[Cause]:
    """Tables in another schema though history made their like in the target: one migration has one search_path."""
    by_hand = [drift for drift in drifts if _siblings(schema, [drift], story)]
    unclear = [drift for drift in drifts if drift not in by_hand]
    if by_hand:
        siblings = _siblings(schema, by_hand, story)
        yield Cause(
            Verdict.BY_HAND,
            f"{_these(by_hand)} moved to {schema} by hand, or by a tool (ALTER TABLE … SET SCHEMA)",
            _earliest(by_hand),
            None,
            migrations_of(by_hand),
            (f"the same migrations made {some(siblings)}, in {story.target}: one run has one search_path",),
            ("those may have been moved back since, after a run under another path",),
            tuple(drift.id for drift in by_hand),
        )
    if unclear:
        near = [table.name for drift in unclear for table in _companions(_Window(schema, (drift,), story))]
        yield Cause(
            Verdict.UNKNOWN,
            f"{_these(unclear)} put into {schema}; how cannot be told",
            _earliest(unclear),
            None,
            migrations_of(unclear),
            (f"{'it is' if len(unclear) == 1 else 'they are'} in {schema}",),
            (
                *(
                    [f"made just before or after, and in {story.target}: {some(list(dict.fromkeys(near)))}"]
                    if near
                    else []
                ),
                "a move by hand (SET SCHEMA), or a run of migrate under another path, would look the same",
            ),
            tuple(drift.id for drift in unclear),
        )


def _siblings(schema: str, drifts: Iterable[Drift], story: Story) -> list[TableName]:
    """Tables that the same migrations made, in the target."""
    migrations = set(migrations_of(drifts))
    return [
        table.name
        for table in story.tables
        if table.made_by.migration in migrations
        and not story.is_in(schema, table)
        and table.name in story.observed.layout.tables
    ]


def _these(drifts: Sequence[Drift]) -> str:
    names = [thing(drift) for drift in drifts]
    if len(names) == 1:
        return f"{names[0]} was"
    return f"{counted(len(names), 'table')} ({some(names)}) were"


def _earliest(drifts: Sequence[Drift]) -> str | None:
    return next(iter(times_of(drifts)), None)

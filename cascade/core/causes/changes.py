"""Tables that are there and not as they were made: changed by hand or by a tool, as far as that can be shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cascade.core.causes.story import LOADED, Cause, Story, Verdict, migrations_of, some, thing, times_of
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import ConstraintKind, Counter
from cascade.core.words import counted


def detect_changes(story: Story, drifts: Sequence[Drift]) -> Iterator[Cause]:
    """One cause for each sort of change, however many objects it met; what is left is of unknown cause, by kind."""
    left = [drift for drift in drifts if not drift.is_off_the_path]
    off_the_path = [drift for drift in drifts if drift.is_off_the_path]
    if off_the_path:
        yield _path_set(story, off_the_path)
    for kinds, tell in _SORTS:
        found = [drift for drift in left if drift.kind in kinds]
        left = [drift for drift in left if drift.kind not in kinds]
        if found:
            yield tell(story, found)
    for kind in DriftKind:
        found = [drift for drift in left if drift.kind is kind]
        if found:
            yield _unknown(found)


def _lost(story: Story, drifts: Sequence[Drift]) -> Cause:
    """Constraints and indexes of tables that are there."""
    indexes = [drift for drift in drifts if drift.kind is DriftKind.MISSING_INDEX]
    keys = [drift for drift in drifts if drift.constraint_type is ConstraintKind.FOREIGN_KEY and drift not in indexes]
    rest = len(drifts) - len(indexes) - len(keys)
    counts = [(len(keys), "foreign key", ""), (rest, "constraint", ""), (len(indexes), "index", "indexes")]
    what = some([counted(number, one, more) for number, one, more in counts if number])
    is_there = [drift for drift in drifts if _belongs_to_what_is_there(drift, story)]
    return _change(
        Verdict.BY_HAND if is_there else Verdict.UNKNOWN,
        f"{what} of {_tables(drifts)} {'is' if len(drifts) == 1 else 'are'} gone: dropped by hand, or by a tool",
        drifts,
        (f"other things that the same migrations made are there: {_tables(is_there or drifts)} with "
         f"{'its' if len(_names(is_there or drifts)) == 1 else 'their'} columns",),
        ("an operation that makes them, recorded with --fake, would look the same",
         *(["a restore that broke off before indexes and constraints (pg_dump makes them last) would too"]
           if len(drifts) > 1 else [])),
    )  # fmt: skip


def _belongs_to_what_is_there(drift: Drift, story: Story) -> bool:
    """Whether the migration that made it made other things too, which are there."""
    migration = drift.made_by.migration if drift.made_by else None
    return any(made.made_by.migration == migration and made.places for made in story.made)


def _different(story: Story, drifts: Sequence[Drift]) -> Cause:
    aspects = sorted({aspect for drift in drifts for aspect in drift.aspects})
    words = f" ({', '.join(aspects)})" if aspects else ""
    return _change(
        Verdict.BY_HAND,
        f"{_objects(drifts)} {'is' if len(drifts) == 1 else 'are'} not as made{words}: altered by hand, or by a tool",
        drifts,
        ("what the applied migrations made is there, and no recorded operation accounts for the difference",),
        ("an AlterField, or another operation that changes them, recorded with --fake would look the same",),
    )


def _unproven(story: Story, drifts: Sequence[Drift]) -> Cause:
    return _change(
        Verdict.BY_HAND,
        f"{_objects(drifts)} {'was' if len(drifts) == 1 else 'were'} made NOT VALID and never validated, "
        "by hand or by a tool",
        drifts,
        ("no operation of the applied migrations leaves them so",),
        ("a validation that failed on old rows, and was left at that, would look the same",),
    )


def _disabled(story: Story, drifts: Sequence[Drift]) -> Cause:
    return _change(
        Verdict.BY_HAND,
        f"{_objects(drifts)} {'is' if len(drifts) == 1 else 'are'} switched off, by hand or by a tool "
        "(ALTER TABLE … DISABLE TRIGGER, NOT ENFORCED)",
        drifts,
        ("no operation of the applied migrations switches off what checks a constraint",),
        ("a load of data that disables triggers (pg_restore --disable-triggers) and broke off leaves the same",),
    )


def _invalid(story: Story, drifts: Sequence[Drift]) -> Cause:
    return _change(
        Verdict.BY_HAND,
        f"a CREATE INDEX CONCURRENTLY failed or was broken off: {_objects(drifts)}",
        drifts,
        ("pg_index.indisvalid is false, which only such a failure leaves behind",),
        ("whether a person or a migration ran it cannot be told",),
    )


def _behind(story: Story, drifts: Sequence[Drift]) -> Cause:
    """Rows came with keys of their own, as a dump's data or a fixture has them."""
    restored = story.was_loaded_from_a_dump
    emptied = [
        str(table.name) for table in story.observed.layout.tables.values() if any(map(_is_drained, table.counters))
    ]
    return _change(
        Verdict.PARTIAL_RESTORE if restored or (len(drifts) > 1 and emptied) else Verdict.UNKNOWN,
        f"rows came into {_tables(drifts)} with keys of their own, and the "
        f"{'sequence was' if len(drifts) == 1 else 'sequences were'} not set "
        "(a restore of data alone, COPY, loaddata or an INSERT by hand)",
        drifts,
        (
            "the highest key is not below the next value of the sequence",
            *([LOADED]
              if restored else []),
            *([f"empty, though the sequence has given values: {some(emptied)}"] if emptied else []),
        ),
        ("an ALTER SEQUENCE … RESTART or a setval by hand would look the same",
         *(() if restored else ("nothing in the order of the OIDs speaks of a restore",))),
    )  # fmt: skip


def _is_drained(counter: Counter) -> bool:
    return counter.highest is None and counter.next_value is not None and counter.next_value > 1


def _path_set(story: Story, drifts: Sequence[Drift]) -> Cause:
    """All tables at once, for one setting: no migration and no moment in history speaks of it."""
    cause = _change(
        Verdict.BY_HAND,
        f"the search_path of {story.observed.application_role}, the role that serves pages, does not lead to "
        f"{story.target}: a setting was changed, or is missing",
        drifts,
        (*drifts[0].evidence, "the tables are in their place, and the role has its rights on them"),
        ("who set it, and when, PostgreSQL does not record",),
    )
    return replace(cause, first=None, migrations=())


def _rights(story: Story, drifts: Sequence[Drift]) -> Cause:
    return _change(
        Verdict.UNKNOWN,
        f"the rights on {_tables(drifts)} are not those of the tables beside; how they came about cannot be told",
        drifts,
        (),
        ("a GRANT or REVOKE by hand, another role that made or restored the table, and default privileges that were "
         "set later all look the same",),
    )  # fmt: skip


_SORTS: tuple[tuple[tuple[DriftKind, ...], Callable[[Story, Sequence[Drift]], Cause]], ...] = (
    ((DriftKind.MISSING_CONSTRAINT, DriftKind.MISSING_INDEX), _lost),
    ((DriftKind.DIFFERENT_COLUMN, DriftKind.DIFFERENT_CONSTRAINT, DriftKind.DIFFERENT_INDEX), _different),
    ((DriftKind.NOT_VALIDATED_CONSTRAINT,), _unproven),
    ((DriftKind.DISABLED_CONSTRAINT,), _disabled),
    ((DriftKind.INVALID_INDEX,), _invalid),
    ((DriftKind.SEQUENCE_BEHIND,), _behind),
    ((DriftKind.DIFFERENT_PRIVILEGES, DriftKind.UNREACHABLE_TABLE), _rights),
)


def _unknown(drifts: Sequence[Drift]) -> Cause:
    kind = drifts[0].kind.value.replace("_", " ")
    return Cause(
        Verdict.UNKNOWN,
        f"{kind}, {_objects(drifts)}: placement and history do not tell what happened",
        next(iter(times_of(drifts)), None),
        None,
        migrations_of(drifts),
        (),
        (),
        tuple(drift.id for drift in drifts),
    )


def _change(
    verdict: Verdict, sentence: str, drifts: Sequence[Drift], evidence: Sequence[str], against: Sequence[str]
) -> Cause:
    """Each object changed some time after it was made: after the first of them that is certain of all."""
    return Cause(
        verdict,
        sentence,
        next(iter(times_of(drifts)), None),
        None,
        migrations_of(drifts),
        (*evidence, *_several_on_one(drifts)),
        tuple(against),
        tuple(drift.id for drift in drifts),
    )


def _several_on_one(drifts: Sequence[Drift]) -> Iterator[str]:
    names = [str(drift.table) for drift in drifts if drift.table]
    if len(names) > 1 and len(set(names)) == 1:
        yield f"all {len(names)} are of one table"


def _objects(drifts: Sequence[Drift]) -> str:
    return some([thing(drift) for drift in drifts])


def _names(drifts: Sequence[Drift]) -> list[str]:
    return list(dict.fromkeys(drift.table.name for drift in drifts if drift.table))


def _tables(drifts: Sequence[Drift]) -> str:
    return some(_names(drifts))

"""Verdicts, from placement and history as values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cascade.core.causes import Cause, Verdict, detect_causes
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import Column, Layout, RowEvidence, Table, TableName, UsedObject
from tests.unit.render.answers import incident

START = datetime(2026, 1, 1, 10, tzinfo=UTC)
STRAY = "stray"


def made(position: int, *, day: int = 0, migration: int | None = None) -> Provenance:
    """By a migration of its own, a second after the one before it; ``day`` says on which day."""
    number = migration or position
    applied = START + timedelta(days=day, seconds=number)
    return Provenance(MigrationKey("app", f"{number:04}"), "CreateModel", 0, number, applied.isoformat())


def table(name: str, made_by: Provenance, **columns: Provenance) -> ExpectedTable:
    parts = tuple(Column(column, "integer") for column in ("id", *columns))
    return ExpectedTable(Table(TableName("public", name), columns=parts), "app", f"app.{name}", made_by, columns)


def there(expected: ExpectedTable, schema: str = "public", *, oid: int = 0, rows: int | None = None) -> Table:
    own = oid or 1_000 + expected.made_by.position
    name = TableName(schema, expected.name.name)
    return replace(expected.table, name=name, oid=own, rows=RowEvidence(rows), dropped_columns=0)


def drift(kind: DriftKind, expected: ExpectedTable, object: str = "", *, copies: tuple[str, ...] = ()) -> Drift:
    made_by = expected.column_made_by.get(object, expected.made_by)
    places = tuple(TableName(schema, expected.name.name) for schema in copies)
    return Drift(kind, kind.facts.severity, expected.name, object, made_by=made_by, app="app", copies=places)


def judged(expected: list[ExpectedTable], observed: list[Table], *drifts: Drift) -> tuple[Cause, ...]:
    layout = ExpectedLayout({one.name: one for one in expected}, reference="a test")
    reading = replace(incident().observed, layout=Layout.of(observed))
    return detect_causes(drifts, layout, reading, "public")


def test_nothing_found_has_no_cause() -> None:
    one = table("one", made(1))
    assert judged([one], [there(one)]) == ()


def test_notes_and_what_is_explained_have_no_cause() -> None:
    one = table("one", made(1))
    note = replace(drift(DriftKind.MISSING_INDEX, one, "i"), severity=Severity.NOTE)
    explained = replace(drift(DriftKind.DIFFERENT_COLUMN, one, "id"), explained_by="app.0002 (RunSQL)")
    assert judged([one], [there(one)], note, explained) == ()


def test_most_tables_of_a_window_in_one_schema_are_a_run_though_one_was_moved_back() -> None:
    tables = [table(name, made(at, day=3)) for at, name in enumerate(("a", "b", "c"), start=1)]
    a, b, c = tables
    found = [drift(DriftKind.MISPLACED_TABLE, one, copies=(STRAY,)) for one in (a, c)]
    (cause,) = judged(tables, [there(a, STRAY), there(b), there(c, STRAY)], *found)
    assert cause.verdict is Verdict.SEARCH_PATH
    assert cause.evidence_for[0] == "2 of 3 tables made in that window are in stray"
    assert "public.b (or moved back since)" in cause.evidence_against[0]
    assert cause.others == ("in public: b",)


def test_tables_far_apart_in_one_run_are_judged_each_by_itself() -> None:
    tables = [table(name, made(at)) for at, name in enumerate("abcdefg", start=1)]
    moved = [one for one in tables if one.name.name in ("b", "f")]
    observed = [there(one, STRAY if one in moved else "public") for one in tables]
    (cause,) = judged(tables, observed, *(drift(DriftKind.MISPLACED_TABLE, one, copies=(STRAY,)) for one in moved))
    assert cause.verdict is Verdict.UNKNOWN
    assert cause.last is None


def test_a_key_that_found_the_copy_of_the_run_is_the_runs_doing() -> None:
    a, b = table("a", made(1, day=3)), table("b", made(2, day=3))
    key = replace(drift(DriftKind.MISDIRECTED_FOREIGN_KEY, b, "fk"), copies=(TableName(STRAY, "a"),))
    found = [drift(DriftKind.MISPLACED_TABLE, one, copies=(STRAY,)) for one in (a, b)]
    (cause,) = judged([a, b], [there(a, STRAY), there(b, STRAY)], *found, key)
    assert key.id in cause.drifts
    assert "1 key found the copy in stray first: b.fk" in cause.evidence_for


def test_the_order_of_oids_tells_which_of_two_copies_was_first() -> None:
    one = table("one", made(1))
    double = drift(DriftKind.DUPLICATED_TABLE, one, copies=(STRAY,))
    again = judged([one], [there(one, oid=20, rows=0), there(one, STRAY, oid=10, rows=7)], double)
    assert {cause.verdict for cause in again} == {Verdict.SEARCH_PATH, Verdict.BY_HAND}
    (copied,) = judged([one], [there(one, oid=10, rows=7), there(one, STRAY, oid=20, rows=0)], double)
    assert copied.verdict is Verdict.BY_HAND
    assert "a second time in stray" in copied.sentence


def test_copies_that_came_together_with_those_of_other_tables_are_no_run() -> None:
    """pg_dump writes tables by their names, whenever they were made."""
    a, b, c = (table(name, made(number, day=day)) for name, number, day in (("a", 2, 1), ("b", 1, 0), ("c", 3, 1)))
    lost = [drift(DriftKind.MISPLACED_TABLE, each, copies=(STRAY,)) for each in (a, c)]
    copies = [there(each, STRAY, oid=oid) for oid, each in ((11, a), (12, b), (13, c))]
    (restored,) = judged([a, b, c], [there(b, oid=5), *copies], *lost)
    assert restored.verdict is Verdict.BY_HAND
    assert "copied into stray with others" in restored.sentence
    # Of copies that were there before, it can only be said that there are some.
    older = [replace(copy, oid=10) if copy.name.name == "b" else copy for copy in copies]
    (run,) = judged([a, b, c], [there(b, oid=5), *older], *lost)
    assert run.verdict is Verdict.SEARCH_PATH
    assert run.evidence_against == (
        "tables that are in their place have a copy in stray, too: public.b: a dump restored there would look the same",
    )


def test_a_column_never_there_is_a_fake_beyond_a_drop_where_no_column_was_ever_dropped() -> None:
    one, later = table("one", made(1), extra=made(2)), table("later", made(3))
    there_without = replace(there(one), columns=one.table.columns[:1])
    (cause,) = judged([one, later], [there_without, there(later)], drift(DriftKind.MISSING_COLUMN, one, "extra"))
    assert cause.verdict is Verdict.FAKE
    assert cause.evidence_against == ()
    dropped = replace(there_without, dropped_columns=1)
    removed = replace(one, removed_fields=1)
    (cause,) = judged([removed, later], [dropped, there(later)], drift(DriftKind.MISSING_COLUMN, removed, "extra"))
    assert cause.verdict is Verdict.FAKE
    assert cause.evidence_against == ("a drop by hand would look the same",)


def test_a_column_whose_table_lost_more_than_migrations_dropped_was_dropped_since() -> None:
    one, later = table("one", made(1), extra=made(2)), table("later", made(3))
    dropped = replace(there(one), columns=one.table.columns[:1], dropped_columns=1)
    (cause,) = judged([one, later], [dropped, there(later)], drift(DriftKind.MISSING_COLUMN, one, "extra"))
    assert cause.verdict is Verdict.BY_HAND
    assert cause.evidence_for == (f"1 column was dropped from {one.name}, and no recorded migration drops one",)


def test_all_that_is_younger_than_a_moment_gone_over_two_days_is_an_older_state() -> None:
    first, second, third = table("a", made(1)), table("b", made(2, day=5)), table("c", made(3, day=9))
    missing = [drift(DriftKind.MISSING_TABLE, one) for one in (second, third)]
    (cause,) = judged([first, second, third], [there(first)], *missing)
    assert cause.verdict is Verdict.PARTIAL_RESTORE
    assert cause.drifts == tuple(one.id for one in missing)


def test_an_empty_database_under_a_full_record_is_no_partial_restore() -> None:
    tables = [table("a", made(1)), table("b", made(2, day=5))]
    found = judged(tables, [], *(drift(DriftKind.MISSING_TABLE, one) for one in tables))
    assert {cause.verdict for cause in found} == {Verdict.FAKE}


def test_fifty_lost_indexes_are_one_cause() -> None:
    tables = [table(f"t{at:02}", made(at)) for at in range(1, 51)]
    lost = [drift(DriftKind.MISSING_INDEX, one, f"{one.name.name}_i") for one in tables]
    (cause,) = judged(tables, [there(one) for one in tables], *lost)
    assert cause.verdict is Verdict.BY_HAND
    assert cause.sentence.startswith("50 indexes of t01, t02, t03 and 47 more are gone")
    assert len(cause.drifts) == 50


def test_many_tables_dropped_are_one_cause() -> None:
    tables = [table(f"{kind}{at}", made(at)) for at in range(1, 7) for kind in ("kept", "lost")]
    lost = [one for one in tables if one.name.name.startswith("lost")]
    observed = [there(one) for one in tables if one not in lost]
    (cause,) = judged(tables, observed, *(drift(DriftKind.MISSING_TABLE, one) for one in lost))
    assert cause.verdict is Verdict.BY_HAND
    assert "lost1, lost2, lost3 and 3 more: made by 6 migrations" in cause.sentence


def test_an_extension_that_a_run_left_is_the_runs_doing() -> None:
    a, b = table("a", made(1, day=3)), table("b", made(2, day=3))
    uses = (UsedObject("type", STRAY, "citext", "citext", "the column email"),)
    left = drift(DriftKind.STRAY_OBJECT, a, "extension citext")
    found = [drift(DriftKind.MISPLACED_TABLE, one, copies=(STRAY,)) for one in (a, b)]
    (cause,) = judged([a, b], [replace(there(a, STRAY), uses=uses), there(b, STRAY)], *found, left)
    assert left.id in cause.drifts
    assert any(sentence.startswith("extension citext") for sentence in cause.evidence_for)


def test_what_fits_no_pattern_is_called_unknown() -> None:
    one = table("one", made(1))
    both = drift(DriftKind.MISPLACED_TABLE, one, copies=(STRAY, "other"))
    (cause,) = judged([one], [there(one, STRAY), there(one, "other")], both)
    assert cause.verdict is Verdict.UNKNOWN


def test_equal_findings_give_equal_causes_in_whatever_order_they_come() -> None:
    tables = [table(name, made(at, day=at)) for at, name in enumerate("abcdef", start=1)]
    found = [drift(DriftKind.MISPLACED_TABLE, one, copies=(STRAY,)) for one in tables[:3]]
    found += [drift(DriftKind.MISSING_TABLE, one) for one in tables[3:5]]
    observed = [*(there(one, STRAY) for one in tables[:3]), there(tables[5])]
    assert judged(tables, observed, *found) == judged(tables, observed, *reversed(found))

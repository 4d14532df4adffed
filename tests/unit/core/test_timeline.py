"""The record beside what it made."""

from dataclasses import replace

from cascade.core.expected import ExpectedLayout
from cascade.core.history import History, HistoryNotes, MigrationKey, PendingMigration, Record
from cascade.core.layout import Layout
from cascade.core.timeline import Standing, Timeline, make_timeline
from tests.unit.core.test_causes import STRAY, made, table, there
from tests.unit.render.answers import incident

A = table("a", made(1), extra=made(3))
B = table("b", made(2))


def record(number: int, applied: str = "") -> Record:
    return Record(MigrationKey("app", f"{number:04}"), applied or made(number).applied or "", number)


def timeline(*records: Record, expected: ExpectedLayout | None = None) -> Timeline:
    layout = expected or ExpectedLayout({one.name: one for one in (A, B)}, reference="a test")
    observed = replace(incident().observed, layout=Layout.of([there(A), there(B, STRAY)]))
    return make_timeline(layout, observed, History("public", records))


def test_each_migration_counts_what_it_made_by_the_schema_that_holds_it() -> None:
    one, two, three = timeline(record(1), record(2), record(3)).entries
    assert (one.found, one.astray) == (((("public",), 1),), ())
    assert (two.found, two.astray) == (((("stray",), 1),), ("b",))
    assert three.found == ((("public",), 1),)


def test_a_pause_begins_a_run() -> None:
    late = record(3, "2026-01-02T10:00:00+00:00")
    assert [entry.starts_a_run for entry in timeline(record(1), record(2), late).entries] == [False, False, True]


def test_what_the_files_say_of_a_record_is_its_standing() -> None:
    squash = MigrationKey("app", "0001_squashed")
    expected = ExpectedLayout(
        {one.name: one for one in (A, B)},
        reference="a test",
        notes=HistoryNotes(without_file=(MigrationKey("app", "0002"),)),
        replaces={squash: (MigrationKey("app", "0001"),)},
        pending=(PendingMigration(MigrationKey("app", "0009")),),
    )
    one, two, last = timeline(record(1), record(2), expected=expected).entries
    assert (one.standing, one.counts_as) == (Standing.SQUASHED, squash)
    assert two.standing is Standing.WITHOUT_FILE
    assert (last.standing, last.position) == (Standing.PENDING, None)


def test_the_last_records_keep_what_is_pending() -> None:
    expected = ExpectedLayout(
        {A.name: A}, reference="a test", pending=(PendingMigration(MigrationKey("shop", "0009")),)
    )
    shown = timeline(record(1), record(2), expected=expected)
    assert [str(entry.migration) for entry in shown.last(1).entries] == ["app.0002", "shop.0009"]
    assert [str(entry.migration) for entry in shown.last(1).earlier] == ["app.0001"]
    assert [str(entry.migration) for entry in shown.of_apps(["shop"]).entries] == ["shop.0009"]

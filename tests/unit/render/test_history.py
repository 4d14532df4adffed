"""The timeline as text."""

from dataclasses import replace

from cascade.core.history import MigrationKey
from cascade.core.timeline import Entry, Standing, Timeline
from cascade.effects.svg import render_svg
from cascade.render.history import render_history
from cascade.render.history_dot import render_history_dot
from cascade.render.ladder import MOST_ROWS
from cascade.render.pictures.answers import draw_timeline
from tests.unit.render.answers import incident


def entry(
    number: int, *, day: int = 1, schema: str = "public", astray: tuple[str, ...] = (), run: bool = False
) -> Entry:
    return Entry(
        MigrationKey("shop", f"{number:04}_change"),
        Standing.APPLIED,
        number,
        f"2026-01-{day:02}T10:00:00+00:00",
        found=(((schema,), 1),),
        astray=astray,
        starts_a_run=run,
    )


def rendered(*entries: Entry, fold: bool = True, width: int = 100, colour: bool = False) -> list[str]:
    timeline = Timeline("public", entries)
    text = render_history(incident(), timeline, fold=fold, width=width, colour=colour)
    return text.partition("\n\n")[2].splitlines()


HUNDREDS = tuple(entry(number, day=1 + number // 20) for number in range(1, 301))


def test_hundreds_of_migrations_in_place_are_one_line() -> None:
    assert rendered(*HUNDREDS) == ["       … 300 migrations, 2026-01-01 to 2026-01-16, all in public"]
    assert len(rendered(*HUNDREDS, fold=False)) == 300


def test_what_is_astray_is_marked_and_named_between_its_neighbours() -> None:
    lines = rendered(*HUNDREDS[:150], entry(151, schema="stray", astray=("shop_order",)), *HUNDREDS[151:])
    assert [line[:6].strip() for line in lines] == ["", "149", "150", "! 151", "", "152", "153", ""]
    assert lines[3].endswith("stray 1")
    assert lines[4].strip() == "shop_order"


def test_a_pause_stands_between_two_runs() -> None:
    lines = rendered(entry(1), entry(2, day=4, run=True))
    assert lines[1].strip() == "-- 3 days without a record --"


def test_pending_migrations_come_last_under_a_heading() -> None:
    pending = Entry(MigrationKey("shop", "0002_next"), Standing.PENDING)
    lines = rendered(entry(1), pending)
    assert lines[-2].strip() == "-- not applied yet --"
    assert lines[-1].split() == ["shop.0002_next", "pending"]


def test_squashed_and_lost_files_are_said() -> None:
    squashed = Entry(
        MigrationKey("shop", "0001_a"), Standing.SQUASHED, 1, "", counts_as=MigrationKey("shop", "0001_squashed")
    )
    lost = Entry(MigrationKey("gone", "0001_a"), Standing.WITHOUT_FILE, 2, "")
    lines = rendered(squashed, lost)
    assert lines[0].endswith("squashed into 0001_squashed")
    assert lines[1].endswith("no file in this checkout")


def test_long_names_push_what_is_found_below_and_no_line_is_too_wide() -> None:
    long = Entry(MigrationKey("shop", "0001_" + "x" * 50), Standing.APPLIED, 1, "2026-01-01T10:00:00+00:00",
                 found=((("public", "stray"), 3),), astray=("a", "b", "c"))  # fmt: skip
    lines = rendered(long, width=90)
    assert lines[1].strip() == "public and stray 3"
    assert max(map(len, lines)) <= 90


def test_the_mark_is_red_where_colour_is_wanted() -> None:
    lines = rendered(entry(1, schema="stray", astray=("a",)), colour=True)
    assert lines[0].startswith("\x1b[1;31m!\x1b[0m ")


# -------------------------------------------------------------------------------------------------------------- picture


def drawn(*entries: Entry, fold: bool = True) -> str:
    return render_history_dot(incident(), Timeline("public", entries), fold=fold)


def row_of(dot: str, migration: str) -> str:
    return next(line for line in dot.splitlines() if f">{migration}<" in line)


def test_a_migration_has_the_word_and_the_colour_of_the_schema_where_its_objects_landed() -> None:
    dot = drawn(entry(1), entry(2, schema="stray", astray=("shop_order",)), fold=False)

    assert '<FONT COLOR="#000000"><B>public</B></FONT>' in row_of(dot, "shop.0001_change")
    assert 'COLOR="#009e73"' in row_of(dot, "shop.0001_change")
    assert "<B>stray</B>" in row_of(dot, "shop.0002_change")
    assert 'COLOR="#d55e00"' in row_of(dot, "shop.0002_change")
    assert "all that it made is in stray, not where tables belong" in dot


def test_the_window_of_a_cause_is_headed_and_marks_its_migrations() -> None:
    cause = incident().causes[0]
    inside = replace(entry(33, schema="test_schema", astray=("about",)), migration=cause.migrations[0])
    dot = drawn(entry(1), inside, entry(40, day=20))

    assert "window A: migrate ran with test_schema first on its search_path, 2025-12-31 13:03:33 to 13:03:39 UTC" in dot
    assert "<B>A</B>" in row_of(dot, str(inside.migration))
    assert "<B>A</B>" not in row_of(dot, "shop.0001_change")


def test_long_stretches_in_place_are_one_row_and_pauses_and_pending_ones_are_headed() -> None:
    pending = Entry(MigrationKey("shop", "0301_next"), Standing.PENDING)
    dot = drawn(*HUNDREDS, entry(300, day=30, run=True), pending)

    assert "… 301 migrations" in dot
    assert "not applied yet" in dot
    assert "14 days without a record" in drawn(*HUNDREDS[-1:], entry(300, day=30, run=True), fold=False)


def test_of_thousands_of_migrations_the_last_are_drawn_and_the_others_counted() -> None:
    astray = tuple(entry(number, schema="stray", astray=("a",)) for number in range(1, 2_001))
    dot = drawn(*astray)

    assert dot.count("[class=row") == MOST_ROWS
    assert f"{2_000 - MOST_ROWS:,} earlier rows not drawn" in dot
    assert ">shop.2000_change<" in dot


def test_those_who_cannot_see_the_history_are_told_the_window_and_what_is_astray() -> None:
    told = draw_timeline(
        incident(), Timeline("public", (entry(1), entry(2, schema="stray", astray=("shop_order",))))
    ).description

    assert "1 migration of which not all is where it belongs" in told
    assert "window A: migrate ran with test_schema first" in told
    assert "shop.0002_change: stray 1" in told


def test_the_history_is_drawn_without_a_complaint() -> None:
    complaints: list[str] = []
    picture = render_svg(drawn(*HUNDREDS[:50], fold=False), report=complaints.append)

    assert complaints == []
    assert "shop.0050_change" in picture

"""Which tables a graph shows, and how they are made few enough to be looked at."""

from dataclasses import replace

import pytest

from cascade.core.findings import DriftKind
from cascade.core.graph import parse_selector
from cascade.core.layout import TableName
from cascade.core.overview import MOST_ARROWS, MOST_ARROWS_TO_ONE, MOST_BOXES, Fold, Overview, make_overview
from cascade.core.table_map import MappedTable, TableMap, map_tables
from cascade.errors import NoSuchName
from tests.unit.render import answers


def table(tables: TableMap, name: str) -> MappedTable:
    return next(table for table in tables.tables if table.name.name == name)


def names(tables: TableMap) -> set[str]:
    return {table.name.name for table in tables.tables}


def arrows(overview: Overview) -> set[tuple[str, str]]:
    boxes = overview.boxes
    return {(boxes[a.start].like.name.name, boxes[a.end].like.name.name) for a in overview.arrows}


def test_a_misplaced_table_is_where_it_lies_and_a_missing_one_nowhere() -> None:
    lies = table(map_tables(answers.incident()), answers.BOUNTY)
    gone = table(map_tables(answers.dropped()), answers.BOUNTY)

    assert (lies.places, lies.kind, lies.rows and lies.rows.counted) == (
        ("test_schema",),
        DriftKind.MISPLACED_TABLE,
        120,
    )
    assert (gone.places, gone.kind) == ((), DriftKind.MISSING_TABLE)


def test_what_the_scope_of_the_plan_leaves_out_is_amiss_all_the_same() -> None:
    assert table(map_tables(answers.incident()), "teams_teammembership").kind is DriftKind.MISSING_COLUMN


def test_notes_are_nothing_amiss() -> None:
    assert table(map_tables(answers.every_kind()), "user_profile_userprofile").kind is None


def test_a_neighbourhood_is_what_the_selector_reaches_and_no_more() -> None:
    chosen = map_tables(answers.incident(), selectors=[parse_selector("1+user_profile_bounty+1")])

    assert names(chosen) == {
        "accounts_user",
        "tournament_engine_match_match",
        answers.BOUNTY,
        answers.ENDORSEMENT,
        "user_profile_bounty_participant",
        "user_profile_bounty_result",
    }
    assert chosen.of_all == 12


def test_an_app_comes_with_what_it_refers_to() -> None:
    assert names(map_tables(answers.incident(), apps=["teams"])) == {
        "accounts_user",
        "teams_team",
        "teams_teammembership",
    }


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(NoSuchName, match="bounti"):
        map_tables(answers.incident(), selectors=[parse_selector("bounti")])


def test_after_the_plan_what_it_cures_is_in_place_and_what_it_leaves_is_not() -> None:
    answer = answers.incident()
    cured = {cure for step in answer.plan.steps for cure in step.cures}
    after = map_tables(answer).repaired(cured)
    moved = table(after, answers.BOUNTY)

    assert (moved.place, moved.findings, len(moved.cured)) == ("public", (), 1)
    assert [table.name.name for table in after.amiss] == ["teams_teammembership"]


def test_few_tables_are_a_box_each() -> None:
    overview = make_overview(map_tables(answers.incident()))

    assert overview.fold is Fold.NOTHING
    assert (len(overview.boxes), overview.folded) == (12, 0)
    assert (answers.ENDORSEMENT, answers.BOUNTY) in arrows(overview)


def test_a_table_that_many_refer_to_is_a_word_and_no_arrow() -> None:
    overview = make_overview(map_tables(answers.incident()))
    hub = next(n for n, box in enumerate(overview.boxes) if box.like.name.name == "accounts_user")
    endorsement = next(n for n, box in enumerate(overview.boxes) if box.like.name.name == answers.ENDORSEMENT)

    assert overview.pointed_at == {hub: 7}
    assert MOST_ARROWS_TO_ONE < 7
    assert not any(arrow.end == hub for arrow in overview.arrows)
    assert overview.words[endorsement] == ((overview.boxes[hub], 3),)


def test_a_key_that_leads_out_of_the_neighbourhood_is_a_word() -> None:
    overview = make_overview(map_tables(answers.incident(), selectors=[parse_selector("user_profile_bounty")]))

    assert overview.words == (
        ((TableName("public", "accounts_user"), 1), (TableName("public", "tournament_engine_match_match"), 1)),
    )


def test_of_many_tables_the_healthy_ones_are_a_box_an_app_and_those_amiss_stay_in_full() -> None:
    overview = make_overview(map_tables(answers.large(300)))
    amiss = [box for box in overview.boxes if box.like.findings]

    assert overview.fold is Fold.HEALTHY_BY_APP
    assert len(overview.boxes) <= MOST_BOXES
    assert len(amiss) == 12
    assert all(box.table for box in amiss)
    assert all(overview.boxes[a.start].like.findings or overview.boxes[a.end].like.findings for a in overview.arrows)


def many(count: int, apps: int, amiss: int) -> TableMap:
    """Tables of so many apps, each with a key to another, of which the first are as amiss as the bounty is."""
    bounty = table(map_tables(answers.incident()), answers.BOUNTY)
    healthy = table(map_tables(answers.incident()), "teams_team")
    key = map_tables(answers.incident()).keys[0]
    made = tuple(
        replace(
            bounty if number < amiss else healthy, name=TableName("public", f"t{number:05}"), app=f"app{number % apps}"
        )
        for number in range(count)
    )
    keys = tuple(
        replace(key, table=one.name, to=made[(number * 7 + 3) % count].name) for number, one in enumerate(made)
    )
    return TableMap(made, keys, of_all=count)


@pytest.mark.parametrize(
    ("apps", "amiss", "fold"),
    [
        (24, 12, Fold.HEALTHY_BY_APP),
        (24, 1_500, Fold.BY_APP),
        (5_000, 9_000, Fold.BY_SCHEMA),
    ],
)
def test_however_many_there_are_the_boxes_and_arrows_are_few_and_stand_for_all(
    apps: int, amiss: int, fold: Fold
) -> None:
    tables = many(20_000, apps, amiss)
    overview = make_overview(tables)

    assert overview.fold is fold
    assert len(overview.boxes) <= MOST_BOXES
    assert len(overview.arrows) <= MOST_ARROWS
    assert sum(len(box.tables) for box in overview.boxes) == 20_000
    assert sum(len(box.tables) for box in overview.boxes if box.like.findings) == amiss

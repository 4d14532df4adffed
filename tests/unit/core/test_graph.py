"""Tables and their keys as a graph: groups, neighbourhoods and order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.core.graph import (
    Selector,
    build_graph,
    connected_groups,
    foreign_keys,
    generations,
    in_columns,
    neighbourhood,
    parse_selector,
    ranks,
    repair_order,
)
from cascade.core.layout import Table, TableName
from cascade.errors import CascadeError, NoSuchName
from tests.drifted import TARGET, foreign_key


def table(name: str, *referenced: str) -> Table:
    keys = tuple(foreign_key(name, f"{to}_{number}_id", to) for number, to in enumerate(referenced))
    return Table(TableName(TARGET, name), constraints=keys)


def names(tables: object) -> list[str]:
    return sorted(found.name for found in tables)


INCIDENT = (
    table("result", "bounty", "user"),
    table("participant", "bounty", "user"),
    table("bounty", "user"),
    table("endorsement", "user", "user", "bounty"),
    table("about_item", "user"),
    table("user"),
)


def test_a_key_is_an_edge_from_the_referencing_table_to_the_referenced_one() -> None:
    graph = build_graph([table("bounty", "user")])
    [(start, end, constraint)] = foreign_keys(graph)
    assert (start.name, end.name, constraint.columns) == ("bounty", "user", ("user_0_id",))


def test_two_keys_between_the_same_tables_and_one_to_itself_are_three_edges() -> None:
    graph = build_graph([table("bounty", "user", "user", "bounty"), table("user")])
    assert [(start.name, end.name) for start, end, _ in foreign_keys(graph)] == [
        ("bounty", "bounty"),
        ("bounty", "user"),
        ("bounty", "user"),
    ]


def test_nodes_and_edges_come_in_one_order_whatever_the_order_of_the_tables() -> None:
    there, back = build_graph(INCIDENT), build_graph(reversed(INCIDENT))
    assert list(there) == list(back) == sorted(there)
    assert list(there.edges(keys=True)) == list(back.edges(keys=True))


def test_a_referenced_table_that_is_not_given_is_a_node_all_the_same() -> None:
    assert names(build_graph([table("bounty", "user")])) == ["bounty", "user"]


def test_members_are_grouped_by_the_keys_among_themselves_in_either_direction() -> None:
    members = [TableName(TARGET, name) for name in ("result", "participant", "endorsement", "bounty", "about_item")]
    groups = connected_groups(build_graph(INCIDENT), members, order=lambda member: member.name)
    # about_item and bounty both refer to user, which is healthy and so connects nothing.
    assert [names(group) for group in groups] == [["about_item"], ["bounty", "endorsement", "participant", "result"]]


def test_a_group_and_the_groups_are_in_the_order_asked_for() -> None:
    members = [TableName(TARGET, name) for name in ("about_item", "bounty", "endorsement")]
    backwards = connected_groups(build_graph(INCIDENT), members, order=lambda member: -ord(member.name[0]))
    assert [[member.name for member in group] for group in backwards] == [["endorsement", "bounty"], ["about_item"]]


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("bounty", ["bounty"]),
        ("public.bounty", ["bounty"]),
        ("+bounty", ["bounty", "user"]),
        ("bounty+", ["bounty", "endorsement", "participant", "result"]),
        ("+bounty+", ["bounty", "endorsement", "participant", "result", "user"]),
        ("1+endorsement", ["bounty", "endorsement", "user"]),
        ("0+endorsement", ["endorsement"]),
        ("user+1", ["about_item", "bounty", "endorsement", "participant", "result", "user"]),
    ],
)
def test_a_selector_means_a_neighbourhood(text: str, selected: list[str]) -> None:
    assert names(neighbourhood(build_graph(INCIDENT), parse_selector(text))) == selected


def test_a_neighbourhood_in_a_cycle_ends() -> None:
    graph = build_graph([table("chicken", "egg", "chicken"), table("egg", "chicken")])
    assert names(neighbourhood(graph, parse_selector("+chicken+"))) == ["chicken", "egg"]


def test_a_selector_that_no_table_answers_to_suggests_the_nearest() -> None:
    with pytest.raises(NoSuchName, match=r"Did you mean bounty\?"):
        neighbourhood(build_graph(INCIDENT), parse_selector("+bunty"))


@pytest.mark.parametrize("text", ["bounty", "+bounty", "bounty+", "2+bounty+1", "+app.Model+10", "odd+name+"])
def test_a_selector_reads_as_it_was_written(text: str) -> None:
    assert str(parse_selector(text)) == text


def test_a_plus_inside_a_name_is_part_of_it() -> None:
    assert parse_selector("1+odd+name+2") == Selector("odd+name", 1, 2)


@pytest.mark.parametrize("text", ["", "+", " ", "++"])
def test_a_selector_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(CascadeError, match="names no table"):
        parse_selector(text)


WAITING = {"move b": (), "move a": (), "key a b": ("move a", "move b"), "key c a": ("move a",), "column": ("key c a",)}


def test_a_wave_holds_what_waits_for_nothing_outside_earlier_waves() -> None:
    assert generations(WAITING) == (("move a", "move b"), ("key a b", "key c a"), ("column",))


def test_of_what_could_come_next_the_first_in_order_comes() -> None:
    order = {"move b": 0, "column": 1, "move a": 2, "key c a": 3, "key a b": 4}
    assert repair_order(WAITING, order=order) == ("move b", "move a", "key c a", "column", "key a b")


def test_steps_that_wait_for_one_another_are_named() -> None:
    waiting = {"a": ("b",), "b": ("a",), "c": ()}
    with pytest.raises(ValueError, match=r"wait for one another: (a -> b -> a|b -> a -> b)"):
        generations(waiting)
    with pytest.raises(ValueError, match="wait for one another"):
        repair_order(waiting, order={"a": 1, "b": 2, "c": 3})


def test_waiting_for_no_step_of_the_plan_is_an_error() -> None:
    with pytest.raises(ValueError, match="a waits for z"):
        generations({"a": ("z",)})


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20), st.integers(1, 5))
def test_columns_are_never_more_than_asked_for_and_as_they_were_where_they_suffice(
    arrows: list[tuple[int, int]], most: int
) -> None:
    free, limited = ranks(8, arrows), in_columns(8, arrows, most)

    assert max(limited) < most
    if max(free) < most:
        assert limited == free

"""How the tables hang together, in every format that shows it."""

import json
import re
import shutil
import sysconfig
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import pytest

from cascade.core.answer import Answer
from cascade.core.findings import DriftKind
from cascade.core.graph import parse_selector
from cascade.core.history import SourceLines
from cascade.core.layout import quoted
from cascade.core.overview import make_overview
from cascade.core.table_map import map_tables
from cascade.effects import svg
from cascade.effects.svg import render_svg
from cascade.render.graph_dot import (
    WIDEST,
    describe_before_after,
    describe_graph,
    render_before_after_dot,
    render_graph_dot,
)
from cascade.render.graph_json import graph_document
from cascade.render.graph_text import render_graph
from cascade.render.mermaid import MOST_LETTERS, render_mermaid
from tests.unit.render import answers
from tests.unit.render.test_dot import NAMESPACE, linked, words

EVERY: list[Callable[[], Answer]] = [
    answers.incident,
    answers.healthy,
    answers.dropped,
    answers.faked,
    answers.undecided,
    answers.every_kind,
    answers.sixty_moves,
    lambda: answers.large(300),
]
every_answer = pytest.mark.parametrize(
    "make",
    EVERY,
    ids=["incident", "healthy", "dropped", "faked", "undecided", "every_kind", "sixty_moves", "three_hundred"],
)


@pytest.fixture(params=["dot", "graphviz-pure"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each program in its turn, where it is there."""
    name: str = request.param
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        pytest.skip(f"no {name} here")
    monkeypatch.setattr(svg, "_program", lambda: found)
    return found


def graph_dot(answer: Answer) -> str:
    return render_graph_dot(answer, map_tables(answer))


# ------------------------------------------------------------------------------------------------------------- pictures


def test_tables_stand_in_their_schema_and_app_and_arrows_lead_along_the_keys() -> None:
    dot = graph_dot(answers.incident())

    assert "rankdir=LR" in dot
    assert list(re.findall(r">(public|test_schema)</FONT></B>|<B>(public|test_schema)</B>", dot)) == [
        ("", "public"),
        ("", "test_schema"),
    ]
    assert "user_profile_skill_endorsement (bounty_id) refers to public.user_profile_bounty" in dot
    assert "referred to by 7 tables" in dot
    assert "keys to accounts_user ×3" in dot


def test_what_is_amiss_stands_out_by_word_border_and_colour() -> None:
    dot = graph_dot(answers.dropped())
    missing = next(line for line in dot.splitlines() if "<B>user_profile_bounty</B>" in line)

    assert 'BORDER="2" COLOR="#d55e00" STYLE="dashed"' in missing
    assert "<B>missing</B>" in missing
    assert "the table is in no schema" in dot
    assert "nowhere" in dot


def test_a_key_that_is_missing_is_dashed_and_said_to_be() -> None:
    dot = graph_dot(answers.hand_made_copy())

    assert dot.count("style=dashed, penwidth=2") == 1  # to the match; those to the hub are a word
    assert "A dashed one is a key that is missing, or not as" in " ".join(re.findall(r">([^<>]+)<", dot))


def test_of_three_hundred_tables_the_healthy_ones_are_folded_and_it_says_so() -> None:
    said = " ".join(re.findall(r">([^<>]+)<", graph_dot(answers.large(300)))).replace("  ", " ")

    assert "305 tables are too many for one picture, so healthy tables are one box an app" in said
    assert "app00: 13 tables" in said
    assert "--table TABLE+1 or --app APP" in said


@every_answer
def test_graphs_carry_no_dates_and_are_the_same_twice(make: Callable[[], Answer]) -> None:
    first, second = make(), make()

    assert graph_dot(first) == graph_dot(second)
    assert render_before_after_dot(first, map_tables(first)) == render_before_after_dot(second, map_tables(second))
    assert not re.search(r"20\d\d-|<FONT[^>]*></FONT>|<B></B>", graph_dot(first))


@every_answer
def test_both_programs_draw_every_graph_without_a_complaint(make: Callable[[], Answer], program: str) -> None:
    answer, complaints = make(), list[str]()
    tables = map_tables(answer)
    graph = render_svg(render_graph_dot(answer, tables), report=complaints.append)
    both = render_svg(render_before_after_dot(answer, tables), report=complaints.append)

    assert complaints == []
    assert "cascade graph: arena" in words(graph)
    assert all(quoted(table.name.name) in words(graph) for table in tables.amiss if table.name.name.isalpha())
    assert height(both, "now") < height(both, "after the plan")


def height(picture: str, text: str) -> float:
    """How far from the top a text stands."""
    return next(float(t.get("y", "")) for t in ET.fromstring(picture).iter(f"{NAMESPACE}text") if t.text == text)


def test_before_and_after_show_what_changes_and_what_hangs_together_with_it() -> None:
    answer = answers.incident()
    tables = map_tables(answer)
    dot = render_before_after_dot(answer, tables)
    told = describe_before_after(answer, tables)

    assert dot.count("<B>misplaced</B>") == 7 + 1  # and in the legend
    assert dot.count("<B>repaired</B>") == 7 + 1
    assert "out of test_schema" in dot
    assert "After the plan: 12 tables, 1 of them is not as it should be." in told


def test_before_and_after_of_a_healthy_database_say_that_nothing_would_change() -> None:
    answer = answers.healthy()

    assert "Nothing is amiss, so nothing would change" in render_before_after_dot(answer, map_tables(answer))


def sixty(astray: int) -> Answer:
    """Sixty tables of two apps in long chains of keys, so many of them in another schema."""
    return answers.large(60, astray, 2)


@pytest.mark.parametrize("make", [lambda: sixty(60), answers.sixty_moves, lambda: answers.large(300)])
def test_a_large_graph_is_no_wider_than_a_page_can_be(make: Callable[[], Answer], program: str) -> None:
    width = float(ET.fromstring(render_svg(graph_dot(make()))).get("width", "").removesuffix("pt"))

    assert width < 1.05 * WIDEST


def test_where_columns_are_limited_every_key_is_an_arrow_to_the_right_or_a_word() -> None:
    answer = sixty(60)
    tables = map_tables(answer)
    whole = make_overview(tables)
    dot = render_graph_dot(answer, tables)
    drawn = {(int(a), int(b)) for a, b in re.findall(r"  t(\d+) -> t(\d+) \[tooltip", dot)}
    turned = [arrow for arrow in whole.arrows if (arrow.start, arrow.end) not in drawn]

    assert 0 < len(turned) < len(whole.arrows) / 4
    assert "constraint=false" not in dot
    assert "and those that would lead back, stand as words." in re.sub(r"<[^>]+>", "", dot.replace("<BR", " <BR"))
    for arrow in turned:
        (box,) = re.findall(rf"^ *t{arrow.start} \[.*$", dot, flags=re.MULTILINE)
        assert re.search(rf"keys to [^<]*{quoted(whole.boxes[arrow.end].like.name.name)}", box)


def test_a_key_that_is_amiss_stays_an_arrow_however_few_the_columns_are() -> None:
    answer = sixty(60)
    tables = map_tables(answer)
    (back, *_) = (key for key in tables.keys if (key.table.name, key.to.name) == ("app00_thing_25", "app00_thing_08"))
    amiss = replace(back, finding=replace(answers.missing_column(), kind=DriftKind.MISSING_CONSTRAINT))
    dot = render_graph_dot(answer, replace(tables, keys=tuple(amiss if key is back else key for key in tables.keys)))

    assert dot.count("style=dashed, penwidth=2") == 1
    assert f"{back.table} ({', '.join(back.constraint.columns)}) refers to {back.to}" in dot


def test_a_small_graph_is_laid_out_by_its_keys_alone() -> None:
    for make in (answers.incident, answers.every_kind, answers.healthy):
        assert "rank=same" not in graph_dot(make())


@pytest.mark.parametrize("name", answers.ODD_NAMES[:5])
def test_odd_names_come_out_whole_in_boxes_and_tooltips(name: str, program: str) -> None:
    picture = render_svg(graph_dot(answers.sixty_moves()))
    titles = [title.text or "" for title in ET.fromstring(picture).iter(f"{NAMESPACE}title")]

    assert quoted(name) in words(picture)
    assert any(title.startswith(f"public.{quoted(name)}\n") for title in titles)


def test_a_box_leads_to_its_model_and_the_picture_has_a_name_and_a_description(program: str) -> None:
    answer = linked(answers.incident(), "https://example.com/{path}#L{line}")
    tables = map_tables(answer)
    root = ET.fromstring(render_svg(render_graph_dot(answer, tables), description=describe_graph(answer, tables)))
    links = {link.get("href") for link in root.iter(f"{NAMESPACE}a")}

    assert links == {
        f"https://example.com/{app}/models.py#L7" for app in ("accounts", "teams", "tournaments", "user_profile")
    }
    assert (root.get("role"), root[0].text) == ("img", "cascade graph: arena")
    assert "user_profile_bounty misplaced belongs in public, 120 rows" in (root[1].text or "")
    assert "@media screen and (prefers-color-scheme: dark)" in (root[2].text or "")


# ----------------------------------------------------------------------------------------------------------------- text


def test_the_text_has_the_keys_of_each_table_both_ways_and_marks_what_is_amiss() -> None:
    answer = answers.incident()
    text = render_graph(answer, map_tables(answer))

    assert "arena on 127.0.0.1:5432: 12 tables, 8 of them are not as they should be; 18 foreign keys." in text
    assert "  ! user_profile_bounty, misplaced: belongs in public, 120 rows\n" in text
    assert "        -> accounts_user (creator_id) and tournament_engine_match_match (match_id)\n" in text
    assert (
        "        <- user_profile_bounty_participant (bounty_id), user_profile_bounty_result (bounty_id) and\n" in text
    )
    assert max(map(len, text.splitlines())) <= 100


def test_the_text_folds_what_is_healthy_where_there_is_much_and_unfolds_it_on_demand() -> None:
    answer = answers.large(300)
    tables = map_tables(answer)

    assert "    app00: 13 tables\n" in render_graph(answer, tables)
    assert "app00_thing_01" not in render_graph(answer, tables).partition("app00: 13")[2].partition("app01")[0]
    assert "    app00_thing_01\n" in render_graph(answer, tables, fold=False)


# ----------------------------------------------------------------------------------------------------------------- JSON


def test_networkx_reads_the_json_with_every_attribute() -> None:
    answer = answers.incident()
    document = json.loads(json.dumps(graph_document(answer, map_tables(answer))))
    graph = nx.node_link_graph(document, edges="edges")

    assert isinstance(graph, nx.MultiDiGraph)
    assert (graph.graph["target_schema"], graph.graph["tables"], len(graph), graph.size()) == ("public", 12, 12, 18)
    assert graph.nodes["public.user_profile_bounty"] == {
        "schema": "public",
        "table": "user_profile_bounty",
        "app": "user_profile",
        "model": "user_profile.Bounty",
        "migration": "user_profile.0038_bounties",
        "source": None,
        "found_in": ["test_schema"],
        "status": "misplaced_table",
        "severity": "broken",
        "findings": ["misplaced_table:public.user_profile_bounty"],
    }
    assert graph.edges[
        f"public.{answers.ENDORSEMENT}", "public.user_profile_bounty", f"{answers.ENDORSEMENT}_bounty_id_fk"
    ] == {
        "columns": ["bounty_id"],
        "references": ["id"],
        "status": "in_place",
        "finding": None,
    }
    assert graph.number_of_edges(f"public.{answers.ENDORSEMENT}", "public.accounts_user") == 3


def test_the_json_folds_nothing_and_has_no_edge_without_both_ends() -> None:
    answer = answers.large(300)
    document = graph_document(answer, map_tables(answer))
    alone = graph_document(
        answers.incident(), map_tables(answers.incident(), selectors=[parse_selector(answers.BOUNTY)])
    )

    assert len(document["nodes"]) == 305
    assert (len(alone["nodes"]), alone["edges"], alone["graph"]["tables"]) == (1, [], 12)


# -------------------------------------------------------------------------------------------------------------- Mermaid


def test_mermaid_has_the_neighbourhood_in_its_schemas_and_apps() -> None:
    answer = answers.incident()
    chosen = map_tables(answer, selectors=[parse_selector(f"1+{answers.BOUNTY}")], scope=f"--table 1+{answers.BOUNTY}")

    assert (
        render_mermaid(answer, chosen)
        == f"""flowchart LR
  %% cascade graph --table 1+{answers.BOUNTY}: arena
  %% 3 tables of 12, 1 of them is not as it should be.
  %% An arrow leads from a table to the one that its key refers to.
  subgraph s0["public"]
    subgraph s0_0["accounts"]
      t0["accounts_user"]
    end
    subgraph s0_1["tournaments"]
      t1["tournament_engine_match_match"]
    end
  end
  subgraph s1["test_schema"]
    subgraph s1_0["user_profile"]
      t2["user_profile_bounty<br>misplaced: belongs in public, 120 rows"]
    end
  end
  t2 --> t0
  t2 --> t1
  classDef misplaced stroke:#0072b2,stroke-width:3px
  class t2 misplaced
"""
    )


@every_answer
def test_mermaid_stays_within_its_limits_and_labels_end_where_they_should(make: Callable[[], Answer]) -> None:
    answer = make()
    text = render_mermaid(answer, map_tables(answer))

    assert 0 < len(text) <= MOST_LETTERS
    assert text.count(" --> ") + text.count(" ==> ") + text.count(" -.-> ") <= 500
    for line in text.splitlines():
        if '["' in line:
            assert re.fullmatch(r' +(subgraph \w+|t\d+)\["(?:[^"<>`\[\]{}|]|<br>)+"\]', line)


def test_mermaid_folds_until_the_longest_names_fit() -> None:
    answer = answers.large(80)
    tables = {
        name: replace(table, app="a" * 63, model_source=SourceLines("models.py", 1, 2))
        for name, table in answer.expected.tables.items()
    }
    answer = replace(answer, expected=replace(answer.expected, tables=tables))
    odd = replace(
        map_tables(answer),
        tables=tuple(
            replace(table, name=replace(table.name, name='"' * 58 + f"{number:05}"))
            for number, table in enumerate(map_tables(answer).tables)
        ),
        keys=(),
    )

    assert 0 < len(render_mermaid(answer, odd)) <= MOST_LETTERS

"""The pictures that need no program: siblings of those by Graphviz, drawn from what a plan's JSON keeps."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, get_args

import pytest

from cascade.core.actions import Action, action_name
from cascade.core.answer import Answer
from cascade.core.history import SourceLines
from cascade.core.layout import TableName
from cascade.core.plan import Chain
from cascade.core.timeline import Entry
from cascade.render import looks
from cascade.render.dot import render_dot
from cascade.render.looks import LOOKS_OF_ACTIONS, Look, Paint, look_called
from cascade.render.pictures import Picture, draw_history, draw_neighbourhood, draw_places, draw_steps
from cascade.render.pictures.answers import draw_plan
from cascade.render.pictures.history import entries_kept
from cascade.render.plan_ladder import make_plan_ladder
from tests.unit.render import answers, kept
from tests.unit.render.test_dot import interlinked

EVERY = [
    answers.incident,
    answers.dropped,
    answers.faked,
    answers.undecided,
    answers.sixty_moves,
    answers.hand_made_copy,
]
every_answer = pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
LOOKS = {look.word: look for look in vars(looks).values() if isinstance(look, Look)}


# ---------------------------------------------------------------------------------------------------- one language


def test_every_action_has_a_look_by_its_type_and_by_its_name() -> None:
    assert set(LOOKS_OF_ACTIONS) == set(get_args(Action))
    assert all(look_called(action_name(action)) is look for action, look in LOOKS_OF_ACTIONS.items())


def test_the_pages_that_a_measured_chain_names_stand_in_the_row_of_the_step() -> None:
    answer = answers.incident()
    chain = Chain(answers.BOUNTY, "exact", (answers.BOUNTY,), "/@amber1/")
    answer = replace(answer, plan=replace(answer.plan, chains=(chain,)))
    found = make_plan_ladder(kept.plan(lambda: answer))

    assert [rung.what for rung in found.rungs if rung.breaks == "/@amber1/"] == [answers.BOUNTY]


@every_answer
def test_no_picture_has_a_colour_that_is_not_a_look_or_a_paint(make: Callable[[], Answer]) -> None:
    known = {look.colour for look in LOOKS.values()} | {paint.light for paint in Paint} | {"#ffffff", "none"}
    for picture in pictures(kept.plan(make)):
        for part in ET.fromstring(picture.alone).iter():
            assert {part.get("fill", "none"), part.get("stroke", "none")} <= known


def test_a_status_is_said_by_word_colour_and_border() -> None:
    plan = kept.plan(answers.hand_made_copy)
    picture = draw_neighbourhood(plan, every_name(plan), "Everything")
    incomplete = looks.INCOMPLETE
    rects = [shape for shape in shapes(picture) if shape.element.get("stroke") == incomplete.colour]
    badges = [shape for shape in shapes(picture) if shape.element.get("fill") == incomplete.colour]

    assert len(rects) == 1
    assert len(badges) == 2  # in the box, and in the legend
    assert texts(picture).count("incomplete") == 2
    assert "a column, constraint or index of it is missing" in texts(picture)


def test_a_missing_table_is_dashed_and_lies_nowhere() -> None:
    plan = kept.plan(answers.dropped)
    picture = draw_neighbourhood(plan, every_name(plan), "Everything")

    assert "nowhere" in texts(picture)
    dashed = [shape for shape in shapes(picture) if shape.element.get("stroke") == looks.MISSING.colour]
    assert dashed
    assert all(shape.element.get("stroke-dasharray") for shape in dashed)


@every_answer
def test_each_word_on_a_badge_is_explained(make: Callable[[], Answer]) -> None:
    for picture in pictures(kept.plan(make)):
        words = texts(picture)
        for word in {word for word in words if word in LOOKS and LOOKS[word] not in (looks.NOWHERE, looks.SEVERAL)}:
            assert words.count(word) >= 2, f"{picture.name}: {word}"


# --------------------------------------------------------------------------------------------------------- geometry


@dataclass(frozen=True)
class Drawn:
    """An element with its place in the picture."""

    element: ET.Element
    x: float
    y: float

    @property
    def size(self) -> tuple[float, float]:
        return float(self.element.get("width", 0)), float(self.element.get("height", 0))


def shapes(picture: Picture, tag: str = "rect") -> list[Drawn]:
    """The elements of a sort, each at its place."""
    return list(_placed(ET.fromstring(picture.inline), 0, 0, tag))


def _placed(element: ET.Element, x: float, y: float, tag: str) -> Iterator[Drawn]:
    moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if element.tag == tag:
        yield Drawn(element, x + float(element.get("x", 0)), y + float(element.get("y", 0)))
    for child in element:
        yield from _placed(child, x, y, tag)


def texts(picture: Picture) -> list[str]:
    return [(shape.element.text or "").replace("\N{NO-BREAK SPACE}", " ") for shape in shapes(picture, "text")]


def every_name(plan: Any) -> list[str]:
    return [str(TableName(node["schema"], node["table"])) for node in plan["nodes"]]


def pictures(plan: Any) -> list[Picture]:
    """All of one plan."""
    near = draw_neighbourhood(plan, every_name(plan), "All")
    several = (draw_steps(plan), draw_places(plan, None), draw_history(plan), near)
    return [picture for picture in several if picture is not None]


def many(count: int) -> Any:
    """A plan for so many misplaced tables of two apps, which refer to one another."""
    return kept.plan(lambda: answers.large(count, astray=count, apps=2))


PLANS: dict[str, Callable[[], Any]] = {
    "incident": lambda: kept.plan(answers.incident),
    "dropped": lambda: kept.plan(answers.dropped),
    "odd names": lambda: kept.plan(answers.sixty_moves),
    "tangle": lambda: kept.plan(lambda: interlinked(60, lambda number: (number * 7 + 3) % 60)),
    "300": lambda: many(300),
}
every_plan = pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))


@every_plan
def test_nothing_is_cut_off_and_no_text_leaves_its_picture(plan: Callable[[], Any]) -> None:
    for picture in pictures(plan()):
        for shape in (*shapes(picture), *shapes(picture, "text")):
            letters = len(shape.element.text or "") * 0.6 * float(shape.element.get("font-size", 11))
            before = {"end": letters, "middle": letters / 2}.get(shape.element.get("text-anchor", ""), 0)
            wide, high = shape.size
            assert shape.x - before >= 0
            assert shape.x - before + max(letters, wide) <= picture.width + 0.5
            assert shape.y + high <= picture.height + 0.5


@every_plan
def test_boxes_do_not_overlap(plan: Callable[[], Any]) -> None:
    for picture in pictures(plan()):
        framed = [shape for shape in shapes(picture) if shape.element.get("stroke-width")]
        for number, one in enumerate(framed):
            for other in framed[:number]:
                apart = (
                    one.x + one.size[0] <= other.x
                    or other.x + other.size[0] <= one.x
                    or one.y + one.size[1] <= other.y
                    or other.y + other.size[1] <= one.y
                )
                assert apart, picture.name


@every_plan
def test_no_picture_is_much_wider_than_a_screen(plan: Callable[[], Any]) -> None:
    for picture in pictures(plan()):
        assert picture.width < 2100, picture.name


def test_of_three_hundred_tables_as_many_are_drawn_as_can_be_looked_at_and_it_says_so() -> None:
    plan = many(300)
    near = draw_neighbourhood(plan, every_name(plan), "Everything")
    places = draw_places(plan, None)
    assert places is not None

    for picture in (near, places):
        assert len([shape for shape in shapes(picture) if shape.element.get("stroke-width")]) <= 160
        assert "too many for one picture" in " ".join(texts(picture))


def test_of_more_steps_than_a_ladder_has_rows_the_others_are_counted() -> None:
    picture = draw_steps(many(320))
    assert picture is not None

    assert "and 20 more rows: the text and the JSON have them all" in texts(picture)


def test_the_legend_of_a_long_ladder_stands_where_it_is_seen_first() -> None:
    long, short = draw_steps(many(60)), draw_steps(kept.plan())
    assert long is not None
    assert short is not None
    meaning = "the table is in another schema and moves with its rows"

    assert texts(long).index(meaning) < texts(long).index("from -> to")
    assert texts(short).index(meaning) > texts(short).index("from -> to")


CYCLES = (
    ("two, each to the other", 2, lambda n: 1 - n),
    ("a ring", 5, lambda n: (n + 1) % 5),
    ("two rings", 8, lambda n: n ^ 1 if n < 4 else (n - 3) % 4 + 4),
    ("a chain that ends in a pair", 6, lambda n: max(n - 1, 1 - n)),
)


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(kept.plan, id="the incident"),
        pytest.param(lambda: many(60), id="sixty"),
        *(pytest.param(lambda c=c, t=t: kept.plan(lambda: interlinked(c, t)), id=name) for name, c, t in CYCLES),
    ],
)
def test_no_arrow_leads_through_a_box(plan: Callable[[], Any]) -> None:
    document = plan()
    picture = draw_neighbourhood(document, every_name(document), "All")
    boxes = [shape for shape in shapes(picture) if shape.element.get("stroke-width")]
    lines = [shape for shape in shapes(picture, "path") if shape.element.get("fill") == "none"]
    assert lines
    for line in lines:
        for x, y in walked(line.element.get("d", "")):
            assert 0 < x + line.x < picture.width
            assert not any(
                box.x + 1 < x + line.x < box.x + box.size[0] - 1 and box.y + 1 < y + line.y < box.y + box.size[1] - 1
                for box in boxes
            )


def walked(path: str) -> Iterator[tuple[float, float]]:
    """Points of a path that lie close to one another."""
    x = y = 0.0
    for command, figures in re.findall(r"([MCQHV])([-\d. ]*)", path):
        numbers = [float(figure) for figure in figures.split()]
        match command:
            case "M":
                x, y = numbers
                continue
            case "H":
                numbers = [numbers[0], y]
            case "V":
                numbers = [x, numbers[0]]
        corners = [(x, y), *zip(numbers[::2], numbers[1::2], strict=True)]
        yield from (bezier(corners, step / 40) for step in range(41))
        x, y = corners[-1]


def bezier(corners: list[tuple[float, float]], t: float) -> tuple[float, float]:
    """By de Casteljau."""
    while len(corners) > 1:
        corners = [((1 - t) * a + t * c, (1 - t) * b + t * d) for (a, b), (c, d) in pairwise(corners)]
    return corners[0]


def test_whole_apps_that_are_amiss_refer_to_one_another_in_words() -> None:
    plan = kept.plan(lambda: answers.large(300, astray=300, apps=2))
    picture = draw_neighbourhood(plan, every_name(plan), "All")

    assert len(shapes(picture, "polygon")) == 0
    assert "and those of several in one box, stand as words" in " ".join(texts(picture))


def test_tables_that_the_plan_leaves_where_they_are_are_not_shown_as_repaired() -> None:
    plan = kept.plan()
    plan["steps"] = plan["steps"][:3]
    picture = draw_places(plan, None)
    assert picture is not None

    assert texts(picture).count("misplaced") == 7 + 4 + 1
    assert texts(picture).count("repaired") == 3 + 1
    assert "After the repair, as planned: 3 tables in public, 4 tables in test_schema." in picture.description


def test_a_namesake_that_no_finding_speaks_of_is_not_drawn_as_amiss() -> None:
    plan = kept.plan(answers.dropped)
    for table in plan["tables"]:
        table["found"].append({**table["found"][0], "schema": "tenant_7"} if table["found"] else {})
        table["found"] = [copy for copy in table["found"] if copy]

    assert "tenant_7" not in " ".join(texts(draw_places(plan, None) or draw_steps(plan)))


def test_after_a_look_what_it_does_not_find_any_more_is_repaired() -> None:
    picture = draw_places(kept.plan(), kept.repaired())
    assert picture is not None

    assert "After the repair" in texts(picture)
    assert texts(picture).count("repaired") == 7 + 1


# ---------------------------------------------------------------------------------------------------------- history


def with_records(plan: Any) -> Any:
    """The plan with a record of each migration that it names, a minute apart, after 30 others."""
    names = [f"old.{number:04d}_step" for number in range(1, 31)]
    names += list(dict.fromkeys(table["migration"] for table in plan["tables"]))
    plan["records"] = [
        {"migration": name, "applied": f"2026-01-14T03:{number:02d}:00+00:00", "position": number}
        for number, name in enumerate(names, start=1)
    ]
    return plan


def test_the_record_shows_what_landed_where_and_folds_what_is_in_place() -> None:
    plan = with_records(kept.plan())
    astray = [entry for entry in entries_kept(plan) if entry.astray]
    picture = draw_history(plan)
    assert picture is not None

    assert astray[0] == Entry(
        astray[0].migration,
        astray[0].standing,
        32,
        "2026-01-14T03:32:00+00:00",
        found=((("test_schema",), 1),),
        astray=("user_profile_about_item",),
    )
    words = texts(picture)
    assert "… 29 migrations, 2026-01-14, nothing of them astray" in words
    assert words.count("test_schema") == len(astray) + 1
    assert "user_profile_bounty and user_profile_bounty_participant" in words


def test_a_column_that_came_later_lies_where_its_table_does() -> None:
    plan = with_records(kept.plan())
    table = next(table for table in plan["tables"] if table["table"] == answers.BOUNTY)
    table["columns"][-1]["migration"] = "old.0007_step"
    entry = next(entry for entry in entries_kept(plan) if entry.migration.name == "0007_step")

    assert entry.astray == (f"{answers.BOUNTY}.{table['columns'][-1]['name']}",)
    assert entry.found == ((("test_schema",), 1),)


def test_where_nothing_is_astray_there_is_no_picture_of_it() -> None:
    assert draw_history(with_records(kept.plan(answers.healthy))) is None
    assert draw_places(kept.plan(answers.healthy), None) is None
    assert draw_steps(kept.plan(answers.healthy)) is None


# ------------------------------------------------------------------------------------------------------ as a document


@every_answer
def test_a_picture_is_one_image_with_a_name_and_a_description(make: Callable[[], Answer]) -> None:
    for picture in pictures(with_records(kept.plan(make))):
        root = ET.fromstring(picture.alone)
        assert root.get("role") == "img"
        assert [child.tag.rpartition("}")[2] for child in root][:4] == ["title", "desc", "style", "rect"]
        assert root[0].text == picture.title
        assert len(root[1].text or "") > 20
        assert not [part for part in root.iter() if part.get("style") or part.get("id")]


def test_a_pointer_reads_the_statement_of_a_step_and_the_columns_of_a_key() -> None:
    steps = draw_steps(kept.plan())
    assert steps is not None
    plan = kept.plan()
    near = draw_neighbourhood(plan, every_name(plan), "Everything")

    assert "<title>ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;</title>" in steps.inline
    assert "<title>public.user_profile_bounty refers to public.accounts_user</title>" not in steps.inline
    assert "(bounty_id) refers to public.user_profile_bounty" in near.inline


def test_a_row_leads_to_the_source_of_its_model_and_an_arc_ends_left_of_nothing_else() -> None:
    answer = replace(sourced(), source_url="https://example.com/{path}#L{line}")
    picture = draw_plan(answer)
    links = [shape.element.get("href") for shape in shapes(picture, "a")]
    rows = [shape for shape in shapes(picture) if shape.element.get("stroke-width") == "2"]

    assert links == ["https://example.com/apps/user_profile/models.py#L12"]
    right = max(row.x + row.size[0] for row in rows)
    assert shapes(picture, "path")
    for arc in shapes(picture, "path"):
        numbers = [float(number) for number in re.findall(r"[\d.]+", arc.element.get("d", ""))]
        assert all(x + arc.x >= right for x in numbers[::2])  # no arc leads through a row


def sourced() -> Answer:
    """The incident, with the source of one model known."""
    answer = answers.incident()
    name = TableName("public", answers.BOUNTY)
    known = replace(answer.expected.tables[name], model_source=SourceLines("apps/user_profile/models.py", 12, 40))
    return replace(answer, expected=replace(answer.expected, tables={**answer.expected.tables, name: known}))


def test_a_healthy_database_has_a_small_picture_that_says_so() -> None:
    picture = draw_plan(answers.healthy())

    assert "ok" in texts(picture)
    assert picture.height < 150
    assert picture.description.startswith("No drift.")


def test_both_ladders_have_the_same_words() -> None:
    steps = draw_steps(kept.plan())
    assert steps is not None
    dot = render_dot(answers.incident())

    for text in texts(steps):
        for word in text.split():
            assert word.replace("&", "&amp;").replace(">", "&gt;") in dot

import re
import shutil
import sysconfig
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace

import pytest

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import SourceLines
from cascade.core.plan import Hazard, HazardKind, Plan
from cascade.effects import svg
from cascade.effects.svg import render_svg
from cascade.errors import RenderingFailed
from cascade.render.dot import render_dot
from cascade.render.ladder import MOST_ROWS
from cascade.render.looks import Paint
from cascade.render.pictures.answers import draw_plan
from cascade.render.rungs import MOST_ARCS, MOST_ARCS_TO_ONE
from tests.unit.render import answers

EVERY = [
    answers.incident,
    answers.healthy,
    answers.dropped,
    answers.faked,
    answers.incomplete,
    answers.undecided,
    answers.sixty_moves,
]
every_answer = pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
NAMESPACE = "{http://www.w3.org/2000/svg}"


def arcs(dot: str) -> list[tuple[str, str]]:
    return re.findall(r"(\w+):e -> (\w+):e", dot)


def words(picture: str) -> str:
    """What can be read in an SVG, row by row."""
    texts = ET.fromstring(picture).iter(f"{NAMESPACE}text")
    return "\n".join("".join(text.itertext()).replace("\N{NO-BREAK SPACE}", " ") for text in texts)


def interlinked(count: int, to: Callable[[int], int], times: int = 1) -> Answer:
    """Misplaced tables, each with so many keys to another."""
    names = [f"app_table_{number:02d}" for number in range(count)]
    tables = [
        answers.Made(
            "app",
            name,
            "0001_initial",
            keys=tuple((f"other{n or ''}_id", names[to(number)]) for n in range(times)),
            astray_in="test_schema",
        )
        for number, name in enumerate(names)
    ]
    drifts = tuple(answers.misplaced(table) for table in tables)
    steps = tuple(answers.move(table, position) for position, table in enumerate(tables, start=1))
    return answers.answer_about((*answers.HEALTHY_TABLES, *tables), Plan(drifts, steps, ()))


def test_the_steps_stand_one_under_the_other_in_the_order_of_repair() -> None:
    dot = render_dot(answers.incident())
    spine = re.findall(r"(\w+) -> \w+ \[style=invis", dot)

    assert spine == ["title", "heads", "band1", *(f"step{n}" for n in range(1, 8)), "band2", "leftout1"]


def test_arcs_are_keys_between_drifted_tables_and_healthy_ones_are_words() -> None:
    dot = render_dot(answers.incident())

    assert arcs(dot) == [("step3", "step5"), ("step6", "step5"), ("step7", "step5")]
    assert "accounts_user ×3 and tournament_engine_match_match" in dot


def test_a_table_that_many_point_at_is_a_word_too() -> None:
    dot = render_dot(interlinked(60, lambda number: 0))

    assert MOST_ARCS_TO_ONE < 59
    assert arcs(dot) == []
    assert dot.count(">app_table_00</FONT>") == 59


def test_no_more_arcs_are_drawn_than_an_eye_can_follow() -> None:
    dot = render_dot(interlinked(60, lambda number: (number * 7 + 3) % 60))

    assert 0 < len(arcs(dot)) <= MOST_ARCS


def test_a_key_to_the_table_itself_is_no_arc() -> None:
    dot = render_dot(interlinked(2, lambda number: number))

    assert arcs(dot) == []
    assert dot.count(">itself</FONT>") == 2


def test_what_is_left_out_or_undecided_stands_in_a_band_of_its_own() -> None:
    assert "left out by --app user_profile: still broken afterwards" in render_dot(answers.incident())
    assert "undecided: no step until a person decides" in render_dot(answers.undecided())


def test_a_finding_that_no_step_repairs_is_not_left_out_of_the_picture() -> None:
    answer = answers.healthy()
    drift = Drift(DriftKind.CREATION_SCHEMA_DIFFERS, Severity.RISKY, None, object="test_schema")
    dot = render_dot(replace(answer, plan=replace(answer.plan, drifts=(drift,))))

    assert "found, and no step repairs it" in dot
    assert "creation schema differs" in dot
    assert "No drift" not in dot


def test_an_empty_plan_is_a_small_picture_that_says_so() -> None:
    dot = render_dot(answers.healthy())

    assert "No drift. Compared: place, right to read, columns with type" in dot
    assert len(dot.splitlines()) < 10


def test_no_drift_is_not_drawn_when_something_was_not_checked() -> None:
    dot = render_dot(answers.incomplete())

    assert "No drift" not in dot
    assert "public.teams_team and definitions and rows of" in " ".join(re.findall(r">([^<>]+)<", dot))


@every_answer
def test_it_carries_no_dates_and_is_the_same_twice(make: Callable[[], Answer]) -> None:
    dot = render_dot(make())

    assert dot == render_dot(make())
    assert not re.search(r"20\d\d-", dot)
    assert f'bgcolor="{Paint.PAPER.light}"' in dot


@every_answer
def test_no_font_is_empty(make: Callable[[], Answer]) -> None:
    assert not re.search(r"<FONT[^>]*></FONT>|<B></B>", render_dot(make()))


def test_what_a_step_does_beside_its_cure_stands_below_the_steps() -> None:
    answer = answers.incident()
    hazard = Hazard(HazardKind.HEALTHY_LOCK, "public.accounts_user, which is healthy, is locked.")
    steps = tuple(replace(step, hazards=(hazard,)) for step in answer.plan.steps)
    dot = render_dot(replace(answer, plan=replace(answer.plan, steps=steps)))

    assert "public.accounts_user, which is healthy, is locked (healthy_lock, steps 1, 2, 3, 4 and" in dot
    assert "hazards" not in re.findall(r"(\w+) -> \w+ \[style=invis", render_dot(answer))


@pytest.fixture(params=["dot", "graphviz-pure"])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each program in its turn, where it is there."""
    name: str = request.param
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        pytest.skip(f"no {name} here")
    monkeypatch.setattr(svg, "_program", lambda: found)
    return found


@every_answer
def test_both_programs_draw_every_answer_without_a_complaint(make: Callable[[], Answer], program: str) -> None:
    complaints: list[str] = []
    picture = render_svg(render_dot(make()), report=complaints.append)

    assert complaints == []
    assert "cascade plan" in words(picture)


@pytest.mark.parametrize("name", answers.ODD_NAMES[:5])
def test_odd_names_come_out_whole(name: str, program: str) -> None:
    shown = name if name.startswith("x") else '"' + name.replace('"', '""') + '"'

    assert shown in words(render_svg(render_dot(answers.sixty_moves())))


def test_all_rows_of_the_ladder_are_equally_wide(program: str) -> None:
    picture = ET.fromstring(render_svg(render_dot(answers.sixty_moves())))
    widths = set()
    for group in picture.iter(f"{NAMESPACE}g"):
        if re.fullmatch(r"node step\d+", group.get("class", "")):
            points = " ".join(polygon.get("points", "") for polygon in group.iter(f"{NAMESPACE}polygon"))
            across = [float(x) for x in re.findall(r"(-?[\d.]+),", points)]
            widths.add(round(max(across) - min(across)))

    assert len(widths) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_an_arc_stays_beside_the_rows_whether_it_stands_for_one_key_or_several(times: int, program: str) -> None:
    picture = render_svg(render_dot(interlinked(14, lambda n: max(0, n - 1 - n % 5), times)))
    root = ET.fromstring(picture)
    groups = [(group.get("class", ""), group) for group in root.iter(f"{NAMESPACE}g")]
    rows = [p.get("points", "") for name, g in groups if "step" in name for p in g.iter(f"{NAMESPACE}polygon")]
    right = max(float(x) for points in rows for x in re.findall(r"(-?[\d.]+),", points))
    paths = [p.get("d", "") for name, g in groups if name == "edge" for p in g.iter(f"{NAMESPACE}path")]

    assert len(paths) == 13
    assert all(float(x) > right - 2 for path in paths for x in re.findall(r"(-?[\d.]+),", path))
    assert words(picture).count("×2") == (13 + len(["itself"]) if times == 2 else 0)


def test_the_picture_is_one_image_with_a_name_and_a_description(program: str) -> None:
    answer = answers.incident()
    root = ET.fromstring(render_svg(render_dot(answer), description="7 <tables> & more"))

    assert root.get("role") == "img"
    assert root[0].tag == f"{NAMESPACE}title"
    assert root[0].text == f"cascade plan {answer.plan_id}"
    assert root[1].text == "7 <tables> & more"


def test_a_program_that_fails_is_quoted(program: str) -> None:
    with pytest.raises(RenderingFailed, match="syntax error in line 1"):
        render_svg("digraph {")


def test_without_a_program_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)

    with pytest.raises(RenderingFailed, match=r"pip install 'django-cascade\[demo\]'"):
        render_svg("digraph {}")


def test_the_programs_of_the_system_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: f"/there/{name}")

    assert svg._program() == "/there/dot"


def test_the_wheels_program_is_found_beside_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: f"{path}/{name}" if path else None)

    assert svg._program().endswith("/graphviz-pure")


def test_waves_are_bands_where_each_is_one_stretch_and_else_a_column() -> None:
    answer = answers.dropped()
    first, second, third = answer.plan.steps
    mixed = (first, replace(third, position=2), replace(second, position=3))
    apart, together = render_dot(answer), render_dot(replace(answer, plan=replace(answer.plan, steps=mixed)))

    assert "wave 1: created in public" in apart
    assert ">wave</FONT>" not in apart
    assert "band1" not in together
    assert ">wave</FONT>" in together


def test_a_row_says_its_statement_to_a_pointer_and_leads_to_the_model(program: str) -> None:
    answer = linked(answers.incident(), "https://example.com/{path}#L{line}")
    root = ET.fromstring(render_svg(render_dot(answer)))
    step = next(group for group in root.iter(f"{NAMESPACE}g") if group.get("class") == "node step5")

    assert [title.text for title in step.iter(f"{NAMESPACE}title")] == [
        "ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;"
    ]
    assert [link.get("href") for link in step.iter(f"{NAMESPACE}a")] == [
        "https://example.com/user_profile/models.py#L7"
    ]


def test_without_an_address_of_the_source_nothing_is_a_link(program: str) -> None:
    picture = render_svg(render_dot(answers.incident()))

    assert "<a" not in picture
    assert "href" not in picture


def test_those_who_cannot_see_the_plan_are_told_its_rows_in_order() -> None:
    told = draw_plan(answers.incident()).description

    assert told.startswith("7 steps in 1 wave, from top to bottom.")
    assert "5: move user_profile_bounty test_schema -> public, 6: move" in told
    assert "left out teams_teammembership.left_at" in told


def test_of_thousands_of_steps_the_first_are_drawn_and_the_others_counted() -> None:
    dot = render_dot(interlinked(1_000, lambda number: 0))

    assert dot.count("[class=step") == MOST_ROWS
    assert f"and {1_000 - MOST_ROWS:,} more rows" in dot


def linked(answer: Answer, address: str) -> Answer:
    """The answer with the models' places in the source, and their address."""
    tables = {
        name: replace(table, model_source=SourceLines(f"{table.app}/models.py", 7, 20))
        for name, table in answer.expected.tables.items()
    }
    return replace(answer, expected=replace(answer.expected, tables=tables), source_url=address)

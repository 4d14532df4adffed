"""``cascade.analyse()`` and ``cascade.load()``: what a notebook gets in its hands."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import cascade
from cascade.core.exploring import Stop
from cascade.errors import CascadeError, FileError, MissingExtra, NoSuchName
from tests.scenarios.conftest import one_incident as one_incident
from tests.scenarios.sites import CHECKOUT, MISPLACED, Project, Site, project_site, run_program
from tests.servers import Database
from tests.unit.render import answers, kept
from tests.unit.render.test_report import HOSTILE, hostile

LEFT_OUT = {
    "bounty": "move_table:public.user_profile_bounty",
    "stream_config": "move_table:public.user_profile_stream_config",
    "teams_teammembership": "add_column:public.teams_teammembership.left_at",
    "bounty_result": "move_table:public.user_profile_bounty_result",
}


@pytest.fixture
def loaded(tmp_path: Path) -> Any:
    return cascade.load(written(tmp_path, kept.plan()))


def written(folder: Path, document: Any, name: str = "plan.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_loading_needs_no_django_and_neither_does_importing(tmp_path: Path) -> None:
    written(tmp_path, kept.plan())
    code = """
import sys
import cascade
assert "networkx" not in sys.modules
a = cascade.load("plan.json")
a.draw(table="2+bounty"), a.plan.draw(), repr(a), a.graph, a.without("bounty")
print([name for name in sys.modules if name.partition(".")[0] in ("django", "psycopg", "pandas")])
"""
    done = run_program("-c", code, environment={}, folder=tmp_path)

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_findings_are_rows_that_can_be_chosen_from(loaded: Any) -> None:
    assert [drift["table"] for drift in loaded.drifts] == list(MISPLACED)
    assert len(loaded.drifts.where(table=answers.BOUNTY)) == 1
    assert [drift["table"] for drift in loaded.drifts[:2]] == list(MISPLACED[:2])
    assert "misplaced_table" in repr(loaded.drifts)


def test_a_column_that_none_has_is_refused_and_several_values_will_do(loaded: Any) -> None:
    assert len(loaded.drifts.where(table=[answers.BOUNTY, MISPLACED[0]])) == 2
    assert len(loaded.drifts.where(table="nope")) == 0
    with pytest.raises(NoSuchName, match=r'no column "tabel" in findings.*\n.*Did you mean table'):
        loaded.drifts.where(tabel=answers.BOUNTY)


def test_a_folder_without_a_project_is_named_where_an_event_loop_runs(tmp_path: Path) -> None:
    code = """
import asyncio, cascade
from cascade.errors import CascadeError
async def ask():
    try:
        cascade.analyse()
    except CascadeError as error:
        print(error.message)
asyncio.run(ask())
"""
    done = run_program("-c", code, environment={"DJANGO_SETTINGS_MODULE": ""}, folder=tmp_path)

    assert (done.stdout.partition(":")[0], done.stderr) == ("No Django settings", "")


def test_the_graph_is_a_real_one(loaded: Any) -> None:
    import networkx as nx

    assert isinstance(loaded.graph, nx.MultiDiGraph)
    assert nx.has_path(loaded.graph, f"public.{answers.ENDORSEMENT}", "public.accounts_user")
    assert loaded.graph.nodes[f"public.{answers.BOUNTY}"]["status"] == "misplaced_table"
    ((_, _, columns),) = loaded.graph.subgraph([f"public.{answers.ENDORSEMENT}", f"public.{answers.BOUNTY}"]).edges(
        data="columns"
    )
    assert columns == ("bounty_id",)


@pytest.mark.parametrize("name", ["user_profile_bounty", "public.user_profile_bounty", "bounty", "user_profile.bounty"])
def test_a_table_is_found_by_any_of_its_names(loaded: Any, name: str) -> None:
    assert loaded.table(name).name == "public.user_profile_bounty"
    assert loaded.table(name).found_in == ("test_schema",)


def test_an_unknown_table_is_answered_with_the_nearest(loaded: Any) -> None:
    with pytest.raises(NoSuchName, match="user_profile_bounty"):
        loaded.table("user_profile_bountyy")


def test_a_neighbourhood_is_as_wide_as_it_is_asked_for(loaded: Any) -> None:
    alone, near, wide = (loaded.draw(table=name).svg for name in ("bounty", "1+bounty", "2+bounty+1"))

    assert "user_profile_bounty_result" in alone
    assert "user_profile_bounty_result" not in near
    assert "user_profile_bounty_result" in wide
    assert "accounts_user" in near


def test_what_would_change_without_a_table_is_told(loaded: Any) -> None:
    facts = loaded.without("user_profile_bounty").facts

    assert {by for _, by in facts.needed_by} == {
        f"public.user_profile_{name}" for name in ("skill_endorsement", "bounty_participant", "bounty_result")
    }
    assert facts.steps == ("move_table:public.user_profile_bounty",)
    assert [name.rpartition("_")[2] for name in facts.then] == ["participant", "result"]
    assert "pages: not known, for no failure of a page was measured" in repr(loaded.without("user_profile_bounty"))
    assert "nothing is amiss with it" in repr(loaded.without("accounts_user"))


def test_a_page_stops_at_the_first_thing_that_is_left_and_meets_nothing_after_it(tmp_path: Path) -> None:
    plan = kept.plan()
    objects = [answers.ENDORSEMENT, answers.BOUNTY, f"{answers.BOUNTY}_result"]
    page = {"start": objects[0], "source": "exact", "probe": "/@amber1/", "objects": objects}
    plan["cascade"] = [page, *plan["cascade"]]
    a = cascade.load(written(tmp_path, plan))

    assert a.without("bounty").facts.stops == (Stop("/@amber1/", answers.BOUNTY, (f"{answers.BOUNTY}_result",)),)
    assert a.without("bounty").facts.then == ()
    assert a.without("about_item").facts.pages == ()
    assert "none of those that were asked meets it" in repr(a.without("about_item"))
    assert a.without("accounts_user").facts.pages is None


@pytest.mark.parametrize(("table", "step"), LEFT_OUT.items())
def test_the_pages_that_are_told_are_those_that_fail_without_the_step(
    one_incident: Site, table: str, step: str
) -> None:
    (one_incident.folder / "probed.json").write_text(json.dumps(one_incident.plan("--probe")))
    facts = cascade.load(one_incident.folder / "probed.json").without(table).facts
    assert facts.steps == (step,)

    for arguments in (("plan", "--leave-out", step, "-o", "left.json"), ("apply", "left.json", "--noinput")):
        one_incident.cascade(*arguments)
    asked = json.loads(one_incident.cascade("probe", "--no-models", "--format", "json").stdout)["probes"]
    failed = {
        probe["name"]: failure["drift"].partition(":public.")[2]
        for probe in asked
        for failure in probe["failures"][:1]
        if probe["kind"] == "page"
    }

    assert {stop.page: stop.at for stop in facts.stops or ()} == failed
    assert bool(failed) == (table != "bounty_result")


def test_steps_that_wait_are_named(tmp_path: Path) -> None:
    facts = cascade.load(written(tmp_path, kept.plan(answers.dropped))).without("bounty").facts

    assert len(facts.waiting) == 1
    assert facts.waiting[0].startswith("add_foreign_key:")


def test_everything_shows_itself_as_text_and_richer(loaded: Any) -> None:
    for shown, kind in (
        (loaded, "text/html"),
        (loaded.drifts, "text/html"),
        (loaded.plan, "image/svg+xml"),
        (loaded.table("bounty"), "text/html"),
        (loaded.draw(), "image/svg+xml"),
    ):
        bundle = shown._repr_mimebundle_(include=None, exclude=None)
        assert bundle["text/plain"] == repr(shown)
        assert bundle[kind]


def test_a_hostile_name_stays_text_in_a_notebook(tmp_path: Path) -> None:
    a = cascade.load(written(tmp_path, hostile()))
    bundles = [shown._repr_mimebundle_() for shown in (a, a.drifts, a.plan, a.draw(), a.tables, a.table(HOSTILE))]

    assert not any("<img" in text for bundle in bundles for kind, text in bundle.items() if kind != "text/plain")
    assert "\u202e" not in json.dumps(bundles, ensure_ascii=False)


def test_frames_are_made_by_pandas_and_its_absence_is_told(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(loaded.drifts.to_frame()["table"]) == list(MISPLACED)
    assert "severity" in loaded.drifts.where(app="none").to_frame()

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match="pip install 'django-cascade\\[notebook\\]'"):
        loaded.drifts.to_frame()


def test_a_file_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="neither a plan"):
        cascade.load(written(tmp_path, []))
    with pytest.raises(FileError, match="cannot be read"):
        cascade.load(tmp_path / "none.json")


def test_a_large_picture_shows_what_is_amiss_and_says_so(tmp_path: Path) -> None:
    plan = kept.plan(answers.sixty_moves)
    more = [{**plan["nodes"][0], "table": f"healthy_{n}", "status": "in_place"} for n in range(50)]
    key = plan["edges"][0]
    amiss = next(node for node in plan["nodes"] if node["status"] != "in_place")
    plan["nodes"] += more
    plan["edges"] += [
        {**key, "name": f"k{n}", "table": amiss["table"], "references": {**key["references"], "table": node["table"]}}
        for n, node in enumerate(more)
    ]
    svg = cascade.load(written(tmp_path, plan)).draw().svg

    assert "111 tables are too many for one picture, so healthy tables are one box an app" in svg
    assert "shop_part_07" in svg
    assert ">healthy_7<" not in svg


def test_a_look_has_tables_and_keys_and_says_that_its_drifts_are_not_known(tmp_path: Path, one_incident: Site) -> None:
    from tests.scenarios.test_report import look

    file = one_incident.folder / look(one_incident, "observed.json")
    a = cascade.load(file)
    code = "import sys, cascade; cascade.load('observed.json').draw(); print('django' in sys.modules)"
    assert run_program("-c", code, environment={}, folder=one_incident.folder).stdout == "False\n"

    assert a.table("user_profile_bounty").found_in == ("test_schema",)
    assert a.graph.has_edge("test_schema.user_profile_bounty", "public.accounts_user")
    assert "compared with nothing" in repr(a)
    for asks in (lambda: a.drifts, lambda: a.plan, lambda: a.without("user_profile_bounty")):
        with pytest.raises(CascadeError, match="its drifts are not known"):
            asks()


def test_a_project_is_analysed_where_an_event_loop_runs_and_a_second_one_is_refused(one_incident: Site) -> None:
    code = """
import asyncio, cascade
async def cell():
    a = cascade.analyse(app_role="app_user")
    print(len(a.drifts.where(kind="misplaced_table")), a.plan.id == cascade.analyse(app_role="app_user").plan.id)
    try:
        cascade.analyse("other.settings")
    except cascade.errors.CascadeError as error:
        print(error)
asyncio.run(cell())
print(len(cascade.analyse(app="teams").drifts.where(severity="broken")))
"""
    environment = dict(one_incident.environment)
    done = run_program("-c", code, environment=environment, folder=one_incident.folder)

    assert done.returncode == 0, done.stderr
    first, *refused, last = done.stdout.splitlines()
    assert (first, last) == ("7 True", "1")
    assert refused[0].endswith("and Django knows one project in a process.")
    assert "Restart the kernel for other.settings" in refused[1]


def test_a_second_project_is_noticed_by_its_manage_py(tmp_path: Path, one_database: Database) -> None:
    manage_py = {"manage.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'}
    apps = ("django.contrib.contenttypes",)
    site = project_site(Project(tmp_path / "first", apps, files=manage_py), one_database)
    project_site(Project(tmp_path / "second", apps, files=manage_py), one_database)
    code = """
import os, sys, cascade
for folder in sys.argv[1:]:
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    try:
        print(len(cascade.analyse().plan))
    except cascade.errors.CascadeError as error:
        print(error)
"""
    folders = [str(tmp_path / name) for name in ("first", "first/notebooks", "second", "first")]
    environment = {**site.environment, "DJANGO_SETTINGS_MODULE": "", "PYTHONPATH": str(CHECKOUT)}
    done = run_program("-c", code, *folders, environment=environment, folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "0",
        "0",
        "This process has settings set up, and Django knows one project in a process.",
        f"  Restart the kernel for {tmp_path}/second/manage.py, or keep its plan in a file and cascade.load() that.",
        "0",
    ]


@pytest.mark.parametrize("key", sorted(kept.plan()))
def test_a_plan_that_lacks_a_part_is_refused_by_its_name(tmp_path: Path, key: str) -> None:
    document = kept.plan()
    del document[key]

    with pytest.raises(FileError, match=f"{key} is missing|is neither a plan"):
        cascade.load(written(tmp_path, document))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda plan: plan.update(tables="x"), "tables is no array"),
        (lambda plan: plan["drifts"][0].update(kind="of_another_day"), r"drifts\[0\].kind is 'of_another_day'"),
        (lambda plan: plan["steps"][2].pop("sql"), r"steps\[2\].sql is missing"),
    ],
)
def test_a_plan_of_another_shape_is_refused_with_the_place(tmp_path: Path, change: Any, says: str) -> None:
    document = kept.plan()
    change(document)

    with pytest.raises(FileError, match=says):
        cascade.load(written(tmp_path, document))

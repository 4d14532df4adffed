"""``cascade graph`` and the pictures, on a database: as a person types it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.scenarios.sites import Project, Site, project_site
from tests.servers import Database

pytestmark = pytest.mark.one_version

NAMESPACE = "{http://www.w3.org/2000/svg}"

MODELS = """
from django.db import models


class Owner(models.Model):
    class Meta:
        db_table = "Ünïcödé: <b>'owner'</b>"


class Item(models.Model):
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE)
"""


@pytest.fixture
def shop(tmp_path: Path, one_database: Database) -> Site:
    """Two tables, one with an odd name and in another schema, and the address of the source."""
    settings = 'CASCADE = {"SOURCE_URL": "https://example.com/{path}#L{line}"}'
    site = project_site(Project(tmp_path, ("shop",), files={"shop/models.py": MODELS}, settings=settings), one_database)
    site.manage("makemigrations", "shop", "-v0")
    site.manage("migrate", "-v0")
    site.execute("CREATE SCHEMA stray")
    site.execute("""ALTER TABLE "Ünïcödé: <b>'owner'</b>" SET SCHEMA stray""")
    return site


def test_the_neighbourhood_is_the_one_that_plan_selects(one_incident: Site) -> None:
    done = one_incident.cascade("graph", "--table", "1+bounty+1", "--format", "json")
    graph = json.loads(done.stdout)
    assert {node["table"]: node["status"] for node in graph["nodes"]} == {
        "accounts_user": "in_place",
        "tournament_engine_match_match": "in_place",
        "user_profile_bounty": "misplaced_table",
        "user_profile_bounty_participant": "misplaced_table",
        "user_profile_bounty_result": "misplaced_table",
        "user_profile_skill_endorsement": "misplaced_table",
    }
    assert graph["graph"]["scope"] == "--table 1+user_profile_bounty+1"
    text = one_incident.cascade("graph", "--table", "1+bounty+1").stdout
    assert "6 tables of 24, 4 of them are not as they should be" in " ".join(text.split())


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        (("graph", "--before-after"), ("now", "after the plan", "repaired")),
        (("history",), ("landed in", "window A: migrate ran with test_schema first")),
    ],
)
def test_every_picture_is_for_light_and_dark_and_for_those_who_cannot_see_it(
    one_incident: Site, command: tuple[str, ...], shows: tuple[str, ...]
) -> None:
    done = one_incident.cascade(*command, "-o", "picture.svg")
    assert done.returncode == 0, done.stderr
    root = ET.parse(one_incident.folder / "picture.svg").getroot()
    said = "\n".join("".join(text.itertext()) for text in root.iter(f"{NAMESPACE}text"))
    assert [child.tag.removeprefix(NAMESPACE) for child in root[:3]] == ["title", "desc", "style"]
    assert root.get("role") == "img"
    assert "user_profile" in (root[1].text or "")
    assert "prefers-color-scheme: dark" in (root[2].text or "")
    assert all(words in said for words in shows)


def test_a_box_leads_to_the_line_of_the_model_and_an_odd_name_comes_out_whole(shop: Site) -> None:
    picture = shop.cascade("graph", "--format", "svg").stdout
    root = ET.fromstring(picture)
    assert sorted(link.get("href", "") for link in root.iter(f"{NAMESPACE}a")) == [
        "https://example.com/shop/models.py#L10",
        "https://example.com/shop/models.py#L5",
    ]
    assert "\"Ünïcödé: <b>'owner'</b>\"" in ["".join(text.itertext()) for text in root.iter(f"{NAMESPACE}text")]
    nodes = json.loads(shop.cascade("graph", "--format", "json").stdout)["nodes"]
    assert [(node["source"], node["found_in"]) for node in nodes] == [
        ("shop/models.py:10-11", ["public"]),
        ("shop/models.py:5-7", ["stray"]),
    ]


def test_an_address_that_leads_nowhere_is_refused(tmp_path: Path, one_database: Database) -> None:
    settings = 'CASCADE = {"SOURCE_URL": "javascript:alert(1)//{path}"}'
    site = project_site(Project(tmp_path, ("shop",), files={"shop/models.py": MODELS}, settings=settings), one_database)
    done = site.cascade("graph")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'CASCADE["SOURCE_URL"]' in done.stderr


def test_bad_input_is_answered_with_what_to_try(one_incident: Site) -> None:
    for arguments, says in (
        (("--table", "user_profile_bountie"), "user_profile_bounty"),
        (("--before-after",), "--format svg"),
        (("-o", "no/such/folder/graph.svg"), "cannot be written"),
    ):
        done = one_incident.cascade("graph", *arguments)
        assert (done.returncode, done.stdout) == (1, ""), arguments
        assert says in done.stderr

"""What the README and its pages point at is there, and what there is stands in the README."""

import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cascade.cli import cli
from cascade.sources.project import ProjectSettings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_and_picture_is_there(page: Path) -> None:
    for file, anchor in _links(page):
        assert file.exists(), f"{page.name} points at {file}"
        assert file.is_relative_to(ROOT), f"{page.name} leads out of the repository to {file}"
        if anchor:
            assert anchor in _anchors(file), f"{page.name} points at a heading of {file.name}: {anchor}"


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = {file for file, _ in _links(README)}

    assert {*ROOT.glob("docs/*.md")} <= linked
    assert {ROOT / "SECURITY.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"} <= linked


def test_what_the_pages_point_at_is_in_the_source_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    kept = [README, *(ROOT / entry.lstrip("/") for entry in included)]

    for page in PAGES:
        for file in (page, *(file for file, _ in _links(page))):
            assert any(file.is_relative_to(each) for each in kept), f"{file.relative_to(ROOT)} is not included"


def test_every_command_stands_in_the_table_of_the_readme() -> None:
    cells = " ".join(row[0] for row in _rows("| command | answers |"))
    told = set(re.findall(r"`cascade ([a-z-]+)", cells))

    assert told == set(cli.commands)


def test_every_key_of_the_settings_stands_in_the_table_of_the_readme() -> None:
    told = [row[0].strip("`") for row in _rows("| key | says |")]

    assert sorted(told) == sorted(field.upper() for field in ProjectSettings.__dataclass_fields__)


def test_the_two_commands_stand_in_the_readme_as_people_type_them() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()

    assert any(line.startswith("    make demo ") for line in lines)
    assert any(line.startswith("    make test ") for line in lines)


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page points at, each with the heading's anchor or ``""``; what is of the web is left out."""
    for target in LINK.findall(_without_samples(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        yield (page.parent / path).resolve() if path else page, anchor


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as repository hosts make them."""
    headings = re.findall(r"^#+ (.+)$", _without_samples(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _without_samples(page: Path) -> str:
    """The text without what is shown as typed or printed: indented by four, or fenced."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("    "))


def _rows(head: str) -> list[list[str]]:
    """The cells of the table in the README that begins with this line."""
    lines = README.read_text(encoding="utf-8").splitlines()
    assert head in lines, f"the README has no table {head}"
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[lines.index(head) + 2 :])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]

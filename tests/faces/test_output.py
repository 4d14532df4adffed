"""``output/`` holds what its look gives, the look is one at the replayed incident, and the pages quote it."""

import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.output import CHECKOUT, COMMANDS, FOLDER, INDEX, LOOK
from tests.scenarios.sites import run_program

MASKS = (
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?(?: to \d\d:\d\d:\d\d)?", "MOMENT"),
    (r'"version" : "[^"]*", "version_num" : \d+, "address" : [^,]*, "port" : \d+, "socket" : \w+', "SERVER"),
)
"""What differs from one replay to the next: when it was, and on which server."""


def masked(text: str) -> str:
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return text


def files_of(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def words_of(svg: str) -> list[str]:
    """What stands in a picture; where it stands is up to the version of Graphviz."""
    return sorted("".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.text)


def test_everything_in_output_is_what_the_look_gives(tmp_path: Path) -> None:
    shutil.copy(FOLDER / LOOK, tmp_path)
    done = run_program("-m", "tests.output", "-o", str(tmp_path), environment={}, folder=CHECKOUT)
    assert done.returncode == 0, done.stderr[-3000:]
    rendered, committed = files_of(tmp_path), files_of(FOLDER)

    assert rendered.keys() == committed.keys()
    assert {name.partition("/")[0] for name in rendered} == {LOOK, INDEX, *COMMANDS}
    for name, text in committed.items():
        assert "\r" not in text
        if name.endswith(".svg"):
            assert words_of(rendered[name]) == words_of(text), f"{name}: make output renders it anew"
        else:
            assert rendered[name] == text, f"{name}: make output renders it anew"


def test_a_fresh_replay_gives_the_committed_look() -> None:
    done = run_program(
        "-c", "from tests.output import replayed; print(replayed(), end='')", environment={}, folder=CHECKOUT
    )
    assert done.returncode == 0, done.stderr[-3000:]

    assert masked(done.stdout).splitlines() == masked((FOLDER / LOOK).read_text()).splitlines()


def test_a_look_is_compared_without_a_server_where_it_was_before(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "cascade.demo.project.settings"}
    ask = "from cascade.cli import main; main(['plan', '--observed', 'output/observed.json'])"
    no_server = "import cascade.effects.reference as reference; reference.reference_cursor = None; "
    assert run_program("-c", no_server + ask, environment=environment, folder=CHECKOUT).returncode != 0
    first = run_program("-c", ask, environment=environment, folder=CHECKOUT)
    again = run_program("-c", no_server + ask, environment=environment, folder=CHECKOUT)

    assert (again.returncode, again.stdout) == (0, first.stdout)


def test_nothing_in_output_tells_of_the_machine() -> None:
    for name, text in files_of(FOLDER).items():
        assert str(CHECKOUT) not in text, name
        assert not re.search(r"(?<![\w.\-])/(?:tmp|home|root|usr|work)/", text), name


@pytest.mark.parametrize(
    ("page", "command", "file"),
    [
        ("README.md", "cascade plan --app user_profile", "user_profile.txt"),
        ("docs/pictures.md", "cascade graph --table 1+bounty+1", "bounty.txt"),
        ("docs/pictures.md", "cascade history", "history.txt"),
    ],
)
def test_what_a_page_shows_is_what_is_in_output(page: str, command: str, file: str) -> None:
    """But for the head, which names the server, and what to type next, which names the look; "…" is what was cut."""
    shown = masked(quoted_below(CHECKOUT / page, command)).partition("\nNEXT ")[0].splitlines()
    given = masked((FOLDER / file).read_text()).splitlines()
    body = shown[shown.index("") + 1 :]

    assert len(body) > 10
    assert not [line for line in body if line.strip() != "…" and line not in given]


def test_the_page_draws_the_diagram_that_is_in_output() -> None:
    page = (CHECKOUT / "docs/pictures.md").read_text()

    assert f"```mermaid\n{(FOLDER / 'bounty.mmd').read_text()}```" in page


def quoted_below(page: Path, command: str) -> str:
    """What the page shows as printed by a command, without the indent."""
    _, found, rest = page.read_text().partition(f"    $ {command}\n")
    assert found, f"{page.name} does not show {command}"
    shown = re.match(r"(?:(?: {4}.*)?\n)*", rest)
    assert shown
    return re.sub(r"^ {4}", "", shown.group(), flags=re.MULTILINE).rstrip()

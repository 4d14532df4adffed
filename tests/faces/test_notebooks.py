"""The committed notebooks run from a clean kernel, and their outputs are what they give."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks import INCIDENT, YOURS
from tests.scenarios.conftest import one_incident as one_incident
from tests.scenarios.sites import CHECKOUT, Site, run_program

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00| UTC)?")


def outputs(path: Path) -> list[Any]:
    """What the cells gave: moments are masked, and how pandas draws a frame is pandas' own."""
    cells = json.loads(MOMENT.sub("MOMENT", path.read_text()))["cells"]
    return [[_given(output) for output in cell["outputs"]] for cell in cells if cell["cell_type"] == "code"]


def _given(output: Any) -> Any:
    data = output.get("data", {})
    return "a frame" if 'class="dataframe"' in "".join(data.get("text/html", "")) else output.get("text") or data


def execute(notebook: Path, folder: Path, environment: dict[str, str]) -> Path:
    to = folder / notebook.name
    done = run_program("-m", "tests.notebooks", str(notebook), "-o", str(to), environment=environment, folder=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return to


def test_the_notebook_of_the_incident_gives_what_is_committed(tmp_path: Path) -> None:
    fresh = execute(INCIDENT, tmp_path, {"XDG_CACHE_HOME": str(tmp_path)})

    assert outputs(fresh) == outputs(INCIDENT)


def test_the_notebook_of_ones_own_project_gives_what_is_committed(one_incident: Site) -> None:
    fresh = execute(YOURS, one_incident.folder, dict(one_incident.environment))
    given = json.dumps(outputs(fresh)).replace(one_incident.database.name, "arena")

    assert json.loads(given) == outputs(YOURS)


@pytest.mark.parametrize("path", [INCIDENT, YOURS], ids=lambda path: path.name)
def test_a_committed_notebook_is_quick_to_read_and_says_nothing_of_the_machine(path: Path) -> None:
    text = path.read_text()

    assert len(text) < 100_000
    assert str(CHECKOUT) not in text
    assert not re.search(r"/(?:tmp|home|root|usr)/|Traceback|\"output_type\": \"error\"", text)
    assert all(
        cell["outputs"] or "stop()" in "".join(cell["source"])
        for cell in json.loads(text)["cells"]
        if "outputs" in cell
    )

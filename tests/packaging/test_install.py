"""What the wheel holds, and that installing it into a project changes nothing else there."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Neither the newest nor the oldest of each, all of them older than what pip would choose.
A_PROJECT = [
    "Django==5.2.1",
    "asgiref==3.8.1",
    "sqlparse==0.5.1",
    "click==8.1.7",
    "networkx==3.2.1",
    "graphviz==0.20.1",
]
ONE_TOO_OLD_FOR_US = ["Django==4.2.16", "asgiref==3.7.2", "sqlparse==0.4.4", "click==8.0.4", "networkx==2.8.8"]

LIST_INSTALLED = """
import importlib.metadata, json
print(json.dumps({d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("django_cascade-*.whl")
    return wheel


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    in_the_tree = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "cascade").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        in_the_wheel = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert in_the_wheel == in_the_tree
    assert {"cascade/py.typed", "cascade/sources/catalog.sql"} <= in_the_wheel
    assert any(name.startswith("cascade/demo/project/templates/") for name in in_the_wheel)


@pytest.mark.parametrize("project", [A_PROJECT, ONE_TOO_OLD_FOR_US], ids=["supported", "too old"])
def test_installing_changes_no_other_distribution(project: list[str], wheel: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path / "venv")
    _pip("install", "--no-compile", *project, python=python)
    before = _installed(python)

    _pip("install", "--no-compile", str(wheel), python=python)
    after = _installed(python)

    assert after.pop("django-cascade") == "0.1.0"
    added = {name: after.pop(name) for name in after.keys() - before.keys()}
    assert after == before
    assert added.keys() <= {"graphviz", "sqlglot"}, "a driver, above all, would change which one Django uses"


def test_the_psycopg_extra_brings_a_driver_that_needs_no_compiler(wheel: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path / "venv")
    report = json.loads(_pip("install", "--dry-run", "--quiet", "--report", "-", f"{wheel}[psycopg]", python=python))
    names = {item["metadata"]["name"].lower() for item in report["install"]}

    assert {
        "django-cascade",
        "django",
        "networkx",
        "graphviz",
        "click",
        "sqlglot",
        "psycopg",
        "psycopg-binary",
    } <= names


def _environment(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def _installed(python: Path) -> dict[str, str]:
    done = subprocess.run([str(python), "-c", LIST_INSTALLED], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def _pip(*arguments: str, python: Path | None = None) -> str:
    where = ["--python", str(python)] if python else []
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *where, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

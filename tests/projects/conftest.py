"""Which projects are looked at, and the table of figures at the end."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.projects.databases import HealthyDatabase, healthy_analysis, healthy_database
from tests.projects.healthy import HEADS
from tests.projects.projects import PROJECTS, Analysis, Checkout, Project, check_out
from tests.projects.repair import Bench
from tests.servers import KINDS, Server, ServerMissing, SharedServers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-projects",
        action="store_true",
        default=os.environ.get("CASCADE_ALL_PROJECTS") == "1",
        help="tests/projects: all projects and drifts, which takes an hour, instead of two projects in minutes",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "projects: installs real projects from the package index")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """By default two projects, each on one server, and one drift; everything with ``--all-projects``."""
    everything = metafunc.config.getoption("--all-projects", default=False)
    projects = [project for project in PROJECTS if everything or project.quick]
    if "window" in metafunc.fixturenames:
        pairs = [(project, window) for project in projects for window in project.windows][: None if everything else 1]
        ids = [f"{project.name}-{window}" for project, window in pairs]
        metafunc.parametrize(("project", "window"), pairs, ids=ids, scope="session")
        metafunc.parametrize("drifting_server", KINDS if everything else KINDS[:1], indirect=True, scope="session")
    elif "project" in metafunc.fixturenames:
        # One server for each project takes as long as one project on both, and tries more.
        places = (
            [(p, kind) for p in projects for kind in KINDS] if everything else [*zip(projects, KINDS, strict=False)]
        )
        if "bench" in metafunc.fixturenames and not everything:
            places = places[:1]
        ids = [f"{project.name}-{kind}" for project, kind in places]
        metafunc.parametrize(
            ("project", "project_server"), places, ids=ids, indirect=["project_server"], scope="session"
        )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of each database one test comes first, so that with ``-n 2`` no worker waits for what the other makes."""
    slots = [index for index, item in enumerate(items) if item.get_closest_marker("projects")]
    ours = sorted((items[index] for index in slots), key=lambda item: "healthy" not in item.name)
    ours.sort(key=lambda item: "sql_worded" in item.name)
    for index, item in zip(slots, ours, strict=True):
        items[index] = item


@pytest.fixture(scope="session")
def checkout(project: Project) -> Checkout:
    """The project in a virtual environment of its own."""
    return check_out(project)


@pytest.fixture(scope="session")
def drifting_server(request: pytest.FixtureRequest, servers: SharedServers) -> Server:
    """Each of the servers in turn, or by default one."""
    return _running(request.param, servers)


@pytest.fixture(scope="session")
def project_server(request: pytest.FixtureRequest, servers: SharedServers) -> Server:
    """The server that a project's healthy database is on."""
    return _running(request.param, servers)


def _running(kind: str, servers: SharedServers) -> Server:
    try:
        return servers.get(kind)
    except ServerMissing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def healthy(checkout: Checkout, project_server: Server, servers: SharedServers) -> Iterator[HealthyDatabase]:
    """The project's database as ``migrate`` makes it. It is made once in a run, and not to be written to."""
    with healthy_database(checkout, project_server, servers.folder) as database:
        yield database


@pytest.fixture(scope="session")
def analysis(healthy: HealthyDatabase, servers: SharedServers) -> Analysis:
    """What cascade says of the healthy database, asked once in a run."""
    return healthy_analysis(healthy, servers.folder)


@pytest.fixture(scope="session")
def bench(checkout: Checkout, project_server: Server, servers: SharedServers) -> Iterator[Bench]:
    """The project's drifted databases with rows in them, and what repairs them."""
    with Bench(checkout, project_server, servers.folder) as bench:
        yield bench


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    found = [dict(getattr(report, "user_properties", ())).get("figures") for report in reports]
    rows = sorted({tuple(row) for row in found if row})
    if not rows:
        return
    table = [HEADS, *rows]
    widths = [max(len(str(row[column])) for row in table) for column in range(len(HEADS))]
    terminalreporter.section("real projects, migrated healthy")
    for row in table:
        cells = [str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)]
        terminalreporter.write_line("  ".join(cells).rstrip())

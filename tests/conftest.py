"""What every test may use: servers, databases of its own, and the rule that CI skips nothing."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.servers import KINDS, Database, Server, ServerMissing, SharedServers, fresh_database, make_run_folder

IN_CI = os.environ.get("CI") == "true"

# A slow machine is no failure, and what CI finds is found again by the next run.
hypothesis.settings.register_profile("cascade", deadline=None, derandomize=IN_CI, print_blob=True)
hypothesis.settings.load_profile("cascade")

SERVERS = pytest.StashKey[SharedServers]()


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> SharedServers:
    """The servers of this run, for a test that needs another choice of them than ``server``."""
    return pytestconfig.stash[SERVERS]


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest, servers: SharedServers) -> Server:
    """Each of the servers in turn."""
    return _running(servers, request.param)


@pytest.fixture(scope="session")
def one_server(servers: SharedServers) -> Server:
    """One server, where its version does not matter."""
    return _running(servers, "pg18")


@pytest.fixture(scope="session")
def old_server(servers: SharedServers) -> Server:
    """PostgreSQL 15, for a test that needs it, or a second cluster beside ``one_server``."""
    return _running(servers, "pg15")


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """An empty database of the test's own, on each server in turn."""
    with fresh_database(server) as database:
        yield database


@pytest.fixture
def one_database(one_server: Server) -> Iterator[Database]:
    """An empty database of the test's own, on one server."""
    with fresh_database(one_server) as database:
        yield database


def _running(servers: SharedServers, kind: str) -> Server:
    try:
        return servers.get(kind)
    except ServerMissing as reason:
        pytest.skip(str(reason))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-server",
        action="store_true",
        help="run tests marked one_version on each version of PostgreSQL, too",
    )


def pytest_configure(config: pytest.Config) -> None:
    shared: dict[str, Any] | None = getattr(config, "workerinput", None)
    if shared is None:
        config.stash[SERVERS] = SharedServers(make_run_folder(), owner=os.getpid())
    else:
        config.stash[SERVERS] = SharedServers(Path(shared["servers_folder"]), owner=shared["servers_owner"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's servers are."""
    servers = node.config.stash[SERVERS]
    node.workerinput["servers_folder"] = str(servers.folder)
    node.workerinput["servers_owner"] = servers.owner


def pytest_unconfigure(config: pytest.Config) -> None:
    # By now the workers have ended.
    if not hasattr(config, "workerinput"):
        config.stash[SERVERS].stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.postgres)
    if not config.getoption("--every-server"):
        left_out = [item for item in items if item.get_closest_marker("one_version") and _is_on_another(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_on_another(item: pytest.Item) -> bool:
    """Whether the test is the one on a server other than the first."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("server", KINDS[0]) != KINDS[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    report.outcome = "failed"
    report.longrepr = f"{reason} (in CI a skipped test is a failure)"

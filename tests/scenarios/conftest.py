"""Sites that the scenarios start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.sites import Site, demo_site, foundation_site
from tests.servers import Server, SharedServers


@pytest.fixture
def incident(server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Site]:
    """The demo after the incident, on each server in turn."""
    with demo_site(server, servers, tmp_path) as site:
        yield site


@pytest.fixture
def one_incident(one_server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Site]:
    """The demo after the incident, on one server."""
    with demo_site(one_server, servers, tmp_path) as site:
        yield site


@pytest.fixture
def healthy(server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Site]:
    """The demo as it should be, on each server in turn."""
    with demo_site(server, servers, tmp_path, healthy=True) as site:
        yield site


@pytest.fixture
def one_healthy(one_server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Site]:
    """The demo as it should be, on one server."""
    with demo_site(one_server, servers, tmp_path, healthy=True) as site:
        yield site


@pytest.fixture
def before_the_incident(one_server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Site]:
    """The demo before the run of migrate that led its tables astray, on one server."""
    with foundation_site(one_server, servers, tmp_path) as site:
        yield site

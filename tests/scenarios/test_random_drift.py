"""A few of the random drifts; ``python -m tests.scenarios.random_drift --count 10000`` runs as many as one likes."""

import pytest

from tests.scenarios.random_drift import run_site
from tests.servers import Server


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_what_is_damaged_by_chance_is_repaired_in_every_way_and_taken_back(server: Server, seed: int) -> None:
    figures = run_site(server, seed + 10 * server.version, cases=10)
    assert figures["cases"] == 10
    assert figures["by script"] >= 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1001, 1005))
def test_what_is_damaged_by_chance_is_applied_and_undone(one_server: Server, seed: int) -> None:
    assert run_site(one_server, seed, cases=20, every_way=False)["cases"] == 20

"""Real projects, damaged by chance in every way that ``expectations.py`` knows: nothing is missed, nothing invented.

A few of each kind; ``python -m tests.projects.inject`` draws as many as one likes.
"""

import pytest

from tests.projects.expectations import InjectionKind
from tests.projects.inject import in_words, outcomes
from tests.projects.projects import Project
from tests.servers import Server, SharedServers

pytestmark = [pytest.mark.projects, pytest.mark.slow]


def test_all_that_is_injected_is_found_and_nothing_else(
    project: Project, project_server: Server, servers: SharedServers
) -> None:
    counts = {kind.value: 1 for kind in InjectionKind}
    wrong: list[str] = []
    drawn: set[str] = set()
    for outcome in outcomes(project, project_server, folder=servers.folder, counts=counts, seed="1"):
        drawn.add(outcome["kind"])
        wrong += in_words(outcome)
    assert wrong == []
    assert drawn >= {kind.value for kind in InjectionKind if kind not in NOT_EVERYWHERE}


NOT_EVERYWHERE = {
    InjectionKind.NOT_ENFORCED,  # from PostgreSQL 18 on
    InjectionKind.DROP_DEFAULT,  # where a column has one
    InjectionKind.CHANGE_DEFAULT,
}

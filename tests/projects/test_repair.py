"""A real project, gone astray, repaired by hand and damaged beside: mended in every way, and taken back.

One drift of one project on one server; ``python -m tests.projects.repair`` tries many.
"""

from collections import Counter
from dataclasses import replace

import pytest

from tests.projects.repair import Bench

pytestmark = [pytest.mark.projects, pytest.mark.slow]


def test_apply_the_script_and_the_migration_make_the_same_healthy_layout_and_lose_no_row(bench: Bench) -> None:
    worst = next(drift for drift in bench.incidents("1") if drift.name == "a run astray, repaired by hand, losses")
    outcome = bench.repaired(replace(worst, anew=False))
    assert outcome.wrong == []
    least = {"exchange_table": 3, "move_table": 3, "create_table": 1, "set_sequence": 1}
    assert outcome.actions >= Counter(least)
    assert {way for way, came in outcome.figures.items() if came == "ok"} >= {"undo", "script", "its undo", "migration"}

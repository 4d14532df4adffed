"""Schemas for copies that do not count: each copy of a table comes into one where no copy of it lies."""

from dataclasses import replace

import pytest

from cascade.core.attic import attic_of
from cascade.core.decisions import Decisions
from tests.unit.render import answers

BOUNTY = frozenset({"bounty"})


@pytest.mark.parametrize(
    ("attics", "attic"),
    [
        ({}, "cascade_attic_20261127"),
        ({"cascade_attic_20261127": frozenset()}, "cascade_attic_20261127"),
        ({"cascade_attic_20261127": BOUNTY}, "cascade_attic_20261127_2"),
        ({"cascade_attic_20261127": frozenset(), "cascade_attic_20261127_copy_2": BOUNTY}, "cascade_attic_20261127_2"),
        ({"cascade_attic_20261126": BOUNTY, "cascade_attic_20261126_copy_2": BOUNTY}, "cascade_attic_20261127"),
    ],
)
def test_an_attic_is_new_where_one_of_that_day_or_its_second_copies_hold_something(
    attics: dict[str, frozenset[str]], attic: str
) -> None:
    observed = replace(answers.incident().observed, attics=attics)
    assert attic_of(Decisions(made_on="20261127"), observed) == attic

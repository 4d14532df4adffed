"""Names that last as long as a repair."""

from collections.abc import Callable

import pytest

from cascade.core.meanwhile import aside, beside, not_null_proof


@pytest.mark.parametrize("name_of", [aside, beside, not_null_proof])
def test_two_long_names_that_begin_alike_are_not_taken_for_one(name_of: Callable[[str], str]) -> None:
    index = "user_profile_endorsement_opportunity_receiver_üid_1b2c3d4e"
    names = {name_of(index), name_of(f"{index}_like")}
    assert len(names) == 2
    assert all(len(name.encode()) <= 63 for name in names)

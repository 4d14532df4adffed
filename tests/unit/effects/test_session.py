"""What errors of the repairing session mean."""

from types import SimpleNamespace

import psycopg
import pytest
from django.db import OperationalError
from django.db.utils import DatabaseErrorWrapper

from cascade.effects.repair.session import was_interrupted


def wait_for_a_lock(*, pressed: bool) -> None:
    """It is not to be had, as Django wraps what the driver raises, also while that cancels because of Ctrl-C."""
    with DatabaseErrorWrapper(SimpleNamespace(Database=psycopg)):
        try:
            if pressed:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise psycopg.errors.LockNotAvailable from None
        raise psycopg.errors.LockNotAvailable


@pytest.mark.parametrize("pressed", [True, False])
def test_ctrl_c_in_the_moment_in_which_a_lock_is_not_to_be_had_is_heard(pressed: bool) -> None:
    with pytest.raises(OperationalError) as caught:
        wait_for_a_lock(pressed=pressed)
    assert was_interrupted(caught.value) is pressed

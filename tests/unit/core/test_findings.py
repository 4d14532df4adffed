"""What is true of the kinds of findings."""

from cascade.core.findings import DriftKind, Severity


def test_a_kind_that_is_always_a_note_has_no_system_check() -> None:
    """System checks tell what is broken or risky; these are notes at first, and can be more."""
    notes = {kind for kind in DriftKind if kind.facts.severity is Severity.NOTE and kind.facts.check_id}
    assert notes <= {DriftKind.EXTRA_COLUMN, DriftKind.DUPLICATED_TABLE}


def test_every_other_kind_has_one_of_its_own() -> None:
    ids = [kind.facts.check_id for kind in DriftKind if kind.facts.check_id]
    assert ids == [f"cascade.W{number:03}" for number in range(2, 22)]
    assert all(kind.facts.check_id for kind in DriftKind if kind.facts.severity is not Severity.NOTE)

"""What is asked of a plan's JSON wherever it is read."""

from cascade.core.documents import moment_of, serious
from cascade.core.findings import Severity


def test_any_two_moments_can_be_compared_whatever_they_say_of_their_zone() -> None:
    early, late = moment_of("2026-01-01T10:00:00"), moment_of("2026-01-01T13:00:00+02:00")

    assert early is not None
    assert late is not None
    assert early < late
    assert moment_of("") is moment_of(None) is moment_of("last Tuesday") is None


def test_every_severity_but_that_of_a_note_is_serious() -> None:
    drifts = [{"severity": severity.value} for severity in Severity]

    assert [drift["severity"] for drift in serious(drifts)] == ["broken", "risky"]

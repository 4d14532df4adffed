"""The whole answer: what every face shows, each in its own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cascade.core.causes import Cause
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, NotChecked
from cascade.core.findings import Severity
from cascade.core.observed import Observed
from cascade.core.placement import Placement
from cascade.core.plan import Plan
from cascade.core.stopgap import Stopgap


@dataclass(frozen=True)
class Answer:
    """Expected beside observed, what differs, why, and the plan.

    ``host`` is the server as the settings name it (``127.0.0.1:5432`` or a socket folder); ``seconds`` how long
    the reading took, None where it came from a file. ``asked`` are the options, scope apart, that ask the
    same question again, as they are typed in a shell; ``question`` is the same as a document, for a plan that is kept.
    ``notes`` are sentences that belong in every format.
    ``ignored`` are findings of the whole database that the settings accept, each with the reason given there,
    ``accepted`` those that a baseline accepts.
    ``source_url`` is the address of a line of source, with ``{path}`` and ``{line}`` in it; ``""`` leads nowhere.
    """

    host: str
    expected: ExpectedLayout
    observed: Observed
    placement: Placement
    plan: Plan
    causes: tuple[Cause, ...]
    stopgap: Stopgap | None
    fingerprint: str
    plan_id: str
    asked: tuple[str, ...] = ()
    question: Mapping[str, Any] = field(default_factory=dict)
    not_checked: tuple[NotChecked, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: tuple[tuple[Drift, str], ...] = ()
    accepted: tuple[tuple[Drift, str], ...] = ()
    seconds: float | None = None
    source_url: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything was checked: only then may "no drift" be said."""
        return not self.not_checked

    @property
    def expects_nothing(self) -> bool:
        """Whether no applied migration makes a table: an empty database, or the wrong one, where nothing is checked."""
        return not self.expected.tables

    def findings(self, at_least: Severity = Severity.RISKY) -> tuple[Drift, ...]:
        """The drifts in scope that are at least so bad."""
        return tuple(drift for drift in self.plan.drifts if drift.severity.rank <= at_least.rank)

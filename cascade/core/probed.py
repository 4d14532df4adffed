"""All that a run of probes showed."""

from collections.abc import Mapping
from dataclasses import dataclass

from cascade.core.answer import Answer
from cascade.core.cascades import blast_radius, met
from cascade.core.plan import Step
from cascade.core.probes import ProbeRun, Verdict


@dataclass(frozen=True)
class Probed:
    """What the probes showed, and the answer by which their failures are told.

    ``role`` is whom pages ran as. ``advanced`` are the sequences that went on meanwhile, by probes or by others: that
    alone no transaction takes back. ``predicted``: what failed was repaired on the way, and rolled back with the rest.
    ``on_clone``: pages ran on a clone of the layout, without rows.
    """

    answer: Answer
    runs: tuple[ProbeRun, ...]
    role: str
    advanced: tuple[str, ...] = ()
    predicted: bool = False
    on_clone: bool = False

    def of(self, verdict: Verdict) -> tuple[ProbeRun, ...]:
        """The probes with that verdict, in order."""
        return tuple(run for run in self.runs if run.verdict is verdict)

    def broken_since(self, before: "Probed") -> tuple[ProbeRun, ...]:
        """The probes that fail now and passed then."""
        worked = {str(run.probe) for run in before.of(Verdict.PASSED)}
        return tuple(run for run in self.of(Verdict.FAILED) if str(run.probe) in worked)

    @property
    def exit_code(self) -> int:
        """2 where a probe fails as the database is now, else 3 where one could not be proved, else 0."""
        return 2 if any(run.fails for run in self.runs) else 3 if self.of(Verdict.NOT_PROVABLE) else 0

    @property
    def breaks(self) -> Mapping[str, tuple[str, ...]]:
        """By drifted object the pages that it breaks, of a prediction."""
        return blast_radius(self.answer.plan)

    @property
    def not_needed(self) -> tuple[Step, ...]:
        """The steps of the plan that no page of a prediction depends on."""
        touched = {drift.id for run in self.runs for drift in met(run)}
        return tuple(step for step in self.answer.plan.steps if touched.isdisjoint(step.cures))

"""What is said of a plan that goes into a file: how much it is about, what it waits for, and the next command."""

import shlex
from collections import Counter
from collections.abc import Iterator

from cascade.core.answer import Answer
from cascade.core.findings import Severity
from cascade.core.words import counted, listed
from cascade.render.paragraphs import labelled
from cascade.render.sentences import object_name
from cascade.render.text import check_summary
from cascade.render.wording import printable

WIDTH = 100


def render_saved(answer: Answer, file: str) -> str:
    """A line or two each: findings and steps, what waits for a decision, hazards by kind, and what to type next."""
    return "".join(f"{line}\n" for line in _lines(answer, file))


def _lines(answer: Answer, file: str) -> Iterator[str]:
    plan, numbers = answer.plan, Counter(drift.severity for drift in answer.plan.drifts)
    if not answer.findings() and not plan.steps:
        yield from labelled("PLAN", printable(check_summary(answer)), WIDTH)
        return
    scope = f" within {plan.scope}" if plan.scope else ""
    found = f"{numbers[Severity.BROKEN]} broken, {numbers[Severity.RISKY]} risky{scope}"
    said = f"{answer.plan_id}: {found}; {counted(len(plan.steps), 'step')}."
    yield from labelled("PLAN", printable(said), WIDTH)
    waiting = [drift for drift in answer.findings() if drift.undecided]
    if waiting:
        names = listed([object_name(drift, answer) for drift in waiting])
        options = list(dict.fromkeys(drift.decision for drift in waiting if drift.decision))
        with_ = f": {listed(options, 2)}" if options else ""
        yield from labelled("DECIDE", printable(f"no step for {names}{with_}."), WIDTH)
    hazards = Counter(hazard.kind.value for step in plan.steps for hazard in step.hazards)
    if hazards:
        each = ", ".join(f"{kind} {number}" for kind, number in sorted(hazards.items()))
        yield from labelled("HAZARDS", f"{each}.", WIDTH)
    next_ = f"cascade rehearse {shlex.quote(file)}" if plan.steps else "cascade plan: what to do about them"
    yield from labelled("NEXT", next_, WIDTH)

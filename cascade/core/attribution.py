"""Which drift a failed statement ran into."""

from dataclasses import replace

from cascade.core.actions import Phase, SetSequence
from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.error_text import Mention, MentionKind, parse_error_text
from cascade.core.explanation import SubjectKind, identify
from cascade.core.findings import DriftKind, Severity
from cascade.core.plan import Plan, Step
from cascade.core.probes import Failure, Found


def attribute(failure: Failure, answer: Answer) -> Found:
    """The failure with the drift that it ran into, None where it is none of those that the answer knows.

    What a scope leaves out and what the settings accept is known too: pages fail at it all the same.
    """
    plan = answer.plan
    everything = (*plan.drifts, *plan.left_out, *(drift for drift, _ in answer.ignored))
    answer = replace(answer, plan=replace(plan, drifts=everything))
    match failure.sqlstate[:2]:
        case "42" | "3F":
            return Found(failure, _by_names(failure, answer))
        case "23":
            return Found(failure, _by_constraint(failure, answer))
        case _:
            return Found(failure, None)


def pending_reason(failure: Failure, answer: Answer) -> str:
    """The migration, not applied yet, that makes what the statement misses, in words; ``""`` where there is none."""
    for subject in identify(_mentions(failure), answer):
        if subject.kind is SubjectKind.PENDING and subject.pending is not None:
            return f"{subject.pending.key} makes it, and is not applied"
        if subject.kind is SubjectKind.MODEL_ONLY:
            return "no migration makes it"
    return ""


def curing_steps(drift: Drift, plan: Plan) -> tuple[Step, ...]:
    """The steps that cure a drift, with those that they wait for, in order; none where one fits in no transaction.

    A sequence that was set is set for good, whatever becomes of the transaction.
    """
    by_id = {step.id: step for step in plan.steps}
    wanted = [step.id for step in plan.steps if drift.id in step.cures]
    needed: set[str] = set()
    while wanted:
        id_ = wanted.pop()
        if id_ not in needed:
            needed.add(id_)
            wanted += by_id[id_].waits_for
    steps = tuple(step for step in plan.steps if step.id in needed)
    fit = all(step.phase is not Phase.CONCURRENT and not isinstance(step.action, SetSequence) for step in steps)
    return steps if fit else ()


def _by_names(failure: Failure, answer: Answer) -> Drift | None:
    """By what the message names: the missing part of a table if that is a drift of its own, else the table."""
    for subject in identify(_mentions(failure), answer):
        drifts = [d for d in subject.trouble.drifts if d.severity is not Severity.NOTE]
        if not drifts and subject.explanation is not None:
            drifts = [d for d in subject.explanation.trouble.drifts if d.severity is not Severity.NOTE]
        own = [drift for drift in drifts if drift.object == (subject.column or "")]
        whole = [drift for drift in drifts if not drift.object]
        if own or whole:
            return (own or whole)[0]
    return None


def _mentions(failure: Failure) -> tuple[Mention, ...]:
    """What the message names, aliases as the statement gives them; without its guesses at everyday words."""
    mentions = parse_error_text(f"{failure.message}\n{failure.sql}")
    return tuple(mention for mention in mentions if mention.kind is not MentionKind.WORD)


def _by_constraint(failure: Failure, answer: Answer) -> Drift | None:
    """A rule that refused a row: one that differs from what is expected, or a counter that lags behind."""
    on_table = [d for d in answer.findings() if d.table is not None and d.table.name == failure.table]
    named = [d for d in on_table if d.object and d.object in (failure.constraint, failure.column)]
    behind = [d for d in on_table if d.kind is DriftKind.SEQUENCE_BEHIND and failure.sqlstate == "23505"]
    return next(iter((*named, *behind)), None)

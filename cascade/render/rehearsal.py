"""What a rehearsal showed: each step with its time, the locks that were held, and what stays broken."""

import shlex
from collections.abc import Iterator, Sequence

from cascade.core.drift import Drift
from cascade.core.layout import TableName
from cascade.core.plan import Step
from cascade.core.runs import StepRun, strongest
from cascade.core.words import counted, listed
from cascade.render.paragraphs import labelled, padded, painted
from cascade.render.sql import render_step_sql

WIDTH = 100


def render_rehearsal(
    runs: Sequence[StepRun],
    *,
    skipped: Sequence[str] = (),
    left: Sequence[Drift] = (),
    not_cloned: Sequence[str] = (),
    cloned: bool = False,
    plan: str = "",
    colour: bool = False,
) -> str:
    """The rehearsal in the order in which it is read: what ran, whom it would have hindered, what came out.

    ``skipped`` are ids of steps that no transaction can hold, or not what they wait for, ``left`` findings that no step
    cures, ``not_cloned`` phrases for what a clone could not take, ``plan`` the file of a saved one.
    """
    lines = list(_lines(runs, skipped, left, not_cloned, cloned=cloned))
    again = (
        f"cascade apply {shlex.quote(plan)}" if plan else "cascade plan -o plan.json: apply runs a plan that is kept"
    )
    lines += labelled("NEXT", again, WIDTH)
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def _lines(
    runs: Sequence[StepRun], skipped: Sequence[str], left: Sequence[Drift], not_cloned: Sequence[str], *, cloned: bool
) -> Iterator[str]:
    where = "on a clone without rows" if cloned else "on the database itself"
    total = sum(run.milliseconds for run in runs)
    said = f"{counted(len(runs), 'step')} in {total:,.0f} ms {where}, in a transaction that cannot commit"
    yield from labelled("TRIED", said, WIDTH)
    for run in runs:
        number = padded(str(run.step.position), 3, right=True)
        yield f"{number}  {run.milliseconds:9,.1f} ms  {_beginning(run.step, WIDTH - 19)}"
    yield ""
    yield from labelled("LOCKS", _locks_in_words(runs), WIDTH)
    healthy = sorted({str(lock.table) for run in runs for lock in run.step.locks if lock.healthy})
    yield from labelled(
        "", f"Of these are healthy: {listed(healthy)}." if healthy else "No healthy table is locked.", WIDTH
    )
    if skipped:
        yield from labelled("SKIPPED", f"No transaction can hold {listed(skipped)}, or what they wait for.", WIDTH)
    if not_cloned:
        yield from labelled("CLONE", f"It could not take all: {listed(not_cloned, 3)}.", WIDTH)
    if cloned:
        yield from labelled("ROWS", "None on the clone: time and rules that rows break show with --here alone.", WIDTH)
    yield from labelled("VERIFIED", _verified(runs, skipped), WIDTH)
    yield from labelled("", "All of it was rolled back: nothing was changed.", WIDTH)
    if left:
        yield from labelled(
            "LEFT", f"No step cures {counted(len(left), 'finding')}: {listed([d.id for d in left])}.", WIDTH
        )


def _verified(runs: Sequence[StepRun], skipped: Sequence[str]) -> str:
    if not runs:
        return "Nothing: every step needs to be outside of a transaction, so none of them could be tried."
    which = "the steps that were tried" if skipped else "the steps"
    return f"What {which} claim to cure is cured, and nothing new is broken."


def _beginning(step: Step, width: int) -> str:
    """Its first statement, on one line; all of them are in the plan."""
    text = " ".join(render_step_sql(step)[0].split())
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _locks_in_words(runs: Sequence[StepRun]) -> str:
    """Mode by mode which tables were locked, as ``pg_locks`` showed them."""
    by_mode: dict[str, list[TableName]] = {}
    for table, mode in strongest(runs).items():
        by_mode.setdefault(mode, []).append(table)
    parts = [f"{mode} on {listed([str(table) for table in sorted(by_mode[mode])])}" for mode in sorted(by_mode)]
    return "; ".join(parts) + "." if parts else "None that hinders anybody."

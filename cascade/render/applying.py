"""What ``apply`` says: the plan, what will run and within which limits, and what has been done."""

from collections.abc import Collection, Iterable, Iterator

from cascade.core.actions import (
    AddColumn,
    AddConstraint,
    AddForeignKey,
    CreateIndex,
    CreateSchema,
    CreateTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    MoveObject,
    MoveTable,
    Phase,
    SetOwner,
    ShelveTable,
    ValidateConstraint,
)
from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.journal import Journal
from cascade.core.limits import Limits
from cascade.core.plan import HazardKind, Plan, Step
from cascade.core.preflight import locked_tables
from cascade.core.words import counted, listed
from cascade.render.paragraphs import INDENT, labelled, padded, painted, wrapped
from cascade.render.sql import render_step_sql
from cascade.render.wording import database_at, moment, printable

WIDTH = 110


def render_plan_head(answer: Answer, planned_at: str) -> str:
    """Which plan it is, of which database, when it was made, and when it was found to hold still."""
    said = (
        f"Plan {answer.plan_id}: {counted(len(answer.plan.steps), 'step')} for "
        f"{database_at(answer.observed.database, answer.host)}, made at {moment(planned_at)}, "
        f"and the same at {moment(answer.observed.read_at)}."
    )
    return "\n".join(wrapped(said, WIDTH, hang=2)) + "\n\n"


def render_will_run(answer: Answer, limits: Limits, *, colour: bool = False) -> str:
    """Every statement before it runs, what it is bounded by, and what it does to things that are not broken."""
    plan = answer.plan
    lines = ["", *labelled("WILL RUN", _limits(plan, limits), WIDTH)]
    width = len(str(len(plan.steps)))
    for step in plan.steps:
        lines += _statements(step, width)
    record = "cascade migration --journal JOURNAL writes this down for other environments, when it is done."
    lines += ["", *wrapped(_beside(plan), WIDTH), "", *labelled("RECORD", record, WIDTH), ""]
    return _text(lines, colour=colour)


def render_applied(
    answer: Answer, afterwards: Answer, *, milliseconds: float, journal: str, colour: bool = False
) -> str:
    """What was done, what is left and with which command it goes on, and how to take it back."""
    cured = {id_ for step in answer.plan.steps for id_ in step.cures}
    still = {drift.id for drift in afterwards.plan.drifts}
    repaired = [drift for drift in answer.plan.drifts if drift.id in cured - still]
    left = afterwards.findings()
    outside = [drift for drift in afterwards.plan.left_out if drift.severity.rank <= Severity.RISKY.rank]
    lines = [
        *labelled("DONE", _done(answer, left, milliseconds), WIDTH),
        *labelled("REPAIRED", f"{_by_kind(repaired) or 'nothing yet'}.", WIDTH),
    ]
    if left:
        lines += _left("LEFT", left, f"{counted(len(left), 'finding')}; cascade plan shows more:")
    if outside:
        apps = "".join(f" --app {app}" for app in sorted({drift.app for drift in outside if drift.app}))
        lines += _left("" if left else "LEFT", outside, f"not in this plan, see cascade plan{apps}:")
    lines += labelled("UNDO", f"cascade undo {journal}", WIDTH)
    record = f"cascade migration --journal {journal} writes it down for other environments."
    lines += labelled("RECORD", record, WIDTH)
    return _text(lines, colour=colour)


def render_undo_head(journal: Journal, steps: int) -> str:
    """Which repair an undo would take back, where, and what that means."""
    header, events = journal.header, journal.events
    begun = next((event["at"] for event in events if "at" in event), "")
    when = f" of {moment(begun)}" if begun else ""
    where = database_at(str(header["database"]), str(header["host"]))
    said = (
        f"The repair{when} by plan {header['plan_id']}, {counted(steps, 'step')} on {where}. "
        "What it repaired will be broken again:"
    )
    return "\n".join(labelled("UNDO", printable(said), WIDTH))


def _done(answer: Answer, left: Collection[Drift], milliseconds: float) -> str:
    verified = ", verified before COMMIT" if answer.plan.steps_in(Phase.TRANSACTION) else ""
    looked = f"looked again as {answer.placement.role}"
    nothing = "" if left else f": nothing broken or risky {'in its scope ' if answer.plan.scope else ''}is left"
    return f"{counted(len(answer.plan.steps), 'step')} in {milliseconds:,.0f} ms{verified}; {looked}{nothing}."


def _limits(plan: Plan, limits: Limits) -> str:
    late = sum(step.phase is not Phase.TRANSACTION for step in plan.steps)
    first = len(plan.steps) - late
    where = "in one transaction" if not late else f"the first {first} in one transaction" if first else "one by one"
    hold = f" Locks that others feel are held for {limits.max_hold:g} s at most." if limits.max_hold else ""
    after = f" {_rest(late)}, under locks that let others read and write." if late and first else ""
    return (
        f"{where}; each lock is waited for {limits.lock_timeout:g} s at most, then everything is let go and tried "
        f"again, {counted(limits.tries, 'time')} in all. If any session waits for us longer than "
        f"{limits.max_wait:g} s, we roll back.{hold}{after}"
    )


def _rest(late: int) -> str:
    return "The last one follows, by itself" if late == 1 else f"The last {late} follow, each by itself"


def _statements(step: Step, width: int) -> Iterator[str]:
    """As they are sent, the number before them; where several lines belong together, below one another."""
    indent = " " * (width + 4)
    lines = [line for statement in render_step_sql(step) for line in statement.splitlines()]
    if step.phase is not Phase.TRANSACTION:
        lines = [f"-- {step.phase.value}: {step.id}", *lines]
    for number, line in enumerate(lines):
        head = f"  {padded(str(step.position), width, right=True)}  " if number == 0 else indent
        yield f"{head}{printable(line)}"
    for hazard in step.hazards:
        if hazard.kind is not HazardKind.REPLICATION:  # the preflight has said it, with the SQL
            mind = f"-- mind: {printable(hazard.sentence)} ({hazard.kind.value})"
            yield from wrapped(mind, WIDTH, first=len(indent), hang=len(indent) + 3)


def _beside(plan: Plan) -> str:
    """What is not done, only where that is so; and what else is locked."""
    first = "Nothing is dropped, rewritten or copied. " if _keeps_everything(plan) else ""
    healthy = {lock.table: lock.mode.value for step in plan.steps for lock in step.locks if lock.healthy}
    drifted = locked_tables(plan, healthy=False)
    history = "django_migrations, against a migrate at the same moment"
    these = "this table" if len(drifted) == 1 else f"these {len(drifted)} tables"
    if not healthy:
        return f"{first}Nothing outside {these} is locked but {history}." if drifted else f"{first}Locked is {history}."
    also = listed([f"{table} ({mode})" for table, mode in sorted(healthy.items())])
    return f"{first}Locked beside {these}, though healthy: {also}; and {history}."


_KEEPING = (
    CreateSchema
    | CreateTable
    | MoveTable
    | MoveObject
    | ShelveTable
    | AddColumn
    | AddForeignKey
    | AddConstraint
    | ValidateConstraint
    | CreateIndex
    | SetOwner
    | GrantUsage
    | GrantTable
    | GrantSequence
)


def _keeps_everything(plan: Plan) -> bool:
    rewrites = any(hazard.kind is HazardKind.REWRITE for step in plan.steps for hazard in step.hazards)
    return not rewrites and all(isinstance(step.action, _KEEPING) for step in plan.steps)


def _by_kind(drifts: Iterable[Drift]) -> str:
    counts: dict[str, int] = {}
    for drift in drifts:
        counts[drift.kind.value] = counts.get(drift.kind.value, 0) + 1
    return ", ".join(counted(count, kind.replace("_", " "), _plural(kind)) for kind, count in counts.items())


def _plural(kind: str) -> str:
    words = kind.replace("_", " ")
    return f"{words}es" if words.endswith("x") else words if words.endswith(("s", "behind")) else f"{words}s"


def _left(label: str, drifts: Iterable[Drift], first: str) -> Iterator[str]:
    yield from labelled(label, first, WIDTH)
    for drift in drifts:
        why = f": {drift.undecided}" if drift.undecided else ""
        at = INDENT + 2
        yield from wrapped(printable(f"{drift.severity.value}  {drift.id}{why}"), WIDTH, first=at, hang=at + 2)


def _text(lines: Iterable[str], *, colour: bool) -> str:
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)

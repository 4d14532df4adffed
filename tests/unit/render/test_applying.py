from dataclasses import replace
from pathlib import Path

from cascade.core.actions import Phase
from cascade.core.layout import TableName
from cascade.core.limits import Limits
from cascade.core.plan import Hazard, HazardKind, Lock, LockMode
from cascade.core.preflight import make_checks
from cascade.render.applying import render_applied, render_plan_head, render_will_run
from cascade.render.preflight import render_preflight
from tests.unit.core.test_preflight import QUIET
from tests.unit.render import answers

GOLDEN = Path(__file__).parent / "golden"


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_screen_of_apply_is_as_agreed() -> None:
    answer = answers.incident()
    checks = make_checks(answer, QUIET, allowed=frozenset(), journal="cascade-2cbfac70.jsonl")
    afterwards = replace(answer, plan=replace(answer.plan, steps=(), drifts=()))
    screen = (
        render_plan_head(answer, answer.observed.read_at)
        + render_preflight(checks)
        + render_will_run(answer, Limits())
        + render_applied(answer, afterwards, milliseconds=61.4, journal="cascade-2cbfac70.jsonl")
    )
    assert screen == (GOLDEN / "apply.txt").read_text()


def test_nothing_is_said_to_be_kept_where_a_step_rewrites_or_drops() -> None:
    answer = answers.incident()
    assert "Nothing is dropped, rewritten or copied." in render_will_run(answer, Limits())
    rewrites = replace(answer.plan.steps[0], hazards=(Hazard(HazardKind.REWRITE, "It is written anew."),))
    answer = replace(answer, plan=replace(answer.plan, steps=(rewrites, *answer.plan.steps[1:])))
    assert "Nothing is dropped" not in render_will_run(answer, Limits())
    assert "-- mind: It is written anew. (rewrite)" in render_will_run(answer, Limits())


def test_healthy_tables_that_are_locked_are_named_with_the_lock() -> None:
    answer = answers.incident()
    lock = Lock(TableName("public", "accounts_user"), LockMode.SHARE_ROW_EXCLUSIVE, healthy=True)
    first = replace(answer.plan.steps[0], locks=(*answer.plan.steps[0].locks, lock))
    answer = replace(answer, plan=replace(answer.plan, steps=(first, *answer.plan.steps[1:])))
    said = flat(render_will_run(answer, Limits()))
    assert "though healthy: public.accounts_user (SHARE ROW EXCLUSIVE); and django_migrations" in said
    assert "Nothing outside" not in said


def test_the_limits_that_hold_are_said_and_which_steps_come_after_the_transaction() -> None:
    answer = answers.incident()
    late = replace(answer.plan.steps[-1], phase=Phase.CONCURRENT)
    answer = replace(answer, plan=replace(answer.plan, steps=(*answer.plan.steps[:-1], late)))
    said = flat(render_will_run(answer, Limits(lock_timeout=0.5, max_wait=3, max_hold=10, tries=1)))
    assert f"the first {len(answer.plan.steps) - 1} in one transaction" in said
    assert "waited for 0.5 s at most" in said
    assert "1 time in all" in said
    assert "longer than 3 s" in said
    assert "held for 10 s at most" in said
    assert f"-- concurrent: {late.id}" in said


def test_what_is_left_is_listed_in_the_scope_and_outside_of_it() -> None:
    answer = answers.incident()
    first, *others = answer.plan.drifts
    afterwards = replace(
        answer,
        plan=replace(answer.plan, steps=(), drifts=(replace(first, undecided="say which"),), left_out=tuple(others)),
    )
    said = render_applied(answer, afterwards, milliseconds=5, journal="j.jsonl")
    assert f"{first.severity.value} {first.id}: say which" in flat(said)
    assert "not in this plan" in flat(said)
    assert all(drift.id in said for drift in others if drift.severity.rank <= first.severity.rank)
    assert "nothing broken or risky" not in flat(said)

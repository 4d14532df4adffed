"""What is said of a plan that was written into a file."""

from dataclasses import replace

from cascade.core.plan import Hazard, HazardKind
from cascade.render.saved import render_saved
from tests.unit.render import answers


def test_a_plan_in_a_file_is_told_by_its_figures_and_the_next_command() -> None:
    answer = answers.incident()
    assert render_saved(answer, "the plan.json").splitlines() == [
        f"PLAN     {answer.plan_id}: 7 broken, 0 risky within --app user_profile; 7 steps.",
        "NEXT     cascade rehearse 'the plan.json'",
    ]


def test_what_waits_for_a_decision_and_the_hazards_have_a_line_each() -> None:
    lines = render_saved(answers.undecided(), "plan.json").splitlines()
    assert any(line.startswith("DECIDE   no step for ") for line in lines)
    answer = answers.incident()
    risky = replace(answer.plan.steps[0], hazards=(Hazard(HazardKind.REWRITE, "It is written anew."),))
    answer = replace(answer, plan=replace(answer.plan, steps=(risky, *answer.plan.steps[1:])))
    assert "HAZARDS  rewrite 1." in render_saved(answer, "plan.json").splitlines()


def test_a_plan_without_findings_names_no_next_command() -> None:
    said = render_saved(answers.healthy(), "plan.json")
    assert said.startswith("PLAN     No drift")
    assert "NEXT" not in said

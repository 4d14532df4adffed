"""The check for programs: nothing of a finding is lost, and what each format forbids is written as it wants it."""

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

from cascade.core.answer import Answer
from cascade.core.findings import Severity
from cascade.render.check import render_check_github, render_check_json, render_check_junit
from tests.unit.render import answers


def test_json_says_of_each_finding_whether_it_counts() -> None:
    document = json.loads(render_check_json(answers.every_kind(), fail_on=Severity.BROKEN))
    assert document["exit_code"] == 2
    assert {(finding["severity"], finding["counts"]) for finding in document["findings"]} == {
        ("broken", True),
        ("risky", False),
        ("note", False),
    }
    assert all(finding["sentence"] for finding in document["findings"])


def test_github_gets_an_annotation_at_the_operation_that_made_each_object() -> None:
    lines = render_check_github(answers.incident(), fail_on=Severity.RISKY).splitlines()
    found = answers.incident().findings()
    assert len([line for line in lines if line.startswith("::error ")]) == len(found)
    assert (
        "::error title=cascade misplaced_table,file=apps/user_profile/migrations/0033_about_item.py,line=12,endLine=40::"
        in lines[0]
    )
    assert lines[-1].startswith(f"::notice title=cascade check::{len(found)} findings")


def test_github_gets_as_a_warning_what_does_not_count_and_what_was_not_checked() -> None:
    assert "::error" not in render_check_github(answers.incomplete(), fail_on=Severity.RISKY)
    assert "::warning title=cascade could not check::" in render_check_github(
        answers.incomplete(), fail_on=Severity.RISKY
    )
    lines = render_check_github(answers.every_kind(), fail_on=Severity.BROKEN).splitlines()
    assert {line.split(" ")[0] for line in lines} == {"::error", "::warning", "::notice"}


def test_junit_counts_failures_errors_and_skipped() -> None:
    suite = _suite(answers.incident())
    found = answers.incident().findings()
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (str(len(found)), "0", "0")
    assert [case.get("name") for case in suite.iter("testcase")] == [drift.id for drift in found]
    assert all(case.find("failure") is not None for case in suite.iter("testcase"))


def test_junit_has_a_case_that_passed_where_nothing_is_found_and_none_where_something_is_unchecked() -> None:
    (case,) = _suite(answers.healthy()).iter("testcase")
    assert list(case) == []
    unchecked = _suite(answers.incomplete())
    assert unchecked.get("errors") == str(len(answers.incomplete().not_checked))
    assert all(case.find("error") is not None for case in unchecked.iter("testcase"))


def test_junit_skips_what_is_accepted_with_the_reason() -> None:
    answer = answers.incident()
    drift = answer.plan.drifts[0]
    suite = _suite(replace(answer, plan=replace(answer.plan, drifts=()), accepted=((drift, "until <tomorrow>"),)))
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "until <tomorrow>"


def test_names_that_xml_and_workflow_commands_cannot_hold_are_written_as_they_are_read() -> None:
    answer = answers.incident()
    odd = replace(answer.plan.drifts[0], observed='in "a<b>&\x01"', evidence=("100% of\nit",))
    answer = replace(answer, plan=replace(answer.plan, drifts=(odd,)))
    assert "100% of" in (_suite(answer).findtext("testcase/failure") or "")
    assert len(render_check_github(answer, fail_on=Severity.RISKY).splitlines()) == 2


def _suite(answer: Answer) -> ET.Element:
    suite = ET.fromstring(render_check_junit(answer, fail_on=Severity.RISKY).encode()).find("testsuite")
    assert suite is not None
    return suite

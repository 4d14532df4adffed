"""The answer of ``cascade check`` for programs, or why there is none: JSON, GitHub's annotations, JUnit's XML."""

from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.gate import exit_code
from cascade.errors import CascadeError
from cascade.render.json_text import json_text
from cascade.render.plan_json import drift_document, setting_document
from cascade.render.sentences import findings_in_sentences
from cascade.render.text import check_summary
from cascade.render.wording import printable

SCHEMA_VERSION = 1
"""Grows when a program that reads the old form could be misled by the new one."""


def render_check_json(answer: Answer, *, fail_on: Severity) -> str:
    """The verdict, what was read, and every finding as ``plan --format json`` has it, with whether it counts."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "exit_code": exit_code(answer, fail_on),
        "fail_on": fail_on.value,
        "summary": check_summary(answer),
        "complete": answer.complete,
        "error": None,
        "not_checked": [{"what": gap.what, "why": gap.why, "how": gap.how} for gap in answer.not_checked],
        **setting_document(answer),
        "scope": answer.plan.scope,
        "findings": [
            {"counts": _counts(drift, fail_on), "sentence": _sentence(drift, answer), **drift_document(drift, answer)}
            for drift in answer.plan.drifts
        ],
        "accepted": [{"reason": reason, "id": drift.id} for drift, reason in answer.accepted],
        "ignored": [{"reason": reason, "id": drift.id} for drift, reason in answer.ignored],
        "left_out": [drift.id for drift in answer.plan.left_out],
    }
    return json_text(document)


def render_check_error_json(error: CascadeError, *, fail_on: Severity) -> str:
    """Why there is no answer. It has no findings, not even an empty list of them: nobody knows."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "exit_code": 1,
        "fail_on": fail_on.value,
        "summary": f"There is no answer: {error.message}",
        "complete": False,
        "error": {"message": error.message, "hint": error.hint},
    }
    return json_text(document)


def render_check_github(answer: Answer, *, fail_on: Severity) -> str:
    """Workflow commands (GitHub Docs, Workflow commands): an annotation at the operation that made the object.

    What counts is an error, other findings are warnings, notes are left out; the last line sums up.
    """
    lines = [
        _command(
            "error" if _counts(drift, fail_on) else "warning",
            _sentence(drift, answer),
            title=f"cascade {drift.kind.value}",
            **_place(drift),
        )
        for drift in answer.plan.drifts
        if _counts(drift, fail_on) or drift.severity is not Severity.NOTE
    ]
    lines += [
        _command("warning", f"{gap.what}: {gap.why}; {gap.how}", title="cascade could not check")
        for gap in answer.not_checked
    ]
    lines.append(
        _command("warning" if answer.expects_nothing else "notice", check_summary(answer), title="cascade check")
    )
    return "".join(f"{line}\n" for line in lines)


def render_check_error_github(error: CascadeError) -> str:
    """Why there is no answer, as one annotation."""
    return _command("error", str(error), title="cascade check") + "\n"


def render_check_junit(answer: Answer, *, fail_on: Severity) -> str:
    """A test case for each finding, failed if it counts; skipped if it is accepted; an error for what is unchecked.

    Where nothing is found there is one that has passed.
    """
    cases = list(_cases(answer, fail_on))
    errors = len(answer.not_checked) + answer.expects_nothing
    failures = sum(drift in answer.findings(fail_on) for drift in answer.plan.drifts)
    totals = (
        f'tests="{len(cases)}" failures="{failures}" errors="{errors}" '
        f'skipped="{len(answer.accepted) + len(answer.ignored)}"'
    )
    return _junit(totals, cases, told=check_summary(answer), read_at=answer.observed.read_at[:19])


def render_check_error_junit(error: CascadeError) -> str:
    """Why there is no answer, as one test case that ended in an error."""
    outcome = f"<error message={_quoted(error.message)}>{escape(printable(error.hint))}</error>"
    totals = 'tests="1" failures="0" errors="1" skipped="0"'
    return _junit(totals, [_case("not_checked", "the database", outcome)], told=f"There is no answer: {error.message}")


def _junit(totals: str, cases: Sequence[str], *, told: str, read_at: str = "") -> str:
    timestamp = f"timestamp={_quoted(read_at)} " if read_at else ""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {totals}>",
        f'  <testsuite name="cascade check" {timestamp}{totals}>',
        *cases,
        f"    <system-out>{escape(printable(told))}</system-out>",
        "  </testsuite>",
        "</testsuites>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _counts(drift: Drift, fail_on: Severity) -> bool:
    return drift.severity.rank <= fail_on.rank


def _sentence(drift: Drift, answer: Answer) -> str:
    return " ".join(findings_in_sentences([drift], answer))


def _place(drift: Drift) -> dict[str, str]:
    source = drift.made_by.source if drift.made_by else None
    return {"file": source.file, "line": str(source.first), "endLine": str(source.last)} if source else {}


def _command(name: str, message: str, **properties: str) -> str:
    r"""A workflow command; what would end a value or the line is written as GitHub reads it.

    >>> _command("error", "50% of\nit", title="a: b, c")
    '::error title=a%3A b%2C c::50%25 of%0Ait'
    """
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {told}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cases(answer: Answer, fail_on: Severity) -> Iterator[str]:
    for drift in answer.plan.drifts:
        if _counts(drift, fail_on):
            evidence = escape(printable("; ".join(drift.evidence)))
            told = f"type={_quoted(drift.kind.value)} message={_quoted(_sentence(drift, answer))}"
            yield _case(drift.kind.value, drift.id, f"<failure {told}>{evidence}</failure>")
    for gap in answer.not_checked:
        yield _case("not_checked", gap.what, f"<error message={_quoted(f'{gap.why}; {gap.how}')}/>")
    for drift, reason in (*answer.accepted, *answer.ignored):
        yield _case(drift.kind.value, drift.id, f"<skipped message={_quoted(reason)}/>")
    if answer.expects_nothing:
        yield _case("not_checked", "the whole database", f"<error message={_quoted(check_summary(answer))}/>")
    elif not answer.findings(fail_on) and answer.complete:
        yield f'    <testcase classname="cascade" name={_quoted("the database is as the applied migrations made it")}/>'


def _case(kind: str, name: str, outcome: str) -> str:
    return f"    <testcase classname={_quoted(f'cascade.{kind}')} name={_quoted(name)}>{outcome}</testcase>"


def _quoted(text: Any) -> str:
    return quoteattr(printable(str(text)))

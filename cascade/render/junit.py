"""What probes showed, as JUnit XML, which the servers that run tests read."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from cascade.core.cascades import met
from cascade.core.probed import Probed
from cascade.core.probes import ProbeRun, Verdict
from cascade.errors import CascadeError


def render_junit(probed: Probed) -> str:
    """One test case a probe: a failure where it fails, skipped where it could not be proved."""
    failed = sum(run.fails for run in probed.runs)
    skipped = sum(not run.fails for run in probed.of(Verdict.NOT_PROVABLE))
    seconds = sum(run.milliseconds for run in probed.runs) / 1000
    suite = Element(
        "testsuite",
        name="cascade probe",
        tests=str(len(probed.runs)),
        failures=str(failed),
        errors="0",
        skipped=str(skipped),
        time=f"{seconds:.3f}",
    )
    for run in probed.runs:
        _case(suite, run)
    return _told(suite)


def render_junit_error(error: CascadeError) -> str:
    """Why nothing was asked, as one test case that ended in an error."""
    suite = Element("testsuite", name="cascade probe", tests="1", failures="0", errors="1", skipped="0")
    case = SubElement(suite, "testcase", classname="cascade.not_asked", name="the application")
    SubElement(case, "error", message=_plain(error.message)).text = _plain(error.hint)
    return _told(suite)


def _told(suite: Element) -> str:
    indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(suite, encoding="unicode")}\n'


def _case(suite: Element, run: ProbeRun) -> None:
    kind = run.probe.kind.value
    case = SubElement(
        suite,
        "testcase",
        classname=f"cascade.{kind}",
        name=_plain(str(run.probe)),
        time=f"{run.milliseconds / 1000:.3f}",
    )
    if run.fails:
        drifts = [drift.id for drift in met(run)]
        failure = SubElement(case, "failure", message=_plain(", ".join(drifts) or run.reason))
        places = dict.fromkeys([*(found.failure.place for found in run.found if found.drift), run.place])
        failure.text = _plain("\n".join(filter(None, [run.reason, *places])))
    elif run.verdict is Verdict.NOT_PROVABLE:
        SubElement(case, "skipped", message=_plain(run.reason))


def _plain(text: str) -> str:
    """Without what XML cannot hold (Extensible Markup Language 1.0, 2.2)."""
    return re.sub(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "?", text)

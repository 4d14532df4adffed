"""The preflight, a line each."""

from collections.abc import Iterable

from cascade.core.preflight import Check, Verdict
from cascade.render.paragraphs import painted, wrapped

WIDTH = 100


def render_preflight(checks: Iterable[Check], *, colour: bool = False) -> str:
    """Each question with its answer; under a no, what to do."""
    lines = [line for check in checks for line in _lines(check)]
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def _lines(check: Check) -> list[str]:
    label = {Verdict.YES: "yes", Verdict.NO: "NO", Verdict.CANNOT_TELL: "?"}[check.verdict]
    text = f"{check.question}: {check.found}" if check.found else check.question
    first = wrapped(text, WIDTH, first=6, hang=6)
    advice = wrapped(check.advice, WIDTH, first=8, hang=8) if check.advice and check.verdict is not Verdict.YES else []
    return [f"{label:<6}{first[0][6:]}", *first[1:], *advice]

"""The preflight, a line each."""

from collections.abc import Iterable, Iterator

from cascade.core.preflight import Check, Verdict
from cascade.render.paragraphs import INDENT, padded, painted, wrapped
from cascade.render.wording import printable

WIDTH = 110
QUESTION = 30
ANSWER = 12


def render_preflight(checks: Iterable[Check], *, colour: bool = False) -> str:
    """Each question with its answer; under what is not a yes, what to do, and what others have to run first."""
    lines = [line for check in checks for line in _lines(check)]
    lines[:1] = [f"{'BEFORE':<{INDENT}}{line[INDENT:]}" for line in lines[:1]]
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def _lines(check: Check) -> Iterator[str]:
    at = INDENT + QUESTION + ANSWER
    answer = check.verdict.value.upper() if check.verdict is Verdict.NO else check.verdict.value
    head = f"{' ' * INDENT}{padded(check.question, QUESTION)}{padded(answer, ANSWER)}"
    found = wrapped(printable(check.found), WIDTH, first=at, hang=at)
    yield (head + found[0][at:] if found else head).rstrip()
    yield from found[1:]
    if check.verdict is not Verdict.YES:
        yield from wrapped(check.advice, WIDTH, first=at, hang=at)
        # To be copied, and so in one line each.
        yield from (f"{' ' * (INDENT + 2)}{printable(line)}" for line in check.sql)

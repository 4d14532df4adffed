"""Can the plan be run over this connection? Each question with an answer, and what to do about a no."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """The answer to one question."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the preflight: what was asked, the answer, what was found, and what to do where it is no."""

    question: str
    verdict: Verdict
    found: str = ""
    advice: str = ""


def may_go_on(checks: tuple[Check, ...]) -> bool:
    """Whether no answer is a no."""
    return all(check.verdict is not Verdict.NO for check in checks)

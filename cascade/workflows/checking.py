"""``cascade check``: the whole answer, narrowed to a run and measured by a baseline, and how it is told."""

from datetime import date
from pathlib import Path

from cascade.core.answer import Answer
from cascade.core.findings import Severity
from cascade.core.gate import accept, make_baseline, of_last_run
from cascade.errors import CascadeError
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, silent

CHECK_FORMATS = ("text", "json", "github", "junit")
"""What the answer of a check can be rendered as."""


def check_database(
    question: Question, *, since_last_migrate: bool = False, baseline: Path | None = None, report: Report = silent
) -> tuple[Answer, tuple[str, ...]]:
    """The answer without what the baseline accepts, and the ids in the baseline that no finding has any more.

    ``since_last_migrate``: only what the last run of migrate made or recorded. Raises what ``analyse`` raises, and
    ``FileError`` for the baseline.
    """
    from cascade.sources.baseline_file import read_baseline

    known = read_baseline(baseline) if baseline else ()
    answer = analyse(question, report=report)
    if since_last_migrate:
        answer = of_last_run(answer)
    answer, gone = accept(answer, known)
    return answer, gone if not answer.plan.scope else ()


def write_baseline(question: Question, file: Path, until: date, *, report: Report = silent) -> int:
    """Write what is found now as accepted until that day; the number of findings. Reasons that are there are kept."""
    from cascade.effects.files import write_file
    from cascade.render.json_text import json_text
    from cascade.sources.baseline_file import read_baseline

    earlier = read_baseline(file) if file.exists() else ()
    document = make_baseline(analyse(question, report=report), until, earlier)
    write_file(file, json_text(document))
    return len(document["accepted"])


def render_check_answer(
    answer: Answer, format_: str, *, fail_on: Severity, verbose: bool = False, colour: bool = False
) -> str:
    """The answer in one of ``CHECK_FORMATS``."""
    match format_:
        case "json":
            from cascade.render.check import render_check_json

            return render_check_json(answer, fail_on=fail_on)
        case "github":
            from cascade.render.check import render_check_github

            return render_check_github(answer, fail_on=fail_on)
        case "junit":
            from cascade.render.check import render_check_junit

            return render_check_junit(answer, fail_on=fail_on)
        case "text":
            from cascade.render.text import render_check

            return render_check(answer, verbose=verbose, colour=colour)
    raise ValueError(f"{format_} is none of {', '.join(CHECK_FORMATS)}")


def render_check_error(error: CascadeError, format_: str, *, fail_on: Severity) -> str:
    """Why there is no answer, in one of ``CHECK_FORMATS``; as text it is said on stderr alone."""
    match format_:
        case "json":
            from cascade.render.check import render_check_error_json

            return render_check_error_json(error, fail_on=fail_on)
        case "github":
            from cascade.render.check import render_check_error_github

            return render_check_error_github(error)
        case "junit":
            from cascade.render.check import render_check_error_junit

            return render_check_error_junit(error)
        case "text":
            return ""
    raise ValueError(f"{format_} is none of {', '.join(CHECK_FORMATS)}")

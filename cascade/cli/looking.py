"""``cascade plan`` and ``cascade check``: what is broken, why, and the order of repair."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import click

from cascade.cli.console import colour, end_progress, progress, write
from cascade.cli.options import format_of, question_options
from cascade.core.findings import Severity
from cascade.core.gate import exit_code
from cascade.errors import CascadeError
from cascade.workflows import FORMATS, Question, analyse, render_answer
from cascade.workflows.checking import (
    CHECK_FORMATS,
    check_database,
    render_check_answer,
    render_check_error,
    write_baseline,
)


@click.command()
@question_options
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Else what the name of -o says, else text.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there; .txt, .json, .sql, .dot and .svg say the format.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 2 where there is drift.")
@click.option("--probe", is_flag=True, help="Run the declared probes for the exact cascade: see cascade probe.")
@click.option("-v", "--verbose", is_flag=True, help="Every step and every note.")
def plan(
    question: Question, format_: str | None, output: Path | None, exit_code: bool, probe: bool, verbose: bool
) -> int:
    """What is broken, why, and the whole order of repair."""
    format_ = format_ or format_of(output, FORMATS)
    answer = analyse(question, report=progress(verbose))
    if probe:
        from cascade.workflows.probing import with_exact_cascade

        answer = with_exact_cascade(answer, question, report=progress(verbose))
    end_progress()
    text = render_answer(answer, format_, verbose=verbose, colour=output is None and colour())
    write(text, output, for_people=format_ == "text")
    if output is not None and format_ == "json":
        from cascade.render.saved import render_saved

        click.echo(render_saved(answer, str(output)), nl=False, err=True)
    return 2 if exit_code and answer.findings() else 0


@click.command()
@question_options
@click.option(
    "--fail-on",
    type=click.Choice([severity.value for severity in Severity]),
    default=Severity.RISKY.value,
    show_default=True,
    help="The least severity that counts.",
)
@click.option("--format", "format_", type=click.Choice(CHECK_FORMATS), default="text", show_default=True)
@click.option("--since-last-migrate", is_flag=True, help="Only what the last run of migrate made or recorded.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Findings that are known and accepted until a date.",
)
@click.option(
    "--accept-until",
    type=click.DateTime(("%Y-%m-%d",)),
    metavar="DATE",
    help="Write the baseline: accept what is found now until then.",
)
@click.option("-v", "--verbose", is_flag=True, help="Notes too, and what is accepted.")
def check(
    question: Question,
    fail_on: str,
    format_: str,
    since_last_migrate: bool,
    baseline: Path | None,
    accept_until: datetime | None,
    verbose: bool,
) -> int:
    """A gate for CI: 0 clean, 2 findings, 3 nothing found but something, or all of it, could not be checked."""
    severity = Severity(fail_on)
    shows_notes = verbose or severity is Severity.NOTE or format_ == "json"
    question = replace(question, explain_notes=shows_notes)
    if accept_until is not None:
        _write_baseline(question, baseline, accept_until, narrowed=since_last_migrate, report=progress(verbose))
        return 0
    try:
        answer, gone = check_database(
            question, since_last_migrate=since_last_migrate, baseline=baseline, report=progress(verbose)
        )
    except CascadeError as error:
        write(render_check_error(error, format_, fail_on=severity), for_people=format_ == "text")
        raise
    end_progress()
    text = render_check_answer(answer, format_, fail_on=severity, verbose=shows_notes, colour=colour())
    write(text, for_people=format_ == "text")
    for id_ in gone:
        click.echo(f"{baseline} accepts what is not found any more, take it out: {id_}", err=True)
    return exit_code(answer, severity)


def _write_baseline(
    question: Question, file: Path | None, until: datetime, *, narrowed: bool, report: Callable[[str], None]
) -> None:
    if file is None:
        raise click.UsageError("--accept-until writes a baseline: name it with --baseline FILE.")
    if until.date() < date.today():
        raise click.UsageError(f"--accept-until {until.date()} has passed: nothing would be accepted.")
    if narrowed or question.apps or question.tables:
        raise click.UsageError(
            "A baseline is of the whole database: --since-last-migrate, --app and --table do not apply."
        )
    number = write_baseline(question, file, until.date(), report=report)
    end_progress()
    click.echo(f"wrote {file}: {number} findings accepted until {until.date()}", err=True)

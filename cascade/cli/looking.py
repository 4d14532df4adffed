"""``cascade plan`` and ``cascade check``: what is broken, why, and the order of repair."""

from dataclasses import replace
from pathlib import Path

import click

from cascade.cli.console import colour, end_progress, progress, write
from cascade.cli.options import question_options
from cascade.core.findings import Severity
from cascade.workflows import FORMATS, Question, analyse, render_answer


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
    format_ = format_ or _format_of(output)
    answer = analyse(question, report=progress(verbose))
    if probe:
        from cascade.workflows.probing import with_exact_cascade

        answer = with_exact_cascade(answer, question, report=progress(verbose))
    end_progress()
    text = render_answer(answer, format_, verbose=verbose, colour=output is None and colour())
    write(text, output, for_people=format_ == "text")
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
@click.option("-v", "--verbose", is_flag=True, help="Notes too.")
def check(question: Question, fail_on: str, verbose: bool) -> int:
    """A gate for CI: 0 clean, 2 findings, 3 nothing found but something could not be checked."""
    from cascade.render.text import render_check

    shows_notes = verbose or fail_on == "note"
    answer = analyse(replace(question, explain_notes=shows_notes), report=progress(verbose))
    end_progress()
    click.echo(render_check(answer, verbose=shows_notes, colour=colour()), nl=False)
    if answer.findings(Severity(fail_on)):
        return 2
    return 0 if answer.complete else 3


def _format_of(output: Path | None) -> str:
    suffix = output.suffix.lstrip(".").lower() if output else ""
    if suffix in ("", "txt", "log"):
        return "text"
    if suffix not in FORMATS:
        raise click.UsageError(f"{output}: which format? Known are {', '.join(FORMATS)}: name one with --format.")
    return suffix

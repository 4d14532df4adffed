"""``cascade probe``: does the application work, and what would fail after each repair?"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cascade.cli.console import colour, end_progress, progress, write
from cascade.cli.options import Seconds, question_options
from cascade.errors import CascadeError, FileError
from cascade.workflows import Question

if TYPE_CHECKING:
    from cascade.core.answer import Answer
    from cascade.core.probed import Probed

FORMATS = ("text", "json", "junit")


@click.command()
@question_options
@click.option("--predict", is_flag=True, help="The exact cascade: what each page fails at after each repair.")
@click.option(
    "--clone/--here", "clone", default=None, help="With --predict: on a clone without rows, or on the database itself."
)
@click.option(
    "--discover",
    is_flag=True,
    help="List the pages that the URL patterns have, and what is left out; with --predict: take them in.",
)
@click.option("--run", "runs", is_flag=True, help="With --discover: ask for them too.")
@click.option("--models/--no-models", default=True, help="Also a SELECT of all columns of each model.")
@click.option("--timeout", type=Seconds(min=0.1), default=10.0, show_default=True, metavar="SECONDS")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Else what the name of -o says, else text.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there; .txt, .json and .xml say the format.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every probe, and what the application's own errors say.")
def probe(
    question: Question,
    predict: bool,
    clone: bool | None,
    discover: bool,
    runs: bool,
    models: bool,
    timeout: float,
    format_: str | None,
    output: Path | None,
    verbose: bool,
) -> int:
    """Ask the pages in CASCADE["PROBES"] and every model whether they work, in transactions that cannot commit.

    Exit code 2 where one fails, 3 where none fails but one could not be proved. With --predict each page is run on
    past its failures, each repaired where it shows by the steps of the plan, and all is rolled back; a page that needed
    that fails until the plan is run, and counts so for the exit code. --here, the
    default, locks what these steps lock for as long as a page takes; --clone is the default where CASCADE["PRODUCTION"]
    names the server. Where nothing can be asked, json and junit say why, as stderr does.
    """
    from cascade.workflows.probing import predict_cascade, run_probes

    if (runs and not discover) or (clone is not None and not predict):
        raise click.UsageError("--run goes with --discover, --clone and --here with --predict.")
    format_ = format_ or _format_of(output)
    if discover and not (runs or predict):
        write(_discovered(question), output, for_people=True)
        return 0
    report = progress(verbose)
    try:
        if predict:
            probed = predict_cascade(question, discovered=discover, clone=clone, seconds=timeout, report=report)
        else:
            probed = run_probes(question, models=models, discovered=discover, seconds=timeout, report=report)
    except CascadeError as error:
        end_progress()
        _tell_programs(error, format_, output)
        raise
    end_progress()
    text = _rendered(probed, format_, verbose=verbose, in_colour=output is None and colour())
    write(text, output, for_people=format_ == "text")
    return probed.exit_code


class Checkup:
    """The declared pages before a repair, within it and after it; the first are asked when this is made.

    ``before`` and ``after`` are what they showed, the latter None where they were not asked again.
    """

    def __init__(
        self, answer: "Answer", question: Question, report: Callable[[str], None], seconds: float = 10.0
    ) -> None:
        from cascade.workflows.probing import ask_pages

        self._answer, self._question, self._report, self._seconds = answer, question, report, seconds
        self.before = ask_pages(answer, question, seconds=seconds, report=report)
        self.after: Probed | None = None

    def within(self, cursor: Any) -> tuple[str, ...]:
        """Ask them within the transaction of that cursor; whatever they show is no hindrance."""
        from cascade.workflows.probing import ask_pages

        answer, question = self._answer, self._question
        self.after = ask_pages(answer, question, seconds=self._seconds, report=self._report, within=cursor)
        return ()

    def refusing(self, cursor: Any) -> tuple[str, ...]:
        """The same; what worked before and would fail, in a phrase each."""
        self.within(cursor)
        assert self.after is not None
        broken = self.after.broken_since(self.before)
        return tuple(f"{run.probe}: {', '.join(drift.id for drift in run.drifts) or run.reason}" for run in broken)

    def told(self, afterwards: "Answer | None" = None) -> bool:
        """Print what became of them, asked again where there is a new answer; whether one fails that passed before."""
        from cascade.render.probes import render_before_and_after
        from cascade.workflows.probing import ask_pages

        if afterwards is not None:
            self.after = ask_pages(afterwards, self._question, seconds=self._seconds, report=self._report)
            end_progress()
        assert self.after is not None
        click.echo(render_before_and_after(self.before, self.after, colour=colour()), nl=False)
        return bool(self.after.broken_since(self.before))


def _rendered(probed: "Probed", format_: str, *, verbose: bool, in_colour: bool) -> str:
    match format_:
        case "json":
            from cascade.render.probes_json import render_probes_json

            return render_probes_json(probed)
        case "junit":
            from cascade.render.junit import render_junit

            return render_junit(probed)
        case _:
            from cascade.render.probes import render_probes

            return render_probes(probed, verbose=verbose, colour=in_colour)


def _tell_programs(error: CascadeError, format_: str, output: Path | None) -> None:
    """What stands on stderr, in the format that a program reads; the error matters more than a file that cannot be."""
    with suppress(FileError):
        match format_:
            case "json":
                from cascade.render.probes_json import render_probes_error_json

                write(render_probes_error_json(error), output, for_people=False)
            case "junit":
                from cascade.render.junit import render_junit_error

                write(render_junit_error(error), output, for_people=False)


def _discovered(question: Question) -> str:
    from cascade.render.probes import render_discovered
    from cascade.sources.pages import discover_pages
    from cascade.sources.project import read_project

    read_project(question.settings, question.pythonpath)
    pages = discover_pages()
    return render_discovered(pages.probes, [(left.pattern, left.reason) for left in pages.left_out])


def _format_of(output: Path | None) -> str:
    suffix = output.suffix.lstrip(".").lower() if output else ""
    known = {"": "text", "txt": "text", "log": "text", "json": "json", "xml": "junit"}
    if suffix not in known:
        raise click.UsageError(f"{output}: which format? Known are {', '.join(FORMATS)}: name one with --format.")
    return known[suffix]

"""``cascade explain``, ``history`` and ``where``: what a name means, what happened when, where names lead."""

import sys
from pathlib import Path

import click

from cascade.cli.console import colour, end_progress, progress, write
from cascade.cli.options import format_of, question_options
from cascade.core.findings import DriftKind
from cascade.errors import NoSuchName
from cascade.workflows import Question, explain_error, explain_name
from cascade.workflows.history import HISTORY_FORMATS


@click.command()
@question_options
@click.argument("name", required=False)
@click.option("--error", metavar="TEXT", help="An error text, traceback or log lines; - reads them from stdin.")
@click.option("--kind", metavar="KIND", help="What a kind of finding means.")
@click.option("--exit-code", is_flag=True, help="Exit with 2 where what is explained is broken or risky.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being read.")
def explain(
    question: Question, name: str | None, error: str | None, kind: str | None, exit_code: bool, verbose: bool
) -> int:
    """Whatever a NAME means, what an error text names, or what a kind of finding means.

    NAME is a table (table, schema.table, app.Model), a column (table.column), a constraint, an index, a sequence,
    a migration (app.0001), a schema, or the id of a finding.
    """
    if [name, error, kind].count(None) != 2:
        raise click.UsageError("Give either a NAME, --error TEXT (--error - reads stdin) or --kind KIND.")
    if kind is not None:
        click.echo(_glossary_entry(kind), nl=False)
        return 0
    if question.apps or question.tables:
        raise click.UsageError("explain looks at the whole database: --app and --table do not apply.")
    if name is not None:
        from cascade.render.explain_topics import render_topic

        answer, topic, others = explain_name(question, name, report=progress(verbose))
        text, troubles = render_topic(topic, others, answer, colour=colour()), [topic.trouble]
    else:
        from cascade.render.explain_error import render_error_explanation

        answer, subjects = explain_error(question, _given_or_stdin(error or ""), report=progress(verbose))
        text = render_error_explanation(subjects, answer, colour=colour())
        troubles = [subject.trouble for subject in subjects]
    end_progress()
    click.echo(text, nl=False)
    return 2 if exit_code and any(trouble.is_worse_than_a_note for trouble in troubles) else 0


@click.command()
@question_options
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N records.")
@click.option(
    "--format", "format_", type=click.Choice(HISTORY_FORMATS), help="Else what the name of -o says, else text."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there; .txt, .json, .dot and .svg say the format.",
)
@click.option("-v", "--verbose", is_flag=True, help="Every migration, also long stretches in place.")
def history(question: Question, last: int | None, format_: str | None, output: Path | None, verbose: bool) -> None:
    """Migrations in the order applied, with where the tables and columns of each are found."""
    from cascade.workflows.history import read_timeline, render_timeline

    if question.tables:
        raise click.UsageError("history shows migrations: --table does not apply; --app does.")
    format_ = format_ or format_of(output, HISTORY_FORMATS)
    answer, timeline = read_timeline(question, last=last, report=progress(verbose))
    end_progress()
    coloured = output is None and colour()
    text = render_timeline(answer, timeline, format_, fold=not verbose and last is None, colour=coloured)
    write(text, output, for_people=format_ == "text")


@click.command()
@question_options
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Say what is being read.")
def where(question: Question, format_: str, verbose: bool) -> None:
    """Where names lead and where new tables would land, for the role that serves pages and the one that migrates."""
    from cascade.workflows.where import read_whereabouts, render_whereabouts

    if question.apps or question.tables:
        raise click.UsageError("where looks at the whole database: --app and --table do not apply.")
    whereabouts = read_whereabouts(question, report=progress(verbose))
    end_progress()
    write(render_whereabouts(whereabouts, format_, colour=colour()), None, for_people=format_ == "text")


def _glossary_entry(kind: str) -> str:
    from cascade.render.explain import render_kind

    known = [known.value for known in DriftKind]
    if kind not in known:
        raise NoSuchName("kind of finding", kind, known)
    return render_kind(DriftKind(kind))


def _given_or_stdin(text: str) -> str:
    """The text itself, or for ``-`` all of stdin, whatever its encoding."""
    return sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text

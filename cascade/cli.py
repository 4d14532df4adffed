"""The command line: parse, one workflow, print, exit code.

Exit codes: 0 an answer, 1 an error (usage included), 2 drift where that was asked for, 3 (check) nothing
found but something could not be checked.
"""

import io
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, NoReturn

import click

from cascade.core.decisions import Decisions
from cascade.core.findings import DriftKind, Severity
from cascade.effects.files import write_file
from cascade.errors import CascadeError, NoSuchName
from cascade.workflows import FORMATS, Question, analyse, explain_error, explain_name, render_answer


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and exit with its code; an error is one sentence on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the letter "…" is no reason to fail
    try:
        code = cli.main(args=arguments, prog_name="cascade", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except CascadeError as error:
        _end_progress()
        if _wants_traceback(arguments):
            traceback.print_exc()
        click.echo(f"cascade: {error}", err=True)
        sys.exit(1)
    sys.exit(code or 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="django-cascade", prog_name="cascade")
def cli() -> None:
    """Find what is not where the applied migrations say it is, and the whole order of its repair.

    Nothing here changes the database.
    """


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what to look at; the command gets them as one ``question``."""

    def run(**options: Any) -> Any:
        names = ("settings", "pythonpath", "database", "schema", "app_role", "apps", "tables", "reference")
        values = {name: options.pop(name) for name in (*names, "reference_dsn", "log_statements", "count_rows")}
        decisions = Decisions(dict(options.pop("take")), frozenset(options.pop("create")))
        options.pop("traceback")
        observed_file = options.pop("observed")
        question = Question(**values, observed_file=observed_file, decisions=decisions)
        return command(question=question, **options)

    # First, because it takes over the command's own options too, and would replace those added before it.
    update_wrapper(run, command)
    for option in reversed(_QUESTION_OPTIONS):
        run = option(run)
    return run


def _decision(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """``TABLE=SCHEMA`` as pairs."""
    pairs = []
    for value in values:
        table, separator, schema = value.partition("=")
        if not (table and separator and schema):
            raise click.BadParameter(f"{value!r} is not TABLE=SCHEMA")
        pairs.append((table, schema))
    return pairs


_QUESTION_OPTIONS = (
    click.option("--settings", metavar="MODULE", help="Else DJANGO_SETTINGS_MODULE, else what manage.py names."),
    click.option("--pythonpath", metavar="FOLDER", help="A folder to import the project from."),
    click.option("--database", default="default", show_default=True, metavar="ALIAS", help="An alias in DATABASES."),
    click.option("--schema", metavar="NAME", help="Where tables belong; else where django_migrations is seen."),
    click.option("--app-role", metavar="ROLE", help="The role that serves requests; else the connected one."),
    click.option("--app", "apps", multiple=True, metavar="LABEL", help="Only this app and what it needs. Repeatable."),
    click.option(
        "--table", "tables", multiple=True, metavar="SELECTOR", help="Only this table; +t, t+, 2+t for neighbours."
    ),
    click.option(
        "--observed",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Read this instead of a database: what psql -XAt -f catalog.sql wrote.",
    ),
    click.option(
        "--reference",
        metavar="DSN",
        help="Where the expected side is made instead: a DSN or embedded; or migrations, which runs them.",
    ),
    click.option(
        "--reference-dsn",
        metavar="DSN",
        help="The server where --reference migrations makes a scratch database; else an embedded one.",
    ),
    click.option("--take", multiple=True, callback=_decision, metavar="TABLE=SCHEMA", help="That copy is the table."),
    click.option("--create", multiple=True, metavar="TABLE", help="Create it anew whatever has that name elsewhere."),
    click.option("--count-rows", is_flag=True, help="Count the rows of copies exactly, however many."),
    click.option(
        "--log-statements",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Append every statement that the database gets.",
    ),
    click.option("--traceback", is_flag=True, help="Show where an error came from."),
)


@cli.command()
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
@click.option("-v", "--verbose", is_flag=True, help="Every step and every note.")
def plan(question: Question, format_: str | None, output: Path | None, exit_code: bool, verbose: bool) -> int:
    """What is broken, why, and the whole order of repair."""
    format_ = format_ or _format_of(output)
    answer = analyse(question, report=_progress(verbose))
    _end_progress()
    colour = output is None and _colour()
    text = render_answer(answer, format_, verbose=verbose, colour=colour)
    _write(text, output, for_people=format_ == "text")
    return 2 if exit_code and answer.findings() else 0


@cli.command()
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
    answer = analyse(replace(question, explain_notes=shows_notes), report=_progress(verbose))
    _end_progress()
    click.echo(render_check(answer, verbose=shows_notes, colour=_colour()), nl=False)
    if answer.findings(Severity(fail_on)):
        return 2
    return 0 if answer.complete else 3


@cli.command()
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

        answer, topic, others = explain_name(question, name, report=_progress(verbose))
        text, troubles = render_topic(topic, others, answer, colour=_colour()), [topic.trouble]
    else:
        from cascade.render.explain_error import render_error_explanation

        answer, subjects = explain_error(question, _given_or_stdin(error or ""), report=_progress(verbose))
        text = render_error_explanation(subjects, answer, colour=_colour())
        troubles = [subject.trouble for subject in subjects]
    _end_progress()
    click.echo(text, nl=False)
    return 2 if exit_code and any(trouble.is_worse_than_a_note for trouble in troubles) else 0


@cli.command()
@question_options
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N records.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Every migration, also long stretches in place.")
def history(question: Question, last: int | None, format_: str, verbose: bool) -> None:
    """Migrations in the order applied, with where the tables and columns of each are found."""
    from cascade.workflows.history import read_timeline, render_timeline

    if question.tables:
        raise click.UsageError("history shows migrations: --table does not apply; --app does.")
    answer, timeline = read_timeline(question, last=last, report=_progress(verbose))
    _end_progress()
    text = render_timeline(answer, timeline, format_, fold=not verbose and last is None, colour=_colour())
    _write(text, None, for_people=format_ == "text")


@cli.command()
@question_options
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Say what is being read.")
def where(question: Question, format_: str, verbose: bool) -> None:
    """Where names lead and where new tables would land, for the role that serves pages and the one that migrates."""
    from cascade.workflows.where import read_whereabouts, render_whereabouts

    if question.apps or question.tables:
        raise click.UsageError("where looks at the whole database: --app and --table do not apply.")
    whereabouts = read_whereabouts(question, report=_progress(verbose))
    _end_progress()
    _write(render_whereabouts(whereabouts, format_, colour=_colour()), None, for_people=format_ == "text")


@cli.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("output"),
    show_default=True,
    metavar="FOLDER",
    help="Where plan.txt, plan.json, plan.dot and plan.svg go.",
)
@click.option("--keep", is_flag=True, help="Leave the server running and say how to use it.")
@click.option("--after-hand-repair", is_flag=True, help="The same site after a repair that was written by hand.")
@click.option("--healthy", is_flag=True, help="The same site without the drift.")
@click.option("-v", "--verbose", is_flag=True, help="Every step and every note.")
def demo(output: Path, keep: bool, after_hand_repair: bool, healthy: bool, verbose: bool) -> None:
    """Replay the incident on an embedded server of its own, and print the plan."""
    from cascade.demo.show import Act, show_demo

    if after_hand_repair and healthy:
        raise click.UsageError("A healthy site needs no repair: give --after-hand-repair or --healthy, not both.")
    act = Act.AFTER_HAND_REPAIR if after_hand_repair else Act.HEALTHY if healthy else Act.INCIDENT
    answer, afterwards = show_demo(act, output, keep=keep, report=lambda message: click.echo(message, err=True))
    click.echo(render_answer(answer, "text", verbose=verbose, colour=_colour()), nl=False)
    click.echo(f"\n{afterwards}", err=True)


@cli.command("catalog-sql")
def catalog_sql() -> None:
    """Print the query for psql.

    Then psql -XAt -d DATABASE -f catalog.sql > observed.json writes what --observed reads.
    """
    from cascade.sources.catalog import catalog_sql as script

    _write(script(), None, for_people=False)


def _glossary_entry(kind: str) -> str:
    from cascade.render.explain import render_kind

    known = [known.value for known in DriftKind]
    if kind not in known:
        raise NoSuchName("kind of finding", kind, known)
    return render_kind(DriftKind(kind))


def _given_or_stdin(text: str) -> str:
    """The text itself, or for ``-`` all of stdin, whatever its encoding."""
    return sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text


def _format_of(output: Path | None) -> str:
    suffix = output.suffix.lstrip(".").lower() if output else ""
    if suffix in ("", "txt", "log"):
        return "text"
    if suffix not in FORMATS:
        raise click.UsageError(f"{output}: which format? Known are {', '.join(FORMATS)}: name one with --format.")
    return suffix


def _write(text: str, output: Path | None, *, for_people: bool) -> None:
    """To stdout, or into the file. What programs read is UTF-8, whatever the terminal speaks."""
    if output is None:
        click.echo(text if for_people else text.encode(), nl=False)
        return
    write_file(output, text)
    click.echo(f"wrote {output}", err=True)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _progress(verbose: bool) -> Callable[[str], None]:
    """Reports on stderr: one line that replaces itself on a terminal, lines of their own with -v."""
    if verbose and not sys.stderr.isatty():
        return lambda message: click.echo(message, err=True)
    if sys.stderr.isatty():
        return lambda message: click.echo(f"\r\033[K{message} …", err=True, nl=False)
    return lambda message: None


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)


def _wants_traceback(arguments: list[str] | None) -> bool:
    return "--traceback" in (sys.argv[1:] if arguments is None else arguments)

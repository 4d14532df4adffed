"""The options that say what to look at, shared by all commands that look."""

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from math import isnan
from pathlib import Path
from typing import Any

import click

from cascade.core.decisions import Decisions
from cascade.core.limits import LONGEST
from cascade.workflows import Question


class Seconds(click.FloatRange):
    """A number of seconds within the range, at most ``LONGEST``."""

    name = "number of seconds"

    def __init__(self, *, min: float, min_open: bool = False) -> None:
        super().__init__(min=min, min_open=min_open, max=LONGEST)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Fails for ``nan`` too, which no range leaves out: it is neither less nor more than anything."""
        number = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return number


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what to look at; the command gets them as one ``question``."""

    def run(**options: Any) -> Any:
        names = ("settings", "pythonpath", "database", "schema", "app_role", "apps", "tables", "reference")
        values = {name: options.pop(name) for name in (*names, "reference_dsn", "log_statements", "count_rows")}
        decisions = Decisions(
            take=dict(options.pop("take")),
            create=frozenset(options.pop("create")),
            keep=dict(options.pop("keep")),
            fill=dict(options.pop("fill")),
            leave_out=frozenset(options.pop("leave_out")),
        )
        options.pop("traceback")
        observed_file = options.pop("observed")
        question = Question(**values, observed_file=observed_file, decisions=decisions)
        return command(question=question, **options)

    # First, because it takes over the command's own options too, and would replace those added before it.
    update_wrapper(run, command)
    for option in reversed(_QUESTION_OPTIONS):
        run = option(run)
    return run


def format_of(output: Path | None, formats: Sequence[str], suffixes: Mapping[str, str] | None = None) -> str:
    """The format that the name of a file says; ``suffixes`` are those that are not the name of a format."""
    suffix = output.suffix.lstrip(".").lower() if output else ""
    if suffix in ("", "txt", "log"):
        return "text"
    format_ = (suffixes or {}).get(suffix, suffix)
    if format_ not in formats:
        raise click.UsageError(f"{output}: which format? Known are {', '.join(formats)}: name one with --format.")
    return format_


def _decision(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[tuple[str, str]]:
    """``TABLE=SCHEMA`` and the like as pairs."""
    pairs = []
    for value in values:
        about, separator, decided = value.partition("=")
        if not (about and separator and decided):
            raise click.BadParameter(f"{value!r} is not {parameter.metavar}")
        pairs.append((about, decided))
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
    click.option(
        "--keep",
        multiple=True,
        callback=_decision,
        metavar="TABLE=SCHEMA",
        help="Of several copies that one counts; the others go into an attic schema.",
    ),
    click.option(
        "--fill",
        multiple=True,
        callback=_decision,
        metavar="TABLE.COLUMN=EXPRESSION",
        help="What old rows get in a NOT NULL column that is added; the expression names no column.",
    ),
    click.option(
        "--leave-out", multiple=True, metavar="STEP", help="A step by its id, or an action such as grant_table."
    ),
    click.option("--count-rows", is_flag=True, help="Count the rows of copies exactly, however many."),
    click.option(
        "--log-statements",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Append every statement that the database gets.",
    ),
    click.option("--traceback", is_flag=True, help="Show where an error came from."),
)

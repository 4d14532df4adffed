"""``cascade migration``: the repair as a migration of the project."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cascade.cli.console import end_progress, progress
from cascade.cli.options import question_options
from cascade.workflows import Question

if TYPE_CHECKING:
    from cascade.workflows.migration import MigrationFile, Placing


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="After apply: what this journal keeps.",
)
@question_options
@click.option(
    "--before-pending", is_flag=True, help="Put it before the first migration of its app that was not applied then."
)
@click.option("--into", metavar="APP", help="The app of the project that takes repairs of apps from elsewhere.")
@click.option("--print", "prints", is_flag=True, help="Print the files instead of writing them.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being read.")
def migration(
    question: Question,
    plan: Path | None,
    journal: Path | None,
    before_pending: bool,
    into: str | None,
    prints: bool,
    verbose: bool,
) -> int:
    """Write the repair as a guarded migration: nothing on a healthy database, the plan on a drifted one.

    Without PLAN a plan is made now. Once apply has run there is none to make: its journal keeps the migrations.
    """
    from cascade.effects.files import write_file
    from cascade.workflows.migration import Placing, make_repair_migrations

    report, placing = progress(verbose), Placing(before_pending, into)
    if plan is None and journal is None:
        files = make_repair_migrations(question, placing, report=report)
    else:
        files = _kept(question, plan, journal, placing)
    end_progress()
    if not files:
        click.echo("The plan has no steps that belong in a migration: nothing was written.", err=True)
        if plan is None and journal is None:
            click.echo("After a repair by apply its journal keeps them: cascade migration --journal JOURNAL", err=True)
        return 0
    for file in files:
        if prints:
            click.echo(f"# {file.path}\n{file.text}")
        else:
            write_file(file.path, file.text)
            click.echo(f"wrote {file.path}", err=True)
        for column in file.left:
            click.echo(f"  it leaves {column}", err=True)
    if files and not prints:
        click.echo("NEXT     read and commit it; migrate then runs it in every environment", err=True)
    return 0


def _kept(
    question: Question, plan: Path | None, journal: Path | None, placing: "Placing"
) -> "tuple[MigrationFile, ...]":
    """The migrations of a saved plan, or those that a journal keeps."""
    from cascade.sources.project import read_project
    from cascade.workflows.migration import migration_files, migrations_of_journal
    from cascade.workflows.plan_file import read_plan_file, replan

    if replace(question, settings=None, pythonpath=None) != Question() or (plan and journal):
        raise click.UsageError(
            "PLAN or --journal says what it is about: beside one of them only --settings and --pythonpath are taken."
        )
    if plan is not None:
        saved = read_plan_file(plan).with_project(question.settings, question.pythonpath)
        answer = replan(saved, report=progress(False))
        return migration_files(answer, saved.question, placing)
    assert journal is not None, "one of both was given"
    read_project(question.settings, question.pythonpath)
    return migrations_of_journal(journal, placing)

"""``cascade migration``: the repair as a migration of the project."""

import click

from cascade.cli.console import end_progress, progress
from cascade.cli.options import question_options
from cascade.workflows import Question


@click.command()
@question_options
@click.option("--before-pending", is_flag=True, help="Put it before the first pending migration of its app.")
@click.option("--into", metavar="APP", help="The app of the project that takes repairs of apps from elsewhere.")
@click.option("--print", "prints", is_flag=True, help="Print the files instead of writing them.")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being read.")
def migration(question: Question, before_pending: bool, into: str | None, prints: bool, verbose: bool) -> int:
    """Write the repair as a guarded migration: nothing on a healthy database, the plan on a drifted one."""
    from cascade.effects.files import write_file
    from cascade.workflows.migration import make_repair_migrations

    files = make_repair_migrations(question, before_pending=before_pending, into=into, report=progress(verbose))
    end_progress()
    if not files:
        click.echo("The plan has no steps that belong in a migration: nothing was written.", err=True)
        return 0
    for file in files:
        if prints:
            click.echo(f"# {file.path}\n{file.text}")
        else:
            write_file(file.path, file.text)
            click.echo(f"wrote {file.path}", err=True)
        for column in file.left:
            click.echo(f"  it leaves {column}", err=True)
    return 0

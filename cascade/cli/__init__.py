"""The command line: parse, one workflow, print, exit code.

Exit codes: 0 an answer, 1 an error (usage included), 2 drift where that was asked for, 3 (check) nothing
found but something could not be checked.
"""

import io
import sys
import traceback
from typing import NoReturn

import click

from cascade.cli.console import end_progress
from cascade.cli.explaining import explain, history, where
from cascade.cli.graphing import graph
from cascade.cli.looking import check, plan
from cascade.cli.migrating import migration
from cascade.cli.probing import probe
from cascade.cli.repairing import apply, rehearse, undo
from cascade.cli.reporting import report
from cascade.cli.showing import catalog_sql, demo
from cascade.errors import CascadeError


def main(arguments: list[str] | None = None, *, program: str = "cascade") -> NoReturn:
    """Run a command and exit with its code; an error is one sentence on stderr. ``program`` is what was typed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without the letter "…" is no reason to fail
    try:
        code = run(arguments, program=program)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except CascadeError as error:
        end_progress()
        if _wants_traceback(arguments):
            traceback.print_exc()
        click.echo(f"cascade: {error}", err=True)
        sys.exit(1)
    sys.exit(code)


def run(arguments: list[str] | None = None, *, program: str = "cascade") -> int:
    """Run a command; its exit code. Raises ``click.ClickException`` for wrong usage and ``CascadeError``."""
    return cli.main(args=arguments, prog_name=program, standalone_mode=False) or 0


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="django-cascade", prog_name="cascade")
def cli() -> None:
    """Find what is not where the applied migrations say it is, and the whole order of its repair.

    Only apply and undo change the database, and show every statement first.
    """


for command in (
    plan,
    check,
    probe,
    rehearse,
    apply,
    undo,
    migration,
    explain,
    graph,
    history,
    where,
    report,
    demo,
    catalog_sql,
):
    cli.add_command(command)


def _wants_traceback(arguments: list[str] | None) -> bool:
    return "--traceback" in (sys.argv[1:] if arguments is None else arguments)

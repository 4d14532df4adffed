"""``manage.py cascade``: the same commands, options, exit codes and output as ``cascade``."""

import io
import os
import sys
from argparse import REMAINDER
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cascade.cli import main, run
from cascade.errors import CascadeError


class Command(BaseCommand):
    """Hands its arguments to the click group, unread by Django."""

    help = "Find what is not where the applied migrations say it is, and the whole order of its repair."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """As typed: exits with the command's own code."""
        main(argv[2:], program=_as_typed(argv[0], argv[1]))

    def print_help(self, prog_name: str, subcommand: str) -> None:
        """``manage.py help cascade``: the commands, not Django's options."""
        run(["--help"], program=_as_typed(prog_name, subcommand))

    def add_arguments(self, parser: CommandParser) -> None:
        """All that follows is the command's."""
        parser.add_argument("arguments", nargs=REMAINDER, metavar="COMMAND …", help="cascade --help lists them")

    def handle(self, *args: Any, **options: Any) -> None:
        """As called by ``call_command``: an error is a ``CommandError``, a code other than 0 a ``SystemExit``."""
        try:
            with self._redirected():
                code = run(options["arguments"], program="cascade")
        except click.ClickException as error:
            raise CommandError(error.format_message()) from error
        except CascadeError as error:
            raise CommandError(str(error)) from error
        if code:
            sys.exit(code)

    @contextmanager
    def _redirected(self) -> Iterator[None]:
        """Have what is printed go where ``call_command`` was told to send it."""
        told = [(self.stdout, sys.stdout, redirect_stdout), (self.stderr, sys.stderr, redirect_stderr)]
        if all(wrapper._out is usual for wrapper, usual, _ in told):
            yield
            return
        # Machine formats are bytes, which a text file that a test gives does not take.
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in told)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                yield
        finally:
            for wrapper, printed in ((self.stdout, out), (self.stderr, err)):
                wrapper.write(printed.buffer.getvalue().decode(), ending="")


def _as_typed(program: str, command: str) -> str:
    """``manage.py cascade``, or ``python -m django cascade``."""
    name = os.path.basename(program)
    return f"{'python -m django' if name == '__main__.py' else name} {command}"

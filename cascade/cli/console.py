"""What every command prints with: data on stdout, progress on stderr, colours on a terminal alone."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from cascade.effects.files import write_file


def write(text: str, output: Path | None = None, *, for_people: bool) -> None:
    """To stdout, or into the file. What programs read is UTF-8, whatever the terminal speaks."""
    if output is None:
        click.echo(text if for_people else text.encode(), nl=False)
        return
    write_file(output, text)
    click.echo(f"wrote {output}", err=True)


def colour() -> bool:
    """Whether stdout is a terminal that wants colours (no-color.org)."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def progress(verbose: bool) -> Callable[[str], None]:
    """Reports on stderr: one line that replaces itself on a terminal, lines of their own with -v."""
    if verbose and not sys.stderr.isatty():
        return lambda message: click.echo(message, err=True)
    if sys.stderr.isatty():
        return lambda message: click.echo(f"\r\033[K{message} …", err=True, nl=False)
    return lambda message: None


def warn(message: str) -> None:
    """On stderr, where it stands whatever comes after it."""
    end_progress()
    click.echo(f"cascade: {message}", err=True)


def end_progress() -> None:
    """Take the last line of progress off the terminal."""
    if sys.stderr.isatty():
        click.echo("\r\033[K", err=True, nl=False)

"""``cascade report``: the postmortem."""

from functools import partial
from pathlib import Path

import click

from cascade.cli.console import end_progress, progress
from cascade.cli.options import question_options
from cascade.workflows import Question

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("before", type=_file, required=False)
@click.option("--journal", type=_file, metavar="FILE", help="What cascade apply wrote; it holds the plan too.")
@click.option("--after", type=_file, metavar="FILE", help="A plan, or a look by catalog.sql, from after the repair.")
@click.option(
    "--probes",
    type=_file,
    multiple=True,
    metavar="FILE",
    help="What cascade probe --format json wrote: before and after, in this order. Repeatable.",
)
@click.option("--migration", type=_file, metavar="FILE", help="The repair migration for the other environments.")
@click.option("--redact", is_flag=True, help="Replace hosts, roles, paths and names of users, the same everywhere.")
@click.option(
    "--hide",
    multiple=True,
    metavar="NAME",
    help="With --redact: this name too, such as one in the path of a page. Repeatable.",
)
@click.option("--format", "format_", type=click.Choice(("both", "html", "markdown")), default="both", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False, allow_dash=True),
    default=Path("report"),
    show_default=True,
    metavar="FOLDER",
    help="Where it goes; - prints one format on stdout.",
)
@question_options
@click.option("-v", "--verbose", is_flag=True, help="Say what is being read.")
def report(
    question: Question,
    before: Path | None,
    after: Path | None,
    journal: Path | None,
    probes: tuple[Path, ...],
    migration: Path | None,
    redact: bool,
    hide: tuple[str, ...],
    format_: str,
    output: Path,
    verbose: bool,
) -> int:
    """Write the postmortem, as one HTML page and as Markdown with its pictures beside it.

    BEFORE is a plan from before the repair (cascade plan -o plan.json), or a look at the database by catalog.sql.
    With a journal alone the report comes whole; where SQL was run by hand, give two looks: BEFORE and --after.
    Without any file it tells how the database is now. What is not known is said to be not known.
    """
    from cascade.core.words import listed
    from cascade.workflows.reporting import REPORT_FORMATS, Kept, read_incident, report_files, write_report

    formats = REPORT_FORMATS if format_ == "both" else (format_,)
    if str(output) == "-" and len(formats) > 1:
        raise click.UsageError("-o - prints one format: say which with --format.")
    if hide and not redact:
        raise click.UsageError("--hide goes with --redact.")
    kept = Kept(before, after, journal, probes, migration)
    incident = read_incident(kept, question, hide_names=redact, hide_also=hide, report=progress(verbose))
    files = report_files(incident, formats)
    end_progress()
    if str(output) == "-":
        click.echo(files["report.html" if "html" in formats else "report.md"].encode(), nl=False)
        return 0
    if redact and incident.probes:
        paths = listed(list(dict.fromkeys(page.name for page in incident.pages)), 3)
        click.echo(
            f"not replaced: what paths of pages name in plain words: look through {paths}; --hide NAME", err=True
        )
    for path in write_report(files, output, report=partial(click.echo, err=True)):
        click.echo(f"wrote {path}", err=True)
    for sentence in incident.not_known:
        click.echo(f"not known: {sentence}", err=True)
    return 0

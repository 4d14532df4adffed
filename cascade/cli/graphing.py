"""``cascade graph``: how the tables hang together."""

from pathlib import Path

import click

from cascade.cli.console import colour, end_progress, progress, write
from cascade.cli.options import format_of, question_options
from cascade.workflows import Question
from cascade.workflows.graph import GRAPH_FORMATS

_SUFFIXES = {"mmd": "mermaid"}


@click.command()
@question_options
@click.option("--format", "format_", type=click.Choice(GRAPH_FORMATS), help="Else what the name of -o says, else text.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there; .txt, .json, .dot, .svg and .mmd say the format.",
)
@click.option("--before-after", is_flag=True, help="Two panels: now, and after the plan. For dot and svg.")
@click.option("--exit-code", is_flag=True, help="Exit with 2 where there is drift.")
@click.option("-v", "--verbose", is_flag=True, help="Every table, also where there are very many.")
def graph(
    question: Question,
    format_: str | None,
    output: Path | None,
    before_after: bool,
    exit_code: bool,
    verbose: bool,
) -> int:
    """How the tables hang together by their foreign keys, with what is amiss on each.

    --table bounty+1 draws a table and its neighbours: 2+t what it needs, t+ what refers to it.
    """
    from cascade.workflows.graph import read_graph, render_graph, what_is_folded

    format_ = format_ or format_of(output, GRAPH_FORMATS, _SUFFIXES)
    if before_after and format_ not in ("dot", "svg"):
        raise click.UsageError("--before-after is a picture: add --format svg or dot, or -o FILE.svg.")
    answer, tables = read_graph(question, report=progress(verbose))
    end_progress()
    if format_ in ("dot", "svg", "mermaid") and not before_after:
        for sentence in what_is_folded(answer, tables):
            click.echo(sentence, err=True)
    text = render_graph(
        answer, tables, format_, before_after=before_after, fold=not verbose, colour=output is None and colour()
    )
    write(text, output, for_people=format_ == "text")
    return 2 if exit_code and tables.amiss else 0

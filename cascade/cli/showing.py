"""``cascade demo``, and the query for psql."""

from pathlib import Path

import click

from cascade.cli.console import colour, write
from cascade.core.answer import Answer
from cascade.effects.embedded_server import EmbeddedServer
from cascade.workflows import render_answer


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("cascade-demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where plan.txt, plan.json, plan.dot and plan.svg go.",
)
@click.option("--keep", is_flag=True, help="Leave the server running and say how to use it.")
@click.option("--after-hand-repair", is_flag=True, help="The same site after a repair that was written by hand.")
@click.option("--repair", is_flag=True, help="Go on: rehearse, apply, prove that no row is lost, report, undo.")
@click.option("--healthy", is_flag=True, help="The same site without the drift.")
@click.option("-v", "--verbose", is_flag=True, help="Every step and every note.")
def demo(output: Path, keep: bool, after_hand_repair: bool, repair: bool, healthy: bool, verbose: bool) -> None:
    """Replay the incident on an embedded server of its own, and print the plan."""
    from cascade.demo.show import Act, show_demo

    if healthy and (after_hand_repair or repair):
        raise click.UsageError("A healthy site needs no repair: give --healthy alone.")
    act = Act.AFTER_HAND_REPAIR if after_hand_repair else Act.HEALTHY if healthy else Act.INCIDENT

    def print_plan(answer: Answer, server: EmbeddedServer) -> None:
        click.echo(render_answer(answer, "text", verbose=verbose, colour=colour()), nl=False)
        if repair:
            from cascade.demo.repair import show_repair

            click.echo()
            show_repair(server, answer, act.settings, output, report=click.echo)

    afterwards = show_demo(
        act, output, keep=keep, report=lambda message: click.echo(message, err=True), then=print_plan
    )
    click.echo(f"\n{afterwards}", err=True)


@click.command("catalog-sql")
def catalog_sql() -> None:
    """Print the query for psql.

    Then psql -XAt -d DATABASE -f catalog.sql > observed.json writes what --observed reads.
    """
    from cascade.sources.catalog import catalog_sql as script

    write(script(), None, for_people=False)

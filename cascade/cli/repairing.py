"""``cascade rehearse``, ``apply`` and ``undo``: the plan becomes deeds."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from cascade.cli.console import colour, end_progress, progress, warn
from cascade.cli.options import Seconds, question_options
from cascade.cli.probing import Checkup
from cascade.core.limits import Limits
from cascade.core.plan import HazardKind
from cascade.errors import CascadeError
from cascade.workflows import Question


def _hazards(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> frozenset[HazardKind]:
    """``rewrite,replication`` as hazards."""
    words = [word.strip() for value in values for word in value.split(",") if word.strip()]
    known = {kind.value: kind for kind in HazardKind}
    for word in words:
        if word not in known:
            consent = ", ".join(kind.value for kind in HazardKind if kind.needs_consent)
            raise click.BadParameter(f"there is no hazard {word!r}; those that want to be allowed: {consent}")
    return frozenset(known[word] for word in words)


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_connection = _options(
    click.option("--apply-database", metavar="ALIAS", help="Connect by this alias: the role that migrates."),
    click.option("--dsn", metavar="DSN", help="Connect by this DSN instead."),
)
_where = _options(
    click.option("--settings", metavar="MODULE", help="Else what the plan was made with."),
    click.option("--pythonpath", metavar="FOLDER", help="A folder to import the project from."),
    _connection,
)
_some_seconds = Seconds(min=0, min_open=True)
_limits = _options(
    click.option(
        "--lock-timeout",
        type=_some_seconds,
        default=2.0,
        show_default=True,
        metavar="SECONDS",
        help="For one lock; more than 0, for others queue behind us.",
    ),
    click.option(
        "--statement-timeout",
        type=Seconds(min=0),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="For one statement; 0 is no limit.",
    ),
    click.option(
        "--max-wait",
        type=_some_seconds,
        default=1.0,
        show_default=True,
        metavar="SECONDS",
        help="How long others may wait for us before all is rolled back.",
    ),
    click.option(
        "--max-hold", type=_some_seconds, metavar="SECONDS", help="How long locks that others feel may be held."
    ),
    click.option("--tries", type=click.IntRange(min=1), default=5, show_default=True),
)
_plan = click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
_traceback = click.option("--traceback", is_flag=True, help="Show where an error came from.")
_verbose = click.option("-v", "--verbose", is_flag=True, help="Say what is being done.")


@click.command()
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False), required=False)
@_connection
@_limits
@question_options
@click.option("--clone/--here", "clone", default=None, help="On a clone without rows, or on the database itself.")
@click.option("--probe", is_flag=True, help="Ask the declared pages before and after the steps: see cascade probe.")
@_verbose
def rehearse(
    question: Question, plan: Path | None, clone: bool | None, probe: bool, verbose: bool, **options: Any
) -> int:
    """Run the steps of PLAN in a transaction that cannot commit, look whether they cure, and roll back.

    Without PLAN a plan is made now. --here, the default, takes the locks that apply would take, for as long as the
    steps take. --clone, the default where CASCADE["PRODUCTION"] names the server, makes an embedded server with all
    objects and no rows (pg_dump reads them) and takes no lock but there.
    """
    from cascade.render.rehearsal import render_rehearsal
    from cascade.workflows import analyse
    from cascade.workflows.plan_file import read_plan_file, replan
    from cascade.workflows.repairing import is_production, rehearse_on_clone, rehearse_plan, repair_target

    report = progress(verbose)
    if plan is None:
        answer = analyse(question, report=report)
    else:
        if replace(question, settings=None, pythonpath=None) != Question():
            raise click.UsageError("PLAN says what it is about: beside it only --settings and --pythonpath are taken.")
        saved = read_plan_file(plan).with_project(question.settings, question.pythonpath)
        answer, question = replan(saved, report=report), saved.question
    if answer.plan.is_empty:
        end_progress()
        click.echo("The plan has no steps: there is nothing to rehearse.")
        return 2 if answer.findings() else 0
    target = repair_target(question, alias=options["apply_database"], dsn=options["dsn"])
    if clone is None:
        clone = is_production(target)
    run = rehearse_on_clone if clone else partial(rehearse_plan, warn=warn)
    checkup = Checkup(answer, question, report) if probe else None
    ask = checkup.within if checkup else None
    rehearsed = run(answer, question, target, _limits_of(options), ask=ask, report=report)
    end_progress()
    told = render_rehearsal(
        rehearsed.runs,
        skipped=rehearsed.skipped,
        left=rehearsed.left,
        not_cloned=rehearsed.not_cloned,
        cloned=clone,
        plan=str(plan or ""),
        colour=colour(),
    )
    click.echo(told, nl=False)
    broken = checkup is not None and checkup.told()
    return 2 if rehearsed.left or broken else 0


@click.command()
@_plan
@_where
@_limits
@click.option("--allow", multiple=True, callback=_hazards, metavar="HAZARD,…", help="Hazards that are accepted.")
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Else a name is made.")
@click.option("--noinput", "--no-input", "--yes", "noinput", is_flag=True, help="Do not ask. Allows no hazard.")
@click.option("--probe", is_flag=True, help="Ask the declared pages before and after: see cascade probe.")
@click.option("--probe-before-commit", is_flag=True, help="And before COMMIT: what would break a page is rolled back.")
@_verbose
@_traceback
def apply(
    plan: Path, allow: frozenset[HazardKind], journal: Path | None, noinput: bool, verbose: bool, **options: Any
) -> int:
    """Run the steps of PLAN: checked before, verified before COMMIT, journalled, looked at again afterwards."""
    from cascade.core.preflight import may_go_on
    from cascade.render.applying import render_applied, render_plan_head, render_will_run
    from cascade.render.preflight import render_preflight
    from cascade.workflows.plan_file import read_plan_file, replan
    from cascade.workflows.repairing import (
        apply_plan,
        journal_path,
        journal_probes,
        preflight,
        repair_target,
        undo_journal,
    )

    saved = read_plan_file(plan).with_project(options["settings"], options["pythonpath"])
    limits, question = _limits_of(options), saved.question
    answer = replan(saved, report=progress(verbose))
    target = repair_target(question, alias=options["apply_database"], dsn=options["dsn"])
    if answer.plan.is_empty:
        end_progress()
        click.echo("The plan has no steps: there is nothing to run.")
        return 2 if answer.findings() else 0
    path = journal or journal_path(answer)
    checks = preflight(answer, question, target, path, allowed=allow)
    end_progress()
    click.echo(render_plan_head(answer, saved.read_at) + render_preflight(checks, colour=colour()), nl=False)
    if not may_go_on(checks):
        raise CascadeError("Nothing was changed: the preflight says no.")
    click.echo(render_will_run(answer, limits, colour=colour()), nl=False)
    if not noinput:
        _ask_for(answer.observed.database, read="the plan")
    probes = options["probe"] or options["probe_before_commit"]
    checkup = Checkup(answer, question, progress(verbose)) if probes else None
    ask = checkup.refusing if checkup and options["probe_before_commit"] else None
    # In a log too it has to stand when all was rolled back and is tried again.
    before = checkup.before if checkup else None
    applied = apply_plan(
        answer, question, target, limits, path, before=before, ask=ask, report=progress(True), warn=warn
    )
    end_progress()
    took = sum(run.milliseconds for run in applied.runs)
    told = render_applied(answer, applied.afterwards, milliseconds=took, journal=str(path), colour=colour())
    click.echo(told, nl=False)
    broken = checkup is not None and checkup.told(applied.afterwards)
    if checkup is not None and checkup.after is not None:
        journal_probes(path, checkup.after)
    if not broken:
        return 2 if applied.left else 0
    if not noinput and click.confirm("A page that worked before fails now. Take the repair back?"):
        undone = undo_journal(path, target, limits, report=progress(True), warn=warn)
        end_progress()
        click.echo(f"Undone: {len(undone.steps)} steps. The tables are as they were before the repair.")
    return 2


@click.command()
@click.argument("journal", type=click.Path(path_type=Path, dir_okay=False))
@_where
@_limits
@click.option("--database", default="default", show_default=True, metavar="ALIAS", help="An alias in DATABASES.")
@click.option("--noinput", "--no-input", "--yes", "noinput", is_flag=True, help="Do not ask.")
@_verbose
@_traceback
def undo(journal: Path, database: str, noinput: bool, verbose: bool, **options: Any) -> int:
    """Take the repair of JOURNAL back: the layout as it was before. Refused where rows written since would be lost."""
    from cascade.core.journal import statements_to_undo
    from cascade.effects.repair.journal import read_journal
    from cascade.render.applying import render_undo_head
    from cascade.sources.project import read_project
    from cascade.workflows.repairing import repair_target, steps_to_undo, undo_journal

    read = read_journal(journal)
    read_project(options["settings"] or read.header.get("question", {}).get("settings"), options["pythonpath"])
    target = repair_target(Question(database=database), alias=options["apply_database"], dsn=options["dsn"])
    limits = _limits_of(options)
    steps = steps_to_undo(journal, target)
    click.echo(render_undo_head(read, len(steps)))
    for _, statement in statements_to_undo(steps):
        click.echo(statement)
    if not noinput:
        _ask_for(str(read.header["database"]), read="what would be undone")
    undone = undo_journal(journal, target, limits, report=progress(True), warn=warn)
    end_progress()
    click.echo(f"Undone: {len(undone.steps)} steps. The tables are as they were before the repair.")
    if undone.kept:
        click.echo(f"Kept, for nothing takes it back: {', '.join(undone.kept)}.")
    return 0


def _limits_of(options: dict[str, Any]) -> Limits:
    names = ("lock_timeout", "statement_timeout", "max_wait", "max_hold", "tries")
    return Limits(**{name: options[name] for name in names})


def _ask_for(database: str, *, read: str) -> None:
    """The name of the database, typed by a person who has ``read`` what is to be done."""
    if not sys.stdin.isatty():
        raise CascadeError(
            "Nothing was changed: there is no terminal on which to ask.", hint=f"Read {read}, then give --noinput."
        )
    try:
        typed = click.prompt("Type the name of the database to go on", default="", show_default=False)
    except click.Abort as abort:
        raise CascadeError("Nothing was changed: the name was not typed.") from abort
    if typed.strip() != database:
        raise CascadeError(f'Nothing was changed: "{typed}" is not {database}.')

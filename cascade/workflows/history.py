"""Migrations in the order applied, with where that which each made is found."""

from collections.abc import Iterable
from dataclasses import replace

from cascade.core.answer import Answer
from cascade.core.history import History
from cascade.core.timeline import Timeline, make_timeline
from cascade.errors import NoSuchName
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, silent

HISTORY_FORMATS = ("text", "json", "dot", "svg")
"""What a timeline can be rendered as."""


def read_timeline(question: Question, *, last: int | None = None, report: Report = silent) -> tuple[Answer, Timeline]:
    """The record with where everything is, and the answer that it was read with; of the question's apps, if any.

    ``last`` keeps so many records. Raises ``NoSuchName`` for an app that neither has a record nor is installed.
    """
    answer = analyse(replace(question, apps=(), tables=()), report=report)
    history = answer.observed.history(answer.placement.target) or History(answer.placement.target, ())
    timeline = make_timeline(answer.expected, answer.observed, history)
    _refuse_unknown_apps(question.apps, {*answer.expected.apps, *(e.migration.app for e in timeline.entries)})
    timeline = timeline.of_apps(question.apps)
    return answer, timeline if last is None else timeline.last(last)


def render_timeline(
    answer: Answer, timeline: Timeline, format_: str, *, fold: bool = True, colour: bool = False
) -> str:
    """The timeline in one of ``HISTORY_FORMATS``; ``fold`` sums up what is in place."""
    if format_ == "json":
        from cascade.render.history import render_history_json

        return render_history_json(answer, timeline)
    if format_ == "dot":
        from cascade.render.history_dot import render_history_dot

        return render_history_dot(answer, timeline, fold=fold)
    if format_ == "svg":
        from cascade.render.pictures.answers import draw_timeline

        return draw_timeline(answer, timeline, fold=fold).alone
    from cascade.render.history import render_history

    return render_history(answer, timeline, fold=fold, colour=colour)


def _refuse_unknown_apps(apps: Iterable[str], known: set[str]) -> None:
    for app in apps:
        if app not in known:
            raise NoSuchName("app", app, known, where=" in the record of migrations")

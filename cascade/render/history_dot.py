"""The timeline of migrations as a picture in DOT."""

from cascade.core.answer import Answer
from cascade.core.timeline import Timeline
from cascade.render.history import header
from cascade.render.history_ladder import HistoryLadder, Window
from cascade.render.ladder_dot import DotLadder, ladder_dot
from cascade.render.wording import printable


def render_history_dot(answer: Answer, timeline: Timeline, *, fold: bool = True) -> str:
    """The migrations from top to bottom in the order recorded; with ``fold`` long stretches in place are one row.

    Of more than ``MOST_ROWS`` rows the last are drawn.
    """
    ladder = _ladder(answer, timeline)
    return ladder_dot(ladder.head, list(ladder.parts(DotLadder, fold=fold)))


def describe_history(answer: Answer, timeline: Timeline) -> str:
    """The picture in words: what is recorded, the windows, and the migrations of which not all is in place."""
    return printable(_ladder(answer, timeline).description())


def _ladder(answer: Answer, timeline: Timeline) -> HistoryLadder:
    windows = [
        Window(cause.sentence, cause.first, cause.last, frozenset(cause.migrations))
        for cause in answer.causes
        if cause.first and cause.last
    ]
    return HistoryLadder(
        answer.observed.database, header(answer, timeline), timeline.entries, windows, answer.placement.target
    )

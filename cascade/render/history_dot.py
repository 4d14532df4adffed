"""The timeline of migrations as a picture in DOT."""

from cascade.core.answer import Answer
from cascade.core.timeline import Timeline
from cascade.render.history import header
from cascade.render.history_ladder import HistoryLadder, Window
from cascade.render.ladder_dot import DotLadder, ladder_dot


def render_history_dot(answer: Answer, timeline: Timeline, *, fold: bool = True) -> str:
    """The migrations from top to bottom in the order recorded; with ``fold`` long stretches in place are one row.

    Of more than ``MOST_ROWS`` rows the last are drawn.
    """
    ladder = history_ladder(answer, timeline)
    return ladder_dot(ladder.head, list(ladder.parts(DotLadder, fold=fold)))


def history_ladder(answer: Answer, timeline: Timeline) -> HistoryLadder:
    """All that the picture shows."""
    windows = [
        Window(cause.sentence, cause.first, cause.last, frozenset(cause.migrations))
        for cause in answer.causes
        if cause.first and cause.last
    ]
    return HistoryLadder(
        answer.observed.database, header(answer, timeline), timeline.entries, windows, answer.placement.target
    )

"""The timeline of migrations as a picture in DOT."""

from cascade.core.answer import Answer
from cascade.core.timeline import Timeline
from cascade.render.history_ladder import make_history_ladder
from cascade.render.ladder_dot import DotLadder, ladder_dot


def render_history_dot(answer: Answer, timeline: Timeline, *, fold: bool = True) -> str:
    """The migrations from top to bottom in the order recorded; with ``fold`` long stretches in place are one row.

    Of more than ``MOST_ROWS`` rows the last are drawn.
    """
    ladder = make_history_ladder(answer, timeline)
    return ladder_dot(ladder.head, list(ladder.parts(DotLadder, fold=fold)))

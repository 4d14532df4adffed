"""The ladders of an answer as SVG. Graphviz is not asked: of its arcs those between neighbours are slivers."""

from cascade.core.answer import Answer
from cascade.core.timeline import Timeline
from cascade.render.history_ladder import make_history_ladder
from cascade.render.pictures.ladder import DrawnLadder, drawn_ladder
from cascade.render.pictures.picture import Picture
from cascade.render.plan_ladder import make_ladder


def draw_plan(answer: Answer) -> Picture:
    """The steps in order, then what is undecided and left out; of an empty plan a picture that says so."""
    ladder = make_ladder(answer)
    shape = drawn_ladder(ladder.parts(DrawnLadder), ladder.arcs())
    return Picture("plan", f"cascade plan {answer.plan_id}", ladder.description(), shape)


def draw_timeline(answer: Answer, timeline: Timeline, *, fold: bool = True) -> Picture:
    """The migrations in the order recorded; with ``fold`` long stretches in place are one row."""
    ladder = make_history_ladder(answer, timeline)
    shape = drawn_ladder(ladder.parts(DrawnLadder, fold=fold))
    return Picture("history", ladder.head, ladder.description(), shape)

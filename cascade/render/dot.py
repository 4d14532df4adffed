"""The plan as a ladder in DOT: what to do, in which order, from top to bottom.

One row a step, all rows equally wide; arcs on the right are foreign keys between drifted tables, keys to
healthy ones are grey words. It reads the same at 5 and at 60 tables: nothing is laid out but the arcs, and of
these no more are drawn than an eye can follow; the others are words too.
"""

from collections.abc import Iterator

from cascade.core.answer import Answer
from cascade.render.labels import tooltip_text
from cascade.render.ladder_dot import DotLadder, ladder_dot
from cascade.render.plan_ladder import make_ladder
from cascade.render.rungs import PlanLadder


def render_dot(answer: Answer) -> str:
    """The plan as a picture in DOT, without dates, so that it can be compared.

    What is undecided and what the scope leaves out stands in bands of its own below the steps; an empty plan is
    a small picture that says so. Of more than ``MOST_ROWS`` rows the others are counted.
    """
    ladder = make_ladder(answer)
    return ladder_dot(f"cascade plan {answer.plan_id}", list(ladder.parts(DotLadder)), _arcs(ladder))


def _arcs(ladder: PlanLadder) -> Iterator[str]:
    row = {rung.name: number for number, rung in enumerate(ladder.shown)}
    for start, end, times, told in ladder.arcs():
        outwards = 40 if row[start] < row[end] else -40
        # A label in the middle would be given room between the rows, and lead the arc through it.
        label = f', taillabel="×{times}", labelangle={outwards}' if times > 1 else ""
        yield f"  {start}:e -> {end}:e [constraint=false, tooltip={tooltip_text(told)}{label}];"

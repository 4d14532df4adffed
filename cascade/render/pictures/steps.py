"""The steps of a plan's JSON as a picture."""

from cascade.core.documents import JSON
from cascade.core.words import counted
from cascade.render.pictures.ladder import DrawnLadder, drawn_ladder
from cascade.render.pictures.picture import Picture
from cascade.render.plan_ladder import make_plan_ladder


def draw_steps(plan: JSON) -> Picture | None:
    """The steps from top to bottom, arcs on the right where a step's table has a key to that of another; or None."""
    if not plan["steps"]:
        return None
    ladder = make_plan_ladder(plan)
    return Picture(
        "steps",
        f"The order of repair: {counted(len(plan['steps']), 'step')}",
        ladder.description(),
        drawn_ladder(ladder.parts(DrawnLadder), ladder.arcs()),
    )

"""The pictures of reports and notebooks, drawn from a plan's JSON: no program is needed for them, and none is missing.

They are siblings of those that Graphviz draws: words, colours and borders are those of ``render.looks``, and every
shape names its colour itself, so that a page with a strict policy can show them as they are.
"""

from cascade.render.pictures.history import draw_history
from cascade.render.pictures.neighbourhood import draw_neighbourhood
from cascade.render.pictures.picture import STYLE, Picture
from cascade.render.pictures.places import draw_places
from cascade.render.pictures.steps import draw_steps

__all__ = ["STYLE", "Picture", "draw_history", "draw_neighbourhood", "draw_places", "draw_steps"]

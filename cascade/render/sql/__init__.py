"""All SQL that is shown or run against the target, worded from layout values as PostgreSQL printed them.

The proof is a round trip: layout → SQL → PostgreSQL → the same layout, names included
(``tests/postgres/test_round_trip.py``). Printed expressions mean what they say under
``search_path = pg_catalog, pg_temp``, so whoever runs these statements sets it, as the script does.
"""

from cascade.render.sql.actions import (
    render_action,
    render_clearing,
    render_refusals,
    render_step_sql,
    render_taking_back,
    render_undo,
)
from cascade.render.sql.constraints import render_add_foreign_key
from cascade.render.sql.script import LOCK_TIMEOUT, render_plan_script, render_sql_script, render_undo_script
from cascade.render.sql.tables import refuse_rows, render_create_table
from cascade.render.sql.words import SEARCH_PATH, NotRenderable, literal

__all__ = [
    "LOCK_TIMEOUT",
    "SEARCH_PATH",
    "NotRenderable",
    "literal",
    "refuse_rows",
    "render_action",
    "render_add_foreign_key",
    "render_clearing",
    "render_create_table",
    "render_plan_script",
    "render_refusals",
    "render_sql_script",
    "render_step_sql",
    "render_taking_back",
    "render_undo",
    "render_undo_script",
]

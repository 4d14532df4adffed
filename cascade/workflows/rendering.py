"""An answer in the format that was asked for."""

from cascade.core.answer import Answer

FORMATS = ("text", "json", "sql", "undo-sql", "dot", "svg")
"""What an answer can be rendered as."""


def render_answer(answer: Answer, format_: str, *, verbose: bool = False, colour: bool = False) -> str:
    """The answer in one of ``FORMATS``. A renderer is loaded only when it is asked for."""
    match format_:
        case "json":
            from cascade.render.plan_json import render_plan_json

            return render_plan_json(answer)
        case "sql":
            from cascade.render.sql import render_sql_script

            return render_sql_script(answer)
        case "undo-sql":
            from cascade.render.sql import render_undo_script

            return render_undo_script(answer)
        case "dot":
            from cascade.render.dot import render_dot

            return render_dot(answer)
        case "svg":
            from cascade.render.pictures.answers import draw_plan

            return draw_plan(answer).alone
        case "text":
            from cascade.render.text import render_text

            return render_text(answer, verbose=verbose, colour=colour)
    raise ValueError(f"{format_} is none of {', '.join(FORMATS)}")

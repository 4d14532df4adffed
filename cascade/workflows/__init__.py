"""Joins sources, core and effects into the answers that every face shows."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cascade.workflows.answering import analyse
    from cascade.workflows.explaining import explain_error, explain_name
    from cascade.workflows.question import Question
    from cascade.workflows.rendering import FORMATS, render_answer

__all__ = ["FORMATS", "Question", "analyse", "explain_error", "explain_name", "render_answer"]

_HOME = {
    "FORMATS": "rendering",
    "Question": "question",
    "analyse": "answering",
    "explain_error": "explaining",
    "explain_name": "explaining",
    "render_answer": "rendering",
}


def __getattr__(name: str) -> Any:
    """Loaded when it is asked for (PEP 562): a run of ``migrate`` needs one small workflow, and waits for no other."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

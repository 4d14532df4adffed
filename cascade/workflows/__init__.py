"""Joins sources, core and effects into the answers that every face shows."""

from cascade.workflows.answering import analyse
from cascade.workflows.explaining import explain_error, explain_name
from cascade.workflows.question import Question
from cascade.workflows.rendering import FORMATS, render_answer

__all__ = ["FORMATS", "Question", "analyse", "explain_error", "explain_name", "render_answer"]

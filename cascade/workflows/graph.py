"""The graph of tables in the format that was asked for, with where the models are written."""

from dataclasses import replace

from cascade.core.answer import Answer
from cascade.core.graph import parse_selector
from cascade.core.naming import find_table
from cascade.core.scope import Scope
from cascade.core.table_map import TableMap, map_tables
from cascade.errors import NoSuchName
from cascade.workflows.answering import analyse
from cascade.workflows.model_sources import with_model_sources
from cascade.workflows.question import Question, Report, silent

GRAPH_FORMATS = ("text", "json", "dot", "svg", "mermaid")
"""What a graph can be rendered as."""


def read_graph(question: Question, *, report: Report = silent) -> tuple[Answer, TableMap]:
    """The answer about the whole database, and the tables of it that the question's apps and tables select.

    Raises ``NoSuchName`` for an app that expects no table, and for a table that nobody expects.
    """
    from cascade.sources.project import read_project

    answer = analyse(replace(question, apps=(), tables=()), report=report)
    project = read_project(question.settings, question.pythonpath)
    answer = replace(answer, expected=with_model_sources(answer.expected, project))
    known = {table.app for table in answer.expected.tables.values()}
    for app in question.apps:
        if app not in known:
            raise NoSuchName("app", app, known, where=" with a table")
    selectors = []
    for text in question.tables:
        selector = parse_selector(text)
        selectors.append(replace(selector, name=find_table(selector.name, answer.expected).name.name))
    scope = str(Scope(question.apps, tuple(selectors)))
    return answer, map_tables(answer, apps=question.apps, selectors=selectors, scope=scope)


def render_graph(
    answer: Answer,
    tables: TableMap,
    format_: str,
    *,
    before_after: bool = False,
    fold: bool = True,
    colour: bool = False,
) -> str:
    """The tables in one of ``GRAPH_FORMATS``; ``before_after`` draws them now and after the plan."""
    match format_:
        case "json":
            from cascade.render.graph_json import render_graph_json

            return render_graph_json(answer, tables)
        case "mermaid":
            from cascade.render.mermaid import render_mermaid

            return render_mermaid(answer, tables)
        case "dot" | "svg":
            from cascade.render import graph_dot

            dot = (graph_dot.render_before_after_dot if before_after else graph_dot.render_graph_dot)(answer, tables)
            if format_ == "dot":
                return dot
            from cascade.effects.svg import render_svg

            describe = graph_dot.describe_before_after if before_after else graph_dot.describe_graph
            return render_svg(dot, description=describe(answer, tables))
        case "text":
            from cascade.render.graph_text import render_graph as render_text

            return render_text(answer, tables, fold=fold, colour=colour)
    raise ValueError(f"{format_} is none of {', '.join(GRAPH_FORMATS)}")


def what_is_folded(answer: Answer, tables: TableMap) -> tuple[str, ...]:
    """The sentences that say which tables have no box of their own in a picture, and how to see them."""
    from cascade.render.graph_words import words_of

    return tuple(words_of(answer, tables).folded())

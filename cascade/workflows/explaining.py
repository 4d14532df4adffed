"""Whatever a name or an error text names, in full."""

from collections.abc import Iterable
from dataclasses import replace

from cascade.core.answer import Answer
from cascade.core.error_text import parse_error_text
from cascade.core.explanation import Explanation, Subject, SubjectKind, identify
from cascade.core.topics import Part, Topic, find_topics
from cascade.errors import CascadeError
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, silent

_WHAT_TO_PASTE = 'Paste the line of the log that says: relation "…" does not exist.'


def explain_name(question: Question, name: str, *, report: Report = silent) -> tuple[Answer, Topic, tuple[Topic, ...]]:
    """What the name most likely means, what else it could mean, and the whole answer that these are part of.

    ``name`` is that of a table (``table``, ``schema.table``, ``app.Model``), a column (``table.column``), a constraint,
    an index, a sequence, a migration (``app.0001_name``), a schema, or the id of a finding. The scope of the question
    is left aside. Raises ``NoSuchName`` with the nearest names.
    """
    answer = analyse(replace(question, apps=(), tables=()), report=report)
    first, *others = find_topics(name, answer)
    return answer, _located(first, question), tuple(others)


def explain_error(question: Question, text: str, *, report: Report = silent) -> tuple[Answer, tuple[Subject, ...]]:
    """What an error text, a traceback or log lines name, and the whole answer; the scope is left aside.

    Raises a ``CascadeError`` with the nearest names where the text names nothing that is known.
    """
    mentions = parse_error_text(text)
    if not mentions:
        raise CascadeError("The text is empty.", hint=_WHAT_TO_PASTE)
    answer = analyse(replace(question, apps=(), tables=()), report=report)
    subjects = identify(mentions, answer)
    if all(subject.kind is SubjectKind.UNKNOWN for subject in subjects):
        raise _nothing_known(subjects, answer)
    return answer, tuple(
        replace(subject, explanation=_with_sources(subject.explanation, question)) if subject.explanation else subject
        for subject in subjects
    )


def _nothing_known(subjects: Iterable[Subject], answer: Answer) -> CascadeError:
    names = [f'"{subject.mention.name or subject.mention.part}"' for subject in subjects]
    near = list(dict.fromkeys(near for subject in subjects for near in subject.near))
    if not names:
        return CascadeError("Nothing in the text is the name of a table of this project.", hint=_WHAT_TO_PASTE)
    where = f"no migration of this project makes and {answer.observed.database} does not hold"
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    hint = f"Did you mean {' or '.join(near[:3])}?" if near else "Is this the right database, and the right project?"
    return CascadeError(f"The text names {some}, which {where}.", hint=hint)


def _located(topic: Topic, question: Question) -> Topic:
    """The topic with file and lines of what made it."""
    from cascade.sources.project import read_project
    from cascade.sources.source_lines import locate_recorded_operation

    if isinstance(topic, Explanation):
        return _with_sources(topic, question)
    if isinstance(topic, Part) and topic.made_by is not None:
        project = read_project(question.settings, question.pythonpath)
        return replace(topic, made_by=locate_recorded_operation(topic.made_by, project.relative))
    return topic


def _with_sources(explanation: Explanation, question: Question) -> Explanation:
    """The explanation with file and lines of the model and of the operations that made the table and its columns."""
    from cascade.sources.project import read_project
    from cascade.sources.source_lines import locate_model, locate_recorded_operation

    expected = explanation.expected
    if expected is None:
        return explanation
    project = read_project(question.settings, question.pythonpath)
    columns = {
        column: locate_recorded_operation(made_by, project.relative)
        for column, made_by in expected.column_made_by.items()
    }
    located = replace(
        expected,
        made_by=locate_recorded_operation(expected.made_by, project.relative),
        column_made_by=columns,
        model_source=locate_model(expected.model, project.relative),
    )
    return replace(explanation, expected=located)

"""One table in full, or whatever an error text names."""

from collections.abc import Iterable
from dataclasses import replace

from cascade.core.answer import Answer
from cascade.core.error_text import Mention, MentionKind, parse_error_text
from cascade.core.explanation import Explanation, Subject, SubjectKind, identify, make_explanation
from cascade.errors import CascadeError, NoSuchName
from cascade.workflows.answering import analyse
from cascade.workflows.naming import find_table
from cascade.workflows.question import Question, Report, silent

_WHAT_TO_PASTE = 'Paste the line of the log that says: relation "…" does not exist.'


def explain_table(question: Question, name: str, *, report: Report = silent) -> tuple[Answer, Explanation]:
    """All that is known of one table, and the whole answer that it is part of; the scope of the question is left aside.

    ``name`` is ``table``, ``schema.table`` or ``app.Model``. Raises ``NoSuchName`` with the nearest names.
    """
    answer = analyse(replace(question, apps=(), tables=()), report=report)
    return answer, _with_sources(_explanation_of(name, answer), question)


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


def _explanation_of(name: str, answer: Answer) -> Explanation:
    """Of the expected table of that name; else of whatever else the database holds under it."""
    try:
        return make_explanation(find_table(name, answer.expected), answer)
    except NoSuchName:
        subject = identify([Mention(MentionKind.RELATION, name)], answer)[0]
        if subject.explanation is not None:
            return subject.explanation
        if subject.pending is not None:
            raise CascadeError(
                f'There is no table "{name}" yet: {subject.pending.key} makes it, and is not recorded as applied.',
                hint="python manage.py migrate makes it.",
            ) from None
        raise


def _nothing_known(subjects: Iterable[Subject], answer: Answer) -> CascadeError:
    names = [f'"{subject.mention.name or subject.mention.part}"' for subject in subjects]
    near = list(dict.fromkeys(near for subject in subjects for near in subject.near))
    if not names:
        return CascadeError("Nothing in the text is the name of a table of this project.", hint=_WHAT_TO_PASTE)
    where = f"no migration of this project makes and {answer.observed.database} does not hold"
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    hint = f"Did you mean {' or '.join(near[:3])}?" if near else "Is this the right database, and the right project?"
    return CascadeError(f"The text names {some}, which {where}.", hint=hint)


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

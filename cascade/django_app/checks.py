"""System checks: what is not as the applied migrations made it, where somebody asks for databases to be checked.

Warnings, every one: ``migrate`` runs these checks too, and an error would stop the very migration that repairs.
"""

from collections.abc import Iterable, Iterator, Sequence

from django.core.checks import CheckMessage, Warning
from django.db import connections

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import NOT_LOOKED_AT, DriftKind
from cascade.errors import CascadeError
from cascade.render.sentences import findings_in_sentences
from cascade.sources.migrate_run import is_test_environment
from cascade.workflows import Question, analyse


def check(aliases: Iterable[str], *, apps: tuple[str, ...] = ()) -> list[CheckMessage]:
    """A warning for each kind of finding in each of these databases that is PostgreSQL; with ``apps`` only of those.

    A database that cannot be looked at is told as such. A test runner's is not looked at: roles and rights there are
    those of nobody.
    """
    if is_test_environment():
        return []
    return [
        message
        for alias in aliases
        if connections[alias].vendor == "postgresql"
        for message in _check(Question(database=alias, apps=apps, explain_notes=False))
    ]


def _check(question: Question) -> Iterator[CheckMessage]:
    try:
        answer = analyse(question)
    except CascadeError as error:
        yield Warning(f"cascade could not look: {error.message}", hint=error.hint or None, id=NOT_LOOKED_AT)
        return
    kinds = dict.fromkeys(drift.kind for drift in answer.findings())
    for kind in kinds:
        yield _warning(kind, [drift for drift in answer.findings() if drift.kind is kind], answer, question)
    for gap in answer.not_checked:
        yield Warning(f"cascade could not check {gap.what}: {gap.why}.", hint=f"{gap.how}.", id=NOT_LOOKED_AT)


def _warning(kind: DriftKind, drifts: Sequence[Drift], answer: Answer, question: Question) -> CheckMessage:
    place = "" if question.database == "default" else f" --database {question.database}"
    if kind is DriftKind.CREATION_SCHEMA_DIFFERS:
        hint = f"manage.py cascade where{place} shows the search_path and where it is set."
    else:
        hint = f"manage.py cascade plan{place} shows why, and the order of repair."
    return Warning(" ".join(findings_in_sentences(drifts, answer)), hint=hint, id=kind.facts.check_id)

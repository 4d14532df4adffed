"""A plan that was kept: read, and made again before anything is done by it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cascade.core.answer import Answer
from cascade.core.fingerprint import tables_of
from cascade.errors import CascadeError, FileError
from cascade.render.plan_json import SCHEMA_VERSION, plan_document
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, question_from


@dataclass(frozen=True)
class SavedPlan:
    """A plan as its file holds it: what was asked, what it is called, what a person saw, and when that was read."""

    path: Path
    question: Question
    plan_id: str
    database: str
    fingerprint: str
    source_revision: str | None
    steps: Mapping[str, tuple[str, ...]]
    read_at: str

    def with_project(self, settings: str | None, pythonpath: str | None) -> "SavedPlan":
        """The same plan of a project that is in another place now: both tell where, None as it was."""
        question = replace(
            self.question,
            settings=settings or self.question.settings,
            pythonpath=pythonpath or self.question.pythonpath,
        )
        return replace(self, question=question)


class PlanChanged(CascadeError):
    """What the plan would be now is not what the file holds; nothing was changed."""


def read_plan_file(path: Path) -> SavedPlan:
    """Read what ``cascade plan -o plan.json`` wrote.

    Raises ``FileError`` where the file cannot be read, was cut off, is no plan, or is newer than this program.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise FileError(f"The plan {path} cannot be read: {why}.") from error
    except ValueError as error:
        raise FileError(f"{path} is no JSON, or was cut off: {error}.", hint=_AGAIN) from error
    if not isinstance(document, dict) or "schema_version" not in document:
        raise FileError(f"{path} is no plan of cascade.", hint=_AGAIN)
    if document["schema_version"] != SCHEMA_VERSION:
        raise FileError(
            f"{path} is a plan of version {document['schema_version']}; this program reads {SCHEMA_VERSION}.",
            hint="Apply it with the program that made it, or make a new plan.",
        )
    try:
        return _saved(path, document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(f"{path} is no whole plan: {type(error).__name__} {error}.", hint=_AGAIN) from error


_AGAIN = "Make a new one: cascade plan -o plan.json."


def replan(saved: SavedPlan, *, report: Report) -> Answer:
    """The plan made again by the saved question. Raises ``PlanChanged``, which says what, where it is not the same."""
    answer = analyse(saved.question, report=report)
    if answer.observed.database != saved.database:
        raise PlanChanged(f"The plan {saved.path} is for {saved.database}, and this is {answer.observed.database}.")
    _refuse_locked(answer)
    if answer.fingerprint != saved.fingerprint:
        raise PlanChanged(
            f"Nothing was changed: {saved.database} is not as it was when {saved.path} was made"
            f"{_differing(saved, answer)}.",
            hint=_AGAIN,
        )
    if answer.plan_id != saved.plan_id:
        raise PlanChanged(
            f"Nothing was changed: the plan made now is {answer.plan_id}, that of {saved.path} is {saved.plan_id}"
            f"{_other_code(saved, answer)}.",
            hint=_AGAIN,
        )
    _refuse_edited(saved, answer)
    return answer


def _refuse_locked(answer: Answer) -> None:
    """What somebody has locked cannot be compared with what was planned."""
    for name in tables_of(answer.plan.steps):
        table = answer.observed.layout.tables.get(name)
        if table is not None and table.locked_by:
            raise PlanChanged(
                f"Nothing was changed: {name} cannot be compared with the plan, for pid "
                f"{', '.join(map(str, table.locked_by))} has it locked ACCESS EXCLUSIVE.",
                hint="Try again when that session has ended.",
            )


def _saved(path: Path, document: Mapping[str, Any]) -> SavedPlan:
    return SavedPlan(
        path,
        question_from(document["question"]),
        str(document["plan_id"]),
        str(document["database"]),
        str(document["fingerprint"]),
        document["source_revision"],
        {str(step["id"]): (*step["sql"], *step["undo"]) for step in document["steps"]},
        str(document["read_at"]),
    )


def _differing(saved: SavedPlan, answer: Answer) -> str:
    now = {step.id for step in answer.plan.steps}
    gone = [id_ for id_ in saved.steps if id_ not in now]
    new = [step.id for step in answer.plan.steps if step.id not in saved.steps]
    parts = [f"{len(gone)} of its steps are no longer due, such as {gone[0]}"] if gone else []
    parts += [f"{len(new)} are new, such as {new[0]}"] if new else []
    return f": {'; '.join(parts)}" if parts else ""


def _other_code(saved: SavedPlan, answer: Answer) -> str:
    here = answer.expected.source_revision
    if here != saved.source_revision:
        return f"; it was made with the code at {saved.source_revision}, and this is {here}"
    return _differing(saved, answer)


def _refuse_edited(saved: SavedPlan, answer: Answer) -> None:
    """What a person saw in the file has to be what is run."""
    made = {step["id"]: (*step["sql"], *step["undo"]) for step in plan_document(answer)["steps"]}
    edited = [id_ for id_ in (*made, *saved.steps) if made.get(id_) != saved.steps.get(id_)]
    if edited or list(made) != list(saved.steps):
        what = f"the step {edited[0]}" if edited else "the order of the steps"
        raise PlanChanged(
            f"Nothing was changed: {what} in {saved.path} was edited.",
            hint="A plan is changed by --leave-out, --keep and --fill, not in its file. " + _AGAIN,
        )

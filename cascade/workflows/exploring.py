"""What a notebook looks around in: a plan's JSON, made now or kept; of a look at a database the one side that it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cascade.core.exploring import look_document
from cascade.errors import CascadeError
from cascade.render.plan_json import plan_document
from cascade.workflows.question import Question


class SecondProject(CascadeError):
    """Django is set up for one project, and it can be for one alone in a process."""


def explore(question: Question) -> dict[str, Any]:
    """The plan as its JSON holds it.

    In a process where an event loop runs, as in a notebook, Django refuses its database there: then it is asked in a
    thread of its own, whose connections are closed. Raises ``SecondProject`` where another project is set up already.
    """
    _refuse_second_project(question.settings)
    return _in_peace(question)


def load_file(path: Path) -> tuple[dict[str, Any], bool]:
    """A plan, or a look by ``catalog.sql``, without Django or a database; and whether two sides were compared.

    Raises ``FileError`` where the file is neither.
    """
    from cascade.workflows.reporting import read_json, usable_plan

    document = read_json(path, "plan")
    if isinstance(document, Mapping) and "cascade_observed" in document:
        from cascade.sources.observed_file import read_observed_file

        return look_document(read_observed_file(path)), False
    return dict(usable_plan(document, str(path))), True


def _refuse_second_project(settings: str | None) -> None:
    import os
    import sys

    if "django" not in sys.modules:
        return
    from django.conf import settings as configured

    there = getattr(configured, "SETTINGS_MODULE", None) if configured.configured else None
    wanted = settings or os.environ.get("DJANGO_SETTINGS_MODULE")
    if there and wanted and there != wanted:
        raise _second_project(there, wanted)
    if there and not settings:
        from cascade.sources.project import another_manage_py

        manage_py = another_manage_py()
        if manage_py is not None:
            raise _second_project(there, str(manage_py))


def _second_project(there: str, wanted: str) -> SecondProject:
    return SecondProject(
        f"This process has {there} set up, and Django knows one project in a process.",
        hint=f"Restart the kernel for {wanted}, or keep its plan in a file and cascade.load() that.",
    )


def _in_peace(question: Question) -> dict[str, Any]:
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _document(question)
    with ThreadPoolExecutor(1, thread_name_prefix="cascade") as thread:
        return thread.submit(_document_and_close, question).result()


def _document_and_close(question: Question) -> dict[str, Any]:
    try:
        return _document(question)
    finally:
        from django.conf import settings
        from django.db import connections

        if settings.configured:  # else no project was found, which is the error to be heard of
            connections.close_all()  # they belong to the thread, which ends here


def _document(question: Question) -> dict[str, Any]:
    from cascade.workflows.answering import analyse

    # As it would come out of a file, so that what was made now and what was kept are alike.
    document: dict[str, Any] = json.loads(json.dumps(plan_document(analyse(question))))
    return document

"""The guard before ``migrate``, which can refuse it, and the proof after it, which says what went wrong.

Neither fails where it cannot tell: then ``migrate`` is as if they were not there. That the guard could not look is said
in a line at ``--verbosity 1``, and what to do about it, and of the proof too, at ``--verbosity 2``.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.management.base import CommandError
from django.db import connections

from cascade.core.guard import GuardMode
from cascade.core.made_by_run import StateTable
from cascade.errors import CascadeError
from cascade.sources.migrate_run import is_test_environment, read_made, switches_schemas
from cascade.sources.project import Project, read_project
from cascade.workflows.migrate_run import look_after, look_before

T = TypeVar("T")


_made: dict[str, tuple[StateTable, ...]] = {}
"""By alias what the run that is going on makes."""


def guard(alias: str, plan: Any, apps: Any, *, verbosity: int) -> None:
    """Refuse the run, or warn, where tables that it would make land outside the target schema (``pre_migrate``).

    ``apps`` are the models before the run. Raises ``CommandError`` to refuse it, and where ``CASCADE`` in the settings
    is not of the form that is known.
    """
    _made.pop(alias, None)
    if not _is_ours_to_look_at(alias):
        return
    project = _project()
    if project.cascade.guard is not GuardMode.OFF:
        astray = _if_it_can_be_told(lambda: look_before(project, alias, plan, apps), "guard", verbosity)
        is_refused = project.cascade.guard is GuardMode.ERROR
        if astray is not None:
            from cascade.render.migrate_run import render_going_astray

            text = render_going_astray(astray, is_refused=is_refused)
            if is_refused:
                raise CommandError(text)
            _say(text)
    _made[alias] = _if_it_can_be_told(lambda: read_made(plan, apps, alias), "proof", verbosity) or ()


def prove(alias: str, *, verbosity: int) -> None:
    """Name what the run recorded and is not in its place and within reach (``post_migrate``).

    It warns and does not raise: the handlers of other apps, which make permissions and content types, come after it.
    """
    made = _made.pop(alias, ())
    if not made:
        return
    project = _project()
    proof = _if_it_can_be_told(lambda: look_after(project, alias, made), "proof", verbosity)
    if proof is not None and proof.amiss:
        from cascade.render.migrate_run import render_proof

        _say(render_proof(proof.amiss, proof.placement))


def _is_ours_to_look_at(alias: str) -> bool:
    """PostgreSQL, neither a test runner's database nor a tenant's schema."""
    return connections[alias].vendor == "postgresql" and not is_test_environment() and not switches_schemas(alias)


def _project() -> Project:
    try:
        return read_project()
    except CascadeError as error:
        raise CommandError(str(error)) from error


def _if_it_can_be_told(look: Callable[[], T | None], what: str, verbosity: int) -> T | None:
    try:
        return look()
    except CascadeError as error:
        # A run that nobody looked at is like one that was found good; that has to be told, once.
        if verbosity >= 2 or (verbosity == 1 and what == "guard"):
            _say(f"The {what} could not look: {error if verbosity >= 2 else error.message}")
        return None


def _say(text: str) -> None:
    sys.stderr.write(f"cascade: {text}\n")

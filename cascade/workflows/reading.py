"""Both sides as they are read: of a live database, or of a file that psql wrote."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade.core.answer import Answer
from cascade.core.detect import detect_drift, detect_to_come
from cascade.core.detection.aside import put_aside
from cascade.core.detection.comparison import Comparison
from cascade.core.expected import ExpectedLayout
from cascade.core.history import HISTORY_TABLE, History
from cascade.core.layout import TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement, decide_placement, work_out_path
from cascade.core.rules import rules_of
from cascade.errors import CascadeError, HistoryError, NoSuchName, first_line
from cascade.workflows.cursor import database_errors, raw_cursor
from cascade.workflows.expecting import read_expected
from cascade.workflows.question import MIGRATIONS, Question, Report

if TYPE_CHECKING:
    from cascade.sources.migration_history import Replay


@dataclass(frozen=True)
class Reading:
    """Both sides as they were read."""

    host: str
    expected: ExpectedLayout
    observed: Observed
    placement: Placement
    replay: "Replay"


def read_live(question: Question, report: Report) -> Reading:
    """The project's own database and, made on it or elsewhere, what its applied migrations say."""
    from cascade.effects.statement_log import statement_log
    from cascade.sources.catalog import CatalogScope, read_catalog, read_history
    from cascade.sources.migration_history import read_replay
    from cascade.sources.project import client_search_path, open_connection, server_address

    connection = open_connection(question.database)
    with (
        database_errors(),
        statement_log(question.log_statements, connection),
        raw_cursor(connection) as cursor,
    ):
        report("reading where tables are")
        overview = read_catalog(
            cursor, CatalogScope(tables=(), histories=(), rows=(), names=()), app_role=question.app_role or ""
        )
        placement = _place(overview, client_search_path(connection.settings_dict), question)
        if placement.target in overview.history_schemas:
            history = _history(lambda: read_history(cursor, placement.target), placement)
        else:
            history = _no_history(overview, placement)
        report(f"replaying {len(history.records)} recorded migrations")
        replay = read_replay(history)
        around = _with_roles(overview, placement, cursor, question)
        expected = read_expected(replay, connection, placement, around, question, cursor, report)
        report("reading what is there")
        observed = read_catalog(
            cursor, _scope(expected, overview, placement, question), app_role=question.app_role or ""
        )
        _refuse_changed_history(history, observed, placement)
        observed = _with_violations(expected, observed, placement, question, cursor)
    return Reading(server_address(connection.settings_dict), expected, observed, placement, replay)


def read_again(
    cursor: Any, expected: ExpectedLayout, placement: Placement, question: Question, *, within: bool
) -> Observed:
    """What is there now, read as it was for the answer; ``within`` the cursor's open transaction, or in one of its own.

    Rows that break a rule are not counted again.
    """
    from cascade.sources.catalog import CatalogScope, read_catalog, read_catalog_within

    read = read_catalog_within if within else read_catalog
    nothing = CatalogScope(tables=(), histories=(), rows=(), names=())
    overview = read(cursor, nothing, app_role=placement.role)
    return read(cursor, _scope(expected, overview, placement, question), app_role=placement.role)


def read_clone(cursor: Any, answer: Answer, question: Question, report: Report) -> tuple[ExpectedLayout, Observed]:
    """Both sides of an answer on a clone of its layout: read there, and spelled there if its version is another.

    Histories and rows are not on the clone; where tables belong is known from the answer.
    """
    from cascade.sources.catalog import CatalogScope, read_catalog

    nothing = CatalogScope(tables=(), histories=(), rows=(), names=())
    overview = read_catalog(cursor, nothing, app_role=answer.placement.role)
    same = overview.server.major == answer.observed.server.major
    expected = answer.expected if same else _spelled_there(cursor, overview, answer, question, report)
    return expected, read_again(cursor, expected, answer.placement, question, within=False)


def _spelled_there(
    cursor: Any, overview: Observed, answer: Answer, question: Question, report: Report
) -> ExpectedLayout:
    """By the state of the applied migrations, whatever the reference was: that of another version is no help."""
    from django.db import connections

    from cascade.sources.migration_history import read_replay

    placement = answer.placement
    history = answer.observed.history(placement.target) or History(placement.target, ())
    by_state, own = replace(question, reference=None), connections[question.database]
    return read_expected(read_replay(history), own, placement, overview, by_state, cursor, report)


def read_from_file(question: Question, file: Path, report: Report) -> Reading:
    """What psql wrote of a database that is not at hand, and what its applied migrations say."""
    from django.db import connections

    from cascade.sources.migration_history import read_replay

    observed = read_file(question, file)
    if question.database not in connections.settings:
        raise NoSuchName("database", question.database, connections.settings, where=" in DATABASES")
    placement = _place(observed, None, question)
    history = observed.history(placement.target)
    if history is None:
        problem = next((h.problem for h in observed.histories if h.schema == placement.target), None)
        if problem is not None:
            raise _unreadable(placement, problem)
        history = _no_history(observed, placement)
    replay = read_replay(history)
    expected = read_expected(replay, connections[question.database], placement, observed, question, None, report)
    return Reading(f"from {file.name}", expected, observed, placement, replay)


def read_file(question: Question, file: Path) -> Observed:
    """What psql wrote, if it holds the rights of the role that the question is about."""
    from cascade.sources.observed_file import read_observed_file

    observed = read_observed_file(file)
    if question.app_role and question.app_role != observed.application_role:
        raise CascadeError(
            f"{file} holds the rights of {observed.application_role}, not of {question.app_role}.",
            hint=f"Write it again with PGOPTIONS='-c cascade.app_role={question.app_role}' before psql.",
        )
    return observed


def _place(observed: Observed, client_path: str | None, question: Question) -> Placement:
    if not observed.application_role_exists:
        raise NoSuchName("role", observed.application_role, observed.known_roles, where=f" on {observed.database}")
    return decide_placement(observed, work_out_path(observed, client_path=client_path), schema=question.schema)


def _history(read: Callable[[], History], placement: Placement) -> History:
    from django.db import Error

    try:
        return read()
    except Error as error:
        raise _unreadable(placement, first_line(error)) from error


def _unreadable(placement: Placement, problem: str) -> HistoryError:
    table = TableName(placement.target, HISTORY_TABLE)
    return HistoryError(
        f"{table} cannot be read: {problem}",
        hint=f"It says which migrations are applied. GRANT SELECT ON {table}, or connect as a role that may read it.",
    )


def _no_history(observed: Observed, placement: Placement) -> History:
    """Nothing is recorded anywhere: right for an empty database, an error beside the project's tables."""
    from cascade.sources.models import tables_of_models

    names = tables_of_models()
    there = sorted(str(table.name) for table in observed.layout.tables.values() if table.name.name in names)
    if there:
        if observed.history_schemas:
            raise HistoryError(
                f"Tables are to belong in {placement.target}, which has no django_migrations; "
                f"there is one in {', '.join(observed.history_schemas)}.",
                hint="Without it nothing says which migrations are applied there. Name another schema with --schema, "
                'or take CASCADE["SCHEMA"] out of the settings.',
            )
        raise HistoryError(
            f"{observed.database} has tables of this project ({', '.join(there[:3])}"
            f"{', …' if len(there) > 3 else ''}), but no django_migrations in any schema that can be seen.",
            hint="Without it nothing says which migrations are applied. Is this the right database and role?",
        )
    return History(placement.target, ())


def _with_roles(overview: Observed, placement: Placement, cursor: Any, question: Question) -> Observed:
    """Where migrations are to be run, with the roles that tables in the target name: those may be given something."""
    from cascade.sources.catalog import CatalogScope, read_catalog

    if question.reference != MIGRATIONS or question.reference_dsn:
        return overview
    scope = CatalogScope(schemas=(placement.target,), histories=(), rows=(), counters=(), names=())
    there = read_catalog(cursor, scope, app_role=question.app_role or "")
    return replace(overview, known_roles=tuple(sorted({*overview.named_roles, *there.named_roles})))


def _scope(expected: ExpectedLayout, overview: Observed, placement: Placement, question: Question) -> Any:
    """What to read in full: the expected names wherever they are; rows where a copy is out of place.

    Counters of what is in its place, and of what may be a table that is not or may take the place of another: a
    thousand tenants are not asked, for each has a history of its own.
    """
    from cascade.sources.catalog import CatalogScope

    copies = [table for name in {t.name for t in expected.tables} for table in overview.layout.copies.get(name, ())]
    astray = {table.name for table in copies if table.name not in expected.tables}
    doubled = {name.name for name in astray}
    in_place = {table.name for table in copies if table.name.name in doubled}
    schemas = {name.schema for name in astray} | {placement.target}
    there = expected.tables.keys() & overview.layout.tables.keys()
    absent = {name.name for name in expected.tables.keys() - there}
    keep = question.decisions.keep
    candidates = {
        name
        for name in astray
        if name.name in absent or name.schema not in overview.history_schemas or keep.get(name.name) == name.schema
    }
    return CatalogScope(
        tables=tuple(sorted({name.name for name in expected.tables})),
        histories=tuple(sorted(schemas & set(overview.history_schemas))),
        rows=tuple(sorted(astray | in_place)),
        counters=tuple(sorted(there | candidates)),
        names=tuple(sorted({name.schema for name in expected.tables})),
        count_exactly=question.count_rows,
    )


def _with_violations(
    expected: ExpectedLayout, observed: Observed, placement: Placement, question: Question, cursor: Any
) -> Observed:
    """What was observed, with the rows that break rules which are not in force; most answers have none to ask for."""
    from cascade.sources.violations import read_violations

    now = Comparison(expected, observed, placement, question.decisions)
    then = replace(now, observed=put_aside(expected, observed, placement, question.decisions).observed)
    drifts = detect_drift(expected, observed, placement, question.decisions)
    to_come = detect_to_come(expected, observed, placement, question.decisions)
    going = [drift for drift in drifts if drift.settled_with is not None]
    staying = [drift for drift in drifts if drift.settled_with is None]
    rules = (*rules_of(going, now), *rules_of((*staying, *to_come), then))
    return replace(observed, violations=read_violations(cursor, rules)) if rules else observed


def _refuse_changed_history(before: History, observed: Observed, placement: Placement) -> None:
    after = observed.history(placement.target)
    if after is not None and set(after.by_key) != set(before.by_key):
        raise HistoryError(
            "Migrations were recorded while cascade was reading.", hint="Wait for migrate to end, then ask again."
        )

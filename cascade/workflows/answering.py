"""The whole answer to a question: both sides read, compared, explained and planned."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from cascade.core.actions import Action, action_name
from cascade.core.answer import Answer
from cascade.core.attic import attic_of
from cascade.core.causes import Cause, detect_causes
from cascade.core.data_migrations import DataMigration, writers_of
from cascade.core.decisions import Decisions
from cascade.core.detect import detect_drift, detect_to_come
from cascade.core.detection.aside import put_aside
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.counters import unread_counters
from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedLayout, NotChecked
from cascade.core.findings import DriftKind, Severity
from cascade.core.fingerprint import fingerprint_of, plan_id_of
from cascade.core.graph import Selector, parse_selector
from cascade.core.history import Provenance
from cascade.core.ignore import ignore
from cascade.core.layout import TableName
from cascade.core.naming import find_table
from cascade.core.observed import Observed
from cascade.core.plan import Plan
from cascade.core.planner import Scope, make_plan
from cascade.core.repairs import Surroundings
from cascade.core.stopgap import suggest_stopgap
from cascade.core.words import listed
from cascade.errors import CascadeError, NoSuchName
from cascade.workflows.model_sources import with_model_sources
from cascade.workflows.question import Question, Report, asked_options, question_document, silent, with_settings
from cascade.workflows.reading import Reading, read_from_file, read_live

if TYPE_CHECKING:
    from cascade.sources.migration_history import Replay
    from cascade.sources.project import Project


def analyse(question: Question, *, report: Report = silent) -> Answer:
    """The whole answer to a question. Changes nothing.

    Raises a ``CascadeError`` that says what was found and what to try where no answer can be given.
    """
    from cascade.sources.project import read_project

    started = time.monotonic()
    asked, original = asked_options(question), question
    project = read_project(question.settings, question.pythonpath)
    question = with_settings(question, project)
    if question.observed_file is not None:
        reading = read_from_file(question, question.observed_file, report)
        seconds = None
    else:
        reading = read_live(question, report)
        seconds = time.monotonic() - started
    answer = _answer(question, project, reading, seconds)
    return replace(answer, asked=asked, question=question_document(original, reading.observed))


def _answer(question: Question, project: "Project", reading: Reading, seconds: float | None) -> Answer:
    from cascade.sources.project import source_revision

    expected = replace(reading.expected, source_revision=source_revision(project))
    if project.cascade.source_url:
        expected = with_model_sources(expected, project)
    observed, placement = reading.observed, reading.placement
    scope = _scope_of(question, project, expected)
    _refuse_idle_decisions(question.decisions, expected, observed)
    drifts = detect_drift(expected, observed, placement, question.decisions)
    compared = put_aside(expected, observed, placement, question.decisions).observed
    drifts = _explained(drifts, question, reading)
    drifts = tuple(_located(drift, reading.replay, project) for drift in drifts)
    expected = _with_sources(expected, drifts, project)
    not_checked = (
        *expected.not_checked,
        *_not_read(observed, expected, drifts),
        *unread_counters(Comparison(expected, compared, placement, question.decisions)),
    )
    drifts, ignored = ignore(drifts, project.cascade.ignore, complete=not not_checked)
    plan = make_plan(
        expected,
        compared.layout,
        drifts,
        application_role=placement.role,
        scope=scope,
        default_rights={schema.name: schema.default_rights for schema in observed.schemas},
        violations=observed.violations,
        decisions=question.decisions,
        attic=attic_of(question.decisions, observed),
        surroundings=Surroundings(
            publications=observed.schema_publications,
            data_migrations=_data_migrations(drifts, expected, reading.replay, project),
            put_aside={n: t for n, t in observed.layout.tables.items() if n not in compared.layout.tables},
        ),
        to_come=detect_to_come(expected, observed, placement, question.decisions),
    )
    _refuse_idle_leaving_out(question.decisions, plan)
    fingerprint = fingerprint_of(observed.layout, plan.steps)
    return Answer(
        host=reading.host,
        expected=expected,
        observed=observed,
        placement=placement,
        plan=plan,
        causes=_causes_of(plan.drifts, detect_causes(drifts, expected, observed, placement.target)),
        stopgap=suggest_stopgap(plan.drifts, drifts, expected, observed, placement),
        fingerprint=fingerprint,
        plan_id=plan_id_of(fingerprint, plan.steps),
        not_checked=not_checked,
        notes=(*placement.notes, *expected.remarks, *_history_notes(expected)),
        ignored=ignored,
        seconds=seconds,
        source_url=project.cascade.source_url,
    )


def _causes_of(drifts: Iterable[Drift], causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """The causes of these drifts, each judged by all that it explains."""
    wanted = {drift.id for drift in drifts}
    return tuple(cause for cause in causes if not wanted.isdisjoint(cause.drifts))


def _explained(drifts: tuple[Drift, ...], question: Question, reading: Reading) -> tuple[Drift, ...]:
    """The drifts, those for which SQL or Python of a migration accounts as notes.

    Migrations are read for it only where that can matter. Where they themselves were run for the expected side, only
    owners and grants are left to be explained, for those are not taken from the scratch database.
    """
    from cascade.core.handmade import EXPLAINABLE, explained

    kinds = frozenset({DriftKind.DIFFERENT_PRIVILEGES}) if reading.expected.exact else EXPLAINABLE
    least = Severity.NOTE if question.explain_notes else Severity.RISKY
    if not any(drift.kind in kinds and drift.severity.rank <= least.rank for drift in drifts):
        return drifts
    from cascade.sources.handmade_operations import read_handmade_changes
    from cascade.sources.migration_history import default_table_name

    replay = reading.replay
    applied = [(replay.migrations[record.key], record) for record in replay.applied]
    changes = read_handmade_changes(applied, replay.unmigrated_apps, table_name=default_table_name)
    aside = put_aside(reading.expected, reading.observed, reading.placement, question.decisions)
    both = Comparison(reading.expected, aside.observed, reading.placement, question.decisions)
    told = explained((drift for drift in drifts if drift.kind in kinds), changes, both)
    others = (drift for drift in drifts if drift.kind not in kinds)
    return tuple(sorted((*told, *others), key=worst_first))


def _data_migrations(
    drifts: Iterable[Drift], expected: ExpectedLayout, replay: "Replay", project: "Project"
) -> tuple[DataMigration, ...]:
    """What may have written rows of tables and columns that may be made anew."""
    anew = [drift for drift in drifts if drift.kind in (DriftKind.MISSING_TABLE, DriftKind.MISSING_COLUMN)]
    if not anew:
        return ()
    from cascade.sources.data_migrations import read_data_migrations

    found = tuple(read_data_migrations((replay.migrations[record.key], record) for record in replay.applied))
    tables = (
        (expected.tables[d.table], [d.object] if d.object else [])
        for d in anew
        if d.table and d.table in expected.tables
    )
    wrote = {migration for table, columns in tables for migration in writers_of(table, columns, found)}
    in_order = sorted(wrote, key=lambda migration: migration.made_by.order)
    return tuple(replace(migration, made_by=_locate(migration.made_by, replay, project)) for migration in in_order)


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
    for table in sorted({*decisions.keep, *(column.rpartition(".")[0] for column in decisions.fill)}):
        if table not in names:
            raise NoSuchName("table", table, names)
    for table in sorted({*decisions.take, *decisions.create}):
        if table not in names:
            raise NoSuchName("table", table, names)
        if names[table] in observed.layout.tables:
            raise CascadeError(
                f"{names[table]} is in its place: there is nothing to decide by --take or --create.",
                hint="These are for a table that is not in its place.",
            )
    for table in sorted(decisions.create):
        _refuse_to_leave_keys_astray(names[table], observed)
    for column in sorted(decisions.fill):
        _refuse_idle_fill(column, names, expected)
    for table, schema in (*decisions.take.items(), *decisions.keep.items()):
        copies = [copy.name.schema for copy in observed.layout.copies.get(table, ())]
        if schema not in copies:
            raise NoSuchName("copy", f"{schema}.{table}", (f"{copy}.{table}" for copy in copies))


def _refuse_to_leave_keys_astray(table: TableName, observed: Observed) -> None:
    """A table that is made anew while keys point at a copy of it elsewhere."""
    for copy in observed.layout.copies.get(table.name, ()):
        environment = copy.name.schema in observed.history_schemas
        keys = [t.name for t, _ in observed.layout.referring.get(copy.name, ())]
        referring = [name for name in keys if name.schema == table.schema or not environment]
        if referring:
            raise CascadeError(
                f"{copy.name} cannot be left where it is: {listed([str(name) for name in sorted(set(referring))])} "
                f"refer to it, and would go on so beside a new {table}.",
                hint=f"Take it for the table: --take {table.name}={copy.name.schema}.",
            )


def _refuse_idle_fill(column: str, names: Mapping[str, TableName], expected: ExpectedLayout) -> None:
    """A value for old rows of a column that nobody expects, or that needs none."""
    table, _, name = column.rpartition(".")
    known = expected.tables[names[table]].table
    wanted = known.column(name)
    if wanted is None:
        raise NoSuchName("column", column, (f"{table}.{c.name}" for c in known.columns))
    if wanted.nullable:
        raise CascadeError(
            f"{column} takes NULL: old rows need no value in it.", hint="--fill is for a NOT NULL column that is added."
        )


def _refuse_idle_leaving_out(decisions: Decisions, plan: Plan) -> None:
    """A step that is to be left out and that the plan would not have had; an action may be left out in any case."""
    steps = {*plan.without, *(step.id for step in plan.steps)}
    actions = {action_name(action) for action in get_args(Action)}
    for name in sorted(decisions.leave_out - actions - steps):
        raise NoSuchName("step", name, steps | actions, where=" in the plan")


def _selector(text: str, expected: ExpectedLayout) -> Selector:
    """The selector with its name as a bare table name, whichever way the table was named."""
    selector = parse_selector(text)
    table = find_table(selector.name, expected)
    return replace(selector, name=table.name.name)


def _located(drift: Drift, replay: "Replay", project: "Project") -> Drift:
    """The drift with file and lines of the operation that made its object; a note goes without."""
    if drift.made_by is None or drift.severity is Severity.NOTE:
        return drift
    return replace(drift, made_by=_locate(drift.made_by, replay, project))


def _with_sources(expected: ExpectedLayout, drifts: Iterable[Drift], project: "Project") -> ExpectedLayout:
    """The expected side with file and lines of the models and operations of tables with a broken or risky finding."""
    from cascade.sources.source_lines import locate_model, locate_recorded_operation

    located = {}
    for name in sorted({drift.table for drift in drifts if drift.table and drift.severity is not Severity.NOTE}):
        table = expected.tables.get(name)
        if table is not None:
            located[name] = replace(
                table,
                made_by=locate_recorded_operation(table.made_by, project.relative),
                model_source=locate_model(table.model, project.relative),
            )
    return replace(expected, tables={**expected.tables, **located}) if located else expected


def _locate(made_by: Provenance, replay: "Replay", project: "Project") -> Provenance:
    from cascade.sources.source_lines import locate_operation

    migration = replay.migrations.get(made_by.migration)
    if migration is None:
        return made_by
    return locate_operation(made_by, type(migration).__module__, project.relative)

"""The exact reference: the applied migrations, run on a scratch database that is read and dropped."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cascade.core.as_made import tables_as_made
from cascade.core.expected import NotChecked
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import TableName
from cascade.core.observed import Extension, Observed, table_from
from cascade.core.placement import Placement
from cascade.errors import ReferenceFailed
from cascade.workflows.question import EMBEDDED, Question, Report
from cascade.workflows.references import Reference, has_embedded_server, refuse_other_major

if TYPE_CHECKING:
    from cascade.effects.scratch_database import Surroundings
    from cascade.sources.expected import WordedState
    from cascade.sources.migration_history import Replay


def read_as_run(
    replay: "Replay",
    worded: "WordedState",
    placement: Placement,
    observed: Observed,
    question: Question,
    report: Report,
) -> Reference:
    """The tables as the applied migrations leave them, whatever RunSQL and RunPython do.

    Raises ``ReferenceFailed`` where a migration fails or the server is of another major version, ``DatabaseError``
    where there can be no scratch database.
    """
    if not replay.applied:
        return Reference({}, "no table is expected", exact=True)
    texts = _texts(replay)
    run = _kept_or_made(replay, worded, placement, observed, question, texts, report)
    made_by = dict(_made_by(run["appeared"], replay))
    tables = tables_as_made(
        (table.expected for table in worded.tables),
        {table.expected.name: table.fills for table in worded.tables},
        map(table_from, run["documents"]),
        made_by,
    )
    number = len(replay.applied)
    where = "the reference server" if question.reference_dsn else "an embedded server"
    return Reference(
        tables,
        f"made by running {number} migration{'' if number == 1 else 's'} on {where} (PostgreSQL {run['version']})",
        not_checked=tuple(_not_checked(run["handler_problem"])),
        exact=True,
    )


def _texts(replay: "Replay") -> tuple[str, ...]:
    """What the applied migrations say: in source and in SQL."""
    from cascade.sources.migration_texts import read_modules, read_sql
    from cascade.sources.source_lines import read_source

    applied = [replay.migrations[record.key] for record in replay.applied]
    return (*map(read_source, read_modules(applied)), *read_sql(applied))


def _kept_or_made(
    replay: "Replay",
    worded: "WordedState",
    placement: Placement,
    observed: Observed,
    question: Question,
    texts: tuple[str, ...],
    report: Report,
) -> Mapping[str, Any]:
    """What was read after a run of the same migrations in the same surroundings, kept or made now."""
    from django.conf import settings

    from cascade.effects.expected_cache import cache_key, load_definitions, save_definitions
    from cascade.effects.migrations_run import run_migrations
    from cascade.effects.reference import reference_connection, version_of
    from cascade.effects.scratch_database import read_tables, scratch_database
    from cascade.sources.catalog import catalog_sql

    surroundings = _surroundings(worded, placement, observed, question, texts)
    key = cache_key(
        # Of what models import (types of fields, the model of users) the DDL shows what matters.
        (
            *(str(record.key) for record in replay.applied),
            *texts,
            *(statement for table in worded.tables for statement in table.statements),
        ),
        *(catalog_sql(), version("django"), settings.SETTINGS_MODULE, question.database, question.reference_dsn),
        *(observed.server.version_num, surroundings),
    )
    kept = load_definitions(key)
    if kept is not None and kept.keys() == {"version", "documents", "appeared", "handler_problem"}:
        return kept
    with _server(question, report) as server:
        with reference_connection(server) as cursor:
            server_version = version_of(cursor)
        refuse_other_major(server_version, observed, option="--reference-dsn")
        with scratch_database(server, surroundings, report=report) as scratch:
            recorded = [record.key for record in replay.history.records]
            run = run_migrations(recorded, scratch, alias=question.database, report=report)
            report("reading the scratch database")
            documents = read_tables(scratch)
    made = {
        "version": server_version,
        "documents": documents,
        "appeared": [[name.schema, name.name, by.app, by.name] for name, by in run.appeared.items()],
        "handler_problem": run.handler_problem,
    }
    if run.handler_problem is None:  # its reason may be gone next time
        save_definitions(key, made)
    return made


@contextmanager
def _server(question: Question, report: Report) -> Iterator[Mapping[str, Any]]:
    from cascade.effects.reference import reference_server

    if question.reference_dsn is None and not has_embedded_server():
        raise ReferenceFailed(
            "The migrations are run on an embedded server, which is not installed.",
            hint="Name a server of your own with --reference-dsn DSN, or pip install 'django-cascade[demo]'.",
        )
    with reference_server(question.reference_dsn or EMBEDDED, report=report) as server:
        yield server


def _surroundings(
    worded: "WordedState", placement: Placement, observed: Observed, question: Question, texts: Iterable[str]
) -> "Surroundings":
    """Schemas and extensions as the migrations found them, without those that they make and expect not to find."""
    from cascade.effects.scratch_database import Surroundings

    text = "\n".join(texts)
    schemas = sorted({placement.target, *(table.expected.name.schema for table in worded.tables)})
    extensions = tuple(e for e in observed.extensions if not _makes("extension", e, text))
    return Surroundings(
        schemas=tuple(schema for schema in schemas if not _makes("schema", schema, text)),
        path=tuple(dict.fromkeys((placement.target, *observed.type_schemas))),
        extensions=extensions,
        # Of a server that is somebody's nothing but the scratch database is ours.
        roles=() if question.reference_dsn else observed.named_roles,
    )


def _makes(kind: str, thing: str | Extension, text: str) -> bool:
    """Whether SQL in there makes it without asking whether it is there: ``CREATE EXTENSION hstore``."""
    name = thing if isinstance(thing, str) else thing.name
    return re.search(rf'create\s+{kind}\s+"?{re.escape(name)}\b', text, re.IGNORECASE) is not None


def _made_by(appeared: Iterable[Iterable[str]], replay: "Replay") -> Iterator[tuple[TableName, Provenance]]:
    """Where each table came from: the migration that was running, and its likeliest operation."""
    records = {record.key: record for record in replay.applied}
    for schema, table, app, name in appeared:
        key = MigrationKey(app, name)
        record = records[key]
        index, operation = _likeliest(table, replay.migrations[key].operations)
        yield (
            TableName(schema, table),
            Provenance(key, operation, index, record.position, record.applied or None),
        )


def _likeliest(table: str, operations: Iterable[Any]) -> tuple[int, str]:
    """Of what a migration does by hand, the first that names the table, else the first."""
    by_hand = [
        (index, type(operation).__name__, repr(getattr(operation, "sql", "")))
        for index, operation in enumerate(operations)
        if type(operation).__name__ in ("RunSQL", "RunPython", "SeparateDatabaseAndState")
    ]
    naming = [found for found in by_hand if table in found[2]]
    index, operation, _ = (naming or by_hand or [(0, "", "")])[0]
    return index, operation


def _not_checked(handler_problem: str | None) -> Iterator[NotChecked]:
    if handler_problem:
        yield NotChecked(
            "what handlers of pre_migrate and post_migrate make",
            f"one failed on the scratch database: {handler_problem}",
            "ask again where no migration is pending, or without --reference migrations",
        )

"""Runs inside a real project, in its own virtual environment: damages its database, asks cascade, takes it back.

    python inject_project.py --count 10 --seed 1 [--kind drop_index]

The expected side is read once. Each injection is made in a transaction in which cascade then reads, and which is rolled
back. For each a line of JSON is printed, alone on stdout.
"""

import argparse
import contextlib
import itertools
import json
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

if __name__ == "__main__":
    # The folder of a script is on the path, where it could hide modules of the project.
    sys.path.pop(0)

from cascade.core.drift import Drift
from tests.projects.expectations import InjectionKind
from tests.projects.injections import Catalog, Injection, Subject, Unknown, drawn
from tests.projects.judging import Verdict, judge
from tests.projects.roles import APPLICATION

TRIES = 10
"""How many candidates are tried for one that runs: a type may not be cast, a row not be let in."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=json.loads, help="JSON: how many of each kind")
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    out = sys.stdout
    # Some projects print while they are set up.
    with contextlib.redirect_stdout(sys.stderr):
        session = open_session()
        for kind, count in options.count.items():
            for outcome in session.outcomes(InjectionKind(kind), count, options.seed):
                print(json.dumps(outcome), file=out, flush=True)


def open_session() -> "Session":
    """Ask cascade once of the healthy database, and read what there is to damage."""
    import django
    from django.db import connection

    django.setup()
    connection.ensure_connection()
    _read_once("cascade.sources.migration_history", "read_replay")
    _read_once("cascade.workflows.reading", "read_expected")
    healthy = _ask()
    raw = connection.connection
    plain = raw.cursor()
    raw.cursor_factory = _nested(raw.cursor_factory)
    plain.execute("SET search_path = public")
    catalog = Catalog(
        plain,
        raw.info.dbname,
        raw.info.server_version // 10_000,
        _unknown(healthy),
        _tables_of_apps(),
        dict(_made_by_migrations()),
    )
    return Session(catalog, healthy)


class Session:
    """One healthy database, open to be damaged."""

    def __init__(self, catalog: Catalog, healthy: tuple[Drift, ...]) -> None:
        self._catalog = catalog
        self._healthy = healthy

    def outcomes(self, kind: InjectionKind, count: int, seed: str) -> Iterator[Mapping[str, Any]]:
        """So many injections of that kind, fewer where the database offers fewer, each with what came of it."""
        found = 0
        for number, injection in enumerate(itertools.islice(drawn(kind, self._catalog, seed=seed), count * TRIES)):
            if found == count:
                return
            outcome = self._try(injection)
            if outcome is not None:
                found += 1
                yield {"kind": kind.value, "number": number, "statements": injection.statements, **outcome}

    def _try(self, injection: Injection) -> Mapping[str, Any] | None:
        """What came of it; None where PostgreSQL refuses a statement."""
        from psycopg import Error

        cursor = self._catalog.cursor
        cursor.execute("BEGIN")
        try:
            for statement in injection.statements:
                cursor.execute(statement)
        except Error:
            cursor.execute("ROLLBACK")
            return None
        begun = time.monotonic()
        try:
            verdict = judge(injection, _ask(), before=self._healthy)
        except Exception:
            verdict = Verdict(1, (f"cascade failed: {traceback.format_exc(limit=-3)}",), (), 0)
        finally:
            cursor.execute("ROLLBACK")
        return {**asdict(verdict), "seconds": time.monotonic() - begun}


def _ask() -> tuple[Drift, ...]:
    """All that cascade finds, by the very way that its faces take."""
    from cascade.workflows import Question, analyse

    return analyse(Question(app_role=APPLICATION)).plan.drifts


def _read_once(module: str, name: str) -> None:
    """Let this function answer what it answered the first time: no injection touches what it reads."""
    import importlib

    owner = importlib.import_module(module)
    read = getattr(owner, name)
    kept: list[Any] = []

    def read_once(*arguments: Any, **options: Any) -> Any:
        if not kept:
            kept.append(read(*arguments, **options))
        return kept[0]

    setattr(owner, name, read_once)


def _nested(factory: Any) -> Any:
    """A cursor whose transactions lie inside that of the injection: savepoints, which undo SET LOCAL as well."""

    class NestedCursor(factory):  # type: ignore[misc]
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(query, str) and query.startswith("BEGIN"):
                query = "SAVEPOINT reading"
            elif query == "ROLLBACK":
                query = "ROLLBACK TO SAVEPOINT reading"
            return super().execute(query, *arguments, **options)

    return NestedCursor


def _unknown(healthy: tuple[Drift, ...]) -> Unknown:
    """What no state accounts for: the migrations' own SQL made it, so that only the other reference knows of it."""
    extra = [drift for drift in healthy if drift.kind.value.startswith("extra_") and drift.table is not None]
    return Unknown(
        frozenset(drift.table.name for drift in extra if drift.table and not drift.object),
        frozenset((drift.table.name, drift.object) for drift in extra if drift.table and drift.object),
    )


# ------------------------------------------------------------------------------------------- what Django itself knows


def _tables_of_apps() -> dict[str, frozenset[str]]:
    from django.apps import apps

    found: dict[str, set[str]] = {}
    for model in apps.get_models(include_auto_created=True):
        if _has_a_table(model):
            found.setdefault(model._meta.app_label, set()).add(model._meta.db_table)
    return {app: frozenset(tables) for app, tables in found.items()}


def _made_by_migrations() -> Iterator[tuple[str, tuple[Subject, ...]]]:
    """By migration the tables and columns that its plain operations made, of those models that the state still has."""
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    models = {(m._meta.app_label, m._meta.model_name): m for m in loader.project_state().apps.get_models()}
    for app, name in sorted(loader.applied_migrations):
        migration = loader.graph.nodes.get((app, name))
        made = [subject for op in getattr(migration, "operations", ()) for subject in _made_by(op, app, models)]
        if made:
            yield f"{app}.{name}", tuple(dict.fromkeys(made))


def _made_by(operation: Any, app: str, models: Mapping[tuple[str, str | None], Any]) -> Iterator[Subject]:
    from django.db.migrations import AddField, CreateModel

    if isinstance(operation, CreateModel):
        model = models.get((app, operation.name_lower))
        if model is not None and _has_a_table(model):
            yield Subject(model._meta.db_table)
            created = {name for name, _ in operation.fields}
            many = [field for field in model._meta.local_many_to_many if field.name in created]
            yield from (Subject(t._meta.db_table) for t in _through(many))
    elif isinstance(operation, AddField):
        model = models.get((app, operation.model_name_lower))
        if model is not None and _has_a_table(model):
            for field in model._meta.local_fields:
                if field.name == operation.name and field.column:
                    yield Subject(model._meta.db_table, field.column, (field.column,))
            many = [field for field in model._meta.local_many_to_many if field.name == operation.name]
            yield from (Subject(t._meta.db_table) for t in _through(many))


def _through(fields: list[Any]) -> Iterator[Any]:
    return (field.remote_field.through for field in fields if field.remote_field.through._meta.auto_created)


def _has_a_table(model: Any) -> bool:
    return bool(model._meta.managed and not model._meta.proxy and not model._meta.swapped)


if __name__ == "__main__":
    main()

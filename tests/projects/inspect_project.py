"""Runs inside a real project, in its own virtual environment: migrates it, or says what cascade finds there.

    python inspect_project.py migrate [--share 0.4] [--order number|plan|SEED] [--fake]
    python inspect_project.py analyse [--expected FILE] [--app-role ROLE]

The project is that of DJANGO_SETTINGS_MODULE. What ``analyse`` finds is printed as one JSON document, alone on stdout.
"""

import argparse
import contextlib
import heapq
import json
import pickle
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MigrationKey = tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    migrate = commands.add_parser("migrate", help="run migrate, with the files that an older release had")
    migrate.add_argument("--share", type=float, default=1.0, help="the share of all migrations that it had")
    migrate.add_argument("--order", default="number", help="in which order they came: number, plan or a seed")
    migrate.add_argument("--fake", action="store_true", help="record them, and run none")
    migrate.set_defaults(run=lambda options: run_migrate(options.share, options.order, fake=options.fake))
    analyse = commands.add_parser("analyse", help="what cascade finds, as JSON")
    analyse.add_argument("--expected", type=Path, help="pickle the expected layout into this file")
    analyse.add_argument("--app-role", default="", help="the role that serves requests, if not the connected one")
    analyse.set_defaults(run=lambda options: print_analysis(options.expected, options.app_role))
    options = parser.parse_args()
    # The folder of a script is on the path, where it could hide modules of the project.
    sys.path.pop(0)
    options.run(options)


# -------------------------------------------------------------------------------------------------------------- migrate


def run_migrate(share: float, order: str, *, fake: bool) -> None:
    """The real ``migrate`` command, as a checkout runs it that has only the first migrations of all."""
    import django
    from django.core.management import call_command

    django.setup()
    with _older_checkout(share, order):
        call_command("migrate", interactive=False, verbosity=0, fake=fake)


@contextlib.contextmanager
def _older_checkout(share: float, order: str) -> Iterator[None]:
    """Every plan ends with what was released by then."""
    from django.db.migrations.executor import MigrationExecutor

    complete = MigrationExecutor.migration_plan
    released: set[MigrationKey] = set()

    def migration_plan(executor: Any, targets: Any, clean_start: bool = False) -> Any:
        if not released:
            everything = complete(executor, executor.loader.graph.leaf_nodes(), clean_start=True)
            keys = [(migration.app_label, migration.name) for migration, _ in everything]
            released.update(_released(share, _release_order(executor.loader.graph, keys, order), executor.loader))
        plan = complete(executor, targets, clean_start=clean_start)
        return [step for step in plan if (step[0].app_label, step[0].name) in released]

    MigrationExecutor.migration_plan = migration_plan
    try:
        yield
    finally:
        MigrationExecutor.migration_plan = complete


def _release_order(graph: Any, plan: list[MigrationKey], order: str) -> Iterator[MigrationKey]:
    """All migrations, each after what it depends on.

    ``number``: first all 0001, then all 0002; ``plan``: as a single run of migrate takes them; else drawn by chance,
    with ``order`` as the seed.
    """
    chance = random.Random(order)
    rank: dict[MigrationKey, float] = {
        key: {"plan": position, "number": _number(key)}.get(order, chance.random()) for position, key in enumerate(plan)
    }
    waiting = {key: len(graph.node_map[key].parents) for key in plan}
    ready = [(rank[key], key) for key in plan if waiting[key] == 0]
    heapq.heapify(ready)
    while ready:
        _, key = heapq.heappop(ready)
        yield key
        for child in graph.node_map[key].children:
            waiting[child.key] -= 1
            if waiting[child.key] == 0:
                heapq.heappush(ready, (rank[child.key], child.key))


def _number(key: MigrationKey) -> int:
    found = re.match(r"\d+", key[1])
    return int(found.group()) if found else 0


def _released(share: float, order: Iterable[MigrationKey], loader: Any) -> list[MigrationKey]:
    """The first of them, up to where the models fit together: not every dependency is written down."""
    from django.db.migrations.state import ProjectState

    state, keys = ProjectState(real_apps=loader.unmigrated_apps), list(order)
    released: list[MigrationKey] = []
    for key in keys:
        if len(released) >= share * len(keys) and _renders(state):
            break
        loader.graph.nodes[key].mutate_state(state, preserve=False)
        released.append(key)
    return released


def _renders(state: Any) -> bool:
    try:
        return state.clone().apps is not None
    except ValueError:
        return False


# -------------------------------------------------------------------------------------------------------------- analyse


def print_analysis(expected_file: Path | None, app_role: str) -> None:
    from cascade.workflows import Question, analyse

    # Some projects print while they are set up.
    with contextlib.redirect_stdout(sys.stderr):
        answer = analyse(Question(app_role=app_role or None))
        document = analysis(answer)
    if expected_file:
        expected_file.write_bytes(pickle.dumps(answer.expected))
    json.dump(document, sys.stdout)


def analysis(answer: Any) -> dict[str, Any]:
    """What cascade answers, with figures, and what Django alone says of the tables to expect."""
    expected = answer.expected
    tables = [table.table for table in expected.tables.values()]
    return {
        "target": answer.placement.target,
        "figures": {
            "tables": len(tables),
            "columns": sum(len(table.columns) for table in tables),
            "constraints": sum(len(table.constraints) for table in tables),
            "indexes": sum(len(table.indexes) for table in tables),
            "migrations": expected.applied_count,
            "findings": dict(sorted(Counter(drift.severity.value for drift in answer.plan.drifts).items())),
            "seconds": round(answer.seconds or 0, 1),
        },
        "drifts": [_drift(drift) for drift in answer.plan.drifts],
        "steps": len(answer.plan.steps),
        "complete": answer.complete,
        "not_checked": [f"{part.what}: {part.why}" for part in answer.not_checked],
        "not_compared": [str(table.name) for table in expected.tables.values() if not table.compared],
        "expected_tables": sorted({name.name for name in expected.tables}),
        "notes": list(answer.notes),
        "model_tables": sorted(set(_tables_of_applied_models())),
    }


def _drift(drift: Any) -> dict[str, Any]:
    return {
        "id": drift.id,
        "kind": drift.kind.value,
        "severity": drift.severity.value,
        "table": drift.table.name if drift.table else "",
        "copies": [[copy.schema, copy.name] for copy in drift.copies],
        "observed": drift.observed,
        "evidence": list(drift.evidence),
        "undecided": drift.undecided,
    }


def _tables_of_applied_models() -> Iterator[str]:
    """The tables of all models as of the migrations that the visible django_migrations records."""
    from django.db import connection, router
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    apps = executor._create_project_state(with_applied_migrations=True).apps
    for model in apps.get_models(include_auto_created=True, include_swapped=True):
        migrated = model._meta.app_label in executor.loader.migrated_apps
        if migrated and model._meta.can_migrate(connection) and router.allow_migrate_model("default", model):
            yield model._meta.db_table


if __name__ == "__main__":
    main()

"""The repair as migrations: which files, where, with which dependencies."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade.core.answer import Answer
from cascade.core.attic import attic_of
from cascade.core.repair_migrations import NOT_OF_A_MIGRATION, RepairMigration, group_by_app
from cascade.errors import CascadeError, NoSuchName
from cascade.render.migration import MigrationText, render_migration
from cascade.render.sql import render_action
from cascade.render.wording import listed
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, silent

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A migration to be written: where, and what."""

    path: Path
    text: str


def make_repair_migrations(
    question: Question, *, before_pending: bool = False, into: str | None = None, report: Report = silent
) -> tuple[MigrationFile, ...]:
    """The plan as migration files, a chain in the order of the plan; none where it has no steps.

    With pending migrations in an app this is refused, for its repair would run after them, unless ``before_pending``
    puts it before the first of them. Repairs of apps whose code is not the project's go ``into`` one that is.
    Raises a ``CascadeError`` that says what stands in the way.
    """
    from django.db.migrations.loader import MigrationLoader

    answer = analyse(question, report=report)
    loader = MigrationLoader(None)
    moved = _moved_into(answer, loader, into)
    migrations = group_by_app(answer.plan, answer.expected, into=moved)
    applied = {(record.key.app, record.key.name) for record in _records(answer)}
    files: list[MigrationFile] = []
    previous: tuple[str, str] | None = None
    for migration in migrations:
        place = _place(migration, loader, applied, before_pending=before_pending)
        file, previous = _file(migration, place, previous, answer, question, loader)
        files.append(file)
    return tuple(files)


@dataclass(frozen=True, slots=True)
class _Place:
    """What the new migration follows, what it has to come before, and the number in its name."""

    after: tuple[str, str]
    before: tuple[tuple[str, str], ...]
    number: int


def _records(answer: Answer) -> Iterable[Any]:
    history = answer.observed.history(answer.placement.target)
    return history.records if history is not None else ()


def _moved_into(answer: Answer, loader: "MigrationLoader", into: str | None) -> Mapping[str, str]:
    """By app whose migrations are not the project's own: the app that takes its repairs."""
    steps = [step for step in answer.plan.steps if not isinstance(step.action, NOT_OF_A_MIGRATION)]
    tables = (answer.expected.tables.get(step.table) for step in steps)
    apps = {table.app for table in tables if table is not None}
    foreign = sorted(app for app in apps if not _is_own(app, loader))
    if not foreign:
        return {}
    if into is None:
        raise CascadeError(
            f"The migrations of {listed(foreign)} are not the project's own: a file there would be lost with the next "
            "installation.",
            hint="Name an app of the project that takes them: --into APP.",
        )
    if into not in loader.migrated_apps:
        raise NoSuchName("app", into, loader.migrated_apps, where=" with migrations")
    return dict.fromkeys(foreign, into)


def _is_own(app: str, loader: "MigrationLoader") -> bool:
    """Whether the app's migrations are not where installed distributions lie (Python, Installation paths)."""
    return _INSTALLED.isdisjoint(_folder_of(app, loader).parts)


_INSTALLED = frozenset({"site-packages", "dist-packages"})


def _folder_of(app: str, loader: "MigrationLoader") -> Path:
    """The folder of an app's migrations."""
    from importlib import import_module

    name, _ = loader.migrations_module(app)
    if name is None:
        raise CascadeError(f"The app {app} has no migrations: MIGRATION_MODULES switches them off.")
    module = import_module(name)
    paths = [*getattr(module, "__path__", [])]
    if not paths:
        raise CascadeError(f"{name} is no package: a migration has nowhere to go.")
    return Path(paths[0]).resolve()


def _place(
    migration: RepairMigration, loader: "MigrationLoader", applied: set[tuple[str, str]], *, before_pending: bool
) -> _Place:
    from django.db.migrations.autodetector import MigrationAutodetector

    leaves = sorted(loader.graph.leaf_nodes(migration.app))
    if len(leaves) != 1:
        names = listed([name for _, name in leaves])
        raise CascadeError(
            f"{migration.app} has {len(leaves)} leaf migrations ({names or 'none'}).",
            hint="Run makemigrations --merge first.",
        )
    number = (MigrationAutodetector.parse_number(leaves[0][1]) or 0) + 1
    own = [node for node in loader.graph.forwards_plan(leaves[0]) if node[0] == migration.app]
    pending = [n for n in own if n not in applied and not _is_squash_of_applied(n, loader, applied)]
    if not pending:
        return _Place(leaves[0], (), number)
    if not before_pending:
        raise CascadeError(
            f"{migration.app} has pending migrations ({listed([name for _, name in pending])}): a repair would run "
            "after them, and they may need what it repairs.",
            hint="Run migrate first, or put the repair before them: --before-pending.",
        )
    last = [node for node in own if node not in pending]
    if not last:
        raise CascadeError(f"No migration of {migration.app} is applied: there is nothing to repair.")
    return _Place(last[-1], (pending[0],), number)


def _is_squash_of_applied(node: tuple[str, str], loader: "MigrationLoader", applied: set[tuple[str, str]]) -> bool:
    migration = loader.graph.nodes.get(node)
    replaces = [tuple(replaced) for replaced in migration.replaces] if migration is not None else []
    return bool(replaces) and all(replaced in applied for replaced in replaces)


def _file(
    migration: RepairMigration,
    place: _Place,
    previous: tuple[str, str] | None,
    answer: Answer,
    question: Question,
    loader: "MigrationLoader",
) -> tuple[MigrationFile, tuple[str, str]]:
    name = f"{place.number:04d}_repair_{_what(migration)}"
    needs = [(key.app, key.name) for key in migration.needs]
    needed = [node for node in needs if node in loader.graph.nodes and node[0] != migration.app]
    dependencies = tuple(dict.fromkeys([place.after, *([previous] if previous else []), *needed]))
    text = render_migration(
        migration,
        answer.expected,
        answer.plan.drifts,
        MigrationText(
            dependencies,
            place.before,
            answer.plan_id,
            answer.observed.read_at[:10],
            answer.observed.database,
            left_out=tuple(_rights(answer)),
            warnings=tuple(_warnings(place)),
        ),
        target=answer.placement.target,
        attic=attic_of(question.decisions, answer.observed),
    )
    return MigrationFile(_folder_of(migration.app, loader) / f"{name}.py", text), (migration.app, name)


def _what(migration: RepairMigration) -> str:
    tables = list(dict.fromkeys(step.table.name for step in migration.steps))
    if len(tables) == 1 and tables[0].isidentifier() and tables[0].isascii():
        return tables[0].lower()
    return f"{len(tables)}_tables" if len(tables) > 1 else "one_table"


def _rights(answer: Answer) -> Iterator[str]:
    for step in answer.plan.steps:
        if isinstance(step.action, NOT_OF_A_MIGRATION):
            yield from render_action(step.action)


def _warnings(place: _Place) -> Iterator[str]:
    if place.before:
        yield inspect.cleandoc(
            f"""It runs before {place.before[0][1]}, which is not applied where it was made. A database that has applied
            it already runs this one late, and Django's consistency check refuses that: fake it there."""
        )

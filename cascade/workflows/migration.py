"""The repair as migrations: which files, where, with which dependencies."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade.core.answer import Answer
from cascade.core.attic import attic_of
from cascade.core.repair_migrations import (
    RIGHTS,
    RepairMigration,
    group_by_app,
    left_columns,
    left_out_of_migrations,
    steps_of_migrations,
)
from cascade.core.words import listed
from cascade.errors import CascadeError, NoSuchName
from cascade.render.migration import MigrationText, render_migration
from cascade.render.sql import render_action
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, silent

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A migration to be written: where, and what. ``left`` are the columns that it leaves as they are, and why.

    ``follows`` are the migrations of its ``app`` that it comes after.
    """

    path: Path
    text: str
    left: tuple[str, ...] = ()
    app: str = ""
    follows: tuple[tuple[str, str], ...] = ()


def make_repair_migrations(
    question: Question, *, before_pending: bool = False, into: str | None = None, report: Report = silent
) -> tuple[MigrationFile, ...]:
    """The plan as migration files: ``migration_files`` of what is found now."""
    return migration_files(analyse(question, report=report), question, before_pending=before_pending, into=into)


def migration_files(
    answer: Answer, question: Question, *, before_pending: bool = False, into: str | None = None
) -> tuple[MigrationFile, ...]:
    """The plan as migration files, a chain in the order of the plan; none where it has no steps.

    With pending migrations in an app this is refused, for its repair would run after them, unless ``before_pending``
    puts it before the first of them. Repairs of apps whose code is not the project's go ``into`` one that is.
    Raises a ``CascadeError`` that says what stands in the way.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    moved = _moved_into(answer, loader, into)
    migrations = group_by_app(answer.plan, answer.expected, into=moved)
    applied = {(record.key.app, record.key.name) for record in _records(answer)}
    files: list[MigrationFile] = []
    previous: tuple[str, str] | None = None
    for migration in migrations:
        place = _place(migration, loader, applied, before_pending=before_pending)
        # All that those apps' own migrations do to the tables is done before it, also where a database is made anew.
        needed = [node for app in migration.needs if app != migration.app for node in _latest(app, loader, applied)]
        after = dict.fromkeys([*place.after, *([previous] if previous else []), *needed])
        file, previous = _file(migration, place, tuple(after), answer, question, loader)
        files.append(file)
    return tuple(files)


def migrations_document(answer: Answer, question: Question) -> dict[str, Any]:
    """The migration files as a journal keeps them, or why there are none: after the repair no plan is left to write."""
    try:
        files = migration_files(answer, question)
    except CascadeError as error:
        return {"files": [], "refused": f"{error.message} {error.hint}".strip()}
    kept = [
        {
            "app": file.app,
            "name": file.path.name,
            "text": file.text,
            "left": list(file.left),
            "follows": [list(node) for node in file.follows],
        }
        for file in files
    ]
    return {"files": kept, "refused": ""}


def migrations_of_journal(path: Path, *, checked: bool = True) -> tuple[MigrationFile, ...]:
    """The migration files that the journal of a repair keeps; the project has to be set up.

    Raises a ``CascadeError`` where the journal keeps none, or, ``checked``, where the app has other migrations by now.
    """
    from django.db.migrations.loader import MigrationLoader

    from cascade.effects.repair.journal import read_journal

    kept = next((event for event in read_journal(path).events if event.get("event") == "migrations"), None)
    if kept is None:
        raise CascadeError(f"{path} keeps no migrations: the version that wrote it did not.")
    if kept["refused"]:
        raise CascadeError(f"No migration was kept in {path}: {kept['refused']}")
    loader = MigrationLoader(None)
    files = tuple(_kept_file(file, loader) for file in kept["files"])
    for file in files if checked else ():
        _refuse_other_leaves(file, files, path, loader)
    return files


def _kept_file(file: Mapping[str, Any], loader: "MigrationLoader") -> MigrationFile:
    follows = tuple((app, name) for app, name in file["follows"])
    path = _folder_of(file["app"], loader) / file["name"]
    return MigrationFile(path, file["text"], tuple(file["left"]), file["app"], follows)


def _refuse_other_leaves(
    file: MigrationFile, files: Iterable[MigrationFile], journal: Path, loader: "MigrationLoader"
) -> None:
    """A file that was meant to come last in its app, and would not; one that is there already is written again."""
    own = {(other.app, other.path.stem) for other in files}
    leaves = tuple(sorted(loader.graph.leaf_nodes(file.app)))
    if leaves != file.follows and not own.issuperset(leaves):
        raise CascadeError(
            f"{file.app} has other migrations than when {journal} was written: {file.path.stem} would follow "
            f"{listed([name for _, name in file.follows]) or 'none'}, and the last is now "
            f"{listed([name for _, name in leaves]) or 'none'}.",
            hint="Print it with --print, and give it its number and dependencies by hand.",
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """What the new migration follows in its app, what it has to come before, and the number in its name."""

    after: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, str], ...]
    number: int


def _records(answer: Answer) -> Iterable[Any]:
    history = answer.observed.history(answer.placement.target)
    return history.records if history is not None else ()


def _moved_into(answer: Answer, loader: "MigrationLoader", into: str | None) -> Mapping[str, str]:
    """By app whose migrations are not the project's own: the app that takes its repairs."""
    tables = (answer.expected.tables.get(step.table) for step in steps_of_migrations(answer.plan))
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
    if not leaves:
        return _Place((), (), 1)
    if len(leaves) > 1:
        raise CascadeError(
            f"{migration.app} has {len(leaves)} leaf migrations ({listed([name for _, name in leaves])}).",
            hint="Run makemigrations --merge first.",
        )
    number = (MigrationAutodetector.parse_number(leaves[0][1]) or 0) + 1
    own = [node for node in loader.graph.forwards_plan(leaves[0]) if node[0] == migration.app]
    pending = [node for node in own if not _is_applied(node, loader, applied)]
    if not pending:
        return _Place((leaves[0],), (), number)
    if not before_pending:
        raise CascadeError(
            f"{migration.app} has pending migrations ({listed([name for _, name in pending])}): a repair would run "
            "after them, and they may need what it repairs.",
            hint="Run migrate first, or put the repair before them: --before-pending.",
        )
    last = [node for node in own if node not in pending]
    if not last:
        raise CascadeError(f"No migration of {migration.app} is applied: there is nothing to repair.")
    return _Place((last[-1],), (pending[0],), number)


def _is_applied(node: tuple[str, str], loader: "MigrationLoader", applied: set[tuple[str, str]]) -> bool:
    """Whether it is recorded, or everything that it replaces is."""
    migration = loader.graph.nodes.get(node)
    replaces = [tuple(replaced) for replaced in migration.replaces] if migration is not None else []
    return node in applied or (bool(replaces) and all(replaced in applied for replaced in replaces))


def _latest(app: str, loader: "MigrationLoader", applied: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The applied migrations of the app after which none of its own is applied."""
    nodes = {node for node in loader.graph.nodes if node[0] == app and _is_applied(node, loader, applied)}
    return sorted(n for n in nodes if nodes.isdisjoint(child.key for child in loader.graph.node_map[n].children))


def _file(
    migration: RepairMigration,
    place: _Place,
    dependencies: tuple[tuple[str, str], ...],
    answer: Answer,
    question: Question,
    loader: "MigrationLoader",
) -> tuple[MigrationFile, tuple[str, str]]:
    name = f"{place.number:04d}_repair_{_what(migration)}"
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
            left_out=tuple(_left_out(answer)),
            warnings=tuple(_warnings(place)),
        ),
        target=answer.placement.target,
        attic=attic_of(question.decisions, answer.observed),
    )
    undecided = [drift for drift in left_columns(migration, answer.plan.drifts) if drift.undecided]
    left = tuple(f"{drift.table}.{drift.object}: {drift.undecided}" for drift in undecided)
    path = _folder_of(migration.app, loader) / f"{name}.py"
    return MigrationFile(path, text, left, migration.app, place.after), (migration.app, name)


def _what(migration: RepairMigration) -> str:
    tables = list(dict.fromkeys(step.table.name for step in migration.steps))
    if len(tables) == 1 and tables[0].isidentifier() and tables[0].isascii():
        return tables[0].lower()
    return f"{len(tables)}_tables" if len(tables) > 1 else "one_table"


def _left_out(answer: Answer) -> Iterator[str]:
    """Rights as SQL, whatever else is in no migration by its id and why: ``cascade apply`` does that."""
    without = left_out_of_migrations(answer.plan)
    for step in answer.plan.steps:
        if isinstance(step.action, RIGHTS):
            yield from render_action(step.action)
        elif step.id in without:
            yield f"{step.id}: {without[step.id]}"


def _warnings(place: _Place) -> Iterator[str]:
    if place.before:
        yield inspect.cleandoc(
            f"""It runs before {place.before[0][1]}, which is not applied where it was made. A database that has applied
            it already runs this one late, and Django's consistency check refuses that: fake it there."""
        )

"""The repair as migrations: which files, where, with which dependencies."""

import ast
import inspect
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
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
    repaired_apps,
)
from cascade.core.words import listed
from cascade.errors import CascadeError, NoSuchName
from cascade.render.migration import MigrationId, MigrationText, render_migration, render_placed
from cascade.render.sql import render_action
from cascade.workflows.answering import analyse
from cascade.workflows.question import Question, Report, silent

if TYPE_CHECKING:
    from django.db.migrations.loader import MigrationLoader


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A migration to be written: where, and what. ``left`` are the columns that it leaves as they are, and why."""

    path: Path
    text: str
    left: tuple[str, ...]
    id: MigrationId


@dataclass(frozen=True, slots=True)
class RepairText:
    """A repair as a migration without a place: it has no number yet, and follows nothing.

    ``apps`` are those that it repairs: one, or those together whose code is not the project's. ``needs`` are the apps
    whose tables it is about or refers to; ``what`` ends its name.
    """

    apps: tuple[str, ...]
    needs: tuple[str, ...]
    what: str
    text: str
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placing:
    """What a person says about the place.

    ``before_pending`` puts repairs before the first migration of their app that was not applied where they were made;
    without it they are refused, for they would run after it. Repairs of apps whose code is not the project's go
    ``into`` one that is.
    """

    before_pending: bool = False
    into: str | None = None


def make_repair_migrations(
    question: Question, placing: Placing | None = None, *, report: Report = silent
) -> tuple[MigrationFile, ...]:
    """The plan as migration files: ``migration_files`` of what is found now."""
    return migration_files(analyse(question, report=report), question, placing or Placing())


def migration_files(answer: Answer, question: Question, placing: Placing) -> tuple[MigrationFile, ...]:
    """The plan as migration files, a chain in the order of the plan; none where it has no steps.

    Raises a ``CascadeError`` that says what stands in the way.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    history = answer.observed.history(answer.placement.target)
    applied = {(record.key.app, record.key.name) for record in history.records} if history is not None else set()
    return _placed(_repair_texts(answer, question, loader), applied, loader, placing)


def migrations_document(answer: Answer, question: Question) -> dict[str, Any]:
    """The repair as a journal keeps it for migrations, or why it cannot: afterwards no plan is left to write."""
    from django.db.migrations.loader import MigrationLoader

    try:
        texts = _repair_texts(answer, question, MigrationLoader(None))
    except CascadeError as error:
        return {"files": [], "refused": f"{error.message} {error.hint}".strip()}
    return {"files": [asdict(text) for text in texts], "refused": ""}


def migrations_of_journal(path: Path, placing: Placing) -> tuple[MigrationFile, ...]:
    """The migration files of the repair that this journal is of; the project has to be set up.

    What was not applied then is pending for them. Raises a ``CascadeError`` where the journal keeps none, or that says
    what stands in the way.
    """
    from django.db.migrations.loader import MigrationLoader

    from cascade.effects.repair.journal import read_journal

    journal = read_journal(path)
    kept = next((event for event in journal.events if event.get("event") == "migrations"), None)
    if kept is None:
        raise CascadeError(f"{path} keeps no migrations: the version that wrote it did not.")
    if kept["refused"]:
        raise CascadeError(f"No migration was kept in {path}: {kept['refused']}")
    texts = tuple(
        RepairText(tuple(file["apps"]), tuple(file["needs"]), file["what"], file["text"], tuple(file["left"]))
        for file in kept["files"]
    )
    records = journal.header["plan"]["records"]
    applied = {(app, name) for app, _, name in (record["migration"].partition(".") for record in records)}
    return _placed(texts, applied, MigrationLoader(None), placing)


# ------------------------------------------------------------------------------------------------------ what they say


def _repair_texts(answer: Answer, question: Question, loader: "MigrationLoader") -> tuple[RepairText, ...]:
    foreign = {app for app in repaired_apps(answer.plan, answer.expected) if not _is_own(app, loader)}
    migrations = group_by_app(answer.plan, answer.expected, together=foreign)
    return tuple(_repair_text(migration, answer, question) for migration in migrations)


def _repair_text(migration: RepairMigration, answer: Answer, question: Question) -> RepairText:
    text = render_migration(
        migration,
        answer.expected,
        answer.plan.drifts,
        MigrationText(
            answer.plan_id,
            answer.observed.read_at[:10],
            answer.observed.database,
            left_out=tuple(_left_out(answer)),
        ),
        target=answer.placement.target,
        attic=attic_of(question.decisions, answer.observed),
    )
    undecided = [drift for drift in left_columns(migration, answer.plan.drifts) if drift.undecided]
    left = tuple(f"{drift.table}.{drift.object}: {drift.undecided}" for drift in undecided)
    return RepairText(migration.apps, migration.needs, _what(migration), text, left)


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


# ------------------------------------------------------------------------------------------------------ where they go


def _placed(
    texts: Sequence[RepairText], applied: AbstractSet[MigrationId], loader: "MigrationLoader", placing: Placing
) -> tuple[MigrationFile, ...]:
    """The repairs in their places, each after the one before it; one that was written already where it is."""
    homes = [_home(text, loader, placing.into) for text in texts]
    there = [_node_of(text, home, loader) for text, home in zip(texts, homes, strict=True)]
    own = frozenset(filter(None, there))
    files: list[MigrationFile] = []
    for text, home, node in zip(texts, homes, there, strict=True):
        if node is not None:
            path = _folder_of(home, loader) / f"{node[1]}.py"
            files.append(MigrationFile(path, path.read_text(encoding="utf-8"), text.left, node))
            continue
        place = _place(home, loader, applied, own, [file.id for file in files if file.id[0] == home], placing)
        # All that those apps' own migrations do to the tables is done before it, also where a database is made anew.
        needed = [node for app in text.needs if app != home for node in _latest(app, loader, applied)]
        follows = dict.fromkeys([*place.after, *(file.id for file in files[-1:]), *needed])
        name = f"{place.number:04d}_repair_{text.what}"
        path = _folder_of(home, loader) / f"{name}.py"
        files.append(MigrationFile(path, render_placed(text.text, follows, place.before), text.left, (home, name)))
    return tuple(files)


def _home(text: RepairText, loader: "MigrationLoader", into: str | None) -> str:
    """The app whose migration the repair becomes."""
    foreign = [app for app in text.apps if not _is_own(app, loader)]
    if not foreign:
        return text.apps[0]
    if into is None:
        raise CascadeError(
            f"The migrations of {listed(foreign)} are not the project's own: a file there would be lost with the next "
            "installation.",
            hint="Name an app of the project that takes them: --into APP.",
        )
    if into not in loader.migrated_apps:
        raise NoSuchName("app", into, loader.migrated_apps, where=" with migrations")
    return into


def _node_of(text: RepairText, home: str, loader: "MigrationLoader") -> MigrationId | None:
    """The migration that says what this one says, and so was written from it; None where there is none."""
    said = ast.get_docstring(ast.parse(text.text))
    for node, migration in sorted(loader.disk_migrations.items()):
        if node[0] == home and inspect.cleandoc(sys.modules[migration.__module__].__doc__ or "") == said:
            return node
    return None


def _is_own(app: str, loader: "MigrationLoader") -> bool:
    """Whether the app's migrations are not where installed distributions lie (Python, Installation paths)."""
    return _INSTALLED.isdisjoint(_folder_of(app, loader).parts)


_INSTALLED = frozenset({"site-packages", "dist-packages"})


def _folder_of(app: str, loader: "MigrationLoader") -> Path:
    """The folder of an app's migrations."""
    from importlib import import_module

    if app not in {*loader.migrated_apps, *loader.unmigrated_apps}:
        raise NoSuchName("app", app, loader.migrated_apps, where=" with migrations")
    name, _ = loader.migrations_module(app)
    if name is None:
        raise CascadeError(f"The app {app} has no migrations: MIGRATION_MODULES switches them off.")
    module = import_module(name)
    paths = [*getattr(module, "__path__", [])]
    if not paths:
        raise CascadeError(f"{name} is no package: a migration has nowhere to go.")
    return Path(paths[0]).resolve()


@dataclass(frozen=True, slots=True)
class _Place:
    """What the new migration follows in its app, what it has to come before, and the number in its name."""

    after: tuple[MigrationId, ...]
    before: tuple[MigrationId, ...]
    number: int


def _place(
    app: str,
    loader: "MigrationLoader",
    applied: AbstractSet[MigrationId],
    own: AbstractSet[MigrationId],
    earlier: Sequence[MigrationId],
    placing: Placing,
) -> _Place:
    """Where the app takes a migration; ``own`` are those of this repair that are there, ``earlier`` those placed."""
    from django.db.migrations.autodetector import MigrationAutodetector

    leaves = sorted(loader.graph.leaf_nodes(app))
    if len(leaves) > 1:
        raise CascadeError(
            f"{app} has {len(leaves)} leaf migrations ({listed([name for _, name in leaves])}).",
            hint="Run makemigrations --merge first.",
        )
    numbers = [MigrationAutodetector.parse_number(name) or 0 for _, name in (*leaves, *earlier)]
    number = max(numbers, default=0) + 1
    chain = [node for leaf in leaves for node in loader.graph.forwards_plan(leaf) if node[0] == app]
    pending = [node for node in chain if node not in own and not _is_applied(node, loader, applied)]
    if not pending:
        return _Place(tuple(earlier[-1:]) or tuple(leaves), (), number)
    if not placing.before_pending:
        raise CascadeError(
            f"{app} has migrations that were not applied where the repair was planned "
            f"({listed([name for _, name in pending])}): it would run after them, and they may need what it repairs.",
            hint="Put it before them: --before-pending. Or run migrate first, and plan anew.",
        )
    done = [node for node in chain if node not in pending]
    if not (earlier or done):
        raise CascadeError(f"No migration of {app} is applied: there is nothing to repair.")
    return _Place(tuple(earlier[-1:]) or (done[-1],), (pending[0],), number)


def _is_applied(node: tuple[str, str], loader: "MigrationLoader", applied: AbstractSet[MigrationId]) -> bool:
    """Whether it is recorded, or everything that it replaces is."""
    migration = loader.graph.nodes.get(node)
    replaces = [tuple(replaced) for replaced in migration.replaces] if migration is not None else []
    return node in applied or (bool(replaces) and all(replaced in applied for replaced in replaces))


def _latest(app: str, loader: "MigrationLoader", applied: AbstractSet[MigrationId]) -> list[tuple[str, str]]:
    """The applied migrations of the app after which none of its own is applied."""
    nodes = {node for node in loader.graph.nodes if node[0] == app and _is_applied(node, loader, applied)}
    return sorted(n for n in nodes if nodes.isdisjoint(child.key for child in loader.graph.node_map[n].children))

"""Real projects with long histories: nothing is found where nothing is wrong, and all that is wrong is found.

Two projects by default; ``--all-projects`` (or CASCADE_ALL_PROJECTS=1) takes all of ``projects.py``. Environments
are kept in CASCADE_PROJECTS_CACHE, else in the user's cache folder.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from cascade.core.actions import Action, AddForeignKey, CreateTable
from cascade.core.layout import Layout, Rights, RowEvidence, Table
from cascade.render.sql import SEARCH_PATH, render_action
from cascade.sources.catalog import CatalogScope, read_catalog
from tests.projects.databases import (
    HealthyDatabase,
    copy_schema,
    copy_what_tables_need,
    drifted_database,
    tables_in,
)
from tests.projects.healthy import row_of
from tests.projects.projects import Analysis, Checkout, Project, Window
from tests.projects.roles import STRAY_SCHEMA
from tests.servers import Database, Server, fresh_database

pytestmark = [pytest.mark.projects, pytest.mark.slow]


def test_a_healthy_database_has_no_drift(
    project: Project, analysis: Analysis, project_server: Server, record_property: Callable[[str, object], None]
) -> None:
    record_property("figures", [str(cell) for cell in row_of(project, project_server, analysis)])
    assert analysis.serious == []
    assert analysis["steps"] == 0
    assert analysis["not_checked"] == []
    assert analysis["not_compared"] == []
    assert analysis["complete"]
    assert analysis["expected_tables"] == analysis["model_tables"]


def test_sql_worded_from_what_is_there_makes_the_same_again(healthy: HealthyDatabase, tmp_path: Path) -> None:
    """Layout, SQL, PostgreSQL, layout: identical, names included.

    PostgreSQL prints ``x IN ('a', 'b')`` on a varchar in one way the first time and in another when it has read
    that back, so what is identical here is what pg_dump and pg_restore make.
    """
    server = healthy.database.server
    with fresh_database(server) as second, fresh_database(server) as restored:
        copy_what_tables_need(healthy.database, second, tmp_path)
        _build(second, _observed(healthy.database))
        copy_schema(healthy.database, restored, tmp_path)
        assert _differences(_observed(restored), _observed(second)) == []


def test_sql_worded_from_what_is_expected_makes_what_is_expected(
    healthy: HealthyDatabase, analysis: Analysis, tmp_path: Path
) -> None:
    """As when every table is missing and created by the plan."""
    expected = analysis.expected.layout()
    with fresh_database(healthy.database.server) as made:
        copy_what_tables_need(healthy.database, made, tmp_path)
        _build(made, expected)
        assert _differences(_as_expected(expected), _as_expected(_observed(made))) == []


def test_what_a_run_with_another_search_path_made_is_found(
    checkout: Checkout, drifting_server: Server, window: Window
) -> None:
    with drifted_database(checkout, drifting_server, window) as database:
        answer = checkout.analyse(database)
        astray = tables_in(database.connection, STRAY_SCHEMA) & set(answer["model_tables"])
        in_place = tables_in(database.connection, answer["target"])

    assert answer["target"] == "public"
    misplaced = [drift for drift in answer["drifts"] if drift["kind"] == "misplaced_table"]
    assert sorted(drift["table"] for drift in misplaced) == sorted(astray - in_place)
    assert all(drift["copies"] == [[STRAY_SCHEMA, drift["table"]]] for drift in misplaced)
    assert all(drift["severity"] == "broken" and not drift["undecided"] for drift in misplaced)
    assert len(misplaced) >= 3, "the window is too small to show anything"
    assert [finding for finding in answer.serious if " misplaced_table:" not in finding] == []
    assert answer["complete"]


# -------------------------------------------------------------------------------------------------------------- helpers


def _observed(database: Database) -> Layout:
    with database.connection.cursor() as cursor:
        layout = read_catalog(cursor, CatalogScope(histories=(), rows=())).layout
    tables = (table for table in layout.tables.values() if table.kind.holds_rows and table.extension is None)
    return Layout.of(tables)


def _build(database: Database, layout: Layout) -> None:
    """Make every table, then every key, with the statements that a plan would show and run."""
    actions: list[Action] = [CreateTable(table) for table in layout.tables.values()]
    actions += [AddForeignKey(table.name, key) for table in layout.tables.values() for key in table.foreign_keys]
    with database.connect() as connection:
        connection.execute(f"SET search_path = {SEARCH_PATH}".encode())
        for action in actions:
            for statement in render_action(action):
                connection.execute(statement.encode())


def _differences(before: Layout, after: Layout) -> list[str]:
    """One line for each part of a table that is not the same."""
    found = []
    for name in sorted({*before.tables, *after.tables}):
        ours, theirs = before.tables.get(name), after.tables.get(name)
        if ours is None or theirs is None:
            found.append(f"{name} only {'after' if ours is None else 'before'}")
        else:
            found += [f"{name}: {line}" for line in _differing_parts(_structure(ours), _structure(theirs))]
    return found


def _differing_parts(before: Table, after: Table) -> Iterator[str]:
    for field in fields(Table):
        ours, theirs = getattr(before, field.name), getattr(after, field.name)
        if isinstance(ours, tuple):
            yield from (f"only before: {item}" for item in ours if item not in theirs)
            yield from (f"only after: {item}" for item in theirs if item not in ours)
        if ours != theirs:
            yield f"{field.name} differ"


def _structure(table: Table) -> Table:
    """The table without what says how full it is, whose it is, and which number it got."""
    return replace(
        table,
        oid=0,
        owner="",
        pages=0,
        rows=RowEvidence(),
        rights=Rights(),
        grants=(),
        uses=(),
        counters=(),
        dependants=(),
    )


def _as_expected(layout: Layout) -> Layout:
    """What the expected side can know: no sequence of an identity; and expressions as far as they hold still."""
    return Layout.of(
        replace(
            table,
            columns=tuple(
                replace(column, fill=None, sequence=None if column.identity else column.sequence)
                for column in table.columns
            ),
            constraints=tuple(
                replace(constraint, definition=constraint.definition and _without_casts(constraint.definition))
                for constraint in sorted(table.constraints, key=lambda item: (item.kind.value, item.name))
            ),
            indexes=tuple(replace(index, tail=index.tail and _without_casts(index.tail)) for index in table.indexes),
        )
        for table in layout.tables.values()
    )


def _without_casts(definition: str) -> str:
    """The definition without the casts and brackets that come and go as PostgreSQL reads what it printed."""
    return re.sub(r"::(?:character varying|[a-z_]+)(?:\(\d+\))?(?:\[\])?|[()]", "", definition)

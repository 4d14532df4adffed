"""Every plan runs: each step is valid SQL where it stands, takes nothing away, and in the end all is as it was."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import ForeignKeyViolation

from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Layout,
    RelationKind,
    RowEvidence,
    Table,
    TableName,
    quoted,
)
from cascade.core.plan import HazardKind, Plan
from cascade.core.planner import make_plan
from cascade.render.sql import SEARCH_PATH, render_action, render_add_foreign_key, render_create_table
from cascade.sources.catalog import CatalogScope, read_catalog
from tests.drifted import (
    ELSEWHERE,
    TARGET,
    Damage,
    damages,
    drifts_of,
    expected_layouts,
    expected_of,
    foreign_key,
    index,
    made_by,
    primary_key,
)
from tests.servers import Database


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_each_prefix_of_a_plan_is_valid_and_the_whole_of_it_heals(database: Database, data: st.DataObject) -> None:
    drawn = data.draw(expected_layouts())
    damage = data.draw(damages(drawn))
    expected = make_healthy(database, drawn)
    inflict(database, damage)
    plan = plan_for(database, expected, damage)

    before = there(read(database), expected)
    for step in plan.steps:
        run(database, *render_action(step.action))
        after = there(read(database), expected)
        assert before <= after, f"{step.id} took away {before - after}"
        before = after

    assert comparable(read(database)) == comparable(expected.layout())


def test_rows_that_lost_what_they_refer_to_do_not_stop_the_plan(database: Database) -> None:
    expected = make_healthy(database, two_tables())
    run(
        database,
        "INSERT INTO public.bounty (id, title) VALUES (7, 'a')",
        "INSERT INTO public.result (id, bounty_id) VALUES (1, 7)",
    )
    damage = Damage(missing=frozenset({"bounty"}))
    inflict(database, damage)
    plan = plan_for(database, expected, damage)
    for step in plan.steps:
        run(database, *render_action(step.action))

    [key] = read(database).tables[TableName(TARGET, "result")].foreign_keys
    assert key.validated is False
    assert plan.steps[-1].hazards[0].kind is HazardKind.ROWS_NOT_CHECKED
    assert database.connection.execute("SELECT bounty_id FROM public.result").fetchall() == [(7,)]
    with pytest.raises(ForeignKeyViolation):
        database.connection.execute("INSERT INTO public.result (id, bounty_id) VALUES (2, 8)")


def test_a_moved_table_keeps_its_rows_and_its_keys_in_both_directions(database: Database) -> None:
    expected = make_healthy(database, two_tables())
    run(
        database,
        "INSERT INTO public.bounty (id, title) VALUES (7, 'a')",
        "INSERT INTO public.result (id, bounty_id) VALUES (1, 7)",
    )
    damage = Damage(misplaced=frozenset({"bounty", "result"}))
    inflict(database, damage)
    for step in plan_for(database, expected, damage).steps:
        run(database, *render_action(step.action))

    assert comparable(read(database)) == comparable(expected.layout())
    assert database.connection.execute(
        "SELECT title FROM public.result r JOIN public.bounty b ON b.id = r.bounty_id"
    ).fetchall() == [("a",)]


def test_a_column_that_may_not_be_empty_takes_the_value_it_was_once_filled_with(database: Database) -> None:
    expected = make_healthy(database, two_tables())
    bounty = expected.tables[TableName(TARGET, "bounty")]
    columns = tuple(replace(c, fill="'none'") if c.name == "title" else c for c in bounty.table.columns)
    filled = replace(bounty, table=replace(bounty.table, columns=columns))
    run(database, "INSERT INTO public.bounty (id, title) VALUES (7, 'a')")
    damage = Damage(columns=frozenset({("bounty", "title")}))
    inflict(database, damage)
    for step in plan_for(database, expected_of(filled), damage).steps:
        run(database, *render_action(step.action))

    assert database.connection.execute("SELECT title FROM public.bounty").fetchall() == [("none",)]
    assert comparable(read(database)) == comparable(expected.layout())


# --------------------------------------------------------------------------------------------------- making and harming


def make_healthy(database: Database, drawn: ExpectedLayout) -> ExpectedLayout:
    """Make the tables in an emptied database; the expected side is what PostgreSQL then reads."""
    run(
        database,
        f"DROP SCHEMA IF EXISTS {TARGET}, {ELSEWHERE} CASCADE",
        f"CREATE SCHEMA {TARGET}",
        f"CREATE SCHEMA {ELSEWHERE}",
        *(statement for table in drawn.tables.values() for statement in render_create_table(table.table)),
        *(
            statement
            for table in drawn.tables.values()
            for key in table.table.foreign_keys
            for statement in render_add_foreign_key(table.name, key)
        ),
    )
    layout = read(database)
    return expected_of(*(replace(table, table=layout.tables[name]) for name, table in drawn.tables.items()))


def inflict(database: Database, damage: Damage) -> None:
    for table, column in sorted(damage.columns):
        run(database, f"ALTER TABLE {TableName(TARGET, table)} DROP COLUMN IF EXISTS {quoted(column)} CASCADE")
    for table in sorted(damage.missing):
        run(database, f"DROP TABLE {TableName(TARGET, table)} CASCADE")
    for table in sorted(damage.misplaced):
        run(database, f"ALTER TABLE {TableName(TARGET, table)} SET SCHEMA {ELSEWHERE}")


def plan_for(database: Database, expected: ExpectedLayout, damage: Damage) -> Plan:
    plan = make_plan(expected, read(database, rows=True), drifts_of(expected, damage), application_role="postgres")
    assert not any(drift.undecided for drift in plan.drifts), plan.drifts
    return plan


def run(database: Database, *statements: str) -> None:
    database.connection.execute(f"SET search_path = {SEARCH_PATH}")
    for statement in statements:
        database.connection.execute(statement)


def read(database: Database, *, rows: bool = False) -> Layout:
    scope = CatalogScope(schemas=(TARGET, ELSEWHERE), rows=None if rows else ())
    return read_catalog(database.connection.cursor(), scope).layout


def two_tables() -> ExpectedLayout:
    """``result`` refers to ``bounty``, whose title may not be empty."""
    identity = Column("id", "bigint", nullable=False, identity="d")
    title, to_bounty = Column("title", "text", nullable=False), Column("bounty_id", "bigint")
    bounty_key, bounty_index = primary_key("bounty", "id")
    result_key, result_index = primary_key("result", "id")
    bounty = Table(TableName(TARGET, "bounty"), RelationKind.TABLE, (identity, title), (bounty_key,), (bounty_index,))
    result = Table(
        TableName(TARGET, "result"),
        columns=(identity, to_bounty),
        constraints=(result_key, foreign_key("result", "bounty_id", "bounty")),
        indexes=(result_index, index("result", "bounty_id")),
    )
    return expected_of(
        ExpectedTable(bounty, "app", "app.Bounty", made_by(1)), ExpectedTable(result, "app", "app.Result", made_by(2))
    )


# ------------------------------------------------------------------------------------------------------------ comparing


def comparable(layout: Layout) -> dict[TableName, Table]:
    """The layout without what a repair may change: OIDs, sizes, rows, and where in its table a column stands."""
    return {
        name: replace(
            table,
            oid=0,
            pages=0,
            rows=RowEvidence(),
            counters=(),
            dropped_columns=None,
            columns=tuple(sorted(table.columns, key=lambda column: column.name)),
            constraints=tuple(sorted(map(_unnamed, table.constraints), key=_described)),
        )
        for name, table in layout.tables.items()
    }


def _unnamed(constraint: Constraint) -> Constraint:
    """NOT NULL is named by PostgreSQL 18, after whatever names are free just then."""
    return replace(constraint, name="") if constraint.kind is ConstraintKind.NOT_NULL else constraint


def there(layout: Layout, expected: ExpectedLayout) -> set[Any]:
    """Everything expected that is there already, wherever a table may be."""
    found: set[Any] = set()
    for name in expected.tables:
        table = layout.tables.get(name)
        if table is not None:
            found.add(name)
        table = table or layout.tables.get(TableName(ELSEWHERE, name.name))
        found.update(() if table is None else _parts(name, table))
    return found


def _parts(name: TableName, table: Table) -> Iterator[tuple[str, ...]]:
    yield from ((str(name), "column", column.name) for column in table.columns)
    yield from ((str(name), "index", index.name) for index in table.indexes)
    yield from ((str(name), "constraint", *_described(_unnamed(constraint))) for constraint in table.constraints)


def _described(constraint: Constraint) -> tuple[str, ...]:
    to = constraint.references.table.name if constraint.references else ""
    return (constraint.kind.value, constraint.name, *constraint.columns, to)

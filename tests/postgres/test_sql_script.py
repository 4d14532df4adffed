"""The script of a plan, run by psql: it repairs, or it changes nothing and says why; and what undoes a step."""

import subprocess
from typing import Any

import psycopg
import pytest
from psycopg import sql

from cascade.core.actions import Action, AddColumn, AddForeignKey, CreateTable, GrantTable, GrantUsage, MoveTable
from cascade.core.layout import Column, Constraint, ConstraintKind, Reference, Table, TableName
from cascade.core.plan import Plan, Step
from cascade.render.sql import render_action, render_plan_script, render_undo
from tests.servers import Database, Server

ODD_SCHEMA = "Odd \"schema\" %s; -- \\ 'ü'\n$cascade$ :name"
ODD_TABLE = 'ta"ble \'x\' %I; \\ :"name"\nCOMMIT; -- $cascade$'
ASTRAY, HOME = TableName(ODD_SCHEMA, ODD_TABLE), TableName("public", ODD_TABLE)
PRIZE = TableName("public", "prize")
KEY = Constraint("prize; fk", ConstraintKind.FOREIGN_KEY, ("of",), references=Reference(HOME, ("id",)))
ACTIONS: tuple[Action, ...] = (
    MoveTable(ASTRAY, HOME),
    AddColumn(HOME, Column('co"de', "text", nullable=False, fill="'it''s'")),
    CreateTable(Table(PRIZE, columns=(Column("of", "integer"),))),
    AddForeignKey(PRIZE, KEY),
)


def test_psql_runs_the_script_and_everything_is_repaired(database: Database) -> None:
    _drift(database.connection)

    done = _psql(database, _script(database.name, ACTIONS))

    assert (done.returncode, done.stderr) == (0, "")
    assert _all(database, f'SELECT id, "co""de" FROM {HOME}') == [(1, "it's"), (2, "it's")]
    assert _all(database, "SELECT conname FROM pg_constraint WHERE contype = 'f'") == [("prize; fk",)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (f"DROP TABLE {ASTRAY}", "there is no table"),
        (f"CREATE VIEW {HOME} AS SELECT 1 AS id", "is there already"),
        ("CREATE TABLE prize ()", "public.prize is there already"),
        (f'ALTER TABLE {ASTRAY} ADD COLUMN "co""de" text', 'has a column "co""de" already'),
    ],
)
def test_a_database_that_is_not_as_it_was_read_is_not_changed(database: Database, change: str, problem: str) -> None:
    _drift(database.connection)
    database.connection.execute(change.encode())
    before = _relations(database)

    done = _psql(database, _script(database.name, ACTIONS))

    assert done.returncode == 3
    assert "nothing was changed: " in done.stderr
    assert problem in done.stderr
    assert _relations(database) == before


def test_a_second_run_changes_nothing(database: Database) -> None:
    _drift(database.connection)
    script = _script(database.name, ACTIONS)
    assert _psql(database, script).returncode == 0

    again = _psql(database, script)

    assert again.returncode == 3
    assert "nothing was changed: " in again.stderr


def test_a_script_for_another_database_changes_nothing(database: Database) -> None:
    _drift(database.connection)

    done = _psql(database, _script('an"other', ACTIONS))

    assert done.returncode == 3
    assert f'this plan is for the database "an""other", and this is {database.name}' in done.stderr
    assert _all(database, "SELECT to_regclass('public.prize')") == [(None,)]


def test_a_failing_step_takes_those_before_it_back(database: Database) -> None:
    _drift(database.connection)
    wrong = AddForeignKey(PRIZE, Constraint("k", KEY.kind, ("of",), references=Reference(HOME, ("no such",))))

    done = _psql(database, _script(database.name, (*ACTIONS[:3], wrong)))

    assert done.returncode == 3
    assert _all(database, f"SELECT count(*) FROM {ASTRAY}") == [(2,)]
    assert _all(database, "SELECT to_regclass('public.prize')") == [(None,)]


def test_a_script_of_grants_wants_its_role_and_gives_it_the_rights(database: Database) -> None:
    _drift(database.connection)
    role = f"app \"%s\" 'x'; {database.name}"
    actions = (GrantUsage(ODD_SCHEMA, role), GrantTable(ASTRAY, ("SELECT", "INSERT"), role))
    script = _script(database.name, actions)
    assert "there is no role" in _psql(database, script).stderr

    name = sql.Identifier(role)
    database.connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    try:
        assert _psql(database, script).stderr == ""
        assert _rights(database, role) == (True, True, True, False)
        for action in reversed(actions):
            _run(database.connection, render_undo(action))
        assert _rights(database, role) == (False, False, False, False)
    finally:
        database.connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(name))


def test_a_script_for_an_odd_database_name_runs_there(server: Server) -> None:
    name = f"Odd \"data\" 'base' %s; \\ ü\n{id(server)}"
    with server.connect() as administration:
        administration.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            with server.connect(name) as connection:
                database = Database(server, name, connection)
                _drift(connection)
                assert _psql(database, _script(name, ACTIONS)).stderr == ""
        finally:
            administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_an_empty_plan_runs_and_does_nothing(database: Database) -> None:
    assert _psql(database, _script("anything", ())).stderr == ""


def test_a_made_table_is_undone_while_it_is_empty_and_kept_with_the_count_once_it_is_not(database: Database) -> None:
    (undo,) = render_undo(ACTIONS[2])
    _run(database.connection, render_action(ACTIONS[2]))
    _run(database.connection, (undo,))
    assert _all(database, "SELECT to_regclass('public.prize')") == [(None,)]

    _run(database.connection, (*render_action(ACTIONS[2]), "INSERT INTO prize VALUES (1), (2);"))
    with pytest.raises(
        psycopg.errors.RaiseException, match=r"dropping public\.prize would lose the rows that it holds: 2"
    ):
        _run(database.connection, (undo,))
    assert _all(database, "SELECT count(*) FROM prize") == [(2,)]


@pytest.mark.parametrize(
    ("column", "written"),
    [
        (Column("c", "json"), "'{}'"),
        (Column("c", "text", nullable=False, fill="'it''s'"), "'other'"),
        (Column("c", "integer", nullable=False, default="7"), "8"),
        (Column("written", "character varying(3)", default="'a'::character varying"), "NULL"),
        (Column("c", "boolean"), "false"),
        (Column("c", "timestamp with time zone", nullable=False, default="now()"), "now()"),
        (Column("c", "integer[]", nullable=False, default="array_fill(7, ARRAY[2])"), "'{7,8}'"),
    ],
)
def test_an_added_column_is_undone_until_a_row_says_something_of_its_own(
    database: Database, column: Column, written: str
) -> None:
    action = AddColumn(PRIZE, column)
    (undo,) = render_undo(action)
    _run(database.connection, ("CREATE TABLE prize (id integer);", "INSERT INTO prize VALUES (1), (2);"))
    _run(database.connection, (*render_action(action), undo))

    _run(database.connection, (*render_action(action), f"UPDATE prize SET {column.name} = {written} WHERE id = 2;"))
    with pytest.raises(psycopg.errors.RaiseException, match=r"public\.prize holds values in \w+, .*: 1"):
        _run(database.connection, (undo,))


@pytest.mark.parametrize(
    "column",
    [
        Column("n", "bigint", nullable=False, identity="d"),
        Column("n", "uuid", nullable=False, default="gen_random_uuid()"),
    ],
)
@pytest.mark.parametrize("written", ["INSERT INTO prize VALUES (3);", "UPDATE prize SET id = 7 WHERE id = 2;"])
def test_a_column_with_a_value_of_its_own_in_each_row_is_undone_until_a_row_is_written(
    database: Database, column: Column, written: str
) -> None:
    action = AddColumn(PRIZE, column)
    (undo,) = render_undo(action)
    _run(database.connection, ("CREATE TABLE prize (id integer);", "INSERT INTO prize VALUES (1), (2);"))
    _run(database.connection, (*render_action(action), "VACUUM FREEZE prize;", "DELETE FROM prize WHERE id = 1;"))
    _run(database.connection, (undo,))
    assert _all(database, "SELECT * FROM prize") == [(2,)]

    _run(database.connection, (*render_action(action), written))
    with pytest.raises(psycopg.errors.RaiseException, match=r"public\.prize holds values in n, .*: 1"):
        _run(database.connection, (undo,))


def test_an_undo_refuses_under_a_snapshot_that_would_not_see_new_rows(database: Database) -> None:
    _run(database.connection, render_action(ACTIONS[2]))
    with (
        pytest.raises(psycopg.errors.RaiseException, match="READ COMMITTED"),
        database.connection.transaction(),
    ):
        _run(database.connection, ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;", *render_undo(ACTIONS[2])))


def test_an_undo_refuses_where_a_policy_hides_rows(database: Database) -> None:
    _run(database.connection, render_action(ACTIONS[2]))
    _run(
        database.connection,
        (
            "INSERT INTO prize VALUES (1);",
            "ALTER TABLE prize ENABLE ROW LEVEL SECURITY;",
            "ALTER TABLE prize FORCE ROW LEVEL SECURITY;",
            f"CREATE ROLE {database.name};",
            f"ALTER TABLE prize OWNER TO {database.name};",
            f"SET ROLE {database.name};",
        ),
    )
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            _run(database.connection, render_undo(ACTIONS[2]))
    finally:
        _run(
            database.connection,
            ("RESET ROLE;", f"DROP OWNED BY {database.name};", f"DROP ROLE {database.name};"),
        )


# -------------------------------------------------------------------------------------------------------------- helpers


def _drift(connection: psycopg.Connection[Any]) -> None:
    schema = sql.Identifier(ODD_SCHEMA)
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    _run(
        connection,
        (
            f"CREATE TABLE {ASTRAY} (id integer PRIMARY KEY);",
            f"INSERT INTO {ASTRAY} VALUES (1), (2);",
        ),
    )


def _script(database: str, actions: tuple[Action, ...]) -> str:
    steps = tuple(
        Step(f"{type(action).__name__} {ODD_TABLE}", action, HOME, "", (ODD_TABLE,), (), (), (), position, 1)
        for position, action in enumerate(actions, start=1)
    )
    return render_plan_script(
        Plan((), steps, ()), database=database, plan_id="1f2e", read_at="now", role=ODD_TABLE, notes=[ODD_TABLE]
    )


def _psql(database: Database, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [database.server.program("psql"), "-Xq", "--variable=name=replaced", "--file=-"],
        input=script,
        env=database.environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def _run(connection: psycopg.Connection[Any], statements: tuple[str, ...]) -> None:
    for statement in statements:
        connection.execute(statement.encode())


def _all(database: Database, query: str) -> list[tuple[Any, ...]]:
    return database.connection.execute(query.encode()).fetchall()


def _relations(database: Database) -> list[tuple[Any, ...]]:
    return _all(database, "SELECT oid, relname, relnamespace, relnatts FROM pg_class WHERE oid >= 16384 ORDER BY oid")


def _rights(database: Database, role: str) -> tuple[bool, ...]:
    query = """
        SELECT has_schema_privilege(%(role)s, c.relnamespace, 'USAGE'), has_table_privilege(%(role)s, c.oid, 'SELECT'),
               has_table_privilege(%(role)s, c.oid, 'INSERT'), has_table_privilege(%(role)s, c.oid, 'DELETE')
        FROM pg_class c WHERE c.relname = %(table)s
    """
    row: tuple[bool, ...] | None = database.connection.execute(query, {"role": role, "table": ODD_TABLE}).fetchone()
    assert row is not None
    return row

"""What a role lacks is said by the server itself, and nothing where it has it."""

from collections.abc import Iterator

import psycopg
import pytest

from cascade.core.rights_needed import Need, Power
from cascade.sources.preflight import read_lacking_rights
from tests.servers import Database


@pytest.fixture
def poor(database: Database) -> Iterator[psycopg.Connection]:
    """As a role that owns the table ``s.own`` and may use the schema ``s``, and no more."""
    database.connection.execute("SELECT pg_advisory_lock(1)")  # roles are those of the whole server
    for role in ("poor", "rich"):
        if not database.connection.execute(f"SELECT FROM pg_roles WHERE rolname = '{role}'").fetchall():
            database.connection.execute(f"CREATE ROLE {role} LOGIN")
    for statement in (
        "CREATE SCHEMA s",
        "CREATE SCHEMA barred",
        "GRANT USAGE ON SCHEMA s TO poor",
        "CREATE TABLE s.own (id integer)",
        "CREATE TABLE s.other (id integer PRIMARY KEY)",
        "CREATE DOMAIN s.mark AS text",
        "CREATE FUNCTION s.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE s.own OWNER TO poor",
    ):
        database.connection.execute(statement)
    with database.connect("poor") as connection:
        yield connection


LACKING = [
    (Need(Power.OWN_TABLE, "s", "other"), "s.other belongs to postgres"),
    (Need(Power.OWN_OBJECT, "s", "mark", "domain"), "the domain s.mark belongs to postgres"),
    (Need(Power.OWN_OBJECT, "s", "f(integer)", "function"), "the function s.f(integer) belongs to postgres"),
    (Need(Power.OWN_OBJECT, "", "plpgsql", "extension"), "the extension plpgsql belongs to postgres"),
    (Need(Power.OWN_MEMBERS, "", "plpgsql"), "what the extension plpgsql consists of belongs to postgres"),
    (Need(Power.CREATE_IN, "s"), "it may not create in s"),
    (Need(Power.USE, "barred"), "it may not use barred"),
    (Need(Power.MAKE_SCHEMA, "cascade_attic_1"), "it may not make schemas in this database"),
    (Need(Power.BECOME, "", "rich"), "it is no member of rich"),
    (Need(Power.LET_CREATE, "s", "rich"), "rich may not create in s"),
    (Need(Power.GIVE_ON_TABLE, "s", "other", "SELECT"), "it may not grant SELECT on s.other"),
    (Need(Power.GIVE_ON_SCHEMA, "s"), "it may not grant USAGE on s"),
    (Need(Power.REFER_TO, "s", "other"), "it may not refer to s.other"),
    (Need(Power.LOCK, "s", "other"), "it may not lock s.other"),
]


def test_each_right_that_is_lacking_is_named(poor: psycopg.Connection) -> None:
    for need, says in LACKING:
        assert read_lacking_rights([need], poor.cursor()) == (says,)
    assert {need.power for need, _ in LACKING} == set(Power)


def test_an_owner_lacks_nothing_that_its_own_things_need(poor: psycopg.Connection) -> None:
    own = ("s", "own")
    needs = [
        Need(Power.OWN_TABLE, *own),
        Need(Power.USE, "s"),
        Need(Power.BECOME, "", "poor"),
        Need(Power.GIVE_ON_TABLE, *own, "SELECT"),
        Need(Power.REFER_TO, *own),
        Need(Power.LOCK, *own),
        Need(Power.MAKE_SCHEMA, "s"),
    ]
    assert read_lacking_rights(needs, poor.cursor()) == ()
    assert read_lacking_rights([Need(Power.OWN_TABLE, "s", "made_by_the_plan")], poor.cursor()) == ()


def test_a_superuser_lacks_nothing(database: Database, poor: psycopg.Connection) -> None:
    assert read_lacking_rights([need for need, _ in LACKING], database.connection.cursor()) == ()


def test_what_was_granted_is_seen(database: Database, poor: psycopg.Connection) -> None:
    for statement in (
        "GRANT SELECT ON s.other TO poor WITH GRANT OPTION",
        "GRANT REFERENCES (id), UPDATE ON s.other TO poor",
        "GRANT USAGE, CREATE ON SCHEMA s TO poor WITH GRANT OPTION",
    ):
        database.connection.execute(statement)
    granted = {Power.GIVE_ON_TABLE, Power.REFER_TO, Power.LOCK, Power.GIVE_ON_SCHEMA, Power.CREATE_IN}
    assert read_lacking_rights([need for need, _ in LACKING if need.power in granted], poor.cursor()) == ()

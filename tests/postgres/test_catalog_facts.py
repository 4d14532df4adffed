"""What catalog.sql says of rights, of what tables use, of counters and of counts; and what stands in its way."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cascade.core.layout import ConstraintKind, Counter, Grant, Table, TableName, UsedObject
from cascade.core.observed import DOCUMENT_VERSION, Observed, observed_from
from cascade.errors import FileError
from cascade.sources.catalog import CatalogScope, catalog_sql, read_catalog
from cascade.sources.observed_file import read_observed_file
from tests.servers import Database


def test_the_triggers_of_a_key_are_off_on_either_of_its_tables(database: Database) -> None:
    execute(
        database,
        "CREATE TABLE one (id integer PRIMARY KEY, again integer UNIQUE DEFERRABLE)",
        "CREATE TABLE many (one_id integer CONSTRAINT many_key REFERENCES one)",
    )
    assert enabled(database) == {"many_key": True, "one_pkey": True, "one_again_key": True}
    execute(database, "ALTER TABLE many DISABLE TRIGGER ALL")
    assert enabled(database) == {"many_key": False, "one_pkey": True, "one_again_key": True}
    execute(database, "ALTER TABLE many ENABLE TRIGGER ALL", "ALTER TABLE one DISABLE TRIGGER ALL")
    assert enabled(database) == {"many_key": False, "one_pkey": True, "one_again_key": False}
    execute(database, "ALTER TABLE one ENABLE TRIGGER ALL")
    trigger = database.connection.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'one'::regclass AND tgconstraint IN "
        "(SELECT oid FROM pg_constraint WHERE conname = 'many_key') LIMIT 1"
    ).fetchone()
    assert trigger is not None
    execute(database, f'ALTER TABLE one ENABLE REPLICA TRIGGER "{trigger[0]}"')
    assert enabled(database)["many_key"] is False
    execute(database, f'ALTER TABLE one ENABLE ALWAYS TRIGGER "{trigger[0]}"')
    assert enabled(database)["many_key"] is True


def test_grants_are_those_of_others_than_the_owner(database: Database) -> None:
    owner, reader = roles(database, "owner", "reader")
    execute(
        database,
        "CREATE TABLE plain ()",
        "CREATE TABLE given ()",
        f"ALTER TABLE given OWNER TO {owner}",
        f"GRANT SELECT, DELETE ON given TO {reader}",
        "GRANT SELECT ON given TO PUBLIC",
    )
    assert table(database, "plain").grants == ()
    assert table(database, "given").grants == (
        Grant("", "SELECT"),
        Grant(reader, "DELETE"),
        Grant(reader, "SELECT"),
    )
    assert table(database, "given").owner == owner


def test_default_grants_are_those_of_whoever_owns_the_history_of_that_schema(database: Database) -> None:
    owner, reader, other = roles(database, "owner", "reader", "other")
    execute(
        database,
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.django_migrations ()",
        f"ALTER TABLE shop.django_migrations OWNER TO {owner}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO {reader}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA shop GRANT INSERT ON TABLES TO {other}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA shop GRANT USAGE ON SEQUENCES TO {other}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {other} IN SCHEMA shop GRANT DELETE ON TABLES TO {reader}",
    )
    observed = read(database)
    shop, public = observed.schema("shop"), observed.schema("public")
    assert shop is not None
    assert public is not None
    assert shop.default_grants == (Grant(other, "INSERT"), Grant(reader, "SELECT"))
    # Nobody has migrated there: the connected role's count.
    assert public.default_grants == ()


def test_everything_that_a_table_needs_beside_it_is_named(database: Database) -> None:
    execute(
        database,
        "CREATE SCHEMA away",
        "CREATE EXTENSION citext SCHEMA away",
        "CREATE EXTENSION pg_trgm SCHEMA away",
        "CREATE TYPE away.status AS ENUM ('new')",
        "CREATE DOMAIN away.small AS away.status",
        "CREATE COLLATION away.german (locale = 'C')",
        "CREATE TEXT SEARCH CONFIGURATION away.words (COPY = simple)",
        "CREATE SEQUENCE away.shared",
        "CREATE FUNCTION away.is_fine(integer) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true'",
        'CREATE FUNCTION away."Touch"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
        """CREATE TABLE full_of_it (
             id serial PRIMARY KEY,
             email away.citext,
             states away.status[],
             state away.small,
             name text COLLATE away.german,
             number bigint DEFAULT nextval('away.shared'),
             words tsvector GENERATED ALWAYS AS (to_tsvector('away.words', 'x')) STORED,
             amount integer CONSTRAINT fine CHECK (away.is_fine(amount))
           )""",
        "CREATE INDEX by_name ON full_of_it USING gin (name away.gin_trgm_ops)",
        "CREATE INDEX fine_ones ON full_of_it (id) WHERE away.is_fine(amount)",
        'CREATE TRIGGER touched BEFORE UPDATE ON full_of_it FOR EACH ROW EXECUTE FUNCTION away."Touch"()',
        "CREATE STATISTICS away.together ON id, amount FROM full_of_it",
    )
    uses = {(u.kind, u.name, u.extension, u.used_by) for u in table(database, "full_of_it").uses if u.schema == "away"}
    assert uses == {
        ("type", "citext", "citext", "the column email"),
        ("type", "status", None, "the column states"),
        ("domain", "small", None, "the column state"),
        ("type", "status", None, "the column state"),
        ("collation", "german", None, "the column name"),
        ("collation", "german", None, "the index by_name"),
        ("operator class", "gin_trgm_ops USING gin", "pg_trgm", "the index by_name"),
        ("sequence", "shared", None, "the default of number"),
        ("text search configuration", "words", None, "the generated column words"),
        ("function", "is_fine(integer)", None, "the constraint fine"),
        ("function", "is_fine(integer)", None, "the index fine_ones"),
        ("function", '"Touch"()', None, "the trigger touched"),
        ("statistics", "together", None, "its statistics"),
    }
    assert {u.schema for u in table(database, "full_of_it").uses} == {"away"}


def test_what_lies_beside_the_table_in_its_own_schema_is_named_too(database: Database) -> None:
    """A table that is moved leaves it behind."""
    execute(database, "CREATE TYPE status AS ENUM ('new')", "CREATE TABLE thing (id serial, status status)")
    assert table(database, "thing").uses == (UsedObject("type", "public", "status", None, "the column status"),)


@pytest.mark.parametrize(
    ("column", "prepared", "expected"),
    [
        ("bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "INSERT INTO t VALUES (5)", (1, 5, True)),
        ("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "INSERT INTO t DEFAULT VALUES", (2, 1, False)),
        ("serial PRIMARY KEY", "INSERT INTO t DEFAULT VALUES", (2, 1, False)),
        ("serial PRIMARY KEY", "SELECT 1", (1, None, False)),
        ("serial PRIMARY KEY", "SELECT setval('t_id_seq', 7, false)", (7, None, False)),
        ("serial PRIMARY KEY", "INSERT INTO t VALUES (7); SELECT setval('t_id_seq', 7, false)", (7, 7, True)),
        ("serial PRIMARY KEY", "INSERT INTO t VALUES (7); SELECT setval('t_id_seq', 7)", (8, 7, False)),
        ("smallint DEFAULT nextval('away.s') PRIMARY KEY", "INSERT INTO t VALUES (3)", (1, 3, True)),
        (
            "bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1) PRIMARY KEY",
            "INSERT INTO t DEFAULT VALUES; INSERT INTO t VALUES (-9)",
            (-2, -9, True),
        ),
        (
            "bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1) PRIMARY KEY",
            "INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
            (-3, -2, False),
        ),
        (
            "bigint GENERATED BY DEFAULT AS IDENTITY (INCREMENT 10) PRIMARY KEY",
            "INSERT INTO t DEFAULT VALUES; INSERT INTO t VALUES (9)",
            (11, 9, False),
        ),
        (
            "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "INSERT INTO t VALUES (3); SELECT setval('t_id_seq', 9223372036854775807)",
            (9223372036854775808, 3, False),
        ),
    ],
)
def test_a_counter_says_what_comes_next_and_what_is_highest(
    database: Database, column: str, prepared: str, expected: tuple[int, int | None, bool]
) -> None:
    execute(database, "CREATE SCHEMA away", "CREATE SEQUENCE away.s", f"CREATE TABLE t (id {column})", prepared)
    (counter,) = table(database, "t").counters
    assert counter.problem is None
    assert (counter.next_value, counter.highest, counter.is_behind) == expected
    if "away.s" in column:
        assert counter.sequence == TableName("away", "s")


def test_reading_a_counter_draws_nothing(database: Database) -> None:
    execute(database, "CREATE TABLE t (id serial PRIMARY KEY)")
    for _ in range(3):
        assert table(database, "t").counters[0].next_value == 1


def test_a_default_that_does_more_than_draw_is_no_counter(database: Database) -> None:
    execute(
        database,
        "CREATE SEQUENCE s",
        "CREATE TABLE t (a bigint PRIMARY KEY DEFAULT nextval('s') * 100, b text UNIQUE DEFAULT 'T' || nextval('s'))",
    )
    assert table(database, "t").counters == ()


def test_a_highest_value_that_needs_a_full_scan_is_not_asked_for(database: Database) -> None:
    execute(
        database,
        "CREATE TABLE t (id serial, filler text)",
        "INSERT INTO t (filler) SELECT repeat('x', 1000) FROM generate_series(1, 10000)",
    )
    (unknown_size,) = table(database, "t").counters
    assert unknown_size.next_value is None
    assert "index" in str(unknown_size.problem)
    execute(database, "ANALYZE t")
    assert table(database, "t").counters[0].problem is not None
    execute(database, "CREATE INDEX part ON t (id) WHERE filler = ''")
    assert table(database, "t").counters[0].problem is not None
    execute(database, "CREATE INDEX whole ON t (id, filler)")
    assert table(database, "t").counters[0].highest == 10000


def test_a_small_table_needs_no_index(database: Database) -> None:
    execute(database, "CREATE TABLE t (id serial)", "INSERT INTO t VALUES (4)", "ANALYZE t")
    assert table(database, "t").counters[0].highest == 4


def test_what_may_not_be_read_is_a_problem_of_that_counter_alone(database: Database) -> None:
    (reader,) = roles(database, "reader")
    execute(
        database,
        "CREATE TABLE closed (id serial PRIMARY KEY)",
        "CREATE TABLE half (id serial PRIMARY KEY)",
        "CREATE TABLE open (id serial PRIMARY KEY)",
        f"GRANT SELECT ON half, open TO {reader}",
        f"GRANT SELECT ON open_id_seq TO {reader}",
    )
    with database.connect(reader) as connection, connection.cursor() as cursor:
        layout = read_catalog(cursor).layout
    closed, half, open_ = (layout.tables[TableName("public", name)].counters[0] for name in ("closed", "half", "open"))
    assert "closed" in str(closed.problem)
    assert closed.next_value is None
    assert "half_id_seq" in str(half.problem)
    assert half.highest is None
    assert open_ == Counter("id", TableName("public", "open_id_seq"), 1, None)


def test_a_table_locked_by_somebody_else_is_not_waited_for(database: Database) -> None:
    execute(
        database,
        "CREATE TABLE locked (id serial PRIMARY KEY)",
        "CREATE TABLE reindexed (id serial PRIMARY KEY)",
        "CREATE TABLE free (id serial PRIMARY KEY)",
        "INSERT INTO free DEFAULT VALUES",
    )
    with database.connect() as other, other.transaction():
        pid = other.info.backend_pid
        other.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        other.execute("REINDEX INDEX reindexed_pkey")
        started = time.monotonic()
        tables = read(database).layout.tables
        seconds = time.monotonic() - started
    problem = f"locked ACCESS EXCLUSIVE by pid {pid}"
    for name in ("locked", "reindexed"):
        table = tables[TableName("public", name)]
        assert (table.counters[0].problem, table.rows.unknown_because) == (problem, problem)
    assert tables[TableName("public", "free")].counters[0].highest == 1
    assert seconds < 2, "lock_timeout: something was waited for"


def test_no_lock_is_kept_on_the_tables_that_were_counted(database: Database) -> None:
    """Else ALTER TABLE would wait until all of them are read, and thousands would not fit into the lock table."""
    execute(database, "CREATE TABLE t (id serial PRIMARY KEY)")
    begin = catalog_sql().partition("-- The query.\n")[0]
    script = "\n".join(line for line in begin.splitlines() if not line.startswith("\\"))
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(script)
        cursor.execute("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'public.t'::regclass")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT current_setting('cascade.read_counters')::json ->> 0")
        assert '"next_value": 1' in str(cursor.fetchone())
        cursor.execute("ROLLBACK")


def test_a_count_stops_at_ten_thousand_unless_all_is_asked_for(database: Database) -> None:
    execute(database, "CREATE TABLE t AS SELECT generate_series(1, 10500) AS id")
    rows = table(database, "t").rows
    assert (rows.counted, rows.exact, rows.figure) == (10_001, False, ">10,000")
    rows = table(database, "t", CatalogScope(count_exactly=True)).rows
    assert (rows.counted, rows.exact, rows.figure) == (10_500, True, "10,500")


def test_a_count_that_takes_too_long_ends_neither_the_reading_nor_the_histories(database: Database) -> None:
    """The lock on a partition is met by the count alone: time is up before the lock's own limit."""
    execute(
        database,
        "CREATE TABLE endless (id integer) PARTITION BY RANGE (id)",
        "CREATE TABLE endless_part PARTITION OF endless FOR VALUES FROM (0) TO (9)",
        "CREATE TABLE later (id serial PRIMARY KEY)",
        "CREATE SCHEMA zoo",
        "CREATE TABLE zoo.django_migrations (id integer, app text, name text, applied timestamptz)",
        "INSERT INTO zoo.django_migrations VALUES (1, 'shop', '0001', now())",
    )
    with database.connect() as other, other.transaction():
        other.execute("LOCK TABLE endless_part IN ACCESS EXCLUSIVE MODE")
        observed = in_psql(database, catalog_sql().replace("statement_timeout = '60s'", "statement_timeout = '1s'"))
    tables = observed.layout.tables
    assert "timeout" in str(tables[TableName("public", "endless")].rows.unknown_because)
    assert "took all of the time" in str(tables[TableName("public", "later")].rows.unknown_because)
    assert tables[TableName("public", "later")].counters[0].next_value == 1
    history = observed.history("zoo")
    assert history is not None
    assert len(history.records) == 1


def test_psql_reads_what_a_driver_reads(database: Database) -> None:
    execute(
        database,
        "CREATE TYPE status AS ENUM ('new')",
        "CREATE TABLE t (id serial PRIMARY KEY, status status)",
        "GRANT SELECT ON t TO PUBLIC",
    )
    assert in_psql(database, catalog_sql()).layout == read(database).layout


def test_a_file_of_an_older_shape_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "observed.json"
    file.write_text(json.dumps({"cascade_observed": 1, "tables": []}))
    with pytest.raises(FileError, match="version 1") as refused:
        read_observed_file(file)
    assert "cascade catalog-sql" in str(refused.value.hint)


def test_a_file_that_lacks_a_part_is_refused_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "observed.json"
    file.write_text(json.dumps({"cascade_observed": DOCUMENT_VERSION}))
    with pytest.raises(FileError, match="'server' is not there") as refused:
        read_observed_file(file)
    assert "cascade catalog-sql" in str(refused.value.hint)


def execute(database: Database, *statements: str) -> None:
    for statement in statements:
        database.connection.execute(statement)


def roles(database: Database, *names: str) -> tuple[str, ...]:
    """Roles of this test's own: they belong to the whole server. They go with their database's rights."""
    made = tuple(f"{database.name}_{name}" for name in names)
    execute(database, *(f"CREATE ROLE {name} LOGIN" for name in made))
    return made


def read(database: Database, scope: CatalogScope = CatalogScope()) -> Observed:
    with database.connection.cursor() as cursor:
        return read_catalog(cursor, scope)


def table(database: Database, name: str, scope: CatalogScope = CatalogScope()) -> Table:
    return read(database, scope).layout.tables[TableName("public", name)]


def enabled(database: Database) -> dict[str, bool]:
    tables = read(database).layout.tables.values()
    return {c.name: c.enabled for table in tables for c in table.constraints if c.kind is not ConstraintKind.NOT_NULL}


def in_psql(database: Database, script: str) -> Observed:
    done = subprocess.run(
        [database.server.program("psql"), "-XAt"],
        input=script,
        env={**os.environ, **database.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    return observed_from(json.loads(done.stdout))


def test_a_lock_that_comes_while_its_table_is_read_is_named_the_second_time(database: Database) -> None:
    """The moment cannot be hit by chance: the first reading is told that it waited in vain, then there is the lock."""
    database.connection.execute("CREATE TABLE quiet (id int PRIMARY KEY); CREATE TABLE busy (id int PRIMARY KEY)")
    with database.connect("postgres") as rival, database.connect("postgres") as reader, reader.cursor() as cursor:
        sent = 0

        class Overtaken:
            fetchone = cursor.fetchone

            def execute(self, query: Any, *parameters: Any) -> None:
                nonlocal sent
                sent += 1
                if sent == 4:  # after BEGIN, the settings and what prepares it, the query itself
                    rival.execute("BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE")
                    raise psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")
                cursor.execute(query, *parameters)

        observed = read_catalog(Overtaken())
        rival.execute("ROLLBACK")
    tables = {name.name: table for name, table in observed.layout.tables.items()}
    assert tables["busy"].locked_by
    assert tables["quiet"].definitions_read

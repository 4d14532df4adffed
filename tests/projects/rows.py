"""Rows for the tables of a real project, worded from PostgreSQL's catalogs: enough to see whether one gets lost.

Row number i has i in every column, as far as its type can hold that, so keys find what they refer to, and what has to
be unique is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.servers import Database

FIRST = 1001
"""Above the numbers that data migrations have used."""


def fill(database: Database, *, rows: int) -> int:
    """So many rows in every table that takes them, in whatever schema; how many there are now in all tables.

    A table that refuses them, by a rule that no row of ours obeys, stays as it is.
    """
    tables = _tables(database)
    refused: set[int] = set()
    while (refusing := _refusing(database, tables, refused, rows)) is not None:
        refused.add(refusing)
    for table in tables:
        for statement in table.counters:
            database.connection.execute(statement.encode())
    database.connection.execute("ANALYZE")
    counts = [database.connection.execute(f"SELECT count(*) FROM {t.name}".encode()).fetchone() for t in tables]
    return sum(count[0] for count in counts if count)


@dataclass(frozen=True, slots=True)
class _Table:
    oid: int
    name: str
    columns: tuple[tuple[str, str, bool], ...]
    keys: tuple[tuple[int, tuple[str, ...]], ...]
    counters: tuple[str, ...]

    def insert(self, refused: set[int], rows: int) -> str | None:
        """The statement; None where a row would need one that is not there."""
        lost = {column for target, columns in self.keys if target in refused for column in columns}
        if any(not nullable for name, _, nullable in self.columns if name in lost):
            return None
        names = ", ".join(name for name, _, _ in self.columns)
        values = ", ".join("NULL" if name in lost else value for name, value, _ in self.columns)
        series = f"generate_series({FIRST}, {FIRST + rows - 1}) AS i"
        return f"INSERT INTO {self.name} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {series}"


def _tables(database: Database) -> list[_Table]:
    return [_Table(*row[:2], *map(_tuples, row[2:])) for row in database.connection.execute(_TABLES)]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _refusing(database: Database, tables: Sequence[_Table], refused: set[int], rows: int) -> int | None:
    """Insert all, and keep it; or the first table that refuses, and nothing is kept."""
    try:
        with database.connection.transaction():
            for table in tables:
                statement = None if table.oid in refused else table.insert(refused, rows)
                if statement is None and table.oid not in refused:
                    raise _Refused(table.oid)
                if statement is not None:
                    _try(database, table, statement)
            database.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except _Refused as refusal:
        return refusal.oid
    except psycopg.errors.ForeignKeyViolation as violation:
        named = (violation.diag.schema_name, violation.diag.table_name)
        [oid] = _row(database, "SELECT format('%%I.%%I', %s::text, %s::text)::regclass::oid::bigint", named)
        return int(oid)
    return None


class _Refused(Exception):
    def __init__(self, oid: int) -> None:
        self.oid = oid


def _try(database: Database, table: _Table, statement: str) -> None:
    try:
        database.connection.execute(statement.encode())
    except psycopg.Error as error:
        raise _Refused(table.oid) from error


def _row(database: Database, query: str, parameters: Sequence[Any]) -> Iterator[Any]:
    return iter(database.connection.execute(query.encode(), parameters).fetchone() or ())


_TABLES = """
WITH columns AS (
  SELECT a.attrelid, a.attnum, quote_ident(a.attname) AS name, NOT a.attnotnull AS nullable,
         CASE
           WHEN t.typelem <> 0 AND t.typlen = -1 THEN quote_literal('{}')
           WHEN t.typname IN ('int2', 'int4', 'int8', 'float4', 'float8') THEN 'i'
           WHEN t.typname = 'numeric' AND a.atttypmod > 0
             THEN format('i %% %s', greatest(1, 10 ^ least(9, ((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 65535))))
           WHEN t.typname = 'numeric' THEN 'i'
           WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 0
             THEN format('right(''v'' || i, %s)', a.atttypmod - 4)
           WHEN t.typcategory = 'S' OR t.typname = 'citext' THEN '''v'' || i'
           WHEN t.typname = 'bool' THEN 'false'
           WHEN t.typname = 'date' THEN '''2020-01-01''::date + i'
           WHEN t.typname IN ('timestamp', 'timestamptz') THEN '''2020-01-01''::date + i'
           WHEN t.typname = 'time' THEN '''12:00'''
           WHEN t.typname = 'interval' THEN 'i * interval ''1 minute'''
           WHEN t.typname = 'uuid' THEN 'md5(i::text)::uuid'
           WHEN t.typname IN ('json', 'jsonb') THEN '''{}'''
           WHEN t.typname IN ('inet', 'cidr') THEN '''10.0.0.1'''
           WHEN t.typname = 'bytea' THEN 'i::text::bytea'
           WHEN t.typname = 'tsvector' THEN '''word'''
           ELSE 'NULL'
         END AS value
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
)
SELECT c.oid::bigint, format('%I.%I', n.nspname, c.relname),
       (SELECT json_agg(json_build_array(name, value, nullable) ORDER BY attnum)
        FROM columns WHERE attrelid = c.oid),
       coalesce((SELECT json_agg(json_build_array(k.confrelid::bigint, array(
                   SELECT name FROM columns WHERE attrelid = c.oid AND attnum = ANY (k.conkey))) ORDER BY k.oid)
                 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'), '[]'),
       coalesce((SELECT json_agg(format('SELECT setval(%L, max(%s)) FROM %I.%I', s.oid::regclass, o.name,
                                        n.nspname, c.relname) ORDER BY s.oid)
                 FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                 JOIN columns o ON o.attrelid = c.oid AND o.attnum = d.refobjsubid
                 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                   AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')), '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.relname <> 'django_migrations'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid
"""

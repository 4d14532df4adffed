"""Injections: what can go wrong with a healthy database, drawn by chance from PostgreSQL's catalogs.

What there is to damage is asked with queries of this module's own, never with cascade's. Everything is worded to be run
in one transaction, by a superuser, with the search_path on ``public`` alone.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Protocol

from tests.projects.expectations import InjectionKind, Part
from tests.projects.roles import APPLICATION, OWNER, READER, STRANGER, STRAY_SCHEMA

Row = Mapping[str, Any]

TARGET = "public"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an injection does something to: a table by its bare name, or a part of one.

    ``words`` stand in what a finding says was expected, where the name alone could mean another.
    """

    table: str
    name: str = ""
    columns: tuple[str, ...] = ()
    constraint_type: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Injection:
    """One thing done to the database, and what it is done to.

    ``parts`` are named in the order of ``expectations.Hit``. ``together`` are the injections that this one is made of.
    """

    kind: InjectionKind
    statements: tuple[str, ...]
    parts: Mapping[Part, tuple[Subject, ...]]
    together: tuple["Injection", ...] = ()

    @property
    def tables(self) -> set[str]:
        """The tables that it touches."""
        return {subject.table for subjects in self.parts.values() for subject in subjects}

    @property
    def all_of_it(self) -> tuple["Injection", ...]:
        """It, and what it is made of."""
        return (self, *self.together)


class Cursor(Protocol):
    """What is needed of a cursor of psycopg."""

    description: Sequence[Any] | None

    def execute(self, statement: str, parameters: Sequence[Any] = ...) -> Any:
        """Run it."""

    def fetchall(self) -> list[Sequence[Any]]:
        """All rows."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What the applied migrations' state cannot know, because their own SQL or Python made it: by table and name."""

    tables: frozenset[str] = frozenset()
    parts: frozenset[tuple[str, str]] = frozenset()

    def names(self, row: Row) -> bool:
        """Whether the candidate is one of them."""
        return row["table"] in self.tables or (row["table"], row.get("name", "")) in self.parts


@dataclass(frozen=True)
class Catalog:
    """The database that is damaged, as far as drawing needs to know it; read once, while it is healthy.

    ``apps`` are the tables of each app, ``made_by`` what each migration made that is still there under its name, both
    as Django has them.
    """

    cursor: Cursor
    database: str
    version: int
    unknown: Unknown = Unknown()
    apps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    made_by: Mapping[str, tuple[Subject, ...]] = field(default_factory=dict)

    @cached_property
    def tables(self) -> list[Row]:
        """Our tables."""
        return self._known(_TABLES)

    @cached_property
    def columns(self) -> list[Row]:
        """All columns of our tables."""
        return self._known(_COLUMNS)

    @cached_property
    def constraints(self) -> list[Row]:
        """Primary keys, unique constraints and checks."""
        return self._known(_CONSTRAINTS)

    @cached_property
    def keys(self) -> list[Row]:
        """All foreign keys between our tables."""
        return self._known(_KEYS)

    @cached_property
    def indexes(self) -> list[Row]:
        """The indexes that serve no constraint."""
        return self._known(_INDEXES)

    def columns_of(self, table: str) -> list[Row]:
        """The columns of one table, in their order."""
        return [column for column in self.columns if column["table"] == table]

    def keys_to(self, table: str, *columns: str) -> tuple[Subject, ...]:
        """The keys of other tables that end there, or in any of these columns."""
        return tuple(
            _constraint(key)
            for key in self.keys
            if key["referred"] == table != key["table"] and (not columns or set(columns) & set(key["referred_columns"]))
        )

    def around(self, tables: Iterable[str]) -> set[str]:
        """These tables, and those that a key links with one of them."""
        near = set(tables)
        linked = [{key["table"], key["referred"]} for key in self.keys]
        return near.union(*(pair for pair in linked if pair & near))

    def rows(self, query: str) -> list[Row]:
        """The rows of a query, as mappings."""
        self.cursor.execute(query)
        assert self.cursor.description is not None
        heads = [column[0] for column in self.cursor.description]
        return [dict(zip(heads, row, strict=True)) for row in self.cursor.fetchall()]

    def _known(self, query: str) -> list[Row]:
        """The rows of a query over what is ours, without what no state can know."""
        return [row for row in self.rows(_OURS + query) if not self.unknown.names(row)]


def drawn(kind: InjectionKind, catalog: Catalog, *, seed: str) -> Iterator[Injection]:
    """All injections of that kind that the database offers, in an order that the seed decides.

    Those that are made of others never end. Not all of them will run: a type may not be cast, a row not be let in.
    """
    chance = random.Random(f"{seed} {kind.value}")
    if kind is InjectionKind.SEVERAL:
        yield from _several(catalog, chance, seed)
    elif kind is InjectionKind.SEVERAL_IN_TABLE:
        yield from _several_in_table(catalog, chance, seed)
    elif kind is InjectionKind.MOVE_AND_DAMAGE:
        yield from _moved_and_damaged(catalog, chance, seed)
    else:
        way = _WAYS[kind]
        candidates = sorted(way.candidates(catalog), key=str)
        chance.shuffle(candidates)
        for row in candidates:
            injection = way.inject(kind, row, catalog, random.Random(f"{seed} {kind.value} {row}"))
            if injection is not None:
                yield injection


# ---------------------------------------------------------------------------------------------------- what there is

_OURS = """
WITH ours AS (
  SELECT c.oid, c.relname::text AS "table"
  FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
    AND c.relname <> 'django_migrations'
    AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
"""

_TABLES = """
SELECT ours."table" FROM ours
"""

_COLUMNS = """
SELECT ours."table", a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       t.typname::text AS base, t.typcategory::text AS category, a.atttypmod AS modifier,
       a.attnotnull AS not_null, a.attidentity::text AS identity, a.attgenerated::text AS generated,
       pg_get_expr(d.adbin, d.adrelid) AS "default",
       pg_get_serial_sequence(quote_ident(ours."table"), a.attname) AS sequence,
       CASE WHEN a.attcollation <> 0 THEN (SELECT collname::text FROM pg_collation WHERE oid = a.attcollation)
            END AS collation,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
                                        AND a.attnum = ANY (i.indkey::smallint[])) AS in_primary_key,
       EXISTS (SELECT FROM pg_constraint c
               WHERE c.contype = 'f' AND (c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)
                                          OR c.confrelid = a.attrelid AND a.attnum = ANY (c.confkey))) AS in_a_key
FROM ours
JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
"""

_CONSTRAINTS = """
SELECT ours."table", c.conname::text AS name, c.contype::text AS type, pg_get_constraintdef(c.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, position)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.position) AS columns,
       -- The same again under another name: without it nothing would be missing.
       EXISTS (SELECT FROM pg_constraint o
               WHERE o.conrelid = c.conrelid AND o.oid <> c.oid AND o.contype = c.contype
                 AND o.conkey @> c.conkey AND o.conkey <@ c.conkey AND o.confrelid = c.confrelid
                 AND (c.contype IN ('p', 'u') OR pg_get_constraintdef(o.oid) = pg_get_constraintdef(c.oid)))
         OR c.contype IN ('p', 'u')
            AND EXISTS (SELECT FROM pg_index i
                        WHERE i.indrelid = c.conrelid AND i.indexrelid <> c.conindid AND i.indisunique
                          AND i.indpred IS NULL AND i.indkey::smallint[] @> c.conkey
                          AND i.indkey::smallint[] <@ c.conkey) AS has_twin,
       ARRAY(SELECT f.conname::text FROM pg_constraint f
             WHERE f.contype = 'f' AND f.confrelid = c.conrelid AND f.conindid = c.conindid) AS needed_by
FROM ours
JOIN pg_constraint c ON c.conrelid = ours.oid
WHERE c.contype IN ('p', 'u', 'c')
"""

_KEYS = """
SELECT ours."table", c.conname::text AS name, c.contype::text AS type, pg_get_constraintdef(c.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, position)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.position) AS columns,
       referred."table" AS referred,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, position)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum
             ORDER BY k.position) AS referred_columns,
       c.confdeltype::text AS on_delete, c.condeferrable AS deferrable,
       (SELECT json_agg(json_build_array(t.tgrelid::regclass, t.tgname) ORDER BY t.tgname)
        FROM pg_trigger t WHERE t.tgconstraint = c.oid) AS triggers,
       EXISTS (SELECT FROM pg_constraint o
               WHERE o.conrelid = c.conrelid AND o.oid <> c.oid AND o.contype = 'f' AND o.conkey = c.conkey
                 AND o.confrelid = c.confrelid) AS has_twin
FROM ours
JOIN pg_constraint c ON c.conrelid = ours.oid AND c.contype = 'f'
JOIN ours referred ON referred.oid = c.confrelid
"""

_INDEXES = """
SELECT ours."table", c.relname::text AS name, i.indisunique AS is_unique, i.indpred IS NOT NULL AS is_partial,
       pg_get_indexdef(c.oid) AS definition, am.amname::text AS method,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, position)
             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
             WHERE k.position <= i.indnkeyatts ORDER BY k.position) AS columns,
       i.indexprs IS NOT NULL AS has_expressions,
       EXISTS (SELECT FROM pg_index o
               WHERE o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid
                 AND o.indisunique = i.indisunique
                 AND substring(pg_get_indexdef(o.indexrelid) FROM ' USING .*')
                   = substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*')) AS has_twin,
       EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.oid) AS is_needed
FROM ours
JOIN pg_index i ON i.indrelid = ours.oid
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am am ON am.oid = c.relam
WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""


def _all(row: Row) -> bool:
    return True


def _tables(catalog: Catalog) -> list[Row]:
    return catalog.tables


def _columns(catalog: Catalog, *, where: Callable[[Row], bool] = _all) -> list[Row]:
    return [row for row in catalog.columns if where(row)]


def _constraints(catalog: Catalog, *, types: str) -> list[Row]:
    return [row for row in catalog.constraints if row["type"] in types and not row["has_twin"]]


def _keys(catalog: Catalog) -> list[Row]:
    return [row for row in catalog.keys if not row["has_twin"]]


def _indexes(catalog: Catalog, *, where: Callable[[Row], bool] = _all) -> list[Row]:
    return [row for row in catalog.indexes if not row["has_twin"] and where(row)]


# ------------------------------------------------------------------------------------------------------------- tables


def _move(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    statements = (*_STRAY, f"ALTER TABLE {_ours(row)} SET SCHEMA {STRAY_SCHEMA}")
    return Injection(kind, statements, {Part.TABLE: (_table(row),)})


def _move_on_path(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    moved = _move(kind, row, catalog, chance)
    return replace(moved, statements=(*moved.statements, _application_path(catalog, TARGET, STRAY_SCHEMA)))


def _leave_a_shell(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    table, stray = _ours(row), _stray(row["table"])
    pointing = catalog.keys_to(row["table"])
    if not pointing or any("nextval" in (c["default"] or "") for c in catalog.columns_of(row["table"])):
        return None  # a copy would share the sequence of the original
    orphaned = tuple(key for key in pointing if _has_rows(key, catalog))
    return Injection(
        kind,
        (
            *_STRAY,
            f"ALTER TABLE {table} SET SCHEMA {STRAY_SCHEMA}",
            # By the role that migrates: default privileges and the owner are then as they should be.
            f"SET LOCAL ROLE {OWNER}",
            f"CREATE TABLE {table} (LIKE {stray} INCLUDING ALL)",
            "RESET ROLE",
        ),
        {
            Part.COPIED_TABLE: (_table(row),),
            Part.OWN_KEY: tuple(_constraint(key) for key in catalog.keys if key["table"] == row["table"]),
            Part.CONSTRAINT: tuple(key for key in pointing if key not in orphaned),
            Part.ORPHANED_KEY: orphaned,
        },
    )


def _has_rows(key: Subject, catalog: Catalog) -> bool:
    """Whether any row refers to something."""
    filled = " AND ".join(f"{_quoted(column)} IS NOT NULL" for column in key.columns)
    return bool(catalog.rows(f"SELECT 1 AS one FROM {_quoted(TARGET, key.table)} WHERE {filled} LIMIT 1"))


def _drop_table(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    parts = {Part.TABLE: (_table(row),), Part.LOST_KEY: catalog.keys_to(row["table"])}
    return Injection(kind, (f"DROP TABLE {_ours(row)} CASCADE",), parts)


def _rename_table(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    parts = {Part.TABLE: (_table(row),), Part.LOST_KEY: catalog.keys_to(row["table"])}
    return Injection(kind, (f"ALTER TABLE {_ours(row)} RENAME TO by_hand",), parts)


def _migrations(catalog: Catalog) -> list[Row]:
    return [{"table": "", "name": name} for name in catalog.made_by]


def _fake_migration(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    there = {(column["table"], column["name"]) for column in catalog.columns}
    there |= {(table, "") for table, _ in there}
    made = [subject for subject in catalog.made_by[row["name"]] if (subject.table, subject.name) in there]
    tables = {subject.table: subject for subject in made if not subject.name}
    columns = [subject for subject in made if subject.name and subject.table not in tables]
    if not made or row["name"].startswith("contenttypes."):
        return None  # every other migration needs the content types
    drops = [f"DROP TABLE {_quoted(TARGET, table)} CASCADE" for table in tables]
    drops += [f"ALTER TABLE {_quoted(TARGET, c.table)} DROP COLUMN {_quoted(c.name)} CASCADE" for c in columns]
    lost = {key for table in tables for key in catalog.keys_to(table)}
    lost |= {key for column in columns for key in catalog.keys_to(column.table, column.name)}
    gone = {(column.table, column.name) for column in columns}
    left = (k for k in lost if k.table not in tables and not gone & {(k.table, column) for column in k.columns})
    parts = {
        Part.TABLE: tuple(tables.values()),
        Part.COLUMN: tuple(columns),
        Part.LOST_KEY: tuple(sorted(left, key=str)),
    }
    return Injection(kind, tuple(drops), parts)


def _copy(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    return Injection(kind, _copy_of(row["table"]), {Part.TABLE: (_table(row),)})


def _copy_with_rows(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    plain_row = _plain_row(STRAY_SCHEMA, row["table"], catalog)
    return Injection(kind, (*_copy_of(row["table"]), plain_row), {Part.TABLE: (_table(row),)})


def _copy_in_front(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    copied = (_copy if chance.random() < 0.5 else _copy_with_rows)(kind, row, catalog, chance)
    return replace(copied, statements=(*copied.statements, _application_path(catalog, STRAY_SCHEMA, TARGET)))


def _add_tenant(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    """The history first, then some tables that it records, with rows in them."""
    history = _stray("django_migrations")
    tables = [row["table"], *chance.sample(sorted(t["table"] for t in catalog.tables), 3)]
    copies = [f"CREATE TABLE {_stray(table)} (LIKE {_quoted(TARGET, table)} INCLUDING ALL)" for table in set(tables)]
    return Injection(
        kind,
        (
            *_STRAY,
            f"CREATE TABLE {history} (LIKE {_quoted(TARGET, 'django_migrations')} INCLUDING ALL)",
            f"INSERT INTO {history} SELECT * FROM {_quoted(TARGET, 'django_migrations')}",
            *sorted(copies),
            _plain_row(STRAY_SCHEMA, row["table"], catalog),
        ),
        {},
    )


def _wrong_path(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    statements = (*_STRAY, f"SET LOCAL search_path = {STRAY_SCHEMA}, {TARGET}")
    return Injection(kind, statements, {Part.DATABASE: (Subject("", STRAY_SCHEMA),)})


def _type_astray(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    domain = f"CREATE DOMAIN {_stray('by_hand')} AS {row['type']}"
    return _with_stray(kind, domain, _altered(kind, row, f"TYPE {_stray('by_hand')}"), "by_hand")


def _extension_astray(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    extension = f"CREATE EXTENSION citext SCHEMA {STRAY_SCHEMA}"
    return _with_stray(kind, extension, _altered(kind, row, f"TYPE {_stray('citext')}"), "citext")


def _function_astray(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    function = (
        f"CREATE FUNCTION {_stray('by_hand')}({row['type']}) RETURNS boolean LANGUAGE sql IMMUTABLE"
        " BEGIN ATOMIC SELECT true; END"
    )
    rule = f"ADD CONSTRAINT by_hand CHECK ({_stray('by_hand')}({_quoted(row['name'])}))"
    subject = Subject(row["table"], "by_hand", (row["name"],), "check")
    using = Injection(kind, (f"ALTER TABLE {_ours(row)} {rule}",), {Part.CONSTRAINT: (subject,)})
    return _with_stray(kind, function, using, "by_hand")


def _statistics_astray(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    columns = [column["name"] for column in catalog.columns_of(row["table"]) if column["base"] in _CASTS]
    if len(columns) < 2:
        return None
    statistics = f"CREATE STATISTICS {_stray('by_hand')} ON {_listed(chance.sample(columns, 2))} FROM {_ours(row)}"
    return _with_stray(kind, statistics, Injection(kind, (), {}), "by_hand")


def _with_stray(kind: InjectionKind, made: str, using: Injection, name: str) -> Injection:
    parts = {Part.OBJECT: (Subject("", name),), **using.parts}
    return Injection(kind, (*_STRAY, made, *using.statements), parts)


# ------------------------------------------------------------------------------------------------------------ columns


def _drop_column(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    parts = {Part.COLUMN: (_column(row),), Part.LOST_KEY: catalog.keys_to(row["table"], row["name"])}
    return Injection(kind, (f"ALTER TABLE {_ours(row)} DROP COLUMN {_quoted(row['name'])} CASCADE",), parts)


def _rename_column(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    parts = {
        Part.COLUMN: (_column(row),),
        Part.NEW_COLUMN: (Subject(row["table"], "by_hand", ("by_hand",)),),
        Part.LOST_KEY: catalog.keys_to(row["table"], row["name"]),
    }
    return Injection(kind, (f"ALTER TABLE {_ours(row)} RENAME COLUMN {_quoted(row['name'])} TO by_hand",), parts)


def _change_type(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    others = _other_types(row)
    if not others:
        return None
    other = chance.choice(others)
    using = f" USING {_quoted(row['name'])}::{other}"
    return _altered(kind, row, f"TYPE {other}{using}")


def _other_types(row: Row) -> tuple[str, ...]:
    """Types that the values may be cast to; whether each of them can be is found out by trying."""
    length = row["modifier"] - 4
    match row["base"]:
        case "varchar" if row["modifier"] > 0:
            return (f"varchar({length + 10})", "text", f"char({min(length, 200)})", *_one_shorter(length))
        case "numeric" if row["modifier"] > 0:
            precision, scale = length >> 16, length & 0xFFFF
            return (f"numeric({precision + 2}, {scale})", f"numeric({precision + 1}, {scale + 1})", "double precision")
    return _CASTS.get(row["base"], ())


def _one_shorter(length: int) -> tuple[str, ...]:
    return (f"varchar({length - 1})",) if length > 1 else ()


_CASTS = {
    "varchar": ("text", "varchar(500)"),
    "int2": ("integer", "bigint"),
    "int4": ("bigint", "smallint", "numeric"),
    "int8": ("integer", "numeric"),
    "float8": ("numeric", "real"),
    "text": ("varchar(500)", "varchar"),
    "bool": ("text",),
    "date": ("timestamptz", "text"),
    "timestamptz": ("timestamp", "date", "timestamptz(3)"),
    "time": ("text",),
    "interval": ("text",),
    "uuid": ("text", "varchar(36)"),
    "jsonb": ("json", "text"),
    "inet": ("text", "cidr"),
    "bytea": ("text",),
}


def _change_collation(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    other = chance.choice([name for name in ("C", "POSIX", "ucs_basic") if name != row["collation"]])
    return _altered(kind, row, f'TYPE {row["type"]} COLLATE "{other}"')


def _alter_by(action: str) -> Callable[[InjectionKind, Row, Catalog, random.Random], Injection]:
    return lambda kind, row, catalog, chance: _altered(kind, row, action)


def _set_default(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    value = _plain_value(row["base"], row["category"])
    return _altered(kind, row, f"SET DEFAULT {value}") if value else None


def _altered(kind: InjectionKind, row: Row, action: str) -> Injection:
    statement = f"ALTER TABLE {_ours(row)} ALTER COLUMN {_quoted(row['name'])} {action}"
    return Injection(kind, (statement,), {Part.COLUMN: (_column(row),)})


def _leave_sequence_behind(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    if row["sequence"] is None:
        return None
    statements = (
        _plain_row(TARGET, row["table"], catalog, filled=(row["name"],)),
        f"ALTER SEQUENCE {row['sequence']} RESTART WITH {chance.choice((1, 5, _PLAIN_NUMBER))}",
    )
    return Injection(kind, statements, {Part.COLUMN: (_column(row),)})


# -------------------------------------------------------------------------------------------------------- constraints


def _drop_constraint(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    parts: dict[Part, tuple[Subject, ...]] = {Part.CONSTRAINT: (_constraint(row),)}
    if row.get("needed_by"):
        parts[Part.LOST_KEY] = tuple(
            _constraint(key)
            for key in catalog.keys
            if key["referred"] == row["table"] and key["name"] in row["needed_by"]
        )
    return Injection(kind, (_dropping(row, "CASCADE"),), parts)


def _change_unique(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    """The same name with one column more, checked later, or with NULLs taken for equal."""
    if row["needed_by"]:
        return None
    others = [c["name"] for c in catalog.columns_of(row["table"]) if c["name"] not in row["columns"]]
    changes = [f"UNIQUE ({_listed((*row['columns'], other))})" for other in sorted(others)[:1]]
    if "DEFERRABLE" not in row["definition"]:
        changes.append(f"{row['definition']} DEFERRABLE INITIALLY DEFERRED")
    if any(not c["not_null"] for c in catalog.columns_of(row["table"]) if c["name"] in row["columns"]):
        changes.append(row["definition"].replace("UNIQUE (", "UNIQUE NULLS NOT DISTINCT ("))
    return _replaced(kind, row, chance.choice(changes)) if changes else None


def _unique_to_index(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    if row["needed_by"]:
        return None
    index = f"CREATE INDEX {_quoted(row['name'])} ON {_ours(row)} ({_listed(row['columns'])})"
    return Injection(kind, (_dropping(row), index), {Part.CONSTRAINT: (_constraint(row),)})


def _change_check(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    """Over the same columns, and true of everything, or of other numbers."""
    rules = [
        "CHECK (" + " AND ".join(f"({_quoted(c)} IS NULL OR {_quoted(c)} IS NOT NULL)" for c in row["columns"]) + ")"
    ]
    if "(0)" in row["definition"] or ">= 0" in row["definition"]:
        rules += [re.sub(r">= (\(?)0", r">= \1 1", row["definition"]), row["definition"].replace(">=", ">")]
    if " AND " in row["definition"]:
        rules.append(row["definition"].replace(" AND ", " OR ", 1))
    return _replaced(kind, row, chance.choice([rule for rule in rules if rule != row["definition"]]))


def _change_key(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    plain = re.sub(r" ON (DELETE|UPDATE) (CASCADE|RESTRICT|SET NULL|SET DEFAULT)", "", row["definition"])
    action = " ON DELETE CASCADE" if row["on_delete"] != "c" else " ON DELETE SET NULL"
    changes = [
        re.sub(r"(?= DEFERRABLE|$)", added, plain, count=1) for added in (action, " ON UPDATE CASCADE", " MATCH FULL")
    ]
    if " DEFERRABLE INITIALLY DEFERRED" in row["definition"]:
        changes.append(row["definition"].replace(" DEFERRABLE INITIALLY DEFERRED", ""))
        changes.append(row["definition"].replace(" INITIALLY DEFERRED", ""))
    return _replaced(kind, row, chance.choice(changes))


def _repoint(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    if row["referred"] == row["table"]:
        return None
    rows = f"INSERT INTO {_stray(row['referred'])} OVERRIDING SYSTEM VALUE SELECT * FROM {_quoted(TARGET, row['referred'])}"
    return _repointed(kind, row, (rows,))


def _repoint_with_orphan(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    """The copy alone has the row that a new row refers to."""
    if row["referred"] == row["table"] or len(row["columns"]) > 1:
        return None
    rows = (
        _plain_row(STRAY_SCHEMA, row["referred"], catalog, filled=row["referred_columns"]),
        f"DELETE FROM {_ours(row)}",
        _plain_row(TARGET, row["table"], catalog, filled=row["columns"]),
    )
    return _repointed(kind, row, rows)


def _repointed(kind: InjectionKind, row: Row, rows: tuple[str, ...]) -> Injection:
    pointed = re.sub(r"REFERENCES (?=[^(]+\()", f"REFERENCES {STRAY_SCHEMA}.", row["definition"], count=1)
    return Injection(
        kind,
        (*_copy_of(row["referred"]), *_without_triggers(*rows), *_replaced(kind, row, pointed).statements),
        {Part.CONSTRAINT: (_constraint(row),), Part.COPIED_TABLE: (Subject(row["referred"]),)},
    )


def _not_valid(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    return _replaced(kind, row, f"{row['definition']} NOT VALID")


def _not_enforced(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    if row["type"] == "c":
        return _replaced(kind, row, f"{row['definition']} NOT ENFORCED")
    statement = f"ALTER TABLE {_ours(row)} ALTER CONSTRAINT {_quoted(row['name'])} NOT ENFORCED"
    return Injection(kind, (statement,), {Part.CONSTRAINT: (_constraint(row),)})


def _disable_triggers(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    touched = tuple(_constraint(key) for key in catalog.keys if row["table"] in (key["table"], key["referred"]))
    statement = f"ALTER TABLE {_ours(row)} DISABLE TRIGGER ALL"
    return Injection(kind, (statement,), {Part.CONSTRAINT: touched}) if touched else None


def _disable_one_trigger(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    table, trigger = chance.choice(row["triggers"])
    statement = f"ALTER TABLE {table} DISABLE TRIGGER {_quoted(trigger)}"
    return Injection(kind, (statement,), {Part.CONSTRAINT: (_constraint(row),)})


def _replaced(kind: InjectionKind, row: Row, definition: str) -> Injection:
    statements = (_dropping(row), f"ALTER TABLE {_ours(row)} ADD CONSTRAINT {_quoted(row['name'])} {definition}")
    return Injection(kind, statements, {Part.CONSTRAINT: (_constraint(row),)})


def _dropping(row: Row, *how: str) -> str:
    return " ".join((f"ALTER TABLE {_ours(row)} DROP CONSTRAINT {_quoted(row['name'])}", *how))


# ------------------------------------------------------------------------------------------------------------ indexes


def _drop_index(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    subject = replace(_index(row), words=_definition_of(row))
    return Injection(kind, (f"DROP INDEX {_quoted(TARGET, row['name'])}",), {Part.INDEX: (subject,)})


def _change_index(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    changes = list(_other_indexes(row, catalog, chance))
    if not changes:
        return None
    statements = (f"DROP INDEX {_quoted(TARGET, row['name'])}", chance.choice(changes))
    return Injection(kind, statements, {Part.INDEX: (_index(row),)})


def _other_indexes(row: Row, catalog: Catalog, chance: random.Random) -> Iterator[str]:
    """The same name, and another definition."""
    definition, columns = row["definition"], row["columns"]
    if not row["is_partial"]:
        yield f"{definition} WHERE ({_quoted(columns[0])} IS NOT NULL)"
    if not row["is_unique"]:
        yield definition.replace("CREATE INDEX", "CREATE UNIQUE INDEX", 1)
    if row["method"] == "btree" and not row["has_expressions"]:
        there = {column["name"]: column for column in catalog.columns_of(row["table"])}
        more = [name for name, column in there.items() if name not in columns and column["base"] in _CASTS]
        inside = re.search(r"USING btree \(([^)]*)\)", definition)
        assert inside is not None, definition
        if more:
            yield definition.replace(inside[0], f"USING btree ({inside[1]}, {_quoted(chance.choice(sorted(more)))})")
        if len(columns) > 1:
            yield definition.replace(inside[0], f"USING btree ({_listed(reversed(columns))})")
            yield definition.replace(inside[0], f"USING btree ({_listed(columns[:1])})")
        elif not row["is_unique"]:
            yield definition.replace(inside[0], f"USING hash ({_listed(columns)})")
        if "DESC" not in inside[1]:
            yield definition.replace(inside[0], f"USING btree ({inside[1]} DESC)")
        if len(columns) == 1 and there[columns[0]]["base"] in _TEXTS and "pattern_ops" not in inside[1]:
            yield definition.replace(inside[0], f"USING btree ({inside[1]} text_pattern_ops)")


def _invalidate_index(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    name = _literal(_quoted(TARGET, row["name"]))
    statement = f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = {name}::regclass"
    return Injection(kind, (statement,), {Part.INDEX: (_index(row),)})


# ------------------------------------------------------------------------------------------------------------- rights


def _revoke(
    kind: InjectionKind,
    row: Row,
    catalog: Catalog,
    chance: random.Random,
    *,
    privileges: Sequence[str],
    role: str,
) -> Injection:
    statement = f"REVOKE {chance.choice(privileges)} ON {_ours(row)} FROM {role}"
    return Injection(kind, (statement,), {Part.TABLE: (_table(row),)})


def _schema(catalog: Catalog) -> list[Row]:
    return [{"table": "", "name": TARGET}]


def _revoke_schema(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    tables = tuple(_table(table) for table in catalog.tables)
    return Injection(kind, (f"REVOKE USAGE ON SCHEMA {TARGET} FROM PUBLIC",), {Part.TABLE: tables})


def _change_owner(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    app = next((tables for tables in catalog.apps.values() if row["table"] in tables), frozenset())
    if len(app) < 4:
        return None
    return Injection(kind, (f"ALTER TABLE {_ours(row)} OWNER TO {STRANGER}",), {Part.TABLE: (_table(row),)})


# -------------------------------------------------------------------------------------------------------------- notes


def _add_table(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    name = f"{row['table'][:40]}_by_hand"
    statements = (f"SET LOCAL ROLE {OWNER}", f"CREATE TABLE {_quoted(TARGET, name)} (id bigint)", "RESET ROLE")
    return Injection(kind, statements, {Part.TABLE: (Subject(name),)})


def _add_column(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    subject = Subject(row["table"], "by_hand", ("by_hand",))
    return Injection(kind, (f"ALTER TABLE {_ours(row)} ADD COLUMN by_hand text",), {Part.COLUMN: (subject,)})


def _add_constraint(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    rule = f"CHECK ({_quoted(row['name'])} IS NULL OR {_quoted(row['name'])} IS NOT NULL)"
    statement = f"ALTER TABLE {_ours(row)} ADD CONSTRAINT by_hand {rule}"
    return Injection(
        kind, (statement,), {Part.CONSTRAINT: (Subject(row["table"], "by_hand", (row["name"],), "check"),)}
    )


def _add_index(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    statement = f"CREATE INDEX by_hand ON {_ours(row)} USING hash ({_quoted(row['name'])})"
    return Injection(kind, (statement,), {Part.INDEX: (Subject(row["table"], "by_hand", (row["name"],)),)})


def _rename_constraint(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    statement = f"ALTER TABLE {_ours(row)} RENAME CONSTRAINT {_quoted(row['name'])} TO by_hand"
    return Injection(kind, (statement,), {Part.TABLE: (_table(row),)})


def _rename_index(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    statement = f"ALTER INDEX {_quoted(TARGET, row['name'])} RENAME TO by_hand"
    return Injection(kind, (statement,), {Part.TABLE: (_table(row),)})


# ----------------------------------------------------------------------------------------------------------- no drift


def _restore(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection | None:
    """Everything but the primary key, and the unique constraints that keys need."""
    constraints = [
        c for c in catalog.constraints if c["table"] == row["table"] and c["type"] != "p" and not c["needed_by"]
    ]
    keys = [key for key in catalog.keys if key["table"] == row["table"]]
    indexes = [i for i in catalog.indexes if i["table"] == row["table"] and not i["is_needed"]]
    statements = [
        statement for c in (*constraints, *keys) for statement in _replaced(kind, c, c["definition"]).statements
    ]
    for index in indexes:
        statements += [f"DROP INDEX {_quoted(TARGET, index['name'])}", index["definition"]]
    return Injection(kind, tuple(statements), {}) if statements else None


def _make_serial(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    sequence, column = _quoted(TARGET, "by_hand"), f"{_ours(row)}.{_quoted(row['name'])}"
    alter = f"ALTER TABLE {_ours(row)} ALTER COLUMN {_quoted(row['name'])}"
    statements = (
        f"{alter} DROP IDENTITY",
        f"SET LOCAL ROLE {OWNER}",
        f"CREATE SEQUENCE {sequence} OWNED BY {column}",
        "RESET ROLE",
        f"{alter} SET DEFAULT nextval('{sequence}')",
        f"SELECT setval('{sequence}', coalesce(max({_quoted(row['name'])}), 0) + 1) FROM {_ours(row)}",
    )
    return Injection(kind, statements, {})


def _do_no_harm(kind: InjectionKind, row: Row, catalog: Catalog, chance: random.Random) -> Injection:
    table = _ours(row)
    columns = catalog.columns_of(row["table"])
    column = _quoted(chance.choice(columns)["name"])
    ways = [
        (f"GRANT SELECT, TRUNCATE ON {table} TO {STRANGER}",),
        (f"GRANT SELECT ON {table} TO PUBLIC",),
        (f"CREATE VIEW by_hand AS SELECT * FROM {table}",),
        (f"CREATE MATERIALIZED VIEW by_hand AS SELECT * FROM {table}",),
        (
            "CREATE FUNCTION by_hand() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            f"CREATE TRIGGER by_hand AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION by_hand()",
        ),
        (f"ALTER TABLE {table} SET (fillfactor = 70, autovacuum_enabled = false)",),
        (f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 500",),
        (f"COMMENT ON TABLE {table} IS 'by hand'", f"COMMENT ON COLUMN {table}.{column} IS 'by hand'"),
        (f"ALTER TABLE {table} REPLICA IDENTITY FULL",),
        (f"CREATE RULE by_hand AS ON DELETE TO {table} DO ALSO NOTHING",),
        (f"ANALYZE {table}",),
    ]
    ways += [(f"ALTER SEQUENCE {c['sequence']} RENAME TO by_hand",) for c in columns if c["sequence"]]
    ways += [(f"CLUSTER {table} USING {_quoted(i['name'])}",) for i in catalog.indexes if i["table"] == row["table"]]
    return Injection(kind, chance.choice(ways), {})


# ----------------------------------------------------------------------------------------------------------- together


def _moved_and_damaged(catalog: Catalog, chance: random.Random, seed: str) -> Iterator[Injection]:
    """A loss on a table, then the move of that table."""
    kind = InjectionKind.MOVE_AND_DAMAGE
    sources = {damage: drawn(damage, catalog, seed=f"{seed} {kind.value}") for damage in _DAMAGES}
    while sources:
        damage = chance.choice(list(sources))
        injection = next(sources[damage], None)
        if injection is None:
            del sources[damage]
            continue
        moved = _move(kind, {"table": _damaged(injection).table}, catalog, chance)
        yield replace(moved, statements=injection.statements + moved.statements, together=(injection,))


_DAMAGES = (
    InjectionKind.DROP_COLUMN,
    InjectionKind.DROP_NOT_NULL,
    InjectionKind.CHANGE_TYPE,
    InjectionKind.DROP_PRIMARY_KEY,
    InjectionKind.DROP_UNIQUE,
    InjectionKind.DROP_CHECK,
    InjectionKind.DROP_FOREIGN_KEY,
    InjectionKind.DROP_INDEX,
)

_CHANGES = (
    InjectionKind.SET_NOT_NULL,
    InjectionKind.CHANGE_COLLATION,
    InjectionKind.CHANGE_UNIQUE,
    InjectionKind.CHANGE_CHECK,
    InjectionKind.CHANGE_FOREIGN_KEY,
    InjectionKind.NOT_VALID_KEY,
    InjectionKind.CHANGE_INDEX,
    InjectionKind.INVALID_INDEX,
)


def _several_in_table(catalog: Catalog, chance: random.Random, seed: str) -> Iterator[Injection]:
    kind = InjectionKind.SEVERAL_IN_TABLE
    pools: dict[str, list[Injection]] = {}
    for damage in (*_DAMAGES, *_CHANGES):
        for injection in drawn(damage, catalog, seed=f"{seed} {kind.value}"):
            pools.setdefault(_damaged(injection).table, []).append(injection)
    tables = sorted(table for table, pool in pools.items() if len(pool) > 4)
    while tables:
        chosen: list[Injection] = []
        taken: set[str] = set()
        for injection in chance.sample(pools[chance.choice(tables)], 4):
            columns = set(_damaged(injection).columns)
            if not taken & columns:
                chosen.append(injection)
                taken |= columns
        if len(chosen) > 1:
            statements = [statement for injection in chosen for statement in injection.statements]
            yield Injection(kind, tuple(statements), {}, tuple(chosen))


def _damaged(injection: Injection) -> Subject:
    """The one part of a table that it is about."""
    parts = (Part.COLUMN, Part.CONSTRAINT, Part.INDEX)
    return next(injection.parts[part][0] for part in parts if part in injection.parts)


def _several(catalog: Catalog, chance: random.Random, seed: str) -> Iterator[Injection]:
    """Two or three on tables that are no neighbours, so that none takes away what another is about."""
    kinds = [kind for kind in _WAYS if kind not in _NOT_WITH_OTHERS]
    sources = {kind: drawn(kind, catalog, seed=f"{seed} {InjectionKind.SEVERAL.value}") for kind in kinds}
    while len(sources) > 2:
        chosen: list[Injection] = []
        taken: set[str] = set()
        for kind in chance.sample(list(sources), chance.choice((2, 3))):
            injection = next(sources[kind], None)
            if injection is None:
                del sources[kind]
            elif not taken & (near := catalog.around(injection.tables)):
                chosen.append(injection)
                taken |= near
        if len(chosen) > 1:
            statements = [statement for injection in chosen for statement in injection.statements]
            yield Injection(InjectionKind.SEVERAL, tuple(statements), {}, tuple(chosen))


_NOT_WITH_OTHERS = {
    # They concern every table, or where the application looks.
    InjectionKind.TENANT,
    InjectionKind.WRONG_PATH,
    InjectionKind.REVOKE_SCHEMA,
    InjectionKind.MOVE_TABLE_ON_PATH,
    InjectionKind.COPY_IN_FRONT,
    # What they add has one name.
    InjectionKind.TYPE_ASTRAY,
    InjectionKind.EXTENSION_ASTRAY,
    InjectionKind.FUNCTION_ASTRAY,
    InjectionKind.STATISTICS_ASTRAY,
    InjectionKind.OLD_SERIAL,
    InjectionKind.HARMLESS,
    InjectionKind.EXTRA_INDEX,
    InjectionKind.RENAME_INDEX,
    InjectionKind.RENAME_TABLE,
    # With one table fewer where it was, its neighbours no longer agree.
    InjectionKind.CHANGE_OWNER,
}


# --------------------------------------------------------------------------------------------------------------- rows

_PLAIN_NUMBER = 9876


def _plain_row(schema: str, table: str, catalog: Catalog, *, filled: Iterable[str] = ()) -> str:
    """A row with some value in each column that has to have one, and in those named.

    Two such rows have the same value wherever the type is the same, so that one can refer to the other.
    """
    values = {}
    for column in catalog.columns_of(table):
        drawn_by_itself = column["default"] is not None or column["identity"] or column["generated"]
        if column["name"] in filled or (column["not_null"] and not drawn_by_itself):
            values[_quoted(column["name"])] = _plain_value(column["base"], column["category"]) or "NULL"
    if not values:
        return f"INSERT INTO {_quoted(schema, table)} DEFAULT VALUES"
    columns, row = ", ".join(values), ", ".join(values.values())
    return f"INSERT INTO {_quoted(schema, table)} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({row})"


def _plain_value(base: str, category: str) -> str:
    """Some value of that type; nothing where none comes to mind."""
    match base, category:
        case (("int2" | "int4" | "int8" | "numeric" | "float4" | "float8"), _):
            return str(_PLAIN_NUMBER) if base.startswith("int") else "1"
        case "uuid", _:
            return "'00000000-0000-4000-8000-000000009876'"
        case (("json" | "jsonb"), _):
            return "'{}'"
        case "bytea", _:
            return "''"
        case "tsvector", _:
            return "''"
        case _, "S":
            return "'x'"
        case _, "B":
            return "false"
        case _, "D":
            return "'2020-01-01'" if base != "time" else "'12:00'"
        case _, "T":
            return "'1 day'"
        case _, "I":
            return "'127.0.0.1'"
        case _, "A":
            return "'{}'"
        case _, "R":
            return "'empty'"
    return ""


def _without_triggers(*statements: str) -> tuple[str, ...]:
    """With the triggers of keys asleep, as a restore has them."""
    return ("SET LOCAL session_replication_role = replica", *statements, "SET LOCAL session_replication_role = origin")


# -------------------------------------------------------------------------------------------------------------- words

_STRAY = (
    f"CREATE SCHEMA IF NOT EXISTS {STRAY_SCHEMA}",
    f"GRANT USAGE, CREATE ON SCHEMA {STRAY_SCHEMA} TO {OWNER}",
    f"GRANT USAGE ON SCHEMA {STRAY_SCHEMA} TO {APPLICATION}, {READER}",
)


def _copy_of(table: str) -> tuple[str, ...]:
    return (*_STRAY, f"CREATE TABLE {_stray(table)} (LIKE {_quoted(TARGET, table)} INCLUDING ALL)")


def _application_path(catalog: Catalog, *schemas: str) -> str:
    return f"ALTER ROLE {APPLICATION} IN DATABASE {_quoted(catalog.database)} SET search_path = {', '.join(schemas)}"


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(_quoted, columns))


def _table(row: Row) -> Subject:
    return Subject(row["table"])


def _column(row: Row) -> Subject:
    return Subject(row["table"], row["name"], (row["name"],))


def _constraint(row: Row) -> Subject:
    kinds = {"p": "primary_key", "u": "unique", "c": "check", "f": "foreign_key", "x": "exclusion"}
    return Subject(row["table"], row["name"], tuple(row["columns"]), kinds[row["type"]])


def _index(row: Row) -> Subject:
    return Subject(row["table"], row["name"], tuple(row["columns"]))


def _definition_of(row: Row) -> str:
    """The index from the access method to its columns' end; how a predicate is printed is not the same twice."""
    return str(row["definition"]).partition(" USING ")[2].partition(" WHERE ")[0]


def _ours(row: Row) -> str:
    return _quoted(TARGET, row["table"])


def _stray(table: str) -> str:
    return _quoted(STRAY_SCHEMA, table)


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# --------------------------------------------------------------------------------------------------------- all of them


@dataclass(frozen=True, slots=True)
class Way:
    """How injections of one kind are drawn: what there is, and what is done to one of it; None where it cannot be."""

    candidates: Callable[[Catalog], list[Row]]
    inject: Callable[[InjectionKind, Row, Catalog, random.Random], Injection | None]


def _is_plain_column(row: Row) -> bool:
    return not row["generated"]


def _has_default(row: Row) -> bool:
    return row["default"] is not None and row["sequence"] is None and not row["generated"]


def _is_plain_text(row: Row) -> bool:
    return row["base"] in _TEXTS and not row["generated"]


_TEXTS = {"varchar", "text", "bpchar"}

_WAYS: Mapping[InjectionKind, Way] = {
    InjectionKind.MOVE_TABLE: Way(_tables, _move),
    InjectionKind.MOVE_TABLE_ON_PATH: Way(_tables, _move_on_path),
    InjectionKind.EMPTY_SHELL: Way(_tables, _leave_a_shell),
    InjectionKind.DROP_TABLE: Way(_tables, _drop_table),
    InjectionKind.FAKE_MIGRATION: Way(_migrations, _fake_migration),
    InjectionKind.RENAME_TABLE: Way(_tables, _rename_table),
    InjectionKind.COPY_EMPTY: Way(_tables, _copy),
    InjectionKind.COPY_WITH_ROWS: Way(_tables, _copy_with_rows),
    InjectionKind.COPY_IN_FRONT: Way(_tables, _copy_in_front),
    InjectionKind.TENANT: Way(_tables, _add_tenant),
    InjectionKind.WRONG_PATH: Way(_schema, _wrong_path),
    InjectionKind.TYPE_ASTRAY: Way(partial(_columns, where=_is_plain_text), _type_astray),
    InjectionKind.EXTENSION_ASTRAY: Way(partial(_columns, where=_is_plain_text), _extension_astray),
    InjectionKind.FUNCTION_ASTRAY: Way(partial(_columns, where=_is_plain_text), _function_astray),
    InjectionKind.STATISTICS_ASTRAY: Way(_tables, _statistics_astray),
    InjectionKind.DROP_COLUMN: Way(_columns, _drop_column),
    InjectionKind.RENAME_COLUMN: Way(_columns, _rename_column),
    InjectionKind.CHANGE_TYPE: Way(partial(_columns, where=_is_plain_column), _change_type),
    InjectionKind.CHANGE_COLLATION: Way(partial(_columns, where=_is_plain_text), _change_collation),
    InjectionKind.DROP_NOT_NULL: Way(
        partial(_columns, where=lambda row: row["not_null"] and not row["in_primary_key"] and not row["identity"]),
        _alter_by("DROP NOT NULL"),
    ),
    InjectionKind.SET_NOT_NULL: Way(
        partial(_columns, where=lambda row: not row["not_null"]), _alter_by("SET NOT NULL")
    ),
    InjectionKind.DROP_IDENTITY: Way(
        partial(_columns, where=lambda row: bool(row["identity"])), _alter_by("DROP IDENTITY")
    ),
    InjectionKind.CHANGE_IDENTITY: Way(
        partial(_columns, where=lambda row: bool(row["identity"])), _alter_by("SET GENERATED ALWAYS")
    ),
    InjectionKind.DROP_DEFAULT: Way(
        partial(_columns, where=lambda row: _has_default(row)),
        _alter_by("DROP DEFAULT"),
    ),
    InjectionKind.CHANGE_DEFAULT: Way(partial(_columns, where=lambda row: _has_default(row)), _set_default),
    InjectionKind.SET_DEFAULT: Way(
        partial(_columns, where=lambda row: row["default"] is None and not row["identity"]), _set_default
    ),
    InjectionKind.SEQUENCE_BEHIND: Way(
        partial(_columns, where=lambda row: row["in_primary_key"] and row["base"].startswith("int")),
        _leave_sequence_behind,
    ),
    InjectionKind.DROP_PRIMARY_KEY: Way(partial(_constraints, types="p"), _drop_constraint),
    InjectionKind.DROP_UNIQUE: Way(partial(_constraints, types="u"), _drop_constraint),
    InjectionKind.UNIQUE_TO_INDEX: Way(partial(_constraints, types="u"), _unique_to_index),
    InjectionKind.DROP_CHECK: Way(partial(_constraints, types="c"), _drop_constraint),
    InjectionKind.DROP_FOREIGN_KEY: Way(_keys, _drop_constraint),
    InjectionKind.CHANGE_UNIQUE: Way(partial(_constraints, types="u"), _change_unique),
    InjectionKind.CHANGE_CHECK: Way(partial(_constraints, types="c"), _change_check),
    InjectionKind.CHANGE_FOREIGN_KEY: Way(_keys, _change_key),
    InjectionKind.REPOINT_KEY: Way(_keys, _repoint),
    InjectionKind.REPOINT_KEY_WITH_ORPHANS: Way(_keys, _repoint_with_orphan),
    InjectionKind.NOT_VALID_KEY: Way(_keys, _not_valid),
    InjectionKind.NOT_VALID_CHECK: Way(partial(_constraints, types="c"), _not_valid),
    InjectionKind.NOT_ENFORCED: Way(
        lambda catalog: (_keys(catalog) + _constraints(catalog, types="c")) if catalog.version >= 18 else [],
        _not_enforced,
    ),
    InjectionKind.DISABLE_TRIGGERS: Way(_tables, _disable_triggers),
    InjectionKind.DISABLE_ONE_TRIGGER: Way(_keys, _disable_one_trigger),
    InjectionKind.DROP_INDEX: Way(partial(_indexes, where=lambda row: not row["is_needed"]), _drop_index),
    InjectionKind.CHANGE_INDEX: Way(
        partial(_indexes, where=lambda row: not row["is_needed"] and bool(row["columns"])), _change_index
    ),
    InjectionKind.INVALID_INDEX: Way(_indexes, _invalidate_index),
    InjectionKind.REVOKE_SELECT: Way(
        _tables, partial(_revoke, privileges=("SELECT", "ALL", "SELECT, INSERT"), role=APPLICATION)
    ),
    InjectionKind.REVOKE_WRITING: Way(
        _tables, partial(_revoke, privileges=("INSERT", "UPDATE", "DELETE", "INSERT, UPDATE, DELETE"), role=APPLICATION)
    ),
    InjectionKind.REVOKE_FROM_ANOTHER: Way(_tables, partial(_revoke, privileges=("SELECT", "ALL"), role=READER)),
    InjectionKind.REVOKE_SCHEMA: Way(_schema, _revoke_schema),
    InjectionKind.CHANGE_OWNER: Way(_tables, _change_owner),
    InjectionKind.EXTRA_TABLE: Way(_tables, _add_table),
    InjectionKind.EXTRA_COLUMN: Way(_tables, _add_column),
    InjectionKind.EXTRA_CONSTRAINT: Way(_columns, _add_constraint),
    InjectionKind.EXTRA_INDEX: Way(partial(_columns, where=lambda row: row["base"] in _CASTS), _add_index),
    InjectionKind.RENAME_CONSTRAINT: Way(lambda catalog: catalog.constraints + catalog.keys, _rename_constraint),
    InjectionKind.RENAME_INDEX: Way(_indexes, _rename_index),
    InjectionKind.RESTORED: Way(_tables, _restore),
    InjectionKind.OLD_SERIAL: Way(partial(_columns, where=lambda row: bool(row["identity"])), _make_serial),
    InjectionKind.HARMLESS: Way(_tables, _do_no_harm),
}

"""A table in its place: moved where it strayed, made where it is nowhere, exchanged with an empty copy."""

from collections.abc import Iterator

from cascade.core.actions import (
    CreateSchema,
    CreateTable,
    ExchangeTable,
    MoveTable,
)
from cascade.core.expected import ExpectedLayout
from cascade.core.history import HISTORY_TABLE
from cascade.core.layout import TableName
from cascade.core.placement import recorded_as
from cascade.core.repairs.tables import as_made
from cascade.core.retarget import retargeted
from cascade.render.migration.guards import oid_of, schema_of
from cascade.render.migration.statements import TARGET, execute
from cascade.render.sql import NotRenderable, literal, refuse_rows, render_action, render_create_table

PLACING = (MoveTable, ExchangeTable, CreateTable)


def place(table: TableName, copy: TableName | None, expected: ExpectedLayout, target: str) -> Iterator[str]:
    """The table in its place: nothing where it is there, moved where it strayed, made where it is nowhere.

    An environment keeps its own. Where nobody can tell, the error says so.
    """
    place = oid_of(table, target)
    yield f"  IF {place} IS NULL THEN"
    if copy is not None:
        schema, name, other = schema_of(table, target), literal(table.name), literal(copy.schema)
        yield f"    IF {_is_elsewhere(copy, schema)} THEN"
        yield from (f"    {line}" for line in _judge(table, copy, expected))
        yield "      IF is_stray THEN"
        yield f"        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', {other}, {name}, {schema});"
        yield f"      ELSIF is_stray IS NULL OR {_has_keys_across(copy)} THEN"
        yield "        RAISE EXCEPTION '%.% is not there, and whether %.% is it, or an environment''s, is not clear',"
        yield f"          {schema}, {name}, {other}, {name};"
        yield "      END IF;"
        yield "    END IF;"
        yield f"    IF {place} IS NULL THEN"
    yield from (f"    {line}" for line in _create(table, expected, target))
    if copy is not None:
        yield "    END IF;"
    yield "  END IF;"


def _is_elsewhere(copy: TableName, schema: str) -> str:
    """Whether the copy is there, and in another schema than this one."""
    return (
        "EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace\n"
        f"        WHERE c.relname = {literal(copy.name)} AND c.relkind IN ('r', 'p')\n"
        f"          AND n.nspname = {literal(copy.schema)} AND n.nspname <> {schema})"
    )


def _judge(table: TableName, copy: TableName, expected: ExpectedLayout) -> Iterator[str]:
    """``is_stray``: no ``django_migrations`` beside the copy records what makes it; NULL where that cannot be read."""
    names = sorted(recorded_as(expected.tables[table].made_by.migration, expected), key=str)
    rows = ", ".join(f"({literal(key.app)}, {literal(key.name)})" for key in names)
    schema = literal(copy.schema)
    history = f"format('%I.%I', {schema}, {literal(HISTORY_TABLE)})"
    recorded = execute(
        f"SELECT NOT EXISTS (SELECT FROM {TableName(copy.schema, HISTORY_TABLE)} WHERE (app, name) IN ({rows}))"
    )
    yield "  is_stray := true;"
    yield f"  IF {_is_elsewhere(TableName(copy.schema, HISTORY_TABLE), literal(''))} THEN"
    yield "    is_stray := NULL;"
    yield f"    IF has_schema_privilege({schema}, 'USAGE') AND has_table_privilege({history}, 'SELECT') THEN"
    yield f"      {recorded.removesuffix(';')} INTO is_stray;"
    yield "    END IF;"
    yield "  END IF;"


def _has_keys_across(copy: TableName) -> str:
    """Whether keys, followed from the copy to their end, lead out of its schema, or one leads to it from elsewhere."""
    oid = f"to_regclass({literal(str(copy))})::oid"
    return (
        f"EXISTS (WITH RECURSIVE reach (oid) AS (SELECT {oid} UNION SELECT k.confrelid\n"
        "          FROM reach r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f')\n"
        "        SELECT FROM pg_constraint k\n"
        "          JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid\n"
        "        WHERE k.contype = 'f' AND f.relnamespace <> t.relnamespace\n"
        f"          AND (k.confrelid = {oid} OR k.conrelid IN (SELECT r.oid FROM reach r)))"
    )


def _create(table: TableName, expected: ExpectedLayout, target: str) -> Iterator[str]:
    try:
        statements = render_create_table(retargeted(as_made(expected.tables[table].table), target, TARGET))
    except NotRenderable as problem:
        yield f"RAISE EXCEPTION '%', {literal(f'{table} is nowhere, and cannot be made here: {problem}')};"
        return
    for statement in statements:
        yield execute(statement)


def exchange(action: ExchangeTable, expected: ExpectedLayout, target: str, attic: str) -> Iterator[str]:
    """An empty copy in the place goes into the attic where one that strayed counts, which can then be placed.

    That has rows, or else keys refer to it and none to the copy in the place.
    """
    schema, name, other = schema_of(action.to, target), literal(action.to.name), literal(action.table.schema)
    yield f"  IF {oid_of(action.to, target)} IS NOT NULL AND {_is_elsewhere(action.table, schema)} THEN"
    yield from (f"  {line}" for line in _judge(action.to, action.table, expected))
    yield "    IF is_stray THEN"
    yield "      PERFORM set_config('row_security', 'off', true);"
    yield f"      EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', {other}, {name}) INTO counts;"
    here, there = oid_of(action.to, target), f"to_regclass({literal(str(action.table))})"
    yield f"      IF counts OR {_is_referred_to(there)} AND NOT {_is_referred_to(here)} THEN"
    yield f"        {execute(refuse_rows(retargeted(action.to, target, TARGET)))}"
    yield f"        bound := ({_bound(action, target)});"
    yield "        IF bound IS NOT NULL THEN"
    yield "          RAISE EXCEPTION 'bound to the empty %.%, and not carried over by a migration: %',"
    yield f"            {schema}, {name}, bound USING HINT = 'Run cascade apply on this database first.';"
    yield "        END IF;"
    for statement in render_action(CreateSchema(attic)):
        yield f"        {execute(statement)}"
    yield f"        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', {schema}, {name}, {literal(attic)});"
    yield "      END IF;"
    yield "    END IF;"
    yield "  END IF;"


def _is_referred_to(oid: str) -> str:
    return f"EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = {oid})"


def _bound(action: ExchangeTable, target: str) -> str:
    """What is bound to the copy in the place by its OID, and has no namesake on the one that comes."""
    here, there = oid_of(action.to, target), f"to_regclass({literal(str(action.table))})"
    on_it = "d.refclassid = 'pg_class'::regclass AND d.refobjid"
    own = "\n          UNION ALL ".join(
        f"SELECT format('{kind} %I', o.{name}) FROM {catalog} o WHERE o.{of} = {here}{more} AND NOT EXISTS\n"
        f"            (SELECT FROM {catalog} p WHERE p.{of} = {there} AND p.{name} = o.{name})"
        for kind, catalog, of, name, more in _OWN
    )
    return (
        "SELECT string_agg(DISTINCT b.what, ', ' ORDER BY b.what) FROM (\n"
        "          SELECT format('view %s', w.ev_class::regclass)\n"
        "            FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid\n"
        f"            WHERE d.classid = 'pg_rewrite'::regclass AND {on_it} = {here} AND w.ev_class <> {here}\n"
        "          UNION ALL SELECT format('function %s', d.objid::regprocedure) FROM pg_depend d\n"
        f"            WHERE d.classid = 'pg_proc'::regclass AND {on_it} = {here}\n"
        f"          UNION ALL {own}) AS b (what)"
    )


_OWN = (
    ("rule", "pg_rewrite", "ev_class", "rulename", ""),
    ("policy", "pg_policy", "polrelid", "polname", ""),
    ("trigger", "pg_trigger", "tgrelid", "tgname", " AND NOT o.tgisinternal"),
)
"""Kinds that each table has its own of: the catalog, and its columns of the table and the name."""

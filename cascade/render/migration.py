"""A repair as a Django migration: plain SQL that looks first, does what is lacking, and proves it at the end.

Each operation is a DO block. It finds the target schema as cascade does, by the ``django_migrations`` that the
connection sees, names schema, kind and definition in its guards, and leaves the search_path as it found it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AddForeignKey,
    AlterColumn,
    CreateIndex,
    CreateSchema,
    CreateTable,
    EnableConstraint,
    ExchangeTable,
    MoveObject,
    MoveTable,
    Phase,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
    ValidateConstraint,
)
from cascade.core.detection.indexes import is_optional
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.history import HISTORY_TABLE
from cascade.core.layout import Column, Constraint, ConstraintKind, Index, TableName, UsedObject
from cascade.core.placement import recorded_as
from cascade.core.plan import Step
from cascade.core.repair_migrations import RepairMigration
from cascade.core.repairs.tables import as_made
from cascade.core.retarget import retargeted
from cascade.render.paragraphs import wrapped
from cascade.render.sql import NotRenderable, literal, refuse_rows, render_action, render_create_table

_SENTINEL = "cascade_target_schema"
"""Stands for the target schema in statements until they are put into the file."""


@dataclass(frozen=True, slots=True)
class MigrationText:
    """What a file says beside its operations. ``left_out`` are repairs that belong in no migration, in a line each."""

    dependencies: tuple[tuple[str, str], ...]
    run_before: tuple[tuple[str, str], ...]
    plan_id: str
    day: str
    database: str
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def render_migration(
    migration: RepairMigration,
    expected: ExpectedLayout,
    drifts: Iterable[Drift],
    text: MigrationText,
    *,
    target: str,
    attic: str,
) -> str:
    """The file, ending in a newline. ``target`` is the schema that the plan was made for."""
    found = {drift.id: drift for drift in drifts}
    left = left_columns(migration, found.values())
    blocks = _blocks(migration, expected, found.values(), target, attic)
    names = _constant_names(blocks)
    constants = "\n\n".join(f"{name} = {_raw(body)}" for name, (_, body) in zip(names, blocks, strict=True))
    operations = "\n".join(
        f"        RunPostgreSQL(in_target({name}), reverse_sql=migrations.RunSQL.noop)," for name in names
    )
    return f'''{_docstring(migration, found, left, text)}

from django.db import migrations


class RunPostgreSQL(migrations.RunSQL):
    """SQL for PostgreSQL; nothing on any other database."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


{_frame(body for _, body in blocks)}


{constants}


class Migration(migrations.Migration):
    dependencies = [
{_pairs(text.dependencies)}
    ]
{_run_before(text.run_before)}
    operations = [
{operations}
    ]
'''


def _raw(body: str) -> str:
    if '"""' in body and "'''" in body:
        return '"""\n' + body.replace("\\", "\\\\").replace('"', '\\"') + '\n"""'
    marks = "'''" if '"""' in body else '"""'
    return f"r{marks}\n{body}\n{marks}"


def _docstring(
    migration: RepairMigration, cured: Mapping[str, Drift], left: Iterable[Drift], text: MigrationText
) -> str:
    found = [
        cured[id_] for id_ in dict.fromkeys(cure for step in migration.steps for cure in step.cures) if id_ in cured
    ]
    lines = [
        f'"""Put right what {text.database} was found to lack on {text.day} (cascade plan {text.plan_id}).',
        "",
        *(f"    {drift.kind.value} {drift.table}{f'.{drift.object}' if drift.object else ''}" for drift in found),
        "",
        "It looks before it acts: a database that is as it should be is left alone, also when this runs twice.",
        "At the end it looks again, and fails where something is still amiss. Taken back, it changes nothing.",
    ]
    mind = dict.fromkeys(hazard.sentence for step in migration.steps for hazard in step.hazards)
    if any(step.phase is not Phase.TRANSACTION for step in migration.steps):
        mind[_ALL_IN_ONE] = None
    if mind:
        lines += ["", "Mind:", ""]
        lines += [line for sentence in mind for line in wrapped(sentence, _WIDTH, first=4, hang=6)]
    if left:
        lines += ["", "Left as they are, and not looked at in the end:", ""]
        told = (f"{drift.table}.{drift.object}: {drift.undecided or drift.observed}" for drift in left)
        lines += [line for one in told for line in wrapped(one, _WIDTH, first=4, hang=6)]
    if text.warnings:
        lines += ["", *text.warnings]
    if text.left_out:
        lines += ["", "Not in here, for it belongs to one database and not to the code:", ""]
        lines += [f"    {line}" for line in text.left_out]
    return "\n".join(_printable(line) for line in [*lines, '"""'])


_WIDTH = 116

_ALL_IN_ONE = (
    "all of it is one transaction: indexes are built while nobody can write, and old rows are checked while locks are "
    "held; where a table is large, run cascade apply first, and then this finds nothing to do"
)


def _printable(line: str) -> str:
    """A line that ends no string and begins no escape."""
    body = line if line in ('"""',) or line.startswith('"""') else line.replace('"""', "'''")
    return body.replace("\\", "\\\\")


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f'        ("{app}", "{name}"),' for app, name in pairs)


def _run_before(pairs: tuple[tuple[str, str], ...]) -> str:
    return f"    run_before = [\n{_pairs(pairs)}\n    ]\n" if pairs else ""


def _constant_names(blocks: Iterable[tuple[str, str]]) -> list[str]:
    """A constant's name for each block, made of its title."""
    names: list[str] = []
    for title, _ in blocks:
        name = re.sub(r"\W+", "_", title, flags=re.ASCII).strip("_").upper() or "STEP"
        name = name if name[0].isalpha() else f"_{name}"
        count = sum(known == name or known.startswith(f"{name}_AGAIN") for known in names)
        names.append(name + "_AGAIN" * count)
    return names


# --------------------------------------------------------------------------------------------------------- the blocks


def left_columns(migration: RepairMigration, drifts: Iterable[Drift]) -> tuple[Drift, ...]:
    """What is amiss with columns of the migration's tables, and no step of it cures: a person's, or explained."""
    tables = {step.table for step in migration.steps}
    cured = {cure for step in migration.steps for cure in step.cures}
    left = (d for d in drifts if d.kind in _OF_COLUMNS and d.table in tables and d.id not in cured)
    return tuple(drift for drift in left if drift.undecided or drift.settled_with is None)


_OF_COLUMNS = (DriftKind.MISSING_COLUMN, DriftKind.DIFFERENT_COLUMN)


def _blocks(
    migration: RepairMigration, expected: ExpectedLayout, drifts: Collection[Drift], target: str, attic: str
) -> list[tuple[str, str]]:
    """Title and body of each operation: what steps do, the keys of placed tables, and the proof."""
    blocks: list[tuple[str, str]] = []
    # In one transaction a constraint makes its own index: none has to be built for it before.
    taken = {
        (step.table, step.action.index.name)
        for step in migration.steps
        if isinstance(step.action, AddConstraint) and step.action.using_index and step.action.index
    }
    for step in migration.steps:
        if isinstance(step.action, CreateIndex) and (step.table, step.action.index.name) in taken:
            continue
        body = "\n".join(_act(step, expected, target, attic))
        if body:
            blocks.append((_title(step), body))
    placed = [step.table for step in migration.steps if isinstance(step.action, _PLACING)]
    made = {step.action.constraint.name for step in migration.steps if isinstance(step.action, AddForeignKey)}
    for table in placed:
        for key in expected.tables[table].table.foreign_keys:
            if key.name not in made and key.references is not None and key.references.table in expected.tables:
                body = "\n".join(_key_where_it_can_be(table, key, key.references.table, target))
                blocks.append((f"key {table.name} {' '.join(key.columns)}", body))
    proof = "\n".join(_proof(migration, expected, drifts, target))
    blocks.append(("verify", proof))
    return list(dict.fromkeys(blocks))


_PLACING = (MoveTable, ExchangeTable, CreateTable)


def _title(step: Step) -> str:
    kind = step.id.partition(":")[0]
    return f"{kind} {step.table.name} {step.object}".strip()


def _frame(bodies: Iterable[str]) -> str:
    """The function of the file that puts a body into its DO block; no body can close the quotes."""
    tag, number = "$repair$", 0
    while any(tag[:-1] in body for body in bodies):
        number += 1
        tag = f"$repair_{number}$"
    return _FRAME.replace("$repair$", tag)


_FRAME = '''\
def in_target(body):
    """The body with the target schema at hand, that of the django_migrations in use, under a search_path of its own."""
    return f"""DO $repair$
DECLARE
  path text := current_setting('search_path');
  rows_seen text := current_setting('row_security');
  target name := coalesce((SELECT n.nspname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = pg_catalog.to_regclass('django_migrations')), current_schema());
  is_stray boolean;
  holds_rows boolean;
  bound text;
  problems text[] := ARRAY[]::text[];
BEGIN
  PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
{body}
  PERFORM set_config('row_security', rows_seen, true);
  PERFORM set_config('search_path', path, true);
END $repair$"""'''


def _act(step: Step, expected: ExpectedLayout, target: str, attic: str) -> Iterator[str]:
    """The body that does what the step does, where that is still to do."""
    action, table = step.action, step.table
    match action:
        case MoveTable(copy, to):
            yield from _place(to, copy, expected, target)
        case ExchangeTable(copy, to):
            yield from _exchange(action, expected, target, attic)
            yield from _place(to, copy, expected, target)
        case CreateTable(made):
            yield from _place(made.name, None, expected, target)
        case AddForeignKey(_, key):
            yield from _guarded_key(table, key, target)
        case RepointForeignKey(_, found, wanted):
            yield from _drop_other_key(table, found, wanted, target)
            yield from _guarded_key(table, wanted, target, alike=True)
        case RebuildIndex(_, index):
            yield f"  IF {_still_to_do(action, table, target)} THEN"
            own = retargeted(TableName(table.schema, index.name), target, _SENTINEL)
            yield f"    {_execute(f'REINDEX INDEX {own}')}"  # CONCURRENTLY fits in no transaction
            yield "  END IF;"
        case _:
            condition = _still_to_do(action, table, target)
            if condition:
                yield f"  IF {condition} THEN"
                yield from _executed(_in_a_transaction(action, target), target)
                yield "  END IF;"


def _in_a_transaction(action: Action, target: str) -> Action:
    """The action without what no transaction can hold, and with the schema open."""
    match action:
        case CreateIndex(table, index):
            return CreateIndex(table, index)
        case AddConstraint(table, constraint, index):
            return AddConstraint(table, constraint, index)
        case SetNotNull(table, column):
            return SetNotNull(table, column)
        case MoveObject(used, schema) if schema == target:
            return MoveObject(used, _SENTINEL)
        case _:
            return action


def _place(table: TableName, copy: TableName | None, expected: ExpectedLayout, target: str) -> Iterator[str]:
    """The table in its place: nothing where it is there, moved where it strayed, made where it is nowhere.

    An environment keeps its own. Where nobody can tell, the error says so.
    """
    place = _oid(table, target)
    yield f"  IF {place} IS NULL THEN"
    if copy is not None:
        schema, name, other = _schema(table, target), literal(table.name), literal(copy.schema)
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
    recorded = _execute(
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
        statements = render_create_table(retargeted(as_made(expected.tables[table].table), target, _SENTINEL))
    except NotRenderable as problem:
        yield f"RAISE EXCEPTION '%', {literal(f'{table} is nowhere, and cannot be made here: {problem}')};"
        return
    for statement in statements:
        yield _execute(statement)


def _exchange(action: ExchangeTable, expected: ExpectedLayout, target: str, attic: str) -> Iterator[str]:
    """An empty copy in the place goes into the attic where rows are in one that strayed, which can then be placed."""
    schema, name, other = _schema(action.to, target), literal(action.to.name), literal(action.table.schema)
    yield f"  IF {_oid(action.to, target)} IS NOT NULL AND {_is_elsewhere(action.table, schema)} THEN"
    yield from (f"  {line}" for line in _judge(action.to, action.table, expected))
    yield "    IF is_stray THEN"
    yield "      PERFORM set_config('row_security', 'off', true);"
    yield f"      EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', {other}, {name}) INTO holds_rows;"
    yield "      IF holds_rows THEN"
    yield f"        {_execute(refuse_rows(retargeted(action.to, target, _SENTINEL)))}"
    yield f"        bound := ({_bound(action, target)});"
    yield "        IF bound IS NOT NULL THEN"
    yield "          RAISE EXCEPTION 'bound to the empty %.%, and not carried over by a migration: %',"
    yield f"            {schema}, {name}, bound USING HINT = 'Run cascade apply on this database first.';"
    yield "        END IF;"
    for statement in render_action(CreateSchema(attic)):
        yield f"        {_execute(statement)}"
    yield f"        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA %I', {schema}, {name}, {literal(attic)});"
    yield "      END IF;"
    yield "    END IF;"
    yield "  END IF;"


def _bound(action: ExchangeTable, target: str) -> str:
    """What is bound to the copy in the place by its OID, and has no namesake on the one that comes."""
    here, there = _oid(action.to, target), f"to_regclass({literal(str(action.table))})"
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


def _guarded_key(table: TableName, key: Constraint, target: str, *, alike: bool = False) -> Iterator[str]:
    yield f"  IF NOT {_has_key(table, key, target, alike=alike)} THEN"
    yield from _executed(AddForeignKey(table, key), target)
    yield "  END IF;"


def _key_where_it_can_be(table: TableName, key: Constraint, to: TableName, target: str) -> Iterator[str]:
    """A key that no step makes: where both tables are in place, and no other key has its name."""
    named = _named(_oid(table, target), key.name)
    yield f"  IF {_oid(to, target)} IS NOT NULL AND NOT EXISTS ({named})"
    yield f"      AND NOT {_has_key(table, key, target)} THEN"
    yield from _executed(AddForeignKey(table, key), target)
    yield "  END IF;"


def _drop_other_key(table: TableName, found: Constraint, wanted: Constraint, target: str) -> Iterator[str]:
    """The key of that name where it points at another table than it should, or does something else there."""
    yield f"  IF EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = {_oid(table, target)} AND k.contype = 'f'"
    yield f"      AND k.conname = {literal(found.name)} AND NOT ({_is_key(wanted, target, alike=True)})) THEN"
    schema, name = _schema(table, target), literal(table.name)
    yield f"    EXECUTE format('ALTER TABLE %I.%I DROP CONSTRAINT %I', {schema}, {name}, {literal(found.name)});"
    yield "  END IF;"


def _executed(action: Action, target: str) -> Iterator[str]:
    for statement in render_action(retargeted(action, target, _SENTINEL)):
        yield f"    {_execute(statement)}"


def _execute(statement: str) -> str:
    """EXECUTE, the target schema put in where the statement names it."""
    text = statement.rstrip(";").replace("%", "%%").replace(_SENTINEL, "%1$I")
    tag, number = "$ddl$", 0
    while tag[:-1] in text:
        number += 1
        tag = f"$ddl_{number}$"
    return f"EXECUTE format({tag}{text}{tag}, target);"


# --------------------------------------------------------------------------------------------------------- the guards


def _still_to_do(action: Action, table: TableName, target: str) -> str:
    """The condition under which the action has something to do; ``""`` for what no migration does."""
    oid = _oid(table, target)
    match action:
        case AddColumn(_, column):
            return f"{oid} IS NOT NULL AND NOT {_has_column(oid, column)}"
        case AlterColumn(_, _, wanted, aspects):
            return f"EXISTS ({_column(oid, wanted)} AND ({_differs(wanted, aspects)}))"
        case SetNotNull(_, name):
            return f"EXISTS ({_column(oid, Column(name, ''))} AND NOT a.attnotnull)"
        case AddConstraint(_, constraint):
            return f"NOT {_has_constraint(oid, constraint)}"
        case ReplaceConstraint(_, _, constraint):
            return f"NOT {_has_constraint(oid, constraint, as_printed=True)}"
        case ValidateConstraint(_, constraint):
            return f"EXISTS ({_named(oid, constraint.name)} AND NOT k.convalidated)"
        case EnableConstraint(_, constraint):
            return (
                f"EXISTS ({_named(oid, constraint.name)} AND (to_jsonb(k) ->> 'conenforced' = 'false' OR EXISTS"
                " (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))))"
            )
        case CreateIndex(_, index):
            return f"NOT {_has_index(oid, index)}"
        case ReplaceIndex(_, _, index):
            return f"NOT {_has_index(oid, index, as_printed=True)}"
        case RebuildIndex(_, index):
            own = _oid(TableName(table.schema, index.name), target)
            return f"EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = {own} AND NOT i.indisvalid)"
        case MoveObject(used, to):
            astray = _is_in(used, literal(used.schema))
            return astray and f"{astray} AND NOT {_is_in(used, 'target' if to == target else literal(to))}"
        case _:
            return ""


def _schema(table: TableName, target: str) -> str:
    return "target" if table.schema == target else literal(table.schema)


def _oid(table: TableName, target: str) -> str:
    return f"to_regclass(format('%I.%I', {_schema(table, target)}, {literal(table.name)}))"


def _column(oid: str, column: Column) -> str:
    return (
        "SELECT FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        f"WHERE a.attrelid = {oid} AND a.attname = {literal(column.name)} AND NOT a.attisdropped"
    )


def _has_column(oid: str, column: Column) -> str:
    return f"EXISTS ({_column(oid, column)})"


def _differs(wanted: Column, aspects: Iterable[str]) -> str:
    conditions = {
        "type": f"format_type(a.atttypid, a.atttypmod) <> {literal(wanted.type)}",
        "nullability": f"a.attnotnull = {'true' if wanted.nullable else 'false'}",
        "default": "pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM "
        + (literal(wanted.default) if wanted.default is not None else "NULL"),
        "identity": f"a.attidentity::text <> {literal(wanted.identity)}",
    }
    return " OR ".join(conditions[aspect] for aspect in aspects if aspect in conditions) or "true"


def _named(oid: str, name: str) -> str:
    return f"SELECT FROM pg_constraint k WHERE k.conrelid = {oid} AND k.conname = {literal(name)}"


def _has_constraint(oid: str, constraint: Constraint, *, as_printed: bool = False) -> str:
    same = _same("pg_get_constraintdef(k.oid)", constraint.definition or "", as_printed=as_printed)
    return f"EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = {oid} AND {same})"


def _same(printed: str, definition: str, *, as_printed: bool) -> str:
    """``as_printed``: to the letter, where what differs is to be replaced; to make it again then does no harm."""
    if as_printed:
        without = re.sub(r"( NOT VALID| NOT ENFORCED)+$", "", definition)
        return f"regexp_replace({printed}, '( NOT VALID| NOT ENFORCED)+$', '') = {literal(without)}"
    return f"{_bare(printed)} = {_bare(literal(definition))}"


def _bare(definition: str) -> str:
    """A definition without what versions of PostgreSQL print differently: parentheses, spaces, casts, NOT VALID."""
    return f"regexp_replace({definition}, {literal(_PRINTED_OTHERWISE)}, '', 'g')"


_PRINTED_OTHERWISE = (
    r"NOT (VALID|ENFORCED)$|[\s()]|::(\w+\.)?("
    r"character varying|double precision|(timestamp|time) with(out)? time zone|\w+)(\(\d+\))?(\[\])?"
)


def _has_key(table: TableName, key: Constraint, target: str, *, alike: bool = False) -> str:
    return (
        f"EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = {_oid(table, target)}\n"
        f"      AND {_is_key(key, target, alike=alike)})"
    )


def _is_key(key: Constraint, target: str, *, alike: bool) -> str:
    """Whether ``k`` points from those columns at that table, and where ``alike`` counts does the same there."""
    assert key.references is not None, "a foreign key refers to something"
    to, columns = key.references, ", ".join(map(literal, key.columns))
    does = (
        f"      AND (k.confupdtype, k.confdeltype, k.confmatchtype) = "
        f"({literal(to.on_update)}, {literal(to.on_delete)}, {literal(to.match)})\n"
        f"      AND (k.condeferrable, k.condeferred) = ({str(key.deferrable).lower()}, "
        f"{str(key.initially_deferred).lower()})\n"
    )
    return (
        f"k.confrelid IS NOT DISTINCT FROM {_oid(to.table, target)}\n"
        f"{does if alike else ''}"
        "      AND ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS x(attnum, position)\n"
        "        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum ORDER BY x.position)\n"
        f"      = ARRAY[{columns}]::text[]"
    )


def _has_index(oid: str, index: Index, *, as_printed: bool = False) -> str:
    return (
        f"EXISTS (SELECT FROM pg_index i WHERE i.indrelid = {oid} AND i.indisvalid"
        f" AND i.indisunique = {'true' if index.unique else 'false'}"
        f" AND {_same(_TAIL, index.tail or '', as_printed=as_printed)})"
    )


_TAIL = "substr(pg_get_indexdef(i.indexrelid), strpos(pg_get_indexdef(i.indexrelid), ' USING ') + 7)"


def _is_in(used: UsedObject, schema: str) -> str:
    """Whether an object of that kind and name is in the schema; ``""`` for a kind that no migration moves."""
    place = f"format('%I.%s', {schema}, {literal(used.name)})"
    if used.extension:
        return (
            "EXISTS (SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            f" WHERE e.extname = {literal(used.extension)} AND n.nspname = {schema})"
        )
    lookups = {
        "type": "to_regtype",
        "domain": "to_regtype",
        "function": "to_regprocedure",
        "sequence": "to_regclass",
        "collation": "to_regcollation",
        "operator": "to_regoperator",
    }
    if used.kind in _CATALOGS:
        catalog, of, name = _CATALOGS[used.kind]
        return (
            f"EXISTS (SELECT FROM {catalog} o JOIN pg_namespace n ON n.oid = o.{of}"
            f" WHERE n.nspname = {schema} AND quote_ident(o.{name}) = {literal(used.name)})"
        )
    return f"({lookups[used.kind]}({place}) IS NOT NULL)" if used.kind in lookups else ""


_CATALOGS = {
    "statistics": ("pg_statistic_ext", "stxnamespace", "stxname"),
    "text search configuration": ("pg_ts_config", "cfgnamespace", "cfgname"),
    "text search dictionary": ("pg_ts_dict", "dictnamespace", "dictname"),
}


# ---------------------------------------------------------------------------------------------------------- the proof


def _proof(
    migration: RepairMigration, expected: ExpectedLayout, drifts: Collection[Drift], target: str
) -> Iterator[str]:
    """What has to hold; what does not is named in one error. What no step cures is not looked at."""
    left = {(drift.table, drift.object) for drift in left_columns(migration, drifts)}
    cured = {cure for step in migration.steps for cure in step.cures}
    differs = {(drift.table, drift.object) for drift in drifts if drift.id not in cured}
    placed = {step.table for step in migration.steps if isinstance(step.action, _PLACING)}
    for table in dict.fromkeys(step.table for step in migration.steps):
        if table in expected.tables and expected.tables[table].compared:
            columns = [c for c in expected.tables[table].table.columns if (table, c.name) not in left]
            strict = {c.name for c in columns if table in placed and (table, c.name) not in differs}
            yield from _table_proof(table, columns, strict, target)
            if table in placed:
                yield from _parts_proof(expected.tables[table], {name for of, name in differs if of == table}, target)
    for step in migration.steps:
        match step.action:
            case AddForeignKey(table, key):
                yield from _claim(_has_key(table, key, target), f"the foreign key {key.name} of {table.name}")
            case RepointForeignKey(table, _, key):
                holds = _has_key(table, key, target, alike=True)
                yield from _claim(holds, f"the foreign key {key.name} of {table.name}")
            case AddConstraint(table, constraint) | ReplaceConstraint(table, _, constraint):
                holds = _has_constraint(_oid(table, target), constraint)
                yield from _claim(holds, f"the constraint {constraint.name} of {table.name}")
            case CreateIndex(table, index) | ReplaceIndex(table, _, index):
                yield from _claim(_has_index(_oid(table, target), index), f"the index {index.name} of {table.name}")
            case _:
                pass  # a table or column, which is looked at above
    yield "  IF cardinality(problems) > 0 THEN"
    yield "    RAISE EXCEPTION 'the repair is not complete: %', array_to_string(problems, '; ')"
    yield "      USING HINT = 'Nothing was changed, and nothing is recorded.';"
    yield "  END IF;"


def _table_proof(table: TableName, columns: Iterable[Column], strict: Collection[str], target: str) -> Iterator[str]:
    """The columns by name and type, and by whether they may be NULL those that are ``strict``."""
    oid = _oid(table, target)
    lines = [
        f"({literal(column.name)}, {literal(column.type)}, "
        f"{'NULL::boolean' if column.name not in strict else str(not column.nullable).lower()})"
        for column in columns
    ]
    if not lines:
        return
    yield "  problems := problems || ARRAY("
    yield f"    SELECT format('%s.%s is not a column of type %s%s', {literal(table.name)}, w.name, w.type,"
    yield "      CASE w.not_null WHEN true THEN ' NOT NULL' WHEN false THEN ' that may be NULL' END)"
    yield f"    FROM (VALUES {', '.join(lines)}) AS w (name, type, not_null)"
    yield f"    LEFT JOIN pg_attribute a ON a.attrelid = {oid} AND a.attname = w.name AND NOT a.attisdropped"
    yield "    WHERE a.attname IS NULL OR format_type(a.atttypid, a.atttypmod) <> w.type OR a.attnotnull <> w.not_null"
    yield "    ORDER BY w.name);"


def _parts_proof(expected: ExpectedTable, differs: AbstractSet[str], target: str) -> Iterator[str]:
    """The constraints and indexes of a placed table, but for those that differ, or are over what does."""
    table, oid = expected.table, _oid(expected.name, target)
    for constraint in table.constraints:
        is_same = differs.isdisjoint((constraint.name, *constraint.columns))
        if constraint.kind not in _CLAIMED_OTHERWISE and constraint.definition and is_same:
            what = f"the constraint {constraint.name} of {table.name.name}"
            yield from _claim(_has_constraint(oid, constraint), what)
    for index in table.indexes:
        is_own = index.constraint is None and not is_optional(index, expected)
        if is_own and index.tail and differs.isdisjoint((index.name, *index.columns)):
            yield from _claim(_has_index(oid, index), f"the index {index.name} of {table.name.name}")


_CLAIMED_OTHERWISE = (ConstraintKind.FOREIGN_KEY, ConstraintKind.NOT_NULL)
"""A key where a step makes it, and NOT NULL with its column: it is a constraint since PostgreSQL 18 only."""


def _claim(holds: str, what: str) -> Iterator[str]:
    yield f"  IF NOT {holds} THEN"
    yield f"    problems := problems || {literal(f'{what} is not there')}::text;"
    yield "  END IF;"

"""Conditions in SQL, by schema, kind and definition: is it there, is it still to do?

Tables are looked up by ``to_regclass``, so that one that is not there makes a condition NULL and no error.
"""

import re
from collections.abc import Iterable

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AlterColumn,
    CreateIndex,
    EnableConstraint,
    MoveObject,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    SetNotNull,
    ValidateConstraint,
)
from cascade.core.layout import Column, Constraint, ConstraintKind, Index, TableName, UsedObject
from cascade.render.sql import literal


def still_to_do(action: Action, table: TableName, target: str) -> str:
    """The condition under which the action has something to do; ``""`` for what no migration does."""
    oid = oid_of(table, target)
    match action:
        case AddColumn(_, column):
            return f"{oid} IS NOT NULL AND NOT {_has_column(oid, column)}"
        case AlterColumn(_, _, wanted, aspects):
            return f"EXISTS ({_column(oid, wanted)} AND ({_differs(wanted, aspects)}))"
        case SetNotNull(_, name):
            return f"EXISTS ({_column(oid, Column(name, ''))} AND NOT a.attnotnull)"
        case AddConstraint(_, constraint):
            return f"NOT {has_constraint(oid, constraint)}"
        case ReplaceConstraint(_, _, constraint):
            return f"NOT {has_constraint(oid, constraint, as_printed=True)}"
        case ValidateConstraint(_, constraint):
            return f"EXISTS ({named(oid, constraint.name)} AND NOT k.convalidated)"
        case EnableConstraint(_, constraint):
            return (
                f"EXISTS ({named(oid, constraint.name)} AND (to_jsonb(k) ->> 'conenforced' = 'false' OR EXISTS"
                " (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))))"
            )
        case CreateIndex(_, index):
            return f"NOT {has_index(oid, index)}"
        case ReplaceIndex(_, _, index):
            return f"NOT {has_index(oid, index, as_printed=True)}"
        case RebuildIndex(_, index):
            own = oid_of(TableName(table.schema, index.name), target)
            return f"EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = {own} AND NOT i.indisvalid)"
        case MoveObject(used, to):
            astray = _is_in(used, literal(used.schema))
            return astray and f"{astray} AND NOT {_is_in(used, 'target' if to == target else literal(to))}"
        case _:
            return ""


def schema_of(table: TableName, target: str) -> str:
    """The table's schema as PL/pgSQL knows it: the variable ``target``, or a literal."""
    return "target" if table.schema == target else literal(table.schema)


def oid_of(table: TableName, target: str) -> str:
    """The table's ``regclass``, NULL where it is not there."""
    return f"to_regclass(format('%I.%I', {schema_of(table, target)}, {literal(table.name)}))"


def _column(oid: str, column: Column) -> str:
    return (
        "SELECT FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        f"WHERE a.attrelid = {oid} AND a.attname = {literal(column.name)} AND NOT a.attisdropped"
    )


def _has_column(oid: str, column: Column) -> str:
    return f"EXISTS ({_column(oid, column)})"


TYPE = r"""regexp_replace(format_type(a.atttypid, a.atttypmod), '^(\w+|"[^"]+")\.', '')"""
"""The type of the attribute ``a`` without its schema: in another environment an extension may lie elsewhere."""


def _differs(wanted: Column, aspects: Iterable[str]) -> str:
    conditions = {
        "type": f"{TYPE} <> {literal(wanted.bare_type)}",
        "nullability": f"a.attnotnull = {'true' if wanted.nullable else 'false'}",
        "default": "pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM "
        + (literal(wanted.default) if wanted.default is not None else "NULL"),
        "identity": f"a.attidentity::text <> {literal(wanted.identity)}",
    }
    return " OR ".join(conditions[aspect] for aspect in aspects if aspect in conditions) or "true"


def named(oid: str, name: str) -> str:
    """The query for a constraint ``k`` of that name."""
    return f"SELECT FROM pg_constraint k WHERE k.conrelid = {oid} AND k.conname = {literal(name)}"


def has_constraint(oid: str, constraint: Constraint, *, as_printed: bool = False) -> str:
    """Whether the table has a constraint of that definition, whatever its name.

    The columns of a unique one may stand in any order.
    """
    if constraint.kind is ConstraintKind.UNIQUE and constraint.columns and not as_printed:
        return f"EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = {oid} AND {_is_unique(constraint)})"
    same = _same("pg_get_constraintdef(k.oid)", constraint.definition or "", as_printed=as_printed)
    return f"EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = {oid} AND {same})"


def _is_unique(constraint: Constraint) -> str:
    """Whether ``k`` is unique over the same columns, and as it says but for them."""
    columns = f"ARRAY[{', '.join(map(literal, constraint.columns))}]::text[]"
    there = (
        "ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey))"
    )
    rest = re.sub(_COLUMNS, "", constraint.definition or "", count=1)
    return (
        f"{there} @> {columns} AND {there} <@ {columns}"
        f" AND regexp_replace(pg_get_constraintdef(k.oid), {literal(_COLUMNS)}, '') = {literal(rest)}"
    )


_COLUMNS = r"\([^)]*\)"


def _same(printed: str, definition: str, *, as_printed: bool) -> str:
    """``as_printed``: to the letter, where what differs is to be replaced; to make it again then does no harm."""
    if as_printed:
        without = re.sub(r"( NOT VALID| NOT ENFORCED)+$", "", definition)
        return f"regexp_replace({printed}, '( NOT VALID| NOT ENFORCED)+$', '') = {literal(without)}"
    return f"{_bare(printed)} = {_bare(literal(definition))}"


def _bare(definition: str) -> str:
    """A definition without what versions of PostgreSQL, or another place of an extension, let it print differently.

    That is parentheses, spaces, casts, NOT VALID, and schemas.
    """
    return f"regexp_replace({definition}, {literal(_PRINTED_OTHERWISE)}, '', 'g')"


_PRINTED_OTHERWISE = (
    r"NOT (VALID|ENFORCED)$|[\s()]|::(\w+\.)?("
    r"character varying|double precision|(timestamp|time) with(out)? time zone|\w+)(\(\d+\))?(\[\])?"
    r'|([a-zA-Z_]\w*|"[^"]+")\.(?=[\w"])'
)


def has_key(table: TableName, key: Constraint, target: str, *, alike: bool = False) -> str:
    """Whether the table has that foreign key, whatever its name; ``alike``: doing the same there."""
    return (
        f"EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = {oid_of(table, target)}\n"
        f"      AND {is_key(key, target, alike=alike)})"
    )


def is_key(key: Constraint, target: str, *, alike: bool) -> str:
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
        f"k.confrelid IS NOT DISTINCT FROM {oid_of(to.table, target)}\n"
        f"{does if alike else ''}"
        "      AND ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS x(attnum, position)\n"
        "        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum ORDER BY x.position)\n"
        f"      = ARRAY[{columns}]::text[]"
    )


def has_index(oid: str, index: Index, *, as_printed: bool = False) -> str:
    """Whether the table has a valid index of that definition, whatever its name."""
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

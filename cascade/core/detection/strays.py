"""Strays: what the project's tables use, left in a schema where it does not belong."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.detection.comparison import Comparison, about
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Table, TableName, UsedObject, quoted
from cascade.core.placement import Standing, judge_copy

SHOWN = 10
"""Users of one object that are listed."""

_Users = list[tuple[ExpectedTable, Table, UsedObject]]


def detect_strays(both: Comparison) -> Iterator[Drift]:
    """Types, functions, extensions and the like that a table uses and that lie astray: one finding for each.

    A place is astray where tables have strayed too: the run that left them there left the object. What queries look
    up by name, and a table's own sequences and statistics, are astray also where the application role does not look
    and no table of the project belongs. An
    extension on purpose in a schema of its own that is on the search_path is therefore none, neither is the function
    of a trigger in a schema where only triggers look, nor what only others' tables use.
    """
    homes = {name.schema for name in both.expected.tables} | {both.placement.target}
    astray: dict[tuple[str, bool], str] = {}
    users: dict[str, _Users] = {}
    for name, expected in both.expected.tables.items():
        found = both.found(name)
        for used in found.uses if found else ():
            place = (used.schema, _is_looked_up(used))
            if place not in astray:
                astray[place] = _why_astray(*place, homes, both)
            if found and astray[place] and used.schema != name.schema:
                users.setdefault(_identity(used), []).append((expected, found, used))
    for identity, using in sorted(users.items()):
        used = using[0][2]
        yield _stray(identity, using, astray[used.schema, _is_looked_up(used)], both)


def _is_looked_up(used: UsedObject) -> bool:
    """Whether it has to be where the table is, or where names are looked up.

    Queries look up types by name, and the operators and functions of an extension. A sequence or a statistics object
    is the table's own. Any other function may lie where its author likes: a trigger, a default, a check, a generated
    column or an index holds its OID (``pg_trigger.tgfoid``; trees of expressions, ``pg_node_tree``), and no
    search_path is asked when it runs.
    """
    return used.extension is not None or used.kind in ("type", "domain", "sequence", "statistics")


def _why_astray(schema: str, is_looked_up: bool, homes: set[str], both: Comparison) -> str:
    """Why what lies there should not, empty where that is in order."""
    if schema == both.placement.target:
        return ""
    strayed = [*_strayed_to(schema, both)]
    if strayed:
        more = f" and {len(strayed) - 1} more" if len(strayed) > 1 else ""
        return f"{strayed[0]}{more} strayed to {quoted(schema)} too"
    if is_looked_up and schema not in homes and schema not in both.placement.path.effective:
        return f"{quoted(schema)} is not on the search_path of {quoted(both.placement.role)}"
    return ""


def _strayed_to(schema: str, both: Comparison) -> Iterator[TableName]:
    """The tables in that schema which stand for, or are stray copies of, one that belongs elsewhere."""
    for name, expected in both.expected.tables.items():
        copy = both.observed.layout.tables.get(TableName(schema, name.name))
        if copy is None or copy.name in both.expected.tables or copy.extension or not copy.kind.holds_rows:
            continue
        found = both.found(name)
        if copy is found or judge_copy(copy, expected, both.observed, both.expected).standing is Standing.STRAY:
            yield copy.name


def _identity(used: UsedObject) -> str:
    """What a finding is about: the extension as a whole, for it moves as one; else the object."""
    if used.extension:
        return f"extension {quoted(used.extension)}"
    return f"{used.kind} {quoted(used.schema)}.{used.name}"


def _stray(identity: str, using: _Users, why: str, both: Comparison) -> Drift:
    expected, _, used = using[0]
    uses = sorted({f"{table.name}: {one.used_by}" for _, table, one in using})
    more = (f"and {len(uses) - SHOWN} more uses",) if len(uses) > SHOWN else ()
    return replace(
        about(expected, DriftKind.STRAY_OBJECT),
        object=identity,
        there=used,
        observed=f"in {quoted(used.schema)}",
        evidence=(f"{identity} is in {quoted(used.schema)}; {why}", *uses[:SHOWN], *more),
        query=_query(used),
        undecided=_why_no_step(used, identity, both),
    )


def _why_no_step(used: UsedObject, identity: str, both: Comparison) -> str:
    """Why it is left to a person, empty where it can be moved along."""
    if others := _other_users(identity, both):
        return f"{others[0]} uses it too, and belongs to somebody else"
    extension = next((one for one in both.observed.extensions if one.name == used.extension), None)
    if extension is None or extension.held_by is None:
        return ""
    role, holder = quoted(both.observed.connected_as), quoted(extension.held_by)
    return (
        f"{role} owns the extension, and {holder} what it consists of: a superuser has to run "
        f"ALTER EXTENSION {quoted(extension.name)} SET SCHEMA {quoted(both.placement.target)}"
    )


def _other_users(identity: str, both: Comparison) -> list[TableName]:
    """Tables that no migration of ours accounts for and that use it."""
    return [
        table.name
        for table in both.observed.layout.tables.values()
        if table.name not in both.place_of and any(_identity(used) == identity for used in table.uses)
    ]


def _query(used: UsedObject) -> str:
    """What shows where the object is and, where PostgreSQL has a word for its kind, what needs it."""
    if used.extension:
        return (
            f"SELECT extname, extnamespace::regnamespace FROM pg_extension WHERE extname = {_literal(used.extension)};"
        )
    if used.kind in _NAMESPACES:
        catalog, namespace = _NAMESPACES[used.kind]
        return f"SELECT * FROM {catalog} WHERE {namespace} = {_literal(quoted(used.schema))}::regnamespace;"
    catalog, alias = _ALIASES[used.kind]
    return (
        "SELECT pg_describe_object(classid, objid, objsubid) AS used_by FROM pg_depend "
        f"WHERE refclassid = '{catalog}'::regclass "
        f"AND refobjid = {_literal(f'{quoted(used.schema)}.{used.name}')}::{alias};"
    )


_ALIASES = {
    "type": ("pg_type", "regtype"),
    "domain": ("pg_type", "regtype"),
    "function": ("pg_proc", "regprocedure"),
    "collation": ("pg_collation", "regcollation"),
    "sequence": ("pg_class", "regclass"),
    "text search configuration": ("pg_ts_config", "regconfig"),
    "text search dictionary": ("pg_ts_dict", "regdictionary"),
}
"""Catalog and object identifier type (PostgreSQL, 8.19) of each kind that has one."""

_NAMESPACES = {
    "operator": ("pg_operator", "oprnamespace"),
    "operator class": ("pg_opclass", "opcnamespace"),
    "statistics": ("pg_statistic_ext", "stxnamespace"),
}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

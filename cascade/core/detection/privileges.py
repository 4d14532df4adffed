"""Privileges: a table whose owner or grants are not those that its neighbours have, or that are given by default."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from cascade.core.detection.comparison import Comparison, about
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind
from cascade.core.layout import Grant, Table, TableName, quoted

ENOUGH = 3
"""Neighbours that must agree before what they have in common says anything."""


Due = Mapping[TableName, Sequence[tuple[Grant, str]]]
"""By table the rights that it lacks, each with why it should have it."""


def due_rights(both: Comparison) -> Due:
    """The rights that tables lack, of the application role and of others.

    Neighbours are the other tables of the app that are in their place. What at least three of them have, all
    of them, and what default privileges give, is due; a default privilege is not where more than half of them lack
    it, for then it came later (an app with fewer than three is compared with all tables of that schema for this).
    What a table has beyond that was given on purpose.

    The application role is judged by what it may do, however it came by that: it may be a superuser, a member of
    the owner, or served by a grant to PUBLIC. A table that it may not read is no witness of its rights; that table is
    due SELECT, and what the role may do with every table beside it that it reads.

    What is due to one table may be what makes its neighbours agree, so they are judged again as they will be: once all
    of it is given, nothing more is due.
    """
    found = {name: both.found(name) for name in both.expected.tables}
    tables = {name: table for name, table in found.items() if table is not None and table.read_in_full}
    due: dict[TableName, list[tuple[Grant, str]]] = {}
    while more := dict(_lacking(tables, both)):
        for name, rights in more.items():
            due.setdefault(name, []).extend(rights)
            tables[name] = _given(tables[name], (grant for grant, _ in rights), both.placement.role)
    return due


def detect_privileges(both: Comparison, due: Due) -> Iterator[Drift]:
    """Owners and grants that only one table lacks: one finding for each table.

    Where the application role lacks SELECT, that is ``unreachable_table``, whose grant gives it the other rights too:
    they are not told twice. A misplaced table is judged by what it carries along: grants move with a table, default
    privileges do not.
    """
    by_app = _by_app(_in_place(both), both)
    for name, expected in both.expected.tables.items():
        found = both.found(name)
        if found is None or not found.read_in_full:
            continue
        neighbours = [table for table in by_app.get(expected.app, ()) if table.name != found.name]
        told_apart = "" if found.rights.select else both.placement.role
        lacking = [(grant, why) for grant, why in due.get(name, ()) if not told_apart or grant.role != told_apart]
        yield from _compare(expected, found, neighbours, lacking)


def _lacking(
    tables: Mapping[TableName, Table], both: Comparison
) -> Iterator[tuple[TableName, list[tuple[Grant, str]]]]:
    """What each of these tables lacks, beside the others as they are."""
    in_place = {name: table for name, table in tables.items() if table.name == name}
    by_app = _by_app(in_place, both)
    granted = {app: frozenset(grant for table in tables for grant in table.grants) for app, tables in by_app.items()}
    for name, found in tables.items():
        expected = both.expected.tables[name]
        neighbours = [table for table in by_app.get(expected.app, ()) if table.name != found.name]
        witnesses = neighbours
        if len(neighbours) < ENOUGH:
            witnesses = [t for t in in_place.values() if t.name.schema == name.schema and t.name != found.name]
        absent = granted.get(expected.app, frozenset()).difference(found.grants)
        lacking = [*_lacking_rights(expected, found, neighbours, witnesses, both)]
        lacking += _lacking_grants(absent, expected, found, neighbours, witnesses, both)
        if lacking:
            yield name, lacking


def _given(table: Table, grants: Iterable[Grant], role: str) -> Table:
    """The table once these are given."""
    given = frozenset(grants)
    rights = {_RIGHT_OF.get(grant.privilege, ""): True for grant in given if grant.role == role}
    others = (grant for grant in given if grant.role != role)
    return replace(
        table,
        rights=replace(table.rights, **{right: True for right in rights if right}),
        grants=tuple(sorted({*table.grants, *others})),
    )


_RIGHT_OF = {
    "SELECT": "select",
    "INSERT": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
    "USAGE": "sequences",
}


def _by_app(in_place: Mapping[TableName, Table], both: Comparison) -> Mapping[str, list[Table]]:
    by_app: dict[str, list[Table]] = {}
    for name, table in in_place.items():
        by_app.setdefault(both.expected.tables[name].app, []).append(table)
    return by_app


def _in_place(both: Comparison) -> Mapping[TableName, Table]:
    tables = {name: both.found(name) for name in both.expected.tables}
    return {name: table for name, table in tables.items() if table and table.name == name and table.read_in_full}


def _compare(
    expected: ExpectedTable,
    found: Table,
    neighbours: Sequence[Table],
    lacking: Sequence[tuple[Grant, str]],
) -> Iterator[Drift]:
    owner = _usual_owner(neighbours)
    other_owner = owner if owner != found.owner else ""
    if not other_owner and not lacking:
        return
    due = ([f"owned by {quoted(other_owner)}"] if other_owner else []) + [_in_words(grant) for grant, _ in lacking]
    has = [f"owned by {quoted(found.owner)}"] if other_owner else []
    has += ["lacks " + ", ".join(_in_words(grant) for grant, _ in lacking)] if lacking else []
    evidence = [f"its {len(neighbours)} neighbours are all owned by {quoted(other_owner)}"] if other_owner else []
    compared = [found.name, *(table.name for table in neighbours[:ENOUGH])]
    yield replace(
        about(expected, DriftKind.DIFFERENT_PRIVILEGES),
        aspects=(("owner",) if other_owner else ()) + (("grants",) if lacking else ()),
        owner=found.owner if other_owner else "",
        due_owner=other_owner,
        lacking=tuple(grant for grant, _ in lacking),
        expected=", ".join(due),
        observed="; ".join(has),
        evidence=(*evidence, *_in_groups(lacking)),
        query="SELECT oid::regclass, pg_get_userbyid(relowner) AS owner, relacl FROM pg_class WHERE oid IN ("
        + ", ".join("'" + str(name).replace("'", "''") + "'::regclass" for name in compared)
        + ");",
    )


def _usual_owner(neighbours: Sequence[Table]) -> str:
    """The owner that all neighbours have, empty where they are too few or disagree."""
    owners = {table.owner for table in neighbours}
    return owners.pop() if len(neighbours) >= ENOUGH and len(owners) == 1 else ""


def _lacking_rights(
    expected: ExpectedTable, found: Table, neighbours: Sequence[Table], witnesses: Sequence[Table], both: Comparison
) -> Iterator[tuple[Grant, str]]:
    """What the application role may not do, each with why it should."""
    role = both.placement.role
    schema = both.observed.schema(expected.name.schema)
    defaults = schema.default_rights if schema else frozenset()
    near, far = ([t for t in tables if t.rights.select] for tables in (neighbours, witnesses))
    beside = near if len(near) >= ENOUGH else far
    if not found.rights.select:
        yield Grant(role, "SELECT"), "requests need"
    for right in ("insert", "update", "delete", "sequences"):
        has = partial(_has_right, right=right)
        if has(found):
            continue
        why = _why_due(has, right in defaults, near, far)
        if not why and not found.rights.select and all(has(table) for table in beside):
            why = "what it reads beside has"
        if why:
            yield Grant(role, "USAGE" if right == "sequences" else right.upper()), why


def _has_right(table: Table, right: str) -> bool:
    return bool(getattr(table.rights, right))


def _lacking_grants(
    absent: frozenset[Grant],
    expected: ExpectedTable,
    found: Table,
    neighbours: Sequence[Table],
    witnesses: Sequence[Table],
    both: Comparison,
) -> Iterator[tuple[Grant, str]]:
    """The grants to other roles that are due, each with why. ``absent`` are those that some neighbour has."""
    schema = both.observed.schema(expected.name.schema)
    defaults = frozenset(schema.default_grants) if schema else frozenset()
    for grant in sorted(absent | defaults.difference(found.grants)):
        has = partial(_has_grant, grant=grant)
        if grant.role != both.placement.role and not has(found):
            why = _why_due(has, grant in defaults, neighbours, witnesses)
            if why:
                yield grant, why


def _has_grant(table: Table, grant: Grant) -> bool:
    """Given to the role, to PUBLIC, or the owner's by nature."""
    return grant.role == table.owner or grant in table.grants or Grant("", grant.privilege) in table.grants


def _why_due(
    has: Callable[[Table], bool], by_default: bool, neighbours: Sequence[Table], witnesses: Sequence[Table]
) -> str:
    """Why a table should have this, empty where nothing says so."""
    if len(neighbours) >= ENOUGH and all(has(table) for table in neighbours):
        return f"its {len(neighbours)} neighbours all have"
    if by_default and 2 * sum(not has(table) for table in witnesses) <= len(witnesses):
        return "default privileges give"
    return ""


def _in_words(grant: Grant) -> str:
    right = "USAGE on its sequences" if grant.privilege == "USAGE" else grant.privilege
    return f"{right} for {quoted(grant.role) if grant.role else 'PUBLIC'}"


def _in_groups(lacking: Iterable[tuple[Grant, str]]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for grant, why in lacking:
        reasons.setdefault(why, []).append(_in_words(grant))
    return (f"{why} {', '.join(grants)}" for why, grants in reasons.items())

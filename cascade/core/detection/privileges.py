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


def detect_privileges(both: Comparison) -> Iterator[Drift]:
    """Owners and grants that only one table lacks: one finding for each table.

    Neighbours are the other tables of the app that are in their place. What at least three of them have, all
    of them, and what default privileges give, is due; a default privilege is not where more than half of them lack
    it, for then it came later (an app with fewer than three is compared with all tables of that schema for this).
    What a table has beyond that was given on purpose.

    The application role is judged by what it may do, however it came by that: it may be a superuser, a member of
    the owner, or served by a grant to PUBLIC. Where it lacks SELECT, that is ``unreachable_table``, whose grant gives
    it the other rights too: they are not told twice. A misplaced table is judged by what it carries along: grants
    move with a table, default privileges do not.
    """
    in_place = _in_place(both)
    by_app: dict[str, list[Table]] = {}
    for name, table in in_place.items():
        by_app.setdefault(both.expected.tables[name].app, []).append(table)
    granted = {app: frozenset(grant for table in tables for grant in table.grants) for app, tables in by_app.items()}
    for name, expected in both.expected.tables.items():
        found = both.found(name)
        if found is None or not found.read_in_full:
            continue
        neighbours = [table for table in by_app.get(expected.app, ()) if table.name != found.name]
        witnesses = neighbours
        if len(neighbours) < ENOUGH:
            witnesses = [t for t in in_place.values() if t.name.schema == name.schema and t.name != found.name]
        absent = granted.get(expected.app, frozenset()).difference(found.grants)
        yield from _compare(expected, found, neighbours, witnesses, absent, both)


def _in_place(both: Comparison) -> Mapping[TableName, Table]:
    tables = {name: both.found(name) for name in both.expected.tables}
    return {name: table for name, table in tables.items() if table and table.name == name and table.read_in_full}


def _compare(
    expected: ExpectedTable,
    found: Table,
    neighbours: Sequence[Table],
    witnesses: Sequence[Table],
    absent: frozenset[Grant],
    both: Comparison,
) -> Iterator[Drift]:
    owner = _usual_owner(neighbours)
    other_owner = owner if owner != found.owner else ""
    lacking = [*_lacking_rights(expected, found, neighbours, witnesses, both)]
    lacking += _lacking_grants(absent, expected, found, neighbours, witnesses, both)
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
    if not found.rights.select:
        return
    schema = both.observed.schema(expected.name.schema)
    defaults = schema.default_rights if schema else frozenset()
    for right in ("insert", "update", "delete", "sequences"):
        has = partial(_has_right, right=right)
        if not has(found):
            why = _why_due(has, right in defaults, neighbours, witnesses)
            if why:
                yield Grant(both.placement.role, "USAGE" if right == "sequences" else right.upper()), why


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

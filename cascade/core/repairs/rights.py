"""Rights: the owner, USAGE on a schema, privileges on tables and sequences."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cascade.core.actions import GrantSequence, GrantTable, GrantUsage, SetOwner
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.layout import Grant, Rights, Table, TableName, quoted
from cascade.core.plan import Lock, LockMode
from cascade.core.repairs.constraints import part_repair
from cascade.core.repairs.repair import LeftOut, Repair, makers_of, order_of, step_id
from cascade.core.repairs.sides import Sides


def grant_rights(sides: Sides, left_out: LeftOut) -> Iterator[Repair]:
    """USAGE once for each schema that lacks it, and the privileges that each table lacks."""
    schemas: dict[str, list[Drift]] = {}
    for drift in sides.drifts:
        if drift.kind is not DriftKind.UNREACHABLE_TABLE or drift.undecided or drift.table is None:
            continue
        if _lacks_usage(drift.table.schema, sides):
            schemas.setdefault(drift.table.schema, []).append(drift)
        yield from _give_what_is_needed(drift.table, drift, sides)
    for schema, drifts in sorted(schemas.items()):
        yield _grant_usage(schema, drifts, sides)
    yield from _grant_created(sides)
    for drift in sides.decided(DriftKind.DIFFERENT_PRIVILEGES):
        yield from _give_what_is_due(drift, sides)


def _give_what_is_needed(table: TableName, drift: Drift, sides: Sides) -> Iterator[Repair]:
    """What the application role lacks on a table that it cannot read."""
    lacking = {grant.privilege for grant in drift.lacking}
    privileges = tuple(right.upper() for right in _PRIVILEGES if right.upper() in lacking)
    if privileges:
        yield _grant_table(table, drift, privileges, sides)
    found = sides.found(table)
    if "USAGE" in lacking and found is not None:
        yield from _grant_sequences(drift, sides.application_role, table, found, sides, ())


def _give_what_is_due(drift: Drift, sides: Sides) -> Iterator[Repair]:
    """The owner that all neighbours have, and what each role lacks."""
    table = drift.table
    found = sides.found(table) if table else None
    if table is None or found is None:
        return
    if drift.due_owner:
        locks = (Lock(table, LockMode.ACCESS_EXCLUSIVE, healthy=False),)
        yield part_repair(SetOwner(table, drift.due_owner, drift.owner), drift, "", sides, locks=locks)
    # A grant is given by the owner, so the new one gives it.
    after = (step_id(SetOwner, table),) if drift.due_owner else ()
    for role in sorted({grant.role for grant in drift.lacking}):
        privileges = tuple(g.privilege for g in drift.lacking if g.role == role and g.privilege != "USAGE")
        if privileges:
            yield part_repair(GrantTable(table, privileges, role), drift, role or "PUBLIC", sides, waits_for=after)
        if Grant(role, "USAGE") in drift.lacking:
            yield from _grant_sequences(drift, role, table, found, sides, after)


def _grant_sequences(
    drift: Drift, role: str, table: TableName, found: Table, sides: Sides, after: tuple[str, ...]
) -> Iterator[Repair]:
    for sequence in _sequences_of(found, table):
        action = GrantSequence(table, sequence, ("USAGE", "SELECT"), role)
        yield part_repair(action, drift, f"{sequence.name}.{role or 'PUBLIC'}", sides, waits_for=after)


def _sequences_of(found: Table, place: TableName) -> list[TableName]:
    """The sequences that its columns draw from by default, where they lie once the table is in its place."""
    owned = [c.sequence.name for c in found.columns if c.sequence is not None and not c.identity]
    return [TableName(place.schema, name.name) if name.schema == found.name.schema else name for name in owned]


def _grant_created(sides: Sides) -> Iterator[Repair]:
    """What the role would lack on each new table: what requests need to read it at all, with what else the tables
    beside it allow; and where it can be read by default, as far as at least three of them all agree.
    """
    if sides.default_rights is None:
        return
    for name in sorted(sides.created):
        beside = _rights_beside(name, sides)
        given = sides.default_rights.get(name.schema, frozenset())
        # What the role cannot even read gets a step of its own, with all that it is to have.
        is_due = "select" not in given or len(beside) >= 3
        agreed = [right for right in _PRIVILEGES if is_due and all(_will_have(r, right) for r in beside)]
        lacking = tuple(right.upper() for right in agreed if right not in given)
        drift = next(d for d in sides.drifts if d.kind is DriftKind.MISSING_TABLE and d.table == name)
        if lacking:
            yield _grant_table(name, drift, lacking, sides)


def _will_have(rights: Rights, right: str) -> bool:
    return bool(getattr(rights, right)) or not rights.select


def _will_be(name: TableName, rights: Rights, sides: Sides) -> Rights:
    """The rights of the application role once it is given what it is due."""
    due = {
        grant.privilege.lower()
        for kind in (DriftKind.UNREACHABLE_TABLE, DriftKind.DIFFERENT_PRIVILEGES)
        for drift in sides.decided(kind)
        for grant in drift.lacking
        if drift.table == name and grant.role == sides.application_role
    }
    return replace(rights, **{right: True for right in _PRIVILEGES if right in due})


def _rights_beside(name: TableName, sides: Sides) -> list[Rights]:
    """What the role may do with the other tables of the app, or of the schema where the app has too few."""
    app = sides.expected.tables[name].app
    others = [
        (expected.app, _will_be(other, table.rights, sides))
        for other, expected in sides.expected.tables.items()
        for table in (sides.found(other),)
        if table is not None and table.read_in_full and other.schema == name.schema
    ]
    of_the_app = [rights for of, rights in others if of == app]
    return of_the_app if len(of_the_app) >= 3 else [rights for _, rights in others]


def _lacks_usage(schema: str, sides: Sides) -> bool:
    return any(
        not table.rights.usage
        for table in sides.observed.tables.values()
        if table.name.schema == schema and table.read_in_full
    )


_PRIVILEGES = ("select", "insert", "update", "delete")


def _grant_table(name: TableName, drift: Drift, privileges: tuple[str, ...], sides: Sides) -> Repair:
    return Repair(
        id=f"grant_table:{name}",
        action=GrantTable(name, privileges, sides.application_role),
        table=name,
        object="",
        cures=(drift.id,),
        waits_for=tuple(sorted(makers_of(name, (), sides))),
        hazards=(),
        locks=(),
        order=order_of(sides.expected.tables[name], GrantTable, name),
    )


def _grant_usage(schema: str, drifts: Iterable[Drift], sides: Sides) -> Repair:
    order, table = min(
        (order_of(sides.expected.tables[d.table], GrantUsage, d.table), d.table) for d in drifts if d.table
    )
    return Repair(
        id=f"grant_usage:{quoted(schema)}",
        action=GrantUsage(schema, sides.application_role),
        table=table,
        object=schema,
        cures=tuple(sorted(drift.id for drift in drifts)),
        waits_for=(),
        hazards=(),
        locks=(),
        order=order,
    )

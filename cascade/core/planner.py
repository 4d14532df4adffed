"""The plan: from drifts to steps, in an order that history proves and PostgreSQL accepts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cascade.core.actions import Phase, phase_of
from cascade.core.decisions import Decisions
from cascade.core.drift import Drift, worst_first
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind, Severity
from cascade.core.graph import KeyGraph, build_graph, connected_groups, generations, repair_order
from cascade.core.layout import Layout, RowEvidence, TableName
from cascade.core.plan import Chain, Plan, Step
from cascade.core.repairs import LeftOut, Repair, Sides, Surroundings, decide_repairs, make_repairs
from cascade.core.scope import EVERYTHING, split_by_scope
from cascade.core.scope import Scope as Scope


def make_plan(
    expected: ExpectedLayout,
    observed: Layout,
    drifts: Iterable[Drift],
    *,
    application_role: str,
    scope: Scope = EVERYTHING,
    default_rights: Mapping[str, frozenset[str]] | None = None,
    violations: Mapping[tuple[TableName, str], RowEvidence] | None = None,
    decisions: Decisions = Decisions(),
    attic: str = "cascade_attic",
    surroundings: Surroundings = Surroundings(),
    to_come: Iterable[Drift] = (),
) -> Plan:
    """The steps that cure the drifts in scope, each after what it waits for, else in the order of history.

    A drift that can have no step says why in ``undecided``; what is left out of a repair is said in its evidence.
    ``default_rights`` are what the application role gets on a new table of each schema: what it lacks then, and
    has on all tables beside it, is granted. ``violations`` are the rows that break a rule which is not in force yet,
    by table and constraint or column; ``attic`` is the schema for what is put aside, ``surroundings`` what hazards
    come from, and ``to_come`` the drifts that come to light when copies of a table are settled: they are repaired in
    the same plan, and told as the finding on the copies.

    Equal inputs give equal plans, in whatever order they come. Each prefix of the steps is valid SQL and leaves the
    database no worse than before.
    """
    drifts = tuple(sorted(drifts, key=worst_first))
    if scope.is_everything and all(drift.severity is Severity.NOTE for drift in drifts):
        return Plan(drifts, (), ())  # nothing to order, so no graph is needed
    graph = build_graph(table.table for table in expected.tables.values())
    inside, left_out = split_by_scope(drifts, scope, graph)
    copies = {d.table: d.id for d in inside if d.kind in (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE)}
    coming = tuple(drift for drift in to_come if drift.settled_with in copies)
    drifted = frozenset(d.table for d in (*drifts, *coming) if d.table is not None and d.severity is not Severity.NOTE)
    sides = decide_repairs(
        Sides(
            expected,
            observed,
            (*(drift for drift in inside if drift.settled_with is None), *coming),
            drifted,
            application_role,
            default_rights,
            violations=violations or {},
            decisions=decisions,
            attic=attic,
            surroundings=surroundings,
            going=tuple(drift for drift in inside if drift.settled_with is not None),
        )
    )
    left_over = LeftOut()
    repairs = list(make_repairs(sides, left_over))
    told = {drift.id for drift in inside}
    told_as = {d.id: copies[d.settled_with] for d in sides.drifts if d.settled_with in copies and d.id not in told}
    for drift in sides.drifts:
        if drift.settled_with in sides.exchanged and drift.undecided:
            left_over.note([drift.id], f"{drift.id} comes with it: {drift.undecided}", surfaces=drift.id)
    steps = tuple(_in_order(replace(r, cures=_told(r.cures, told_as)) for r in repairs))
    shown = tuple(sorted((*_not_to_come(sides), *_going(sides)), key=worst_first))
    return Plan(
        drifts=tuple(left_over.noted(drift, told_as) for drift in shown),
        steps=steps,
        chains=_chains(shown, steps, expected, graph),
        left_out=left_out,
        scope=str(scope),
        without=tuple(left_over.steps),
        surfacing=tuple(sorted(left_over.surfacing)),
    )


def _told(cures: Iterable[str], told_as: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of what a step cures, what is not wrong yet told as the finding that it comes with."""
    return tuple(dict.fromkeys(told_as.get(cure, cure) for cure in cures))


def _not_to_come(sides: Sides) -> Iterator[Drift]:
    return (drift for drift in sides.drifts if drift.settled_with is None)


def _going(sides: Sides) -> Iterator[Drift]:
    """The drifts that go when the copies are settled; where those stay, so do they."""
    for drift in sides.going:
        if drift.settled_with in sides.exchanged:
            yield drift
        else:
            yield replace(drift, undecided=f"it waits for the copies of {drift.settled_with}")


def _in_order(repairs: Iterable[Repair]) -> Iterator[Step]:
    by_id = {repair.id: repair for repair in repairs}
    waits_for = {id_: repair.waits_for for id_, repair in by_id.items()}
    waves = {id_: wave for wave, ids in enumerate(generations(waits_for), start=1) for id_ in ids}
    phases = _phases(by_id, waves)
    order = repair_order(
        waits_for, order={id_: (phases[id_].rank, _hinders_others(r), r.order) for id_, r in by_id.items()}
    )
    for position, id_ in enumerate(order, start=1):
        repair = by_id[id_]
        yield Step(
            id=id_,
            action=repair.action,
            table=repair.table,
            object=repair.object,
            cures=repair.cures,
            waits_for=repair.waits_for,
            hazards=repair.hazards,
            locks=repair.locks,
            position=position,
            wave=waves[id_],
            phase=phases[id_],
        )


def _hinders_others(repair: Repair) -> bool:
    """Whether users of tables without drift wait for it: such steps come late, so that they wait as short as can be."""
    return any(lock.healthy and lock.mode.blocks_writers for lock in repair.locks)


def _phases(repairs: Mapping[str, Repair], waves: Mapping[str, int]) -> Mapping[str, Phase]:
    """How each repair runs: what waits for a later phase comes after the one transaction, too."""
    phases: dict[str, Phase] = {}
    for id_ in sorted(repairs, key=lambda id_: waves[id_]):
        own = phase_of(repairs[id_].action)
        is_late = any(phases[earlier] is not Phase.TRANSACTION for earlier in repairs[id_].waits_for)
        phases[id_] = Phase.AFTER if is_late and own is Phase.TRANSACTION else own
    return phases


# --------------------------------------------------------------------------------------------------------- the cascade


def _chains(
    drifts: Iterable[Drift], steps: Iterable[Step], expected: ExpectedLayout, graph: KeyGraph
) -> tuple[Chain, ...]:
    """One chain for each group of failing tables that keys connect: what fails next once the first is repaired."""
    failing = _in_plan_order([drift for drift in drifts if _fails(drift, expected)], steps, expected)
    members: dict[TableName, list[int]] = {}
    for position, drift in enumerate(failing):
        if drift.table is not None:
            members.setdefault(drift.table, []).append(position)
    chains = []
    for group in connected_groups(graph, members, order=members.__getitem__):
        positions = sorted(position for table in group for position in members[table])
        objects = tuple(dict.fromkeys(object_in_chains(failing[position], expected) for position in positions))
        chains.append(Chain(objects[0], "static", objects))
    return tuple(chains)


def _in_plan_order(drifts: Iterable[Drift], steps: Iterable[Step], expected: ExpectedLayout) -> list[Drift]:
    """The drifts by the first step that cures each; one without a step stands where history puts it."""
    cured_at = {cured: step.position for step in reversed(tuple(steps)) for cured in step.cures}
    found: list[tuple[int, int, Drift]] = []
    latest = 0
    for drift in sorted(drifts, key=lambda drift: _place(drift, expected)):
        latest = max(latest, cured_at.get(drift.id, 0))
        found.append((cured_at.get(drift.id, latest), len(found), drift))
    return [drift for _, _, drift in sorted(found, key=lambda entry: entry[:2])]


def _fails(drift: Drift, expected: ExpectedLayout) -> bool:
    could = drift.kind is DriftKind.MISPLACED_TABLE and drift.severity is Severity.RISKY
    if drift.is_off_the_path:
        return False  # one setting makes all of them fail, and none after another
    return drift.table in expected.tables and (drift.severity is Severity.BROKEN or could)


def _place(drift: Drift, expected: ExpectedLayout) -> tuple[object, ...]:
    """Where the drift stands in history."""
    assert drift.table is not None, "a drift of no table cannot fail"
    table = expected.tables[drift.table]
    made_by = table.column_made_by.get(drift.object, table.made_by)
    return (made_by.order, table.state_position, drift.object != "", drift.table, drift.object)


def object_in_chains(drift: Drift, expected: ExpectedLayout) -> str:
    """The table by its bare name, unless two are expected by that name, and the column if it is one."""
    assert drift.table is not None, "a drift of no table is no object"
    namesakes = [name for name in expected.tables if name.name == drift.table.name]
    table = drift.table.name if len(namesakes) == 1 else str(drift.table)
    return f"{table}.{drift.object}" if drift.object else table

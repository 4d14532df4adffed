"""What a person wants done without: steps left out of a plan, with those that need them."""

from collections.abc import Collection, Iterable

from cascade.core.actions import (
    AddConstraint,
    AddForeignKey,
    CreateIndex,
    CreateSchema,
    GrantSequence,
    GrantTable,
    GrantUsage,
    SetOwner,
    ValidateConstraint,
    action_name,
)
from cascade.core.drift import drift_id
from cascade.core.findings import DriftKind
from cascade.core.meanwhile import is_beside
from cascade.core.repairs.repair import LeftOut, Repair


def without(repairs: Iterable[Repair], unwanted: Collection[str], left_out: LeftOut) -> list[Repair]:
    """The repairs but for those that ``unwanted`` names by id or by action, and those that wait for one of them.

    What goes is noted in ``left_out``, with the drifts that stay or come to light without it.
    """
    kept = list(repairs)
    gone = {r.id: "as decided" for r in kept if r.id in unwanted or action_name(type(r.action)) in unwanted}
    while late := {r.id: n for r in kept if r.id not in gone for n in r.waits_for if n in gone}:
        gone |= {id_: f"it needs {needed}" for id_, needed in late.items()}
    used = {needed for r in kept if r.id not in gone for needed in r.waits_for}
    idle = [(r.id, why) for r in kept if r.id not in {*used, *gone} and (why := _idle_alone(r))]
    gone |= dict(idle)
    for repair in kept:
        if repair.id in gone:
            left_out.steps.append(repair.id)
            left_out.note(repair.cures, f"{repair.id} is left out: {gone[repair.id]}")
            left_out.surfacing.update(repair.cures, _seen_without(repair))
    return [repair for repair in kept if repair.id not in gone]


def _idle_alone(repair: Repair) -> str:
    """Why the repair does nothing for anybody without those that wait for it, ``""`` where it does."""
    match repair.action:
        case CreateSchema():
            return "nothing goes into it"
        case CreateIndex(index=index) if is_beside(index):
            return "no constraint takes it over"
        case _:
            return ""


def _seen_without(repair: Repair) -> list[str]:
    """The drifts that show where others of the same repair run and this one does not."""
    match repair.action:
        case AddForeignKey(table, constraint) | AddConstraint(table, constraint):
            return [drift_id(DriftKind.MISSING_CONSTRAINT, table, constraint.name)]
        case ValidateConstraint(table, constraint):
            return [drift_id(DriftKind.NOT_VALIDATED_CONSTRAINT, table, constraint.name)]
        case CreateIndex(table, index):
            return [drift_id(DriftKind.MISSING_INDEX, table, index.name)]
        case GrantTable() | GrantSequence() | SetOwner():
            kinds = (DriftKind.DIFFERENT_PRIVILEGES, DriftKind.UNREACHABLE_TABLE)
            return [drift_id(kind, repair.table) for kind in kinds]
        case GrantUsage():
            return list(repair.cures)
        case _:
            return []

"""The exact cascade: what failed in which order when each probe was repaired on its way."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.plan import Chain, Plan
from cascade.core.planner import object_in_chains
from cascade.core.probes import ProbeKind, ProbeRun


def with_exact_chains(plan: Plan, runs: Iterable[ProbeRun], expected: ExpectedLayout) -> Plan:
    """The plan with one exact chain for each probe that met a failure, before the static ones."""
    exact = []
    for run in runs:
        objects = tuple(object_in_chains(drift, expected) for drift in met(run))
        if objects and run.probe.kind is not ProbeKind.MODEL:
            exact.append(Chain(objects[0], "exact", objects, str(run.probe)))
    return replace(plan, chains=(*exact, *(chain for chain in plan.chains if chain.source != "exact")))


def met(run: ProbeRun) -> tuple[Drift, ...]:
    """The drifts that the probe met, in order: those that were repaired on the way, then one that could not be."""
    return tuple(dict.fromkeys((*run.cured, *run.drifts)))


def blast_radius(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """By object, in the order of the static chains, the probes that it breaks; none where no probe met it."""
    static = [name for chain in plan.chains if chain.source != "exact" for name in chain.objects]
    exact = [chain for chain in plan.chains if chain.source == "exact"]
    names = dict.fromkeys((*static, *(name for chain in exact for name in chain.objects)))
    return {name: tuple(chain.probe or "" for chain in exact if name in chain.objects) for name in names}

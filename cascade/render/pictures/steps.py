"""The ladder of a plan's JSON: the same rows in the same words as ``cascade plan -o plan.svg``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cascade.core.exploring import names_in_chains, rows_kept
from cascade.core.history import MigrationKey
from cascade.core.layout import TableName, quoted
from cascade.core.plan import Hazard, HazardKind
from cascade.core.words import counted, listed
from cascade.render.appearance import appearance_kept
from cascade.render.hazards import in_words
from cascade.render.looks import ADVICE, DECIDE, LEFT_OUT, Look
from cascade.render.pictures.ladder import DrawnLadder, drawn_ladder
from cascade.render.pictures.picture import Picture
from cascade.render.rungs import (
    ADVISED,
    UNDECIDED,
    PlanLadder,
    Rung,
    in_bands,
    keys_in_words,
    left_out_by,
    pairs_drawn,
    to_mind,
)
from cascade.render.wording import migration_labels, short_name

JSON = Mapping[str, Any]


def draw_steps(plan: JSON) -> Picture | None:
    """The steps from top to bottom, arcs on the right where a step's table has a key to that of another; or None."""
    if not plan["steps"]:
        return None
    ladder = ladder_kept(plan)
    return Picture(
        "steps",
        f"The order of repair: {counted(len(plan['steps']), 'step')}",
        ladder.description(),
        drawn_ladder(ladder.parts(DrawnLadder), ladder.arcs()),
    )


def ladder_kept(plan: JSON) -> PlanLadder:
    """All that the picture shows. Nothing is said of models' source, which is known where the project is."""
    keys = Counter((_name(edge), _name(edge["references"])) for edge in plan["edges"])
    places = [table for step in plan["steps"] if (table := _placed(step)) is not None]
    drawn = pairs_drawn(places, keys)
    scope = f" {plan['scope']}" if plan["scope"] else ""
    return PlanLadder(
        f"cascade plan{scope}: {quoted(plan['database'])}, id {plan['plan_id']}",
        tuple(_rungs(plan, keys_in_words(keys, drawn, plan["target_schema"]))),
        drawn,
        waves=max((step["wave"] for step in plan["steps"]), default=0),
        gaps=() if plan["complete"] else tuple(gap["what"] for gap in plan["not_checked"]),
        hazards=tuple(to_mind(in_words(_hazards(plan["steps"])))),
    )


def _hazards(steps: Iterable[JSON]) -> Iterator[tuple[int, Hazard]]:
    for step in steps:
        for hazard in step["hazards"]:
            yield step["position"], Hazard(HazardKind(hazard["kind"]), hazard["sentence"], tuple(hazard["sql"]))


def _placed(step: JSON) -> TableName | None:
    """The table that the step puts into its place."""
    return _name(step) if step["action"] in ("move_table", "exchange_table", "create_table") else None


def _rungs(plan: JSON, keys: Mapping[TableName, str]) -> Iterator[Rung]:
    by_id = {drift["id"]: drift for drift in plan["drifts"]}
    cures = {cure for step in plan["steps"] for cure in step["cures"]}
    serious = [drift for drift in plan["drifts"] if drift["severity"] != "note" and drift["id"] not in cures]
    left_out = [drift for drift in plan["left_out"] if drift["severity"] != "note"]
    every = [by_id[cure] for step in plan["steps"] for cure in step["cures"][:1] if cure in by_id]
    labels = _labels([*every, *serious, *left_out])
    breaks = _pages_broken(plan)
    yield from in_bands([_of_step(step, by_id, labels, keys, breaks, plan["target_schema"]) for step in plan["steps"]])
    for band, look, drifts in (
        (UNDECIDED, DECIDE, [drift for drift in serious if drift["undecided"]]),
        (ADVISED, ADVICE, [drift for drift in serious if not drift["undecided"]]),
        (left_out_by(plan["scope"]), LEFT_OUT, left_out),
    ):
        yield from _of_drifts(drifts, band, look, labels, plan["target_schema"])


def _labels(drifts: Iterable[JSON]) -> Mapping[str, str]:
    keys = {
        drift["migration"]: MigrationKey(*drift["migration"].split(".", 1)) for drift in drifts if drift["migration"]
    }
    labels = migration_labels(keys.values())
    return {name: labels[key] for name, key in keys.items()}


def _of_step(
    step: JSON,
    by_id: Mapping[str, JSON],
    labels: Mapping[str, str],
    keys: Mapping[TableName, str],
    breaks: Mapping[str, Sequence[str]],
    target: str,
) -> Rung:
    appearance = appearance_kept(step, target)
    drift = next((by_id[cure] for cure in step["cures"] if cure in by_id), None)
    table = _placed(step)
    return Rung(
        name=f"step{step['position']}",
        band=appearance.band,
        look=appearance.look,
        what=appearance.what,
        way=appearance.way,
        number=str(step["position"]),
        wave=str(step["wave"]),
        migration=labels.get(drift["migration"] or "", "") if drift else "",
        rows=_rows(step, drift),
        keys=keys.get(table, "") if table else "",
        breaks=listed(list(dict.fromkeys(page for cure in step["cures"] for page in breaks.get(cure, ()))), 1),
        table=table,
        tooltip="\n".join(step["sql"]),
    )


def _pages_broken(plan: JSON) -> Mapping[str, Sequence[str]]:
    """By finding, the pages that fail for want of its step, where that was measured."""
    met: dict[str, list[str]] = {}
    for chain in plan["cascade"]:
        if chain["source"] == "exact":
            for name in chain["objects"]:
                met.setdefault(name, []).append(chain["probe"])
    names = Counter(node["table"] for node in plan["nodes"])
    return {
        drift["id"]: met[name]
        for drift in plan["drifts"]
        if drift["table"]
        for name in names_in_chains(drift, alone=names[drift["table"]] == 1)
        if name in met
    }


def _rows(step: JSON, drift: JSON | None) -> str:
    """The rows of the table that is moved or put aside."""
    if step["action"] not in ("move_table", "exchange_table", "shelve_table"):
        return ""
    source = step["details"].get("from", step)
    copies = drift["copies"] if drift else ()
    known = next((copy["rows"] for copy in copies if copy["schema"] == source["schema"]), None)
    return rows_kept(known).figure


def _of_drifts(drifts: Iterable[JSON], band: str, look: Look, labels: Mapping[str, str], target: str) -> Iterator[Rung]:
    for number, drift in enumerate(drifts, start=1):
        places = " and ".join(quoted(copy["schema"]) for copy in drift["copies"])
        figures = [rows_kept(copy["rows"]).figure for copy in drift["copies"] if copy["rows"]]
        yield Rung(
            name=f"{look.word.replace(' ', '')}{number}",
            band=band,
            look=look,
            what=_about(drift, target),
            way=f"in {places}" if places and not drift["object"] else drift["kind"].replace("_", " "),
            migration=labels.get(drift["migration"] or "", ""),
            rows=" / ".join(figures),
            tooltip="\n".join(filter(None, (f"{drift['kind']}: {drift['observed']}", drift["undecided"]))),
        )


def _about(drift: JSON, target: str) -> str:
    part = quoted(drift["object"]) if drift["object"] else ""
    table = short_name(_name(drift), target) if drift["table"] else ""
    return ".".join(filter(None, (table, part)))


def _name(entry: JSON) -> TableName:
    return TableName(entry["schema"], entry["table"])

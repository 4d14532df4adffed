"""The ladder of a plan, from its JSON: of one that was made now, and of one that was kept."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from cascade.core.answer import Answer
from cascade.core.documents import JSON, rows_kept, serious, table_of
from cascade.core.exploring import names_in_chains
from cascade.core.history import MigrationKey
from cascade.core.layout import TableName, quoted
from cascade.core.plan import Hazard, HazardKind
from cascade.core.words import listed
from cascade.render.hazards import in_words
from cascade.render.labels import source_link
from cascade.render.looks import ADVICE, DECIDE, LEFT_OUT, OK, UNSURE, Look, look_called
from cascade.render.plan_json import plan_document
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
from cascade.render.wording import migration_labels, what_was_compared


def make_ladder(answer: Answer) -> PlanLadder:
    """All that the picture of an answer shows: beside the plan's JSON the project knows where its models are."""
    links = {
        name: source_link(expected.model_source, answer.source_url) for name, expected in answer.expected.tables.items()
    }
    verdict = None if answer.findings() else _verdict(answer)
    return make_plan_ladder(plan_document(answer), links=links, verdict=verdict)


def _verdict(answer: Answer) -> tuple[Look, str]:
    """What a picture without findings says."""
    if not answer.complete:
        gaps = listed([gap.what for gap in answer.not_checked], 2)
        return UNSURE, f"Nothing is amiss where cascade could look. Not checked: {gaps}."
    scope = f" within {answer.plan.scope}" if answer.plan.scope else ""
    return OK, f"No drift{scope}. Compared: {what_was_compared(answer)}."


def make_plan_ladder(
    plan: JSON, *, links: Mapping[TableName, str] = MappingProxyType({}), verdict: tuple[Look, str] | None = None
) -> PlanLadder:
    """All that the picture shows; ``links`` lead from a table to its model, ``verdict`` is what an empty one says."""
    keys = Counter((table_of(edge), table_of(edge["references"])) for edge in plan["edges"])
    places = [table for step in plan["steps"] if (table := _placed(step)) is not None]
    drawn = pairs_drawn(places, keys)
    scope = f" {plan['scope']}" if plan["scope"] else ""
    return PlanLadder(
        f"cascade plan{scope}: {quoted(plan['database'])}, id {plan['plan_id']}",
        tuple(_rungs(plan, keys_in_words(keys, drawn, plan["target_schema"]), links)),
        drawn,
        waves=max((step["wave"] for step in plan["steps"]), default=0),
        gaps=() if plan["complete"] else tuple(gap["what"] for gap in plan["not_checked"]),
        verdict=verdict,
        hazards=tuple(to_mind(in_words(_hazards(plan["steps"])))),
    )


def _hazards(steps: Iterable[JSON]) -> Iterator[tuple[int, Hazard]]:
    for step in steps:
        for hazard in step["hazards"]:
            yield step["position"], Hazard(HazardKind(hazard["kind"]), hazard["sentence"], tuple(hazard["sql"]))


def _placed(step: JSON) -> TableName | None:
    """The table that the step puts into its place."""
    return table_of(step) if step["action"] in ("move_table", "exchange_table", "create_table") else None


def _rungs(plan: JSON, keys: Mapping[TableName, str], links: Mapping[TableName, str]) -> Iterator[Rung]:
    by_id = {drift["id"]: drift for drift in plan["drifts"]}
    cures = {cure for step in plan["steps"] for cure in step["cures"]}
    uncured = [drift for drift in serious(plan["drifts"]) if drift["id"] not in cures]
    left_out = list(serious(plan["left_out"]))
    every = [by_id[cure] for step in plan["steps"] for cure in step["cures"][:1] if cure in by_id]
    labels = _labels([*every, *uncured, *left_out])
    breaks = _pages_broken(plan)
    rungs = [_of_step(step, by_id, labels, keys, breaks) for step in plan["steps"]]
    for rung, step in zip(in_bands(rungs), plan["steps"], strict=True):
        yield replace(rung, link=links.get(table_of(step), ""))
    for band, look, drifts in (
        (UNDECIDED, DECIDE, [drift for drift in uncured if drift["undecided"]]),
        (ADVISED, ADVICE, [drift for drift in uncured if not drift["undecided"]]),
        (left_out_by(plan["scope"]), LEFT_OUT, left_out),
    ):
        yield from _of_drifts(drifts, band, look, labels, links)


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
) -> Rung:
    drift = next((by_id[cure] for cure in step["cures"] if cure in by_id), None)
    table = _placed(step)
    return Rung(
        name=f"step{step['position']}",
        band=step["sort"],
        look=look_called(step["action"]),
        what=step["what"],
        way=step["way"],
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


def _of_drifts(
    drifts: Iterable[JSON], band: str, look: Look, labels: Mapping[str, str], links: Mapping[TableName, str]
) -> Iterator[Rung]:
    for number, drift in enumerate(drifts, start=1):
        places = " and ".join(quoted(copy["schema"]) for copy in drift["copies"])
        figures = [rows_kept(copy["rows"]).figure for copy in drift["copies"] if copy["rows"]]
        yield Rung(
            name=f"{look.word.replace(' ', '')}{number}",
            band=band,
            look=look,
            what=drift["name"],
            way=f"in {places}" if places and not drift["object"] else drift["kind"].replace("_", " "),
            migration=labels.get(drift["migration"] or "", ""),
            rows=" / ".join(figures),
            tooltip="\n".join(filter(None, (f"{drift['kind']}: {drift['observed']}", drift["undecided"]))),
            link=links.get(table_of(drift), "") if drift["table"] else "",
        )

"""The findings, each with its evidence, its repair and its undo."""

from collections.abc import Iterator

from cascade.core.documents import JSON, serious
from cascade.core.findings import DriftKind
from cascade.core.incident import Incident
from cascade.core.words import counted, listed
from cascade.render.report.blocks import Aside, Block, Bullets, Card, Cards, Code, Facts, Line, Paragraph, Sql, Strong
from cascade.render.report.words import bullets, capital, object_of, seen


def findings(incident: Incident) -> Iterator[Block]:
    """All that is broken or risky, and in a sentence what else was found."""
    if incident.findings:
        yield Cards(tuple(_card(drift, incident) for drift in incident.findings))
    left_out = list(serious(incident.before["left_out"]))
    if left_out:
        yield Paragraph((f"Outside of what was asked for ({incident.before['scope']}), and amiss all the same:",))
        lines = tuple((Code(drift["id"]), f": {seen(drift)}") for drift in left_out)
        yield bullets(lines, counted(len(lines), "finding"))
    notes = len(incident.before["drifts"]) - len(incident.findings)
    if notes:
        yield Paragraph((f"{counted(notes, 'note')} beside; what is a note breaks nothing.",))
    for entry in incident.before["ignored"]:
        yield Paragraph(("Accepted by the settings: ", Code(entry["drift"]["id"]), f" ({entry['reason']})."))


def _card(drift: JSON, incident: Incident) -> Card:
    steps = incident.steps_by_cure.get(drift["id"], ())
    blocks: list[Block] = [Facts(tuple(_finding_facts(drift, incident)))]
    if drift["evidence"]:
        blocks.append(Bullets(tuple((sentence,) for sentence in drift["evidence"])))
    if drift["query"]:
        blocks.append(Aside(("The query that shows it",), (Sql("", drift["query"]),)))
    if steps:
        blocks.append(Sql("Repair", "\n".join(sql for step in steps for sql in step["sql"])))
        undo = [sql for step in reversed(steps) for sql in step["undo"]]
        if undo:
            blocks.append(Sql("Undo", "\n".join(undo)))
        hazards = [hazard["sentence"] for step in steps for hazard in step["hazards"]]
        if hazards:
            blocks.append(Bullets(tuple((Strong("Mind: "), hazard) for hazard in hazards)))
    return Card(
        drift["id"],
        drift["kind"],
        drift["severity"],
        drift["app"],
        (Code(object_of(drift)),),
        (drift["observed"] or "nothing",),
        (_now(drift, incident),),
        tuple(blocks),
    )


def _finding_facts(drift: JSON, incident: Incident) -> Iterator[tuple[str, Line]]:
    yield "What", (DriftKind(drift["kind"]).facts.meaning,)
    yield "Why it matters", (DriftKind(drift["kind"]).facts.matters,)
    yield "Expected", (drift["expected"] or "as the migrations made it",)
    yield "Found", (drift["observed"] or "nothing",)
    if drift["migration"]:
        source: Line = (" at ", Code(drift["source"])) if drift["source"] else ()
        yield "Made by", (Code(drift["migration"]), f", {drift['operation']}", *source)
    if drift["consequences"]:
        yield "And with it", (listed(drift["consequences"], 12),)
    if drift["undecided"]:
        decide: Line = (" Decide with ", Code(drift["decision"]), ".") if drift["decision"] else ()
        yield "No step", (capital(drift["undecided"]), ".", *decide)
    yield "Now", (_now(drift, incident),)


def _now(drift: JSON, incident: Incident) -> str:
    if drift["id"] in incident.cured:
        return "gone"
    looked = incident.left is not None or incident.journal is not None
    return "still there" if looked else "not known: nobody has looked since"

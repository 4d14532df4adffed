"""What the report rests on, and what it does not know."""

from collections.abc import Iterator

from cascade.core.incident import Incident
from cascade.core.words import counted
from cascade.render.report.blocks import Block, Bullets, Code, Facts, Line
from cascade.render.wording import moment


def audit(incident: Incident) -> Iterator[Block]:
    """What was read, when, by which plan and code, and what was given beside it."""
    plan = incident.before
    pairs: list[tuple[str, Line]] = [
        ("Plan", (Code(plan["plan_id"]), ", fingerprint ", Code(plan["fingerprint"]))),
        ("Read", (moment(plan["read_at"]),)),
        ("Code", (Code(plan["source_revision"]),) if plan["source_revision"] else ("not known: no version control",)),
        ("Scope", (Code(plan["scope"]),) if plan["scope"] else ("the whole database",)),
        ("Complete", ("yes",) if plan["complete"] else ("no: see what is not known",)),
    ]
    if incident.journal is not None:
        words = f"{counted(len(incident.journal.events), 'line')}, {counted(len(incident.journal.done), 'step')} done"
        pairs.append(("Journal", (words,)))
    else:
        pairs.append(("Journal", ("none was given",)))
    if incident.after is not None:
        pairs.append(("Looked again", (f"{moment(incident.after['read_at'])}, plan ", Code(incident.after["plan_id"]))))
    last = plan["records"][-1] if plan["records"] else None
    if last is not None:
        pairs.append(("Last migration", (Code(last["migration"]), f", recorded {moment(last['applied'])}")))
    pairs.append(("Probes", (counted(len(incident.probes), "result") if incident.probes else "none were given",)))
    yield Facts(tuple(pairs))


def unknown(incident: Incident) -> Iterator[Block]:
    """What the material does not say."""
    if incident.not_known:
        yield Bullets(tuple((sentence,) for sentence in incident.not_known))

"""What is left to be done, and what keeps it from coming back."""

from collections.abc import Iterator

from cascade.core.incident import Incident, Outcome
from cascade.core.words import counted
from cascade.render.report.blocks import Block, Bullets, Code, Line
from cascade.render.report.sections.repair import migration_command
from cascade.render.report.words import UNREPAIRED, capital, object_of, seen


def next_steps(incident: Incident) -> Iterator[Block]:
    """What is left, then what keeps it from coming back."""
    lines: list[Line] = [
        (Code(object_of(drift)), f" is still amiss ({drift['kind']}): {seen(drift)}") for drift in incident.left or ()
    ]
    if incident.outcome in UNREPAIRED and incident.before["steps"]:
        lines.append(
            (
                f"Repair: {counted(len(incident.before['steps']), 'step')}. ",
                Code("cascade rehearse plan.json"),
                " tries them and rolls back, ",
                Code("cascade apply plan.json"),
                " runs them.",
            )
        )
    if incident.outcome is Outcome.IN_COMMIT and incident.journal is not None:
        (xid,) = list(incident.journal.in_flight)[-1:]
        lines.append(
            (
                "Ask the server whether the COMMIT holds, by ",
                Code(f"SELECT pg_xact_status('{xid}')"),
                ", or look again: ",
                Code("cascade plan -o after.json"),
                " for ",
                Code("--after"),
                ".",
            )
        )
    if incident.outcome is Outcome.NOT_LOOKED:
        lines.append((Code("cascade plan"), " looks whether anything is left."))
    lines += [
        (Code(object_of(drift)), f" waits for a decision: {drift['undecided']}.")
        for drift in incident.findings
        if drift["undecided"] and drift["id"] not in incident.cured
    ]
    if incident.findings:
        if incident.migration is None and not incident.new_records:
            lines.append((*migration_command(incident), "."))
        lines.append(
            (Code("cascade check"), " in CI and after each deployment fails on the first thing that is out of place.")
        )
    if not incident.probes and incident.findings:
        lines.append(("Ask the pages again, and keep the answers for this report.",))
    lines += [(f"To be checked: {gap['what']}. {capital(gap['how'])}.",) for gap in incident.before["not_checked"]]
    if not lines:
        lines.append(("Nothing.",))
    yield Bullets(tuple(lines))

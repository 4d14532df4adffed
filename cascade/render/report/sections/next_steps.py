"""What is left to be done, and what keeps it from coming back."""

from collections.abc import Iterator

from cascade.core.incident import Incident, Outcome
from cascade.core.words import counted
from cascade.render.report.blocks import MANY, Block, Bullets, Code, Line
from cascade.render.report.sections.repair import migration_command
from cascade.render.report.words import UNREPAIRED, bullets, capital, object_of, seen


def next_steps(incident: Incident) -> Iterator[Block]:
    """What is left, then what keeps it from coming back."""
    left, undecided = tuple(_still_amiss(incident)), tuple(_to_be_decided(incident))
    long = [(lines, what) for lines, what in ((left, "still amiss"), (undecided, "to be decided")) if len(lines) > MANY]
    for lines, what in long:
        yield bullets(lines, f"{counted(len(lines), 'finding')} {what}")
    folded = [lines for lines, _ in long]
    rest = (
        *(left if left not in folded else ()),
        *_of_the_repair(incident),
        *(undecided if undecided not in folded else ()),
        *_for_good(incident),
    )
    yield Bullets(rest or (("Nothing.",),))


def _still_amiss(incident: Incident) -> Iterator[Line]:
    for drift in incident.left or ():
        yield Code(object_of(drift)), f" is still amiss ({drift['kind']}): {seen(drift)}"


def _to_be_decided(incident: Incident) -> Iterator[Line]:
    for drift in incident.findings:
        if drift["undecided"] and drift["id"] not in incident.cured:
            yield Code(object_of(drift)), f" waits for a decision: {drift['undecided']}."


def _of_the_repair(incident: Incident) -> Iterator[Line]:
    """How it goes on with a repair that was not made, or of which it is not known."""
    if incident.outcome in UNREPAIRED and incident.before["steps"]:
        yield (
            f"Repair: {counted(len(incident.before['steps']), 'step')}. ",
            Code("cascade rehearse plan.json"),
            " tries them and rolls back, ",
            Code("cascade apply plan.json"),
            " runs them.",
        )
    if incident.outcome is Outcome.IN_COMMIT and incident.journal is not None:
        (xid,) = list(incident.journal.in_flight)[-1:]
        yield (
            "Ask the server whether the COMMIT holds, by ",
            Code(f"SELECT pg_xact_status('{xid}')"),
            ", or look again: ",
            Code("cascade plan -o after.json"),
            " for ",
            Code("--after"),
            ".",
        )
    if incident.outcome is Outcome.NOT_LOOKED:
        yield Code("cascade plan"), " looks whether anything is left."


def _for_good(incident: Incident) -> Iterator[Line]:
    """What keeps it from coming back, and what nobody has looked at yet."""
    if incident.findings:
        if incident.migration is None and not incident.new_records:
            yield (*migration_command(incident), ".")
        yield Code("cascade check"), " in CI and after each deployment fails on the first thing that is out of place."
        if not incident.probes:
            yield ("Ask the pages again, and keep the answers for this report.",)
    for gap in incident.before["not_checked"]:
        yield (f"To be checked: {gap['what']}. {capital(gap['how'])}.",)

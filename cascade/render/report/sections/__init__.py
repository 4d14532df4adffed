"""What a report says, section by section, in the order in which it is read."""

from cascade.core.incident import Incident, Outcome
from cascade.render.report.blocks import Code, Line, Report, Section
from cascade.render.report.sections.audit import audit, unknown
from cascade.render.report.sections.cause import causes
from cascade.render.report.sections.findings import findings
from cascade.render.report.sections.next_steps import next_steps
from cascade.render.report.sections.pages import probes
from cascade.render.report.sections.repair import done, migration
from cascade.render.report.sections.summary import summary
from cascade.render.report.sections.tables import evidence, sources, state
from cascade.render.report.words import what_was_amiss
from cascade.render.wording import moment


def make_report(incident: Incident) -> Report:
    """The postmortem of an incident, of one that is still open, or of a healthy database."""
    plan = incident.before
    then = " before the repair" if incident.is_touched else ""
    sections = (
        Section("summary", "Summary", tuple(summary(incident))),
        Section("cause", "Root cause", tuple(causes(incident))),
        Section("source", "Source discovery", tuple(sources(incident))),
        Section("state", f"Database state{then}", tuple(state(incident))),
        Section("done", "What was done", tuple(done(incident))),
        Section("migration", "The repair as a migration", tuple(migration(incident))),
        Section("probes", "Smoke tests", tuple(probes(incident))),
        Section("evidence", f"Evidence{then}: tables, columns, indexes, constraints", tuple(evidence(incident))),
        Section("findings", "Findings", tuple(findings(incident))),
        Section("next", "Next steps", tuple(next_steps(incident))),
        Section("audit", "Audit trail", tuple(audit(incident))),
        Section("unknown", "What is not known", tuple(unknown(incident))),
    )
    subtitle: Line = (
        "Database ",
        Code(plan["database"]),
        f" ({plan['host']}), PostgreSQL {plan['server_version']}, read at {moment(plan['read_at'])}. Plan ",
        Code(plan["plan_id"]),
        ".",
    )
    return Report(_title(incident), subtitle, tuple(section for section in sections if section.blocks))


def _title(incident: Incident) -> str:
    database = incident.before["database"]
    if incident.outcome is Outcome.HEALTHY:
        unsure = "" if incident.before["complete"] else " was found, and not everything could be checked"
        return f"{database}: nothing amiss{unsure}"
    return f"Postmortem: {what_was_amiss(incident)} of {database}"

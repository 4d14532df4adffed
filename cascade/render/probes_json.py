"""What probes showed, for programs. No row's value is in it."""

from cascade.core.cascades import met
from cascade.core.documents import NewJSON
from cascade.core.probed import Probed
from cascade.core.probes import Found, Probe, ProbeRun
from cascade.errors import CascadeError
from cascade.render.json_text import json_text
from cascade.render.plan_json import chain_document

SCHEMA_VERSION = 1


def render_probes_json(probed: Probed) -> str:
    """The runs in their order, the exact chains, and by drifted object the pages that it breaks."""
    return json_text(probes_document(probed))


def render_probes_error_json(error: CascadeError) -> str:
    """Why nothing was asked. It lists no probes, not even none of them: nobody knows."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "exit_code": 1,
        "error": {"message": error.message, "hint": error.hint},
    }
    return json_text(document)


def probes_document(probed: Probed) -> NewJSON:
    """The same as values."""
    answer = probed.answer
    return {
        "schema_version": SCHEMA_VERSION,
        "exit_code": probed.exit_code,
        "error": None,
        "database": answer.observed.database,
        "host": answer.host,
        "asked_at": answer.observed.read_at,
        "plan_id": answer.plan_id,
        "connected_as": answer.observed.connected_as,
        "application_role": answer.placement.role,
        "ran_as": probed.role,
        "predicted": probed.predicted,
        "on_clone": probed.on_clone,
        "probes": [_run(run) for run in probed.runs],
        "cascade": [chain_document(chain) for chain in answer.plan.chains if chain.source == "exact"],
        "breaks": {name: list(probes) for name, probes in probed.breaks.items()} if probed.predicted else {},
        "steps_not_run": [step.id for step in probed.not_needed] if probed.predicted else [],
        "sequences_advanced": list(probed.advanced),
    }


def _run(run: ProbeRun) -> NewJSON:
    return {
        "name": str(run.probe),
        **_probe(run.probe),
        "verdict": run.verdict.value.replace(" ", "_"),
        "status": run.status,
        "milliseconds": round(run.milliseconds, 1),
        "queries": run.queries,
        "reason": run.reason,
        "place": run.place,
        "note": run.note,
        "failures": [_found(found) for found in run.found],
        "cascade": [drift.id for drift in met(run)],
        "callbacks": list(run.callbacks),
        "mails": run.mails,
    }


def _probe(probe: Probe) -> NewJSON:
    return {
        "kind": probe.kind.value,
        "path": probe.path or None,
        "as": probe.user,
        "method": probe.method,
        "expect": probe.expect,
        "model": probe.model or None,
    }


def _found(found: Found) -> NewJSON:
    failure = found.failure
    return {
        "sqlstate": failure.sqlstate,
        "message": failure.message if failure.is_about_names else None,
        "place": failure.place,
        "drift": found.drift.id if found.drift else None,
    }

"""What is kept of an incident, made by hand: the plan as its file holds it, a journal of its steps, results of probes."""

import json
from collections.abc import Callable
from typing import Any

from cascade.core.answer import Answer
from cascade.core.incident import Incident
from cascade.core.journal import Journal, parse_journal
from cascade.core.probe_results import parse_probe_results
from cascade.render.plan_json import render_plan_json
from tests.unit.render import answers

BEGUN, COMMITTED, LOOKED = "2026-01-14T04:00:00+00:00", "2026-01-14T04:00:02+00:00", "2026-01-14T04:00:03+00:00"


def plan(make: Callable[[], Answer] = answers.incident) -> Any:
    return json.loads(render_plan_json(make()))


def repaired() -> Any:
    """The plan of the next look: nothing is amiss, and each table that moved kept its OID."""
    before, after = plan(), plan(answers.healthy)
    kept = {node["table"]: node["found"][0]["oid"] for node in before["nodes"] if node["found"]}
    for node in after["nodes"]:
        node["found"] = [{"schema": "public", "oid": kept.get(node["table"], 1)}]
    return {**after, "read_at": LOOKED}


def journal(before: Any, *events: Any, committed: bool | None = True) -> Journal:
    """A journal in which all steps of the plan ran, and were committed; ``events`` come after that.

    ``committed`` is None where the COMMIT was never answered.
    """
    steps = [{"id": s["id"], "phase": s["phase"], "cures": s["cures"], "undo": s["undo"]} for s in before["steps"]]
    header = {"event": "begin", "at": BEGUN, "journal": 1, "plan_id": before["plan_id"], "steps": steps, "tables": []}
    ran = [
        {"event": "statement", "at": BEGUN, "step": step["id"], "sql": sql, "milliseconds": 1.5}
        for step in before["steps"]
        for sql in step["sql"]
    ]
    end = [{"event": "committing", "at": COMMITTED, "xid": "7", "steps": [step["id"] for step in steps]}]
    if committed is not None:
        end.append({"event": "committed" if committed else "rolled_back", "at": COMMITTED, "xid": "7"})
    return parse_journal(json.dumps(event) for event in (header, *ran, *end, *events))


def probes(*, ok: bool, at: str) -> Any:
    reason = "" if ok else 'relation "user_profile_bounty" does not exist'
    failures = [] if ok else [{"drift": "misplaced_table:public.user_profile_bounty"}]
    first = {"verdict": "passed" if ok else "failed", "status": 200 if ok else 500, "reason": reason}
    return {
        "asked_at": at,
        "probes": [
            {"kind": "make_user", "path": None, "as": "amber1", "verdict": "passed", "status": None},
            {"kind": "page", "path": "/@amber1/", "as": None, "failures": failures, **first},
            {"kind": "page", "path": "/me/settings/", "as": "amber1", "verdict": "passed", "status": 200},
            {"kind": "model", "path": None, "as": None, "verdict": "failed", "status": None},
        ],
    }


def predicted(*, at: str) -> Any:
    """Results of a prediction: the first page answers 200, once two tables are cured on its way."""
    asked = probes(ok=True, at=at)
    cured = ["misplaced_table:public.user_profile_bounty", "misplaced_table:public.user_profile_bounty_participant"]
    names = ["user_profile_bounty", "user_profile_bounty_participant"]
    asked["probes"][1]["cascade"] = cured
    chain = {"start": names[0], "source": "exact", "probe": "/@amber1/", "objects": names}
    return {**asked, "predicted": True, "cascade": [chain]}


def incident() -> Incident:
    """The whole of it: repaired by a journal, looked at again, pages asked before and after."""
    before = plan()
    asked = (probes(ok=False, at=BEGUN), probes(ok=True, at=LOOKED))
    results = tuple(result for document in asked for result in parse_probe_results(document))
    return Incident(before, repaired(), journal(before), results)


def failing_page(path: str, *, user: str | None = None, reason: str = "") -> Any:
    """Results of one page that answered 500."""
    page = {"kind": "page", "path": path, "as": user, "verdict": "failed", "status": 500, "reason": reason}
    return {"asked_at": "", "probes": [page]}

"""Differences that the project's settings accept."""

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest

from tests.scenarios.sites import CHECKOUT, Site, found

pytestmark = pytest.mark.one_version

BOUNTY = "misplaced_table:public.user_profile_bounty_result"
REASON = "kept there on purpose until the archive is built"


def accepting(site: Site, entries: object) -> Site:
    """The site with these entries of ``CASCADE["IGNORE"]`` in its settings."""
    settings = site.folder / "settings_that_accept.py"
    base = site.environment["DJANGO_SETTINGS_MODULE"]
    settings.write_text(f"from {base} import *\n\nCASCADE = {{'IGNORE': {entries!r}}}\n")
    path = os.pathsep.join([site.environment.get("PYTHONPATH", str(CHECKOUT)), str(site.folder)])
    environment = {**site.environment, "DJANGO_SETTINGS_MODULE": settings.stem, "PYTHONPATH": path}
    return Site(site.database, environment, site.folder, site.options)


def ids(drifts: Sequence[dict[str, Any]]) -> set[str]:
    return {drift["id"] for drift in drifts}


def test_an_accepted_finding_leaves_plan_and_counts_and_is_listed_with_its_reason(one_incident: Site) -> None:
    plan = accepting(one_incident, [{"id": BOUNTY, "reason": REASON}]).plan()

    assert BOUNTY in ids(one_incident.plan()["drifts"])
    assert BOUNTY not in ids(plan["drifts"])
    assert [(entry["drift"]["id"], entry["reason"]) for entry in plan["ignored"]] == [(BOUNTY, REASON)]
    assert all(BOUNTY not in step["cures"] for step in plan["steps"])
    assert not any(drift["kind"] == "unused_ignore" for drift in plan["drifts"])


def test_the_text_says_how_many_were_accepted_and_why(one_incident: Site) -> None:
    site = accepting(one_incident, [{"id": BOUNTY, "reason": REASON}])

    text = " ".join(site.cascade("plan").stdout.split())
    assert f"IGNORED 1 by settings: misplaced_table user_profile_bounty_result ({REASON})." in text
    assert "1 ignored by settings" in site.cascade("check").stdout.splitlines()[-1]


def test_where_all_is_accepted_the_check_is_clean(one_incident: Site) -> None:
    drifts = [d for d in one_incident.plan()["drifts"] if d["severity"] != "note"]
    site = accepting(one_incident, [{"id": drift["id"], "reason": REASON} for drift in drifts])

    done = site.cascade("check")

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("No drift")
    assert f"{len(drifts)} ignored by settings" in done.stdout
    assert site.cascade("plan", "--exit-code").returncode == 0


def test_an_entry_that_nothing_matches_any_more_is_a_finding_and_no_failure(one_healthy: Site) -> None:
    site = accepting(one_healthy, [{"kind": "extra_index", "object": "public.gone.gone_idx", "reason": REASON}])

    done = site.cascade("check", "-v")

    assert done.returncode == 0, done.stdout
    assert "unused_ignore  extra_index:public.gone.gone_idx" in done.stdout
    assert found(site.plan(), severities=("note",)) >= {"unused_ignore None.extra_index:public.gone.gone_idx"}


def test_an_accepted_finding_outside_the_scope_is_not_called_unused(one_incident: Site) -> None:
    plan = accepting(one_incident, [{"id": BOUNTY, "reason": REASON}]).plan("--app", "teams")

    assert not any(drift["kind"] == "unused_ignore" for drift in plan["drifts"])


def test_a_table_that_needs_an_accepted_one_gets_no_step_that_would_fail(one_incident: Site) -> None:
    """The endorsement's table is gone and refers to the bounty's, which is to stay elsewhere."""
    bounty = "misplaced_table:public.user_profile_bounty"
    one_incident.execute("DROP TABLE test_schema.user_profile_skill_endorsement CASCADE")

    site = accepting(one_incident, [{"id": bounty, "reason": REASON}])
    plan = site.plan()

    keys = [step for step in plan["steps"] if step["action"] == "add_foreign_key"]
    assert keys, "the keys to tables that are in their place are made"
    assert "user_profile_bounty" not in {key["details"]["references"]["table"] for key in keys}


def test_a_malformed_entry_is_one_sentence_that_names_it(one_healthy: Site) -> None:
    for entries, said in (
        ({"id": BOUNTY}, "is a dict, not a list"),
        ([{"id": BOUNTY}], f'Entry 1 of CASCADE["IGNORE"] in the settings (id: {BOUNTY}) gives no reason.'),
        ([{"id": "misplaced_tabel:public.x", "reason": "r"}], "Did you mean misplaced_table"),
        ([{"id": BOUNTY, "reason": "r", "until": "2027"}], 'There is no key "until"'),
    ):
        done = accepting(one_healthy, entries).cascade("check")
        assert done.returncode == 1
        assert done.stdout == ""
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_the_same_answer_in_json_keeps_its_order(one_incident: Site) -> None:
    site = accepting(one_incident, [{"id": BOUNTY, "reason": REASON}])

    first, second = (json.loads(site.cascade("plan", "--format", "json").stdout) for _ in range(2))
    assert {**first, "read_at": ""} == {**second, "read_at": ""}

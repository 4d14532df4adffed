"""What would fail after each repair is told in advance, and is what really happens; nothing is left of the asking."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cascade.demo.witness import dump_layout, read_rows
from tests.scenarios.probe_truth import compare, random_drift
from tests.scenarios.sites import Site

A, B = "/me/settings/ as user", "/@{user.username}/"
C, C2 = "/admin/ as superuser", "/admin/user_profile/userprofile/ as superuser"

INCIDENT = {
    A: ["teams_teammembership.left_at", "user_profile_about_item", "user_profile_stream_config"],
    B: [
        "user_profile_about_item",
        "user_profile_stream_config",
        "user_profile_skill_endorsement",
        "user_profile_bounty",
        "user_profile_bounty_participant",
    ],
    C: [],
    C2: [],
}
"""The table of tests of the incident: what each page ran into, one thing after the other."""


def test_the_incident_would_have_come_as_it_came(one_incident: Site) -> None:
    assert compare(one_incident.database.server, "demo_incident", ()) == INCIDENT


@pytest.mark.parametrize("seed", [4, 8])
def test_random_drifts_surface_in_the_order_that_was_told(one_incident: Site, seed: int) -> None:
    assert any(compare(one_incident.database.server, "demo_incident", random_drift(seed)).values())


def test_nothing_is_left_of_a_prediction(one_incident: Site) -> None:
    before = _state(one_incident)
    done = one_incident.cascade("probe", "--predict", "--format", "json")
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout)
    assert {chain["probe"]: chain["objects"] for chain in told["cascade"]} == {
        name: objects for name, objects in INCIDENT.items() if objects
    }
    assert told["breaks"]["user_profile_about_item"] == [A, B]
    assert told["breaks"]["user_profile_bounty_result"] == []
    assert "move_table:public.user_profile_bounty_result" in told["steps_not_run"]
    assert {probe["status"] for probe in told["probes"] if probe["kind"] == "page"} == {200}
    assert _state(one_incident) == before


def test_the_plan_takes_the_exact_cascade_in(one_incident: Site) -> None:
    chains = one_incident.plan("--probe")["cascade"]
    assert [(chain["probe"], chain["objects"]) for chain in chains if chain["source"] == "exact"] == [
        (A, INCIDENT[A]),
        (B, INCIDENT[B]),
    ]
    text = " ".join(one_incident.cascade("plan", "--probe").stdout.split())
    assert f"{A}: {' -> '.join(INCIDENT[A])}" in text
    assert "(measured) no page that was asked touches" in text
    picture = one_incident.cascade("plan", "--probe", "--format", "dot").stdout
    assert f"{A} and {B}" in picture


def test_pages_run_on_a_clone_that_has_no_rows(one_incident: Site) -> None:
    before = _state(one_incident)
    done = one_incident.cascade("probe", "--predict", "--clone")
    text = " ".join(done.stdout.split())
    assert done.returncode == 2, done.stdout + done.stderr
    assert "The clone has no rows: what pages do with rows does not show." in text
    assert f"{A}: {' -> '.join(INCIDENT[A])}; then 200" in text
    assert _state(one_incident) == before


def test_pages_run_as_the_role_that_serves_them_where_that_may_be_had(one_incident: Site) -> None:
    one_incident.execute("REVOKE ALL ON public.teams_team FROM app_user")
    drift = "unreachable_table:public.teams_team"
    done = one_incident.cascade("probe", "--predict", "--format", "json", user="postgres")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ran_as"]) == (2, "app_user"), done.stderr
    assert told["breaks"]["teams_team"] == [A]
    [settings] = [probe for probe in told["probes"] if probe["name"] == A]
    assert drift in settings["cascade"]
    asked = json.loads(one_incident.cascade("probe", "--no-models", "--format", "json", user="migrator").stdout)
    assert asked["ran_as"] == "migrator"
    assert drift not in json.dumps(asked["probes"])


def _state(site: Site) -> Any:
    """The layout, every row by checksum, and all sequences but those of users and profiles, which are made."""
    server, name = site.database.server, site.database.name
    address = SimpleNamespace(host=server.host, port=server.port, user="postgres")
    made = ("accounts_user_id_seq", "user_profile_userprofile_id_seq")
    rows = site.rows("SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2")
    sequences = [row for row in rows if row[1] not in made]
    return dump_layout(address, name), read_rows(address, name), sequences

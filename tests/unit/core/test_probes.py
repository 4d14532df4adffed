"""What is declared as probes, and which drift a failed statement ran into."""

from dataclasses import replace
from typing import Any

import pytest

from cascade.core.attribution import attribute, curing_steps
from cascade.core.cascades import blast_radius, with_exact_chains
from cascade.core.probe_results import MalformedResults, parse_probe_results
from cascade.core.probes import Failure, Found, Probe, ProbeKind, ProbeRun, Verdict, parse_probes, with_users_made
from cascade.core.statements import StatementKind, kind_of_statement
from cascade.errors import CascadeError
from tests.unit.render.answers import incident

SETTINGS = Probe(ProbeKind.PAGE, "/me/settings/", "user")


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({"path": "/"}, "is not a list"),
        (["/"], 'has no path that begins with "/"'),
        ([{"path": "me/"}], 'has no path that begins with "/"'),
        ([{"path": "/me/", "user": "x"}], "unknown key 'user'"),
        ([{"path": "/me/", "as": "everybody"}], "asked as 'everybody'"),
        ([{"path": "/me/", "expect": "ok"}], "expects 'ok'"),
        ([{"path": "/me/", "expect": "200"}], "expects '200': no status of HTTP"),
        ([{"path": "/me/", "expect": [200, 302]}], r"expects \[200, 302\]: no status"),
        ([{"path": "/me/", "expect": 9999}], "expects 9999: no status"),
        ([{"path": "/me/", "expect": True}], "expects True: no status"),
        ([{"path": "/me/", "data": [1]}], "data of the entry"),
    ],
)
def test_a_declaration_that_cannot_be_understood_is_refused(entries: Any, complaint: str) -> None:
    with pytest.raises(CascadeError, match=complaint):
        parse_probes(entries)


def test_what_is_expected_is_shown_by_an_example() -> None:
    with pytest.raises(CascadeError) as refused:
        parse_probes([{"path": "/me/", "expect": "200"}])
    assert '"expect": 200' in (refused.value.hint or "")


def test_each_user_is_made_once_and_before_the_pages() -> None:
    probes = parse_probes(
        [{"path": "/me/", "as": "user"}, {"path": "/@{user.username}/"}, {"path": "/", "as": "a.b"}, {"path": "/b/"}]
    )
    assert [str(probe) for probe in with_users_made(probes)] == [
        "make a user: user",
        "make a user: a.b",
        "/me/ as user",
        "/@{user.username}/",
        "/ as a.b",
        "/b/",
    ]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 'COMMIT; ROLLBACK'", StatementKind.OTHER),
        ('SELECT "a;COMMIT" FROM t; -- COMMIT', StatementKind.OTHER),
        ("SELECT $q$; COMMIT; $q$, E'\\'; COMMIT'", StatementKind.OTHER),
        ("-- note\n  COMMIT", StatementKind.CONTROL),
        ("SELECT 1; END", StatementKind.CONTROL),
        ("PREPARE TRANSACTION 'x'", StatementKind.CONTROL),
        ("PREPARE plan AS SELECT 1", StatementKind.OTHER),
        ("ROLLBACK TO SAVEPOINT a", StatementKind.SAVEPOINT),
        ("ROLLBACK", StatementKind.CONTROL),
        ("SET CONSTRAINTS ALL IMMEDIATE", StatementKind.CONSTRAINTS),
        ("insert into t values (1)", StatementKind.WRITE),
        ("(SELECT 1)", StatementKind.OTHER),
        ("", StatementKind.OTHER),
    ],
)
def test_a_statement_is_known_by_its_first_words(sql: str, kind: StatementKind) -> None:
    assert kind_of_statement(sql) is kind


@pytest.mark.parametrize(
    ("message", "drift"),
    [
        ('relation "user_profile_bounty" does not exist', "misplaced_table:public.user_profile_bounty"),
        ("column teams_teammembership.left_at does not exist", "missing_column:public.teams_teammembership.left_at"),
        ("column T3.left_at does not exist", "missing_column:public.teams_teammembership.left_at"),
        ("Relation »user_profile_bounty« existiert nicht", "misplaced_table:public.user_profile_bounty"),
        ('relation "accounts_user" does not exist', None),
        ('relation "nothing_of_ours" does not exist', None),
        ("column accounts_user.nothing does not exist", None),
    ],
)
def test_a_failure_is_told_by_the_drift_that_it_ran_into(message: str, drift: str | None) -> None:
    sql = 'SELECT T3."left_at" FROM "teams_team" INNER JOIN "teams_teammembership" T3 ON (T3."team_id" = "teams_team"."id")'
    state = "42703" if "column" in message else "42P01"
    found = attribute(Failure(state, message, sql=sql), incident()).drift
    assert (found.id if found else None) == drift


def test_a_drift_is_cured_by_its_steps_and_what_they_wait_for() -> None:
    plan = incident().plan
    for drift in plan.drifts:
        steps = curing_steps(drift, plan)
        cures = {cure for step in steps for cure in step.cures}
        assert drift.id in cures or not any(drift.id in step.cures for step in plan.steps)
        assert {id_ for step in steps for id_ in step.waits_for} <= {step.id for step in steps}


def test_the_exact_chains_tell_which_pages_a_table_breaks() -> None:
    answer = incident()
    first, second = answer.plan.drifts[:2]
    home = replace(SETTINGS, path="/home/")
    runs = (
        ProbeRun(SETTINGS, Verdict.PASSED, cured=(first, second)),
        ProbeRun(home, Verdict.FAILED, cured=(second,), found=(Found(Failure("42P01", ""), first),)),
        ProbeRun(replace(SETTINGS, path="/fine/"), Verdict.PASSED),
        ProbeRun(Probe(ProbeKind.MODEL, model="a.B"), Verdict.PASSED, cured=(first,)),
    )
    plan = with_exact_chains(answer.plan, runs, answer.expected)
    exact = [chain for chain in plan.chains if chain.source == "exact"]
    one, two = exact[0].objects
    assert [(chain.probe, chain.objects) for chain in exact] == [
        ("/me/settings/ as user", (one, two)),
        ("/home/ as user", (two, one)),
    ]
    radius = blast_radius(plan)
    assert radius[one] == radius[two] == ("/me/settings/ as user", "/home/ as user")
    assert set(radius.values()) >= {()}
    assert with_exact_chains(plan, runs, answer.expected) == plan


def test_a_run_that_asked_nothing_is_no_evidence() -> None:
    document = {"schema_version": 1, "exit_code": 1, "error": {"message": "the server is down", "hint": ""}}
    with pytest.raises(MalformedResults, match="ended in an error, and asked nothing"):
        parse_probe_results(document)

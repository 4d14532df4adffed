from dataclasses import replace
from typing import Any

import pytest

from cascade.core.plan import Hazard, HazardKind
from cascade.core.preflight import Check, Facts, OpenTransaction, ServerIdentity, Verdict, make_checks, may_go_on
from tests.unit.render import answers

HERE = ServerIdentity("arena", 16384, 7, "2026-01-01 03:00:00+00")
QUIET = Facts(
    here=HERE,
    read_over=HERE,
    changed=(),
    shares_its_backend=False,
    alone="",
    in_recovery=False,
    read_only=False,
    role="migrator",
    lacking=(),
    in_the_way=(),
    oldest=None,
    hidden=0,
    prepared=0,
    lock_room=6400,
    standbys=0,
    lag=None,
    waits_for_standby=False,
    slots=(),
    event_triggers=(),
    journal="",
    earlier_journal="",
)


def checks(**differing: Any) -> tuple[Check, ...]:
    facts = replace(QUIET, **differing)
    return make_checks(answers.incident(), facts, allowed=frozenset(), journal="journal.jsonl")


def test_a_quiet_server_answers_yes_to_everything() -> None:
    assert {check.verdict for check in checks()} == {Verdict.YES}
    assert may_go_on(checks())


@pytest.mark.parametrize(
    ("differing", "says"),
    [
        ({"here": replace(HERE, database="other")}, "this is other, the plan is for arena"),
        ({"here": replace(HERE, oid=5)}, "another arena"),
        ({"here": replace(HERE, system=8)}, "another arena"),
        ({"changed": ("public.bounty changed",)}, "public.bounty changed"),
        ({"shares_its_backend": True}, "a pooler in transaction mode"),
        ({"in_recovery": True}, "read-only replica"),
        ({"lacking": ("a", "b", "c", "d", "e")}, "a; b; c; and 2 more"),
        ({"lock_room": 20}, "locks of 20"),
        ({"waits_for_standby": True}, "COMMIT would wait"),
        ({"journal": "it is there already"}, "it is there already"),
    ],
)
def test_a_no_stops_and_says_what_to_do(differing: dict[str, Any], says: str) -> None:
    refused = [check for check in checks(**differing) if check.verdict is Verdict.NO]
    assert len(refused) == 1
    assert says in refused[0].found
    assert refused[0].advice
    assert not may_go_on(checks(**differing))


@pytest.mark.parametrize(
    ("differing", "says"),
    [
        (
            {"here": replace(HERE, system=None), "read_over": replace(HERE, system=None, started="later")},
            "does not say which it is",
        ),
        ({"role": "app_user"}, "serves the pages too"),
        ({"alone": "FATAL: too many connections"}, "too many connections"),
        ({"in_the_way": (OpenTransaction(5, "psql", 3.2, "public.bounty"),)}, "pid 5 (psql) on public.bounty for 3 s"),
        ({"in_the_way": (OpenTransaction(5, "", None, "public.bounty"),)}, "pid 5 (unnamed)"),
        ({"oldest": OpenTransaction(5, "backup", 3600)}, "pid 5 (backup) for 3600 s"),
        ({"prepared": 2}, "2 prepared"),
        ({"hidden": 3}, "but for 3 that migrator may not see"),
        ({"standbys": 2, "lag": 0.123}, "2, at most 0.1 s behind"),
        ({"slots": ("debezium (wal2json)",)}, "debezium (wal2json)"),
        ({"event_triggers": ("audit",)}, "DDL fires audit"),
    ],
)
def test_what_cannot_be_told_stops_nothing_and_is_said(differing: dict[str, Any], says: str) -> None:
    unsure = [check for check in checks(**differing) if check.verdict is Verdict.CANNOT_TELL]
    assert len(unsure) == 1
    assert says in unsure[0].found
    assert may_go_on(checks(**differing))


def test_two_connections_to_a_server_that_keeps_its_identity_to_itself_are_known_by_its_start() -> None:
    shy = replace(HERE, system=None)
    assert checks(here=shy, read_over=shy)[0].verdict is Verdict.YES
    assert checks(here=shy)[0].verdict is Verdict.YES


def test_a_young_transaction_is_said_and_is_no_obstacle() -> None:
    [check] = [c for c in checks(oldest=OpenTransaction(5, "psql", 4.4)) if "old" in c.question]
    assert (check.verdict, check.found) == (Verdict.YES, "the oldest is 4 s old")


def test_subscribers_get_their_sql_whether_the_hazard_was_accepted_or_not() -> None:
    answer = answers.incident()
    sql = ("-- on each subscriber:", "ALTER TABLE a SET SCHEMA b;")
    first = replace(answer.plan.steps[0], hazards=(Hazard(HazardKind.REPLICATION, "It is published.", sql),))
    answer = replace(answer, plan=replace(answer.plan, steps=(first, *answer.plan.steps[1:])))
    for allowed, verdicts in (
        (frozenset[HazardKind](), {Verdict.NO}),
        (frozenset({HazardKind.REPLICATION}), {Verdict.CANNOT_TELL, Verdict.YES}),
    ):
        made = make_checks(answer, QUIET, allowed=allowed, journal="journal.jsonl")
        asked = [check for check in made if check.question in ("publications and slots", "hazards to accept")]
        assert {check.verdict for check in asked} == verdicts
        assert asked[0].sql == sql


def test_what_others_have_to_run_is_put_together_by_when_it_is_due() -> None:
    before, after = "-- on each subscriber, before the repair:", "-- on each subscriber, after the repair:"
    answer = answers.incident()
    steps = [
        replace(step, hazards=(Hazard(HazardKind.REPLICATION, step.id, (after, f"-> {n}", before, "first")),))
        for n, step in enumerate(answer.plan.steps[:2])
    ]
    answer = replace(answer, plan=replace(answer.plan, steps=tuple(steps)))
    made = make_checks(answer, QUIET, allowed=frozenset(), journal="journal.jsonl")
    [check] = [check for check in made if check.sql]
    assert check.sql == (before, "first", after, "-> 0", "-> 1")

"""The gate: what counts, what a baseline accepts and until when, and the narrowing to the last run of migrate."""

from dataclasses import replace
from datetime import date

import pytest

from cascade.core.answer import Answer
from cascade.core.findings import Severity
from cascade.core.gate import accept, exit_code, make_baseline, of_last_run, parse_baseline
from cascade.core.history import History, MigrationKey, Record
from cascade.core.observed import HistoryReading
from cascade.core.timeline import last_run
from cascade.errors import CascadeError
from tests.unit.render import answers

LATER, EARLIER = date(2999, 1, 31), date(1999, 1, 31)


def baseline_of(answer: Answer, until: date = LATER) -> dict[str, object]:
    return make_baseline(answer, until)


def test_exit_codes_say_clean_found_and_unchecked() -> None:
    assert exit_code(answers.healthy(), Severity.RISKY) == 0
    assert exit_code(answers.incident(), Severity.BROKEN) == 2
    assert exit_code(answers.incomplete(), Severity.RISKY) == 3


def test_what_was_found_when_the_baseline_was_written_does_not_count_until_its_day() -> None:
    answer, gone = accept(answers.incident(), parse_baseline(baseline_of(answers.incident())))
    assert exit_code(answer, Severity.RISKY) == 0
    assert gone == ()
    assert len(answer.accepted) == len(answers.incident().findings())
    assert answer.accepted[0][1].startswith("accepted until 2999-01-31: found on ")


def test_after_its_day_it_counts_again_and_says_so() -> None:
    answer, _ = accept(answers.incident(), parse_baseline(baseline_of(answers.incident(), EARLIER)))
    assert exit_code(answer, Severity.RISKY) == 2
    assert answer.findings()[0].evidence[-1] == "the baseline accepted it until 1999-01-31"


def test_what_has_become_worse_counts() -> None:
    document = baseline_of(answers.incident())
    for entry in document["accepted"]:  # type: ignore[attr-defined]
        entry["severity"] = "risky"
    answer, _ = accept(answers.incident(), parse_baseline(document))
    assert answer.accepted == ()
    assert answer.findings()[0].evidence[-1] == "the baseline accepted it as risky, and it is broken now"


def test_what_is_new_counts_beside_what_is_known() -> None:
    document = baseline_of(answers.incident())
    new = document["accepted"].pop()  # type: ignore[attr-defined]
    answer, _ = accept(answers.incident(), parse_baseline(document))
    assert [drift.id for drift in answer.findings()] == [new["id"]]


def test_entries_that_no_finding_has_any_more_are_named_unless_something_was_not_checked() -> None:
    baseline = parse_baseline(baseline_of(answers.incident()))
    assert accept(answers.healthy(), baseline)[1] == tuple(entry.id for entry in baseline)
    assert accept(answers.incomplete(), baseline)[1] == ()


def test_a_baseline_written_again_keeps_the_reasons_that_people_gave() -> None:
    earlier = [replace(entry, reason="in repair") for entry in parse_baseline(baseline_of(answers.incident()))]
    document = make_baseline(answers.incident(), LATER, earlier)
    assert {entry["reason"] for entry in document["accepted"]} == {"in repair"}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"cascade_baseline": 2, "accepted": []},
        {"cascade_baseline": 1, "accepted": {}},
        {"cascade_baseline": 1, "accepted": ["missing_table:public.a"]},
        {"cascade_baseline": 1, "accepted": [{"id": "a", "severity": "broken", "until": "soon", "reason": "b"}]},
        {"cascade_baseline": 1, "accepted": [{"id": "a", "severity": "bad", "until": "2027-01-31", "reason": "b"}]},
        {"cascade_baseline": 1, "accepted": [{"id": "a", "severity": "broken", "until": "2027-01-31", "reason": " "}]},
        {"cascade_baseline": 1, "accepted": [{"id": "a", "severity": "broken", "until": "2027-01-31"}]},
    ],
)
def test_what_is_no_baseline_is_refused_with_the_command_that_writes_one(document: object) -> None:
    with pytest.raises(CascadeError, match=r"--accept-until YYYY-MM-DD writes one"):
        parse_baseline(document)


def record(position: int, moment: str, name: str = "") -> Record:
    return Record(MigrationKey("shop", name or f"{position:04}"), f"2026-01-01T{moment}+00:00", position)


def test_a_run_begins_after_ten_minutes_in_which_nothing_was_recorded() -> None:
    records = (record(1, "10:00:00"), record(2, "10:20:00"), record(3, "10:29:00"))
    assert last_run(History("public", records)) == records[1:]
    assert last_run(History("public", ())) == ()


def test_narrowed_to_the_last_run_the_findings_of_earlier_ones_are_left_out() -> None:
    before = answers.incident()
    key = before.findings()[-1].made_by.migration  # type: ignore[union-attr]
    records = (record(1, "10:00:00"), Record(key, "2026-01-01T12:00:00+00:00", 2))
    history = HistoryReading("public", History("public", records), None)
    answer = of_last_run(replace(before, observed=replace(before.observed, histories=(history,))))
    assert {drift.made_by.migration for drift in answer.plan.drifts if drift.made_by} == {key}
    assert answer.plan.scope.endswith(f"the last run of migrate (1 migration, from {key} on)")
    assert len(answer.plan.left_out) == len(before.plan.left_out) + len(before.findings()) - len(answer.findings())

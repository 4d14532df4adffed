"""Findings that the settings accept."""

import pytest

from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.ignore import Ignore, ignore, parse_ignores
from cascade.core.layout import TableName
from cascade.errors import CascadeError

TEAM = TableName("public", "teams_team")
INDEX = Drift(DriftKind.EXTRA_INDEX, Severity.NOTE, TEAM, object="by_hand")
COLUMN = Drift(DriftKind.DIFFERENT_COLUMN, Severity.RISKY, TEAM, object="budget")
ACCEPTED = Ignore("extra_index:public.teams_team.by_hand", "made by the DBA")


def test_an_accepted_finding_is_told_apart_with_its_reason() -> None:
    assert ignore((COLUMN, INDEX), (ACCEPTED,)) == ((COLUMN,), ((INDEX, "made by the DBA"),))


def test_an_entry_accepts_no_other_finding_of_its_kind_or_object() -> None:
    other = Drift(DriftKind.EXTRA_INDEX, Severity.NOTE, TableName("old", "teams_team"), object="by_hand")
    same_name = Drift(DriftKind.MISSING_INDEX, Severity.RISKY, TEAM, object="by_hand")

    kept, ignored = ignore((INDEX, other, same_name), (ACCEPTED,))

    assert kept == (other, same_name)
    assert ignored == ((INDEX, "made by the DBA"),)


def test_an_entry_that_nothing_matches_any_more_is_a_note_that_names_it_with_its_reason() -> None:
    kept, ignored = ignore((COLUMN,), (ACCEPTED,))

    assert ignored == ()
    assert [(d.kind, d.severity, d.object) for d in kept] == [
        (COLUMN.kind, Severity.RISKY, "budget"),
        (DriftKind.UNUSED_IGNORE, Severity.NOTE, "extra_index:public.teams_team.by_hand"),
    ]
    assert "made by the DBA" in kept[1].evidence[0]


def test_nothing_is_said_of_an_unmatched_entry_where_not_everything_was_checked() -> None:
    assert ignore((COLUMN,), (ACCEPTED,), complete=False) == ((COLUMN,), ())


def test_both_spellings_name_the_same_finding() -> None:
    by_id = {"id": "different_column:public.teams_team.budget", "reason": "a view needs it"}
    by_kind = {"kind": "different_column", "object": "public.teams_team.budget", "reason": "a view needs it"}

    assert parse_ignores([by_id]) == parse_ignores((by_kind,)) == (Ignore(COLUMN.id, "a view needs it"),)


def test_an_object_with_a_colon_in_its_name_can_be_named() -> None:
    (entry,) = parse_ignores([{"id": 'extra_table:public."odd:name"', "reason": "theirs"}])

    assert entry.id == Drift(DriftKind.EXTRA_TABLE, Severity.NOTE, TableName("public", "odd:name")).id


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"id": "x"}, "is a dict, not a list"),
        ("extra_index:a", "is a str, not a list"),
        (3, "is an int, not a list"),
        (["extra_index:a"], "Entry 1 of CASCADE"),
        ([{"id": "extra_index:a", "reason": "r"}, {"id": "extra_index:b"}], "Entry 2 of"),
        ([{"id": "extra_index:b"}], "(id: extra_index:b) gives no reason"),
        ([{"id": "extra_index:b", "reason": "  "}], "its reason is empty"),
        ([{"id": "extra_index:b", "reason": None}], "its reason is empty or no text"),
        ([{"reason": "r"}], "names no finding"),
        ([{"kind": "extra_index", "reason": "r"}], "names no finding"),
        ([{"id": "extra_index:b", "kind": "extra_index", "object": "b", "reason": "r"}], "names no finding"),
        ([{"id": "extra_index:b", "object": "b", "reason": "r"}], "names no finding"),
        ([{"id": "extra_index", "reason": "r"}], "names no object after the kind"),
        ([{"id": "extra_index:", "reason": "r"}], "names no object after the kind"),
        ([{"id": "extra_indx:b", "reason": "r"}], "Did you mean extra_index"),
        ([{"kind": "diferent_column", "object": "b", "reason": "r"}], "Did you mean different_column"),
        ([{"id": "extra_index:b", "reasn": "r"}], "Did you mean reason"),
        ([{"id": "extra_index:b", "reason": "r"}] * 2, "names extra_index:b twice"),
    ],
)
def test_an_entry_of_another_form_is_refused_by_its_name(value: object, said: str) -> None:
    with pytest.raises(CascadeError) as refused:
        parse_ignores(value)

    assert said in str(refused.value)


def test_what_got_worse_than_it_was_when_accepted_counts_again_and_says_so() -> None:
    worse = Drift(DriftKind.EXTRA_COLUMN, Severity.BROKEN, TEAM, object="by_hand")

    kept, ignored = ignore((worse,), (Ignore(worse.id, "a view reads it"),))

    assert ignored == ()
    assert [drift.id for drift in kept] == [worse.id]
    assert "it is broken now" in kept[0].evidence[-1]

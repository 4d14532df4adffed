from dataclasses import replace

import pytest

from cascade.core.actions import GrantUsage
from cascade.core.fingerprint import fingerprint_of, plan_id_of
from cascade.core.layout import Column, Layout, Rights, RowEvidence, Table, TableName
from cascade.core.plan import Step
from tests.unit.render import answers

INCIDENT = answers.incident()
LAYOUT, STEPS = INCIDENT.observed.layout, INCIDENT.plan.steps
BOUNTY = TableName("test_schema", "user_profile_bounty")


def with_table(table: Table) -> Layout:
    return Layout.of([*LAYOUT.tables.values(), table])


def changed(**values: object) -> Layout:
    """The layout with the misplaced bounty changed."""
    return with_table(replace(LAYOUT.tables[BOUNTY], **values))  # type: ignore[arg-type]


def test_it_is_64_hexadecimal_digits_and_the_same_twice() -> None:
    fingerprint = fingerprint_of(LAYOUT, STEPS)

    assert len(fingerprint) == 64
    assert int(fingerprint, 16)
    assert fingerprint == fingerprint_of(LAYOUT, reversed(STEPS))


@pytest.mark.parametrize(
    "values",
    [
        {"oid": 77},
        {"pages": 9_999},
        {"rows": RowEvidence(5, 6)},
        {"rights": Rights(usage=False, select=False)},
        {"owner": "somebody"},
        {"comment": "words"},
        {"locked_by": (1,)},
    ],
)
def test_what_differs_from_reader_to_reader_and_from_day_to_day_does_not_count(values: dict[str, object]) -> None:
    assert fingerprint_of(changed(**values), STEPS) == fingerprint_of(LAYOUT, STEPS)


@pytest.mark.parametrize("part", ["columns", "constraints", "indexes"])
def test_structure_counts(part: str) -> None:
    fewer = getattr(LAYOUT.tables[BOUNTY], part)[1:]

    assert fingerprint_of(changed(**{part: fewer}), STEPS) != fingerprint_of(LAYOUT, STEPS)


def test_a_nullable_column_is_another_column() -> None:
    first, *others = LAYOUT.tables[BOUNTY].columns

    assert fingerprint_of(changed(columns=(replace(first, nullable=True), *others)), STEPS) != fingerprint_of(
        LAYOUT, STEPS
    )


def test_a_comment_on_a_column_does_not_count() -> None:
    first, *others = LAYOUT.tables[BOUNTY].columns

    assert fingerprint_of(changed(columns=(replace(first, comment="words"), *others)), STEPS) == fingerprint_of(
        LAYOUT, STEPS
    )


def test_a_table_that_appears_where_another_is_to_go_counts() -> None:
    shell = Table(TableName("public", "user_profile_bounty"))

    assert fingerprint_of(with_table(shell), STEPS) != fingerprint_of(LAYOUT, STEPS)


def test_a_table_that_no_step_touches_does_not_count() -> None:
    assert fingerprint_of(with_table(Table(TableName("public", "another"))), STEPS) == fingerprint_of(LAYOUT, STEPS)


def test_a_healthy_table_that_a_step_locks_counts() -> None:
    dropped = answers.dropped()
    layout, user = dropped.observed.layout, TableName("public", "accounts_user")
    wider = replace(layout.tables[user], columns=(*layout.tables[user].columns, Column("nick", "text")))

    assert fingerprint_of(Layout({**layout.tables, user: wider}), dropped.plan.steps) != dropped.fingerprint


def test_a_plan_id_is_short_and_depends_on_the_steps_and_their_order() -> None:
    fingerprint = fingerprint_of(LAYOUT, STEPS)
    plan_id = plan_id_of(fingerprint, STEPS)

    assert len(plan_id) == 8
    assert plan_id == plan_id_of(fingerprint, STEPS)
    assert plan_id != plan_id_of(fingerprint, STEPS[1:])
    assert plan_id != plan_id_of(fingerprint, tuple(reversed(STEPS)))
    assert plan_id != plan_id_of("0" * 64, STEPS)


def test_a_plan_id_does_not_depend_on_how_the_expected_side_was_made() -> None:
    dropped = answers.dropped()

    def elsewhere(step: Step) -> Step:
        made = getattr(step.action, "table", None)
        if not isinstance(made, Table):
            return step
        return replace(step, action=replace(step.action, table=replace(made, oid=123, owner="me", pages=4)))  # type: ignore[arg-type]

    steps = tuple(elsewhere(step) for step in dropped.plan.steps)

    assert steps != dropped.plan.steps
    assert plan_id_of(dropped.fingerprint, steps) == dropped.plan_id


def test_a_grant_to_another_role_is_another_plan() -> None:
    step = STEPS[0]
    grants = [replace(step, action=GrantUsage("public", role)) for role in ("a", "b")]

    assert plan_id_of("", grants[:1]) != plan_id_of("", grants[1:])

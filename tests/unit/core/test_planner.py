"""From drifts to steps: what cures each, what it waits for, in which order, and what is left out and why."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade.core.actions import AddColumn, AddForeignKey, CreateTable, GrantTable, GrantUsage, MoveTable
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.graph import parse_selector
from cascade.core.layout import Column, ConstraintKind, Grant, Layout, Rights, RowEvidence, Table, TableName
from cascade.core.plan import HazardKind, LockMode, Plan, Step
from cascade.core.planner import Scope, make_plan
from tests.drifted import (
    ELSEWHERE,
    EMPTY,
    TARGET,
    Damage,
    damages,
    drifts_of,
    expected_layouts,
    expected_of,
    foreign_key,
    index,
    made_by,
    observed_after,
    primary_key,
    unique,
)


def model(
    name: str,
    position: int,
    *,
    keys: dict[str, str] | None = None,
    columns: tuple[Column, ...] = (),
    operation: int = 0,
    app: str = "user_profile",
    later: dict[str, int] | None = None,
) -> ExpectedTable:
    """A table made by migration ``position``; ``keys`` maps columns to tables, ``later`` columns to migrations."""
    keys = keys or {}
    identity, serving = primary_key(name, "id")
    table = Table(
        TableName(TARGET, name),
        columns=(
            Column("id", "bigint", nullable=False, identity="d"),
            *(Column(column, "bigint") for column in keys),
            *columns,
        ),
        constraints=(identity, *(foreign_key(name, column, to) for column, to in keys.items())),
        indexes=(serving, *(index(name, column) for column in keys)),
        rows=RowEvidence(),
    )
    made = {column: made_by(at, app=app) for column, at in (later or {}).items()}
    return ExpectedTable(
        table, app, f"{app}.{name}", made_by(position, operation, app), made, position * 10 + operation
    )


USER = model("accounts_user", 1, app="accounts")
MATCH = model("tournament_engine_match_match", 5, app="tournaments")
MEMBERSHIP = model(
    "teams_teammembership",
    8,
    app="teams",
    keys={"user_id": "accounts_user"},
    columns=(Column("left_at", "timestamp with time zone"),),
    later={"left_at": 12},
)
ENDORSEMENT = model(
    "user_profile_skill_endorsement",
    37,
    keys={"user_id": "accounts_user", "match_id": "tournament_engine_match_match", "bounty_id": "user_profile_bounty"},
    later={"bounty_id": 40},
)
BOUNTY = model("user_profile_bounty", 38, keys={"creator_id": "accounts_user"})
PARTICIPANT = model(
    "user_profile_bounty_participant",
    38,
    operation=1,
    keys={"bounty_id": "user_profile_bounty", "user_id": "accounts_user"},
)
RESULT = model("user_profile_bounty_result", 39, keys={"bounty_id": "user_profile_bounty"})
ABOUT = model("user_profile_about_item", 33, keys={"user_id": "accounts_user"})
INCIDENT = expected_of(RESULT, MEMBERSHIP, USER, PARTICIPANT, BOUNTY, ENDORSEMENT, MATCH, ABOUT)

ASTRAY = frozenset(table.name.name for table in (ABOUT, ENDORSEMENT, BOUNTY, PARTICIPANT, RESULT))
LEFT_AT = frozenset({("teams_teammembership", "left_at")})


def plan_for(expected: ExpectedLayout, damage: Damage, scope: Scope | None = None) -> Plan:
    drifts, observed = drifts_of(expected, damage), observed_after(expected, damage)
    return make_plan(expected, observed, drifts, application_role="app_user", scope=scope or Scope())


def short(steps: tuple[Step, ...]) -> list[str]:
    return [step.id.replace("public.", "").replace("user_profile_", "") for step in steps]


def step_of(plan: Plan, id_: str) -> Step:
    return next(step for step in plan.steps if step.id == id_)


def with_rows(layout: Layout, rows: RowEvidence) -> Layout:
    return Layout.of(replace(table, rows=rows) for table in layout.tables.values())


# -------------------------------------------------------------------------------------------------------- the incident


def test_the_incident_is_repaired_in_the_order_of_its_migrations() -> None:
    plan = plan_for(INCIDENT, Damage(misplaced=ASTRAY, columns=LEFT_AT))
    assert short(plan.steps) == [
        "add_column:teams_teammembership.left_at",
        "move_table:about_item",
        "move_table:skill_endorsement",
        "move_table:bounty",
        "move_table:bounty_participant",
        "move_table:bounty_result",
    ]
    assert plan.steps[1].action == MoveTable(
        TableName(ELSEWHERE, "user_profile_about_item"), TableName(TARGET, "user_profile_about_item")
    )
    assert [step.position for step in plan.steps] == [1, 2, 3, 4, 5, 6]
    assert {step.wave for step in plan.steps} == {1}


def test_the_incident_fails_from_endorsement_to_bounty_to_participant() -> None:
    plan = plan_for(INCIDENT, Damage(misplaced=ASTRAY, columns=LEFT_AT))
    assert [(chain.start, chain.source, chain.objects) for chain in plan.chains] == [
        ("teams_teammembership.left_at", "static", ("teams_teammembership.left_at",)),
        ("user_profile_about_item", "static", ("user_profile_about_item",)),
        (
            "user_profile_skill_endorsement",
            "static",
            (
                "user_profile_skill_endorsement",
                "user_profile_bounty",
                "user_profile_bounty_participant",
                "user_profile_bounty_result",
            ),
        ),
    ]


def test_the_app_in_scope_leaves_the_missing_column_of_another_app_out_and_says_so() -> None:
    plan = plan_for(INCIDENT, Damage(misplaced=ASTRAY, columns=LEFT_AT), Scope(apps=("user_profile",)))
    assert [step.position for step in plan.steps] == [1, 2, 3, 4, 5]
    assert [drift.id for drift in plan.left_out] == ["missing_column:public.teams_teammembership.left_at"]
    assert plan.scope == "--app user_profile"


def test_dropped_tables_are_created_in_order_and_the_later_key_comes_after_both_of_its_tables() -> None:
    lost = frozenset(table.name.name for table in (ENDORSEMENT, BOUNTY, PARTICIPANT))
    plan = plan_for(INCIDENT, Damage(missing=lost))
    assert short(plan.steps) == [
        "create_table:skill_endorsement",
        "create_table:bounty",
        "create_table:bounty_participant",
        "add_foreign_key:bounty_participant.bounty_id->bounty.id",
        "add_foreign_key:skill_endorsement.bounty_id->bounty.id",
        # What makes users of healthy tables wait comes last.
        "add_foreign_key:skill_endorsement.match_id->tournament_engine_match_match.id",
        "add_foreign_key:skill_endorsement.user_id->accounts_user.id",
        "add_foreign_key:bounty.creator_id->accounts_user.id",
        "add_foreign_key:bounty_participant.user_id->accounts_user.id",
        "add_foreign_key:bounty_result.bounty_id->bounty.id",
    ]


# ----------------------------------------------------------------------------------------------------- what waits


def test_a_key_waits_for_both_of_its_tables() -> None:
    plan = plan_for(
        INCIDENT, Damage(missing=frozenset({ENDORSEMENT.name.name}), misplaced=frozenset({BOUNTY.name.name}))
    )
    key = step_of(
        plan, "add_foreign_key:public.user_profile_skill_endorsement.bounty_id->public.user_profile_bounty.id"
    )
    assert key.waits_for == (
        "create_table:public.user_profile_skill_endorsement",
        "move_table:public.user_profile_bounty",
    )
    assert (key.wave, key.cures) == (2, ("missing_table:public.user_profile_skill_endorsement",))


def test_a_move_waits_for_nothing() -> None:
    plan = plan_for(INCIDENT, Damage(misplaced=ASTRAY))
    assert all(step.waits_for == () for step in plan.steps)


def test_a_column_of_a_misplaced_table_waits_for_the_move_and_brings_its_index_and_its_key() -> None:
    damage = Damage(
        misplaced=frozenset({ENDORSEMENT.name.name}), columns=frozenset({(ENDORSEMENT.name.name, "bounty_id")})
    )
    plan = plan_for(INCIDENT, damage)
    assert short(plan.steps) == [
        "move_table:skill_endorsement",
        "add_column:skill_endorsement.bounty_id",
        "add_foreign_key:skill_endorsement.bounty_id->bounty.id",
    ]
    _, column, key = plan.steps
    assert column.waits_for == ("move_table:public.user_profile_skill_endorsement",)
    assert isinstance(column.action, AddColumn)
    assert [index.columns for index in column.action.indexes] == [("bounty_id",)]
    assert column.action.constraints == ()
    assert "add_column:public.user_profile_skill_endorsement.bounty_id" in key.waits_for


def test_a_created_table_has_its_constraints_and_no_foreign_keys() -> None:
    plan = plan_for(INCIDENT, Damage(missing=frozenset({BOUNTY.name.name})))
    created = plan.steps[0].action
    assert isinstance(created, CreateTable)
    assert [constraint.kind for constraint in created.table.constraints] == [ConstraintKind.PRIMARY_KEY]
    assert [hazard.kind for hazard in plan.steps[0].hazards] == [HazardKind.ROWS_NOT_RESTORED]


def test_two_tables_that_need_each_other_are_created_before_their_keys() -> None:
    chicken, egg = (
        model("chicken", 1, keys={"egg_id": "egg"}),
        model("egg", 1, operation=1, keys={"laid_by": "chicken"}),
    )
    plan = plan_for(expected_of(chicken, egg), Damage(missing=frozenset({"chicken", "egg"})))
    assert short(plan.steps) == [
        "create_table:chicken",
        "create_table:egg",
        "add_foreign_key:chicken.egg_id->egg.id",
        "add_foreign_key:egg.laid_by->chicken.id",
    ]


def test_a_table_that_refers_to_itself_gets_one_key_and_one_lock() -> None:
    tree = model("tree", 1, keys={"parent_id": "tree"})
    plan = plan_for(expected_of(tree), Damage(columns=frozenset({("tree", "parent_id")})))
    column, key, *_ = plan.steps
    assert short((column, key)) == ["add_column:tree.parent_id", "add_foreign_key:tree.parent_id->tree.id"]
    assert [lock.table.name for lock in key.locks] == ["tree"]


def test_a_constraint_over_two_missing_columns_comes_with_the_later_one() -> None:
    bare = model("bounty", 1, columns=(Column("a", "text"), Column("b", "text")), later={"a": 3, "b": 2})
    constraint, serving = unique("bounty", "a", "b")
    table = replace(
        bare.table, constraints=(*bare.table.constraints, constraint), indexes=(*bare.table.indexes, serving)
    )
    damage = Damage(columns=frozenset({("bounty", "a"), ("bounty", "b")}))
    first, second = plan_for(expected_of(replace(bare, table=table)), damage).steps
    assert isinstance(first.action, AddColumn)
    assert isinstance(second.action, AddColumn)
    assert (first.object, first.action.constraints) == ("b", ())
    assert (second.object, second.action.constraints) == ("a", (constraint,))
    assert second.action.indexes == ()
    assert second.waits_for == ("add_column:public.bounty.b",)


def test_an_index_that_only_speaks_of_the_column_is_added_where_it_is_absent() -> None:
    bare = model("bounty", 1, columns=(Column("name", "text"), Column("rank", "integer")))
    partial = index("bounty", "name", where="(rank > 0)")
    expected = expected_of(replace(bare, table=replace(bare.table, indexes=(*bare.table.indexes, partial))))
    damage = Damage(columns=frozenset({("bounty", "rank")}))
    [absent] = plan_for(expected, damage).steps
    kept = Layout.of(
        replace(table, indexes=(*table.indexes, partial)) for table in observed_after(expected, damage).tables.values()
    )
    [present] = make_plan(expected, kept, drifts_of(expected, damage), application_role="app_user").steps
    assert isinstance(absent.action, AddColumn)
    assert isinstance(present.action, AddColumn)
    assert (absent.action.indexes, present.action.indexes) == ((partial,), ())


def test_a_generated_column_waits_for_the_one_it_is_computed_from() -> None:
    computed = Column("doubled", "integer", generated="s", default="(rank * 2)")
    table = model("bounty", 1, columns=(computed, Column("rank", "integer")), later={"doubled": 2, "rank": 3})
    damage = Damage(columns=frozenset({("bounty", "doubled"), ("bounty", "rank")}))
    assert short(plan_for(expected_of(table), damage).steps) == ["add_column:bounty.rank", "add_column:bounty.doubled"]


# ------------------------------------------------------------------------------------------- what gets no step, and why


def test_what_is_undecided_gets_no_step_and_stays_listed() -> None:
    drifts = tuple(
        replace(drift, undecided="it may belong to an environment of its own")
        for drift in drifts_of(INCIDENT, Damage(misplaced=ASTRAY))
    )
    plan = make_plan(INCIDENT, observed_after(INCIDENT, Damage(misplaced=ASTRAY)), drifts, application_role="app_user")
    assert plan.is_empty
    assert len(plan.drifts) == 5
    assert plan.chains


def stake(**more: object) -> tuple[ExpectedLayout, Damage]:
    column = replace(Column("stake", "integer", nullable=False), **more)
    return expected_of(model("bounty", 1, columns=(column,))), Damage(columns=frozenset({("bounty", "stake")}))


def test_a_not_null_column_without_a_value_for_the_rows_gets_no_step() -> None:
    expected, damage = stake()
    observed = with_rows(observed_after(expected, damage), RowEvidence(counted=3))
    plan = make_plan(expected, observed, drifts_of(expected, damage), application_role="app_user")
    assert plan.is_empty
    assert "--fill bounty.stake=" in plan.drifts[0].undecided


@pytest.mark.parametrize("more", [{"default": "1"}, {"fill": "1"}, {"nullable": True}, {"identity": "d"}])
def test_a_column_that_brings_its_own_value_gets_its_step(more: dict[str, object]) -> None:
    expected, damage = stake(**more)
    observed = with_rows(observed_after(expected, damage), RowEvidence(counted=3))
    [step] = make_plan(expected, observed, drifts_of(expected, damage), application_role="app_user").steps
    assert isinstance(step.action, AddColumn)
    assert step.action.column == expected.tables[TableName(TARGET, "bounty")].table.column("stake")


def test_a_not_null_column_of_a_table_that_was_seen_empty_needs_no_value() -> None:
    expected, damage = stake()
    observed = with_rows(observed_after(expected, damage), EMPTY)
    plan = make_plan(expected, observed, drifts_of(expected, damage), application_role="app_user")
    assert short(plan.steps) == ["add_column:bounty.stake"]


def test_one_value_for_all_rows_cannot_be_unique() -> None:
    expected, damage = stake(default="1")
    [table] = expected.tables.values()
    constraint, serving = unique("bounty", "stake")
    table = replace(
        table,
        table=replace(
            table.table,
            constraints=(*table.table.constraints, constraint),
            indexes=(*table.table.indexes, serving),
        ),
    )
    observed = with_rows(observed_after(expected, damage), RowEvidence(counted=3))
    plan = make_plan(expected_of(table), observed, drifts_of(expected, damage), application_role="app_user")
    assert plan.is_empty
    assert "has to be unique" in plan.drifts[0].undecided


def test_a_column_of_a_table_that_no_step_brings_to_its_place_gets_no_step() -> None:
    damage = Damage(misplaced=frozenset({BOUNTY.name.name}), columns=frozenset({(BOUNTY.name.name, "creator_id")}))
    drifts = tuple(
        replace(drift, undecided="a decision") if drift.kind is DriftKind.MISPLACED_TABLE else drift
        for drift in drifts_of(INCIDENT, damage)
    )
    plan = make_plan(INCIDENT, observed_after(INCIDENT, damage), drifts, application_role="app_user")
    assert plan.is_empty
    assert {drift.undecided for drift in plan.drifts} == {
        "a decision",
        "no step brings public.user_profile_bounty itself to its place",
    }


def test_a_key_to_a_table_that_stays_away_is_left_out_and_named() -> None:
    damage = Damage(missing=frozenset({RESULT.name.name, BOUNTY.name.name}))
    drifts = tuple(
        replace(drift, undecided="a decision") if drift.table == BOUNTY.name else drift
        for drift in drifts_of(INCIDENT, damage)
    )
    plan = make_plan(INCIDENT, observed_after(INCIDENT, damage), drifts, application_role="app_user")
    assert short(plan.steps) == ["create_table:bounty_result"]
    [result] = [drift for drift in plan.drifts if drift.table == RESULT.name]
    assert result.evidence == (
        "the key public.user_profile_bounty_result.bounty_id -> public.user_profile_bounty.id is not made: "
        "no step brings public.user_profile_bounty to its place",
    )


def test_a_table_whose_definition_is_not_known_is_not_created() -> None:
    expected = expected_of(replace(BOUNTY, compared=False), USER)
    plan = plan_for(expected, Damage(missing=frozenset({BOUNTY.name.name})))
    assert plan.is_empty
    assert plan.drifts[0].undecided


def test_a_table_whose_index_name_is_taken_in_the_target_is_not_moved() -> None:
    damage = Damage(misplaced=frozenset({BOUNTY.name.name}))
    observed = observed_after(INCIDENT, damage)
    other = Table(TableName(TARGET, "other"), indexes=(index(BOUNTY.name.name, "creator_id"),))
    plan = make_plan(
        INCIDENT,
        Layout.of([*observed.tables.values(), other]),
        drifts_of(INCIDENT, damage),
        application_role="app_user",
    )
    assert plan.is_empty
    assert plan.drifts[0].undecided == (
        "the name public.user_profile_bounty_creator_id_idx is taken by an index of public.other"
    )


def test_a_copy_that_two_tables_could_be_is_not_moved() -> None:
    one, other = model("bounty", 1), model("bounty", 2)
    other = replace(other, table=replace(other.table, name=TableName("own", "bounty")))
    expected, copy = expected_of(one, other), TableName(ELSEWHERE, "bounty")
    drifts = [
        Drift(DriftKind.MISPLACED_TABLE, Severity.BROKEN, table.name, copies=(copy,), made_by=table.made_by)
        for table in (one, other)
    ]
    observed = Layout.of([replace(one.table, name=copy)])
    plan = make_plan(expected, observed, drifts, application_role="app_user")
    assert plan.is_empty
    assert [drift.undecided for drift in plan.drifts] == [
        "test_schema.bounty could be public.bounty or own.bounty",
        "test_schema.bounty could be own.bounty or public.bounty",
    ]
    assert [chain.start for chain in plan.chains] == ["public.bounty", "own.bounty"]


# ---------------------------------------------------------------------------------------- locks, hazards, rows, rights


def test_healthy_tables_that_a_key_locks_are_named() -> None:
    plan = plan_for(INCIDENT, Damage(columns=frozenset({(BOUNTY.name.name, "creator_id")})))
    column, key = plan.steps
    assert [(lock.table, lock.mode, lock.healthy) for lock in column.locks] == [
        (BOUNTY.name, LockMode.ACCESS_EXCLUSIVE, False)
    ]
    assert [(lock.table, lock.mode, lock.healthy) for lock in key.locks] == [
        (BOUNTY.name, LockMode.SHARE_ROW_EXCLUSIVE, False),
        (USER.name, LockMode.SHARE_ROW_EXCLUSIVE, True),
    ]
    assert [hazard.kind for hazard in key.hazards] == [HazardKind.HEALTHY_LOCK]


def test_tables_that_the_plan_makes_are_no_locks_of_it() -> None:
    plan = plan_for(INCIDENT, Damage(missing=frozenset({BOUNTY.name.name, PARTICIPANT.name.name})))
    locked = {(step.id.partition(":")[0], lock.table) for step in plan.steps for lock in step.locks}
    assert locked == {
        ("add_foreign_key", USER.name),
        ("add_foreign_key", ENDORSEMENT.name),
        ("add_foreign_key", RESULT.name),
    }


def test_a_key_is_not_checked_for_rows_that_refer_to_what_went_away_with_the_table() -> None:
    damage = Damage(missing=frozenset({BOUNTY.name.name}))
    observed = observed_after(INCIDENT, damage)
    drifts = drifts_of(INCIDENT, damage)
    id_ = "add_foreign_key:public.user_profile_bounty_result.bounty_id->public.user_profile_bounty.id"
    unknown = make_plan(INCIDENT, observed, drifts, application_role="app_user")
    empty = make_plan(INCIDENT, with_rows(observed, EMPTY), drifts, application_role="app_user")
    found = []
    for key in (step_of(unknown, id_), step_of(empty, id_)):
        assert isinstance(key.action, AddForeignKey)
        found.append((key.action.constraint.validated, HazardKind.ROWS_NOT_CHECKED in {h.kind for h in key.hazards}))
    assert found == [(False, True), (True, False)]


UNREACHABLE = [
    Drift(DriftKind.UNREACHABLE_TABLE, Severity.BROKEN, table.name, app=table.app, made_by=table.made_by)
    for table in (PARTICIPANT, BOUNTY)
]


def observed_with(rights: dict[TableName, Rights], default: Rights) -> Layout:
    tables = observed_after(INCIDENT, Damage()).tables.values()
    return Layout.of(replace(table, rights=rights.get(table.name, default)) for table in tables)


def test_usage_is_granted_once_for_all_tables_of_the_schema() -> None:
    observed = observed_with({}, Rights(usage=False))
    [step] = make_plan(INCIDENT, observed, UNREACHABLE, application_role="app_user").steps
    assert step.action == GrantUsage("public", "app_user")
    assert (step.id, step.cures) == ("grant_usage:public", tuple(sorted(drift.id for drift in UNREACHABLE)))


def test_what_the_role_is_due_on_a_table_that_it_cannot_read_is_granted_at_once() -> None:
    nothing = Rights(select=False, insert=False, update=False, delete=False)
    observed = observed_with({BOUNTY.name: nothing}, Rights())
    [step] = make_plan(INCIDENT, observed, [lacking("INSERT", "SELECT")], application_role="writer").steps
    assert step.action == GrantTable(BOUNTY.name, ("SELECT", "INSERT"), "writer")


def lacking(*privileges: str) -> Drift:
    return replace(UNREACHABLE[1], lacking=tuple(Grant("writer", privilege) for privilege in privileges))


def test_rights_on_a_misplaced_table_are_granted_after_its_move() -> None:
    damage = Damage(misplaced=frozenset({BOUNTY.name.name}))
    observed = Layout.of(
        replace(table, rights=Rights(select=False)) if table.name.schema == ELSEWHERE else table
        for table in observed_after(INCIDENT, damage).tables.values()
    )
    drifts = (*drifts_of(INCIDENT, damage), lacking("SELECT"))
    move, grant = make_plan(INCIDENT, observed, drifts, application_role="app_user").steps
    assert (grant.action, grant.waits_for) == (GrantTable(BOUNTY.name, ("SELECT",), "app_user"), (move.id,))


# --------------------------------------------------------------------------------------------------------------- scope


def test_an_app_takes_what_its_drifted_tables_need_through_keys_of_drifted_tables() -> None:
    league = model("league", 1, app="leagues")
    team = model("team", 2, app="teams", keys={"league_id": "league"})
    bounty = model("bounty", 3, keys={"team_id": "team"})
    unneeded = model("news", 4, app="teams", keys={"bounty_id": "bounty"})
    expected = expected_of(unneeded, bounty, team, league)
    every = frozenset({"league", "team", "bounty", "news"})
    scope = Scope(apps=("user_profile",))
    plan = plan_for(expected, Damage(misplaced=every), scope)
    assert short(plan.steps) == ["move_table:league", "move_table:team", "move_table:bounty"]
    assert [drift.id for drift in plan.left_out] == ["misplaced_table:public.news"]
    through_a_healthy_one = plan_for(expected, Damage(misplaced=every - {"team"}), scope)
    assert short(through_a_healthy_one.steps) == ["move_table:bounty"]


def test_an_app_takes_the_missing_column_that_a_key_needs_and_no_other() -> None:
    team = model("team", 2, app="teams", columns=(Column("motto", "text"),))
    expected = expected_of(team, model("bounty", 3, keys={"team_id": "team"}))
    damage = Damage(missing=frozenset({"bounty"}), columns=frozenset({("team", "id"), ("team", "motto")}))
    plan = plan_for(expected, damage, Scope(apps=("user_profile",)))
    assert short(plan.steps) == [
        "add_column:team.id",
        "create_table:bounty",
        "add_foreign_key:bounty.team_id->team.id",
    ]
    assert [drift.object for drift in plan.left_out] == ["motto"]


def test_a_selector_takes_its_neighbourhood_and_no_more() -> None:
    damage = Damage(misplaced=ASTRAY, columns=LEFT_AT)
    plan = plan_for(INCIDENT, damage, Scope(tables=(parse_selector("user_profile_bounty+1"),)))
    assert short(plan.steps) == [
        "move_table:skill_endorsement",
        "move_table:bounty",
        "move_table:bounty_participant",
        "move_table:bounty_result",
    ]
    assert len(plan.left_out) == 2
    assert plan.scope == "--table user_profile_bounty+1"


def test_notes_outside_the_scope_are_dropped_and_what_concerns_the_whole_database_stays() -> None:
    pending = Drift(DriftKind.PENDING_MIGRATION, Severity.NOTE, None, object="teams.0009", app="teams")
    own = Drift(DriftKind.PENDING_MIGRATION, Severity.NOTE, None, object="user_profile.0050", app="user_profile")
    creation = Drift(DriftKind.CREATION_SCHEMA_DIFFERS, Severity.RISKY, None, object=ELSEWHERE)
    extra = Drift(DriftKind.EXTRA_TABLE, Severity.NOTE, TableName(TARGET, "backup"))
    observed = observed_after(INCIDENT, Damage())
    plan = make_plan(
        INCIDENT, observed, (pending, own, creation, extra), application_role="a", scope=Scope(apps=("user_profile",))
    )
    assert plan.drifts == (creation, own)
    assert (plan.left_out, plan.chains, plan.steps) == ((), (), ())


def test_a_healthy_database_gives_an_empty_plan() -> None:
    assert make_plan(INCIDENT, observed_after(INCIDENT, Damage()), (), application_role="a") == Plan((), (), ())


# ---------------------------------------------------------------------------------------------------- random databases

# A slow machine is no failure.
patiently = settings(suppress_health_check=[HealthCheck.too_slow])


@st.composite
def drifted(draw: st.DrawFn) -> tuple[ExpectedLayout, Damage]:
    expected = draw(expected_layouts())
    return expected, draw(damages(expected))


@patiently
@given(drifted())
def test_each_step_comes_after_what_it_waits_for(case: tuple[ExpectedLayout, Damage]) -> None:
    steps = plan_for(*case).steps
    done: set[str] = set()
    for position, step in enumerate(steps, start=1):
        assert step.position == position
        assert done.issuperset(step.waits_for)
        assert all(step.wave > other.wave for other in steps if other.id in step.waits_for)
        done.add(step.id)
    assert len(done) == len(steps)


@patiently
@given(drifted(), st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_anything(
    case: tuple[ExpectedLayout, Damage], chance: random.Random
) -> None:
    expected, damage = case
    drifts = list(drifts_of(expected, damage))
    tables = list(expected.tables.values())
    observed = list(observed_after(expected, damage).tables.items())
    plan = plan_for(expected, damage)
    for things in (drifts, tables, observed):
        chance.shuffle(things)
    again = make_plan(expected_of(*tables), Layout(dict(observed)), drifts, application_role="app_user")
    assert repr(again) == repr(plan)


@patiently
@given(drifted())
def test_every_drift_that_can_be_cured_is_cured_by_a_step(case: tuple[ExpectedLayout, Damage]) -> None:
    plan = plan_for(*case)
    cured = {id_ for step in plan.steps for id_ in step.cures}
    assert cured == {drift.id for drift in plan.drifts}
    assert not any(drift.undecided or drift.evidence for drift in plan.drifts)


@patiently
@given(drifted())
def test_every_key_that_the_damage_took_is_made_again_once(case: tuple[ExpectedLayout, Damage]) -> None:
    expected, damage = case
    left = {key.name for table in observed_after(expected, damage).tables.values() for key in table.foreign_keys}
    made = [s.action.constraint.name for s in plan_for(*case).steps if isinstance(s.action, AddForeignKey)]
    everything = {key.name for table in expected.tables.values() for key in table.table.foreign_keys}
    assert sorted(made) == sorted(everything - left)


@patiently
@given(drifted())
def test_chains_name_every_failing_thing_once_in_the_order_of_the_steps(case: tuple[ExpectedLayout, Damage]) -> None:
    plan = plan_for(*case)
    named = [thing for chain in plan.chains for thing in chain.objects]
    assert sorted(named) == sorted({f"{d.table.name}.{d.object}".rstrip(".") for d in plan.drifts if d.table})
    position = {cure: step.position for step in reversed(plan.steps) for cure in step.cures}
    for chain in plan.chains:
        places = [
            min(position[d.id] for d in plan.drifts if d.table and f"{d.table.name}.{d.object}".rstrip(".") == thing)
            for thing in chain.objects
        ]
        assert chain.objects[0] == chain.start
        assert places == sorted(places)


@patiently
@given(drifted(), st.sampled_from(["accounts", "teams"]))
def test_a_scope_divides_the_drifts_and_adds_nothing(case: tuple[ExpectedLayout, Damage], app: str) -> None:
    everything, part = plan_for(*case), plan_for(*case, Scope(apps=(app,)))
    assert {drift.id for drift in part.drifts}.isdisjoint(drift.id for drift in part.left_out)
    assert {drift.id for drift in (*part.drifts, *part.left_out)} == {drift.id for drift in everything.drifts}
    assert {drift.id for drift in everything.drifts if drift.app == app} <= {drift.id for drift in part.drifts}
    assert {step.id for step in part.steps} <= {step.id for step in everything.steps}

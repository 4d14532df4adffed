import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AddForeignKey,
    AddNotNullProof,
    AlterColumn,
    CreateIndex,
    CreateSchema,
    CreateTable,
    EnableConstraint,
    ExchangeTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    MoveObject,
    MoveTable,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
    SetOwner,
    SetSequence,
    ShelveTable,
    ValidateConstraint,
    action_name,
)
from cascade.core.answer import Answer
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Dependant,
    Index,
    Reference,
    Table,
    TableName,
    UsedObject,
)
from cascade.core.plan import LockMode
from cascade.render.plan_json import render_plan_json
from tests.unit.render import answers

EVERY = [
    answers.incident,
    answers.healthy,
    answers.dropped,
    answers.faked,
    answers.incomplete,
    answers.undecided,
    answers.sixty_moves,
    answers.every_kind,
    answers.hand_made_copy,
]
PROMISED = {
    "schema_version plan_id complete not_checked source_revision database application_role search_path target_schema "
    "fingerprint drifts steps cascade left_out nodes edges": (),
    "id kind severity schema table object columns expected observed evidence app model migration applied": ("drifts",),
    "id position wave action schema table object cures waits_for hazards locks sql undo": ("steps",),
    "start source probe objects": ("cascade",),
    "schema table app model status": ("nodes",),
}
every_answer = pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)


def schema() -> dict[str, Any]:
    text = files("cascade.render").joinpath("plan.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(answer: Answer) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render_plan_json(answer))
    return loaded


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@every_answer
def test_every_answer_keeps_the_contract(make: Callable[[], Answer]) -> None:
    Draft202012Validator(schema()).validate(document(make()))


@pytest.mark.parametrize(("keys", "path"), PROMISED.items())
def test_the_promised_keys_are_there(keys: str, path: tuple[str, ...]) -> None:
    found: Any = document(answers.incident())
    for part in path:
        found = found[part][0]

    assert set(keys.split()) <= set(found)


def test_everything_in_the_schema_is_described() -> None:
    def properties(part: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(part, dict):
            for name, value in part.items():
                if name == "properties" and "description" in part:
                    yield from value.items()
                yield from properties(value)
        elif isinstance(part, list):
            for value in part:
                yield from properties(value)

    definitions = schema()["$defs"]
    for name, value in properties(schema()):
        target = definitions[value["$ref"].rpartition("/")[2]] if "$ref" in value else value
        assert target.get("description"), name


def test_the_schema_knows_every_kind_severity_and_lock() -> None:
    definitions = schema()["$defs"]
    lock = definitions["step"]["properties"]["locks"]["items"]["properties"]["mode"]

    assert set(definitions["kind"]["enum"]) == {kind.value for kind in DriftKind}
    assert set(definitions["drift"]["properties"]["severity"]["enum"]) == {severity.value for severity in Severity}
    assert set(lock["enum"]) == {mode.value for mode in LockMode}


def test_a_word_too_many_is_refused() -> None:
    assert not Draft202012Validator(schema()).is_valid({**document(answers.healthy()), "surprise": 1})


def test_what_a_step_does_is_told_without_sql() -> None:
    moving = document(answers.incident())["steps"][0]
    creating, _, keying = document(answers.dropped())["steps"]

    assert moving["action"] == "move_table"
    assert moving["details"] == {
        "from": {"schema": "test_schema", "table": "user_profile_about_item"},
        "to": {"schema": "public", "table": "user_profile_about_item"},
    }
    assert moving["sql"] == ["ALTER TABLE test_schema.user_profile_about_item SET SCHEMA public;"]
    assert moving["undo"] == ["ALTER TABLE public.user_profile_about_item SET SCHEMA test_schema;"]
    assert creating["action"] == "create_table"
    assert creating["details"]["columns"][0] == {"name": "id", "type": "bigint", "nullable": False}
    assert keying["action"] == "add_foreign_key"
    assert keying["details"]["references"]["table"] == "user_profile_bounty"
    assert keying["waits_for"] == [
        "create_table:public.user_profile_skill_endorsement",
        "create_table:public.user_profile_bounty",
    ]


A = TableName("public", "a")
BIGINT, INTEGER = Column("n", "bigint", nullable=False), Column("n", "integer")
UNIQUE = Constraint("a_n_uniq", ConstraintKind.UNIQUE, ("n",), "UNIQUE (n)", index="a_n_uniq")
KEY = Constraint("a_n_fk", ConstraintKind.FOREIGN_KEY, ("n",), references=Reference(TableName("public", "b"), ("id",)))
INDEX = Index("a_n", ("n",), "btree (n)")
VIEW = Dependant("view", "public.v", "CREATE OR REPLACE VIEW public.v AS SELECT 1;")

ACTIONS: list[tuple[Action, dict[str, Any]]] = [
    (CreateSchema("attic"), {"schema": "attic"}),
    (MoveTable(TableName("x", "a"), A), {"from": {"schema": "x", "table": "a"}}),
    (
        ExchangeTable(TableName("x", "a"), A, "attic", carried=(VIEW,)),
        {"carried": [{"kind": "view", "name": "public.v"}]},
    ),
    (ShelveTable(A, "attic", is_shell=False), {"attic": "attic", "is_shell": False}),
    (CreateTable(Table(A, columns=(BIGINT,), constraints=(UNIQUE,), indexes=(INDEX,))), {"indexes": ["a_n"]}),
    (
        MoveObject(UsedObject("type", "x", "mood", None, "a.n"), "public"),
        {"object": {"kind": "type", "name": "mood"}, "to": "public"},
    ),
    (AddColumn(A, BIGINT, (UNIQUE,), (INDEX,)), {"column": {"name": "n", "type": "bigint", "nullable": False}}),
    (AlterColumn(A, INTEGER, BIGINT, ("type",)), {"aspects": ["type"]}),
    (AddNotNullProof(A, "n", "a_n_not_null"), {"column": "n", "proof": "a_n_not_null"}),
    (SetNotNull(A, "n"), {"column": "n", "proof": ""}),
    (AddForeignKey(A, KEY), {"name": "a_n_fk", "columns": ["n"]}),
    (RepointForeignKey(A, KEY, KEY), {}),
    (AddConstraint(A, UNIQUE, INDEX), {"constraint": {"name": "a_n_uniq", "kind": "unique", "columns": ["n"]}}),
    (ReplaceConstraint(A, UNIQUE, UNIQUE, using_index=True), {"found_index": None, "using_index": True}),
    (ValidateConstraint(A, KEY), {}),
    (EnableConstraint(A, KEY), {}),
    (CreateIndex(A, INDEX, concurrently=True), {"concurrently": True}),
    (
        ReplaceIndex(A, INDEX, INDEX, "cascade_replaced_a_n"),
        {"found": {"name": "a_n", "columns": ["n"], "unique": False}, "aside": "cascade_replaced_a_n"},
    ),
    (RebuildIndex(A, INDEX), {}),
    (SetSequence(A, "n", TableName("public", "a_n_seq")), {"increment": 1}),
    (SetOwner(A, "migrator", "postgres"), {"owner": "migrator", "was": "postgres"}),
    (GrantUsage("public", "app_user"), {"schema": "public", "role": "app_user"}),
    (GrantTable(A, ("SELECT", "INSERT"), "app_user"), {"privileges": ["SELECT", "INSERT"], "role": "app_user"}),
    (GrantSequence(A, TableName("public", "a_n_seq"), ("USAGE",), ""), {"privileges": ["USAGE"], "role": ""}),
]


def test_every_action_is_listed_here() -> None:
    assert [type(action) for action, _ in ACTIONS] == list(get_args(Action))


@pytest.mark.parametrize(("action", "details"), ACTIONS, ids=[action_name(type(action)) for action, _ in ACTIONS])
def test_each_action_says_its_details_in_the_form_of_the_schema(action: Action, details: dict[str, Any]) -> None:
    answer = answers.faked()
    step = replace(answer.plan.steps[0], action=action)
    found = document(replace(answer, plan=replace(answer.plan, steps=(step,))))

    Draft202012Validator(schema()).validate(found)
    assert found["steps"][0]["action"] == action_name(type(action))
    assert found["steps"][0]["details"].items() >= details.items()


def test_what_is_left_out_has_the_form_of_a_drift() -> None:
    found = document(answers.incident())

    assert found["left_out"][0]["id"] == "missing_column:public.teams_teammembership.left_at"
    assert found["left_out"][0]["migration"] == "teams.0003_teammembership_left_at"
    assert set(found["left_out"][0]) == set(found["drifts"][0])


def test_a_node_tells_the_worst_finding_on_its_table() -> None:
    status = {node["table"]: node["status"] for node in document(answers.incident())["nodes"]}

    assert status["user_profile_bounty"] == "misplaced_table"
    assert status["teams_teammembership"] == "missing_column"
    assert status["accounts_user"] == "in_place"


def test_an_edge_is_a_key_from_the_referencing_table() -> None:
    edges = [edge for edge in document(answers.incident())["edges"] if edge["table"] == "user_profile_bounty_result"]

    assert [(edge["columns"], edge["references"]["table"]) for edge in edges] == [
        (["bounty_id"], "user_profile_bounty"),
        (["winner_id"], "accounts_user"),
    ]


def test_rows_beyond_the_limit_of_counting_are_not_called_exact() -> None:
    copies = document(answers.undecided())["drifts"][0]["copies"]

    assert copies[0]["rows"] == {
        "counted": 10_000,
        "exact": False,
        "estimate": 2_000_000,
        "unknown_because": None,
    }
    assert copies[1]["rows"]["unknown_because"] == "locked by pid 22"


def test_letters_stay_letters_and_the_text_ends_in_a_newline() -> None:
    text = render_plan_json(answers.sixty_moves())

    assert "größe des 日本 tables" in text
    assert text.endswith("}\n")
    assert text.startswith('{\n  "schema_version": 1,\n')


@every_answer
def test_equal_answers_give_equal_bytes(make: Callable[[], Answer]) -> None:
    assert render_plan_json(make()) == render_plan_json(make())
    assert answers.PASSWORD not in render_plan_json(make())

"""What `cascade explain NAME` says of a part of a table, a migration, a schema and a finding."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.explanation import Explanation
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import MigrationKey, PendingMigration
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Counter,
    Layout,
    RowEvidence,
    Sequence,
    Table,
    TableName,
)
from cascade.core.observed import SchemaFacts
from cascade.core.plan import Plan
from cascade.core.topics import FindingTopic, MigrationTopic, Part, SchemaTopic, find_topics
from cascade.errors import CascadeError, NoSuchName
from cascade.render.explain import render_kind
from cascade.render.explain_topics import render_topic
from cascade.render.paragraphs import columns
from tests.unit.render import answers

TEAM = TableName("public", "teams_team")


def explained(name: str, answer: Answer, width: int = 100) -> str:
    first, *others = find_topics(name, answer)
    return render_topic(first, others, answer, width=width)


def section(text: str, label: str) -> str:
    """The paragraph with this label, in one line."""
    found = re.search(rf"^{label}(?: |\n)(.*?)(?=^\S|^$|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no {label} in\n{text}"
    return " ".join(found[1].split())


def with_team(answer: Answer, change: Callable[[Table], Table], *, both: bool = False) -> Answer:
    """The answer with another table of teams observed, or expected as well."""
    tables = {**answer.observed.layout.tables, TEAM: change(answer.observed.layout.tables[TEAM])}
    answer = replace(answer, observed=replace(answer.observed, layout=Layout.of(tables.values())))
    if not both:
        return answer
    expected = answer.expected.tables[TEAM]
    changed = {**answer.expected.tables, TEAM: replace(expected, table=change(expected.table))}
    return replace(answer, expected=replace(answer.expected, tables=changed))


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("teams_team", Explanation),
        ("public.teams_team", Explanation),
        ("teams.Team", Explanation),
        ("bounty", Explanation),
        ("teams_team.id", Part),
        ("public.teams_team.id", Part),
        ("teams.Team.id", Part),
        ("teams_team_pkey", Part),
        ("public.teams_team.teams_team_pkey", Part),
        ("teams_teammembership_user_id", Part),
        ("teams.0001_initial", MigrationTopic),
        ("teams.0001", MigrationTopic),
        ("test_schema", SchemaTopic),
        ("missing_column:public.teams_teammembership.left_at", FindingTopic),
        ("extra_index:public.teams_team.team_lower", FindingTopic),
    ],
)
def test_a_name_means_what_bears_it(name: str, topic: type) -> None:
    assert isinstance(find_topics(name, answers.every_kind())[0], topic)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("teams_tem", "teams_team"),
        ("teams_team.idd", "teams_team.id"),
        ("tesst_schema", "test_schema"),
        ("missing_column:public.teams_teammembership.left", "missing_column:public.teams_teammembership.left_at"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(NoSuchName) as refused:
        find_topics(name, answers.every_kind())

    assert near in refused.value.near


def test_a_table_that_is_only_to_be_made_is_told_with_its_migration() -> None:
    answer = answers.healthy()
    pending = PendingMigration(MigrationKey("teams", "0009_motto"), tables=("teams_motto",))
    answer = replace(answer, expected=replace(answer.expected, pending=(pending,)))

    with pytest.raises(CascadeError, match=r"teams\.0009_motto makes it, and is not recorded as applied"):
        find_topics("teams_motto", answer)
    assert section(explained("teams.0009", answer), "PENDING") == (
        "It is not recorded as applied. It would make teams_motto."
    )


def test_what_else_a_name_could_mean_is_said_with_how_to_ask_for_it() -> None:
    answer = answers.healthy()
    schemas = (*answer.observed.schemas, SchemaFacts("teams_team", "migrator", usage=True, create=True))
    text = explained("teams_team", replace(answer, observed=replace(answer.observed, schemas=schemas)))

    assert text.startswith("public.teams_team")
    assert section(text, "ALSO").startswith("the name could also mean the schema teams_team")


def test_two_tables_with_a_constraint_of_one_name_are_both_offered() -> None:
    def same(table: Table) -> Table:
        key = Constraint("teams_teammembership_pkey", ConstraintKind.PRIMARY_KEY, ("id",), "PRIMARY KEY (id)")
        return replace(table, constraints=(key,))

    also = section(explained("teams_teammembership_pkey", with_team(answers.healthy(), same, both=True)), "ALSO")

    assert "the constraint teams_teammembership_pkey of public.teams_teammembership" in also
    assert "cascade explain public.teams_teammembership.teams_teammembership_pkey" in also


def test_a_column_in_order_is_shown_on_both_sides_with_its_migration() -> None:
    text = explained("teams_team.id", answers.healthy())

    assert section(text, "OK") == "It is there as the applied migrations made it."
    assert section(text, "IS") == (
        "expected id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY "
        "found in public.teams_team id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY"
    )
    assert section(text, "MADE BY").startswith("teams.0001_initial, recorded 2025-12-31")


def test_a_constraint_under_another_name_is_the_same_constraint() -> None:
    def renamed(table: Table) -> Table:
        return replace(table, constraints=tuple(replace(c, name="by_hand") for c in table.constraints))

    answer = with_team(answers.healthy(), renamed)

    for name in ("teams_team_pkey", "by_hand"):
        assert section(explained(name, answer), "OK").endswith("under the name by_hand.")


def test_a_different_column_shows_both_definitions_and_the_query() -> None:
    answer = answers.every_kind()

    def budget(type_: str) -> Callable[[Table], Table]:
        return lambda table: replace(table, columns=(*table.columns, Column("budget", type_, nullable=False)))

    expected = with_team(answer, budget("numeric(12,2)"), both=True).expected
    answer = replace(with_team(answer, budget("numeric(10,2)")), expected=expected)
    text = explained("teams_team.budget", answer)

    assert "teams_team.budget is numeric(10,2) NOT NULL, expected numeric(12,2) NOT NULL" in section(text, "RISKY")
    assert section(text, "IS") == (
        "expected budget numeric(12,2) NOT NULL found in public.teams_team budget numeric(10,2) NOT NULL"
    )
    assert section(text, "QUERY") == "SELECT attname FROM pg_attribute;"


def test_a_sequence_says_where_it_stands() -> None:
    name = TableName("public", "teams_team_id_seq")
    sequence = Sequence(name, "bigint", 1, 1, 1, 2**63 - 1, 1, cycle=False)

    def counting(table: Table) -> Table:
        drawn = replace(table.columns[0], sequence=sequence)
        return replace(table, columns=(drawn, *table.columns[1:]), counters=(Counter("id", name, 7, 40),))

    text = explained("teams_team_id_seq", with_team(answers.healthy(), counting, both=True))

    assert "public.teams_team_id_seq, from which the column id draws" in section(text, "IS")
    assert section(text, "IS").endswith("next value 7 highest in the column 40")


def test_a_migration_says_what_it_made_and_where_that_is() -> None:
    text = explained("user_profile.0038", answers.incident())

    assert "Recorded as applied 2025-12-31 13:03:38 UTC." in section(text, "RECORD")
    made = section(text, "MADE")
    assert "user_profile_bounty in test_schema; belongs in public" in made
    assert "user_profile_bounty_participant in test_schema; belongs in public" in made
    assert "user_profile_bounty_result" not in made


def test_a_schema_says_whose_it_is_and_what_lies_in_it() -> None:
    text = explained("test_schema", answers.incident())

    assert section(text, "SCHEMA") == (
        "It belongs to migrator. app_user may USE it; migrator may create in it. "
        "It is not on the search_path of app_user, which is public."
    )
    assert section(text, "BROKEN").startswith("7 tables of user_profile are in test_schema")
    assert "belong elsewhere 7: " in section(text, "HOLDS")


def test_a_finding_comes_with_its_meaning_and_one_that_is_accepted_with_the_reason() -> None:
    found = explained(
        "missing_constraint:public.teams_teammembership.teams_teammembership_user_id_fk", answers.every_kind()
    )
    accepted = explained("extra_index:public.teams_team.team_lower", answers.every_kind())

    assert "The foreign key teams_teammembership.user_id -> accounts_user is missing" in section(found, "RISKY")
    assert "Why it matters: Rows that break the rule are let in" in section(found, "MEANING")
    assert section(accepted, "IGNORED") == (
        "by settings: extra_index teams_team.team_lower: made by the DBA for the search"
    )


def test_a_table_shows_definitions_side_by_side_and_what_is_accepted() -> None:
    text = explained("teams_team", answers.every_kind())

    differs = section(text, "DIFFERS")
    assert (
        "The unique constraint on teams_team (slug, tag), teams_team_tag_uniq: different_constraint "
        "expected UNIQUE (slug, tag) found UNIQUE (slug)"
    ) in differs
    assert "expected INSERT for app_user found lacks INSERT for app_user" in differs
    assert section(text, "IGNORED").startswith("by settings: extra_index")


NAMES = ["teams_team", "teams_team.id", "teams_team_pkey", "teams.0001", "public", "test_schema", "user_profile.0038"]


@pytest.mark.parametrize("width", [60, 100])
@pytest.mark.parametrize("name", [*NAMES, *(drift.id for drift in answers.every_kind().plan.drifts)])
def test_no_page_is_wider_than_asked_but_for_a_word_or_statement_that_is(name: str, width: int) -> None:
    text = explained(name, answers.every_kind(), width)

    assert text.endswith("\n")
    for line in text.splitlines():
        if columns(line) > width and " cascade " not in line:
            assert max(len(word) for word in line.split()) > width - 40, line


def test_control_characters_in_a_name_do_not_reach_the_terminal() -> None:
    answer = answers.healthy()
    drift = Drift(DriftKind.EXTRA_TABLE, Severity.NOTE, TableName("public", "a\x1b[31mb"), observed="in public")
    text = explained(drift.id, replace(answer, plan=Plan((drift,), (), ())))

    assert "\x1b" not in text


@pytest.mark.parametrize("kind", list(DriftKind))
def test_every_kind_has_an_entry_in_the_glossary(kind: DriftKind) -> None:
    first, meaning, matters, repair = render_kind(kind).splitlines()

    assert first.split() == [kind.value, kind.facts.severity.value]
    assert meaning.endswith(".")
    assert matters.startswith("Why it matters: ")
    assert repair.startswith("Repair: ")
    assert matters.endswith(".")
    assert repair.endswith(".")


def test_rows_of_a_copy_are_part_of_the_page_of_its_schema() -> None:
    answer = answers.incident()
    copy = Table(TableName("test_schema", "strange"), rows=RowEvidence(3))
    tables = [*answer.observed.layout.tables.values(), copy]
    answer = replace(answer, observed=replace(answer.observed, layout=Layout.of(tables)))

    assert section(explained("test_schema", answer), "HOLDS").endswith("others 1")

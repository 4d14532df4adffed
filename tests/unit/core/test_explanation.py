"""What the things that a text names turn out to be, against answers made by hand."""

from dataclasses import replace

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.error_text import parse_error_text
from cascade.core.explanation import Subject, SubjectKind, identify, known_names, make_explanation
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import MigrationKey, PendingMigration
from cascade.core.layout import Column, Layout, Rights, Sequence, Table, TableName
from cascade.core.observed import SchemaFacts
from tests.unit.render.answers import BOUNTY, ENDORSEMENT, dropped, faked, healthy, incident

BOUNTY_TABLE = TableName("public", BOUNTY)


def named(text: str, answer: Answer) -> tuple[Subject, ...]:
    return identify(parse_error_text(text), answer)


def only(text: str, answer: Answer) -> Subject:
    (subject,) = named(text, answer)
    return subject


def with_tables(answer: Answer, *tables: Table) -> Answer:
    """The answer, its database holding these tables too, or instead of those of that name."""
    layout = Layout.of([*{**answer.observed.layout.tables, **{table.name: table for table in tables}}.values()])
    return replace(answer, observed=replace(answer.observed, layout=layout))


def with_pending(answer: Answer, *pending: PendingMigration) -> Answer:
    notes = tuple(
        Drift(DriftKind.PENDING_MIGRATION, Severity.NOTE, None, object=str(migration.key), app=migration.key.app)
        for migration in pending
    )
    plan = replace(answer.plan, drifts=(*answer.plan.drifts, *notes))
    return replace(answer, plan=plan, expected=replace(answer.expected, pending=pending))


def test_a_table_is_found_with_its_drift_its_step_its_cause_and_what_fails_next() -> None:
    subject = only(f'relation "{BOUNTY}" does not exist', incident())
    assert subject.kind is SubjectKind.TABLE
    trouble = subject.trouble
    assert [drift.kind for drift in trouble.drifts] == [DriftKind.MISPLACED_TABLE]
    assert [step.position for step in trouble.steps] == [5]
    assert len(trouble.causes) == 1
    assert trouble.next_to_fail == ("public.user_profile_bounty_participant", "public.user_profile_bounty_result")


def test_the_last_of_its_chain_has_nothing_behind_it() -> None:
    trouble = only('relation "user_profile_bounty_result" does not exist', incident()).trouble
    assert trouble.chain is not None
    assert trouble.next_to_fail == ()


def test_a_table_that_is_created_has_the_steps_of_its_keys_too() -> None:
    trouble = only(f'relation "{ENDORSEMENT}" does not exist', dropped()).trouble
    assert [step.position for step in trouble.steps] == [1, 3]


def test_a_table_in_order_is_healthy_and_says_what_the_name_leads_to() -> None:
    subject = only('relation "accounts_user" does not exist', incident())
    assert subject.trouble.is_healthy
    assert subject.explanation is not None
    assert subject.explanation.resolves_to == TableName("public", "accounts_user")


def test_a_schema_before_the_name_is_told_from_a_dot_in_it() -> None:
    in_place = only(f'relation "public.{BOUNTY}" does not exist', incident())
    elsewhere = only(f'relation "test_schema.{BOUNTY}" does not exist', incident())
    assert (in_place.asked_in, elsewhere.asked_in) == ("", "test_schema")
    assert in_place.explanation == elsewhere.explanation

    dotted = TableName("public", f"public.{BOUNTY}")
    stranger = only(f'relation "public.{BOUNTY}" does not exist', with_tables(incident(), Table(dotted)))
    assert stranger.kind is SubjectKind.STRANGER
    assert stranger.explanation is not None
    assert stranger.explanation.name == dotted


def test_a_missing_column_is_found_by_its_table_by_itself_and_by_an_alias() -> None:
    answer = _with_left_at(faked())
    statement = 'FROM "teams_team" INNER JOIN "teams_teammembership" T3 ON (1=1)'
    for text in (
        "column teams_teammembership.left_at does not exist",
        'column "left_at" of relation "teams_teammembership" does not exist',
        'column "left_at" does not exist',
        f"column T3.left_at does not exist at character 9\nSTATEMENT:  SELECT {statement}",
        "column T3.left_at does not exist",
        "Spalte teams_teammembership.left_at existiert nicht",
    ):
        subject = only(text, answer)
        assert (subject.kind, subject.column) == (SubjectKind.COLUMN, "left_at"), text
        assert [drift.object for drift in subject.trouble.drifts] == ["left_at"], text
        assert [step.object for step in subject.trouble.steps] == ["left_at"], text


def test_another_column_of_a_table_that_lacks_one_is_in_order() -> None:
    assert only("column teams_teammembership.user_id does not exist", _with_left_at(faked())).trouble.is_healthy


def test_a_column_that_several_tables_have_and_none_lacks_is_said_so() -> None:
    subject = only('column "user_id" does not exist', healthy())
    assert subject.kind is SubjectKind.COMMON_COLUMN
    assert TableName("public", "teams_teammembership") in subject.tables


def test_a_column_that_no_migration_makes_is_told_from_one_that_is_pending() -> None:
    pending = PendingMigration(MigrationKey("teams", "0004_motto"), columns=(("teams_team", "motto"),))
    answer = with_pending(healthy(), pending)
    assert only("column teams_team.moto does not exist", answer).kind is SubjectKind.UNEXPECTED_COLUMN
    subject = only("column teams_team.motto does not exist", answer)
    assert (subject.kind, subject.pending) == (SubjectKind.PENDING, pending)


def test_a_table_of_a_pending_migration_is_rightly_absent() -> None:
    pending = PendingMigration(MigrationKey("teams", "0004_sponsor"), tables=("teams_sponsor",))
    subject = only('relation "teams_sponsor" does not exist', with_pending(healthy(), pending))
    assert (subject.kind, subject.pending) == (SubjectKind.PENDING, pending)
    assert [drift.kind for drift in subject.trouble.drifts] == [DriftKind.PENDING_MIGRATION]


def test_a_table_of_a_model_without_migrations_is_no_unknown_name() -> None:
    answer = healthy()
    answer = replace(answer, expected=replace(answer.expected, known_names=frozenset({"legacy_report"})))
    assert only('relation "legacy_report" does not exist', answer).kind is SubjectKind.MODEL_ONLY


def test_a_sequence_leads_to_the_table_that_owns_it() -> None:
    sequence = Sequence(TableName("test_schema", "bounty_id_seq"), "bigint", 1, 1, 1, 9, 1, cycle=False)
    owner = Table(TableName("test_schema", BOUNTY), columns=(Column("id", "bigint", sequence=sequence),))
    subject = only('relation "bounty_id_seq" does not exist', with_tables(incident(), owner))
    assert subject.explanation is not None
    assert subject.explanation.name == BOUNTY_TABLE


def test_a_name_that_does_not_end_is_read_as_the_longest_that_is_known() -> None:
    odd = TableName("public", "my odd table")
    answer = with_tables(healthy(), Table(odd), Table(TableName("public", "my")))
    subject = only("permission denied for table my odd table now", answer)
    assert subject.explanation is not None
    assert subject.explanation.name == odd


def test_a_schema_is_found_with_the_tables_that_nobody_reaches_in_it() -> None:
    answer = healthy()
    drift = Drift(DriftKind.UNREACHABLE_TABLE, Severity.BROKEN, BOUNTY_TABLE, observed="app_user lacks USAGE")
    closed = SchemaFacts("public", "migrator", usage=False, create=True)
    answer = replace(
        answer,
        plan=replace(answer.plan, drifts=(drift,)),
        observed=replace(answer.observed, schemas=(closed, *answer.observed.schemas[1:])),
    )
    subject = only("permission denied for schema public at character 9", answer)
    assert (subject.kind, subject.schema, subject.trouble.drifts) == (SubjectKind.SCHEMA, closed, (drift,))


def test_an_unknown_name_has_the_nearest_ones_beside_it() -> None:
    subject = only('relation "public.user_profile_bountys" does not exist', incident())
    assert subject.kind is SubjectKind.UNKNOWN
    assert BOUNTY in subject.near


def test_things_stand_in_the_order_of_the_text_and_once() -> None:
    text = f'relation "{BOUNTY}" does not exist; relation "{ENDORSEMENT}" does not exist; relation "public.{BOUNTY}"'
    found = named(f"{text} does not exist", incident())
    assert [s.explanation.name.name for s in found if s.explanation] == [BOUNTY, ENDORSEMENT]


def test_a_guess_counts_only_where_it_is_known_and_a_drifted_one_before_a_healthy_one() -> None:
    text = f"Relation »accounts_user« hängt an »{BOUNTY}«, »nichts« fehlt"
    assert [s.mention.name for s in named(text, incident())] == [BOUNTY]
    assert [s.mention.name for s in named(text, healthy())] == ["accounts_user", BOUNTY]
    assert named("Guten Morgen »Welt«", incident()) == ()


def test_a_module_path_in_a_text_is_no_table_of_its_last_word() -> None:
    assert named("apps.accounts.accounts_user in backend.accounts_user", healthy()) == ()


def test_keys_that_point_at_any_copy_are_listed_the_expected_ones_first() -> None:
    answer = incident()
    expected = answer.expected.tables[BOUNTY_TABLE]
    referring = make_explanation(expected, answer).referring
    assert [(key.table.name, key.expected) for key in referring] == [
        ("user_profile_bounty_participant", True),
        ("user_profile_bounty_result", True),
        (ENDORSEMENT, True),
    ]


def test_a_place_says_what_the_application_role_finds() -> None:
    answer = incident()
    explanation = make_explanation(answer.expected.tables[BOUNTY_TABLE], answer)
    (place,) = explanation.places
    assert (place.belongs, place.resolves, explanation.resolves_to) == (False, False, None)
    assert place.ownership is not None

    lacking = replace(answer.observed.layout.tables[place.table.name], rights=Rights(select=False))
    (place,) = make_explanation(answer.expected.tables[BOUNTY_TABLE], with_tables(answer, lacking)).places
    assert not place.table.rights.select


def test_a_text_can_have_meant_tables_models_and_pending_tables() -> None:
    pending = PendingMigration(MigrationKey("teams", "0004_sponsor"), tables=("teams_sponsor",))
    names = known_names(with_pending(healthy(), pending))
    assert {BOUNTY, "user_profile.Bounty", "teams_sponsor"} <= set(names)


def _with_left_at(answer: Answer) -> Answer:
    """The answer whose expected side knows the column that is missing."""
    name = TableName("public", "teams_teammembership")
    membership = answer.expected.tables[name]
    columns = (*membership.table.columns, Column("left_at", "timestamp with time zone"))
    longer = replace(membership, table=replace(membership.table, columns=columns))
    return replace(answer, expected=replace(answer.expected, tables={**answer.expected.tables, name: longer}))

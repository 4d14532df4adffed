import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.expected import NotChecked
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Layout, Rights, RowEvidence, TableName
from cascade.core.placement import SkippedSchema
from cascade.render.paragraphs import columns
from cascade.render.text import render_check, render_text
from tests.unit.render import answers

GOLDEN = Path(__file__).parent / "golden"
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
every_answer = pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)


def section(text: str, label: str) -> str:
    """The paragraph with this label, in one line."""
    found = re.search(rf"^{label} (.*?)(?=^\S|^$|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no {label} in\n{text}"
    return " ".join(found[1].split())


def test_the_first_screen_of_the_incident_is_as_agreed() -> None:
    text = render_text(answers.incident())

    assert text == (GOLDEN / "plan_incident.txt").read_text(encoding="utf-8")


def test_the_incident_fits_on_45_lines_of_100_columns() -> None:
    lines = render_text(answers.incident()).splitlines()

    assert len(lines) <= 45
    assert max(len(line) for line in lines) <= 100


def test_the_parts_come_in_the_order_in_which_they_are_asked_for() -> None:
    labels = re.findall(r"^([A-Z]+(?: [A-Z]+)?) ", render_text(answers.incident()), re.MULTILINE)

    assert labels == [
        *("BROKEN", "ROWS", "CAUSE", "CASCADE", "STEPS", "LOCKS", "RIGHTS", "LEFT OUT", "STOPGAP", "NEXT"),
    ]


def test_the_header_says_where_when_whose_eyes_and_that_nothing_was_changed() -> None:
    header = " ".join(render_text(answers.incident()).partition("\n\n")[0].split())

    for said in (
        "arena on 127.0.0.1:5432",
        "PostgreSQL 15.18",
        "read at 2026-01-14 03:12:07 UTC in 1.9 s",
        "Read as migrator",
        "Pages run as app_user, search_path public (ALTER ROLE app_user IN DATABASE arena)",
        "46 applied migrations, built in pg_temp and rolled back",
        "Nothing was changed",
    ):
        assert said in header


def test_a_schema_that_postgresql_passes_over_is_named_with_the_reason() -> None:
    answer = answers.incident()
    path = replace(answer.placement.path, skipped=(SkippedSchema("secret", "app_user may not USE it"),))
    text = render_text(replace(answer, placement=replace(answer.placement, path=path)))

    assert "secret is passed over: app_user may not USE it" in " ".join(text.split())


@every_answer
@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_asked_but_for_a_word_that_is(make: Callable[[], Answer], width: int) -> None:
    for line in render_text(make(), width=width).splitlines():
        if columns(line) > width and " cascade " not in line and " psql " not in line:  # what is typed stays whole
            words = re.findall(r'(?:"(?:[^"]|"")*"|\S)+', line)
            assert len(words) == 1 or max(columns(word) for word in words) > width - 40, line


def test_no_name_is_cut_however_narrow_the_page() -> None:
    text = render_text(answers.sixty_moves(), verbose=True, width=60)

    for name in ('"Order ""Line"" <b>&amp;</b>"', '"größe des 日本 tables"', "x" * 63, '"percent%s; dot.name"'):
        assert f"test_schema.{name}" in text


def test_control_characters_in_a_name_do_not_reach_the_terminal() -> None:
    for text in (
        render_text(answers.sixty_moves(), verbose=True),
        render_check(answers.sixty_moves()),
    ):
        assert "\x1b" not in text
        assert r"new\x0aline\x1b[31m" in text


def test_like_moves_are_summed_up_above_twelve_steps_and_listed_with_verbose() -> None:
    short = render_text(answers.sixty_moves())
    long = render_text(answers.sixty_moves(), verbose=True)

    assert "60 × ALTER TABLE test_schema.… SET SCHEMA public;" in short
    assert "basket 20, catalogue 20, orders 20; -v lists them" in short
    assert len(short.splitlines()) <= 45
    assert long.count("SET SCHEMA public;") == 60


def test_a_create_table_says_how_much_it_makes_and_all_of_it_with_verbose() -> None:
    short = render_text(answers.dropped())
    long = render_text(answers.dropped(), verbose=True)

    assert "CREATE TABLE public.user_profile_bounty (… 3 columns, 1 constraint …); and 2 indexes" in short
    assert "CREATE INDEX user_profile_bounty_match_id" not in short
    assert "CREATE INDEX user_profile_bounty_match_id" in long


def test_healthy_tables_that_a_step_locks_are_named() -> None:
    assert "Healthy tables locked too: accounts_user (SHARE ROW EXCLUSIVE)." in section(
        render_text(answers.dropped()), "LOCKS"
    )


def test_a_hazard_is_told_with_the_word_that_accepts_it() -> None:
    hazards = section(render_text(answers.dropped()), "HAZARDS")

    assert "0028_fill.py:7 (data_migration_will_not_rerun, step 3)" in hazards


def test_what_the_scope_leaves_out_and_still_breaks_is_told() -> None:
    left_out = section(render_text(answers.incident()), "LEFT OUT")

    assert left_out.startswith("by --app user_profile: teams_teammembership.left_at is missing (recorded: teams.0003).")
    assert "still fail" in left_out


def test_a_stopgap_comes_with_its_reverse_and_one_that_cannot_be_had_with_the_reason() -> None:
    had = section(render_text(answers.incident()), "STOPGAP")
    refused = section(render_text(answers.faked()), "STOPGAP")

    assert "SET search_path = public, test_schema;" in had
    assert "restart the workers" in had
    assert had.endswith("Reverse: ALTER ROLE app_user IN DATABASE arena SET search_path = public;")
    assert refused == "none by search_path alone: not all that is broken lies complete in one other schema."


def test_only_commands_that_exist_are_proposed() -> None:
    for make in EVERY:
        commands = re.findall(r"\bcascade (\w+)", render_text(make()))
        assert set(commands) <= {"plan", "rehearse", "apply", "explain", "check", "could"}


def test_a_healthy_database_gets_a_short_text_that_says_what_was_compared() -> None:
    text = render_text(answers.healthy())

    assert section(text, "OK") == (
        "No drift. There is nothing to repair. Compared: place, right to read, columns with type, nullability, "
        "default, identity and collation, constraints, foreign keys, indexes, sequences and privileges of 12 tables "
        "with 30 columns, 30 constraints and 18 indexes, as 46 applied migrations made them."
    )
    assert len(text.splitlines()) <= 10


def test_no_drift_is_never_said_when_something_was_not_checked() -> None:
    text = " ".join(render_text(answers.incomplete()).split())

    assert "No drift" not in text
    assert "could not look everywhere" in text
    assert "because" not in text
    assert "Why: it is locked ACCESS EXCLUSIVE by pid 22." in text
    assert "To have it checked: ask again when that session has ended." in text
    assert "No drift" not in render_check(answers.incomplete())


def test_what_was_not_checked_is_told_beside_findings_too() -> None:
    gaps = (NotChecked("the rest", "the server is a read-only replica", "use --reference DSN"),)
    text = render_text(replace(answers.incident(), not_checked=gaps))

    assert section(text, "UNSURE") == (
        "Not checked: the rest. Why: the server is a read-only replica. To have it checked: use --reference DSN."
    )


def test_where_no_migration_is_applied_nothing_is_called_healthy() -> None:
    answer = answers.healthy()
    empty = replace(answer, expected=replace(answer.expected, tables={}, applied_count=0))

    assert "nothing is expected" in section(render_text(empty), "EMPTY")


def test_what_is_undecided_names_the_option_that_decides_it() -> None:
    decide = section(render_text(answers.undecided()), "DECIDE")

    assert "user_profile_bounty: it lies in 2 schemas (old, test_schema): say which copy counts." in decide
    assert "Decide with --take user_profile_bounty=old" in decide


def test_rows_of_several_copies_are_told_copy_by_copy() -> None:
    rows = section(render_text(answers.undecided()), "ROWS")

    assert "~2,000,000 rows in old, rows unknown (locked by pid 22) in test_schema" in rows
    assert "teams_team is there twice: 8 rows in public, 3 rows in aaa." in rows


def test_rows_that_nobody_could_count_are_not_called_all_there() -> None:
    answer = answers.incident()
    unknown = RowEvidence(None, None, "SELECT is not granted")
    drifts = (replace(answer.plan.drifts[0], rows=(unknown,)), *answer.plan.drifts[1:])
    text = render_text(replace(answer, plan=replace(answer.plan, drifts=drifts)))

    assert section(text, "ROWS") == (
        "There, one copy each, in test_schema: 740 rows in 4 tables, 2 tables empty, "
        "1 table whose rows are unknown (SELECT is not granted)."
    )


def test_notes_take_few_lines() -> None:
    notes = section(render_text(answers.undecided()), "NOTES")

    assert "rightly absent: teams.0004_motto." in notes
    assert "In public, expected by no applied migration: backup_2019." in notes
    assert "2 records have no file in this checkout" in notes


def test_tables_of_another_owner_are_told() -> None:
    answer = answers.incident()
    tables = [replace(table, owner="alice", alterable=False) for table in answer.observed.layout.tables.values()]
    text = render_text(replace(answer, observed=replace(answer.observed, layout=Layout.of(tables))))

    assert section(text, "RIGHTS").startswith("migrator may alter none of the 7 tables (alice owns 7: run it")


def test_a_member_of_the_owner_and_a_superuser_may_alter_what_they_do_not_own() -> None:
    answer = answers.incident()
    tables = [replace(table, owner="alice") for table in answer.observed.layout.tables.values()]
    text = render_text(replace(answer, observed=replace(answer.observed, layout=Layout.of(tables))))

    assert section(text, "RIGHTS").startswith("migrator may alter all 7 and may create in public.")


def test_a_schema_that_the_connected_role_may_not_use_is_told_before_it_runs_the_plan() -> None:
    answer = answers.incident()
    schemas = tuple(replace(s, connected_usage=s.name == "public") for s in answer.observed.schemas)
    text = render_text(replace(answer, observed=replace(answer.observed, schemas=schemas)))

    assert "may not use test_schema, so it cannot alter what is there" in " ".join(section(text, "RIGHTS").split())


def test_sequences_that_pages_may_not_use_are_told_with_the_rights() -> None:
    answer = answers.incident()
    tables = [replace(t, rights=Rights(sequences=False)) for t in answer.observed.layout.tables.values()]
    text = " ".join(render_text(replace(answer, observed=replace(answer.observed, layout=Layout.of(tables)))).split())

    assert "app_user lacks USAGE on the sequences of" in text
    assert "may read and write" not in text


def test_tables_without_a_row_are_not_called_all_there() -> None:
    answer = answers.incident()
    drifts = tuple(replace(d, rows=tuple(RowEvidence(0) for _ in d.rows)) for d in answer.plan.drifts)
    text = render_text(replace(answer, plan=replace(answer.plan, drifts=drifts)))

    assert section(text, "ROWS").startswith("There, ")


@pytest.mark.parametrize("make", [answers.every_kind, answers.hand_made_copy], ids=lambda make: make.__name__)
def test_the_first_screen_of_many_findings_is_as_agreed(make: Callable[[], Answer]) -> None:
    assert render_text(make()) == (GOLDEN / f"plan_{make.__name__}.txt").read_text(encoding="utf-8")


def test_a_check_of_every_kind_is_as_agreed() -> None:
    text = render_check(answers.every_kind(), verbose=True)

    assert text == (GOLDEN / "check_every_kind.txt").read_text(encoding="utf-8")
    assert max(len(line.rpartition("  [")[0] or line) for line in text.splitlines()) <= 160


def test_a_copy_made_by_hand_is_told_on_one_screen_table_by_table() -> None:
    text = render_text(answers.hand_made_copy())

    assert section(text, "BROKEN").endswith("And with it: 1 foreign key and 1 index.")
    risky = section(text, "RISKY")
    assert risky.startswith(f"{answers.ENDORSEMENT}: 4 foreign keys missing (match_id -> tournament_engine_match_match")
    assert "6 indexes missing (" in risky
    assert len(text.splitlines()) <= 30


def test_two_indexes_over_the_same_columns_are_told_apart_by_their_names() -> None:
    risky = section(render_text(answers.hand_made_copy(), verbose=True), "RISKY")

    assert f"match_id as {answers.ENDORSEMENT}_match_id" in risky
    assert f"match_id as {answers.ENDORSEMENT}_match_like" in risky


def _different(*columns: str) -> tuple[Drift, ...]:
    return tuple(
        Drift(
            DriftKind.DIFFERENT_COLUMN,
            Severity.RISKY,
            TableName("public", "teams_team"),
            object=column,
            columns=(column,),
            aspects=("type",),
            expected=f"{column} numeric(12,2)",
            observed=f"{column} numeric(10,2)",
            made_by=answers.Made("teams", "", "0004_budget").made_by,
        )
        for column in columns
    )


def test_a_difference_alone_is_told_with_both_definitions_and_its_migration() -> None:
    answer = answers.healthy()
    text = render_text(replace(answer, plan=replace(answer.plan, drifts=_different("budget"))))

    assert section(text, "RISKY") == "teams_team.budget is numeric(10,2), expected numeric(12,2) (since teams.0004)."


def test_like_differences_are_put_together() -> None:
    answer = answers.healthy()
    text = render_text(replace(answer, plan=replace(answer.plan, drifts=_different(*"abcdefg"))))

    assert section(text, "RISKY") == (
        "7 columns of teams_team are of another type than expected: a, b, c, d and 3 more (since teams.0004)."
    )


def test_explained_differences_are_counted_and_told_each_with_verbose() -> None:
    assert "1 difference is the doing of migrations' own SQL or Python (extra_constraint 1); -v lists them." in section(
        render_text(answers.every_kind()), "NOTES"
    )
    assert "Explained by RunSQL in teams.0003_search (apps/teams/migrations/0003_search.py:8)." in section(
        render_text(answers.every_kind(), verbose=True), "NOTES"
    )


def test_what_no_step_cures_is_told_by_kind_with_its_repair() -> None:
    by_hand = section(render_text(answers.hand_made_copy()), "BY HAND")

    assert "missing_index (6): Make it; CONCURRENTLY on a large table." in by_hand
    assert "BY HAND" not in render_text(answers.incident())
    assert "BY HAND" not in render_text(answers.dropped())


def test_what_the_settings_accept_is_told_with_the_reason_and_counts_as_no_finding() -> None:
    answer = replace(answers.healthy(), ignored=answers.every_kind().ignored)

    assert section(render_text(answer), "IGNORED") == (
        "1 by settings: extra_index teams_team.team_lower (made by the DBA for the search)."
    )
    assert "No drift." in render_text(answer)
    assert render_check(answer).startswith("No drift; 1 ignored by settings: compared place")
    assert len(render_check(answer).splitlines()) == 1
    assert render_check(answer, verbose=True).splitlines()[0] == (
        "ignored    extra_index  teams_team.team_lower: made by the DBA for the search  "
        "[extra_index:public.teams_team.team_lower]"
    )


@pytest.mark.parametrize("kind", list(DriftKind))
@pytest.mark.parametrize("severity", list(Severity))
def test_every_kind_of_finding_has_words(kind: DriftKind, severity: Severity) -> None:
    drifts = tuple(
        Drift(kind, severity, TableName("public", name), "thing", observed="seen so", app="teams")
        for name in ("a", "b")
    )
    for found in (drifts[:1], drifts):
        answer = answers.healthy()
        answer = replace(answer, plan=replace(answer.plan, drifts=found))
        text = render_text(answer)
        assert ("No drift" in text) == (severity is Severity.NOTE)
        assert render_check(answer, verbose=True).count("[") == len(found)


def test_colours_are_there_only_when_asked_for() -> None:
    plain, coloured = render_text(answers.incident()), render_text(answers.incident(), colour=True)

    assert "\x1b[" not in plain
    assert "\x1b[1;31mBROKEN\x1b[0m   7 tables" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_check_has_one_line_a_finding_and_a_line_that_sums_up() -> None:
    lines = render_check(answers.undecided()).splitlines()

    assert lines[0].startswith("broken     misplaced_table  user_profile_bounty: in old and in test_schema")
    assert lines[0].endswith("[misplaced_table:public.user_profile_bounty]")
    assert lines[1].startswith("risky      shadowed_table  teams_team: also in aaa")
    assert lines[-1] == "2 findings (1 broken, 1 risky), 2 notes beside."
    assert len(lines) == 3
    assert len(render_check(answers.undecided(), verbose=True).splitlines()) == 5


def test_check_of_a_healthy_database_says_what_was_compared() -> None:
    assert render_check(answers.healthy()) == (
        "No drift: compared place, right to read, columns with type, nullability, default, identity and collation, "
        "constraints, foreign keys, indexes, sequences and privileges of 12 tables with 30 columns, 30 constraints "
        "and 18 indexes, as 46 applied migrations made them.\n"
    )


@every_answer
def test_no_password_and_no_end_without_a_newline(make: Callable[[], Answer]) -> None:
    for text in (render_text(make()), render_check(make())):
        assert answers.PASSWORD not in text
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_what_to_type_next_asks_the_same_question() -> None:
    answer = replace(answers.incident(), asked=("--app-role app_user", "--settings 'odd name'"))
    plan, _, explain, check = re.findall(r"cascade (?:plan|explain|check)[^>\n]*", render_text(answer))[-4:]

    again = "--app-role app_user --settings 'odd name'"
    assert plan.startswith(f"cascade plan {again} --app user_profile -o ")
    assert explain.startswith(f"cascade explain {again} user_profile_about_item")
    assert check.startswith(f"cascade check {again} --app user_profile")

"""The text of `cascade explain`, from answers made by hand."""

import re
from dataclasses import replace

from cascade.core.answer import Answer
from cascade.core.error_text import parse_error_text
from cascade.core.expected import ModelField, NotChecked
from cascade.core.explanation import Explanation, identify, make_explanation
from cascade.core.history import MigrationKey, PendingMigration, Provenance, SourceLines
from cascade.core.layout import Column, Index, Layout, Rights, Table, TableName
from cascade.render.explain import render_explanation
from cascade.render.explain_error import render_error_explanation
from tests.unit.render.answers import (
    BOUNTY,
    ENDORSEMENT,
    ODD_NAMES,
    dropped,
    faked,
    healthy,
    incident,
    sixty_moves,
    undecided,
)


def explained(answer: Answer, table: str) -> str:
    return render_explanation(_explanation(answer, table), answer)


def explained_error(answer: Answer, text: str, width: int = 100) -> str:
    return render_error_explanation(identify(parse_error_text(text), answer), answer, width=width)


def section(text: str, label: str) -> str:
    """The paragraph with that label, in one line."""
    lines = text.splitlines()
    (start,) = [number for number, line in enumerate(lines) if re.match(rf"{label}(?= |$)", line)]
    rest = lines[start + 1 :]
    end = next((number for number, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return " ".join(" ".join([lines[start].removeprefix(label), *rest[:end]]).split())


def _explanation(answer: Answer, table: str) -> Explanation:
    return make_explanation(answer.expected.tables[TableName("public", table)], answer)


def _with_source(answer: Answer) -> Answer:
    """The incident with all that is known of the endorsement's model, and a column that came later."""
    name = TableName("public", ENDORSEMENT)
    table = answer.expected.tables[name]
    later = Provenance(
        MigrationKey("user_profile", "0040_skillendorsement_bounty"),
        "AddField skillendorsement.bounty",
        0,
        40,
        "2025-12-31T13:03:40+00:00",
        SourceLines("apps/user_profile/migrations/0040_skillendorsement_bounty.py", 11, 21),
    )
    fields = (ModelField("id", "BigAutoField", "id"), ModelField("bounty", "ForeignKey", "bounty_id"))
    source = SourceLines("apps/user_profile/models/endorsements.py", 43, 161)
    table = replace(table, column_made_by={"bounty_id": later}, fields=fields, model_source=source)
    return replace(answer, expected=replace(answer.expected, tables={**answer.expected.tables, name: table}))


def test_one_table_is_explained_from_its_state_to_what_to_type_next() -> None:
    text = explained(_with_source(incident()), ENDORSEMENT)
    labels = re.findall(r"^([A-Z]{2,}(?: [A-Z]{2,})?)(?= |$)", text, re.MULTILINE)
    assert labels == [
        *("BROKEN", "FOUND", "CAUSE", "STEP", "CASCADE"),
        *("MODEL", "MADE BY", "LATER", "EXPECTED", "INDEXES", "CONSTRAINTS", "REFERRED", "SQL", "NEXT"),
    ]


def test_a_misplaced_table_says_where_it_is_with_rows_pages_and_owner_and_where_it_is_not() -> None:
    text = explained(incident(), ENDORSEMENT)
    found = section(text, "FOUND")
    assert "test_schema 400 3 migrator not found by name: not on its search_path" in found
    assert "not in public, where it belongs" in found
    assert section(text, "STEP") == (
        "3 of 7: ALTER TABLE test_schema.user_profile_skill_endorsement SET SCHEMA public;"
    )


def test_the_chain_marks_the_table_and_names_what_fails_next() -> None:
    assert section(explained(incident(), BOUNTY), "CASCADE") == (
        "user_profile_skill_endorsement -> [user_profile_bounty] -> user_profile_bounty_participant -> "
        "user_profile_bounty_result repaired alone, the next to fail is user_profile_bounty_participant, "
        "then 1 more (predicted)"
    )


def test_a_long_chain_is_shown_around_the_table() -> None:
    text = section(explained(sixty_moves(), "shop_part_20"), "CASCADE")
    assert text.startswith("… 16 before -> shop_part_17 -> shop_part_18 -> shop_part_19 -> [shop_part_20] ->")
    assert "… 32 more" in text


def test_model_migration_and_later_columns_come_with_file_and_lines() -> None:
    text = explained(_with_source(incident()), ENDORSEMENT)
    model = section(text, "MODEL")
    assert "user_profile.SkillEndorsement at apps/user_profile/models/endorsements.py:43-161" in model
    assert "bounty ForeignKey bounty_id bigint -> user_profile_bounty (id)" in model
    assert section(text, "MADE BY") == (
        "user_profile.0037_p0_skill_endorsements, recorded 2025-12-31 13:03:37 UTC "
        "Create model at apps/user_profile/migrations/0037_p0_skill_endorsements.py:12-40"
    )
    assert section(text, "LATER") == (
        "bounty_id user_profile.0040_skillendorsement_bounty, recorded 2025-12-31 13:03:40 UTC; AddField "
        "skillendorsement.bounty at apps/user_profile/migrations/0040_skillendorsement_bounty.py:11-21"
    )


def test_what_is_expected_is_counted_and_shown_as_sql() -> None:
    text = explained(incident(), ENDORSEMENT)
    assert section(text, "EXPECTED") == ("6 columns, 5 indexes, 5 foreign keys, 1 constraint")
    sql = section(text, "SQL")
    assert "CREATE TABLE public.user_profile_skill_endorsement ( id bigint GENERATED BY DEFAULT AS IDENTITY" in sql
    assert sql.count("CREATE INDEX") == sql.count("FOREIGN KEY") == 5


def test_who_refers_to_it_is_listed() -> None:
    referring = section(explained(incident(), BOUNTY), "REFERRED")
    assert referring == (
        "to by column user_profile_bounty_participant bounty_id user_profile_bounty_result bounty_id "
        "user_profile_skill_endorsement bounty_id"
    )


def test_a_dropped_table_has_all_its_steps_and_the_healthy_tables_that_they_lock() -> None:
    text = explained(dropped(), ENDORSEMENT)
    assert "not in public, where it belongs, and in no other schema" in text
    steps = section(text, "STEPS")
    assert "3 of 3, after steps 1, 2: ALTER TABLE" in steps
    assert "locks healthy tables too: accounts_user (SHARE ROW EXCLUSIVE)" in steps
    assert "(data_migration_will_not_rerun)" in steps


def test_a_table_in_order_says_so_and_proposes_no_repair() -> None:
    text = explained(incident(), "accounts_user")
    assert section(text, "OK") == "accounts_user is in order now: app_user finds it as public.accounts_user."
    assert not re.search(r"^(STEP|CAUSE|CASCADE)", text, re.MULTILINE)


def test_in_order_is_not_said_of_what_was_not_checked() -> None:
    gap = NotChecked("definitions and rows of public.accounts_user", "it is locked by pid 22", "ask again later")
    text = explained(replace(healthy(), not_checked=(gap,)), "accounts_user")
    assert "it is locked by pid 22" in section(text, "PARTLY")
    assert "in order" not in text
    assert "in order" in explained(replace(healthy(), not_checked=(gap,)), "teams_team")


def test_names_only_gives_no_definitions_and_no_sql() -> None:
    answer = healthy()
    name = TableName("public", "teams_team")
    bare = replace(answer.expected.tables[name], compared=False)
    answer = replace(answer, expected=replace(answer.expected, tables={**answer.expected.tables, name: bare}))
    text = explained(answer, "teams_team")
    assert "not known" in section(text, "EXPECTED")
    assert "CREATE TABLE" not in text


def test_a_decision_is_asked_for_with_its_option() -> None:
    text = explained(undecided(), BOUNTY)
    assert section(text, "DECIDE").endswith("say which copy counts. Decide with --take user_profile_bounty=old")
    assert "cascade plan --take user_profile_bounty=old" in section(text, "NEXT")


def test_a_copy_that_the_role_may_not_read_is_told_from_one_that_it_finds() -> None:
    answer = healthy()
    name = TableName("public", "teams_team")
    closed = replace(answer.observed.layout.tables[name], rights=Rights(select=False, insert=False))
    layout = Layout.of({**answer.observed.layout.tables, name: closed}.values())
    answer = replace(answer, observed=replace(answer.observed, layout=layout))
    assert "found by name, but without SELECT, INSERT" in section(explained(answer, "teams_team"), "FOUND")


def test_sql_is_broken_at_spaces_outside_names_and_literals_only() -> None:
    answer = healthy()
    name = TableName("public", "teams_team")
    default = "'" + "a  long literal " * 8 + "'::text"
    odd = Column("an odd  column " * 4, "text", default=default)
    table = answer.expected.tables[name]
    long_index = Index("i", (odd.name,), "btree " + "(lower(" * 20 + "x" + "))" * 20)
    made = replace(table.table, columns=(odd,), indexes=(long_index,))
    tables = {**answer.expected.tables, name: replace(table, table=made)}
    text = explained(replace(answer, expected=replace(answer.expected, tables=tables)), "teams_team")
    assert f'"{odd.name}" text' in text
    assert default in text


def test_no_line_is_wider_than_the_page_but_for_a_name() -> None:
    texts = [explained(answer, table) for answer, table in ((_with_source(incident()), ENDORSEMENT), (faked(), BOUNTY))]
    texts += [explained_error(incident(), f'relation "{BOUNTY}" does not exist')]
    wide = [line for text in texts for line in text.splitlines() if len(line) > 100 and " " in line.strip()]
    assert wide == []


def test_odd_names_cannot_steer_the_terminal() -> None:
    for name in ODD_NAMES:
        text = explained(sixty_moves(), name)
        assert "\x1b" not in text
    assert "cascade plan --table 'Order \"Line\" <b>&amp;</b>'" in explained(sixty_moves(), ODD_NAMES[1])


def test_colour_paints_labels_only() -> None:
    answer = incident()
    painted = render_explanation(_explanation(answer, BOUNTY), answer, colour=True)
    assert "\x1b[1;31mBROKEN\x1b[0m   user_profile_bounty" in painted
    assert re.sub(r"\x1b\[[\d;]*m", "", painted) == explained(answer, BOUNTY)


# ---------------------------------------------------------------------------------------------------------- error texts


def test_an_error_is_explained_whole() -> None:
    text = explained_error(incident(), f'django.db.utils.ProgrammingError: relation "{BOUNTY}" does not exist')
    assert text == (
        """\
The text names 1 thing.
arena on 127.0.0.1:5432, read at 2026-01-14 03:12:07 UTC as migrator; pages run as app_user,
  search_path public (ALTER ROLE app_user IN DATABASE arena). Nothing was changed.

TEXT     relation "user_profile_bounty" does not exist
BROKEN   user_profile_bounty is in test_schema, where app_user does not look.
           test_schema has no django_migrations of its own
FOUND    schema       rows  pages  owner     for app_user
         test_schema   120      3  migrator  not found by name: not on its search_path
         not in public, where it belongs
CAUSE    migrate ran with test_schema first on its search_path, 2025-12-31 13:03:33 to 13:03:39 UTC.
STEP     5 of 7:
           ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;
CASCADE  user_profile_skill_endorsement -> [user_profile_bounty] -> user_profile_bounty_participant
         -> user_profile_bounty_result
         repaired alone, the next to fail is user_profile_bounty_participant, then 1 more
         (predicted)
MODEL    user_profile.Bounty (not found in the code of this checkout)
MADE BY  user_profile.0038_bounties, recorded 2025-12-31 13:03:38 UTC
         Create model at apps/user_profile/migrations/0038_bounties.py:12-40

NEXT     cascade plan --table user_profile_bounty  its repair alone
         cascade plan                              the whole order of repair: 7 steps
         cascade explain user_profile_bounty       one table in full
"""
    )


def test_several_things_are_explained_in_the_order_of_the_text() -> None:
    text = (
        f'relation "{BOUNTY}" does not exist\nrelation "accounts_user" does not exist\nrelation "nope" does not exist'
    )
    shown = explained_error(incident(), text)
    assert shown.startswith("The text names 3 things.")
    assert re.findall(r"^(?:TEXT|OK|BROKEN|UNKNOWN)", shown, re.MULTILINE) == [
        *("TEXT", "BROKEN", "TEXT", "OK", "TEXT", "UNKNOWN"),
    ]


def test_what_is_in_order_now_says_what_else_the_message_can_come_from() -> None:
    text = section(explained_error(incident(), 'relation "accounts_user" does not exist'), "OK")
    assert "app_user finds it as public.accounts_user" in text
    assert "restart the workers" in text


def test_rights_that_are_there_are_said() -> None:
    text = explained_error(healthy(), "permission denied for table teams_team")
    assert "app_user may read and write it; another role may have asked" in section(text, "OK")


def test_a_constraint_is_said_to_be_there_or_not() -> None:
    there, gone = "teams_team_pkey", "teams_team_name_key"
    assert f"It has a constraint {there} now." in explained_error(
        healthy(), f'constraint "{there}" of relation "teams_team" does not exist'
    )
    assert f"It has no constraint {gone} now." in explained_error(
        healthy(), f'constraint "{gone}" of relation "teams_team" does not exist'
    )


def test_a_pending_migration_is_no_drift() -> None:
    answer = healthy()
    pending = PendingMigration(MigrationKey("teams", "0004_sponsor"), tables=("teams_sponsor",))
    answer = replace(answer, expected=replace(answer.expected, pending=(pending,)))
    text = section(explained_error(answer, 'relation "teams_sponsor" does not exist'), "NOTE")
    assert text == "teams.0004_sponsor makes it, and is not recorded as applied: rightly absent until migrate runs."


def test_a_relation_that_no_migration_made_is_shown_where_it_lies() -> None:
    answer = healthy()
    extra = Table(TableName("public", "backup_2019"), owner="migrator", read_in_full=False)
    layout = Layout.of([*answer.observed.layout.tables.values(), extra])
    answer = replace(answer, observed=replace(answer.observed, layout=layout))
    text = explained_error(answer, 'relation "backup_2019" does not exist')
    assert "app_user finds public.backup_2019 by that name" in section(text, "NOTE")


def test_a_schema_says_who_may_do_what_in_it() -> None:
    text = explained_error(healthy(), "permission denied for schema test_schema")
    assert section(text, "SCHEMA") == (
        "test_schema belongs to migrator. app_user may USE it; migrator may create in it."
    )

"""What error texts name. The messages are those of PostgreSQL 15 and 18 (which word them alike), Django and psycopg."""

import json

import pytest

from cascade.core.error_text import Mention, MentionKind, parse_error_text

UNDEFINED_TABLE = """\
Traceback (most recent call last):
  File "/srv/site-packages/django/db/backends/utils.py", line 105, in _execute
    return self.cursor.execute(sql, params)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/site-packages/psycopg/cursor.py", line 117, in execute
    raise ex.with_traceback(None)
psycopg.errors.UndefinedTable: relation "user_profile_skill_endorsement" does not exist
LINE 1: ..._profile_skill_endorsement"."reviewed_by_id" FROM "user_prof...
                                                             ^

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/apps/user_profile/views.py", line 41, in public_profile
    endorsements = list(
                   ^^^^^
  File "/srv/site-packages/django/db/models/query.py", line 473, in __iter__
    self._fetch_all()
django.db.utils.ProgrammingError: relation "user_profile_skill_endorsement" does not exist
LINE 1: ..._profile_skill_endorsement"."reviewed_by_id" FROM "user_prof...
                                                             ^
"""

SERVER_LOG = """\
2026-01-14 03:12:07.273 UTC [25183] ERROR:  relation "user_profile_bounty" does not exist at character 664
2026-01-14 03:12:07.273 UTC [25183] STATEMENT:  SELECT "user_profile_bounty"."id" FROM "user_profile_bounty" INNER JOIN "accounts_user" ON (1=1)
2026-01-14 03:12:07.278 UTC [25183] ERROR:  column teams_teammembership.left_at does not exist at character 172
2026-01-14 03:12:07.278 UTC [25183] STATEMENT:  SELECT "teams_teammembership"."left_at" FROM "teams_teammembership"
2026-01-14 03:12:09.100 UTC [25190] ERROR:  relation "user_profile_bounty" does not exist at character 664
2026-01-14 03:12:09.283 UTC [25183] ERROR:  permission denied for schema public at character 14
2026-01-14 03:12:09.283 UTC [25183] STATEMENT:  create table public.zz(id int)
2026-01-14 03:12:09.300 UTC [25183] ERROR:  permission denied for table accounts_user
"""

RELATION, COLUMN, RIGHTS = MentionKind.RELATION, MentionKind.COLUMN, MentionKind.RIGHTS


@pytest.mark.parametrize(
    ("message", "mention"),
    [
        (
            'relation "bounty" does not exist\nLINE 1: select * from bounty\n                      ^',
            (RELATION, "bounty"),
        ),
        ('relation "test_schema.bounty" does not exist', (RELATION, "test_schema.bounty")),
        ('table "bounty" does not exist', (RELATION, "bounty")),
        ('sequence "bounty_id_seq" does not exist', (RELATION, "bounty_id_seq")),
        ("column bounty.nope does not exist\nLINE 1: select bounty.nope", (COLUMN, "bounty", "nope")),
        ("column T3.left_at does not exist", (COLUMN, "T3", "left_at")),
        ('column "nope" does not exist', (COLUMN, "", "nope")),
        ('column "nope" of relation "bounty" does not exist', (COLUMN, "bounty", "nope")),
        ('constraint "c" of relation "bounty" does not exist', (MentionKind.PART, "bounty", "constraint c")),
        ("permission denied for table bounty", (RIGHTS, "bounty")),
        ("permission denied for sequence bounty_id_seq", (RIGHTS, "bounty_id_seq")),
        ("permission denied for relation bounty", (RIGHTS, "bounty")),
        ("must be owner of table bounty", (RIGHTS, "bounty")),
        ("permission denied for schema closed\nLINE 1: select", (MentionKind.SCHEMA_RIGHTS, "closed")),
        ('schema "test_schema" does not exist\nLINE 1: select', (MentionKind.SCHEMA, "test_schema")),
    ],
)
def test_each_message_of_postgresql_names_its_thing(message: str, mention: tuple[MentionKind, str, str]) -> None:
    assert parse_error_text(message) == (Mention(*mention),)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ('relation "a"b.c" does not exist', 'a"b.c'),
        ('relation "Odd Schema.it\'s % here" does not exist', "Odd Schema.it's % here"),
        ('relation "größe; drop" does not exist', "größe; drop"),
        ('relation "Größe of relation x" does not exist', "Größe of relation x"),
    ],
)
def test_names_are_taken_as_they_are_printed_whatever_they_hold(message: str, name: str) -> None:
    assert parse_error_text(message) == (Mention(RELATION, name),)


def test_an_odd_name_without_quotes_is_parted_at_its_last_dot() -> None:
    assert parse_error_text('column Odd "t" x.y.c d does not exist') == (Mention(COLUMN, 'Odd "t" x.y', "c d"),)


def test_a_name_that_ends_the_line_has_other_readings() -> None:
    (mention,) = parse_error_text("ERROR:  permission denied for table my odd table at character 15")
    assert (mention.name, mention.longer) == ("my", ("my odd table", "my odd"))


def test_a_traceback_of_django_names_its_table_once() -> None:
    assert parse_error_text(UNDEFINED_TABLE) == (Mention(RELATION, "user_profile_skill_endorsement"),)


def test_a_log_names_its_things_in_its_order_and_none_of_its_statements() -> None:
    named = [(mention.kind, mention.name, mention.part) for mention in parse_error_text(SERVER_LOG)]
    assert named == [
        (RELATION, "user_profile_bounty", ""),
        (COLUMN, "teams_teammembership", "left_at"),
        (MentionKind.SCHEMA_RIGHTS, "public", ""),
        (RIGHTS, "accounts_user", ""),
    ]


def test_two_messages_on_one_line_are_two() -> None:
    text = 'column "a" does not exist; then column "b" of relation "t" does not exist and relation "u" does not exist'
    assert [(m.name, m.part) for m in parse_error_text(text)] == [("", "a"), ("t", "b"), ("u", "")]


def test_an_alias_is_looked_up_in_the_statement() -> None:
    text = (
        'column T3.left_at does not exist\nSTATEMENT:  SELECT 1 FROM "a" INNER JOIN "teams_teammembership" T3 ON (1=1)'
    )
    (mention,) = parse_error_text(text)
    assert mention.tables == ("teams_teammembership",)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(
            {"level": "error", "message": 'relation "bounty" does not exist\nLINE 1: x', "request": "/@player/"}
        ),
        repr(Exception('relation "bounty" does not exist\nLINE 1: it\'s')),
        "<title>ProgrammingError: relation &quot;bounty&quot; does not exist</title>",
        "relation “bounty” does not exist",
        'relation\n"bounty" does\nnot exist',
        'relation "bounty" does not exist\r\nLINE 1: x\r\n',
        '(psycopg2.errors.UndefinedTable) relation "bounty" does not exist',
    ],
    ids=["json", "repr", "html", "curly", "wrapped", "crlf", "sqlalchemy"],
)
def test_quotes_and_breaks_are_read_as_programs_write_them(text: str) -> None:
    assert parse_error_text(text) == (Mention(RELATION, "bounty"),)


def test_a_structured_log_does_not_belong_to_a_name_without_quotes() -> None:
    (mention,) = parse_error_text('{"message": "permission denied for table bounty", "user": "somebody"}')
    assert mention.name == "bounty"


@pytest.mark.parametrize(
    "message",
    [
        "FEHLER:  Relation »bounty« existiert nicht",
        "la relation « bounty » n'existe pas",
        'отношение "bounty" не существует (символ 15)',
        'リレーション"bounty"は存在しません',
        "no existe la relación «bounty»",
    ],
)
def test_another_language_is_read_by_its_quotes(message: str) -> None:
    mentions = parse_error_text(f"{message}\nLINE 1: select * from accounts_user\n                      ^")
    assert [m.name for m in mentions if m.kind is MentionKind.QUOTED] == ["bounty"]
    assert "accounts_user" not in [m.name for m in mentions]


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("Spalte teams_teammembership.left_at existiert nicht", "teams_teammembership.left_at"),
        ("列teams_teammembership.left_atは存在しません", "teams_teammembership.left_at"),
        ("keine Berechtigung für Tabelle accounts_user", "accounts_user"),
    ],
)
def test_another_language_without_quotes_is_read_word_by_word(message: str, word: str) -> None:
    assert Mention(MentionKind.WORD, word) in parse_error_text(message)


def test_nothing_is_guessed_beside_a_message_that_is_understood() -> None:
    assert not any(mention.is_guess for mention in parse_error_text(UNDEFINED_TABLE + SERVER_LOG))


@pytest.mark.parametrize("text", ["", "\n \n", "...\n^^^\n"])
def test_a_text_without_a_word_names_nothing(text: str) -> None:
    assert parse_error_text(text) == ()


def test_a_long_log_is_read_in_a_moment() -> None:
    line = 'web-1 | column "x" of relation "t" is fine; relation "' + "z" * 300 + "\n"
    assert parse_error_text(line * 5_000 + 'relation "bounty" does not exist') == (Mention(RELATION, "bounty"),)

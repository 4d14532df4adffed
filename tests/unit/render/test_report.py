import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cascade.core.answer import Answer
from cascade.core.incident import Fate, Incident, Outcome
from cascade.core.probe_results import MalformedResults, measured_chains, parse_probe_results
from cascade.core.redaction import find_names, redact
from cascade.render.looks import DARK_STYLE
from cascade.render.report import make_report, render_report_html, render_report_markdown
from cascade.render.report.blocks import ForAPerson
from cascade.render.wording import printable
from tests.unit.render import answers, kept

HOSTILE = "x'\"><img src=x onerror=alert(1)>`|*_\u202e</script>"


def markdown(incident: Incident) -> str:
    return render_report_markdown(make_report(incident))


def text(markdown: str) -> str:
    """As it reads: without the escapes."""
    return unescape(re.sub(r"\\([\\`*_\[\]|~#])", r"\1", markdown))


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


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
def test_every_answer_has_a_report_in_both_forms(make: Callable[[], Answer]) -> None:
    report = make_report(Incident(kept.plan(make)))

    assert render_report_markdown(report).startswith("# ")
    assert render_report_html(report).count("<h2 ") == len(report.sections)
    for picture in report.pictures:
        assert ET.fromstring(picture.alone).get("role") == "img"


def test_the_first_paragraph_tells_a_manager_all_that_matters() -> None:
    first = text(markdown(kept.incident())).split("\n\n")[3]

    assert "From 2025-12-31 13:03:33 UTC to 2026-01-14 04:00:02 UTC (13 days 14 hours)" in first
    assert "7 misplaced tables" in first
    assert "Pages affected: 1 of 2 pages asked failed (/@amber1/); all that were asked answer now." in first
    assert "Rows lost: none, because tables are moved with their rows and before COMMIT" in first
    assert "in them were 980 rows in 5 tables, 2 tables empty" in first
    assert "What stops the next one: a table that is made over this connection now lands in public" in first
    assert "Open: nothing." in first


def test_one_paragraph_alone_is_left_for_a_person() -> None:
    report = make_report(kept.incident())

    assert sum(isinstance(block, ForAPerson) for s in report.sections for block in s.blocks) == 1
    assert render_report_markdown(report).count("To be filled in by a person") == 1


def test_what_the_material_does_not_say_is_said_to_be_not_known() -> None:
    bare, whole = Incident(kept.plan()), kept.incident()

    assert bare.outcome is Outcome.OPEN
    assert "no journal of a repair was given" in markdown(bare)
    assert "Pages affected: not known, since no results of probes were given." in markdown(bare)
    assert any("--probes" in sentence for sentence in bare.not_known)
    assert not any("--probes" in s or "--after" in s or "--journal" in s for s in whole.not_known)


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (lambda before: Incident(before), Outcome.OPEN),
        (lambda before: Incident(before, None, kept.journal(before)), Outcome.NOT_LOOKED),
        (lambda before: Incident(before, kept.repaired(), kept.journal(before)), Outcome.REPAIRED),
        (lambda before: Incident(before, None, kept.journal(before, committed=False)), Outcome.NOT_COMMITTED),
        (lambda before: Incident(before, None, kept.journal(before, {"event": "undone", "at": ""})), Outcome.UNDONE),
        (lambda before: Incident(before, None, kept.journal(before, committed=None)), Outcome.IN_COMMIT),
        (lambda before: Incident(before, kept.repaired(), kept.journal(before, committed=None)), Outcome.REPAIRED),
        (lambda before: Incident(before, before, kept.journal(before, committed=None)), Outcome.NOT_COMMITTED),
        (lambda before: Incident(before, before, by_hand=True), Outcome.OPEN),
        (lambda before: Incident(before, half(), by_hand=True), Outcome.PARTLY),
        (lambda before: Incident(kept.plan(answers.healthy)), Outcome.HEALTHY),
    ],
)
def test_how_it_stands_follows_from_what_was_kept(make: Callable[[Any], Incident], outcome: Outcome) -> None:
    assert make(kept.plan()).outcome is outcome


def half() -> Any:
    after = kept.repaired()
    return {**after, "drifts": kept.plan()["drifts"][:1]}


def test_a_repair_by_hand_is_told_from_two_looks() -> None:
    incident = Incident(kept.plan(), kept.repaired(), by_hand=True)
    told = text(markdown(incident))

    assert {fate.fate for fate in incident.fates} == {Fate.KEPT}
    assert [statement.sql for statement in incident.statements] == [s["sql"][0] for s in incident.before["steps"]]
    assert "The repair was made by hand, or its journal was not given." in told
    assert "to 2026-01-14 04:00:03 UTC at the latest" in told
    assert "which were really run, and in how many tries, is not known" in told


def test_a_table_that_is_another_afterwards_is_not_said_to_have_kept_its_rows() -> None:
    after = kept.repaired()
    for node in after["nodes"]:
        if node["table"] == answers.BOUNTY:
            node["found"][0]["oid"] += 1
    told = text(markdown(Incident(kept.plan(), after, by_hand=True)))

    assert f"Rows lost: not known for {answers.BOUNTY}" in told


def test_statements_of_a_try_that_was_rolled_back_are_told_once() -> None:
    before = kept.plan()
    lines = [json.dumps(event) for event in kept.journal(before).events]
    again = [line for line in lines if '"statement"' in line]
    from cascade.core.journal import parse_journal

    incident = Incident(before, None, parse_journal([*lines[:-2], *again, *lines[-2:]]))

    assert len(incident.statements) == len(before["steps"])


def test_statements_of_an_undo_are_no_part_of_the_repair() -> None:
    before = kept.plan()
    back = {"event": "statement", "at": "", "step": before["steps"][0]["id"], "sql": "ALTER TABLE back"}
    incident = Incident(before, None, kept.journal(before, {"event": "afterwards", "plan": {}}, back))

    assert "ALTER TABLE back" not in [statement.sql for statement in incident.statements]


def hostile() -> Any:
    """A plan in which a table, a comment and an error of a page try to be something else."""
    document = json.dumps(kept.plan()).replace("user_profile_bounty_result", json.dumps(HOSTILE)[1:-1])
    plan = json.loads(document)
    plan["tables"][0]["found"][0]["comment"] = HOSTILE
    return plan


def test_nothing_that_a_database_holds_becomes_markup() -> None:
    error = kept.failing_page(HOSTILE, user=HOSTILE, reason=HOSTILE)
    report = make_report(Incident(hostile(), probes=parse_probe_results(error)))
    page, plain = render_report_html(report), render_report_markdown(report)

    assert "<img" not in page
    assert page.count("</script>") == 1
    assert "\u202e" not in page + plain
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"```.*?```", "", plain, flags=re.DOTALL))
    assert "<img" not in outside_code
    for picture in report.pictures:
        assert not ET.fromstring(picture.alone).findall(".//{*}img")


def test_the_page_asks_for_nothing_and_allows_nothing_but_its_own_style_and_script() -> None:
    page = render_report_html(make_report(kept.incident()))

    found = re.search(
        r"default-src 'none'; style-src 'sha256-([^']+)'; script-src 'sha256-([^']+)'; base-uri 'none'", page
    )
    assert found
    for name, digest in zip(("style", "script"), found.groups(), strict=True):
        (served,) = re.findall(rf"<{name}[^>]*>(.*?)</{name}>", page, flags=re.DOTALL)
        assert b64encode(sha256(served.encode()).digest()).decode() == digest
    assert not re.search(r"\b(?:src|srcset|style|on\w+)=", page)
    assert set(re.findall(r'href="([^"]*)"', page)) == {
        "#main",
        *(f"#{section.anchor}" for section in make_report(kept.incident()).sections),
    }


def test_a_column_that_another_copy_has_is_not_said_to_be_nowhere() -> None:
    plan = kept.plan(answers.faked)
    (drift,) = plan["drifts"]
    assert "left_at was nowhere" in text(markdown(Incident(plan)))

    copy = plan["tables"][0]["found"][0]
    right = {**copy, "columns": [name for name in copy["columns"] if name != "left_at"]}
    plan["tables"][0]["found"] = [right, {**copy, "schema": "old", "columns": [*right["columns"], drift["object"]]}]
    assert "left_at was in another copy of its table" in text(markdown(Incident(plan)))


def test_of_a_repair_that_was_taken_back_it_is_said_that_tables_are_back() -> None:
    before = kept.plan()
    told = text(markdown(Incident(before, None, kept.journal(before, {"event": "undone", "at": kept.LOOKED}))))

    assert "not repaired: the repair was taken back" in told
    assert (
        "Rows lost: none: the tables were moved back, and in test_schema lie 980 rows in 5 tables, 2 tables empty"
        in told
    )
    assert "| Back where it was, the repair was taken back |" in told


def test_of_a_journal_that_ends_in_the_commit_the_outcome_is_not_known() -> None:
    before = kept.plan()
    told = text(markdown(Incident(before, None, kept.journal(before, committed=None))))

    assert "It is not known to be repaired: the COMMIT was sent and never answered, and only the server knows." in told
    assert "nothing has been moved" not in told
    assert "SELECT pg_xact_status('7')" in told.partition("## Next steps")[2]
    assert "SELECT pg_xact_status('7')" in told.partition("## What is not known")[2]

    shown = text(markdown(Incident(before, kept.repaired(), kept.journal(before, committed=None))))
    assert "It was never answered: the look afterwards shows that it holds." in shown
    assert "| The same relation, in its place |" in shown


def test_bold_words_are_marks_in_markdown_and_no_asterisks() -> None:
    told = markdown(kept.incident())

    assert "| `test_schema` **(not its place)** |" in told
    assert not re.search(r"`\*\*", told)


def test_a_page_that_still_fails_is_open_however_well_the_tables_are() -> None:
    asked = (kept.probes(ok=False, at=kept.BEGUN), kept.probes(ok=False, at=kept.LOOKED))
    results = tuple(result for document in asked for result in parse_probe_results(document))
    told = text(markdown(replace(kept.incident(), probes=results)))

    assert "It is repaired, and 1 page still fails (/@amber1/)." in told
    assert "Open: 1 page still fails (/@amber1/)." in told


def test_equal_material_gives_equal_bytes() -> None:
    assert render_report_html(make_report(kept.incident())) == render_report_html(make_report(kept.incident()))


def test_a_picture_alone_brings_its_style_for_light_and_dark() -> None:
    for picture in make_report(kept.incident()).pictures:
        assert DARK_STYLE in picture.alone
        assert "<style" not in picture.inline


def test_redaction_replaces_a_name_by_the_same_word_everywhere() -> None:
    before, after = kept.plan(), kept.repaired()
    asked = kept.probes(ok=True, at=kept.LOOKED)
    documents = [before, after, asked]
    hidden = redact(documents, find_names(documents))
    told = json.dumps(hidden)

    assert not re.search(r"\b(?:migrator|app_user|amber1|127\.0\.0\.1|apps/)\b", told)
    assert hidden[0]["connected_as"] == hidden[1]["connected_as"] != hidden[0]["application_role"]
    user, page, *_ = hidden[2]["probes"]
    assert page["path"] == f"/@{user['as']}/"
    assert hidden[0]["drifts"][0]["table"] == before["drifts"][0]["table"]


def test_redaction_keeps_the_words_for_who_asks_and_what_else_they_name() -> None:
    asked = kept.failing_page("/@{user.username}/", user="user")
    made = kept.failing_page("/me/", user="shop.users.made")
    fields = {"tables": [{"fields": [{"name": "user", "column": "user_id"}]}], "note": "shop.users.made said it"}
    documents = [fields, asked, made, kept.failing_page("/", user="superuser")]
    fields, asked, made, last = redact(documents, find_names(documents))

    assert fields["tables"][0]["fields"][0]["name"] == "user"
    assert (asked["probes"][0]["path"], asked["probes"][0]["as"]) == ("/@{user.username}/", "user")
    assert last["probes"][0]["as"] == "superuser"
    assert (made["probes"][0]["as"], fields["note"]) == ("user-1", "user-1 said it")


def test_of_the_results_of_probes_the_pages_count() -> None:
    failing, working = parse_probe_results(kept.probes(ok=False, at=kept.BEGUN))
    assert (failing.name, failing.ok, failing.failed, failing.at) == (
        "/@amber1/",
        False,
        "public.user_profile_bounty",
        kept.BEGUN,
    )
    assert (working.name, working.user, working.ok) == ("/me/settings/", "amber1", True)
    for nothing in ({}, [], "text", {"probes": [1]}, {"probes": [{"kind": "page", "verdict": "failed"}]}):
        with pytest.raises(MalformedResults):
            parse_probe_results(nothing)


def test_what_a_prediction_had_to_cure_failed_before_the_repair() -> None:
    asked = kept.predicted(at=kept.BEGUN)
    incident = replace(kept.incident(), probes=parse_probe_results(asked), measured=measured_chains(asked))
    told = text(markdown(incident))

    assert "Pages affected: 1 of 2 pages asked failed (/@amber1/); whether they answer now is not known." in told
    assert "| `/@amber1/` | anonymous | **FAILED** | not asked |" in told
    assert "after the one before it is repaired (measured)." in told
    assert "- `/@amber1/`: `user_profile_bounty` → `user_profile_bounty_participant`" in told


def test_results_without_times_count_in_the_order_of_their_files() -> None:
    asked = (kept.probes(ok=False, at=""), kept.probes(ok=True, at=""))
    results = tuple(result for document in asked for result in parse_probe_results(document))
    incident = replace(kept.incident(), probes=results)

    assert [(page.before.ok, page.after.ok) for page in incident.pages if page.before and page.after] == [
        (False, True),
        (True, True),
    ]


def test_what_could_not_be_checked_is_told_before_anything_is_said_to_be_well() -> None:
    told = markdown(Incident(kept.plan(answers.incomplete)))

    assert "nothing amiss was found, and not everything could be checked" in told.partition("\n")[0]
    assert "locked ACCESS EXCLUSIVE" in told.partition("## What is not known")[2]
    assert "not everything" not in markdown(Incident(kept.plan(answers.healthy)))


def test_a_copy_that_was_put_aside_leaves_no_doubt_about_rows() -> None:
    before, after = kept.plan(), kept.repaired()
    before["drifts"][0]["kind"] = "duplicated_table"
    name = before["drifts"][0]["table"]
    table = next(table for table in before["tables"] if table["table"] == name)
    table["found"] = [{**table["found"][0], "schema": "public", "oid": 4711}, *table["found"]]
    next(node for node in after["nodes"] if node["table"] == name)["found"] = [{"schema": "public", "oid": 4711}]

    assert {fate.fate for fate in Incident(before, after, by_hand=True).fates} == {Fate.KEPT}
    assert "not known for" not in text(markdown(Incident(before, after, by_hand=True)))


def test_a_table_that_is_still_in_no_schema_after_a_look_is_said_to_be() -> None:
    before = kept.plan(answers.dropped)
    missing = [d["table"] for d in before["drifts"] if d["kind"] == "missing_table"]
    fates = {fate.table: fate.fate for fate in Incident(before, before, by_hand=True).fates}

    assert missing
    assert {fates[table] for table in missing} <= {Fate.STILL_NOWHERE, Fate.WAITING}


@pytest.mark.parametrize("role", ["broken", "misplaced_table", "page", "move_table", "static", "arena"])
def test_a_role_that_is_named_like_a_word_of_the_plan_changes_nothing_but_names(role: str) -> None:
    before = kept.plan()
    before["connected_as"] = role
    (hidden,) = redact([before], find_names([before]))

    assert markdown(Incident(hidden)).count("\n#") == markdown(Incident(before)).count("\n#")
    assert [d["kind"] for d in hidden["drifts"]] == [d["kind"] for d in before["drifts"]]
    assert [c["source"] for c in hidden["cascade"]] == [c["source"] for c in before["cascade"]]
    assert hidden["database"] == "arena"


@pytest.mark.parametrize("address", ["10.1.2.3:5432", "2001:db8::17", "fe80:1:2:3:4:5:6:7"])
def test_an_address_in_a_sentence_is_replaced_and_a_time_of_day_is_not(address: str) -> None:
    document = [f"could not connect to {address} at 07:30:03; SELECT 1::bigint, x::text"]
    (hidden,) = redact([document], find_names([document]))

    assert hidden == ["could not connect to host-1 at 07:30:03; SELECT 1::bigint, x::text"]


def test_of_many_findings_the_markdown_names_each_and_says_where_the_rest_stands() -> None:
    incident = Incident(kept.plan(answers.sixty_moves))
    told = text(markdown(incident))
    findings = told.partition("## Findings")[2].partition("## Next steps")[0]

    assert len(incident.findings) == 60
    assert len(told.splitlines()) < 600
    assert findings.count("| misplaced_table | broken | in test_schema |") == 60
    assert all(f"`shop_part_{number:02d}`" in findings for number in range(1, 55))
    assert "Left out here: what else is known of 60 findings, with the SQL of the repair and of its undo." in findings
    assert "cascade report --format html" in findings
    assert told.count("Left out here:") == 3


def test_of_many_findings_the_page_leaves_nothing_out() -> None:
    incident = Incident(kept.plan(answers.sixty_moves))
    page = unescape(render_report_html(make_report(incident)))

    assert page.count('<details class="card"') == 60
    assert "Left out" not in page
    for table in incident.before["tables"]:
        for statement in table["sql"]:
            assert all(printable(line) in page for line in statement.split("\n"))
    for step in incident.before["steps"]:
        assert all(printable(line) in page for sql in (*step["sql"], *step["undo"]) for line in sql.split("\n"))


def test_many_findings_are_summed_up_by_app_before_anything_else() -> None:
    summary = text(markdown(Incident(kept.plan(answers.sixty_moves)))).partition("## Root cause")[0]

    assert "| `basket` | 20 | 20 | 0 | 20 misplaced tables | not known |" in summary
    assert "60 broken, 0 risky (of basket, catalogue and orders)" in summary


def test_few_findings_are_told_one_after_the_other_in_both_forms() -> None:
    report = make_report(kept.incident())
    page, plain = render_report_html(report), render_report_markdown(report)

    assert 'class="group"' not in page
    assert " tall" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert "Left out here" not in plain
    assert "| app | findings |" not in plain


def test_a_long_list_of_what_is_left_is_folded_and_stands_before_what_to_do() -> None:
    before = kept.plan(answers.sixty_moves)
    told = text(markdown(Incident(before, before, by_hand=True))).partition("## Next steps")[2]

    assert "<summary>60 findings still amiss</summary>" in told
    assert told.count(" is still amiss (misplaced_table)") == 60
    assert "- Nothing." not in told

"""The postmortem of the demo's incident, as a person gets it: by a journal, by two looks, and where something lacks."""

import json
import os
import re
import subprocess
import time
from html import unescape
from pathlib import Path

import pytest

from cascade.cli import main
from cascade.render.pictures.history import entries_kept
from tests.scenarios.sites import CHECKOUT, MISPLACED, Site, flat
from tests.unit.render import kept

OLD_JOURNAL = '{"event": "begin", "at": "", "journal": 1, "plan_id": "x", "database": "d", "steps": [], "tables": []}\n'
CATALOG = CHECKOUT / "cascade" / "sources" / "catalog.sql"


def report(site: Site, *arguments: str) -> str:
    """The Markdown, without its escapes."""
    done = site.cascade("report", *arguments, "--format", "markdown", "-o", "-")
    assert done.returncode == 0, done.stderr
    return unescape(re.sub(r"\\([\\`*_\[\]|~#])", r"\1", done.stdout))


def look(site: Site, name: str) -> str:
    """What psql writes of the database as it is now."""
    database = site.database
    done = subprocess.run(
        [database.server.program("psql"), "-XAt", f"--file={CATALOG}", database.dsn],
        env={**os.environ, "PGOPTIONS": "-c cascade.app_role=app_user"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (site.folder / name).write_text(done.stdout)
    return name


def repair(site: Site) -> None:
    assert site.cascade("plan", "-o", "plan.json").returncode == 0
    done = site.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
    assert done.returncode == 0, done.stderr


def test_a_journal_alone_gives_the_whole_postmortem(one_incident: Site) -> None:
    repair(one_incident)
    told = report(one_incident, "--journal", "journal.jsonl")

    # Each section of a write-up by hand, from data.
    for section in (
        "Summary",
        "Root cause",
        "Source discovery",
        "Database state before the repair",
        "What was done",
        "The repair as a migration",
        "Smoke tests",
        "Evidence before the repair: tables, columns, indexes, constraints",
        "Next steps",
        "Audit trail",
        "What is not known",
    ):
        assert f"\n## {section}\n" in told
    assert "It is repaired." in told
    assert "7 misplaced tables and 1 missing column" in told
    for table in MISPLACED:
        assert f"ALTER TABLE test_schema.{table} SET SCHEMA public;" in told
        assert re.search(rf"\| `{table}` \| `test_schema` \| [\d,]+ \| The same relation, in its place \|", told)
    assert "Migrate ran with test_schema first on its search_path." in told

    assert one_incident.cascade("undo", "journal.jsonl", "--noinput").returncode == 0
    with (one_incident.folder / "journal.jsonl").open("a") as file:
        file.write('{"event": "cut o')
    told = report(one_incident, "--journal", "journal.jsonl")
    assert "It is not repaired: the repair was taken back." in told
    assert "Open: all of it: 8 findings." in told


def test_the_report_has_right_what_is_easily_got_wrong_by_hand(one_incident: Site) -> None:
    told = report(one_incident)

    # Thirteen columns by the first migration, fourteen now; four keys by the first, five now.
    evidence = told.partition("### `user_profile_skill_endorsement`")[2].partition("\n### ")[0]
    assert evidence.lstrip().startswith("14 columns, 12 indexes, 3 constraints, 5 foreign keys; found in test_schema.")
    assert (
        "user_profile.0037_p0_skill_endorsements made 13 of the columns; then came bounty_id by "
        "user_profile.0040_skillendorsement_bounty." in evidence
    )
    assert "`FOREIGN KEY (bounty_id) REFERENCES public.user_profile_bounty (id)`" in evidence
    for name in ("unique_endorsement_per_match_endorser", "no_self_endorsement"):
        assert f"`{name}`" in evidence
    opportunity = told.partition("### `user_profile_endorsement_opportunity`")[2].partition("\n### ")[0]
    assert opportunity.lstrip().startswith("9 columns, 5 indexes, 2 constraints, 2 foreign keys")
    # What was guessed at by hand is all known at once.
    assert (
        "`user_profile_skill_endorsement` → `user_profile_bounty` → `user_profile_bounty_participant` → "
        "`user_profile_bounty_result`" in told
    )
    assert re.search(r"models/endorsements\.py:\d+-\d+", told)
    assert re.search(r"0037_p0_skill_endorsements\.py:\d+-\d+", told)


def test_a_prediction_says_what_failed_before_and_in_which_turn(one_incident: Site) -> None:
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    one_incident.cascade("probe", "--predict", "--format", "json", "-o", "pp.json")
    told = report(one_incident, "plan.json", "--probes", "pp.json")

    assert "2 of 4 pages asked failed (/me/settings/ and /@{user.username}/)" in told
    assert "after the one before it is repaired (measured)." in told
    assert "- `/me/settings/ as user`: `teams_teammembership.left_at` → `user_profile_about_item` → " in told


def test_a_journal_of_a_probed_repair_tells_of_the_pages_before_and_after(one_incident: Site) -> None:
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl", "--probe")
    assert done.returncode == 0, done.stderr
    told = report(one_incident, "--journal", "journal.jsonl")

    assert "Pages affected: 2 of 4 pages asked failed" in told
    assert "all that were asked answer now" in told
    assert "| `/me/settings/` | user | **FAILED** (500) | **ok** (200) |" in told

    assert one_incident.cascade("undo", "journal.jsonl", "--noinput").returncode == 0
    told = report(one_incident, "--journal", "journal.jsonl")
    assert (
        "2 of 4 pages asked failed (/me/settings/ and /@{user.username}/); whether they answer now is not known" in told
    )


def test_a_repair_by_hand_is_told_from_two_looks_and_says_so(one_incident: Site) -> None:
    before = look(one_incident, "before.json")
    for table in MISPLACED:
        one_incident.execute(f"ALTER TABLE test_schema.{table} SET SCHEMA public")
    told = report(one_incident, before, "--after", look(one_incident, "after.json"))

    assert "The repair was made by hand, or its journal was not given." in told
    assert "It is repaired in part." in told
    assert "Open: 1 finding (teams_teammembership.left_at)" in told
    assert "each is the same relation as before (same OID)" in told
    done = told.partition("\n## What was done\n")[2].partition("```sql\n")[2].partition("```")[0]
    assert done.split("\n")[:-1] == [f"ALTER TABLE test_schema.{table} SET SCHEMA public;" for table in MISPLACED]


def test_looks_in_the_wrong_order_are_refused(one_incident: Site) -> None:
    before = look(one_incident, "before.json")
    repair(one_incident)
    time.sleep(1.1)  # looks are told apart by the second
    after = look(one_incident, "after.json")

    done = one_incident.cascade("report", after, "--after", before, "-o", "-", "--format", "html")
    assert done.returncode == 1
    assert re.search(r"before.json was read at [-\d :]+ UTC, before after.json \(", done.stderr), done.stderr

    # As if the steps had taken long, and somebody had looked while they ran.
    begun, *others = map(json.loads, (one_incident.folder / "journal.jsonl").read_text().splitlines())
    late = [{**event, "at": "2100-01-01T00:00:00Z"} if event["event"] == "committed" else event for event in others]
    (one_incident.folder / "late.jsonl").write_text("".join(json.dumps(event) + "\n" for event in (begun, *late)))
    done = one_incident.cascade("report", "--journal", "late.jsonl", "--after", after)
    assert done.returncode == 1
    assert "after.json was read at" in done.stderr
    assert "and the repair was committed at 2100-01-01" in done.stderr
    assert "It is repaired." in report(one_incident, "--journal", "journal.jsonl", "--after", after)


def test_what_is_amiss_afterwards_alone_counts_as_well(one_healthy: Site) -> None:
    before = look(one_healthy, "before.json")
    one_healthy.execute("ALTER TABLE user_profile_bounty SET SCHEMA test_schema")
    told = report(one_healthy, before, "--after", look(one_healthy, "after.json"))

    assert "# Postmortem: 1 misplaced table of " in told
    assert re.search(r"At [-\d :]+ UTC nothing was amiss. It is not repaired yet.", told)
    assert "Open: all of it: 1 finding." in told


def test_a_shell_that_was_put_aside_is_told_and_stays_open(one_incident: Site) -> None:
    """Somebody has made an empty table where the one with rows belongs."""
    one_incident.execute(
        "CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL);"
        "ALTER TABLE public.user_profile_bounty OWNER TO migrator"
    )
    repair(one_incident)
    told = report(one_incident, "--journal", "journal.jsonl")

    attic = re.search(r"\| `user_profile_bounty` \| `public` \| 0 \| Put aside, .*: `(cascade_attic_\d+)\.", told)
    assert attic, told.partition("What became")[2][:2000]
    assert f"1 copy put aside, to be looked at and dropped ({attic[1]}.user_profile_bounty)" in told
    assert "Open: nothing" not in told


def test_of_the_repair_migration_it_is_told_whether_it_is_recorded_and_what_it_names(one_incident: Site) -> None:
    folder = one_incident.folder / "user_profile" / "migrations"
    folder.mkdir(parents=True)
    text = f"class Migration:\n    operations = ['ALTER TABLE {MISPLACED[0]}']\n"
    (folder / "0099_repair.py").write_text(text)
    (folder / "0037_p0_skill_endorsements.py").write_text("class Migration:\n    pass\n")
    told = report(one_incident, "--migration", "user_profile/migrations/0099_repair.py")
    assert re.search(r"`0099_repair.py`: not recorded as applied in this database at [-\d :]+ UTC\.", told)
    assert "Its text names 1 of 8 tables with a finding, and not " in told

    told = report(one_incident, "--migration", "user_profile/migrations/0037_p0_skill_endorsements.py")
    assert re.search(r"`0037_p0_skill_endorsements.py`: recorded as applied, [-\d :]+ UTC\.", told)
    assert "Its text names none of the tables with a finding" in told


def test_the_code_is_that_of_the_project_wherever_the_program_runs(one_incident: Site) -> None:
    project = one_incident.folder / "checkout"
    project.mkdir()
    (project / "of_a_checkout.py").write_text("from cascade.demo.project.settings import *\n")
    git = ("git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@example.invalid")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "first")):
        subprocess.run([*git, *words], check=True)
    done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    plan = one_incident.plan("--settings", "of_a_checkout", "--pythonpath", "checkout")
    assert plan["source_revision"] == done.stdout.strip()


def test_files_and_pictures_lie_side_by_side(one_incident: Site) -> None:
    done = one_incident.cascade("report", "-o", "post/mortem")

    assert done.returncode == 0, done.stderr
    folder = one_incident.folder / "post" / "mortem"
    assert sorted(path.name for path in folder.iterdir()) == [
        "history.svg",
        "places.svg",
        "report.html",
        "report.md",
        "steps.svg",
    ]
    for name in re.findall(r"!\[.*?\]\((.*?)\)", (folder / "report.md").read_text()):
        assert (folder / name).is_file()
    assert "not known: What has been done: no journal of a repair was given (--journal)" in done.stderr


def test_the_record_that_a_report_draws_is_that_of_cascade_history(one_incident: Site) -> None:
    plan = json.loads(one_incident.cascade("plan", "--format", "json").stdout)
    history = json.loads(one_incident.cascade("history", "--format", "json").stdout)
    drawn = {str(entry.migration): entry for entry in entries_kept(plan)}

    assert list(drawn) == [entry["migration"] for entry in history["migrations"] if entry["standing"] != "pending"]
    astray = [entry for entry in history["migrations"] if entry["astray"]]
    assert len(astray) == 7
    for entry in astray:
        assert sorted(drawn[entry["migration"]].astray) == sorted(entry["astray"])
        assert next(list(places) for places, _ in drawn[entry["migration"]].found) == entry["found"][0]["schemas"]
    assert sum(bool(entry.astray) for entry in drawn.values()) == len(astray)


def test_redaction_leaves_no_role_host_or_path(one_incident: Site) -> None:
    told = report(one_incident, "--redact")

    assert not re.search(r"migrator|app_user|socket /|/tmp/|\.py\b", told)
    assert "role-1" in told
    assert "user_profile_skill_endorsement" in told


@pytest.mark.one_version
def test_a_name_that_only_a_person_knows_for_one_is_hidden_when_it_is_said(one_incident: Site) -> None:
    asked = kept.failing_page("/users/anna/", user="shop.users.anna")
    (one_incident.folder / "asked.json").write_text(json.dumps(asked))
    told = report(one_incident, "--redact", "--probes", "asked.json")
    assert "/users/anna/" in told
    told = report(one_incident, "--redact", "--hide", "anna", "--probes", "asked.json")
    assert "/users/name-1/" in told
    assert "anna" not in told
    for arguments, said in (
        (("--hide", "anna"), "--hide goes with --redact"),
        (("--redact", "--hide", "ana"), "'ana' is to be hidden, and stands nowhere"),
    ):
        refused = one_incident.cascade("report", *arguments, "--probes", "asked.json", "-o", "told")
        assert (refused.returncode, said in flat(refused.stderr)) == (1, True), refused.stderr


def test_a_folder_that_cannot_be_written_loses_no_report(one_incident: Site) -> None:
    (one_incident.folder / "taken").write_text("a file")
    done = one_incident.cascade("report", "-o", "taken/report")

    assert done.returncode == 1
    assert "The folder taken/report cannot be made: Not a directory." in done.stderr
    (instead,) = re.findall(r"The report is in (\S+) instead", done.stderr)
    assert (Path(instead) / "report.html").is_file()


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, ["none.json"], "none.json cannot be read: No such file or directory."),
        ({"p.json": "{"}, ["p.json"], "p.json holds no plan: it is no JSON, or was cut off"),
        ({"p.json": "{}"}, ["p.json"], "p.json is neither a plan (cascade plan -o plan.json) nor a look"),
        ({"p.json": '{"schema_version": 9}'}, ["p.json"], "p.json is a plan of version 9; this program reads 1."),
        ({"p.json": '{"schema_version": 1}'}, ["p.json"], "p.json is no whole plan: plan_id is missing."),
        ({"j.jsonl": "x"}, ["--journal", "j.jsonl"], "j.jsonl is no journal"),
        ({"j.jsonl": OLD_JOURNAL}, ["--journal", "j.jsonl"], "cascade report plan.json --journal JOURNAL"),
        ({"m.py": "x ="}, ["--migration", "m.py"], "m.py is no migration: it is no Python."),
        ({"m.py": "x = 1"}, ["--migration", "m.py"], "m.py is no migration: it has no class Migration."),
        ({"a.json": "{}"}, ["--after", "a.json"], "--after says how it is after a repair; what was before it?"),
        ({}, ["-o", "-"], "-o - prints one format: say which with --format."),
    ],
)
def test_bad_material_is_told_in_a_sentence(
    files: dict[str, str],
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit) as end:
        main(["report", *arguments])

    assert end.value.code == 1
    assert said in capsys.readouterr().err


@pytest.mark.one_version
def test_pages_asked_before_and_after_stand_in_the_report(one_incident: Site) -> None:
    for moment in ("before", "after"):
        probes = one_incident.cascade("probe", "--no-models", "--format", "json")
        (one_incident.folder / f"{moment}.json").write_text(probes.stdout)
        if moment == "before":
            one_incident.cascade("plan", "-o", "plan.json")
            applied = one_incident.cascade("apply", "plan.json", "--noinput", "--journal", "journal.jsonl")
            assert applied.returncode == 0, applied.stdout + applied.stderr
    asked = ("--probes", "before.json", "--probes", "after.json")
    done = one_incident.cascade("report", "--journal", "journal.jsonl", *asked, "-o", "told")
    assert done.returncode == 0, done.stderr
    text = (one_incident.folder / "told" / "report.md").read_text()
    assert "2 of 4 pages asked failed (/me/settings/ and /@{user.username}/); all that were asked answer now." in text

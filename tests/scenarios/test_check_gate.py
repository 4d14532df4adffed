"""``cascade check`` in CI and in deployment: what comes out, in which format, with which exit code."""

import json
from xml.etree import ElementTree as ET

from tests.scenarios.sites import MISPLACED, Site

FINDINGS = len(MISPLACED) + 1


def test_each_format_has_every_finding_and_nothing_else_on_stdout(one_incident: Site) -> None:
    done = one_incident.cascade("check", "--format", "json", "-v")
    document = json.loads(done.stdout)
    assert (done.returncode, document["exit_code"]) == (2, 2)
    assert sum(finding["counts"] for finding in document["findings"]) == FINDINGS
    junit = ET.fromstring(one_incident.cascade("check", "--format", "junit").stdout.encode())
    assert junit.get("failures") == str(FINDINGS)
    github = one_incident.cascade("check", "--format", "github").stdout.splitlines()
    assert len([line for line in github if line.startswith("::error title=cascade ")]) == FINDINGS
    assert github[-1].startswith("::notice title=cascade check::")


def test_each_format_says_the_error_where_there_is_no_answer(one_incident: Site) -> None:
    for options, environment in (((), {"CASCADE_DEMO_PORT": "1"}), (("--settings", "no.such.settings"), {})):
        said = one_incident.cascade("check", *options, **environment)
        assert (said.returncode, said.stdout) == (1, "")
        message, hint = said.stderr.removeprefix("cascade: ").rstrip().split("\n  ", 1)
        told = {}
        for format_ in ("json", "github", "junit"):
            done = one_incident.cascade("check", "--format", format_, *options, **environment)
            assert (done.returncode, done.stderr) == (1, said.stderr)
            told[format_] = done.stdout
        document = json.loads(told["json"])
        assert document["error"] == {"message": message, "hint": hint}
        assert (document["exit_code"], document["complete"], "findings" in document) == (1, False, False)
        annotation = f"{message}\n  {hint}".replace("%", "%25").replace("\n", "%0A")
        assert told["github"] == f"::error title=cascade check::{annotation}\n"
        suites = ET.fromstring(told["junit"].encode())
        assert (suites.get("tests"), suites.get("errors"), suites.get("failures")) == ("1", "1", "0")
        [error] = suites.iter("error")
        assert (error.get("message"), error.text) == (message, hint)


def test_a_database_without_migrations_is_no_clean_one(one_healthy: Site) -> None:
    one_healthy.execute("DROP SCHEMA public CASCADE")
    one_healthy.execute("CREATE SCHEMA public AUTHORIZATION migrator")
    one_healthy.execute("GRANT USAGE ON SCHEMA public TO app_user")
    because = json.loads(one_healthy.cascade("where", "--format", "json").stdout)["target_because"]
    assert because == "it is the first schema on the search_path of app_user"
    for options in ((), ("--since-last-migrate",)):
        done = one_healthy.cascade("check", *options)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "No applied migration makes a table, so nothing is expected" in done.stdout
        assert "No drift" not in done.stdout
    assert json.loads(one_healthy.cascade("check", "--format", "json").stdout)["exit_code"] == 3
    junit = ET.fromstring(one_healthy.cascade("check", "--format", "junit").stdout.encode())
    assert (junit.get("errors"), junit.get("tests")) == ("1", "1")
    assert "cascade.W" not in one_healthy.manage("check", "--database", "default").stderr


def test_a_baseline_lets_what_is_known_pass_and_names_what_is_repaired(one_incident: Site) -> None:
    written = one_incident.cascade("check", "--baseline", "known.json", "--accept-until", "2999-01-31")
    assert written.returncode == 0
    assert written.stderr == f"wrote known.json: {FINDINGS} findings accepted until 2999-01-31\n"
    known = one_incident.cascade("check", "--baseline", "known.json")
    assert known.returncode == 0
    assert known.stdout.startswith("Nothing new")
    assert f"{FINDINGS} accepted by the baseline" in known.stdout
    one_incident.execute("ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public")
    one_incident.execute("DROP TABLE accounts_user_groups")
    after = one_incident.cascade("check", "--baseline", "known.json")
    assert after.returncode == 2
    assert "broken     missing_table  accounts_user_groups" in after.stdout
    assert "take it out: misplaced_table:public.user_profile_bounty\n" in after.stderr


def test_a_baseline_that_is_not_there_or_for_a_part_is_an_error(one_incident: Site) -> None:
    done = one_incident.cascade("check", "--baseline", "nowhere.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere.json cannot be read: No such file or directory." in done.stderr
    for options in (("--accept-until", "2999-01-31"), ("--accept-until", "soon", "--baseline", "known.json")):
        assert one_incident.cascade("check", *options).returncode == 1


def test_since_the_last_migrate_only_what_that_recorded_is_looked_at(one_incident: Site) -> None:
    fake = "(SELECT id FROM django_migrations WHERE app = 'teams' AND name LIKE '0003%')"
    one_incident.execute(f"UPDATE django_migrations SET applied = applied - interval '1 day' WHERE id < {fake}")
    done = one_incident.cascade("check", "--since-last-migrate")
    assert done.returncode == 2
    finding, summary = done.stdout.splitlines()
    assert finding.startswith("broken     missing_column  teams_teammembership.left_at")
    assert "within the last run of migrate (4 migrations, from teams.0003_teammembership_left_at on)" in summary
    assert f"{len(MISPLACED)} findings left out" in summary
    one_incident.execute(f"UPDATE django_migrations SET applied = applied - interval '1 day' WHERE id = {fake}")
    assert one_incident.cascade("check", "--since-last-migrate").returncode == 0

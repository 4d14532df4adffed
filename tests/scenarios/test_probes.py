"""Probes ask pages that do all that a page can do, and leave nothing behind; what they show is told."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cascade.demo.witness import read_rows
from tests.scenarios.probe_site import probe_site_project
from tests.scenarios.sites import CHECKOUT, INTERRUPTIBLE, Site, project_site
from tests.servers import Database, Server, fresh_database

HANGING = ("/hangs/", "/hangs_asynchronously/", "/slow_statement/", "/asks_while_a_value_is_worded/")
PROBES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/works/", {}),
    ("/lists/", {"expect": 200}),
    ("/missing_table_in_template/", {}),
    ("/commits/", {}),
    ("/commits_beneath/", {}),
    ("/commits_by_the_driver/", {}),
    ("/rolls_back_by_the_driver/", {}),
    ("/swallows/", {}),
    ("/spoils/", {}),
    ("/rolls_back/", {}),
    ("/refers_to_nothing/", {}),
    ("/refers_to_nothing_in_a_transaction/", {}),
    ("/checks_constraints/", {}),
    ("/second_connection/", {}),
    ("/thread/", {}),
    ("/calls/", {}),
    ("/looks_up/", {}),
    ("/program/", {}),
    ("/streams/", {}),
    ("/iterates/", {}),
    ("/asynchronous/", {}),
    ("/asynchronous_stream/", {}),
    *((path, {}) for path in HANGING),
    ("/raises/", {}),
    ("/mails/", {}),
    ("/several/", {}),
    ("/lite/", {}),
    ("/copies/", {}),
    ("/calls_its_neighbour/", {}),
    ("/vacuums/", {}),
    ("/writes_a_file/", {}),
    ("/writes_a_file_beneath/", {}),
    ("/makes_a_folder/", {}),
    ("/renames_a_file/", {}),
    ("/removes_a_file/", {}),
    ("/writes_sqlite/", {}),
    ("/writes_for_a_moment/", {}),
    ("/logs/", {}),
    ("/exits/", {}),
    ("/exits_asynchronously/", {}),
    ("/exits_after_an_error/", {}),
    ("/interrupts/", {}),
    ("/ends_the_process/", {}),
    ("/becomes_another/", {}),
    ("/forks/", {}),
    ("/spawns/", {}),
    ("/kills/", {}),
    ("/misspells/", {}),
    ("/who/", {}),
    ("/who/?as=user", {"as": "user"}),
    ("/who/?as=superuser", {"as": "superuser"}),
    ("/who/?as=made", {"as": "shop.users.made"}),
    ("/who/?as=broken", {"as": "shop.users.broken"}),
    ("/who/?as=leaves", {"as": "shop.users.leaves"}),
    ("/who/?as=nobody", {"as": "shop.users.nobody"}),
    ("/who/?as=absent", {"as": "shop.users.absent"}),
    ("/who/?email={user.email}", {"expect": 401}),
    ("/who/?phone={user.phone}", {}),
    ("/posts/", {"method": "post", "data": {"a": "1"}, "headers": {"X-B": "2"}, "expect": 201}),
    ("/nowhere/", {}),
)


@dataclass(frozen=True)
class Asked:
    """What a run of all probes said, with what was there before and afterwards."""

    document: dict[str, Any]
    code: int
    before: Any
    after: Any
    files: list[Path]
    sequences: tuple[dict[str, Any], dict[str, Any]]
    folder: Path

    def of(self, path: str) -> dict[str, Any]:
        [found] = [probe for probe in self.document["probes"] if probe["path"] == path]
        return found  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def shop(one_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("shop")
    with fresh_database(one_server) as database, fresh_database(one_server) as other:
        site = project_site(probe_site_project(folder), database)
        environment = {
            **site.environment,
            "SITE_OTHER": other.name,
            "TMPDIR": str(folder / "tmp"),
            "SITE_MEDIA": str(folder / "media"),
            "SITE_PROBES": json.dumps(PROBES),
        }
        site = Site(database, environment, folder)
        (folder / "tmp").mkdir()
        site.manage("makemigrations", "shop", "-v", "0")
        site.manage("migrate", "-v", "0")
        site.execute("INSERT INTO shop_item (name, picture) VALUES ('first', '')")
        yield site


@pytest.fixture(scope="module")
def asked(shop: Site) -> Asked:
    (shop.folder / "media").mkdir()
    before, positions = _rows(shop.database), _sequences(shop)
    done = shop.cascade("probe", "--timeout", "1.5", "--format", "json")
    assert done.stdout, done.stderr
    files = [path for path in (shop.folder / "media").rglob("*") if path.is_file()]
    document = json.loads(done.stdout)
    return Asked(
        document, done.returncode, before, _rows(shop.database), files, (positions, _sequences(shop)), shop.folder
    )


def _rows(database: Database) -> Any:
    return read_rows(
        SimpleNamespace(host=database.server.host, port=database.server.port, user="postgres"), database.name
    )


def _sequences(site: Site) -> dict[str, Any]:
    return dict(site.rows("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences"))


def test_nothing_is_left_behind_but_sequences_that_are_named(asked: Asked) -> None:
    assert asked.after == asked.before
    assert asked.files == []
    assert not any(asked.folder.rglob("site.log"))
    assert not any((asked.folder / "tmp").iterdir())
    before, after = asked.sequences
    advanced = {name for name, last in after.items() if last != before[name]}
    assert advanced == {"public.shop_item_id_seq", "public.shop_member_id_seq", "public.shop_order_id_seq"}
    assert set(asked.document["sequences_advanced"]) == advanced


def test_every_probe_runs_whatever_the_others_do(asked: Asked) -> None:
    paths = [probe["path"] for probe in asked.document["probes"] if probe["kind"] == "page"]
    assert paths == [path for path, _ in PROBES]
    models = {probe["model"] for probe in asked.document["probes"] if probe["kind"] == "model"}
    assert {"shop.Item", "shop.Order", "shop.Member", "shop.Member_groups", "auth.Group"} <= models
    assert asked.code == 2


@pytest.mark.parametrize(
    "path",
    [
        "/works/",
        "/lists/",
        "/rolls_back/",
        "/checks_constraints/",
        "/iterates/",
        "/asynchronous/",
        "/asynchronous_stream/",
        "/mails/",
        "/several/",
        "/copies/",
        "/writes_for_a_moment/",
        "/logs/",
        "/who/?as=user",
        "/who/?as=superuser",
        "/who/?as=made",
        "/who/?email={user.email}",
        "/posts/",
    ],
)
def test_what_works_passes(asked: Asked, path: str) -> None:
    probe = asked.of(path)
    assert probe["verdict"] == "passed", probe
    assert probe["queries"] > 0


def test_what_a_page_swallows_outside_of_a_transaction_it_can_swallow(asked: Asked) -> None:
    probe = asked.of("/swallows/")
    assert (probe["verdict"], probe["status"]) == ("passed", 200)
    assert [failure["sqlstate"] for failure in probe["failures"]] == ["42P01", "23505"]


def test_what_a_page_swallows_inside_of_one_spoils_that_as_it_really_does(asked: Asked) -> None:
    assert (asked.of("/spoils/")["verdict"], asked.of("/spoils/")["status"]) == ("failed", 500)


@pytest.mark.parametrize("path", ["/refers_to_nothing/", "/refers_to_nothing_in_a_transaction/"])
def test_what_is_checked_at_the_end_of_a_transaction_is_checked(asked: Asked, path: str) -> None:
    probe = asked.of(path)
    assert probe["verdict"] == "failed"
    assert probe["reason"] == "IntegrityError (SQLSTATE 23503)"
    assert probe["failures"][0]["message"] is None  # it could hold values


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/commits/", "it sends COMMIT itself, shop/views.py:"),
        ("/commits_beneath/", "it sends COMMIT itself, shop/views.py:"),
        ("/commits_by_the_driver/", "it ends the transaction, around Django"),
        ("/rolls_back_by_the_driver/", "it ends the transaction, around Django"),
        ("/second_connection/", "it opens a second connection to a database, shop/views.py:"),
        ("/thread/", "it opens a second connection to a database, shop/views.py:"),
        ("/calls/", "it calls 192.0.2.1:8000, shop/views.py:"),
        ("/looks_up/", "it calls api.example.com:80, shop/views.py:"),
        ("/calls_its_neighbour/", "it calls 127.0.0.1:9, shop/views.py:"),
        ("/program/", "it starts true, shop/views.py:"),
        ("/lite/", 'it uses the database "lite", which is SQLite, shop/views.py:'),
        ("/vacuums/", "it sends what cannot run in a transaction"),
        ("/writes_a_file/", "it writes media/written.txt, shop/views.py:"),
        ("/writes_a_file_beneath/", "it writes media/beneath.txt, shop/views.py:"),
        ("/makes_a_folder/", "it writes media/made, shop/views.py:"),
        ("/renames_a_file/", "it writes media/renamed.txt, shop/views.py:"),
        ("/removes_a_file/", "it writes settings.py, shop/views.py:"),
        ("/writes_sqlite/", "it writes media/written.db, shop/views.py:"),
        ("/ends_the_process/", "it ends the process, shop/views.py:"),
        ("/becomes_another/", "it starts true, shop/views.py:"),
        ("/forks/", "it forks the process, shop/views.py:"),
        ("/spawns/", "it starts true, shop/views.py:"),
        ("/kills/", "it sends a signal, shop/views.py:"),
    ],
)
def test_what_would_leave_a_trace_is_refused_and_told_with_its_line(asked: Asked, path: str, reason: str) -> None:
    probe = asked.of(path)
    assert probe["verdict"] == "not_provable", probe
    assert probe["reason"].startswith(reason), probe["reason"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/exits/", "it raises SystemExit"),
        ("/exits_asynchronously/", "it raises SystemExit"),
        ("/exits_after_an_error/", "it raises SystemExit"),
        ("/who/?as=leaves", "it raises SystemExit"),
        ("/interrupts/", "it raises KeyboardInterrupt"),
    ],
)
def test_a_page_that_would_end_the_program_fails_and_ends_its_own_probe_alone(
    asked: Asked, path: str, reason: str
) -> None:
    probe = asked.of(path)
    assert (probe["verdict"], probe["reason"]) == ("failed", reason)


def test_a_person_can_stop_it_within_a_page(shop: Site) -> None:
    """The page begins with a statement in the database, which is how one sees that it has been reached."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **shop.environment}
    environment["SITE_PROBES"] = json.dumps([("/slow_statement/", {}), ("/works/", {})])
    words = [sys.executable, *INTERRUPTIBLE, "probe", "--no-models", "--timeout", "60"]
    with subprocess.Popen(
        words, env=environment, cwd=shop.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        for _ in range(300):
            if shop.rows("SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"):
                break
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        said, complaint = running.communicate(timeout=20)
    assert (running.returncode, "passed" in said) == (1, False), said + complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize("path", HANGING)
def test_a_page_that_hangs_is_broken_off(asked: Asked, path: str) -> None:
    probe = asked.of(path)
    assert probe["verdict"] == "failed"
    assert "longer than 1.5 s" in probe["reason"]


def test_an_error_that_is_no_drift_is_told_apart_with_its_line(asked: Asked) -> None:
    probe = asked.of("/raises/")
    assert (probe["verdict"], probe["status"], probe["reason"]) == ("failed", 500, "KeyError")
    assert probe["place"].startswith("shop/views.py:")
    assert "4711" not in json.dumps(asked.document)


def test_what_python_says_of_a_name_holds_no_value_and_is_told(asked: Asked) -> None:
    assert asked.of("/misspells/")["reason"] == "AttributeError: 'Manager' object has no attribute 'nothing'"


def test_the_line_of_a_template_is_told(asked: Asked) -> None:
    [failure] = asked.of("/missing_table_in_template/")["failures"]
    assert (failure["place"], failure["drift"]) == ("items.html:2", None)
    assert 'relation "shop_nothing" does not exist' in asked.of("/missing_table_in_template/")["reason"]


def test_a_stream_is_read_to_its_end(asked: Asked) -> None:
    assert 'relation "shop_nothing" does not exist' in asked.of("/streams/")["reason"]


def test_what_would_run_after_commit_is_counted_and_not_run(asked: Asked) -> None:
    assert asked.of("/rolls_back/")["callbacks"] == ["shop.views.afterwards"] * 2
    assert asked.of("/mails/")["mails"] == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nowhere/", "no URL pattern matches"),
        ("/who/", "it answers 401"),
        ("/who/?as=broken", "LookupError"),
        ("/who/?as=nobody", "the user cannot be made: shop.users.nobody made int, which is no user"),
        ("/who/?as=absent", "the user cannot be made: shop.users.absent cannot be imported"),
        ("/who/?phone={user.phone}", "the path cannot be filled in: AttributeError"),
    ],
)
def test_bad_input_is_the_result_of_its_probe_alone(asked: Asked, path: str, reason: str) -> None:
    probe = asked.of(path)
    assert probe["verdict"] == "failed"
    assert probe["reason"].startswith(reason)


def test_making_a_user_is_a_probe(asked: Asked) -> None:
    made = {probe["as"]: probe["verdict"] for probe in asked.document["probes"] if probe["kind"] == "make_user"}
    assert (made["user"], made["superuser"], made["shop.users.made"]) == ("passed", "passed", "passed")
    assert (made["shop.users.broken"], made["shop.users.absent"]) == ("failed", "failed")


def test_requests_that_are_transactions_are_asked_the_same_way(shop: Site) -> None:
    probes = [("/works/", {}), ("/swallows/", {}), ("/refers_to_nothing/", {}), ("/missing_table_in_template/", {})]
    before = _rows(shop.database)
    done = shop.cascade("probe", "--format", "json", "--no-models", SITE_ATOMIC="1", SITE_PROBES=json.dumps(probes))
    found = {probe["path"]: probe["verdict"] for probe in json.loads(done.stdout)["probes"]}
    assert found == {
        "/works/": "passed",
        "/swallows/": "failed",
        "/refers_to_nothing/": "failed",
        "/missing_table_in_template/": "failed",
    }
    assert _rows(shop.database) == before


def test_a_folder_that_is_allowed_may_be_written(shop: Site) -> None:
    (shop.folder / "logs").mkdir()
    allowed = f'CASCADE = {{**CASCADE, "PROBE_ALLOW": [{str(shop.folder / "logs")!r}]}}'
    (shop.folder / "writing.py").write_text(f"from settings import *\n{allowed}\n")
    probes, media = json.dumps([("/writes_a_file/", {})]), str(shop.folder / "logs")
    done = shop.cascade("probe", "--settings", "writing", "--no-models", SITE_PROBES=probes, SITE_MEDIA=media)
    assert (done.returncode, "1 of 1 probe passed." in done.stdout) == (0, True), done.stdout + done.stderr


def test_what_is_allowed_may_be_called(shop: Site) -> None:
    (shop.folder / "allowing.py").write_text('from settings import *\nCASCADE = {**CASCADE, "PROBE_ALLOW": "true"}\n')
    probes = json.dumps([("/program/", {})])
    done = shop.cascade("probe", "--settings", "allowing", "--no-models", SITE_PROBES=probes)
    assert (done.returncode, "1 of 1 probe passed." in done.stdout) == (0, True), done.stdout + done.stderr


def test_what_the_role_may_not_write_is_told(shop: Site) -> None:
    shop.execute("CREATE ROLE shop_reader LOGIN")
    shop.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_reader")
    probes = json.dumps([("/works/", {}), ("/lists/", {})])
    done = shop.cascade("probe", "--format", "json", "--no-models", SITE_USER="shop_reader", SITE_PROBES=probes)
    shop.execute("DROP OWNED BY shop_reader")
    shop.execute("DROP ROLE shop_reader")
    works, lists = json.loads(done.stdout)["probes"]
    assert (works["verdict"], lists["verdict"]) == ("failed", "passed")
    assert "permission denied for table shop_item" in works["failures"][0]["message"]


def test_pages_are_found_and_asked_only_when_that_is_wanted(shop: Site) -> None:
    listed = shop.cascade("probe", "--discover", SITE_PROBES="[]")
    assert listed.returncode == 0, listed.stderr
    assert "/works/ as user" in listed.stdout
    assert "the page of the first shop.Item" in listed.stdout
    assert "/items/<pk>/" in listed.stdout
    assert "it needs pk" in listed.stdout
    models = shop.cascade("probe", SITE_PROBES="[]")
    assert models.returncode == 0, models.stdout + models.stderr
    assert "No page was asked: the settings declare none." in models.stdout
    assert re.search(r"\d+ of \d+ probes passed\.", models.stdout)
    none = shop.cascade("probe", "--no-models", SITE_PROBES="[]")
    assert none.returncode == 1
    assert "No probe is declared" in none.stderr
    predicted = shop.cascade("probe", "--predict", "--discover", SITE_PROBES="[]")
    assert "/items/<pk>/" not in predicted.stdout
    assert "CASCADE  /works/ as user" in predicted.stdout or "/works/ as user: 200" in predicted.stdout


def test_a_project_that_would_end_the_program_is_told(shop: Site) -> None:
    (shop.folder / "leaving.py").write_text("raise SystemExit(0)\n")
    (shop.folder / "astray.py").write_text("from settings import *\nROOT_URLCONF = 'leaving'\n")
    done = shop.cascade("probe", "--settings", "leaving")
    assert (done.returncode, 'The settings module "leaving" fails: SystemExit: 0' in done.stderr) == (1, True)
    done = shop.cascade("probe", "--discover", "--settings", "astray")
    assert (done.returncode, "The URL patterns cannot be imported: SystemExit: 0" in done.stderr) == (1, True)


def test_a_page_that_leads_to_the_login_says_whom_it_was_asked_as(shop: Site) -> None:
    probes = [("/members_only/", {}), ("/members_only/?staff", {"as": "user", "expect": 200})]
    done = shop.cascade("probe", "--no-models", SITE_PROBES=json.dumps(probes))
    assert re.search(r"passed +/members_only/ +302 to /accounts/login/: asked as nobody +", done.stdout), done.stdout
    assert "200 is expected, and it answers 302 to /accounts/login/: asked as user" in " ".join(done.stdout.split())


def test_junit_has_a_case_for_each_probe(shop: Site) -> None:
    probes = json.dumps([("/works/", {}), ("/raises/", {}), ("/commits/", {})])
    done = shop.cascade("probe", "-o", "probes.xml", "--no-models", SITE_PROBES=probes)
    assert done.returncode == 2
    suite = ET.parse(shop.folder / "probes.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["/raises/"]


@pytest.mark.one_version
def test_programs_are_told_why_nothing_was_asked(shop: Site) -> None:
    def ask(*arguments: str) -> str:
        done = shop.cascade("probe", *arguments, SITE_PORT="1")
        assert (done.returncode, "cannot be reached" in done.stderr) == (1, True), done.stderr
        return done.stdout

    document = json.loads(ask("--format", "json"))
    assert (document["exit_code"], "probes" in document) == (1, False)
    assert "cannot be reached" in document["error"]["message"]
    assert "Is the server up" in document["error"]["hint"]
    assert ask("-o", "asked.xml") == ask() == ""
    suite = ET.parse(shop.folder / "asked.xml").getroot()
    [error] = suite.iter("error")
    assert (suite.get("errors"), error.get("message")) == ("1", document["error"]["message"])

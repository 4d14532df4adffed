"""A repair is probed in a rehearsal, before its COMMIT and after it."""

import json

from tests.scenarios.sites import Site
from tests.scenarios.test_repair import dump

URLS = """
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.urls import path

from cascade.demo.project.apps.user_profile.models import Bounty
from cascade.demo.project.urls import urlpatterns


def looks_where_it_should_not(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM test_schema.user_profile_bounty")
    return HttpResponse()


def swallows(request):
    try:
        Bounty.objects.count()
    except DatabaseError:
        pass
    return HttpResponse()


def gets_out(request):
    connection.connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_site_of_nobody VALUES (1)")


def leaves(request):
    raise SystemExit(0)


urlpatterns = [*urlpatterns, path("leaves/", leaves), path("odd/", looks_where_it_should_not)]
urlpatterns += [path("out/", gets_out), path("calm/", swallows)]
"""


def _with_page(site: Site, path: str) -> None:
    """The demo with one page more, which is probed too."""
    (site.folder / "odd_urls.py").write_text(URLS)
    (site.folder / "odd.py").write_text(
        "from cascade.demo.project.settings import *\nROOT_URLCONF = 'odd_urls'\n"
        f"CASCADE = {{**CASCADE, 'PROBES': [*CASCADE['PROBES'], {{'path': {path!r}}}]}}\n"
    )
    assert site.cascade("plan", "--settings", "odd", "-o", "plan.json").returncode == 0


def test_a_failure_that_a_page_swallows_counts_as_well(one_incident: Site) -> None:
    _with_page(one_incident, "/calm/")
    done = one_incident.cascade("probe", "--settings", "odd", "--no-models", "--format", "json")
    [calm] = [probe for probe in json.loads(done.stdout)["probes"] if probe["path"] == "/calm/"]
    assert (calm["status"], calm["verdict"]) == (200, "failed")
    assert [failure["drift"] for failure in calm["failures"]] == ["misplaced_table:public.user_profile_bounty"]
    assert calm["reason"].startswith("answers 200, but swallowed an error: relation ")
    text = " ".join(one_incident.cascade("probe", "--settings", "odd", "--no-models").stdout.split())
    assert "answers 200, but swallowed an error: user_profile_bounty " in text


def test_a_page_that_would_end_the_program_does_not_end_a_repair_that_is_probed(one_incident: Site) -> None:
    _with_page(one_incident, "/leaves/")
    rehearsed = one_incident.cascade("rehearse", "plan.json", "--probe", "--settings", "odd")
    assert "/leaves/: failed, and now failed (it raises SystemExit)" in rehearsed.stdout, rehearsed.stderr
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--probe-before-commit")
    assert "6 of 7 probes passed afterwards." in done.stdout, done.stdout + done.stderr
    assert "nothing broken or risky is left." in done.stdout


def test_a_rehearsal_tells_which_pages_the_repair_makes_work(one_incident: Site) -> None:
    before = dump(one_incident)
    done = one_incident.cascade("rehearse", "--probe")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 6 probes passed before, 6 of 6 probes passed afterwards." in done.stdout
    assert "/me/settings/ as user: failed, and now 200" in done.stdout
    assert dump(one_incident) == before


def test_a_repair_is_probed_before_its_commit_and_after_it(one_incident: Site) -> None:
    one_incident.cascade("plan", "-o", "plan.json")
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--probe-before-commit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing broken or risky is left." in done.stdout
    assert "6 of 6 probes passed afterwards" in done.stdout
    assert one_incident.rows("SELECT count(*) FROM accounts_user WHERE username LIKE 'probe%'") == [(0,)]


def test_what_would_break_a_page_is_not_committed(one_incident: Site) -> None:
    _with_page(one_incident, "/odd/")
    before = dump(one_incident)
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--probe-before-commit")
    assert (done.returncode, dump(one_incident)) == (1, before), done.stdout
    assert "Nothing was changed: pages that worked before would fail, /odd/: relation " in done.stderr
    rehearsed = one_incident.cascade("rehearse", "plan.json", "--probe", "--settings", "odd")
    assert rehearsed.returncode == 2
    assert "/odd/: passed, and now fails" in rehearsed.stdout
    assert dump(one_incident) == before


def test_what_broke_a_page_can_be_taken_back(one_incident: Site) -> None:
    _with_page(one_incident, "/odd/")
    before = dump(one_incident)
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--probe", "--journal", "journal.jsonl")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "/odd/: passed, and now fails" in done.stdout
    assert "UNDO     cascade undo journal.jsonl" in done.stdout
    assert one_incident.cascade("undo", "journal.jsonl", "--settings", "odd", "--noinput").returncode == 0
    assert dump(one_incident) == before


def test_a_page_that_gets_out_of_the_transaction_takes_nothing_with_it(one_incident: Site) -> None:
    one_incident.execute("CREATE TABLE django_site_of_nobody (a int)")
    one_incident.execute("ALTER TABLE django_site_of_nobody OWNER TO migrator")
    _with_page(one_incident, "/out/")
    before = dump(one_incident)
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--probe-before-commit")
    assert done.returncode == 1, done.stdout
    assert "Nothing was changed" in done.stderr
    assert one_incident.rows("SELECT * FROM django_site_of_nobody") == []
    assert dump(one_incident) == before

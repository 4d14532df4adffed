"""What probes showed, as people and programs read it."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

from cascade.core.cascades import with_exact_chains
from cascade.core.probed import Probed
from cascade.core.probes import Failure, Found, Probe, ProbeKind, ProbeRun, Verdict
from cascade.render.dot import render_dot
from cascade.render.junit import render_junit
from cascade.render.plan_json import plan_document
from cascade.render.probes import render_before_and_after, render_discovered, render_probes
from cascade.render.probes_json import render_probes_json
from cascade.render.text import render_text
from tests.unit.render.answers import incident

SECRET = "4711 of mine"
PAGE = Probe(ProbeKind.PAGE, "/@{user.username}/")
BROKEN = ProbeRun(
    PAGE,
    Verdict.FAILED,
    500,
    12.3,
    4,
    found=(Found(Failure("42P01", 'relation "x" does not exist', "views.py:38"), incident().plan.drifts[0]),),
    said=SECRET,
)
ODD = ProbeRun(replace(PAGE, path="/\x00odd/"), Verdict.FAILED, 500, reason="KeyError", place="views.py:7", said=SECRET)
CALLS = ProbeRun(replace(PAGE, path="/calls/"), Verdict.NOT_PROVABLE, 200, reason="it calls example.com, views.py:9")
FINE = ProbeRun(replace(PAGE, path="/fine/"), Verdict.PASSED, 200, 5.0, 2, callbacks=("shop.sends",), mails=1)
MODEL = ProbeRun(Probe(ProbeKind.MODEL, model="shop.Item"), Verdict.PASSED, None, 1.0, 1)


def asked(*runs: ProbeRun, predicted: bool = False) -> Probed:
    answer = incident()
    plan = with_exact_chains(answer.plan, runs, answer.expected) if predicted else answer.plan
    return Probed(replace(answer, plan=plan), runs, "app_user", ("public.shop_id_seq",), predicted=predicted)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_what_fails_comes_first_with_its_drift_and_line() -> None:
    text = flat(render_probes(asked(FINE, MODEL, BROKEN, ODD, CALLS)))
    assert "is in test_schema, where app_user does not look. [misplaced_table:" in text
    assert "at views.py:38" in text
    assert "KeyError; this is no drift that cascade knows at views.py:7" in text
    assert "/calls/: not provable here: it calls example.com, views.py:9." in text
    assert "passed and 1 model, all columns of each" in text
    assert "Not run, for nothing was committed: shop.sends. Not sent: 1 mail." in text
    assert "no transaction takes that back: public.shop_id_seq." in text
    assert text.endswith("2 of 5 probes failed; 1 not provable here.")
    assert text.index("FAILED") < text.index("UNPROVED") < text.index("passed")


def test_what_the_application_says_itself_is_shown_only_where_it_is_asked_for() -> None:
    probed = asked(BROKEN, ODD)
    assert SECRET not in render_probes(probed) + render_probes_json(probed) + render_junit(probed)
    assert SECRET in render_probes(probed, verbose=True)


def test_a_prediction_tells_what_each_page_meets_and_what_none_does() -> None:
    first, second = incident().plan.drifts[:2]
    probed = asked(replace(FINE, cured=(first, second)), MODEL, predicted=True)
    text = flat(render_probes(probed))
    names = [drift.table.name for drift in (first, second) if drift.table]
    assert f"/fine/: public.{names[0]} -> public.{names[1]}; then 200" in text or " -> ".join(names) in text
    assert "Until the plan is run 1 of 2 probes will fail." in text
    document = json.loads(render_probes_json(probed))
    assert document["probes"][0]["cascade"] == [first.id, second.id]
    assert len(document["steps_not_run"]) == len(probed.answer.plan.steps) - 2


def test_a_prediction_counts_what_fails_until_the_plan_is_run_whatever_for() -> None:
    cured = replace(FINE, cured=incident().plan.drifts[:2])
    probed = asked(cured, replace(cured, probe=PAGE), ODD, MODEL, predicted=True)

    assert "Until the plan is run 3 of 4 probes will fail; 1 would fail even then." in flat(render_probes(probed))
    assert probed.exit_code == 2
    assert asked(cured, predicted=True).exit_code == 2
    assert asked(FINE, predicted=True).exit_code == 0
    assert ET.fromstring(render_junit(probed)).get("failures") == "3"


def test_the_plan_shows_exact_chains_by_page() -> None:
    first, second = incident().plan.drifts[:2]
    answer = asked(replace(FINE, cured=(first, second)), predicted=True).answer
    assert "/fine/: user_profile_about_item -> user_profile_stream_config" in flat(render_text(answer))
    assert "(measured)" in render_text(answer)
    assert plan_document(answer)["cascade"][0]["probe"] == "/fine/"
    assert "/fine/" in render_dot(answer)
    assert "breaks" not in render_dot(incident())


def test_junit_is_xml_whatever_a_path_holds() -> None:
    suite = ET.fromstring(render_junit(asked(BROKEN, ODD, CALLS, FINE)))
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["4", "2", "1"]
    assert suite[1].get("name") == "/?odd/"


def test_what_a_repair_broke_is_told_last() -> None:
    now_broken = replace(FINE, verdict=Verdict.FAILED, reason="KeyError")
    text = flat(render_before_and_after(asked(BROKEN, FINE), asked(replace(FINE, probe=PAGE), now_broken)))
    assert "1 of 2 probes passed before, 1 of 2 probes passed afterwards." in text
    assert "/@{user.username}/: failed, and now 200" in text
    assert text.endswith("/fine/: passed, and now fails (KeyError) BROKEN 1 probe by the steps.")


def test_what_is_left_out_has_its_reason() -> None:
    text = render_discovered([PAGE], [("/items/<pk>/", "it needs pk")])
    assert "1 page that can be asked for" in text
    assert "  /items/<pk>/  it needs pk" in text

"""The page of a report in a real browser, as people use it: filter, copy, keyboard, print, without a script."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cascade.core.incident import Incident
from cascade.core.probe_results import parse_probe_results
from cascade.render.report import make_report, render_report_html
from tests.browser import Page, browser_page
from tests.scenarios.sites import run_program
from tests.unit.render import answers, kept
from tests.unit.render.test_report import HOSTILE, hostile

SHOWN = "[...document.querySelectorAll('.card')].filter(card => card.checkVisibility()).length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with browser_page() as page:
        yield page


@pytest.fixture
def page(browser: Page, tmp_path: Path) -> Iterator[Page]:
    """The browser with nothing said of it yet; afterwards it must have asked for the page alone, and not complained."""
    browser.emulate()
    browser.requests.clear()
    browser.complaints.clear()
    yield browser
    assert browser.complaints == []
    assert [address for address in browser.requests if not address.startswith(f"file://{tmp_path}/")] == []


def shown(page: Page, incident: Incident, folder: Path) -> str:
    """The report of the incident, open in the browser; its address."""
    file = folder / "report.html"
    file.write_text(render_report_html(make_report(incident)), encoding="utf-8")
    page.open(f"file://{file}")
    return f"file://{file}"


def test_findings_are_filtered_by_app_kind_and_severity(page: Page, tmp_path: Path) -> None:
    shown(page, Incident(kept.plan(answers.every_kind)), tmp_path)
    every = page.ask(SHOWN)

    page.ask(
        "(() => { const choice = document.querySelector('select[name=kind]'); choice.value = 'missing_index';"
        "choice.dispatchEvent(new Event('change', {bubbles: true})) })()"
    )
    assert 0 < page.ask(SHOWN) < every
    assert page.ask("document.querySelector('.filter output').value") == f"{page.ask(SHOWN)} of {every} shown"
    page.ask("document.querySelector('.filter button').click()")
    page.wait(lambda: page.ask(SHOWN) == every)


def test_a_filter_opens_the_groups_of_many_findings_and_hides_those_that_have_none(page: Page, tmp_path: Path) -> None:
    shown(page, Incident(kept.plan(answers.sixty_moves)), tmp_path)
    groups = "[...document.querySelectorAll('[aria-labelledby=findings] .group')].map(g => [g.hidden, g.open])"
    assert page.ask(groups) == [[False, False]] * 3

    page.ask(
        "(() => { const choice = document.querySelector('select[name=app]'); choice.value = 'catalogue';"
        "choice.dispatchEvent(new Event('change', {bubbles: true})) })()"
    )
    assert page.ask(groups) == [[True, False], [False, True], [True, False]]
    assert page.ask("document.querySelector('.filter output').value") == "20 of 60 shown"


def test_many_findings_are_printed_whole_and_open_without_a_script(page: Page, tmp_path: Path) -> None:
    page.without_script()
    try:
        shown(page, Incident(kept.plan(answers.sixty_moves)), tmp_path)
        page.emulate(media="print")
        # Content of what is folded is shown in print by the style alone, and no table or statement scrolls.
        cut = "[...document.querySelectorAll('.tall')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
        assert page.ask(cut) == 0
        visible = "[...document.querySelectorAll('.group .card pre')].every(e => e.checkVisibility({contentVisibilityAuto: true}))"
        assert page.ask(visible)
        page.emulate(media="screen")
        page.ask("document.querySelector('.group summary').click()")
        assert page.ask("document.querySelector('.group').open")
    finally:
        page.send("Emulation.setScriptExecutionDisabled", value=False)


def test_sql_is_copied_whole(page: Page, tmp_path: Path) -> None:
    incident = kept.incident()
    shown(page, incident, tmp_path)
    page.send("Page.bringToFront")
    page.ask(
        "navigator.clipboard.writeText = async (text) => { globalThis.copied = text };"
        "document.querySelector('[aria-labelledby=done] button.copy').click()",
        gesture=True,
    )
    page.wait(lambda: page.ask("document.querySelector('[aria-labelledby=done] button.copy').textContent") == "Copied")

    assert page.ask("copied") == "\n".join(statement.sql for statement in incident.statements)
    assert page.ask("document.getElementById('said').textContent") == "Copied."


def test_where_the_clipboard_is_closed_the_sql_is_selected(page: Page, tmp_path: Path) -> None:
    incident = kept.incident()
    shown(page, incident, tmp_path)
    page.ask(
        "navigator.clipboard.writeText = async () => { throw new Error('closed') };"
        "document.querySelector('[aria-labelledby=done] button.copy').click()"
    )
    page.wait(lambda: page.ask("getSelection().toString().length") > 0)

    assert page.ask("getSelection().toString().trim()") == "\n".join(s.sql for s in incident.statements)


def test_everything_is_reached_by_keyboard(page: Page, tmp_path: Path) -> None:
    shown(page, kept.incident(), tmp_path)
    page.send("Page.bringToFront")

    page.press("Tab")
    assert page.ask("document.activeElement.textContent") == "To the report"
    assert page.ask("document.activeElement.getBoundingClientRect().left >= 0")
    met: list[str] = []
    for _ in range(400):
        page.press("Tab")
        what = page.ask("document.activeElement.matches('body') ? '' : document.activeElement.outerHTML.slice(0, 60)")
        if not what:
            break
        met.append(what)
    for wanted in ("<summary", "<select", "<button", '<input type="radio"', '<pre tabindex="0"', '<div class="scroll"'):
        assert any(wanted in what for what in met), wanted

    page.ask("document.querySelector('.card summary').focus()")
    page.press("Enter", "\r")
    assert page.ask("document.querySelector('.card').open")
    page.ask("document.querySelector('.zoom input').focus()")
    before = page.ask("document.querySelector('.pane svg').getBoundingClientRect().width")
    page.press("ArrowRight")
    page.press("ArrowRight")
    assert page.ask("document.querySelector('.pane svg').getBoundingClientRect().width") > before


def test_a_hostile_name_and_comment_stay_text(page: Page, tmp_path: Path) -> None:
    error = kept.failing_page(HOSTILE, reason=HOSTILE)
    shown(page, Incident(hostile(), probes=parse_probe_results(error)), tmp_path)

    assert page.ask("document.images.length") == 0
    assert page.ask("document.scripts.length") == 1
    assert HOSTILE[:30] in page.ask("document.body.textContent")


def test_without_a_script_all_is_there_but_what_needs_one(page: Page, tmp_path: Path) -> None:
    # Asked of the page itself by the protocol, which needs no script of the page's.
    page.without_script()
    try:
        shown(page, kept.incident(), tmp_path)
        assert page.ask(SHOWN) == len(kept.incident().findings)
        assert page.ask("[...document.querySelectorAll('form, button')].filter(e => e.checkVisibility()).length") == 0
        page.ask("document.getElementById('zoom-steps-double').checked = true")
        assert page.ask("getComputedStyle(document.querySelectorAll('.pane svg')[1]).maxWidth") == "none"
    finally:
        page.send("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Page, tmp_path: Path, scheme: str) -> None:
    page.emulate(scheme=scheme)
    shown(page, kept.incident(), tmp_path)
    page.ask("document.querySelectorAll('details').forEach(part => part.open = true)")

    # The contrast that WCAG 2.2 asks of text, 1.4.3: 4.5 to 1.
    assert page.ask(_CONTRAST) == []


_CONTRAST = """(() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const ground = (part) => {
    for (let e = part; e; e = e.parentElement) {
      const rgb = numbers(getComputedStyle(e).backgroundColor);
      if (rgb.length < 4 || rgb[3] > 0) return rgb;
    }
  };
  const bad = new Set();
  for (const part of document.querySelectorAll('body *:not(svg *)')) {
    if (!part.checkVisibility() || ![...part.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    if (part.matches('.skip, script')) continue;
    const [a, b] = [light(numbers(getComputedStyle(part).color)), light(ground(part))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.add(part.outerHTML.slice(0, 80));
  }
  return [...bad];
})()"""


def test_nothing_is_wider_than_a_telephone(page: Page, tmp_path: Path) -> None:
    page.emulate(width=390)
    shown(page, kept.incident(), tmp_path)
    page.ask("document.querySelectorAll('details').forEach(part => part.open = true)")

    assert page.ask("document.documentElement.scrollWidth") <= 390


def test_what_is_folded_is_printed_and_what_is_clicked_is_not(page: Page, tmp_path: Path) -> None:
    shown(page, kept.incident(), tmp_path)
    page.emulate(media="print")

    assert (
        page.ask("[...document.querySelectorAll('button, select, nav')].filter(e => e.checkVisibility()).length") == 0
    )
    assert page.pdf().startswith(b"%PDF")
    page.ask("dispatchEvent(new Event('beforeprint'))")
    assert page.ask("document.querySelectorAll('details:not([open])').length") == 0
    page.ask("dispatchEvent(new Event('afterprint'))")
    assert page.ask("document.querySelectorAll('details[open]').length") == 0


@pytest.mark.slow
def test_the_demo_ends_with_a_report_of_its_incident(page: Page, tmp_path: Path) -> None:
    done = run_program("-m", "cascade", "demo", "--repair", "-o", "out", environment={}, folder=tmp_path)
    assert done.returncode == 0, done.stderr

    page.open(f"file://{tmp_path}/out/report.html")
    told = page.ask("document.body.innerText")
    assert "It is repaired." in told
    assert "2 of 6 pages asked failed (/@amber1/ and /me/settings/); all that were asked answer now" in told
    assert 'relation "user_profile_about_item" does not exist' in told

"""The files of a report, and what they do to those that lie there."""

from pathlib import Path

from cascade.core.incident import Incident
from cascade.render.report import make_report
from cascade.render.report.blocks import Aside, Card, Cards, Part, Report, Section, Shown
from cascade.workflows.reporting import report_files, write_report
from tests.unit.render import answers, kept


def healthy() -> Incident:
    return Incident(kept.plan(answers.healthy))


def test_a_new_report_clears_away_the_pictures_that_it_does_not_show(tmp_path: Path) -> None:
    write_report(report_files(Incident(kept.plan())), tmp_path)
    assert {path.name for path in tmp_path.glob("*.svg")} >= {"places.svg", "steps.svg"}

    said: list[str] = []
    write_report(report_files(healthy()), tmp_path, report=said.append)

    assert not list(tmp_path.glob("*.svg"))
    assert f"removed {tmp_path / 'steps.svg'}, a picture of an earlier report" in said
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", "report.html"}


def test_a_file_that_is_somebodys_own_is_never_removed(tmp_path: Path) -> None:
    files = report_files(Incident(kept.plan()))
    write_report(files, tmp_path)
    edited, copied, linked = tmp_path / "steps.svg", tmp_path / "before.svg", tmp_path / "linked.svg"
    edited.write_text(edited.read_text().replace("<title>", "<title>My words: "))
    copied.write_text(files["places.svg"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "linked.svg").write_text(files["places.svg"])
    linked.symlink_to(tmp_path / "elsewhere" / "linked.svg")
    (tmp_path / "drawn.svg").write_text("<svg/>")
    (tmp_path / "broken.svg").write_bytes(b"\xff\xfe")

    write_report(report_files(healthy()), tmp_path)

    left = {path.name for path in tmp_path.glob("*.svg")}
    assert left == {"steps.svg", "before.svg", "linked.svg", "drawn.svg", "broken.svg"}


def test_the_page_alone_leaves_the_pictures_of_the_markdown_beside_it(tmp_path: Path) -> None:
    write_report(report_files(Incident(kept.plan())), tmp_path)
    write_report(report_files(healthy(), ["html"]), tmp_path)

    assert (tmp_path / "steps.svg").exists()


def test_a_picture_is_written_however_deep_it_stands() -> None:
    picture, *_ = make_report(Incident(kept.plan())).pictures
    shown = (Part(("a",), (Aside(("b",), (Shown(picture, "c"),)),)),)
    card = Card("id", "kind", "broken", "app", ("d",), (), (), shown)
    report = Report("title", (), (Section("s", "S", (*shown, Cards((card,)))),))

    assert report.pictures == (picture, picture)

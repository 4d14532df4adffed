"""What the pages answered, before the repair and after it."""

from collections.abc import Iterator

from cascade.core.incident import Incident, PageFate
from cascade.core.probe_results import ProbeResult
from cascade.render.report.blocks import Block, Bullets, Code, Grid, Inline, Line, Paragraph, Strong


def probes(incident: Incident) -> Iterator[Block]:
    """Each page as it answered before and after, and what the failing ones failed at."""
    if not incident.findings and not incident.probes:
        return
    if not incident.probes:
        yield Paragraph(
            (
                "Not known: no results of probes were given. ",
                Code("cascade probe --format json"),
                " asks the pages; its file is taken by ",
                Code("--probes"),
                ".",
            )
        )
        return
    yield Grid(
        ("page", "as", "before the repair", "after the repair"),
        tuple(
            ((Code(page.name),), (page.user or "anonymous",), _answer(page.before), _answer(page.after))
            for page in incident.pages
        ),
    )
    failing = [page for page in incident.pages if _says_more(page)]
    if failing:
        yield Bullets(tuple(_failure(page) for page in failing))


def _answer(result: ProbeResult | None) -> Line:
    if result is None:
        return ("not asked",)
    status = f" ({result.status})" if result.status is not None else ""
    return (Strong("ok" if result.ok else "FAILED"), status)


def _says_more(page: PageFate) -> bool:
    return any(result is not None and (result.failed or result.error) for result in (page.before, page.after))


def _failure(page: PageFate) -> Line:
    parts: list[Inline] = [Code(page.name)]
    for when, result in (("before", page.before), ("after", page.after)):
        if result is not None and (result.failed or result.error):
            parts.append(f", {when}: ")
            parts += ["could not find ", Code(result.failed)] if result.failed else []
            parts.append(f"{'; ' if result.failed else ''}{result.error}" if result.error else "")
    return tuple(parts)

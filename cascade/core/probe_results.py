"""What ``cascade probe --format json`` wrote, as a report needs it: the one place that knows the shape of that file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class MalformedResults(ValueError):
    """The document holds no results of probes; the message says why."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One page. ``status`` is None where no answer came; ``failed`` names the finding that it failed at.

    ``user`` is who asked, ``""`` for nobody in particular; ``at`` is when the pages were asked, ISO 8601.
    """

    name: str
    user: str
    status: int | None
    ok: bool
    failed: str = ""
    error: str = ""
    at: str = ""


def parse_probe_results(document: Any) -> tuple[ProbeResult, ...]:
    """The pages in their order; models are no pages, and what could be proved neither way is left aside.

    Of a prediction it is the state before that counts: a page that needed a cure fails, whatever it answers after it.

    >>> page = {"kind": "page", "path": "/me/", "as": "user", "verdict": "passed", "status": 200}
    >>> parse_probe_results({"asked_at": "2026-01-14T00:00:00Z", "probes": [page]})[0].ok
    True

    Raises ``MalformedResults`` where the document is something else.
    """
    if isinstance(document, Mapping) and document.get("error"):
        raise MalformedResults("the run that wrote it ended in an error, and asked nothing")
    if not isinstance(document, Mapping) or not isinstance(document.get("probes"), Sequence):
        raise MalformedResults("it lists no probes")
    at = str(document.get("asked_at") or "")
    try:
        pages = [probe for probe in document["probes"] if probe["kind"] in ("page", "object")]
        if document.get("predicted"):
            pages = [_before_the_cures(page) for page in pages]
        return tuple(_result(page, at) for page in pages if page["verdict"] in ("passed", "failed"))
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedResults(f"a part is missing or of another kind: {error}") from error


def measured_chains(document: Any) -> tuple[Mapping[str, Any], ...]:
    """Of a prediction what each page fails at in its turn."""
    if not isinstance(document, Mapping) or not document.get("predicted"):
        return ()
    try:
        return tuple({**chain, "objects": list(chain["objects"])} for chain in document.get("cascade", ()))
    except (KeyError, TypeError) as error:
        raise MalformedResults(f"its cascade is of another kind: {error}") from error


def _before_the_cures(page: Mapping[str, Any]) -> Mapping[str, Any]:
    """The page as it answers now: what was repaired on its way is what it fails at, and its answer is not known."""
    met = page.get("cascade") or ()
    if not met:
        return page
    return {**page, "verdict": "failed", "status": None, "failures": [{"drift": met[0]}], "reason": ""}


def _result(page: Mapping[str, Any], at: str) -> ProbeResult:
    found = [str(failure["drift"]) for failure in page.get("failures", ()) if failure.get("drift")]
    return ProbeResult(
        str(page["path"]),
        str(page["as"] or ""),
        page["status"],
        page["verdict"] == "passed",
        found[0].partition(":")[2] if found else "",
        str(page.get("reason") or ""),
        at,
    )

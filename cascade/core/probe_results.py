"""What ``cascade probe --format json`` wrote, as a report needs it: the one place that knows the shape of that file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class MalformedResults(ValueError):
    """The document holds no results of probes; the message says why."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One request or query. ``status`` is None where none came; ``failed`` names the object that was not found.

    ``user`` is who asked, ``""`` for nobody in particular; ``at`` ISO 8601, ``""`` where the file says no time.
    """

    name: str
    user: str
    status: int | None
    ok: bool
    failed: str = ""
    error: str = ""
    at: str = ""


def parse_probe_results(document: Any) -> tuple[ProbeResult, ...]:
    """The results, in their order; a list, or an object whose ``probes`` is one.

    >>> parse_probe_results({"probes": [{"path": "/me/", "as": "amber", "status": 500, "ok": False}]})
    (ProbeResult(name='/me/', user='amber', status=500, ok=False, failed='', error='', at=''),)

    Raises ``MalformedResults`` where the document is something else.
    """
    shared: Mapping[str, Any] = document if isinstance(document, Mapping) else {}
    entries = next((shared[key] for key in _LISTS if key in shared), document)
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise MalformedResults("it lists no probes")
    at = str(_first(shared, _TIMES) or "")
    return tuple(_result(entry, at) for entry in entries)


# Each fact by the names under which it is looked for.
_LISTS = ("probes", "results")
_NAMES = ("name", "path", "url", "probe")
_TIMES = ("at", "time", "asked_at", "started", "read_at")
_FAILED = ("failed", "failed_object", "object")


def _result(entry: Any, at: str) -> ProbeResult:
    if not isinstance(entry, Mapping):
        raise MalformedResults(f"{entry!r:.40} is no object")
    name, status = _first(entry, _NAMES), entry.get("status")
    if name is None:
        raise MalformedResults("a probe has neither name nor path")
    number = status if isinstance(status, int) and not isinstance(status, bool) else None
    ok = entry.get("ok")
    return ProbeResult(
        str(name),
        str(entry.get("as") or ""),
        number,
        bool(ok) if ok is not None else number is not None and number < 400,
        _named(_first(entry, _FAILED)),
        str(entry.get("error") or ""),
        str(_first(entry, _TIMES) or at),
    )


def _first(entry: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _named(failed: Any) -> str:
    """An object by its name, or by schema, table and column."""
    if isinstance(failed, Mapping):
        return ".".join(str(failed[key]) for key in ("schema", "table", "object", "column") if failed.get(key))
    return str(failed) if isinstance(failed, str) else ""

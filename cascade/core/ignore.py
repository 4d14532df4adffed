"""Differences that the project's settings accept: ``CASCADE["IGNORE"]``, by finding, each with a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.errors import CascadeError, NoSuchName


@dataclass(frozen=True, slots=True)
class Ignore:
    """One entry: the id of the finding that is accepted (``Drift.id``), and why it is."""

    id: str
    reason: str


def parse_ignores(value: object) -> tuple[Ignore, ...]:
    """The entries of ``CASCADE["IGNORE"]``; a finding is named by its id, or by its kind and object.

    >>> parse_ignores([{"kind": "extra_index", "object": "public.team.team_lower", "reason": "made by the DBA"}])
    (Ignore(id='extra_index:public.team.team_lower', reason='made by the DBA'),)

    Raises a ``CascadeError`` that names the entry which is not of that form.
    """
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise CascadeError(f"{_SETTING} is {_article(value)}, not a list of entries.", hint=_FORM)
    entries = tuple(_parsed(entry, f"Entry {position} of {_SETTING}") for position, entry in enumerate(value, start=1))
    for position, entry in enumerate(entries):
        if entry.id in {earlier.id for earlier in entries[:position]}:
            raise CascadeError(
                f"{_SETTING} names {entry.id} twice.", hint="Leave one of the two entries, with the reason that holds."
            )
    return entries


def ignore(
    drifts: Iterable[Drift], entries: Iterable[Ignore], *, complete: bool = True
) -> tuple[tuple[Drift, ...], tuple[tuple[Drift, str], ...]]:
    """The drifts that count, and those that an entry accepts, each with the entry's reason; both in their order.

    What is worse than its kind is by default (an extra column that every INSERT has to fill, a key to the wrong copy
    with rows astray) is more than was accepted: it counts, and says so. An entry that no drift matches is a finding
    itself, a note. Where not everything was checked (``complete`` is False) it may match what was not looked at, so
    nothing is said of it.
    """
    drifts, reasons = tuple(drifts), {entry.id: entry.reason for entry in entries}
    kept = tuple(_noted(drift, reasons) for drift in drifts if drift.id not in reasons or _is_worse(drift))
    ignored = tuple((drift, reasons[drift.id]) for drift in drifts if drift.id in reasons and not _is_worse(drift))
    met = {drift.id for drift in drifts if drift.id in reasons}
    unused = tuple(_unused(id_, reason) for id_, reason in reasons.items() if id_ not in met) if complete else ()
    return (*kept, *unused), ignored


def _is_worse(drift: Drift) -> bool:
    return drift.severity.rank < drift.kind.facts.severity.rank


def _noted(drift: Drift, reasons: Mapping[str, str]) -> Drift:
    if drift.id not in reasons:
        return drift
    return replace(drift, evidence=(*drift.evidence, f"{_SETTING} accepts it, but it is {drift.severity.value} now"))


_SETTING = 'CASCADE["IGNORE"] in the settings'
_FORM = (
    'An entry is {"id": "extra_index:public.team.team_lower", "reason": "why it is accepted"}, '
    "with the id that cascade check prints at the end of a line."
)
_KEYS = ("id", "kind", "object", "reason")


def _parsed(entry: object, place: str) -> Ignore:
    if not isinstance(entry, Mapping):
        raise CascadeError(f"{place} is {_article(entry)}, not a dictionary.", hint=_FORM)
    for key in entry:
        if key not in _KEYS:
            raise NoSuchName("key", str(key), _KEYS, where=f" for an entry: {_shown(entry, place)}")
    for key in _KEYS:
        if key in entry and not (isinstance(entry[key], str) and entry[key].strip()):
            raise CascadeError(f"{_shown(entry, place)}: its {key} is empty or no text.", hint=_FORM)
    if "reason" not in entry:
        raise CascadeError(f"{_shown(entry, place)} gives no reason.", hint=_FORM)
    if ("id" in entry) == ("kind" in entry) or ("kind" in entry) != ("object" in entry):
        raise CascadeError(
            f"{_shown(entry, place)} names no finding: give either its id, or its kind and its object.", hint=_FORM
        )
    kind, separator, object_ = entry["id"].partition(":") if "id" in entry else (entry["kind"], ":", entry["object"])
    _refuse_unknown_kind(kind, _shown(entry, place))
    if not (separator and object_):
        raise CascadeError(f"{_shown(entry, place)}: its id names no object after the kind.", hint=_FORM)
    return Ignore(f"{kind}:{object_}", entry["reason"].strip())


def _refuse_unknown_kind(kind: str, place: str) -> None:
    known = [known.value for known in DriftKind]
    if kind not in known:
        raise NoSuchName("kind of finding", kind, known, where=f". {place}")


def _shown(entry: Mapping[object, object], place: str) -> str:
    """The entry's place and what it says, but for the reason."""
    said = ", ".join(f"{key}: {value}" for key, value in entry.items() if key != "reason")
    return f"{place} ({said or 'without id'})"


def _article(value: object) -> str:
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


def _unused(id_: str, reason: str) -> Drift:
    return Drift(
        DriftKind.UNUSED_IGNORE,
        DriftKind.UNUSED_IGNORE.facts.severity,
        None,
        object=id_,
        expected="a finding of that id",
        observed="no finding of that id",
        evidence=(f"its reason in the settings: {reason}",),
    )

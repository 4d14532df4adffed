"""``cascade check`` as a gate: which findings count, which are known and accepted until a date, and the exit code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.history import History, MigrationKey
from cascade.core.timeline import last_run
from cascade.errors import CascadeError

BASELINE_VERSION = 1
"""The value of ``cascade_baseline`` in a baseline."""


@dataclass(frozen=True, slots=True)
class Known:
    """A finding that is accepted through the day ``until``, by its id, as bad as it was when it was accepted."""

    id: str
    severity: Severity
    until: date
    reason: str


def exit_code(answer: Answer, fail_on: Severity) -> int:
    """0 clean, 2 findings at least so bad, 3 none of them but something, or all of it, could not be checked."""
    if answer.findings(fail_on):
        return 2
    return 0 if answer.complete and not answer.expects_nothing else 3


def of_last_run(answer: Answer) -> Answer:
    """The answer narrowed to what the last run of ``migrate`` made or recorded; the rest is left out."""
    history = answer.observed.history(answer.placement.target) or History(answer.placement.target, ())
    run = last_run(history)
    recorded = frozenset(record.key for record in run)
    inside = tuple(drift for drift in answer.plan.drifts if _is_made_by(drift, recorded, answer.expected.replaces))
    outside = tuple(d for d in answer.plan.drifts if d not in inside and d.severity is not Severity.NOTE)
    number = f"{len(run)} migration{'' if len(run) == 1 else 's'}"
    scope = f"the last run of migrate ({number}{f', from {run[0].key} on' if run else ''})"
    plan = replace(
        answer.plan,
        drifts=inside,
        left_out=(*answer.plan.left_out, *outside),
        scope=", ".join(part for part in (answer.plan.scope, scope) if part),
    )
    return replace(answer, plan=plan)


def accept(answer: Answer, baseline: Iterable[Known]) -> tuple[Answer, tuple[str, ...]]:
    """The answer in which what is known does not count, and the ids in the baseline that no finding has any more.

    What has become worse than it was when it was accepted counts, and so does what is accepted no longer: the day is
    that of the reading.
    """
    known = {entry.id: entry for entry in baseline}
    today = date.fromisoformat(answer.observed.read_at[:10])
    counting, accepted = [], []
    for drift in answer.plan.drifts:
        entry = known.get(drift.id)
        if entry is None:
            counting.append(drift)
        elif problem := _no_longer(entry, drift, today):
            counting.append(replace(drift, evidence=(*drift.evidence, problem)))
        else:
            accepted.append((drift, f"accepted until {entry.until}: {entry.reason}"))
    there = {drift.id for drift in (*answer.plan.drifts, *answer.plan.left_out)}
    gone = tuple(id_ for id_ in known if id_ not in there) if answer.complete else ()
    plan = replace(answer.plan, drifts=tuple(counting))
    return replace(answer, plan=plan, accepted=tuple(accepted)), gone


def make_baseline(answer: Answer, until: date, earlier: Iterable[Known] = ()) -> dict[str, Any]:
    """A baseline of all that is broken or risky now; what was in the earlier one keeps its reason."""
    reasons = {entry.id: entry.reason for entry in earlier}
    found = f"found on {answer.observed.read_at[:10]}"
    entries = [
        {
            "id": drift.id,
            "severity": drift.severity.value,
            "until": until.isoformat(),
            "reason": reasons.get(drift.id, found),
        }
        for drift in answer.findings()
    ]
    return {"cascade_baseline": BASELINE_VERSION, "accepted": entries}


def parse_baseline(document: object) -> tuple[Known, ...]:
    """The entries of a baseline. Raises a ``CascadeError`` that names the entry which is not of that form.

    >>> entry = {"id": "missing_table:public.a", "severity": "broken", "until": "2027-01-31", "reason": "in repair"}
    >>> parse_baseline({"cascade_baseline": 1, "accepted": [entry]})[0].until
    datetime.date(2027, 1, 31)
    """
    if not isinstance(document, Mapping) or document.get("cascade_baseline") != BASELINE_VERSION:
        raise CascadeError("It is no baseline of this version.", hint=_FORM)
    entries = document.get("accepted")
    if not isinstance(entries, list):
        raise CascadeError('"accepted" is no list.', hint=_FORM)
    return tuple(_known(entry, position) for position, entry in enumerate(entries, start=1))


_FORM = "cascade check --baseline FILE --accept-until YYYY-MM-DD writes one."


def _known(entry: object, position: int) -> Known:
    try:
        return _read_entry(entry)
    except (KeyError, TypeError, ValueError) as error:
        raise CascadeError(
            f"Entry {position} has not all of id, severity (broken or risky), until (a date) and reason.", hint=_FORM
        ) from error


def _read_entry(entry: Any) -> Known:
    texts = [entry[key] for key in ("id", "severity", "until", "reason")]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise TypeError("empty, or no text")
    id_, severity, until, reason = texts
    return Known(id_, Severity(severity), date.fromisoformat(until), reason)


def _is_made_by(
    drift: Drift, recorded: frozenset[MigrationKey], replaces: Mapping[MigrationKey, tuple[MigrationKey, ...]]
) -> bool:
    if drift.made_by is None:
        return False
    migration = drift.made_by.migration
    return not recorded.isdisjoint({migration, *replaces.get(migration, ())})


def _no_longer(entry: Known, drift: Drift, today: date) -> str:
    if today > entry.until:
        return f"the baseline accepted it until {entry.until}"
    if drift.severity.rank < entry.severity.rank:
        return f"the baseline accepted it as {entry.severity.value}, and it is {drift.severity.value} now"
    return ""

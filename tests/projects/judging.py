"""Findings beside what was injected: what was found, what was missed, and what was invented."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.layout import TableName
from tests.projects.expectations import EXPECTATIONS, Hit, Part
from tests.projects.injections import TARGET, Injection, Subject


@dataclass(frozen=True, slots=True)
class Verdict:
    """What cascade said of an injection: hits that it did not name, serious findings for which nothing accounts."""

    hits: int
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]
    notes: int


def judge(injection: Injection, drifts: Iterable[Drift], *, before: Iterable[Drift] = ()) -> Verdict:
    """Compare findings with what the table of expectations says; those ``before`` it are left aside."""
    known = set(before)
    drifts = [drift for drift in drifts if drift not in known]
    wanted = list(_wanted(injection))
    asked_for = [(hit, subject) for hit, subject in wanted if not hit.optional]
    missed = [_in_words(hit, subject) for hit, subject in asked_for if not _is_found(hit, subject, drifts)]
    unaccounted = [d for d in drifts if not any(_is_hit(hit, s, d) for hit, s in wanted if not hit.attached)]
    return Verdict(
        len(asked_for),
        tuple(missed),
        tuple(
            f"{drift.severity.value} {drift.id}: {drift.observed}"
            for drift in unaccounted
            if drift.severity is not Severity.NOTE
        ),
        sum(drift.severity is Severity.NOTE for drift in unaccounted),
    )


def _wanted(injection: Injection) -> Iterator[tuple[Hit, Subject]]:
    for one in injection.all_of_it:
        for hit in EXPECTATIONS[one.kind].hits:
            yield from ((hit, subject) for subject in one.parts.get(hit.part, ()))


def _is_found(hit: Hit, subject: Subject, drifts: Iterable[Drift]) -> bool:
    if hit.attached:
        return any(_names(consequence, subject) for drift in drifts for consequence in drift.consequences)
    return any(_is_hit(hit, subject, drift) for drift in drifts)


def _names(consequence: str, subject: Subject) -> bool:
    return subject.table in consequence and all(column in consequence for column in subject.columns)


def _is_hit(hit: Hit, subject: Subject, drift: Drift) -> bool:
    return (
        drift.kind in (hit.kind, hit.otherwise)
        and drift.severity is hit.severity
        and (not hit.aspect or hit.aspect in drift.aspects)
        and _is_about(hit.part, subject, drift)
    )


def _is_about(part: Part, subject: Subject, drift: Drift) -> bool:
    """Whether the finding names that very thing: constraints and indexes by what they are, for names are no identity."""
    here = drift.table == TableName(TARGET, subject.table)
    match part:
        case Part.DATABASE:
            return drift.object == subject.name
        case Part.OBJECT:
            return subject.name in drift.object
        case Part.TABLE | Part.COPIED_TABLE:
            return here
        case Part.COLUMN | Part.NEW_COLUMN:
            return here and subject.name in (drift.object, *drift.columns)
        case Part.INDEX:
            same = subject.name == drift.object or subject.columns == drift.columns
            return here and same and subject.words in drift.expected
        case Part.CONSTRAINT | Part.OWN_KEY | Part.ORPHANED_KEY | Part.LOST_KEY:
            kind = drift.constraint_type.value if drift.constraint_type else ""
            same = subject.name == drift.object or set(subject.columns) == set(drift.columns)
            return here and same and subject.constraint_type == kind
    assert_never(part)


def _in_words(hit: Hit, subject: Subject) -> str:
    thing = ".".join(part for part in (subject.table, subject.name) if part)
    return f"{hit.severity.value} {hit.kind.value} {thing}" + (" among the consequences" if hit.attached else "")

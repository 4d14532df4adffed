"""What is asked of a plan's JSON, wherever it is read: which findings count, which table, how many rows, when."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from cascade.core.findings import Severity
from cascade.core.layout import RowEvidence, TableName

JSON: TypeAlias = Mapping[str, Any]
"""An object of JSON that is read and never changed: a plan as ``plan.schema.json`` describes it, or a part of one."""

NewJSON: TypeAlias = dict[str, Any]
"""One that is being made."""


def serious(drifts: Iterable[JSON]) -> Iterator[JSON]:
    """Those that are broken or risky.

    >>> [drift["id"] for drift in serious([{"id": "a", "severity": "note"}, {"id": "b", "severity": "risky"}])]
    ['b']
    """
    return (drift for drift in drifts if drift["severity"] != Severity.NOTE.value)


def table_of(entry: JSON) -> TableName:
    """The table that a finding, a step, a node or an edge is about.

    >>> str(table_of({"schema": "public", "table": "Order", "columns": []}))
    'public."Order"'
    """
    return TableName(entry["schema"], entry["table"])


def rows_kept(rows: JSON | None) -> RowEvidence:
    """What is known of rows, as a plan's JSON keeps it."""
    if rows is None:
        return RowEvidence()
    # Of what was not counted to the end the JSON has the limit, which there is one more than.
    counted = rows["counted"] + 1 if rows["counted"] is not None and not rows["exact"] else rows["counted"]
    return RowEvidence(counted, rows["estimate"], rows["unknown_because"], uncut=rows["exact"])


def moment_of(iso: str | None) -> datetime | None:
    """The moment in UTC, None where there is none or the text says none; one without a zone is taken for UTC.

    >>> moment_of("2025-12-31T14:03:11+01:00") == moment_of("2025-12-31T13:03:11"), moment_of("yesterday")
    (True, None)
    """
    try:
        at = datetime.fromisoformat(iso or "")
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)

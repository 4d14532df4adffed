"""Drift: one difference between expected and observed, with its evidence."""

from dataclasses import dataclass

from cascade.core.findings import DriftKind, Severity
from cascade.core.history import Provenance
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Counter,
    Dependant,
    Grant,
    Index,
    RowEvidence,
    TableName,
    UsedObject,
)

OFF_THE_PATH = "search_path"
"""The aspect of an unreachable table whose schema the application role does not look in."""

Part = Column | Constraint | Counter | Index | UsedObject
"""A part of a table, or what it uses."""


def worst_first(drift: "Drift") -> tuple[object, ...]:
    """The order of findings: worst first, then as history made their objects."""
    history = drift.made_by.order if drift.made_by else (0, "", "", 0)
    return (drift.severity.rank, history, drift.app, str(drift.table or ""), drift.kind.value, drift.object)


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference.

    ``table`` is where the thing belongs (None for what concerns no table); ``object`` names the column,
    constraint, index, migration or schema in question, ``""`` for the table itself. ``expected`` and ``observed``
    are short phrases, or both definitions as PostgreSQL prints them; ``evidence`` sentences that a person can
    check, ``query`` the SQL that shows it. ``columns`` and ``constraint_type`` say what a constraint or index is
    about, whatever its name. ``aspects`` are the parts of a definition that differ (``type``, ``nullability`` …), or
    ``OFF_THE_PATH``.
    ``owner`` is the one that was found where ``due_owner`` should be, ``lacking`` the grants that are due and not
    there, USAGE being that of the table's sequences. ``wanted`` is the part as it should be, ``there`` as it was found.
    ``copies`` are the places where the table was found outside the target, each with what is known of its rows
    in ``rows``; ``kept`` is the copy that counts, by the evidence or by decision, where there are several,
    and ``bound`` is what is bound by its OID to the one in the place. ``settled_with`` is the table that is there
    several times, where it depends on the choice among its copies whether this is wrong. ``consequences`` went wrong
    because this did and are not counted again.
    ``explained_by`` names the migration's own SQL or Python that accounts for the difference: then
    it is a note.
    ``undecided`` says why no step is proposed where one could be; ``decision`` is the option that decides it.
    """

    kind: DriftKind
    severity: Severity
    table: TableName | None
    object: str = ""
    columns: tuple[str, ...] = ()
    constraint_type: ConstraintKind | None = None
    aspects: tuple[str, ...] = ()
    owner: str = ""
    due_owner: str = ""
    lacking: tuple[Grant, ...] = ()
    wanted: Part | None = None
    there: Part | None = None
    expected: str = ""
    observed: str = ""
    evidence: tuple[str, ...] = ()
    query: str = ""
    app: str = ""
    model: str = ""
    made_by: Provenance | None = None
    copies: tuple[TableName, ...] = ()
    rows: tuple[RowEvidence, ...] = ()
    kept: TableName | None = None
    bound: tuple[Dependant, ...] = ()
    settled_with: TableName | None = None
    consequences: tuple[str, ...] = ()
    explained_by: str = ""
    undecided: str = ""
    decision: str = ""

    @property
    def is_off_the_path(self) -> bool:
        """Whether the table is in its place and within rights, and the application role does not look there."""
        return self.kind is DriftKind.UNREACHABLE_TABLE and OFF_THE_PATH in self.aspects

    @property
    def id(self) -> str:
        """Stable across runs: kind and object, never a counter."""
        return drift_id(self.kind, self.table, self.object)


def drift_id(kind: DriftKind, table: TableName | None, part: str = "") -> str:
    """The id of a drift of that kind there.

    >>> drift_id(DriftKind.MISSING_COLUMN, TableName("public", "bounty"), "title")
    'missing_column:public.bounty.title'
    """
    return f"{kind.value}:{'.'.join(name for name in (str(table or ''), part) if name)}"

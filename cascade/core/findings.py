"""The one table of kinds: what each finding is called, how bad it is, what it means, what repairs it.

Detection takes the severity from here, ``explain --kind`` the glossary.
"""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad: the first wins a sort. BROKEN: queries fail. RISKY: works, but can corrupt or is unguarded."""

    BROKEN = "broken"
    RISKY = "risky"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 is worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What is true of every finding of one kind."""

    severity: Severity
    meaning: str
    repair: str


class DriftKind(Enum):
    """The kinds of drift, named as in JSON."""

    MISPLACED_TABLE = "misplaced_table"
    MISSING_TABLE = "missing_table"
    UNREACHABLE_TABLE = "unreachable_table"
    CREATION_SCHEMA_DIFFERS = "creation_schema_differs"
    DUPLICATED_TABLE = "duplicated_table"
    SHADOWED_TABLE = "shadowed_table"
    MISSING_COLUMN = "missing_column"
    UNRECORDED_MIGRATION = "unrecorded_migration"
    PENDING_MIGRATION = "pending_migration"
    EXTRA_TABLE = "extra_table"
    EXTRA_COLUMN = "extra_column"

    @property
    def facts(self) -> KindFacts:
        """Severity by default, meaning and default repair."""
        return _FACTS[self]


_FACTS = {
    DriftKind.MISPLACED_TABLE: KindFacts(
        Severity.BROKEN,
        "An applied migration made this table, and it lies in another schema than the one it belongs to.",
        "Move it with ALTER TABLE … SET SCHEMA: rows, indexes, keys and grants travel with it.",
    ),
    DriftKind.MISSING_TABLE: KindFacts(
        Severity.BROKEN,
        "A migration that makes this table is recorded as applied, and the table is in no schema.",
        "Create it, complete as of today's applied state; its rows are not brought back.",
    ),
    DriftKind.UNREACHABLE_TABLE: KindFacts(
        Severity.BROKEN,
        "The table is in its place, and the application role lacks USAGE on the schema or rights on the table.",
        "Grant what is missing.",
    ),
    DriftKind.CREATION_SCHEMA_DIFFERS: KindFacts(
        Severity.RISKY,
        "A table made now, by migrate on this connection, would not land in the schema where it belongs.",
        "None by cascade: change the search_path of the role that migrates.",
    ),
    DriftKind.DUPLICATED_TABLE: KindFacts(
        Severity.RISKY,
        "The table is in its place, and another table of the same name lies in another schema.",
        "None without a decision: say which copy counts.",
    ),
    DriftKind.SHADOWED_TABLE: KindFacts(
        Severity.RISKY,
        "The table is in its place, and the application role's search_path finds another copy first.",
        "None without a decision: say which copy counts.",
    ),
    DriftKind.MISSING_COLUMN: KindFacts(
        Severity.BROKEN,
        "A migration that adds this column is recorded as applied, and the table does not have it.",
        "Add the column, with its indexes and constraints.",
    ),
    DriftKind.UNRECORDED_MIGRATION: KindFacts(
        Severity.NOTE,
        "All that this migration makes is there already, and the migration is not recorded as applied.",
        "migrate --fake records it, once a person has compared the two.",
    ),
    DriftKind.PENDING_MIGRATION: KindFacts(
        Severity.NOTE,
        "The migration has a file and no record: what it makes is rightly absent.",
        "None: run migrate.",
    ),
    DriftKind.EXTRA_TABLE: KindFacts(
        Severity.NOTE,
        "A table in the target schema that no applied migration accounts for.",
        "None.",
    ),
    DriftKind.EXTRA_COLUMN: KindFacts(
        Severity.NOTE,
        "A column that no applied migration accounts for.",
        "None.",
    ),
}

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
    STRAY_OBJECT = "stray_object"
    MISDIRECTED_FOREIGN_KEY = "misdirected_foreign_key"
    MISSING_COLUMN = "missing_column"
    MISSING_CONSTRAINT = "missing_constraint"
    MISSING_INDEX = "missing_index"
    DIFFERENT_COLUMN = "different_column"
    DIFFERENT_CONSTRAINT = "different_constraint"
    DIFFERENT_INDEX = "different_index"
    NOT_VALIDATED_CONSTRAINT = "not_validated_constraint"
    DISABLED_CONSTRAINT = "disabled_constraint"
    INVALID_INDEX = "invalid_index"
    SEQUENCE_BEHIND = "sequence_behind"
    DIFFERENT_PRIVILEGES = "different_privileges"
    UNRECORDED_MIGRATION = "unrecorded_migration"
    PENDING_MIGRATION = "pending_migration"
    EXTRA_TABLE = "extra_table"
    EXTRA_COLUMN = "extra_column"
    EXTRA_CONSTRAINT = "extra_constraint"
    EXTRA_INDEX = "extra_index"
    DIFFERENT_NAMES = "different_names"
    UNUSED_IGNORE = "unused_ignore"

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
    DriftKind.STRAY_OBJECT: KindFacts(
        Severity.RISKY,
        "A table that belongs in the target uses a type, domain, function, extension, sequence, collation or "
        "statistics object which lies in another schema, where a run of migrate with that schema first on its "
        "search_path leaves it. It does not follow a table that moves.",
        "Move it too: ALTER … SET SCHEMA.",
    ),
    DriftKind.MISDIRECTED_FOREIGN_KEY: KindFacts(
        Severity.RISKY,
        "The foreign key points at another schema's copy of the table that it should refer to: rows are checked "
        "against the wrong table. Broken where rows refer to nothing in the right one.",
        "Drop it and add it again, NOT VALID first; count the orphans, then VALIDATE.",
    ),
    DriftKind.MISSING_COLUMN: KindFacts(
        Severity.BROKEN,
        "A migration that adds this column is recorded as applied, and the table does not have it.",
        "Add the column, with its indexes and constraints.",
    ),
    DriftKind.MISSING_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "An applied migration made this constraint, and the table has none of that structure, under any name: "
        "rows that break the rule are let in.",
        "Add it, once the rows that are there keep it.",
    ),
    DriftKind.MISSING_INDEX: KindFacts(
        Severity.RISKY,
        "An applied migration made this index, and the table has none of that structure, under any name: queries "
        "are slow, and a unique index guards nothing.",
        "Make it; CONCURRENTLY on a large table.",
    ),
    DriftKind.DIFFERENT_COLUMN: KindFacts(
        Severity.RISKY,
        "The column is there with another type, nullability, default, identity, generation or collation than the "
        "applied migrations gave it.",
        "Alter it where no value can be lost; else a decision.",
    ),
    DriftKind.DIFFERENT_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "A constraint over the same columns, or of the same name, is there with another rule.",
        "Replace it, once the rows that are there keep the right rule.",
    ),
    DriftKind.DIFFERENT_INDEX: KindFacts(
        Severity.RISKY,
        "An index over the same columns, or of the same name, is there with another definition.",
        "Make the right one, then drop the other.",
    ),
    DriftKind.NOT_VALIDATED_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "The constraint is NOT VALID: it holds for new rows, and nobody checked those that were there before.",
        "ALTER TABLE … VALIDATE CONSTRAINT.",
    ),
    DriftKind.DISABLED_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "The constraint is there and not enforced: the triggers of the key are disabled, or it is NOT ENFORCED "
        "(PostgreSQL 18). Rows that break it are let in.",
        "Enable its triggers, or ALTER CONSTRAINT … ENFORCED, once the rows that are there keep it.",
    ),
    DriftKind.INVALID_INDEX: KindFacts(
        Severity.RISKY,
        "The index is there and invalid: a CREATE INDEX CONCURRENTLY failed or was broken off. It is written to and "
        "not read, and a unique one guards nothing.",
        "REINDEX INDEX CONCURRENTLY.",
    ),
    DriftKind.SEQUENCE_BEHIND: KindFacts(
        Severity.BROKEN,
        "The next value of the column's sequence is not above the highest value in the column: the next INSERTs fail "
        "with a duplicate key.",
        "setval to the highest value.",
    ),
    DriftKind.DIFFERENT_PRIVILEGES: KindFacts(
        Severity.RISKY,
        "The table's owner or grants differ from what default privileges, or at least three tables of the same app "
        "that all agree, say.",
        "GRANT what is missing, as a step of its own.",
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
    DriftKind.EXTRA_CONSTRAINT: KindFacts(
        Severity.NOTE,
        "A constraint that no applied migration accounts for.",
        "None.",
    ),
    DriftKind.EXTRA_INDEX: KindFacts(
        Severity.NOTE,
        "An index that no applied migration accounts for.",
        "None.",
    ),
    DriftKind.DIFFERENT_NAMES: KindFacts(
        Severity.NOTE,
        "Constraints or indexes of the table are what the applied migrations made, under other names, as renamed "
        "models and older versions of Django leave them.",
        "None: names are no identity.",
    ),
    DriftKind.UNUSED_IGNORE: KindFacts(
        Severity.NOTE,
        'An entry of CASCADE["IGNORE"] that no finding matches any more.',
        "None by cascade: take the entry out of the settings.",
    ),
}

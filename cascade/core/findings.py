"""The one table of kinds: what each finding is called, how bad it is, what it means, what repairs it.

Detection takes the severity from here, ``explain --kind`` the glossary, Django's system checks their ids.
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
    """What is true of every finding of one kind: what it means, why it matters, what repairs it by default.

    ``check_id`` is that of the system check which tells it; a note whose severity never grows has none.
    """

    severity: Severity
    meaning: str
    matters: str
    repair: str
    check_id: str = ""


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
        """Severity by default, and the glossary's sentences."""
        return _FACTS[self]

    @property
    def is_about_place(self) -> bool:
        """Whether it says where the table itself lies: copies that no such finding speaks of are a tenant's, say."""
        return self in (
            DriftKind.MISPLACED_TABLE,
            DriftKind.MISSING_TABLE,
            DriftKind.DUPLICATED_TABLE,
            DriftKind.SHADOWED_TABLE,
        )


NOT_LOOKED_AT = "cascade.W001"
"""The id of the system check which tells that something could not be looked at."""

_FACTS = {
    DriftKind.MISPLACED_TABLE: KindFacts(
        Severity.BROKEN,
        "An applied migration made this table, and it lies in another schema than the one it belongs to.",
        "Requests do not find it (relation does not exist), while its rows lie in the other schema.",
        "Move it with ALTER TABLE … SET SCHEMA: rows, indexes, keys and grants travel with it.",
        "cascade.W002",
    ),
    DriftKind.MISSING_TABLE: KindFacts(
        Severity.BROKEN,
        "A migration that makes this table is recorded as applied, and the table is in no schema.",
        "Requests that use it fail, and migrate will not make it again, since the record says that it did.",
        "Create it, complete as of today's applied state; its rows are not brought back.",
        "cascade.W003",
    ),
    DriftKind.UNREACHABLE_TABLE: KindFacts(
        Severity.BROKEN,
        "The table is in its place, and the application role lacks USAGE on the schema or rights on the table, or "
        "does not look in the schema.",
        "Requests fail; without USAGE on the schema PostgreSQL says that the table does not exist.",
        "Grant what is missing.",
        "cascade.W004",
    ),
    DriftKind.CREATION_SCHEMA_DIFFERS: KindFacts(
        Severity.RISKY,
        "A table made now, by migrate on this connection, would not land in the schema where it belongs.",
        "The next migration strews its tables, and records that it ran.",
        "None by cascade, which changes no setting: put the schema where tables belong first on the search_path of the "
        "role that migrates. cascade where says where it is set.",
        "cascade.W005",
    ),
    DriftKind.DUPLICATED_TABLE: KindFacts(
        Severity.RISKY,
        "The table is in its place, and another table of the same name lies in another schema.",
        "Rows may have been written to either, and a change of the search_path swaps one for the other.",
        "None without a decision: say which copy counts.",
        "cascade.W006",
    ),
    DriftKind.SHADOWED_TABLE: KindFacts(
        Severity.RISKY,
        "The table is in its place, and the application role's search_path finds another copy first.",
        "Requests read and write the other copy, and nothing fails.",
        "None without a decision: say which copy counts.",
        "cascade.W007",
    ),
    DriftKind.STRAY_OBJECT: KindFacts(
        Severity.RISKY,
        "A table that belongs in the target uses a type, domain, function, extension, sequence, collation or "
        "statistics object which lies in another schema, where a run of migrate with that schema first on its "
        "search_path leaves it.",
        "It does not follow a table that moves, is not found by name, and goes when the other schema is dropped.",
        "Move it too: ALTER … SET SCHEMA.",
        "cascade.W008",
    ),
    DriftKind.MISDIRECTED_FOREIGN_KEY: KindFacts(
        Severity.RISKY,
        "The foreign key points at another schema's copy of the table that it should refer to.",
        "Rows are checked against the wrong table: right ones are refused, and wrong ones let in. Broken where "
        "rows refer to nothing in the right one.",
        "Drop it and add it again, NOT VALID first; count the orphans, then VALIDATE.",
        "cascade.W009",
    ),
    DriftKind.MISSING_COLUMN: KindFacts(
        Severity.BROKEN,
        "A migration that adds this column is recorded as applied, and the table does not have it.",
        "Django names every column of a model in its queries, so each of them on this table fails.",
        "Add the column, with its indexes and constraints.",
        "cascade.W010",
    ),
    DriftKind.MISSING_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "An applied migration made this constraint, and the table has none of that structure, under any name.",
        "Rows that break the rule are let in.",
        "Add it, once the rows that are there keep it.",
        "cascade.W011",
    ),
    DriftKind.MISSING_INDEX: KindFacts(
        Severity.RISKY,
        "An applied migration made this index, and the table has none of that structure, under any name.",
        "Queries are slow, and where the index is unique nothing keeps duplicates out.",
        "Make it; CONCURRENTLY on a large table.",
        "cascade.W012",
    ),
    DriftKind.DIFFERENT_COLUMN: KindFacts(
        Severity.RISKY,
        "The column is there with another type, nullability, default, identity, generation or collation than the "
        "applied migrations gave it.",
        "Values that the application takes for valid are refused or cut, or those that it takes for impossible "
        "are let in.",
        "Alter it where no value can be lost; else a decision.",
        "cascade.W013",
    ),
    DriftKind.DIFFERENT_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "A constraint over the same columns, or of the same name, is there with another rule.",
        "Rows that break the right rule are let in, or rows that keep it are refused.",
        "Replace it, once the rows that are there keep the right rule.",
        "cascade.W014",
    ),
    DriftKind.DIFFERENT_INDEX: KindFacts(
        Severity.RISKY,
        "An index over the same columns, or of the same name, is there with another definition.",
        "Queries that the right one serves are slow; a unique one guards something else.",
        "Make the right one, then drop the other.",
        "cascade.W015",
    ),
    DriftKind.NOT_VALIDATED_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "The constraint is NOT VALID: it holds for new rows, and nobody checked those that were there before.",
        "Old rows may break the rule, and code that relies on it fails on them.",
        "ALTER TABLE … VALIDATE CONSTRAINT.",
        "cascade.W016",
    ),
    DriftKind.DISABLED_CONSTRAINT: KindFacts(
        Severity.RISKY,
        "The constraint is there and not enforced: the triggers of the key are disabled, or it is NOT ENFORCED "
        "(PostgreSQL 18).",
        "Rows that break it are let in, though it is listed like any other.",
        "Enable its triggers, or ALTER CONSTRAINT … ENFORCED, once the rows that are there keep it.",
        "cascade.W017",
    ),
    DriftKind.INVALID_INDEX: KindFacts(
        Severity.RISKY,
        "The index is there and invalid: a CREATE INDEX CONCURRENTLY failed or was broken off.",
        "It is written to and not read, and a unique one guards nothing.",
        "REINDEX INDEX CONCURRENTLY.",
        "cascade.W018",
    ),
    DriftKind.SEQUENCE_BEHIND: KindFacts(
        Severity.BROKEN,
        "The next value of the column's sequence is not above the highest value in the column.",
        "The next INSERTs fail with a duplicate key.",
        "setval to the highest value.",
        "cascade.W019",
    ),
    DriftKind.DIFFERENT_PRIVILEGES: KindFacts(
        Severity.RISKY,
        "The table's owner or grants differ from what default privileges, or at least three tables of the same "
        "app that all agree, say.",
        "What reads or writes the neighbours fails here, and another owner may not migrate the table.",
        "GRANT what is missing, as a step of its own.",
        "cascade.W020",
    ),
    DriftKind.UNRECORDED_MIGRATION: KindFacts(
        Severity.NOTE,
        "All that this migration makes is there already, and the migration is not recorded as applied.",
        "The next migrate tries to make it again, and fails.",
        "migrate --fake records it, once a person has compared the two.",
    ),
    DriftKind.PENDING_MIGRATION: KindFacts(
        Severity.NOTE,
        "The migration has a file and no record: what it makes is rightly absent.",
        "It is no drift; code that relies on it fails until it is applied.",
        "None: run migrate.",
    ),
    DriftKind.EXTRA_TABLE: KindFacts(
        Severity.NOTE,
        "A table in the target schema that no applied migration accounts for.",
        "Nothing is broken by it.",
        "None.",
    ),
    DriftKind.EXTRA_COLUMN: KindFacts(
        Severity.NOTE,
        "A column that no applied migration accounts for.",
        "Nothing is broken by it, unless it is NOT NULL without a default: then INSERTs of the application fail.",
        "None.",
        "cascade.W021",
    ),
    DriftKind.EXTRA_CONSTRAINT: KindFacts(
        Severity.NOTE,
        "A constraint that no applied migration accounts for.",
        "It may refuse rows that the application takes for valid.",
        "None.",
    ),
    DriftKind.EXTRA_INDEX: KindFacts(
        Severity.NOTE,
        "An index that no applied migration accounts for.",
        "Each write keeps it up to date; a unique one may refuse rows that the application takes for valid.",
        "None.",
    ),
    DriftKind.DIFFERENT_NAMES: KindFacts(
        Severity.NOTE,
        "Constraints or indexes of the table are what the applied migrations made, under other names, as renamed "
        "models and older versions of Django leave them.",
        "Nothing is broken by it; a later migration that names one of them finds it under Django's name or not at all.",
        "None: names are no identity.",
    ),
    DriftKind.UNUSED_IGNORE: KindFacts(
        Severity.NOTE,
        'An entry of CASCADE["IGNORE"] that no finding matches any more.',
        "It would hide a later difference of the same name.",
        "None by cascade: take the entry out of the settings.",
    ),
}

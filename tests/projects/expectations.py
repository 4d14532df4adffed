"""What counts as a hit: for each kind of injection the findings that have to come of it, written before any run.

The table is of DESIGN §5, not of the code. A hit is a finding of that kind, about that object, of that severity. What
an injection takes along is attached to its finding as a consequence, and is no finding of its own. Every other finding
of severity broken or risky is a false alarm; other notes are counted apart. What leaves the layout as it was is not
drawn: one of two constraints or indexes that are the same but for their names can go without loss, and is a note.
"""

from dataclasses import dataclass
from enum import Enum

from cascade.core.findings import DriftKind, Severity


class InjectionKind(Enum):
    """What is done to a healthy database; the values are what the scripts print and take."""

    MOVE_TABLE = "move_table"
    MOVE_TABLE_ON_PATH = "move_table_on_path"
    MOVE_AND_DAMAGE = "move_and_damage"
    EMPTY_SHELL = "empty_shell"
    DROP_TABLE = "drop_table"
    RENAME_TABLE = "rename_table"
    FAKE_MIGRATION = "fake_migration"
    COPY_EMPTY = "copy_empty"
    COPY_WITH_ROWS = "copy_with_rows"
    COPY_IN_FRONT = "copy_in_front"
    TENANT = "tenant"
    WRONG_PATH = "wrong_path"
    TYPE_ASTRAY = "type_astray"
    EXTENSION_ASTRAY = "extension_astray"
    FUNCTION_ASTRAY = "function_astray"
    STATISTICS_ASTRAY = "statistics_astray"
    DROP_COLUMN = "drop_column"
    RENAME_COLUMN = "rename_column"
    CHANGE_TYPE = "change_type"
    CHANGE_COLLATION = "change_collation"
    DROP_NOT_NULL = "drop_not_null"
    SET_NOT_NULL = "set_not_null"
    DROP_IDENTITY = "drop_identity"
    CHANGE_IDENTITY = "change_identity"
    DROP_DEFAULT = "drop_default"
    CHANGE_DEFAULT = "change_default"
    SET_DEFAULT = "set_default"
    SEQUENCE_BEHIND = "sequence_behind"
    DROP_PRIMARY_KEY = "drop_primary_key"
    DROP_UNIQUE = "drop_unique"
    UNIQUE_TO_INDEX = "unique_to_index"
    DROP_CHECK = "drop_check"
    DROP_FOREIGN_KEY = "drop_foreign_key"
    CHANGE_UNIQUE = "change_unique"
    CHANGE_CHECK = "change_check"
    CHANGE_FOREIGN_KEY = "change_foreign_key"
    REPOINT_KEY = "repoint_key"
    REPOINT_KEY_WITH_ORPHANS = "repoint_key_with_orphans"
    NOT_VALID_KEY = "not_valid_key"
    NOT_VALID_CHECK = "not_valid_check"
    NOT_ENFORCED = "not_enforced"
    DISABLE_TRIGGERS = "disable_triggers"
    DISABLE_ONE_TRIGGER = "disable_one_trigger"
    DROP_INDEX = "drop_index"
    CHANGE_INDEX = "change_index"
    INVALID_INDEX = "invalid_index"
    REVOKE_SELECT = "revoke_select"
    REVOKE_WRITING = "revoke_writing"
    REVOKE_FROM_ANOTHER = "revoke_from_another"
    REVOKE_SCHEMA = "revoke_schema"
    CHANGE_OWNER = "change_owner"
    EXTRA_TABLE = "extra_table"
    EXTRA_COLUMN = "extra_column"
    EXTRA_CONSTRAINT = "extra_constraint"
    EXTRA_INDEX = "extra_index"
    RENAME_CONSTRAINT = "rename_constraint"
    RENAME_INDEX = "rename_index"
    RESTORED = "restored"
    OLD_SERIAL = "old_serial"
    HARMLESS = "harmless"
    SEVERAL = "several"
    SEVERAL_IN_TABLE = "several_in_table"


class Part(Enum):
    """What a finding is about."""

    TABLE = "table"
    COLUMN = "column"
    NEW_COLUMN = "new column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    LOST_KEY = "lost key"
    OWN_KEY = "own key"
    ORPHANED_KEY = "orphaned key"
    COPIED_TABLE = "copied table"
    OBJECT = "object"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Hit:
    """For each ``part`` that the injection names: a finding of that kind and severity.

    ``aspect`` must be among those that the finding names. ``attached``: no finding of its own, but named among the
    consequences of another. ``otherwise`` is as good. ``optional``: right where it is said, and not asked for.
    """

    part: Part
    kind: DriftKind
    severity: Severity
    aspect: str = ""
    otherwise: DriftKind | None = None
    attached: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an injection does, in a sentence, and all that has to be found of it."""

    meaning: str
    hits: tuple[Hit, ...] = ()


_BROKEN, _RISKY, _NOTE = Severity.BROKEN, Severity.RISKY, Severity.NOTE

_LOST_KEY = Hit(Part.LOST_KEY, DriftKind.MISSING_CONSTRAINT, _RISKY, attached=True)


def _column(aspect: str, severity: Severity = _RISKY) -> tuple[Hit, ...]:
    return (Hit(Part.COLUMN, DriftKind.DIFFERENT_COLUMN, severity, aspect=aspect),)


def _constraint(kind: DriftKind) -> tuple[Hit, ...]:
    return (Hit(Part.CONSTRAINT, kind, _RISKY),)


def _index(kind: DriftKind) -> tuple[Hit, ...]:
    return (Hit(Part.INDEX, kind, _RISKY),)


EXPECTATIONS = {
    # ------------------------------------------------------------------------------------------------------- tables
    InjectionKind.MOVE_TABLE: Expectation(
        "The table goes to a schema where the application does not look: its queries fail. Its keys, and those to it, "
        "go along by OID and are right.",
        (Hit(Part.TABLE, DriftKind.MISPLACED_TABLE, _BROKEN),),
    ),
    InjectionKind.MOVE_TABLE_ON_PATH: Expectation(
        "As above, and the application's search_path names that schema after the right one: it resolves all the same.",
        (Hit(Part.TABLE, DriftKind.MISPLACED_TABLE, _RISKY),),
    ),
    InjectionKind.MOVE_AND_DAMAGE: Expectation(
        "The table goes to another schema, and has lost something that is no less missing there: what the loss would "
        "be by itself, beside the place.",
        (Hit(Part.TABLE, DriftKind.MISPLACED_TABLE, _BROKEN),),
    ),
    InjectionKind.EMPTY_SHELL: Expectation(
        "The table goes to another schema with its rows and with the keys that point at it, and an empty one is made "
        "in its place, without keys: as in the incident. All keys to it point at the wrong copy, which is broken where rows "
        "refer to something, and all of its own are missing.",
        (
            Hit(Part.COPIED_TABLE, DriftKind.DUPLICATED_TABLE, _RISKY),
            Hit(Part.OWN_KEY, DriftKind.MISSING_CONSTRAINT, _RISKY),
            Hit(Part.CONSTRAINT, DriftKind.MISDIRECTED_FOREIGN_KEY, _RISKY),
            Hit(Part.ORPHANED_KEY, DriftKind.MISDIRECTED_FOREIGN_KEY, _BROKEN),
        ),
    ),
    InjectionKind.DROP_TABLE: Expectation(
        "The table goes with CASCADE. The keys of other tables to it cannot be there: consequences.",
        (Hit(Part.TABLE, DriftKind.MISSING_TABLE, _BROKEN), _LOST_KEY),
    ),
    InjectionKind.RENAME_TABLE: Expectation(
        "By hand, and back by nobody: a table of that name is nowhere, and the keys of others went along.",
        (Hit(Part.TABLE, DriftKind.MISSING_TABLE, _BROKEN), _LOST_KEY),
    ),
    InjectionKind.FAKE_MIGRATION: Expectation(
        "All tables and columns that one migration made are dropped, its record stays: as after migrate --fake.",
        (
            Hit(Part.TABLE, DriftKind.MISSING_TABLE, _BROKEN),
            Hit(Part.COLUMN, DriftKind.MISSING_COLUMN, _BROKEN),
            _LOST_KEY,
        ),
    ),
    InjectionKind.COPY_EMPTY: Expectation(
        "An empty copy in another schema to which nothing points: harmless.",
        (Hit(Part.TABLE, DriftKind.DUPLICATED_TABLE, _NOTE),),
    ),
    InjectionKind.COPY_WITH_ROWS: Expectation(
        "A copy in another schema holds rows: somebody wrote there.",
        (Hit(Part.TABLE, DriftKind.DUPLICATED_TABLE, _RISKY),),
    ),
    InjectionKind.COPY_IN_FRONT: Expectation(
        "A copy, empty or not, in a schema that comes first on the application's search_path: it is what requests see.",
        (Hit(Part.TABLE, DriftKind.SHADOWED_TABLE, _RISKY),),
    ),
    InjectionKind.TENANT: Expectation(
        "Another schema has a django_migrations of its own, then tables which it records: another deployment, no drift."
    ),
    InjectionKind.WRONG_PATH: Expectation(
        "The connection has another schema first on its search_path, and nothing else is wrong yet.",
        (Hit(Part.DATABASE, DriftKind.CREATION_SCHEMA_DIFFERS, _RISKY),),
    ),
    InjectionKind.TYPE_ASTRAY: Expectation(
        "A column has a domain that lies in another schema in place of its type.",
        (Hit(Part.OBJECT, DriftKind.STRAY_OBJECT, _RISKY), *_column("type")),
    ),
    InjectionKind.EXTENSION_ASTRAY: Expectation(
        "A column has a type of an extension that lies in another schema in place of its own.",
        (Hit(Part.OBJECT, DriftKind.STRAY_OBJECT, _RISKY), *_column("type")),
    ),
    InjectionKind.FUNCTION_ASTRAY: Expectation(
        "A CHECK that no migration makes, and so a note, calls a function in another schema, where it finds it by OID.",
        (Hit(Part.CONSTRAINT, DriftKind.EXTRA_CONSTRAINT, _NOTE),),
    ),
    InjectionKind.STATISTICS_ASTRAY: Expectation(
        "Extended statistics of the table lie in another schema: they stay behind when the table is moved.",
        (Hit(Part.OBJECT, DriftKind.STRAY_OBJECT, _RISKY),),
    ),
    # ------------------------------------------------------------------------------------------------------ columns
    InjectionKind.DROP_COLUMN: Expectation(
        "The column goes with CASCADE. Its constraints and indexes, and keys of other tables to it, go along: "
        "consequences.",
        (Hit(Part.COLUMN, DriftKind.MISSING_COLUMN, _BROKEN), _LOST_KEY),
    ),
    InjectionKind.RENAME_COLUMN: Expectation(
        "By hand: its constraints, indexes and keys went along, so they are missing with it: consequences. What it is "
        "called now is expected by nobody, and more than a note where every INSERT would have to fill it.",
        (
            Hit(Part.COLUMN, DriftKind.MISSING_COLUMN, _BROKEN),
            _LOST_KEY,
            Hit(Part.NEW_COLUMN, DriftKind.EXTRA_COLUMN, _BROKEN, optional=True),
        ),
    ),
    InjectionKind.CHANGE_TYPE: Expectation("Longer, wider, or another type altogether.", _column("type")),
    InjectionKind.CHANGE_COLLATION: Expectation("Sorted and compared by another collation.", _column("collation")),
    InjectionKind.DROP_NOT_NULL: Expectation(
        "On PostgreSQL 18 a constraint goes too, which is the same fact.", _column("nullability")
    ),
    InjectionKind.SET_NOT_NULL: Expectation("INSERTs that the model allows are refused.", _column("nullability")),
    InjectionKind.DROP_IDENTITY: Expectation("No value is drawn any more.", _column("identity")),
    InjectionKind.CHANGE_IDENTITY: Expectation(
        "GENERATED ALWAYS: an INSERT that gives the value is refused.", _column("identity")
    ),
    InjectionKind.DROP_DEFAULT: Expectation("The database's own default is gone.", _column("default")),
    InjectionKind.CHANGE_DEFAULT: Expectation("The database's own default is another.", _column("default")),
    InjectionKind.SET_DEFAULT: Expectation(
        "A default that nobody expects. Django names every column in its INSERTs, so nothing comes of it.",
        _column("default", _NOTE),
    ),
    InjectionKind.SEQUENCE_BEHIND: Expectation(
        "A row was written with a number that its sequence has not reached: the next INSERTs but a few fail.",
        (Hit(Part.COLUMN, DriftKind.SEQUENCE_BEHIND, _BROKEN),),
    ),
    # -------------------------------------------------------------------------------------------------- constraints
    InjectionKind.DROP_PRIMARY_KEY: Expectation(
        "With CASCADE: the keys of other tables to it go along, and cannot come back without it: consequences.",
        (*_constraint(DriftKind.MISSING_CONSTRAINT), _LOST_KEY),
    ),
    InjectionKind.DROP_UNIQUE: Expectation(
        "With CASCADE, as above.", (*_constraint(DriftKind.MISSING_CONSTRAINT), _LOST_KEY)
    ),
    InjectionKind.UNIQUE_TO_INDEX: Expectation(
        "The constraint is gone, and a plain index over the same columns stands in its place: queries are as fast, and "
        "nothing is guarded.",
        _constraint(DriftKind.MISSING_CONSTRAINT),
    ),
    InjectionKind.DROP_CHECK: Expectation("Any value is let in.", _constraint(DriftKind.MISSING_CONSTRAINT)),
    InjectionKind.DROP_FOREIGN_KEY: Expectation("Orphans are let in.", _constraint(DriftKind.MISSING_CONSTRAINT)),
    InjectionKind.CHANGE_UNIQUE: Expectation(
        "A constraint of that name guards one more column, and so less; or is checked later; or takes NULLs for equal. "
        "Where other columns go with a name of long ago, nothing says that the two belong together: one is missing, "
        "the other is expected by nobody.",
        (
            Hit(
                Part.CONSTRAINT,
                DriftKind.DIFFERENT_CONSTRAINT,
                _RISKY,
                otherwise=DriftKind.MISSING_CONSTRAINT,
            ),
        ),
    ),
    InjectionKind.CHANGE_CHECK: Expectation(
        "A constraint of that name over those columns lets everything in, or draws the line elsewhere.",
        _constraint(DriftKind.DIFFERENT_CONSTRAINT),
    ),
    InjectionKind.CHANGE_FOREIGN_KEY: Expectation(
        "The key deletes or updates along, is no longer deferred, or no longer deferrable.",
        _constraint(DriftKind.DIFFERENT_CONSTRAINT),
    ),
    InjectionKind.REPOINT_KEY: Expectation(
        "The key points at a copy in another schema; every row has its counterpart in the right one too. The copy is "
        "not idle any more.",
        (
            *_constraint(DriftKind.MISDIRECTED_FOREIGN_KEY),
            Hit(Part.COPIED_TABLE, DriftKind.DUPLICATED_TABLE, _RISKY),
        ),
    ),
    InjectionKind.REPOINT_KEY_WITH_ORPHANS: Expectation(
        "As above, with a row that refers to nothing in the right table.",
        (
            Hit(Part.CONSTRAINT, DriftKind.MISDIRECTED_FOREIGN_KEY, _BROKEN),
            Hit(Part.COPIED_TABLE, DriftKind.DUPLICATED_TABLE, _RISKY),
        ),
    ),
    InjectionKind.NOT_VALID_KEY: Expectation(
        "Dropped, and added again NOT VALID.", _constraint(DriftKind.NOT_VALIDATED_CONSTRAINT)
    ),
    InjectionKind.NOT_VALID_CHECK: Expectation(
        "Dropped, and added again NOT VALID.", _constraint(DriftKind.NOT_VALIDATED_CONSTRAINT)
    ),
    InjectionKind.NOT_ENFORCED: Expectation(
        "ALTER CONSTRAINT … NOT ENFORCED, from PostgreSQL 18 on. That it is then not validated either is the same fact.",
        _constraint(DriftKind.DISABLED_CONSTRAINT),
    ),
    InjectionKind.DISABLE_TRIGGERS: Expectation(
        "DISABLE TRIGGER ALL on a table: every key that starts or ends there is no longer enforced on that side.",
        _constraint(DriftKind.DISABLED_CONSTRAINT),
    ),
    InjectionKind.DISABLE_ONE_TRIGGER: Expectation(
        "One of the four triggers of one key.", _constraint(DriftKind.DISABLED_CONSTRAINT)
    ),
    # ------------------------------------------------------------------------------------------------------ indexes
    InjectionKind.DROP_INDEX: Expectation("Unique or not.", _index(DriftKind.MISSING_INDEX)),
    InjectionKind.CHANGE_INDEX: Expectation(
        "An index of that name has another predicate, one column more, another order, method or operator class, or is "
        "unique. Where other columns go with a name of long ago: as with a changed unique constraint.",
        (Hit(Part.INDEX, DriftKind.DIFFERENT_INDEX, _RISKY, otherwise=DriftKind.MISSING_INDEX),),
    ),
    InjectionKind.INVALID_INDEX: Expectation(
        "As after a CREATE INDEX CONCURRENTLY that was broken off.", _index(DriftKind.INVALID_INDEX)
    ),
    # ------------------------------------------------------------------------------------------------------- rights
    InjectionKind.REVOKE_SELECT: Expectation(
        "The application's role may not read: its queries fail.",
        (Hit(Part.TABLE, DriftKind.UNREACHABLE_TABLE, _BROKEN),),
    ),
    InjectionKind.REVOKE_WRITING: Expectation(
        "The application's role may read, and not insert, update or delete: grants differ from default privileges.",
        (Hit(Part.TABLE, DriftKind.DIFFERENT_PRIVILEGES, _RISKY),),
    ),
    InjectionKind.REVOKE_FROM_ANOTHER: Expectation(
        "Another role has lost what default privileges give it.",
        (Hit(Part.TABLE, DriftKind.DIFFERENT_PRIVILEGES, _RISKY),),
    ),
    InjectionKind.REVOKE_SCHEMA: Expectation(
        'No USAGE on the schema: PostgreSQL says "does not exist" of every table.',
        (Hit(Part.TABLE, DriftKind.UNREACHABLE_TABLE, _BROKEN),),
    ),
    InjectionKind.CHANGE_OWNER: Expectation(
        "Drawn where at least three other tables of the app agree on an owner.",
        (Hit(Part.TABLE, DriftKind.DIFFERENT_PRIVILEGES, _RISKY),),
    ),
    # -------------------------------------------------------------------------------------------------------- notes
    InjectionKind.EXTRA_TABLE: Expectation(
        "A table that no migration makes.", (Hit(Part.TABLE, DriftKind.EXTRA_TABLE, _NOTE),)
    ),
    InjectionKind.EXTRA_COLUMN: Expectation(
        "A column that may stay empty.", (Hit(Part.COLUMN, DriftKind.EXTRA_COLUMN, _NOTE),)
    ),
    InjectionKind.EXTRA_CONSTRAINT: Expectation(
        "A CHECK that no migration makes.", (Hit(Part.CONSTRAINT, DriftKind.EXTRA_CONSTRAINT, _NOTE),)
    ),
    InjectionKind.EXTRA_INDEX: Expectation(
        "An index that no migration makes.", (Hit(Part.INDEX, DriftKind.EXTRA_INDEX, _NOTE),)
    ),
    InjectionKind.RENAME_CONSTRAINT: Expectation(
        "Names are no identity.", (Hit(Part.TABLE, DriftKind.DIFFERENT_NAMES, _NOTE),)
    ),
    InjectionKind.RENAME_INDEX: Expectation(
        "Names are no identity.", (Hit(Part.TABLE, DriftKind.DIFFERENT_NAMES, _NOTE),)
    ),
    # --------------------------------------------------------------------------------------------------- no drift
    InjectionKind.RESTORED: Expectation(
        "All checks, keys, unique constraints and indexes of a table are dropped and made again out of what PostgreSQL "
        "prints of them, as pg_dump does: some are then printed in other words, and mean the same."
    ),
    InjectionKind.OLD_SERIAL: Expectation(
        "A column draws from a sequence by its default in place of an identity: as made by Django before 4.1."
    ),
    InjectionKind.HARMLESS: Expectation(
        "What no migration says anything about: grants beyond those due, a view, a trigger, storage, comments, the name "
        "of a sequence, the place of the rows."
    ),
    # ----------------------------------------------------------------------------------------------------- together
    InjectionKind.SEVERAL: Expectation(
        "Two or three of the above at once, on tables that have no table near them in common: what each would be by "
        "itself."
    ),
    InjectionKind.SEVERAL_IN_TABLE: Expectation(
        "Two to four losses and changes in one table, none about a column of another: what each would be by itself."
    ),
}

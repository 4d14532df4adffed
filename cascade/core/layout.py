"""A layout: tables, columns, constraints and indexes, as PostgreSQL prints them.

Both sides of a comparison are layouts read by the same query (``sources/catalog.sql``), so two values
differ only where the databases do. Identity is (schema, name); a bare name is never enough.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Literal

MAX_IDENTIFIER_BYTES = 63
"""NAMEDATALEN - 1: PostgreSQL cuts longer identifiers (Identifiers and Key Words, 4.1.1)."""


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """The identity of a relation.

    >>> str(TableName("public", "user_profile_bounty"))
    'public.user_profile_bounty'
    >>> str(TableName("Odd schema", 'a"b'))
    '"Odd schema"."a""b"'
    """

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


class RelationKind(Enum):
    """``pg_class.relkind``, as far as a Django model can be one."""

    TABLE = "r"
    PARTITIONED_TABLE = "p"
    VIEW = "v"
    MATERIALIZED_VIEW = "m"
    FOREIGN_TABLE = "f"

    @property
    def holds_rows(self) -> bool:
        """Whether this is a table proper, which a migration can have made and a repair can move."""
        return self in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)


class ConstraintKind(Enum):
    """``pg_constraint.contype``; the values are what JSON shows as ``constraint_type``."""

    PRIMARY_KEY = "primary_key"
    UNIQUE = "unique"
    CHECK = "check"
    FOREIGN_KEY = "foreign_key"
    EXCLUSION = "exclusion"
    NOT_NULL = "not_null"


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A type, collation or operator class that is not PostgreSQL's own: by extension and name, and where it lives."""

    schema: str
    name: str
    extension: str | None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence owned by a column (``pg_depend``), for ``serial`` and identity columns alike."""

    name: TableName
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column, spelled by PostgreSQL.

    ``default`` is the printed expression, of a generated column its expression; None where there is
    none or where it could not be read (then the table has ``definitions_read`` False).
    ``identity`` is ``""``, ``"a"`` (always) or ``"d"`` (by default); ``generated`` is ``""``, ``"s"``
    (stored) or ``"v"`` (virtual, PostgreSQL 18). ``collation`` is None for the type's own.
    ``fill`` is a constant SQL expression that old rows may take when a NOT NULL column is added: known
    on the expected side only, from the field or the migration that added it.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    identity: Literal["", "a", "d"] = ""
    generated: Literal["", "s", "v"] = ""
    collation: str | None = None
    comment: str | None = None
    sequence: Sequence | None = None
    type_ref: TypeRef | None = None
    fill: str | None = None

    @property
    def bare_type(self) -> str:
        """The type without the schema of one that is not PostgreSQL's own."""
        return self.type.removeprefix(f"{quoted(self.type_ref.schema)}.") if self.type_ref else self.type


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a foreign key points, and what it does there; actions as in ``pg_constraint.confdeltype``."""

    table: TableName
    columns: tuple[str, ...]
    on_update: str = "a"
    on_delete: str = "a"
    match: str = "s"
    set_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint. ``definition`` is ``pg_get_constraintdef``, None for keys on the expected side.

    A foreign key is compared and worded by ``columns`` and ``references``, never by its text. ``enabled``: none of
    the triggers that enforce it, on either of its tables, is disabled (``pg_trigger.tgenabled``).
    """

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...]
    definition: str | None = None
    references: Reference | None = None
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    enforced: bool = True
    enabled: bool = True
    index: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """One index. ``tail`` is its printed definition from the access method on: ``btree (a, b) WHERE …``.

    ``columns`` are the plain key columns in order; an expression stands as ``""``.
    ``constraint`` names the constraint that the index serves, if any: such an index is no index of its own.
    """

    name: str
    columns: tuple[str, ...]
    tail: str | None
    unique: bool = False
    valid: bool = True
    constraint: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class RowEvidence:
    """What is known of a table's rows.

    ``counted`` is exact up to ``COUNT_LIMIT``, or to the end where it is ``uncut``, and None where rows were not, or
    could not be, read; ``estimate`` is ``pg_class.reltuples``, None where the table was never analysed.
    """

    counted: int | None = None
    estimate: int | None = None
    unknown_because: str | None = None
    uncut: bool = False

    COUNT_LIMIT = 10_000

    @property
    def exact(self) -> bool:
        """Whether ``counted`` is the number of rows, rather than less than it."""
        return self.counted is not None and (self.uncut or self.counted <= self.COUNT_LIMIT)

    @property
    def has_rows(self) -> bool | None:
        """True or False where it was counted, None where nobody knows. An estimate proves nothing."""
        return None if self.counted is None else self.counted > 0

    @property
    def figure(self) -> str:
        """As a figure: exact as far as it was counted, then the estimate, ``?`` where nobody knows.

        >>> RowEvidence(1_200).figure, RowEvidence(10_001, 52_000).figure, RowEvidence(10_001).figure
        ('1,200', '~52,000', '>10,000')
        >>> RowEvidence(51_740, 52_000, uncut=True).figure
        '51,740'
        """
        if self.counted is not None:
            if self.exact:
                return f"{self.counted:,}"
            estimate = self.estimate or 0
            return f"~{estimate:,}" if estimate > self.COUNT_LIMIT else f">{self.COUNT_LIMIT:,}"
        return f"~{self.estimate:,}" if self.estimate else "?"

    def __str__(self) -> str:
        """The figure as a phrase, with the reason where nobody knows.

        >>> str(RowEvidence(1)), str(RowEvidence(None, None, "locked by pid 7"))
        ('1 row', 'rows unknown (locked by pid 7)')
        """
        figure = self.figure
        if figure == "?":
            return f"rows unknown ({self.unknown_because})" if self.unknown_because else "rows unknown"
        return f"{figure} {'row' if figure == '1' else 'rows'}"


@dataclass(frozen=True, slots=True)
class Rights:
    """What the application role may do with a table: USAGE on its schema, the privileges on the table.

    ``sequences``: it may use those that the columns' defaults draw from.
    """

    usage: bool = True
    select: bool = True
    insert: bool = True
    update: bool = True
    delete: bool = True
    sequences: bool = True


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A privilege, such as ``SELECT``, that a role other than the owner has on a table; PUBLIC is ``""``."""

    role: str
    privilege: str


@dataclass(frozen=True, slots=True, order=True)
class UsedObject:
    """Something beside the table, and not PostgreSQL's own, that a part of it cannot do without (``pg_depend``).

    ``kind`` is ``type``, ``domain``, ``function``, ``collation``, ``operator``, ``operator class``, ``sequence``,
    ``statistics``, ``text search configuration`` or ``text search dictionary``. ``name`` is as ``ALTER kind`` wants it
    after the schema: in quotes where it needs them, a function's with its argument types, an operator class's with
    ``USING`` and its method. ``extension`` is the one that it is a member of. ``used_by`` says what needs it: ``the
    column email``. Statistics objects are of the table rather than used by it, and stay behind all the same; a
    sequence that the table owns moves with it, and is not listed.

    Bodies of functions name what they use as text, which PostgreSQL does not follow, nor is it followed here; the
    functions of an operator class and of a domain's constraints are not looked for either.
    """

    kind: str
    schema: str
    name: str
    extension: str | None
    used_by: str


@dataclass(frozen=True, slots=True, order=True)
class Dependant:
    """Something that is bound to a table by its OID, and so neither stays with its name nor is part of it.

    ``kind`` is ``view``, ``materialized view``, ``rule``, ``policy``, ``trigger``, ``function``, ``statistics object``,
    ``partition`` or ``child`` (by inheritance). ``name`` is as SQL names it: schema and name, of a rule, policy or
    trigger the name alone. ``definition`` is the statement that makes it again, as PostgreSQL prints it, empty where
    there is none that would do: then it cannot be carried over to another table.
    """

    kind: str
    name: str
    definition: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """The sequence that a column draws from, beside the column's highest value.

    ``highest`` is the lowest where ``increment`` is negative; None in an empty table. ``problem`` says why one of
    the two could not be read; then nothing is known.
    """

    column: str
    sequence: TableName
    next_value: int | None
    highest: int | None
    increment: int = 1
    problem: str | None = None

    @property
    def is_behind(self) -> bool:
        """Whether the next value drawn is one that the column has passed already."""
        if self.next_value is None or self.highest is None:
            return False
        return self.next_value <= self.highest if self.increment > 0 else self.next_value >= self.highest


@dataclass(frozen=True, slots=True)
class Table:
    """One relation with all that belongs to it.

    ``read_in_full`` is False for a table outside the scope: then only its name is known.
    ``definitions_read`` is False where another session's lock kept defaults, constraints and index
    definitions from being printed; ``locked_by`` holds the pids. ``alterable``: the connected role has the rights
    of the owner. ``dropped_columns`` counts the marks that they leave (``pg_attribute.attisdropped``).
    ``dependants`` are bound to it; ``publications`` send its changes, by the table itself, its schema or ALL TABLES;
    ``subscriptions`` write it.
    ``force_row_security``: policies hold for the owner too. ``replica_identity`` is the index by which subscribers
    know a row (``REPLICA IDENTITY USING INDEX``): without it nobody can update or delete what is published.
    """

    name: TableName
    kind: RelationKind = RelationKind.TABLE
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    owner: str = ""
    comment: str | None = None
    pages: int = 0
    rows: RowEvidence = field(default=RowEvidence())
    rights: Rights = field(default=Rights())
    extension: str | None = None
    is_partition: bool = False
    row_security: bool = False
    read_in_full: bool = True
    definitions_read: bool = True
    grants: tuple[Grant, ...] = ()
    uses: tuple[UsedObject, ...] = ()
    counters: tuple[Counter, ...] = ()
    locked_by: tuple[int, ...] = ()
    alterable: bool = True
    oid: int = 0
    dropped_columns: int | None = None
    dependants: tuple[Dependant, ...] = ()
    publications: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    force_row_security: bool = False
    replica_identity: str | None = None

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        """The foreign keys that start at this table."""
        return tuple(c for c in self.constraints if c.kind is ConstraintKind.FOREIGN_KEY)


@dataclass(frozen=True)
class Layout:
    """Tables by identity. Iteration and all derived orders are by (schema, name).

    ``other_names`` are taken by relations that no table here accounts for, each with what bears it in words;
    ``index_of`` says of those that are indexes which table they belong to.
    """

    tables: Mapping[TableName, Table]
    other_names: Mapping[TableName, str] = field(default_factory=dict)
    index_of: Mapping[TableName, TableName] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tables: Iterable[Table],
        other_names: Mapping[TableName, str] | None = None,
        index_of: Mapping[TableName, TableName] | None = None,
    ) -> "Layout":
        """A layout of these tables."""
        by_name = {table.name: table for table in sorted(tables, key=lambda table: table.name)}
        return cls(by_name, other_names or {}, index_of or {})

    @cached_property
    def copies(self) -> Mapping[str, tuple[Table, ...]]:
        """All relations of one bare name, in schema order, by that name."""
        found: dict[str, list[Table]] = {}
        for table in self.tables.values():
            found.setdefault(table.name.name, []).append(table)
        return {name: tuple(tables) for name, tables in found.items()}

    @cached_property
    def referring(self) -> Mapping[TableName, tuple[tuple[Table, Constraint], ...]]:
        """The foreign keys that point at each table, with the table they start from."""
        found: dict[TableName, list[tuple[Table, Constraint]]] = {}
        for table in self.tables.values():
            for key in table.foreign_keys:
                if key.references is not None:
                    found.setdefault(key.references.table, []).append((table, key))
        return {name: tuple(keys) for name, keys in found.items()}


def clipped(identifier: str, *, room_for: str = "") -> str:
    """The identifier as PostgreSQL stores it: cut at 63 bytes, never inside a character; less where more follows.

    >>> clipped("ü" * 40) == "ü" * 31, clipped("ü" * 40, room_for="_new") == "ü" * 29
    (True, True)
    """
    return identifier.encode()[: MAX_IDENTIFIER_BYTES - len(room_for.encode())].decode(errors="ignore")


def quoted(identifier: str) -> str:
    """The identifier as it can stand in SQL: bare where that is safe, else in double quotes.

    Keywords are quoted too. Mirrors ``quote_ident`` (PostgreSQL, String Functions).

    >>> quoted("user_profile_bounty"), quoted("User"), quoted("order"), quoted('a"b')
    ('user_profile_bounty', '"User"', '"order"', '"a""b"')
    """
    plain = (
        identifier != ""
        and (identifier[0] == "_" or "a" <= identifier[0] <= "z")
        and all(c == "_" or "a" <= c <= "z" or "0" <= c <= "9" for c in identifier)
        and identifier not in _KEYWORDS
    )
    return identifier if plain else '"' + identifier.replace('"', '""') + '"'


# pg_get_keywords() of PostgreSQL 18, without the unreserved ones: quote_ident() quotes exactly these.
_KEYWORDS = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
    case cast char character check coalesce collate collation column concurrently constraint create cross
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
    decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
    freeze from full grant greatest group grouping having ilike in initially inner inout int integer
    intersect interval into is isnull join json json_array json_arrayagg json_exists json_object
    json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left
    like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null
    nullif numeric offset on only or order out outer overlaps overlay placing position precision primary
    real references returning right row select session_user setof similar smallint some substring symmetric
    system_user table tablesample then time timestamp to trailing treat trim true union unique user using
    values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists
    xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()
)

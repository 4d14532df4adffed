"""Columns and their sequences, as they stand in CREATE TABLE and ALTER TABLE."""

from collections.abc import Iterable

from cascade.core.actions import AddColumn, AddNotNullProof, AlterColumn, SetNotNull, SetSequence
from cascade.core.layout import MAX_IDENTIFIER_BYTES, Column, Constraint, ConstraintKind, TableName, quoted
from cascade.core.layout import Sequence as OwnedSequence
from cascade.render.sql.constraints import (
    add_constraint,
    column_comments,
    constraint_comments,
    create_indexes,
    index_comments,
    is_inline,
    is_late,
    reading_order,
)
from cascade.render.sql.words import do, literal


def add_column(action: AddColumn) -> tuple[str, ...]:
    """ALTER TABLE … ADD COLUMN, and all that comes with the column."""
    table, column = action.table, action.column
    constraints = [c for c in action.constraints if c.kind is not ConstraintKind.FOREIGN_KEY]
    fill = fill_of(column)
    definition = column_definition(table, column, constraints, default=fill or column.default)
    added = sorted((c for c in constraints if is_inline(c) or is_late(c)), key=reading_order)
    return (
        *((create_sequence(column.sequence),) if column.sequence and not column.identity else ()),
        f"ALTER TABLE {table} ADD COLUMN {definition};",
        *((f"ALTER TABLE {table} ALTER COLUMN {quoted(column.name)} DROP DEFAULT;",) if fill else ()),
        *fit_sequence(table, column),
        *(add_constraint(table, c, action.indexes) for c in added),
        *create_indexes(table, action.indexes),
        *column_comments(table, [column]),
        *constraint_comments(table, constraints),
        *index_comments(table, action.indexes),
    )


def alter_column(action: AlterColumn) -> tuple[str, ...]:
    """The aspects that differ made those of ``wanted``, the default out of the way of the type meanwhile."""
    return _alter(action.table, action.found, action.wanted, action.aspects)


def undo_alter_column(action: AlterColumn) -> tuple[str, ...]:
    """The aspects made those of ``found`` again, once ``refuse_what_would_not_fit`` has passed."""
    return _alter(action.table, action.wanted, action.found, action.aspects)


def add_not_null_proof(action: AddNotNullProof) -> tuple[str, ...]:
    """A check that says NOT NULL, valid for new rows at once."""
    return (f"{_add_proof(action)} NOT VALID;",)


def set_not_null(action: SetNotNull) -> tuple[str, ...]:
    """NOT NULL; PostgreSQL skips the scan where a validated check proves it (ALTER TABLE, SET NOT NULL)."""
    drop = f"ALTER TABLE {action.table} DROP CONSTRAINT IF EXISTS {quoted(action.proof)};"
    set_ = f"ALTER TABLE {action.table} ALTER COLUMN {quoted(action.column)} SET NOT NULL;"
    return (set_, drop) if action.proof else (set_,)


def undo_set_not_null(action: SetNotNull) -> tuple[str, ...]:
    """The column as it was, and the proof too, where it was there before."""
    drop = f"ALTER TABLE {action.table} ALTER COLUMN {quoted(action.column)} DROP NOT NULL;"
    return (drop, f"{_add_proof(action)};") if action.proof_was_left else (drop,)


def _add_proof(action: AddNotNullProof | SetNotNull) -> str:
    check = f"CHECK ({quoted(action.column)} IS NOT NULL)"
    return f"ALTER TABLE {action.table} ADD CONSTRAINT {quoted(action.proof)} {check}"


def set_sequence(action: SetSequence) -> tuple[str, ...]:
    """The sequence set to the column's highest value, or beyond it where it is there already.

    The lock keeps rows from being inserted meanwhile, and ALTER SEQUENCE, which says what is so, keeps ``nextval`` from
    going on after its value was read. ``setval`` alone would outlast a rollback (Sequence Manipulation Functions);
    RESTART gives the sequence a new file first, which goes with the transaction.
    """
    rising = action.increment > 0
    extreme, better = ("max", ">") if rising else ("min", "<")
    column, sequence = quoted(action.column), literal(str(action.sequence))
    return (
        do(
            "DECLARE",
            "  highest bigint;",
            "BEGIN",
            f"  LOCK TABLE {action.table} IN SHARE MODE;",
            "  SET LOCAL row_security = off;  -- a row that a policy hides counts all the same",
            f"  SELECT {extreme}({column}) INTO highest FROM {action.table};",
            f"  ALTER SEQUENCE {action.sequence} INCREMENT BY {action.increment};",
            f"  IF highest {better}= (SELECT last_value FROM {action.sequence}) THEN",
            f"    ALTER SEQUENCE {action.sequence} RESTART;",
            f"    PERFORM setval({sequence}::regclass, highest);",
            "  END IF;",
            "END",
        ),
    )


def _alter(table: TableName, found: Column, wanted: Column, aspects: Iterable[str]) -> tuple[str, ...]:
    alter = f"ALTER TABLE {table} ALTER COLUMN {quoted(wanted.name)}"
    statements = []
    if {"type", "collation"}.intersection(aspects):
        # A default is not always cast along (ALTER TABLE, SET DATA TYPE).
        has_default = found.default is not None and not found.generated and "type" in aspects
        collation = f" COLLATE {wanted.collation}" if wanted.collation else ""
        statements += [f"{alter} DROP DEFAULT;"] * has_default
        statements.append(f"{alter} TYPE {wanted.type}{collation};")
        if has_default and "default" not in aspects:
            statements.append(f"{alter} SET DEFAULT {wanted.default};")
    if "identity" in aspects:
        statements += _alter_identity(table, found, wanted)
    if "default" in aspects:
        statements.append(
            f"{alter} DROP DEFAULT;" if wanted.default is None else f"{alter} SET DEFAULT {wanted.default};"
        )
    if "nullability" in aspects:
        statements.append(f"{alter} {'DROP' if wanted.nullable else 'SET'} NOT NULL;")
    if "comment" in aspects:
        said = literal(wanted.comment) if wanted.comment else "NULL"
        statements.append(f"COMMENT ON COLUMN {table}.{quoted(wanted.name)} IS {said};")
    return tuple(statements)


def _alter_identity(table: TableName, found: Column, wanted: Column) -> list[str]:
    alter = f"ALTER TABLE {table} ALTER COLUMN {quoted(wanted.name)}"
    if found.identity and wanted.identity:
        return [f"{alter} SET GENERATED {_IDENTITY[wanted.identity]};"]
    if found.identity:
        back = [f"{alter} SET DEFAULT {wanted.default};"] if wanted.default is not None else []
        return [f"{alter} DROP IDENTITY;", *back]
    options = _identity_options(table, wanted)
    listed = f" ({' '.join(options)})" if options else ""
    return [
        *([f"{alter} DROP DEFAULT;"] if found.default is not None else []),
        f"{alter} ADD GENERATED {_IDENTITY[wanted.identity]} AS IDENTITY{listed};",
        *_fit_identity(table, wanted),
    ]


def _fit_identity(table: TableName, column: Column) -> tuple[str, ...]:
    """The new sequence begins above what the column holds; one that PostgreSQL named is asked for."""
    if column.sequence is not None:
        return set_sequence(SetSequence(table, column.name, column.sequence.name, column.sequence.increment))
    highest = f"max({quoted(column.name)})"
    sequence = f"pg_get_serial_sequence({literal(str(table))}, {literal(column.name)})"
    return (
        do(
            "BEGIN",
            "  SET LOCAL row_security = off;  -- a row that a policy hides counts all the same",
            f"  PERFORM setval({sequence}, {highest}) FROM {table} HAVING {highest} > 0;",
            "END",
        ),
    )


def refuse_what_would_not_fit(action: AlterColumn) -> str:
    """Where a value comes back changed from the old type, it was written since and would be lost."""
    column = f"t.{quoted(action.wanted.name)}"
    there_and_back = f"(({column})::{action.found.type})::{action.wanted.type}"
    refusal = (
        f"not undone: {action.table} holds values in {quoted(action.wanted.name)} that {action.found.type} cannot: "
    )
    return do(
        "DECLARE",
        "  written bigint;",
        "BEGIN",
        f"  LOCK TABLE {action.table} IN ACCESS EXCLUSIVE MODE;",
        "  SET LOCAL row_security = off;",
        f"  SELECT count(*) INTO written FROM {action.table} AS t",
        f"  WHERE ({there_and_back})::text IS DISTINCT FROM ({column})::text;",
        "  IF written > 0 THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(refusal)} || written;",
        "  END IF;",
        "END",
    )


def column_definition(
    table: TableName, column: Column, constraints: Iterable[Constraint], *, default: str | None = None
) -> str:
    """The column as it stands in CREATE TABLE and ADD COLUMN; ``default`` instead of its own."""
    parts = (
        quoted(column.name),
        column.type,
        f"COLLATE {column.collation}" if column.collation else "",
        _value_clause(table, column, default or column.default),
        _not_null(table, column, constraints),
    )
    return " ".join(filter(None, parts))


def _value_clause(table: TableName, column: Column, default: str | None) -> str:
    """Where the value comes from when a statement gives none."""
    if column.generated:
        return f"GENERATED ALWAYS AS ({default}) {_GENERATED[column.generated]}"
    if column.identity:
        options = _identity_options(table, column)
        how = f"GENERATED {_IDENTITY[column.identity]} AS IDENTITY"
        return f"{how} ({' '.join(options)})" if options else how
    return f"DEFAULT {default}" if default is not None else ""


_GENERATED = {"s": "STORED", "v": "VIRTUAL"}
_IDENTITY = {"a": "ALWAYS", "d": "BY DEFAULT"}


def _not_null(table: TableName, column: Column, constraints: Iterable[Constraint]) -> str:
    """The constraint's name is said only where PostgreSQL 18 would choose another; older servers pass over it."""
    if column.nullable:
        return ""
    named = next((c for c in constraints if c.kind is ConstraintKind.NOT_NULL and c.columns == (column.name,)), None)
    if named is None:
        return "NOT NULL"
    if is_late(named):
        return ""
    name = "" if named.name == _automatic_name(table.name, column.name, "not_null") else named.name
    no_inherit = " NO INHERIT" if (named.definition or "").endswith(" NO INHERIT") else ""
    return (f"CONSTRAINT {quoted(name)} " if name else "") + "NOT NULL" + no_inherit


def _automatic_name(table: str, column: str, label: str) -> str:
    """The name that PostgreSQL makes (``makeObjectName``): the longer part is cut first, never inside a character.

    >>> _automatic_name("t" * 60, "id", "seq") == "t" * 56 + "_id_seq"
    True
    """
    first, second = table.encode(), column.encode()
    first_length, second_length = len(first), len(second)
    while first_length + second_length > MAX_IDENTIFIER_BYTES - len(f"__{label}"):
        if first_length > second_length:
            first_length -= 1
        else:
            second_length -= 1
    clipped = (part.decode(errors="ignore") for part in (first[:first_length], second[:second_length]))
    return "_".join((*clipped, label))


def fill_of(column: Column) -> str | None:
    """What old rows get in a column that may not be empty and says nothing itself."""
    if column.nullable or column.default is not None or column.identity or column.generated:
        return None
    return column.fill


def create_sequence(sequence: OwnedSequence) -> str:
    """The sequence of a serial column."""
    return " ".join((f"CREATE SEQUENCE {sequence.name} AS {sequence.type}", *_sequence_options(sequence))) + ";"


def _identity_options(table: TableName, column: Column) -> list[str]:
    """What has to be said for the sequence to come out as it should; of an unknown sequence nothing."""
    sequence = column.sequence
    if sequence is None:
        return []
    automatic = TableName(table.schema, _automatic_name(table.name, column.name, "seq"))
    name = [] if sequence.name == automatic else [f"SEQUENCE NAME {sequence.name}"]
    return name + (_sequence_options(sequence) if sequence.type == column.type else [])


def _sequence_options(sequence: OwnedSequence) -> list[str]:
    """The options that differ from what PostgreSQL takes by itself for a sequence of that type and direction."""
    low, high = _RANGES.get(sequence.type, (None, None))
    up = sequence.increment > 0
    minimum, maximum = (1, high) if up else (low, -1)
    options = (
        ("INCREMENT BY", sequence.increment, 1),
        ("MINVALUE", sequence.minimum, minimum),
        ("MAXVALUE", sequence.maximum, maximum),
        ("START WITH", sequence.start, sequence.minimum if up else sequence.maximum),
        ("CACHE", sequence.cache, 1),
    )
    words = [f"{word} {value}" for word, value, default in options if value != default]
    return [*words, "CYCLE"] if sequence.cycle else words


_RANGES = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}


def fit_sequence(table: TableName, column: Column) -> list[str]:
    """What a column's sequence still needs once the column is there."""
    sequence = column.sequence
    if sequence is None:
        return []
    if not column.identity:
        return [f"ALTER SEQUENCE {sequence.name} OWNED BY {table}.{quoted(column.name)};"]
    if sequence.type == column.type:
        return []
    # An identity column takes no AS: a sequence of another type than its column is altered afterwards.
    return [
        f"ALTER SEQUENCE {sequence.name} AS {sequence.type} INCREMENT BY {sequence.increment}"
        f" MINVALUE {sequence.minimum} MAXVALUE {sequence.maximum} START WITH {sequence.start}"
        f" RESTART CACHE {sequence.cache} {'CYCLE' if sequence.cycle else 'NO CYCLE'};"
    ]

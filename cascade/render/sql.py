"""All SQL that is shown or run against the target, worded from layout values as PostgreSQL printed them.

The proof is a round trip: layout → SQL → PostgreSQL → the same layout, names included
(``tests/postgres/test_round_trip.py``). Printed expressions mean what they say under
``search_path = pg_catalog, pg_temp``, so whoever runs these statements sets it, as the script does.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from cascade.core.actions import (
    Action,
    AddColumn,
    AddForeignKey,
    CreateTable,
    GrantTable,
    GrantUsage,
    MoveTable,
)
from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.layout import (
    MAX_IDENTIFIER_BYTES,
    Column,
    Constraint,
    ConstraintKind,
    Index,
    RelationKind,
    Table,
    TableName,
    quoted,
)
from cascade.core.layout import Sequence as OwnedSequence
from cascade.core.plan import Plan, Step

SEARCH_PATH = "pg_catalog, pg_temp"
"""The search_path under which definitions were printed, and under which they must be run."""

LOCK_TIMEOUT = "2s"
"""How long a statement of the script waits for a lock: a queued lock makes others wait behind us."""


class NotRenderable(ValueError):
    """The layout does not hold all that the statement would have to say; the message names what is missing."""


def render_sql_script(answer: Answer) -> str:
    """The answer's plan as a script for psql, see ``render_plan_script``; its head says what the answer says."""
    return render_plan_script(
        answer.plan,
        database=answer.observed.database,
        plan_id=answer.plan_id,
        read_at=answer.observed.read_at,
        role=answer.observed.connected_as,
        notes=(
            f"Tables belong to the schema {quoted(answer.placement.target)}; pages run as"
            f" {quoted(answer.placement.role)}.",
            *(f"Not checked: {part.what}: {part.why}" for part in answer.not_checked),
            *answer.notes,
        ),
    )


def render_plan_script(
    plan: Plan, *, database: str, plan_id: str, read_at: str, role: str, notes: Iterable[str] = ()
) -> str:
    """The plan as a script for psql: one transaction that first proves that the database is as it was read.

    ``role`` is the connected role, ``notes`` are further lines for the head, which also names the findings
    that no step cures. The script ends in a newline.
    """
    left = _left_as_they_are(plan)
    head = (
        *_PSQL,
        _comment(f"cascade plan {plan_id} for the database {quoted(database)}, read at {read_at} as {quoted(role)}."),
        *map(_comment, notes),
        *map(_comment, left),
    )
    if plan.is_empty:
        nothing = "There is nothing to run: what is left needs a decision." if left else "There is nothing to do."
        return _lines(*head, _comment(nothing))
    return _lines(
        *head,
        "-- All of it is one transaction: it holds as a whole, or nothing is changed.",
        "",
        "BEGIN;",
        f"SET LOCAL lock_timeout = {literal(LOCK_TIMEOUT)};",
        "-- Definitions below are spelled for this path.",
        f"SET LOCAL search_path = {SEARCH_PATH};",
        "",
        "-- Is everything still as it was read?",
        _render_preflight(database, _preconditions(plan.steps)),
        *(line for step in plan.steps for line in _step_lines(step, plan)),
        "",
        "COMMIT;",
    )


def render_step_sql(step: Step) -> tuple[str, ...]:
    """The statements of one step, in order, each ending in a semicolon."""
    return render_action(step.action)


def render_action(action: Action) -> tuple[str, ...]:
    """The statements of one action, in order, each ending in a semicolon.

    >>> render_action(MoveTable(TableName("test_schema", "bounty"), TableName("public", "bounty")))
    ('ALTER TABLE test_schema.bounty SET SCHEMA public;',)
    """
    match action:
        case MoveTable(table, to):
            return (_move(table, to),)
        case CreateTable(table):
            return render_create_table(table)
        case AddColumn():
            return _add_column(action)
        case AddForeignKey(table, constraint):
            return render_add_foreign_key(table, constraint)
        case GrantUsage(schema, role):
            return (f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)};",)
        case GrantTable(table, privileges, role):
            return (f"GRANT {_privileges(privileges)} ON TABLE {table} TO {quoted(role)};",)
        case _:
            assert_never(action)


def render_undo(action: Action) -> tuple[str, ...]:
    """The statements that take one action back. None of them drops a row: they refuse with the count instead."""
    match action:
        case MoveTable(table, to):
            return (_move(to, table),)
        case CreateTable(table):
            return (_drop_empty_table(table.name),)
        case AddColumn(table, column):
            return (_drop_unwritten_column(table, column),)
        case AddForeignKey(table, constraint):
            return (f"ALTER TABLE {table} DROP CONSTRAINT {quoted(constraint.name)};",)
        case GrantUsage(schema, role):
            return (f"REVOKE USAGE ON SCHEMA {quoted(schema)} FROM {quoted(role)};",)
        case GrantTable(table, privileges, role):
            return (f"REVOKE {_privileges(privileges)} ON TABLE {table} FROM {quoted(role)};",)
        case _:
            assert_never(action)


def render_create_table(table: Table) -> tuple[str, ...]:
    """The statements that make a table with its columns, constraints, indexes and comments, without foreign keys.

    Raises ``NotRenderable`` for what a layout does not hold in full: partitions, row security, another
    relation than a table, or definitions that another session's lock kept from being read.
    What layouts leave out is left out here too: storage parameters of the table, persistence, inheritance,
    tablespace, triggers, owner and grants.
    """
    _refuse_what_is_not_known(table)
    inline, twins = _without_twins(sorted((c for c in table.constraints if _is_inline(c)), key=_reading_order))
    late = [*twins, *sorted((c for c in table.constraints if _is_late(c)), key=_reading_order)]
    elements = [_column_definition(table.name, column, table.constraints) for column in table.columns]
    elements += [_constraint_definition(c, table.indexes) for c in inline]
    body = "(\n    " + ",\n    ".join(elements) + "\n)" if elements else "()"
    return (
        *(_create_sequence(column.sequence) for column in table.columns if column.sequence and not column.identity),
        f"CREATE TABLE {table.name} {body};",
        *(statement for column in table.columns for statement in _fit_sequence(table.name, column)),
        *(_add_constraint(table.name, c, table.indexes) for c in late),
        *_create_indexes(table.name, table.indexes),
        *_comments(table),
    )


def _without_twins(constraints: Iterable[Constraint]) -> tuple[list[Constraint], list[Constraint]]:
    """The constraints, and apart those that are unique over columns which an earlier one is unique over already.

    Of two such in one CREATE TABLE PostgreSQL makes the first alone; added afterwards it makes both.
    """
    unique = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
    first: list[Constraint] = []
    twins: list[Constraint] = []
    for constraint in constraints:
        is_twin = constraint.kind in unique and any(
            other.kind in unique and other.columns == constraint.columns for other in first
        )
        (twins if is_twin else first).append(constraint)
    return first, twins


def render_add_foreign_key(table: TableName, constraint: Constraint) -> tuple[str, ...]:
    """The statements that add one foreign key, worded from its columns and where it points.

    >>> from cascade.core.layout import Reference
    >>> key = Constraint("fk", ConstraintKind.FOREIGN_KEY, ("user_id",),
    ...                  references=Reference(TableName("public", "user"), ("id",)), deferrable=True)
    >>> print(*render_add_foreign_key(TableName("public", "bounty"), key))
    ALTER TABLE public.bounty ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES public."user" (id) DEFERRABLE;
    """
    reference = constraint.references
    if constraint.kind is not ConstraintKind.FOREIGN_KEY or reference is None:
        raise NotRenderable(f"{quoted(constraint.name)} on {table} is not a foreign key with a known target.")
    parts = (
        f"FOREIGN KEY ({_names(constraint.columns)}) REFERENCES {reference.table} ({_names(reference.columns)})",
        _known(_MATCH, reference.match, constraint),
        _on("UPDATE", _known(_ACTIONS, reference.on_update, constraint)),
        _on("DELETE", _known(_ACTIONS, reference.on_delete, constraint), reference.set_columns),
        _deferral(constraint),
        # What is not enforced is never validated either, and PostgreSQL takes only one of the two words.
        "" if constraint.enforced else "NOT ENFORCED",
        "NOT VALID" if constraint.enforced and not constraint.validated else "",
    )
    add = f"ALTER TABLE {table} ADD CONSTRAINT {quoted(constraint.name)} {' '.join(filter(None, parts))};"
    return (add, *_constraint_comments(table, [constraint]))


def literal(text: str) -> str:
    r"""The text as a string literal, safe whatever ``standard_conforming_strings`` is.

    >>> print(literal("plain"), literal("it's"), literal("C:\\"))
    'plain' 'it''s' E'C:\\'
    """
    doubled = text.replace("'", "''")
    return "E'" + doubled.replace("\\", "\\\\") + "'" if "\\" in text else f"'{doubled}'"


# ------------------------------------------------------------------------------------------------------- moving, adding


def _move(table: TableName, to: TableName) -> str:
    if table.name != to.name:
        raise NotRenderable(f"A move keeps the name: {table} cannot become {to}.")
    # SET SCHEMA keeps the OID, so rows, indexes, keys, owned sequences and grants travel with the table.
    return f"ALTER TABLE {table} SET SCHEMA {quoted(to.schema)};"


def _add_column(action: AddColumn) -> tuple[str, ...]:
    table, column = action.table, action.column
    constraints = [c for c in action.constraints if c.kind is not ConstraintKind.FOREIGN_KEY]
    fill = _fill_of(column)
    definition = _column_definition(table, column, constraints, default=fill or column.default)
    added = sorted((c for c in constraints if _is_inline(c) or _is_late(c)), key=_reading_order)
    return (
        *((_create_sequence(column.sequence),) if column.sequence and not column.identity else ()),
        f"ALTER TABLE {table} ADD COLUMN {definition};",
        *((f"ALTER TABLE {table} ALTER COLUMN {quoted(column.name)} DROP DEFAULT;",) if fill else ()),
        *_fit_sequence(table, column),
        *(_add_constraint(table, c, action.indexes) for c in added),
        *_create_indexes(table, action.indexes),
        *_column_comments(table, [column]),
        *_constraint_comments(table, constraints),
        *_index_comments(table, action.indexes),
    )


def _fill_of(column: Column) -> str | None:
    """What old rows get in a column that may not be empty and says nothing itself."""
    if column.nullable or column.default is not None or column.identity or column.generated:
        return None
    return column.fill


def _privileges(privileges: Sequence[str]) -> str:
    unknown = [p for p in privileges if p not in _PRIVILEGES]
    if unknown or not privileges:
        raise NotRenderable(f"Not privileges on a table: {', '.join(unknown) or 'none given'}.")
    return ", ".join(privileges)


_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")


# -------------------------------------------------------------------------------------------------------------- columns


def _refuse_what_is_not_known(table: Table) -> None:
    if table.kind is not RelationKind.TABLE:
        raise NotRenderable(f"{table.name} is no plain table but a {table.kind.name.lower().replace('_', ' ')}.")
    if table.is_partition:
        raise NotRenderable(f"{table.name} is a partition, and its bounds are not part of a layout.")
    if table.row_security:
        raise NotRenderable(f"{table.name} has row security, and its policies are not part of a layout.")
    if table.extension is not None:
        raise NotRenderable(f"{table.name} belongs to the extension {quoted(table.extension)}.")
    if not table.read_in_full or not table.definitions_read:
        raise NotRenderable(f"{table.name} was not read in full.")


def _column_definition(
    table: TableName, column: Column, constraints: Iterable[Constraint], *, default: str | None = None
) -> str:
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
    if _is_late(named):
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


# ------------------------------------------------------------------------------------------------------------ sequences


def _create_sequence(sequence: OwnedSequence) -> str:
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


def _fit_sequence(table: TableName, column: Column) -> list[str]:
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


# ---------------------------------------------------------------------------------------------- constraints and indexes


def _is_inline(constraint: Constraint) -> bool:
    """Whether it stands in CREATE TABLE on a line of its own."""
    return constraint.kind in _READING_ORDER and not _is_late(constraint)


def _is_late(constraint: Constraint) -> bool:
    """Whether it can only be added: CREATE TABLE would take a constraint that is not valid for a valid one."""
    addable = constraint.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)
    return addable and constraint.enforced and not constraint.validated


def _reading_order(constraint: Constraint) -> tuple[int, str]:
    position = _READING_ORDER.index(constraint.kind) if constraint.kind in _READING_ORDER else len(_READING_ORDER)
    return (position, constraint.name)


_READING_ORDER = (
    ConstraintKind.PRIMARY_KEY,
    ConstraintKind.UNIQUE,
    ConstraintKind.EXCLUSION,
    ConstraintKind.CHECK,
)


def _add_constraint(table: TableName, constraint: Constraint, indexes: Iterable[Index]) -> str:
    return f"ALTER TABLE {table} ADD {_constraint_definition(constraint, indexes)};"


def _constraint_definition(constraint: Constraint, indexes: Iterable[Index]) -> str:
    definition = constraint.definition
    if definition is None:
        raise NotRenderable(f"The definition of the constraint {quoted(constraint.name)} is not known.")
    parameters = _storage_parameters(constraint, indexes)
    if parameters:
        deferral = _deferral(constraint)
        definition = " ".join(filter(None, (definition.removesuffix(f" {deferral}"), parameters, deferral)))
    return f"CONSTRAINT {quoted(constraint.name)} {definition}"


def _storage_parameters(constraint: Constraint, indexes: Iterable[Index]) -> str:
    """Of a primary key or unique constraint: its own text leaves them out, that of its index ends with them."""
    if constraint.kind not in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE):
        return ""
    tail = next((index.tail for index in indexes if index.constraint == constraint.name), None)
    found = _PARAMETERS_AT_END.search(tail or "")
    return found[0].lstrip() if found else ""


# Nothing else can end so: an identifier with an equals sign ends in a double quote before the bracket.
_PARAMETERS_AT_END = re.compile(r" WITH \(\w+=(?:\w+|'[^']*')(?:, \w+=(?:\w+|'[^']*'))*\)$")


def _deferral(constraint: Constraint) -> str:
    if not constraint.deferrable:
        return ""
    return "DEFERRABLE INITIALLY DEFERRED" if constraint.initially_deferred else "DEFERRABLE"


def _known(words: dict[str, str], letter: str, constraint: Constraint) -> str:
    if letter not in words:
        raise NotRenderable(f"{letter!r} in the foreign key {quoted(constraint.name)} is unknown.")
    return words[letter]


_MATCH = {"s": "", "f": "MATCH FULL"}
_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _on(event: str, action: str, columns: Sequence[str] = ()) -> str:
    if not action:
        return ""
    return f"ON {event} {action}" + (f" ({_names(columns)})" if columns else "")


def _create_indexes(table: TableName, indexes: Iterable[Index]) -> list[str]:
    """The indexes that serve no constraint, by name."""
    own = sorted((index for index in indexes if index.constraint is None), key=lambda index: index.name)
    unknown = [index.name for index in own if index.tail is None]
    if unknown:
        raise NotRenderable(f"The definition of the index {quoted(unknown[0])} on {table} is not known.")
    # An index lies where its table lies, so PostgreSQL takes no schema here.
    return [
        f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {quoted(index.name)} ON {table} USING {index.tail};"
        for index in own
    ]


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(quoted, columns))


# ------------------------------------------------------------------------------------------------------------- comments


def _comments(table: Table) -> list[str]:
    constraints = [c for c in table.constraints if c.kind is not ConstraintKind.FOREIGN_KEY]
    own = [f"COMMENT ON TABLE {table.name} IS {literal(table.comment)};"] if table.comment else []
    return [
        *own,
        *_column_comments(table.name, table.columns),
        *_constraint_comments(table.name, constraints),
        *_index_comments(table.name, table.indexes),
    ]


def _column_comments(table: TableName, columns: Iterable[Column]) -> list[str]:
    return [
        f"COMMENT ON COLUMN {table}.{quoted(column.name)} IS {literal(column.comment)};"
        for column in columns
        if column.comment
    ]


def _constraint_comments(table: TableName, constraints: Iterable[Constraint]) -> list[str]:
    return [
        f"COMMENT ON CONSTRAINT {quoted(constraint.name)} ON {table} IS {literal(constraint.comment)};"
        for constraint in sorted(constraints, key=_reading_order)
        if constraint.comment
    ]


def _index_comments(table: TableName, indexes: Iterable[Index]) -> list[str]:
    return [
        f"COMMENT ON INDEX {TableName(table.schema, index.name)} IS {literal(index.comment)};"
        for index in sorted(indexes, key=lambda index: index.name)
        if index.comment
    ]


# ----------------------------------------------------------------------------------------------------------------- undo


def _drop_empty_table(table: TableName) -> str:
    return _guarded_drop(
        table,
        count=f"SELECT pg_catalog.count(*) INTO written FROM {table};",
        refusal=f"not undone: {table} holds rows, and dropping it would lose them: ",
        drop=f"DROP TABLE {table};",
    )


def _drop_unwritten_column(table: TableName, column: Column) -> str:
    """Refuse where a row holds another value than the one that adding the column gave it."""
    drop = f"ALTER TABLE {table} DROP COLUMN {quoted(column.name)};"
    if column.generated:
        return drop
    # Compared as text, because a type such as json has no equality.
    value = f"(t.{quoted(column.name)})::pg_catalog.text"
    given = _given_to_old_rows(column)
    unwritten = f"(CAST(({given}) AS {column.type}))::pg_catalog.text" if given else "NULL"
    return _guarded_drop(
        table,
        count=f"SELECT pg_catalog.count(*) INTO written FROM {table} AS t WHERE {value} IS DISTINCT FROM {unwritten};",
        refusal=f"not undone: {table} holds values in {quoted(column.name)}, and dropping it would lose them: ",
        drop=drop,
    )


def _given_to_old_rows(column: Column) -> str | None:
    """The value that adding the column gave, where it is one for all rows and asking for it changes nothing."""
    if column.identity or column.sequence or "nextval(" in (column.default or ""):
        return None
    return column.default if column.default is not None else _fill_of(column)


def _guarded_drop(table: TableName, *, count: str, refusal: str, drop: str) -> str:
    # The lock comes before the count, and an older snapshot would not see what was written meanwhile.
    return _do(
        "DECLARE",
        "  written bigint;",
        "BEGIN",
        "  IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN",
        "    RAISE EXCEPTION USING MESSAGE = 'not undone: run this in a READ COMMITTED transaction';",
        "  END IF;",
        f"  LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;",
        "  -- Rows that a policy would hide are then an error, not an empty table.",
        "  SET LOCAL row_security = off;",
        f"  {count}",
        "  IF written > 0 THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(refusal)} || written;",
        "  END IF;",
        f"  {drop}",
        "END",
    )


# --------------------------------------------------------------------------------------------------------------- script


_PSQL = (r"\set ON_ERROR_STOP on", r"\encoding UTF8")


def _left_as_they_are(plan: Plan) -> list[str]:
    """The findings that stay when the script has run, notes apart."""
    cured = {drift for step in plan.steps for drift in step.cures}
    lines = [
        f"Left as it is: {drift.id}" + (f": {drift.undecided}" if drift.undecided else "")
        for drift in plan.drifts
        if drift.severity is not Severity.NOTE and drift.id not in cured
    ]
    beyond = [drift.id for drift in plan.left_out if drift.severity is not Severity.NOTE]
    return [*lines, *(f"Left out by the scope: {drift}" for drift in beyond)]


def _step_lines(step: Step, plan: Plan) -> list[str]:
    drifts = {drift.id: drift for drift in plan.drifts}
    return [
        "",
        _comment(f"Step {step.position} of {len(plan.steps)}: {step.id}"),
        *(_comment(f"  cures {_cure(cured, drifts.get(cured))}") for cured in step.cures),
        *(_comment(f"  mind: {hazard.sentence} ({hazard.kind.value})") for hazard in step.hazards),
        *render_step_sql(step),
    ]


def _cure(cured: str, drift: Drift | None) -> str:
    if drift is None or drift.made_by is None:
        return cured
    made_by = drift.made_by
    applied = f", applied {made_by.applied}" if made_by.applied else ""
    return f"{cured}; made by {made_by.migration}: {made_by.operation}{applied}"


@dataclass(frozen=True, slots=True)
class _Preconditions:
    """What must hold before the first step: rows of names, sorted, each once."""

    schemas: tuple[tuple[str, ...], ...]
    roles: tuple[tuple[str, ...], ...]
    tables: tuple[tuple[str, ...], ...]
    free_names: tuple[tuple[str, ...], ...]
    absent_columns: tuple[tuple[str, ...], ...]
    absent_constraints: tuple[tuple[str, ...], ...]


def _preconditions(steps: Sequence[Step]) -> _Preconditions:
    """What each step needs of the database as it is before any step ran."""
    schemas: set[tuple[str, ...]] = set()
    roles: set[tuple[str, ...]] = set()
    tables: set[tuple[str, ...]] = set()
    free_names: set[tuple[str, ...]] = set()
    columns: set[tuple[str, ...]] = set()
    constraints: set[tuple[str, ...]] = set()
    # Where a table that a later step names lies now; None once an earlier step makes it.
    now_at: dict[TableName, TableName | None] = {}
    # Names that an earlier step makes free.
    vacated: set[TableName] = set()

    def at_first(table: TableName) -> TableName | None:
        place = now_at.get(table, table)
        if place is not None:
            tables.add(_pair(place))
        return place

    def needs_free(name: TableName) -> None:
        schemas.add((name.schema,))
        if name not in vacated:
            free_names.add(_pair(name))

    for step in steps:
        match step.action:
            case MoveTable(table, to):
                place = at_first(table)
                needs_free(to)
                vacated.add(table)
                now_at[to] = place
            case CreateTable(made):
                needs_free(made.name)
                now_at[made.name] = None
            case AddColumn(table, column):
                if (place := at_first(table)) is not None:
                    columns.add((*_pair(place), column.name))
            case AddForeignKey(table, constraint):
                if (place := at_first(table)) is not None:
                    constraints.add((*_pair(place), constraint.name))
                if constraint.references is not None:
                    at_first(constraint.references.table)
            case GrantUsage(schema, role):
                schemas.add((schema,))
                roles.add((role,))
            case GrantTable(table, _, role):
                at_first(table)
                roles.add((role,))
            case _:
                assert_never(step.action)
    found = (schemas, roles, tables, free_names, columns, constraints)
    return _Preconditions(*(tuple(sorted(names)) for names in found))


def _pair(table: TableName) -> tuple[str, str]:
    return (table.schema, table.name)


def _render_preflight(database: str, wanted: _Preconditions) -> str:
    """A block that raises ``nothing was changed: …`` with everything that is not as expected."""
    checks = (
        _check(wanted.schemas, "there is no schema %I", f"NOT EXISTS ({_SCHEMA})"),
        _check(wanted.roles, "there is no role %I", f"NOT EXISTS ({_ROLE})"),
        _check(wanted.tables, "there is no table %I.%I", f"NOT EXISTS ({_RELATION} AND c.relkind IN ('r', 'p'))"),
        _check(wanted.free_names, "%I.%I is there already", f"EXISTS ({_RELATION})"),
        _check(wanted.absent_columns, "%I.%I has a column %I already", f"EXISTS ({_COLUMN})"),
        _check(wanted.absent_constraints, "%I.%I has a constraint %I already", f"EXISTS ({_CONSTRAINT})"),
    )
    wrong_database = f"nothing was changed: this plan is for the database {quoted(database)}, and this is "
    return _do(
        "DECLARE",
        "  problems text;",
        "BEGIN",
        f"  IF current_database() <> {literal(database)} THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(wrong_database)} || quote_ident(current_database());",
        "  END IF;",
        "  SELECT string_agg(found.problem, '; ' ORDER BY found.problem) INTO problems FROM (",
        "\n    UNION ALL\n".join(filter(None, checks)),
        "  ) AS found (problem);",
        "  IF problems IS NOT NULL THEN",
        "    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: ' || problems,",
        "      HINT = 'The database is not as it was when the plan was made. Make a new one with cascade plan.';",
        "  END IF;",
        "END",
    )


def _check(names: Sequence[tuple[str, ...]], problem: str, when: str) -> str:
    if not names:
        return ""
    rows = ",\n      ".join("(" + ", ".join(map(literal, row)) + ")" for row in names)
    parts = [f"part{position}" for position in range(1, len(names[0]) + 1)]
    return (
        f"    SELECT format({literal(problem)}, {', '.join(f'v.{part}' for part in parts)})\n"
        f"    FROM (VALUES\n      {rows}\n    ) AS v ({', '.join(parts)})\n"
        f"    WHERE {when}"
    )


_SCHEMA = "SELECT FROM pg_namespace n WHERE n.nspname = v.part1"
_ROLE = "SELECT FROM pg_roles r WHERE r.rolname = v.part1"
_RELATION = (
    "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace\n"
    "      WHERE n.nspname = v.part1 AND c.relname = v.part2"
)
_COLUMN = (
    "SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace\n"
    "      WHERE n.nspname = v.part1 AND c.relname = v.part2 AND a.attname = v.part3 AND NOT a.attisdropped"
)
_CONSTRAINT = (
    "SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace\n"
    "      WHERE n.nspname = v.part1 AND c.relname = v.part2 AND k.conname = v.part3"
)


def _do(*lines: str) -> str:
    """A block, in dollar quotes whose tag no name inside can close."""
    body = "\n".join(lines)
    tag, number = "$cascade$", 0
    while tag[:-1] in body:
        number += 1
        tag = f"$cascade_{number}$"
    return f"DO {tag}\n{body}\n{tag};"


def _comment(text: str) -> str:
    """One comment line: a line break in a name would end the comment and run what follows."""
    return f"-- {_BREAKS.sub(' ', text)}".rstrip()


_BREAKS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"

"""Columns: missing, different, or expected by nobody."""

from collections.abc import Iterator
from dataclasses import replace

from cascade.core.definitions import mentions
from cascade.core.detection.comparison import Comparison, about
from cascade.core.detection.constraints import constraint_in_words, key_in_words, rule_of
from cascade.core.detection.indexes import index_in_words
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedTable
from cascade.core.expressions import same_expression
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Column, ConstraintKind, Table, TableName, quoted


def detect_columns(expected: ExpectedTable, found: Table, both: Comparison) -> Iterator[Drift]:
    """What differs between the columns of an expected table and of that which stands for it.

    Of a table that could not be made for comparison only the names are compared.
    """
    if not found.read_in_full:
        return
    for column in expected.table.columns:
        there = found.column(column.name)
        if there is None:
            yield _missing(column, expected, found, both)
        elif expected.compared and found.definitions_read:
            yield from _different(column, there, expected, found)
    for column in found.columns:
        if expected.table.column(column.name) is None and not _is_pending(expected, column.name, both):
            yield _extra(column, expected, found)


def differing_aspects(expected: Column, found: Column) -> tuple[str, ...]:
    """The parts of a column's definition that are not the same, in a fixed order.

    Whether a ``serial`` or an identity draws the value is no difference: tables from before Django 4.1 keep the
    former. Neither is a comment where none is expected.
    """
    aspects = {
        "type": _type_of(expected) != _type_of(found),
        "nullability": expected.nullable != found.nullable,
        "identity": not _draws_alike(expected, found),
        "generated": expected.generated != found.generated
        or (expected.generated != "" and not same_expression(expected.default, found.default)),
        "default": not expected.generated and not found.generated and not _defaults_alike(expected, found),
        "collation": _bare(expected.collation) != _bare(found.collation),
        "comment": expected.comment is not None and expected.comment != found.comment,
    }
    return tuple(aspect for aspect, differs in aspects.items() if differs)


def in_words(column: Column) -> str:
    """The column as it would stand in CREATE TABLE.

    >>> in_words(Column("name", "character varying(20)", nullable=False, collation='"C"'))
    'name character varying(20) COLLATE "C" NOT NULL'
    """
    parts = [quoted(column.name), column.type]
    if column.collation:
        parts.append(f"COLLATE {column.collation}")
    if not column.nullable:
        parts.append("NOT NULL")
    if column.identity:
        parts.append(f"GENERATED {'ALWAYS' if column.identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
    elif column.generated:
        parts.append(f"GENERATED ALWAYS AS ({column.default}) {'STORED' if column.generated == 's' else 'VIRTUAL'}")
    elif column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    return " ".join(part for part in parts if part)


def query_for_columns(table: TableName) -> str:
    """The SQL that shows the columns as PostgreSQL has them."""
    return (
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, "
        "a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d "
        f"ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = {_literal(str(table))}::regclass "
        "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;"
    )


def _missing(column: Column, expected: ExpectedTable, found: Table, both: Comparison) -> Drift:
    made_by = expected.column_made_by.get(column.name, expected.made_by)
    copies = [copy for copy, _ in both.copies_of(expected) if copy.name != found.name and copy.column(column.name)]
    wanted, there = len(expected.table.columns), len(found.columns)
    return replace(
        about(expected, DriftKind.MISSING_COLUMN, made_by=made_by),
        object=column.name,
        columns=(column.name,),
        wanted=column,
        expected=in_words(column),
        observed=f"not among the {there} columns of {found.name}",
        evidence=(
            f"{made_by.migration} ({made_by.operation}) is recorded as applied",
            f"{wanted} columns expected, {there} found",
            *(f"{copy.name} has it" for copy in copies),
        ),
        query=query_for_columns(found.name),
        copies=tuple(copy.name for copy in copies),
        rows=tuple(copy.rows for copy in copies),
        consequences=tuple(_gone_with(column.name, expected, both)),
        undecided="" if expected.compared else "its definition is not known",
    )


def _gone_with(column: str, expected: ExpectedTable, both: Comparison) -> Iterator[str]:
    """The constraints, indexes and keys that cannot be there without the column."""
    for constraint in expected.table.constraints:
        if constraint.kind is ConstraintKind.FOREIGN_KEY and column in constraint.columns:
            yield f"the foreign key {key_in_words(expected.name, constraint)}"
        elif constraint.kind is not ConstraintKind.NOT_NULL and (
            column in constraint.columns or mentions(rule_of(constraint), column)
        ):
            yield f"the constraint {quoted(constraint.name)}: {constraint_in_words(constraint)}"
    for index in expected.table.indexes:
        if index.constraint is None and (column in index.columns or mentions(index.tail, column)):
            yield f"the index {quoted(index.name)}: {index_in_words(index)}"
    for table, key in both.keys_to.get(expected.name, ()):
        if key.references is not None and column in key.references.columns:
            yield f"the foreign key {key_in_words(table.name, key)}"


def _different(column: Column, there: Column, expected: ExpectedTable, found: Table) -> Iterator[Drift]:
    aspects = differing_aspects(column, there)
    if not aspects:
        return
    made_by = expected.column_made_by.get(column.name, expected.made_by)
    drift = about(expected, DriftKind.DIFFERENT_COLUMN, made_by=made_by)
    yield replace(
        drift,
        severity=Severity.NOTE if _is_harmless(aspects, column) else drift.severity,
        object=column.name,
        columns=(column.name,),
        aspects=aspects,
        wanted=column,
        there=there,
        expected=in_words(column),
        observed=in_words(there),
        evidence=(
            *(_aspect_in_words(aspect, column, there) for aspect in aspects),
            f"{made_by.migration} ({made_by.operation}) is recorded as applied",
        ),
        query=query_for_columns(found.name),
    )


def _is_harmless(aspects: tuple[str, ...], expected: Column) -> bool:
    """A comment, or a default that nobody expects: Django names every column in its INSERTs."""
    harmless = {"comment"} if expected.default is not None else {"comment", "default"}
    return harmless.issuperset(aspects)


def _aspect_in_words(aspect: str, expected: Column, found: Column) -> str:
    match aspect:
        case "type":
            values = expected.type, found.type
        case "nullability":
            values = _nullability(expected), _nullability(found)
        case "identity":
            values = _drawn(expected), _drawn(found)
        case "collation":
            values = expected.collation or "the type's own", found.collation or "the type's own"
        case "comment":
            values = expected.comment or "none", found.comment or "none"
        case _:
            values = expected.default or "none", found.default or "none"
    return f"{aspect}: {values[0]} expected, {values[1]} found"


def _nullability(column: Column) -> str:
    return "NULL" if column.nullable else "NOT NULL"


def _drawn(column: Column) -> str:
    if column.identity:
        return f"identity ({'always' if column.identity == 'a' else 'by default'})"
    return "drawn from a sequence" if _is_serial(column) else "no value of its own"


def _extra(column: Column, expected: ExpectedTable, found: Table) -> Drift:
    """A column that nobody expects; one that every INSERT would have to fill breaks them."""
    fails = not column.nullable and column.default is None and not column.identity
    return replace(
        about(expected, DriftKind.EXTRA_COLUMN),
        severity=Severity.BROKEN if fails else DriftKind.EXTRA_COLUMN.facts.severity,
        object=column.name,
        columns=(column.name,),
        there=column,
        expected="expected by no applied migration",
        observed=in_words(column),
        evidence=("it is NOT NULL without a default: an INSERT that does not name it fails",) if fails else (),
        query=query_for_columns(found.name),
        made_by=None,
    )


def _is_pending(expected: ExpectedTable, column: str, both: Comparison) -> bool:
    return any((expected.name.name, column) in pending.columns for pending in both.expected.pending)


def _type_of(column: Column) -> tuple[str | None, str]:
    """The type by extension and name: in which schema it lies is a finding of its own."""
    return column.type_ref.extension if column.type_ref else None, column.bare_type


def _draws_alike(expected: Column, found: Column) -> bool:
    if expected.identity and found.identity:
        return expected.identity == found.identity
    return _draws(expected) == _draws(found)


def _draws(column: Column) -> bool:
    return column.identity != "" or _is_serial(column)


def _is_serial(column: Column) -> bool:
    return (column.default or "").startswith("nextval(")


def _defaults_alike(expected: Column, found: Column) -> bool:
    if _draws(expected) or _draws(found):
        return True  # told by the identity
    return same_expression(expected.default, found.default)


def _bare(collation: str | None) -> str | None:
    """The collation's name without its schema."""
    return collation and collation.rsplit('."' if collation.endswith('"') else ".", 1)[-1].strip('"')


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

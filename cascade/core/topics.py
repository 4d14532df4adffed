"""What a person can ask about by a name: a table, a part of one, a migration, a schema, a finding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from cascade.core.answer import Answer
from cascade.core.decisions import Decisions
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.constraints import match_constraints
from cascade.core.detection.indexes import match_indexes
from cascade.core.drift import Drift
from cascade.core.error_text import Mention, MentionKind
from cascade.core.expected import ExpectedTable
from cascade.core.explanation import (
    Explanation,
    Subject,
    SubjectKind,
    Trouble,
    identify,
    known_names,
    make_explanation,
    trouble_of,
)
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey, PendingMigration, Provenance
from cascade.core.layout import Column, Constraint, Index, Table, TableName, quoted
from cascade.core.made import Made, what_was_made
from cascade.core.naming import find_table, yet_to_come
from cascade.core.observed import SchemaFacts
from cascade.errors import NoSuchName


class PartKind(Enum):
    """The parts of a table that have names."""

    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    SEQUENCE = "sequence"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table on both sides, paired by structure; None on the side that does not have it.

    ``name`` is the one asked for; the two sides may have others. ``table`` is where the table belongs, ``found_in``
    the relation that was looked at. Of a sequence both sides are the column that draws from it.
    """

    kind: PartKind
    name: str
    table: TableName
    expected: Column | Constraint | Index | None
    found: Column | Constraint | Index | None
    found_in: TableName | None
    made_by: Provenance | None
    trouble: Trouble
    ignored: tuple[tuple[Drift, str], ...] = ()

    def __str__(self) -> str:
        if self.kind is PartKind.COLUMN:
            return f"the column {self.table}.{quoted(self.name)}"
        return f"the {self.kind.value} {quoted(self.name)} of {self.table}"


@dataclass(frozen=True, slots=True)
class MigrationTopic:
    """A migration: when it was recorded, what it made, and where that is. ``pending`` where it has no record."""

    key: MigrationKey
    applied: str | None
    made: tuple[Made, ...]
    trouble: Trouble
    pending: PendingMigration | None = None

    def __str__(self) -> str:
        return f"the migration {self.key}"


@dataclass(frozen=True, slots=True)
class SchemaTopic:
    """A schema: whose it is, and what of the expected tables lies in it.

    ``in_place`` belong there, ``strays`` do not and stand for an expected table, ``others`` are further relations.
    ``records`` is how many migrations its own ``django_migrations`` records, None where it has none that was read.
    """

    facts: SchemaFacts
    in_place: tuple[TableName, ...]
    strays: tuple[TableName, ...]
    others: int
    records: int | None
    trouble: Trouble

    def __str__(self) -> str:
        return f"the schema {quoted(self.facts.name)}"


@dataclass(frozen=True, slots=True)
class FindingTopic:
    """One finding. ``reason`` says why the settings accept it; empty where they do not."""

    drift: Drift
    trouble: Trouble
    reason: str = ""

    def __str__(self) -> str:
        return f"the finding {self.drift.id}"


T = TypeVar("T", Constraint, Index)

Topic = Explanation | Part | MigrationTopic | SchemaTopic | FindingTopic


def find_topics(name: str, answer: Answer) -> tuple[Topic, ...]:
    """All that the name can mean, what is most likely meant first.

    A table comes before its parts, exact names before the short ones of tables (``bounty``). Raises ``NoSuchName``
    with the nearest names where it means nothing, ``CascadeError`` where it is only to be made.
    """
    if ":" in name and name.partition(":")[0] in {kind.value for kind in DriftKind}:
        return (_finding(name, answer),)
    exact: tuple[Topic, ...] = (
        *_tables(name, answer),
        *_parts(name, answer),
        *_migrations(name, answer),
        *_schemas(name, answer),
    )
    return exact or (_otherwise(name, answer),)


def _finding(id_: str, answer: Answer) -> FindingTopic:
    known = (*answer.plan.drifts, *answer.plan.left_out)
    for drift in known:
        if drift.id == id_:
            return FindingTopic(drift, trouble_of(answer, lambda other: other.id == id_))
    for drift, reason in answer.ignored:
        if drift.id == id_:
            return FindingTopic(drift, Trouble(), reason)
    raise NoSuchName("finding", id_, (drift.id for drift in (*known, *(drift for drift, _ in answer.ignored))))


# -------------------------------------------------------------------------------------------------------------- tables


def _tables(name: str, answer: Answer) -> Iterator[Explanation]:
    """The table that has exactly this name, or that of the model."""
    named = {name, name.lower()}
    for expected in answer.expected.tables.values():
        models = {expected.own_model, expected.own_model.lower()} if expected.own_model else set()
        names = {expected.name.name, f"{expected.name.schema}.{expected.name.name}", str(expected.name), *models}
        if not named.isdisjoint(names):
            yield make_explanation(expected, answer)
            return
    stranger = _relation(name, answer)
    if stranger is not None and stranger.kind is SubjectKind.STRANGER and stranger.explanation is not None:
        yield stranger.explanation


def _relation(name: str, answer: Answer) -> Subject | None:
    return next(iter(identify([Mention(MentionKind.RELATION, name)], answer)), None)


def _otherwise(name: str, answer: Answer) -> Topic:
    """The table with this short name, or whatever else the database holds under it."""
    try:
        return make_explanation(find_table(name, answer.expected), answer)
    except NoSuchName:
        subject = _relation(name, answer)
        if subject is not None and subject.explanation is not None:
            return subject.explanation
        if subject is not None and subject.pending is not None:
            raise yet_to_come(name, subject.pending.key) from None
    raise NoSuchName("table, column, constraint, index, sequence, migration or schema", name, _every_name(answer))


def _every_name(answer: Answer) -> Iterator[str]:
    yield from known_names(answer)
    yield from (f"{name.name}.{column}" for name, column in _columns_of(answer))
    yield from (str(key) for key in _known_migrations(answer))
    yield from (schema.name for schema in answer.observed.schemas)
    for expected in answer.expected.tables.values():
        yield from (constraint.name for constraint in expected.table.constraints)
        yield from (index.name for index in expected.table.indexes)


def _columns_of(answer: Answer) -> Iterator[tuple[TableName, str]]:
    for name, expected in answer.expected.tables.items():
        yield from ((name, column.name) for column in expected.table.columns)


# --------------------------------------------------------------------------------------------------------------- parts


def _parts(name: str, answer: Answer) -> Iterator[Part]:
    both = Comparison(answer.expected, answer.observed, answer.placement, Decisions())
    for expected in answer.expected.tables.values():
        bare = _within(name, expected)
        found = both.found(expected.name)
        if bare != name:
            yield from _column(bare, expected, found, answer)
        yield from _constraints(bare, expected, found, both, answer)
        yield from _indexes(bare, expected, found, answer)
        yield from _sequences(name, expected, found, answer)


def _within(name: str, expected: ExpectedTable) -> str:
    """The name without the table, or its model, or its schema, before it."""
    table = expected.name
    befores = [str(table), f"{table.schema}.{table.name}", table.name, table.schema]
    befores += [expected.own_model, expected.own_model.lower()] if expected.own_model else []
    return next((name.removeprefix(f"{before}.") for before in befores if name.startswith(f"{before}.")), name)


def _column(name: str, expected: ExpectedTable, found: Table | None, answer: Answer) -> Iterator[Part]:
    one, other = expected.table.column(name), found.column(name) if found else None
    if one is not None or other is not None:
        made_by = expected.column_made_by.get(name, expected.made_by) if one else None
        yield _part(PartKind.COLUMN, name, expected, found, one, other, made_by, answer)


def _constraints(
    name: str, expected: ExpectedTable, found: Table | None, both: Comparison, answer: Answer
) -> Iterator[Part]:
    pairs: list[tuple[Constraint | None, Constraint | None]]
    if found is None:
        pairs = [(constraint, None) for constraint in expected.table.constraints]
    else:
        matches = match_constraints(expected, found, both)
        pairs = [*matches.pairs, *_unpaired(matches.expected, matches.found)]
    for one, other in pairs:
        if name in _names(one, other):
            made_by = expected.origin_of(one.name, one.columns) if one else None
            yield _part(PartKind.CONSTRAINT, name, expected, found, one, other, made_by, answer)


def _indexes(name: str, expected: ExpectedTable, found: Table | None, answer: Answer) -> Iterator[Part]:
    pairs: list[tuple[Index | None, Index | None]]
    if found is None:
        pairs = [(index, None) for index in expected.table.indexes if index.constraint is None]
    else:
        matches = match_indexes(expected, found)
        pairs = [*matches.pairs, *_unpaired(matches.expected, matches.found)]
    for one, other in pairs:
        if name in _names(one, other):
            made_by = expected.origin_of(one.name, one.columns) if one else None
            yield _part(PartKind.INDEX, name, expected, found, one, other, made_by, answer)


def _unpaired(expected: Iterable[T], found: Iterable[T]) -> list[tuple[T | None, T | None]]:
    """What has no equal: of one name together, since one stands in the other's stead, else each alone."""
    expected, left = tuple(expected), {item.name: item for item in found}
    named = {item.name for item in expected}
    pairs: list[tuple[T | None, T | None]] = [(item, left.get(item.name)) for item in expected]
    pairs.extend((None, item) for item in left.values() if item.name not in named)
    return pairs


def _names(one: Constraint | Index | None, other: Constraint | Index | None) -> set[str]:
    return {item.name for item in (one, other) if item is not None}


def _sequences(name: str, expected: ExpectedTable, found: Table | None, answer: Answer) -> Iterator[Part]:
    for column in expected.table.columns:
        other = found.column(column.name) if found else None
        names = {form for c in (column, other) if c and c.sequence for form in _forms(c.sequence.name)}
        if name in names:
            made_by = expected.column_made_by.get(column.name, expected.made_by)
            yield _part(PartKind.SEQUENCE, name, expected, found, column, other, made_by, answer)


def _forms(name: TableName) -> tuple[str, ...]:
    return (name.name, f"{name.schema}.{name.name}", str(name))


def _part(
    kind: PartKind,
    name: str,
    table: ExpectedTable,
    found: Table | None,
    one: Column | Constraint | Index | None,
    other: Column | Constraint | Index | None,
    made_by: Provenance | None,
    answer: Answer,
) -> Part:
    sides = [item for item in (one, other) if item is not None]
    names = {name, *(item.name for item in sides)}
    columns = [set(item.columns) for item in sides if not isinstance(item, Column)]

    def concerns(drift: Drift) -> bool:
        # What is there in another's stead may bear another name.
        instead = drift.kind in _INSTEAD and set(drift.columns) in columns
        named = drift.object in names or instead
        return drift.table == table.name and (not drift.object or (named and _is_about(drift, kind)))

    return Part(
        kind,
        name,
        table.name,
        one,
        other,
        found.name if found else None,
        made_by,
        trouble_of(answer, concerns),
        tuple((drift, reason) for drift, reason in answer.ignored if drift.object and concerns(drift)),
    )


def _is_about(drift: Drift, kind: PartKind) -> bool:
    """Whether the finding can be about such a part: columns and constraints may share a name."""
    word = drift.kind.value.rpartition("_")[2]
    return _WORDS.get(word) in (None, kind) or (kind is PartKind.SEQUENCE and word == "column")


_INSTEAD = (DriftKind.DIFFERENT_CONSTRAINT, DriftKind.DIFFERENT_INDEX)
_WORDS = {
    "column": PartKind.COLUMN,
    "constraint": PartKind.CONSTRAINT,
    "key": PartKind.CONSTRAINT,
    "index": PartKind.INDEX,
}


# -------------------------------------------------------------------------------------------------- migrations, schemas


def _migrations(name: str, answer: Answer) -> Iterator[MigrationTopic]:
    """By ``app.name``, or as much of the name as only one migration of the app begins with, as Django allows."""
    app, separator, start = name.partition(".")
    if not (separator and start):
        return
    known = [key for key in _known_migrations(answer) if key.app == app and key.name.startswith(start)]
    exact = [key for key in known if key.name == start] or known
    if len(exact) == 1:
        yield _migration(exact[0], answer)


def _known_migrations(answer: Answer) -> tuple[MigrationKey, ...]:
    history = answer.observed.history(answer.placement.target)
    recorded = [record.key for record in history.records] if history else []
    made = [expected.made_by.migration for expected in answer.expected.tables.values()]
    return tuple(dict.fromkeys((*recorded, *made, *(pending.key for pending in answer.expected.pending))))


def _migration(key: MigrationKey, answer: Answer) -> MigrationTopic:
    history = answer.observed.history(answer.placement.target)
    record = history.by_key.get(key) if history else None
    made = tuple(thing for thing in what_was_made(answer.expected, answer.observed) if thing.made_by.migration == key)
    things = {(thing.table, thing.part) for thing in made}

    def concerns(drift: Drift) -> bool:
        made_it = drift.made_by is not None and drift.made_by.migration == key
        return (
            made_it or drift.object == str(key) or (drift.table is not None and (drift.table, drift.object) in things)
        )

    return MigrationTopic(
        key,
        record.applied if record else next((thing.made_by.applied for thing in made), None),
        made,
        trouble_of(
            answer, lambda drift: concerns(drift) or (drift.made_by is not None and drift.made_by.migration == key)
        ),
        next((pending for pending in answer.expected.pending if pending.key == key), None),
    )


def _schemas(name: str, answer: Answer) -> Iterator[SchemaTopic]:
    facts = next((facts for facts in answer.observed.schemas if name in (facts.name, quoted(facts.name))), None)
    if facts is None:
        return
    both = Comparison(answer.expected, answer.observed, answer.placement, Decisions())
    here = [table.name for table in answer.observed.layout.tables.values() if table.name.schema == facts.name]
    in_place = tuple(table for table in here if table in answer.expected.tables)
    strays = tuple(table for table in here if table not in in_place and table in both.place_of)
    history = answer.observed.history(facts.name)
    yield SchemaTopic(
        facts,
        in_place,
        strays,
        len(here) - len(in_place) - len(strays),
        len(history.records) if history else None,
        trouble_of(answer, lambda drift: _is_in(facts.name, drift, answer)),
    )


def _is_in(schema: str, drift: Drift, answer: Answer) -> bool:
    """Whether the finding is about something in that schema; of the target's only what is about the schema itself."""
    if drift.kind is DriftKind.CREATION_SCHEMA_DIFFERS:
        return schema in (drift.object, answer.placement.target)
    places = {copy.schema for copy in drift.copies}
    if schema != answer.placement.target and drift.table is not None:
        places.add(drift.table.schema)
    return schema in places

"""One table explained, or the things that an error text names: what an answer holds of them, put together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain

from cascade.core.answer import Answer
from cascade.core.causes import Cause
from cascade.core.drift import Drift
from cascade.core.error_text import Mention, MentionKind
from cascade.core.expected import ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.history import PendingMigration
from cascade.core.layout import Column, Constraint, Table, TableName
from cascade.core.observed import SchemaFacts
from cascade.core.placement import Ownership, judge_copy, resolve
from cascade.core.plan import Chain, Step
from cascade.errors import NoSuchName


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is amiss with one thing: its drifts, why, the steps that cure them, the chain in which it stands.

    ``next_to_fail`` are the names in the chain after the thing's own; without a chain there are none.
    """

    drifts: tuple[Drift, ...] = ()
    causes: tuple[Cause, ...] = ()
    steps: tuple[Step, ...] = ()
    chain: Chain | None = None
    next_to_fail: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether no drift is known."""
        return not self.drifts

    @property
    def is_worse_than_a_note(self) -> bool:
        """Whether something is broken or risky."""
        return any(drift.severity is not Severity.NOTE for drift in self.drifts)


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a relation of that name was found.

    ``resolves``: the application role finds this one by the name that it uses. ``ownership`` is None for the place
    where the table belongs, and for what no migration accounts for.
    """

    table: Table
    belongs: bool
    resolves: bool
    ownership: Ownership | None = None


@dataclass(frozen=True, slots=True)
class KeyFrom:
    """A foreign key that points at the table. ``table`` is where it starts; ``expected`` whether migrations made it."""

    table: TableName
    constraint: Constraint
    expected: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of one table.

    ``name`` is where it belongs; of a relation that no applied migration accounts for (``expected`` is None) where
    it is found by name, or lies. ``places`` come with the right one first. ``referring`` are keys that point here.
    ``ignored`` are its findings that the settings accept, with the reason.
    """

    name: TableName
    expected: ExpectedTable | None
    places: tuple[Place, ...]
    resolves_to: TableName | None
    trouble: Trouble
    referring: tuple[KeyFrom, ...] = ()
    ignored: tuple[tuple[Drift, str], ...] = ()

    def __str__(self) -> str:
        return f"the table {self.name}" if self.expected else f"the relation {self.name}"

    @property
    def later_columns(self) -> tuple[Column, ...]:
        """The columns that another operation added than the one that made the table."""
        expected = self.expected
        if expected is None:
            return ()
        return tuple(
            column
            for column in expected.table.columns
            if expected.column_made_by.get(column.name, expected.made_by).order != expected.made_by.order
        )


class SubjectKind(Enum):
    """What a mention turned out to be."""

    TABLE = "a table that applied migrations made"
    COLUMN = "a column that applied migrations made"
    COMMON_COLUMN = "a column of several tables, none of which lacks it"
    UNEXPECTED_COLUMN = "a column that no migration makes, of a table that applied migrations made"
    STRANGER = "a relation that is there, and that no applied migration accounts for"
    PENDING = "something that a migration makes which is not applied"
    MODEL_ONLY = "a table of a model for which no migration makes one"
    SCHEMA = "a schema"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one mention is. ``near`` are known names like it, where it is unknown.

    ``column`` is set where the text is about one, ``tables`` where it is a column of several. ``asked_in`` is the
    schema that the text names, where the table does not belong there.
    """

    mention: Mention
    kind: SubjectKind
    explanation: Explanation | None = None
    column: str = ""
    asked_in: str = ""
    schema: SchemaFacts | None = None
    pending: PendingMigration | None = None
    trouble: Trouble = Trouble()
    tables: tuple[TableName, ...] = ()
    near: tuple[str, ...] = ()


def make_explanation(expected: ExpectedTable, answer: Answer) -> Explanation:
    """All that the answer holds of a table that applied migrations made."""
    found = _resolution(expected, answer)
    return Explanation(
        expected.name,
        expected,
        tuple(_places(expected, found, answer)),
        found,
        trouble_of(answer, lambda drift: drift.table == expected.name),
        tuple(_referring(expected.name, answer)),
        tuple((drift, reason) for drift, reason in answer.ignored if drift.table == expected.name),
    )


def identify(mentions: Iterable[Mention], answer: Answer) -> tuple[Subject, ...]:
    """What the mentions are, each thing once, in their order.

    Guesses count only where they are known: names in quotes before bare words, drifted ones before healthy ones.
    """
    mentions = tuple(mentions)
    sure = [subject for m in mentions if not m.is_guess for subject in _subjects(m, answer)]
    if sure:
        return _each_once(sure)
    for tier in _TIERS:
        known = [s for m in mentions if tier(m) for s in _subjects(m, answer) if s.kind is not SubjectKind.UNKNOWN]
        if known:
            return _each_once([s for s in known if not s.trouble.is_healthy] or known)
    return ()


def known_names(answer: Answer) -> tuple[str, ...]:
    """The names that a text could have meant: tables, models and pending tables."""
    tables = answer.expected.tables.values()
    pending = (name for migration in answer.expected.pending for name in migration.tables)
    return tuple(dict.fromkeys((*(t.name.name for t in tables), *(t.model for t in tables if t.model), *pending)))


def trouble_of(answer: Answer, concerns: Callable[[Drift], bool]) -> Trouble:
    """What the answer knows to be amiss with the thing that ``concerns`` recognises the drifts of."""
    plan = answer.plan
    drifts = tuple(drift for drift in plan.drifts if concerns(drift))
    ids = {drift.id for drift in drifts}
    names = {name for drift in drifts for name in _names_in_chains(drift)}
    found = next((chain for chain in plan.chains if names.intersection(chain.objects)), None)
    objects = found.objects if found else ()
    last = max((position for position, name in enumerate(objects) if name in names), default=len(objects))
    return Trouble(
        drifts,
        tuple(cause for cause in answer.causes if ids.intersection(cause.drifts)),
        tuple(step for step in plan.steps if ids.intersection(step.cures)),
        found,
        objects[last + 1 :],
    )


# ---------------------------------------------------------------------------------------------------------- explanation


def _resolution(expected: ExpectedTable, answer: Answer) -> TableName | None:
    """The relation that the application finds, by its bare name or by the schema that its ``db_table`` names."""
    layout, placement = answer.observed.layout, answer.placement
    if expected.name.schema == placement.target:
        return resolve(expected.name.name, placement.path, layout)
    facts = answer.observed.schema(expected.name.schema)
    return expected.name if expected.name in layout.tables and facts is not None and facts.usage else None


def _places(expected: ExpectedTable, found: TableName | None, answer: Answer) -> Iterator[Place]:
    copies = answer.observed.layout.copies.get(expected.name.name, ())
    for copy in sorted(copies, key=lambda copy: (copy.name != expected.name, copy.name)):
        if copy.name == expected.name:
            yield Place(copy, belongs=True, resolves=found == copy.name)
        elif copy.name not in answer.expected.tables:
            ownership = judge_copy(copy, expected, answer.observed, answer.expected)
            yield Place(copy, belongs=False, resolves=found == copy.name, ownership=ownership)


def _referring(name: TableName, answer: Answer) -> Iterator[KeyFrom]:
    """The keys that should point here, then those that do and that no migration made."""
    expected = answer.expected.layout().referring.get(name, ())
    for table, key in expected:
        yield KeyFrom(table.name, key, expected=True)
    known = {(table.name.name, key.columns) for table, key in expected}
    for copy in answer.observed.layout.copies.get(name.name, ()):
        for table, key in answer.observed.layout.referring.get(copy.name, ()):
            if (table.name.name, key.columns) not in known:
                yield KeyFrom(table.name, key, expected=False)


def _names_in_chains(drift: Drift) -> Iterator[str]:
    """The names by which a chain may hold the drifted thing."""
    if drift.table is None:
        return
    for name in (str(drift.table), drift.table.name):
        yield name
        if drift.object:
            yield f"{name}.{drift.object}"


# ------------------------------------------------------------------------------------------------------- identification


_TIERS: tuple[Callable[[Mention], bool], ...] = (
    lambda mention: mention.kind is MentionKind.QUOTED,
    # A word of everyday language can be the name of a table; one with an underscore or a dot hardly is another thing.
    lambda mention: mention.kind is MentionKind.WORD and ("_" in mention.name or "." in mention.name),
    lambda mention: mention.kind is MentionKind.WORD,
)


def _each_once(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    found: dict[object, Subject] = {}
    for subject in subjects:
        about = subject.explanation.name if subject.explanation else subject.mention.name
        found.setdefault((subject.kind, about, subject.column or subject.mention.part), subject)
    return tuple(found.values())


def _subjects(mention: Mention, answer: Answer) -> Iterator[Subject]:
    """What a mention is; more than one thing only where it names a column without its table."""
    if mention.kind in (MentionKind.SCHEMA, MentionKind.SCHEMA_RIGHTS):
        yield _schema(mention, answer)
    elif mention.kind is MentionKind.COLUMN:
        yield from _columns(mention, answer)
    else:
        yield _relation(mention, answer) or _dotted_column(mention, answer) or _unknown(mention, answer)


def _unknown(mention: Mention, answer: Answer) -> Subject:
    """Nothing that is known, with the names that come nearest."""
    if mention.kind is MentionKind.COLUMN:
        columns = (column.name for table in answer.expected.tables.values() for column in table.table.columns)
        return Subject(mention, SubjectKind.UNKNOWN, near=NoSuchName("column", mention.part, columns).near)
    bare = mention.name.rpartition(".")[2]
    known = known_names(answer)
    near = (*NoSuchName("table", mention.name, known).near, *NoSuchName("table", bare, known).near)
    return Subject(mention, SubjectKind.UNKNOWN, near=tuple(dict.fromkeys(near)))


def _schema(mention: Mention, answer: Answer) -> Subject:
    facts = next(filter(None, map(answer.observed.schema, (*mention.longer, mention.name))), None)
    name = facts.name if facts else mention.name
    trouble = trouble_of(answer, lambda drift: drift.table is not None and _is_refused_in(name, drift))
    near = () if facts else NoSuchName("schema", name, (schema.name for schema in answer.observed.schemas)).near
    kind = SubjectKind.SCHEMA if facts else SubjectKind.UNKNOWN
    return Subject(replace(mention, name=name), kind, schema=facts, trouble=trouble, near=near)


def _is_refused_in(schema: str, drift: Drift) -> bool:
    lies_in = {name.schema for name in (drift.table, *drift.copies) if name}
    return drift.kind is DriftKind.UNREACHABLE_TABLE and schema in lies_in


def _relation(mention: Mention, answer: Answer) -> Subject | None:
    for name in (*mention.longer, mention.name, mention.name.lower()):
        for schema, bare in _readings(name):
            subject = _relation_named(replace(mention, name=name), schema, bare, answer)
            if subject is not None:
                return subject
    return None


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """All that a printed name can mean, as schema and name: dots may part the two or belong to either.

    >>> list(_readings("a.b.c"))
    [('', 'a.b.c'), ('a', 'b.c'), ('a.b', 'c')]
    """
    yield "", name
    for position, character in enumerate(name):
        if character == "." and name[:position] and name[position + 1 :]:
            yield name[:position], name[position + 1 :]


def _relation_named(mention: Mention, schema: str, bare: str, answer: Answer) -> Subject | None:
    layout = answer.observed.layout
    if mention.is_guess and schema and answer.observed.schema(schema) is None:
        return None
    expected = _expected_named(schema, bare, answer)
    if expected is not None:
        return _table_subject(mention, expected, schema, answer)
    strangers = [copy for copy in layout.copies.get(bare, ()) if schema in ("", copy.name.schema)]
    if strangers:
        return Subject(mention, SubjectKind.STRANGER, _stranger(strangers[0], schema, answer))
    owner = _owner_of_sequence(bare, answer)
    if owner is not None:
        return _table_subject(mention, owner, schema, answer)
    for migration in answer.expected.pending:
        if bare in migration.tables:
            return _pending(mention, migration, answer)
    return Subject(mention, SubjectKind.MODEL_ONLY) if bare in answer.expected.known_names else None


def _expected_named(schema: str, bare: str, answer: Answer) -> ExpectedTable | None:
    """The expected table of that name, in whichever schema it is asked for; else the one in the target first."""
    tables = answer.expected.tables
    for place in filter(None, (schema, answer.placement.target)):
        if TableName(place, bare) in tables:
            return tables[TableName(place, bare)]
    return next((table for name, table in tables.items() if name.name == bare), None)


def _table_subject(mention: Mention, expected: ExpectedTable, schema: str, answer: Answer) -> Subject:
    explanation = make_explanation(expected, answer)
    asked_in = schema if schema not in ("", expected.name.schema) else ""
    return Subject(mention, SubjectKind.TABLE, explanation, asked_in=asked_in, trouble=explanation.trouble)


def _stranger(copy: Table, schema: str, answer: Answer) -> Explanation:
    """What is known of a relation that no applied migration accounts for."""
    layout = answer.observed.layout
    found = resolve(copy.name.name, answer.placement.path, layout)
    name = copy.name if schema or found is None else found
    places = tuple(Place(table, belongs=False, resolves=table.name == found) for table in layout.copies[copy.name.name])
    trouble = trouble_of(answer, lambda drift: drift.table == name)
    return Explanation(name, None, places, found, trouble, tuple(_referring(name, answer)))


def _owner_of_sequence(bare: str, answer: Answer) -> ExpectedTable | None:
    """The expected table with a column that owns a sequence of that name, on either side."""
    expected = answer.expected.tables
    by_name = {name.name: table for name, table in expected.items()}
    for table in chain(answer.observed.layout.tables.values(), (t.table for t in expected.values())):
        if table.name.name in by_name and any(c.sequence and c.sequence.name.name == bare for c in table.columns):
            return by_name[table.name.name]
    return None


def _pending(mention: Mention, migration: PendingMigration, answer: Answer, column: str = "") -> Subject:
    about = str(migration.key)
    trouble = trouble_of(answer, lambda drift: drift.table is None and drift.object == about)
    return Subject(mention, SubjectKind.PENDING, column=column, pending=migration, trouble=trouble)


def _dotted_column(mention: Mention, answer: Answer) -> Subject | None:
    """A guess such as ``team.left_at``: a column, if it is a known table's."""
    table, _, column = mention.name.rpartition(".")
    if not (mention.is_guess and table):
        return None
    about = _relation(replace(mention, name=table, part=column), answer)
    found = _column_subject(about, column, answer) if about is not None else None
    return found if found is not None and found.kind is SubjectKind.COLUMN else None


def _columns(mention: Mention, answer: Answer) -> Iterator[Subject]:
    for table, column in _column_readings(mention):
        about = _relation(replace(mention, name=table, part=column), answer)
        if about is not None and about.kind is not SubjectKind.MODEL_ONLY:
            yield _column_subject(about, column, answer)
            return
    named = [_relation(replace(mention, name=table), answer) for table in mention.tables]
    found = [_column_subject(about, mention.part, answer) for about in named if about is not None]
    found = found or list(_tables_with_column(mention, answer))
    lacking = [subject for subject in found if _lacks_column(subject)]
    if lacking or len(found) == 1:
        yield from lacking or found
    elif found:
        tables = tuple(subject.explanation.name for subject in found if subject.explanation)
        yield Subject(mention, SubjectKind.COMMON_COLUMN, column=mention.part, tables=tables)
    else:
        yield _unknown(mention, answer)


def _lacks_column(subject: Subject) -> bool:
    missing = any(drift.object == subject.column for drift in subject.trouble.drifts)
    return missing or subject.kind is SubjectKind.PENDING


def _column_readings(mention: Mention) -> Iterator[tuple[str, str]]:
    """Table and column: as parted by the text, else by any dot in it."""
    if mention.name:
        yield mention.name, mention.part
        yield from _readings(f"{mention.name}.{mention.part}")


def _column_subject(about: Subject, column: str, answer: Answer) -> Subject:
    """The subject narrowed to a column of it."""
    explanation = about.explanation
    if explanation is None or explanation.expected is None:
        return replace(about, column=column)
    expected = explanation.expected
    if expected.table.column(column) is None:
        pending = _pending_column(expected.name.name, column, answer)
        if pending is not None:
            return replace(_pending(about.mention, pending, answer, column), explanation=explanation)
        return replace(about, kind=SubjectKind.UNEXPECTED_COLUMN, column=column)
    # What is amiss with the table as a whole is amiss with each column, and not the other way round.
    trouble = trouble_of(answer, lambda drift: drift.table == expected.name and drift.object in ("", column))
    return replace(about, kind=SubjectKind.COLUMN, column=column, trouble=trouble)


def _pending_column(table: str, column: str, answer: Answer) -> PendingMigration | None:
    return next((m for m in answer.expected.pending if (table, column) in m.columns), None)


def _tables_with_column(mention: Mention, answer: Answer) -> Iterator[Subject]:
    """Where a column of that name should be, if the text says of no table that is known."""
    for expected in answer.expected.tables.values():
        is_pending = _pending_column(expected.name.name, mention.part, answer) is not None
        if expected.table.column(mention.part) is not None or is_pending:
            yield _column_subject(_table_subject(mention, expected, "", answer), mention.part, answer)

"""One table in full, as text for a person: what is amiss first, then where it all comes from."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from cascade.core.actions import AddForeignKey, CreateTable
from cascade.core.answer import Answer
from cascade.core.expected import ExpectedTable
from cascade.core.explanation import Explanation, KeyFrom, Place
from cascade.core.findings import DriftKind
from cascade.core.layout import Constraint, ConstraintKind, Rights, quoted
from cascade.core.words import counted
from cascade.render.page import (
    Page,
    accepted,
    amiss,
    differing,
    labelled,
    next_commands,
    page_text,
    provenance,
    queries,
    repair,
    sql_lines,
)
from cascade.render.sql import NotRenderable, render_action
from cascade.render.wording import short_name


def render_explanation(
    explanation: Explanation, answer: Answer, *, also: Iterable[str] = (), colour: bool = False, width: int = 100
) -> str:
    """All that is known of one table: its state, where it is, its repair, its source, its definition, its keys.

    ``also`` is what else the name could mean. Lines are at most ``width`` columns wide, but for a name or literal that
    is wider by itself: nothing is cut.
    """
    page = Page(answer, width)
    expected = explanation.expected
    blocks = [
        [*page.head(str(explanation.name), *([_called(expected)] if expected else [])), *page.said("ALSO", *also)],
        [*table_state(explanation, page), *places(explanation, page), *accepted(explanation.ignored, page)],
        differing(explanation.trouble.drifts, page),
        repair(explanation.trouble, page),
        *(_origin(explanation, expected, page) if expected else ()),
        _referring(explanation, page),
        _sql(expected, page) if expected else [],
        queries(explanation.trouble.drifts, page),
        next_commands([], explanation.trouble, page),
    ]
    return page_text(blocks, colour=colour)


def render_kind(kind: DriftKind) -> str:
    """The glossary's entry of a kind of finding.

    >>> print(render_kind(DriftKind.MISSING_TABLE), end="")
    missing_table   broken
    A migration that makes this table is recorded as applied, and the table is in no schema.
    Why it matters: Requests that use it fail, and migrate will not make it again, since the record says that it did.
    Repair: Create it, complete as of today's applied state; its rows are not brought back.
    """
    facts = kind.facts
    sentences = (facts.meaning, f"Why it matters: {facts.matters}", f"Repair: {facts.repair}")
    return "\n".join((f"{kind.value}   {facts.severity.value}", *sentences, ""))


# --------------------------------------------------------------------------------------------------------- state, found


def _called(expected: ExpectedTable) -> str:
    """What the table is in Django's words."""
    if expected.through_field:
        return f"for the many-to-many field {expected.model}.{expected.through_field}"
    return f"the table of {expected.model}" if expected.model else "a table that no model has"


def table_state(explanation: Explanation, page: Page) -> list[str]:
    """What is amiss with the table, or that nothing is."""
    if explanation.trouble.is_healthy:
        return in_order(explanation, page)
    return amiss(explanation.trouble, page)


def in_order(explanation: Explanation, page: Page) -> list[str]:
    """That no drift is known of the table, as far as it was checked."""
    name = short_name(explanation.name, page.target)
    if explanation.expected is None:
        where = explanation.resolves_to
        finds = f"{page.role} finds {where} by that name" if where else f"{page.role} does not find it by its bare name"
        return page.said(
            "NOTE", f"No applied migration accounts for {name}; {finds}.", *_yet_to_come(explanation, page)
        )
    here = next((place.table for place in explanation.places if place.belongs), None)
    unchecked = _unchecked(explanation, page)
    if here is None or unchecked:
        return page.said("PARTLY", f"No drift is known of {name}, and not all of it was checked.", *unchecked)
    return page.said("OK", f"{name} is in order now: {page.role} finds it as {explanation.resolves_to}.")


def _yet_to_come(explanation: Explanation, page: Page) -> Iterator[str]:
    """The pending migration that makes a table of that name, and that the schema found has a record of its own."""
    expected, observed, found = page.answer.expected, page.answer.observed, explanation.name
    makers = [migration.key for migration in expected.pending if found.name in migration.tables]
    if makers:
        yield f"{makers[0]} makes a table of that name, and is pending here: migrate runs it."
    if makers and found.schema != page.target and found.schema in observed.history_schemas:
        yield f"{quoted(found.schema)} is another environment: it has a django_migrations of its own."


def _unchecked(explanation: Explanation, page: Page) -> list[str]:
    """What was not checked of this table, as far as the answer says so by its name or of all tables."""
    expected = explanation.expected
    whole = expected is not None and expected.compared
    return [
        f"{gap.what}: {gap.why}; {gap.how}"
        for gap in page.answer.not_checked
        if str(explanation.name) in gap.what or not whole
    ]


def places(explanation: Explanation, page: Page) -> list[str]:
    """Every place, with rows, pages, owner, and whether the application role gets there."""
    head = ("schema", "rows", "pages", "owner", f"for {page.role}")
    rows = [(*_cells(place), _reach(place, explanation, page)) for place in explanation.places]
    lines = page.grid([head, *rows], right=(1, 2)) if rows else []
    absent = explanation.expected is not None and not any(place.belongs for place in explanation.places)
    if absent:
        nowhere = "" if rows else ", and in no other schema"
        lines += page.said("", f"not in {quoted(explanation.name.schema)}, where it belongs{nowhere}")
    said = " ".join(sentence for drift in explanation.trouble.drifts for sentence in drift.evidence)
    for place in explanation.places:
        if place.ownership is not None and place.ownership.because not in said:
            lines += page.said("", f"{place.table.name}: {place.ownership.because}")
    return labelled("FOUND", lines)


def _cells(place: Place) -> tuple[str, str, str, str]:
    table = place.table
    schema = quoted(table.name.schema)
    if not table.read_in_full:
        return schema, "?", "?", "?"
    return schema, table.rows.figure, f"{table.pages:,}", table.owner


def _reach(place: Place, explanation: Explanation, page: Page) -> str:
    table = place.table
    if not place.resolves:
        why = "not on its search_path" if table.name.schema not in page.answer.placement.path.effective else ""
        return f"not found by name: {why or f'{explanation.resolves_to} comes first'}"
    lacking = lacking_rights(table.rights) if table.read_in_full else ""
    return f"found by name, but without {lacking}" if lacking else "found by name"


def lacking_rights(rights: Rights) -> str:
    """The privileges that the application role does not have."""
    words = ("usage", "select", "insert", "update", "delete")
    return ", ".join(word.upper() for word in words if not getattr(rights, word))


# --------------------------------------------------------------------------------------------------------------- origin


def _origin(explanation: Explanation, expected: ExpectedTable, page: Page) -> Iterator[list[str]]:
    yield [*model_in_words(expected, page), *_fields(expected, page)]
    yield [*_made_by(expected, page), *_later(explanation, expected, page)]
    yield _definition(expected, page)


def model_in_words(expected: ExpectedTable, page: Page) -> list[str]:
    """The model, and where it is written."""
    if not expected.model:
        return page.said("MODEL", "none: the migration made the table by hand")
    where = f"at {expected.model_source}" if expected.model_source else "(not found in the code of this checkout)"
    return page.said("MODEL", f"{expected.model} {where}")


def _fields(expected: ExpectedTable, page: Page) -> list[str]:
    """Name, class and column of each field, the column's type, and where a key points."""
    keys = {key.columns[0]: key for key in expected.table.foreign_keys if len(key.columns) == 1}
    rows = [("field", "class", "column", "type")]
    for field in expected.fields:
        column = expected.table.column(field.column)
        to = f"-> {_reference(keys[field.column], page)}" if field.column in keys else ""
        rows.append((field.name, field.type, field.column, " ".join(filter(None, (column.type if column else "", to)))))
    return page.grid(rows) if len(rows) > 1 else []


def _reference(key: Constraint, page: Page) -> str:
    if key.references is None:
        return "?"
    return f"{short_name(key.references.table, page.target)} ({', '.join(map(quoted, key.references.columns))})"


def _made_by(expected: ExpectedTable, page: Page) -> list[str]:
    return page.said("MADE BY", *provenance(expected.made_by))


def _later(explanation: Explanation, expected: ExpectedTable, page: Page) -> list[str]:
    """The columns that came after the table, each with its own origin."""
    columns_later = [column.name for column in explanation.later_columns]
    rows = [(quoted(name), "; ".join(provenance(expected.column_made_by[name]))) for name in columns_later]
    return labelled("LATER", page.grid(rows))


def _definition(expected: ExpectedTable, page: Page) -> list[str]:
    """How many columns, indexes, keys and constraints, and which; the keys stand beside their fields."""
    table = expected.table
    if not expected.compared:
        number = counted(len(table.columns), "column")
        return page.said("EXPECTED", f"{number}; their definitions are not known: see what was not checked.")
    own = [index for index in table.indexes if index.constraint is None]
    of_constraints = len(table.indexes) - len(own)
    constraints = [c for c in table.constraints if c.kind in _CONSTRAINTS]
    counts = ", ".join(
        (
            counted(len(table.columns), "column"),
            counted(len(own), "index", "indexes")
            + (f" (and {of_constraints} of constraints)" if of_constraints else ""),
            counted(len(table.foreign_keys), "foreign key"),
            counted(len(constraints), "constraint"),
        )
    )
    return [
        *page.said("EXPECTED", counts),
        *_list("INDEXES", [(i.name, f"{'unique ' if i.unique else ''}{i.tail or ''}") for i in own], page),
        *_list("CONSTRAINTS", [(c.name, c.definition or "") for c in constraints], page),
    ]


_CONSTRAINTS = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION, ConstraintKind.CHECK)


def _list(label: str, rows: Iterable[tuple[str, str]], page: Page) -> list[str]:
    return labelled(label, page.grid([(quoted(name), definition) for name, definition in sorted(rows)]))


def _referring(explanation: Explanation, page: Page) -> list[str]:
    """The keys of other tables that point here."""
    rows = [(short_name(key.table, page.target), _from(key)) for key in explanation.referring]
    if not rows and explanation.expected is not None:
        return page.said("REFERRED", "to by no other table")
    return labelled("REFERRED", page.grid([("to by", "column"), *rows])) if rows else []


def _from(key: KeyFrom) -> str:
    extra = "" if key.expected else "  (expected by no applied migration)"
    return f"{', '.join(map(quoted, key.constraint.columns))}{extra}"


# ------------------------------------------------------------------------------------------------------------------ SQL


def _sql(expected: ExpectedTable, page: Page) -> list[str]:
    """The statements that make the table as it should be; its foreign keys come last."""
    if not expected.compared:
        return page.said("SQL", "The statements are not known, because the definitions are not.")
    table = expected.table
    bare = replace(table, constraints=tuple(c for c in table.constraints if c.kind is not ConstraintKind.FOREIGN_KEY))
    try:
        made = render_action(CreateTable(bare))
        keys = [sql for key in table.foreign_keys for sql in render_action(AddForeignKey(table.name, key))]
    except NotRenderable as error:
        return page.said("SQL", f"The statements cannot be given: {error}")
    intro = page.said("SQL", "the table as the applied migrations leave it; to be read, not run")
    return [*intro, *(line for sql in chain(made, keys) for line in sql_lines(sql, page.width, at=2))]

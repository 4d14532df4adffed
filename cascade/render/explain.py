"""One table, or what an error text names, as text for a person: what is amiss first, then where it all comes from."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from cascade.core.actions import AddForeignKey, CreateTable
from cascade.core.answer import Answer
from cascade.core.error_text import Mention, MentionKind
from cascade.core.expected import ExpectedTable
from cascade.core.explanation import Explanation, KeyFrom, Place, Subject, SubjectKind, Trouble
from cascade.core.findings import DriftKind
from cascade.core.history import Provenance
from cascade.core.layout import Constraint, ConstraintKind, Rights, TableName, quoted
from cascade.core.plan import LockMode, Step
from cascade.render.paragraphs import INDENT, columns, padded, painted, separated, wrapped
from cascade.render.sentences import findings_in_sentences
from cascade.render.sql import NotRenderable, render_action
from cascade.render.wording import (
    counted,
    listed,
    moment,
    printable,
    short_name,
    window,
)


def render_explanation(explanation: Explanation, answer: Answer, *, colour: bool = False, width: int = 100) -> str:
    """All that is known of one table: its state, where it is, its repair, its source, its definition, its keys.

    Lines are at most ``width`` columns wide, but for a name or literal that is wider by itself: nothing is cut.
    """
    page = _Page(answer, width)
    expected = explanation.expected
    blocks = [
        page.head(str(explanation.name), *([_called(expected)] if expected else [])),
        [*_state(explanation, page), *_found(explanation, page)],
        _repair(explanation.trouble, page),
        *(_origin(explanation, expected, page) if expected else ()),
        _referring(explanation, page),
        _sql(expected, page) if expected else [],
        _next([], explanation.trouble, page),
    ]
    return _text(blocks, colour=colour)


def render_kind(kind: DriftKind) -> str:
    """The glossary's entry of a kind of finding.

    >>> print(render_kind(DriftKind.MISSING_TABLE), end="")
    missing_table   broken
    A migration that makes this table is recorded as applied, and the table is in no schema.
    Repair: Create it, complete as of today's applied state; its rows are not brought back.
    """
    facts = kind.facts
    return f"{kind.value}   {facts.severity.value}\n{facts.meaning}\nRepair: {facts.repair}\n"


def render_error_explanation(
    subjects: Sequence[Subject], answer: Answer, *, colour: bool = False, width: int = 100
) -> str:
    """What the text names, in its order: what is amiss with each thing, its step, and what fails after it."""
    page = _Page(answer, width)
    tables = [s.explanation.name for s in subjects if s.explanation and s.explanation.expected]
    amiss = next((s.trouble for s in subjects if not s.trouble.is_healthy), Trouble())
    blocks = [
        page.head(f"The text names {counted(len(subjects), 'thing')}"),
        *(_subject(subject, page) for subject in subjects),
        _next(tables, amiss, page),
    ]
    return _text(blocks, colour=colour)


class _Page:
    """An answer, and how wide it is shown."""

    def __init__(self, answer: Answer, width: int) -> None:
        self.answer = answer
        self.width = width
        self.target = answer.placement.target
        self.role = quoted(answer.placement.role)

    def said(self, label: str, *texts: str, at: int = INDENT) -> list[str]:
        """Paragraphs with a label at the left of the first."""
        lines = [line for text in texts if text for line in wrapped(text, self.width, first=at, hang=at)]
        return _labelled(label, lines, at)

    def head(self, *titles: str) -> list[str]:
        """What the page is about, and whose eyes looked at what and when."""
        observed, placement = self.answer.observed, self.answer.placement
        place = f"{quoted(observed.database)} on {self.answer.host}".replace(" on from ", " from ")
        connected = quoted(observed.connected_as)
        eyes = f"as {connected}" if connected == self.role else f"as {connected}; pages run as {self.role}"
        path = f"search_path {placement.path.setting or 'empty'} ({placement.path.where})"
        read = f"{place}, read at {moment(observed.read_at)} {eyes}, {path}. Nothing was changed."
        return [line for text in (", ".join(titles) + ".", read) for line in wrapped(text, self.width, hang=2)]

    def grid(self, rows: Sequence[Sequence[str]], *, at: int = INDENT, right: Iterable[int] = ()) -> list[str]:
        """Rows in columns, numbers in ``right`` at the right; the last column is wrapped, under itself."""
        if not rows:
            return []
        *widths, _ = (max(map(columns, cells)) for cells in zip(*rows, strict=True))
        lines: list[str] = []
        for row in rows:
            cells = [padded(c, w, right=n in right) for n, (c, w) in enumerate(zip(row, widths, strict=False))]
            start = " " * at + "".join(f"{cell}  " for cell in cells)
            room = self.width - columns(start)
            if columns(row[-1]) <= room or room >= self.width // 3:
                last = wrapped(row[-1], self.width, first=columns(start), hang=columns(start))
                lines += [start + last[0].strip(), *last[1:]] if last else [start.rstrip()]
            else:
                lines += [start.rstrip(), *wrapped(row[-1], self.width, first=at + 4, hang=at + 4)]
        return lines


def _labelled(label: str, lines: list[str], at: int = INDENT) -> list[str]:
    if not lines or len(label) >= at:
        return [label, *lines] if lines else []
    return [padded(label, at) + lines[0][at:], *lines[1:]]


def _text(blocks: Iterable[list[str]], *, colour: bool) -> str:
    lines = [printable(line).rstrip() for line in separated(blocks)]
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


# --------------------------------------------------------------------------------------------------------- state, found


def _called(expected: ExpectedTable) -> str:
    """What the table is in Django's words."""
    if expected.through_field:
        return f"for the many-to-many field {expected.model}.{expected.through_field}"
    return f"the table of {expected.model}"


def _state(explanation: Explanation, page: _Page) -> list[str]:
    if explanation.trouble.is_healthy:
        return _in_order(explanation, page)
    return _amiss(explanation.trouble, page)


def _amiss(trouble: Trouble, page: _Page) -> list[str]:
    """The drifts as sentences with their evidence, those of one severity together."""
    lines: list[str] = []
    for severity in dict.fromkeys(drift.severity for drift in trouble.drifts):
        drifts = [drift for drift in trouble.drifts if drift.severity is severity]
        evidence = dict.fromkeys(sentence for drift in drifts for sentence in drift.evidence)
        lines += page.said(severity.name, *findings_in_sentences(drifts, page.answer))
        lines += page.said("", *evidence, at=INDENT + 2)
    return lines


def _in_order(explanation: Explanation, page: _Page) -> list[str]:
    name = short_name(explanation.name, page.target)
    if explanation.expected is None:
        where = explanation.resolves_to
        finds = f"{page.role} finds {where} by that name" if where else f"{page.role} does not find it by its bare name"
        return page.said("NOTE", f"No applied migration accounts for {name}; {finds}.")
    here = next((place.table for place in explanation.places if place.belongs), None)
    unchecked = _unchecked(explanation, page)
    if here is None or unchecked:
        return page.said("PARTLY", f"No drift is known of {name}, and not all of it was checked.", *unchecked)
    return page.said("OK", f"{name} is in order now: {page.role} finds it as {explanation.resolves_to}.")


def _unchecked(explanation: Explanation, page: _Page) -> list[str]:
    """What was not checked of this table, as far as the answer says so by its name or of all tables."""
    expected = explanation.expected
    whole = expected is not None and expected.compared
    return [
        f"{gap.what}: {gap.why}; {gap.how}"
        for gap in page.answer.not_checked
        if str(explanation.name) in gap.what or not whole
    ]


def _found(explanation: Explanation, page: _Page) -> list[str]:
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
    return _labelled("FOUND", lines)


def _cells(place: Place) -> tuple[str, str, str, str]:
    table = place.table
    schema = quoted(table.name.schema)
    if not table.read_in_full:
        return schema, "?", "?", "?"
    return schema, table.rows.figure, f"{table.pages:,}", table.owner


def _reach(place: Place, explanation: Explanation, page: _Page) -> str:
    table = place.table
    if not place.resolves:
        why = "not on its search_path" if table.name.schema not in page.answer.placement.path.effective else ""
        return f"not found by name: {why or f'{explanation.resolves_to} comes first'}"
    lacking = _lacking(table.rights) if table.read_in_full else ""
    return f"found by name, but without {lacking}" if lacking else "found by name"


def _lacking(rights: Rights) -> str:
    words = ("usage", "select", "insert", "update", "delete")
    return ", ".join(word.upper() for word in words if not getattr(rights, word))


# --------------------------------------------------------------------------------------------------------------- repair


def _repair(trouble: Trouble, page: _Page) -> list[str]:
    """Why, the steps with their SQL, what is to be decided, and the chain of failures in which it stands."""
    causes = [f"{c.sentence}{f', {window(c.first, c.last)}' if c.first else ''}." for c in trouble.causes]
    undecided = [
        f"No step is proposed: {drift.undecided}.{f' Decide with {drift.decision}' if drift.decision else ''}"
        for drift in trouble.drifts
        if drift.undecided
    ]
    steps = [line for step in trouble.steps for line in _step(step, page)]
    return [
        *page.said("CAUSE", *causes),
        *page.said("DECIDE", *undecided),
        *_labelled("STEP" if len(trouble.steps) == 1 else "STEPS", steps),
        *_chain(trouble, page),
    ]


def _step(step: Step, page: _Page) -> Iterator[str]:
    positions = {other.id: other.position for other in page.answer.plan.steps}
    waits = sorted(positions[id_] for id_ in step.waits_for if id_ in positions)
    after = f", after {'step' if len(waits) == 1 else 'steps'} {', '.join(map(str, waits))}" if waits else ""
    yield f"{' ' * INDENT}{step.position} of {len(positions)}{after}:"
    for statement in render_action(step.action):
        yield from _sql_lines(statement, page.width, at=INDENT + 2)
    locks = [lock for lock in step.locks if lock.healthy and lock.mode is not LockMode.NONE]
    if locks:
        healthy = ", ".join(f"{short_name(lock.table, page.target)} ({lock.mode.value})" for lock in locks)
        yield from page.said("", f"locks healthy tables too: {healthy}", at=INDENT + 2)
    for hazard in step.hazards:
        yield from page.said("", f"mind: {hazard.sentence} ({hazard.kind})", at=INDENT + 2)


def _chain(trouble: Trouble, page: _Page) -> list[str]:
    """The chain with the thing itself in brackets, and what fails next when it alone is repaired."""
    chain = trouble.chain
    if chain is None:
        return []
    how = "predicted" if chain.source == "static" else "measured"
    if len(chain.objects) == 1:
        return page.said("CASCADE", f"it fails by itself: nothing comes to light behind it ({how})")
    names = [name.removeprefix(f"{quoted(page.target)}.") for name in chain.objects]
    own = len(names) - len(trouble.next_to_fail) - 1
    shown = [*names[:own], f"[{names[own]}]", *names[own + 1 :]]
    if own > _BEFORE + 1:
        shown[: own - _BEFORE] = [f"… {own - _BEFORE} before"]
    if len(trouble.next_to_fail) > _BEHIND + 1:
        shown[-(len(trouble.next_to_fail) - _BEHIND) :] = [f"… {len(trouble.next_to_fail) - _BEHIND} more"]
    if trouble.next_to_fail:
        more = len(trouble.next_to_fail) - 1
        rest = f", then {more} more" if more else ""
        last = f"repaired alone, the next to fail is {names[own + 1]}{rest} ({how})"
    else:
        last = f"the last of its chain ({how})"
    return page.said("CASCADE", " -> ".join(shown), last)


_BEFORE, _BEHIND = 3, 8


# --------------------------------------------------------------------------------------------------------------- origin


def _origin(explanation: Explanation, expected: ExpectedTable, page: _Page) -> Iterator[list[str]]:
    yield [*_model(expected, page), *_fields(expected, page)]
    yield [*_made_by(expected, page), *_later(explanation, expected, page)]
    yield _definition(expected, page)


def _model(expected: ExpectedTable, page: _Page) -> list[str]:
    where = f"at {expected.model_source}" if expected.model_source else "(not found in the code of this checkout)"
    return page.said("MODEL", f"{expected.model} {where}")


def _fields(expected: ExpectedTable, page: _Page) -> list[str]:
    """Name, class and column of each field, the column's type, and where a key points."""
    keys = {key.columns[0]: key for key in expected.table.foreign_keys if len(key.columns) == 1}
    rows = [("field", "class", "column", "type")]
    for field in expected.fields:
        column = expected.table.column(field.column)
        to = f"-> {_reference(keys[field.column], page)}" if field.column in keys else ""
        rows.append((field.name, field.type, field.column, " ".join(filter(None, (column.type if column else "", to)))))
    return page.grid(rows) if len(rows) > 1 else []


def _reference(key: Constraint, page: _Page) -> str:
    if key.references is None:
        return "?"
    return f"{short_name(key.references.table, page.target)} ({', '.join(map(quoted, key.references.columns))})"


def _made_by(expected: ExpectedTable, page: _Page) -> list[str]:
    return page.said("MADE BY", *_provenance(expected.made_by))


def _provenance(made_by: Provenance) -> tuple[str, str]:
    where = f" at {made_by.source}" if made_by.source else ""
    return f"{made_by.migration}, recorded {moment(made_by.applied)}", f"{made_by.operation}{where}"


def _later(explanation: Explanation, expected: ExpectedTable, page: _Page) -> list[str]:
    """The columns that came after the table, each with its own origin."""
    columns_later = [column.name for column in explanation.later_columns]
    rows = [(quoted(name), "; ".join(_provenance(expected.column_made_by[name]))) for name in columns_later]
    return _labelled("LATER", page.grid(rows))


def _definition(expected: ExpectedTable, page: _Page) -> list[str]:
    """How many columns, indexes, keys and constraints, and which; the keys stand beside their fields."""
    table = expected.table
    if not expected.compared:
        number = counted(len(table.columns), "column")
        return page.said("EXPECTED", f"{number}; their definitions are not known: see what was not checked.")
    own = [index for index in table.indexes if index.constraint is None]
    constraints = [c for c in table.constraints if c.kind in _CONSTRAINTS]
    counts = ", ".join(
        (
            counted(len(table.columns), "column"),
            counted(len(own), "index", "indexes") + f" (and {len(table.indexes) - len(own)} that serve constraints)",
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


def _list(label: str, rows: Iterable[tuple[str, str]], page: _Page) -> list[str]:
    return _labelled(label, page.grid([(quoted(name), definition) for name, definition in sorted(rows)]))


def _referring(explanation: Explanation, page: _Page) -> list[str]:
    """The keys of other tables that point here."""
    rows = [(short_name(key.table, page.target), _from(key)) for key in explanation.referring]
    if not rows and explanation.expected is not None:
        return page.said("REFERRED", "to by no other table")
    return _labelled("REFERRED", page.grid([("to by", "column"), *rows])) if rows else []


def _from(key: KeyFrom) -> str:
    extra = "" if key.expected else "  (expected by no applied migration)"
    return f"{', '.join(map(quoted, key.constraint.columns))}{extra}"


# ------------------------------------------------------------------------------------------------------------------ SQL


def _sql(expected: ExpectedTable, page: _Page) -> list[str]:
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
    return [*intro, *(line for sql in chain(made, keys) for line in _sql_lines(sql, page.width, at=2))]


def _sql_lines(statement: str, width: int, *, at: int) -> Iterator[str]:
    """A statement in lines that mean the same: broken only at spaces outside names and literals."""
    line, indent = " " * at, at
    empty = True
    for part in _SQL_PART.findall(statement):
        if part.startswith("\n"):
            yield line
            indent = at + len(part) - 1
            line, empty = " " * indent, True
        elif not empty and columns(line) + 1 + columns(part) > width:
            yield line
            line, empty = " " * (indent + 4) + part, False
        else:
            line, empty = line + ("" if empty else " ") + part, False
    yield line


_SQL_PART = re.compile(r"""\n *|(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s"'])+""")


# ---------------------------------------------------------------------------------------------------------- error texts


def _subject(subject: Subject, page: _Page) -> list[str]:
    """One thing that the text names, all of it without an empty line."""
    said, explanation = page.said("TEXT", _quoted_text(subject.mention)), subject.explanation
    match subject.kind:
        case SubjectKind.TABLE | SubjectKind.COLUMN if not subject.trouble.is_healthy:
            found = _found(explanation, page) if explanation and subject.kind is SubjectKind.TABLE else []
            state = [*_amiss(subject.trouble, page), *_asked_elsewhere(subject, page), *found]
            return [*said, *state, *_repair(subject.trouble, page), *_source(subject, page)]
        case SubjectKind.TABLE | SubjectKind.COLUMN:
            return [*said, *_healthy(subject, page), *_asked_elsewhere(subject, page), *_source(subject, page)]
        case SubjectKind.STRANGER if explanation is not None:
            return [*said, *_state(explanation, page), *_found(explanation, page)]
        case SubjectKind.SCHEMA:
            return [*said, *_amiss(subject.trouble, page), *_schema(subject, page), *_repair(subject.trouble, page)]
        case SubjectKind.UNKNOWN:
            return [*said, *page.said("UNKNOWN", _unknown(subject, page))]
        case _:
            return [*said, *page.said("NOTE", _in_a_sentence(subject, page))]


def _quoted_text(mention: Mention) -> str:
    """What the text says, in PostgreSQL's words; of a guess only the name."""
    match mention.kind:
        case MentionKind.RELATION:
            return f'relation "{mention.name}" does not exist'
        case MentionKind.COLUMN:
            return f"column {mention.name}{'.' if mention.name else ''}{mention.part} does not exist"
        case MentionKind.PART:
            return f'{mention.part} of relation "{mention.name}" does not exist'
        case MentionKind.RIGHTS:
            return f"permission denied for {mention.name}"
        case MentionKind.SCHEMA:
            return f'schema "{mention.name}" does not exist'
        case MentionKind.SCHEMA_RIGHTS:
            return f"permission denied for schema {mention.name}"
        case MentionKind.QUOTED | MentionKind.WORD:
            return f"{mention.name} (by its name: the message is not one that cascade understands)"


def _healthy(subject: Subject, page: _Page) -> list[str]:
    """That the thing is in order now, and what else the message can come from."""
    explanation = subject.explanation
    assert explanation is not None
    here = next((place for place in explanation.places if place.belongs), None)
    lines = _in_order(explanation, page)
    if subject.mention.kind is MentionKind.PART and here is not None:
        there = any(subject.mention.part.endswith(f" {c.name}") for c in here.table.constraints)
        return lines + page.said("", f"It has {'a' if there else 'no'} {subject.mention.part} now.")
    if subject.mention.kind is MentionKind.RIGHTS and here is not None:
        lacking = _lacking(here.table.rights)
        may = f"{page.role} lacks {lacking} on it" if lacking else f"{page.role} may read and write it"
        return lines + page.said("", f"{may}; another role may have asked.")
    if subject.column and explanation.trouble.is_healthy:
        lines += page.said("", f"Its column {quoted(subject.column)} is there.")
    if subject.mention.is_guess:
        return lines
    path = page.answer.placement.path
    advice = (
        f"If the page still fails, it runs on another database, as another role than {page.role}, or on a connection "
        f"that was opened with another search_path than {path.setting or 'the empty one'}: restart the workers."
    )
    return lines + page.said("", advice)


def _asked_elsewhere(subject: Subject, page: _Page) -> list[str]:
    if not subject.asked_in or subject.explanation is None:
        return []
    belongs = quoted(subject.explanation.name.schema)
    return page.said("", f"The text asks for it in {quoted(subject.asked_in)} by name, and it belongs in {belongs}.")


def _source(subject: Subject, page: _Page) -> list[str]:
    """Model and migration: of a column its own."""
    expected = subject.explanation.expected if subject.explanation else None
    if expected is None:
        return []
    made_by = expected.column_made_by.get(subject.column, expected.made_by) if subject.column else expected.made_by
    return [*_model(expected, page), *page.said("MADE BY", *_provenance(made_by))]


def _schema(subject: Subject, page: _Page) -> list[str]:
    facts = subject.schema
    if facts is None:
        return []
    use = f"{page.role} may{'' if facts.usage else ' not'} USE it"
    create = f"{quoted(page.answer.observed.connected_as)} may{'' if facts.create else ' not'} create in it"
    return page.said("SCHEMA", f"{quoted(facts.name)} belongs to {quoted(facts.owner)}. {use}; {create}.")


def _in_a_sentence(subject: Subject, page: _Page) -> str:
    """What is neither drifted, nor in order, nor unknown."""
    column = quoted(subject.column)
    match subject.kind:
        case SubjectKind.PENDING if subject.pending is not None:
            return f"{subject.pending.key} makes it, and is not recorded as applied: rightly absent until migrate runs."
        case SubjectKind.COMMON_COLUMN:
            names = listed([short_name(table, page.target) for table in subject.tables])
            return f"{counted(len(subject.tables), 'table')} should have a column {column}, and none lacks it: {names}."
        case SubjectKind.UNEXPECTED_COLUMN:
            table = subject.explanation.name if subject.explanation else subject.mention.name
            return f"No migration, applied or not, makes a column {column} in {table}. Does makemigrations make one?"
        case SubjectKind.MODEL_ONLY:
            return (
                "A model has this table, and no applied migration makes it: the model is unmanaged, or its app has no "
                "migrations, or they belong to another database. No schema here holds it."
            )
    return str(subject.kind.value)


def _unknown(subject: Subject, page: _Page) -> str:
    near = f" Did you mean {' or '.join(subject.near)}?" if subject.near else ""
    return f"No migration makes it, and no schema of {quoted(page.answer.observed.database)} holds it.{near}"


# ----------------------------------------------------------------------------------------------------------------- next


def _next(tables: Sequence[TableName], trouble: Trouble, page: _Page) -> list[str]:
    """The commands that go on from here."""
    plan = page.answer.plan
    rows: list[tuple[str, str]] = []
    again = "".join(f" {word}" for word in page.answer.asked)
    decision = next((drift.decision for drift in trouble.drifts if drift.decision), "")
    if decision:
        rows.append((f"cascade plan{again} {decision}", "the plan once that is decided"))
    if any(drift.kind in _REPAIRED for drift in trouble.drifts):
        table = next(drift.table for drift in trouble.drifts if drift.table)
        rows.append((f"cascade plan{again} --table {shlex.quote(table.name)}", "its repair alone"))
    if not plan.is_empty:
        rows.append((f"cascade plan{again}", f"the whole order of repair: {counted(len(plan.steps), 'step')}"))
    elif page.answer.findings() or not page.answer.complete:
        rows.append((f"cascade plan{again}", "all that is known of this database"))
    rows += [(f"cascade explain{again} {shlex.quote(table.name)}", "one table in full") for table in tables[:1]]
    return _labelled("NEXT", page.grid(rows))


_REPAIRED = (
    DriftKind.MISPLACED_TABLE,
    DriftKind.MISSING_TABLE,
    DriftKind.UNREACHABLE_TABLE,
    DriftKind.MISSING_COLUMN,
)

"""A part of a table, a migration, a schema or a finding in full, as text for a person."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from cascade.core.answer import Answer
from cascade.core.detection.columns import in_words
from cascade.core.detection.constraints import constraint_in_words
from cascade.core.detection.indexes import index_in_words
from cascade.core.explanation import Explanation, Trouble
from cascade.core.layout import Column, Constraint, Index, TableName, quoted
from cascade.core.made import Made
from cascade.core.topics import FindingTopic, MigrationTopic, Part, PartKind, SchemaTopic, Topic
from cascade.core.words import counted, listed
from cascade.render.explain import render_explanation, render_kind
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
)
from cascade.render.paragraphs import INDENT
from cascade.render.wording import moment, short_name

LISTED = 12
"""How many names a page lists of what is as it should be."""


def render_topic(
    topic: Topic, others: Sequence[Topic], answer: Answer, *, colour: bool = False, width: int = 100
) -> str:
    """All that is known of what a name means. What else it could mean stands below the title.

    Lines are at most ``width`` columns wide, but for a name or literal that is wider by itself: nothing is cut.
    """
    also = [f"the name could also mean {other}: {_how_to_ask(other)}" for other in others]
    if isinstance(topic, Explanation):
        return render_explanation(topic, answer, also=also, colour=colour, width=width)
    page = Page(answer, width)
    head = [*page.head(_title(topic)), *page.said("ALSO", *also)]
    return page_text([head, *_body(topic, page)], colour=colour)


def _title(topic: Topic) -> str:
    name = str(topic)
    return name[0].upper() + name[1:]


def _how_to_ask(topic: Topic) -> str:
    """The name that means this and nothing else, where there is one."""
    match topic:
        case Part():
            return f"cascade explain {shlex.quote(f'{topic.table}.{topic.name}')}"
        case Explanation():
            return f"cascade explain {shlex.quote(str(topic.name))}"
        case FindingTopic():
            return f"cascade explain {shlex.quote(topic.drift.id)}"
        case MigrationTopic():
            return f"cascade explain {topic.key}"
        case SchemaTopic():
            return f"{counted(len(topic.in_place) + len(topic.strays) + topic.others, 'relation')} in it"
        case _:
            assert_never(topic)


def _body(topic: Part | MigrationTopic | SchemaTopic | FindingTopic, page: Page) -> Iterator[list[str]]:
    match topic:
        case Part():
            yield from _part(topic, page)
        case MigrationTopic():
            yield from _migration(topic, page)
        case SchemaTopic():
            yield from _schema(topic, page)
        case FindingTopic():
            yield from _finding(topic, page)
        case _:
            assert_never(topic)


# --------------------------------------------------------------------------------------------------------- a part


def _part(part: Part, page: Page) -> Iterator[list[str]]:
    yield [*_part_state(part, page), *accepted(part.ignored, page)]
    yield _both_sides(part, page)
    yield page.said("MADE BY", *provenance(part.made_by)) if part.made_by else []
    yield repair(part.trouble, page)
    yield queries(part.trouble.drifts, page)
    yield next_commands([part.table], part.trouble, page)


def _part_state(part: Part, page: Page) -> list[str]:
    if not part.trouble.is_healthy:
        return amiss(part.trouble, page)
    if part.ignored:
        return []
    if part.found_in is None or part.expected is None or part.found is None:
        return page.said("PARTLY", "No drift is known of it, and it was not found on both sides.")
    if not page.answer.complete:
        gaps = listed([gap.what for gap in page.answer.not_checked])
        return page.said("PARTLY", f"No drift is known of it. Not checked: {gaps}.")
    other = f", under the name {quoted(part.found.name)}" if part.found.name != part.expected.name else ""
    return page.said("OK", f"It is there as the applied migrations made it{other}.")


def _both_sides(part: Part, page: Page) -> list[str]:
    """What it should be beside what it is, and of a sequence where it stands."""
    where = str(part.found_in) if part.found_in else "nowhere"
    expected = _definition(part.expected, part.kind) if part.expected else "by no applied migration"
    found = _definition(part.found, part.kind) if part.found else "no"
    rows = [("expected", expected), (f"found in {where}", found)]
    return labelled("IS", page.grid([*rows, *_counter(part, page)]))


def _definition(side: Column | Constraint | Index, kind: PartKind) -> str:
    match side:
        case Column() if kind is PartKind.SEQUENCE:
            name = str(side.sequence.name) if side.sequence else "one of its own"
            return f"{name}, from which the column {quoted(side.name)} draws"
        case Column():
            return in_words(side)
        case Constraint():
            return f"{quoted(side.name)} {constraint_in_words(side)}"
        case Index():
            return f"{quoted(side.name)} {index_in_words(side)}"
        case _:
            assert_never(side)


def _counter(part: Part, page: Page) -> Iterator[tuple[str, str]]:
    """Where the sequence stands, and the highest value in the column."""
    table = page.answer.observed.layout.tables.get(part.found_in) if part.found_in else None
    column = part.found.name if part.kind is PartKind.SEQUENCE and part.found else None
    for counter in table.counters if table else ():
        if counter.column == column:
            next_, highest = (_figure(value, counter.problem) for value in (counter.next_value, counter.highest))
            yield "next value", next_
            yield f"{'highest' if counter.increment > 0 else 'lowest'} in the column", highest


def _figure(value: int | None, problem: str | None) -> str:
    return f"{value:,}" if value is not None else f"unknown ({problem})" if problem else "none"


# ------------------------------------------------------------------------------------------------------ a migration


def _migration(topic: MigrationTopic, page: Page) -> Iterator[list[str]]:
    yield _record(topic, page)
    yield amiss(topic.trouble, page)
    yield _made(topic.made, page)
    yield from _of_many([made.table for made in topic.made], topic.trouble, page)


def _record(topic: MigrationTopic, page: Page) -> list[str]:
    if topic.pending is not None:
        would = [*topic.pending.tables, *(f"{table}.{column}" for table, column in topic.pending.columns)]
        makes = f" It would make {listed(would, LISTED)}." if would else ""
        return page.said("PENDING", f"It is not recorded as applied.{makes}")
    nothing = "" if topic.made else " No table, column, constraint or index of today's applied state was made by it."
    return page.said("RECORD", f"Recorded as applied {moment(topic.applied)}.{nothing}")


def _made(made: Sequence[Made], page: Page) -> list[str]:
    """What it made, and where that is: what is out of place first, each; what is in place together where it is much."""
    amiss_ = [thing for thing in made if not thing.is_in_place]
    fine = [thing for thing in made if thing.is_in_place]
    rows = [(str(thing), _where(thing)) for thing in amiss_]
    if len(fine) > LISTED:
        rows.append((counted(len(fine), "thing"), "in place"))
    else:
        rows += [(str(thing), _where(thing)) for thing in fine]
    return labelled("MADE", page.grid(rows))


def _where(thing: Made) -> str:
    if thing.is_in_place:
        return f"in {quoted(thing.table.schema)}, where it belongs"
    if not thing.places:
        return f"nowhere; belongs in {quoted(thing.table.schema)}"
    return f"in {' and '.join(map(quoted, thing.places))}; belongs in {quoted(thing.table.schema)}"


# ---------------------------------------------------------------------------------------------------------- a schema


def _schema(topic: SchemaTopic, page: Page) -> Iterator[list[str]]:
    yield [*page.said("SCHEMA", *_facts(topic, page)), *amiss(topic.trouble, page)]
    yield _contents(topic, page)
    yield from _of_many(topic.strays, topic.trouble, page)


def _of_many(tables: Sequence[TableName], trouble: Trouble, page: Page) -> Iterator[list[str]]:
    """The repair of several things; the chain of failures in which one of them stands is on its own page."""
    one = len(set(tables)) == 1
    yield repair(trouble if one else replace(trouble, chain=None), page)
    yield next_commands(tables, trouble if one else replace(trouble, steps=()), page)


def _facts(topic: SchemaTopic, page: Page) -> Iterator[str]:
    facts, placement = topic.facts, page.answer.placement
    connected = quoted(page.answer.observed.connected_as)
    use, create = (f"may{'' if allowed else ' not'}" for allowed in (facts.usage, facts.create))
    yield f"It belongs to {quoted(facts.owner)}. {page.role} {use} USE it; {connected} {create} create in it."
    if facts.name == placement.target:
        yield f"It is where tables belong: {placement.target_because}."
    if facts.name in placement.path.effective:
        place = placement.path.effective.index(facts.name) + 1
        yield f"It is number {place} on the search_path of {page.role} ({placement.path.where})."
    else:
        yield f"It is not on the search_path of {page.role}, which is {placement.path.setting or 'empty'}."
    if topic.records is not None:
        yield f"It has a django_migrations of its own, with {counted(topic.records, 'record')}."


def _contents(topic: SchemaTopic, page: Page) -> list[str]:
    rows = [
        ("expected here", _some(topic.in_place, page)),
        ("belong elsewhere", _some(topic.strays, page)),
        ("others", f"{topic.others:,}"),
    ]
    return labelled("HOLDS", page.grid(rows))


def _some(names: Iterable[TableName], page: Page) -> str:
    short = [short_name(name, name.schema) for name in names]
    return f"{len(short):,}: {listed(short, LISTED)}" if short else "none"


# ---------------------------------------------------------------------------------------------------------- a finding


def _finding(topic: FindingTopic, page: Page) -> Iterator[list[str]]:
    drift = topic.drift
    if topic.reason:
        yield accepted([(drift, topic.reason)], page)
    else:
        yield amiss(topic.trouble, page) or page.said("LEFT OUT", "It is outside the scope.")
    yield differing([drift], page)
    yield page.said("MEANING", *render_kind(drift.kind).splitlines()[1:], at=INDENT)
    yield page.said("WITH IT", *drift.consequences)
    yield page.said("MADE BY", *provenance(drift.made_by)) if drift.made_by else []
    yield repair(topic.trouble, page)
    yield queries([drift], page)
    yield next_commands([drift.table] if drift.table else [], topic.trouble, page)

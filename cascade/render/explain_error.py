"""What an error text names, as text for a person: what is amiss with each thing first."""

from collections.abc import Sequence

from cascade.core.answer import Answer
from cascade.core.error_text import Mention, MentionKind
from cascade.core.explanation import Subject, SubjectKind, Trouble
from cascade.core.layout import quoted
from cascade.core.words import counted, listed
from cascade.render.explain import in_order, lacking_rights, model_in_words, places, table_state
from cascade.render.page import Page, amiss, next_commands, page_text, provenance, repair
from cascade.render.wording import short_name


def render_error_explanation(
    subjects: Sequence[Subject], answer: Answer, *, colour: bool = False, width: int = 100
) -> str:
    """What the text names, in its order: what is amiss with each thing, its step, and what fails after it."""
    page = Page(answer, width)
    tables = [s.explanation.name for s in subjects if s.explanation and s.explanation.expected]
    trouble = next((s.trouble for s in subjects if not s.trouble.is_healthy), Trouble())
    blocks = [
        page.head(f"The text names {counted(len(subjects), 'thing')}"),
        *(_subject(subject, page) for subject in subjects),
        next_commands(tables, trouble, page),
    ]
    return page_text(blocks, colour=colour)


def _subject(subject: Subject, page: Page) -> list[str]:
    """One thing that the text names, all of it without an empty line."""
    said, explanation = page.said("TEXT", _quoted_text(subject.mention)), subject.explanation
    match subject.kind:
        case SubjectKind.TABLE | SubjectKind.COLUMN if not subject.trouble.is_healthy:
            found = places(explanation, page) if explanation and subject.kind is SubjectKind.TABLE else []
            state = [*amiss(subject.trouble, page), *_asked_elsewhere(subject, page), *found]
            return [*said, *state, *repair(subject.trouble, page), *_source(subject, page)]
        case SubjectKind.TABLE | SubjectKind.COLUMN:
            return [*said, *_healthy(subject, page), *_asked_elsewhere(subject, page), *_source(subject, page)]
        case SubjectKind.STRANGER if explanation is not None:
            return [*said, *table_state(explanation, page), *places(explanation, page)]
        case SubjectKind.SCHEMA:
            return [*said, *amiss(subject.trouble, page), *_schema(subject, page), *repair(subject.trouble, page)]
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


def _healthy(subject: Subject, page: Page) -> list[str]:
    """That the thing is in order now, and what else the message can come from."""
    explanation = subject.explanation
    assert explanation is not None
    here = next((place for place in explanation.places if place.belongs), None)
    lines = in_order(explanation, page)
    if subject.mention.kind is MentionKind.PART and here is not None:
        there = any(subject.mention.part.endswith(f" {c.name}") for c in here.table.constraints)
        return lines + page.said("", f"It has {'a' if there else 'no'} {subject.mention.part} now.")
    if subject.mention.kind is MentionKind.RIGHTS and here is not None:
        lacking = lacking_rights(here.table.rights)
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


def _asked_elsewhere(subject: Subject, page: Page) -> list[str]:
    if not subject.asked_in or subject.explanation is None:
        return []
    belongs = quoted(subject.explanation.name.schema)
    return page.said("", f"The text asks for it in {quoted(subject.asked_in)} by name, and it belongs in {belongs}.")


def _source(subject: Subject, page: Page) -> list[str]:
    """Model and migration: of a column its own."""
    expected = subject.explanation.expected if subject.explanation else None
    if expected is None:
        return []
    made_by = expected.column_made_by.get(subject.column, expected.made_by) if subject.column else expected.made_by
    return [*model_in_words(expected, page), *page.said("MADE BY", *provenance(made_by))]


def _schema(subject: Subject, page: Page) -> list[str]:
    facts = subject.schema
    if facts is None:
        return []
    use = f"{page.role} may{'' if facts.usage else ' not'} USE it"
    create = f"{quoted(page.answer.observed.connected_as)} may{'' if facts.create else ' not'} create in it"
    return page.said("SCHEMA", f"{quoted(facts.name)} belongs to {quoted(facts.owner)}. {use}; {create}.")


def _in_a_sentence(subject: Subject, page: Page) -> str:
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


def _unknown(subject: Subject, page: Page) -> str:
    near = f" Did you mean {' or '.join(subject.near)}?" if subject.near else ""
    return f"No migration makes it, and no schema of {quoted(page.answer.observed.database)} holds it.{near}"

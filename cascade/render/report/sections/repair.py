"""What was done, and how it gets to the other environments."""

from collections.abc import Iterable, Iterator

from cascade.core.incident import Incident, PutAside, TableFate
from cascade.core.words import counted, listed
from cascade.render.report.blocks import Aside, Block, Code, Grid, Inline, Line, Paragraph, Part, Sql, Strong
from cascade.render.report.words import capital
from cascade.render.wording import moment


def done(incident: Incident) -> Iterator[Block]:
    """What ran and when, what became of each table, and how it would be taken back."""
    if not incident.findings and incident.journal is None:
        return
    if incident.by_hand:
        yield Paragraph(
            (
                Strong("The repair was made by hand, or its journal was not given."),
                " Nothing that was given recorded it: what is known comes from two looks at the database, at "
                f"{moment(incident.before['read_at'])} and at {moment((incident.after or {}).get('read_at'))}. "
                "The statements below have the effect that is seen between the two; which were really run, and in how "
                "many tries, is not known.",
            )
        )
    elif incident.journal is None:
        yield Paragraph(
            (
                Strong("Nothing is known to have been done."),
                " No journal of a repair was given and no later look. This is the order of repair that the plan has:",
            )
        )
        yield Sql(
            "The plan", "\n".join(sql for step in incident.before["steps"] for sql in step["sql"]) or "-- no steps"
        )
        return
    else:
        yield Paragraph(tuple(_journal_in_words(incident)))
    if incident.statements:
        yield Sql(
            "What has this effect" if incident.by_hand else "What was executed",
            "\n".join(statement.sql for statement in incident.statements),
        )
        if not incident.by_hand:
            yield Grid(
                ("at (UTC)", "took", "step"),
                tuple(
                    (
                        (_clock(statement.at),),
                        (f"{statement.milliseconds:,.1f} ms" if statement.milliseconds is not None else "not known",),
                        (Code(statement.step),),
                    )
                    for statement in incident.statements
                ),
                right=frozenset((1,)),
            )
    if incident.fates or incident.put_aside:
        yield Part(("What became of the tables",), (_fates(incident.fates, incident.put_aside),))
    undo = _undo(incident)
    if undo:
        yield Aside(("How it would be taken back",), (Sql("In reverse order", "\n".join(undo)),))


def _journal_in_words(incident: Incident) -> Iterator[Inline]:
    journal = incident.journal
    assert journal is not None
    begun = moment(str(journal.header.get("at", "")) or None)
    yield f"The repair was begun at {begun}, by plan "
    yield Code(str(journal.header.get("plan_id", "?")))
    if incident.ended:
        yield f", and committed at {moment(incident.ended)}: {counted(len(incident.committed), 'step')}."
    elif journal.undone:
        yield f"; {counted(len(journal.done), 'step')} were committed, and later taken back."
    elif not journal.in_flight:
        yield "; no COMMIT of it is known."
    else:
        yield f"; its COMMIT was sent at {moment(journal.sent_at or None)}."
    if journal.in_flight:
        known = "only the server knows whether it holds"
        if incident.after is not None:
            known = f"the look afterwards shows that it {'holds' if incident.ended else 'does not hold'}"
        yield f" It was never answered: {known}."
    yield (
        " Before COMMIT the layout was read again inside of the locks: what the steps claim to cure was gone, and each "
        "moved table was the same relation with the same file."
        if incident.committed
        else ""
    )


def _clock(at: str | None) -> str:
    return moment(at).removesuffix(" UTC") if at else "not known"


def _fates(fates: Iterable[TableFate], aside: Iterable[PutAside]) -> Grid:
    moved: list[tuple[Line, ...]] = [
        (
            (Code(fate.table),),
            (Code(", ".join(place["schema"] for place in fate.places)),) if fate.places else ("no schema",),
            (_counted_rows(fate.rows) if fate.places else "",),
            (capital(fate.fate.value),),
        )
        for fate in fates
    ]
    shells: list[tuple[Line, ...]] = [
        (
            (Code(copy.table),),
            (Code(copy.schema),),
            (_counted_rows(copy.rows),),
            ("Put aside, a copy that does not count: ", Code(f"{copy.attic}.{copy.table}")),
        )
        for copy in aside
    ]
    return Grid(("table", "was in", "rows there", "now"), (*moved, *shells), right=frozenset((2,)))


def _counted_rows(rows: int | None) -> str:
    return f"{rows:,}" if rows is not None else "not counted"


def _undo(incident: Incident) -> list[str]:
    if incident.journal is not None:
        return [sql for step in reversed(incident.journal.done) for sql in step.undo]
    ran = {statement.step for statement in incident.statements}
    steps = [step for step in incident.before["steps"] if step["id"] in ran]
    return [sql for step in reversed(steps) for sql in step["undo"]]


def migration_command(incident: Incident) -> tuple[Code | str, ...]:
    """How the repair becomes a migration: what was done already is no longer found, but its journal keeps it."""
    if incident.journal is not None:
        return (Code("cascade migration --journal JOURNAL"), " writes the repair for the other environments")
    return (Code("cascade migration"), " writes the repair for the other environments, where the drift still is")


def migration(incident: Incident) -> Iterator[Block]:
    """The repair migration that was named, and what was recorded between the two looks."""
    if not incident.findings:
        return
    if incident.migration is not None:
        file = incident.migration
        yield Paragraph(
            (
                "The repair for the other environments is said to be the migration ",
                Code(file.name),
                f": {_recorded_in_words(incident)}. {_named_in_words(incident)}.",
            )
        )
        yield Aside(
            (Code(file.name), f", {counted(len(file.text.splitlines()), 'line')}"), (Sql("", file.text, "python"),)
        )
    elif not incident.new_records:
        yield Paragraph(
            (
                "No migration was named, and none is known to have been recorded. ",
                *migration_command(incident),
                ": a guarded one, nothing on a healthy database, the plan on a drifted one.",
            )
        )
    records = incident.new_records
    if records:
        yield Paragraph((f"Recorded as applied between the two looks: {counted(len(records), 'migration')}.",))
        yield Grid(
            ("migration", "recorded"),
            tuple(((Code(record["migration"]),), (moment(record["applied"]),)) for record in records),
        )
    elif records is not None:
        yield Paragraph(("No migration was recorded between the two looks at this database.",))


def _recorded_in_words(incident: Incident) -> str:
    record, look = incident.migration_record, incident.after or incident.before
    if record is None:
        return f"not recorded as applied in this database at {moment(look['read_at'])}"
    return f"recorded as applied, {moment(record['applied'])}"


def _named_in_words(incident: Incident) -> str:
    """What of the findings it is about, by the names in its text: whether it repairs them was not tried."""
    named, others = incident.migration_names
    if not named:
        return "Its text names none of the tables with a finding: look whether it is of this repair"
    if not others:
        return f"Its text names {'the table' if len(named) == 1 else f'all {len(named)} tables'} with a finding"
    total = counted(len(named) + len(others), "table")
    return f"Its text names {len(named)} of {total} with a finding, and not {listed(others, 4)}"

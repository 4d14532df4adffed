"""What a report says, section by section, in the order in which it is read."""

from collections.abc import Iterable, Iterator, Sequence

from cascade.core.documents import JSON, serious, table_of
from cascade.core.findings import DriftKind
from cascade.core.incident import Incident, Outcome, PageFate, PutAside, TableFate
from cascade.core.probe_results import ProbeResult
from cascade.core.words import counted, listed
from cascade.render.pictures import draw_history
from cascade.render.report.blocks import (
    Aside,
    Block,
    Bullets,
    Card,
    Cards,
    Code,
    Facts,
    Grid,
    Inline,
    Line,
    Paragraph,
    Part,
    Report,
    Section,
    Shown,
    Sql,
    Strong,
)
from cascade.render.report.summary import UNREPAIRED, capital, object_of, pictures_of, summary, what_was_amiss
from cascade.render.wording import moment, window


def make_report(incident: Incident) -> Report:
    """The postmortem of an incident, of one that is still open, or of a healthy database."""
    plan = incident.before
    then = " before the repair" if incident.is_touched else ""
    sections = (
        Section("summary", "Summary", tuple(summary(incident))),
        Section("cause", "Root cause", tuple(_causes(incident))),
        Section("source", "Source discovery", tuple(_sources(incident))),
        Section("state", f"Database state{then}", tuple(_state(incident))),
        Section("done", "What was done", tuple(_done(incident))),
        Section("migration", "The repair as a migration", tuple(_migration(incident))),
        Section("probes", "Smoke tests", tuple(_probes(incident))),
        Section("evidence", f"Evidence{then}: tables, columns, indexes, constraints", tuple(_evidence(incident))),
        Section("findings", "Findings", tuple(_findings(incident))),
        Section("next", "Next steps", tuple(_next(incident))),
        Section("audit", "Audit trail", tuple(_audit(incident))),
        Section("unknown", "What is not known", tuple(_unknown(incident))),
    )
    subtitle: Line = (
        "Database ",
        Code(plan["database"]),
        f" ({plan['host']}), PostgreSQL {plan['server_version']}, read at {moment(plan['read_at'])}. Plan ",
        Code(plan["plan_id"]),
        ".",
    )
    return Report(_title(incident), subtitle, tuple(section for section in sections if section.blocks))


def _title(incident: Incident) -> str:
    database = incident.before["database"]
    if incident.outcome is Outcome.HEALTHY:
        unsure = "" if incident.before["complete"] else " was found, and not everything could be checked"
        return f"{database}: nothing amiss{unsure}"
    return f"Postmortem: {what_was_amiss(incident)} of {database}"


# ---------------------------------------------------------------------------------------------------------------- cause


def _causes(incident: Incident) -> Iterator[Block]:
    causes = incident.before["causes"]
    if not incident.findings:
        return
    if not causes:
        yield Paragraph(("No cause is known: placement and history fit no pattern.",))
    for cause in causes:
        when = window(cause["first"], cause["last"]) if cause["first"] else "at a time that is not known"
        yield Paragraph((Strong(f"{capital(cause['sentence'])}."), f" {capital(when)}."))
        sides = (
            ("For", cause["evidence_for"]),
            ("Against", cause["evidence_against"] or ["nothing found"]),
            ("Beside", cause["others"]),
        )
        yield Facts(tuple((word, (sentence,)) for word, sentences in sides for sentence in sentences))
    chains = [chain for chain in incident.chains if len(chain["objects"]) > 1]
    if chains:
        measured = any(chain["source"] == "exact" for chain in chains)
        yield Paragraph(
            (
                "Why it surfaced one at a time: each of these fails in its turn, after the one before it is repaired "
                f"({'measured' if measured else 'predicted from the foreign keys'}).",
            )
        )
        yield Bullets(tuple((*_asked_by(chain), *_chain(chain["objects"])) for chain in chains))
    for picture, caption in pictures_of(
        (draw_history(incident.before), "What was recorded when, and where what is not in its place landed.")
    ):
        yield Shown(picture, caption)


def _asked_by(chain: JSON) -> Line:
    return (Code(chain["probe"]), ": ") if chain["probe"] else ()


def _chain(objects: Sequence[str]) -> Line:
    parts: list[Inline] = []
    shown = objects if len(objects) <= MOST_OF_A_CHAIN + 1 else objects[:MOST_OF_A_CHAIN]
    for name in shown:
        parts += [" → ", Code(name)] if parts else [Code(name)]
    return (*parts, f" → and {len(objects) - len(shown):,} more") if len(shown) < len(objects) else tuple(parts)


MOST_OF_A_CHAIN = 24
"""More names in a row nobody reads; the plan's JSON has all of them."""


# --------------------------------------------------------------------------------------------------------------- source


def _sources(incident: Incident) -> Iterator[Block]:
    tables = _concerned(incident)
    if not tables:
        return
    yield Grid(
        ("table", "migration", "recorded", "columns", "constraints", "keys", "indexes"),
        tuple(
            (
                (Code(table["table"]),),
                (Code(table["migration"]),),
                (moment(table["applied"]),),
                *((f"{number}",) for number in _numbers(table)),
            )
            for table in tables
        ),
        right=frozenset((3, 4, 5, 6)),
    )
    for table in tables:
        yield Aside(
            (Code(table["table"]), f": model, fields, migration, and the SQL that makes it ({_made_of(table)})"),
            tuple(_source(table)),
        )


def _concerned(incident: Incident) -> list[JSON]:
    """The tables that a finding in scope is about."""
    about = {table_of(drift) for drift in incident.findings}
    return [table for table in incident.before["tables"] if table_of(table) in about]


def _numbers(table: JSON) -> tuple[int, int, int, int]:
    """How many columns, constraints without keys, foreign keys, and indexes that serve no constraint."""
    keys = sum(constraint["kind"] == "foreign_key" for constraint in table["constraints"])
    return len(table["columns"]), len(table["constraints"]) - keys, keys, len(table["indexes"])


def _made_of(table: JSON) -> str:
    columns, constraints, keys, indexes = _numbers(table)
    return ", ".join(
        (
            counted(columns, "column"),
            counted(indexes, "index", "indexes"),
            counted(constraints, "constraint"),
            counted(keys, "foreign key"),
        )
    )


def _source(table: JSON) -> Iterator[Block]:
    place = table["model_source"]
    pairs: list[tuple[str, Line]] = [
        ("Model", (Code(table["model"]),) if table["model"] else ("no model has this table",)),
        ("Model's source", (Code(place),) if place else ("not known: the checkout that was used does not have it",)),
        ("Migration", (Code(table["migration"]), f", recorded {moment(table['applied'])}")),
        ("Operation", (table["operation"], *((" at ", Code(table["source"])) if table["source"] else ()))),
    ]
    yield Facts(tuple(pairs))
    if table["fields"]:
        fields = tuple((Code(f["name"]), f["type"], Code(f["column"])) for f in table["fields"])
        yield Grid(("field", "class", "column"), tuple(((a,), (b,), (c,)) for a, b, c in fields))
    if table["sql"]:
        yield Sql("The table as the applied migrations leave it (to be read, not run)", "\n".join(table["sql"]))
    else:
        yield Paragraph(("The SQL that makes it is not known: its definition could not be built.",))


# ---------------------------------------------------------------------------------------------------------------- state


def _state(incident: Incident) -> Iterator[Block]:
    plan = incident.before
    path = plan["search_path"] or "empty"
    skipped = "".join(f"; {s['schema']} is passed over: {s['why']}" for s in plan["search_path_skipped"])
    yield Facts(
        (
            ("Read", (f"{moment(plan['read_at'])} as ", Code(plan["connected_as"]))),
            (
                "Pages run as",
                (
                    Code(plan["application_role"]),
                    ", search_path ",
                    Code(path),
                    f" ({plan['search_path_source']}){skipped}",
                ),
            ),
            ("Tables belong in", (Code(plan["target_schema"]), f": {plan['target_because']}")),
            ("A new table lands in", (Code(plan["creation_schema"]) if plan["creation_schema"] else "no schema",)),
            (
                "Expected",
                (
                    f"{counted(plan['expected']['tables'], 'table')} by "
                    f"{counted(plan['expected']['applied_migrations'], 'applied migration')}; "
                    f"{plan['expected']['reference']}",
                ),
            ),
        )
    )
    tables = _concerned(incident)
    if tables:
        yield Grid(
            ("table", "belongs in", "found in", "rows", "relation (OID)", "owner"),
            tuple(row for table in tables for row in _places(table)),
            right=frozenset((3, 4)),
        )
    elif not incident.findings:
        yield Paragraph(("Every expected table is in its place.",))


def _places(table: JSON) -> Iterator[tuple[Line, ...]]:
    name: Line = (Code(table["table"]),)
    belongs: Line = (Code(table["schema"]),)
    if not table["found"]:
        yield name, belongs, (Strong("in no schema"),), ("",), ("",), ("",)
    for copy in table["found"]:
        right = copy["schema"] == table["schema"]
        place: Line = (Code(copy["schema"]),) if right else (Code(copy["schema"]), Strong(" (not its place)"))
        yield name, belongs, place, (_rows_of(copy),), (str(copy["oid"]),), (Code(copy["owner"]),)


def _rows_of(copy: JSON) -> str:
    if copy["rows"] is not None:
        return f"{copy['rows']:,}"
    return f"~{copy['estimate']:,}" if copy["estimate"] else "not counted"


# ----------------------------------------------------------------------------------------------------------------- done


def _done(incident: Incident) -> Iterator[Block]:
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


# ------------------------------------------------------------------------------------------------------------ migration


def _migration_command(incident: Incident) -> tuple[Code | str, ...]:
    """How the repair becomes a migration: what was done already is no longer found, but its journal keeps it."""
    if incident.journal is not None:
        return (Code("cascade migration --journal JOURNAL"), " writes the repair for the other environments")
    return (Code("cascade migration"), " writes the repair for the other environments, where the drift still is")


def _migration(incident: Incident) -> Iterator[Block]:
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
                *_migration_command(incident),
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


# --------------------------------------------------------------------------------------------------------------- probes


def _probes(incident: Incident) -> Iterator[Block]:
    if not incident.findings and not incident.probes:
        return
    if not incident.probes:
        yield Paragraph(
            (
                "Not known: no results of probes were given. ",
                Code("cascade probe --format json"),
                " asks the pages; its file is taken by ",
                Code("--probes"),
                ".",
            )
        )
        return
    yield Grid(
        ("page", "as", "before the repair", "after the repair"),
        tuple(
            ((Code(page.name),), (page.user or "anonymous",), _answer(page.before), _answer(page.after))
            for page in incident.pages
        ),
    )
    failing = [page for page in incident.pages if _says_more(page)]
    if failing:
        yield Bullets(tuple(_failure(page) for page in failing))


def _answer(result: ProbeResult | None) -> Line:
    if result is None:
        return ("not asked",)
    status = f" ({result.status})" if result.status is not None else ""
    return (Strong("ok" if result.ok else "FAILED"), status)


def _says_more(page: PageFate) -> bool:
    return any(result is not None and (result.failed or result.error) for result in (page.before, page.after))


def _failure(page: PageFate) -> Line:
    parts: list[Inline] = [Code(page.name)]
    for when, result in (("before", page.before), ("after", page.after)):
        if result is not None and (result.failed or result.error):
            parts.append(f", {when}: ")
            parts += ["could not find ", Code(result.failed)] if result.failed else []
            parts.append(f"{'; ' if result.failed else ''}{result.error}" if result.error else "")
    return tuple(parts)


# ------------------------------------------------------------------------------------------------------------- evidence


def _evidence(incident: Incident) -> Iterator[Block]:
    for table in _concerned(incident):
        yield Part((Code(table["table"]),), tuple(_table_evidence(table)))


def _table_evidence(table: JSON) -> Iterator[Block]:
    found = table["found"][0] if table["found"] else None
    here = f"found in {found['schema']}" if found else "found in no schema"
    yield Paragraph((f"{capital(_made_of(table))}; {here}.{_later_columns(table)}",))
    if found is not None and found["comment"]:
        yield Paragraph(("Comment: ", Code(found["comment"])))
    yield Aside(
        (f"Columns ({len(table['columns'])})",),
        (
            Grid(
                ("column", "type", "null", "made by", "there"),
                tuple(
                    (
                        (Code(column["name"]),),
                        (column["type"],),
                        ("yes" if column["nullable"] else "no",),
                        (Code(column["migration"]),),
                        _there(column["name"], found, "columns"),
                    )
                    for column in table["columns"]
                ),
            ),
        ),
    )
    for word, entries, kind in (
        ("Constraints", table["constraints"], "constraints"),
        ("Indexes", table["indexes"], "indexes"),
    ):
        if entries:
            yield Aside(
                (f"{word} ({len(entries)})",),
                (
                    Grid(
                        ("name", "definition", "there"),
                        tuple(
                            (
                                (Code(entry["name"]),),
                                (Code(("UNIQUE " if entry.get("unique") else "") + entry["definition"]),),
                                _there(entry["name"], found, kind),
                            )
                            for entry in entries
                        ),
                    ),
                ),
            )


def _later_columns(table: JSON) -> str:
    """Where columns came after the table, how many it began with: a count by the first migration alone is too low."""
    later = [column for column in table["columns"] if column["migration"] != table["migration"]]
    if not later:
        return ""
    first = len(table["columns"]) - len(later)
    each = listed([f"{column['name']} by {column['migration']}" for column in later], 4)
    return f" {table['migration']} made {first} of the columns; then came {each}."


def _there(name: str, found: JSON | None, kind: str) -> Line:
    """By name alone, which is no identity: what is under another name is told by the findings."""
    if found is None:
        return ("no",)
    return ("yes",) if name in found[kind] else ("not by this name",) if kind != "columns" else (Strong("no"),)


# ------------------------------------------------------------------------------------------------------------- findings


def _findings(incident: Incident) -> Iterator[Block]:
    if incident.findings:
        yield Cards(tuple(_card(drift, incident) for drift in incident.findings))
    left_out = list(serious(incident.before["left_out"]))
    if left_out:
        yield Paragraph((f"Outside of what was asked for ({incident.before['scope']}), and amiss all the same:",))
        yield Bullets(tuple((Code(drift["id"]), f": {_seen(drift)}") for drift in left_out))
    notes = len(incident.before["drifts"]) - len(incident.findings)
    if notes:
        yield Paragraph((f"{counted(notes, 'note')} beside; what is a note breaks nothing.",))
    for entry in incident.before["ignored"]:
        yield Paragraph(("Accepted by the settings: ", Code(entry["drift"]["id"]), f" ({entry['reason']})."))


def _card(drift: JSON, incident: Incident) -> Card:
    steps = incident.steps_by_cure.get(drift["id"], ())
    blocks: list[Block] = [Facts(tuple(_finding_facts(drift, incident)))]
    if drift["evidence"]:
        blocks.append(Bullets(tuple((sentence,) for sentence in drift["evidence"])))
    if drift["query"]:
        blocks.append(Aside(("The query that shows it",), (Sql("", drift["query"]),)))
    if steps:
        blocks.append(Sql("Repair", "\n".join(sql for step in steps for sql in step["sql"])))
        undo = [sql for step in reversed(steps) for sql in step["undo"]]
        if undo:
            blocks.append(Sql("Undo", "\n".join(undo)))
        hazards = [hazard["sentence"] for step in steps for hazard in step["hazards"]]
        if hazards:
            blocks.append(Bullets(tuple((Strong("Mind: "), hazard) for hazard in hazards)))
    return Card(drift["id"], drift["kind"], drift["severity"], drift["app"], (Code(object_of(drift)),), tuple(blocks))


def _finding_facts(drift: JSON, incident: Incident) -> Iterator[tuple[str, Line]]:
    yield "What", (DriftKind(drift["kind"]).facts.meaning,)
    yield "Why it matters", (DriftKind(drift["kind"]).facts.matters,)
    yield "Expected", (drift["expected"] or "as the migrations made it",)
    yield "Found", (drift["observed"] or "nothing",)
    if drift["migration"]:
        source: Line = (" at ", Code(drift["source"])) if drift["source"] else ()
        yield "Made by", (Code(drift["migration"]), f", {drift['operation']}", *source)
    if drift["consequences"]:
        yield "And with it", (listed(drift["consequences"], 12),)
    if drift["undecided"]:
        decide: Line = (" Decide with ", Code(drift["decision"]), ".") if drift["decision"] else ()
        yield "No step", (capital(drift["undecided"]), ".", *decide)
    gone = drift["id"] in incident.cured
    looked = incident.left is not None or incident.journal is not None
    yield "Now", ("gone" if gone else "still there" if looked else "not known: nobody has looked since",)


def _seen(drift: JSON) -> str:
    return str(drift["observed"] or drift["expected"] or drift["kind"])


# ----------------------------------------------------------------------------------------------------------------- next


def _next(incident: Incident) -> Iterator[Block]:
    """What is left, then what keeps it from coming back."""
    lines: list[Line] = [
        (Code(object_of(drift)), f" is still amiss ({drift['kind']}): {_seen(drift)}") for drift in incident.left or ()
    ]
    if incident.outcome in UNREPAIRED and incident.before["steps"]:
        lines.append(
            (
                f"Repair: {counted(len(incident.before['steps']), 'step')}. ",
                Code("cascade rehearse plan.json"),
                " tries them and rolls back, ",
                Code("cascade apply plan.json"),
                " runs them.",
            )
        )
    if incident.outcome is Outcome.IN_COMMIT and incident.journal is not None:
        (xid,) = list(incident.journal.in_flight)[-1:]
        lines.append(
            (
                "Ask the server whether the COMMIT holds, by ",
                Code(f"SELECT pg_xact_status('{xid}')"),
                ", or look again: ",
                Code("cascade plan -o after.json"),
                " for ",
                Code("--after"),
                ".",
            )
        )
    if incident.outcome is Outcome.NOT_LOOKED:
        lines.append((Code("cascade plan"), " looks whether anything is left."))
    lines += [
        (Code(object_of(drift)), f" waits for a decision: {drift['undecided']}.")
        for drift in incident.findings
        if drift["undecided"] and drift["id"] not in incident.cured
    ]
    if incident.findings:
        if incident.migration is None and not incident.new_records:
            lines.append((*_migration_command(incident), "."))
        lines.append(
            (Code("cascade check"), " in CI and after each deployment fails on the first thing that is out of place.")
        )
    if not incident.probes and incident.findings:
        lines.append(("Ask the pages again, and keep the answers for this report.",))
    lines += [(f"To be checked: {gap['what']}. {capital(gap['how'])}.",) for gap in incident.before["not_checked"]]
    if not lines:
        lines.append(("Nothing.",))
    yield Bullets(tuple(lines))


# ---------------------------------------------------------------------------------------------------------------- audit


def _audit(incident: Incident) -> Iterator[Block]:
    plan = incident.before
    pairs: list[tuple[str, Line]] = [
        ("Plan", (Code(plan["plan_id"]), ", fingerprint ", Code(plan["fingerprint"]))),
        ("Read", (moment(plan["read_at"]),)),
        ("Code", (Code(plan["source_revision"]),) if plan["source_revision"] else ("not known: no version control",)),
        ("Scope", (Code(plan["scope"]),) if plan["scope"] else ("the whole database",)),
        ("Complete", ("yes",) if plan["complete"] else ("no: see what is not known",)),
    ]
    if incident.journal is not None:
        words = f"{counted(len(incident.journal.events), 'line')}, {counted(len(incident.journal.done), 'step')} done"
        pairs.append(("Journal", (words,)))
    else:
        pairs.append(("Journal", ("none was given",)))
    if incident.after is not None:
        pairs.append(("Looked again", (f"{moment(incident.after['read_at'])}, plan ", Code(incident.after["plan_id"]))))
    last = plan["records"][-1] if plan["records"] else None
    if last is not None:
        pairs.append(("Last migration", (Code(last["migration"]), f", recorded {moment(last['applied'])}")))
    pairs.append(("Probes", (counted(len(incident.probes), "result") if incident.probes else "none were given",)))
    yield Facts(tuple(pairs))


def _unknown(incident: Incident) -> Iterator[Block]:
    if incident.not_known:
        yield Bullets(tuple((sentence,) for sentence in incident.not_known))

"""The summary of a report: one paragraph for somebody who reads nothing else, the same as facts, and the pictures."""

from collections.abc import Iterable, Iterator, Sequence

from cascade.core.documents import JSON, table_of
from cascade.core.findings import DriftKind, Severity
from cascade.core.incident import Fate, Incident, Outcome, TableFate
from cascade.core.words import counted, listed
from cascade.render.pictures import draw_places, draw_steps
from cascade.render.report.blocks import (
    MANY,
    Block,
    Code,
    Facts,
    ForAPerson,
    Grid,
    Inline,
    Line,
    Paragraph,
    Shown,
    Strong,
)
from cascade.render.report.words import (
    UNREPAIRED,
    capital,
    duration,
    kinds_in_words,
    object_of,
    pictures_of,
    what_was_amiss,
)
from cascade.render.wording import by_app, moment


def summary(incident: Incident) -> Iterator[Block]:
    """The paragraph, the facts, where the tables lay, the order of repair, and what a person has to fill in."""
    yield Paragraph(tuple(_lead(incident)), lead=True)
    yield Facts(tuple(_facts(incident)))
    if len(incident.findings) > MANY:
        yield _apps(incident)
    for picture, caption in pictures_of(
        (draw_places(incident.before, incident.after), "Where the tables lay, and where they belong."),
        (draw_steps(incident.before), "The order of repair. It follows from the foreign keys and the migrations."),
    ):
        yield Shown(picture, caption)
    if incident.outcome is not Outcome.HEALTHY:
        yield ForAPerson(
            "What the incident meant for users and for the team, who was told, and what will be decided because of it. "
            "No data holds this."
        )


def _lead(incident: Incident) -> Iterator[Inline]:
    """For somebody who reads nothing else."""
    if incident.outcome is Outcome.HEALTHY:
        compared = counted(incident.before["expected"]["tables"], "table")
        complete = "" if incident.before["complete"] else " where it could look, and it could not look everywhere"
        yield f"Nothing is amiss{complete}: {compared} are as the applied migrations made them."
        return
    yield from _when_in_words(incident)
    yield f"Pages affected: {_pages_in_words(incident)}. "
    yield f"Rows lost: {_rows_in_words(incident)}. "
    yield f"What stops the next one: {_prevention_in_words(incident)}. "
    yield f"Open: {_open_in_words(incident)}."


def _when_in_words(incident: Incident) -> Iterator[Inline]:
    began, ended = incident.began, incident.ended
    since = f"From {moment(began)}" if began else "Since a time that is not known"
    last = incident.after or incident.before
    until = "to a time that is not known"
    if incident.outcome in UNREPAIRED:
        until = f"{'on' if began else ''}, and still at {moment(last['read_at'])},".lstrip()
    if ended:
        until = f"to {moment(ended)} at the latest" if incident.by_hand else f"to {moment(ended)}"
    lasted = incident.lasted
    long = f" ({duration(lasted)}{' at most' if incident.by_hand else ''})" if lasted is not None else ""
    yield Strong(
        f"{_joined(since, until)}{long} the database was not as its applied migrations say: {what_was_amiss(incident)}."
    )
    yield f" At {moment(incident.healthy_at)} nothing was amiss." if incident.healthy_at else ""
    yield f" It is {_status(incident)}. "


def _joined(since: str, until: str) -> str:
    return f"{since}{until}" if until.startswith(",") else f"{since} {until}"


_OUTCOMES = {
    Outcome.OPEN: "not repaired yet",
    Outcome.REPAIRED: "repaired",
    Outcome.PARTLY: "repaired in part",
    Outcome.NOT_LOOKED: "repaired, as far as the journal says; nobody has looked since",
    Outcome.NOT_COMMITTED: "not repaired: the repair was begun, and nothing of it is known to be committed",
    Outcome.IN_COMMIT: "not known to be repaired: the COMMIT was sent and never answered, and only the server knows",
    Outcome.UNDONE: "not repaired: the repair was taken back",
}


def _pages_in_words(incident: Incident) -> str:
    if not incident.probes:
        return "not known, since no results of probes were given"
    failed = [page for page in incident.pages if page.before and not page.before.ok]
    still = incident.still_failing
    asked = counted(len(incident.pages), "page")
    if not any(page.before for page in incident.pages):
        before = "not known from before the repair"
    elif not failed:
        before = f"none of the {asked} asked failed before the repair"
    else:
        before = f"{len(failed)} of {asked} asked failed ({listed([page.name for page in failed], 3)})"
    if not any(page.after for page in incident.pages):
        return f"{before}; whether they answer now is not known"
    after = f"{listed([page.name for page in still], 3)} still fail" if still else "all that were asked answer now"
    return f"{before}; {after}"


def _rows_in_words(incident: Incident) -> str:
    """Whether rows are gone, and why one can say so."""
    fates = incident.fates
    moved = [fate for fate in fates if fate.places]
    kept = [fate for fate in moved if fate.fate is Fate.KEPT]
    rest = "".join(f"; {phrase}" for phrase in _absent_in_words(incident))
    if incident.outcome is Outcome.IN_COMMIT:
        return f"none by this repair, which moves tables with their rows, whether it is committed or not{rest}"
    if not moved:
        return f"none by this repair, which moved no table{rest}" if incident.statements else f"none so far{rest}"
    if all(fate.fate in (Fate.WAITING, Fate.BACK) for fate in moved):
        done = "the tables were moved back" if incident.outcome is Outcome.UNDONE else "nothing has been moved"
        return f"none: {done}, and in {_schemas(moved)} lie {_total(moved)}{rest}"
    if len(kept) == len(moved):
        why = (
            "each is the same relation as before (same OID)"
            if incident.by_hand
            else "before COMMIT each was proved to be the same relation with the same file"
        )
        return f"none, because tables are moved with their rows and {why}; in them were {_total(moved)}{rest}"
    doubtful = [fate.table for fate in moved if fate.fate is not Fate.KEPT]
    return f"not known for {listed(doubtful, 3)}, which is not shown to be the table that it was{rest}"


def _absent_in_words(incident: Incident) -> Iterator[str]:
    """Of what was nowhere: whether it can ever have held anything."""
    kinds = (DriftKind.MISSING_TABLE.value, DriftKind.MISSING_COLUMN.value)
    absent = [drift for drift in incident.findings if drift["kind"] in kinds]
    elsewhere = {drift["id"] for drift in absent if _is_in_another_copy(drift, incident)}
    faked = {id_ for cause in incident.before["causes"] if cause["verdict"] == "fake" for id_ in cause["drifts"]}
    never = faked - elsewhere
    others = {drift["id"] for drift in absent} - never - elsewhere
    for ids, words in (
        (elsewhere, "was in another copy of its table"),
        (never, "was never made, by all that history tells, and so held nothing"),
        (others, "was nowhere: what it may have held is not known"),
    ):
        drifts = [drift for drift in absent if drift["id"] in ids]
        if drifts:
            names = listed([object_of(drift) for drift in drifts], 2)
            yield f"{names} {words if len(drifts) == 1 else words.replace('was', 'were', 1)}"


def _is_in_another_copy(drift: JSON, incident: Incident) -> bool:
    table = incident.tables_by_name.get(table_of(drift), {"found": ()})
    return any(drift["object"] in copy["columns"] for copy in table["found"])


def _total(fates: Sequence[TableFate]) -> str:
    """Their rows, in the words of the plan: how many tables hold them, and how many are empty."""
    known = [fate.rows for fate in fates if fate.rows is not None]
    filled, gaps = sum(rows > 0 for rows in known), len(fates) - len(known)
    empty = len(known) - filled
    parts = [f"{counted(sum(known), 'row')} in {counted(filled, 'table')}"] if filled else []
    if empty:
        parts.append(f"{counted(empty, 'table')} empty" if filled else f"no row in {counted(empty, 'table')}")
    if gaps:
        parts.append(f"{counted(gaps, 'table')} whose rows were not counted")
    return ", ".join(parts)


def _schemas(fates: Iterable[TableFate]) -> str:
    return listed(sorted({place["schema"] for fate in fates for place in fate.places}), 3)


def _prevention_in_words(incident: Incident) -> str:
    now = incident.after or incident.before
    lands, target = now["creation_schema"], now["target_schema"]
    if lands == target:
        settings = f"a table that is made over this connection now lands in {target}, where it belongs"
    else:
        settings = f"nothing yet: a table that is made over this connection now lands in {lands or 'no schema'}"
    return f"{settings}; whether cascade check stands guard in CI is not known from here"


def _open_in_words(incident: Incident) -> str:
    """What is left of it: findings, pages that fail all the same, copies that wait for somebody to drop them."""
    remains = list(_remains_in_words(incident))
    left = incident.left
    if left is None:
        if incident.outcome is Outcome.NOT_LOOKED:
            remains.insert(0, "not known, since nobody has looked after the repair")
        elif incident.outcome is Outcome.IN_COMMIT:
            remains.insert(0, "not known, since nobody has looked after the COMMIT")
        else:
            remains.insert(0, f"all of it: {counted(len(incident.findings), 'finding')}")
    elif left:
        remains.insert(0, f"{counted(len(left), 'finding')} ({listed([object_of(drift) for drift in left], 3)})")
    elif not incident.after or not incident.after["complete"]:
        remains.insert(0, "nothing that could be checked")
    return "; ".join(remains) or "nothing"


def _remains_in_words(incident: Incident) -> Iterator[str]:
    if incident.still_failing:
        yield _still_failing_in_words(incident)
    aside = incident.put_aside
    if aside:
        names = listed([f"{copy.attic}.{copy.table}" for copy in aside], 3)
        yield f"{counted(len(aside), 'copy', 'copies')} put aside, to be looked at and dropped ({names})"
    if incident.copies_left:
        names = listed([object_of(drift) for drift in incident.copies_left], 3)
        yield f"{counted(len(incident.copies_left), 'copy', 'copies')} left elsewhere, breaking nothing ({names})"


def _still_failing_in_words(incident: Incident) -> str:
    still = incident.still_failing
    fail = "page still fails" if len(still) == 1 else "pages still fail"
    return f"{len(still)} {fail} ({listed([page.name for page in still], 3)})"


def _status(incident: Incident) -> str:
    status = _OUTCOMES[incident.outcome]
    if incident.still_failing and incident.outcome not in UNREPAIRED:
        return f"{status}, and {_still_failing_in_words(incident)}"
    return status


def _facts(incident: Incident) -> Iterator[tuple[str, Line]]:
    if incident.outcome is Outcome.HEALTHY:
        return
    yield "Status", (Strong(capital(_status(incident))),)
    yield "Not right since", (moment(incident.began) if incident.began else "not known",)
    if incident.outcome not in UNREPAIRED:
        latest = "at the latest " if incident.by_hand and incident.ended else ""
        yield "Put right", (f"{latest}{moment(incident.ended)}" if incident.ended else "not known",)
    lasted = incident.lasted
    yield (
        "Duration",
        ((duration(lasted) + (", at most" if incident.by_hand else "")) if lasted is not None else "not known",),
    )
    broken, risky = _by_severity(incident.findings)
    apps = sorted({drift["app"] or "no app" for drift in incident.findings})
    each = by_app(d["app"] for d in incident.findings) if len(incident.findings) <= MANY else f"of {listed(apps, 4)}"
    yield "Findings", (f"{broken} broken, {risky} risky ({each})",)
    yield "Pages", (capital(_pages_in_words(incident)),)
    yield "Rows lost", (capital(_rows_in_words(incident)),)
    yield "What stops the next", (capital(_prevention_in_words(incident)),)
    yield "Open", (capital(_open_in_words(incident)),)


def _apps(incident: Incident) -> Grid:
    """Where one begins to read when there is much: a row for each app."""
    of_app: dict[str, list[JSON]] = {}
    for drift in incident.findings:
        of_app.setdefault(drift["app"], []).append(drift)
    return Grid(
        ("app", "findings", "broken", "risky", "what", "gone now"),
        tuple(
            (
                (Code(app),) if app else ("no app",),
                *((f"{number}",) for number in (len(drifts), *_by_severity(drifts))),
                (kinds_in_words(drifts),),
                (_gone(drifts, incident),),
            )
            for app, drifts in sorted(of_app.items())
        ),
        right=frozenset((1, 2, 3)),
    )


def _by_severity(drifts: Sequence[JSON]) -> tuple[int, int]:
    broken = sum(drift["severity"] == Severity.BROKEN.value for drift in drifts)
    return broken, len(drifts) - broken


def _gone(drifts: Sequence[JSON], incident: Incident) -> str:
    gone = sum(drift["id"] in incident.cured for drift in drifts)
    if gone == len(drifts):
        return "all"
    looked = incident.left is not None or incident.journal is not None
    return f"{gone} of {len(drifts)}" if looked else "not known"

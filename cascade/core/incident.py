"""What a report tells of an incident, worked out of what was kept of it: plans, a journal, results of probes.

All of it may be missing but the plan, and what is missing is told apart from what is known to be none.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property

from cascade.core.documents import JSON, moment_of, serious, table_of
from cascade.core.findings import DriftKind, Severity
from cascade.core.journal import Journal
from cascade.core.layout import TableName
from cascade.core.probe_results import ProbeResult


class Outcome(Enum):
    """How the incident stands, as far as is known."""

    HEALTHY = "nothing is amiss"
    OPEN = "nothing has been done yet"
    REPAIRED = "repaired"
    PARTLY = "partly repaired"
    NOT_LOOKED = "the repair is committed, and nobody has looked since"
    NOT_COMMITTED = "the repair was begun and nothing of it is known to be committed"
    IN_COMMIT = "a COMMIT was sent and never answered"
    UNDONE = "the repair was taken back"


class Fate(Enum):
    """What became of the rows of a table."""

    KEPT = "the same relation, in its place"
    WAITING = "where it was, nothing has been done yet"
    STILL_NOWHERE = "in no schema, as before"
    BACK = "back where it was, the repair was taken back"
    MADE_ANEW = "made anew: what it held before, if anything, is not brought back"
    OTHER = "another relation of that name is in its place"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that ran, or by hand must have run; ``at`` and ``milliseconds`` are None where nobody noted them."""

    step: str
    sql: str
    at: str | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class TableFate:
    """A table with a finding of place or existence: where it was, with how many rows, and what became of it."""

    schema: str
    table: str
    places: tuple[JSON, ...]
    rows: int | None
    fate: Fate

    @property
    def name(self) -> str:
        """As it is written in the plan."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class PutAside:
    """A copy that the repair put into the attic, where it stays until a person drops it; ``rows`` None: not counted."""

    schema: str
    table: str
    attic: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class PageFate:
    """A probe before the repair and after it; None where it was not asked then."""

    name: str
    user: str
    before: ProbeResult | None
    after: ProbeResult | None


@dataclass(frozen=True, slots=True)
class RepairFile:
    """The file of a repair migration: its name, its text, and its app as far as its folder tells."""

    name: str
    text: str
    app: str = ""

    def is_recorded_as(self, migration: str) -> bool:
        """Whether that record, ``app.name``, is of this file."""
        app, _, name = migration.partition(".")
        return name == self.name.removesuffix(".py") and self.app in ("", app)


@dataclass(frozen=True)
class Incident:
    """What was kept: the plan before, the plan or look afterwards, the journal, the results of probes.

    ``by_hand``: there are two looks and no journal, so that statements are inferred from what changed between them.
    ``migration`` is the file of the repair migration, if one is named. ``measured`` is what each
    page failed at in its turn, where the pages were asked for that. ``healthy_at``: when nothing was amiss before that.
    """

    before: JSON
    after: JSON | None = None
    journal: Journal | None = None
    probes: tuple[ProbeResult, ...] = ()
    by_hand: bool = False
    migration: RepairFile | None = None
    measured: tuple[JSON, ...] = ()
    healthy_at: str = ""

    # ------------------------------------------------------------------------------------------------------- findings

    @cached_property
    def findings(self) -> tuple[JSON, ...]:
        """What was broken or risky before the repair, in scope; worst first."""
        return tuple(serious(self.before["drifts"]))

    @cached_property
    def left(self) -> tuple[JSON, ...] | None:
        """What is broken or risky afterwards, None where nobody has looked."""
        if self.after is None:
            return None
        return tuple(serious((*self.after["drifts"], *self.after["left_out"])))

    @cached_property
    def cured(self) -> frozenset[str]:
        """The findings that are gone, by what was looked at afterwards, else by the steps that are committed."""
        if self.left is not None:
            return self._gone
        done = self.committed if self.journal and not self.journal.undone else ()
        steps = [step for step in self.before["steps"] if step["id"] in done]
        return frozenset(cure for step in steps for cure in step["cures"])

    @cached_property
    def _gone(self) -> frozenset[str]:
        ids = {drift["id"] for drift in self.findings}
        return frozenset(ids - {drift["id"] for drift in self.left or ()}) if self.left is not None else frozenset()

    @cached_property
    def committed(self) -> tuple[str, ...]:
        """The steps of the journal that are committed, by their ids.

        Whether a COMMIT holds that was never answered is known by a later look alone: what its steps cure is gone.
        """
        if self.journal is None:
            return ()
        unanswered = [step.id for steps in self.journal.in_flight.values() for step in steps] if self._gone else []
        return (*(step.id for step in self.journal.done), *unanswered)

    @cached_property
    def outcome(self) -> Outcome:
        """How it stands."""
        if self.journal is not None:
            if self.journal.undone:
                return Outcome.UNDONE
            if not self.committed:
                asked = not self.journal.in_flight or self.left is not None
                return Outcome.NOT_COMMITTED if asked else Outcome.IN_COMMIT
            if self.left is None:
                return Outcome.NOT_LOOKED
        elif not self.findings:
            return Outcome.HEALTHY
        elif self.left is None:
            return Outcome.OPEN
        if not self.left:
            return Outcome.REPAIRED
        return Outcome.PARTLY if self.cured else Outcome.OPEN

    # ----------------------------------------------------------------------------------------------------------- time

    @cached_property
    def began(self) -> str | None:
        """Since when the layout is wrong: the first moment of a cause of what is broken; None where none is known."""
        broken = {drift["id"] for drift in self.findings if drift["severity"] == Severity.BROKEN.value}
        wanted = broken or {drift["id"] for drift in self.findings}
        moments = [c["first"] for c in self.before["causes"] if c["first"] and wanted.intersection(c["drifts"])]
        return _earliest(moments)

    @cached_property
    def ended(self) -> str | None:
        """When the repair was committed; of a repair by hand only that it was before the second look is known."""
        if self.outcome not in (Outcome.REPAIRED, Outcome.PARTLY, Outcome.NOT_LOOKED):
            return None
        if self.journal is not None:
            return self.journal.committed_at or self.journal.sent_at or None
        return str(self.after["read_at"]) if self.after else None

    @cached_property
    def lasted(self) -> timedelta | None:
        """How long the layout was wrong, at most where the repair was by hand."""
        first, last = moment_of(self.began), moment_of(self.ended)
        return last - first if first and last else None

    # ----------------------------------------------------------------------------------------------------------- done

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """What ran: by the journal; of a repair by hand what has the effect that is seen between the two looks."""
        if self.journal is not None:
            done = set(self.committed)
            # A transaction that was tried again journals its statements again: the last try is the one that counts.
            ran = {
                (event["step"], event["sql"]): Statement(
                    event["step"], event["sql"], event["at"], event.get("milliseconds")
                )
                for event in self._forward_events
                if event["event"] == "statement" and event["step"] in done
            }
            return tuple(ran.values())
        if self.by_hand:
            steps = [step for step in self.before["steps"] if step["cures"] and self.cured.issuperset(step["cures"])]
            return tuple(Statement(step["id"], sql) for step in steps for sql in step["sql"])
        return ()

    @property
    def _forward_events(self) -> Iterator[JSON]:
        """The events up to an undo, whose statements run after the last look at the repair."""
        for event in self.journal.events if self.journal else ():
            if event["event"] == "afterwards":
                return
            yield event

    @cached_property
    def new_records(self) -> tuple[JSON, ...] | None:
        """The migrations that were recorded between the two looks, None where there are no two."""
        if self.after is None:
            return None
        known = {record["migration"] for record in self.before["records"]}
        return tuple(record for record in self.after["records"] if record["migration"] not in known)

    @cached_property
    def chains(self) -> tuple[JSON, ...]:
        """What fails in its turn, after the one before it is repaired: as measured, else by the keys."""
        exact = self.measured or tuple(chain for chain in self.before["cascade"] if chain["source"] == "exact")
        return exact or tuple(self.before["cascade"])

    @cached_property
    def migration_record(self) -> JSON | None:
        """The record of the repair migration at the last look, None where it is not recorded."""
        records = (self.after or self.before)["records"]
        file = self.migration
        return next((r for r in records if file is not None and file.is_recorded_as(r["migration"])), None)

    @cached_property
    def migration_names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of the tables with a finding those that the repair migration names, and those that it does not."""
        tables = list(dict.fromkeys(drift["table"] for drift in self.findings if drift["table"]))
        text = self.migration.text if self.migration is not None else ""
        named = {table for table in tables if re.search(rf"(?<!\w){re.escape(table)}(?!\w)", text)}
        return tuple(t for t in tables if t in named), tuple(t for t in tables if t not in named)

    # ------------------------------------------------------------------------------------------------- rows and pages

    @cached_property
    def fates(self) -> tuple[TableFate, ...]:
        """Of each table that lay elsewhere or nowhere what became of it, in the order of history."""
        of_place: dict[TableName, list[JSON]] = {}
        for drift in self.findings:
            if DriftKind(drift["kind"]).is_about_place:
                of_place.setdefault(table_of(drift), []).append(drift)
        tables = ((table_of(table), table) for table in self.before["tables"])
        return tuple(self._fate(table, of_place[name]) for name, table in tables if name in of_place)

    def _fate(self, table: JSON, drifts: Sequence[JSON]) -> TableFate:
        elsewhere = [copy for copy in table["found"] if copy["schema"] != table["schema"]]
        known = [copy["rows"] for copy in elsewhere]
        rows = sum(known) if known and None not in known else None
        return TableFate(table["schema"], table["table"], tuple(elsewhere), rows, self._became(table, drifts))

    def _became(self, table: JSON, drifts: Sequence[JSON]) -> Fate:
        if self.outcome is Outcome.UNDONE:
            return Fate.BACK
        if self.outcome is Outcome.IN_COMMIT:
            return Fate.UNKNOWN
        if self.outcome in (Outcome.OPEN, Outcome.HEALTHY, Outcome.NOT_COMMITTED):
            return Fate.WAITING
        was_nowhere = any(drift["kind"] == DriftKind.MISSING_TABLE.value for drift in drifts)
        if self.after is None:
            # The journal's COMMIT comes after the proof that each moved table is the same relation and file.
            if not self.cured.issuperset(drift["id"] for drift in drifts):
                return Fate.UNKNOWN
            return Fate.MADE_ANEW if was_nowhere else Fate.KEPT
        there = self._found_afterwards.get(table_of(table), ())
        now = next((copy["oid"] for copy in there if copy["schema"] == table["schema"]), None)
        if now is None:
            return Fate.STILL_NOWHERE if was_nowhere and not there else Fate.WAITING if there else Fate.UNKNOWN
        if was_nowhere:
            return Fate.MADE_ANEW
        places = {copy["oid"]: copy["schema"] for copy in table["found"]}
        if places.get(now) != table["schema"]:
            return Fate.KEPT if now in places else Fate.OTHER
        # It lay in its place before: what became of the other copy is a question of whether that is still amiss.
        return Fate.KEPT if self.cured.issuperset(drift["id"] for drift in drifts) else Fate.WAITING

    @cached_property
    def _found_afterwards(self) -> Mapping[TableName, Sequence[JSON]]:
        """Where each table was found by the later look."""
        return {table_of(node): node["found"] for node in (self.after or {"nodes": ()})["nodes"]}

    @cached_property
    def steps_by_cure(self) -> Mapping[str, Sequence[JSON]]:
        """The steps that cure each finding, in the order of the plan."""
        steps: dict[str, list[JSON]] = {}
        for step in self.before["steps"]:
            for cure in step["cures"]:
                steps.setdefault(cure, []).append(step)
        return steps

    @cached_property
    def tables_by_name(self) -> Mapping[TableName, JSON]:
        """The tables with findings before the repair, by schema and name."""
        return {table_of(table): table for table in self.before["tables"]}

    @cached_property
    def is_touched(self) -> bool:
        """Whether the database may be another than it was before."""
        return self.outcome not in (Outcome.HEALTHY, Outcome.OPEN, Outcome.NOT_COMMITTED)

    @cached_property
    def put_aside(self) -> tuple[PutAside, ...]:
        """The copies that lie in the attic since the repair, in the order of its steps."""
        if self.outcome not in (Outcome.REPAIRED, Outcome.PARTLY, Outcome.NOT_LOOKED):
            return ()
        ran = {statement.step for statement in self.statements}
        steps = [step for step in self.before["steps"] if step["id"] in ran]
        return tuple(self._aside(step) for step in steps if step["action"] in ("exchange_table", "shelve_table"))

    def _aside(self, step: JSON) -> PutAside:
        """Of an exchange it is the copy in the place that the other one takes."""
        place = step["details"]["to"] if step["action"] == "exchange_table" else step
        schema, name = place["schema"], place["table"]
        copies = [copy for table in self.before["tables"] if table["table"] == name for copy in table["found"]]
        rows = next((copy["rows"] for copy in copies if copy["schema"] == schema), None)
        return PutAside(schema, name, step["details"]["attic"], rows)

    @cached_property
    def copies_left(self) -> tuple[JSON, ...]:
        """Copies of tables that are left elsewhere, where they break nothing."""
        drifts = self.after["drifts"] if self.after is not None else ()
        kinds = (DriftKind.DUPLICATED_TABLE.value, DriftKind.SHADOWED_TABLE.value)
        return tuple(d for d in drifts if d["severity"] == Severity.NOTE.value and d["kind"] in kinds)

    @cached_property
    def still_failing(self) -> tuple[PageFate, ...]:
        """The pages that fail after the repair."""
        return tuple(page for page in self.pages if page.after and not page.after.ok)

    @cached_property
    def pages(self) -> tuple[PageFate, ...]:
        """Each probe with what it answered before and after, in the order in which they were first asked."""
        turn = moment_of(self.ended)
        found: dict[tuple[str, str], list[ProbeResult]] = {}
        for result in self.probes:
            found.setdefault((result.name, result.user), []).append(result)
        return tuple(self._page(name, user, results, turn) for (name, user), results in found.items())

    def _page(self, name: str, user: str, results: Sequence[ProbeResult], turn: datetime | None) -> PageFate:
        timed = [(moment_of(result.at), result) for result in results]
        if turn is not None and all(at for at, _ in timed):
            timed.sort(key=lambda entry: entry[0] or turn)
            earlier = [result for at, result in timed if at and at < turn]
            later = [result for at, result in timed if at and at >= turn]
        elif len(results) > 1:
            earlier, later = list(results[:-1]), [results[-1]]  # without times the order of the files has to do
        else:
            earlier, later = list(results), []
        return PageFate(name, user, earlier[-1] if earlier else None, later[-1] if later else None)

    @cached_property
    def not_known(self) -> tuple[str, ...]:
        """What the material does not say, in a sentence each."""
        return tuple(_not_known(self))


def _earliest(moments: Iterable[str]) -> str | None:
    known = [(at, moment) for moment in moments if (at := moment_of(moment))]
    return min(known)[1] if known else None


def _not_known(incident: Incident) -> Iterator[str]:
    if incident.findings or incident.journal is not None:
        yield from _not_known_of_incident(incident)
    for gap in incident.before["not_checked"]:
        yield f"{gap['what']}: {gap['why']}; {gap['how']}."


def _not_known_of_incident(incident: Incident) -> Iterator[str]:
    if incident.began is None:
        yield "Since when the layout is wrong: no cause with a time was found."
    if not incident.probes:
        yield "Which pages failed, and whether they answer now: no results of probes were given (--probes)."
    elif not any(page.after for page in incident.pages):
        yield "Whether the pages answer now: there are no results of probes from after the repair."
    elif not any(page.before for page in incident.pages):
        yield "Which pages failed: there are no results of probes from before the repair."
    yield "When somebody first noticed: a database keeps no record of the errors that it answered."
    if incident.journal is None and not incident.by_hand:
        yield "What has been done: no journal of a repair was given (--journal), nor a later look (--after)."
    if incident.by_hand:
        yield (
            "Which statements were run by hand, by whom and when exactly: only what is different between the two looks "
            "is known."
        )
    if incident.outcome is Outcome.IN_COMMIT and incident.journal is not None:
        (xid,) = list(incident.journal.in_flight)[-1:]
        yield (
            "Whether the repair is committed: the journal ends in the COMMIT, and only the server knows. "
            f"SELECT pg_xact_status('{xid}') there says committed or aborted; a later look (--after) shows it too."
        )
    elif incident.journal is not None and incident.left is None:
        yield "Whether anything is left: nobody has looked since the repair (--after)."
    if incident.migration is None and not incident.new_records:
        yield "Whether the repair was written as a migration for the other environments: none was named (--migration)."
    yield "Whether other environments are in the same state: only this database was read."

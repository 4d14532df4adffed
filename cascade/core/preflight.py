"""Can the plan be run over this connection? Each question with an answer, and what to do about a no."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from cascade.core.answer import Answer
from cascade.core.fingerprint import tables_of
from cascade.core.layout import TableName, quoted
from cascade.core.plan import HazardKind, Plan
from cascade.core.rights_needed import Power, rights_needed

OLD = 60
"""From so many seconds on a transaction is worth a look: an index that is built concurrently waits for it."""


class Verdict(Enum):
    """The answer to one question."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Check:
    """One question of the preflight: what was asked, the answer, what was found, and what to do unless it is yes.

    ``sql`` is what somebody else has to run, with comments that say where and when.
    """

    question: str
    verdict: Verdict
    found: str = ""
    advice: str = ""
    sql: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A database on a server. ``system`` tells clusters apart, copies of one excepted; None where it may not be read.

    ``started`` is when the server was started: of two connections to one server it is the same.
    """

    database: str
    oid: int
    system: int | None
    started: str


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """Somebody's open transaction, its age in seconds where the role may see that; ``table`` is what it has locked."""

    pid: int
    name: str
    age: float | None
    table: str = ""

    def __str__(self) -> str:
        on = f" on {self.table}" if self.table else ""
        age = f"for {self.age:.0f} s" if self.age is not None else "since nobody knows when"
        return f"pid {self.pid} ({self.name or 'unnamed'}){on} {age}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says over the connection that is to repair; ``read_over`` is where the plan was made.

    ``changed`` are differences to what was planned, ``lacking`` rights that the role has not, in a phrase each.
    ``shares_its_backend``: a second connection gets the same one; ``alone`` is why there is none, ``""`` where there
    is. ``hidden`` counts open transactions whose age the role may not see; ``standbys`` counts replicas, ``lag`` is how
    many seconds the last one is behind, as far as it can be seen. ``waits_for_standby``: COMMIT waits for a standby,
    and none is attached. ``slots`` send all tables to readers that know of no publication. ``journal`` is why it cannot
    be written, ``""`` where it can; ``earlier_journal`` the name by which one that is there will be kept.
    """

    here: ServerIdentity
    read_over: ServerIdentity
    changed: tuple[str, ...]
    shares_its_backend: bool
    alone: str
    in_recovery: bool
    read_only: bool
    role: str
    lacking: tuple[str, ...]
    in_the_way: tuple[OpenTransaction, ...]
    oldest: OpenTransaction | None
    hidden: int
    prepared: int
    lock_room: int
    standbys: int
    lag: float | None
    waits_for_standby: bool
    slots: tuple[str, ...]
    event_triggers: tuple[str, ...]
    journal: str
    earlier_journal: str


def make_checks(answer: Answer, facts: Facts, *, allowed: frozenset[HazardKind], journal: str) -> tuple[Check, ...]:
    """The questions that a plan has to be asked before it is run, in the order of what matters first."""
    plan = answer.plan
    asked: tuple[Callable[[], Check], ...] = (
        lambda: _same_database(facts),
        lambda: _same_objects(answer, facts),
        lambda: _connection(answer, facts),
        lambda: _second_connection(facts),
        lambda: _rights(plan, facts),
        lambda: _in_the_way(facts),
        lambda: _oldest(facts),
        lambda: _lock_room(plan, facts),
        lambda: _replicas(facts),
        lambda: _replication(plan, facts, allowed),
        lambda: _event_triggers(facts),
        lambda: _hazards(plan, allowed),
        lambda: _journal(journal, facts),
    )
    return tuple(ask() for ask in asked)


def may_go_on(checks: Iterable[Check]) -> bool:
    """Whether no answer is a no."""
    return all(check.verdict is not Verdict.NO for check in checks)


def locked_tables(plan: Plan, *, healthy: bool) -> tuple[TableName, ...]:
    """The tables that the steps lock, those with a drift or those without."""
    return tuple(sorted({lock.table for step in plan.steps for lock in step.locks if lock.healthy is healthy}))


def _same_database(facts: Facts) -> Check:
    question, here, there = "same database", facts.here, facts.read_over
    if here.database != there.database:
        found = f"this is {here.database}, the plan is for {there.database}"
        return Check(question, Verdict.NO, found, _ELSEWHERE)
    unknown = here.system is None or there.system is None
    same_server = here.started == there.started if unknown else here.system == there.system
    if same_server and here.oid == there.oid:
        return Check(question, Verdict.YES, here.database)
    if unknown and here.oid == there.oid:
        return Check(question, Verdict.CANNOT_TELL, f"{here.database}; the server does not say which it is", _ELSEWHERE)
    return Check(question, Verdict.NO, f"this is another {here.database} than the one that was read", _ELSEWHERE)


_ELSEWHERE = "Give the --dsn or --apply-database of the database that the plan is for."


def _same_objects(answer: Answer, facts: Facts) -> Check:
    question = "same objects as planned"
    if facts.changed:
        return Check(question, Verdict.NO, "; ".join(facts.changed), "Make a new plan: cascade plan -o plan.json.")
    found = [answer.observed.layout.tables.get(name) for name in tables_of(answer.plan.steps)]
    tables = [table for table in found if table is not None]
    objects = sum(len(t.columns) + len(t.constraints) + len(t.indexes) for t in tables)
    return Check(question, Verdict.YES, f"{len(tables):,} tables with {objects:,} columns, constraints and indexes")


def _connection(answer: Answer, facts: Facts) -> Check:
    """A pooler that gives a backend to one transaction at a time gives two of its clients the same one."""
    question = "connection"
    if facts.shares_its_backend:
        found = "two connections got the same backend: a pooler in transaction mode is between"
        advice = "Locks of a session would be left behind. Connect to PostgreSQL itself: --dsn."
        return Check(question, Verdict.NO, found, advice)
    if facts.in_recovery:
        return Check(question, Verdict.NO, "it is a read-only replica", "Connect to the primary: --dsn.")
    found = f"a backend of its own, primary, as {quoted(facts.role)}"
    if facts.read_only:
        found += "; default_transaction_read_only is on, which the repair sets off for itself"
    if facts.role == answer.placement.role:
        advice = "Name the role that migrates, if there is one: --apply-database or --dsn."
        return Check(question, Verdict.CANNOT_TELL, f"{found}, who serves the pages too", advice)
    return Check(question, Verdict.YES, found)


def _second_connection(facts: Facts) -> Check:
    question = "second connection"
    if facts.alone:
        advice = "Nobody sees who waits for us: all is rolled back once locks are held for longer than --max-wait."
        return Check(question, Verdict.CANNOT_TELL, facts.alone, advice)
    return Check(question, Verdict.YES, "it watches who waits for us")


def _rights(plan: Plan, facts: Facts) -> Check:
    many = len(plan.steps)
    question = f"rights for each of {many} steps" if many > 1 else "rights for the step"
    if facts.lacking:
        more = f"; and {len(facts.lacking) - 3} more" if len(facts.lacking) > 3 else ""
        advice = "Connect as the owner or a superuser: --dsn or --apply-database."
        return Check(question, Verdict.NO, f"{'; '.join(facts.lacking[:3])}{more}", advice)
    schemas = sorted({quoted(need.schema) for need in rights_needed(plan, None) if need.power is Power.CREATE_IN})
    creates = f", and may create in {', '.join(schemas)}" if schemas else ""
    return Check(question, Verdict.YES, f"it owns all that they alter{creates}")


def _in_the_way(facts: Facts) -> Check:
    question = "nobody in the way"
    if not facts.in_the_way:
        return Check(question, Verdict.YES, "no session has a lock that a step would wait for")
    who = ", ".join(map(str, facts.in_the_way[:3]))
    more = f" and {len(facts.in_the_way) - 3} more" if len(facts.in_the_way) > 3 else ""
    return Check(question, Verdict.CANNOT_TELL, who + more, "The repair waits shortly, rolls back and tries again.")


def _oldest(facts: Facts) -> Check:
    question = "no old transaction"
    if facts.prepared:
        found = f"{facts.prepared} prepared"
        return Check(question, Verdict.CANNOT_TELL, found, "They hold their locks until somebody ends them.")
    if facts.oldest is not None and (facts.oldest.age or 0) >= OLD:
        return Check(
            question, Verdict.CANNOT_TELL, str(facts.oldest), "Indexes that are built concurrently wait for it."
        )
    age = f"the oldest is {facts.oldest.age or 0:.0f} s old" if facts.oldest else "none is open"
    if facts.hidden:
        advice = "A member of pg_read_all_stats sees those of all roles."
        found = f"{age}, but for {facts.hidden} that {quoted(facts.role)} may not see"
        return Check(question, Verdict.CANNOT_TELL, found, advice)
    return Check(question, Verdict.YES, age)


def _lock_room(plan: Plan, facts: Facts) -> Check:
    # A table takes a lock for itself, and one for each index and sequence; ten are generous.
    wanted = 10 * (len(locked_tables(plan, healthy=True)) + len(locked_tables(plan, healthy=False)))
    verdict = Verdict.YES if wanted < facts.lock_room else Verdict.NO
    found = f"about {wanted:,} locks of {facts.lock_room:,}"
    return Check("room in the lock table", verdict, found, "Repair app by app: cascade plan --app.")


def _replicas(facts: Facts) -> Check:
    question = "replicas"
    if facts.waits_for_standby:
        found = "COMMIT would wait, with all its locks: synchronous_standby_names wants a standby, and none is attached"
        return Check(question, Verdict.NO, found, "Bring the standby back, or take it out of that setting.")
    if not facts.standbys:
        return Check(question, Verdict.YES, "none attached")
    behind = f"at most {facts.lag:.1f} s behind" if facts.lag is not None else "how far behind is not to be seen"
    found = f"{facts.standbys}, {behind}; whether they read these tables is not known here"
    return Check(question, Verdict.CANNOT_TELL, found, "The locks are taken there too: who reads these tables waits.")


def _replication(plan: Plan, facts: Facts, allowed: frozenset[HazardKind]) -> Check:
    question = "publications and slots"
    found = {hazard: None for step in plan.steps for hazard in step.hazards if hazard.kind is HazardKind.REPLICATION}
    if found:
        verdict = Verdict.CANNOT_TELL if HazardKind.REPLICATION in allowed else Verdict.NO
        advice = "Whether subscribers have what they need is not known here. They need:"
        sentences = [hazard.sentence for hazard in found]
        more = f"; and {len(sentences) - 3} more" if len(sentences) > 3 else ""
        sql = _by_occasion(line for hazard in found for line in hazard.sql)
        return Check(question, verdict, "; ".join(sentences[:3]) + more, advice, sql)
    if facts.slots:
        who = f"{', '.join(facts.slots)} may send these tables"
        return Check(question, Verdict.CANNOT_TELL, who, "Its reader will meet them under their new names.")
    return Check(question, Verdict.YES, "none that these tables belong to, or come into")


def _by_occasion(lines: Iterable[str]) -> tuple[str, ...]:
    """The statements under their comments that say when, each comment once, what comes after the repair last."""
    parts: dict[str, list[str]] = {}
    statements: list[str] = []
    for line in lines:
        if line.startswith("-- "):
            statements = parts.setdefault(line, [])
        else:
            statements.append(line)
    occasions = sorted(parts, key=lambda occasion: "after the repair" in occasion)
    return tuple(line for occasion in occasions for line in (occasion, *dict.fromkeys(parts[occasion])))


def _event_triggers(facts: Facts) -> Check:
    question = "event triggers"
    if not facts.event_triggers:
        return Check(question, Verdict.YES, "none that DDL fires")
    names = ", ".join(map(quoted, facts.event_triggers))
    return Check(question, Verdict.CANNOT_TELL, f"DDL fires {names}", "Rehearse first: cascade rehearse plan.json.")


def _hazards(plan: Plan, allowed: frozenset[HazardKind]) -> Check:
    question = "hazards to accept"
    wanting = {hazard.kind for step in plan.steps for hazard in step.hazards if hazard.kind.needs_consent}
    if wanting - allowed:
        words = ",".join(sorted(kind.value for kind in wanting - allowed))
        return Check(question, Verdict.NO, words, f"Read what the plan says of them, then --allow {words}.")
    words = ", ".join(sorted(kind.value for kind in wanting))
    return Check(question, Verdict.YES, f"{words}, by --allow" if words else "none")


def _journal(journal: str, facts: Facts) -> Check:
    if facts.journal:
        return Check("journal", Verdict.NO, facts.journal, "Name another file with --journal.")
    earlier = f"; the earlier one, of which nothing is left, is kept as {facts.earlier_journal}"
    return Check("journal", Verdict.YES, f"{journal}, writable{earlier if facts.earlier_journal else ''}")

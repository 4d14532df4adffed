"""What the server says of the connection that is to repair. Reads only; each query for itself."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cascade.core.layout import TableName, quoted
from cascade.core.plan import HazardKind, Plan
from cascade.core.preflight import Check, Verdict

Open = Callable[[], Any]
"""Opens another session with the same settings, as a context manager that yields its cursor."""


def read_preflight(
    plan: Plan, cursor: Any, open_another: Open, *, database: str, application_role: str, allowed: Iterable[HazardKind]
) -> tuple[Check, ...]:
    """The questions that a plan has to be asked over the connection that is to run it."""
    tables = tuple(sorted({lock.table for step in plan.steps for lock in step.locks}))
    questions: tuple[Callable[[], Check], ...] = (
        lambda: _database(cursor, database),
        lambda: _own_session(cursor, open_another),
        lambda: _primary(cursor),
        lambda: _role(cursor, application_role),
        lambda: _rights(plan, cursor),
        lambda: _sessions(tables, cursor),
        lambda: _old_transactions(cursor),
        lambda: _locks_enough(tables, cursor),
        lambda: _event_triggers(cursor),
        lambda: _consent(plan, frozenset(allowed)),
    )
    return tuple(ask() for ask in questions)


def _one(cursor: Any, query: str, parameters: Sequence[Any] = ()) -> Any:
    cursor.execute(query, list(parameters) or None)
    return cursor.fetchone()


def _database(cursor: Any, database: str) -> Check:
    (here,) = _one(cursor, "SELECT current_database()")
    question = "the database is the plan's"
    if here == database:
        return Check(question, Verdict.YES, here)
    return Check(question, Verdict.NO, f"this is {here}, the plan is for {database}", "Give the right --dsn or alias.")


def _own_session(cursor: Any, open_another: Open) -> Check:
    """A pooler that gives a backend to one transaction at a time gives two of its clients the same one."""
    question = "the session has a backend of its own"
    (pid,) = _one(cursor, "SELECT pg_catalog.pg_backend_pid()")
    with open_another() as other:
        (theirs,) = _one(other, "SELECT pg_catalog.pg_backend_pid()")
    if pid == theirs:
        return Check(
            question,
            Verdict.NO,
            "two connections got the same backend: a pooler in transaction mode is between",
            "Locks of a session would be left behind. Connect to PostgreSQL itself: --dsn.",
        )
    return Check(question, Verdict.YES, f"pid {pid}")


def _primary(cursor: Any) -> Check:
    recovering, read_only = _one(
        cursor, "SELECT pg_catalog.pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean"
    )
    question = "the server takes writes"
    if recovering:
        return Check(question, Verdict.NO, "it is a read-only replica", "Connect to the primary: --dsn.")
    if read_only:
        return Check(question, Verdict.YES, "default_transaction_read_only is on, and the repair's transaction is not")
    return Check(question, Verdict.YES)


def _role(cursor: Any, application_role: str) -> Check:
    (role,) = _one(cursor, "SELECT current_user::text")
    question = "the role is not the one that serves pages"
    if role == application_role:
        return Check(
            question,
            Verdict.CANNOT_TELL,
            f"both are {quoted(role)}",
            "Name the one that migrates: --apply-database or --dsn.",
        )
    return Check(question, Verdict.YES, quoted(role))


def _rights(plan: Plan, cursor: Any) -> Check:
    """Who alters a table has to own it, and to put one into a schema takes CREATE there (ALTER TABLE, Notes)."""
    question = "the role may do every step"
    lacking = []
    for table in sorted({step.locks[0].table for step in plan.steps if step.locks}):
        row = _one(cursor, _OWNERSHIP, [table.schema, table.name])
        if row is not None and not row[0]:
            lacking.append(f"{table} belongs to {quoted(row[1])}")
    for schema in sorted({step.table.schema for step in plan.steps}):
        row = _one(cursor, _MAY_CREATE, [schema])
        if row is not None and not row[0]:
            lacking.append(f"it may not create in {quoted(schema)}")
    if lacking:
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        return Check(
            question, Verdict.NO, f"{'; '.join(lacking[:3])}{more}", "Connect as the owner or a superuser: --dsn."
        )
    return Check(question, Verdict.YES)


_OWNERSHIP = """
SELECT pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.pg_get_userbyid(c.relowner)::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

_MAY_CREATE = "SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = %s"


def _sessions(tables: Sequence[TableName], cursor: Any) -> Check:
    """Locks that a step would wait for. Not what the sessions run, for that may hold values."""
    question = "nobody is in the way"
    cursor.execute(_HOLDERS, [[str(table) for table in tables]])
    found = cursor.fetchall()
    if not found:
        return Check(question, Verdict.YES)
    who = ", ".join(f"pid {pid} ({name or 'unnamed'}) on {table} for {age} s" for pid, name, table, age in found[:3])
    return Check(question, Verdict.CANNOT_TELL, who, "The repair waits shortly, rolls back and tries again.")


_HOLDERS = """
SELECT a.pid, a.application_name, l.relation::regclass::text, extract(epoch FROM now() - a.xact_start)::integer
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND a.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation IN (SELECT pg_catalog.to_regclass(name) FROM unnest(%s::text[]) AS name)
ORDER BY 4 DESC, 1 LIMIT 10
"""


def _old_transactions(cursor: Any) -> Check:
    """An index that is built concurrently waits for every older transaction (CREATE INDEX)."""
    question = "no transaction is old"
    row = _one(
        cursor,
        "SELECT pid, application_name, extract(epoch FROM now() - xact_start)::integer "
        "FROM pg_catalog.pg_stat_activity WHERE xact_start < now() - interval '1 minute' "
        "AND pid <> pg_catalog.pg_backend_pid() AND datname = current_database() ORDER BY xact_start LIMIT 1",
    )
    (prepared,) = _one(cursor, "SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()")
    if prepared:
        return Check(
            question, Verdict.CANNOT_TELL, f"{prepared} prepared transactions", "They hold their locks for ever."
        )
    if row is None:
        return Check(question, Verdict.YES)
    return Check(question, Verdict.CANNOT_TELL, f"pid {row[0]} ({row[1] or 'unnamed'}) for {row[2]} s")


def _locks_enough(tables: Sequence[TableName], cursor: Any) -> Check:
    question = "the lock table has room"
    per_transaction, connections = _one(
        cursor,
        "SELECT current_setting('max_locks_per_transaction')::integer, current_setting('max_connections')::integer",
    )
    # A table takes a lock for itself, and one for each index and sequence; ten are generous.
    wanted, room = len(tables) * 10, per_transaction * connections
    verdict = Verdict.YES if wanted < room else Verdict.NO
    return Check(question, verdict, f"about {wanted:,} of {room:,}", "Repair app by app: cascade plan --app.")


def _event_triggers(cursor: Any) -> Check:
    question = "no event trigger interferes"
    cursor.execute(
        "SELECT evtname::text FROM pg_catalog.pg_event_trigger WHERE evtenabled IN ('O', 'A') AND evtevent <> 'login' "
        "ORDER BY 1"
    )
    names = [name for (name,) in cursor.fetchall()]
    if not names:
        return Check(question, Verdict.YES)
    return Check(question, Verdict.CANNOT_TELL, f"DDL fires {', '.join(names)}", "Rehearse first: cascade rehearse.")


def _consent(plan: Plan, allowed: frozenset[HazardKind]) -> Check:
    question = "hazards are allowed"
    asked = {hazard.kind for step in plan.steps for hazard in step.hazards if hazard.kind.needs_consent} - allowed
    if not asked:
        return Check(question, Verdict.YES)
    words = ",".join(sorted(kind.value for kind in asked))
    return Check(question, Verdict.NO, words, f"Read what the plan says of them, then --allow {words}.")

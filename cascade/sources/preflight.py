"""What the server says of the connection that is to repair. Reads only, and leaves nothing behind."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cascade.core.layout import TableName
from cascade.core.plan import Plan
from cascade.core.preflight import Facts, OpenTransaction, ServerIdentity
from cascade.core.rights_needed import Need, Power, rights_needed
from cascade.errors import DatabaseError, first_line

Open = Callable[[], AbstractContextManager[Any]]
"""Opens another session with the same settings, as a context manager that yields its cursor.

Raises ``DatabaseError`` where none is to be had.
"""


def read_facts(
    plan: Plan,
    cursor: Any,
    *,
    open_another: Open,
    read_over: ServerIdentity,
    changed: tuple[str, ...],
    history: TableName | None,
    journal: Path,
    earlier_journal: Path | None,
) -> Facts:
    """What has to be known before the plan is run over this cursor.

    ``earlier_journal`` is the name by which the journal that is there will be kept.
    """
    shares_its_backend, alone = _beside(cursor, open_another)
    in_recovery, read_only, role, lock_room = _one(cursor, _SESSION)
    standbys, lag, waits = _one(cursor, _STANDBYS)
    return Facts(
        here=read_identity(cursor),
        read_over=read_over,
        changed=changed,
        shares_its_backend=shares_its_backend,
        alone=alone,
        in_recovery=in_recovery,
        read_only=read_only,
        role=role,
        lacking=read_lacking_rights(rights_needed(plan, history), cursor),
        in_the_way=_in_the_way(plan, cursor),
        oldest=_oldest(cursor),
        hidden=_one(cursor, _HIDDEN)[0],
        prepared=_one(cursor, _PREPARED)[0],
        lock_room=lock_room,
        standbys=standbys,
        lag=float(lag) if lag is not None else None,
        waits_for_standby=waits,
        slots=_names(cursor, _SLOTS),
        event_triggers=_names(cursor, _EVENT_TRIGGERS),
        journal=_journal_problem(journal, gives_way=earlier_journal is not None),
        earlier_journal=str(earlier_journal or ""),
    )


def read_identity(cursor: Any) -> ServerIdentity:
    """Which database of which server the cursor is connected to."""
    database, oid, started, may_ask = _one(cursor, _IDENTITY)
    system = _one(cursor, "SELECT system_identifier FROM pg_catalog.pg_control_system()")[0] if may_ask else None
    return ServerIdentity(database, oid, system, started)


def read_lacking_rights(needs: Iterable[Need], cursor: Any) -> tuple[str, ...]:
    """What the cursor's role lacks of these, in a phrase each. What does not exist yet is the plan's to make."""
    lacking = []
    for need in needs:
        row = _one(cursor, _RIGHTS[need.power], {"schema": need.schema, "name": need.name, "detail": need.detail})
        if row is not None and not row[0]:
            lacking.append(need.lacking(row[1]))
    return tuple(dict.fromkeys(lacking))


def _beside(cursor: Any, open_another: Open) -> tuple[bool, str]:
    """Whether a second connection gets the same backend, and why there is none."""
    try:
        with open_another() as other:
            return _one(cursor, _BACKEND) == _one(other, _BACKEND), ""
    except DatabaseError as error:
        return False, first_line(error.__cause__ or error)


def _one(cursor: Any, query: str, parameters: Mapping[str, Any] | None = None) -> Any:
    cursor.execute(query, parameters)
    return cursor.fetchone()


def _names(cursor: Any, query: str) -> tuple[str, ...]:
    cursor.execute(query)
    return tuple(name for (name,) in cursor.fetchall())


def _in_the_way(plan: Plan, cursor: Any) -> tuple[OpenTransaction, ...]:
    """Who holds locks that a step would wait for. Not what the sessions run, for that may hold values."""
    locks = [lock for step in plan.steps for lock in step.locks]
    exclusive = {lock.table for lock in locks if lock.mode.blocks_readers}
    shared = {lock.table for lock in locks if lock.mode.blocks_writers}
    tables = sorted(exclusive | shared)
    columns = {"schemas": [t.schema for t in tables], "names": [t.name for t in tables]}
    cursor.execute(_HOLDERS, {**columns, "exclusive": [table in exclusive for table in tables]})
    return tuple(_transaction(row) for row in cursor.fetchall())


def _oldest(cursor: Any) -> OpenTransaction | None:
    row = _one(cursor, _OLDEST)
    return _transaction(row) if row else None


def _transaction(row: Sequence[Any]) -> OpenTransaction:
    pid, name, age, table = row
    return OpenTransaction(pid, name or "", float(age) if age is not None else None, table)


def _journal_problem(path: Path, *, gives_way: bool) -> str:
    """Why a new journal cannot be written there; tried with a file that has no name."""
    if path.exists() and not gives_way:
        return f"{path} is there already, and may be needed for an undo"
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(b"\n" * 65536)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    return ""


_BACKEND = "SELECT pg_catalog.pg_backend_pid()"

_IDENTITY = """
SELECT d.datname::text, d.oid::bigint, pg_catalog.pg_postmaster_start_time()::text,
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
"""

_SESSION = """
SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::boolean,
       current_user::text,
       pg_catalog.current_setting('max_locks_per_transaction')::integer
       * pg_catalog.current_setting('max_connections')::integer
"""

# A subscriber is seen as a sender as well, and so by the kind of its slot. Who may not see more gets the pids alone.
_STANDBYS = """
SELECT count(*) FILTER (WHERE s.slot_type IS DISTINCT FROM 'logical'),
       max(extract(epoch FROM r.replay_lag)) FILTER (WHERE s.slot_type IS DISTINCT FROM 'logical'),
       count(*) = 0 AND pg_catalog.current_setting('synchronous_standby_names') <> ''
       AND pg_catalog.current_setting('synchronous_commit') NOT IN ('off', 'local')
FROM pg_catalog.pg_stat_replication r
LEFT JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
"""

# By name as catalogs have it: to_regclass() fails where the role may not use the schema.
_HOLDERS = """
SELECT a.pid, a.application_name, extract(epoch FROM pg_catalog.now() - a.xact_start), l.relation::regclass::text
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN unnest(%(schemas)s::text[], %(names)s::text[], %(exclusive)s::boolean[]) AS held(schema, name, exclusive)
  ON held.schema = n.nspname AND held.name = c.relname
WHERE l.locktype = 'relation' AND l.granted AND a.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (held.exclusive OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
ORDER BY 3 DESC NULLS LAST, 1, 4
"""

_OLDEST = """
SELECT pid, application_name, extract(epoch FROM pg_catalog.now() - xact_start), ''
FROM pg_catalog.pg_stat_activity
WHERE xact_start IS NOT NULL AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
  AND datname = pg_catalog.current_database()
ORDER BY xact_start, pid LIMIT 1
"""

# Every transaction locks its own virtual id, which every role may see.
_HIDDEN = """
SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.granted AND a.xact_start IS NULL AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.datname = pg_catalog.current_database()
"""

_PREPARED = "SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()"

_SLOTS = """
SELECT slot_name::text || ' (' || plugin || ')' FROM pg_catalog.pg_replication_slots
WHERE database = pg_catalog.current_database() AND plugin <> 'pgoutput' ORDER BY 1
"""

_EVENT_TRIGGERS = """
SELECT evtname::text FROM pg_catalog.pg_event_trigger
WHERE evtenabled IN ('O', 'A') AND evtevent <> 'login' ORDER BY 1
"""


# ------------------------------------------------------------------------------------------------------------- rights


def _of_table(condition: str) -> str:
    return (
        f"SELECT {condition}, pg_catalog.pg_get_userbyid(c.relowner)::text FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND c.relname = %(name)s"
    )


def _of_schema(condition: str) -> str:
    return (
        f"SELECT {condition}, pg_catalog.pg_get_userbyid(n.nspowner)::text FROM pg_catalog.pg_namespace n "
        "WHERE n.nspname = %(schema)s"
    )


# Who owns these: read by the name that ALTER wants, as the catalog query spells it.
_OWN_OBJECT = """
SELECT pg_catalog.pg_has_role(o.owner, 'USAGE'), pg_catalog.pg_get_userbyid(o.owner)::text
FROM (
  SELECT 'extension' AS kind, 0::oid AS schema, e.extname::text AS name, e.extowner AS owner
  FROM pg_catalog.pg_extension e
  UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.typnamespace, quote_ident(t.typname), t.typowner
  FROM pg_catalog.pg_type t
  UNION ALL
  SELECT 'function', p.pronamespace, quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')', p.proowner
  FROM pg_catalog.pg_proc p
  UNION ALL
  SELECT 'sequence', c.relnamespace, quote_ident(c.relname), c.relowner
  FROM pg_catalog.pg_class c WHERE c.relkind = 'S'
  UNION ALL
  SELECT 'statistics', s.stxnamespace, quote_ident(s.stxname), s.stxowner FROM pg_catalog.pg_statistic_ext s
  UNION ALL
  SELECT 'collation', c.collnamespace, quote_ident(c.collname), c.collowner FROM pg_catalog.pg_collation c
) AS o LEFT JOIN pg_catalog.pg_namespace n ON n.oid = o.schema
WHERE o.kind = %(detail)s AND o.name = %(name)s AND coalesce(n.nspname, '') = %(schema)s
"""

# Of a trusted extension the objects are those of the superuser who would have made it (CREATE EXTENSION, Notes).
_OWN_MEMBERS = """
SELECT pg_catalog.pg_has_role(p.proowner, 'USAGE'), pg_catalog.pg_get_userbyid(p.proowner)::text
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
  AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_proc'::regclass
JOIN pg_catalog.pg_proc p ON p.oid = d.objid
WHERE e.extname = %(name)s ORDER BY 1 LIMIT 1
"""

_RIGHTS: Mapping[Power, str] = {
    Power.OWN_TABLE: _of_table("pg_catalog.pg_has_role(c.relowner, 'USAGE')"),
    Power.OWN_OBJECT: _OWN_OBJECT,
    Power.OWN_MEMBERS: _OWN_MEMBERS,
    Power.CREATE_IN: _of_schema("pg_catalog.has_schema_privilege(n.oid, 'CREATE')"),
    Power.USE: _of_schema("pg_catalog.has_schema_privilege(n.oid, 'USAGE')"),
    Power.MAKE_SCHEMA: (
        "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), '' "
        "WHERE pg_catalog.to_regnamespace(pg_catalog.quote_ident(%(schema)s)) IS NULL"
    ),
    # PostgreSQL 16 asks for SET ROLE; before it, every member might.
    Power.BECOME: (
        "SELECT pg_catalog.pg_has_role(r.oid, CASE WHEN pg_catalog.current_setting('server_version_num')::integer "
        ">= 160000 THEN 'SET' ELSE 'MEMBER' END), '' FROM pg_catalog.pg_roles r WHERE r.rolname = %(name)s"
    ),
    Power.LET_CREATE: (
        "SELECT pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE') OR m.rolsuper, '' FROM pg_catalog.pg_roles r, "
        "pg_catalog.pg_namespace n, pg_catalog.pg_roles m "
        "WHERE r.rolname = %(name)s AND n.nspname = %(schema)s AND m.rolname = current_user"
    ),
    Power.GIVE_ON_TABLE: _of_table(
        "pg_catalog.pg_has_role(c.relowner, 'USAGE') "
        "OR pg_catalog.has_table_privilege(c.oid, %(detail)s || ' WITH GRANT OPTION')"
    ),
    Power.GIVE_ON_SCHEMA: _of_schema(
        "pg_catalog.pg_has_role(n.nspowner, 'USAGE') "
        "OR pg_catalog.has_schema_privilege(n.oid, 'USAGE WITH GRANT OPTION')"
    ),
    Power.REFER_TO: _of_table("pg_catalog.has_any_column_privilege(c.oid, 'REFERENCES')"),
    # SHARE ROW EXCLUSIVE may be taken by whoever may change rows, INSERT alone not being enough (LOCK, Notes).
    Power.LOCK: _of_table("pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')"),
}

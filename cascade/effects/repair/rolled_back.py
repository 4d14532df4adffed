"""A transaction that cannot commit: whoever sends COMMIT in it is refused by the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cascade.core.layout import quoted
from cascade.effects.repair.session import RepairRefused


def refuse_without_temp(cursor: Any) -> None:
    """Raise ``RepairRefused`` where ``make_uncommittable`` would fail, before anything is locked."""
    cursor.execute(
        "SELECT pg_catalog.has_database_privilege(current_database(), 'TEMP'), current_user::text, current_database()"
    )
    may, role, database = cursor.fetchone()
    if not may:
        raise RepairRefused(
            f"Nothing was changed: a rehearsal needs a temporary table, and {role} may not make one in {database}.",
            hint=f"GRANT TEMP ON DATABASE {quoted(database)} TO {quoted(role)}; or rehearse with --clone.",
        )


def make_uncommittable(cursor: Any) -> None:
    """Arm the open transaction: a deferred trigger on a temporary table raises at COMMIT.

    To be called last, for SET CONSTRAINTS ALL IMMEDIATE would fire it too. The role needs TEMP on the database.
    """
    for statement in _ARM:
        cursor.execute(statement)


@contextmanager
def checking_constraints(cursor: Any) -> Iterator[None]:
    """SET CONSTRAINTS may be sent meanwhile: the trigger lets it pass, and is armed again afterwards.

    Where a check fails the transaction is to be rolled back to a savepoint from before, which arms it as well.
    """
    cursor.execute("SET LOCAL cascade.checking_constraints = 'on'")
    yield
    for statement in _REARM:
        cursor.execute(statement)


_REARM = (
    "SET LOCAL cascade.checking_constraints = 'off'",
    "SET CONSTRAINTS pg_temp.cascade_refuse_commit DEFERRED",
    "INSERT INTO pg_temp.cascade_cannot_commit VALUES (true)",
)

_ARM = (
    "CREATE TEMPORARY TABLE cascade_cannot_commit (armed boolean) ON COMMIT DROP",
    "CREATE FUNCTION pg_temp.cascade_refuse_commit() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN IF coalesce(pg_catalog.current_setting('cascade.checking_constraints', true), '') <> 'on' "
    "THEN RAISE EXCEPTION 'a rehearsal cannot be committed'; END IF; RETURN NULL; END$$",
    "CREATE CONSTRAINT TRIGGER cascade_refuse_commit AFTER INSERT ON pg_temp.cascade_cannot_commit "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.cascade_refuse_commit()",
    # Another role that the transaction may go on as has to be able to arm it again.
    "GRANT INSERT ON pg_temp.cascade_cannot_commit TO PUBLIC",
    "INSERT INTO pg_temp.cascade_cannot_commit VALUES (true)",
)

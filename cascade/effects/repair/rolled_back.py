"""A transaction that cannot commit: whoever sends COMMIT in it is refused by the server."""

from typing import Any


def make_uncommittable(cursor: Any) -> None:
    """Arm the open transaction: a deferred trigger on a temporary table raises at COMMIT.

    To be called last, for SET CONSTRAINTS ALL IMMEDIATE would fire it too. The role needs TEMP on the database.
    """
    for statement in _ARM:
        cursor.execute(statement)


_ARM = (
    "CREATE TEMPORARY TABLE cascade_cannot_commit (armed boolean) ON COMMIT DROP",
    "CREATE FUNCTION pg_temp.cascade_refuse_commit() RETURNS trigger LANGUAGE plpgsql AS "
    "$$BEGIN RAISE EXCEPTION 'a rehearsal cannot be committed'; END$$",
    "CREATE CONSTRAINT TRIGGER cascade_refuse_commit AFTER INSERT ON pg_temp.cascade_cannot_commit "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.cascade_refuse_commit()",
    "INSERT INTO pg_temp.cascade_cannot_commit VALUES (true)",
)

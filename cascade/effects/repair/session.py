"""The session that repairs: its own connection, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cascade.effects.own_connection import Settings, own_connection
from cascade.errors import CascadeError, DatabaseError


class ServerLost(DatabaseError):
    """The connection broke. The server rolls back what was not committed."""


class RepairRefused(CascadeError):
    """Nothing was changed, and why."""


@dataclass(frozen=True)
class Session:
    """An open connection in autocommit mode, the settings that open another one, and the backend that serves it."""

    cursor: Any
    settings: Settings
    pid: int


@contextmanager
def repair_session(settings: Settings) -> Iterator[Session]:
    """A session of its own there, closed at the end. Raises ``DatabaseError`` where the server cannot be reached."""
    with own_connection(settings) as cursor:
        cursor.execute(
            "SELECT pg_catalog.set_config('application_name', 'cascade', false), pg_catalog.pg_backend_pid()"
        )
        yield Session(cursor, settings, cursor.fetchone()[1])


def read_only_by_default(settings: Settings) -> Settings:
    """Settings of a session in which whoever gets out of our transaction can write nothing.

    Asked for at the start and not by SET, which a pooler would keep for the next client.
    """
    options = dict(settings.get("OPTIONS") or {})
    options["options"] = f"{options.get('options') or ''} -c default_transaction_read_only=on".strip()
    return {**settings, "OPTIONS": options}


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of an error, as the driver's exception or its cause says, ``""`` where the server said none."""
    codes = (getattr(e, name, None) for e in (error, error and error.__cause__) for name in ("sqlstate", "pgcode"))
    return next((str(code) for code in codes if code), "")


def was_interrupted(error: BaseException) -> bool:
    """Whether Ctrl-C came in the very moment in which the server ended the statement: the driver raises the latter."""
    return isinstance((error.__cause__ or error).__context__, KeyboardInterrupt)


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone: shut down (57P01 to 57P03), or broken without a word."""
    from django.db import InterfaceError, OperationalError

    state = sqlstate(error)
    return state.startswith(("57P", "08")) or (not state and isinstance(error, OperationalError | InterfaceError))

"""A database of its own on a server, there for one run of migrations and gone afterwards."""

import secrets
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from cascade.core.layout import quoted
from cascade.core.observed import Document, Extension
from cascade.effects.own_connection import Settings
from cascade.effects.reference import Report, install_extensions, reference_connection
from cascade.errors import CascadeError, DatabaseError, first_line
from cascade.sources.catalog import CatalogScope, read_table_documents

NOT_FOR_THE_SCRATCH = ("options", "service", "servicefile", "passfile")
"""Parts of a DSN that would send a session elsewhere, or give it another search_path."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the migrations find when they start: schemas, the search_path, extensions and roles."""

    schemas: tuple[str, ...]
    path: tuple[str, ...]
    extensions: tuple[Extension, ...]
    roles: tuple[str, ...] = ()


class ScratchNotDropped(DatabaseError):
    """A scratch database is left over on somebody's server; the message names it."""


@contextmanager
def scratch_database(server: Settings, surroundings: Surroundings, *, report: Report) -> Iterator[Settings]:
    """A new database on that server, dropped at the end whatever happened, Ctrl-C, SIGTERM and SIGHUP included.

    Raises ``DatabaseError`` where the role may not create one, ``ScratchNotDropped`` where it cannot be dropped.
    """
    name = f"cascade_scratch_{secrets.token_hex(4)}"
    with _terminated_as_interrupted():
        try:
            scratch = _create(name, server)
        except KeyboardInterrupt as interrupt:
            _drop(name, server, interrupt)  # the server may have made it all the same
            raise
        failure: BaseException | None = None
        try:
            with reference_connection(scratch) as cursor:
                _furnish(cursor, surroundings, report)
            yield scratch
        except BaseException as error:
            failure = error
            raise
        finally:
            _drop(name, server, failure)


def read_tables(scratch: Settings) -> list[Document]:
    """Every table there in full, as ``catalog.sql`` prints it."""
    with reference_connection(scratch) as cursor:
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        try:
            return read_table_documents(cursor, CatalogScope(histories=(), rows=(), counters=(), names=()))
        finally:
            cursor.execute("ROLLBACK")


def _create(name: str, server: Settings) -> Settings:
    """Make the database; where it is, free of anything that the environment or a service file would add."""
    from django.db import Error

    with reference_connection(server) as cursor:
        try:
            # template1 may hold what somebody left there.
            cursor.execute(f"CREATE DATABASE {quoted(name)} TEMPLATE template0 ENCODING 'UTF8'")
        except Error as error:
            raise DatabaseError(
                f"A scratch database cannot be created on the reference server: {first_line(error)}",
                hint="--reference-dsn takes a role that may (ALTER ROLE … CREATEDB) and a database to connect to, "
                "such as postgres.",
            ) from error
        info = cursor.connection.info
        options = {key: value for key, value in server.get("OPTIONS", {}).items() if key not in NOT_FOR_THE_SCRATCH}
        return {
            "NAME": name,
            "USER": info.user,
            "PASSWORD": info.password or "",
            "HOST": info.host,
            "PORT": str(info.port),
            "OPTIONS": {**options, "options": ""},  # given, if empty: then libpq does not ask PGOPTIONS (34.1.2)
        }


def _furnish(cursor: Any, surroundings: Surroundings, report: Report) -> None:
    _make_roles(cursor, surroundings.roles)
    for schema in surroundings.schemas:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    install_extensions(surroundings.extensions, cursor, report)
    # Set for this role in this database: what is set for the role alone would come before the database's own.
    cursor.execute("SELECT pg_catalog.current_database()")
    database = cursor.fetchone()[0]
    path = ", ".join(map(quoted, surroundings.path))
    cursor.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {quoted(database)} SET search_path = {path}")


def _make_roles(cursor: Any, roles: Sequence[str]) -> None:
    """The roles that are not there yet, so that a migration can grant them something. None of them can log in."""
    if not roles:
        return
    cursor.execute("SELECT rolname FROM pg_catalog.pg_roles")
    there = {row[0] for row in cursor.fetchall()}
    for role in roles:
        if role not in there:
            cursor.execute(f"CREATE ROLE {quoted(role)}")


def _drop(name: str, server: Settings, failure: BaseException | None) -> None:
    from django.db import Error

    try:
        with reference_connection(server) as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted(name)} WITH (FORCE)")
    except (Error, CascadeError) as error:
        before = f"{failure.message} " if isinstance(failure, CascadeError) else ""
        raise ScratchNotDropped(
            f"{before}The scratch database {name} is left on the reference server: {first_line(error)}",
            hint=f"DROP DATABASE {name} WITH (FORCE) removes it.",
        ) from (failure or error)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """What would end the program on the spot ends it as Ctrl-C does: with everything cleared away.

    A signal that is ignored stays so, as SIGHUP under nohup.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    ending = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Termination, and the end of the terminal, which Windows does not signal."""

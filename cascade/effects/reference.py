"""A server other than the target on which the expected side can be made."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cascade.core.layout import quoted
from cascade.core.observed import Extension
from cascade.effects.embedded_server import embedded_server
from cascade.errors import CascadeError, DatabaseError

Report = Callable[[str], None]


@contextmanager
def reference_cursor(reference: str, extensions: tuple[Extension, ...], *, report: Report) -> Iterator[Any]:
    """A cursor on the reference: ``embedded``, or the DSN of a server where temporary tables may be made.

    On the embedded server the target's extensions are installed where the wheel has them; of a server that
    is somebody's nothing but pg_temp is touched. Raises ``DatabaseError`` where it cannot be reached.
    """
    if reference != "embedded":
        with _connected(_settings_of(reference)) as cursor:
            yield cursor
        return
    with (
        tempfile.TemporaryDirectory(prefix="cascade-reference-") as folder,
        embedded_server(Path(folder), report=report) as server,
    ):
        settings = {"NAME": "postgres", "USER": server.user, "HOST": server.host, "PORT": str(server.port)}
        with _connected(settings) as cursor:
            _install(extensions, cursor, report)
            yield cursor


def _install(extensions: tuple[Extension, ...], cursor: Any, report: Report) -> None:
    from django.db import Error

    for extension in extensions:
        try:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(extension.schema)}")
            cursor.execute(
                f"CREATE EXTENSION IF NOT EXISTS {quoted(extension.name)} SCHEMA {quoted(extension.schema)} CASCADE"
            )
        except Error as error:
            report(f"the reference server lacks the extension {extension.name}: {str(error).splitlines()[0]}")


@contextmanager
def _connected(settings: dict[str, Any]) -> Iterator[Any]:
    from django.db import Error
    from django.db.backends.utils import CursorWrapper
    from django.db.utils import ConnectionHandler

    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.postgresql", **settings}})
    connection: Any = handler["default"]
    try:
        connection.ensure_connection()
    except Error as error:
        raise DatabaseError(
            f"The reference server cannot be reached: {str(error).strip().splitlines()[0]}",
            hint="--reference takes a DSN (host=… dbname=… or postgresql://…) or the word embedded.",
        ) from error
    try:
        yield CursorWrapper(connection.connection.cursor(), connection)
    finally:
        connection.close()


def _settings_of(dsn: str) -> dict[str, Any]:
    """The DSN as Django's settings; every part stays what the driver makes of it."""
    try:
        parts = _parsed(dsn)
    except Exception as error:
        raise CascadeError(
            "The reference is neither a DSN nor the word embedded.",
            hint='Write it as "host=127.0.0.1 port=5432 user=me dbname=scratch" or postgresql://me@127.0.0.1/scratch.',
        ) from error
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings: dict[str, Any] = {ours: str(parts.pop(theirs, "") or "") for ours, theirs in named.items()}
    settings["NAME"] = settings["NAME"] or "postgres"
    settings["OPTIONS"] = parts
    return settings


def _parsed(dsn: str) -> dict[str, Any]:
    try:
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        from psycopg2.extensions import parse_dsn  # type: ignore[import-untyped]

        return dict(parse_dsn(dsn))
    return dict(conninfo_to_dict(dsn))

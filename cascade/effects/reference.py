"""A server other than the target on which the expected side can be made."""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from cascade.core.layout import quoted
from cascade.core.observed import Extension
from cascade.effects.embedded_server import embedded_server
from cascade.effects.own_connection import Settings, own_connection
from cascade.errors import CascadeError, first_line

Report = Callable[[str], None]

EMBEDDED = "embedded"


@contextmanager
def reference_cursor(reference: str, extensions: tuple[Extension, ...], *, report: Report) -> Iterator[Any]:
    """A cursor on the reference: ``embedded``, or the DSN of a server where temporary tables may be made.

    On the embedded server the target's extensions are installed where the wheel has them; of a server that
    is somebody's nothing but pg_temp is touched. Raises ``DatabaseError`` where it cannot be reached.
    """
    with reference_server(reference, report=report) as settings, reference_connection(settings) as cursor:
        if reference == EMBEDDED:
            install_extensions(extensions, cursor, report)
        yield cursor


@contextmanager
def reference_server(reference: str, *, report: Report) -> Iterator[Settings]:
    """Where the reference is: an embedded server that runs as long as this lasts, or what the DSN says."""
    if reference != EMBEDDED:
        yield settings_of(reference)
        return
    with (
        tempfile.TemporaryDirectory(prefix="cascade-reference-") as folder,
        embedded_server(Path(folder), report=report) as server,
    ):
        yield {"NAME": "postgres", "USER": server.user, "HOST": server.host, "PORT": str(server.port)}


def reference_connection(settings: Settings) -> AbstractContextManager[Any]:
    """A cursor there. Raises ``DatabaseError`` where the server cannot be reached."""
    hint = f"Is it up, and does its address fit? {_HOW_TO_WRITE_IT}"
    return own_connection(settings, called="The reference server", hint=hint)


def version_of(cursor: Any) -> str:
    """The server's version without the packager's words, such as ``15.18``."""
    cursor.execute("SHOW server_version")
    return str(cursor.fetchone()[0]).split(" ", 1)[0]


def major_of(version: str) -> int:
    """The major version.

    >>> major_of("15.18"), major_of("19beta1")
    (15, 19)
    """
    found = re.match(r"\d+", version)
    return int(found.group()) if found else 0


def install_extensions(extensions: Iterable[Extension], cursor: Any, report: Report) -> None:
    """Install them in the schemas where the target has them; one that the server lacks is reported and left out."""
    from django.db import Error

    for extension in extensions:
        try:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(extension.schema)}")
            cursor.execute(
                f"CREATE EXTENSION IF NOT EXISTS {quoted(extension.name)} SCHEMA {quoted(extension.schema)} CASCADE"
            )
        except Error as error:
            report(f"the reference server lacks the extension {extension.name}: {first_line(error)}")


_HOW_TO_WRITE_IT = (
    'A DSN is written "host=127.0.0.1 port=5432 user=me dbname=scratch" or postgresql://me@127.0.0.1/scratch.'
)


def settings_of(dsn: str) -> Settings:
    """The DSN as Django's settings; every part stays what the driver makes of it. Raises ``CascadeError``."""
    try:
        parts = _parsed(dsn)
    except Exception as error:
        raise CascadeError("What was given is not a DSN.", hint=_HOW_TO_WRITE_IT) from error
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

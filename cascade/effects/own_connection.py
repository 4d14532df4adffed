"""A connection of ours, beside those of the project and apart from its pool."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cascade.errors import DatabaseError, first_line

Settings = Mapping[str, Any]
"""Where a database is and as whom, as an entry of Django's DATABASES says it; the engine may be left out."""


@contextmanager
def own_connection(
    settings: Settings, *, called: str = "", hint: str = "Is the server up, and may this role log in?"
) -> Iterator[Any]:
    """A cursor of the project's own driver there, with Django's exceptions, in autocommit mode.

    Not Django's cursor: backends of tenants set the search_path there. Not its pool either: that is one for each
    alias, whatever the settings say, and keeps what a session has set. Raises ``DatabaseError`` where the server,
    ``called`` so, cannot be reached.
    """
    from django.db import Error
    from django.db.backends.utils import CursorWrapper
    from django.db.utils import ConnectionHandler

    options = {name: value for name, value in (settings.get("OPTIONS") or {}).items() if name != "pool"}
    engine = {"ENGINE": "django.db.backends.postgresql"}
    handler = ConnectionHandler({"default": {**engine, **settings, "OPTIONS": options, "ATOMIC_REQUESTS": False}})
    own: Any = handler["default"]
    try:
        own.ensure_connection()
        own.set_autocommit(True)
    except Error as error:
        where = called or f"The database {settings.get('NAME') or ''}".rstrip()
        raise DatabaseError(f"{where} cannot be reached: {first_line(error)}", hint=hint) from error
    try:
        yield CursorWrapper(own.connection.cursor(), own)
    finally:
        own.close()

"""The project's own connection as cascade uses it: the driver's cursor, and what the server refuses in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cascade.errors import DatabaseError, first_line


@contextmanager
def raw_cursor(connection: Any) -> Iterator[Any]:
    """A cursor of the driver with Django's exceptions, without what a backend does on ``connection.cursor()``.

    Backends of tenants set the search_path there; what is asked here is what the connection came with.
    """
    from django.db.backends.utils import CursorWrapper

    with CursorWrapper(connection.connection.cursor(), connection) as cursor:
        yield cursor


@contextmanager
def database_errors() -> Iterator[None]:
    """What the server refuses, in one sentence."""
    from django.db import Error

    try:
        yield
    except Error as error:
        first = first_line(error)
        raise DatabaseError(
            f"The server refused what cascade asked: {first}",
            hint="Nothing was changed. With --traceback the statement's place is shown.",
        ) from error

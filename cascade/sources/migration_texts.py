"""Where migrations say what they do: in modules, theirs and those of what they call, and in SQL from anywhere."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.db import migrations


def read_modules(of: Iterable[migrations.Migration]) -> tuple[str, ...]:
    """The modules of the migrations, of their operations and of the functions that RunPython calls, by name.

    What those functions call in modules of others is not followed.
    """
    of = tuple(of)
    operations = [*_operations(of)]
    modules = [type(thing).__module__ for thing in (*of, *operations)]
    modules += [_module_of(operation.code) for operation in operations if isinstance(operation, migrations.RunPython)]
    return tuple(dict.fromkeys(modules))


def read_sql(of: Iterable[migrations.Migration]) -> tuple[str, ...]:
    """The SQL that RunSQL holds: a migration may have read it from a file."""
    return tuple(text for operation in _operations(of) for text in _sql(operation))


def _operations(of: Iterable[migrations.Migration]) -> Iterator[Any]:
    return (operation for migration in of for operation in _within(migration.operations))


def _within(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _within(operation.database_operations)


def _module_of(code: Any) -> str:
    while isinstance(code, partial):
        code = code.func
    return str(getattr(code, "__module__", None) or type(code).__module__)


def _sql(operation: Any) -> Iterator[str]:
    """The statements of RunSQL, each as it is written and then the values of its parameters."""
    if isinstance(operation, migrations.RunSQL):
        parts = [operation.sql] if isinstance(operation.sql, str) else operation.sql
        for part in parts:
            yield from (part,) if isinstance(part, str) else (part[0], repr(part[1:]))

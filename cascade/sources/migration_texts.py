"""Where migrations say what they do: in modules, theirs and those of what they call, and in SQL from anywhere."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from django.db import migrations, router

from cascade.core.history import MigrationKey


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


def read_extensions(of: Iterable[migrations.Migration], *, alias: str) -> Mapping[str, MigrationKey]:
    """The extensions that the migrations, given in their order, make in that database, by name, and which makes each.

    Left out are those that RunSQL drops by name, what routers keep from the alias (``CreateExtension``), and operations
    that do it in a way of their own: on a condition, perhaps.
    """
    of = tuple(of)
    drops = "\n".join(text for text in read_sql(of) if re.search(r"\bdrop\s+extension\b", text, re.IGNORECASE))
    made = {name: MigrationKey(each.app_label, each.name) for each in reversed(of) for name in _made_by(each, alias)}
    return {name: made[name] for name in sorted(made) if name not in drops}


def _made_by(migration: migrations.Migration, alias: str) -> Iterator[str]:
    # Where no migration has imported it, none has such an operation; to import it here would need a driver.
    kind: Any = getattr(sys.modules.get("django.contrib.postgres.operations"), "CreateExtension", ())
    for operation in _operations([migration]):
        if not isinstance(operation, kind) or type(operation).database_forwards is not kind.database_forwards:
            continue
        if router.allow_migrate(alias, migration.app_label, **getattr(operation, "hints", {})):
            yield str(operation.name)


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

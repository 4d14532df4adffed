"""The operations of applied migrations that may have written rows, with the names they use. Nothing is run."""

import functools
import re
import types
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import migrations
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

from cascade.core.data_migrations import DataMigration
from cascade.core.history import MigrationKey, Provenance, Record


def read_data_migrations(applied: Iterable[tuple[Migration, Record]]) -> Iterator[DataMigration]:
    """RunPython, and RunSQL that writes rows, of these migrations, each with its record."""
    for migration, record in applied:
        key = MigrationKey(migration.app_label, migration.name)
        for index, operation in enumerate(migration.operations):
            words = frozenset(word.lower() for part in _parts(operation) for word in _words(part))
            if words:
                operation_name = type(operation).__name__
                made_by = Provenance(key, operation_name, index, record.position, record.applied or None)
                yield DataMigration(made_by, words)


def _parts(operation: Operation) -> Iterator[Operation]:
    """The operation, or what it does to the database where it holds others."""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for part in operation.database_operations:
            yield from _parts(part)
    else:
        yield operation


def _words(operation: Operation) -> Iterator[str]:
    if isinstance(operation, migrations.RunPython):
        yield from _words_of_callable(operation.code)
    elif isinstance(operation, migrations.RunSQL):
        texts = [operation.sql] if isinstance(operation.sql, str) else operation.sql
        sql = [text if isinstance(text, str) else str(text[0]) for text in texts]
        if any(_WRITES.search(text) for text in sql):
            for text in sql:
                yield from re.findall(r"\w+", text)


_WRITES = re.compile(r"\b(INSERT\s+INTO|UPDATE|COPY|MERGE\s+INTO)\b", re.IGNORECASE)


def _words_of_callable(code: Any) -> Iterator[str]:
    while isinstance(code, functools.partial):
        code = code.func
    function = code.__func__ if isinstance(code, types.MethodType) else code
    if isinstance(function, types.FunctionType) and function is not migrations.RunPython.noop:
        yield from _words_of_code(function, set())


def _words_of_code(function: types.FunctionType, seen: set[types.FunctionType]) -> Iterator[str]:
    """Names and short texts in the code, and in functions of the same module that it uses."""
    seen.add(function)
    for code in _nested(function.__code__):
        yield from (*code.co_names, *code.co_varnames)
        for constant in code.co_consts:
            for text in constant if isinstance(constant, tuple) else (constant,):
                if isinstance(text, str) and "\n" not in text:
                    yield text
                    yield from re.findall(r"\w+", text)
        for name in code.co_names:
            helper = function.__globals__.get(name)
            if isinstance(helper, types.FunctionType) and helper.__module__ == function.__module__:
                yield from () if helper in seen else _words_of_code(helper, seen)


def _nested(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _nested(constant)

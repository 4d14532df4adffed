"""Where migrations and models are written: file and lines, looked up only for what is shown."""

import ast
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from cascade.core.history import Provenance, SourceLines

Relative = Callable[[str], str]
"""Turns a file's path into the one that is shown."""


def locate_operation(made_by: Provenance, module: str, relative: Relative) -> Provenance:
    """The provenance with file and lines of its operation; of the file alone where the list is not literal."""
    file = _file_of(module)
    if file is None:
        return made_by
    spans = _operation_spans(file)
    first, last = spans[made_by.operation_index] if made_by.operation_index < len(spans) else (1, 1)
    return replace(made_by, source=SourceLines(relative(file), first, last))


def locate_recorded_operation(made_by: Provenance, relative: Relative) -> Provenance:
    """As ``locate_operation``, with the migration's module found by its app; unchanged where that is gone."""
    from django.db.migrations.loader import MigrationLoader

    try:
        package, _ = MigrationLoader.migrations_module(made_by.migration.app)
    except LookupError:
        return made_by
    return locate_operation(made_by, f"{package}.{made_by.migration.name}", relative)


def read_source(module: str) -> str:
    """The text of a module; empty where it is not written as one."""
    file = _file_of(module)
    return Path(file).read_text(encoding="utf-8", errors="replace") if file else ""


def locate_model(model: str, relative: Relative) -> SourceLines | None:
    """Where ``app.Model`` is written now; None where the code has it no more."""
    from django.apps import apps

    try:
        found = apps.get_model(model)
    except (LookupError, ValueError):  # of a table that no model has, the name is empty
        return None
    return locate_class(found.__module__, found.__name__, relative)


def locate_class(module: str, name: str, relative: Relative) -> SourceLines | None:
    """File and lines of a class, decorators included; None where it is not written as one."""
    file = _file_of(module)
    span = _class_spans(file).get(name) if file else None
    return SourceLines(relative(file), *span) if file and span else None


def _file_of(module: str) -> str | None:
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None)
    if file is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        file = spec.origin if spec else None
    return file if file and file.endswith(".py") else None


@cache
def _tree(file: str) -> ast.Module:
    try:
        return ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


@cache
def _operation_spans(file: str) -> tuple[tuple[int, int], ...]:
    """The lines of each element of ``Migration.operations``."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            for statement in node.body:
                if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List):
                    names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
                    if "operations" in names:
                        return tuple((e.lineno, e.end_lineno or e.lineno) for e in statement.value.elts)
    return ()


@cache
def _class_spans(file: str) -> dict[str, tuple[int, int]]:
    spans: dict[str, tuple[int, int]] = {}
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            spans.setdefault(node.name, (first, node.end_lineno or node.lineno))
    return spans

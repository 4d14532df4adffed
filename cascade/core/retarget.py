"""The same value for another schema: what is worded once and finds its schema when it runs."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from cascade.core.layout import Column, TableName, quoted

Value = TypeVar("Value")


def retargeted(value: Value, schema: str, to: str) -> Value:
    """The value with every name in ``schema`` in the schema ``to``, and the defaults that draw from a sequence there.

    Expressions that PostgreSQL printed stay as they are: what they name lies where it lies.

    >>> retargeted((TableName("public", "a"), TableName("other", "b")), "public", "x")
    (TableName(schema='x', name='a'), TableName(schema='other', name='b'))
    """
    changed: Any = _retargeted(value, schema, to)
    found: Value = changed
    return found


def _retargeted(value: Any, schema: str, to: str) -> Any:
    match value:
        case TableName(named, name):
            return TableName(to, name) if named == schema else value
        case tuple():
            return tuple(_retargeted(part, schema, to) for part in value)
        case Column(default=default, sequence=sequence) if default and sequence and sequence.name.schema == schema:
            here, there = f"{quoted(schema)}.", f"{quoted(to)}."
            return replace(value, default=default.replace(here, there), sequence=_parts(sequence, schema, to))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _parts(value, schema, to)
        case _:
            return value


def _parts(value: Any, schema: str, to: str) -> Any:
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    changed = {name: new for name, part in parts.items() if (new := _retargeted(part, schema, to)) is not part}
    return replace(value, **changed) if changed else value

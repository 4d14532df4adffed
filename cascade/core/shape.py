"""Whether a value has the shape that a JSON schema describes: as much of JSON Schema as our own schemas use.

A value that was kept in a file may have been cut, edited, or written by another version.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cascade.core.documents import JSON


def first_misfit(value: Any, schema: JSON) -> str:
    """The first place where the value is not as described, in words; ``""`` where all of it is.

    >>> schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    >>> first_misfit({"id": 1}, schema), first_misfit({}, schema), first_misfit({"id": "a"}, schema)
    ('id is no string', 'id is missing', '')
    """
    return next(_misfits(value, schema, schema.get("$defs", {}), ""), "")


def _misfits(value: Any, schema: JSON, known: JSON, where: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _misfits(value, known[schema["$ref"].removeprefix("#/$defs/")], known, where)
        return
    here = where or "it"
    choices = schema.get("anyOf", schema.get("oneOf", ()))
    if choices and all(any(_misfits(value, choice, known, where)) for choice in choices):
        last = next(_misfits(value, choices[-1], known, where), "")
        yield last or f"{here} is none of what it may be"
        return
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    if types and not any(_is_a(value, name) for name in types):
        yield f"{here} is no {' or '.join(name for name in types if name != 'null')}"
        return
    if ("enum" in schema and value not in schema["enum"]) or ("const" in schema and value != schema["const"]):
        yield f"{here} is {value!r:.60}, which is unknown here"
    if isinstance(value, Mapping):
        yield from (f"{_at(where, key)} is missing" for key in schema.get("required", ()) if key not in value)
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                yield from _misfits(value[key], inner, known, _at(where, key))
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _misfits(item, schema["items"], known, f"{where}[{number}]")


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def _is_a(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name in ("boolean", "object") or not isinstance(value, bool))


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key

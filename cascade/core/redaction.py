"""Names that are not for everybody, replaced: each by the same word wherever it stands.

Rather too much than too little: whatever bears the name of a role or host goes with it, be it something else.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cascade.core.probes import ANONYMOUS, SUPERUSER, USER

_ROLES = frozenset({"owner", "due_owner", "role", "connected_as", "application_role", "app_role"})
_USERS = frozenset({"as", "user", "username"})
_HOSTS = frozenset({"host", "address"})
_FILES = frozenset({"source", "model_source"})
_OUR_OWN = frozenset(
    "kind severity action phase event verdict status constraint_type reference database target_schema plan_id".split()
)
"""Keys whose values are words of the plan itself, or names that stay; what bears the same name is another thing."""
_OF_A_CHAIN = frozenset({"static", "exact"})
"""What the source of a chain may be, which is no file."""
_PUBLIC = frozenset({"", "public", "PUBLIC", "postgres"})
"""Roles that every server has, and so say nothing."""
_ASKED_AS = frozenset({ANONYMOUS, USER, SUPERUSER})
"""Words for who asks a page, which name nobody, and are names of fields elsewhere."""

_IN_SQL = re.compile(r'\b(?:ROLE|OWNER TO|(?:GRANT|REVOKE)\b[^;]*?\b(?:TO|FROM))\s+("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)')
_AT_NAME = re.compile(r"/@([\w.+-]+)")
_ADDRESS = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    # Four groups at least, or a gap: a time of day has three, a cast nothing hexadecimal before its colons.
    r"|(?<![\w:])(?:[\da-fA-F]{1,4}(?::[\da-fA-F]{0,4}){3,7}|[\da-fA-F]{1,4}(?::[\da-fA-F]{1,4})*::[\da-fA-F]{1,4})(?![\w:])"
)
_LINES = re.compile(r":\d+(?:-\d+)?$")
_ROOTS = "app|code|data|etc|home|mnt|opt|private|root|run|srv|tmp|Users|usr|var|work|workspace"
_PATH = re.compile(rf"(?<![\w.@-])/(?:{_ROOTS})(?:/[\w.@+-]+)+/?")


def find_names(documents: Iterable[Any], also: Iterable[str] = ()) -> Mapping[str, str]:
    """What is to be replaced by what, for all of these documents together.

    Hosts, roles, files and folders, and the names of users who asked pages; numbered in the order in which they are
    met. The name of the database and those of tables stay: without them the report says nothing. ``also`` are names
    that only a person knows for such: of ``/users/anna/`` and ``/users/settings/`` one has a name in it.

    >>> find_names([{"connected_as": "anna", "host": "db-1:5432", "query": "ALTER ROLE anna SET x = 1"}])
    {'anna': 'role-1', 'db-1:5432': 'host-1', 'db-1': 'host-1'}
    >>> find_names([{"path": "/users/anna/"}], also=["anna"])
    {'anna': 'name-1'}
    """
    names = {name: f"name-{number}" for number, name in enumerate(dict.fromkeys(also), start=1)}
    numbers: dict[str, int] = {}
    for kind, name in (found for document in documents for found in _met(document, "")):
        if name in names or (kind == "role" and name in _PUBLIC) or not name:
            continue
        numbers[kind] = numbers.get(kind, 0) + 1
        word = f"{kind}-{numbers[kind]}"
        names[name] = word
        if kind == "host" and ":" in name:
            names.setdefault(name.rpartition(":")[0], word)
    return names


def redact(value: Any, names: Mapping[str, str]) -> Any:
    """The same value with every name replaced, whole words alone, in every text of it; keys stay.

    >>> redact({"owner": "anna", "of": ["public.anna_list", "by anna"]}, {"anna": "role-1"})
    {'owner': 'role-1', 'of': ['public.anna_list', 'by role-1']}
    """
    if not names:
        return value
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return _replaced(value, "", pattern, names)


def _replaced(value: Any, key: str, pattern: re.Pattern[str], names: Mapping[str, str]) -> Any:
    match value:
        case str():
            is_ours = key in _OUR_OWN or (key in _FILES and value in _OF_A_CHAIN)
            return value if is_ours else pattern.sub(lambda found: names[found[0]], value)
        case Mapping():
            return {name: _replaced(inner, str(name), pattern, names) for name, inner in value.items()}
        case list() | tuple():
            return [_replaced(inner, key, pattern, names) for inner in value]
        case _:
            return value


def _met(value: Any, key: str) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for name, inner in value.items():
                yield from _met(inner, str(name))
        case list() | tuple():
            for inner in value:
                yield from _met(inner, key)
        case str():
            yield from _met_in_text(value, key)


def _met_in_text(text: str, key: str) -> Iterator[tuple[str, str]]:
    if key in _ROLES:
        yield "role", text
    elif key in _USERS:
        if text not in _ASKED_AS:
            yield "user", text
    elif key in _HOSTS:
        yield "host", text
    elif key in _FILES:
        if text not in _OF_A_CHAIN:
            yield "file", _LINES.sub("", text)
    else:
        yield from (("role", found.strip('"').replace('""', '"')) for found in _IN_SQL.findall(text))
    yield from (("user", found) for found in _AT_NAME.findall(text))
    yield from (("host", found) for found in _ADDRESS.findall(text))
    yield from (("file", found) for found in _PATH.findall(text))

"""Definitions that were read back once, kept between runs in the user's cache folder."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

KEPT = 20
"""Files kept; the least recently used go first."""

FORMAT = 1


def cache_key(statements: Iterable[str], *server: object) -> str:
    """A key over the worded DDL and everything about the server that could spell it differently."""
    digest = hashlib.sha256(json.dumps([FORMAT, *map(str, server)]).encode())
    for statement in statements:
        digest.update(statement.encode() + b"\0")
    return digest.hexdigest()


def load_definitions(key: str) -> Mapping[str, Any] | None:
    """What was kept under this key, or None. A damaged file counts as none."""
    try:
        path = _folder() / f"{key}.json"
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, _NO_HOME):
        return None
    with contextlib.suppress(OSError):
        path.touch()
    return document if isinstance(document, dict) else None


def save_definitions(key: str, document: Mapping[str, Any]) -> None:
    """Keep it, whole or not at all. A folder that cannot be written is no error: the next run reads again."""
    with contextlib.suppress(OSError, _NO_HOME):
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".tmp", delete=False) as file:
            file.write(json.dumps(document, ensure_ascii=False))
        os.replace(file.name, folder / f"{key}.json")
        for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)


_NO_HOME = RuntimeError
"""What ``Path.home`` raises for a user without one, as containers have them."""


def _folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "django-cascade"

"""What ``psql -XAt -f catalog.sql`` wrote, read back."""

import json
from pathlib import Path

from cascade.core.observed import DOCUMENT_VERSION, MalformedDocument, Observed, observed_from
from cascade.errors import FileError

_AGAIN = "Write it again: psql -XAt -d DATABASE -f catalog.sql > observed.json (cascade catalog-sql prints the script)."


def read_observed_file(path: Path) -> Observed:
    """Decode an observed file. Raises ``FileError`` where it is unreadable, corrupt, cut off, older or newer."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileError(f"{path} cannot be read: {reason}.") from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        what = "is empty" if not text.strip() else f"is cut off or is no JSON (line {error.lineno}: {error.msg})"
        raise FileError(f"{path} {what}.", hint=_AGAIN) from error
    version = document.get("cascade_observed") if isinstance(document, dict) else None
    if not isinstance(version, int):
        raise FileError(f"{path} is JSON, but not what catalog.sql writes.", hint=_AGAIN)
    if version > DOCUMENT_VERSION:
        raise FileError(
            f"{path} is of version {version}; this program reads version {DOCUMENT_VERSION}.",
            hint="pip install --upgrade django-cascade",
        )
    if version < DOCUMENT_VERSION:
        raise FileError(
            f"{path} is of version {version}, written by an older catalog.sql; "
            f"this program reads version {DOCUMENT_VERSION}.",
            hint=_AGAIN,
        )
    try:
        return observed_from(document)
    except MalformedDocument as error:
        raise FileError(f"{path} lacks a part of what catalog.sql writes: {error}.", hint=_AGAIN) from error

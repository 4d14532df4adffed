"""A baseline: the findings that ``cascade check`` knows and accepts until a date."""

import json
from pathlib import Path

from cascade.core.gate import Known, parse_baseline
from cascade.errors import CascadeError, FileError


def read_baseline(path: Path) -> tuple[Known, ...]:
    """The entries of that file. Raises ``FileError`` where it cannot be read or is of another form."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileError(
            f"{path} cannot be read: {reason}.", hint=f"cascade check --baseline {path} --accept-until DATE writes it."
        ) from error
    except json.JSONDecodeError as error:
        raise FileError(f"{path} is no JSON (line {error.lineno}: {error.msg}).") from error
    try:
        return parse_baseline(document)
    except CascadeError as error:
        raise FileError(f"{path}: {error.message}", hint=error.hint) from error

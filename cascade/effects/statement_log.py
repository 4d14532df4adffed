"""A file with every statement that is sent to the database, for those who have to know."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cascade.errors import FileError


@contextmanager
def statement_log(path: Path | None, connection: Any) -> Iterator[None]:
    """Append each statement of this Django connection with its time, its parameters and how long it took.

    Without a path nothing is logged. Raises ``FileError`` where the file cannot be opened.
    """
    if path is None:
        yield
        return
    try:
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from error

    def write(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        begun, at = time.monotonic(), datetime.now(UTC)
        try:
            return execute(sql, params, many, context)
        finally:
            with_parameters = f"\n-- parameters: {json.dumps(params, ensure_ascii=False)}" if params else ""
            milliseconds = (time.monotonic() - begun) * 1000
            file.write(f"-- {at:%Y-%m-%dT%H:%M:%S.%fZ}, {milliseconds:.1f} ms\n{sql.strip()}{with_parameters}\n\n")

    with file, connection.execute_wrapper(write):
        yield

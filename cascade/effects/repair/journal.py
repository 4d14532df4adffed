"""The journal: one JSON object a line, on the disk before what it tells of can matter."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO, Any

from cascade.core.journal import JOURNAL_VERSION, Journal, MalformedJournal, parse_journal
from cascade.core.plan import Step
from cascade.errors import FileError
from cascade.render.sql import render_clearing, render_refusals, render_taking_back, render_undo


class JournalWriter:
    """Appends events to an open file, each synced to the disk. Raises ``FileError`` where that fails."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path = path
        self.is_begun = False
        self._file = file

    def write(self, event: str, **facts: Any) -> None:
        """One event with the time it happened."""
        at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        line = json.dumps({"event": event, "at": at, **facts}, ensure_ascii=False)
        try:
            self._file.write(line + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self.is_begun = True
        except OSError as error:
            raise FileError(
                f"The journal {self.path} cannot be written: {error.strerror}.",
                hint="Make room, or name another file with --journal.",
            ) from error


@contextmanager
def open_journal(path: Path, *, append: bool = False) -> Iterator[JournalWriter]:
    """A new journal, or one that is continued. Raises ``FileError`` where it cannot be written or is there already.

    One that is there and that no undo needs is kept under another name; a new one with no line in it leaves no file.
    """
    try:
        kept_as = None if append else name_to_keep_it_by(path)
        if kept_as is not None:
            path.rename(kept_as)
        file = path.open("r+" if append else "x", encoding="utf-8")
        if append:
            _go_to_end(file)
    except FileExistsError as error:
        raise FileError(
            f"The journal {path} is there already, and may be needed for an undo.",
            hint="Name another file with --journal.",
        ) from error
    except OSError as error:
        raise FileError(
            f"The journal {path} cannot be written: {error.strerror}.", hint="Name another file with --journal."
        ) from error
    writer = JournalWriter(path, file)
    try:
        with file:
            yield writer
    finally:
        if not append and not writer.is_begun:
            path.unlink(missing_ok=True)


def name_to_keep_it_by(path: Path) -> Path | None:
    """A free name for the journal that is there; None where there is none, or an undo may need it under its own.

    No undo needs the journal of a repair that was rolled back or undone; it is evidence all the same.
    """
    if not path.is_file():
        return None
    try:
        is_needed = read_journal(path).is_needed
    except FileError:  # whatever it is, it is not ours to rename
        return None
    names = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in count(1))
    return None if is_needed else next(name for name in names if not name.exists())


def _go_to_end(file: IO[str]) -> None:
    """A last line that was cut off is taken away: reading leaves it aside only where nothing follows it."""
    whole, _, last = file.read().rpartition("\n")
    if last and not _is_json(last):
        file.truncate(len(f"{whole}\n".encode()))
        file.seek(0, os.SEEK_END)
    elif last:
        file.write("\n")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def write_header(journal: JournalWriter, steps: Iterable[Step], **facts: Any) -> None:
    """The first line: all that an undo needs to know of the plan."""
    described = [
        {
            "id": step.id,
            "phase": step.phase.value,
            "cures": list(step.cures),
            "undo": list(render_undo(step.action)),
            "refuses": list(render_refusals(step.action)),
            "takes_back": list(render_taking_back(step.action)),
            "clears": list(render_clearing(step.action)),
        }
        for step in steps
    ]
    journal.write("begin", journal=JOURNAL_VERSION, **facts, steps=described)


def read_journal(path: Path) -> Journal:
    """Read a journal. Raises ``FileError`` where the file cannot be read or is none."""
    try:
        return parse_journal(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise FileError(f"The journal {path} cannot be read: {why}.") from error
    except MalformedJournal as error:
        raise FileError(
            f"{path} is no journal of a repair: {error}.",
            hint="cascade apply writes one, cascade-….jsonl or what --journal says, and names it at its end.",
        ) from error

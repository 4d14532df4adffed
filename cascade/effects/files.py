"""Files written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cascade.errors import FileError


def write_file(path: Path, text: str) -> None:
    """Write the text under this name in one move. Raises ``FileError`` where that cannot be done.

    A link and what is no regular file (``/dev/stdout``, a pipe) is written to, never replaced.
    """
    name = ""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_text(text, encoding="utf-8")
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            name = file.name
            file.write(text)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        is_there = path.parent.is_dir()
        hint = "Name a file in a folder that may be written." if is_there else f"Make the folder {path.parent} first."
        raise FileError(f"{path} cannot be written: {error.strerror}.", hint=hint) from error


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def remove_files(folder: Path, pattern: str, is_ours: Callable[[str, str], bool]) -> tuple[Path, ...]:
    """Remove the files in the folder that fit and whose name and text are ours, and say which.

    A link stays, and so does what cannot be read or removed.
    """
    removed = []
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.is_file() and not path.is_symlink() and is_ours(path.name, path.read_text(encoding="utf-8")):
                path.unlink()
                removed.append(path)
    return tuple(removed)


def make_folder(path: Path) -> None:
    """Make the folder and those above it. Raises ``FileError`` where that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"The folder {path} cannot be made: {error.strerror}.", hint="Name another, or go where one can be made."
        ) from error


def temporary_folder(prefix: str) -> Path:
    """A new folder of one's own among the temporary ones."""
    return Path(tempfile.mkdtemp(prefix=prefix))

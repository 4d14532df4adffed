"""What is noted while a probe runs, and where in the application it happened."""

import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

from cascade.core.probes import Failure


@dataclass
class Record:
    """What one probe did. ``refused`` are things that were not let happen, with their place, in a phrase each.

    ``busy`` says that a statement is under way, which must not be broken off; ``expired`` that the probe took too long,
    or that others wait for it, which ``in_the_way`` knows; ``interrupted`` that a person wants all of it to end.
    """

    queries: int = 0
    failures: list[Failure] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    busy: bool = False
    expired: bool = False
    interrupted: bool = False
    in_the_way: Callable[[], bool] = lambda: False
    thread: int = field(default_factory=threading.get_ident)

    def refuse(self, what: str) -> str:
        """Note what was not let happen; the phrase."""
        place = place_of(sys._getframe(1))
        self.refused.append(f"{what}, {place}" if place else what)
        return f"cascade probe: {what}, which would leave a trace or see another state"


class TimedOut(BaseException):
    """The probe took too long. No ``Exception``: the application is not to swallow it."""


def place_of(frame: FrameType | None) -> str:
    """The innermost line of the application or its templates from there outwards, as ``file:line``."""
    elsewhere = ""
    for each in _outwards(frame):
        template = _template_line(each)
        if template:
            return template
        file = each.f_code.co_filename
        if _is_applications(file):
            return f"{short(file)}:{each.f_lineno}"
        elsewhere = elsewhere or (f"{short(file)}:{each.f_lineno}" if _is_third_party(file) else "")
    return elsewhere


def place_of_error(traceback: TracebackType | None) -> str:
    """The same for an error that was raised: its innermost line of the application."""
    frames: list[tuple[FrameType, int]] = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    elsewhere = ""
    for frame, line in reversed(frames):
        template = _template_line(frame)
        if template:
            return template
        file = frame.f_code.co_filename
        if _is_applications(file):
            return f"{short(file)}:{line}"
        elsewhere = elsewhere or (f"{short(file)}:{line}" if _is_third_party(file) else "")
    return elsewhere


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """From there to where the probe begins; a manage.py that is further out is not to blame."""
    while frame is not None and frame.f_code.co_filename != _BEGINS:
        yield frame
        frame = frame.f_back


def _template_line(frame: FrameType) -> str:
    """Of a frame in which Django renders a node of a template, its name and line."""
    if frame.f_code.co_name != "render_annotated":
        return ""
    node = frame.f_locals.get("self")
    origin, token = getattr(node, "origin", None), getattr(node, "token", None)
    name = getattr(origin, "template_name", None) or getattr(origin, "name", None)
    return f"{name}:{token.lineno}" if name and token is not None else ""


_BEGINS = str(Path(__file__).with_name("run.py"))
_OURS = str(Path(__file__).resolve().parents[2])
_INSTALLED = tuple(
    str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def _is_applications(file: str) -> bool:
    return not file.startswith("<") and not _is_ours(file) and not file.startswith(_INSTALLED)


def _is_third_party(file: str) -> bool:
    """An installed app; neither Django, a driver, the standard library nor cascade, which are never to blame."""
    is_never = _is_ours(file) or any(f"/{name}/" in file for name in ("django", "psycopg", "psycopg2", "asgiref"))
    return file.startswith(_INSTALLED[2:]) and not is_never


def _is_ours(file: str) -> bool:
    """The demo's site is an application like any other."""
    return file.startswith(_OURS) and "/demo/project/" not in file


def short(file: str) -> str:
    """The file as seen from the first folder on the import path that it lies in."""
    path = Path(file)
    for folder in map(Path, filter(None, (str(Path.cwd()), *sys.path))):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.as_posix()

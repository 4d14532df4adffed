"""A picture drawn by Graphviz: the system's ``dot`` where there is one, else the wheel's program."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from html import escape, unescape

from graphviz.backend import execute

from cascade.errors import RenderingFailed

SYSTEM_PROGRAM = "dot"
WHEEL_PROGRAM = "graphviz-pure"
"""The wheel's program goes by a name of its own, so that it never stands before a ``dot`` that is there."""

SECONDS = 60
"""A plan takes a fraction of one; who waits for longer waits for ever."""

Report = Callable[[str], None]


def _silent(message: str) -> None:
    """Report to nobody."""


def render_svg(dot: str, *, description: str = "", report: Report = _silent) -> str:
    """The DOT source drawn as SVG, with its name as title for those who cannot see it.

    Warnings of the program are reported, but for those about the widths of letters. Raises ``RenderingFailed``
    where there is no program, saying what to install, and where it fails, saying what it said first.
    """
    program = _program()
    svg, complaints = _drawn(program, dot)
    for complaint in complaints:
        report(f"{program}: {complaint}")
    return _accessible(svg, description)


def _program() -> str:
    scripts = sysconfig.get_path("scripts")
    # An interpreter may be run by its path, so that the programs installed beside it are not on the PATH.
    found = shutil.which(SYSTEM_PROGRAM) or shutil.which(WHEEL_PROGRAM) or shutil.which(WHEEL_PROGRAM, path=scripts)
    if found is None:
        raise RenderingFailed(
            "There is no Graphviz to draw SVG with.",
            hint=f"pip install 'django-cascade[demo]' brings {WHEEL_PROGRAM}, or install Graphviz; "
            "--format dot works without either.",
        )
    return found


def _drawn(program: str, dot: str) -> tuple[str, list[str]]:
    """What the program answers, and what it complains of."""
    command = [program, "-Kdot", "-Tsvg"]
    try:
        # graphviz.pipe() can only call "dot"; this is what it calls itself.
        done = execute.run_check(command, input=dot, encoding="utf-8", capture_output=True, quiet=True, timeout=SECONDS)
    except execute.CalledProcessError as error:
        said = _complaints(error.stderr) or [f"exit code {error.returncode}"]
        raise _failure(program, said[0]) from error
    except subprocess.TimeoutExpired as error:
        raise _failure(program, f"no picture after {SECONDS} seconds") from error
    except (execute.ExecutableNotFound, OSError, UnicodeDecodeError) as error:
        raise _failure(program, str(error).partition("\n")[0]) from error
    if "<svg" not in done.stdout:
        raise _failure(program, (_complaints(done.stderr) or ["no picture came"])[0])
    return done.stdout, _complaints(done.stderr)


def _failure(program: str, said: str) -> RenderingFailed:
    return RenderingFailed(f"{program} failed: {said}", hint="--format dot gives the source that it was asked to draw.")


def _complaints(stderr: str | None) -> list[str]:
    """The lines that say something; letters without a known width are drawn all the same."""
    lines = [line.strip() for line in (stderr or "").splitlines()]
    return [line for line in lines if line and "no value for width of non-ASCII character" not in line]


def _accessible(svg: str, description: str) -> str:
    """The picture as one image with a name and, where there is one, a description."""
    name = re.search(r"<title>(.*?)</title>", svg, re.DOTALL)
    title = f"<title>{escape(unescape(name[1]), quote=False)}</title>\n" if name else ""
    desc = f"<desc>{escape(description, quote=False)}</desc>\n" if description else ""
    return re.sub(r"<svg\b[^>]*>\n?", lambda tag: f'<svg role="img"{tag[0][4:].rstrip()}\n{title}{desc}', svg, count=1)

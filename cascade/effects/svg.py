"""A picture drawn by Graphviz: the system's ``dot`` where there is one, else the wheel's program."""

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from xml.etree import ElementTree as ET

from graphviz.backend import execute

from cascade.errors import RenderingFailed
from cascade.render.looks import DARK_STYLE

SYSTEM_PROGRAM = "dot"
WHEEL_PROGRAM = "graphviz-pure"
"""The wheel's program goes by a name of its own, so that it never stands before a ``dot`` that is there."""

SECONDS = 60
"""A plan takes a fraction of one; who waits for longer waits for ever."""

Report = Callable[[str], None]


def _silent(message: str) -> None:
    """Report to nobody."""


def render_svg(dot: str, *, description: str = "", report: Report = _silent) -> str:
    """The DOT source drawn as SVG, for light and dark, with its name as title for those who cannot see it.

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
    """The picture as one image with a name, a description, tooltips that browsers show, and a style for the dark.

    What Graphviz says of itself and of the day is left out, so that equal pictures are equal.
    """
    for prefix, namespace in (("", _SVG), ("xlink", _XLINK)):
        ET.register_namespace(prefix, namespace)
    root = ET.fromstring(svg)
    names = [title for group in root.iterfind(f"{{{_SVG}}}g") if (title := _take_title(group)) is not None]
    for group in list(root.iter(f"{{{_SVG}}}g")):
        _take_title(group)
        _with_tooltip(group)
    head = [("title", names[0].text or "")] if names else []
    head += [("desc", description)] if description else []
    for position, (tag, text) in enumerate([*head, ("style", f"\n{DARK_STYLE}\n")]):
        element = ET.Element(f"{{{_SVG}}}{tag}")
        element.text, element.tail = text, "\n"
        root.insert(position, element)
    root.set("role", "img")
    return f"{ET.tostring(root, encoding='unicode')}\n"


_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"


def _take_title(group: ET.Element) -> ET.Element | None:
    """The title that Graphviz gives a group: the name in the DOT source, which says nothing to a reader."""
    title = group.find(f"{{{_SVG}}}title")
    if title is not None:
        group.remove(title)
    return title


def _with_tooltip(group: ET.Element) -> None:
    """A title in the place of ``xlink:title``, which browsers show no more; an anchor that leads nowhere is none."""
    anchor = group.find(f"{{{_SVG}}}a")
    if anchor is None:
        return
    tooltip = ET.Element(f"{{{_SVG}}}title")
    tooltip.text = anchor.attrib.pop(f"{{{_XLINK}}}title", "")
    anchor.insert(0, tooltip)
    leads_to = anchor.get(f"{{{_XLINK}}}href")
    if leads_to:
        anchor.set("href", leads_to)
    else:
        anchor.tag = f"{{{_SVG}}}g"

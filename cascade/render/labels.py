"""The words of DOT: HTML-like labels, tooltips and links. Whatever a name holds, it comes out as it is."""

from collections.abc import Sequence
from urllib.parse import quote

from cascade.core.history import SourceLines
from cascade.render.looks import FONT, LETTER, TEXT_SIZE, Look, Paint, ink_on
from cascade.render.paragraphs import wrapped
from cascade.render.wording import printable, xml_text

NODE_DEFAULTS = f'  node [shape=plain, fontname="{FONT}", fontsize={TEXT_SIZE}, fontcolor="{Paint.INK.light}"];'
EDGE_DEFAULTS = (
    f'  edge [fontname="{FONT}", fontsize=9, fontcolor="{Paint.INK.light}", color="{Paint.LINE.light}", arrowsize=0.7];'
)


def node(name: str, label: str, *, tooltip: str = "", link: str = "") -> str:
    """A node whose label is HTML-like; its SVG group has the name as a class."""
    more = f", tooltip={tooltip_text(tooltip)}" if tooltip else ""
    more += f", URL={_quoted(link.replace('&', '&amp;'))}" if link else ""
    return f"  {name} [class={name}, label=<{label}>{more}];"


def font(text: str, *, paint: Paint | None = None, colour: str = "", size: int = 0, bold: bool = False) -> str:
    """Text in a colour; nothing for nothing, because an empty FONT is a syntax error."""
    if not text:
        return ""
    colour = paint.light if paint else colour
    inner = f"<B>{escaped(text)}</B>" if bold else escaped(text)
    attributes = (f' COLOR="{colour}"' if colour else "") + (f' POINT-SIZE="{size}"' if size else "")
    return f"<FONT{attributes}>{inner}</FONT>" if attributes else inner


def badge(look: Look, points: int = 0, *, padding: int = 0) -> str:
    """The status as a word, in letters that can be read on its colour."""
    size = (f' WIDTH="{points}"' if points else "") + (f' CELLPADDING="{padding}"' if padding else "")
    return f'<TD{size} BGCOLOR="{look.colour}">{font(look.word, colour=ink_on(look.colour), bold=True)}</TD>'


def text_cell(text: str, points: int) -> str:
    """Grey text in lines as long as the cell."""
    lines = wrapped(text, max(40, int(points / LETTER)))
    return f'<TD ALIGN="LEFT" WIDTH="{points}">{left_lines([font(line, paint=Paint.FAINT) for line in lines])}</TD>'


def title_cell(head: str, text: str, points: int) -> str:
    """A headline, and how the picture is read below it."""
    lines = [font(line, paint=Paint.FAINT) for line in wrapped(text, int(points / LETTER))]
    body = left_lines([font(head, size=15, bold=True), font(" ", size=5), *lines])
    return f'<TD ALIGN="LEFT" WIDTH="{points}" CELLPADDING="6">{body}</TD>'


def legend_rows(meanings: Sequence[tuple[Look, str]], points: int) -> list[str]:
    """A row of a table for each word: the badge, and what it means."""
    wide = max((round(len(look.word) * LETTER) + 16 for look, _ in meanings), default=80)
    return [badge(look, wide) + text_cell(meaning, points - wide) for look, meaning in meanings]


def left_lines(lines: Sequence[str]) -> str:
    """Lines that begin at the left."""
    return "".join(f'{line}<BR ALIGN="LEFT"/>' for line in lines)


def boxed(cells: str, look: Look | None = None) -> str:
    """A row of cells in a border of its own."""
    return f'<TABLE{border(look)} CELLBORDER="0" CELLSPACING="0" CELLPADDING="4"><TR>{cells}</TR></TABLE>'


def border(look: Look | None) -> str:
    """The border of a status; none is none."""
    # A pointer meets what is filled: the tooltip of a row shows all over it.
    filled = f' BGCOLOR="{Paint.PAPER.light}"'
    return f' BORDER="2" COLOR="{look.colour}" STYLE="{look.style}"{filled}' if look else ' BORDER="0"'


def escaped(text: str) -> str:
    """Text as it can stand in an HTML-like label, where a backslash begins an escape."""
    return xml_text(text).replace("\\", "\\\\")


def tooltip_text(text: str) -> str:
    r"""A tooltip between quotes; lines stay lines, and nothing else in it is an escape or an entity.

    Graphviz looks for escapes such as ``\N``, the name of the node, twice.

    >>> print(tooltip_text('a "b" &lt; \\N'))
    "a \"b\" &amp;lt; \\\\N"
    """
    lines = [printable(line) for line in text.split("\n")]
    return _quoted("\\n".join(line.replace("&", "&amp;").replace("\\", "\\" * 4) for line in lines))


def graph_id(text: str) -> str:
    """The name of the graph between quotes. No backslash fits before a quote there, so it becomes another sign."""
    return _quoted(printable(text).replace("\\", "⧵"))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def source_link(source: SourceLines | None, template: str) -> str:
    """The address of the source by ``CASCADE["SOURCE_URL"]``, ``""`` where either is unknown.

    >>> source_link(SourceLines("shop/my models.py", 12, 40), "https://example.com/{path}#L{line}")
    'https://example.com/shop/my%20models.py#L12'
    """
    if source is None or not template:
        return ""
    return template.replace("{path}", quote(source.file)).replace("{line}", str(source.first))

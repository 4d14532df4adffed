"""A report as one page of HTML that needs nothing else: no request is made, and its policy allows none.

Everything is escaped in one place; style and script are allowed by their digests alone, so that nothing which a
database holds could run even if it got in as a tag. Without a script all is there but the filters and the buttons.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from html import escape
from typing import assert_never

from cascade.core.words import counted
from cascade.render.report.blocks import (
    MANY,
    MANY_LINES,
    Aside,
    Block,
    Bullets,
    Card,
    Cards,
    Code,
    Details,
    Facts,
    ForAPerson,
    Grid,
    Inline,
    Line,
    Paragraph,
    Part,
    Report,
    Section,
    Shown,
    Sql,
    Strong,
    of_apps,
)
from cascade.render.report.page import SCRIPT, STYLE
from cascade.render.wording import printable


def render_report_html(report: Report) -> str:
    """The page. Equal reports give equal bytes."""
    contents = "".join(f'<li><a href="#{s.anchor}">{_text(s.title)}</a></li>' for s in report.sections)
    sections = "\n".join(_section(section) for section in report.sections)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{_text(report.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#main">To the report</a>
<div class="page">
<header>
<h1>{_text(report.title)}</h1>
<p class="subtitle">{_line(report.subtitle)}</p>
<nav aria-label="Sections"><ol>{contents}</ol></nav>
</header>
<main id="main">
{sections}
</main>
<p id="said" role="status" class="soft"></p>
</div>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; style-src {_digest(STYLE)}; script-src {_digest(SCRIPT)}; base-uri 'none'; form-action 'none'"
)
"""What the page may do: use the style and the script that stand in it, and nothing else."""


def _section(section: Section) -> str:
    head = f'<h2 id="{section.anchor}">{_text(section.title)}</h2>'
    return f'<section aria-labelledby="{section.anchor}">\n{head}\n{_blocks(section.blocks)}\n</section>'


def _blocks(blocks: Iterable[Block]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case Paragraph(line, lead):
            return f'<p class="lead">{_line(line)}</p>' if lead else f"<p>{_line(line)}</p>"
        case Bullets(lines):
            return f"<ul>{''.join(f'<li>{_line(line)}</li>' for line in lines)}</ul>"
        case Grid():
            return _grid(block)
        case Facts(pairs):
            return f"<dl>{''.join(f'<dt>{_text(word)}</dt><dd>{_line(line)}</dd>' for word, line in pairs)}</dl>"
        case Sql(label, text, _):
            return _sql(label, text)
        case Shown():
            return _shown(block)
        case ForAPerson(asks):
            return f'<aside class="person"><strong>To be filled in by a person</strong> {_text(asks)}</aside>'
        case Aside(summary, inner):
            return f"<details><summary>{_line(summary)}</summary>\n{_blocks(inner)}\n</details>"
        case Details():
            return _details(block)
        case Cards():
            return _cards(block)
        case Part(title, inner):
            return f"<h3>{_line(title)}</h3>\n{_blocks(inner)}"
        case _:
            assert_never(block)


def _line(line: Line) -> str:
    return "".join(_inline(part) for part in line)


def _inline(part: Inline) -> str:
    match part:
        case Code(text):
            return f"<code>{_text(text)}</code>"
        case Strong(text):
            return f"<strong>{_text(text)}</strong>"
        case str():
            return _text(part)
        case _:
            assert_never(part)


def _text(text: str) -> str:
    """Text that stays text, also within an attribute; what does not print is shown by its number."""
    return escape(printable(text))


def _grid(grid: Grid) -> str:
    def cell(tag: str, number: int, line: Line) -> str:
        class_ = "figure" if number in grid.right else _width(line)
        return f"<{tag}{class_ and f' class={class_!r}'}>{_line(line)}</{tag}>"

    head = "".join(cell("th", number, (word,)) for number, word in enumerate(grid.head))
    rows = "".join(f"<tr>{''.join(cell('td', n, line) for n, line in enumerate(row))}</tr>\n" for row in grid.rows)
    label = _text(", ".join(filter(None, grid.head)))
    # What scrolls has to be reachable by keyboard.
    tall = " tall" if len(grid.rows) > MANY else ""
    return (
        f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="Table: {label}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>"
    )


_LONG, _SHORT = 60, 25


def _width(line: Line) -> str:
    """Whether a cell may be broken: code that is long may, and words that are few may not."""
    if any(isinstance(part, Code) and len(part.text) > _LONG for part in line):
        return "long"
    words = "".join(part if isinstance(part, str) else part.text for part in line)
    return "short" if words and len(words) <= _SHORT else ""


def _sql(label: str, text: str) -> str:
    lines = "\n".join(printable(line) for line in text.split("\n"))
    tall = ' class="tall"' if lines.count("\n") >= MANY_LINES else ""
    return (
        f'<figure class="sql"><figcaption>{_text(label)}</figcaption>'
        '<button type="button" class="copy" data-script hidden>Copy</button>'
        f'<pre{tall} tabindex="0"><code>{escape(lines)}</code></pre></figure>'
    )


def _shown(block: Shown) -> str:
    name = block.picture.name
    choices = "".join(
        f'<input type="radio" name="zoom-{name}" id="zoom-{name}-{size}" class="{size}"{checked}>'
        f'<label for="zoom-{name}-{size}">{word}</label>'
        for size, word, checked in (("fit", "Fit", " checked"), ("actual", "Actual size", ""), ("double", "Double", ""))
    )
    return (
        f'<figure class="picture-frame"><div class="zoom" role="group" aria-label="Size of the picture">{choices}'
        f'<div class="pane" tabindex="0">{block.picture.inline}</div></div>'
        f"<figcaption>{_text(block.caption)}</figcaption></figure>"
    )


def _details(block: Details) -> str:
    """What is told of each; of many a group for each app, so that the page can be looked over."""
    if not block.are_many:
        return _blocks(block.each)
    return "\n".join(
        _group(app, counted(len(details), "table"), _blocks(replace(block, details=details, folded=True).each))
        for app, details in of_apps(block.details).items()
    )


def _group(app: str, told: str, inner: str) -> str:
    """Folded; no script is needed to open it, and it is printed whole."""
    name = f"<code>{_text(app)}</code>" if app else "no app"
    return (
        f'<details class="group"><summary>{name} <span class="soft">{_text(told)}</span></summary>\n{inner}\n</details>'
    )


def _cards(block: Cards) -> str:
    cards = block.cards
    choices = "".join(
        _choice(word, name, sorted({getattr(card, name) for card in cards}))
        for word, name in (("App", "app"), ("Kind", "kind"), ("Severity", "severity"))
    )
    inner = _each(cards)
    if block.are_many:
        inner = "\n".join(
            _group(app, counted(len(group), "finding"), _each(group)) for app, group in of_apps(cards).items()
        )
    return (
        f'<div><form class="filter" data-script hidden aria-label="Filter of findings">{choices}'
        f'<button type="reset">Show all</button><output></output></form>\n{inner}\n</div>'
    )


def _each(cards: Iterable[Card]) -> str:
    return "\n".join(_card(card) for card in cards)


def _choice(word: str, name: str, values: Iterable[str]) -> str:
    options = "".join(f'<option value="{_text(value)}">{_text(value or "none")}</option>' for value in values if value)
    return f'<label>{word} <select name="{name}"><option value="">all</option>{options}</select></label>'


def _card(card: Card) -> str:
    return (
        f'<details class="card" data-app="{_text(card.app)}" data-kind="{_text(card.kind)}" '
        f'data-severity="{_text(card.severity)}"><summary><span class="badge {_text(card.severity)}">'
        f"{_text(card.severity)}</span> {_line(card.title)} "
        f'<span class="kind">{_text(" · ".join(filter(None, (card.kind, card.app))))}</span></summary>\n'
        f"{_blocks(card.blocks)}\n</details>"
    )

"""How the tables hang together, in Mermaid: for a README, an issue, a chat, which draw it themselves."""

from collections.abc import Iterator

from cascade.core.answer import Answer
from cascade.core.layout import quoted
from cascade.core.overview import Box
from cascade.core.table_map import TableMap
from cascade.render.graph_words import GraphWords, by_app, by_schema, words_of
from cascade.render.looks import MEANINGS_ON_TABLES
from cascade.render.wording import printable

MOST_LETTERS = 50_000
"""Mermaid draws no longer text, and no more than 500 arrows; nor does the page that it stands on let it."""

_MOST_BOXES = (80, 60, 40, 20, 10)


def render_mermaid(answer: Answer, tables: TableMap) -> str:
    """A flowchart from left to right within the limits of Mermaid: tables are folded until it fits.

    Colours are those of the page, so that it reads in light and dark; what is amiss has a word and a border.
    """
    texts = (_flowchart(words_of(answer, tables, most=most)) for most in _MOST_BOXES)
    return next((text for text in texts if len(text) <= MOST_LETTERS), "")


def _flowchart(words: GraphWords) -> str:
    overview = words.overview
    comments = [f"%% {_comment(text)}" for text in (words.head, *words.explanation())]
    lines = ["flowchart LR", *(f"  {comment}" for comment in comments), *_schemas(words)]
    for arrow in overview.arrows:
        line = "-.->" if arrow.finding else "==>" if len(arrow.keys) > 1 else "-->"
        lines.append(f"  t{arrow.start} {line} t{arrow.end}")
    for look, _ in MEANINGS_ON_TABLES:
        numbers = [number for number, box in enumerate(overview.boxes) if words.look(box) == look]
        if numbers:
            name = look.word.replace(" ", "")
            dashes = "" if look.style == "solid" else ",stroke-dasharray:5 3"
            lines.append(f"  classDef {name} stroke:{look.colour},stroke-width:3px{dashes}")
            lines.append(f"  class {','.join(f't{number}' for number in numbers)} {name}")
    return "\n".join(lines) + "\n"


def _schemas(words: GraphWords) -> Iterator[str]:
    for place, (schema, boxes) in enumerate(by_schema(words.overview)):
        name = "in no schema" if schema is None else quoted(schema) if schema else "several schemas"
        yield f'  subgraph s{place}["{_escaped(name)}"]'
        for at, (app, together) in enumerate(by_app(boxes)):
            if app:
                yield f'    subgraph s{place}_{at}["{_escaped(app)}"]'
            yield from (f"      {_box(number, box, words)}" for number, box in together)
            if app:
                yield "    end"
        yield "  end"


def _box(number: int, box: Box, words: GraphWords) -> str:
    status = words.status(box)
    lines = [words.name(box), *([status] if status else []), words.keys(number), words.hub(number)]
    return f't{number}["{"<br>".join(_escaped(line) for line in lines if line)}"]'


def _escaped(text: str) -> str:
    """Text in a label: what could end it, or be Markdown or HTML, as Mermaid's numbered letters.

    >>> _escaped('a "b" <c>')
    'a #34;b#34; #60;c#62;'
    """
    return "".join(f"#{ord(c)};" if c in _SPECIAL else c for c in printable(text))


_SPECIAL = frozenset('"<>&#;`*\\[]{}|')


def _comment(text: str) -> str:
    """Text that ends no comment and begins no directive."""
    return printable(text).replace("{", "(").replace("}", ")")

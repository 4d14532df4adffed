"""The plan as a ladder in DOT: what to do, in which order, from top to bottom.

One row a step, all rows equally wide; arcs on the right are foreign keys between drifted tables, keys to
healthy ones are grey words. It reads the same at 5 and at 60 tables: nothing is laid out but the arcs, and of
these no more are drawn than an eye can follow; the others are words too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cascade.core.actions import Action, CreateTable, ExchangeTable, MoveTable, ShelveTable
from cascade.core.answer import Answer
from cascade.core.cascades import blast_radius
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.layout import RowEvidence, TableName, quoted
from cascade.core.plan import Step
from cascade.core.planner import object_in_chains
from cascade.render.looks import ADVICE, DECIDE, LEFT_OUT, MEANINGS, OK, UNSURE, Look, appearance_of
from cascade.render.paragraphs import columns, wrapped
from cascade.render.sentences import object_name
from cascade.render.wording import (
    counted,
    listed,
    migration_labels,
    printable,
    short_name,
    what_was_compared,
)

_GREY = "#444444"
MOST_ARCS = 30
"""More arcs than that no eye can follow."""
MOST_ARCS_TO_ONE = 6
"""A table that more rows than that point at is a hub: its name as a word says more than its arrows."""
LONGEST_ARC = 20
"""In rows. A longer one leaves the page that one looks at."""
NARROWEST = 640
"""In points: narrower than that the title does not fit."""
_TEXT_SIZE = 11
_LETTER = 0.615 * _TEXT_SIZE
"""The width of a letter of Courier in points, with some slack: all are equally wide, so columns can be reckoned."""


def render_dot(answer: Answer) -> str:
    """The plan as a picture in DOT, without dates, so that it can be compared.

    What is undecided and what the scope leaves out stands in bands of its own below the steps; an empty plan is
    a small picture that says so.
    """
    drawn = _drawn_pairs(answer)
    rungs = _rungs(answer, drawn)
    widths = _Widths.of(rungs)
    nodes = list(_nodes(answer, rungs, widths, arcs=bool(drawn)))
    lines = [
        f"digraph {_quoted(f'cascade plan {answer.plan_id}')} {{",
        *_ATTRIBUTES,
        *(f"  {name} [label=<{label}>];" for name, label in nodes),
        *_spine([name for name, _ in nodes]),
        *_arcs(drawn, rungs),
        "}",
    ]
    return "\n".join(lines) + "\n"


_ATTRIBUTES = (
    '  graph [rankdir=TB, ranksep=0.03, nodesep=0.1, bgcolor="#FFFFFF", pad=0.25, splines=true];',
    f'  node [shape=plain, fontname="Courier", fontsize={_TEXT_SIZE}, fontcolor="#000000"];',
    '  edge [fontname="Courier", fontsize=9];',
)


@dataclass(frozen=True, slots=True)
class _Rung:
    """One row of the ladder, and the band that it stands in."""

    name: str
    band: str
    look: Look
    number: str
    wave: str
    migration: str
    what: str
    way: str
    rows: str
    keys: str
    table: TableName | None
    breaks: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands in the columns."""
        return (
            self.number,
            self.wave,
            self.look.word,
            self.migration,
            self.what,
            self.way,
            self.rows,
            self.keys,
            self.breaks,
        )


_Pairs = Mapping[tuple[TableName, TableName], int]
"""How many keys lead from one table to another."""

_MadeBy = Callable[[Drift | None], str]
"""The label of the migration that made what a finding is about."""

_HEADS = ("step", "wave", "", "made by", "table", "from -> to", "rows", "keys to", "breaks")
_WORD, _NAMES, _ROWS, _KEYS = 2, 4, 6, 7
_RIGHT_ALIGNED = frozenset((0, 1, _ROWS))


@dataclass(frozen=True, slots=True)
class _Widths:
    """The widths of the columns in letters; a column that says nothing has none."""

    letters: tuple[int, ...]

    @classmethod
    def of(cls, rungs: Sequence[_Rung]) -> "_Widths":
        """Wide enough for every row."""
        cells = list(zip(*(rung.cells for rung in rungs), strict=True)) or [()] * len(_HEADS)
        widths = [max((columns(printable(cell)) for cell in column), default=0) for column in cells]
        return cls(tuple(max(width, len(head)) if width else 0 for width, head in zip(widths, _HEADS, strict=True)))

    @property
    def points(self) -> tuple[int, ...]:
        """The same in points, with the room around the text."""
        points = [round(letters * _LETTER) + 14 if letters else 0 for letters in self.letters]
        # What a narrow ladder lacks goes to the names: all rows are as wide as the title.
        points[_NAMES] += max(0, NARROWEST - sum(points))
        return tuple(points)

    @property
    def total(self) -> int:
        """The width of a row."""
        return sum(self.points)


def _rungs(answer: Answer, drawn: _Pairs) -> list[_Rung]:
    by_id = {drift.id: drift for drift in answer.plan.drifts}
    cured = [next((by_id[cure] for cure in step.cures if cure in by_id), None) for step in answer.plan.steps]
    cures = {cure for step in answer.plan.steps for cure in step.cures}
    stepless = [d for d in answer.findings() if d.id not in cures]
    undecided = [d for d in stepless if d.undecided]
    others = [d for d in stepless if not d.undecided]
    left_out = [d for d in answer.plan.left_out if d.severity is not Severity.NOTE]
    every = [d for d in (*cured, *stepless, *left_out) if d is not None and d.made_by is not None]
    labels = migration_labels(d.made_by.migration for d in every if d.made_by)

    def made_by(drift: Drift | None) -> str:
        return labels[drift.made_by.migration] if drift and drift.made_by else ""

    steps = zip(answer.plan.steps, cured, strict=True)
    rungs = list(_in_bands([_of_step(step, made_by(drift), answer, drawn) for step, drift in steps]))
    by = f" by {answer.plan.scope}" if answer.plan.scope else ""
    rungs += _of_drifts(undecided, "undecided: no step until a person decides", DECIDE, made_by, answer)
    rungs += _of_drifts(others, "found, and no step repairs it", ADVICE, made_by, answer)
    rungs += _of_drifts(left_out, f"left out{by}: still broken afterwards", LEFT_OUT, made_by, answer)
    return rungs


def _in_bands(rungs: Sequence[_Rung]) -> Iterator[_Rung]:
    """Bands by wave and sort, where each of them is one stretch of the order of repair; else waves are a column."""
    bands = [(rung.wave, rung.band) for rung in rungs]
    stretches = [band for number, band in enumerate(bands) if number == 0 or bands[number - 1] != band]
    whole = len(stretches) == len(set(stretches))
    for rung in rungs:
        yield replace(rung, band=f"wave {rung.wave}: {rung.band}", wave="") if whole else replace(rung, band="")


def _of_step(step: Step, made_by: str, answer: Answer, drawn: _Pairs) -> _Rung:
    appearance = appearance_of(step.action, answer.placement.target)
    return _Rung(
        name=f"step{step.position}",
        band=appearance.band,
        look=appearance.look,
        number=str(step.position),
        wave=str(step.wave),
        migration=made_by,
        what=appearance.what,
        way=appearance.way,
        rows=_rows(step.action, answer),
        keys=_keys_in_words(_placed(step.action), answer, drawn),
        table=_placed(step.action),
        breaks=_pages_broken(step, answer),
    )


def _pages_broken(step: Step, answer: Answer) -> str:
    """The pages that fail for want of the step, where that was measured."""
    radius = blast_radius(answer.plan)
    objects = [object_in_chains(d, answer.expected) for d in answer.plan.drifts if d.id in step.cures and d.table]
    return listed(list(dict.fromkeys(page for name in objects for page in radius.get(name, ()))), 1)


def _rows(action: Action, answer: Answer) -> str:
    if not isinstance(action, MoveTable | ExchangeTable | ShelveTable):
        return ""
    found = answer.observed.layout.tables.get(action.table)
    return (found.rows if found else RowEvidence()).figure


def _placed(action: Action) -> TableName | None:
    """The table that the action puts into its place; its keys hang at its row."""
    match action:
        case MoveTable(_, to) | ExchangeTable(_, to):
            return to
        case CreateTable(table):
            return table.name
        case _:
            return None


def _keys_in_words(table: TableName | None, answer: Answer, drawn: _Pairs) -> str:
    """The tables that the table's keys point at without an arc."""
    expected = answer.expected.tables.get(table) if table else None
    if table is None or expected is None:
        return ""
    referenced = Counter(key.references.table for key in expected.table.foreign_keys if key.references is not None)
    words = [
        ("itself" if to == table else short_name(to, answer.placement.target)) + (f" ×{times}" if times > 1 else "")
        for to, times in sorted(referenced.items())
        if (table, to) not in drawn
    ]
    return listed(words, 3)


def _drawn_pairs(answer: Answer) -> _Pairs:
    """The pairs of tables whose keys are arcs, with the number of keys: the shortest arcs, hubs apart."""
    places = [table for step in answer.plan.steps if (table := _placed(step.action)) is not None]
    row = {table: number for number, table in enumerate(places)}
    pairs = Counter(
        (table, key.references.table)
        for table in places
        if table in answer.expected.tables
        for key in answer.expected.tables[table].table.foreign_keys
        if key.references is not None and key.references.table in row and key.references.table != table
    )
    pointed_at = Counter(to for _, to in pairs)
    length = {(table, to): abs(row[table] - row[to]) for table, to in pairs}
    fit = [pair for pair in pairs if pointed_at[pair[1]] <= MOST_ARCS_TO_ONE and length[pair] <= LONGEST_ARC]
    shortest = set(sorted(fit, key=lambda pair: (length[pair], row[pair[0]], row[pair[1]]))[:MOST_ARCS])
    return {pair: times for pair, times in pairs.items() if pair in shortest}


def _of_drifts(drifts: Iterable[Drift], band: str, look: Look, made_by: _MadeBy, answer: Answer) -> Iterator[_Rung]:
    for number, drift in enumerate(drifts, start=1):
        places = " and ".join(quoted(copy.schema) for copy in drift.copies)
        yield _Rung(
            name=f"{look.word.replace(' ', '')}{number}",
            band=band,
            look=look,
            number="",
            wave="",
            migration=made_by(drift),
            what=object_name(drift, answer),
            way=f"in {places}" if places and not drift.object else drift.kind.value.replace("_", " "),
            rows=" / ".join(rows.figure for rows in drift.rows),
            keys="",
            table=None,
        )


def _nodes(answer: Answer, rungs: Sequence[_Rung], widths: _Widths, *, arcs: bool) -> Iterator[tuple[str, str]]:
    """Names and labels of everything in the ladder, from the title down."""
    yield "title", _title(answer, rungs, widths, arcs=arcs)
    if not answer.findings():
        look, text = _verdict(answer)
        yield "verdict", _boxed(_word_cell(look, 80) + _text_cell(text, widths.total - 80), _border(look))
    if any(rung.number for rung in rungs):
        yield "heads", _table_row(_HEADS, widths, ink=_GREY)
    band, bands = "", 0
    for rung in rungs:
        if rung.band and rung.band != band:
            band, bands = rung.band, bands + 1
            yield f"band{bands}", _band(band, widths)
        yield rung.name, _table_row(rung.cells, widths, look=rung.look)
    if rungs:
        yield "legend", _legend(rungs, widths)


def _title(answer: Answer, rungs: Sequence[_Rung], widths: _Widths, *, arcs: bool) -> str:
    plan = answer.plan
    scope = f" {plan.scope}" if plan.scope else ""
    head = f"cascade plan{scope}: {quoted(answer.observed.database)}, id {answer.plan_id}"
    texts = wrapped(" ".join(_explanation(answer, rungs, arcs=arcs)), int(widths.total / _LETTER))
    lines = [_font(head, size=15, bold=True), *(_font(text, colour=_GREY) for text in texts)]
    body = "".join(f'{line}<BR ALIGN="LEFT"/>' for line in lines)
    return _boxed(f'<TD ALIGN="LEFT" WIDTH="{widths.total}" CELLPADDING="6">{body}</TD>')


def _explanation(answer: Answer, rungs: Sequence[_Rung], *, arcs: bool) -> Iterator[str]:
    """What the picture shows, and how it is read, as far as that is needed here."""
    steps = answer.plan.steps
    if steps:
        waves = max(step.wave for step in steps)
        yield f"{counted(len(steps), 'step')} in {counted(waves, 'wave')}, from top to bottom."
    elif answer.findings():
        yield "No step."
    if arcs:
        yield "An arc on the right is a foreign key from one of these tables to another."
    if any(rung.keys for rung in rungs):
        yield "Keys to healthy tables, and to one that many point at, stand as words."
    if any(rung.breaks for rung in rungs):
        yield "Breaks: the pages that fail for want of the step, measured."
    if not answer.complete and answer.findings():
        yield f"Not everything was checked: {listed([gap.what for gap in answer.not_checked], 2)}."


def _verdict(answer: Answer) -> tuple[Look, str]:
    """What a picture without findings says."""
    if not answer.complete:
        gaps = listed([gap.what for gap in answer.not_checked], 2)
        return UNSURE, f"Nothing is amiss where cascade could look. Not checked: {gaps}."
    scope = f" within {answer.plan.scope}" if answer.plan.scope else ""
    return OK, f"No drift{scope}. Compared: {what_was_compared(answer)}."


def _band(text: str, widths: _Widths) -> str:
    return _boxed(
        f'<TD ALIGN="LEFT" WIDTH="{widths.total}" BGCOLOR="#E8E8E8" CELLPADDING="4">{_font(text, bold=True)}</TD>'
    )


def _table_row(cells: Sequence[str], widths: _Widths, *, look: Look | None = None, ink: str = "") -> str:
    parts = []
    for number, (cell, points) in enumerate(zip(cells, widths.points, strict=True)):
        if points and look and number == _WORD:
            parts.append(_word_cell(look, points))
        elif points:
            align = "RIGHT" if number in _RIGHT_ALIGNED else "LEFT"
            colour = _GREY if number == _KEYS else ink
            parts.append(f'<TD ALIGN="{align}" WIDTH="{points}">{_font(cell, colour=colour)}</TD>')
    return _boxed("".join(parts), _border(look))


def _legend(rungs: Sequence[_Rung], widths: _Widths) -> str:
    """What the words and signs mean, of those that occur."""
    used = {rung.look for rung in rungs}
    rows = [_word_cell(look, 80) + _text_cell(meaning, widths.total - 80) for look, meaning in MEANINGS if look in used]
    signs = [text for sign, text in _SIGNS if any(sign in rung.rows for rung in rungs)]
    if signs:
        rows.append(f'<TD ALIGN="RIGHT">{_font("rows", colour=_GREY)}</TD>' + _text_cell(", ".join(signs), 200))
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="3">{body}</TABLE>'


_SIGNS = (("~", "~ about"), (">", "> more than"), ("?", "? not known"))


_DARK = frozenset({"#0072B2", "#D55E00", "#009E73", "#000000"})


def _word_cell(look: Look, points: int) -> str:
    """The status as a word, in letters that can be read on its colour."""
    ink = "#FFFFFF" if look.colour in _DARK else "#000000"
    return f'<TD WIDTH="{points}" BGCOLOR="{look.colour}">{_font(look.word, colour=ink, bold=True)}</TD>'


def _text_cell(text: str, points: int) -> str:
    lines = wrapped(text, max(40, int(points / _LETTER)))
    body = "".join(f'{_font(line, colour=_GREY)}<BR ALIGN="LEFT"/>' for line in lines)
    return f'<TD ALIGN="LEFT" WIDTH="{points}">{body}</TD>'


def _border(look: Look | None) -> str:
    return f' BORDER="2" COLOR="{look.colour}" STYLE="{look.style}"' if look else ' BORDER="0"'


def _boxed(cells: str, border: str = ' BORDER="0"') -> str:
    return f'<TABLE{border} CELLBORDER="0" CELLSPACING="0" CELLPADDING="4"><TR>{cells}</TR></TABLE>'


def _spine(names: Sequence[str]) -> Iterator[str]:
    """Invisible edges that keep the rows one under the other."""
    for upper, lower in pairwise(names):
        yield f"  {upper} -> {lower} [style=invis, weight=1000];"


def _arcs(drawn: _Pairs, rungs: Sequence[_Rung]) -> Iterator[str]:
    """The foreign keys between tables that have a row of their own, one arc for each pair."""
    row = {rung.table: rung.name for rung in rungs if rung.table is not None}
    for (table, to), times in drawn.items():
        label = f', label=" ×{times}"' if times > 1 else ""
        yield f'  {row[table]}:e -> {row[to]}:e [constraint=false, color="#444444", arrowsize=0.7{label}];'


def _font(text: str, *, colour: str = "", size: int = 0, bold: bool = False) -> str:
    """Text in a colour; nothing for nothing, because an empty FONT is a syntax error."""
    if not text:
        return ""
    inner = f"<B>{_escaped(text)}</B>" if bold else _escaped(text)
    attributes = (f' COLOR="{colour}"' if colour else "") + (f' POINT-SIZE="{size}"' if size else "")
    return f"<FONT{attributes}>{inner}</FONT>" if attributes else inner


def _escaped(text: str) -> str:
    """Text as it can stand in an HTML-like label; spaces beside spaces would be lost."""
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("  ", "&#160;&#160;")):
        text = text.replace(letter, entity)
    return printable(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

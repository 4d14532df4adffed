"""The plan as a ladder in DOT: what to do, in which order, from top to bottom.

One row a step, all rows equally wide; arcs on the right are foreign keys between drifted tables, keys to
healthy ones are grey words. It reads the same at 5 and at 60 tables: nothing is laid out but the arcs, and of
these no more are drawn than an eye can follow; the others are words too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cascade.core.actions import Action, CreateTable, ExchangeTable, MoveTable, ShelveTable
from cascade.core.answer import Answer
from cascade.core.cascades import blast_radius
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.layout import RowEvidence, TableName, quoted
from cascade.core.plan import Step
from cascade.core.planner import object_in_chains
from cascade.core.words import counted, listed
from cascade.render.hazards import HazardInWords, hazards_in_words
from cascade.render.labels import dot_text, font, source_link, text_cell
from cascade.render.ladder import MOST_ROWS, Column, Ladder, Row, Sort, ladder_dot
from cascade.render.looks import (
    ADVICE,
    DECIDE,
    LEFT_OUT,
    MEANINGS,
    OK,
    UNSURE,
    Look,
    Paint,
    appearance_of,
)
from cascade.render.sentences import object_name
from cascade.render.sql import render_action
from cascade.render.wording import migration_labels, printable, short_name, what_was_compared

MOST_ARCS = 30
"""More arcs than that no eye can follow."""
MOST_ARCS_TO_ONE = 6
"""A table that more rows than that point at is a hub: its name as a word says more than its arrows."""
LONGEST_ARC = 20
"""In rows. A longer one leaves the page that one looks at."""
MOST_HAZARDS = 12
"""More are in the text; a picture is for the order."""
LONGEST_TOOLTIP = 600
"""In letters: a table made anew has a long statement, which the text shows whole."""


def render_dot(answer: Answer) -> str:
    """The plan as a picture in DOT, without dates, so that it can be compared.

    What is undecided and what the scope leaves out stands in bands of its own below the steps; an empty plan is
    a small picture that says so. Of more than ``MOST_ROWS`` rows the others are counted.
    """
    drawn = _drawn_pairs(answer)
    rungs = _rungs(answer, drawn)
    shown = rungs[:MOST_ROWS]
    rows = [rung.row(answer) for rung in shown]
    nodes = list(_nodes(answer, rungs, shown, rows, arcs=bool(drawn)))
    return ladder_dot(f"cascade plan {answer.plan_id}", nodes, _arcs(drawn, shown))


def describe_plan(answer: Answer) -> str:
    """The picture in words, for those who cannot see it: what it shows, and its rows in order."""
    if not answer.findings():
        return _verdict(answer)[1]
    rungs = _rungs(answer, _drawn_pairs(answer))
    rows = [f"{rung.number or rung.band.partition(':')[0]}: {rung.look.word} {rung.what} {rung.way}" for rung in rungs]
    return printable(f"{' '.join(_explanation(answer, rungs, arcs=False))} {listed(rows, 40)}.")


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
    about: TableName | None
    tooltip: str
    breaks: str = ""

    def row(self, answer: Answer) -> Row:
        """What stands in the columns."""
        expected = answer.expected.tables.get(self.about) if self.about else None
        words = (self.look.word, self.migration, self.what, self.way, self.rows, self.keys, self.breaks)
        cells = (self.number, self.wave, *words)
        link = source_link(expected.model_source, answer.source_url) if expected else ""
        return Row(self.name, cells, self.look, self.tooltip, link)


_COLUMNS = (
    Column("step", Sort.NUMBER),
    Column("wave", Sort.NUMBER),
    Column("", Sort.BADGE),
    Column("made by"),
    Column("table", grows=True),
    Column("from -> to"),
    Column("rows", Sort.NUMBER),
    Column("keys to", Sort.FAINT),
    Column("breaks"),
)

_Pairs = Mapping[tuple[TableName, TableName], int]
"""How many keys lead from one table to another."""

_MadeBy = Callable[[Drift | None], str]
"""The label of the migration that made what a finding is about."""


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
        about=step.table,
        tooltip=_shortened("\n".join(render_action(step.action))),
        breaks=_pages_broken(step, answer),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TOOLTIP else f"{text[:LONGEST_TOOLTIP]} …"


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
            about=drift.table,
            tooltip="\n".join(filter(None, (f"{drift.kind.value}: {drift.observed}", drift.undecided))),
        )


def _nodes(
    answer: Answer, rungs: Sequence[_Rung], shown: Sequence[_Rung], rows: Sequence[Row], *, arcs: bool
) -> Iterator[str]:
    """Everything in the ladder, from the title down."""
    ladder = Ladder(_COLUMNS, rows)
    scope = f" {answer.plan.scope}" if answer.plan.scope else ""
    head = f"cascade plan{scope}: {quoted(answer.observed.database)}, id {answer.plan_id}"
    yield ladder.title(head, " ".join(_explanation(answer, rungs, arcs=arcs)))
    if not answer.findings():
        yield ladder.verdict(*_verdict(answer))
    if any(rung.number for rung in rungs):
        yield ladder.heads()
    band, bands = "", 0
    for rung, row in zip(shown, rows, strict=True):
        if rung.band and rung.band != band:
            band, bands = rung.band, bands + 1
            yield ladder.band(f"band{bands}", band)
        yield ladder.row(row)
    if len(rungs) > len(shown):
        more = f"and {counted(len(rungs) - len(shown), 'more row', 'more rows')}: the text and the JSON have them all"
        yield ladder.band("more", more)
    hazards = hazards_in_words(answer.plan.steps)
    if hazards:
        yield ladder.band("mind", "mind")
        yield ladder.words("hazards", _hazards(hazards))
    if rungs:
        used = {rung.look for rung in shown}
        yield ladder.legend([meaning for meaning in MEANINGS if meaning[0] in used], _signs(rungs))


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


def _hazards(hazards: Sequence[HazardInWords]) -> list[str]:
    """A sentence each; above ``MOST_HAZARDS`` the kinds of the others, which the text lists."""
    shown = hazards[:MOST_HAZARDS]
    texts = [hazard.sentence for hazard in shown]
    if len(hazards) > len(shown):
        kinds = sorted({hazard.kind.value for hazard in hazards[len(shown) :]})
        texts.append(f"and {len(hazards) - len(shown)} more of {', '.join(kinds)}")
    return texts


def _signs(rungs: Sequence[_Rung]) -> list[str]:
    """What the signs before rows mean, of those that occur, as cells of the legend."""
    signs = [text for sign, text in _SIGNS if any(sign in rung.rows for rung in rungs)]
    return (
        [f'<TD ALIGN="RIGHT">{font("rows", paint=Paint.FAINT)}</TD>' + text_cell(", ".join(signs), 200)]
        if signs
        else []
    )


_SIGNS = (("~", "~ about"), (">", "> more than"), ("?", "? not known"))


def _arcs(drawn: _Pairs, rungs: Sequence[_Rung]) -> Iterator[str]:
    """The foreign keys between tables that have a row of their own, one arc for each pair."""
    row = {rung.table: rung.name for rung in rungs if rung.table is not None}
    for (table, to), times in drawn.items():
        if table not in row or to not in row:
            continue
        label = f', label=" ×{times}"' if times > 1 else ""
        tooltip = dot_text(f"{table} refers to {to}")
        yield f"  {row[table]}:e -> {row[to]}:e [constraint=false, tooltip={tooltip}{label}];"

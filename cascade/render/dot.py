"""The plan as a ladder in DOT: what to do, in which order, from top to bottom.

One row a step, all rows equally wide; arcs on the right are foreign keys between drifted tables, keys to
healthy ones are grey words. It reads the same at 5 and at 60 tables: nothing is laid out but the arcs, and of
these no more are drawn than an eye can follow; the others are words too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from cascade.core.actions import Action, CreateTable, ExchangeTable, MoveTable, ShelveTable
from cascade.core.answer import Answer
from cascade.core.cascades import blast_radius
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.layout import RowEvidence, TableName, quoted
from cascade.core.plan import Step
from cascade.core.planner import object_in_chains
from cascade.core.words import listed
from cascade.render.appearance import appearance_of
from cascade.render.hazards import hazards_in_words
from cascade.render.labels import source_link, tooltip_text
from cascade.render.ladder_dot import DotLadder, ladder_dot
from cascade.render.looks import ADVICE, DECIDE, LEFT_OUT, OK, UNSURE, Look
from cascade.render.rungs import (
    ADVISED,
    UNDECIDED,
    Pairs,
    PlanLadder,
    Rung,
    in_bands,
    keys_in_words,
    left_out_by,
    pairs_drawn,
    to_mind,
)
from cascade.render.sentences import object_name
from cascade.render.sql import render_action
from cascade.render.wording import migration_labels, what_was_compared


def render_dot(answer: Answer) -> str:
    """The plan as a picture in DOT, without dates, so that it can be compared.

    What is undecided and what the scope leaves out stands in bands of its own below the steps; an empty plan is
    a small picture that says so. Of more than ``MOST_ROWS`` rows the others are counted.
    """
    ladder = make_ladder(answer)
    return ladder_dot(f"cascade plan {answer.plan_id}", list(ladder.parts(DotLadder)), _arcs(ladder))


def make_ladder(answer: Answer) -> PlanLadder:
    """All that the picture shows."""
    keys = _keys(answer)
    places = [table for step in answer.plan.steps if (table := _placed(step.action)) is not None]
    drawn = pairs_drawn(places, keys)
    scope = f" {answer.plan.scope}" if answer.plan.scope else ""
    return PlanLadder(
        f"cascade plan{scope}: {quoted(answer.observed.database)}, id {answer.plan_id}",
        tuple(_rungs(answer, keys_in_words(keys, drawn, answer.placement.target))),
        drawn,
        waves=max((step.wave for step in answer.plan.steps), default=0),
        gaps=() if answer.complete else tuple(gap.what for gap in answer.not_checked),
        verdict=None if answer.findings() else _verdict(answer),
        hazards=tuple(to_mind(hazards_in_words(answer.plan.steps))),
    )


def _keys(answer: Answer) -> Pairs:
    return Counter(
        (name, key.references.table)
        for name, expected in answer.expected.tables.items()
        for key in expected.table.foreign_keys
        if key.references is not None
    )


def _placed(action: Action) -> TableName | None:
    """The table that the action puts into its place; its keys hang at its row."""
    match action:
        case MoveTable(_, to) | ExchangeTable(_, to):
            return to
        case CreateTable(table):
            return table.name
        case _:
            return None


_MadeBy = Callable[[Drift | None], str]
"""The label of the migration that made what a finding is about."""


def _rungs(answer: Answer, keys: Mapping[TableName, str]) -> list[Rung]:
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

    breaks = _pages_broken(answer)
    steps = zip(answer.plan.steps, cured, strict=True)
    rungs = list(in_bands([_of_step(step, made_by(drift), answer, keys, breaks) for step, drift in steps]))
    rungs += _of_drifts(undecided, UNDECIDED, DECIDE, made_by, answer)
    rungs += _of_drifts(others, ADVISED, ADVICE, made_by, answer)
    rungs += _of_drifts(left_out, left_out_by(answer.plan.scope), LEFT_OUT, made_by, answer)
    return rungs


def _of_step(
    step: Step, made_by: str, answer: Answer, keys: Mapping[TableName, str], breaks: Mapping[str, Sequence[str]]
) -> Rung:
    appearance = appearance_of(step.action, answer.placement.target)
    table = _placed(step.action)
    return Rung(
        name=f"step{step.position}",
        band=appearance.band,
        look=appearance.look,
        what=appearance.what,
        way=appearance.way,
        number=str(step.position),
        wave=str(step.wave),
        migration=made_by,
        rows=_rows(step.action, answer),
        keys=keys.get(table, "") if table else "",
        breaks=listed(list(dict.fromkeys(page for cure in step.cures for page in breaks.get(cure, ()))), 1),
        table=table,
        tooltip="\n".join(render_action(step.action)),
        link=_link(step.table, answer),
    )


def _pages_broken(answer: Answer) -> Mapping[str, Sequence[str]]:
    """By finding, the pages that fail for want of its step, where that was measured."""
    radius = blast_radius(answer.plan)
    return {
        drift.id: radius.get(object_in_chains(drift, answer.expected), ())
        for drift in (answer.plan.drifts if any(radius.values()) else ())
        if drift.table
    }


def _rows(action: Action, answer: Answer) -> str:
    if not isinstance(action, MoveTable | ExchangeTable | ShelveTable):
        return ""
    found = answer.observed.layout.tables.get(action.table)
    return (found.rows if found else RowEvidence()).figure


def _of_drifts(drifts: Iterable[Drift], band: str, look: Look, made_by: _MadeBy, answer: Answer) -> Iterator[Rung]:
    for number, drift in enumerate(drifts, start=1):
        places = " and ".join(quoted(copy.schema) for copy in drift.copies)
        yield Rung(
            name=f"{look.word.replace(' ', '')}{number}",
            band=band,
            look=look,
            what=object_name(drift, answer),
            way=f"in {places}" if places and not drift.object else drift.kind.value.replace("_", " "),
            migration=made_by(drift),
            rows=" / ".join(rows.figure for rows in drift.rows),
            tooltip="\n".join(filter(None, (f"{drift.kind.value}: {drift.observed}", drift.undecided))),
            link=_link(drift.table, answer),
        )


def _link(table: TableName | None, answer: Answer) -> str:
    expected = answer.expected.tables.get(table) if table else None
    return source_link(expected.model_source, answer.source_url) if expected else ""


def _verdict(answer: Answer) -> tuple[Look, str]:
    """What a picture without findings says."""
    if not answer.complete:
        gaps = listed([gap.what for gap in answer.not_checked], 2)
        return UNSURE, f"Nothing is amiss where cascade could look. Not checked: {gaps}."
    scope = f" within {answer.plan.scope}" if answer.plan.scope else ""
    return OK, f"No drift{scope}. Compared: {what_was_compared(answer)}."


def _arcs(ladder: PlanLadder) -> Iterator[str]:
    for start, end, times, told in ladder.arcs():
        label = f', label=" ×{times}"' if times > 1 else ""
        yield f"  {start}:e -> {end}:e [constraint=false, tooltip={tooltip_text(told)}{label}];"

"""What pages of an explanation have in common: a head, labelled paragraphs, what is amiss, its repair, SQL in lines."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.explanation import Trouble
from cascade.core.history import Provenance
from cascade.core.layout import TableName, quoted
from cascade.core.plan import Step
from cascade.core.words import counted
from cascade.render.paragraphs import INDENT, columns, padded, painted, separated, wrapped
from cascade.render.sentences import (
    TWO_DEFINITIONS,
    bare_definition,
    explained_in_sentences,
    findings_in_sentences,
    named_with_sort,
    object_name,
)
from cascade.render.sql import render_action
from cascade.render.wording import database_at, moment, printable, short_name, window

MOST_EVIDENCE = 12
"""How many sentences of evidence stand below the findings of one severity."""


class Page:
    """An answer, and how wide it is shown; words what every page says."""

    def __init__(self, answer: Answer, width: int) -> None:
        self.answer = answer
        self.width = width
        self.target = answer.placement.target
        self.role = quoted(answer.placement.role)

    def said(self, label: str, *texts: str, at: int = INDENT) -> list[str]:
        """Paragraphs with a label at the left of the first."""
        lines = [line for text in texts if text for line in wrapped(text, self.width, first=at, hang=at)]
        return labelled(label, lines, at)

    def head(self, *titles: str) -> list[str]:
        """What the page is about, and whose eyes looked at what and when."""
        observed, placement = self.answer.observed, self.answer.placement
        place = database_at(observed.database, self.answer.host)
        connected = quoted(observed.connected_as)
        eyes = f"as {connected}" if connected == self.role else f"as {connected}; pages run as {self.role}"
        path = f"search_path {placement.path.setting or 'empty'} ({placement.path.where})"
        read = f"{place}, read at {moment(observed.read_at)} {eyes}, {path}. Nothing was changed."
        return [line for text in (", ".join(titles) + ".", read) for line in wrapped(text, self.width, hang=2)]

    def grid(self, rows: Sequence[Sequence[str]], *, at: int = INDENT, right: Iterable[int] = ()) -> list[str]:
        """Rows in columns, numbers in ``right`` at the right; the last column is wrapped, under itself."""
        if not rows:
            return []
        *widths, _ = (max(map(columns, cells)) for cells in zip(*rows, strict=True))
        lines: list[str] = []
        for row in rows:
            cells = [padded(c, w, right=n in right) for n, (c, w) in enumerate(zip(row, widths, strict=False))]
            start = " " * at + "".join(f"{cell}  " for cell in cells)
            room = self.width - columns(start)
            if columns(row[-1]) <= room or room >= self.width // 3:
                last = wrapped(row[-1], self.width, first=columns(start), hang=columns(start))
                lines += [start + last[0].strip(), *last[1:]] if last else [start.rstrip()]
            else:
                lines += [start.rstrip(), *wrapped(row[-1], self.width, first=at + 4, hang=at + 4)]
        return lines


def labelled(label: str, lines: list[str], at: int = INDENT) -> list[str]:
    """The lines with a label at the left of the first, or above it where the label is long."""
    if not lines or len(label) >= at:
        return [label, *lines] if lines else []
    return [padded(label, at) + lines[0][at:], *lines[1:]]


def page_text(blocks: Iterable[list[str]], *, colour: bool) -> str:
    """The blocks as text, an empty line between them."""
    lines = [printable(line).rstrip() for line in separated(blocks)]
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def amiss(trouble: Trouble, page: Page) -> list[str]:
    """The drifts as sentences with their evidence, those of one severity together, and what is merely explained."""
    lines: list[str] = []
    plain = [drift for drift in trouble.drifts if not drift.explained_by]
    for severity in dict.fromkeys(drift.severity for drift in plain):
        drifts = [drift for drift in plain if drift.severity is severity]
        evidence = dict.fromkeys(sentence for drift in drifts for sentence in drift.evidence)
        lines += page.said(severity.name, *findings_in_sentences(drifts, page.answer))
        lines += page.said("", *_first(list(evidence)), at=INDENT + 2)
    explained = [drift for drift in trouble.drifts if drift.explained_by]
    return lines + page.said("NOTE", *explained_in_sentences(explained, page.answer, each=True))


def _first(evidence: list[str]) -> list[str]:
    """As much evidence as one screen holds; each finding has a page of its own for all of its evidence."""
    more = len(evidence) - MOST_EVIDENCE
    if more < 2:
        return evidence
    return [*evidence[:MOST_EVIDENCE], f"and {more} sentences more: explain one of these by its name for its evidence"]


def differing(drifts: Iterable[Drift], page: Page) -> list[str]:
    """Of what is there and differs both definitions, one under the other."""
    lines: list[str] = []
    for drift in drifts:
        if drift.kind in TWO_DEFINITIONS:
            lines += page.said("", f"{named_with_sort(drift, page.answer).rstrip(',')}: {drift.kind.value}")
            sides = [("expected", drift.expected), ("found", drift.observed)]
            lines += page.grid([(side, bare_definition(text, drift)) for side, text in sides], at=INDENT + 2)
    return labelled("DIFFERS", lines)


def queries(drifts: Iterable[Drift], page: Page) -> list[str]:
    """The SQL that shows the findings, each statement once."""
    statements = dict.fromkeys(drift.query for drift in drifts if drift.query)
    return labelled("QUERY", [line for sql in statements for line in sql_lines(sql, page.width, at=INDENT)])


def accepted(ignored: Iterable[tuple[Drift, str]], page: Page) -> list[str]:
    """The findings that the settings accept, each with the reason given there."""
    texts = [f"{drift.kind.value} {object_name(drift, page.answer)}: {reason}" for drift, reason in ignored]
    return page.said("IGNORED", "by settings:", *texts) if texts else []


def provenance(made_by: Provenance) -> tuple[str, str]:
    """By which migration, recorded when; by which operation, written where."""
    where = f" at {made_by.source}" if made_by.source else ""
    return f"{made_by.migration}, recorded {moment(made_by.applied)}", f"{made_by.operation}{where}"


def repair(trouble: Trouble, page: Page) -> list[str]:
    """Why, the steps with their SQL, what is to be decided, and the chain of failures in which it stands."""
    causes = [f"{c.sentence}{f', {window(c.first, c.last)}' if c.first else ''}." for c in trouble.causes]
    undecided = [
        f"No step is proposed: {drift.undecided}.{f' Decide with {drift.decision}' if drift.decision else ''}"
        for drift in trouble.drifts
        if drift.undecided
    ]
    steps = [line for step in trouble.steps for line in _step(step, page)]
    return [
        *page.said("CAUSE", *causes),
        *page.said("DECIDE", *undecided),
        *labelled("STEP" if len(trouble.steps) == 1 else "STEPS", steps),
        *_chain(trouble, page),
    ]


def _step(step: Step, page: Page) -> Iterator[str]:
    positions = {other.id: other.position for other in page.answer.plan.steps}
    waits = sorted(positions[id_] for id_ in step.waits_for if id_ in positions)
    after = f", after {'step' if len(waits) == 1 else 'steps'} {', '.join(map(str, waits))}" if waits else ""
    yield f"{' ' * INDENT}{step.position} of {len(positions)}{after}:"
    for statement in render_action(step.action):
        yield from sql_lines(statement, page.width, at=INDENT + 2)
    locks = [lock for lock in step.locks if lock.healthy]
    if locks:
        healthy = ", ".join(f"{short_name(lock.table, page.target)} ({lock.mode.value})" for lock in locks)
        yield from page.said("", f"locks healthy tables too: {healthy}", at=INDENT + 2)
    for hazard in step.hazards:
        yield from page.said("", f"mind: {hazard.sentence} ({hazard.kind.value})", at=INDENT + 2)


def _chain(trouble: Trouble, page: Page) -> list[str]:
    """The chain with the thing itself in brackets, and what fails next when it alone is repaired."""
    chain = trouble.chain
    if chain is None:
        return []
    how = "predicted" if chain.source == "static" else "measured"
    if len(chain.objects) == 1:
        return page.said("CASCADE", f"it fails by itself: nothing comes to light behind it ({how})")
    names = [name.removeprefix(f"{quoted(page.target)}.") for name in chain.objects]
    own = len(names) - len(trouble.next_to_fail) - 1
    shown = [*names[:own], f"[{names[own]}]", *names[own + 1 :]]
    if own > _BEFORE + 1:
        shown[: own - _BEFORE] = [f"… {own - _BEFORE} before"]
    if len(trouble.next_to_fail) > _BEHIND + 1:
        shown[-(len(trouble.next_to_fail) - _BEHIND) :] = [f"… {len(trouble.next_to_fail) - _BEHIND} more"]
    if trouble.next_to_fail:
        more = len(trouble.next_to_fail) - 1
        rest = f", then {more} more" if more else ""
        last = f"repaired alone, the next to fail is {names[own + 1]}{rest} ({how})"
    else:
        last = f"the last of its chain ({how})"
    return page.said("CASCADE", " -> ".join(shown), last)


_BEFORE, _BEHIND = 3, 8


def sql_lines(statement: str, width: int, *, at: int) -> Iterator[str]:
    """A statement in lines that mean the same: broken only at spaces outside names and literals."""
    line, indent = " " * at, at
    empty = True
    for part in _SQL_PART.findall(statement):
        if part.startswith("\n"):
            yield line
            indent = at + len(part) - 1
            line, empty = " " * indent, True
        elif not empty and columns(line) + 1 + columns(part) > width:
            yield line
            line, empty = " " * (indent + 4) + part, False
        else:
            line, empty = line + ("" if empty else " ") + part, False
    yield line


_SQL_PART = re.compile(r"""\n *|(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^\s"'])+""")


def next_commands(tables: Sequence[TableName], trouble: Trouble, page: Page) -> list[str]:
    """The commands that go on from here."""
    plan = page.answer.plan
    rows: list[tuple[str, str]] = []
    again = "".join(f" {word}" for word in page.answer.asked)
    decision = next((drift.decision for drift in trouble.drifts if drift.decision), "")
    if decision:
        rows.append((f"cascade plan{again} {decision}", "the plan once that is decided"))
    table = next((drift.table for drift in trouble.drifts if drift.table), None)
    if trouble.steps and table is not None:
        rows.append((f"cascade plan{again} --table {shlex.quote(table.name)}", "its repair alone"))
    if not plan.is_empty:
        rows.append((f"cascade plan{again}", f"the whole order of repair: {counted(len(plan.steps), 'step')}"))
    elif page.answer.findings() or not page.answer.complete:
        rows.append((f"cascade plan{again}", "all that is known of this database"))
    rows += [(f"cascade explain{again} {shlex.quote(name.name)}", "one table in full") for name in tables[:1]]
    return labelled("NEXT", page.grid(rows))

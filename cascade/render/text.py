"""The answer as text for a person in a hurry: what is broken first, what to type last."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cascade.core.actions import CreateTable, ExchangeTable, MoveTable, touched_tables
from cascade.core.answer import Answer
from cascade.core.cascades import blast_radius
from cascade.core.causes import Cause
from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Table, TableName, quoted
from cascade.core.plan import Chain, LockMode, Plan, Step
from cascade.core.repairs.sides import bears_its_names
from cascade.core.words import MANY, counted, listed
from cascade.render.hazards import hazards_in_words
from cascade.render.paragraphs import INDENT, columns, padded, painted, separated, wrapped
from cascade.render.sentences import (
    TWO_DEFINITIONS,
    bare_definition,
    consequences_in_words,
    explained_in_sentences,
    findings_in_sentences,
    object_name,
)
from cascade.render.text_steps import STEPS_IN_FULL, steps_in_lines
from cascade.render.wording import database_at, moment, printable, rows_in_total, short_name, what_was_compared, window


def render_text(answer: Answer, *, verbose: bool = False, colour: bool = False, width: int = 100) -> str:
    """What is broken, whether the rows are there, why, what repairs it, what is left, what to type next.

    Lines are at most ``width`` columns wide, but for a name or literal that is wider by itself: nothing is cut.
    ``verbose`` lists what is else summed up. "No drift" is said only where everything was checked.
    """
    view = _View(answer, verbose, width)
    blocks = (
        _header(view),
        [*_verdict(view), *_rows(view), *_not_checked(view)],
        _causes(view),
        _chains(view),
        steps_in_lines(answer, verbose=verbose, width=width),
        [*_locks(view), *_rights(view), *_hazards(view)],
        [*_decisions(view), *_by_hand(view)],
        _left_out(view),
        _stopgap(view),
        [*_notes(view), *_ignored(view)],
        _next(view),
    )
    lines = list(separated(blocks))
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


CHECK_WIDTH = 160
"""How wide a line of a check gets, but for names that are wider by themselves."""


def render_check(answer: Answer, *, verbose: bool = False, colour: bool = False) -> str:
    """One line a finding (severity, kind, object, where, id) and a last line that sums up; made for a log.

    Notes and findings that the settings accept are counted, and listed with ``verbose``. What was not checked has a
    line each, tables in a schema where the application role does not look one together. A definition is cut where a
    line would be wider than ``CHECK_WIDTH``.
    """
    shown = answer.findings(Severity.NOTE if verbose else Severity.RISKY)
    off_the_path = [drift for drift in shown if drift.is_off_the_path]
    lines = [_one_for_all(off_the_path, answer)] if len(off_the_path) > 1 else []
    apart = shown if not lines else [drift for drift in shown if not drift.is_off_the_path]
    lines += [_check_line(drift.severity.value, drift, _seen(drift), answer) for drift in apart]
    lines += [_check_line("ignored", drift, reason, answer) for drift, reason in answer.ignored if verbose]
    lines += [_check_line("accepted", drift, reason, answer) for drift, reason in answer.accepted if verbose]
    lines += [f"unchecked  {gap.what}: {gap.why}; {gap.how}" for gap in answer.not_checked]
    lines.append(check_summary(answer))
    return "".join(f"{painted(printable(line)) if colour else printable(line)}\n" for line in lines)


NOTHING_EXPECTED = "No applied migration makes a table, so nothing is expected and nothing can be amiss."


def check_summary(answer: Answer) -> str:
    """In one line what was found, or what was compared where nothing was."""
    numbers = dict.fromkeys(Severity, 0)
    for drift in answer.plan.drifts:
        numbers[drift.severity] += 1
    scope = f" within {answer.plan.scope}" if answer.plan.scope else ""
    left = sum(drift.severity is not Severity.NOTE for drift in answer.plan.left_out)
    notes = f", {counted(numbers[Severity.NOTE], 'note')} beside" if numbers[Severity.NOTE] else ""
    rest = f"; {counted(left, 'finding')} left out" if left else ""
    rest += f"; {len(answer.ignored):,} ignored by settings" if answer.ignored else ""
    rest += f"; {len(answer.accepted):,} accepted by the baseline" if answer.accepted else ""
    if answer.findings():
        gaps = "" if answer.complete else f"; {counted(len(answer.not_checked), 'thing')} not checked"
        found = f"{numbers[Severity.BROKEN]} broken, {numbers[Severity.RISKY]} risky"
        return f"{counted(len(answer.findings()), 'finding')}{scope} ({found}){notes}{rest}{gaps}."
    if not answer.complete:
        return (
            f"Nothing found{scope}{notes}{rest}, but {counted(len(answer.not_checked), 'thing')} could not be checked."
        )
    if answer.expects_nothing:
        return f"Nothing checked in {answer.observed.database}{notes}{rest}: {NOTHING_EXPECTED}"
    nothing = "Nothing new" if answer.accepted else "No drift"
    return f"{nothing}{scope}{notes}{rest}: compared {what_was_compared(answer)}."


@dataclass(frozen=True)
class _View:
    """An answer, and how it is to be shown."""

    answer: Answer
    verbose: bool
    width: int

    @property
    def most(self) -> int:
        """How many names a sentence lists."""
        return 1_000_000 if self.verbose else MANY

    @property
    def target(self) -> str:
        """The schema that goes without saying."""
        return self.answer.placement.target

    def said(self, label: str, *texts: str, at: int = INDENT) -> list[str]:
        """Paragraphs with a label at the left of the first."""
        lines = [line for text in texts for line in wrapped(printable(text), self.width, first=at, hang=at)]
        return [padded(label, at) + lines[0][at:], *lines[1:]] if lines else []


def _header(view: _View) -> list[str]:
    answer = view.answer
    observed, expected = answer.observed, answer.expected
    place = database_at(observed.database, answer.host)
    replica = ", a read-only replica" if observed.server.in_recovery else ""
    took = "" if answer.seconds is None else f" in {answer.seconds:.1f} s"
    code = f", by the code at {expected.source_revision}" if view.verbose and expected.source_revision else ""
    texts = (
        f"{place}, PostgreSQL {observed.server.short_version}{replica}, read at {moment(observed.read_at)}{took}.",
        _whose_eyes(answer),
        f"Expected in {quoted(view.target)}: {counted(expected.applied_count, 'applied migration')}, "
        f"{expected.reference}{code}. Nothing was changed.",
    )
    return [line for text in texts for line in wrapped(printable(text), view.width, hang=2)]


def _whose_eyes(answer: Answer) -> str:
    """Who reads, who serves requests, with which search_path, and where that is set."""
    connected, placement = answer.observed.connected_as, answer.placement
    path = f"{placement.path.setting or 'empty'} ({placement.path.where})"
    skipped = "".join(f"; {quoted(s.name)} is passed over: {s.why}" for s in placement.path.skipped)
    if connected == placement.role:
        return f"Read as {quoted(connected)}; pages are taken to run so too, search_path {path}{skipped}."
    return f"Read as {quoted(connected)}. Pages run as {quoted(placement.role)}, search_path {path}{skipped}."


def _verdict(view: _View) -> list[str]:
    """What is broken, then what is risky; where there is neither, that there is no drift, or that nobody knows."""
    lines = []
    for severity in (Severity.BROKEN, Severity.RISKY):
        drifts = [drift for drift in view.answer.plan.drifts if drift.severity is severity]
        lines += view.said(severity.name, *findings_in_sentences(drifts, view.answer, most=view.most))
    return lines or _nothing_found(view)


def _nothing_found(view: _View) -> list[str]:
    answer = view.answer
    scope = f" within {answer.plan.scope}" if answer.plan.scope else ""
    if answer.expects_nothing and answer.complete:
        return view.said("EMPTY", NOTHING_EXPECTED, "Is it the database that is meant? Then migrate makes the tables.")
    if not answer.complete:
        return view.said(
            "UNSURE", f"Nothing is amiss{scope} where cascade could look, but it could not look everywhere."
        )
    rest = "" if answer.plan.left_out else " There is nothing to repair."
    return view.said("OK", f"No drift{scope}.{rest}", f"Compared: {what_was_compared(answer)}.")


def _rows(view: _View) -> list[str]:
    """Are the rows there, how many, where, in one copy or two."""
    drifts = view.answer.plan.drifts
    astray = [d for d in drifts if d.kind is DriftKind.MISPLACED_TABLE and len(d.rows) == 1]
    several = [d for d in drifts if len(d.rows) > 1 or (d.rows and _is_doubled(d))]
    texts = [*_astray_rows(astray, view)] if astray else []
    texts += [_rows_by_copy(drift, view) for drift in several[: view.most]]
    if len(several) > view.most:
        texts.append(f"{len(several) - view.most} more tables are there twice or more; -v lists them.")
    gone = [d for d in drifts if d.kind in (DriftKind.MISSING_TABLE, DriftKind.MISSING_COLUMN) and not d.copies]
    gone = [d for d in gone if not _may_be_renamed(d, view.answer)]
    if gone:
        names = listed([object_name(drift, view.answer) for drift in gone], view.most)
        texts.append(f"No schema holds {names}; what was in there is not brought back.")
    return view.said("ROWS", *texts)


def _may_be_renamed(drift: Drift, answer: Answer) -> bool:
    """Whether the table may be there under another name, which is for a person to say."""
    expected = answer.expected.tables.get(drift.table) if drift.table else None
    if drift.kind is not DriftKind.MISSING_TABLE or expected is None:
        return False
    return bears_its_names(expected.table, expected.name.schema, answer.observed.layout) is not None


def _is_doubled(drift: Drift) -> bool:
    return drift.kind in (DriftKind.DUPLICATED_TABLE, DriftKind.SHADOWED_TABLE) and drift.severity is not Severity.NOTE


def _astray_rows(astray: Sequence[Drift], view: _View) -> Iterator[str]:
    rows = [evidence for drift in astray for evidence in drift.rows]
    schemas = ", ".join(sorted({quoted(copy.schema) for drift in astray for copy in drift.copies}))
    known = all(r.has_rows is not None for r in rows) and any(r.has_rows for r in rows)
    copies = "one copy each" if len(astray) > 1 else "one copy"
    yield f"{'All there' if known else 'There'}, {copies}, in {schemas}: {rows_in_total(rows)}."


def _rows_by_copy(drift: Drift, view: _View) -> str:
    """How many rows each copy of a table holds, the one in its place first."""
    here = view.answer.observed.layout.tables.get(drift.table) if drift.table else None
    places = [(here.name, here.rows)] if here and here.name not in drift.copies else []
    places += list(zip(drift.copies, drift.rows, strict=True))
    each = ", ".join(f"{rows} in {quoted(place.schema)}" for place, rows in places)
    often = "twice" if len(places) == 2 else f"{len(places)} times"
    return f"{object_name(drift, view.answer)} is there {often}: {each}."


def _not_checked(view: _View) -> list[str]:
    """What was not checked, and how to have it checked. Like reasons are said once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for gap in view.answer.not_checked:
        reasons.setdefault((gap.why, gap.how), []).append(gap.what)
    texts = [
        f"Not checked: {listed(whats, view.most)}. Why: {why}. To have it checked: {how}."
        for (why, how), whats in reasons.items()
    ]
    return view.said("UNSURE" if view.answer.findings() else "", *texts)


def _causes(view: _View) -> list[str]:
    return [
        line
        for number, cause in enumerate(view.answer.causes)
        for line in _cause(cause, "" if number else "CAUSE", view)
    ]


def _cause(cause: Cause, label: str, view: _View) -> list[str]:
    when = f", {window(cause.first, cause.last)}" if cause.first else ""
    lines = view.said(label, f"{cause.sentence}{when}.")
    lines += view.said("  for", *cause.evidence_for, at=INDENT + 2)
    lines += view.said("  against", *(cause.evidence_against or ("nothing found",)), at=INDENT + 2)
    return lines + view.said("  beside", *cause.others, at=INDENT + 2)


def _chains(view: _View) -> list[str]:
    """The order in which failures surface, by page where that was measured; what fails alone is listed together."""
    chains = view.answer.plan.chains
    if any(chain.source == "exact" for chain in chains):
        return _exact_chains(view)
    longer = [chain for chain in chains if len(chain.objects) > 1]
    alone = [chain.objects[0] for chain in chains if len(chain.objects) == 1]
    if not longer:
        return []
    shown = longer if view.verbose else longer[:3]
    texts = [_chain(chain, view) for chain in shown]
    if len(longer) > len(shown):
        texts.append(f"and {len(longer) - len(shown)} more; -v lists them")
    texts.append("each of these fails in its turn, after the one before it is repaired (predicted)")
    if alone and view.verbose:
        texts.append(f"by itself: {listed([_bare(name, view) for name in alone], view.most)}")
    return view.said("CASCADE", *texts)


def _exact_chains(view: _View) -> list[str]:
    """What each page fails at, one after the other, and what no page was seen to touch."""
    plan = view.answer.plan
    texts = [f"{chain.probe}: {_chain(chain, view)}" for chain in plan.chains if chain.source == "exact"]
    texts.append("each of these fails in its turn, after the one before it is repaired (measured)")
    unmet = [_bare(name, view) for name, probes in blast_radius(plan).items() if not probes]
    if unmet:
        texts.append(f"no page that was asked touches {listed(unmet, view.most)}")
    return view.said("CASCADE", *texts)


def _chain(chain: Chain, view: _View) -> str:
    names = [_bare(name, view) for name in chain.objects]
    if len(names) > STEPS_IN_FULL and not view.verbose:
        names = [*names[:MANY], f"… {len(names) - MANY} more"]
    return " -> ".join(names)


def _bare(name: str, view: _View) -> str:
    return name.removeprefix(f"{quoted(view.target)}.")


def _locks(view: _View) -> list[str]:
    """Which locks the steps take on which tables, healthy ones by name."""
    steps = view.answer.plan.steps
    texts = []
    for mode in LockMode:
        drifted = {lock.table for step in steps for lock in step.locks if lock.mode is mode and not lock.healthy}
        if drifted:
            texts.append(f"{mode.value} on {_these(drifted, steps, view)}")
    if not texts and not _healthy_locks(steps, view):
        return view.said("LOCKS", "no table is locked.") if steps else []
    if all(isinstance(step.action, MoveTable) for step in steps):
        texts[-1] += ", milliseconds"
    healthy = _healthy_locks(steps, view)
    texts.append(f"healthy tables locked too: {'; '.join(healthy)}" if healthy else "no healthy table is locked")
    return view.said("LOCKS", ". ".join(text[0].upper() + text[1:] for text in texts) + ".")


def _these(tables: set[TableName], steps: Sequence[Step], view: _View) -> str:
    moved = {step.action.table for step in steps if isinstance(step.action, MoveTable | ExchangeTable)}
    names = [short_name(table, view.target) for table in sorted(tables - moved)]
    if tables >= moved and moved:
        count = len(moved)
        many = f"the {count} that move, with their sequences" if names else f"these {count} and their sequences"
        names.insert(0, many if len(moved) > 1 else "the table that moves and its sequences")
    else:
        names = [short_name(table, view.target) for table in sorted(tables)]
    return listed(names, view.most)


def _healthy_locks(steps: Iterable[Step], view: _View) -> list[str]:
    locks = {(lock.mode, lock.table) for step in steps for lock in step.locks if lock.healthy}
    healthy = []
    for mode in LockMode:
        names = [short_name(table, view.target) for m, table in sorted(locks, key=lambda lock: lock[1]) if m is mode]
        if names:
            healthy.append(f"{', '.join(names)} ({mode.value})")
    return healthy


def _rights(view: _View) -> list[str]:
    """Whether the connected role may run the plan, and the application use what it moves."""
    steps, tables = view.answer.plan.steps, view.answer.observed.layout.tables
    moved = [step.action.table for step in steps if isinstance(step.action, MoveTable) and step.action.table in tables]
    texts = [_right_to_run(view.answer), _use_by_pages(moved, view) if moved else ""]
    return view.said("RIGHTS", " ".join(text for text in texts if text))


def _right_to_run(answer: Answer) -> str:
    """What the plan needs of the connected role: to own what it alters, to create where it puts things."""
    role, tables = answer.observed.connected_as, answer.observed.layout.tables
    altered = [tables[name] for name in _needing_ownership(answer.plan.steps) if name in tables]
    facts = answer.observed.schema(answer.placement.target)
    places = any(isinstance(step.action, MoveTable | ExchangeTable | CreateTable) for step in answer.plan.steps)
    does = "owns" if all(table.owner == role for table in altered) else "may alter"
    able = [f"{does} {_all_of(len(altered))}"] if altered else []
    if facts is not None and places:
        able.append(f"may{'' if facts.create else ' not'} create in {quoted(facts.name)}")
    others = sorted({quoted(table.owner) for table in altered if not table.alterable})
    if others:
        theirs = sum(not table.alterable for table in altered)
        able[0] = (
            f"may alter {len(altered) - theirs or 'none'} of the {counted(len(altered), 'table')} "
            f"({listed(others)} own{'s' if len(others) == 1 else ''} {theirs}: run it as the owner or a superuser)"
        )
    closed = [schema for schema in _schemas_of(altered) if not _may_use(schema, answer)]
    if closed:
        able.append(f"may not use {listed([quoted(schema) for schema in closed])}, so it cannot alter what is there")
    return f"{quoted(role)} {listed(able)}." if able else ""


def _all_of(tables: int) -> str:
    """What steps alter, in a word.

    >>> [_all_of(number) for number in (1, 2, 3)]
    ['the table', 'both', 'all 3']
    """
    return {1: "the table", 2: "both"}.get(tables, f"all {tables}")


def _schemas_of(tables: Iterable[Table]) -> list[str]:
    return sorted({table.name.schema for table in tables})


def _may_use(schema: str, answer: Answer) -> bool:
    facts = answer.observed.schema(schema)
    return facts is None or facts.connected_usage


def _needing_ownership(steps: Iterable[Step]) -> list[TableName]:
    """The tables that only their owner may alter so, as they lie now."""
    return list(dict.fromkeys(table for step in steps for table in touched_tables(step.action)[:1]))


def _use_by_pages(moved: Sequence[TableName], view: _View) -> str:
    """What the application role may do with the moved tables afterwards: grants travel."""
    role, tables = quoted(view.answer.placement.role), view.answer.observed.layout.tables
    lacking = []
    for right in ("select", "insert", "update", "delete"):
        without = [name for name in moved if not getattr(tables[name].rights, right)]
        if without:
            names = listed([short_name(name, name.schema) for name in without], view.most)
            lacking.append(f"{right.upper()} on {f'any of the {len(moved)}' if without == list(moved) else names}")
    barred = [short_name(name, name.schema) for name in moved if not tables[name].rights.sequences]
    if barred:
        lacking.append(f"USAGE on the sequences of {listed(barred, view.most)}")
    one, altered = short_name(moved[0], moved[0].schema), len(_needing_ownership(view.answer.plan.steps))
    what = one if len(moved) == 1 else _all_of(altered) if altered == len(moved) else f"the {len(moved)} that move"
    return f"{role} lacks {'; '.join(lacking)}." if lacking else f"{role} may read and write {what}."


def _hazards(view: _View) -> list[str]:
    """What the steps do or could do beside their cure; without ``-v`` the first of many."""
    hazards = hazards_in_words(view.answer.plan.steps, most=view.most)
    more = len(hazards) - (MANY - 1) if len(hazards) > view.most else 0
    lines: list[str] = []
    for hazard in hazards[: len(hazards) - more]:
        lines += view.said("" if lines else "HAZARDS", hazard.sentence)
        lines += [f"{' ' * INDENT}{printable(line)}" for line in hazard.sql]  # to be copied, and so in one line each
    if more:
        kinds = ", ".join(sorted({hazard.kind.value for hazard in hazards[-more:]}))
        lines += view.said("", f"and {more} more of {kinds}; -v lists them")
    return lines


def _decisions(view: _View) -> list[str]:
    """What no step is proposed for until a person decides, and the option that decides it."""
    open_ = [drift for drift in view.answer.plan.drifts if drift.undecided and drift.severity is not Severity.NOTE]
    reasons: dict[str, list[Drift]] = {}
    for drift in open_:
        reasons.setdefault(drift.undecided, []).append(drift)
    texts = []
    for reason, drifts in reasons.items():
        names = listed([object_name(drift, view.answer) for drift in drifts], view.most)
        decisions = list(dict.fromkeys(drift.decision for drift in drifts if drift.decision))
        options = listed(decisions, 2 if not view.verbose else view.most)
        texts.append(f"{names}: {reason}.{f' Decide with {options}' if options else ''}")
    shown = texts if view.verbose else texts[: MANY + 1]
    if len(shown) < len(texts):
        shown.append(f"and {len(texts) - len(shown)} more; -v lists them")
    return view.said("DECIDE", "No step is proposed for:", *shown) if texts else []


def _by_hand(view: _View) -> list[str]:
    """What no step cures and no option decides: how a person repairs it, by kind."""
    cured = {cure for step in view.answer.plan.steps for cure in step.cures}
    kinds: dict[DriftKind, int] = {}
    for drift in view.answer.findings():
        if drift.id not in cured and not drift.undecided and not _was_left_out(drift, view.answer.plan):
            kinds[drift.kind] = kinds.get(drift.kind, 0) + 1
    texts = [f"{kind.value} ({number:,}): {kind.facts.repair}" for kind, number in kinds.items()]
    if len(texts) > view.most + 1:
        texts[view.most :] = [f"and {len(texts) - view.most} more kinds; -v lists them"]
    return view.said("BY HAND", "The plan has no step for these; they need a hand:", *texts) if texts else []


def _was_left_out(drift: Drift, plan: Plan) -> bool:
    """Whether a person did without a step that would cure it, which is said among its evidence."""
    return any(said.startswith(f"{step} is left out:") for step in plan.without for said in drift.evidence)


def _left_out(view: _View) -> list[str]:
    """What a person or the scope leaves out, and is drifted all the same."""
    answer = view.answer
    drifts = [drift for drift in answer.plan.left_out if drift.severity is not Severity.NOTE]
    undone = [drift for drift in answer.findings() if _was_left_out(drift, answer.plan)]
    names = listed([object_name(drift, answer) for drift in undone], view.most)
    told = [f"by --leave-out: {counted(len(answer.plan.without), 'step')}; not repaired: {names}."] if undone else []
    if not drifts:
        return view.said("LEFT OUT", *told) if told else []
    sentences = findings_in_sentences(drifts, answer, most=view.most)
    sentences[0] = f"by {answer.plan.scope}: {sentences[0]}" if answer.plan.scope else sentences[0]
    broken = sum(drift.severity is Severity.BROKEN for drift in drifts)
    fails = f"Pages that read {'it' if broken == 1 else 'them'} still fail. " if broken else ""
    rest = f"{fails}Without the scope the plan covers {'it' if len(drifts) == 1 else 'them'} too: cascade plan"
    return view.said("LEFT OUT", *told, *sentences, rest)


def _stopgap(view: _View) -> list[str]:
    stopgap = view.answer.stopgap
    if stopgap is None:
        return []
    if not stopgap.sql:
        return view.said("STOPGAP", f"none by search_path alone: {'; '.join(stopgap.refused_because)}.")
    intro = "Is the page needed before the repair? No DDL on tables; do not run migrate meanwhile:"
    if stopgap.is_repair:
        intro = "A setting to change, and no table; cascade does not run it:"
    return view.said(
        "STOPGAP",
        intro,
        stopgap.sql,
        f"{stopgap.restart}.",
        f"Reverse: {stopgap.reverse}",
    )


def _notes(view: _View) -> list[str]:
    notes = [drift for drift in view.answer.plan.drifts if drift.severity is Severity.NOTE]
    plain = [drift for drift in notes if not drift.explained_by]
    explained = [drift for drift in notes if drift.explained_by]
    return view.said(
        "NOTES",
        *findings_in_sentences(plain, view.answer, most=view.most),
        *explained_in_sentences(explained, view.answer, each=view.verbose),
        *view.answer.notes,
    )


def _ignored(view: _View) -> list[str]:
    """What the settings accept, each with the reason given there."""
    ignored = view.answer.ignored
    each = [f"{drift.kind.value} {object_name(drift, view.answer)} ({reason})" for drift, reason in ignored]
    return view.said("IGNORED", f"{len(ignored):,} by settings: {'; '.join(_some(each, view))}.") if ignored else []


def _some(texts: Sequence[str], view: _View) -> list[str]:
    """The first texts, and how many more there are."""
    more = len(texts) - view.most
    return [*texts[: view.most], f"{more:,} more, which -v lists"] if more > 1 else list(texts)


def _next(view: _View) -> list[str]:
    """The commands that go on from here."""
    answer, plan = view.answer, view.answer.plan
    again = "".join(f" {word}" for word in answer.asked)
    scope = f" {plan.scope}" if plan.scope else ""
    commands = []
    if not plan.is_empty:
        if answer.seconds is not None:
            commands += [
                (f"cascade plan{again}{scope} -o plan.json", f"keep this plan, id {answer.plan_id}"),
                ("cascade rehearse plan.json", "run it, look, roll it back"),
                ("cascade apply plan.json", "run it"),
            ]
        commands += [
            (f"cascade plan{again}{scope} -o repair.sql", "for those who take SQL"),
            (_psql(answer), "run that, as the owner"),
            (f"cascade plan{again}{scope} -o plan.svg", "as a picture"),
        ]
    table = _to_explain(answer)
    if table is not None:
        commands.append((f"cascade explain{again} {shlex.quote(table.name)}", "one table in full"))
    if answer.findings() or plan.left_out or not answer.complete:
        asked = "".join(f" {word}" for word in answer.asked if not word.startswith(_DECISIONS))
        commands.append((f"cascade check{asked}{scope}", "what is left, as an exit code"))
    return _in_two_columns(commands, view)


_DECISIONS = ("--take", "--create", "--keep", "--fill", "--leave-out")
"""What has been decided is done by then."""


def _to_explain(answer: Answer) -> TableName | None:
    """The table about which most is open: the first that waits for a decision, else the first with a finding."""
    found = sorted(answer.findings(), key=lambda drift: not drift.undecided)
    return next((drift.table for drift in found if drift.table), None)


def _psql(answer: Answer) -> str:
    """How the script is run."""
    host, _, _ = answer.host.removeprefix("socket ").rpartition(":")
    host = host or answer.host.removeprefix("socket ")
    known = answer.seconds is not None and " " not in host
    there = f" -h {shlex.quote(host)} -p {answer.observed.server.port}" if known else ""
    return f"psql{there} -d {shlex.quote(answer.observed.database)} -U {shlex.quote(_owner(answer))} -f repair.sql"


def _owner(answer: Answer) -> str:
    """Who owns what the plan alters, where that is one role; else the connected one."""
    tables = answer.observed.layout.tables
    owners = {tables[name].owner for name in _needing_ownership(answer.plan.steps) if name in tables}
    return owners.pop() if len(owners) == 1 else answer.observed.connected_as


def _in_two_columns(pairs: Sequence[tuple[str, str]], view: _View) -> list[str]:
    """Commands with a note beside each, or under it where the two do not fit; commands are never broken."""
    beside = [columns(left) for left, right in pairs if INDENT + columns(left) + 3 + columns(right) <= view.width]
    longest = max(beside, default=0)
    lines = []
    for number, (left, right) in enumerate(pairs):
        label = padded("" if number else "NEXT", INDENT)
        ways = (f"{label}{padded(left, longest)}   {right}", f"{label}{left}   {right}")
        fitting = next((way for way in ways if columns(way) <= view.width), None)
        lines += [fitting] if fitting else [f"{label}{left}", f"{' ' * (INDENT + 2)}{right}"]
    return lines


def _check_line(label: str, drift: Drift, said: str, answer: Answer) -> str:
    start = f"{label:<9}  {drift.kind.value}  {object_name(drift, answer)}: "
    end = f"  [{drift.id}]"
    room = max(_LEAST_SAID, CHECK_WIDTH - columns(start) - columns(end))
    return f"{start}{said if columns(said) <= room else f'{said[: room - 1]}…'}{end}"


def _one_for_all(drifts: Sequence[Drift], answer: Answer) -> str:
    """The line of tables that cannot be reached for one reason."""
    first = drifts[0]
    names = listed([object_name(drift, answer) for drift in drifts])
    start = f"{first.severity.value:<9}  {first.kind.value}  {counted(len(drifts), 'table')}: "
    return f"{start}{first.observed}: {'; '.join(first.evidence)} ({names})"


_LEAST_SAID = 40


def _seen(drift: Drift) -> str:
    """What was found, beside what was expected where both are definitions; what went wrong with it; why no step."""
    expected = f", expected {bare_definition(drift.expected, drift)}" if drift.kind in TWO_DEFINITIONS else ""
    explained = f", explained by {drift.explained_by}" if drift.explained_by else ""
    with_it = f", and with it {words}" if (words := consequences_in_words([drift])) else ""
    undecided = f", undecided: {drift.undecided}" if drift.undecided else ""
    return f"{bare_definition(drift.observed, drift)}{expected}{explained}{with_it}{undecided}"

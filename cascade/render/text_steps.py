"""The steps as a table of text: number, statement, the migration that made the object, rows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AddForeignKey,
    AlterColumn,
    CreateIndex,
    CreateTable,
    ExchangeTable,
    GrantTable,
    GrantUsage,
    MoveTable,
    Phase,
    RepointForeignKey,
    SetOwner,
    SetSequence,
    ShelveTable,
    ValidateConstraint,
    action_name,
)
from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.layout import RowEvidence, quoted
from cascade.core.plan import Step
from cascade.core.words import MANY, counted, listed
from cascade.render.paragraphs import columns, padded, wrapped
from cascade.render.sql import render_action
from cascade.render.wording import by_app, migration_labels, printable, short_name

LABEL = "STEPS    "
STEPS_IN_FULL = 12
"""Above so many steps, like ones are summed up."""


def steps_in_lines(answer: Answer, *, verbose: bool, width: int) -> list[str]:
    """The steps of the plan with their SQL; above ``STEPS_IN_FULL`` like ones are summed up unless ``verbose``."""
    steps = answer.plan.steps
    if not steps:
        return []
    many = len(steps) > STEPS_IN_FULL and not verbose
    groups = _like_steps(steps) if many else [[step] for step in steps]
    labels = _labels(list(_cured(steps, answer)))
    rows = [
        _row_of_one(group[0], labels, answer, verbose=verbose)
        if len(group) == 1
        else _row_of_many(group, labels, answer)
        for group in groups
    ]
    return _table(rows, _about(steps), width)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table of steps: what it says of one step or of several like ones."""

    number: str
    statements: tuple[str, ...]
    made_by: str
    rows: str


def _about(steps: Sequence[Step]) -> str:
    late = sum(step.phase is not Phase.TRANSACTION for step in steps)
    text = "one transaction" if late < len(steps) else "each in a transaction of its own"
    if 0 < late < len(steps):
        text = f"one transaction, but for the last {late}" if late > 1 else "one transaction, but for the last"
    if any(isinstance(step.action, MoveTable | ExchangeTable) for step in steps):
        text += "; keys, indexes, rows and grants travel along"
    if any(isinstance(step.action, CreateTable) for step in steps):
        text += "; what is created is empty"
    return text


def _like_steps(steps: Iterable[Step]) -> list[list[Step]]:
    """Like steps put together, in the order of their first; a pair is no crowd and stays apart."""
    groups: dict[tuple[str, ...], list[Step]] = {}
    for step in steps:
        groups.setdefault(_likeness(step), []).append(step)
    apart = [[step] for group in groups.values() if len(group) < 3 for step in group]
    together = [group for group in groups.values() if len(group) >= 3]
    return sorted([*apart, *together], key=lambda group: group[0].position)


def _likeness(step: Step) -> tuple[str, ...]:
    """What steps have in common that one line can stand for."""
    name, schema = action_name(type(step.action)), step.table.schema
    match step.action:
        case MoveTable(table, to):
            return (name, table.schema, to.schema)
        case GrantUsage(schema, role):
            return (name, schema, role)
        case GrantTable(_, privileges, role):
            return (name, schema, role, *privileges)
        case SetOwner(_, owner):
            return (name, schema, owner)
        case _:
            return (name, schema, step.phase.value)


def _labels(drifts: Sequence[Drift]) -> Mapping[str, str]:
    """By finding, the migration that made its object. Where the table's name says the app, the number is enough."""
    made = {drift.id: drift.made_by.migration for drift in drifts if drift.made_by}
    long, short = migration_labels(made.values(), with_app=True), migration_labels(made.values())
    apps = {key.app for key in made.values()}
    labels = {}
    for drift in drifts:
        if drift.id in made:
            key, table = made[drift.id], drift.table.name if drift.table else ""
            evident = [app for app in apps if table.startswith(f"{app}_")] == [key.app]
            labels[drift.id] = long[key].removeprefix(f"{key.app}.") if evident else short[key]
    return labels


def _row_of_one(step: Step, labels: Mapping[str, str], answer: Answer, *, verbose: bool) -> _Row:
    made = [labels[drift.id] for drift in _cured([step], answer) if drift.id in labels]
    rows = _rows_moved(step, answer)
    return _Row(
        str(step.position), _statements(step.action, verbose=verbose), "".join(made), rows.figure if rows else ""
    )


def _row_of_many(group: Sequence[Step], labels: Mapping[str, str], answer: Answer) -> _Row:
    drifts = list(_cured(group, answer))
    made = list(dict.fromkeys(labels[drift.id] for drift in drifts if drift.id in labels))
    spread = " … ".join(dict.fromkeys([made[0], made[-1]])) if made else ""
    evidence = [e for e in (_rows_moved(step, answer) for step in group) if e is not None]
    statements = (_in_general(group), f"{_which(group, drifts, answer)}; -v lists them")
    first, last = group[0].position, group[-1].position
    # Like steps need not follow one another: others may stand between the first and the last.
    number = f"{first}…{last}" if last - first + 1 == len(group) else f"in {first}…{last}"
    return _Row(number, statements, spread, _sum_cell(evidence))


def _which(group: Sequence[Step], drifts: Sequence[Drift], answer: Answer) -> str:
    """Which objects the like steps are about: by name where they are few, else how many of which app."""
    target = answer.placement.target
    match group[0].action:
        case MoveTable() | GrantTable() | GrantUsage():
            return by_app(drift.app for drift in drifts)
        case AddForeignKey() | RepointForeignKey():
            # Those that wait for most are the keys between tables which are repaired here.
            telling = sorted(group, key=lambda step: (-len(step.waits_for), step.position))
            return listed([_key_in_words(step.action, target) for step in telling], MANY)
        case _:
            return listed([_object_in_words(step, target) for step in group], STEPS_IN_FULL)


def _object_in_words(step: Step, target: str) -> str:
    return short_name(step.table, target) + (f".{quoted(step.object)}" if step.object else "")


def _key_in_words(action: Action, target: str) -> str:
    match action:
        case AddForeignKey(table, key) | RepointForeignKey(table, _, key) if key.references:
            return f"{short_name(table, target)} -> {short_name(key.references.table, target)}"
        case _:
            return ""


def _in_general(group: Sequence[Step]) -> str:
    """The statement that several like steps have in common, an ellipsis where they differ."""
    times, action, schema = f"{len(group)} ×", group[0].action, quoted(group[0].table.schema)
    match action:
        case MoveTable(table, to):
            return f"{times} ALTER TABLE {quoted(table.schema)}.… SET SCHEMA {quoted(to.schema)};"
        case ExchangeTable(_, to, attic):
            return f"{times} {quoted(to.schema)}.… exchanged for the copy that counts; the other into {quoted(attic)};"
        case ShelveTable(table, attic):
            return f"{times} ALTER TABLE {quoted(table.schema)}.… SET SCHEMA {quoted(attic)};"
        case CreateTable():
            return f"{times} CREATE TABLE {schema}.… (…);"
        case AddColumn():
            return f"{times} ALTER TABLE {schema}.… ADD COLUMN …;"
        case AlterColumn():
            return f"{times} ALTER TABLE {schema}.… ALTER COLUMN …;"
        case AddForeignKey():
            return f"{times} ALTER TABLE {schema}.… ADD CONSTRAINT … FOREIGN KEY …;"
        case RepointForeignKey():
            return f"{times} ALTER TABLE {schema}.… DROP CONSTRAINT …, ADD CONSTRAINT … FOREIGN KEY …;"
        case AddConstraint():
            return f"{times} ALTER TABLE {schema}.… ADD CONSTRAINT …;"
        case ValidateConstraint():
            return f"{times} ALTER TABLE {schema}.… VALIDATE CONSTRAINT …;"
        case CreateIndex(concurrently=concurrently):
            return f"{times} CREATE INDEX {'CONCURRENTLY ' if concurrently else ''}… ON {schema}.…;"
        case SetSequence():
            return f"{times} setval to the highest value of the column;"
        case SetOwner(_, owner):
            return f"{times} ALTER TABLE {schema}.… OWNER TO {quoted(owner)};"
        case GrantTable(_, privileges, role):
            return f"{times} GRANT {', '.join(privileges)} ON TABLE {schema}.… TO {quoted(role) if role else 'PUBLIC'};"
        case GrantUsage():
            return f"{times} {render_action(action)[0]}"
        case _:
            return f"{times} {action_name(type(action))} in {schema}"


def _statements(action: Action, *, verbose: bool) -> tuple[str, ...]:
    """The SQL; without ``verbose`` a CREATE TABLE says how much it makes instead of all of it."""
    if isinstance(action, CreateTable) and not verbose:
        table = action.table
        own = sum(index.constraint is None for index in table.indexes)
        inside = f"{counted(len(table.columns), 'column')}, {counted(len(table.constraints), 'constraint')}"
        return (f"CREATE TABLE {table.name} (… {inside} …); and {counted(own, 'index', 'indexes')}",)
    statements = render_action(action)
    if len(statements) > MANY and not verbose:
        return (*statements[:2], f"and {len(statements) - 2} more statements; -v lists them")
    return statements


def _rows_moved(step: Step, answer: Answer) -> RowEvidence | None:
    """How many rows travel with a move; other actions move none."""
    if not isinstance(step.action, MoveTable | ExchangeTable | ShelveTable):
        return None
    found = answer.observed.layout.tables.get(step.action.table)
    return found.rows if found else RowEvidence()


def _sum_cell(evidence: Sequence[RowEvidence]) -> str:
    """The rows of several tables together; an unknown among them makes the sum unknown."""
    cells = [rows.figure for rows in evidence]
    if not cells or "?" in cells:
        return "?" if cells else ""
    total = sum(int(cell.lstrip("~>").replace(",", "")) for cell in cells)
    least, about = any(c[0] == ">" for c in cells), any(c[0] == "~" for c in cells)
    return f"{'>' if least else '~' if about else ''}{total:,}"


def _table(rows: Sequence[_Row], intro: str, width: int) -> list[str]:
    """The steps in columns: number, statement, migration, rows; the last two only where they say something."""
    numbers = max(columns(row.number) for row in rows)
    made = _column_width("made by", [row.made_by for row in rows], most=26)
    held = _column_width("rows", [row.rows for row in rows], most=20)
    start = numbers + 4
    room = width - start - sum(w + 2 for w in (made, held) if w)
    head = [padded("made by", made)] if made else []
    head += [padded("rows", held, right=True)] if held else []
    lines = _headed(intro, "  ".join(head), start + room + 2, width)
    for row in rows:
        lines += _table_lines(row, numbers, start, room, made, held)
    return lines


def _headed(intro: str, head: str, at: int, width: int) -> list[str]:
    """The introduction with the heads of the columns beside it, or under it where it is too long."""
    indent = len(LABEL)
    lines = wrapped(intro, width, first=indent, hang=indent)
    lines[0] = LABEL + lines[0][indent:]
    if len(lines) == 1 and columns(lines[0]) + 2 <= at:
        return [(padded(lines[0], at) + head).rstrip()]
    return [*lines, (" " * at + head).rstrip()]


def _column_width(title: str, cells: Iterable[str], *, most: int) -> int:
    widths = [columns(cell) for cell in cells if cell]
    return max(columns(title), min(max(widths), most)) if widths else 0


def _table_lines(row: _Row, numbers: int, start: int, room: int, made: int, held: int) -> list[str]:
    """One row: its cells stand on the first line; a cell that does not fit gets a line of its own."""
    body = [
        line
        for statement in row.statements
        for part in _without_breaks_in_names(statement).splitlines()
        for line in wrapped(part, room, first=_leading(part), hang=_leading(part) + 2)
    ]
    fits = columns(body[0]) <= room and columns(row.made_by) <= made
    cells = [padded(row.made_by if fits else "", made)] if made else []
    cells += [padded(row.rows if fits else "", held, right=True)] if held else []
    first = f"  {padded(row.number, numbers, right=True)}  {padded(body[0], room)}  {'  '.join(cells)}"
    lines = [first.rstrip(), *(" " * start + line for line in body[1:])]
    if not fits:
        rest = [f"made by {row.made_by}"] if row.made_by else []
        rest += [f"rows: {row.rows}"] if row.rows else []
        lines += wrapped(", ".join(rest), start + room, first=start + 2, hang=start + 2) if rest else []
    return lines


def _without_breaks_in_names(statement: str) -> str:
    return re.sub(r'"(?:[^"]|"")*"', lambda name: printable(name[0]), statement)


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _cured(steps: Iterable[Step], answer: Answer) -> Iterator[Drift]:
    """The first finding that each step cures, where it is one of the plan's."""
    by_id = {drift.id: drift for drift in answer.plan.drifts}
    for step in steps:
        found = next((by_id[cure] for cure in step.cures if cure in by_id), None)
        if found is not None:
            yield found

"""The plan as a script for psql."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cascade.core.actions import (
    AddColumn,
    AddForeignKey,
    CreateTable,
    GrantTable,
    GrantUsage,
    MoveTable,
    touched_tables,
)
from cascade.core.answer import Answer
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.layout import TableName, quoted
from cascade.core.plan import Plan, Step
from cascade.render.sql.actions import render_step_sql
from cascade.render.sql.words import SEARCH_PATH, comment, do, lines, literal

LOCK_TIMEOUT = "2s"
"""How long a statement of the script waits for a lock: a queued lock makes others wait behind us."""


def render_sql_script(answer: Answer) -> str:
    """The answer's plan as a script for psql, see ``render_plan_script``; its head says what the answer says."""
    return render_plan_script(
        answer.plan,
        database=answer.observed.database,
        plan_id=answer.plan_id,
        read_at=answer.observed.read_at,
        role=answer.observed.connected_as,
        notes=(
            f"Tables belong to the schema {quoted(answer.placement.target)}; pages run as"
            f" {quoted(answer.placement.role)}.",
            *(f"Not checked: {part.what}: {part.why}" for part in answer.not_checked),
            *answer.notes,
        ),
    )


def render_plan_script(
    plan: Plan, *, database: str, plan_id: str, read_at: str, role: str, notes: Iterable[str] = ()
) -> str:
    """The plan as a script for psql: one transaction that first proves that the database is as it was read.

    ``role`` is the connected role, ``notes`` are further lines for the head, which also names the findings
    that no step cures. The script ends in a newline.
    """
    left = _left_as_they_are(plan)
    head = (
        *_PSQL,
        comment(f"cascade plan {plan_id} for the database {quoted(database)}, read at {read_at} as {quoted(role)}."),
        *map(comment, notes),
        *map(comment, left),
    )
    if plan.is_empty:
        nothing = "There is nothing to run: what is left needs a decision." if left else "There is nothing to do."
        return lines(*head, comment(nothing))
    return lines(
        *head,
        "-- All of it is one transaction: it holds as a whole, or nothing is changed.",
        "",
        "BEGIN;",
        f"SET LOCAL lock_timeout = {literal(LOCK_TIMEOUT)};",
        "-- Definitions below are spelled for this path.",
        f"SET LOCAL search_path = {SEARCH_PATH};",
        "",
        "-- Is everything still as it was read?",
        _render_preflight(database, _preconditions(plan.steps)),
        *(line for step in plan.steps for line in _step_lines(step, plan)),
        "",
        "COMMIT;",
    )


_PSQL = (r"\set ON_ERROR_STOP on", r"\encoding UTF8")


def _left_as_they_are(plan: Plan) -> list[str]:
    """The findings that stay when the script has run, notes apart."""
    cured = {drift for step in plan.steps for drift in step.cures}
    lines = [
        f"Left as it is: {drift.id}" + (f": {drift.undecided}" if drift.undecided else "")
        for drift in plan.drifts
        if drift.severity is not Severity.NOTE and drift.id not in cured
    ]
    beyond = [drift.id for drift in plan.left_out if drift.severity is not Severity.NOTE]
    return [*lines, *(f"Left out by the scope: {drift}" for drift in beyond)]


def _step_lines(step: Step, plan: Plan) -> list[str]:
    drifts = {drift.id: drift for drift in plan.drifts}
    return [
        "",
        comment(f"Step {step.position} of {len(plan.steps)}: {step.id}"),
        *(comment(f"  cures {_cure(cured, drifts.get(cured))}") for cured in step.cures),
        *(comment(f"  mind: {hazard.sentence} ({hazard.kind.value})") for hazard in step.hazards),
        *render_step_sql(step),
    ]


def _cure(cured: str, drift: Drift | None) -> str:
    if drift is None or drift.made_by is None:
        return cured
    made_by = drift.made_by
    applied = f", applied {made_by.applied}" if made_by.applied else ""
    return f"{cured}; made by {made_by.migration}: {made_by.operation}{applied}"


@dataclass(frozen=True, slots=True)
class _Preconditions:
    """What must hold before the first step: rows of names, sorted, each once."""

    schemas: tuple[tuple[str, ...], ...]
    roles: tuple[tuple[str, ...], ...]
    tables: tuple[tuple[str, ...], ...]
    free_names: tuple[tuple[str, ...], ...]
    absent_columns: tuple[tuple[str, ...], ...]
    absent_constraints: tuple[tuple[str, ...], ...]


def _preconditions(steps: Sequence[Step]) -> _Preconditions:
    """What each step needs of the database as it is before any step ran."""
    schemas: set[tuple[str, ...]] = set()
    roles: set[tuple[str, ...]] = set()
    tables: set[tuple[str, ...]] = set()
    free_names: set[tuple[str, ...]] = set()
    columns: set[tuple[str, ...]] = set()
    constraints: set[tuple[str, ...]] = set()
    # Where a table that a later step names lies now; None once an earlier step makes it.
    now_at: dict[TableName, TableName | None] = {}
    # Names that an earlier step makes free.
    vacated: set[TableName] = set()

    def at_first(table: TableName) -> TableName | None:
        place = now_at.get(table, table)
        if place is not None:
            tables.add(_pair(place))
        return place

    def needs_free(name: TableName) -> None:
        schemas.add((name.schema,))
        if name not in vacated:
            free_names.add(_pair(name))

    for step in steps:
        match step.action:
            case MoveTable(table, to):
                place = at_first(table)
                needs_free(to)
                vacated.add(table)
                now_at[to] = place
            case CreateTable(made):
                needs_free(made.name)
                now_at[made.name] = None
            case AddColumn(table, column):
                if (place := at_first(table)) is not None:
                    columns.add((*_pair(place), column.name))
            case AddForeignKey(table, constraint):
                if (place := at_first(table)) is not None:
                    constraints.add((*_pair(place), constraint.name))
                if constraint.references is not None:
                    at_first(constraint.references.table)
            case GrantUsage(schema, role):
                schemas.add((schema,))
                roles.add((role,))
            case GrantTable(table, _, role):
                at_first(table)
                roles.add((role,))
            case _:
                for table in touched_tables(step.action):
                    at_first(table)
    found = (schemas, roles, tables, free_names, columns, constraints)
    return _Preconditions(*(tuple(sorted(names)) for names in found))


def _pair(table: TableName) -> tuple[str, str]:
    return (table.schema, table.name)


def _render_preflight(database: str, wanted: _Preconditions) -> str:
    """A block that raises ``nothing was changed: …`` with everything that is not as expected."""
    checks = (
        _check(wanted.schemas, "there is no schema %I", f"NOT EXISTS ({_SCHEMA})"),
        _check(wanted.roles, "there is no role %I", f"NOT EXISTS ({_ROLE})"),
        _check(wanted.tables, "there is no table %I.%I", f"NOT EXISTS ({_RELATION} AND c.relkind IN ('r', 'p'))"),
        _check(wanted.free_names, "%I.%I is there already", f"EXISTS ({_RELATION})"),
        _check(wanted.absent_columns, "%I.%I has a column %I already", f"EXISTS ({_COLUMN})"),
        _check(wanted.absent_constraints, "%I.%I has a constraint %I already", f"EXISTS ({_CONSTRAINT})"),
    )
    wrong_database = f"nothing was changed: this plan is for the database {quoted(database)}, and this is "
    return do(
        "DECLARE",
        "  problems text;",
        "BEGIN",
        f"  IF current_database() <> {literal(database)} THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(wrong_database)} || quote_ident(current_database());",
        "  END IF;",
        "  SELECT string_agg(found.problem, '; ' ORDER BY found.problem) INTO problems FROM (",
        "\n    UNION ALL\n".join(filter(None, checks)),
        "  ) AS found (problem);",
        "  IF problems IS NOT NULL THEN",
        "    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: ' || problems,",
        "      HINT = 'The database is not as it was when the plan was made. Make a new one with cascade plan.';",
        "  END IF;",
        "END",
    )


def _check(names: Sequence[tuple[str, ...]], problem: str, when: str) -> str:
    if not names:
        return ""
    rows = ",\n      ".join("(" + ", ".join(map(literal, row)) + ")" for row in names)
    parts = [f"part{position}" for position in range(1, len(names[0]) + 1)]
    return (
        f"    SELECT format({literal(problem)}, {', '.join(f'v.{part}' for part in parts)})\n"
        f"    FROM (VALUES\n      {rows}\n    ) AS v ({', '.join(parts)})\n"
        f"    WHERE {when}"
    )


_SCHEMA = "SELECT FROM pg_namespace n WHERE n.nspname = v.part1"
_ROLE = "SELECT FROM pg_roles r WHERE r.rolname = v.part1"
_RELATION = (
    "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace\n"
    "      WHERE n.nspname = v.part1 AND c.relname = v.part2"
)
_COLUMN = (
    "SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace\n"
    "      WHERE n.nspname = v.part1 AND c.relname = v.part2 AND a.attname = v.part3 AND NOT a.attisdropped"
)
_CONSTRAINT = (
    "SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace\n"
    "      WHERE n.nspname = v.part1 AND c.relname = v.part2 AND k.conname = v.part3"
)

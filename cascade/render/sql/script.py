"""The plan as a script for psql."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import md5

from cascade.core.actions import (
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
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
    ShelveTable,
    touched_tables,
)
from cascade.core.answer import Answer
from cascade.core.detection.constraints import constraint_in_words
from cascade.core.drift import Drift
from cascade.core.findings import Severity
from cascade.core.history import HISTORY_TABLE
from cascade.core.layout import Index, Layout, Table, TableName, quoted
from cascade.core.limits import ADVISORY_KEY
from cascade.core.meanwhile import is_beside
from cascade.core.plan import Plan, Step, locks_to_begin_with
from cascade.render.sql.actions import render_refusals, render_step_sql, render_taking_back
from cascade.render.sql.constraints import index_comments
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
        notes=_notes_of(answer),
        layout=answer.observed.layout,
        history=_history_of(answer),
    )


def render_undo_script(answer: Answer) -> str:
    """What takes the plan's script back, as a script: the layout as it was, refused where rows would be lost.

    It first proves that what the plan did is there. The script ends in a newline.
    """
    steps = [step for step in reversed(answer.plan.steps) if render_taking_back(step.action)]
    refusals = [refusal for step in steps for refusal in render_refusals(step.action)]
    database = answer.observed.database
    return lines(
        *_PSQL,
        comment(
            f"Takes back the cascade plan {answer.plan_id} for the database {quoted(database)}, once it has been run."
        ),
        *map(comment, _notes_of(answer)),
        *_opening(_history_of(answer)),
        "-- Is all that the plan did there, and this the database?",
        _render_effects(database, answer.plan.steps, "nothing was changed: the plan is not in force: "),
        *(["", "-- Would rows or values be lost that were written since?", *refusals] if refusals else []),
        *(line for step in steps for line in _undo_lines(step)),
        "",
        "COMMIT;",
    )


def render_plan_script(
    plan: Plan,
    *,
    database: str,
    plan_id: str,
    read_at: str,
    role: str,
    notes: Iterable[str] = (),
    layout: Layout | None = None,
    history: TableName | None = None,
) -> str:
    """The plan as a script for psql: one transaction that first proves that the database is as it was read.

    ``role`` is the connected role, ``notes`` are further lines for the head, which also names the findings
    that no step cures. ``layout`` is what was read: every table that a step touches has to be defined so still.
    ``history`` is the ``django_migrations`` that is locked against a ``migrate`` at the same moment. Before COMMIT it
    is proved that each step did what it should. Steps that take a transaction of their own or none follow, each of
    which can be run again. The script ends in a newline.
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
    together = plan.steps_in(Phase.TRANSACTION)
    late = [step for step in plan.steps if step.phase is not Phase.TRANSACTION]
    wanted = _preconditions(plan.steps)
    body = [
        *_opening(history),
        "-- Is everything still as it was read?",
        _render_preflight(database, wanted),
        *_locks(together, wanted),
        *_render_definitions(layout, plan.steps),
        *_remembered(together),
        *(line for step in together for line in _step_lines(step, plan)),
        "",
        "-- Did every step do what it should?",
        _render_effects(database, together, "nothing was changed: not all of the steps took effect: "),
        "",
        "COMMIT;",
    ]
    after = [
        "",
        "-- What follows is not in the transaction: each of these can be run again by itself.",
        f"SET search_path = {SEARCH_PATH};",
        *(line for step in late for line in _late_lines(step, plan)),
    ]
    return lines(*head, *map(comment, _locks_in_words(plan)), *body, *(after if late else ()))


def _notes_of(answer: Answer) -> tuple[str, ...]:
    return (
        f"Tables belong to the schema {quoted(answer.placement.target)}; pages run as {quoted(answer.placement.role)}.",
        *(f"Not checked: {part.what}: {part.why}" for part in answer.not_checked),
        *answer.notes,
    )


def _history_of(answer: Answer) -> TableName | None:
    table = TableName(answer.placement.target, HISTORY_TABLE)
    return table if table.schema in answer.observed.history_schemas else None


def _locks_in_words(plan: Plan) -> Iterator[str]:
    """Who may run it, and whom it makes wait."""
    yield "To be run by the owner of the tables, or a superuser."
    healthy = sorted({(lock.table, lock.mode.value) for step in plan.steps for lock in step.locks if lock.healthy})
    yield "Healthy tables locked too: " + (", ".join(f"{table} ({mode})" for table, mode in healthy) or "none") + "."
    yield "What is between BEGIN and COMMIT is one transaction: it holds as a whole, or nothing is changed."


def _opening(history: TableName | None) -> list[str]:
    """The transaction, its limits, and what keeps a second repair or a migrate away meanwhile."""
    another = "nothing was changed: another repair of this database is at work"
    return [
        "",
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;",
        f"SET LOCAL lock_timeout = {literal(LOCK_TIMEOUT)};",
        "-- Definitions below are spelled for this path.",
        f"SET LOCAL search_path = {SEARCH_PATH};",
        do(
            "BEGIN",
            f"  IF NOT pg_try_advisory_xact_lock({ADVISORY_KEY}) THEN",
            f"    RAISE EXCEPTION USING MESSAGE = {literal(another)};",
            "  END IF;",
            "END",
        ),
        *([f"LOCK TABLE {history} IN SHARE ROW EXCLUSIVE MODE;"] if history else []),
        "",
    ]


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


def _undo_lines(step: Step) -> list[str]:
    return ["", comment(f"Takes back {step.id}"), *render_taking_back(step.action)]


def _late_lines(step: Step, plan: Plan) -> list[str]:
    """A step in a transaction of its own, or in none; what has been done already is passed over."""
    lines_ = _step_lines(step, plan)
    statements = len(render_step_sql(step))
    said, sql = lines_[:-statements], lines_[-statements:]
    match step.action:
        case CreateIndex(table, index, concurrently=True):
            name = TableName(table.schema, index.name)
            first, *rest = sql
            return [
                *said,
                _if_index(f"DROP INDEX CONCURRENTLY {name}", table, name, "NOT i.indisvalid"),
                _if_index(first, table, name, "i.indisvalid", negated=True, unless=_taken_over(step, plan)),
                *rest,
            ]
        case ReplaceConstraint(table, wanted_index=Index(name=built), using_index=True):
            swap = [s if s.startswith("COMMENT") else _if_index(s, table, TableName(table.schema, built)) for s in sql]
            return [*said, *_in_a_transaction(swap)]
        case ReplaceIndex(table, found, index, aside) if aside:
            was, name, waits = (TableName(table.schema, each) for each in (found.name, index.name, aside))
            *renamed, create, drop = (statement for statement in sql if not statement.startswith("COMMENT"))
            as_found = f"i.indisunique = {str(found.unique).lower()} AND {_TAIL} = {literal(found.tail or '')}"
            return [
                *said,
                *(_if_index(rename, table, was, as_found) for rename in renamed),
                _if_index(f"DROP INDEX CONCURRENTLY {name}", table, name, "NOT i.indisvalid"),
                _if_index(create, table, name, "i.indisvalid", negated=True),
                *index_comments(table, [index]),
                _if_index(drop, table, waits),
            ]
        case AddConstraint(table, constraint) if step.phase is Phase.AFTER:
            missing = f"NOT {_has_constraint(table, constraint.name)}"
            return [*said, f"SELECT {literal(sql[0].rstrip(';'))} WHERE {missing} \\gexec", *sql[1:]]
        case RebuildIndex():
            return [*said, *sql]
        case _:
            return [*said, *_in_a_transaction(sql)]


def _in_a_transaction(sql: Iterable[str]) -> list[str]:
    return [
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;",
        f"SET LOCAL lock_timeout = {literal(LOCK_TIMEOUT)};",
        *sql,
        "COMMIT;",
    ]


def _taken_over(step: Step, plan: Plan) -> str:
    """That the constraint for which the index is built has taken it over, name and all; ``""`` where none would."""
    for other in plan.steps:
        match other.action:
            case ReplaceConstraint(table, wanted=wanted) if step.id in other.waits_for:
                return _has_constraint(table, wanted.name, wanted.definition)
    return ""


_TAIL = "substr(pg_get_indexdef(i.indexrelid), strpos(pg_get_indexdef(i.indexrelid), ' USING ') + 7)"


def _if_index(
    statement: str,
    table: TableName,
    name: TableName,
    condition: str = "true",
    *,
    negated: bool = False,
    unless: str = "",
) -> str:
    """The statement, run by psql where such an index of that table is there, or is not, unless that holds."""
    there = (
        "EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {literal(name.schema)} AND c.relname = {literal(name.name)} "
        f"AND i.indrelid = {_regclass(table)} AND {condition})"
    )
    where = f"{'NOT ' if negated else ''}{there}" + (f" AND NOT {unless}" if unless else "")
    return f"SELECT {literal(statement.rstrip(';'))} WHERE {where} \\gexec"


def _cure(cured: str, drift: Drift | None) -> str:
    if drift is None or drift.made_by is None:
        return cured
    made_by = drift.made_by
    applied = f", applied {made_by.applied}" if made_by.applied else ""
    return f"{cured}; made by {made_by.migration}: {made_by.operation}{applied}"


def _locks(steps: Sequence[Step], wanted: "_Preconditions") -> list[str]:
    """The drifted tables that are there before any step ran, before it is looked how they are defined."""
    locks = [
        f"LOCK TABLE {table} IN {mode.value} MODE;"
        for table, mode in locks_to_begin_with(steps).items()
        if _pair(table) in wanted.tables
    ]
    return ["-- From here on nobody changes what the steps repair.", *locks] if locks else []


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
            case ExchangeTable(table, to):
                place = at_first(table)
                tables.add(_pair(to))
                vacated.update((table, to))
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
    found = (
        "  SELECT string_agg(found.problem, '; ' ORDER BY found.problem) INTO problems FROM (",
        "\n    UNION ALL\n".join(filter(None, checks)),
        "  ) AS found (problem);",
        "  IF problems IS NOT NULL THEN",
        "    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: ' || problems,",
        "      HINT = 'The database is not as it was when the plan was made. Make a new one with cascade plan.';",
        "  END IF;",
    )
    return _refusing(database, "this plan", found if any(checks) else ())


def _refusing(database: str, what: str, problems: Iterable[str]) -> str:
    """A block that raises in another database, and on the problems that its statements find."""
    wrong = f"nothing was changed: {what} is for the database {quoted(database)}, and this is "
    return do(
        "DECLARE",
        "  problems text;",
        "BEGIN",
        f"  IF current_database() <> {literal(database)} THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(wrong)} || quote_ident(current_database());",
        "  END IF;",
        *problems,
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


# ---------------------------------------------------------------------------------------------------- definitions


def _render_definitions(layout: Layout | None, steps: Sequence[Step]) -> list[str]:
    """A block that raises where a table which a step touches is not defined as it was read: by a digest of each."""
    touched = {table for step in steps for table in touched_tables(step.action)}
    known = [layout.tables[name] for name in sorted(touched) if layout is not None and name in layout.tables]
    known = [table for table in known if table.read_in_full and table.definitions_read]
    if not known:
        return []
    rows = [f"({literal(t.name.schema)}, {literal(t.name.name)}, {literal(_digest(t))})" for t in known]
    return [
        "-- Is every table defined as it was? Columns, constraints and indexes, by a digest of their definitions.",
        do(
            "DECLARE",
            "  problems text;",
            "BEGIN",
            "  WITH planned (schema, name, digest) AS (VALUES",
            "      " + ",\n      ".join(rows),
            "  ), touched AS (",
            "    SELECT c.oid, p.* FROM planned p JOIN pg_namespace n ON n.nspname = p.schema",
            "    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.name",
            "  ), part (oid, definition) AS (",
            _PARTS,
            "  ), found AS (",
            "    SELECT oid, md5(string_agg(definition, E'\\n' ORDER BY definition COLLATE \"C\")) AS digest",
            "    FROM part GROUP BY oid",
            "  )",
            "  SELECT string_agg(format('%I.%I', t.schema, t.name), ', ' ORDER BY t.schema, t.name) INTO problems",
            "  FROM touched t LEFT JOIN found f ON f.oid = t.oid WHERE t.digest IS DISTINCT FROM f.digest;",
            "  IF problems IS NOT NULL THEN",
            "    RAISE EXCEPTION USING MESSAGE = 'nothing was changed: not defined as it was read: ' || problems,",
            "      HINT = 'Make a new plan with cascade plan.';",
            "  END IF;",
            "END",
        ),
    ]


def _digest(table: Table) -> str:
    """What ``found`` makes of the table, from the definitions as they were read."""
    return md5("\n".join(sorted(_parts(table), key=str.encode)).encode(), usedforsecurity=False).hexdigest()


def _parts(table: Table) -> Iterator[str]:
    """The definition of each part of a table, as ``_PARTS`` words it."""
    for column in table.columns:
        words = column.type + ("" if column.nullable else " NOT NULL")
        words += f" DEFAULT {column.default}" if column.default is not None else ""
        yield f"column {column.name} {words} {column.identity}{column.generated}"
    for constraint in table.constraints:
        yield f"constraint {constraint.name} {constraint_in_words(constraint)}"
    for index in table.indexes:
        unique = "UNIQUE " if index.unique else ""
        yield f"CREATE {unique}INDEX {quoted(index.name)} ON {table.name} USING {index.tail}"


_PARTS = """\
    SELECT t.oid, 'column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') || ' '
           || a.attidentity::text || a.attgenerated::text
    FROM touched t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT t.oid, 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
    FROM touched t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x', 'n')
    UNION ALL
    SELECT t.oid, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
    FROM touched t JOIN pg_index i ON i.indrelid = t.oid"""


# -------------------------------------------------------------------------------------------------------- effects


def _remembered(steps: Sequence[Step]) -> list[str]:
    """Which tables are moved, by OID and by the file that holds their rows, kept in settings of this transaction."""
    kept = [
        f"  PERFORM set_config('cascade.moved_{step.position}', {_identity(place[0], steps)}, true);"
        for step in steps
        if (place := _moved(step)) is not None
    ]
    return [do("BEGIN", *kept, "END")] if kept else []


def _identity(table: TableName, steps: Sequence[Step]) -> str:
    """The table's OID and the file that holds its rows, but for a table that a step may write anew."""
    name = table.name
    rewritten = {s.table.name for s in steps if isinstance(s.action, AddColumn | AlterColumn)}
    what = "oid::text" if name in rewritten else "oid || ' ' || relfilenode"
    return f"(SELECT {what} FROM pg_class WHERE oid = {_regclass(table)})"


def _moved(step: Step) -> tuple[TableName, TableName] | None:
    match step.action:
        case MoveTable(table, to) | ExchangeTable(table, to):
            return table, to
        case ShelveTable(table, attic):
            return table, TableName(attic, table.name)
        case _:
            return None


def _regclass(table: TableName) -> str:
    return f"to_regclass({literal(str(table))})"


def _render_effects(database: str, steps: Sequence[Step], refusal: str) -> str:
    """A block that raises with each step whose effect is not there, or in another database."""
    checks = [
        f"    SELECT {literal(step.id)} WHERE NOT coalesce({effect}, false)"
        for step in steps
        if (effect := _effect(step, steps)) is not None
    ]
    found = (
        "  SELECT string_agg(found.step, '; ' ORDER BY found.step) INTO problems FROM (",
        "\n    UNION ALL\n".join(checks),
        "  ) AS found (step);",
        "  IF problems IS NOT NULL THEN",
        f"    RAISE EXCEPTION USING MESSAGE = {literal(refusal)} || problems;",
        "  END IF;",
    )
    return _refusing(database, "this", found if checks else ())


def _effect(step: Step, steps: Sequence[Step]) -> str | None:
    """What holds once the step is done, as a condition; None for what leaves no trace in the catalogs."""
    match step.action:
        case MoveTable() | ExchangeTable() | ShelveTable():
            place = _moved(step)
            assert place is not None, "it moves a table"
            same = f"{_identity(place[1], steps)} = current_setting('cascade.moved_{step.position}', true)"
            is_undo = f"coalesce(current_setting('cascade.moved_{step.position}', true), '') = ''"
            return f"{_regclass(place[1])} IS NOT NULL AND ({is_undo} OR {same})"
        case CreateTable(made):
            return f"{_regclass(made.name)} IS NOT NULL"
        case AddColumn(table, column):
            return (
                f"EXISTS (SELECT FROM pg_attribute WHERE attrelid = {_regclass(table)}"
                f" AND attname = {literal(column.name)} AND NOT attisdropped)"
            )
        case AddForeignKey(table, constraint) | AddConstraint(table, constraint):
            return _has_constraint(table, constraint.name)
        case RepointForeignKey(table, _, wanted) | ReplaceConstraint(table, _, wanted):
            return _has_constraint(table, wanted.name)
        case CreateIndex(index=index) if is_beside(index):
            return None  # the constraint has taken it over, name and all
        case CreateIndex(table, index) | ReplaceIndex(table, _, index):
            return f"{_regclass(TableName(table.schema, index.name))} IS NOT NULL"
        case SetNotNull(table, name):
            of_it = f"attrelid = {_regclass(table)} AND attname = {literal(name)}"
            return f"(SELECT attnotnull FROM pg_attribute WHERE {of_it})"
        case _:
            return None


def _has_constraint(table: TableName, name: str, definition: str | None = None) -> str:
    as_printed = f" AND pg_get_constraintdef(oid) = {literal(definition)}" if definition is not None else ""
    of_it = f"conrelid = {_regclass(table)} AND conname = {literal(name)}{as_printed}"
    return f"EXISTS (SELECT FROM pg_constraint WHERE {of_it})"

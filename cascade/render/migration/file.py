"""The file of a repair migration: what it says, and its operations, each a DO block."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cascade.core.actions import Phase
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.repair_migrations import RepairMigration, left_columns
from cascade.render.migration.blocks import make_blocks
from cascade.render.paragraphs import wrapped
from cascade.render.wording import printable


@dataclass(frozen=True, slots=True)
class MigrationText:
    """What a file says beside its operations. ``left_out`` are repairs that belong in no migration, in a line each."""

    plan_id: str
    day: str
    database: str
    left_out: tuple[str, ...] = ()


MigrationId = tuple[str, str]
"""A migration's app and name."""


def render_migration(
    migration: RepairMigration,
    expected: ExpectedLayout,
    drifts: Iterable[Drift],
    text: MigrationText,
    *,
    target: str,
    attic: str,
) -> str:
    """The file, ending in a newline, but for what it follows. ``target`` is the schema that the plan was made for."""
    found = {drift.id: drift for drift in drifts}
    left = left_columns(migration, found.values())
    blocks = make_blocks(migration, expected, found.values(), target, attic)
    names = _constant_names(blocks)
    constants = "\n\n".join(f"{name} = {_raw(body)}" for name, (_, body) in zip(names, blocks, strict=True))
    operations = "\n".join(
        f"        RunPostgreSQL(in_target({name}), reverse_sql=migrations.RunSQL.noop)," for name in names
    )
    return f'''{_docstring(migration, found, left, text)}

from django.db import migrations


class RunPostgreSQL(migrations.RunSQL):
    """SQL for PostgreSQL; nothing on any other database."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)


{put_in_frame([body for _, body in blocks])}


{constants}


{_CLASS}
    operations = [
{operations}
    ]
'''


def render_placed(text: str, follows: Iterable[MigrationId], before: Sequence[MigrationId]) -> str:
    """What ``render_migration`` gave, in its place: what it follows, and what comes after it against the numbers."""
    above, class_, below = text.rpartition(_CLASS)
    return f"{above}{class_}\n    dependencies = [\n{_pairs(follows)}\n    ]\n{_run_before(before)}{below}"


_CLASS = "class Migration(migrations.Migration):"


def _raw(body: str) -> str:
    if '"""' in body and "'''" in body:
        return '"""\n' + body.replace("\\", "\\\\").replace('"', '\\"') + '\n"""'
    marks = "'''" if '"""' in body else '"""'
    return f"r{marks}\n{body}\n{marks}"


def _docstring(
    migration: RepairMigration, cured: Mapping[str, Drift], left: Iterable[Drift], text: MigrationText
) -> str:
    found = [
        cured[id_] for id_ in dict.fromkeys(cure for step in migration.steps for cure in step.cures) if id_ in cured
    ]
    lines = [
        f"Put right what {text.database} was found to lack on {text.day} (cascade plan {text.plan_id}).",
        "",
        *(f"    {drift.kind.value} {drift.table}{f'.{drift.object}' if drift.object else ''}" for drift in found),
        "",
        "It looks before it acts: a database that is as it should be is left alone, also when this runs twice.",
        "At the end it looks again, and fails where something is still amiss. Taken back, it changes nothing.",
    ]
    mind = dict.fromkeys(hazard.sentence for step in migration.steps for hazard in step.hazards)
    if any(step.phase is not Phase.TRANSACTION for step in migration.steps):
        mind[_ALL_IN_ONE] = None
    if mind:
        lines += ["", "Mind:", ""]
        lines += [line for sentence in mind for line in wrapped(sentence, _WIDTH, first=4, hang=6)]
    if left:
        lines += ["", "Left as they are, and not looked at in the end:", ""]
        told = (f"{drift.table}.{drift.object}: {drift.undecided or drift.observed}" for drift in left)
        lines += [line for one in told for line in wrapped(one, _WIDTH, first=4, hang=6)]
    if text.left_out:
        lines += ["", "Not in here, for it belongs to one database and not to the code:", ""]
        lines += [f"    {line}" for line in text.left_out]
    return '"""' + "\n".join(map(_within_a_docstring, lines)) + '\n"""'


_WIDTH = 116


_ALL_IN_ONE = (
    "all of it is one transaction: indexes are built while nobody can write, and old rows are checked while locks are "
    "held; where a table is large, run cascade apply first, and then this finds nothing to do"
)


def _within_a_docstring(line: str) -> str:
    """A line that ends no string and begins no escape."""
    return printable(line).replace('"""', "'''").replace("\\", "\\\\")


def _pairs(pairs: Iterable[MigrationId]) -> str:
    return "\n".join(f"        ({_literal(app)}, {_literal(name)})," for app, name in pairs)


def _literal(text: str) -> str:
    """A string of Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def _run_before(pairs: Sequence[MigrationId]) -> str:
    if not pairs:
        return ""
    _, first = pairs[0]
    return f"""\
    # {first} was not applied where this was made. A database that has applied it already would run this one
    # late, and Django's consistency check refuses that: fake it there.
    run_before = [
{_pairs(pairs)}
    ]
"""


def _constant_names(blocks: Iterable[tuple[str, str]]) -> list[str]:
    """A constant's name for each block, made of its title."""
    names: list[str] = []
    for title, _ in blocks:
        name = re.sub(r"\W+", "_", title, flags=re.ASCII).strip("_").upper() or "STEP"
        name = name if name[0].isalpha() else f"_{name}"
        count = sum(known == name or known.startswith(f"{name}_AGAIN") for known in names)
        names.append(name + "_AGAIN" * count)
    return names


def put_in_frame(bodies: Sequence[str]) -> str:
    """The function of the file that puts a body into its DO block; no body can close the quotes."""
    tag, number = "$repair$", 0
    while any(tag[:-1] in body for body in bodies):
        number += 1
        tag = f"$repair_{number}$"
    return _FRAME.replace("$repair$", tag)


_FRAME = '''\
def in_target(body):
    """The body with the target schema at hand, that of the django_migrations in use, under a search_path of its own."""
    return f"""DO $repair$
DECLARE
  path text := current_setting('search_path');
  rows_seen text := current_setting('row_security');
  target name := coalesce((SELECT n.nspname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = pg_catalog.to_regclass('django_migrations')), current_schema());
  is_stray boolean;
  counts boolean;
  bound text;
  problems text[] := ARRAY[]::text[];
BEGIN
  PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
{body}
  PERFORM set_config('row_security', rows_seen, true);
  PERFORM set_config('search_path', path, true);
END $repair$"""'''

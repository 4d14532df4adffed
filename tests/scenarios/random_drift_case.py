"""The cases of one random project, in the project's own process; see ``random_drift``."""

import importlib
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django

from cascade.core.actions import Phase
from cascade.core.decisions import Decisions
from cascade.core.limits import Limits
from cascade.demo.witness import lost_rows, read_rows
from cascade.render.sql import render_sql_script
from cascade.workflows import Question, analyse
from cascade.workflows.migration import make_repair_migrations
from cascade.workflows.repairing import apply_plan, rehearse_plan, repair_target, undo_journal
from tests.scenarios.random_sites import APP, Damage, random_damage, random_site
from tests.servers import Server


def main() -> None:
    """Run the cases that the command line names, and print the figures as JSON."""
    described, seed, cases, template, ways = sys.argv[1:]
    server = Server(*json.loads(described)["server"])
    django.setup()
    site, figures = random_site(int(seed)), Counter[str]()
    as_healthy = _dump_of_healthy(server, template, [])
    for case in range(int(cases)):
        chance = random.Random(f"{seed}.{case}")
        damage = random_damage(site, chance)
        # With 0 every table is a large one, with steps that run in no transaction.
        question = Question(decisions=Decisions(large_pages=chance.choice((0, Decisions().large_pages))))
        try:
            healthy = _dump_of_healthy(server, template, damage) if any(d.beside for d in damage) else as_healthy
            _case(server, template, damage, healthy, figures, question, every_way=ways == "every")
        except Exception as error:
            what = "; ".join(f"{d.name} {d.table}" for d in damage)
            sql = "\n".join(statement for d in damage for statement in d.sql)
            large = f"large from {question.decisions.large_pages} pages on"
            raise AssertionError(f"seed {seed}, case {case} ({what}; {large}): {error}\n{sql}") from error
        figures["cases"] += 1
        figures.update(f"damage: {d.name}" for d in damage)
    print(json.dumps(figures))


def _dump_of_healthy(server: Server, template: str, damage: list[Damage]) -> list[str]:
    with copy_of(server, template, _beside(damage)) as healthy:
        return dump(server, healthy)


def _beside(damage: list[Damage]) -> list[Damage]:
    """What comes with the damage and is healthy."""
    return [Damage("", (d.beside,), True, "") for d in damage if d.beside]


def _case(
    server: Server,
    template: str,
    damage: list[Damage],
    as_healthy: list[str],
    figures: Counter[str],
    question: Question,
    *,
    every_way: bool,
) -> None:
    curable = all(d.curable for d in damage)
    figures["all curable"] += curable
    with copy_of(server, template, damage) as name:
        before, rows = dump(server, name), read_rows(_address(server), name)
        answer, target = analyse(question), repair_target(question)
        assert answer.findings(), "the damage was not found"
        if answer.plan.is_empty:
            assert not any(d.curable for d in damage), "no step for what can be cured"
            return
        figures["steps"] += len(answer.plan.steps)
        figures["steps in no transaction"] += len(answer.plan.steps_in(Phase.CONCURRENT))
        rehearse_plan(answer, question, target, Limits(), report=_silent)
        assert dump(server, name) == before, "the rehearsal changed something"
        journal = Path(os.environ["XDG_CACHE_HOME"]) / f"{figures['cases']}.jsonl"
        applied = apply_plan(answer, question, target, Limits(), journal, report=_silent)
        assert applied.afterwards.plan.is_empty, f"steps are left: {[s.id for s in applied.afterwards.plan.steps]}"
        after = dump(server, name)
        if curable:
            assert not applied.left, f"left: {[d.id for d in applied.left]}"
            _assert_same(_in_any_order(after), _in_any_order(as_healthy), "not as healthy")
        lost = lost_rows(_address(server), name, rows)
        assert not lost, f"rows: {lost}"
        undo_journal(journal, target, Limits(), report=_silent)
        _assert_same(dump(server, name), before, "the undo left another layout")
        lost = lost_rows(_address(server), name, rows)
        assert not lost, f"rows after the undo: {lost}"
    if every_way:
        _by_script(server, template, damage, after, figures, question)
        _by_migration(server, template, damage, after, as_healthy, figures, question)


def _by_script(
    server: Server, template: str, damage: list[Damage], after: list[str], figures: Counter[str], question: Question
) -> None:
    with copy_of(server, template, damage) as name:
        script = render_sql_script(analyse(question))
        done = subprocess.run(
            [server.program("psql"), "-X", "-q", server.dsn(name)],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"the script: {done.stderr}"
        _assert_same(dump(server, name), after, "the script left another layout than apply")
        figures["by script"] += 1


def _by_migration(
    server: Server,
    template: str,
    damage: list[Damage],
    after: list[str],
    as_healthy: list[str],
    figures: Counter[str],
    question: Question,
) -> None:
    """It repairs where the damage is, and changes nothing where there is none: it is deployed to both."""
    from django.core.management import call_command

    with copy_of(server, template, damage):
        files = make_repair_migrations(question)
    try:
        for file in files:
            file.path.write_text(file.text, encoding="utf-8")
        importlib.invalidate_caches()
        with copy_of(server, template, damage) as name:
            call_command("migrate", verbosity=0, interactive=False)
            expected = [line for line in after if not line.startswith(("SELECT pg_catalog.setval",))]
            _assert_same(
                _in_any_order(dump(server, name)), _in_any_order(expected), "the migration left another layout"
            )
        with copy_of(server, template, _beside(damage)) as name:
            call_command("migrate", verbosity=0, interactive=False)
            _assert_same(dump(server, name), as_healthy, "the migration changed what is healthy")
            assert not _attics(server, name), "the migration put something healthy aside"
        figures["by migration"] += 1
    finally:
        for file in files:
            file.path.unlink(missing_ok=True)
            sys.modules.pop(f"{APP}.migrations.{file.path.stem}", None)


def _attics(server: Server, name: str) -> list[Any]:
    with server.connect(name) as connection:
        return connection.execute("SELECT nspname FROM pg_namespace WHERE nspname ^@ 'cascade_attic_'").fetchall()


@contextmanager
def copy_of(server: Server, template: str, damage: list[Damage] | None = None) -> Iterator[str]:
    """A copy of the template with the damage done, which Django's default connection leads to meanwhile."""
    from django.db import connections

    name = f"{template}_copy"
    with server.connect() as administration:
        administration.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        administration.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
    connections["default"].close()
    connections.settings["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
    try:
        with server.connect(name) as connection:
            for one in damage or ():
                for statement in one.sql:
                    connection.execute(statement.encode())
        yield name
    finally:
        connections["default"].close()
        with server.connect() as administration:
            administration.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def dump(server: Server, name: str) -> list[str]:
    """``pg_dump --schema-only`` in lines, without the attic and what PostgreSQL makes anew each time."""
    done = subprocess.run(
        [server.program("pg_dump"), "-s", "-N", "cascade_attic_*", server.dsn(name)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))
    ]


def _in_any_order(lines: list[str]) -> list[str]:
    """A column that was dropped and added is the last one, and objects are dumped by name: the order says nothing."""
    return sorted(re.sub(r",$", "", line) for line in lines)


def _assert_same(found: list[str], wanted: list[str], what: str) -> None:
    if found != wanted:
        less, more = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
        raise AssertionError(f"{what}: lacks {list(less)[:4]}, has {list(more)[:4]}")


def _address(server: Server) -> Any:
    return SimpleNamespace(host=server.host, port=server.port, user="postgres")


def _silent(message: str) -> None:
    """Report to nobody."""


if __name__ == "__main__":
    main()

"""Real projects, drifted as in the incident and damaged by chance, repaired in every way, and taken back.

    python -m tests.projects.repair [--project NAME] [--server 15|18] [--at HOST:PORT] [--count 1] [--seed 1]
                                    [--kind NAME] [--incidents] [--verbose]

Each database holds rows in all of its tables. In a copy of each drifted one ``plan``, ``rehearse``, ``apply`` and
``undo`` are run, in another the script of psql and its mirror, in a third the migration. Judged is by pg_dump and
by checksums of all rows. ``--count`` are the injections of each kind (``expectations.py``) beside the incidents;
``--incidents`` leaves injections out. The table is Markdown, alone on stdout; what went wrong is told on stderr, with
the statements that show it again. Ends with 1 where anything did.
"""

import argparse
import contextlib
import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg

from cascade.demo.witness import lost_rows, read_rows
from tests.projects.databases import being_made, chosen_servers, exists, healthy_database
from tests.projects.expectations import InjectionKind
from tests.projects.healthy import parsed_options, print_row
from tests.projects.injections import Catalog, drawn
from tests.projects.projects import HERE, Checkout, Project, check_out, locked, run_command
from tests.projects.roles import APPLICATION, OWNER, READER, STRAY_SCHEMA
from tests.projects.rows import fill
from tests.servers import Database, Server, fresh_database

HEADS = (
    "project",
    "PostgreSQL",
    "drift",
    "findings",
    "steps",
    "rows",
    "rehearse",
    "apply",
    "as healthy",
    "undo",
    "script",
    "its undo",
    "migration",
    "seconds",
)

ROWS = 60
"""In each table, beside those that data migrations write."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A copy of the ``template``, and what is then done to it, by a superuser.

    ``curable``: nothing is left to decide, and nothing stays that nobody expects, so afterwards it is as healthy.
    ``user``: who repairs. ``anew``: the migration is also run where a database is made from nothing.
    """

    name: str
    template: str
    statements: tuple[str, ...] = ()
    curable: bool = True
    user: str = OWNER
    anew: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of the repair of one drift, under the heads of the table; ``wrong`` is empty where all went well."""

    drift: Drift
    figures: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    actions: Counter[str] = field(default_factory=Counter)

    def expect(self, holds: object, what: str) -> bool:
        """Note down what went wrong."""
        if not holds:
            self.wrong.append(what)
        return bool(holds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.projects.repair", description=__doc__)
    parser.add_argument("--count", type=int, default=1, help="injections of each kind")
    parser.add_argument("--seed", default="1", help="another one draws others")
    parser.add_argument("--kind", action="append", choices=[kind.value for kind in InjectionKind])
    parser.add_argument("--incidents", action="store_true", help="no injections")
    parser.add_argument("--verbose", action="store_true", help="tell of every command that took long")
    options = parsed_options(parser)
    kinds = () if options.incidents else tuple(map(InjectionKind, options.kind or [k.value for k in InjectionKind]))
    failures = 0
    print_row(HEADS)
    print_row(["---"] * len(HEADS))
    with chosen_servers(options.server, options.at) as (servers, folder):
        for project, server in itertools.product(options.project, servers):
            with Bench(check_out(project), server, folder) as bench:
                found = [] if options.kind else bench.incidents(options.seed)
                for drift in (*found, *bench.injections(kinds, options.count, options.seed)):
                    outcome = bench.repaired(drift)
                    print_row((project.name, server.version, drift.name, *map(outcome.figures.get, HEADS[3:])))
                    failures += bool(outcome.wrong)
                    tell(outcome, project, server, verbose=options.verbose)
    return 1 if failures else 0


def tell(outcome: Outcome, project: Project, server: Server, *, verbose: bool = False) -> None:
    """What went wrong, on stderr."""
    lines = [*outcome.wrong, *(f"    {s};" for s in outcome.drift.statements)] if outcome.wrong else []
    if verbose:
        lines = [f"steps: {dict(sorted(outcome.actions.items()))}", *outcome.slow, *lines]
    if lines:
        print(
            f"{project.name} on PostgreSQL {server.version}, {outcome.drift.name}:", *lines, sep="\n  ", file=sys.stderr
        )


class Bench:
    """One project on one server: its databases with rows in them, and a process in which cascade is asked."""

    def __init__(self, checkout: Checkout, server: Server, folder: Path) -> None:
        self.checkout, self.server, self.folder = checkout, server, folder
        self.copy = f"copy_{checkout.project.name}"
        """What every copy is called, because statements and plans name the database."""

    def __enter__(self) -> "Bench":
        self._stack = contextlib.ExitStack()
        self._work = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cascade-repair-")))
        self._migrations = self._work / "repairs" / "migrations"
        self._migrations.mkdir(parents=True)
        (self._migrations.parent / "__init__.py").touch()
        (self._migrations / "__init__.py").touch()
        # Of a database to which somebody is connected there can be no copy.
        with healthy_database(self.checkout, self.server, self.folder) as healthy:
            self._healthy = healthy.database
        self._as_healthy = _dump(self.server, self._healthy.name)
        self._process = self._stack.enter_context(self._started(self._healthy))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    # ------------------------------------------------------------------------------------------------------- drifts

    def incidents(self, seed: str) -> Iterator[Drift]:
        """A run with another search_path; that, a hand repair and losses; a run that was faked."""
        astray = self._made("astray", runs=(("public", False), (f"{STRAY_SCHEMA},public", False)))
        yield Drift("a run astray", astray)
        with self._copy(Drift("", astray)) as database:
            chance = random.Random(f"{seed} {self.checkout.project.name}")
            by_hand = tuple(_repaired_by_hand(database, chance))
            losses = tuple(_losses(database, chance))
        yield Drift("a run astray, repaired by hand", astray, by_hand)
        yield Drift("a run astray, losses", astray, losses)
        yield Drift("a run astray, repaired by hand, losses", astray, (*by_hand, *losses), anew=True)
        yield Drift("a run faked", self._made("faked", runs=(("public", False), ("public", True))), curable=False)

    def injections(self, kinds: Iterable[InjectionKind], count: int, seed: str) -> Iterator[Drift]:
        """So many injections of each kind that the database lets in."""
        filled = self._made("filled", template=self._healthy.name)
        with fresh_database(self.server, template=filled) as database:
            database.connection.execute(f"ALTER DATABASE {database.name} OWNER TO {OWNER}".encode())
            database.connection.execute("SET search_path = public")
            catalog = Catalog(database.connection.cursor(), self.copy, self.server.version)
            for kind in kinds:
                if kind in _NO_PLACE_HERE:
                    continue
                tried = itertools.islice(drawn(kind, catalog, seed=f"{seed} {database.server.version}"), count * 10)
                let_in = (i for i in tried if _lets_in(database, i.statements))
                for injection in itertools.islice(let_in, count):
                    curable, user = kind not in _LEAVES_SOMETHING, "postgres" if kind in _OF_ANOTHER_ROLE else OWNER
                    yield Drift(kind.value, filled, injection.statements, curable, user)

    # ----------------------------------------------------------------------------------------------------- the ways

    def repaired(self, drift: Drift) -> Outcome:
        """Repair copies of it in every way."""
        outcome, begun = Outcome(drift), time.monotonic()
        try:
            after = self._by_apply(drift, outcome)
            if after is not None:
                self._by_script(drift, outcome, after)
                self._by_migration(drift, outcome, after)
        except Stopped as stopped:
            outcome.wrong.append(str(stopped))
        outcome.figures["seconds"] = f"{time.monotonic() - begun:.0f}"
        return outcome

    def _by_apply(self, drift: Drift, outcome: Outcome) -> list[str] | None:
        """Plan, rehearse, apply, undo; the layout after apply, None where there was nothing to do."""
        with self._copy(drift) as database:
            before, rows = _dump(self.server, self.copy), self._rows()
            self._ask(database, outcome, "cascade", "plan", *_ROLE, "-o", "plan.json")
            plan = json.loads((self._work / "plan.json").read_text())
            outcome.actions.update(step["action"] for step in plan["steps"])
            serious = [d["id"] for d in plan["drifts"] if d["severity"] != "note"]
            outcome.figures |= {"findings": str(len(serious)), "steps": str(len(plan["steps"]))}
            outcome.figures["rows"] = f"{sum(r.count for r in rows.values()):,}"
            outcome.expect(plan["complete"], f"not complete: {plan['not_checked']}")
            if not plan["steps"]:
                undecided = [f"{d['id']}: {d['undecided']}" for d in plan["drifts"] if d["severity"] != "note"]
                outcome.slow += undecided
                outcome.expect(not drift.curable, f"no step for {undecided}")
                return None
            allowed = [h["kind"] for step in plan["steps"] for h in step["hazards"] if h["needs_consent"]]
            allow = [f"--allow={kind}" for kind in sorted(set(allowed))]

            self._ask(database, outcome, "cascade", "rehearse", "plan.json", way="rehearse", fine=(0, 2))
            self._same(outcome, "rehearse", _dump(self.server, self.copy), before)
            self._lost(outcome, "rehearse", rows)

            journal = self._work / "journal.jsonl"
            journal.unlink(missing_ok=True)
            applying = ("cascade", "apply", "plan.json", "--noinput", f"--journal={journal}", *allow)
            applied = self._ask(database, outcome, *applying, way="apply", fine=(0, 2))
            after = _dump(self.server, self.copy)
            self._lost(outcome, "apply", rows)
            outcome.figures["apply"] = "ok"
            left = applied["output"].partition("LEFT")[2]
            if applied["code"] == 2:
                outcome.figures["apply"] = f"{left.split()[0]} left"
                outcome.slow.append(f"left: {left}")
                outcome.expect(not drift.curable, f"left: {left}")
            elif drift.curable:
                outcome.figures["as healthy"] = _alike(after, self._as_healthy)
                lines = _differences(_nameless(after), _nameless(self._as_healthy))
                outcome.expect(not lines, "not as healthy: " + "\n    ".join(lines[:12]))

            undoing = ("cascade", "undo", str(journal), "--noinput")
            undone = self._ask(database, outcome, *undoing, way="undo", fine=(0,) if drift.curable else (0, 1))
            refused = undone["code"] == 1 and outcome.expect("Not undone: " in undone["errors"], undone["errors"])
            self._same(outcome, "undo", _dump(self.server, self.copy), after if refused else before)
            self._lost(outcome, "undo", rows)
            if refused:
                outcome.figures["undo"] = "refused"
                outcome.slow.append(undone["errors"])
            return after

    def _by_script(self, drift: Drift, outcome: Outcome, after: list[str]) -> None:
        with self._copy(drift) as database:
            before, rows = _dump(self.server, self.copy), self._rows()
            self._ask(database, outcome, "cascade", "plan", *_ROLE, "--format=sql", "-o", "repair.sql")
            self._ask(database, outcome, "cascade", "plan", *_ROLE, "--format=undo-sql", "-o", "undo.sql")
            self._psql(outcome, "script", "repair.sql")
            self._same(outcome, "script", _dump(self.server, self.copy), after)
            self._lost(outcome, "script", rows)
            if outcome.figures["undo"] == "refused":
                return
            self._psql(outcome, "its undo", "undo.sql")
            self._same(outcome, "its undo", _dump(self.server, self.copy), before)
            self._lost(outcome, "its undo", rows)

    def _by_migration(self, drift: Drift, outcome: Outcome, after: list[str]) -> None:
        with self._copy(drift) as database:
            rows = self._rows()
            try:
                check = ("manage.py", "makemigrations", "--check", "--dry-run", "--skip-checks")
                as_before = self._ask(database, outcome, *check, fine=(0, 1))
                self._ask(database, outcome, "cascade", "migration", *_ROLE, "--into=repairs")
                self._ask(database, outcome, "manage.py", "migrate", "--verbosity=0", "--skip-checks", way="migration")
                self._same(outcome, "migration", _without_rights(_dump(self.server, self.copy)), _without_rights(after))
                self._lost(outcome, "migration", rows, but=_WRITTEN_BY_MIGRATE)
                checked = self._ask(database, outcome, *check, fine=(0, 1))
                outcome.expect(
                    (checked["code"], checked["output"]) == (as_before["code"], as_before["output"]),
                    f"makemigrations --check says otherwise: {checked['output']}",
                )
                if drift.anew:
                    self._anew(outcome)
            finally:
                for file in self._migrations.glob("0*.py"):
                    file.unlink()

    def _anew(self, outcome: Outcome) -> None:
        """All migrations and that of the repair, on a database that is made for it."""
        name = f"anew_{self.checkout.project.name}"
        try:
            with being_made(name, self.server) as database:
                self._ask(database, outcome, "manage.py", "migrate", "--verbosity=0", "--skip-checks", way="migration")
                found = _dump(self.server, database.name)
            self._same(outcome, "migration", sorted(_ours(found)), sorted(_ours(self._as_healthy)))
        finally:
            with self.server.connect() as administration:
                administration.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())

    # -------------------------------------------------------------------------------------------------------- judging

    def _rows(self) -> Mapping[int, Any]:
        return read_rows(self._address, self.copy)

    def _lost(self, outcome: Outcome, way: str, rows: Mapping[int, Any], but: Sequence[str] = ()) -> None:
        lost = [line for line in lost_rows(self._address, self.copy, rows) if not line.startswith(tuple(but) or "\0")]
        if not outcome.expect(not lost, f"{way}: {lost[:5]}"):
            outcome.figures[way] = "ROWS LOST"

    def _same(self, outcome: Outcome, way: str, found: list[str], wanted: list[str]) -> None:
        if outcome.drift.name in _KEPT_BY_UNDO and "undo" in way:
            wanted = found
        same = outcome.expect(
            found == wanted, f"{way}: " + "\n    ".join(_differences(found, wanted)[:12] or ["order"])
        )
        outcome.figures[way] = "ok" if same else "OTHER LAYOUT"

    @property
    def _address(self) -> Any:
        return SimpleNamespace(host=self.server.host, port=self.server.port, user="postgres")

    # --------------------------------------------------------------------------------------------- commands, databases

    def _ask(
        self, database: Database, outcome: Outcome, *command: str, way: str = "", fine: Sequence[int] = (0,)
    ) -> dict[str, Any]:
        """Run a command in the project. Raises ``Stopped`` where it does not end as is fine."""
        asked = {"database": database.settings(outcome.drift.user), "command": command}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"code": 9, "errors": "it died"}')
        said = " ".join(command)
        if answer["code"] not in fine:
            if way:
                outcome.figures[way] = "FAILED"
            raise Stopped(
                f"{said} ended with {answer['code']}:\n{answer.get('output', '')[-3000:]}{answer['errors'][-3000:]}"
            )
        outcome.slow.append(f"{answer['seconds']:.1f} s: {said}")
        return answer

    def _psql(self, outcome: Outcome, way: str, file: str) -> None:
        dsn = self.server.dsn(self.copy, outcome.drift.user)
        command = [self.server.program("psql"), "-X", "-q", "-f", str(self._work / file), dsn]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            outcome.figures[way] = "FAILED"
            raise Stopped(f"{way}: {done.stderr[-3000:]}")

    @contextlib.contextmanager
    def _started(self, database: Database) -> Iterator["subprocess.Popen[str]"]:
        environment = self.checkout.environment(
            database,
            self._work,
            user=OWNER,
            path="",
            DJANGO_SETTINGS_MODULE="repaired_settings",
            PROJECT_NAME=self.checkout.project.name,
            XDG_CACHE_HOME=str(self._work / "cache"),
        )
        environment["PYTHONPATH"] += f":{self._work}"
        with (self._work / "errors").open("w") as errors:
            process = subprocess.Popen(
                [self.checkout.python, HERE / "repair_project.py"],
                env=environment,
                cwd=self._work,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            with process:
                yield process
                process.stdin.close()  # type: ignore[union-attr]

    def _made(self, what: str, *, template: str = "", runs: Sequence[tuple[str, bool]] = ()) -> str:
        """The name of a database with rows, made of a template or by these runs of migrate, if it is not there yet."""
        name = f"{what}_{self.checkout.project.name}"
        with locked(self.folder / f"{name}-{self.server.version}.lock"):
            if exists(name, self.server):
                return name
            with being_made(name, self.server, template=template) as database:
                window = self.checkout.project.windows[0]
                database.connection.execute(
                    f"CREATE SCHEMA IF NOT EXISTS {STRAY_SCHEMA} AUTHORIZATION {OWNER}".encode()
                )
                for share, (path, fake) in zip((window.start, 1.0), runs, strict=False):
                    self.checkout.migrate(database, user=OWNER, share=share, order=window.order, path=path, fake=fake)
                fill(database, rows=ROWS)
        return name

    @contextlib.contextmanager
    def _copy(self, drift: Drift) -> Iterator[Database]:
        drop = f"DROP DATABASE IF EXISTS {self.copy} WITH (FORCE)".encode()
        with self.server.connect() as administration:
            administration.execute(drop)
            administration.execute(f"CREATE DATABASE {self.copy} OWNER {OWNER} TEMPLATE {drift.template}".encode())
            try:
                with self.server.connect(self.copy) as connection, connection.transaction():
                    connection.execute("SET LOCAL search_path = public")
                    for statement in drift.statements:
                        connection.execute(statement.encode())
                with self.server.connect(self.copy) as connection:
                    yield Database(self.server, self.copy, connection)
            finally:
                administration.execute(drop)


class Stopped(Exception):
    """A way of repair that ended with an error; the message is what was said."""


_ROLE = (f"--app-role={APPLICATION}",)

_WRITTEN_BY_MIGRATE = ("django_migrations ", "django_content_type ", "auth_permission ")
"""The first grows by the repair itself, the others by what is done after every migrate."""

_NO_PLACE_HERE = {InjectionKind.WRONG_PATH}
"""What ends with the transaction in which it is done."""

_OF_ANOTHER_ROLE = {
    InjectionKind.TYPE_ASTRAY,
    InjectionKind.EXTENSION_ASTRAY,
    InjectionKind.STATISTICS_ASTRAY,
    InjectionKind.CHANGE_OWNER,
}
"""What the role that migrates may not repair, because it is not its own."""

_KEPT_BY_UNDO = {InjectionKind.INVALID_INDEX.value}
"""What nothing takes back; pg_dump leaves an invalid index out."""

_LEAVES_SOMETHING = {
    *(kind for kind in InjectionKind if kind.value.startswith(("copy", "extra", "rename", "repoint"))),
    InjectionKind.TENANT,
    InjectionKind.TYPE_ASTRAY,
    InjectionKind.EXTENSION_ASTRAY,
    InjectionKind.FUNCTION_ASTRAY,
    InjectionKind.STATISTICS_ASTRAY,
    InjectionKind.SEVERAL,  # some of them may be of these
    InjectionKind.SEVERAL_IN_TABLE,
    InjectionKind.MOVE_AND_DAMAGE,
    InjectionKind.CHANGE_TYPE,  # what may lose something is not changed back
    InjectionKind.UNIQUE_TO_INDEX,  # the index bears the name
    InjectionKind.DROP_TABLE,  # rows of others refer to rows that are gone
    InjectionKind.DROP_COLUMN,  # its values are gone
    InjectionKind.REVOKE_SCHEMA,  # PUBLIC had it, and only the application's role gets it back
    InjectionKind.SET_DEFAULT,
    InjectionKind.RESTORED,
    InjectionKind.OLD_SERIAL,
    InjectionKind.HARMLESS,
}
"""What leaves something to a person, or something that nobody expects."""


def _lets_in(database: Database, statements: Iterable[str]) -> bool:
    """Whether PostgreSQL runs them; the database stays as it was."""
    with database.connection.transaction(force_rollback=True):
        try:
            for statement in statements:
                database.connection.execute(statement.encode())
        except psycopg.Error:
            return False
        return True


# ------------------------------------------------------------------------------------------------------------ by hand


def _repaired_by_hand(database: Database, chance: random.Random) -> Iterator[str]:
    """Empty tables in place of some that went astray, as hand-written repairs leave them behind."""
    tables = _names(
        database,
        f"""SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = '{STRAY_SCHEMA}'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_attrdef d WHERE d.adrelid = c.oid
                            AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%%')""",
    )
    yield f"SET LOCAL ROLE {OWNER}"
    for (table,) in _drawn(tables, len(tables) // 3, chance):
        including = chance.choice(("", " INCLUDING ALL"))
        yield f'CREATE TABLE IF NOT EXISTS public."{table}" (LIKE {STRAY_SCHEMA}."{table}"{including})'
    yield "RESET ROLE"


def _losses(database: Database, chance: random.Random) -> Iterator[str]:
    """Of everything some, each of another table."""
    touched: set[str] = set()
    for query, count, statement in _LOSSES:
        untouched = [row for row in _names(database, query) if row[0] not in touched]
        for row in _drawn(untouched, count, chance):
            if row[0] not in touched:
                touched.add(row[0])
                yield statement.format(*row)


def _names(database: Database, query: str) -> list[tuple[str, ...]]:
    return sorted(database.connection.execute(query.encode()).fetchall())


def _drawn(rows: Sequence[tuple[str, ...]], count: int, chance: random.Random) -> list[tuple[str, ...]]:
    return sorted(chance.sample(rows, min(count, len(rows))))


_TABLES = f"""
    pg_class c WHERE c.relkind = 'r' AND c.relnamespace IN ('public'::regnamespace, '{STRAY_SCHEMA}'::regnamespace)
    AND c.relname <> 'django_migrations'"""

_LOSSES = (
    (
        f"""SELECT c.oid::regclass::text FROM {_TABLES}
            AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.confrelid = c.oid AND k.conrelid <> c.oid)""",
        3,
        "DROP TABLE {0}",
    ),
    (
        f"""SELECT k.conrelid::regclass::text, quote_ident(k.conname) FROM pg_constraint k
            WHERE k.contype IN ('f', 'c', 'u') AND k.conrelid IN (SELECT c.oid FROM {_TABLES})
            AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = k.conindid
                                                          AND k.contype = 'u')""",
        8,
        "ALTER TABLE {0} DROP CONSTRAINT {1}",
    ),
    (
        f"""SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text FROM pg_index i
            WHERE i.indrelid IN (SELECT c.oid FROM {_TABLES})
            AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)""",
        6,
        "DROP INDEX {1}",
    ),
    (
        f"""SELECT a.attrelid::regclass::text, quote_ident(a.attname) FROM pg_attribute a
            WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnotnull
            AND a.attrelid IN (SELECT c.oid FROM {_TABLES})""",
        3,
        "ALTER TABLE {0} DROP COLUMN {1} CASCADE",
    ),
    (
        f"""SELECT a.attrelid::regclass::text, quote_ident(a.attname) FROM pg_attribute a
            WHERE a.attnum > 1 AND NOT a.attisdropped AND a.attnotnull AND a.attidentity = ''
            AND a.attrelid IN (SELECT c.oid FROM {_TABLES})
            AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary
                                                     AND a.attnum = ANY (i.indkey::smallint[]))""",
        4,
        "ALTER TABLE {0} ALTER COLUMN {1} DROP NOT NULL",
    ),
    (
        f"""SELECT d.refobjid::regclass::text, s.oid::regclass::text FROM pg_class s
            JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            WHERE s.relkind = 'S' AND d.refobjid IN (SELECT c.oid FROM {_TABLES})""",
        3,
        "SELECT setval('{1}', 3)",
    ),
    (f"SELECT c.oid::regclass::text FROM {_TABLES}", 3, f"REVOKE INSERT, SELECT ON {{0}} FROM {APPLICATION}"),
    (f"SELECT c.oid::regclass::text FROM {_TABLES}", 2, f"REVOKE ALL ON {{0}} FROM {READER}"),
)
"""What to choose from, with the table first; how many; and what is then said."""


# -------------------------------------------------------------------------------------------------------------- dumps


def _dump(server: Server, name: str) -> list[str]:
    """``pg_dump --schema-only`` in lines, without what PostgreSQL makes anew each time."""
    printed = run_command(server.program("pg_dump"), "--schema-only", server.dsn(name))
    return [line for line in printed.splitlines() if line and not line.startswith(("--", "\\"))]


def _alike(found: list[str], healthy: list[str]) -> str:
    if sorted(_ours(found)) == sorted(_ours(healthy)):
        return "ok"
    return "but for names" if _nameless(found) == _nameless(healthy) else "NO"


def _ours(lines: Iterable[str]) -> Iterator[str]:
    """Without the schemas aside, which a healthy database has not; a column made anew is the last, without a comma."""
    aside = ("cascade_attic_", f"SCHEMA {STRAY_SCHEMA}")
    statement: list[str] = []
    for line in lines:
        statement.append(line.rstrip(","))
        if line.endswith(";"):
            if not any(word in statement[0] for word in aside):
                yield from statement
            statement = []


def _nameless(lines: Iterable[str]) -> list[str]:
    """In any order, without the names of constraints, indexes and sequences, which may be of long ago."""
    return sorted(_NAMES.sub(r"\1 …", line) for line in _ours(lines))


_NAMES = re.compile(r'\b(CONSTRAINT|INDEX|SEQUENCE NAME|SEQUENCE) (?:[\w.]+|"[^"]+")+')


def _without_rights(lines: Iterable[str]) -> list[str]:
    """In any order, without rights and owners, which are no business of a migration."""
    rights = re.compile(r"GRANT |REVOKE |ALTER .* OWNER TO ")
    return sorted(line.rstrip(",") for line in lines if not rights.match(line))


def _differences(found: Iterable[str], wanted: Iterable[str]) -> list[str]:
    found, wanted = Counter(found), Counter(wanted)
    return [*(f"lacks {line}" for line in wanted - found), *(f"has {line}" for line in found - wanted)]


if __name__ == "__main__":
    sys.exit(main())

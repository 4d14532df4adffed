"""Repairs of a site that somebody disturbs: ``python -m tests.scenarios.repair_bench SCENARIO``, in its environment.

Each scenario is a function that a test of ``test_repair_faults`` names; it runs in a process of its own, because
Django is set up once. ``BENCH_DSN`` leads to the site's database as superuser.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import django
import psycopg
from django.db import OperationalError, connections

from cascade.core.actions import Phase
from cascade.core.answer import Answer
from cascade.core.decisions import Decisions
from cascade.core.journal import Journal
from cascade.core.limits import Limits
from cascade.core.plan import HazardKind
from cascade.core.preflight import Check, Verdict
from cascade.effects.repair.apply import VerificationFailed
from cascade.effects.repair.journal import read_journal
from cascade.effects.repair.session import RepairRefused, ServerLost, repair_session
from cascade.effects.repair.transaction import StatementFailed, TooLong
from cascade.effects.repair.watcher import Watch, watched
from cascade.errors import CascadeError, FileError
from cascade.render.sql import render_sql_script, render_undo_script
from cascade.workflows import Question, analyse
from cascade.workflows.migration import Placing, migration_files
from cascade.workflows.repairing import Applied, apply_plan, preflight, rehearse_plan, repair_target, undo_journal
from tests.scenarios.sites import NO_SECOND_SESSION

LIMITS = Limits(lock_timeout=0.3, max_wait=30, tries=2)


@dataclass
class Bench:
    """The site's database from outside, and the repair from inside; ``messages`` are those of its progress."""

    dsn: str
    question: Question = field(default_factory=Question)
    messages: list[str] = field(default_factory=list)
    journals: int = 0

    @contextmanager
    def somebody(self) -> Iterator[Any]:
        """Another session, of a superuser, in autocommit mode."""
        with psycopg.connect(self.dsn, autocommit=True, application_name="somebody") as connection:
            yield connection

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run as superuser; the rows of the last one."""
        with self.somebody() as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def dump(self) -> list[str]:
        """``pg_dump --schema-only``, which does not come from cascade."""
        done = subprocess.run(
            [os.environ["BENCH_PG_DUMP"], "--schema-only", self.dsn], capture_output=True, text=True, check=True
        )
        return [line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\"))]

    def psql(self, script: str) -> None:
        program = Path(os.environ["BENCH_PG_DUMP"]).with_name("psql")
        subprocess.run([program, "-X", "-q", self.dsn], input=script, text=True, check=True, capture_output=True)

    def repairing_pid(self) -> int:
        """The backend of the repair: it alone holds the advisory lock."""
        [pid] = self.repairing()
        return pid

    def repairing(self) -> list[int]:
        """The backends that hold the advisory lock of this database."""
        found = self.sql(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return [int(pid) for (pid,) in found]

    def plan(self) -> Answer:
        return analyse(self.question)

    def apply(
        self, answer: Answer | None = None, *, on: Callable[[str], None] | None = None, limits: Limits = LIMITS
    ) -> Applied:
        """Apply; ``on`` is called before each step with its message, and can disturb."""

        def report(message: str) -> None:
            self.messages.append(message)
            if on is not None:
                on(message)

        self.journals += 1
        target = repair_target(self.question)
        return apply_plan(answer or self.plan(), self.question, target, limits, self.journal, report=report)

    @property
    def journal(self) -> Path:
        """That of the last try."""
        return Path(f"journal-{os.getpid()}-{self.journals}.jsonl")

    def read_journal(self) -> Journal:
        return read_journal(self.journal)

    def crash(self, pid: int) -> None:
        """Kill a backend; the server ends all sessions, recovers what was committed, and is up again."""
        with suppress(psycopg.OperationalError), self.somebody() as witness:
            os.kill(pid, signal.SIGKILL)
            witness.execute("SELECT pg_sleep(30)")
        connections.close_all()  # another run of the program would have another
        for _ in range(200):
            with suppress(psycopg.OperationalError):
                self.sql("SELECT 1")
                return
            time.sleep(0.1)
        raise AssertionError("the server did not come back")

    def assert_it_goes_on_from_the_truth(self) -> None:
        """Nothing of a failed repair is in the way: no lock, and the next one ends with an empty plan."""
        assert self.repairing() == []
        assert self.apply().afterwards.plan.is_empty


def refused(error: type[Exception], deed: Callable[[], Any]) -> str:
    """The whole text of the error that the deed has to end with."""
    try:
        deed()
    except error as found:
        return str(found)
    raise AssertionError(f"nothing was refused, and {error.__name__} was due")


# ------------------------------------------------------------------------------------------------- connections that end


def backend_terminated_at_every_step(bench: Bench) -> None:
    answer, before = bench.plan(), bench.dump()
    target = repair_target(bench.question)
    for number in range(1, len(answer.plan.steps_in(Phase.TRANSACTION)) + 1):

        def end_it(message: str, at: str = f"step {number} of") -> None:
            if message.startswith(at):
                bench.sql(f"SELECT pg_terminate_backend({bench.repairing_pid()}, 2000)")

        text = refused(ServerLost, lambda on=end_it: bench.apply(answer, on=on))
        assert "cascade plan" in text, text
        assert bench.dump() == before, number
        undone = refused(RepairRefused, lambda: undo_journal(bench.journal, target, LIMITS, report=len))
        assert "nothing to undo" in undone, undone
    bench.assert_it_goes_on_from_the_truth()


def connection_lost_in_the_commit(bench: Bench) -> None:
    """Before it reached the server, and after that: only the server knows, and is asked."""
    from cascade.effects.repair import journal as module

    before, write = bench.dump(), module.JournalWriter.write

    def end_before_commit(self: Any, event: str, **facts: Any) -> None:
        write(self, event, **facts)
        if event == "committing":
            bench.sql(f"SELECT pg_terminate_backend({bench.repairing_pid()}, 2000)")

    with mock.patch.object(module.JournalWriter, "write", end_before_commit):
        refused(ServerLost, bench.apply)
    assert bench.dump() == before
    target = repair_target(bench.question)
    assert "nothing to undo" in refused(RepairRefused, lambda: undo_journal(bench.journal, target, LIMITS, report=len))

    class Silence(Exception):
        """The program ends here, as if it had been killed."""

    def end_after_commit(self: Any, event: str, **facts: Any) -> None:
        if event in ("committed", "rolled_back"):
            raise Silence
        write(self, event, **facts)

    with mock.patch.object(module.JournalWriter, "write", end_after_commit), suppress(Silence):
        bench.apply()
    assert not bench.plan().plan.steps_in(Phase.TRANSACTION)
    # The journal does not know that it was committed; the server does.
    undone = undo_journal(bench.journal, target, LIMITS, report=len)
    assert undone.steps
    assert bench.dump() == before


def server_killed(bench: Bench) -> None:
    """SIGKILL for the backend: the postmaster ends all the others, and recovers what was committed."""
    answer, before = bench.plan(), bench.dump()
    for at in ("step 1 of", "step 5 of"):

        def kill(message: str, at: str = at) -> None:
            if message.startswith(at):
                bench.crash(bench.repairing_pid())

        refused(ServerLost, lambda on=kill: bench.apply(answer, on=on))
        assert bench.dump() == before, at
    applied = bench.apply(answer)
    with bench.somebody() as victim:
        bench.crash(victim.info.backend_pid)
    assert applied.afterwards.plan.is_empty
    assert bench.plan().plan.is_empty, "what the journal calls committed did not outlive the server"


def backend_terminated_in_each_late_step(bench: Bench) -> None:
    late = [step.id for step in bench.plan().plan.steps if step.phase is not Phase.TRANSACTION]
    assert [id_.partition(":")[0] for id_ in late] == ["validate_constraint", "create_index"]
    for id_ in late:

        def end_it(message: str, at: str = id_) -> None:
            if message == at:
                bench.sql(f"SELECT pg_terminate_backend({bench.repairing_pid()}, 2000)")

        refused(ServerLost, lambda on=end_it: bench.apply(on=on))
        assert id_ in [step.id for step in bench.plan().plan.steps]
        assert id_ not in [step.id for step in bench.read_journal().done]
    bench.assert_it_goes_on_from_the_truth()


def invalid_index_of_a_broken_try_is_cleared_away(bench: Bench) -> None:
    """A build that was cancelled leaves an invalid index of the right name (Building Indexes Concurrently)."""
    answer = bench.plan()
    [index] = [step for step in answer.plan.steps if step.phase is Phase.CONCURRENT]
    assert "committed" in _break_off(bench, index.table, index.id, answer)
    assert bench.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(1,)]
    bench.assert_it_goes_on_from_the_truth()
    assert bench.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def _break_off(bench: Bench, table: object, step: str, answer: Answer | None = None) -> str:
    """Cancel the build in the step whose id begins so; what the repair says then."""
    with bench.somebody() as somebody:

        def cancel(message: str) -> None:
            if message.startswith(step):
                # An open transaction that may see old rows keeps the build waiting.
                somebody.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                somebody.execute(f"SELECT count(*) FROM {table}")
                threading.Thread(target=_cancel_once_it_waits, args=(bench, bench.repairing_pid())).start()

        return refused(StatementFailed, lambda: bench.apply(answer, on=cancel))


def _cancel_once_it_waits(bench: Bench, pid: int) -> None:
    if _once_it_waits(bench, pid):
        bench.sql(f"SELECT pg_cancel_backend({pid})")


def _once_it_waits(bench: Bench, pid: int) -> bool:
    """Come back when that session waits for a lock; whether it does at last."""
    for _ in range(200):
        waits = bench.sql(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'")
        if waits == [(1,)]:
            return True
        time.sleep(0.05)
    return False


def unique_and_not_null_on_a_large_table(bench: Bench) -> None:
    """Each takes several steps: rehearsed as far as a transaction goes, gone on with from any of them, taken back."""
    table = "public.teams_teammembership"
    bench.sql(
        f"ALTER TABLE {table} DROP CONSTRAINT unique_member_per_team",
        f"ALTER TABLE {table} ALTER COLUMN joined_at DROP NOT NULL",
    )
    unique = [f"create_index:{table}.unique_member_per_team", f"add_constraint:{table}.unique_member_per_team"]
    proof = [f"add_not_null_proof:{table}.joined_at", f"validate_constraint:{table}.cascade_not_null_joined_at"]
    not_null = [*proof, f"set_not_null:{table}.joined_at"]
    before, answer, target = bench.dump(), bench.plan(), repair_target(bench.question)
    undo_script = render_undo_script(answer)
    assert {step.id for step in answer.plan.steps} == {*unique, *not_null}
    rehearsed = rehearse_plan(answer, bench.question, target, LIMITS, report=len)
    assert (rehearsed.skipped, rehearsed.left) == (tuple(unique), ())
    assert bench.dump() == before

    for number in (1, 2):

        def end_it(message: str, at: str = not_null[number]) -> None:
            if message == at:
                bench.sql(f"SELECT pg_terminate_backend({bench.repairing_pid()}, 2000)")

        refused(ServerLost, lambda on=end_it: bench.apply(on=on))
        answer, left = bench.plan(), bench.dump()
        ours = [step.id for step in answer.plan.steps if step.id in not_null]
        assert ours == not_null[number:], ours
        assert bench.apply(answer).afterwards.plan.is_empty
        undo_journal(bench.journal, target, LIMITS, report=len)
        assert bench.dump() == left
        bench.sql(f"ALTER TABLE {table} DROP CONSTRAINT cascade_not_null_joined_at")
        bench.sql(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS unique_member_per_team")
        bench.sql("DROP INDEX IF EXISTS public.unique_member_per_team")
        assert bench.dump() == before

    bench.apply()
    healthy = bench.dump()
    undo_journal(bench.journal, target, LIMITS, report=len)
    assert bench.dump() == before
    bench.apply()
    assert bench.dump() == healthy
    bench.psql(undo_script)
    assert bench.dump() == before


def values_written_beside_an_index_that_was_built_concurrently(bench: Bench) -> None:
    """The undo is refused as a whole: the index stays with the column."""
    [(index,)] = bench.sql(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)'"
    )
    bench.sql(f'DROP INDEX public."{index}"', "ALTER TABLE public.teams_teammembership DROP COLUMN left_at")
    before, target = bench.dump(), repair_target(bench.question)
    applied = bench.apply()
    assert [run.step.phase for run in applied.runs] == [Phase.TRANSACTION, Phase.CONCURRENT]
    after = bench.dump()
    written = (
        "UPDATE public.teams_teammembership SET left_at = {} WHERE id = (SELECT min(id) FROM teams_teammembership)"
    )
    bench.sql(written.format("now()"))
    text = refused(StatementFailed, lambda: undo_journal(bench.journal, target, LIMITS, report=len))
    assert "would lose them: 1\n  Nothing was changed" in text, text
    assert bench.dump() == after
    bench.sql(written.format("NULL"))
    undo_journal(bench.journal, target, LIMITS, report=len)
    assert bench.dump() == before


def index_that_differs_on_a_large_table(bench: Bench) -> None:
    """The old one goes aside and waits until the new one is built: neither keeps anybody from writing."""
    table = "public.teams_teammembership"
    [(index,)] = bench.sql(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)'"
    )
    healthy = bench.dump()
    differ = (f'DROP INDEX public."{index}"', f'CREATE INDEX "{index}" ON {table} (team_id DESC)')
    bench.sql(*differ)
    before, answer, target = bench.dump(), bench.plan(), repair_target(bench.question)
    scripts = render_sql_script(answer), render_undo_script(answer)
    [step] = answer.plan.steps
    assert (step.phase, step.id.partition(":")[0]) == (Phase.CONCURRENT, "replace_index")
    assert rehearse_plan(answer, bench.question, target, LIMITS, report=len).skipped == (step.id,)
    _assert_a_migration_fits_into_a_transaction(bench, answer)
    written: list[Any] = []
    with bench.somebody() as reader:

        def read_meanwhile(message: str) -> None:
            if message == step.id:
                reader.execute("BEGIN")
                reader.execute(f"SELECT count(*) FROM {table}")
                threading.Thread(target=write_once_it_waits).start()

        def write_once_it_waits() -> None:
            _once_it_waits(bench, bench.repairing_pid())
            written.extend(
                bench.sql("SET lock_timeout = '1s'", f"UPDATE {table} SET joined_at = joined_at RETURNING 1")
            )
            reader.execute("COMMIT")

        assert bench.apply(answer, on=read_meanwhile).afterwards.plan.is_empty
    assert written
    assert bench.dump() == healthy
    undo_journal(bench.journal, target, LIMITS, report=len)
    assert bench.dump() == before
    for _ in range(2):
        bench.psql(_after_the_transaction(scripts[0]))
        assert bench.dump() == healthy
    bench.psql(scripts[1])
    assert bench.dump() == before
    _break_off(bench, table, "replace_index:")
    assert bench.sql(f"SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.{index}'::regclass") == [(False,)]
    _assert_the_replacement_is_gone_on_with(bench, step.id, healthy)


def index_whose_replacement_was_broken_off(bench: Bench) -> None:
    """By the end of the program: once before the new one was there, once when it was, and the old one was too."""
    table = "public.teams_teammembership"
    [(index,)] = bench.sql(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)'"
    )
    healthy, id_ = bench.dump(), f"replace_index:{table}.{index}"
    old = f"CREATE INDEX cascade_replaced_{index} ON {table} (team_id, joined_at)"
    bench.sql(f'DROP INDEX public."{index}"', old)
    _assert_the_replacement_is_gone_on_with(bench, id_, healthy)
    bench.sql(old)
    _assert_the_replacement_is_gone_on_with(bench, id_, healthy)
    bench.sql(old)
    bench.psql(render_sql_script(bench.plan()))
    assert bench.dump() == healthy


def undo_after_an_index_that_was_broken_off(bench: Bench) -> None:
    """What is left of the last step is taken back with the steps that are committed."""
    table = "public.teams_teammembership"
    [(index,)] = bench.sql(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)'"
    )
    bench.sql(f'DROP INDEX public."{index}"', f"ALTER TABLE {table} DROP COLUMN left_at")
    for more in ([], [f'CREATE INDEX "{index}" ON {table} (team_id DESC)']):
        bench.sql(*more, "SELECT 1")
        before = bench.dump()
        with bench.somebody() as somebody:

            def cancel(message: str, somebody: Any = somebody) -> None:
                if message.startswith(("create_index:", "replace_index:")):
                    somebody.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                    somebody.execute(f"SELECT count(*) FROM {table}")
                    threading.Thread(target=_cancel_once_it_waits, args=(bench, bench.repairing_pid())).start()

            said = refused(StatementFailed, lambda on=cancel: bench.apply(on=on))
        assert f"cascade undo {bench.journal}" in said, said
        undo_journal(bench.journal, repair_target(bench.question), LIMITS, report=len)
        assert bench.dump() == before


def rebuild_of_an_index_with_a_long_name_that_was_broken_off(bench: Bench) -> None:
    """What REINDEX was building is cleared away by the next, whose name for it is cut as PostgreSQL cuts it."""
    table, long = "public.teams_teammembership", "of_members_" + "ü" * 26
    [(index,)] = bench.sql(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)'"
    )
    bench.sql(
        f'ALTER INDEX public."{index}" RENAME TO "{long}"',
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.\"{long}\"'::regclass",
    )
    _break_off(bench, table, "rebuild_index:")
    left = bench.sql("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")
    assert len(left) == 2, left
    assert bench.apply().afterwards.plan.is_empty
    assert bench.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def _assert_the_replacement_is_gone_on_with(bench: Bench, id_: str, healthy: list[str]) -> None:
    """To its end, from where it was broken off; an undo brings back what waited aside, and it alone."""
    answer = bench.plan()
    assert [step.id for step in answer.plan.steps] == [id_]
    assert bench.apply(answer).afterwards.plan.is_empty
    assert bench.dump() == healthy
    undo_journal(bench.journal, repair_target(bench.question), LIMITS, report=len)
    [step] = bench.plan().plan.steps
    assert step.id == id_
    assert bench.apply().afterwards.plan.is_empty
    assert bench.dump() == healthy


def _assert_a_migration_fits_into_a_transaction(bench: Bench, answer: Answer) -> None:
    [file] = migration_files(answer, bench.question, Placing())
    assert not re.search("CONCURRENTLY|cascade_(new|replaced)_", file.text), file.text


def unique_constraint_that_differs_on_a_large_table(bench: Bench) -> None:
    """Its index is built beside the old one, which it replaces in a short transaction."""
    table, name = "public.teams_teammembership", "unique_member_per_team"
    healthy = bench.dump()
    bench.sql(
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (user_id, team_id) DEFERRABLE",
    )
    before, answer, target = bench.dump(), bench.plan(), repair_target(bench.question)
    scripts = render_sql_script(answer), render_undo_script(answer)
    build, swap = (f"create_index:{table}.cascade_new_{name}", f"replace_constraint:{table}.{name}")
    steps = [(step.id, step.phase) for step in answer.plan.steps]
    assert steps == [(build, Phase.CONCURRENT), (swap, Phase.AFTER)]
    assert all(not step.hazards for step in answer.plan.steps)
    _assert_a_migration_fits_into_a_transaction(bench, answer)
    without = replace(bench.question.decisions, leave_out=frozenset({"replace_constraint"}))
    assert analyse(replace(bench.question, decisions=without)).plan.is_empty, "an index is built for nothing"

    def end_it(message: str) -> None:
        if message == swap:
            bench.sql(f"SELECT pg_terminate_backend({bench.repairing_pid()}, 2000)")

    refused(ServerLost, lambda: bench.apply(answer, on=end_it))
    again = bench.plan()
    assert [step.id for step in again.plan.steps] == [build, swap]
    [left] = [drift for drift in again.plan.drifts if drift.kind.value == "extra_index"]
    assert "a repair that was stopped built it" in left.evidence[0], left
    assert bench.apply(again).afterwards.plan.is_empty
    assert bench.dump() == healthy
    undo_journal(bench.journal, target, LIMITS, report=len)
    assert bench.dump() == before
    bench.psql(scripts[0])
    assert bench.dump() == healthy
    file = f"SELECT relfilenode FROM pg_class WHERE oid = 'public.{name}'::regclass"
    built = bench.sql(file)
    bench.psql(_after_the_transaction(scripts[0]))
    assert bench.sql(file) == built, "what was done already was done again"
    bench.psql(scripts[1])
    assert bench.dump() == before


def _after_the_transaction(script: str) -> str:
    return script.partition("-- What follows is not in the transaction")[2].partition("\n")[2]


def index_of_another_table_by_the_name_of_ours(bench: Bench) -> None:
    """It is neither taken for ours nor cleared away, though it is invalid."""
    [(index,)] = bench.sql(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)'"
    )
    bench.sql(f'DROP INDEX public."{index}"')
    answer = bench.plan()

    def take_the_name(message: str) -> None:
        if message.startswith("create_index:"):
            bench.sql(
                f'CREATE INDEX "{index}" ON public.teams_team (founded_at)',
                f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.\"{index}\"'::regclass",
            )

    text = refused(StatementFailed, lambda: bench.apply(answer, on=take_the_name))
    assert "already exists" in text, text
    bearer = f"SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = 'public.\"{index}\"'::regclass"
    assert bench.sql(bearer) == [("teams_team",)]


# ------------------------------------------------------------------------------------------------------ others at work


def lock_that_is_not_to_be_had(bench: Bench) -> None:
    answer, before = bench.plan(), bench.dump()
    with bench.somebody() as somebody:
        somebody.execute("BEGIN")
        somebody.execute("LOCK TABLE test_schema.user_profile_bounty IN ACCESS SHARE MODE")
        kept: list[Any] = []

        def look(message: str) -> None:
            if message.startswith("rolled back"):
                mine = f"l.pid = {bench.repairing_pid()} AND l.locktype = 'relation'"
                kept.extend(bench.sql(f"SELECT l.relation FROM pg_locks l WHERE {mine}"))

        text = refused(TooLong, lambda: bench.apply(answer, on=look))
        assert "Nothing was changed" in text, text
        assert f"pid {somebody.info.backend_pid} (somebody" in text, text
        assert kept == [], "locks were kept between two tries"
        assert [m.startswith("rolled back") for m in bench.messages].count(True) == 1

        def let_go(message: str) -> None:
            if message.startswith("rolled back"):
                somebody.execute("ROLLBACK")

        assert bench.dump() == before
        assert bench.apply(answer, on=let_go).afterwards.plan.is_empty


def somebody_waits_for_us_too_long(bench: Bench) -> None:
    answer, before = bench.plan(), bench.dump()

    def come_and_stay(message: str) -> None:
        if message.startswith("step 2 of"):
            reader.start()
            _until_somebody_is_waited_for(bench, bench.repairing_pid())
            time.sleep(1)

    def read() -> None:
        # cascade rolls back for its sake, so it gets its answer.
        answers.extend(
            bench.sql("SET statement_timeout = '20s'", "SELECT count(*) FROM test_schema.user_profile_bounty")
        )

    answers: list[Any] = []
    reader = threading.Thread(target=read)
    limits = Limits(max_wait=0.3, tries=1)
    text = refused(TooLong, lambda: bench.apply(answer, on=come_and_stay, limits=limits))
    reader.join()
    assert "waited for us for more than 0.3 s" in text, text
    assert len(answers) == 1
    assert bench.dump() == before
    text = refused(
        TooLong, lambda: bench.apply(answer, on=lambda m: time.sleep(0.3), limits=Limits(max_hold=0.2, tries=1))
    )
    assert "--max-hold" in text, text
    assert bench.dump() == before
    bench.assert_it_goes_on_from_the_truth()


@contextmanager
def _no_second_session(bench: Bench) -> Iterator[None]:
    bench.sql(NO_SECOND_SESSION)
    try:
        yield
    finally:
        bench.sql("DROP EVENT TRIGGER no_second_session", "DROP FUNCTION public.no_second_session")


def _until_nobody_repairs(bench: Bench) -> None:
    """A session that was closed is there until its backend has seen it."""
    of_cascade = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cascade'"
    for _ in range(200):
        if bench.sql(f"SELECT count(*) {of_cascade}") == [(0,)]:
            return
        time.sleep(0.05)
    raise AssertionError("a session of cascade is still open")


def nobody_watches_who_waits(bench: Bench) -> None:
    answer = bench.plan()
    short = Limits(max_wait=0.3, tries=1)
    with _no_second_session(bench):
        before = bench.dump()
        text = refused(TooLong, lambda: bench.apply(answer, on=lambda m: time.sleep(0.5), limits=short))
        assert "more than 0.3 s (--max-wait, for nobody could see who waits)" in text, text
        assert bench.messages[0].startswith("Nobody watches who waits for this repair"), bench.messages
        assert "no second session" in bench.messages[0]
        assert bench.dump() == before
        _until_nobody_repairs(bench)
        # A statement that is at work then is cancelled all the same.
        with repair_session(repair_target(bench.question).settings) as session:
            begun, watch = time.monotonic(), Watch()
            with watched(session, short, watch):
                watch.others_feel_it()
                refused(OperationalError, lambda: session.cursor.execute("SELECT pg_sleep(30)"))
            assert time.monotonic() - begun < 10
        _until_nobody_repairs(bench)
        assert bench.apply(answer).afterwards.plan.is_empty
    events = [event["event"] for event in bench.read_journal().events]
    assert 0 < events.index("unwatched") < events.index("statement"), events
    assert events.count("unwatched") == 1


def watcher_that_is_lost_on_the_way(bench: Bench) -> None:
    def end_it(message: str) -> None:
        if message.startswith("step 2 of"):
            [[ended]] = bench.sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'cascade watcher'"
            )
            assert ended == 1
            time.sleep(1)

    assert bench.apply(on=end_it).afterwards.plan.is_empty
    told = [message for message in bench.messages if message.startswith("Nobody watches")]
    assert len(told) == 1
    assert "unwatched" in [event["event"] for event in bench.read_journal().events]


def deadlock(bench: Bench) -> None:
    """Somebody locks in the other order; whichever PostgreSQL ends, the repair is whole afterwards."""
    answer = bench.plan()
    last, first = "test_schema.user_profile_stream_config", "test_schema.user_profile_about_item"
    with bench.somebody() as somebody:
        somebody.execute("BEGIN")
        somebody.execute(f"LOCK TABLE {last} IN ACCESS SHARE MODE")
        crossing = threading.Thread(target=_lock_once_it_waits, args=(bench, somebody, first))
        crossing.start()
        applied = bench.apply(answer, limits=Limits(lock_timeout=10, max_wait=30, tries=5))
        crossing.join()
    assert applied.afterwards.plan.is_empty


def _lock_once_it_waits(bench: Bench, somebody: Any, table: str) -> None:
    _until_somebody_is_waited_for(bench, somebody.info.backend_pid)
    with suppress(psycopg.errors.DeadlockDetected):
        somebody.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
    somebody.execute("ROLLBACK")


def _until_somebody_is_waited_for(bench: Bench, pid: int) -> None:
    for _ in range(200):
        if bench.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))") == [(1,)]:
            break
        time.sleep(0.05)


def sequence_that_goes_on_while_it_is_set(bench: Bench) -> None:
    """A sequence is never set back behind what somebody has taken from it."""
    sequence = "public.teams_team_id_seq"
    bench.sql(f"SELECT setval('{sequence}', 1)")
    with bench.somebody() as somebody:

        def take_many() -> None:
            _until_somebody_is_waited_for(bench, somebody.info.backend_pid)
            somebody.execute(f"SELECT setval('{sequence}', 100000)")
            somebody.execute("COMMIT")

        def take_one(message: str) -> None:
            if message.startswith("step 1 of"):
                somebody.execute("BEGIN")
                somebody.execute(f"SELECT nextval('{sequence}')")
                taking.start()

        taking = threading.Thread(target=take_many)
        applied = bench.apply(on=take_one, limits=Limits(lock_timeout=10, max_wait=30))
        taking.join()
    assert [run.step.id for run in applied.runs] == ["set_sequence:public.teams_team.id"]
    assert bench.sql(f"SELECT last_value FROM {sequence}") == [(100000,)]


def statement_that_takes_too_long(bench: Bench) -> None:
    answer, before = bench.plan(), bench.dump()
    bench.sql(
        "CREATE FUNCTION public.dawdle() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); END'",
        "CREATE EVENT TRIGGER dawdle ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.dawdle()",
    )
    text = refused(StatementFailed, lambda: bench.apply(answer, limits=Limits(statement_timeout=0.3, max_wait=30)))
    assert "statement timeout" in text, text
    bench.sql("DROP EVENT TRIGGER dawdle", "DROP FUNCTION public.dawdle()")
    assert bench.dump() == before
    bench.assert_it_goes_on_from_the_truth()


def two_repairs_at_once(bench: Bench) -> None:
    answer = bench.plan()
    texts: list[str] = []

    def another(message: str) -> None:
        if message.startswith("step 2 of") or message in late:
            target, path = repair_target(bench.question), Path(f"another-{len(texts)}.jsonl")
            texts.append(
                refused(
                    RepairRefused,
                    lambda: apply_plan(answer, bench.question, target, LIMITS, path, report=lambda m: None),
                )
            )

    late = [step.id for step in answer.plan.steps if step.phase is not Phase.TRANSACTION]
    applied = bench.apply(answer, on=another)
    assert len(texts) == 1 + len(late) > 1
    assert all("Another repair of this database is at work" in text for text in texts)
    assert applied.afterwards.plan.is_empty


def migrate_at_the_same_moment(bench: Bench) -> None:
    """``django_migrations`` is locked, so that no migration is recorded meanwhile; who reads it does not wait."""
    answer = bench.plan()

    def migrate(message: str) -> None:
        if message.startswith("step 2 of"):
            with bench.somebody() as somebody:
                assert somebody.execute("SELECT count(*) > 0 FROM public.django_migrations").fetchone() == (True,)
                somebody.execute("SET lock_timeout = '100ms'")
                insert = "INSERT INTO public.django_migrations (app, name, applied) VALUES ('a', 'b', now())"
                with suppress(psycopg.errors.LockNotAvailable):
                    somebody.execute(insert)
                    raise AssertionError("a migration was recorded during the repair")

    assert bench.apply(answer, on=migrate).afterwards.plan.is_empty


def ddl_and_migrations_between_plan_and_apply(bench: Bench) -> None:
    answer = bench.plan()
    bench.sql("ALTER TABLE test_schema.user_profile_bounty ADD COLUMN surprise integer")
    before = bench.dump()
    text = refused(RepairRefused, lambda: bench.apply(answer))
    assert "test_schema.user_profile_bounty changed" in text, text
    assert bench.dump() == before
    bench.sql(
        "ALTER TABLE test_schema.user_profile_bounty DROP COLUMN surprise",
        "INSERT INTO public.django_migrations (app, name, applied) VALUES ('teams', '9999_other', now())",
    )
    text = refused(RepairRefused, lambda: bench.apply(answer))
    assert "migrations" in text, text
    bench.sql("DELETE FROM public.django_migrations WHERE name = '9999_other'")
    bench.assert_it_goes_on_from_the_truth()


def something_else_goes_wrong_meanwhile(bench: Bench) -> None:
    """What the steps did not promise is found before COMMIT, and all is rolled back."""
    answer, before = bench.plan(), bench.dump()
    bench.sql(
        "CREATE FUNCTION public.meddle() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN "
        "IF EXISTS (SELECT FROM information_schema.columns WHERE (table_schema, table_name, column_name) "
        "  = ('public', 'user_profile_badge', 'title')) AND to_regclass('public.user_profile_bounty') IS NOT NULL THEN "
        "  EXECUTE 'ALTER TABLE public.user_profile_badge DROP COLUMN title CASCADE'; END IF; END$$",
        "CREATE EVENT TRIGGER meddle ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.meddle()",
    )
    text = refused(VerificationFailed, lambda: bench.apply(answer))
    assert "missing_column:public.user_profile_badge.title is new" in text, text
    bench.sql("DROP EVENT TRIGGER meddle", "DROP FUNCTION public.meddle()")
    assert bench.dump() == before
    bench.assert_it_goes_on_from_the_truth()


# -------------------------------------------------------------------------------------------------------- the journal


def disk_that_is_full_for_the_journal(bench: Bench) -> None:
    answer, before = bench.plan(), bench.dump()
    events = 0

    def counted(file: int) -> None:
        nonlocal events
        events += 1

    with mock.patch("os.fsync", counted):
        bench.apply(answer)
    written = events
    target = repair_target(bench.question)
    undo_journal(bench.journal, target, LIMITS, report=len)
    assert bench.dump() == before
    for full_at in range(1, written + 1):
        left = iter(range(1, full_at))

        def full(file: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise OSError(28, "No space left on device")

        with mock.patch("os.fsync", full):
            text = refused(FileError, lambda: bench.apply(answer))
        assert "No space left on device" in text, text
        if bench.dump() != before:
            assert "is committed" in text, text
            break
        assert "is committed" not in text, text
        assert bench.journal.exists() is (full_at > 1), "a journal with no line in it was left"
    assert full_at > 3
    assert bench.plan().plan.is_empty


def commit_that_is_refused(bench: Bench) -> None:
    """The server has said how it ended, and the journal says so too."""
    bench.sql(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not now'; END$$",
        "CREATE TABLE public.at_commit (id int)",
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON public.at_commit DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION public.refuse()",
        "CREATE FUNCTION public.write() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS "
        "$$BEGIN INSERT INTO public.at_commit VALUES (1); END$$",
        "CREATE EVENT TRIGGER write ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.write()",
    )
    before = bench.dump()
    text = refused(StatementFailed, bench.apply)
    assert "not now" in text, text
    assert bench.dump() == before
    read = bench.read_journal()
    assert (read.done, read.in_flight) == ((), {})


def journal_that_was_cut_off(bench: Bench) -> None:
    """An undo goes on in it all the same, and what it writes can be read."""
    before, target = bench.dump(), repair_target(bench.question)
    bench.apply()
    with bench.journal.open("a") as file:
        file.write('{"event": "loo')
    undo_journal(bench.journal, target, LIMITS, report=len)
    assert bench.dump() == before
    assert bench.read_journal().undone


# ---------------------------------------------------------------------------------------------------------- row security


def forced_row_security_hides_the_rows_of_a_copy(bench: Bench) -> None:
    """A copy whose rows the role may not see counts as not empty, and is not put aside."""
    bench.sql(
        "CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL)",
        "INSERT INTO public.user_profile_bounty SELECT * FROM test_schema.user_profile_bounty LIMIT 1",
        "ALTER TABLE public.user_profile_bounty OWNER TO migrator",
        "ALTER TABLE public.user_profile_bounty ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE public.user_profile_bounty FORCE ROW LEVEL SECURITY",
    )
    applied = bench.apply()
    assert applied.afterwards.plan.is_empty
    left = {drift.id: drift.undecided for drift in applied.left}
    assert left["duplicated_table:public.user_profile_bounty"]
    # Where a key should point is not known before that is decided.
    keys = [why for id_, why in left.items() if id_.startswith("misdirected_foreign_key")]
    assert len(keys) == 3
    assert all("which copy of public.user_profile_bounty counts" in why for why in keys)
    assert bench.sql("SELECT count(*) FROM public.user_profile_bounty") == [(1,)]


def rows_that_come_into_a_shell_after_the_plan(bench: Bench) -> None:
    """That the copy is empty is proved again under the lock."""
    bench.sql(
        "CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL)",
        "ALTER TABLE public.user_profile_bounty OWNER TO migrator",
    )
    answer = bench.plan()
    assert any(step.id.startswith("exchange_table:") for step in answer.plan.steps)
    bench.sql("INSERT INTO public.user_profile_bounty SELECT * FROM test_schema.user_profile_bounty LIMIT 1")
    before = bench.dump()
    text = refused(CascadeError, lambda: bench.apply(answer))
    assert "user_profile_bounty" in text, text
    assert "othing was changed" in text, text
    assert bench.dump() == before


def view_that_is_bound_to_a_shell_after_the_plan(bench: Bench) -> None:
    """It would go on reading the attic."""
    bench.sql(
        "CREATE TABLE public.user_profile_bounty (LIKE test_schema.user_profile_bounty INCLUDING ALL)",
        "ALTER TABLE public.user_profile_bounty OWNER TO migrator",
    )
    answer = bench.plan()
    bench.sql("CREATE VIEW public.open_bounties AS SELECT id FROM public.user_profile_bounty")
    before = bench.dump()
    text = refused(CascadeError, lambda: bench.apply(answer))
    assert "what is bound to public.user_profile_bounty changed" in text, text
    assert bench.dump() == before


# ------------------------------------------------------------------------------------------------------------ preflight


def what_can_be_seen_beforehand(bench: Bench) -> None:
    """Each answer of the preflight other than yes, and a way back to yes."""
    answer, before = bench.plan(), sorted(Path().iterdir())
    new = Path("new.jsonl")

    def check(question: str, *, journal: Path = new, plan: Answer = answer, **allowed: Any) -> Check:
        target = repair_target(bench.question)
        checks = preflight(plan, bench.question, target, journal, allowed=frozenset(allowed.get("allow", ())))
        [asked] = [check for check in checks if question in check.question]
        others = [f"{c.question}: {c.found}" for c in checks if c.verdict is Verdict.NO and c is not asked]
        assert others in ([], ["hazards to accept: replication"]), others
        return asked

    assert check("same database").verdict is Verdict.YES
    assert sorted(Path().iterdir()) == before, "the preflight left a file"
    assert _said(check("journal", journal=Path("no/such/folder.jsonl"))) == (
        "no",
        "no/such/folder.jsonl cannot be written: No such file or directory",
    )
    new.write_text("the journal of another repair")
    assert _said(check("journal")) == ("no", "new.jsonl is there already, and may be needed for an undo")
    new.unlink()

    bench.sql("ALTER TABLE test_schema.user_profile_bounty ADD COLUMN later integer")
    assert _said(check("same objects")) == ("no", "test_schema.user_profile_bounty changed")
    bench.sql("ALTER TABLE test_schema.user_profile_bounty DROP COLUMN later")
    bench.sql("INSERT INTO django_migrations (app, name, applied) VALUES ('teams', '0004_later', now())")
    assert _said(check("same objects")) == ("no", "other migrations are recorded")
    bench.sql("DELETE FROM django_migrations WHERE name = '0004_later'")
    assert check("same objects").verdict is Verdict.YES

    with bench.somebody() as somebody:
        somebody.execute("BEGIN; LOCK TABLE test_schema.user_profile_bounty IN ACCESS SHARE MODE")
        pid = somebody.info.backend_pid
        in_the_way = f"pid {pid} (somebody) on test_schema.user_profile_bounty since nobody knows when"
        assert _said(check("in the way")) == ("cannot tell", in_the_way)
        hidden = "none is open, but for 1 that migrator may not see"
        assert _said(check("old transaction")) == ("cannot tell", hidden)
        bench.sql("GRANT pg_read_all_stats TO migrator")
        try:
            assert check("in the way").found.startswith(in_the_way.removesuffix("since nobody knows when") + "for ")
            assert check("old transaction").verdict is Verdict.YES
            assert check("old transaction").found.startswith("the oldest is ")
        finally:
            bench.sql("REVOKE pg_read_all_stats FROM migrator")
    assert _said(check("old transaction")) == ("yes", "none is open")

    bench.sql(
        "CREATE FUNCTION public.look() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER looks ON ddl_command_end EXECUTE FUNCTION public.look()",
    )
    assert _said(check("event triggers")) == ("cannot tell", "DDL fires looks")
    bench.sql("DROP EVENT TRIGGER looks")

    with psycopg.connect(bench.dsn, autocommit=True, replication="database"):
        assert check("replicas").verdict is Verdict.CANNOT_TELL
        assert "how far behind is not to be seen" in check("replicas").found

    slot = f"of_{bench.sql('SELECT current_database()')[0][0]}"
    bench.sql(f"SELECT pg_create_logical_replication_slot('{slot}', 'test_decoding')")
    try:
        assert _said(check("slots")) == ("cannot tell", f"{slot} (test_decoding) may send these tables")
    finally:
        bench.sql(f"SELECT pg_drop_replication_slot('{slot}')")
    bench.sql("CREATE PUBLICATION news FOR TABLE test_schema.user_profile_bounty")
    published = bench.plan()
    assert check("slots", plan=published).verdict is Verdict.NO
    allowed = check("slots", plan=published, allow=[HazardKind.REPLICATION])
    assert allowed.verdict is Verdict.CANNOT_TELL
    assert "ALTER TABLE test_schema.user_profile_bounty SET SCHEMA public;" in allowed.sql
    assert _said(check("hazards", plan=published, allow=[HazardKind.REPLICATION])) == ("yes", "replication, by --allow")


def pool_of_the_project(bench: Bench) -> None:
    """Django keeps a pool by alias: a repair over it could run as another role, and would leave its settings there."""
    found = repair_target(bench.question)
    pooled = {**found.settings, "OPTIONS": {**found.settings.get("OPTIONS", {}), "pool": {"max_size": 1}}}
    with repair_session(pooled) as one, repair_session(pooled) as other:
        assert one.pid != other.pid


def _said(check: Check) -> tuple[str, str]:
    return check.verdict.value, check.found


# -------------------------------------------------------------------------------------------------------------- rehearsal


def rehearsal_that_somebody_tries_to_commit(bench: Bench) -> None:
    from cascade.effects.repair import apply as module

    answer, before = bench.plan(), bench.dump()
    arm = module.make_uncommittable

    def arm_and_commit(cursor: Any) -> None:
        arm(cursor)
        cursor.execute("COMMIT")

    with mock.patch.object(module, "make_uncommittable", arm_and_commit):
        text = refused(
            StatementFailed,
            lambda: rehearse_plan(answer, bench.question, repair_target(bench.question), LIMITS, report=len),
        )
    assert "a rehearsal cannot be committed" in text, text
    assert bench.dump() == before
    assert bench.repairing() == []


def rehearsal_without_temporary_tables(bench: Bench) -> None:
    [(name,)] = bench.sql("SELECT current_database()")
    answer, target = bench.plan(), repair_target(bench.question)
    bench.sql(f'REVOKE TEMP ON DATABASE "{name}" FROM PUBLIC, migrator')
    messages: list[str] = []
    text = refused(RepairRefused, lambda: rehearse_plan(answer, bench.question, target, LIMITS, report=messages.append))
    assert f"GRANT TEMP ON DATABASE {name} TO migrator;" in text, text
    assert messages == [], "it was found only after the steps"


def main() -> None:
    """Run the scenario that the command line names."""
    django.setup()
    options = json.loads(os.environ.get("BENCH_DECISIONS", "{}"))
    bench = Bench(os.environ["BENCH_DSN"], Question(decisions=Decisions(**options)))
    globals()[sys.argv[1]](bench)


if __name__ == "__main__":
    main()

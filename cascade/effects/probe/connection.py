"""The project's own connection in a transaction that cannot commit, though to the application it is in autocommit.

What the application takes for transactions are savepoints: its COMMIT releases one, after the deferred checks that a
COMMIT would do, its ROLLBACK goes back to one, and a statement outside of any transaction has one of its own, so that
an error which it swallows spoils nothing.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cascade.core.layout import quoted
from cascade.core.probes import Failure
from cascade.core.statements import StatementKind, control_word, kind_of_statement
from cascade.effects.probe.outside import let_through
from cascade.effects.probe.record import Record, TimedOut, place_of
from cascade.effects.repair.rolled_back import checking_constraints, make_uncommittable
from cascade.effects.repair.session import read_only_by_default, sqlstate
from cascade.errors import DatabaseError, first_line
from cascade.render.sql import SEARCH_PATH

Cure = Callable[[Failure], tuple[str, ...]]
"""Given a statement that failed, the SQL that repairs what it ran into; nothing where that is not to be repaired."""


class StatementRefused(Exception):
    """A statement that would end the transaction was not sent."""


def nothing_cured(failure: Failure) -> tuple[str, ...]:
    """Repair nothing."""
    return ()


def probed_connection(alias: str, settings: Mapping[str, Any], **how: Any) -> Any:
    """A connection of the project's own backend there that is always in a transaction which cannot commit.

    It opens itself when it is used; ``how`` are parameters of ``ProbedConnection.probe``. ``sent_options`` are those of
    libpq that a connection of the project has from its surroundings.
    """
    from django.db.utils import ConnectionHandler

    sent = how.pop("sent_options", "")
    options = {"options": sent, **(settings.get("OPTIONS") or {})}
    options.pop("pool", None)
    # Should a page get out of the transaction all the same, what it then does is refused: nothing of it is written.
    guarded = read_only_by_default({**settings, "OPTIONS": options})
    handler = ConnectionHandler({"default": {**guarded, "ATOMIC_REQUESTS": False}})
    plain: Any = handler["default"]
    kind = type("ProbedDatabase", (ProbedConnection, type(plain)), {"__module__": type(plain).__module__})
    made = kind({**plain.settings_dict, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}, alias)
    made.probe(**how)
    return made


def refusing(alias: str, kind: str, record: Record) -> Callable[[], None]:
    """What opens a connection of a database that no transaction can be trusted to take back."""

    def connect() -> None:
        raise ConnectionRefusedError(record.refuse(f'it uses the database "{alias}", which is {kind}'))

    return connect


_FACTORIES = ("cursor_factory", "server_cursor_factory")
"""Where a connection of the driver keeps its classes of cursors; psycopg2 has the first alone."""


class ProbedConnection:
    """Mixed into the backend's own class of connections, which has what is not here."""

    def probe(
        self: Any,
        *,
        record: Record,
        cure: Cure = nothing_cured,
        search_path: str = "",
        role: str = "",
        seconds: float = 10.0,
        within: Any = None,
    ) -> None:
        """Say whose doings are noted where; with which path and, if it may be had, as which role.

        ``within`` is a connection of the driver with an open transaction, which is used in place of a new one: it is
        as before at the end, but for that transaction's snapshot.
        """
        self._record, self._cure, self._within = record, cure, within
        self._search_path, self._role, self._seconds = search_path, role, seconds
        self._control: Any = None
        self._own_role = self.role_taken = ""

    # ------------------------------------------------------------------------------------ from the first use to the end

    def connect(self: Any) -> None:
        """Open it, begin the transaction, and watch all cursors from then on."""
        if self._within is None:
            with let_through():
                super().connect()  # type: ignore[misc]
        else:
            self.connection, self.autocommit = self._within, True
        self._control = self.connection.cursor()
        self._begin()
        self._factories = {name: getattr(self.connection, name, None) for name in _FACTORIES}
        for name, factory in self._factories.items():
            if factory is not None or name == "cursor_factory":
                setattr(self.connection, name, _watched(factory or type(self._control), self))

    def _begin(self: Any) -> None:
        send = self._control.execute
        send("SELECT pg_catalog.pg_is_in_recovery(), current_user::text")
        on_replica, self._own_role = self._control.fetchone()
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED" + ("" if on_replica else " READ WRITE")
        send(begin if self._within is None else "SAVEPOINT cascade_lab")
        send(f"SET LOCAL statement_timeout = {round(self._seconds * 1000)}")
        send("SET LOCAL lock_timeout = '2s'")
        send(f"SET LOCAL idle_in_transaction_session_timeout = {round(self._seconds * 1000) + 30_000}")
        if not on_replica:
            self._arm()
        if self._search_path:
            send("SELECT pg_catalog.set_config('search_path', %s, true)", [self._search_path])
        if self._role:
            self._become(self._role)
        if not self.autocommit:
            send("SAVEPOINT cascade_page")

    def _arm(self: Any) -> None:
        try:
            make_uncommittable(self._control)
        except self.Database.Error as error:
            raise DatabaseError(
                f"Nothing can keep a page from committing: {first_line(error)}",
                hint="Probes need a role that may make temporary tables: GRANT TEMPORARY ON DATABASE.",
            ) from error

    def _become(self: Any, role: str) -> None:
        """Go on as the role that serves pages, where the connected one may."""
        send = self._control.execute
        send("SAVEPOINT cascade_role")
        try:
            send(f"SET LOCAL ROLE {quoted(role)}")
            self.role_taken = role
        except self.Database.Error:
            send("ROLLBACK TO SAVEPOINT cascade_role")
        send("RELEASE SAVEPOINT cascade_role")

    def end(self: Any) -> None:
        """Roll everything back and close. Also where the connection is gone or was never opened."""
        if self.connection is None:
            return
        if self._within is not None:
            self._hand_back()
            return
        try:
            self._control.execute("ROLLBACK")
        except self.Database.Error:
            pass  # the server rolls back what it has lost
        finally:
            self.connection.close()
            self.connection = None

    def _hand_back(self: Any) -> None:
        """Leave the transaction that was lent as it was. Raises where a page has ended it."""
        for name, factory in self._factories.items():
            if hasattr(self.connection, name):
                setattr(self.connection, name, factory)
        with self.wrap_database_errors:
            self._control.execute("ROLLBACK TO SAVEPOINT cascade_lab")
            self._control.execute("RELEASE SAVEPOINT cascade_lab")
        self.connection = None

    def escaped(self: Any) -> bool:
        """Whether somebody got out of the transaction, around all that watches."""
        return self.connection is not None and self.connection.info.transaction_status == 0

    def close(self: Any) -> None:
        """Nothing: the transaction is to go on, as it would on the next connection."""

    # ------------------------------------------------------------------------ what the application calls transactions

    def _set_autocommit(self: Any, autocommit: bool) -> None:
        if self._control is None:
            super()._set_autocommit(True)  # type: ignore[misc]
            return
        self._control.execute(f"{'RELEASE ' if autocommit else ''}SAVEPOINT cascade_page")

    def _commit(self: Any) -> None:
        if self._control is None or self.autocommit:
            return
        with self._undisturbed(), self.wrap_database_errors:
            try:
                self._check_deferred()
            except self.Database.Error as error:
                if sqlstate(error) != "25P02":
                    self._note(error, "COMMIT")
                    raise
                # PostgreSQL answers COMMIT in an aborted transaction with ROLLBACK, and no error.
                self._control.execute("ROLLBACK TO SAVEPOINT cascade_page")
            self._control.execute("RELEASE SAVEPOINT cascade_page")
            self._control.execute("SAVEPOINT cascade_page")

    def _rollback(self: Any) -> None:
        if self._control is not None and not self.autocommit:
            with self._undisturbed():
                self._control.execute("ROLLBACK TO SAVEPOINT cascade_page")

    def on_commit(self: Any, func: Callable[[], object], robust: bool = False) -> None:
        """Count what would run at once; inside a transaction of the application Django keeps it until its end."""
        if self.in_atomic_block:
            super().on_commit(func, robust)  # type: ignore[misc]
        else:
            self._record.callbacks.append(_name_of(func))

    def run_and_clear_commit_hooks(self: Any) -> None:
        """Count what would run now."""
        self._record.callbacks += [_name_of(entry[1]) for entry in self.run_on_commit]
        self.run_on_commit.clear()

    # ---------------------------------------------------------------------------------------------- at the cursor

    def create_cursor(self: Any, name: str | None = None) -> Any:
        """A cursor whose statements are watched."""
        cursor = super().create_cursor(name)  # type: ignore[misc]
        if not isinstance(cursor, _Watched):  # Django has a class of its own for cursors on the server
            cursor.__class__ = _watched(type(cursor), self)
        return cursor

    def run_watched(self: Any, sql: str, run: Callable[[], Any]) -> Any:
        """Run a statement of the application, as often as it takes to cure what it runs into."""
        kind = self._admitted(sql)
        with self._undisturbed():
            if kind is StatementKind.SAVEPOINT:
                return run()
            while True:
                self._control.execute("SAVEPOINT cascade_statement")
                try:
                    result = self._checked(kind, run)
                except self.Database.Error as error:
                    failure = self._note(error, sql)
                    repair = self._cure(failure)
                    # Inside a transaction of the application an error spoils that, as it really would.
                    if repair or self.autocommit:
                        self._control.execute("ROLLBACK TO SAVEPOINT cascade_statement")
                        self._control.execute("RELEASE SAVEPOINT cascade_statement")
                    if not repair:
                        raise
                    self._repair(repair)
                else:
                    self._control.execute("RELEASE SAVEPOINT cascade_statement")
                    return result

    @contextmanager
    def watched_copy(self: Any, sql: str) -> Iterator[None]:
        """The same for a COPY, which sends its rows while this lasts and so cannot be sent again."""
        kind = self._admitted(sql)
        self._control.execute("SAVEPOINT cascade_statement")
        try:
            yield
        except self.Database.Error as error:
            self._note(error, sql)
            if self.autocommit:
                self._control.execute("ROLLBACK TO SAVEPOINT cascade_statement")
            raise
        self._checked(kind, lambda: None)
        self._control.execute("RELEASE SAVEPOINT cascade_statement")

    def _admitted(self: Any, sql: str) -> StatementKind:
        """What it is; a statement that begins or ends a transaction is not let through."""
        kind = kind_of_statement(sql)
        if kind is StatementKind.CONTROL:
            raise StatementRefused(self._record.refuse(f"it sends {control_word(sql)} itself"))
        self._record.queries += kind is not StatementKind.SAVEPOINT
        return kind

    @contextmanager
    def _undisturbed(self: Any) -> Iterator[None]:
        """A probe that takes too long is broken off afterwards: in between the connection would be lost."""
        outer, self._record.busy = self._record.busy, True
        try:
            yield
        finally:
            self._record.busy = outer
            if self._record.expired and not outer:
                raise TimedOut

    def _checked(self: Any, kind: StatementKind, run: Callable[[], Any]) -> Any:
        """Run it, with the checks that come at its end where it is a transaction of its own."""
        if kind is StatementKind.CONSTRAINTS:
            with checking_constraints(self._control):
                return run()
        result = run()
        if kind is StatementKind.WRITE and self.autocommit:
            self._check_deferred()
        return result

    def _check_deferred(self: Any) -> None:
        """Have deferred constraints checked as a COMMIT would, and leave them deferred."""
        self._control.execute("SAVEPOINT cascade_checks")
        self._control.execute("SET LOCAL cascade.checking_constraints = 'on'")
        self._control.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self._control.execute("ROLLBACK TO SAVEPOINT cascade_checks")
        self._control.execute("RELEASE SAVEPOINT cascade_checks")

    def _note(self: Any, error: BaseException, sql: str) -> Failure:
        named = getattr(error, "diag", None)
        failure = Failure(
            sqlstate(error),
            first_line(error),
            place_of(sys._getframe(1)),
            sql,
            getattr(named, "table_name", None) or "",
            getattr(named, "column_name", None) or "",
            getattr(named, "constraint_name", None) or "",
        )
        if failure.sqlstate == "25001":
            self._record.refuse("it sends what cannot run in a transaction")
        if failure.sqlstate != "25P02":  # what comes after the failure in a transaction that it spoilt
            self._record.failures.append(failure)
        return failure

    def _repair(self: Any, statements: tuple[str, ...]) -> None:
        """Run the steps here and now: a savepoint undoes them with all else."""
        send = self._control.execute
        send("SELECT pg_catalog.current_setting('search_path')")
        path = self._control.fetchone()[0]
        send(f"SET LOCAL ROLE {quoted(self._own_role)}")
        send(f"SET LOCAL search_path = {SEARCH_PATH}")
        try:
            self._run_steps(statements)
        except self.Database.Error as error:
            self._record.refuse(f"a step of the plan could not be run for it ({first_line(error)})")
            raise
        send("SELECT pg_catalog.set_config('search_path', %s, true)", [path])
        if self.role_taken:
            send(f"SET LOCAL ROLE {quoted(self.role_taken)}")

    def _run_steps(self: Any, statements: tuple[str, ...]) -> None:
        send = self._control.execute
        send("SAVEPOINT cascade_steps")
        try:
            for statement in statements:
                send(statement)
        except self.Database.Error as error:
            if sqlstate(error) != "55006":  # pending trigger events of rows that the page wrote
                raise
            send("ROLLBACK TO SAVEPOINT cascade_steps")
            with checking_constraints(self._control):
                send("SET CONSTRAINTS ALL IMMEDIATE")
                send("SET CONSTRAINTS ALL DEFERRED")
            for statement in statements:
                send(statement)
        send("RELEASE SAVEPOINT cascade_steps")


def _name_of(function: Any) -> str:
    """What a callback is called, through ``functools.partial``."""
    while hasattr(function, "func"):
        function = function.func
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", type(function).__qualname__)
    return f"{module}.{name}" if module else str(name)


class _Watched:
    """Mixed into the driver's own class of cursors: also what goes around Django passes here."""

    __slots__ = ()

    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        run = super().execute  # type: ignore[misc]
        return self._watch(query, lambda: run(query, *args, **kwargs))

    def executemany(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        run = super().executemany  # type: ignore[misc]
        return self._watch(query, lambda: run(query, *args, **kwargs))

    @contextmanager
    def copy(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        copy = super().copy  # type: ignore[misc]
        with self.watcher.watched_copy(_text(statement, self)), copy(statement, *args, **kwargs) as copying:
            yield copying

    def copy_expert(self: Any, sql: Any, *args: Any, **kwargs: Any) -> Any:
        run = super().copy_expert  # type: ignore[misc]
        return self._watch(sql, lambda: run(sql, *args, **kwargs))

    def _watch(self: Any, query: Any, run: Callable[[], Any]) -> Any:
        return self.watcher.run_watched(_text(query, self), run)


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    return query if isinstance(query, str) else str(query.as_string(cursor))


def _watched(kind: type, watcher: ProbedConnection) -> type:
    return type(f"Watched{kind.__name__}", (_Watched, kind), {"__slots__": (), "watcher": watcher})

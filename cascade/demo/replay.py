"""Replay the incident on a server: the drift comes about as it did, nothing is put in place by hand.

The only statements of our own make a database, two roles, a schema and its grants. Every table,
column and row comes from ``migrate`` and from Django's models.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import cascade
from cascade.demo.chapters import Chapter
from cascade.errors import CascadeError, MissingExtra

DATABASE = "arena"
OWNER = "migrator"
"""Owns the database and what is in it, and runs ``migrate``."""
APPLICATION = "app_user"
"""Serves requests; may read and write rows, owns nothing."""
TARGET_SCHEMA = "public"
STRAY_SCHEMA = "test_schema"
SETTINGS = "cascade.demo.project.settings"
SETTINGS_OF_THE_TEST_RUN = "cascade.demo.project.settings_test_schema"
SETTINGS_AFTER_HAND_REPAIR = "cascade.demo.project.settings_after_hand_repair"

_IN_WORDS = {
    SETTINGS: "the settings of the site",
    SETTINGS_OF_THE_TEST_RUN: "the settings of a test run, search_path=test_schema,public",
    SETTINGS_AFTER_HAND_REPAIR: "the settings of the site with one migration more, the repair by hand",
}

Report = Callable[[str], None]


class Server(Protocol):
    """A PostgreSQL server that lets ``user``, a superuser, and every other role in without a password."""

    @property
    def host(self) -> str:
        """The folder of its Unix socket, or a host name."""
        ...

    @property
    def port(self) -> int:
        """Part of the socket's name, too."""
        ...

    @property
    def user(self) -> str:
        """The superuser who makes roles and databases."""
        ...


class ReplayFailed(CascadeError):
    """The history of the demo could not be replayed."""


def replay_incident(server: Server, database: str = DATABASE, *, report: Report) -> None:
    """Make ``database`` anew and drift it: seven tables in ``test_schema``, one column nowhere.

    The tables go astray because one ``migrate`` runs with ``search_path=test_schema,public``; the column
    ``teams_teammembership.left_at`` goes missing by ``migrate teams --fake``.
    """
    _make_database(server, database, report)
    _run(Chapter.FOUNDATION, SETTINGS, server, database, report)
    _run(Chapter.PROFILES, SETTINGS_OF_THE_TEST_RUN, server, database, report)
    _run(Chapter.AFTERWARDS_FAKED, SETTINGS, server, database, report)
    _gather_statistics(server, database)


def replay_foundation(server: Server, database: str = DATABASE, *, report: Report) -> None:
    """Make ``database`` anew as it was before the incident: user_profile's tables of the window are still to come."""
    _make_database(server, database, report)
    _run(Chapter.FOUNDATION, SETTINGS, server, database, report)
    _gather_statistics(server, database)


def replay_hand_repair(server: Server, database: str = DATABASE, *, report: Report) -> None:
    """Make ``database`` anew, drift it as in the incident, and then run a repair that was written by hand.

    It makes two of the seven tables once more in ``public``: empty, one of them without its newest column, and
    both without the constraints whose names are taken in ``test_schema``.
    """
    replay_incident(server, database, report=report)
    _run(Chapter.HAND_REPAIR, SETTINGS_AFTER_HAND_REPAIR, server, database, report)
    _gather_statistics(server, database)


def replay_healthy(server: Server, database: str = DATABASE, *, report: Report) -> None:
    """Make ``database`` anew with the same history and the same rows, every run the right way."""
    _make_database(server, database, report)
    for chapter in (Chapter.FOUNDATION, Chapter.PROFILES, Chapter.AFTERWARDS):
        _run(chapter, SETTINGS, server, database, report)
    _gather_statistics(server, database)


def demo_environment(
    server: Server, database: str = DATABASE, *, role: str = OWNER, settings: str = SETTINGS
) -> dict[str, str]:
    """The environment variables with which the demo project finds its database, as ``role``."""
    return {
        "DJANGO_SETTINGS_MODULE": settings,
        "CASCADE_DEMO_HOST": server.host,
        "CASCADE_DEMO_PORT": str(server.port),
        "CASCADE_DEMO_USER": role,
        "CASCADE_DEMO_NAME": database,
    }


def how_to_connect(server: Server, database: str = DATABASE, *, settings: str = SETTINGS) -> str:
    """What to type in a shell to use ``cascade`` and the demo project by hand."""
    environment = demo_environment(server, database, settings=settings)
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    python = shlex.quote(sys.executable)
    commands = [f"{python} -m cascade plan --app user_profile", f"{python} -m django showmigrations user_profile"]
    return "\n".join([*exports, *commands])


def _make_database(server: Server, database: str, report: Report) -> None:
    """An empty database as a deployment has it: one role owns, another serves requests."""
    report(f"Making the database {database}, owned by {OWNER}, for the application role {APPLICATION}.")
    sql = _psycopg().sql
    with connect(server, "postgres") as connection:
        _drop_our_database(connection, database)
        for role in (OWNER, APPLICATION):
            if not _role_exists(connection, role):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        for statement in (
            "CREATE DATABASE {database} OWNER {owner}",
            "COMMENT ON DATABASE {database} IS {mark}",
            "ALTER ROLE {application} IN DATABASE {database} SET search_path = {target}",
        ):
            connection.execute(_worded(statement, database))
    with connect(server, database) as connection:
        connection.execute(_worded("CREATE SCHEMA {stray} AUTHORIZATION {owner}", database))
        for schema in (TARGET_SCHEMA, STRAY_SCHEMA):
            for statement in (
                "GRANT USAGE ON SCHEMA {schema} TO {application}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
                " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application}",
                "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
                " GRANT USAGE, SELECT ON SEQUENCES TO {application}",
            ):
                connection.execute(_worded(statement, database, schema=schema))


# Tells a database of ours, which may be dropped, from somebody else's of the same name.
_MARK = "made by the demo of django-cascade"


def _drop_our_database(connection: Any, database: str) -> None:
    found = connection.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [database]
    ).fetchone()
    if found is None:
        return
    if found[0] != _MARK:
        raise ReplayFailed(
            f'There is a database "{database}" on this server that the demo did not make.',
            hint="Nothing was changed. Give the demo another database name or another server.",
        )
    connection.execute(_worded("DROP DATABASE {database} WITH (FORCE)", database))


def _role_exists(connection: Any, role: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    return found is not None


def _worded(statement: str, database: str, *, schema: str = TARGET_SCHEMA) -> Any:
    sql = _psycopg().sql
    return sql.SQL(statement).format(
        database=sql.Identifier(database),
        schema=sql.Identifier(schema),
        owner=sql.Identifier(OWNER),
        application=sql.Identifier(APPLICATION),
        target=sql.Identifier(TARGET_SCHEMA),
        stray=sql.Identifier(STRAY_SCHEMA),
        mark=sql.Literal(_MARK),
    )


def _run(chapter: Chapter, settings: str, server: Server, database: str, report: Report) -> None:
    """Run a chapter in a process with these settings, and report the commands that it ran."""
    report(f"With {_IN_WORDS[settings]} ({settings}):")
    environment = {
        # A PGOPTIONS or PGSERVICE of the caller would change where the tables go.
        **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
        **demo_environment(server, database, settings=settings),
        "PYTHONPATH": os.pathsep.join(import_path()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "cascade.demo.chapters", chapter.value],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        report(f"  {line}")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ReplayFailed(f"The chapter {chapter.value!r} of the demo failed: {reason}")


def import_path() -> list[str]:
    """Where the demo's programs are imported from: the folder of this cascade, then what the caller has set."""
    ours = [str(Path(folder).resolve().parent) for folder in cascade.__path__]
    theirs = os.environ.get("PYTHONPATH", "")
    return [*ours, *([theirs] if theirs else [])]


def _gather_statistics(server: Server, database: str) -> None:
    """Have estimates of rows, which autovacuum makes on a server that lives longer."""
    with connect(server, database) as connection:
        connection.execute("ANALYZE")


def connect(server: Server, database: str) -> Any:
    """A psycopg connection as the superuser, in autocommit mode. Raises ``MissingExtra`` without psycopg."""
    return _psycopg().connect(host=server.host, port=server.port, user=server.user, dbname=database, autocommit=True)


def _psycopg() -> Any:
    try:
        return import_module("psycopg")
    except ModuleNotFoundError as error:
        raise MissingExtra("psycopg, which the demo connects with,", extra="demo") from error

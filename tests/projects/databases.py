"""Databases of real projects: migrated as they should be, migrated astray, and copied."""

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg

from tests.projects.projects import Analysis, Checkout, ProjectFailed, Window, locked, run_command
from tests.projects.roles import APPLICATION, OWNER, READER, STRANGER, STRAY_SCHEMA
from tests.servers import Database, Server, SharedServers, fresh_database, make_run_folder


@dataclass(frozen=True, slots=True)
class HealthyDatabase:
    """A database in which every migration ran as it should."""

    checkout: Checkout
    database: Database

    def analyse(self) -> Analysis:
        """What cascade says of it, asked by the role that migrates, of the role that serves requests."""
        return self.checkout.analyse(self.database, user=OWNER, app_role=APPLICATION)


@contextlib.contextmanager
def healthy_database(checkout: Checkout, server: Server, folder: Path) -> Iterator[HealthyDatabase]:
    """The project's healthy database on that server, made by whoever comes first; the lock lies in ``folder``."""
    name = f"healthy_{checkout.project.name}"
    with locked(folder / f"{name}-{server.version}.lock"):
        if not exists(name, server):
            _make_healthy(name, checkout, server)
    with server.connect(name) as connection:
        yield HealthyDatabase(checkout, Database(server, name, connection))


def exists(name: str, server: Server) -> bool:
    """Whether there is a database of that name."""
    with server.connect() as administration:
        found = administration.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return found.rowcount > 0


def _make_healthy(name: str, checkout: Checkout, server: Server) -> None:
    with being_made(name, server) as database:
        checkout.migrate(database, user=OWNER)


@contextlib.contextmanager
def being_made(name: str, server: Server, *, template: str = "") -> Iterator[Database]:
    """A database of the role that migrates: a copy of the template, else empty, with rights by default for the others.

    It has its name only once it is complete, so a run that is broken off leaves nothing that looks healthy.
    """
    unfinished = f"unfinished_{name}"
    with server.connect() as administration:
        for role in (OWNER, APPLICATION, READER, STRANGER):
            with contextlib.suppress(psycopg.errors.DuplicateObject):
                administration.execute(f"CREATE ROLE {role} LOGIN".encode())
        administration.execute(f"DROP DATABASE IF EXISTS {unfinished}".encode())
        administration.execute(
            f"CREATE DATABASE {unfinished} OWNER {OWNER} TEMPLATE {template or 'template1'}".encode()
        )
        with server.connect(unfinished) as connection:
            for statement in () if template else _DEFAULT_PRIVILEGES:
                connection.execute(statement.encode())
            yield Database(server, unfinished, connection)
        administration.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}".encode())


_DEFAULT_PRIVILEGES = (
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SEQUENCES TO {APPLICATION}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT ON TABLES TO {READER}",
)


def healthy_analysis(healthy: HealthyDatabase, folder: Path) -> Analysis:
    """What cascade says of a healthy database, asked by whichever worker of the run comes first."""
    kept = folder / f"{healthy.database.name}-{healthy.database.server.version}.analysis"
    with locked(kept.with_name(f"{kept.name}.lock")):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(healthy.analyse()))
    return cast(Analysis, pickle.loads(kept.read_bytes()))


@contextlib.contextmanager
def chosen_servers(versions: tuple[int, ...], addresses: tuple[str, ...]) -> Iterator[tuple[tuple[Server, ...], Path]]:
    """Servers for a script, and a folder for it: running ones, which are left as they are, or else our own.

    An address is HOST:PORT, where the host may be the folder of a socket; its superuser is ``postgres``.
    """
    folder = make_run_folder()
    servers = SharedServers(folder, owner=os.getpid())
    try:
        if addresses:
            yield tuple(_running(address) for address in addresses), folder
        else:
            yield tuple(servers.get(f"pg{version}") for version in versions), folder
    finally:
        servers.stop()


def _running(address: str) -> Server:
    host, _, port = address.rpartition(":")
    server = Server(0, host, int(port), "")
    with server.connect() as connection:
        return Server(connection.info.server_version // 10_000, host, int(port), "")


@contextlib.contextmanager
def drifted_database(checkout: Checkout, server: Server, window: Window) -> Iterator[Database]:
    """A database that was migrated in three runs, the second of which had another schema first on its path."""
    with fresh_database(server) as database:
        database.connection.execute(f"CREATE SCHEMA {STRAY_SCHEMA}".encode())
        checkout.migrate(database, share=window.start, order=window.order)
        checkout.migrate(database, share=window.end, order=window.order, path=f"{STRAY_SCHEMA},public")
        if window.end < 1:
            # A later migration may need a table by its bare name, and then fails as it does in real life.
            with contextlib.suppress(ProjectFailed):
                checkout.migrate(database)
        yield database


def tables_in(connection: psycopg.Connection[Any], schema: str) -> set[str]:
    """The tables of a schema, asked in the plainest way."""
    found = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p')",
        [schema],
    )
    return {name for (name,) in found}


def copy_schema(source: Database, target: Database, folder: Path) -> None:
    """Make all of one database but its rows in another, as PostgreSQL's own programs do."""
    _restore(_dump(source, folder), target, lambda kind: True)


def copy_what_tables_need(source: Database, target: Database, folder: Path) -> None:
    """Make the schemas, extensions, types, functions and the like of one database in another, but no table."""
    _restore(_dump(source, folder), target, _KINDS_BESIDE_TABLES.__contains__)


def _dump(source: Database, folder: Path) -> Path:
    file = folder / f"{source.name}.dump"
    run_command(
        source.server.program("pg_dump"), "--format=custom", "--schema-only", f"--file={file}", f"--dbname={source.dsn}"
    )
    return file


def _restore(dump: Path, target: Database, wanted: Callable[[str], bool]) -> None:
    pg_restore = target.server.program("pg_restore")
    contents = dump.with_suffix(".contents")
    # "214; 1259 16389 TABLE public name owner": the fourth word is the kind, or how it begins.
    listed = [line for line in run_command(pg_restore, "--list", dump).splitlines() if line[:1].isdigit()]
    kept = [line for line in listed if wanted(line.split()[3]) and " SCHEMA - public " not in line]
    contents.write_text("\n".join(kept))
    run_command(pg_restore, f"--use-list={contents}", "--exit-on-error", f"--dbname={target.dsn}", dump)


_KINDS_BESIDE_TABLES = set("SCHEMA EXTENSION TYPE DOMAIN FUNCTION AGGREGATE OPERATOR COLLATION TEXT".split())

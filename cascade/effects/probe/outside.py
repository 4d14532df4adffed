"""The world outside of the transaction: mail, caches and storages stay in memory; the rest of it is refused.

That is connections, programs, and files that are written; files for a moment lie in a folder that is removed.
"""

import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from cascade.effects.probe.record import Record, short


class CalledOut(ConnectionRefusedError):
    """A connection, to a database or elsewhere, a program or a file to be written that was not let through."""


# ------------------------------------------------------------------------------------------------ what stays in memory


@contextmanager
def kept_in_memory() -> Iterator[None]:
    """Mail is collected, caches are new and empty, and what is written to a storage is kept beside the real files.

    What the ``tempfile`` module makes lies in a folder of its own, which is removed at the end.
    """
    from django.conf import settings
    from django.test.utils import override_settings, setup_test_environment, teardown_test_environment

    memory = "django.core.cache.backends.locmem.LocMemCache"
    caches = {alias: {"BACKEND": memory, "LOCATION": f"cascade-{alias}"} for alias in settings.CACHES}
    setup_test_environment(debug=settings.DEBUG)
    try:
        with override_settings(CACHES=caches), _files_in_memory(), _temporary_files():
            yield
    finally:
        teardown_test_environment()


def forget() -> None:
    """What the probe before left in memory: caches, and what Django remembers of rows that were rolled back."""
    from django.apps import apps
    from django.core import mail
    from django.core.cache import caches

    mail.outbox = []
    for each in caches.all(initialized_only=True):
        each.clear()
    for label in ("contenttypes.ContentType", "sites.Site"):
        app, model = label.split(".")
        if apps.is_installed(f"django.contrib.{app}"):
            apps.get_model(app, model).objects.clear_cache()


@contextmanager
def _temporary_files() -> Iterator[None]:
    global _scratch
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="cascade-probe-", ignore_cleanup_errors=True) as folder:
        _scratch = tempfile.tempdir = os.path.realpath(folder)
        try:
            yield
        finally:
            _scratch, tempfile.tempdir = "", before


@contextmanager
def _files_in_memory() -> Iterator[None]:
    """Every storage writes to memory, that of fields too; what is not there is read from the real one."""
    from django.apps import apps
    from django.core.files import storage
    from django.db.models import FileField

    def wrap(real: Any) -> Any:
        return real if isinstance(real, kind) else kind(real)

    kind = _overlay()
    fields = [f for model in apps.get_models() for f in model._meta.get_fields() if isinstance(f, FileField)]
    before = [(field, field.storage) for field in fields]
    handler: Any = storage.storages
    names = [name for name in handler.backends if name != "staticfiles"]
    real = {name: handler[name] for name in names}
    default = storage.default_storage
    kept = getattr(default, "_wrapped", None)
    try:
        handler._storages.update({name: wrap(each) for name, each in real.items()})
        default._wrapped = handler["default"] if "default" in real else kept  # type: ignore[attr-defined]
        for field, own in before:
            field.storage = handler["default"] if own is default else wrap(own)
        yield
    finally:
        handler._storages.update(real)
        default._wrapped = real.get("default", kept)  # type: ignore[attr-defined]
        for field, own in before:
            field.storage = own


def _overlay() -> type:
    from django.core.files.base import ContentFile
    from django.core.files.storage import Storage

    class Overlay(Storage):
        """Files that were written since, above those that the real storage holds."""

        def __init__(self, real: Any) -> None:
            self._real = real
            self._written: dict[str, bytes] = {}

        def _open(self, name: str, mode: str = "rb") -> Any:
            if name in self._written or "w" in mode:
                return ContentFile(self._written.get(name, b""), name=name)
            return self._real.open(name, mode)

        def _save(self, name: str, content: Any) -> str:
            self._written[name] = b"".join(map(bytes, content.chunks()))
            return name

        def delete(self, name: str) -> None:
            self._written.pop(name, None)

        def exists(self, name: str) -> bool:
            return name in self._written or self._real.exists(name)

        def size(self, name: str) -> int:
            return len(self._written[name]) if name in self._written else self._real.size(name)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    for name in ("path", "url", "listdir", "get_accessed_time", "get_created_time", "get_modified_time"):
        setattr(Overlay, name, _asked_of_real(name))
    return Overlay


def _asked_of_real(name: str) -> Callable[..., Any]:
    def ask(self: Any, *arguments: Any) -> Any:
        return getattr(self._real, name)(*arguments)

    return ask


# ------------------------------------------------------------------------------------------------------ what is refused


@dataclass
class _Watch:
    """Whom refusals are noted for. ``known`` are threads that were there before: those are ours, and may connect."""

    record: Record
    allowed: frozenset[str]
    known: frozenset[int | None]


_watch: _Watch | None = None
_left: "WeakKeyDictionary[threading.Thread, _Watch]" = WeakKeyDictionary()
"""Threads that probes started and that outlived them: they stay refused."""
_through = threading.local()
_scratch = ""
"""The folder whose files are removed at the end, and may be written."""


@contextmanager
def nothing_gets_out(record: Record, allowed: frozenset[str], *, patience: float) -> Iterator[None]:
    """Refuse new connections to databases, sockets, programs and files to write, but for those that are ``allowed``.

    At the end the threads that were started meanwhile are waited for, ``patience`` seconds at most.
    """
    global _watch
    _stand_guard()
    known = frozenset(thread.ident for thread in threading.enumerate()) - {threading.get_ident()}
    watch = _watch = _Watch(record, allowed, known)
    leave, os._exit = os._exit, _ends_the_process
    compiled, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
        _wait_for_threads(watch, patience)
    finally:
        os._exit, sys.dont_write_bytecode = leave, compiled
        started = [thread for thread in threading.enumerate() if thread.ident not in known]
        _left.update({thread: watch for thread in started if thread is not threading.current_thread()})
        _watch = None


def _ends_the_process(status: int) -> NoReturn:
    """In place of ``os._exit``, of which no audit hook hears."""
    raise CalledOut(_watch.record.refuse("it ends the process") if _watch else "it ends the process")


def _wait_for_threads(watch: _Watch, patience: float) -> None:
    until = time.monotonic() + patience
    for thread in threading.enumerate():
        # A pool's threads end with the process, and have nothing to do until then.
        if thread.ident not in watch.known and thread is not threading.current_thread() and not _is_pooled(thread):
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                watch.record.refuse("it leaves a thread running")


def _is_pooled(thread: threading.Thread) -> bool:
    return thread.name.startswith(("ThreadPoolExecutor", "asyncio"))


@cache
def _stand_guard() -> None:
    """Look at every connection from now on. An audit hook cannot be taken back; all is silent while no probe runs."""
    sys.addaudithook(_on_event)
    for name in ("psycopg", "psycopg2"):
        if name in sys.modules:
            module = sys.modules[name]
            module.connect = _guarded(module.connect)  # type: ignore[attr-defined]
    if "psycopg" in sys.modules:
        for kind in ("Connection", "AsyncConnection"):
            owner = getattr(sys.modules["psycopg"], kind)
            owner.connect = classmethod(_guarded(owner.connect.__func__))


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Libpq's connections, which Python's sockets know nothing of."""

    @wraps(connect)
    def guarded(*arguments: Any, **keywords: Any) -> Any:
        watch = _watch_over_us()
        if watch is not None:
            raise CalledOut(watch.record.refuse("it opens a second connection to a database"))
        return connect(*arguments, **keywords)

    return guarded


def _watch_over_us() -> _Watch | None:
    """The watch that this thread is under, None for a thread that was there before, and for what is ours."""
    if getattr(_through, "ours", False):
        return None
    if _watch is None or threading.get_ident() in _watch.known:
        return _left.get(threading.current_thread()) if _left else None
    return _watch


@contextmanager
def let_through() -> Iterator[None]:
    """What this thread opens meanwhile is ours."""
    _through.ours = True
    try:
        yield
    finally:
        _through.ours = False


def addresses_of(allowed: Collection[str]) -> frozenset[str]:
    """What may be had by these names of hosts (``redis``, ``redis:6379``), programs and folders.

    Hosts may be had by their numbers too, folders by where they really lie.
    Not the databases: libpq needs none of Python's sockets, and ``localhost`` is home to more than them.
    """
    found = set(allowed)
    for entry in allowed:
        if os.path.isabs(entry):
            found.add(os.path.realpath(entry))
            continue
        host, _, port = entry.partition(":")
        found.add(_looked_up(host))
        try:
            numbers = {str(address[0]) for *_, address in socket.getaddrinfo(host, None)}
        except (OSError, UnicodeError):
            continue  # it is a program, or will be missed when it is called
        found |= {f"{number}:{port}" if port else number for number in numbers}
    return frozenset(found)


def _looked_up(host: str) -> str:
    """That the address of a host may be asked for, which is less than to call it."""
    return f"address of {host}"


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS or (watch := _watch_over_us()) is None:
        return
    what, names = _EVENTS[event](arguments)
    if names and not names & watch.allowed:
        raise CalledOut(watch.record.refuse(what))


def _of_address(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    address = arguments[1]
    if isinstance(address, tuple):
        return f"it calls {address[0]}:{address[1]}", {str(address[0]), f"{address[0]}:{address[1]}"}
    name = os.fsdecode(address) if isinstance(address, bytes | str) else str(address)
    return f"it calls {name}", {name}


def _of_lookup(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    """A name that has to be looked up; the number of a host is no call yet."""
    host = os.fsdecode(arguments[0]) if isinstance(arguments[0], bytes | str) else ""
    is_number = not host or host.replace(".", "").isdigit() or ":" in host or host == "localhost"
    port = arguments[1]
    return f"it calls {host}" + (f":{port}" if port else ""), set() if is_number else {_looked_up(host)}


def _of_program(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    name = os.path.basename(os.fsdecode(arguments[0]).split()[0]) if arguments and arguments[0] else "a program"
    return f"it starts {name}", {name}


def _of_signal(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    """Signal 0 asks whether a process is there, and does nothing to it."""
    return "it sends a signal", {"a signal"} if arguments[1] else set()


_WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_NAMELESS = getattr(os, "O_TMPFILE", 0)


def _of_open(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    path, _, flags = arguments
    nameless = _NAMELESS and flags & _NAMELESS == _NAMELESS  # gone when it is closed
    return ("", set()) if nameless or not flags & _WRITES else _of_file(path, -1)


def _of_new_folder(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    """To make a folder that is there fails, and is how one asks for it."""
    path, _, folder = arguments
    return ("", set()) if folder == -1 and os.path.isdir(path) else _of_file(path, folder)


def _of_two_files(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    """Where either place is outside, it is that one."""
    source, target, source_folder, target_folder = arguments
    found = _of_file(source, source_folder), _of_file(target, target_folder)
    return next((each for each in found if each[1]), found[0])


def _of_file(path: Any, folder: int) -> tuple[str, set[str]]:
    """A file that is written, or its name changed: by its path and those of the folders around it."""
    if isinstance(path, int):
        return "", set()  # it is open already
    name = os.fsdecode(path)
    if folder != -1 and not os.path.isabs(name):
        name = os.path.join(os.path.realpath(f"/proc/self/fd/{folder}"), name)
    whole = Path(os.path.realpath(name))
    around = {str(each) for each in (whole, *whole.parents)}
    if _scratch in around or ("/dev" in around and "/dev/shm" not in around):
        return "", set()
    return f"it writes {short(os.path.abspath(name))}", around


def _of_sqlite(arguments: tuple[Any, ...]) -> tuple[str, set[str]]:
    name = os.fsdecode(arguments[0]) if isinstance(arguments[0], bytes | str) else ""
    return ("", set()) if name in ("", ":memory:") or "mode=memory" in name else _of_file(name, -1)


_EVENTS: dict[str, Callable[[tuple[Any, ...]], tuple[str, set[str]]]] = {
    "socket.connect": _of_address,
    "socket.sendto": _of_address,
    "socket.sendmsg": lambda arguments: _of_address(arguments) if arguments[1] else ("", set()),
    "socket.getaddrinfo": _of_lookup,
    "subprocess.Popen": _of_program,
    "os.system": _of_program,
    "os.exec": _of_program,
    "os.posix_spawn": _of_program,
    "os.fork": lambda arguments: ("it forks the process", {"fork"}),
    "os.forkpty": lambda arguments: ("it forks the process", {"fork"}),
    "os.kill": _of_signal,
    "os.killpg": _of_signal,
    "open": _of_open,
    "os.mkdir": _of_new_folder,
    "os.rmdir": lambda arguments: _of_file(*arguments),
    "os.remove": lambda arguments: _of_file(*arguments),
    "os.truncate": lambda arguments: _of_file(arguments[0], -1),
    "os.chmod": lambda arguments: _of_file(arguments[0], arguments[-1]),
    "os.chown": lambda arguments: _of_file(arguments[0], arguments[-1]),
    "os.utime": lambda arguments: _of_file(arguments[0], arguments[-1]),
    "os.rename": _of_two_files,
    "os.link": _of_two_files,
    "os.symlink": lambda arguments: _of_file(arguments[1], arguments[2]),
    "sqlite3.connect": _of_sqlite,
}

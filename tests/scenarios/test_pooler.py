"""A pooler that gives a backend to one transaction at a time is recognised, and nothing is left behind in it."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.scenarios.sites import Site, flat
from tests.servers import make_run_folder

PGBOUNCER = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"


@contextmanager
def pooler(site: Site, folder: Path) -> Iterator[int]:
    """pgbouncer before the site's server, in transaction mode with one backend; the port it listens on."""
    if not Path(PGBOUNCER).exists():
        pytest.skip("pgbouncer was not found: install it (Debian: pgbouncer)")
    server = site.database.server
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={server.host} port={server.port} user=migrator\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 1\n"
        "ignore_startup_parameters = extra_float_digits,options,search_path\n"
    )
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    # Output goes to a file: nobody reads a pipe.
    with (folder / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen([PGBOUNCER, "-q", str(config)], stdout=log, stderr=log, cwd="/", **identity)
    try:
        _wait_for(port, log=folder / "pgbouncer.log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(port: int, *, log: Path) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_a_pooler_in_transaction_mode_is_refused_and_keeps_no_lock(one_incident: Site) -> None:
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    name, folder = one_incident.database.name, make_run_folder()
    try:
        with pooler(one_incident, folder) as port:
            dsn = f"host=127.0.0.1 port={port} dbname={name} user=migrator"
            done = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", dsn)
            assert done.returncode == 1, done.stdout + done.stderr
            assert "a pooler in transaction mode is between" in flat(done.stdout), done.stdout + done.stderr
            # The backend stays with the pooler, as it was before.
            [(pid,)] = one_incident.rows(
                "SELECT pid FROM pg_stat_activity WHERE usename = 'migrator' AND datname = current_database()"
            )
            assert one_incident.rows(f"SELECT locktype FROM pg_locks WHERE pid = {pid} AND locktype = 'advisory'") == []
            with psycopg.connect(dsn) as client:
                assert client.execute("SELECT pg_backend_pid(), current_setting('lock_timeout')").fetchone() == (
                    pid,
                    "0",
                )
    finally:
        shutil.rmtree(folder)
    direct = one_incident.cascade("apply", "plan.json", "--noinput")
    assert direct.returncode == 0, direct.stdout + direct.stderr

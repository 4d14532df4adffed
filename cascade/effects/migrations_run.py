"""The project's applied migrations, run on a scratch database by a process of its own.

Only there can the project's settings be changed before Django is set up, so that no connection of the project
leads to a database of the project.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from cascade.core.history import MigrationKey
from cascade.core.layout import TableName
from cascade.effects.own_connection import Settings
from cascade.effects.reference import Report
from cascade.errors import ReferenceFailed

PROGRAM = "cascade.effects.run_migrations"


@dataclass(frozen=True, slots=True)
class MigrationsRun:
    """What came of it: the migration during which each table appeared, and what a handler of the signals failed with.

    A table that got another name or schema later stands under the last one.
    """

    appeared: Mapping[TableName, MigrationKey]
    handler_problem: str | None


def run_migrations(recorded: Iterable[MigrationKey], scratch: Settings, *, alias: str, report: Report) -> MigrationsRun:
    """Run what ``recorded`` means, as ``migrate`` would from nothing, on the scratch database and on no other.

    Raises ``ReferenceFailed`` that names the migration where one fails.
    """
    from django.conf import settings

    order = {
        "settings": settings.SETTINGS_MODULE,
        "alias": alias,
        "scratch": dict(scratch),
        "recorded": [[key.app, key.name] for key in recorded],
    }
    result: Any = None
    with _running(order) as (process, said):
        for message in map(json.loads, process.stdout or ()):
            match message:
                case {"number": number, "of": total, "migration": name}:
                    report(f"running migration {number} of {total} on a scratch database: {name}")
                case {"failed": error, "migration": name}:
                    raise _failed(error, name)
                case {"appeared": _}:
                    result = message
        process.wait()
        if result is None:
            raise _failed(_last_line(said), None)
    return MigrationsRun(
        {TableName(schema, table): MigrationKey(app, name) for schema, table, app, name in result["appeared"]},
        result["handler_problem"],
    )


@contextmanager
def _running(order: Mapping[str, Any]) -> Iterator[tuple["subprocess.Popen[str]", IO[bytes]]]:
    """The process, which is ended on the way out, and the file that gets what it and the migrations print.

    The order goes by a pipe, for it may hold a password.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            # Without -P the current folder would come before ours on the path.
            [sys.executable, "-P", "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)},
            encoding="utf-8",
        )
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin:  # it may have ended at once, and will have said why
                process.stdin.write(json.dumps(order))
            yield process, said
        finally:
            _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _failed(error: str, migration: str | None) -> ReferenceFailed:
    if migration is None:
        return ReferenceFailed(
            f"The migrations cannot be run on a scratch database: {error}",
            hint="Without --reference migrations the expected side is worked out from them without running them.",
        )
    return ReferenceFailed(
        f"{migration} fails on a scratch database: {error}",
        hint="The migrations must work from nothing, on a database without rows. "
        "Without --reference migrations they are not run.",
    )


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "the process ended without a word"

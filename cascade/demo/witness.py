"""What the demo proves its repair with: rows by checksum, the layout by pg_dump, the site by its pages.

None of it asks cascade: a tool is no witness in its own case.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cascade.demo.replay import APPLICATION, Server, connect, demo_environment, import_path
from cascade.effects.embedded_server import program
from cascade.errors import CascadeError


class WitnessFailed(CascadeError):
    """The demo could not look at what it has to prove."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table: how many, in which columns, and a digest of all of them."""

    table: str
    columns: tuple[str, ...]
    count: int
    digest: str


def read_rows(server: Server, database: str, columns: Mapping[int, tuple[str, ...]] | None = None) -> dict[int, Rows]:
    """Every row of every table in every schema, by the table's OID: a table keeps it wherever it goes.

    ``columns``: of these tables only these columns, so that one which was added since changes no digest.
    """
    with connect(server, database) as connection:
        tables = connection.execute(_TABLES).fetchall()
        return {
            oid: _rows_of(connection, oid, name, (columns or {}).get(oid, tuple(all_))) for oid, name, all_ in tables
        }


def lost_rows(server: Server, database: str, before: Mapping[int, Rows]) -> tuple[str, ...]:
    """What is not as it was, in a phrase each; nothing where every row that was there is there."""
    after = read_rows(server, database, {oid: rows.columns for oid, rows in before.items()})
    return tuple(_lost(before, after))


def dump_layout(server: Server, database: str) -> str:
    """The digest of ``pg_dump --schema-only``, without the two lines that PostgreSQL makes anew each time."""
    done = subprocess.run(
        [program("pg_dump"), "-h", server.host, "-p", str(server.port), "-U", server.user, "-s", "-d", database],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WitnessFailed(f"pg_dump failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    lines = (line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def ask_pages(server: Server, database: str, settings: str) -> dict[str, int | str]:
    """What the pages of the site answer, asked as the application role: a status, or the database's error."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
        **demo_environment(server, database, role=APPLICATION, settings=settings),
        "PYTHONPATH": os.pathsep.join(import_path()),
    }
    done = subprocess.run(
        [sys.executable, "-m", "cascade.demo.pages"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise WitnessFailed(f"The pages could not be asked: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    answers: dict[str, int | str] = json.loads(done.stdout)
    return answers


_TABLES = """
SELECT c.oid::bigint, c.relname::text,
       array(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY c.oid
"""


def _rows_of(connection: Any, oid: int, name: str, columns: tuple[str, ...]) -> Rows:
    from psycopg import sql

    place = connection.execute("SELECT %s::regclass::text", [oid]).fetchone()[0]
    row = sql.SQL("ROW({})::text").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    found = connection.execute(
        sql.SQL("SELECT count(*), coalesce(md5(string_agg({row}, ' ' ORDER BY {row})), '') FROM {table}").format(
            row=row, table=sql.SQL(place)
        )
    ).fetchone()
    return Rows(name, columns, *found)


def _lost(before: Mapping[int, Rows], after: Mapping[int, Rows]) -> Iterator[str]:
    for oid, rows in before.items():
        now = after.get(oid)
        if now is None:
            yield f"{rows.table} is gone, with {rows.count} rows"
        elif now != rows:
            yield f"{rows.table} had {rows.count} rows and has {now.count}, or others"

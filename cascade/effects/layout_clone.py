"""A copy of a database's layout on an embedded server: every object, no row, gone afterwards.

``pg_dump --schema-only`` reads the original, in ACCESS SHARE mode; nothing else is asked of it.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade.core.layout import quoted
from cascade.effects.embedded_server import EmbeddedServer, embedded_server, program
from cascade.effects.reference import reference_connection
from cascade.errors import DatabaseError

Settings = Mapping[str, Any]

NAME = "cascade_clone"


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the original: on the clone it may log in, and is as mighty. ``member_of`` are other roles."""

    name: str
    superuser: bool
    member_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """What pg_dump does not tell of a database: who is reference_connection, who owns it, which roles there are."""

    connected_as: str
    owner: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class LayoutClone:
    """Where the clone is, and as whom it is used; ``refused`` are statements of the dump that it did not take."""

    settings: Settings
    refused: tuple[str, ...]


def read_original(cursor: Any) -> Original:
    """Ask the original for what its clone needs beside the dump; every role may (pg_roles, 53.20)."""
    cursor.execute(_ORIGINAL)
    connected_as, owner = cursor.fetchone()
    cursor.execute(_ROLES)
    return Original(
        connected_as, owner, tuple(Role(name, superuser, tuple(of)) for name, superuser, of in cursor.fetchall())
    )


@contextmanager
def layout_clone(original: Settings, about: Original, *, report: Callable[[str], None]) -> Iterator[LayoutClone]:
    """A clone of the database that these settings lead to, there as long as this lasts.

    Raises ``MissingExtra`` without the embedded server, ``DatabaseError`` where pg_dump fails.
    """
    with tempfile.TemporaryDirectory(prefix="cascade-clone-") as folder:
        Path(folder).chmod(0o711)  # a server started by root runs as another user, who has to get in
        dump = Path(folder) / "layout.sql"
        with embedded_server(Path(folder), report=report) as server:
            report("reading the layout with pg_dump")
            _dump(original, dump)
            report("making the clone")
            _make_database(about, server)
            refused = _restore(dump, server)
            yield LayoutClone(_settings(server, NAME, about.connected_as), refused)


def _dump(original: Settings, file: Path) -> None:
    """Subscriptions are left out: even one that is disabled names the publisher's address and password."""
    # It is newer than the database, or of its age: an older pg_dump would refuse.
    command = [program("pg_dump"), "--schema-only", "--no-subscriptions", "--lock-wait-timeout=2000"]
    command += ["--no-password"]  # it would ask for one on the terminal, and wait
    role = (original.get("OPTIONS") or {}).get("assume_role")
    command += [f"--role={role}"] if role else []
    done = subprocess.run(
        [*command, f"--file={file}", f"--dbname={_dsn(original)}"],
        env=_environment(original),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DatabaseError(
            f"pg_dump could not read the layout: {_complaint(done.stderr)}",
            hint="A clone needs a role that may read every table's definition, such as their owner: --dsn.",
        )


def _dsn(settings: Settings) -> str:
    """The settings as libpq reads them, the password apart: other users of the machine see a command's arguments."""
    parts = {"dbname": settings.get("NAME"), "host": settings.get("HOST"), "port": settings.get("PORT")}
    parts |= {"user": settings.get("USER")}
    parts |= {name: value for name, value in (settings.get("OPTIONS") or {}).items() if name in _OF_LIBPQ}
    words = (f"{name}={_value(str(value))}" for name, value in parts.items() if value)
    return " ".join(words)


_OF_LIBPQ = frozenset(
    "service passfile sslmode sslrootcert sslcert sslkey sslcrl sslnegotiation channel_binding require_auth "
    "gssencmode krbsrvname connect_timeout hostaddr target_session_attrs options".split()
)
"""What Django's OPTIONS may hold for libpq (libpq, 34.1.2), beside what is meant for the driver."""


def _value(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _environment(settings: Settings) -> dict[str, str]:
    password = settings.get("PASSWORD") or (settings.get("OPTIONS") or {}).get("password")
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {}), "LC_ALL": "C"}


def _make_database(about: Original, server: EmbeddedServer) -> None:
    with reference_connection(_settings(server, "postgres", server.user)) as cursor:
        for statement in _making(about, server.user):
            cursor.execute(statement)


def _making(about: Original, superuser: str) -> Iterator[str]:
    for role in about.roles:
        # Whoever is connected has to be let in, whatever lets it in there.
        rights = "SUPERUSER" if role.superuser else "NOSUPERUSER"
        yield f"CREATE ROLE {quoted(role.name)} LOGIN {rights}" if role.name != superuser else "SELECT 1"
    known = {role.name for role in about.roles} | {superuser}
    for role in about.roles:
        for group in _known(role.member_of, known):
            yield f"GRANT {quoted(group)} TO {quoted(role.name)}"
    # Encoding and order of text are the server's: no row is there that they could concern.
    yield f"CREATE DATABASE {NAME} OWNER {quoted(about.owner)} TEMPLATE template0 ENCODING 'UTF8'"


def _known(groups: Iterable[str], known: set[str]) -> list[str]:
    """PostgreSQL's own roles are left out: which there are depends on the version."""
    return sorted(group for group in groups if group in known)


def _restore(dump: Path, server: EmbeddedServer) -> tuple[str, ...]:
    """Run the dump, whatever it holds that cannot be had here; what was refused, in a phrase each."""
    dsn = _dsn({"NAME": NAME, "HOST": server.host, "PORT": server.port, "USER": server.user})
    done = subprocess.run(
        [program("psql"), "-X", "-q", f"--file={dump}", f"--dbname={dsn}"],
        env={**{name: value for name, value in os.environ.items() if not name.startswith("PG")}, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DatabaseError(f"psql could not make the clone: {_complaint(done.stderr)}")
    return tuple(line.partition("ERROR:")[2].strip() for line in done.stderr.splitlines() if "ERROR:" in line)


def _settings(server: EmbeddedServer, database: str, user: str) -> Settings:
    engine = "django.db.backends.postgresql"
    return {"ENGINE": engine, "NAME": database, "USER": user, "HOST": server.host, "PORT": str(server.port)}


def _complaint(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if "error:" in line] or text.strip().splitlines()
    return lines[-1].rpartition("error: ")[2] if lines else "no reason was given"


_ORIGINAL = """
SELECT current_user::text, pg_catalog.pg_get_userbyid(datdba)::text
FROM pg_catalog.pg_database WHERE datname = current_database()
"""

_ROLES = """
SELECT r.rolname::text, r.rolsuper,
       array(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1)
FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY 1
"""

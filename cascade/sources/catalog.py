"""PostgreSQL's catalogs, read by one query for both sides of the comparison."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from cascade.core.history import History, MigrationKey, Record
from cascade.core.layout import TableName
from cascade.core.observed import Document, Observed, observed_from

QUERY_MARK = "-- The query.\n"


@dataclass(frozen=True, slots=True)
class CatalogScope:
    """What to read; None means everything, as in psql.

    ``schemas``: look only there. ``tables``: read these names in full, others by name only.
    ``histories``: schemas whose ``django_migrations`` is read. ``rows``: tables whose rows are counted,
    to the end with ``count_exactly``. ``counters``: tables whose sequences are compared with the highest value, among
    those read in full. ``names``: schemas where the names of indexes, sequences and composite types are listed.
    """

    schemas: tuple[str, ...] | None = None
    tables: tuple[str, ...] | None = None
    histories: tuple[str, ...] | None = None
    rows: tuple[TableName, ...] | None = None
    counters: tuple[TableName, ...] | None = None
    names: tuple[str, ...] | None = None
    count_exactly: bool = False

    def settings(self, app_role: str) -> dict[str, str]:
        """The custom settings that ``catalog.sql`` looks at."""
        return {
            "cascade.schemas": _json(self.schemas),
            "cascade.tables": _json(self.tables),
            "cascade.histories": _json(self.histories),
            "cascade.rows": _json(_pairs(self.rows)),
            "cascade.counters": _json(_pairs(self.counters)),
            "cascade.names": _json(self.names),
            "cascade.count_exactly": "on" if self.count_exactly else "off",
            "cascade.app_role": app_role,
        }


def read_catalog(cursor: Any, scope: CatalogScope = CatalogScope(), *, app_role: str = "") -> Observed:
    """Read the database behind this open cursor, which must be in no transaction.

    Reads in one repeatable-read, read-only transaction, which is over on return. ``app_role`` is the role
    whose rights are asked for; empty means the connected one. What somebody has locked is named and left aside; where
    a lock came while its table was read, it is read again, for by then the lock can be seen.
    """
    for is_last in (False, False, True):
        try:
            return _read_once(cursor, scope, app_role)
        except Exception as error:
            if is_last or not _met_a_lock(error):
                raise
    raise AssertionError("the last try returns or raises")


def _read_once(cursor: Any, scope: CatalogScope, app_role: str) -> Observed:
    begin, _, _ = _statements()
    cursor.execute(begin)
    try:
        return observed_from(_asked(cursor, scope, app_role))
    finally:
        cursor.execute("ROLLBACK")


def read_catalog_within(cursor: Any, scope: CatalogScope = CatalogScope(), *, app_role: str = "") -> Observed:
    """Read the database as the caller's open transaction sees it, and leave that transaction as it was."""
    cursor.execute("SAVEPOINT cascade_look")
    try:
        return observed_from(_asked(cursor, scope, app_role))
    finally:
        # Takes back what was SET LOCAL, and the locks of the reading.
        cursor.execute("ROLLBACK TO SAVEPOINT cascade_look")
        cursor.execute("RELEASE SAVEPOINT cascade_look")


def _met_a_lock(error: BaseException | None) -> bool:
    """Whether the server gave up waiting for a lock (SQLSTATE 55P03), as the driver's exception or its cause says."""
    codes = [getattr(e, name, None) for e in (error, error and error.__cause__) for name in ("sqlstate", "pgcode")]
    return "55P03" in codes


def read_table_documents(cursor: Any, scope: CatalogScope) -> list[Document]:
    """The ``tables`` of the document, read inside the caller's transaction, whose search_path it changes."""
    tables: list[Document] = _asked(cursor, scope, "")["tables"]
    return tables


def read_history(cursor: Any, schema: str) -> History:
    """The rows of that schema's ``django_migrations``. Raises whatever the cursor raises where it may not be read."""
    table = str(TableName(schema, "django_migrations"))
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    try:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute(f"SELECT id, app, name, pg_catalog.to_jsonb(applied) #>> '{{}}' FROM {table} ORDER BY id")
        rows = cursor.fetchall()
    finally:
        cursor.execute("ROLLBACK")
    return History(schema, tuple(Record(MigrationKey(app, name), applied, id_) for id_, app, name, applied in rows))


def catalog_sql() -> str:
    """The script as it runs in psql."""
    return files("cascade.sources").joinpath("catalog.sql").read_text(encoding="utf-8")


def _statements() -> tuple[str, str, str]:
    """BEGIN, what prepares the query, and the query, without what only psql knows."""
    script = "".join(line for line in catalog_sql().splitlines(keepends=True) if not line.startswith("\\"))
    before, _, query = script.partition(QUERY_MARK)
    begin, _, prepare = before[before.index("BEGIN ") :].partition(";\n")
    return begin, prepare, query.rpartition("COMMIT;")[0]


def _asked(cursor: Any, scope: CatalogScope, app_role: str) -> Document:
    """What the query answers inside of the transaction that is open."""
    _, prepare, query = _statements()
    _set_scope(cursor, scope, app_role)
    cursor.execute(prepare)
    cursor.execute(query)
    document: Document = json.loads(cursor.fetchone()[0])
    return document


def _set_scope(cursor: Any, scope: CatalogScope, app_role: str) -> None:
    settings = scope.settings(app_role)
    calls = ", ".join("pg_catalog.set_config(%s, %s, true)" for _ in settings)
    cursor.execute(f"SELECT {calls}", [part for item in settings.items() for part in item])


def _pairs(names: Iterable[TableName] | None) -> list[list[str]] | None:
    return None if names is None else [[name.schema, name.name] for name in names]


def _json(values: Any) -> str:
    return "" if values is None else json.dumps(values)

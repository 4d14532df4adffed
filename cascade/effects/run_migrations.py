"""Run a project's applied migrations on a scratch database: the program that ``migrations_run`` starts.

It reads one order as JSON from stdin and answers with lines of JSON on stdout. Before Django is set up, every
connection of the project is replaced: one leads to the scratch database, the others to empty ones in memory.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from cascade.core.history import MigrationKey

Say = Callable[..., None]

REDIRECTING = (
    "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE",
    "PGSERVICEFILE", "PGOPTIONS", "PGTARGETSESSIONATTRS",
)  # fmt: skip
"""Variables by which libpq would find another server, role or search_path (libpq, 34.15)."""

OF_ANOTHER_SERVER = frozenset(
    """
    host hostaddr port dbname user password passfile service servicefile options target_session_attrs
    load_balance_hosts require_auth channel_binding connect_timeout client_encoding fallback_application_name
    application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout replication
    gssencmode krbsrvname gsslib gssdelegation requirepeer scram_client_key scram_server_key sslmode sslnegotiation
    sslcompression sslcert sslkey sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni
    ssl_min_protocol_version ssl_max_protocol_version min_protocol_version max_protocol_version
    oauth_issuer oauth_client_id oauth_client_secret oauth_scope assume_role pool
    """.split()
)
"""``OPTIONS`` that speak of the project's own server and its roles: libpq's (34.1.2), and two of Django's."""

_IN_MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


def main() -> None:
    """Carry out the order; exit with 1 after saying what failed."""
    order = json.load(sys.stdin)
    say = _speaker()
    current: list[str] = []
    try:
        _isolate(order["settings"], order["alias"], order["scratch"])
        answer = _migrate(order, say, current)
    except Exception as error:
        say(failed=_in_words(error), migration=current[-1] if current else None)
        sys.exit(1)
    say(**answer)


def _speaker() -> Say:
    """Says lines of JSON on what was stdout; whatever migrations print goes to stderr from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**message: Any) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return say


def _isolate(module: str, alias: str, scratch: Mapping[str, Any]) -> None:
    """Set Django up so that of its connections only the scratch database is within reach."""
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    import django
    from django.conf import settings

    databases: dict[str, Any] = settings.DATABASES
    replaced = {
        name: _on_scratch(own, scratch) if _is_same(own, alias, databases) else dict(_IN_MEMORY)
        for name, own in databases.items()
    }
    # In place too: the settings module itself may be asked for it.
    databases.clear()
    databases.update(replaced)
    settings.DATABASES = databases
    _keep_inside(settings)
    # Only now: the settings may have been made of them.
    for variable in REDIRECTING:
        os.environ.pop(variable, None)
    django.setup()
    _prove_isolation(alias, scratch)


def _is_same(own: Mapping[str, Any], alias: str, databases: Mapping[str, Any]) -> bool:
    """Whether this is the asked alias, or another road to its database: a mirror, or the same address."""
    asked = databases[alias]
    if own is asked or (own.get("TEST") or {}).get("MIRROR") == alias:
        return True
    return all(own.get(key) == asked.get(key) for key in ("ENGINE", "NAME", "HOST", "PORT"))


def _on_scratch(own: Mapping[str, Any], scratch: Mapping[str, Any]) -> dict[str, Any]:
    options = {key: value for key, value in (own.get("OPTIONS") or {}).items() if key not in OF_ANOTHER_SERVER}
    return {**own, **scratch, "OPTIONS": {**options, **scratch["OPTIONS"]}, "CONN_MAX_AGE": None, "TEST": {}}


def _keep_inside(settings: Any) -> None:
    """No mail is sent, no shared cache is cleared, no file is stored."""
    outbox = "django.core.mail.backends.locmem.EmailBackend"
    if hasattr(settings, "MAILERS"):  # Django 6.1
        settings.MAILERS = {name: {"BACKEND": outbox} for name in settings.MAILERS}
    else:
        settings.EMAIL_BACKEND = outbox
    in_memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {name: {"BACKEND": in_memory, "LOCATION": name} for name in settings.CACHES}
    stored = "django.core.files.storage.InMemoryStorage"
    settings.STORAGES = {name: {"BACKEND": stored} for name in settings.STORAGES}


def _prove_isolation(alias: str, scratch: Mapping[str, Any]) -> None:
    """The engine may have ideas of its own about where to connect: ask the server, before anything is run."""
    from django.db import connections

    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_catalog.current_database()")
        found = cursor.fetchone()[0]
    if found != scratch["NAME"]:
        raise RuntimeError(f"the connection {alias} leads to {found}, not to the scratch database; nothing was run")


def _migrate(order: Mapping[str, Any], say: Say, current: list[str]) -> dict[str, Any]:
    """As ``migrate`` does it: the handlers of the one signal, every migration, the handlers of the other."""
    from django.apps import apps
    from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.state import ProjectState
    from django.utils.module_loading import module_has_submodule

    from cascade.sources.migration_history import load_applied

    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "management"):
            importlib.import_module(".management", config.name)  # where apps connect their handlers
    connection: Any = connections[order["alias"]]
    connection.prepare_database()
    loader, applied = load_applied(MigrationKey(app, name) for app, name in order["recorded"])
    appeared: dict[int, list[str]] = {}
    names: dict[int, list[str]] = {}

    def watch(action: str, migration: Any = None, fake: bool = False) -> None:
        nonlocal names
        if action == "apply_start":
            current.append(str(migration))
            say(number=len(current), of=len(applied), migration=str(migration))
        elif action == "apply_success":
            names = _tables(connection)
            for oid in names:
                appeared.setdefault(oid, [migration.app_label, migration.name])

    executor: Any = MigrationExecutor(connection, cast(Any, watch))
    executor.loader = loader
    plan = [(migration, False) for migration in applied]
    state = ProjectState(real_apps=loader.unmigrated_apps)
    with open(os.devnull, "w") as nowhere:
        signal = {"verbosity": 0, "interactive": False, "db": connection.alias, "stdout": nowhere, "plan": plan}
        problem = _problem_of(lambda: emit_pre_migrate_signal(apps=state.clone().apps, **signal))
        state = executor.migrate([], plan=plan, state=state)
        current.clear()
        state.clear_delayed_apps_cache()
        problem = problem or _problem_of(lambda: emit_post_migrate_signal(apps=state.apps, **signal))
    return {
        "appeared": [[*name, *appeared[oid]] for oid, name in sorted(names.items()) if oid in appeared],
        "handler_problem": problem,
    }


def _tables(connection: Any) -> dict[int, list[str]]:
    """Schema and name of every table by its OID, which it keeps when it is renamed or moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        )
        return {oid: [schema, name] for oid, schema, name in cursor.fetchall()}


def _problem_of(emit: Callable[[], None]) -> str | None:
    """What the handlers fail with. Most of them fill tables, and look at models that pending migrations change."""
    try:
        emit()
    except Exception as error:
        return _in_words(error)
    return None


def _in_words(error: Exception) -> str:
    """The first line, which holds no row's values: PostgreSQL puts those into the DETAIL."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


if __name__ == "__main__":
    main()

"""What any tool of this sort has to do at least: set up, load the migrations, build their state, read the catalogs once.

    python bare.py [--imports]

Runs inside a project, as DJANGO_SETTINGS_MODULE names it. ``--imports`` loads beforehand all that a ``cascade check``
loads, so that the rest of the difference is work.
"""

import sys

CATALOGS = """
SELECT n.nspname, c.relname, c.relkind,
  (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) ORDER BY a.attnum)
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  (SELECT json_agg(json_build_array(k.conname, k.contype, pg_get_constraintdef(k.oid)))
   FROM pg_constraint k WHERE k.conrelid = c.oid),
  (SELECT json_agg(json_build_array(i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)))
   FROM pg_index i WHERE i.indrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname
"""


def main() -> None:
    if "--imports" in sys.argv:
        _import_what_check_imports()
    import django

    django.setup()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    state = executor._create_project_state(with_applied_migrations=True)
    models = state.apps.get_models(include_auto_created=True)
    with connection.cursor() as cursor:
        cursor.execute(CATALOGS)
        tables = cursor.fetchall()
    print(len(models), "models,", len(tables), "tables")


def _import_what_check_imports() -> None:
    import cascade.cli
    import cascade.core.detect
    import cascade.effects.expected_cache
    import cascade.effects.reference
    import cascade.effects.statement_log
    import cascade.render.text
    import cascade.sources.catalog
    import cascade.sources.project
    import cascade.workflows.answering  # noqa: F401


main()

"""A repair as a Django migration: plain SQL that looks first, does what is lacking, and proves it at the end.

Each operation is a DO block. It finds the target schema as cascade does, by the ``django_migrations`` that the
connection sees, names schema, kind and definition in its guards, and leaves the search_path as it found it.
"""

from cascade.render.migration.file import MigrationId, MigrationText, render_migration, render_placed

__all__ = ["MigrationId", "MigrationText", "render_migration", "render_placed"]

"""One schema a tenant, the search_path switched for each (django-tenants): nobody cries wolf."""

import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.scenarios.guarded import django
from tests.scenarios.sites import Project, Site, project_site, run_program
from tests.servers import Database

SETTINGS = """
    DATABASES["default"]["ENGINE"] = "django_tenants.postgresql_backend"
    DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
    SHARED_APPS = ["django_tenants", "django.contrib.contenttypes", "customers", "cascade.django_app"]
    TENANT_APPS = ["django.contrib.contenttypes", "notes", "cascade.django_app"]
    INSTALLED_APPS = [*SHARED_APPS, "notes"]
    TENANT_MODEL = "customers.Client"
    TENANT_DOMAIN_MODEL = "customers.Domain"
"""

FILES = {
    "customers/models.py": """
        from django.db import models
        from django_tenants.models import DomainMixin, TenantMixin

        class Client(TenantMixin):
            name = models.CharField(max_length=40)
            auto_create_schema = True

        class Domain(DomainMixin):
            pass
    """,
    "notes/models.py": """
        from django.db import models

        class Note(models.Model):
            text = models.CharField(max_length=40)
    """,
}

TWO_TENANTS = """
import django
django.setup()
from customers.models import Client
for name in ("north", "south"):
    Client(schema_name=name, name=name).save()
"""

LATER = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("notes", "0001_initial")]
        operations = [migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))])]
"""

IN_A_SCHEMA_WITHOUT_A_RECORD = """
import django
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
from django.db import connection
connection.cursor().execute("CREATE SCHEMA east")
connection.set_schema("east")
call_command(Command(), "notes", verbosity=0)
"""
"""As backends and projects do it that give a new schema its own django_migrations later, or never."""


@pytest.fixture
def tenants(one_database: Database, tmp_path: Path) -> Site:
    """A site with an app of its own for each tenant; nothing is migrated yet."""
    site = project_site(Project(tmp_path, ("customers", "notes"), SETTINGS, FILES), one_database)
    site.manage("makemigrations", "customers", "notes")
    return site


def test_neither_guard_nor_proof_nor_check_says_anything_from_the_first_schema_to_the_last(tenants: Site) -> None:
    shared = django(tenants, "migrate_schemas", "--shared", "-v", "0")
    made = _run(tenants, TWO_TENANTS)
    (tenants.folder / "notes/migrations/0002_later.py").write_text(textwrap.dedent(LATER))
    bare = _run(tenants, IN_A_SCHEMA_WITHOUT_A_RECORD)
    later = django(tenants, "migrate_schemas", "-v", "0")
    checked = django(tenants, "check", "--database", "default")
    for done in (shared, made, bare, later, checked):
        assert done.returncode == 0, done.stderr
        assert "cascade" not in done.stdout + done.stderr
    tables = "SELECT schemaname FROM pg_tables WHERE tablename = 'notes_tag' ORDER BY 1"
    assert tenants.rows(tables) == [("east",), ("north",), ("south",)]


def _run(site: Site, program: str) -> "subprocess.CompletedProcess[str]":
    return run_program("-c", program, environment=site.environment, folder=site.folder)

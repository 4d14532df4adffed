"""Extensions that an applied migration makes and the database has not."""

from pathlib import Path

import pytest

from tests.scenarios.sites import Project, Site, flat, project_site
from tests.servers import Database

APPS = ("django.contrib.postgres", "bag")
FILES = {
    "bag/models.py": """
        from django.contrib.postgres.fields import HStoreField
        from django.db import models

        class Bag(models.Model):
            name = models.CharField(max_length=30)
            tags = HStoreField()
    """,
    "bag/migrations/0001_initial.py": """
        from django.contrib.postgres.fields import HStoreField
        from django.contrib.postgres.operations import HStoreExtension, UnaccentExtension
        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = []
            operations = [
                HStoreExtension(),
                UnaccentExtension(),
                migrations.CreateModel("Bag", [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("name", models.CharField(max_length=30)),
                    ("tags", HStoreField()),
                ]),
            ]
    """,
}
DROPS = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("bag", "0001_initial")]
        operations = [migrations.RunSQL("DROP EXTENSION unaccent")]
"""


@pytest.fixture
def site(one_database: Database, tmp_path: Path) -> Site:
    return project_site(Project(tmp_path, APPS, files=FILES), one_database)


def test_a_faked_migration_that_makes_an_extension_is_named_with_it_and_the_rest_follows(site: Site) -> None:
    site.manage("migrate", "--fake")
    done = site.cascade("plan")
    assert done.returncode == 0, done.stderr
    assert (
        "Not checked: what the extension hstore brings. Why: bag.0001_initial makes it, and this database has no such "
        "extension. To have it checked: run CREATE EXTENSION hstore and ask again."
    ) in flat(done.stdout)

    site.execute("CREATE EXTENSION hstore")
    site.execute("CREATE EXTENSION unaccent")
    answer = site.plan()
    assert answer["not_checked"] == []
    assert [step["id"] for step in answer["steps"]] == ["create_table:public.bag_bag"]


def test_an_extension_that_no_table_uses_is_missed_all_the_same(site: Site) -> None:
    site.manage("migrate")
    assert site.cascade("check").returncode == 0
    site.execute("DROP EXTENSION unaccent")
    done = site.cascade("check")
    assert (done.returncode, "what the extension unaccent brings" in done.stdout) == (3, True), done.stdout


def test_an_extension_that_a_migration_drops_again_is_not_missed(site: Site) -> None:
    (site.folder / "bag/migrations/0002_drop.py").write_text(DROPS.replace("\n    ", "\n"))
    site.manage("migrate")
    done = site.cascade("check")
    assert done.returncode == 0, done.stdout + done.stderr

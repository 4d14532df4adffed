"""What a project may be like besides its models' fields: nothing of it is drift, and drift beside it is found."""

from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from tests.scenarios.sites import Project, Site, found, project_site, restored
from tests.servers import Server, fresh_database

SETTINGS = """
    DATABASES["other"] = {**DATABASES["default"], "NAME": os.environ.get("SITE_OTHER", "")}
    DATABASE_ROUTERS = ["routing.Router"]
    MIGRATION_MODULES = {"plain": None}
    INSTALLED_APPS += os.environ.get("SITE_MORE_APPS", "").split()
    KIN_PARTY_MODEL = "kin.OwnParty"
"""

ROUTING = """
    class Router:
        '''Of the app far all lies in the other database, of near the models that it names.'''

        def allow_migrate(self, db, app_label, model_name=None, **hints):
            if app_label == "far":
                return db == "other"
            if app_label == "near" and model_name is not None:
                return (db == "other") == (model_name == "shared")
            return None if db == "default" else app_label == "near"
"""

FAR = """
    from django.db import models

    class Star(models.Model):
        name = models.CharField(max_length=20, unique=True)
"""

NEAR = """
    from django.db import models

    class Label(models.Model):
        name = models.CharField(max_length=20)

    class Own(models.Model):
        labels = models.ManyToManyField(Label)
        star = models.ForeignKey("far.Star", models.CASCADE, db_constraint=False)

    class Shared(models.Model):
        links = models.ManyToManyField("self")
"""

PLAIN = """
    from django.db import models

    class Unmigrated(models.Model):
        name = models.CharField(max_length=20)
"""

GONE = """
    from django.db import models

    class Left(models.Model):
        item = models.ForeignKey("kin.Person", models.CASCADE)
"""

KIN = """
    import uuid

    from django.conf import settings
    from django.contrib.contenttypes.fields import GenericForeignKey
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.postgres.fields import HStoreField
    from django.db import models

    class Stamped(models.Model):
        stamp = models.DateTimeField(null=True)

        class Meta:
            abstract = True
            indexes = [models.Index(fields=["stamp"], name="%(app_label)s_%(class)s_stamp")]
            constraints = [models.UniqueConstraint(fields=["stamp"], name="%(class)s_stamp_once")]

    class Bag(Stamped):
        content = HStoreField()

    class Person(models.Model):
        id = models.SmallAutoField(primary_key=True)
        name = models.CharField(max_length=20, unique=True)
        friends = models.ManyToManyField("self")
        follows = models.ManyToManyField("self", symmetrical=False, related_name="+", db_table="who follows whom")
        loose = models.ManyToManyField("self", db_constraint=False)

    class Employee(Person):
        salary = models.PositiveIntegerField()

    class Manager(Employee):
        desk = models.OneToOneField("Desk", models.CASCADE, parent_link=False)

    class Desk(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Wheeled(models.Model):
        wheel_id = models.AutoField(primary_key=True)

    class Floating(models.Model):
        hull_id = models.AutoField(primary_key=True)

    class Amphibian(Wheeled, Floating):
        pass

    class ByName(Person):
        class Meta:
            proxy = True

    class Country(models.Model):
        code = models.CharField(max_length=2, primary_key=True)
        slug = models.SlugField(unique=True)

    class City(models.Model):
        country = models.OneToOneField(Country, models.CASCADE, primary_key=True)
        by_slug = models.ForeignKey(Country, models.PROTECT, to_field="slug", related_name="+")
        unindexed = models.ForeignKey(Country, models.PROTECT, db_index=False, related_name="+", db_column="Country %")
        unguarded = models.ForeignKey(Country, models.DO_NOTHING, db_constraint=False, related_name="+")
        desk = models.ForeignKey(Desk, models.CASCADE, unique=True)
        visitors = models.ManyToManyField(Person, through="Visit", through_fields=("city", "visitor"))
        plain = models.ForeignKey("plain.Unmigrated", models.CASCADE, null=True)
        legacy = models.ForeignKey("Legacy", models.CASCADE, null=True)
        party = models.ForeignKey(settings.KIN_PARTY_MODEL, models.CASCADE, null=True)

    class Visit(models.Model):
        city = models.ForeignKey(City, models.CASCADE)
        visitor = models.ForeignKey(Person, models.CASCADE)
        inviter = models.ForeignKey(Person, models.CASCADE, related_name="+")
        kind_of_subject = models.ForeignKey(ContentType, models.CASCADE)
        number_of_subject = models.PositiveIntegerField()
        subject = GenericForeignKey("kind_of_subject", "number_of_subject")

        class Meta:
            unique_together = [("city", "visitor"), ("visitor", "inviter")]
            order_with_respect_to = "city"

    class Team(models.Model):
        captain = models.ForeignKey("Player", models.SET_NULL, null=True, related_name="+")

        class Meta:
            db_tablespace = "pg_default"

    class Player(models.Model):
        team = models.ForeignKey(Team, models.CASCADE)

    class Line(models.Model):
        pk = models.CompositePrimaryKey("order", "number")
        order = models.IntegerField()
        number = models.SmallIntegerField()

    class Party(models.Model):
        class Meta:
            swappable = "KIN_PARTY_MODEL"

    class OwnParty(models.Model):
        pass

    class Legacy(models.Model):
        '''Its table was there before Django.'''

        class Meta:
            managed = False

    class Summary(models.Model):
        '''A view.'''

        class Meta:
            managed = False
"""

IN_THE_DATABASE = """

    class Referring(models.Model):
        cascading = models.ForeignKey(Desk, models.DB_CASCADE, related_name="+")
        clearing = models.ForeignKey(Desk, models.DB_SET_NULL, null=True, related_name="+")
        defaulting = models.ForeignKey(Desk, models.DB_SET_DEFAULT, db_default=uuid.UUID(int=1), related_name="+")
"""
"""What PostgreSQL does when a row is deleted: known to Django since 6.1."""

BESIDE = (
    "CREATE VIEW kin_summary AS SELECT p.id, count(*) FROM kin_person p JOIN kin_employee e ON e.person_ptr_id = p.id"
    " GROUP BY p.id",
    "CREATE MATERIALIZED VIEW names AS SELECT name FROM kin_person",
    "CREATE UNIQUE INDEX ON names (name)",
    "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamp = now(); RETURN NEW; END'",
    "CREATE TRIGGER stamps BEFORE UPDATE ON kin_bag FOR EACH ROW EXECUTE FUNCTION stamp()",
    "CREATE RULE announce AS ON INSERT TO kin_desk DO ALSO NOTIFY desks",
    "ALTER TABLE kin_team ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY all_teams ON kin_team USING (true)",
    "CREATE STATISTICS together (dependencies) ON city_id, visitor_id FROM kin_visit",
    "ALTER TABLE kin_visit ALTER COLUMN number_of_subject SET STATISTICS 500",
    "ALTER TABLE kin_desk SET (fillfactor = 80, autovacuum_enabled = off)",
    "ALTER TABLE kin_person CLUSTER ON kin_person_pkey",
    "ALTER TABLE kin_player REPLICA IDENTITY FULL",
    "CREATE PUBLICATION everything FOR ALL TABLES",
    "CREATE SCHEMA extensions",
    # A table that an extension keeps its data in, and one of a name that a model has too.
    "CREATE TABLE extension_data (id int)",
    "ALTER EXTENSION hstore ADD TABLE extension_data",
    "CREATE TABLE extensions.kin_team (id int)",
    "ALTER EXTENSION hstore ADD TABLE extensions.kin_team",
)


ALTERATIONS = {
    "DROP TABLE kin_person_loose": "missing_table kin_person_loose",
    'DROP TABLE "who follows whom"': "missing_table who follows whom",
    "DROP TABLE near_own_labels": "missing_table near_own_labels",
    "ALTER TABLE kin_bag DROP CONSTRAINT bag_stamp_once": "missing_constraint kin_bag.bag_stamp_once",
    "DROP INDEX kin_bag_stamp": "missing_index kin_bag.kin_bag_stamp",
    "ALTER TABLE kin_line DROP CONSTRAINT kin_line_pkey, ADD CONSTRAINT kin_line_pkey PRIMARY KEY (number)": (
        "different_constraint kin_line.kin_line_pkey"
    ),
    "ALTER TABLE kin_visit DROP COLUMN _order": "missing_column kin_visit._order",
    "ALTER TABLE kin_country ALTER code TYPE varchar(3)": "different_column kin_country.code",
    'ALTER TABLE kin_city RENAME "Country %" TO country': "missing_column kin_city.Country %",
    "ALTER TABLE kin_employee SET SCHEMA extensions": "misplaced_table kin_employee",
    **{
        f"ALTER TABLE {table} DROP CONSTRAINT {{{column}}}": f"missing_constraint {table}.{{{column}}}"
        for table, column in (
            ("kin_amphibian", "floating_ptr_id"),
            ("kin_city", "plain_id"),
            ("kin_city", "legacy_id"),
            ("kin_city", "party_id"),
            ("kin_city", "by_slug_id"),
            ("kin_player", "team_id"),
            ("kin_person_friends", "to_person_id"),
        )
    },
}
"""Statements and the findings they have to give; ``{column}`` stands for the name of the key of that column."""

REFERRING_ALTERATIONS = {
    f"ALTER TABLE kin_referring DROP CONSTRAINT {{{column}}}, ADD CONSTRAINT {{{column}}} FOREIGN KEY ({column})"
    " REFERENCES kin_desk (id) DEFERRABLE INITIALLY DEFERRED": f"different_constraint kin_referring.{{{column}}}"
    for column in ("cascading_id", "clearing_id", "defaulting_id")
}


@pytest.fixture(scope="module")
def family(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The models above, migrated to the databases that the router wants; no test changes them."""
    files = {
        "routing.py": ROUTING,
        "far/models.py": FAR,
        "near/models.py": NEAR,
        "plain/models.py": PLAIN,
        "gone/models.py": GONE,
        "gone/__init__.py": "",
        "gone/migrations/__init__.py": "",
        "kin/models.py": KIN + (IN_THE_DATABASE if django.VERSION >= (6, 1) else ""),
    }
    apps = ("django.contrib.contenttypes", "django.contrib.postgres", "far", "near", "plain", "kin")
    with fresh_database(server) as database, fresh_database(server) as other:
        site = project_site(Project(tmp_path_factory.mktemp("kin"), apps, SETTINGS, files), database)
        site = Site(database, {**site.environment, "SITE_OTHER": other.name}, site.folder)
        site.execute("CREATE EXTENSION hstore")
        site.execute("CREATE TABLE kin_legacy (id bigint PRIMARY KEY, whatever point)")
        more = {"SITE_MORE_APPS": "gone"}
        site.manage("makemigrations", "far", "near", "kin", "gone", "-v0", **more)
        site.manage("migrate", "--run-syncdb", "-v0", **more)
        site.manage("migrate", "--database", "other", "-v0", **more)
        for statement in BESIDE:
            site.execute(statement)
        other.connection.close()  # or it could be no template
        yield site


def test_relations_routers_and_what_stands_beside_the_tables_are_no_drift(family: Site) -> None:
    plan = family.plan()
    assert found(plan) == set()
    assert found(plan, severities=("note",)) == {"extra_table gone_left"}
    assert plan["not_checked"] == []
    assert family.plan("--database", "other")["drifts"] == []


def test_drift_beside_all_that_is_found_also_after_pg_restore(family: Site, tmp_path: Path) -> None:
    with restored(family, tmp_path) as copy:
        assert found(copy.plan()) == set()
        expected = set()
        in_the_database = REFERRING_ALTERATIONS if django.VERSION >= (6, 1) else {}
        for statement, finding in {**ALTERATIONS, **in_the_database}.items():
            keys = key_names(copy, finding.split()[1].partition(".")[0])
            copy.execute(statement.format_map(keys))
            expected.add(finding.format_map(keys))
        # The renamed column, of which every INSERT has to know.
        assert found(copy.plan()) == {*expected, "extra_column kin_city.country"}


def test_drift_in_another_database_is_found_there_alone(family: Site) -> None:
    with fresh_database(family.database.server, template=family.environment["SITE_OTHER"]) as copy:
        copy.connection.execute("DROP TABLE near_shared_links")
        site = Site(family.database, {**family.environment, "SITE_OTHER": copy.name}, family.folder)
        assert found(site.plan("--database", "other")) == {"missing_table near_shared_links"}
        assert found(site.plan()) == set()


def key_names(site: Site, table: str) -> dict[str, str]:
    """The names of a table's foreign keys, quoted, by their columns."""
    rows = site.rows(
        "SELECT a.attname, quote_ident(c.conname) FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid"
        f" AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND c.conrelid::regclass::text = '{table}'"
    )
    return dict(rows)

"""What migrations leave after years of changing their minds: nothing of it is drift, and drift in it is found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.sites import Project, Site, found, project_site, restored
from tests.servers import Database, Server, fresh_database

INITIAL = """
    from django.contrib.postgres.operations import CITextExtension
    from django.db import migrations, models

    from past.fields import CaseInsensitive

    KEY = ("id", models.BigAutoField(primary_key=True))

    def create(name, *fields, **options):
        return migrations.CreateModel(name, [KEY, *fields], options=options)

    class Migration(migrations.Migration):
        operations = [
            CITextExtension(),
            create("Thing", ("name", models.CharField(max_length=20, db_index=True)),
                   ("code", models.IntegerField(unique=True)), ("size", models.IntegerField()), ("note", models.CharField(max_length=20, null=True)),
                   ("folded", CaseInsensitive(unique=True))),
            create("Box", ("things", models.ManyToManyField("past.Thing")),
                   ("inside", models.ManyToManyField("self", symmetrical=False))),
            create("Slot", ("box", models.ForeignKey("past.Box", models.CASCADE)), ("row", models.IntegerField()),
                   ("column", models.IntegerField()), ("level", models.PositiveSmallIntegerField(default=0)),
                   unique_together={("box", "row")}, index_together={("row", "column"), ("box", "column")}),
            create("Owner", ("thing", models.ForeignKey("past.Thing", models.CASCADE)),
                   ("number", models.IntegerField()), ("short", models.CharField(max_length=5, unique=True))),
            create("Gone"),
            migrations.CreateModel("Old", [("id", models.AutoField(primary_key=True)), ("text", models.TextField())]),
            migrations.CreateModel("Named", [("name", models.CharField(max_length=20, primary_key=True))]),
            create("Naming", ("named", models.ForeignKey("past.Named", models.CASCADE))),
        ]
"""

CHANGES = """
    from django.contrib.postgres import operations as postgres
    from django.db import migrations, models
    from django.db.models import Q

    from past.fields import CaseInsensitive

    def check(name):
        return models.CheckConstraint(name=name, condition=Q(size__gte=0) & Q(note__in=[name, "x"]))

    class Migration(migrations.Migration):
        atomic = False
        dependencies = [("past", "0001_initial")]
        operations = [
            # Columns: types, lengths, indexes, names.
            migrations.AlterField("thing", "size", models.BigIntegerField()),
            migrations.AlterField("thing", "size", models.DecimalField(max_digits=8, decimal_places=2)),
            migrations.AlterField("thing", "code", models.CharField(max_length=30, unique=True)),
            migrations.AlterField("thing", "name", models.TextField(db_index=True)),
            migrations.AlterField("thing", "note", models.CharField(max_length=200, default="", db_index=True)),
            migrations.AlterField("thing", "note", models.CharField(max_length=200, default="")),
            migrations.RenameField("thing", "note", "remark"),
            migrations.RenameField("thing", "remark", "note"),
            migrations.AlterField("thing", "folded", CaseInsensitive(null=True, unique=True)),
            migrations.AddField("thing", "added", models.IntegerField(default=7)),
            migrations.AddField("thing", "slug", models.SlugField(default="", db_column="Slug of it")),
            migrations.AddField("thing", "parent", models.ForeignKey("self", models.CASCADE, null=True)),
            migrations.AddField("thing", "away", models.IntegerField(null=True)),
            migrations.RemoveField("thing", "away"),
            migrations.AlterField("owner", "thing", models.OneToOneField("past.Thing", models.CASCADE)),
            migrations.AlterField("owner", "number", models.ForeignKey("past.Box", models.CASCADE, null=True)),
            migrations.RenameField("owner", "number", "box"),
            migrations.AlterField("owner", "short", models.CharField(max_length=9)),
            migrations.AlterField("old", "id", models.BigAutoField(primary_key=True)),
            migrations.AlterField("named", "name", models.CharField(max_length=60, primary_key=True)),
            # What is together.
            migrations.AlterUniqueTogether("slot", {("box", "row"), ("row", "column")}),
            migrations.AlterUniqueTogether("slot", {("row", "column")}),
            migrations.RenameIndex("slot", new_name="slot_row_column", old_fields=("row", "column")),
            migrations.RenameIndex("slot", new_name="slot_box_column", old_fields=("box", "column")),
            migrations.RemoveIndex("slot", "slot_box_column"),
            migrations.RemoveIndex("slot", "slot_row_column"),
            migrations.RenameField("slot", "row", "line"),
            migrations.AddIndex("slot", models.Index(fields=["line", "column"], name="slot_row_column")),
            migrations.AlterOrderWithRespectTo("slot", "box"),
            # Constraints and indexes on their own.
            postgres.AddConstraintNotValid("thing", check("never_validated")),
            postgres.AddConstraintNotValid("thing", check("validated_later")),
            postgres.ValidateConstraint("thing", "validated_later"),
            migrations.AddConstraint("thing", check("removed_again")),
            migrations.RemoveConstraint("thing", "removed_again"),
            postgres.AddIndexConcurrently("thing", models.Index(fields=["size"], name="thing_by_size")),
            postgres.AddIndexConcurrently("thing", models.Index(fields=["note"], name="thing_by_note")),
            postgres.RemoveIndexConcurrently("thing", "thing_by_note"),
            migrations.AddIndex("thing", models.Index(fields=["added"], name="thing_by_added")),
            migrations.RenameIndex("thing", new_name="thing_renamed", old_name="thing_by_added"),
            # Models.
            migrations.DeleteModel("Gone"),
            migrations.RenameModel("Box", "Crate"),
            migrations.RenameModel("Thing", "Object"),
            migrations.AlterModelTable("owner", "possession"),
            migrations.AlterModelTableComment("owner", "who has what"),
        ]
"""

STATE_AND_DATABASE = """
    from django.db import migrations, models

    KEY = ("id", models.BigAutoField(primary_key=True))

    class Migration(migrations.Migration):
        dependencies = [("past", "0002_changes")]
        operations = [
            # An automatic through table gets a model.
            migrations.SeparateDatabaseAndState(state_operations=[
                migrations.CreateModel("Content", [
                    KEY,
                    ("crate", models.ForeignKey("past.Crate", models.CASCADE)),
                    ("object", models.ForeignKey("past.Object", models.CASCADE)),
                ], options={"db_table": "past_crate_things", "unique_together": {("crate", "object")}}),
                migrations.AlterField("crate", "things", models.ManyToManyField("past.Object", through="past.Content")),
            ]),
            migrations.AddField("content", "amount", models.IntegerField(default=1)),
            # Made by hand, because Django has no word for it.
            migrations.SeparateDatabaseAndState(
                database_operations=[migrations.RunSQL('''
                    CREATE TABLE past_event (
                        id bigint GENERATED BY DEFAULT AS IDENTITY, at timestamptz NOT NULL, kind varchar(10) NOT NULL,
                        PRIMARY KEY (id, at)
                    ) PARTITION BY RANGE (at);
                    CREATE TABLE past_event_2024 PARTITION OF past_event
                        FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
                    CREATE TABLE past_event_rest PARTITION OF past_event DEFAULT;
                    CREATE INDEX past_event_kind ON past_event (kind);
                ''')],
                state_operations=[migrations.CreateModel("Event", [
                    KEY, ("at", models.DateTimeField()), ("kind", models.CharField(max_length=10)),
                ], options={"indexes": [models.Index(fields=["kind"], name="past_event_kind")]})],
            ),
        ]
"""

FIELDS = """
    from django.db import models

    class CaseInsensitive(models.TextField):
        def db_type(self, connection):
            return "citext"
"""


ALTERATIONS = {
    "ALTER TABLE past_object ALTER size TYPE numeric(8, 3)": "different_column past_object.size",
    "ALTER TABLE past_object ALTER folded TYPE text": "different_column past_object.folded",
    'ALTER TABLE past_object DROP COLUMN "Slug of it"': "missing_column past_object.Slug of it",
    "ALTER TABLE past_object DROP CONSTRAINT validated_later": "missing_constraint past_object.validated_later",
    "DROP INDEX thing_renamed": "missing_index past_object.thing_renamed",
    "DROP TABLE past_crate_inside": "missing_table past_crate_inside",
    "ALTER TABLE past_crate_things DROP COLUMN amount": "missing_column past_crate_things.amount",
    "ALTER TABLE past_event DROP COLUMN kind": "missing_column past_event.kind",
    "ALTER TABLE possession DROP COLUMN box_id": "missing_column possession.box_id",
}
"""Statements and the findings they have to give."""


@pytest.fixture(scope="module")
def past(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The migrations above, run on an empty database; no test changes it."""
    files = {
        "past/fields.py": FIELDS,
        "past/models.py": "",
        "past/migrations/0001_initial.py": INITIAL,
        "past/migrations/0002_changes.py": CHANGES,
        "past/migrations/0003_state_and_database.py": STATE_AND_DATABASE,
    }
    with fresh_database(server) as database:
        apps = ("django.contrib.postgres", "past")
        site = project_site(Project(tmp_path_factory.mktemp("past"), apps, files=files), database)
        site.manage("migrate", "-v0")
        yield site


def test_a_long_history_leaves_no_drift(past: Site) -> None:
    plan = past.plan()
    assert found(plan) == set()
    # Names of before a rename, the index for LIKE of a number that became text, the partitioned table's primary key.
    notes = {drift["kind"]: drift for drift in plan["drifts"]}
    assert notes.keys() == {"different_names", "missing_index", "different_constraint"}
    assert [d["columns"] for d in plan["drifts"] if d["kind"] == "missing_index"] == [["code"]]
    assert notes["different_constraint"]["object"] == "past_event_pkey"
    assert plan["not_checked"] == []


def test_drift_in_a_long_history_is_found_also_after_pg_restore(past: Site, tmp_path: Path) -> None:
    with restored(past, tmp_path) as copy:
        assert found(copy.plan()) == set()
        for alteration in ALTERATIONS:
            copy.execute(alteration)
        assert found(copy.plan()) == set(ALTERATIONS.values())


def test_a_table_whose_state_does_not_hold_together_is_named_and_the_rest_is_compared(
    tmp_path: Path, one_database: Database
) -> None:
    """RenameField leaves an index of Meta where it was; makemigrations takes it away before, and puts it back."""
    half = """
        from django.db import migrations, models

        KEY = ("id", models.BigAutoField(primary_key=True))

        class Migration(migrations.Migration):
            operations = [
                migrations.CreateModel("Half", [KEY, ("one", models.IntegerField())],
                                       options={"indexes": [models.Index(fields=["one"], name="by_one")]}),
                migrations.CreateModel("Whole", [KEY, ("one", models.IntegerField())]),
                migrations.RenameField("half", "one", "two"),
            ]
    """
    files = {"half/migrations/0001_initial.py": half, "half/models.py": ""}
    site = project_site(Project(tmp_path, ("half",), files=files), one_database)
    site.manage("migrate", "-v0")
    plan = site.plan()
    assert plan["drifts"] == []
    assert [entry["what"] for entry in plan["not_checked"]] == ["the definition of public.half_half"]
    assert "no field named 'one'" in plan["not_checked"][0]["why"]
    site.execute("ALTER TABLE half_half DROP COLUMN two")
    site.execute("ALTER TABLE half_whole ALTER one DROP NOT NULL")
    assert found(site.plan()) == {"missing_column half_half.two", "different_column half_whole.one"}

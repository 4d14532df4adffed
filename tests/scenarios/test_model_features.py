"""Whatever Django's models can say of one table: healthy it is no drift, nor after pg_restore, and drift in it is found.

PostgreSQL does not always print again what it printed before; so all of it goes through a dump and back, and each
definition is then changed as little as possible.
"""

from collections.abc import Iterator
from pathlib import Path

import django
import pytest

from tests.scenarios.sites import Project, Site, found, project_site, restored
from tests.servers import Server, fresh_database

PREPARE = """
from django.contrib.postgres import operations
from django.db import migrations


class Migration(migrations.Migration):
    operations = [
        operations.BtreeGistExtension(),
        operations.HStoreExtension(),
        operations.TrigramExtension(),
        operations.BloomExtension(),
        operations.CreateCollation("plain", locale="C"),
    ]
"""

MODELS = '''
import datetime
import decimal
import uuid

from django.contrib.postgres import fields as ranges
from django.contrib.postgres import indexes as methods
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Deferrable, F, Q, Value
from django.db.models.functions import Coalesce, Collate, Concat, ExtractYear, Lower, Now, TruncDate, Upper


class Kind(models.TextChoices):
    NEW = "new"
    OLD = "it's old"
    ODD = "o), 'dd"


class Period(models.Func):
    function = "TSTZRANGE"
    output_field = ranges.DateTimeRangeField()


def generated(expression, field):
    return models.GeneratedField(expression=expression, output_field=field, db_persist=True)


class Column(models.Model):
    """Columns of every type, default, collation, comment and generation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    kind = models.CharField(max_length=20, choices=Kind.choices, db_default="new", db_comment="what it's \\"like\\"")
    code = models.CharField(max_length=10, unique=True, db_collation="C")
    folded = models.CharField(max_length=30, db_collation="plain")
    slug = models.SlugField()
    text = models.TextField(db_index=True)
    unlimited = models.CharField()
    small = models.SmallIntegerField(db_default=-3)
    positive = models.PositiveSmallIntegerField(default=1)
    big = models.PositiveBigIntegerField(db_default=10_000_000_000)
    amount = models.DecimalField(max_digits=12, decimal_places=3, db_default=0)
    ratio = models.FloatField(db_default=1.5)
    flag = models.BooleanField(db_default=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    moment = models.DateTimeField(db_default=Now())
    token = models.UUIDField(db_default=models.Func(function="gen_random_uuid", output_field=models.UUIDField()))
    span = models.DurationField(db_default=datetime.timedelta(days=1, seconds=3))
    ip = models.GenericIPAddressField(null=True)
    raw = models.BinaryField(db_default=b"\\x00\\xff")
    data = models.JSONField(db_default={"a": [1, "b::text"]})
    tags = ranges.ArrayField(models.CharField(max_length=10), db_default=["a", "it's"])
    grid = ranges.ArrayField(ranges.ArrayField(models.IntegerField(), size=3), null=True)
    bag = ranges.HStoreField(default=dict)
    vector = SearchVectorField(null=True)
    period = ranges.DateTimeRangeField(null=True)
    days = ranges.DateRangeField(null=True)
    numbers = ranges.IntegerRangeField(null=True)
    big_numbers = ranges.BigIntegerRangeField(null=True)
    decimals = ranges.DecimalRangeField(null=True)
    lowered = generated(Lower("text"), models.TextField())
    doubled = generated(F("amount") * 2, models.DecimalField(max_digits=14, decimal_places=3))
    labelled = generated(
        models.Case(models.When(kind__in=["new", "it's old"], then=Value("a")), default=F("kind")),
        models.CharField(max_length=40, db_index=True),
    )
    joined = generated(Concat("kind", Value("-"), "code"), models.TextField())
    searched = generated(SearchVector("text", config="english"), SearchVectorField())
    {virtual}

    class Meta:
        db_table_comment = "it's a \\"lot\\""


class Rule(models.Model):
    """Constraints of every kind."""

    kind = models.CharField(max_length=20)
    code = models.CharField(max_length=10)
    text = models.TextField()
    small = models.SmallIntegerField()
    big = models.BigIntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    flag = models.BooleanField()
    maybe = models.BooleanField(null=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    moment = models.DateTimeField()
    span = models.DurationField()
    token = models.UUIDField()
    data = models.JSONField()
    tags = ranges.ArrayField(models.CharField(max_length=10))
    bag = ranges.HStoreField()
    period = ranges.DateTimeRangeField(null=True)
    days = ranges.DateRangeField(null=True)
    numbers = ranges.IntegerRangeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="c_in", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="c_not_in", condition=~Q(kind__in=["x", "y"]) & ~Q(code="")),
            models.CheckConstraint(name="c_in_numbers", condition=Q(small__in=[-3, 0, 3])),
            models.CheckConstraint(name="c_range", condition=Q(amount__gte=0, amount__lte=100) | Q(flag=True)),
            models.CheckConstraint(name="c_days", condition=Q(day__range=("2020-01-01", "2030-12-31"))),
            models.CheckConstraint(name="c_moment", condition=Q(moment__gt="2020-01-01T00:00:00+02:00")),
            models.CheckConstraint(name="c_date_of", condition=Q(moment__date__gte="2020-01-01")),
            models.CheckConstraint(name="c_year", condition=Q(day__year__gte=2000)),
            models.CheckConstraint(
                name="c_like",
                condition=Q(code__startswith="a") | Q(code__icontains="b_") | Q(text__regex=r"^\\d+'$"),
            ),
            models.CheckConstraint(name="c_compare", condition=Q(small__lt=F("big")) | Q(amount=F("small") / 2.5)),
            models.CheckConstraint(
                name="c_either",
                condition=Q(day__isnull=True, time__isnull=False) | Q(day__isnull=False, time__isnull=True),
            ),
            models.CheckConstraint(name="c_xor", condition=Q(flag=True) ^ Q(maybe=True)),
            models.CheckConstraint(name="c_coalesce", condition=Q(kind=Coalesce("code", Value("x")))),
            models.CheckConstraint(
                name="c_json", condition=Q(data__a="b") | Q(data__has_key="c") | Q(data__kind__in=["a", "b"])
            ),
            models.CheckConstraint(
                name="c_array",
                condition=Q(tags__contains=["a"]) | Q(tags__len__lt=3) | Q(tags__contained_by=["x", "y"]),
            ),
            models.CheckConstraint(name="c_hstore", condition=Q(bag__a="b") | Q(bag__has_key="c")),
            models.CheckConstraint(name="c_of_range", condition=Q(period__isempty=False)),
            models.CheckConstraint(name="c_uuid", condition=Q(token__in=[uuid.UUID(int=1), uuid.UUID(int=2)])),
            models.CheckConstraint(name="c_span", condition=Q(span__gte=datetime.timedelta(days=1, seconds=3))),
            models.CheckConstraint(name="c_decimal", condition=Q(amount__in=[decimal.Decimal("1.50"), 2])),
            models.UniqueConstraint(name="u_plain", fields=["kind", "code"]),
            models.UniqueConstraint(name="u_deferred", fields=["code", "small"], deferrable=Deferrable.DEFERRED),
            models.UniqueConstraint(name="u_immediate", fields=["code", "big"], deferrable=Deferrable.IMMEDIATE),
            models.UniqueConstraint(name="u_partial", fields=["code"], condition=Q(kind__in=["new", "it's old"])),
            models.UniqueConstraint(Lower("code"), F("kind").desc(), name="u_expression"),
            models.UniqueConstraint(name="u_include", fields=["text"], include=["small", "big"]),
            models.UniqueConstraint(name="u_nulls", fields=["day"], nulls_distinct=False),
            models.UniqueConstraint(
                name="u_most", fields=["day"], nulls_distinct=False, include=["time"], condition=Q(flag=True)
            ),
            models.UniqueConstraint(name="u_opclass", fields=["text"], opclasses=["text_pattern_ops"]),
            ExclusionConstraint(
                name="x_range",
                expressions=[("period", RangeOperators.OVERLAPS), ("kind", RangeOperators.EQUAL)],
                condition=Q(kind__in=["a", "b"]),
            ),
            ExclusionConstraint(
                name="x_function",
                expressions=[(Period("moment", "moment"), RangeOperators.OVERLAPS), ("small", "=")],
                include=["big"],
                deferrable=Deferrable.DEFERRED,
            ),
            ExclusionConstraint(
                name="x_spgist", index_type="spgist", expressions=[("numbers", RangeOperators.ADJACENT_TO)]
            ),
            ExclusionConstraint(
                name="x_opclass",
                expressions=[(methods.OpClass("days", name="range_ops"), RangeOperators.OVERLAPS)],
            ),
        ]


class Indexed(models.Model):
    """Indexes of every method."""

    kind = models.CharField(max_length=20)
    code = models.CharField(max_length=10)
    text = models.TextField()
    small = models.SmallIntegerField()
    whole = models.IntegerField()
    flag = models.BooleanField()
    day = models.DateField()
    moment = models.DateTimeField()
    ip = models.GenericIPAddressField()
    data = models.JSONField()
    tags = ranges.ArrayField(models.CharField(max_length=10))
    vector = SearchVectorField()
    period = ranges.DateTimeRangeField()

    class Meta:
        indexes = [
            models.Index(fields=["-kind", "code"]),
            models.Index(fields=["text"], name="i_pattern", opclasses=["text_pattern_ops"]),
            models.Index(fields=["kind"], name="i_partial", condition=Q(kind__in=["new", "it's old"]) & ~Q(code="")),
            models.Index(fields=["flag"], name="i_flag", condition=Q(flag=True)),
            models.Index(fields=["kind"], name="i_cover", include=["whole", "small"]),
            models.Index(Lower("text").desc(nulls_last=True), "kind", name="i_expression"),
            models.Index(methods.OpClass(Upper("text"), name="varchar_pattern_ops"), name="i_opclass"),
            models.Index(Coalesce("code", Value("it's")), F("small") + 1, name="i_coalesce"),
            models.Index(ExtractYear("day"), name="i_year"),
            models.Index(TruncDate("moment"), name="i_date"),
            models.Index("data__a", name="i_json"),
            models.Index(Collate("text", "C"), name="i_collate"),
            methods.GinIndex(fields=["tags"], name="gin_plain", fastupdate=False, gin_pending_list_limit=128),
            methods.GinIndex(fields=["data"], name="gin_path", opclasses=["jsonb_path_ops"]),
            methods.GinIndex(SearchVector("text", "kind", config="english"), name="gin_search"),
            methods.GinIndex(methods.OpClass(Upper("text"), name="gin_trgm_ops"), name="gin_trigram"),
            methods.GinIndex(fields=["vector"], name="gin_vector"),
            methods.GistIndex(fields=["period"], name="gist_plain", buffering=True, fillfactor=70),
            methods.GistIndex(fields=["text"], name="gist_trigram", opclasses=["gist_trgm_ops"]),
            methods.BrinIndex(fields=["moment"], name="brin", autosummarize=True, pages_per_range=64),
            methods.BloomIndex(fields=["whole", "text"], name="bloom", length=96, columns=[4, 2]),
            methods.HashIndex(fields=["kind"], name="hash", fillfactor=60),
            methods.SpGistIndex(fields=["ip"], name="spgist", fillfactor=60),
            methods.BTreeIndex(fields=["whole"], name="btree", fillfactor=55, deduplicate_items=False),
        ]
'''

VIRTUAL = "virtual = models.GeneratedField(expression=Upper('text'), output_field=models.TextField(), db_persist=False)"
"""PostgreSQL has generated columns that are not stored since 18; Django makes them there since 6.1."""

ALTERATIONS = {
    # --- columns
    "lab_column ALTER kind SET DEFAULT 'old'": "different_column lab_column.kind",
    "lab_column ALTER moment SET DEFAULT transaction_timestamp()": "different_column lab_column.moment",
    "lab_column ALTER token DROP DEFAULT": "different_column lab_column.token",
    """lab_column ALTER data SET DEFAULT '{"a": [1, "b"]}'""": "different_column lab_column.data",
    "lab_column ALTER raw SET DEFAULT '\\x00'": "different_column lab_column.raw",
    "lab_column ALTER span SET DEFAULT '1 day'": "different_column lab_column.span",
    "lab_column ALTER tags TYPE varchar(11)[]": "different_column lab_column.tags",
    "lab_column ALTER grid TYPE bigint[]": "different_column lab_column.grid",
    'lab_column ALTER folded TYPE varchar(30) COLLATE "C"': "different_column lab_column.folded",
    "lab_column ALTER bag DROP NOT NULL": "different_column lab_column.bag",
    "lab_column ALTER numbers TYPE int8range USING NULL": "different_column lab_column.numbers",
    "lab_column ALTER doubled DROP EXPRESSION": "different_column lab_column.doubled",
    "lab_column DROP lowered, ADD lowered text GENERATED ALWAYS AS (upper(text)) STORED": (
        "different_column lab_column.lowered"
    ),
    "lab_column DROP CONSTRAINT lab_column_big_check": "missing_constraint lab_column.lab_column_big_check",
    # --- constraints
    "lab_rule DROP CONSTRAINT c_in, ADD CONSTRAINT c_in CHECK (kind IN ('new', 'it''s old', 'o), ''d'))": (
        "different_constraint lab_rule.c_in"
    ),
    "lab_rule DROP CONSTRAINT c_not_in, ADD CONSTRAINT c_not_in CHECK (kind NOT IN ('x', 'y') OR code <> '')": (
        "different_constraint lab_rule.c_not_in"
    ),
    "lab_rule DROP CONSTRAINT c_in_numbers, ADD CONSTRAINT c_in_numbers CHECK (small IN (-3, 3))": (
        "different_constraint lab_rule.c_in_numbers"
    ),
    "lab_rule DROP CONSTRAINT c_range, ADD CONSTRAINT c_range CHECK (amount >= 0 AND (amount <= 100 OR flag))": (
        "different_constraint lab_rule.c_range"
    ),
    "lab_rule DROP CONSTRAINT c_days, ADD CONSTRAINT c_days CHECK (day BETWEEN '2020-01-01' AND '2030-12-30')": (
        "different_constraint lab_rule.c_days"
    ),
    "lab_rule DROP CONSTRAINT c_moment, ADD CONSTRAINT c_moment CHECK (moment > '2020-01-01 00:00:00+00')": (
        "different_constraint lab_rule.c_moment"
    ),
    "lab_rule DROP CONSTRAINT c_date_of,"
    " ADD CONSTRAINT c_date_of CHECK ((moment AT TIME ZONE 'CET')::date >= '2020-01-01')": (
        "different_constraint lab_rule.c_date_of"
    ),
    "lab_rule DROP CONSTRAINT c_coalesce, ADD CONSTRAINT c_coalesce CHECK (kind = coalesce('x', code))": (
        "different_constraint lab_rule.c_coalesce"
    ),
    "lab_rule DROP CONSTRAINT c_uuid": "missing_constraint lab_rule.c_uuid",
    "lab_rule DROP CONSTRAINT u_plain": "missing_constraint lab_rule.u_plain",
    "lab_rule DROP CONSTRAINT u_deferred, ADD CONSTRAINT u_deferred UNIQUE (code, small)": (
        "different_constraint lab_rule.u_deferred"
    ),
    "lab_rule DROP CONSTRAINT u_immediate,"
    " ADD CONSTRAINT u_immediate UNIQUE (code, big) DEFERRABLE INITIALLY DEFERRED": (
        "different_constraint lab_rule.u_immediate"
    ),
    "lab_rule DROP CONSTRAINT x_range,"
    " ADD CONSTRAINT x_range EXCLUDE USING gist (period WITH &&, kind WITH =) WHERE (kind IN ('a', 'c'))": (
        "different_constraint lab_rule.x_range"
    ),
    "lab_rule DROP CONSTRAINT x_opclass, ADD CONSTRAINT x_opclass EXCLUDE USING gist (days WITH -|-)": (
        "different_constraint lab_rule.x_opclass"
    ),
    "lab_rule DROP CONSTRAINT x_function": "missing_constraint lab_rule.x_function",
}
"""``ALTER TABLE …`` and the finding that it has to give."""

INDEX_ALTERATIONS = {
    "UNIQUE u_partial lab_rule (code) WHERE kind IN ('new', 'it''s')": "different_index",
    "UNIQUE u_expression lab_rule (upper(code), kind DESC)": "different_index",
    "UNIQUE u_include lab_rule (text) INCLUDE (small)": "different_index",
    "UNIQUE u_most lab_rule (day) INCLUDE (time) NULLS NOT DISTINCT WHERE NOT flag": "different_index",
    "u_opclass": "missing_index lab_rule.u_opclass",
    " i_pattern lab_indexed (text)": "different_index",
    " i_partial lab_indexed (kind) WHERE kind IN ('new', 'it''s old') AND code <> 'x'": "different_index",
    " i_flag lab_indexed (flag) WHERE NOT flag": "different_index",
    " i_cover lab_indexed (kind) INCLUDE (small)": "different_index",
    " i_expression lab_indexed (lower(text) DESC NULLS FIRST, kind)": "different_index",
    " i_coalesce lab_indexed (coalesce(code, 'its'), (small + 1))": "different_index",
    " i_year lab_indexed (extract(month FROM day))": "different_index",
    " i_date lab_indexed (((moment AT TIME ZONE 'CET')::date))": "different_index",
    " i_json lab_indexed ((data -> 'b'))": "different_index",
    ' i_collate lab_indexed ((text COLLATE "POSIX"))': "different_index",
    " gin_path lab_indexed USING gin (data)": "different_index",
    " gin_search lab_indexed USING gin (to_tsvector('simple', text))": "different_index",
    "gin_trigram": "missing_index lab_indexed.gin_trigram",
    " hash lab_indexed USING btree (kind) WITH (fillfactor = 60)": "different_index",
    " brin lab_indexed USING brin (moment) WITH (autosummarize = on, pages_per_range = 32)": "different_index",
    " bloom lab_indexed USING bloom (whole, text) WITH (length = 96, col1 = 4, col2 = 3)": "different_index",
}
"""An index that is dropped and, where more than its name is given, made anew: kind, name, table, definition."""


@pytest.fixture(scope="module")
def lab(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The models, migrated; no test changes the database."""
    knows_virtual = django.VERSION >= (6, 1) and server.version >= 18
    files = {
        "lab/models.py": MODELS.replace("{virtual}", VIRTUAL if knows_virtual else ""),
        "lab/migrations/0001_prepare.py": PREPARE,
    }
    with fresh_database(server) as database:
        apps = ("django.contrib.postgres", "lab")
        project = Project(tmp_path_factory.mktemp("lab"), apps, "TIME_ZONE = 'UTC'", files)
        site = project_site(project, database)
        site.manage("makemigrations", "lab", "-v0")
        site.manage("migrate", "-v0")
        yield site


def test_every_feature_of_a_model_is_compared_and_no_drift(lab: Site) -> None:
    plan = lab.plan()
    assert plan["drifts"] == []
    assert plan["complete"] is True
    assert plan["not_checked"] == []


def test_what_was_dumped_and_restored_is_equal_and_drift_in_it_is_found(lab: Site, tmp_path: Path) -> None:
    with restored(lab, tmp_path) as copy:
        as_postgresql_13_kept_it(copy)
        assert copy.plan()["drifts"] == []
        expected = alter(copy)
        assert found(copy.plan()) == expected


def as_postgresql_13_kept_it(site: Site) -> None:
    """What was AT TIME ZONE there is the call of a function in every dump of it."""
    site.execute("DROP INDEX i_date")
    site.execute("CREATE INDEX i_date ON lab_indexed ((timezone('UTC', moment)::date))")
    site.execute(
        "ALTER TABLE lab_rule DROP CONSTRAINT c_date_of,"
        " ADD CONSTRAINT c_date_of CHECK (timezone('UTC', moment)::date >= '2020-01-01')"
    )


def alter(site: Site) -> set[str]:
    """Change one definition after the other; what has to be found."""
    expected = set(ALTERATIONS.values())
    for alteration in ALTERATIONS:
        site.execute(f"ALTER TABLE {alteration}")
    for alteration, finding in INDEX_ALTERATIONS.items():
        unique, _, definition = alteration.partition(" ")
        if not definition:
            site.execute(f"DROP INDEX {alteration}")
            expected.add(finding)
            continue
        name, table, columns = definition.split(" ", 2)
        site.execute(f"DROP INDEX {name}")
        site.execute(f"CREATE {unique} INDEX {name} ON {table} {columns}")
        expected.add(f"{finding} {table}.{name}")
    return expected

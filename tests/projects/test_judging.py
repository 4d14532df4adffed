"""The judge of the injections: it must see every miss and every false alarm, or its figures say nothing."""

from dataclasses import replace

from cascade.core.drift import Drift
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import ConstraintKind, TableName
from tests.projects.expectations import EXPECTATIONS, InjectionKind, Part
from tests.projects.injections import Injection, Subject
from tests.projects.judging import judge

KEY = Subject("entry", "entry_blog_id_fk", ("blog_id",), "foreign_key")
LOST_TABLE = Injection(
    InjectionKind.DROP_TABLE,
    ("DROP TABLE blog CASCADE",),
    {Part.TABLE: (Subject("blog"),), Part.LOST_KEY: (KEY,)},
)
FOUND = Drift(
    DriftKind.MISSING_TABLE,
    Severity.BROKEN,
    TableName("public", "blog"),
    consequences=("the foreign key public.entry (blog_id) -> public.blog",),
)
KEY_ALONE = Drift(
    DriftKind.MISSING_CONSTRAINT,
    Severity.RISKY,
    TableName("public", "entry"),
    object="entry_blog_id_fk",
    columns=("blog_id",),
    constraint_type=ConstraintKind.FOREIGN_KEY,
)


def test_every_kind_of_injection_has_an_expectation() -> None:
    assert set(EXPECTATIONS) == set(InjectionKind)


def test_a_finding_with_its_consequences_is_all_that_is_wanted() -> None:
    verdict = judge(LOST_TABLE, [FOUND])
    assert (verdict.hits, verdict.missed, verdict.false_alarms) == (2, (), ())


def test_nothing_found_is_missed() -> None:
    assert judge(LOST_TABLE, []).missed == (
        "broken missing_table blog",
        "risky missing_constraint entry.entry_blog_id_fk among the consequences",
    )


def test_a_finding_of_another_severity_is_a_miss_and_a_false_alarm() -> None:
    verdict = judge(LOST_TABLE, [replace(FOUND, severity=Severity.RISKY)])
    assert len(verdict.missed) == len(verdict.false_alarms) == 1


def test_a_finding_about_another_table_is_a_miss_and_a_false_alarm() -> None:
    verdict = judge(LOST_TABLE, [replace(FOUND, table=TableName("test_schema", "blog"))])
    assert len(verdict.missed) == len(verdict.false_alarms) == 1


def test_a_consequence_that_is_told_as_a_finding_of_its_own_is_a_false_alarm() -> None:
    assert len(judge(LOST_TABLE, [FOUND, KEY_ALONE]).false_alarms) == 1


def test_a_consequence_that_nobody_tells_is_missed() -> None:
    assert len(judge(LOST_TABLE, [replace(FOUND, consequences=())]).missed) == 1


def test_what_was_there_before_is_left_aside() -> None:
    assert judge(LOST_TABLE, [FOUND, KEY_ALONE], before=[KEY_ALONE]).false_alarms == ()


def test_other_notes_are_counted_apart() -> None:
    verdict = judge(LOST_TABLE, [FOUND, replace(KEY_ALONE, severity=Severity.NOTE)])
    assert (verdict.false_alarms, verdict.notes) == ((), 1)


def test_a_constraint_is_known_by_its_columns_whatever_it_is_called() -> None:
    dropped = Injection(InjectionKind.DROP_FOREIGN_KEY, (), {Part.CONSTRAINT: (KEY,)})
    assert judge(dropped, [replace(KEY_ALONE, object="another_name")]).missed == ()
    assert len(judge(dropped, [replace(KEY_ALONE, object="another_name", columns=("author_id",))]).missed) == 1


def test_a_finding_has_to_name_the_aspect_that_was_changed() -> None:
    changed = Injection(InjectionKind.CHANGE_TYPE, (), {Part.COLUMN: (Subject("blog", "name", ("name",)),)})
    drift = Drift(DriftKind.DIFFERENT_COLUMN, Severity.RISKY, TableName("public", "blog"), object="name")
    assert judge(changed, [replace(drift, aspects=("type",))]).missed == ()
    assert len(judge(changed, [replace(drift, aspects=("nullability",))]).missed) == 1


def test_what_an_injection_is_made_of_is_wanted_too() -> None:
    moved = Injection(InjectionKind.SEVERAL, (), {}, together=(LOST_TABLE,))
    assert judge(moved, []).hits == 2

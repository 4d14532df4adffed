"""Paths and landings, as values."""

from dataclasses import replace

from cascade.core.layout import Layout, Table, TableName
from cascade.core.observed import Observed, PathSetting, SchemaFacts
from cascade.core.whereabouts import (
    AskedPath,
    LandsAstray,
    PathLost,
    TablesTwice,
    TablesUnseen,
    Whereabouts,
    make_whereabouts,
)
from cascade.render.where import render_where
from tests.unit.render.answers import incident


def seen(*, asked: AskedPath | None = None, **changes: object) -> Whereabouts:
    answer = incident()
    observed: Observed = replace(answer.observed, **changes)  # type: ignore[arg-type]
    return make_whereabouts(
        observed, host="a test", placement=answer.placement, asked=asked, expected=answer.expected.tables
    )


def test_each_role_has_its_own_path_and_landing() -> None:
    pages, migrates = seen().roles
    assert (pages.role, pages.path.setting, pages.landing.schema) == ("app_user", "public", "public")
    assert (migrates.role, migrates.path.setting, migrates.landing.schema) == ("migrator", '"$user", public', "public")


def test_one_role_for_both_is_shown_once() -> None:
    (only,) = seen(application_role="migrator").roles
    assert (only.serves, only.migrates) == (True, True)


def test_a_table_lands_in_the_first_schema_that_may_be_used_or_nowhere() -> None:
    schemas = (
        SchemaFacts("public", "migrator", usage=True, create=True),
        SchemaFacts("shut", "other", usage=False, create=False, connected_usage=False),
        SchemaFacts("kept", "other", usage=True, create=False),
    )
    passed = seen(schemas=schemas, session_path="shut, public").roles[1]
    assert (passed.landing.schema, passed.path.skipped[0].name) == ("public", "shut")
    refused = seen(schemas=schemas, session_path="kept, public").roles[1]
    assert refused.landing.schema is None
    assert "may not create" in refused.landing.why_not


def test_what_the_client_asked_for_and_did_not_get_was_dropped_on_the_way() -> None:
    asked = AskedPath("wanted, public", "PGOPTIONS")
    lost = seen(asked=asked)
    assert lost.lost == asked
    assert PathLost(asked, '"$user", public') in lost.amiss
    assert seen(asked=asked, session_path="wanted,public", session_path_source="client").lost is None


def test_a_path_that_was_set_after_connecting_is_no_loss() -> None:
    assert seen(asked=AskedPath("wanted", "PGOPTIONS"), session_path_source="session").lost is None


def test_expected_tables_are_counted_by_schema_the_target_first() -> None:
    whereabouts = seen()
    assert whereabouts.holdings is not None
    assert [schema for schema, _ in whereabouts.holdings] == ["public", "test_schema"]
    assert "test_schema, where app_user does not look" in " ".join(render_where(whereabouts).split())


def amiss_among(present: set[TableName], expected: set[TableName]) -> Whereabouts:
    """Whereabouts of tables of which nothing but the name is known."""
    answer = incident()
    observed = replace(answer.observed, layout=Layout.of(map(Table, present)))
    return make_whereabouts(observed, host="a test", placement=answer.placement, expected=expected)


def test_a_table_in_a_schema_of_its_own_is_in_order_and_one_astray_is_not() -> None:
    log, item = TableName("audit", "log"), TableName("public", "item")
    in_order = amiss_among({log, item}, {log, item})
    assert (in_order.amiss, in_order.holdings, in_order.nowhere) == ((), (("public", 1), ("audit", 1)), 0)
    astray = amiss_among({log, TableName("aside", "item")}, {log, item})
    assert astray.amiss == (TablesUnseen("app_user", "aside", 1),)


def test_two_expected_tables_of_one_bare_name_do_not_stand_for_each_other() -> None:
    names = {TableName("audit", "log"), TableName("public", "log")}
    assert amiss_among(names, names).holdings == (("public", 1), ("audit", 1))
    one_lost = amiss_among({TableName("audit", "log")}, names)
    assert (one_lost.amiss, one_lost.nowhere) == ((), 1)


def test_a_second_copy_beside_a_table_in_its_place_is_told_as_such() -> None:
    item = TableName("public", "item")
    twice = amiss_among({item, TableName("aside", "item")}, {item})
    assert twice.amiss == (TablesTwice("app_user", "aside", 1, is_found=False),)
    log = TableName("audit", "log")
    assert amiss_among({log, TableName("public", "log")}, {log}).amiss == ()


def test_a_wrong_path_of_the_migrating_role_is_risky() -> None:
    led = seen(session_path="test_schema, public", path_settings=(PathSetting("app_user", True, "public"),))
    shown = render_where(led)
    assert LandsAstray("migrator", "test_schema", "public") in led.amiss
    assert "RISKY    A table that migrator makes now lands in test_schema, and belongs in public." in shown


def test_no_line_is_wider_than_the_page_and_every_label_has_its_column() -> None:
    lines = render_where(seen(), width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert {line.split(" ", 1)[0] for line in lines[2:] if line and line[0] != " "} == {
        "BROKEN", "PAGES", "MIGRATE", "HISTORY", "TABLES", "NEXT",
    }  # fmt: skip

"""Paths and landings, as values."""

from dataclasses import replace

from cascade.core.observed import Observed, PathSetting, SchemaFacts
from cascade.core.whereabouts import AskedPath, Whereabouts, make_whereabouts
from cascade.render.where import render_where
from tests.unit.render.answers import incident


def seen(*, asked: AskedPath | None = None, **changes: object) -> Whereabouts:
    answer = incident()
    observed: Observed = replace(answer.observed, **changes)  # type: ignore[arg-type]
    names = [name.name for name in answer.expected.tables]
    return make_whereabouts(observed, host="a test", placement=answer.placement, asked=asked, expected=names)


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
    assert seen(asked=asked).lost == asked
    assert seen(asked=asked, session_path="wanted,public", session_path_source="client").lost is None


def test_a_path_that_was_set_after_connecting_is_no_loss() -> None:
    assert seen(asked=AskedPath("wanted", "PGOPTIONS"), session_path_source="session").lost is None


def test_expected_tables_are_counted_by_schema_the_target_first() -> None:
    whereabouts = seen()
    assert whereabouts.holdings is not None
    assert [schema for schema, _ in whereabouts.holdings] == ["public", "test_schema"]
    assert "test_schema, where app_user does not look" in " ".join(render_where(whereabouts).split())


def test_a_wrong_path_of_the_migrating_role_is_risky() -> None:
    shown = render_where(
        seen(session_path="test_schema, public", path_settings=(PathSetting("app_user", True, "public"),))
    )
    assert "RISKY    A table that migrator makes now lands in test_schema, and belongs in public." in shown


def test_no_line_is_wider_than_the_page_and_every_label_has_its_column() -> None:
    lines = render_where(seen(), width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert {line.split(" ", 1)[0] for line in lines[2:] if line and line[0] != " "} == {
        "RISKY", "PAGES", "MIGRATE", "HISTORY", "TABLES",
    }  # fmt: skip

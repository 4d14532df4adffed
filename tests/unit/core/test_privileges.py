"""Which rights are due to a table: those of its neighbours, and those given by default."""

from collections.abc import Iterable

from cascade.core.decisions import Decisions
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.privileges import detect_privileges, due_rights
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import Grant, Layout, Rights, Table, TableName
from cascade.core.observed import Observed, SchemaFacts, Server
from cascade.core.placement import PathSource, Placement, SearchPath

READS, WRITES = Grant("reporter", "SELECT"), Grant("reporter", "INSERT")
ALL_RIGHTS = Rights()


def test_two_neighbours_that_agree_say_nothing_and_three_do() -> None:
    tables = [table("a", READS), table("b", READS), table("c")]
    assert differing(tables) == []
    assert differing([*tables, table("d", READS)]) == ["c: lacks SELECT for reporter"]


def test_one_neighbour_that_lacks_it_too_makes_it_no_rule() -> None:
    assert differing([table("a", READS), table("b", READS), table("c", READS), table("d"), table("e")]) == []


def test_more_than_the_neighbours_have_is_on_purpose() -> None:
    assert differing([table("a", READS, WRITES), *(table(name, READS) for name in "bcd")]) == []


def test_tables_of_another_app_are_no_neighbours() -> None:
    tables = [table("a", READS), table("b", READS), table("c", READS)]
    assert differing([*tables, table("shop_x")]) == []


def test_the_owner_needs_no_grant() -> None:
    tables = [*(table(name, READS) for name in "abc"), table("d", owner="reporter")]
    assert differing(tables) == ["d: owned by reporter"]


def test_neighbours_of_several_owners_say_nothing_of_the_owner() -> None:
    assert differing([table("a", owner="x"), table("b", owner="y"), table("c"), table("d")]) == []


def test_a_default_privilege_counts_until_more_than_half_lack_it() -> None:
    half = [table("a", READS), table("b", READS), table("c"), table("d")]
    # Beside c stand a, b and d: one of three lacks it; beside a, two of three do.
    assert differing(half, defaults=[READS]) == ["c: lacks SELECT for reporter", "d: lacks SELECT for reporter"]
    assert differing([table("a", READS), *(table(name) for name in "bcd")], defaults=[READS]) == []


def test_a_small_app_is_compared_with_the_whole_schema_for_what_is_given_by_default() -> None:
    many = [table(name, READS) for name in "abc"]
    assert differing([*many, table("shop_x")], defaults=[READS]) == ["shop_x: lacks SELECT for reporter"]
    assert differing([*map(table, "abc"), table("shop_x")], defaults=[READS]) == []


def test_the_application_role_is_judged_by_what_it_may_do() -> None:
    given = Grant("app", "INSERT")
    may_not = table("d", rights=Rights(insert=False, sequences=False))
    assert differing([*(table(name, given) for name in "abc"), table("d")]) == []
    assert differing([*map(table, "abc"), may_not]) == ["d: lacks INSERT for app, USAGE on its sequences for app"]


def test_a_table_that_may_not_be_read_is_unreachable_and_told_once() -> None:
    none = Rights(select=False, insert=False, update=False, delete=False)
    assert differing([*map(table, "abc"), table("d", rights=none)]) == []


def table(name: str, *grants: Grant, owner: str = "migrator", rights: Rights = ALL_RIGHTS) -> Table:
    return Table(TableName("public", name), owner=owner, grants=grants, rights=rights)


def differing(tables: Iterable[Table], *, defaults: Iterable[Grant] = ()) -> list[str]:
    both = _comparison(list(tables), tuple(defaults))
    found = detect_privileges(both, due_rights(both))
    return [f"{_bare(drift)}: {drift.observed}" for drift in found]


def _bare(drift: Drift) -> str:
    assert drift.table is not None
    return drift.table.name


def _comparison(tables: list[Table], defaults: tuple[Grant, ...]) -> Comparison:
    made_by = Provenance(MigrationKey("app", "0001"), "Create model", 0, 1)
    expected = {
        t.name: ExpectedTable(Table(t.name), "shop" if t.name.name.startswith("shop") else "app", "app.Model", made_by)
        for t in tables
    }
    observed = Observed(
        read_at="",
        server=Server("18.0", 180000, None, 5432, False),
        database="shop",
        connected_as="migrator",
        may_create_temporary=True,
        application_role="app",
        application_role_exists=True,
        known_roles=(),
        session_path="public",
        session_path_source="default",
        session_schema="public",
        path_settings=(),
        schemas=(SchemaFacts("public", "postgres", True, True, default_grants=defaults),),
        type_schemas=(),
        types_fingerprint="",
        extensions=(),
        event_triggers=(),
        history_schemas=("public",),
        histories=(),
        layout=Layout.of(tables),
    )
    path = SearchPath("public", PathSource.DEFAULT, "PostgreSQL's default", ("public",))
    placement = Placement("app", path, "public", "it was asked for", "public")
    return Comparison(ExpectedLayout(expected, reference="a test"), observed, placement, Decisions())

"""Which differences a migration's own SQL accounts for, and which are drift all the same."""

from dataclasses import replace

import pytest

from cascade.core.ddl import UNKNOWN, Ddl, Thing, Verb, ddl_in
from cascade.core.decisions import Decisions
from cascade.core.detection.comparison import Comparison
from cascade.core.detection.privileges import detect_privileges, due_rights
from cascade.core.detection.structure import detect_structure
from cascade.core.detection.tables import detect_tables
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable
from cascade.core.findings import DriftKind, Severity
from cascade.core.handmade import HandmadeChange, explained
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Grant,
    Index,
    Layout,
    Reference,
    RelationKind,
    RowEvidence,
    Table,
    TableName,
)
from cascade.core.observed import Observed, SchemaFacts, Server
from cascade.core.placement import PathSource, Placement, SearchPath

ITEM = Table(
    TableName("public", "shop_item"),
    columns=(
        Column("id", "bigint", nullable=False, identity="d"),
        Column("path", "character varying(255)", nullable=False),
        Column("price", "integer", nullable=False, default="0"),
        Column("owner_id", "bigint", nullable=False),
    ),
    constraints=(
        Constraint("shop_item_pkey", ConstraintKind.PRIMARY_KEY, ("id",), "PRIMARY KEY (id)", index="shop_item_pkey"),
        Constraint("once", ConstraintKind.UNIQUE, ("path", "price"), "UNIQUE (path, price)", index="once"),
        Constraint("positive", ConstraintKind.CHECK, ("price",), "CHECK ((price > 0))"),
        Constraint(
            "owner_fk",
            ConstraintKind.FOREIGN_KEY,
            ("owner_id",),
            references=Reference(TableName("public", "shop_owner"), ("id",)),
        ),
    ),
    indexes=(
        Index("shop_item_pkey", ("id",), "btree (id)", unique=True, constraint="shop_item_pkey"),
        Index("once", ("path", "price"), "btree (path, price)", unique=True, constraint="once"),
        Index("by_price", ("price",), "btree (price)"),
        Index("by_owner", ("owner_id",), "btree (owner_id)"),
    ),
    rows=RowEvidence(0),
    owner="migrator",
)
OWNER = Table(
    TableName("public", "shop_owner"),
    columns=(Column("id", "bigint", nullable=False),),
    constraints=(
        Constraint("owner_pkey", ConstraintKind.PRIMARY_KEY, ("id",), "PRIMARY KEY (id)", index="owner_pkey"),
    ),
    indexes=(Index("owner_pkey", ("id",), "btree (id)", unique=True, constraint="owner_pkey"),),
    owner="migrator",
)


def made(number: int, operation: int = 0, words: str = "RunSQL") -> Provenance:
    return Provenance(MigrationKey("shop", f"{number:04}_x"), words, operation, number)


def ran(sql: str, number: int = 5, operation: int = 0) -> list[HandmadeChange]:
    """What migration ``number`` did by RunSQL; the item's table was made by the third."""
    return [HandmadeChange(made(number, operation), ddl) for ddl in ddl_in(sql)]


def beside(*tables: Table) -> Comparison:
    """Both tables expected in public, and these tables found."""
    expected = [ExpectedTable(table, "shop", "shop.X", made(3, words="CreateModel X")) for table in (ITEM, OWNER)]
    observed = Observed(
        read_at="",
        server=Server("18.0", 180000, None, 5432, in_recovery=False),
        database="shop",
        connected_as="migrator",
        may_create_temporary=True,
        application_role="clerk",
        application_role_exists=True,
        known_roles=(),
        session_path="public",
        session_path_source="default",
        session_schema="public",
        path_settings=(),
        schemas=(SchemaFacts("public", "migrator", usage=True, create=True),),
        type_schemas=(),
        types_fingerprint="",
        extensions=(),
        event_triggers=(),
        history_schemas=("public",),
        histories=(),
        layout=Layout.of(tables),
    )
    placement = Placement(
        "clerk", SearchPath("public", PathSource.DEFAULT, "nowhere", ("public",)), "public", "", "public"
    )
    return Comparison(ExpectedLayout({table.name: table for table in expected}, ""), observed, placement, Decisions())


def found_in(both: Comparison) -> list[Drift]:
    due = due_rights(both)
    return [*detect_tables(both, due), *detect_structure(both), *detect_privileges(both, due)]


def drift_of(item: Table, *changes: HandmadeChange) -> Drift:
    """The only difference of this item from the one expected, after these changes were considered."""
    both = beside(item, OWNER)
    (drift,) = explained(found_in(both), changes, both)
    return drift


def is_explained(item: Table, *changes: HandmadeChange) -> bool:
    drift = drift_of(item, *changes)
    assert (drift.explained_by != "") is (drift.explained_by.startswith("shop.00"))
    return bool(drift.explained_by)


def with_column(name: str, **differences: object) -> Table:
    columns = [replace(c, **differences) if c.name == name else c for c in ITEM.columns]  # type: ignore[arg-type]
    return replace(ITEM, columns=tuple(columns))


def without_constraint(name: str) -> Table:
    return replace(
        ITEM,
        constraints=tuple(c for c in ITEM.constraints if c.name != name),
        indexes=tuple(i for i in ITEM.indexes if i.name != name),
    )


def without_index(name: str) -> Table:
    return replace(ITEM, indexes=tuple(i for i in ITEM.indexes if i.name != name))


def with_index(index: Index) -> Table:
    return replace(ITEM, indexes=(*ITEM.indexes, index))


def with_constraint(name: str, **differences: object) -> Table:
    constraints = [replace(c, **differences) if c.name == name else c for c in ITEM.constraints]  # type: ignore[arg-type]
    return replace(ITEM, constraints=tuple(constraints))


COLLATED = with_column("path", collation='"C"')
COLLATE = 'ALTER TABLE shop_item ALTER path TYPE varchar(255) COLLATE "C"'


# ------------------------------------------------------------------------------------------------------- what is said


def test_an_explained_difference_is_a_note_that_names_the_operation_and_its_statement() -> None:
    before = drift_of(COLLATED)
    after = drift_of(COLLATED, *ran(COLLATE, operation=4))
    assert before.severity is Severity.RISKY
    assert after.severity is Severity.NOTE
    assert after.explained_by == f"shop.0005_x RunSQL (operation 5): {COLLATE}"
    assert after.evidence == (*before.evidence, f"shop.0005_x is recorded as applied and did this: {COLLATE}")


def test_what_is_only_read_out_of_python_says_so() -> None:
    changes = [replace(change, certain=False) for change in ran(COLLATE)]
    assert (
        drift_of(COLLATED, *changes)
        .evidence[-1]
        .startswith("shop.0005_x is recorded as applied and did this, as far as its code can be read: ALTER TABLE")
    )


def test_an_explained_difference_waits_for_no_decision() -> None:
    both = beside(COLLATED, OWNER)
    (drift,) = found_in(both)
    (after,) = explained(
        [replace(drift, undecided="the code is not the deployed one", decision="--x")], ran(COLLATE), both
    )
    assert (after.undecided, after.decision) == ("", "")


# ------------------------------------------------------------------------------------------------------- when and where


def test_what_came_before_the_table_was_made_explains_nothing() -> None:
    assert not is_explained(COLLATED, *ran(COLLATE, number=2))
    assert is_explained(COLLATED, *ran(COLLATE, number=3))


def test_the_last_statement_counts() -> None:
    drop, make = ran("DROP INDEX by_price", 5), ran("CREATE INDEX by_price ON shop_item (price)", 6)
    assert is_explained(without_index("by_price"), *drop)
    assert not is_explained(without_index("by_price"), *drop, *make)
    assert is_explained(without_index("by_price"), *make, *ran("DROP INDEX by_price", 7))


@pytest.mark.parametrize(
    "sql",
    [
        COLLATE.replace("shop_item", "shop_owner"),
        COLLATE.replace("shop_item", "other.shop_item"),
        COLLATE.replace("path", "name"),
        'ALTER TABLE shop_item ALTER path TYPE varchar(255) COLLATE "POSIX"',
        "ALTER TABLE shop_item ALTER path TYPE varchar(255)",
        "ALTER TABLE shop_item ALTER path SET NOT NULL",
        "UPDATE shop_item SET path = 'x'",
    ],
)
def test_a_statement_about_something_else_explains_nothing(sql: str) -> None:
    assert not is_explained(COLLATED, *ran(sql))


def test_a_schema_that_is_named_must_be_the_right_one() -> None:
    assert is_explained(COLLATED, *ran(COLLATE.replace("shop_item", "public.shop_item")))


# ------------------------------------------------------------------------------------------------------------- columns


def explained_after_alteration(item: Table, altered: dict[str, Provenance], *changes: HandmadeChange) -> bool:
    """Whether the difference of the item's price is explained where AlterField altered these aspects of it."""
    both = beside(item, OWNER)
    expected = replace(both.expected.tables[ITEM.name], column_altered_by={"price": altered})
    both = replace(both, expected=replace(both.expected, tables={**both.expected.tables, ITEM.name: expected}))
    (drift,) = explained(found_in(both), changes, both)
    return bool(drift.explained_by)


def test_what_a_later_alteration_by_django_overruled_explains_nothing() -> None:
    item = with_column("price", type="bigint")
    by_hand = ran("ALTER TABLE shop_item ALTER price TYPE bigint", number=5)
    assert not explained_after_alteration(item, {"type": made(6, words="AlterField item.price")}, *by_hand)
    assert explained_after_alteration(item, {"type": made(4, words="AlterField item.price")}, *by_hand)


def test_an_alteration_of_one_aspect_overrules_no_other() -> None:
    item = with_column("price", nullable=True)
    by_hand = ran("ALTER TABLE shop_item ALTER price DROP NOT NULL", number=5)
    altered = made(6, words="AlterField item.price")
    assert explained_after_alteration(item, {"type": altered, "collation": altered}, *by_hand)
    assert not explained_after_alteration(item, {"nullability": altered}, *by_hand)


@pytest.mark.parametrize(
    ("column", "differences", "action"),
    [
        ("path", {"type": "text"}, "ALTER path TYPE text"),
        ("path", {"type": "public.citext"}, "ALTER path TYPE citext"),
        ("price", {"nullable": True}, "ALTER price DROP NOT NULL"),
        ("price", {"default": "5"}, "ALTER price SET DEFAULT 5"),
        ("price", {"default": "'-1'::integer"}, "ALTER price SET DEFAULT -1"),
        ("price", {"default": None}, "ALTER price DROP DEFAULT"),
        ("id", {"identity": "a"}, "ALTER id SET GENERATED ALWAYS"),
        ("id", {"identity": ""}, "ALTER id DROP IDENTITY"),
        ("price", {"type": "bigint", "nullable": True}, "ALTER price TYPE int8, ALTER price DROP NOT NULL"),
    ],
)
def test_a_column_is_as_the_statement_made_it(column: str, differences: dict[str, object], action: str) -> None:
    item = with_column(column, **differences)
    assert is_explained(item, *ran(f"ALTER TABLE shop_item {action}"))


@pytest.mark.parametrize(
    ("column", "differences", "action"),
    [
        ("path", {"type": "character varying(300)", "collation": '"C"'}, 'ALTER path TYPE varchar(255) COLLATE "C"'),
        ("path", {"type": "text"}, "ALTER path TYPE varchar(300)"),
        ("price", {"nullable": True}, "ALTER price SET NOT NULL"),
        ("price", {"default": "7"}, "ALTER price SET DEFAULT 5"),
        ("price", {"default": None}, "ALTER price SET DEFAULT 5"),
        ("price", {"type": "bigint", "nullable": True}, "ALTER price TYPE int8"),
        ("price", {"nullable": True}, "ALTER price TYPE integer"),
    ],
)
def test_a_column_that_is_not_as_the_statement_made_it_is_drift(
    column: str, differences: dict[str, object], action: str
) -> None:
    assert drift_of(with_column(column, **differences)).kind is DriftKind.DIFFERENT_COLUMN
    assert not is_explained(with_column(column, **differences), *ran(f"ALTER TABLE shop_item {action}"))


def test_each_aspect_may_come_from_an_operation_of_its_own_and_each_is_named() -> None:
    item = with_column("price", type="bigint", nullable=True)
    changes = ran("ALTER TABLE shop_item ALTER price TYPE bigint", 5)
    changes += ran("ALTER TABLE shop_item ALTER price DROP NOT NULL", 6)
    evidence = drift_of(item, *changes).evidence
    assert ["shop.0005_x" in line for line in evidence[-2:]] == [True, False]
    assert ["shop.0006_x" in line for line in evidence[-2:]] == [False, True]


def test_a_dropped_column_is_explained_and_another_one_is_not() -> None:
    gone = replace(ITEM, columns=tuple(c for c in ITEM.columns if c.name != "price"), indexes=(), constraints=())
    both = beside(gone, OWNER)
    before = {d.object for d in found_in(both) if d.kind is DriftKind.MISSING_COLUMN}
    assert before == {"price"}
    for sql, expected in (("DROP COLUMN price", True), ("RENAME price TO cost", True), ("DROP path", False)):
        found = explained(found_in(both), ran(f"ALTER TABLE shop_item {sql}"), both)
        (drift,) = (d for d in found if d.kind is DriftKind.MISSING_COLUMN)
        assert bool(drift.explained_by) is expected


def test_a_column_that_was_added_by_hand_is_explained() -> None:
    item = replace(ITEM, columns=(*ITEM.columns, Column("weight", "integer", nullable=False)))
    assert drift_of(item).severity is Severity.BROKEN
    assert is_explained(item, *ran("ALTER TABLE shop_item ADD COLUMN weight int NOT NULL"))
    assert not is_explained(item, *ran("ALTER TABLE shop_item ADD COLUMN height int NOT NULL"))
    assert is_explained(item, *ran("ALTER TABLE shop_item ADD w int; ALTER TABLE shop_item RENAME w TO weight"))


# ------------------------------------------------------------------------------------------ constraints and indexes


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("once", "ALTER TABLE shop_item DROP CONSTRAINT IF EXISTS once"),
        ("positive", 'ALTER TABLE "shop_item" DROP CONSTRAINT "positive"'),
        ("owner_fk", "DO $$ BEGIN ALTER TABLE shop_item DROP CONSTRAINT owner_fk; END $$"),
        ("once", "ALTER TABLE shop_item RENAME CONSTRAINT once TO twice; ALTER TABLE shop_item DROP CONSTRAINT twice"),
    ],
)
def test_a_constraint_that_a_statement_dropped_is_explained_and_its_neighbours_are_not(name: str, sql: str) -> None:
    assert is_explained(without_constraint(name), *ran(sql))
    for other in {"once", "positive", "owner_fk"} - {name}:
        assert not is_explained(without_constraint(other), *ran(sql))


def test_a_constraint_that_was_only_renamed_is_missing() -> None:
    assert not is_explained(without_constraint("once"), *ran("ALTER TABLE shop_item RENAME CONSTRAINT once TO twice"))


def test_a_constraint_that_was_altered_after_its_drop_is_another_one() -> None:
    dropped = ran("ALTER TABLE shop_item DROP CONSTRAINT once")
    altered = ran(
        "DO $$ BEGIN EXECUTE format('ALTER TABLE shop_item ALTER CONSTRAINT %I DEFERRABLE', found); END $$", 6
    )
    assert is_explained(without_constraint("once"), *dropped, *altered)
    assert not is_explained(without_constraint("once"), *altered)


def test_a_drop_whose_name_only_the_code_knows_explains_by_table_and_kind() -> None:
    dynamic = ran("DO $$ BEGIN EXECUTE 'ALTER TABLE shop_item DROP CONSTRAINT ' || found; END $$")
    assert is_explained(without_constraint("once"), *dynamic)
    assert not is_explained(without_index("by_price"), *dynamic)
    elsewhere = ran("DO $$ BEGIN EXECUTE 'ALTER TABLE shop_owner DROP CONSTRAINT ' || found; END $$")
    assert not is_explained(without_constraint("once"), *elsewhere)


def test_a_name_of_which_a_part_is_known_must_fit_and_be_on_the_table() -> None:
    change = HandmadeChange(made(5), Ddl(Verb.DROP, Thing.INDEX, "shop_item", name=f"by_{UNKNOWN}"), certain=False)
    assert is_explained(without_index("by_price"), change)
    assert not is_explained(without_index("by_price"), replace(change, ddl=replace(change.ddl, table="")))
    change = replace(change, ddl=replace(change.ddl, name=f"on_{UNKNOWN}"))
    assert not is_explained(without_index("by_price"), change)


def test_what_is_known_of_a_nameless_drop_must_fit() -> None:
    unique = Ddl(Verb.DROP, Thing.CONSTRAINT, "shop_item", constraint_type=ConstraintKind.UNIQUE)
    assert is_explained(without_constraint("once"), HandmadeChange(made(5), unique))
    assert not is_explained(without_constraint("positive"), HandmadeChange(made(5), unique))
    of_columns = Ddl(Verb.DROP, Thing.INDEX, "shop_item", columns=("price",))
    assert is_explained(without_index("by_price"), HandmadeChange(made(5), of_columns))
    assert not is_explained(without_index("by_owner"), HandmadeChange(made(5), of_columns))


@pytest.mark.parametrize(
    ("definition", "sql"),
    [
        ("CHECK ((price > 5))", "ADD CONSTRAINT positive CHECK (price > 5)"),
        ("CHECK ((price = ANY (ARRAY[1, 2])))", "ADD CONSTRAINT positive CHECK (price IN (1, 2))"),
    ],
)
def test_a_constraint_is_as_the_statement_made_it_or_it_is_drift(definition: str, sql: str) -> None:
    replaced = ran(f"ALTER TABLE shop_item DROP CONSTRAINT positive, {sql}")
    assert is_explained(with_constraint("positive", definition=definition), *replaced)
    assert not is_explained(with_constraint("positive", definition="CHECK ((price > 7))"), *replaced)


def test_a_key_is_as_the_statement_made_it_or_it_is_drift() -> None:
    reference = Reference(OWNER.name, ("id",), on_delete="c")
    replaced = ran(
        "ALTER TABLE shop_item ADD CONSTRAINT owner_fk FOREIGN KEY (owner_id) REFERENCES shop_owner ON DELETE CASCADE"
    )
    assert is_explained(with_constraint("owner_fk", references=reference), *replaced)
    assert not is_explained(with_constraint("owner_fk", references=replace(reference, on_delete="n")), *replaced)


def test_an_index_is_as_the_statement_made_it_or_it_is_drift() -> None:
    replaced = ran("DROP INDEX by_price; CREATE INDEX by_price ON shop_item (price DESC) WHERE price > 9")

    def item(tail: str) -> Table:
        return replace(
            without_index("by_price"), indexes=(*without_index("by_price").indexes, Index("by_price", ("price",), tail))
        )

    assert is_explained(item("btree (price DESC) WHERE (price > 9)"), *replaced)
    assert not is_explained(item("btree (price DESC) WHERE (price > 8)"), *replaced)
    assert not is_explained(item("btree (price)  WHERE (owner_id > 9)"), *replaced)


def test_an_extra_index_is_explained_by_its_name_or_by_its_columns() -> None:
    extra = with_index(Index("by_path", ("path", "owner_id"), "btree (path, owner_id)"))
    assert is_explained(extra, *ran("CREATE INDEX by_path ON shop_item (path, owner_id)"))
    assert is_explained(extra, *ran("CREATE INDEX ON shop_item (path, owner_id)"))
    assert is_explained(extra, *ran("CREATE INDEX old ON shop_item (path); ALTER INDEX old RENAME TO by_path"))
    assert not is_explained(extra, *ran("CREATE INDEX ON shop_item (path)"))
    assert not is_explained(extra, *ran("CREATE INDEX ON shop_owner (path, owner_id)"))
    assert not is_explained(extra, *ran("CREATE INDEX by_path ON shop_item (path); DROP INDEX by_path"))


def test_an_extra_constraint_is_explained_by_kind_and_columns() -> None:
    extra = Constraint("price_key", ConstraintKind.UNIQUE, ("price",), "UNIQUE (price)", index="price_key")
    index = Index("price_key", ("price",), "btree (price)", unique=True, constraint="price_key")
    item = replace(ITEM, constraints=(*ITEM.constraints, extra), indexes=(*ITEM.indexes, index))
    assert is_explained(item, *ran("ALTER TABLE shop_item ADD UNIQUE (price)"))
    assert not is_explained(item, *ran("ALTER TABLE shop_item ADD CHECK (price > 3)"))


def test_a_constraint_left_not_valid_is_explained_until_it_is_validated() -> None:
    item = with_constraint("positive", validated=False)
    not_valid = ran("ALTER TABLE shop_item ADD CONSTRAINT positive CHECK (price > 0) NOT VALID")
    assert is_explained(item, *not_valid)
    assert not is_explained(item, *not_valid, *ran("ALTER TABLE shop_item VALIDATE CONSTRAINT positive", 6))
    assert not is_explained(with_constraint("owner_fk", validated=False), *not_valid)


def test_disabled_triggers_are_explained_until_they_are_enabled() -> None:
    item = with_constraint("owner_fk", enabled=False)
    off = ran("ALTER TABLE shop_item DISABLE TRIGGER ALL")
    assert is_explained(item, *off)
    assert not is_explained(item, *off, *ran("ALTER TABLE shop_item ENABLE TRIGGER ALL", 6))


def test_an_index_that_is_invalid_is_never_meant() -> None:
    invalid = replace(next(i for i in ITEM.indexes if i.name == "by_price"), valid=False)
    item = replace(without_index("by_price"), indexes=(*without_index("by_price").indexes, invalid))
    assert not is_explained(item, *ran("CREATE INDEX CONCURRENTLY by_price ON shop_item (price)"))


# ------------------------------------------------------------------------------------------------------ whole tables


def explained_tables(both: Comparison, *changes: HandmadeChange) -> dict[str, str]:
    return {drift.id: drift.explained_by for drift in explained(found_in(both), changes, both)}


def test_a_table_that_a_statement_dropped_or_renamed_is_explained() -> None:
    both = beside(ITEM)
    for sql, expected in (
        ("DROP TABLE shop_owner CASCADE", True),
        ("ALTER TABLE shop_owner RENAME TO gone", True),
        ("DROP TABLE shop_item", False),
        ("DROP TABLE shop_owner; CREATE TABLE shop_owner (id int)", False),
    ):
        assert bool(explained_tables(both, *ran(sql))["missing_table:public.shop_owner"]) is expected


def test_a_table_that_a_statement_made_or_renamed_is_explained() -> None:
    both = beside(ITEM, OWNER, Table(TableName("public", "shop_log")))
    for sql, expected in (
        ("CREATE TABLE shop_log (id int)", True),
        ("CREATE TABLE old (id int); ALTER TABLE old RENAME TO shop_log", True),
        ("CREATE TABLE shop_logs (id int)", False),
        ("CREATE TABLE shop_log (id int); DROP TABLE shop_log", False),
    ):
        assert bool(explained_tables(both, *ran(sql))["extra_table:public.shop_log"]) is expected


def test_a_table_that_a_statement_moved_is_explained_where_it_lies_there() -> None:
    both = beside(ITEM, replace(OWNER, name=TableName("archive", "shop_owner")))
    moved = "misplaced_table:public.shop_owner"
    assert explained_tables(both, *ran("ALTER TABLE shop_owner SET SCHEMA archive"))[moved]
    assert not explained_tables(both, *ran("ALTER TABLE shop_owner SET SCHEMA attic"))[moved]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE VIEW shop_owner AS SELECT 1 AS id", True),
        ("DROP TABLE shop_owner; CREATE OR REPLACE VIEW public.shop_owner AS SELECT 1 AS id", True),
        ("CREATE MATERIALIZED VIEW shop_owner AS SELECT 1 AS id", False),
        ("CREATE VIEW shop_owners AS SELECT 1 AS id", False),
        ("CREATE VIEW shop_owner AS SELECT 1 AS id; DROP VIEW shop_owner", False),
        ("CREATE VIEW shop_owner AS SELECT 1 AS id; DROP VIEW shop_owner; CREATE TABLE shop_owner (id int)", False),
    ],
)
def test_a_view_in_a_tables_place_is_explained_where_a_statement_made_it_one(sql: str, expected: bool) -> None:
    both = beside(ITEM, replace(OWNER, kind=RelationKind.VIEW, constraints=(), indexes=()))
    assert bool(explained_tables(both, *ran(sql))["missing_table:public.shop_owner"]) is expected


def test_a_view_that_a_statement_made_and_that_is_gone_is_missing() -> None:
    made_view = ran("CREATE VIEW shop_owner AS SELECT 1 AS id")
    missing = "missing_table:public.shop_owner"
    assert not explained_tables(beside(ITEM), *made_view)[missing]
    assert explained_tables(beside(ITEM), *made_view, *ran("DROP VIEW shop_owner", 6))[missing]


def test_what_a_table_made_by_hand_never_had_is_explained() -> None:
    """The operation tells the state of a model and makes its table by SQL, without one of the indexes."""
    by_hand = ran(
        "CREATE TABLE shop_item (id bigint PRIMARY KEY, path varchar(255), price int, owner_id bigint);"
        "CREATE INDEX by_owner ON shop_item (owner_id)",
        number=3,
    )
    assert is_explained(without_index("by_price"), *by_hand)
    assert not is_explained(without_index("by_owner"), *by_hand)
    assert not is_explained(without_index("by_price"), *[replace(c, made_by=made(4)) for c in by_hand])


# -------------------------------------------------------------------------------------------------------- privileges


def test_rights_that_a_statement_took_away_are_explained_all_or_none() -> None:
    neighbours = [replace(OWNER, name=TableName("public", f"shop_{n}"), grants=READS) for n in "abc"]
    both = beside(ITEM, OWNER, *neighbours)
    expected = [
        ExpectedTable(table, "shop", "shop.X", made(3)) for table in (ITEM, replace(OWNER, grants=READS), *neighbours)
    ]
    both = replace(both, expected=ExpectedLayout({table.name: table for table in expected}, ""))
    both = replace(both, observed=replace(both.observed, layout=Layout.of([ITEM, *(t.table for t in expected[1:])])))
    name = "different_privileges:public.shop_item"
    assert name in explained_tables(both)
    assert explained_tables(both, *ran("REVOKE SELECT, INSERT ON shop_item FROM auditor"))[name]
    assert explained_tables(both, *ran("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM auditor"))[name]
    assert not explained_tables(both, *ran("REVOKE SELECT ON shop_item FROM auditor"))[name]
    assert not explained_tables(both, *ran("REVOKE ALL ON shop_item FROM clerk"))[name]
    assert not explained_tables(both, *ran("GRANT ALL ON shop_item TO auditor"))[name]


@pytest.mark.parametrize(("owner", "expected"), [("rev_app_admin", True), ("rev_app", False), ("migrator", False)])
def test_an_owner_is_explained_by_its_whole_name_and_not_by_a_part_of_it(owner: str, expected: bool) -> None:
    neighbours = [replace(OWNER, name=TableName("public", f"shop_{n}")) for n in "abc"]
    both = beside(replace(ITEM, owner="rev_app_admin"), OWNER, *neighbours)
    tables = {t.name: ExpectedTable(t, "shop", "shop.X", made(3)) for t in (ITEM, OWNER, *neighbours)}
    both = replace(both, expected=ExpectedLayout(tables, ""))
    explanation = explained_tables(both, *ran(f"ALTER TABLE shop_item OWNER TO {owner}"))
    assert bool(explanation["different_privileges:public.shop_item"]) is expected


READS = (Grant("auditor", "INSERT"), Grant("auditor", "SELECT"))

"""Expected tables as the migrations themselves made them."""

from dataclasses import replace

from cascade.core.as_made import tables_as_made
from cascade.core.expected import ExpectedTable
from cascade.core.history import MigrationKey, Provenance
from cascade.core.layout import Column, RelationKind, RowEvidence, Sequence, Table, TableName

MADE_BY = Provenance(MigrationKey("shop", "0001_initial"), "CreateModel Item", 0, 1)
BY_HAND = Provenance(MigrationKey("shop", "0002_by_hand"), "RunSQL", 0, 2)

ITEM = TableName("public", "shop_item")
LOG = TableName("public", "shop_log")

MODELLED = ExpectedTable(Table(ITEM, columns=(Column("id", ""),)), "shop", "shop.Item", MADE_BY, compared=False)
READ = Table(ITEM, columns=(Column("id", "bigint", nullable=False), Column("weight", "numeric")), owner="me", oid=7)


def test_a_models_table_has_the_definitions_that_were_read_and_nothing_of_the_scratch_database() -> None:
    counted = replace(READ, rows=RowEvidence(3))
    made = tables_as_made([MODELLED], {}, [counted], {})[ITEM]
    assert (made.model, made.made_by, made.compared) == ("shop.Item", MADE_BY, True)
    assert [(column.name, column.type) for column in made.table.columns] == [("id", "bigint"), ("weight", "numeric")]
    assert (made.table.owner, made.table.oid, made.table.rows) == ("", 0, RowEvidence())


def test_a_models_table_that_is_not_there_is_not_expected() -> None:
    assert tables_as_made([MODELLED], {}, [], {}) == {}


def test_a_table_without_a_model_is_expected_from_the_migration_that_made_it() -> None:
    made = tables_as_made([], {}, [replace(READ, name=LOG)], {LOG: BY_HAND})[LOG]
    assert (made.app, made.model, made.own_model, made.made_by) == ("shop", "", "", BY_HAND)


def test_a_table_that_no_migration_made_is_not_expected() -> None:
    assert tables_as_made([], {}, [replace(READ, name=LOG)], {}) == {}


def test_what_is_no_table_of_a_migration_is_not_expected() -> None:
    others = [
        replace(READ, name=TableName("public", "a_view"), kind=RelationKind.VIEW),
        replace(READ, name=TableName("public", "spatial_ref_sys"), extension="postgis"),
        replace(READ, name=TableName("public", "shop_log_2026"), is_partition=True),
        replace(READ, name=TableName("public", "django_migrations")),
    ]
    assert tables_as_made([], {}, others, {table.name: BY_HAND for table in others}) == {}


def test_a_serial_keeps_its_sequence_and_an_identity_does_not() -> None:
    sequence = Sequence(TableName("public", "shop_item_id_seq"), "bigint", 1, 1, 1, 2**63 - 1, 1, False)
    columns = (Column("id", "bigint", identity="d", sequence=sequence), Column("number", "bigint", sequence=sequence))
    made = tables_as_made([MODELLED], {ITEM: {"number": "0"}}, [replace(READ, columns=columns)], {})[ITEM]
    assert [column.sequence for column in made.table.columns] == [None, sequence]
    assert [column.fill for column in made.table.columns] == [None, "0"]

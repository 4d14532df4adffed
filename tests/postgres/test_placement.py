"""search_path as worked out here, beside what PostgreSQL itself makes of it."""

import random
from dataclasses import replace

import pytest
from psycopg import sql

from cascade.core.observed import PathSetting
from cascade.core.placement import PathSource, resolve, work_out_path
from cascade.sources.catalog import read_catalog
from tests.servers import Database

SCHEMAS = ("public", "Odd Schema", 'qu"ote', "com,ma", "ünï", "select", "plain", "missing one", "$user", "forbidden")


def prepared(database: Database) -> str:
    """Schemas, one of them forbidden to the role that is returned, with tables in some."""
    role = f"reader_{database.name}"
    run = database.connection.execute
    run(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    for name in (*SCHEMAS[1:7], "forbidden", role):
        run(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        if name != "forbidden":
            run(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(name), sql.Identifier(role)))
        run(sql.SQL("CREATE TABLE {}.everywhere (id int)").format(sql.Identifier(name)))
        run(sql.SQL("CREATE TABLE {}.{} (id int)").format(sql.Identifier(name), sql.Identifier(f"in {name}")))
        run(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(sql.Identifier(name), sql.Identifier(role)))
    return role


def dropped(database: Database, role: str) -> None:
    database.connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(role)))
    database.connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_the_effective_path_and_what_names_resolve_to_are_postgresqls_own(database: Database) -> None:
    role = prepared(database)
    chance = random.Random(20260114)
    try:
        for _ in range(25):
            names = chance.sample(SCHEMAS, chance.randint(0, 5))
            path = sql.SQL(", ").join(map(sql.Identifier, names)) if names else sql.Literal("")
            database.connection.execute(
                sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = {}").format(
                    sql.Identifier(role), sql.Identifier(database.name), path
                )
            )
            _compare(database, role)
    finally:
        dropped(database, role)


def _compare(database: Database, role: str) -> None:
    observed = read_catalog(database.connection.cursor(), app_role=role)
    path = work_out_path(observed)
    with database.connect(role) as session:
        schemas = session.execute("SELECT current_schemas(false)::text[]").fetchone()
        assert schemas is not None
        assert path.effective == tuple(schemas[0])
        for name in sorted(observed.layout.copies):
            found = session.execute(
                "SELECT relnamespace::regnamespace::oid::regnamespace::text, n.nspname FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(quote_ident(%s))",
                [name],
            ).fetchone()
            ours = resolve(name, path, observed.layout)
            assert (ours.schema if ours else None) == (found[1] if found else None)
        own = read_catalog(session.cursor())
    assert work_out_path(own).effective == path.effective


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("ALTER ROLE {role} IN DATABASE {database} SET search_path = plain", PathSource.ROLE_IN_DATABASE),
        ("ALTER ROLE {role} SET search_path = plain", PathSource.ROLE),
        ("ALTER DATABASE {database} SET search_path = plain", PathSource.DATABASE),
        (None, PathSource.DEFAULT),
    ],
)
def test_where_the_path_is_set_is_the_same_seen_from_the_role_and_from_beside_it(
    one_database: Database, statement: str | None, source: PathSource
) -> None:
    role = prepared(one_database)
    try:
        if statement:
            one_database.connection.execute(
                sql.SQL(statement).format(role=sql.Identifier(role), database=sql.Identifier(one_database.name))  # type: ignore[arg-type]
            )
        with one_database.connect() as beside, one_database.connect(role) as itself:
            from_beside = work_out_path(read_catalog(beside.cursor(), app_role=role))
            from_itself = work_out_path(read_catalog(itself.cursor()))
        assert from_beside.source is source
        assert (from_itself.source, from_itself.effective) == (source, from_beside.effective)
    finally:
        dropped(one_database, role)


def test_client_options_win_over_what_is_set_for_the_role(one_database: Database) -> None:
    role = prepared(one_database)
    try:
        with one_database.connect(role, options="-c search_path=plain,public") as session:
            path = work_out_path(read_catalog(session.cursor()))
        assert (path.source, path.effective) == (PathSource.CLIENT, ("plain", "public"))
    finally:
        dropped(one_database, role)


def test_schemas_that_are_passed_over_in_silence_are_named_with_the_reason(one_database: Database) -> None:
    role = prepared(one_database)
    try:
        with one_database.connect(role, options="-c search_path=nowhere,forbidden,public") as session:
            path = work_out_path(read_catalog(session.cursor()))
        assert [(skipped.name, skipped.why) for skipped in path.skipped] == [
            ("nowhere", "it does not exist"),
            ("forbidden", f"{role} may not USE it"),
        ]
    finally:
        dropped(one_database, role)


def test_a_path_that_is_set_for_every_role_is_not_taken_for_the_servers(one_database: Database) -> None:
    """``ALTER ROLE ALL`` would reach every test on this server, so the setting is put into what was read."""
    observed = read_catalog(one_database.connection.cursor())
    stored = (PathSetting(None, False, "public, elsewhere"),)
    path = work_out_path(replace(observed, application_role="somebody_else", path_settings=stored))
    assert (path.setting, path.source, path.where) == ("public, elsewhere", PathSource.EVERY_ROLE, "ALTER ROLE ALL")

"""Names that break tools which paste them: in the database, its roles and schemas, and in Django's tables."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.scenarios.sites import Project, Site, found, project_site
from tests.servers import Database, Server

ODD_TABLES = (
    "it's",
    "per%cent %s",
    "dot.ted",
    "semi;colon",
    "with space",
    "Ünïcödé_テーブル",
    "select",
    "MixedCase",
    "x" * 63,
    "y" * 70,
)

MODELS = """
from django.db import models

{models}
"""

MODEL = """
class Odd{number}(models.Model):
    title = models.CharField(max_length=20, db_index=True, db_column={column!r})
    amount = models.PositiveIntegerField(default=3)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
    friends = models.ManyToManyField("Odd{other}", related_name="+")

    class Meta:
        db_table = {table!r}
"""


@pytest.fixture
def odd(tmp_path: Path, one_database: Database) -> Site:
    """A migrated project whose tables and columns have odd names."""
    models = "".join(
        MODEL.format(number=i, table=table, column=f"{table[:20]} col", other=(i + 1) % len(ODD_TABLES))
        for i, table in enumerate(ODD_TABLES)
    )
    project = Project(tmp_path, ("odd",), files={"odd/models.py": MODELS.format(models=models)})
    site = project_site(project, one_database)
    site.manage("makemigrations", "odd", "-v0")
    site.manage("migrate", "-v0")
    return site


def test_odd_names_are_no_drift(odd: Site) -> None:
    plan = odd.plan()
    assert plan["drifts"] == []
    assert plan["complete"] is True


def test_tables_with_odd_names_are_found_and_moved(odd: Site) -> None:
    stray = 'odd "schema" %s; ü'
    connection = odd.database.connection
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(stray)))
    names = [row[0] for row in odd.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                                        "AND relkind = 'r' AND relname <> 'django_migrations' ORDER BY 1")]  # fmt: skip
    for name in names:
        connection.execute(
            sql.SQL("ALTER TABLE public.{} SET SCHEMA {}").format(sql.Identifier(name), sql.Identifier(stray))
        )
    plan = odd.plan()
    assert found(plan) == {f"misplaced_table {name}" for name in names}
    for format_ in ("text", "dot", "sql", "svg"):
        done = odd.cascade("plan", "--format", format_)
        assert done.returncode == 0, done.stderr
    _run(odd, plan)
    assert odd.plan()["drifts"] == []


def test_tables_with_odd_names_are_created_as_they_were(odd: Site) -> None:
    before = _tables(odd)
    for (name,) in odd.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                            "AND relkind = 'r' AND relname <> 'django_migrations'"):  # fmt: skip
        odd.database.connection.execute(sql.SQL("DROP TABLE public.{} CASCADE").format(sql.Identifier(name)))
    plan = odd.plan()
    _run(odd, plan)
    assert odd.plan()["drifts"] == []
    assert _tables(odd) == before


def test_a_database_and_roles_with_odd_names_are_read(one_server: Server, tmp_path: Path) -> None:
    name, role = 'da"ta base; ü', "ro\"le 'x' %s"
    with one_server.connect() as administration:
        administration.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        administration.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            _read_as(one_server, administration, name, role, tmp_path)
        finally:
            administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            administration.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _read_as(
    server: Server, administration: "psycopg.Connection[tuple[object, ...]]", name: str, role: str, folder: Path
) -> None:
    administration.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    with server.connect(name) as connection:
        site = project_site(Project(folder, ("django.contrib.contenttypes",)), Database(server, name, connection))
        site.manage("migrate", "-v0")
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier("a, b")))
        connection.execute(
            sql.SQL("ALTER ROLE {} IN DATABASE {} SET search_path = public, {}").format(
                sql.Identifier(role), sql.Identifier(name), sql.Identifier("a, b")
            )
        )
        plan = site.plan("--app-role", role)
        assert plan["application_role"] == role
        assert plan["database"] == name
        assert found(plan) == {"unreachable_table django_content_type"}
        for step in plan["steps"]:
            for statement in step["sql"]:
                connection.execute(statement)
        assert found(site.plan("--app-role", role)) == set()


def _run(site: Site, plan: dict[str, object]) -> None:
    for step in plan["steps"]:  # type: ignore[attr-defined]
        for statement in step["sql"]:
            site.execute(statement)


def _tables(site: Site) -> list[tuple[object, ...]]:
    return site.rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') ORDER BY 1, a.attnum"
    )

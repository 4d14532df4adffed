"""The file of a repair migration is Python, whatever a name holds."""

import ast

import pytest

from cascade.core.repair_migrations import group_by_app
from cascade.render.migration import MigrationText, render_migration, render_placed
from cascade.render.migration.file import put_in_frame
from tests.unit.render import answers

HOSTILE = ('x"""; import os; """', "back\\slash\\", "new\nline", 'ends in "', '"', "\u202e of the other hand")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_database_ends_the_docstring(name: str) -> None:
    (migration,) = group_by_app(answers.sixty_moves().plan, answers.sixty_moves().expected)[:1]
    answer = answers.sixty_moves()
    text = MigrationText("4711", "2026-01-01", name, left_out=(name,))
    file = render_migration(
        migration, answer.expected, answer.plan.drifts, text, target="public", attic="cascade_attic"
    )
    place = (("basket", "0001_it's"),)
    module = ast.parse(render_placed(file, place, place))

    assert [type(part).__name__ for part in module.body if not isinstance(part, ast.Assign)] == [
        "Expr",
        "ImportFrom",
        "ClassDef",
        "FunctionDef",
        "ClassDef",
    ]
    assert "was found to lack on 2026-01-01" in (ast.get_docstring(module) or "")


def test_no_body_ends_the_quotes_that_it_stands_in() -> None:
    frame = put_in_frame(["of $repair_1$ fame", "of $repair$ fame"])

    assert "DO $repair_2$" in frame

"""Statements in PL/pgSQL, for whatever schema the target is where they run."""

from collections.abc import Iterator

from cascade.core.actions import Action
from cascade.core.retarget import retargeted
from cascade.render.sql import render_action

TARGET = "cascade_target_schema"
"""Stands for the target schema in statements until they are put into the file."""


def executed(action: Action, target: str) -> Iterator[str]:
    """The statements of the action, each to be executed."""
    for statement in render_action(retargeted(action, target, TARGET)):
        yield f"    {execute(statement)}"


def execute(statement: str) -> str:
    """EXECUTE, the target schema put in where the statement names it."""
    text = statement.rstrip(";").replace("%", "%%").replace(TARGET, "%1$I")
    tag, number = "$ddl$", 0
    while tag[:-1] in text:
        number += 1
        tag = f"$ddl_{number}$"
    return f"EXECUTE format({tag}{text}{tag}, target);"

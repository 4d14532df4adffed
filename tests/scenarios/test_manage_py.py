"""``manage.py cascade``: the same commands as ``cascade``, for who types them and for who calls them."""

import json

import pytest

from tests.scenarios.guarded import django, guarded
from tests.scenarios.sites import Site, run_program

CALL = """
import io, sys
import django
django.setup()
from django.core.management import CommandError, call_command
out = io.StringIO()
try:
    call_command("cascade", *{arguments!r}, stdout=out)
except CommandError as error:
    print("CommandError", error)
except SystemExit as stop:
    print("SystemExit", stop.code)
print(out.getvalue(), end="")
"""


@pytest.mark.parametrize(
    "command",
    [
        ("check", "--app", "user_profile", "--fail-on", "broken"),
        ("plan", "--format", "dot"),
        ("check", "--app", "user_profil"),
        ("chekc",),
    ],
    ids=" ".join,
)
def test_output_and_exit_code_are_those_of_the_program(one_incident: Site, command: tuple[str, ...]) -> None:
    site = guarded(one_incident)
    inside, outside = django(site, "cascade", *command), site.cascade(*command)
    assert inside.returncode == outside.returncode
    assert _without_times(inside.stdout) == _without_times(outside.stdout)
    assert inside.stderr.replace("python -m django cascade", "cascade") == outside.stderr.replace(
        "python -m cascade", "cascade"
    )


def test_no_system_check_is_run_for_it(one_incident: Site) -> None:
    failing = """
from django.core.checks import Error, register
@register()
def complain(**kwargs):
    return [Error("nothing works here")]
"""
    done = django(guarded(one_incident, more=failing), "cascade", "where")
    assert done.returncode == 0
    assert "nothing works" not in done.stderr


def test_call_command_gives_what_is_printed_and_the_exit_code(one_incident: Site) -> None:
    code, _, printed = _call(one_incident, "plan", "--format", "json", "--exit-code").partition("\n")
    assert code == "SystemExit 2"
    assert json.loads(printed)["complete"] is True


def test_call_command_raises_what_django_knows_for_an_error(one_incident: Site) -> None:
    assert _call(one_incident, "check", "--app", "user_profil").startswith('CommandError There is no app "user_profil"')
    assert _call(one_incident, "chekc").startswith("CommandError No such command 'chekc'.")


def test_help_lists_the_commands(one_incident: Site) -> None:
    for arguments in (("help", "cascade"), ("cascade", "--help")):
        done = django(guarded(one_incident), *arguments)
        assert "Usage: python -m django cascade [OPTIONS] COMMAND" in done.stdout
        assert "rehearse" in done.stdout


def test_the_demo_is_refused_inside_of_another_project(one_incident: Site) -> None:
    done = django(guarded(one_incident), "cascade", "demo")
    assert done.returncode == 1
    assert "The demo is a project of its own" in done.stderr


def test_an_unknown_way_to_guard_is_an_error_that_names_those_known(one_incident: Site) -> None:
    site = guarded(one_incident, more='CASCADE = {**CASCADE, "GUARD": "warning"}')
    for command in (("cascade", "check"), ("migrate", "teams", "0002", "--fake")):
        done = django(site, *command)
        assert done.returncode == 1
        assert 'There is no way to guard "warning" for CASCADE["GUARD"] in the settings.' in done.stderr
        assert "Did you mean warn?" in done.stderr


def _call(site: Site, *arguments: str) -> str:
    site = guarded(site)
    done = run_program("-c", CALL.format(arguments=arguments), environment=site.environment, folder=site.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _without_times(text: str) -> list[str]:
    return [line for line in text.splitlines() if " read at " not in line]

"""One page asked on a database of its own, what failed repaired, asked again; see ``probe_truth``.

Prints as JSON what failed, in order. Settings are one thing for a whole process, so this is a program.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import django


def main() -> None:
    path, who, plan = sys.argv[1:]
    django.setup()
    print(json.dumps(list(_sequence(path, who, json.loads(Path(plan).read_text())))))


def _sequence(path: str, who: str, plan: dict[str, Any]) -> list[str]:
    from django.db import DatabaseError

    failed: list[str] = []
    done: set[str] = set()
    user = None
    while True:
        try:
            user = user or _make_user(who)
            _ask(path, who, user)
        except DatabaseError as error:
            thing = _named_in(str(error), plan)
            if thing in failed:
                raise AssertionError(f"{thing} fails again after its repair") from error
            failed.append(thing)
            if not _repair(thing, plan, done):
                return failed
        else:
            return failed


def _make_user(who: str) -> Any:
    from django.contrib.auth import get_user_model
    from django.db import transaction

    make = getattr(get_user_model().objects, "create_superuser" if who == "superuser" else "create_user")
    with transaction.atomic():  # a user without a profile would be in the way of the next try
        return make("somebody", "somebody@example.invalid", None)


def _ask(path: str, who: str, user: Any) -> None:
    from django.test import Client

    client = Client()
    if who != "anonymous":
        client.force_login(user)
    status = client.get(path.format(username=user.username)).status_code
    assert status == 200, f"{path} answers {status}"


def _named_in(message: str, plan: dict[str, Any]) -> str:
    """The table, or the column as ``table.column``; one whose table has an alias is found among what is missing."""
    if relation := re.search(r'^relation "(?:\w+\.)?(\w+)" does not exist', message):
        return relation[1]
    if column := re.search(r'^column "(\w+)" of relation "(\w+)" does not exist', message):
        return f"{column[2]}.{column[1]}"
    column = re.search(r"^column (?:(\w+)\.)?\"?(\w+)\"? does not exist", message)
    assert column, message
    missing = [f"{d['table']}.{d['object']}" for d in plan["drifts"] if d["kind"] == "missing_column"]
    near = [name for name in missing if name == f"{column[1]}.{column[2]}"] or [
        name for name in missing if name.endswith(f".{column[2]}")
    ]
    assert len(near) == 1, message
    return near[0]


def _repair(thing: str, plan: dict[str, Any], done: set[str]) -> bool:
    """Run the steps for that thing, and those that they wait for, for good; none twice. Whether there are any."""
    from django.db import connection

    table, _, column = thing.partition(".")
    drifts = {d["id"] for d in plan["drifts"] if d["table"] == table and d["object"] == column}
    steps = {step["id"]: step for step in plan["steps"]}
    wanted = [id_ for id_, step in steps.items() if drifts.intersection(step["cures"])]
    if not wanted:
        return False
    needed: set[str] = set()
    while wanted:
        id_ = wanted.pop()
        needed.add(id_)
        wanted += steps[id_]["waits_for"]
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        [path] = cursor.fetchone()
        cursor.execute("SET search_path = pg_catalog, pg_temp")
        for step in plan["steps"]:
            if step["id"] in needed - done:
                done.add(step["id"])
                for statement in step["sql"]:
                    cursor.execute(statement)
        cursor.execute(f"SET search_path = {path}")
    return True


if __name__ == "__main__":
    main()

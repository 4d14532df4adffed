"""One page asked on a database of its own, what failed repaired, asked again; see ``probe_truth``.

Prints as JSON what failed, in order, and the status at the end. Settings are one thing for a whole process, so this is
a program. What fails is seen at Django's cursor: what an application swallows is a failure all the same.
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
    failed, status = one_at_a_time(path, who, json.loads(Path(plan).read_text()))
    print(json.dumps({"failed": failed, "status": status}))


def one_at_a_time(path: str, who: str, plan: dict[str, Any]) -> tuple[list[str], int]:
    """What fails, each repaired for good before the page is asked again, and what it answers in the end."""
    failed: list[str] = []
    done: set[str] = set()
    user = None
    while True:
        errors: list[str] = []
        status = 500
        try:
            with _noting(errors):
                user = user or _make_user(who)
                status = _ask(path, who, user)
        except Exception:
            pass  # a failure of the database has been noted, and any other is the end
        thing = next(filter(None, (_named_in(error, plan) for error in errors)), "")
        if not thing or thing in failed:
            return failed, status
        failed.append(thing)
        if not _repair(thing, plan, done):
            return failed, status


def _noting(errors: list[str]) -> Any:
    """Note what PostgreSQL says of each statement that it refuses."""
    from django.db import DatabaseError, connection

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except DatabaseError as error:
            errors.append(str(error))
            raise

    return connection.execute_wrapper(note)


def _make_user(who: str) -> Any:
    from django.contrib.auth import get_user_model
    from django.db import transaction

    make = getattr(get_user_model().objects, "create_superuser" if who == "superuser" else "create_user")
    with transaction.atomic():  # a user without a profile would be in the way of the next try
        return make("somebody", "somebody@example.invalid", None)


def _ask(path: str, who: str, user: Any) -> int:
    from django.test import Client

    client = Client()
    if who != "anonymous":
        client.force_login(user)
    response = client.get(path.format(username=user.username))
    return int(response.status_code)


def _named_in(message: str, plan: dict[str, Any]) -> str:
    """The drifted table, or the column as ``table.column``; nothing where the message names no drift."""
    drifted = {f"{d['table']}{'.' + d['object'] if d['object'] else ''}" for d in plan["drifts"]}
    if relation := re.match(r'relation "(?:\w+\.)?(\w+)" does not exist', message):
        return relation[1] if relation[1] in drifted else ""
    if column := re.match(r'column "(\w+)" of relation "(\w+)" does not exist', message):
        return f"{column[2]}.{column[1]}"
    column = re.match(r"column (?:(\w+)\.)?\"?(\w+)\"? does not exist", message)
    if column is None:
        return ""
    if f"{column[1]}.{column[2]}" in drifted:
        return f"{column[1]}.{column[2]}"
    # The table has an alias: it is the one that lacks a column of that name.
    [near] = [name for name in drifted if name.endswith(f".{column[2]}")] or [""]
    return near


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

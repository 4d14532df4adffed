"""What really happens when each request is followed by the repair of the one thing that failed, over and over.

``python -m tests.scenarios.probe_truth --count 50`` drifts the demo at random and compares that with what
``cascade probe --predict`` says in advance. The requests and the repairs are made here, on copies of the database that
commit, by Django's test client and the SQL of the plan; nothing of what is tested takes part.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cascade.demo.replay import demo_environment, replay_incident
from tests.servers import Database, Server, SharedServers, fresh_database, make_run_folder

CHECKOUT = Path(__file__).resolve().parents[2]

PAGES = (
    ("/me/settings/", "user"),
    ("/@{username}/", "anonymous"),
    ("/admin/", "superuser"),
    ("/admin/user_profile/userprofile/", "superuser"),
)
"""The table of tests of the incident: A, B, C and C2."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scenarios.probe_truth")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    servers = SharedServers(make_run_folder(), owner=os.getpid())
    begun, lengths, wrong = time.monotonic(), [], 0
    try:
        server = servers.get("pg18")
        replay_incident(_address(server), "demo", report=_silent)
        for seed in range(options.seed, options.seed + options.count):
            try:
                found = compare(server, "demo", random_drift(seed))
                lengths += [len(sequence) for sequence in found.values()]
                print(f"seed {seed}: {' '.join(str(len(sequence)) for sequence in found.values())}", flush=True)
            except AssertionError as error:
                wrong += 1
                print(f"seed {seed}: {error}", flush=True)
    finally:
        servers.stop()
    print(
        f"{options.count} drifts, {len(lengths)} pages, {sum(lengths)} failures in turn (longest {max(lengths)}), "
        f"{wrong} drifts told wrong, {time.monotonic() - begun:.0f} s"
    )
    sys.exit(1 if wrong else 0)


def random_drift(seed: int) -> tuple[str, ...]:
    """SQL that drifts the demo's database: tables moved and dropped, columns dropped, several at once."""
    chance = random.Random(seed)
    tables = chance.sample(_TABLES, chance.randint(1, 6))
    return tuple(statement for table in tables for statement in _damage(table, chance))


_TABLES = (
    "accounts_user",
    "auth_permission",
    "django_admin_log",
    "django_content_type",
    "django_session",
    "teams_team",
    "teams_teammembership",
    "user_profile_badge",
    "user_profile_userprofile",
    "user_profile_userprofile_badges",
    "tournament_engine_match_match",
)
_COLUMNS = {
    "accounts_user": ("timezone", "last_login", "email"),
    "django_admin_log": ("change_message",),
    "django_session": ("expire_date",),
    "teams_team": ("tag", "name"),
    "teams_teammembership": ("role", "joined_at"),
    "user_profile_badge": ("title",),
    "user_profile_userprofile": ("accent_color", "last_seen_at", "bio", "country"),
    "tournament_engine_match_match": ("starts_at",),
}


def _damage(table: str, chance: random.Random) -> Iterator[str]:
    columns = _COLUMNS.get(table, ())
    for column in chance.sample(columns, chance.randint(0, len(columns))):
        if _nullable_or_known(table, column):
            yield f"ALTER TABLE public.{table} DROP COLUMN {column}"
    if chance.random() < 0.6:
        yield f"ALTER TABLE public.{table} SET SCHEMA test_schema"


def _nullable_or_known(table: str, column: str) -> bool:
    """Whether the plan can add it again by itself: NOT NULL without a value for old rows waits for a person."""
    return (table, column) not in {
        ("teams_team", "name"),
        ("teams_teammembership", "joined_at"),
        ("user_profile_badge", "title"),
        ("tournament_engine_match_match", "starts_at"),
        ("django_session", "expire_date"),
    }


def compare(server: Server, template: str, damage: Sequence[str]) -> dict[str, list[str]]:
    """What was predicted of each page, proved to be what really happens. Raises ``AssertionError``."""
    with tempfile.TemporaryDirectory(prefix="cascade-truth-") as folder, drifted_copy(server, template) as drifted:
        for statement in damage:
            drifted.connection.execute(statement.encode())
        drifted.connection.close()
        plan, told = Path(folder) / "plan.json", Path(folder) / "told.json"
        environment = {**demo_environment(_address(server), drifted.name), "XDG_CACHE_HOME": folder}
        _run(environment, "cascade", "plan", "-o", str(plan))
        _run(environment, "cascade", "probe", "--predict", "-o", str(told), codes=(0, 2))
        predicted = told_of_pages(json.loads(told.read_text()))
        really = {}
        for path, who in PAGES:
            with drifted_copy(server, drifted.name) as copy:
                copy.connection.close()
                environment = demo_environment(_address(server), copy.name)
                said = _run(environment, "tests.scenarios.probe_truth_page", path, who, str(plan))
                really[_name(path, who)] = json.loads(said)
    for name, happened in really.items():
        assert predicted[name] == happened, f"{name}: predicted {predicted[name]}, and really {happened}; {damage}"
    return {name: happened["failed"] for name, happened in really.items()}


def told_of_pages(document: dict[str, Any]) -> dict[str, Any]:
    """By page what it was said to fail at, in turn, and what it was said to answer in the end."""
    chains = {chain["probe"]: chain["objects"] for chain in document["cascade"]}
    pages = [probe for probe in document["probes"] if probe["kind"] == "page"]
    return {page["name"]: {"failed": chains.get(page["name"], []), "status": page["status"] or 500} for page in pages}


@contextmanager
def drifted_copy(server: Server, template: str) -> Iterator[Database]:
    """A copy of a demo database that looks the same to the demo's roles."""
    with fresh_database(server, template=template) as copy:
        # What is set for a role in a database, and who owns it, is not copied with the database.
        for statement in (
            f"ALTER ROLE app_user IN DATABASE {copy.name} SET search_path = public",
            f"ALTER DATABASE {copy.name} OWNER TO migrator",
        ):
            copy.connection.execute(statement.encode())
        yield copy


def _name(path: str, who: str) -> str:
    """As the declared probe is called."""
    path = path.replace("{username}", "{user.username}")
    return path if who == "anonymous" else f"{path} as {who}"


def _run(environment: dict[str, str], module: str, *arguments: str, codes: Sequence[int] = (0,)) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


def _address(server: Server) -> Any:
    return SimpleNamespace(host=server.host, port=server.port, user="postgres")


def _silent(message: str) -> None:
    """Report to nobody."""


if __name__ == "__main__":
    main()

"""Two clusters with a publication: the hazard comes, and the subscriber goes on after the SQL that was printed."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import Site, demo_site, flat
from tests.servers import Database, Server, SharedServers, fresh_database

MOVED = "user_profile_bounty"


@dataclass(frozen=True, slots=True)
class Pair:
    """The drifted demo on PostgreSQL 15, and a subscriber with the same tables on PostgreSQL 18."""

    publisher: Site
    subscriber: Database

    def publish(self, what: str, *, options: str = "") -> None:
        self.publisher.execute(f"CREATE PUBLICATION news FOR {what}")
        self.subscriber.connection.execute(
            f"CREATE SUBSCRIPTION {self.name} CONNECTION '{self.publisher.database.dsn}' PUBLICATION news {options}"
        )

    @property
    def name(self) -> str:
        """Of the subscription and its slot, which all databases of the publisher's cluster share."""
        return f"of_{self.publisher.database.name}"

    def printed(self, when: str) -> list[str]:
        """What the hazards of the saved plan want run, as it is printed: the parts whose first line says when."""
        plan = json.loads((self.publisher.folder / "plan.json").read_text())
        hazards = [hazard for step in plan["steps"] for hazard in step["hazards"]]
        lines = [line for hazard in hazards if hazard["kind"] == "replication" for line in hazard["sql"]]
        parts: list[list[str]] = []
        for line in lines:
            if line.startswith("-- "):
                parts.append([])
            parts[-1].append(line)
        chosen = [line for part in parts if when in part[0] for line in part]
        assert chosen, lines
        return chosen

    def repair(self) -> None:
        done = self.publisher.cascade("apply", "plan.json", "--noinput", "--allow", "replication")
        assert done.returncode == 0, done.stdout + done.stderr

    def move_on_subscriber(self, *, to: str) -> None:
        """Without being told."""
        schema = "test_schema" if to == "public" else "public"
        self.subscriber.connection.execute(f"ALTER TABLE {schema}.{MOVED} SET SCHEMA {to}")

    def stops(self) -> bool:
        """Whether the subscriber has met a change that it cannot place."""
        query = f"SELECT apply_error_count FROM pg_stat_subscription_stats WHERE subname = '{self.name}'"
        return bool(self.subscriber.connection.execute(query).fetchall()[0][0])

    def write(self, schema: str) -> None:
        """One row more into the moved table, where it lies now."""
        self.publisher.execute(
            f"INSERT INTO {schema}.{MOVED} (creator_id, title, stake, status, created_at) "
            f"SELECT creator_id, title, stake, status, created_at FROM {schema}.{MOVED} LIMIT 1"
        )

    def rows(self, schema: str) -> tuple[list[Any], list[Any]]:
        """Those of the moved table on both sides; None where there is no such table."""
        query = f"SELECT id FROM {schema}.{MOVED} ORDER BY 1"
        return self.publisher.rows(query), self.subscriber.connection.execute(query).fetchall()

    def arrived(self, schema: str) -> bool:
        sent, received = self.rows(schema)
        return bool(sent) and sent == received


@pytest.fixture
def pair(old_server: Server, one_server: Server, servers: SharedServers, tmp_path: Path) -> Iterator[Pair]:
    with demo_site(old_server, servers, tmp_path) as site, fresh_database(one_server) as copy:
        _copy_tables(site, copy, old_server)
        pair = Pair(site, copy)
        try:
            yield pair
        finally:
            copy.connection.execute(f"DROP SUBSCRIPTION IF EXISTS {pair.name}")


def _copy_tables(site: Site, copy: Database, server: Server) -> None:
    dump = [server.program("pg_dump"), "--schema-only", "--no-owner", "--no-privileges", site.database.dsn]
    script = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
    psql(copy, script.splitlines())


def psql(database: Database, lines: list[str]) -> None:
    """As a person would run it; it stops at an error."""
    command = [database.server.program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", database.dsn]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def wait_until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"in 30 s {what} did not come about")


def test_a_subscriber_goes_on_once_it_has_moved_the_table_too(pair: Pair) -> None:
    """Of some columns and some rows, which follow the table."""
    columns = "(id, creator_id, title, stake, status, created_at)"
    pair.publish(f"TABLE test_schema.{MOVED} {columns} WHERE (stake > 0)")
    wait_until(lambda: pair.arrived("test_schema"), "the first copy")
    assert pair.publisher.cascade("plan", "-o", "plan.json").returncode == 0
    refused = pair.publisher.cascade("apply", "plan.json", "--noinput")
    assert (refused.returncode, "--allow replication" in flat(refused.stdout)) == (1, True), refused.stdout
    assert f"ALTER TABLE test_schema.{MOVED} SET SCHEMA public;" in refused.stdout
    assert pair.arrived("test_schema")
    pair.repair()
    pair.write("public")
    wait_until(pair.stops, "the stop at the new name")
    psql(pair.subscriber, pair.printed("after the repair"))
    wait_until(lambda: pair.arrived("public"), "the row that was written after the repair")


def test_a_subscriber_to_all_tables_goes_on_with_each_of_them(pair: Pair) -> None:
    pair.publish("ALL TABLES")
    wait_until(lambda: pair.arrived("test_schema"), "the first copy")
    assert pair.publisher.cascade("plan", "-o", "plan.json").returncode == 0
    psql(pair.subscriber, pair.printed("before the repair"))
    pair.repair()
    psql(pair.subscriber, pair.printed("after the repair"))
    pair.write("public")
    wait_until(lambda: pair.arrived("public"), "the row that was written after the repair")


def test_a_table_that_comes_into_a_published_schema_is_made_on_the_subscriber_first(pair: Pair) -> None:
    pair.subscriber.connection.execute("DROP SCHEMA test_schema CASCADE")
    pair.publish("TABLES IN SCHEMA public")
    assert pair.publisher.cascade("plan", "-o", "plan.json").returncode == 0
    psql(pair.subscriber, pair.printed("before the repair"))
    pair.repair()
    pair.write("public")
    psql(pair.subscriber, pair.printed("after the repair"))
    wait_until(lambda: pair.arrived("public"), "the rows from before and after the repair")
    pair.write("public")
    wait_until(lambda: pair.arrived("public"), "the row that was written later")


def test_a_table_that_came_into_a_published_schema_unannounced_is_made_after_the_stop(pair: Pair) -> None:
    pair.subscriber.connection.execute("DROP SCHEMA test_schema CASCADE")
    pair.publish("TABLES IN SCHEMA public")
    assert pair.publisher.cascade("plan", "-o", "plan.json").returncode == 0
    pair.repair()
    pair.write("public")
    wait_until(pair.stops, "the stop at the new table")
    psql(pair.subscriber, [*pair.printed("before the repair"), *pair.printed("after the repair")])
    wait_until(lambda: pair.arrived("public"), "the rows from before and after the repair")


def test_a_table_that_leaves_a_published_schema_is_published_by_name_first(pair: Pair) -> None:
    pair.publish("TABLES IN SCHEMA test_schema")
    wait_until(lambda: pair.arrived("test_schema"), "the first copy")
    assert pair.publisher.cascade("plan", "-o", "plan.json").returncode == 0
    psql(pair.publisher.database, pair.printed("here, before the repair"))
    pair.repair()
    pair.write("public")
    psql(pair.subscriber, pair.printed("after the repair"))
    wait_until(lambda: pair.arrived("public"), "the row that was written after the repair")


def test_a_subscriber_that_moved_its_table_too_early_moves_it_back_and_loses_nothing(pair: Pair) -> None:
    """Why the SQL comes after the repair: a change is sent under the name that the table had when it was made."""
    pair.publish(f"TABLE test_schema.{MOVED}")
    wait_until(lambda: pair.arrived("test_schema"), "the first copy")
    assert pair.publisher.cascade("plan", "-o", "plan.json").returncode == 0
    pair.move_on_subscriber(to="public")
    pair.write("test_schema")
    wait_until(pair.stops, "the stop at the old name")
    pair.repair()
    pair.move_on_subscriber(to="test_schema")
    query = f"SELECT count(*) FROM test_schema.{MOVED}"
    [[sent]] = pair.publisher.rows(query.replace("test_schema", "public"))
    wait_until(lambda: pair.subscriber.connection.execute(query).fetchall() == [(sent,)], "what was sent before")
    psql(pair.subscriber, pair.printed("after the repair"))
    pair.write("public")
    wait_until(lambda: pair.arrived("public"), "the row that was written after the repair")


def test_a_database_that_subscribes_is_repaired_once_its_publisher_has_moved_the_table(pair: Pair) -> None:
    site, other = pair.publisher, pair.subscriber
    row = f"INSERT INTO {{}}.{MOVED} (id, creator_id, title, stake, status, created_at) VALUES ({{}}, 1, 'x', 1, 'open', now())"
    other.connection.execute("SET session_replication_role = replica")  # the tables that it refers to are empty there
    other.connection.execute(f"CREATE PUBLICATION news FOR TABLE test_schema.{MOVED}")
    try:
        site.execute(
            f"CREATE SUBSCRIPTION {pair.name} CONNECTION '{other.dsn}' PUBLICATION news WITH (copy_data = false)"
        )
        other.connection.execute(row.format("test_schema", -1))
        query = f"SELECT count(*) FROM {{}}.{MOVED} WHERE id < 0"
        wait_until(lambda: site.rows(query.format("test_schema")) == [(1,)], "the row from before the repair")
        other.connection.execute(row.format("test_schema", 1_000_000))
        high = f"SELECT count(*) FROM test_schema.{MOVED} WHERE id = 1000000"
        wait_until(lambda: site.rows(high) == [(1,)], "a row that no sequence here has numbered")
        behind = {d["severity"] for d in site.plan()["drifts"] if d["kind"] == "sequence_behind"}
        assert behind == {"note"}
        assert site.cascade("plan", "-o", "plan.json").returncode == 0
        psql(other, pair.printed("on the publisher, before the repair"))
        other.connection.execute(row.format("public", -2))
        pair.repair()
        wait_until(lambda: site.rows(query.format("public")) == [(2,)], "the row from after the repair")
    finally:
        site.execute(f"DROP SUBSCRIPTION IF EXISTS {pair.name}")

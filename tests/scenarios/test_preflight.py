"""What the preflight says of real servers; each no stops the repair before the question."""

import os
from pathlib import Path

import pytest

from tests.scenarios.sites import Site, demo_site, flat
from tests.scenarios.test_repair_faults import run_on
from tests.servers import Server, SharedServers, make_run_folder


def test_what_is_in_the_way_is_told_before_the_question(
    old_server: Server, servers: SharedServers, tmp_path: Path
) -> None:
    with demo_site(old_server, servers, tmp_path) as site:
        run_on(site, "what_can_be_seen_beforehand")


@pytest.mark.usefixtures("old_server")
def test_another_server_with_a_database_of_that_name_and_a_replica_are_refused(one_incident: Site) -> None:
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    name, before = one_incident.database.name, sorted(one_incident.folder.iterdir())
    others = SharedServers(make_run_folder(), owner=os.getpid())
    try:
        with others.get("pg15").connect() as connection:
            connection.execute("CREATE ROLE migrator LOGIN")
            connection.execute(f"CREATE DATABASE {name} OWNER migrator")
        dsn = others.get("pg15").dsn(name, "migrator")
        elsewhere = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", dsn)
        assert elsewhere.returncode == 1
        assert f"this is another {name} than the one that was read" in flat(elsewhere.stdout), elsewhere.stdout
        others.restart_as_replica("pg15")
        replica = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", dsn)
        assert replica.returncode == 1
        assert "it is a read-only replica" in flat(replica.stdout), replica.stdout
        assert "Nothing was changed: the preflight says no" in replica.stderr
        tried = one_incident.cascade("rehearse", "plan.json", "--here", "--dsn", dsn)
        assert tried.returncode == 1
        assert "This is a read-only replica: no step can be tried on it." in tried.stderr
        assert "--clone" in tried.stderr
    finally:
        others.stop()
    assert sorted(one_incident.folder.iterdir()) == before


def test_the_role_that_serves_pages_is_told_to_be_that(one_incident: Site) -> None:
    assert one_incident.cascade("plan", "-o", "plan.json").returncode == 0
    dsn = one_incident.database.server.dsn(one_incident.database.name, "app_user")
    done = one_incident.cascade("apply", "plan.json", "--noinput", "--dsn", dsn)
    assert done.returncode == 1
    said = flat(done.stdout)
    assert "as app_user, who serves the pages too" in said, done.stdout
    assert "test_schema.user_profile_about_item belongs to migrator" in said

"""Whatever happens during a repair: it is whole or nothing of it is, it says so, and the next one goes on."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.sites import Site, demo_site, run_program
from tests.servers import SharedServers, make_run_folder


def run_on(site: Site, scenario: str, **decisions: Any) -> None:
    """Run a scenario of ``repair_bench`` in a process of its own."""
    server = site.database.server
    environment = {
        **site.environment,
        "BENCH_DSN": site.database.dsn,
        "BENCH_PG_DUMP": server.program("pg_dump"),
        "BENCH_DECISIONS": json.dumps(decisions),
    }
    done = run_program("-m", "tests.scenarios.repair_bench", scenario, environment=environment, folder=site.folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "scenario", ["backend_terminated_at_every_step", "connection_lost_in_the_commit", "lock_that_is_not_to_be_had"]
)
def test_nothing_half_done_is_left_by(incident: Site, scenario: str) -> None:
    run_on(incident, scenario)


@pytest.mark.parametrize(
    "scenario",
    [
        "somebody_waits_for_us_too_long",
        "nobody_watches_who_waits",
        "watcher_that_is_lost_on_the_way",
        "deadlock",
        "statement_that_takes_too_long",
        "migrate_at_the_same_moment",
        "ddl_and_migrations_between_plan_and_apply",
        "something_else_goes_wrong_meanwhile",
        "disk_that_is_full_for_the_journal",
        "rows_that_come_into_a_shell_after_the_plan",
        "view_that_is_bound_to_a_shell_after_the_plan",
        "rehearsal_that_somebody_tries_to_commit",
        "rehearsal_without_temporary_tables",
        "commit_that_is_refused",
        "journal_that_was_cut_off",
        "pool_of_the_project",
    ],
)
def test_nothing_is_lost_by(one_incident: Site, scenario: str) -> None:
    run_on(one_incident, scenario)


def test_nothing_is_lost_with_the_server(tmp_path: Path) -> None:
    servers = SharedServers(make_run_folder(), owner=os.getpid())
    try:
        with demo_site(servers.get("pg15"), servers, tmp_path) as site:
            run_on(site, "server_killed")
    finally:
        servers.stop()


def test_a_copy_whose_rows_nobody_may_see_stays(one_incident: Site) -> None:
    run_on(one_incident, "forced_row_security_hides_the_rows_of_a_copy")


@pytest.mark.parametrize(
    "scenario",
    ["backend_terminated_in_each_late_step", "invalid_index_of_a_broken_try_is_cleared_away", "two_repairs_at_once"],
)
def test_steps_after_the_transaction_are_gone_on_with_after(one_incident: Site, scenario: str) -> None:
    needs_late_steps(one_incident)
    run_on(one_incident, scenario, large_pages=0)


@pytest.mark.parametrize(
    "scenario",
    [
        "unique_and_not_null_on_a_large_table",
        "values_written_beside_an_index_that_was_built_concurrently",
        "index_that_differs_on_a_large_table",
        "index_whose_replacement_was_broken_off",
        "undo_after_an_index_that_was_broken_off",
        "rebuild_of_an_index_with_a_long_name_that_was_broken_off",
        "unique_constraint_that_differs_on_a_large_table",
        "index_of_another_table_by_the_name_of_ours",
        "sequence_that_goes_on_while_it_is_set",
    ],
)
def test_a_large_table_is_rehearsed_gone_on_with_and_taken_back(one_healthy: Site, scenario: str) -> None:
    run_on(one_healthy, scenario, large_pages=0)


def needs_late_steps(site: Site) -> None:
    """An index to be built concurrently, and a key to be validated."""
    [[index]] = site.rows(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'teams_teammembership' AND indexdef LIKE '%(team_id)' LIMIT 1"
    )
    [[key]] = site.rows(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'public.teams_teammembership'::regclass "
        "AND contype = 'f' AND confrelid = 'public.teams_team'::regclass"
    )
    site.execute(f'DROP INDEX public."{index}"')
    site.execute(f'ALTER TABLE public.teams_teammembership DROP CONSTRAINT "{key}"')

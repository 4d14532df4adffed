"""Before and after a run of ``migrate``: where its tables would land, and whether what it recorded is there.

Made for signals: the run's own connection is used, whatever transaction it is in, and left as it was. What only the
second half needs is loaded then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cascade.core.drift import Drift
from cascade.core.guard import GoesAstray, detect_going_astray
from cascade.core.ignore import ignore
from cascade.core.made_by_run import StateTable
from cascade.core.observed import Observed
from cascade.core.placement import Placement, decide_placement, work_out_path
from cascade.core.whereabouts import AskedPath, make_whereabouts
from cascade.errors import NoSuchName
from cascade.workflows.cursor import database_errors, raw_cursor
from cascade.workflows.question import Question, with_settings

if TYPE_CHECKING:
    from cascade.sources.migrate_run import Plan
    from cascade.sources.project import Project


@dataclass(frozen=True, slots=True)
class Proof:
    """What of a run is not where it belongs, or not within the application role's reach; nothing where all is well."""

    amiss: tuple[Drift, ...]
    placement: Placement


def look_before(project: "Project", alias: str, plan: "Plan", apps: Any) -> GoesAstray | None:
    """What the plan would make outside of the target schema. Asks the database only where it makes tables at all.

    ``apps`` are the models before the run. Raises a ``CascadeError`` where it cannot be told.
    """
    from cascade.sources.migrate_run import read_tables_to_make
    from cascade.sources.project import asked_search_path, client_search_path, open_connection, server_address

    tables = read_tables_to_make(plan, apps, alias)
    if not tables:
        return None
    question = with_settings(Question(database=alias), project)
    connection = open_connection(alias)
    observed = _read(connection, question, names=())
    placement, asked = _place(observed, connection, question), asked_search_path(connection)
    whereabouts = make_whereabouts(
        observed,
        host=server_address(connection.settings_dict),
        placement=placement,
        settings_path=client_search_path(connection.settings_dict),
        asked=AskedPath(*asked) if asked else None,
    )
    return detect_going_astray(whereabouts, tables)


def look_after(project: "Project", alias: str, made: Sequence[StateTable]) -> Proof:
    """Whether what a run made, or recorded as made, is in its place. Raises a ``CascadeError`` if it cannot be told."""
    from cascade.core.proof import detect_amiss
    from cascade.sources.project import open_connection

    question = with_settings(Question(database=alias), project)
    connection = open_connection(alias)
    observed = _read(connection, question, names=tuple(sorted({table.name.name for table in made})))
    placement = _place(observed, connection, question)
    amiss, _ = ignore(detect_amiss(made, observed, placement), project.cascade.ignore, complete=False)
    return Proof(amiss, placement)


def _read(connection: Any, question: Question, *, names: tuple[str, ...]) -> Observed:
    """The database with these tables in full, in a transaction of its own or within the one that is open."""
    from cascade.sources.catalog import CatalogScope, read_catalog, read_catalog_within

    is_open = connection.in_atomic_block or not connection.get_autocommit()
    read = read_catalog_within if is_open else read_catalog
    scope = CatalogScope(tables=names, histories=(), rows=(), counters=(), names=())
    with database_errors(), raw_cursor(connection) as cursor:
        return read(cursor, scope, app_role=question.app_role or "")


def _place(observed: Observed, connection: Any, question: Question) -> Placement:
    from cascade.sources.project import client_search_path

    if not observed.application_role_exists:
        raise NoSuchName("role", observed.application_role, observed.known_roles, where=f" on {observed.database}")
    path = work_out_path(observed, client_path=client_search_path(connection.settings_dict))
    return decide_placement(observed, path, schema=question.schema)

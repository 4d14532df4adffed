"""Where names lead and where new tables would land, for the role that serves pages and for the one that migrates."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cascade.core.observed import Observed
from cascade.core.placement import (
    PathSource,
    Placement,
    SearchPath,
    parse_search_path,
    work_out_connected_path,
    work_out_path,
)


@dataclass(frozen=True, slots=True)
class AskedPath:
    """The search_path that the client sent when it connected, and where it took it from (``PGOPTIONS``)."""

    setting: str
    where: str


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a table made now would land: a schema; or none, and why not."""

    schema: str | None
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role with its search_path; ``migrates`` is the connected role, ``serves`` the application's. It can be one."""

    role: str
    serves: bool
    migrates: bool
    path: SearchPath
    landing: Landing


@dataclass(frozen=True, slots=True)
class HistoryPlace:
    """A ``django_migrations``: its schema, its rows or why nobody knows them, whether it is the one that counts."""

    schema: str
    records: int | None
    problem: str | None
    counts: bool


@dataclass(frozen=True)
class Whereabouts:
    """The one screen that explains a table in the wrong schema.

    ``placement`` is None where it cannot be decided, for the reason in ``undecided``. ``holdings`` are the schemas by
    how many of the expected tables they hold, the target first; ``expected`` how many there are and ``nowhere`` how
    many of them no schema holds. All three are None where the expected side cannot be worked out, for the reason in
    ``not_expected``. ``lost`` is what the client asked for and the session did not get.
    """

    host: str
    observed: Observed
    roles: tuple[RoleView, ...]
    histories: tuple[HistoryPlace, ...]
    placement: Placement | None
    undecided: str = ""
    asked: AskedPath | None = None
    lost: AskedPath | None = None
    expected: int | None = None
    holdings: tuple[tuple[str, int], ...] | None = None
    nowhere: int | None = None
    not_expected: str = ""

    @property
    def target(self) -> str | None:
        """Where tables belong, as far as that is decided."""
        return self.placement.target if self.placement else None


def make_whereabouts(
    observed: Observed,
    *,
    host: str,
    placement: Placement | None = None,
    undecided: str = "",
    settings_path: str | None = None,
    asked: AskedPath | None = None,
    expected: Iterable[str] | None = None,
    not_expected: str = "",
) -> Whereabouts:
    """All of it from one reading. ``expected`` are the bare names of the tables that applied migrations made.

    ``settings_path`` is what DATABASES asks for, which every role would get; ``asked`` what this connection asked for.
    """
    target = placement.target if placement else None
    names = None if expected is None else sorted(set(expected))
    return Whereabouts(
        host=host,
        observed=observed,
        roles=_roles(observed, settings_path, asked),
        histories=tuple(_histories(observed, target)),
        placement=placement,
        undecided=undecided,
        asked=asked,
        lost=asked if asked and _is_lost(asked, observed) else None,
        expected=None if names is None else len(names),
        holdings=None if names is None else _holdings(names, observed, target),
        nowhere=None if names is None else sum(name not in observed.layout.copies for name in names),
        not_expected=not_expected,
    )


def _roles(observed: Observed, settings_path: str | None, asked: AskedPath | None) -> tuple[RoleView, ...]:
    connected = work_out_connected_path(observed, client_path=settings_path)
    if connected.source is PathSource.CLIENT and asked is not None:
        connected = replace(connected, where=asked.where)
    may_create = {schema.name: schema.create for schema in observed.schemas}
    role = observed.connected_as
    if observed.application_role == role:
        return (RoleView(role, True, True, connected, _landing(role, connected, may_create)),)
    path = work_out_path(observed, client_path=settings_path)
    application, may = observed.application_role, {s.name: s.application_create for s in observed.schemas}
    return (
        RoleView(application, True, False, path, _landing(application, path, may)),
        RoleView(role, False, True, connected, _landing(role, connected, may_create)),
    )


def _landing(role: str, path: SearchPath, may_create: dict[str, bool] | dict[str, bool | None]) -> Landing:
    """The first schema on the path that exists and may be used (PostgreSQL, Schemas, 5.10.3); no other is tried."""
    if not path.effective:
        return Landing(None, "no schema on its search_path exists and may be used")
    first = path.effective[0]
    if may_create.get(first) is False:
        return Landing(None, f"{first} comes first, and {role} may not create there")
    return Landing(first)


def _histories(observed: Observed, target: str | None) -> Iterable[HistoryPlace]:
    readings = {reading.schema: reading for reading in observed.histories}
    for schema in observed.history_schemas:
        reading = readings.get(schema)
        records = len(reading.history.records) if reading and reading.history else None
        yield HistoryPlace(schema, records, reading.problem if reading else None, schema == target)


def _is_lost(asked: AskedPath, observed: Observed) -> bool:
    """Whether the session has another path than the client sent, and nobody set it since: it was dropped on the way.

    PgBouncer refuses start-up parameters that it does not know, or drops those in ``ignore_startup_parameters``.
    """
    role = observed.connected_as
    differs = parse_search_path(asked.setting, role=role) != parse_search_path(observed.session_path, role=role)
    return differs and observed.session_path_source not in (PathSource.CLIENT.value, PathSource.SESSION.value)


def _holdings(names: Iterable[str], observed: Observed, target: str | None) -> tuple[tuple[str, int], ...]:
    counts = Counter(
        table.name.schema for name in names for table in observed.layout.copies.get(name, ()) if table.kind.holds_rows
    )
    return tuple(sorted(counts.items(), key=lambda item: (item[0] != target, -item[1], item[0])))

"""Where names lead and where new tables would land, for the role that serves pages and for the one that migrates."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cascade.core.layout import TableName
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


@dataclass(frozen=True, slots=True)
class PathLost:
    """Amiss: start-up parameters did not arrive. ``found`` is the path that the session has instead."""

    asked: AskedPath
    found: str


@dataclass(frozen=True, slots=True)
class LandsAstray:
    """Amiss: a table that the migrating role makes now lands where it does not belong."""

    role: str
    schema: str
    target: str


@dataclass(frozen=True, slots=True)
class TargetUnseen:
    """Amiss: the role that serves pages does not look where tables belong. ``unfound`` of them it finds nowhere."""

    role: str
    target: str
    unfound: int = 0


@dataclass(frozen=True, slots=True)
class TablesUnseen:
    """Amiss: so many expected tables are not in their place, but in a schema where the serving role does not look."""

    role: str
    schema: str
    number: int


@dataclass(frozen=True, slots=True)
class TablesTwice:
    """Amiss: so many expected tables are in their place and in another schema as well.

    ``is_found``: there the serving role finds them, before their place.
    """

    role: str
    schema: str
    number: int
    is_found: bool


Amiss = PathLost | LandsAstray | TargetUnseen | TablesUnseen | TablesTwice
"""What puts tables, or looks for them, where they do not belong."""


@dataclass(frozen=True)
class Whereabouts:
    """The one screen that explains a table in the wrong schema.

    ``placement`` is None where it cannot be decided, for the reason in ``undecided``. ``holdings`` are the schemas by
    how many of the expected tables they hold, the target first; ``expected`` how many there are and ``nowhere`` how
    many of them no schema holds. All three are None where the expected side cannot be worked out, for the reason in
    ``not_expected``. ``lost`` is what the client asked for and the session did not get; ``amiss`` what is risky, the
    causes before the consequences.
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
    amiss: tuple[Amiss, ...] = ()

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
    expected: Iterable[TableName] | None = None,
    not_expected: str = "",
) -> Whereabouts:
    """All of it from one reading. ``expected`` are the places of the tables that applied migrations made.

    ``settings_path`` is what DATABASES asks for, which every role would get; ``asked`` what this connection asked for.
    """
    target = placement.target if placement else None
    held = None if expected is None else _held(frozenset(expected), observed)
    roles, histories = _roles(observed, settings_path, asked), tuple(_histories(observed, target))
    lost = asked if asked and _is_lost(asked, observed) else None
    return Whereabouts(
        host=host,
        observed=observed,
        roles=roles,
        histories=histories,
        placement=placement,
        undecided=undecided,
        asked=asked,
        lost=lost,
        expected=None if held is None else len(held),
        holdings=None if held is None else _holdings(held, target),
        nowhere=None if held is None else sum(not places for places in held.values()),
        not_expected=not_expected,
        amiss=(
            *([PathLost(lost, observed.session_path)] if lost else ()),
            *(amiss for view in roles if target is not None for amiss in _led_astray(view, target, held or {})),
            *_unseen(held or {}, observed, roles),
            *_twice(held or {}, target, observed, roles),
        ),
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


def _led_astray(view: RoleView, target: str, held: Mapping[TableName, tuple[TableName, ...]]) -> Iterable[Amiss]:
    landing = view.landing.schema
    if view.migrates and landing is not None and landing != target:
        yield LandsAstray(view.role, landing, target)
    if view.serves and target not in view.path.effective:
        lost = [n for n, places in held.items() if n in places and n.schema == target and not _sees(view, places)]
        yield TargetUnseen(view.role, target, len(lost))


def _sees(view: RoleView, places: Iterable[TableName]) -> bool:
    return any(place.schema in view.path.effective for place in places)


def _held(names: frozenset[TableName], observed: Observed) -> dict[TableName, tuple[TableName, ...]]:
    """Of each expected table the places where one of its bare name is; not where another expected one belongs."""
    return {
        name: tuple(
            copy.name
            for copy in observed.layout.copies.get(name.name, ())
            if copy.kind.holds_rows and (copy.name == name or copy.name not in names)
        )
        for name in names
    }


def _unseen(
    held: Mapping[TableName, tuple[TableName, ...]], observed: Observed, roles: Iterable[RoleView]
) -> Iterable[TablesUnseen]:
    """Where strays lie unseen of tables that are not in their place.

    A schema with a record of its own is an environment, and what it holds is no stray.
    """
    serving = next(view for view in roles if view.serves)
    seen = {*serving.path.effective, *observed.history_schemas}
    strays = Counter(place.schema for name, places in held.items() if name not in places for place in places)
    return (TablesUnseen(serving.role, schema, strays[schema]) for schema in sorted(strays) if schema not in seen)


def _twice(
    held: Mapping[TableName, tuple[TableName, ...]], target: str | None, observed: Observed, roles: Iterable[RoleView]
) -> Iterable[TablesTwice]:
    """Where second copies lie of tables that are in the target, those first that are found instead of them.

    What an environment holds counts where the role finds it before the target. Requests name the schema of a table
    that belongs in another one, so no copy is in its way.
    """
    serving = next(view for view in roles if view.serves)
    order = {schema: position for position, schema in enumerate(serving.path.effective)}
    copies = Counter(
        place.schema
        for name, places in held.items()
        if name.schema == target and name in places
        for place in places
        if place != name
    )
    found = {schema for schema in copies if order.get(schema, len(order)) < order.get(target or "", len(order))}
    for schema in sorted(copies, key=lambda schema: (schema not in found, schema)):
        if schema in found or schema not in observed.history_schemas:
            yield TablesTwice(serving.role, schema, copies[schema], schema in found)


def _holdings(held: Mapping[TableName, tuple[TableName, ...]], target: str | None) -> tuple[tuple[str, int], ...]:
    counts = Counter(place.schema for places in held.values() for place in places)
    return tuple(sorted(counts.items(), key=lambda item: (item[0] != target, -item[1], item[0])))

"""The guard: whether a run of ``migrate`` would put tables where they do not belong."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cascade.core.history import MigrationKey
from cascade.core.placement import Placement
from cascade.core.whereabouts import AskedPath, LandsAstray, RoleView, Whereabouts
from cascade.errors import CascadeError, NoSuchName


class GuardMode(Enum):
    """What is done about it: ``CASCADE["GUARD"]``."""

    ERROR = "error"
    """``migrate`` is refused."""
    WARN = "warn"
    """It is said on stderr."""
    OFF = "off"
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class TableToMake:
    """A table that a migration is about to make under a name without a schema."""

    name: str
    migration: MigrationKey


@dataclass(frozen=True, slots=True)
class GoesAstray:
    """A run of ``migrate`` that would make ``tables`` in ``landing`` though they belong in the target.

    ``view`` is the migrating role with its search_path and where that is set; ``lost`` is the path that the client
    asked for and the session did not get.
    """

    database: str
    host: str
    view: RoleView
    landing: str
    placement: Placement
    tables: tuple[TableToMake, ...]
    lost: AskedPath | None = None


def parse_guard_mode(value: object) -> GuardMode:
    """The value of ``CASCADE["GUARD"]``. Raises a ``CascadeError`` for any other than the three words.

    >>> parse_guard_mode("warn")
    <GuardMode.WARN: 'warn'>
    """
    if not isinstance(value, str):
        raise CascadeError(f'CASCADE["GUARD"] in the settings is {value!r}.', hint='Give it "error", "warn" or "off".')
    known = [mode.value for mode in GuardMode]
    if value not in known:
        raise NoSuchName("way to guard", value, known, where=' for CASCADE["GUARD"] in the settings')
    return GuardMode(value)


def detect_going_astray(whereabouts: Whereabouts, tables: Iterable[TableToMake]) -> GoesAstray | None:
    """Whether these tables would land elsewhere than in the target; None too where that cannot be told."""
    tables, placement = tuple(tables), whereabouts.placement
    if not tables or placement is None:
        return None
    astray = next((amiss for amiss in whereabouts.amiss if isinstance(amiss, LandsAstray)), None)
    if astray is None:
        return None
    view = next(view for view in whereabouts.roles if view.migrates)
    return GoesAstray(
        whereabouts.observed.database, whereabouts.host, view, astray.schema, placement, tables, whereabouts.lost
    )

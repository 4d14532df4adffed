"""What a person decides where the evidence does not, or where cascade must not."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a person decided; bare table names throughout.

    ``take`` a table that is not in its place from a schema, ``create`` one anew whatever bears its name elsewhere,
    ``keep`` of several copies the one in that schema, however many rows the others have: those are put into the attic.
    ``fill``: by ``table.column`` the SQL expression that old rows get in a NOT NULL column that is added.
    ``leave_out``: ids of steps, or names of actions such as ``grant_table``, that the plan is to do without.
    ``large_pages``: from how many pages of 8 kB on indexes are built without blocking writers.
    ``made_on`` is the day of the plan as ``20261123``, which names the attic; ``""`` is the day of the reading.
    """

    take: Mapping[str, str] = field(default_factory=dict)
    create: frozenset[str] = frozenset()
    keep: Mapping[str, str] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()
    large_pages: int = 8_192
    made_on: str = ""

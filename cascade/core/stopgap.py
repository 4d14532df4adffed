"""A statement that restores service without DDL on any table. Advice: it is never run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import quoted
from cascade.core.observed import Observed
from cascade.core.placement import PathSource, Placement, resolve


@dataclass(frozen=True, slots=True)
class Stopgap:
    """``sql`` puts the schema last on the path, ``reverse`` takes it back, ``restart`` says what has to notice.

    Where the schema is that where tables belong, it comes first on the path, and this is the repair (``is_repair``).
    Where it cannot be had ``sql`` is empty and ``refused_because`` says which conditions fail.
    """

    schema: str = ""
    sql: str = ""
    reverse: str = ""
    restart: str = ""
    refused_because: tuple[str, ...] = ()
    is_repair: bool = False


def suggest_stopgap(
    in_scope: Iterable[Drift],
    all_drifts: Iterable[Drift],
    expected: ExpectedLayout,
    observed: Observed,
    placement: Placement,
) -> Stopgap | None:
    """The search_path that makes every broken table of the scope found again, or which condition fails.

    None where nothing in scope is broken for being in another schema, or where the role does not look.
    """
    broken = [drift for drift in in_scope if drift.severity is Severity.BROKEN]
    misplaced = [drift for drift in broken if drift.kind is DriftKind.MISPLACED_TABLE]
    if not misplaced:
        return _to_the_target(broken, observed, placement)
    schemas = sorted({copy.schema for drift in misplaced for copy in drift.copies})
    refused = [
        *_not_whole(broken),
        *([f"the tables lie in {len(schemas)} schemas: {', '.join(schemas)}"] if len(schemas) > 1 else []),
    ]
    if len(schemas) == 1:
        refused += _not_usable(schemas[0], observed, placement)
        refused += _newly_found(schemas[0], all_drifts, expected, observed, placement)
    words = _words(schemas[0], observed.database, placement)
    if words is None:
        refused.append(f"the search_path is {placement.path.where}, which no setting changes")
    if refused or words is None:
        return Stopgap(refused_because=tuple(refused))
    return words


def _to_the_target(broken: list[Drift], observed: Observed, placement: Placement) -> Stopgap | None:
    """The path that leads to where tables belong, if any is broken for want of it."""
    if not any(drift.is_off_the_path for drift in broken):
        return None
    words = _words(placement.target, observed.database, placement, first=True)
    if words is None:
        return Stopgap(refused_because=(f"the search_path is {placement.path.where}, which no setting changes",))
    return replace(words, is_repair=True)


def _not_whole(broken: list[Drift]) -> list[str]:
    """Broken tables that do not lie complete in the other schema."""
    others = [drift for drift in broken if drift.kind is not DriftKind.MISPLACED_TABLE]
    if not others:
        return []
    first = others[0]
    name = f"{first.table.name if first.table else ''}{'.' if first.object else ''}{first.object}"
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    return [f"not all that is broken lies complete in one other schema: {first.kind.value} {name}{more}"]


def _not_usable(schema: str, observed: Observed, placement: Placement) -> list[str]:
    facts = observed.schema(schema)
    return [] if facts is not None and facts.usage else [f"{placement.role} may not USE {quoted(schema)}"]


def _newly_found(
    schema: str, drifts: Iterable[Drift], expected: ExpectedLayout, observed: Observed, placement: Placement
) -> list[str]:
    """Names of models, other than the misplaced, that would lead into the schema from then on."""
    misplaced = {drift.table.name for drift in drifts if drift.kind is DriftKind.MISPLACED_TABLE and drift.table}
    of_models = {name.name for name in expected.tables} | expected.known_names
    of_models |= {name for migration in expected.pending for name in migration.tables}
    newly = sorted(
        table.name.name
        for table in observed.layout.tables.values()
        if table.name.schema == schema
        and table.name.name in of_models - misplaced
        and resolve(table.name.name, placement.path, observed.layout) is None
    )
    return [f"{', '.join(newly)} in {quoted(schema)} would be found by a model too"] if newly else []


def _words(schema: str, database: str, placement: Placement, *, first: bool = False) -> Stopgap | None:
    """The statement for the place where the path is set, what must notice it, and the reverse."""
    role, path = quoted(placement.role), placement.path
    parts = (quoted(schema), path.setting) if first else (path.setting, quoted(schema))
    longer = ", ".join(part for part in parts if part.strip())
    restart = "then restart the workers: a connection keeps the path that it was opened with"
    as_role = f"as {role} itself or a superuser"  # a role may change its own defaults (ALTER ROLE)
    match path.source:
        case PathSource.CLIENT:
            where = f"in {path.where}: -c search_path="
            return Stopgap(schema, where + _spaceless(longer), where + _spaceless(path.setting), restart)
        case PathSource.ROLE_IN_DATABASE:
            change = f"ALTER ROLE {role} IN DATABASE {quoted(database)}"
        case PathSource.ROLE:
            change = f"ALTER ROLE {role}"
        case PathSource.DATABASE:
            change = f"ALTER DATABASE {quoted(database)}"
        case PathSource.EVERY_ROLE | PathSource.SERVER | PathSource.DEFAULT:
            change = f"ALTER ROLE {role} IN DATABASE {quoted(database)}"
            reverse = f"{change} RESET search_path;"
            return Stopgap(schema, f"{change} SET search_path = {longer};", reverse, f"{as_role}; {restart}")
        case PathSource.SESSION | PathSource.UNKNOWN:
            return None
        case _:
            assert_never(path.source)
    who = "as its owner or a superuser" if path.source is PathSource.DATABASE else as_role
    reverse = f"{change} SET search_path = {path.setting};"
    return Stopgap(schema, f"{change} SET search_path = {longer};", reverse, f"{who}; {restart}")


def _spaceless(path: str) -> str:
    """A path as it can stand in connection options, where a space would end it."""
    return re.sub(r"\s*,\s*", ",", path)

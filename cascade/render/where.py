"""Where names lead and where new tables would land, for people and for programs."""

from collections.abc import Iterator
from typing import Any, assert_never

from cascade.core.layout import quoted
from cascade.core.whereabouts import (
    Amiss,
    LandsAstray,
    PathLost,
    RoleView,
    TablesTwice,
    TablesUnseen,
    TargetUnseen,
    Whereabouts,
)
from cascade.core.words import counted, listed
from cascade.render.json_text import json_text
from cascade.render.paragraphs import INDENT, padded, painted, separated, wrapped
from cascade.render.wording import database_at, moment, printable

SCHEMA_VERSION = 1
"""Grows when a program that reads the old form could be misled by the new one."""

MOST = 8
"""How many schemas are listed by name."""


def render_where(whereabouts: Whereabouts, *, colour: bool = False, width: int = 100) -> str:
    """One screen: each role's search_path, its source, what is passed over, where a table made now would land; where
    the record of migrations lies; which schemas hold the expected tables; and first of all what of this is amiss.
    """
    page = _Page(width)
    unseen = [amiss for amiss in whereabouts.amiss if _breaks(amiss)]
    others = [amiss for amiss in whereabouts.amiss if amiss not in unseen]
    blocks = (
        _header(whereabouts, width),
        [
            *page.said("BROKEN", *map(_amiss, unseen)),
            *page.said("RISKY", *map(_amiss, others)),
            *page.said("UNSURE", whereabouts.undecided),
        ],
        [line for view in whereabouts.roles for line in _role(view, page)],
        [*page.said("HISTORY", *_histories(whereabouts)), *page.said("TABLES", *_tables(whereabouts))],
        page.said("NEXT", "cascade plan: what fails, why, and what repairs it") if whereabouts.amiss else [],
    )
    lines = list(separated(blocks))
    return "".join(f"{painted(line) if colour else line}\n" for line in lines)


def _breaks(amiss: Amiss) -> bool:
    return isinstance(amiss, TablesUnseen) or (isinstance(amiss, TargetUnseen) and amiss.unfound > 0)


def render_where_json(whereabouts: Whereabouts) -> str:
    """The same for programs."""
    observed, placement = whereabouts.observed, whereabouts.placement
    document = {
        "schema_version": SCHEMA_VERSION,
        "host": whereabouts.host,
        "database": observed.database,
        "server_version": observed.server.short_version,
        "read_at": observed.read_at,
        "target_schema": placement.target if placement else None,
        "target_because": placement.target_because if placement else None,
        "undecided": whereabouts.undecided,
        "roles": [_role_document(view) for view in whereabouts.roles],
        "asked": _asked_document(whereabouts),
        "histories": [
            {"schema": place.schema, "records": place.records, "problem": place.problem, "counts": place.counts}
            for place in whereabouts.histories
        ],
        "expected_tables": whereabouts.expected,
        "not_expected": whereabouts.not_expected,
        "holdings": None
        if whereabouts.holdings is None
        else [{"schema": schema, "tables": number} for schema, number in whereabouts.holdings],
        "nowhere": whereabouts.nowhere,
        "amiss": [_amiss(amiss) for amiss in whereabouts.amiss],
    }
    return json_text(document)


class _Page:
    """Paragraphs with a label at the left of the first."""

    def __init__(self, width: int) -> None:
        self._width = width

    def said(self, label: str, *texts: str) -> list[str]:
        """The texts, each a paragraph; nothing where there are none."""
        lines = [line for text in texts for line in wrapped(printable(text), self._width, first=INDENT, hang=INDENT)]
        return [padded(label, INDENT) + lines[0][INDENT:], *lines[1:]] if lines else []


def _header(whereabouts: Whereabouts, width: int) -> list[str]:
    observed = whereabouts.observed
    text = (
        f"{database_at(observed.database, whereabouts.host)}, PostgreSQL {observed.server.short_version}, "
        f"read at {moment(observed.read_at)}. Nothing was changed."
    )
    return wrapped(printable(text), width, hang=2)


def _amiss(amiss: Amiss) -> str:
    match amiss:
        case PathLost(asked, found):
            return (
                f"Start-up parameters did not arrive: {asked.where} asks for search_path {asked.setting}, the session "
                f"has {found or 'an empty one'}. A pooler drops them (PgBouncer: ignore_startup_parameters); set the "
                "path by ALTER ROLE … SET search_path instead."
            )
        case LandsAstray(role, schema, target):
            return f"A table that {quoted(role)} makes now lands in {quoted(schema)}, and belongs in {quoted(target)}."
        case TargetUnseen(role, target, unfound):
            lost = f": it does not find {counted(unfound, 'table')} there" if unfound else ""
            return f"{quoted(role)} serves pages and does not look in {quoted(target)}, where tables belong{lost}."
        case TablesUnseen(role, schema, number):
            be = "is" if number == 1 else "are"
            tables = counted(number, "expected table")
            return f"{tables} {be} in {quoted(schema)}, where {quoted(role)} does not look."
        case TablesTwice(role, schema, number, is_found):
            it, its = ("is", "its") if number == 1 else ("are", "their")
            tables = f"{counted(number, 'expected table')} {it} in {its} place and in {quoted(schema)} as well"
            return (
                f"{tables}, where {quoted(role)} finds {'it' if number == 1 else 'them'} first."
                if is_found
                else f"{tables}; whether there are rows in both is not read here."
            )
    assert_never(amiss)


def _role(view: RoleView, page: _Page) -> list[str]:
    duties = {(True, True): "serves pages and migrates", (True, False): "serves pages", (False, True): "migrates"}
    label = "PAGES" if view.serves else "MIGRATE"
    doing = duties[view.serves, view.migrates]
    connected = ", the connected role," if view.migrates else ""
    looks = f"looks in {listed([quoted(schema) for schema in view.path.effective], MOST)}"
    landing = (
        f"A table that it made now would land in {quoted(view.landing.schema)}."
        if view.landing.schema is not None
        else f"It could make no table now: {view.landing.why_not}."
    )
    return page.said(
        label,
        f"{quoted(view.role)}{connected} {doing}, and {looks if view.path.effective else 'finds no schema at all'}.",
        f"search_path {view.path.setting or 'empty'} ({view.path.where}).",
        *(f"{quoted(skipped.name)} is passed over: {skipped.why}." for skipped in view.path.skipped),
        landing,
    )


def _histories(whereabouts: Whereabouts) -> Iterator[str]:
    """Where the record of migrations lies: the one that counts first, and why it does."""
    if not whereabouts.histories:
        yield "There is no django_migrations in any schema: nothing is recorded as applied."
    for place in sorted(whereabouts.histories, key=lambda place: not place.counts)[:MOST]:
        if place.records is not None:
            rows = counted(place.records, "record")
        else:
            rows = f"not read: {place.problem}" if place.problem else "not read"
        because = whereabouts.placement.target_because if whereabouts.placement else ""
        counts = f" It counts: {because}." if place.counts else ""
        yield f"{quoted(place.schema)}.django_migrations ({rows}).{counts}"
    if len(whereabouts.histories) > MOST:
        yield f"And {len(whereabouts.histories) - MOST:,} more."
    if whereabouts.placement is not None:
        yield from whereabouts.placement.notes


def _tables(whereabouts: Whereabouts) -> Iterator[str]:
    if whereabouts.expected is None:
        yield f"Which tables are expected could not be worked out: {whereabouts.not_expected}"
    elif whereabouts.expected == 0:
        yield "No applied migration makes a table."
    else:
        held = [f"{quoted(schema)} holds {number:,}" for schema, number in whereabouts.holdings or ()]
        nowhere = f"; {whereabouts.nowhere:,} {'is' if whereabouts.nowhere == 1 else 'are'} in no schema"
        where = listed(held, MOST) if held else "no schema holds any"
        yield (
            f"Of {counted(whereabouts.expected, 'expected table')}, {where}"
            f"{nowhere if whereabouts.nowhere and held else ''}."
        )


def _role_document(view: RoleView) -> dict[str, Any]:
    return {
        "role": view.role,
        "serves": view.serves,
        "migrates": view.migrates,
        "search_path": view.path.setting,
        "search_path_source": view.path.where,
        "search_path_effective": list(view.path.effective),
        "search_path_skipped": [{"schema": skipped.name, "why": skipped.why} for skipped in view.path.skipped],
        "creation_schema": view.landing.schema,
        "creation_refused": view.landing.why_not,
    }


def _asked_document(whereabouts: Whereabouts) -> dict[str, Any] | None:
    asked = whereabouts.asked
    if asked is None:
        return None
    return {"search_path": asked.setting, "source": asked.where, "arrived": whereabouts.lost is None}

"""What is said before and after a run of ``migrate``, for its stderr: short, and what to do."""

import json
from collections.abc import Iterable

from cascade.core.drift import Drift
from cascade.core.findings import DriftKind
from cascade.core.guard import GoesAstray
from cascade.core.layout import quoted
from cascade.core.placement import Placement
from cascade.core.words import counted, listed
from cascade.render.paragraphs import padded, wrapped
from cascade.render.wording import printable, short_name

_LABEL = 14


def render_going_astray(astray: GoesAstray, *, is_refused: bool, most: int = 8, width: int = 100) -> str:
    """What would land where, the search_path and where it is set, where it belongs and why, and what to do."""
    placement, path, target = astray.placement, astray.view.path, quoted(astray.placement.target)
    landing, number = quoted(astray.landing), counted(len(astray.tables), "table")
    they_belong = "it belongs" if len(astray.tables) == 1 else "they belong"
    paragraphs = [
        ("tables", listed([quoted(table.name) for table in astray.tables], most)),
        ("database", f"{quoted(astray.database)} on {astray.host}, as {quoted(astray.view.role)}"),
        ("search_path", f"{path.setting or 'empty'}, set by {path.where}"),
        *(("passed over", f"{quoted(skipped.name)}: {skipped.why}") for skipped in path.skipped),
        ("belong in", f"{target}, because {placement.target_because}"),
        ("what to do", f"{_advice(astray)}{'; then run migrate again' if is_refused else ''}."),
        ("", f'Or, if {landing} is right: CASCADE["SCHEMA"] = {json.dumps(astray.landing)} in these settings.'),
    ]
    if is_refused:
        head = (
            f"migrate was refused, nothing was changed: it would make {number} in {landing}; {they_belong} in {target}."
        )
        paragraphs.append(("", 'To be told and not refused: CASCADE["GUARD"] = "warn".'))
    else:
        head = f"migrate makes {number} in {landing}; {they_belong} in {target}."
    lines = [head, *(line for label, text in paragraphs for line in _said(label, text, width))]
    return "\n".join(map(printable, lines))


def render_proof(amiss: Iterable[Drift], placement: Placement) -> str:
    """A line for each table or column that the run recorded and that is not where it is looked for."""
    amiss = tuple(amiss)
    columns = sum(drift.kind is DriftKind.MISSING_COLUMN for drift in amiss)
    tables = {drift.table for drift in amiss if drift.kind is not DriftKind.MISSING_COLUMN}
    parts = [(len(tables), "table"), (columns, "column")]
    things = listed([counted(number, thing) for number, thing in parts if number])
    lines = [
        f"migrate recorded {things} that {quoted(placement.role)} does not reach in {quoted(placement.target)}:",
        *(f"  {_named(drift, placement)}" for drift in amiss),
        "  Next: manage.py cascade plan, for why and the order of repair.",
    ]
    return "\n".join(map(printable, lines))


def _said(label: str, text: str, width: int) -> list[str]:
    lines = wrapped(text, width, first=_LABEL, hang=_LABEL)
    return [padded(f"  {label}", _LABEL) + lines[0][_LABEL:], *lines[1:]]


def _advice(astray: GoesAstray) -> str:
    target, role = astray.placement.target, astray.view.role
    if any(skipped.name == target and "may not USE" in skipped.why for skipped in astray.view.path.skipped):
        return f"GRANT USAGE ON SCHEMA {quoted(target)} TO {quoted(role)}"
    if astray.lost is not None:
        return f"a pooler dropped the search_path: ALTER ROLE {quoted(role)} SET search_path = {quoted(target)}"
    return f"put {quoted(target)} first on the search_path where it is set ({astray.view.path.where})"


def _named(drift: Drift, placement: Placement) -> str:
    assert drift.table is not None, "the kinds of a proof are those of tables"
    table = short_name(drift.table, placement.target)
    by = f"  ({drift.made_by.migration})" if drift.made_by else ""
    return f"{_sentence(drift, table)}{by}"


def _sentence(drift: Drift, table: str) -> str:
    match drift.kind:
        case DriftKind.MISSING_COLUMN:
            return f"{table}.{quoted(drift.object)} is missing"
        case DriftKind.MISPLACED_TABLE | DriftKind.MISSING_TABLE:
            return f"{table} is {drift.observed}"
        case _:
            return f"{table}: {drift.observed}"

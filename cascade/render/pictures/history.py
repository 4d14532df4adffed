"""The record of migrations in a plan's JSON: the rows of ``cascade history``, as far as the JSON knows them."""

from collections.abc import Iterator

from cascade.core.documents import JSON, moment_of, table_of
from cascade.core.findings import DriftKind
from cascade.core.history import MigrationKey
from cascade.core.layout import quoted
from cascade.core.timeline import PAUSE, Entry, Standing, counted_by_place
from cascade.core.words import counted
from cascade.render.history_ladder import HistoryLadder, Window
from cascade.render.pictures.ladder import DrawnLadder, drawn_ladder
from cascade.render.pictures.picture import Picture
from cascade.render.wording import window


def draw_history(plan: JSON) -> Picture | None:
    """Which migration was recorded when, and where what is not in its place landed; None where all is in place."""
    entries = tuple(entries_kept(plan))
    astray = [entry for entry in entries if entry.astray]
    if not astray:
        return None
    windows = [
        Window(cause["sentence"], cause["first"], cause["last"], frozenset(map(_key, cause["migrations"])))
        for cause in plan["causes"]
        if cause["first"] and cause["last"]
    ]
    header = (
        f"{counted(len(entries), 'migration')} recorded, {window(entries[0].applied, entries[-1].applied)}.",
        f"{counted(len(astray), 'migration')} of which not all is where it belongs.",
        "Counted are tables, and columns that came later.",
    )
    ladder = HistoryLadder(plan["database"], header, entries, windows, plan["target_schema"], whole=False)
    return Picture("history", "When it happened", ladder.description(), drawn_ladder(ladder.parts(DrawnLadder)))


def entries_kept(plan: JSON) -> Iterator[Entry]:
    """The records in order, with where that is found which has a finding, as ``make_timeline`` has it of all."""
    made: dict[str, list[tuple[str, tuple[str, ...], bool]]] = {}
    drifts = (*plan["drifts"], *plan["left_out"])
    moved = {table_of(drift) for drift in drifts if DriftKind(drift["kind"]).is_about_place}
    for table in plan["tables"]:
        for migration, name, places in _made(table, moved=table_of(table) in moved):
            made.setdefault(migration, []).append((name, places, places != (table["schema"],)))
    before = None
    for record in plan["records"]:
        applied = moment_of(record["applied"])
        things = made.get(record["migration"], [])
        yield Entry(
            _key(record["migration"]),
            Standing.APPLIED,
            record["position"],
            record["applied"],
            found=counted_by_place(places for _, places, _ in things),
            astray=tuple(name for name, _, is_astray in things if is_astray),
            starts_a_run=bool(before and applied and applied - before > PAUSE),
        )
        before = applied or before


def _made(table: JSON, *, moved: bool) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The migration, name and places of a table and of each column that came later.

    Copies that no finding speaks of, such as a tenant's, are none.
    """
    copies = [copy for copy in table["found"] if moved or copy["schema"] == table["schema"]]
    yield table["migration"], quoted(table["table"]), tuple(copy["schema"] for copy in copies)
    for column in table["columns"]:
        if column["migration"] != table["migration"]:
            holders = (copy["schema"] for copy in copies if column["name"] in copy["columns"])
            yield column["migration"], f"{quoted(table['table'])}.{quoted(column['name'])}", tuple(holders)


def _key(name: str) -> MigrationKey:
    app, _, rest = name.partition(".")
    return MigrationKey(app, rest)

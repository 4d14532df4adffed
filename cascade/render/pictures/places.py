"""Which tables lay in which schema, and where they lie afterwards."""

from cascade.core.documents import JSON
from cascade.core.exploring import map_tables_kept, name_of
from cascade.core.findings import DriftKind
from cascade.core.overview import make_overview
from cascade.core.table_map import TableMap
from cascade.core.words import counted
from cascade.render.graph_words import GraphWords, by_schema, meanings_of
from cascade.render.pictures.boxes import draw_apps, draw_place
from cascade.render.pictures.picture import Picture
from cascade.render.pictures.shapes import Shape, below, beside, titled, words

MOST_BELOW = 27
"""So many boxes stand below one another."""


def draw_places(before: JSON, after: JSON | None) -> Picture | None:
    """The tables that are not where they belong, or not only there, before and after the repair; or None.

    Without a look from after it, what the plan's steps cure is shown as it will be.
    """
    drifts = (*before["drifts"], *before["left_out"])
    names = {name_of(drift) for drift in drifts if DriftKind(drift["kind"]).is_about_place}
    if not names:
        return None
    now = map_tables_kept(before, names)
    then = now.repaired(_cured(before, after))
    panels = [_words(now, before), _words(then, before)]
    title = "before the repair", "after the repair" if after else "after the repair, as planned"
    drawn = beside(
        *(
            below(words([word.capitalize()], bold=True), _panel(texts), gap=8)
            for word, texts in zip(title, panels, strict=True)
        ),
        gap=24,
    )
    told = [f"{counted(len(names), 'table')} not, or not only, in the right place."]
    told += panels[0].folded()
    shape = titled("Where the tables lay", " ".join(told), drawn, meanings_of(*panels))
    heard = (f"{word.capitalize()}: {_in_words(texts)}." for word, texts in zip(title, panels, strict=True))
    return Picture("places", "Where the tables lay", " ".join((*told, *heard)), shape)


def _cured(before: JSON, after: JSON | None) -> set[str]:
    """The findings that the steps cure, or that a later look finds no more."""
    if after is None:
        return {cure for step in before["steps"] for cure in step["cures"]}
    left = {drift["id"] for drift in (*after["drifts"], *after["left_out"])}
    return {drift["id"] for drift in (*before["drifts"], *before["left_out"])} - left


def _words(tables: TableMap, plan: JSON) -> GraphWords:
    # Keys are another picture's: here is where things lie.
    tables = TableMap(tables.tables, (), tables.of_all)
    return GraphWords(tables, make_overview(tables), plan["database"], plan["target_schema"], closer="cascade graph")


def _panel(texts: GraphWords) -> Shape:
    return below(
        *(
            draw_place(texts, schema, draw_apps(texts, boxes, most=MOST_BELOW))
            for schema, boxes in by_schema(texts.overview)
        ),
        gap=12,
    )


def _in_words(texts: GraphWords) -> str:
    counts: dict[str, int] = {}
    for table in texts.tables.tables:
        place = "no schema" if table.place is None else table.place
        counts[place] = counts.get(place, 0) + 1
    return ", ".join(f"{counted(number, 'table')} in {place}" for place, number in sorted(counts.items()))

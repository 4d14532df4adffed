"""For looking around in Jupyter, or in any Python: what the command line says, as objects.

import cascade
a = cascade.analyse()              # the project and its database
a = cascade.load("plan.json")      # what was kept of them: no Django, no database

a.drifts.where(app="teams").to_frame()
a.draw(table="2+bounty")
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

from cascade.core.decisions import Decisions
from cascade.core.documents import JSON, serious
from cascade.core.exploring import Without, find_node, leave_out, name_of
from cascade.core.graph import NamedGraph, Selector, build_named_graph, parse_selector, within_steps
from cascade.core.words import counted
from cascade.errors import CascadeError, MissingExtra, NoSuchName
from cascade.render.exploring import (
    render_rows_html,
    render_rows_text,
    render_without,
)
from cascade.render.pictures import Picture, draw_neighbourhood, draw_steps
from cascade.render.wording import moment, printable
from cascade.workflows.exploring import explore, load_file
from cascade.workflows.question import Question

Bundle = dict[str, str]


def analyse(
    settings: str | None = None,
    *,
    database: str = "default",
    app: str | Iterable[str] = (),
    table: str | Iterable[str] = (),
    schema: str | None = None,
    app_role: str | None = None,
    pythonpath: str | None = None,
    reference: str | None = None,
    observed: str | Path | None = None,
    decisions: Decisions | None = None,
) -> "Analysis":
    """Read the project and its database, and compare them; nothing is changed. The words are those of ``cascade plan``.

    ``settings`` is found as on the command line where it is not given. ``observed`` is a look by ``catalog.sql`` that
    takes the place of the database. Works where an event loop runs, as in a notebook. Raises a ``CascadeError`` that
    says what to try, also for a second project: Django knows one in a process.
    """
    question = Question(
        settings=settings,
        pythonpath=pythonpath,
        database=database,
        schema=schema,
        app_role=app_role,
        apps=_several(app),
        tables=_several(table),
        reference=reference,
        observed_file=Path(observed) if observed is not None else None,
        decisions=decisions or Decisions(),
    )
    return Analysis(explore(question))


def load(path: str | Path) -> "Analysis":
    """What ``cascade plan -o plan.json`` or ``catalog.sql`` wrote, without Django or a database.

    A look by ``catalog.sql`` is one side alone: it has tables and keys, and its drifts are not known.
    """
    document, compared = load_file(Path(path))
    return Analysis(document, compared=compared)


def _several(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


class Rows(Sequence[JSON]):
    """Some things of a plan, each as the plan's JSON describes it; shown as a table of the columns that matter most."""

    def __init__(self, rows: Iterable[JSON], columns: Sequence[str], title: str) -> None:
        self._rows = tuple(rows)
        self._columns = tuple(columns)
        self._title = title

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> JSON: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows": ...
    def __getitem__(self, index: int | slice) -> "JSON | Rows":
        if isinstance(index, slice):
            return Rows(self._rows[index], self._columns, self._title)
        return self._rows[index]

    def __iter__(self) -> Iterator[JSON]:
        return iter(self._rows)

    def where(self, **wanted: Any) -> "Rows":
        """Those of which all of these hold: ``where(app="teams", severity=["broken", "risky"])``.

        Raises ``NoSuchName`` for a column that none of them has.
        """
        known = {name for row in self._rows for name in row}
        for name in wanted:
            if self._rows and name not in known:
                raise NoSuchName("column", name, known, where=f" in {self._title}s")
        kept = (row for row in self._rows if all(_is_one_of(row.get(name), value) for name, value in wanted.items()))
        return Rows(kept, self._columns, self._title)

    def to_frame(self) -> Any:
        """All that is known of them as a ``DataFrame``. Raises ``MissingExtra`` where pandas is not installed."""
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise MissingExtra("pandas, which makes frames,", extra="notebook") from error
        names = list(dict.fromkeys(name for row in self._rows for name in row)) or list(self._columns)
        return pd.DataFrame([dict(row) for row in self._rows], columns=names)

    def __repr__(self) -> str:
        return render_rows_text(self._rows, self._columns, self._caption)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/plain": repr(self), "text/html": render_rows_html(self._rows, self._columns, self._caption)}

    @property
    def _caption(self) -> str:
        return counted(len(self), self._title)


def _is_one_of(value: Any, wanted: Any) -> bool:
    """Whether it is what is wanted, or one of several that are."""
    return bool(value == wanted) or (
        isinstance(wanted, list | tuple | set | frozenset) and any(value == one for one in wanted)
    )


class Drawing:
    """A picture, shown as SVG, and as words where there is none."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    @property
    def svg(self) -> str:
        """The picture as a file of its own would hold it."""
        return self._picture.alone

    def save(self, path: str | Path) -> None:
        """Write the SVG there. Raises ``FileError`` where that cannot be done."""
        from cascade.effects.files import write_file

        write_file(Path(path), self.svg)

    def __repr__(self) -> str:
        return printable(f"{self._picture.title}. {self._picture.description}")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/plain": repr(self), "image/svg+xml": self.svg}


class PlanView(Rows):
    """The steps in their order; shown as the ladder."""

    def __init__(self, document: JSON) -> None:
        super().__init__(document["steps"], ("position", "action", "table", "object", "sql"), "step")
        self._document = document

    @property
    def id(self) -> str:
        """The short name of the plan."""
        return str(self._document["plan_id"])

    @property
    def sql(self) -> str:
        """The statements, one after the other."""
        return "\n".join(statement for step in self for statement in step["sql"])

    def draw(self) -> Drawing | None:
        """The ladder, None where there is no step."""
        picture = draw_steps(self._document)
        return Drawing(picture) if picture else None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        drawing = self.draw()
        picture = {"image/svg+xml": drawing.svg} if drawing else {}
        return {"text/plain": repr(self), **picture} if drawing else super()._repr_mimebundle_()


class TableView:
    """One table: where it is, what is amiss with it, its columns and keys."""

    def __init__(self, node: JSON, document: JSON) -> None:
        self._node = node
        self._document = document

    @property
    def name(self) -> str:
        """As SQL names it."""
        return name_of(self._node)

    @property
    def status(self) -> str:
        """``in_place``, or the kind of the worst finding."""
        return str(self._node["status"])

    @property
    def found_in(self) -> tuple[str, ...]:
        """The schemas that hold a table of this name, the right one first."""
        return tuple(place["schema"] for place in self._node["found"])

    @property
    def drifts(self) -> Rows:
        """What is amiss with it, within the scope and outside."""
        every = (*self._document["drifts"], *self._document["left_out"])
        return _drifts(drift for drift in every if name_of(drift) == self.name)

    @property
    def steps(self) -> Rows:
        """The steps that repair it."""
        own = (step for step in self._document["steps"] if name_of(step) == self.name)
        return Rows(own, ("position", "action", "object", "sql"), "step")

    @property
    def columns(self) -> Rows:
        """The columns that it should have: known of a table with a finding, and of a look."""
        found = next((t for t in self._document["tables"] if name_of(t) == self.name), None)
        columns = found["columns"] if found else ()
        return Rows(columns, tuple(columns[0]) if columns else ("name", "type"), "column")

    @property
    def keys(self) -> Rows:
        """The foreign keys that start here, and those that lead here."""
        rows = [
            {"name": edge["name"], "from": name_of(edge), "columns": edge["columns"], "to": name_of(edge["references"])}
            for edge in self._document["edges"]
            if self.name in (name_of(edge), name_of(edge["references"]))
        ]
        return Rows(rows, ("name", "from", "columns", "to"), "key")

    def __repr__(self) -> str:
        return "\n".join([self._head, *(repr(rows) for rows in self._parts)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        from html import escape

        parts = "".join(rows._repr_mimebundle_()["text/html"] for rows in self._parts)
        return {"text/plain": repr(self), "text/html": f"<p><strong>{escape(self._head)}</strong></p>{parts}"}

    @property
    def _head(self) -> str:
        model = f" ({self._node['model']})" if self._node["model"] else ""
        return printable(f"{self.name}{model}: {self.status}; found in {', '.join(self.found_in) or 'no schema'}")

    @property
    def _parts(self) -> tuple[Rows, ...]:
        return tuple(rows for rows in (self.drifts, self.steps, self.columns, self.keys) if rows)


class WithoutView:
    """What would change without a table; ``facts`` has it by parts."""

    def __init__(self, facts: Without) -> None:
        self.facts = facts

    def __repr__(self) -> str:
        return render_without(self.facts)


class Analysis:
    """All that is known of a database beside its migrations; made by ``cascade.analyse()`` or ``cascade.load()``.

    ``document`` is the plan's JSON as values.
    """

    def __init__(self, document: JSON, *, compared: bool = True) -> None:
        self.document = document
        self._compared = compared

    @property
    def drifts(self) -> Rows:
        """What is not as the applied migrations say, worst first."""
        return _drifts(self._of_two_sides["drifts"])

    @property
    def plan(self) -> PlanView:
        """The steps of the repair, in order."""
        return PlanView(self._of_two_sides)

    @property
    def causes(self) -> Rows:
        """What happened, as far as placement and history tell; ``began`` and ``ended`` are its moments in words."""
        rows = [
            {**cause, **{word: moment(cause[key]) if cause[key] else "" for word, key in _MOMENTS}}
            for cause in self._of_two_sides["causes"]
        ]
        return Rows(rows, ("sentence", "began", "ended", "evidence_for"), "cause")

    @property
    def tables(self) -> Rows:
        """The tables, each with its status and where it was found."""
        rows = [{**node, "found": [place["schema"] for place in node["found"]]} for node in self.document["nodes"]]
        return Rows(rows, ("schema", "table", "model", "status", "found"), "table")

    @cached_property
    def graph(self) -> NamedGraph:
        """Tables and foreign keys as a networkx graph: nodes are ``schema.table``, edges lead to what is needed."""
        return build_named_graph(self.document["nodes"], self.document["edges"])

    def table(self, name: str) -> TableView:
        """One table, by ``table``, ``schema.table``, ``app.Model`` or its name without the app."""
        return TableView(find_node(name, self.document["nodes"]), self.document)

    def draw(self, table: str | None = None) -> Drawing:
        """The keys around a table, ``2+bounty+1``: two keys on towards what it needs, one back to what needs it.

        A name alone draws one key in each direction; without a name it is what is amiss, with what that needs.
        """
        names, title = self._around(parse_selector(table)) if table else self._amiss()
        return Drawing(draw_neighbourhood(self.document, names, title))

    def without(self, table: str) -> WithoutView:
        """Which keys, steps and, where known, pages would change if that table were left as it is."""
        return WithoutView(leave_out(table, self._of_two_sides))

    def _around(self, selector: Selector) -> tuple[Collection[str], str]:
        start = name_of(find_node(selector.name, self.document["nodes"]))
        if selector.up == selector.down == 0:
            selector = Selector(selector.name, 1, 1)
        return within_steps(self.graph, start, selector), f"{start} and what is near it"

    def _amiss(self) -> tuple[Collection[str], str]:
        nodes = self.document["nodes"]
        amiss = {name_of(node) for node in nodes if node["status"] not in ("in_place", "not_compared")}
        if not amiss:
            return {name_of(node) for node in nodes}, "The tables and their keys"
        needed = {name_of(edge["references"]) for edge in self.document["edges"] if name_of(edge) in amiss}
        return amiss | needed, "What is amiss, and what it needs"

    @property
    def _of_two_sides(self) -> JSON:
        if not self._compared:
            raise CascadeError(
                "What was loaded is a look at a database alone, compared with nothing: its drifts are not known.",
                hint='cascade.analyse(observed="observed.json") compares it with what the project\'s migrations say.',
            )
        return self.document

    def __repr__(self) -> str:
        document = self.document
        head = f"{printable(document['database'])}, read at {moment(document['read_at'])}"
        tables = counted(len(document["nodes"]), "table")
        if not self._compared:
            return f"{head}: {tables}, {counted(len(document['edges']), 'key')}, compared with nothing."
        findings = list(serious(document["drifts"]))
        gaps = "" if document["complete"] else f" {counted(len(document['not_checked']), 'thing')} not checked."
        found = f"{counted(len(findings), 'finding')}, {counted(len(document['steps']), 'step')}"
        return f"{head}: {found if findings else 'no finding'} in {tables}.{gaps}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        from html import escape

        told = f"<p><strong>{escape(repr(self))}</strong></p>"
        findings = list(serious(self.document["drifts"])) if self._compared else []
        rows = _drifts(findings)._repr_mimebundle_()["text/html"] if findings else ""
        return {"text/plain": repr(self), "text/html": told + rows}


_MOMENTS = (("began", "first"), ("ended", "last"))


def _drifts(drifts: Iterable[JSON]) -> Rows:
    return Rows(drifts, ("severity", "kind", "table", "object", "observed", "migration"), "finding")

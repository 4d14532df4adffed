"""What one asks of a plan's JSON when looking around in it: which table, what is near it, what would go without it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cascade.core.documents import JSON, NewJSON, rows_kept, serious, table_of
from cascade.core.drift import Drift, worst_first
from cascade.core.findings import DriftKind, Severity
from cascade.core.layout import Constraint, ConstraintKind, TableName
from cascade.core.observed import Observed
from cascade.core.table_map import MappedKey, MappedTable, TableMap
from cascade.errors import NoSuchName


@dataclass(frozen=True, slots=True)
class Stop:
    """A page that would still fail: ``at`` what, and ``then`` what it would have met after that."""

    page: str
    at: str
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """What would change if a table were left as it is, or were not there.

    ``needs`` and ``needed_by`` are keys as (constraint, other table). ``steps`` are its own, ``waiting`` those that
    wait for one of them, directly or not. ``stops`` are the pages that would still fail, though all other steps ran:
    None where no page was asked, or where nothing is amiss with the table, for then no page tells of it. ``then`` are
    the objects that surface after it by the keys, where no page was asked.
    """

    table: str
    needs: tuple[tuple[str, str], ...]
    needed_by: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    waiting: tuple[str, ...]
    then: tuple[str, ...]
    stops: tuple[Stop, ...] | None
    is_amiss: bool

    @property
    def pages(self) -> tuple[str, ...] | None:
        """The names of the pages that would still fail, None where that is not known."""
        return None if self.stops is None else tuple(stop.page for stop in self.stops)


def find_node(name: str, nodes: Iterable[JSON]) -> JSON:
    """The table of that name: ``table``, ``schema.table``, ``app.Model``, or one of them without its app.

    Raises ``NoSuchName`` with the nearest names.
    """
    nodes = tuple(nodes)
    wanted = name.lower()
    ways = (
        lambda node: wanted in (node["table"].lower(), f"{node['schema']}.{node['table']}".lower(), name_of(node)),
        lambda node: wanted == node["model"].lower(),
        lambda node: wanted in (_without_app(node).lower(), node["model"].rpartition(".")[2].lower()),
    )
    found: list[JSON] = []
    for fits in ways:
        found = [node for node in nodes if fits(node)]
        if len(found) == 1:
            return found[0]
    raise NoSuchName("table", name, [node["table"] for node in found or nodes])


def name_of(entry: JSON) -> str:
    """As SQL names it."""
    return str(table_of(entry))


def leave_out(name: str, plan: JSON) -> Without:
    """What would change without that table. Raises ``NoSuchName`` where there is none of that name."""
    node = find_node(name, plan["nodes"])
    own = name_of(node)
    needs = [(edge["name"], name_of(edge["references"])) for edge in plan["edges"] if name_of(edge) == own]
    needed_by = [(edge["name"], name_of(edge)) for edge in plan["edges"] if name_of(edge["references"]) == own]
    steps = [step["id"] for step in plan["steps"] if name_of(step) == own]
    waiting = _waiting(steps, plan["steps"])
    left = _left_broken(own, {*steps, *waiting}, plan)
    exact = [chain for chain in plan["cascade"] if chain["source"] == "exact"]
    return Without(
        own,
        tuple(needs),
        tuple(needed_by),
        tuple(steps),
        tuple(waiting),
        () if exact else tuple(_predicted(left, plan["cascade"])),
        tuple(_stops(left, exact)) if exact and left else None,
        is_amiss=bool(left),
    )


def _left_broken(own: str, gone: Collection[str], plan: JSON) -> frozenset[str]:
    """What stays as it is for want of steps, by the names that chains have for it: all of the table, and what waits."""
    cures = {cure for step in plan["steps"] if step["id"] in gone for cure in step["cures"]}
    left = [drift for drift in _serious(plan) if drift["table"] and (name_of(drift) == own or drift["id"] in cures)]
    names = Counter(node["table"] for node in plan["nodes"])
    return frozenset(name for drift in left for name in names_in_chains(drift, alone=names[drift["table"]] == 1))


def names_in_chains(drift: JSON, *, alone: bool) -> tuple[str, ...]:
    """What chains may call the object of a finding: by the table's bare name only where no other table has that."""
    part = f".{drift['object']}" if drift["object"] else ""
    tables = (drift["table"], name_of(drift)) if alone else (name_of(drift),)
    return tuple(f"{table}{part}" for table in tables)


def _stops(left: Collection[str], exact: Iterable[JSON]) -> Iterator[Stop]:
    """Where each page stops: at the first thing in its chain that is left; what comes before that is repaired."""
    for chain in exact:
        for at, later in _where_it_stops(left, chain["objects"]):
            yield Stop(chain["probe"], at, later)


def _predicted(left: Collection[str], chains: Iterable[JSON]) -> Iterator[str]:
    """What surfaces after that by the keys, each once."""
    later = (name for chain in chains for _, names in _where_it_stops(left, chain["objects"]) for name in names)
    return iter(dict.fromkeys(later))


def _where_it_stops(left: Collection[str], objects: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The first of the objects that is left, and those after it that are not; nothing where none is left."""
    for number, name in enumerate(objects):
        if name in left:
            yield name, tuple(later for later in objects[number + 1 :] if later not in left)
            return


def _waiting(steps: Iterable[str], plan: Iterable[JSON]) -> list[str]:
    """The steps that wait for one of these, or for one that does; in the plan's order none waits for a later one."""
    gone, waiting = set(steps), []
    for step in plan:
        if step["id"] not in gone and gone.intersection(step["waits_for"]):
            gone.add(step["id"])
            waiting.append(step["id"])
    return waiting


def _without_app(node: JSON) -> str:
    return str(node["table"]).removeprefix(f"{node['app']}_")


# ---------------------------------------------------------------------------------------------------------------- map


def map_tables_kept(plan: JSON, names: Collection[str]) -> TableMap:
    """The tables of these names with their keys, and what is amiss on each, by a plan's JSON."""
    findings: dict[TableName, list[Drift]] = {}
    for drift in sorted(map(_drift, _serious(plan)), key=worst_first):
        if drift.table is not None:
            findings.setdefault(drift.table, []).append(drift)
    tables = [_mapped(node, findings.get(table_of(node), [])) for node in plan["nodes"] if name_of(node) in names]
    return TableMap(
        tuple(sorted(tables, key=lambda table: table.name)),
        tuple(_mapped_key(edge, findings) for edge in plan["edges"] if name_of(edge) in names),
        of_all=len(plan["nodes"]),
    )


def _serious(plan: JSON) -> Iterator[JSON]:
    return serious((*plan["drifts"], *plan["left_out"]))


def _drift(kept: JSON) -> Drift:
    """As much of a finding as a map shows."""
    return Drift(
        DriftKind(kept["kind"]),
        Severity(kept["severity"]),
        table_of(kept) if kept["table"] else None,
        object=kept["object"],
        observed=kept["observed"],
        copies=tuple(map(table_of, kept["copies"])),
        rows=tuple(rows_kept(copy["rows"]) for copy in kept["copies"]),
    )


def _mapped(node: JSON, findings: Sequence[Drift]) -> MappedTable:
    found = [place["schema"] for place in node["found"]]
    copies = [copy.schema for drift in findings if not drift.object for copy in drift.copies]
    own = [schema for schema in found if schema == node["schema"]]
    return MappedTable(
        table_of(node),
        node["app"],
        node["model"],
        places=tuple(dict.fromkeys((*own, *copies))),
        findings=tuple(findings),
        rows=next((drift.rows[0] for drift in findings if drift.rows and not drift.object), None),
    )


def _mapped_key(edge: JSON, findings: Mapping[TableName, Sequence[Drift]]) -> MappedKey:
    key = Constraint(edge["name"], ConstraintKind.FOREIGN_KEY, tuple(edge["columns"]))
    amiss = (drift for drift in findings.get(table_of(edge), ()) if drift.object == edge["name"])
    return MappedKey(table_of(edge), table_of(edge["references"]), key, next(amiss, None))


# --------------------------------------------------------------------------------------------------------------- look


def look_document(observed: Observed) -> NewJSON:
    """The tables and keys of a look at a database in the form of a plan's JSON: one side, compared with nothing."""
    tables = [table for table in observed.layout.tables.values() if table.kind.holds_rows and table.read_in_full]
    names = {table.name for table in tables}
    return {
        "database": observed.database,
        "host": "",
        "read_at": observed.read_at,
        "target_schema": "",
        "complete": True,
        "not_checked": [],
        "nodes": [
            {
                "schema": table.name.schema,
                "table": table.name.name,
                "app": "",
                "model": "",
                "status": "not_compared",
                "found": [{"schema": table.name.schema, "oid": table.oid}],
            }
            for table in tables
        ],
        "edges": [
            {
                "schema": table.name.schema,
                "table": table.name.name,
                "name": key.name,
                "columns": list(key.columns),
                "references": {
                    "schema": key.references.table.schema,
                    "table": key.references.table.name,
                    "columns": list(key.references.columns),
                },
            }
            for table in tables
            for key in table.foreign_keys
            if key.references is not None and key.references.table in names
        ],
        "tables": [
            {
                "schema": table.name.schema,
                "table": table.name.name,
                "columns": [{"name": c.name, "type": c.type, "nullable": c.nullable} for c in table.columns],
            }
            for table in tables
        ],
        "drifts": [],
        "left_out": [],
        "steps": [],
        "cascade": [],
        "causes": [],
        "records": [],
    }

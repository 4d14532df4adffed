"""What one asks of a plan's JSON when looking around in it: which table, what is near it, what would go without it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cascade.core.layout import TableName
from cascade.core.observed import Observed
from cascade.errors import NoSuchName

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Without:
    """What would change if a table were left as it is, or were not there.

    ``needs`` and ``needed_by`` are keys as (constraint, other table). ``steps`` are its own, ``waiting`` those that
    wait for one of them, directly or not. ``then`` are the objects that surface after it in a chain; ``pages`` the
    probes of those chains, None where no chain was measured with one.
    """

    table: str
    needs: tuple[tuple[str, str], ...]
    needed_by: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    waiting: tuple[str, ...]
    then: tuple[str, ...]
    pages: tuple[str, ...] | None


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
    return str(TableName(entry["schema"], entry["table"]))


def leave_out(name: str, plan: JSON) -> Without:
    """What would change without that table. Raises ``NoSuchName`` where there is none of that name."""
    node = find_node(name, plan["nodes"])
    own = name_of(node)
    needs = [(edge["name"], name_of(edge["references"])) for edge in plan["edges"] if name_of(edge) == own]
    needed_by = [(edge["name"], name_of(edge)) for edge in plan["edges"] if name_of(edge["references"]) == own]
    steps = [step["id"] for step in plan["steps"] if name_of(step) == own]
    called = {own, node["table"]}
    chains = [chain for chain in plan["cascade"] if called.intersection(chain["objects"])]
    measured = [chain["probe"] for chain in chains if chain["probe"]]
    return Without(
        own,
        tuple(needs),
        tuple(needed_by),
        tuple(steps),
        tuple(_waiting(steps, plan["steps"])),
        tuple(name for chain in chains for name in _after(called, chain["objects"])),
        tuple(dict.fromkeys(measured)) if measured else None,
    )


def _after(called: set[str], objects: Sequence[str]) -> Sequence[str]:
    return objects[max(number for number, name in enumerate(objects) if name in called) + 1 :]


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


def look_document(observed: Observed) -> dict[str, Any]:
    """The tables and keys of a look at a database in the form of a plan's JSON: one side, compared with nothing."""
    tables = [table for table in observed.layout.tables.values() if table.kind.holds_rows and table.read_in_full]
    names = {table.name for table in tables}
    return {
        "database": observed.database,
        "host": "",
        "read_at": observed.read_at,
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

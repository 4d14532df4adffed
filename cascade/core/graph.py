"""How tables hang together by their foreign keys, and in which order things can be done.

The only module that knows networkx: others hold the graph and ask it here. It is imported where it is used,
because that takes as long as reading a small database, and an answer without drift needs no graph.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from cascade.core.documents import table_of
from cascade.core.layout import Constraint, Table, TableName
from cascade.errors import CascadeError, NoSuchName

if TYPE_CHECKING:
    import networkx as nx

KeyGraph: TypeAlias = "nx.MultiDiGraph[TableName]"
"""Nodes are tables, edges foreign keys from the referencing to the referenced table."""


def build_graph(tables: Iterable[Table]) -> KeyGraph:
    """The tables and their foreign keys; an edge's key is the constraint's name, ``constraint`` the constraint.

    Nodes and edges are inserted by name, whatever the order given. A referenced table that is not among the
    tables is a node too, after the others.
    """
    import networkx as nx

    ordered = sorted(tables, key=lambda table: table.name)
    graph: KeyGraph = nx.MultiDiGraph()
    graph.add_nodes_from(table.name for table in ordered)
    for table in ordered:
        for key in sorted(table.foreign_keys, key=lambda key: key.name):
            if key.references is not None:
                graph.add_edge(table.name, key.references.table, key=key.name, constraint=key)
    return graph


def foreign_keys(graph: KeyGraph) -> tuple[tuple[TableName, TableName, Constraint], ...]:
    """Each foreign key as (referencing table, referenced table, constraint), by referencing table and name."""
    edges: Iterable[tuple[TableName, TableName, Constraint]] = graph.edges(data="constraint")
    return tuple(sorted(edges, key=lambda edge: (edge[0], edge[2].name)))


def connected_groups(
    graph: KeyGraph, members: Iterable[TableName], *, order: Callable[[TableName], Any]
) -> tuple[tuple[TableName, ...], ...]:
    """The members that keys among themselves connect, in either direction.

    Each group is in the given order, and the groups in the order of their first members.
    """
    import networkx as nx

    wanted = set(members)
    among_members: nx.Graph[TableName] = nx.Graph(graph.subgraph(wanted))
    among_members.add_nodes_from(wanted)
    groups = (tuple(sorted(group, key=order)) for group in nx.connected_components(among_members))
    return tuple(sorted(groups, key=lambda group: order(group[0])))


def reach_through_keys(
    graph: KeyGraph, start: Iterable[TableName], *, leads_on: Callable[[TableName, Constraint], bool]
) -> frozenset[TableName]:
    """The tables that are reached from the start along foreign keys, without the start itself.

    A key is followed where ``leads_on(referenced table, key)`` holds.
    """
    begun = set(start)
    reached = set(begun)
    waiting = list(begun)
    while waiting:
        edges: Iterable[tuple[TableName, TableName, Constraint]] = graph.out_edges(waiting.pop(), data="constraint")
        for _, to, constraint in edges:
            if to not in reached and leads_on(to, constraint):
                reached.add(to)
                waiting.append(to)
    return frozenset(reached - begun)


# ------------------------------------------------------------------------------------------------------------ selectors


@dataclass(frozen=True, slots=True)
class Selector:
    """A table and its neighbourhood: ``up`` keys towards what it needs, ``down`` towards what refers to it.

    None is as far as keys lead.
    """

    name: str
    up: int | None = 0
    down: int | None = 0

    def __str__(self) -> str:
        return _depth(self.up, "{}+") + self.name + _depth(self.down, "+{}")


def parse_selector(text: str) -> Selector:
    """Read a selector.

    >>> parse_selector("bounty"), parse_selector("2+bounty+")
    (Selector(name='bounty', up=0, down=0), Selector(name='bounty', up=2, down=None))
    >>> str(parse_selector("+user_profile.Bounty+1"))
    '+user_profile.Bounty+1'
    """
    match = _SELECTOR.fullmatch(text.strip())
    if match is None:
        raise CascadeError(
            f'"{text}" names no table.',
            hint="Say TABLE, +TABLE (what it needs), TABLE+ (what refers to it) or 2+TABLE.",
        )
    return Selector(match["name"], _steps(match["up"]), _steps(match["down"]))


def neighbourhood(graph: KeyGraph, selector: Selector) -> frozenset[TableName]:
    """The tables that a selector means; its name is a bare table name or ``schema.table``.

    Raises ``NoSuchName`` where no table of the graph has that name.
    """
    named = [table for table in graph if selector.name in _names(table)]
    if not named:
        raise NoSuchName("table", selector.name, {table.name for table in graph})
    needed = (_within(graph, table, selector.up) for table in named)
    referring = (_within(graph.reverse(copy=False), table, selector.down) for table in named)
    return frozenset[TableName]().union(named, *needed, *referring)


_SELECTOR = re.compile(r"(?:(?P<up>[0-9]*)\+)?(?P<name>[^+].*?)(?:\+(?P<down>[0-9]*))?", re.DOTALL)


def _steps(digits: str | None) -> int | None:
    """Nothing said is no step; a plus without a number is all of them."""
    return 0 if digits is None else int(digits) if digits else None


def _depth(steps: int | None, form: str) -> str:
    return "" if steps == 0 else form.format("" if steps is None else steps)


def _names(table: TableName) -> tuple[str, str, str]:
    return (table.name, f"{table.schema}.{table.name}", str(table))


def _within(graph: KeyGraph, table: TableName, steps: int | None) -> Collection[TableName]:
    import networkx as nx

    return nx.single_source_shortest_path_length(graph, table, cutoff=steps).keys()


# ---------------------------------------------------------------------------------------------------------------- order


def repair_order(waits_for: Mapping[str, Collection[str]], *, order: Mapping[str, Any]) -> tuple[str, ...]:
    """All steps, each after what it waits for; of those that could come next, the first by ``order``.

    Raises ``ValueError`` where steps wait for one another: a plan is made of steps too small for that.
    """
    import networkx as nx

    try:
        return tuple(nx.lexicographical_topological_sort(_waiting(waits_for), key=order.__getitem__))
    except nx.NetworkXUnfeasible as error:
        raise _cycle(waits_for) from error


def generations(waits_for: Mapping[str, Collection[str]]) -> tuple[tuple[str, ...], ...]:
    """The waves: each step in the first that comes after all it waits for, sorted by id within a wave.

    Raises ``ValueError`` where steps wait for one another.
    """
    import networkx as nx

    try:
        return tuple(tuple(sorted(wave)) for wave in nx.topological_generations(_waiting(waits_for)))
    except nx.NetworkXUnfeasible as error:
        raise _cycle(waits_for) from error


def _waiting(waits_for: Mapping[str, Collection[str]]) -> "nx.DiGraph[str]":
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(waits_for))
    graph.add_edges_from(_edges(waits_for))
    return graph


def _edges(waits_for: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    for step in sorted(waits_for):
        for earlier in sorted(waits_for[step]):
            if earlier not in waits_for:
                raise ValueError(f"{step} waits for {earlier}, which is no step of this plan")
            yield earlier, step


def _cycle(waits_for: Mapping[str, Collection[str]]) -> ValueError:
    import networkx as nx

    steps = [earlier for earlier, _ in nx.find_cycle(_waiting(waits_for))]
    return ValueError(f"steps wait for one another: {' -> '.join([*steps, steps[0]])}")


# ------------------------------------------------------------------------------------------------------ to look around


NamedGraph: TypeAlias = "nx.MultiDiGraph[str]"
"""Nodes are names, ``schema.table``."""


def build_named_graph(nodes: Iterable[Mapping[str, Any]], edges: Iterable[Mapping[str, Any]]) -> NamedGraph:
    """The graph of a plan's JSON with names as nodes, ``schema.table``, to be looked around in.

    A node has what the JSON says of it; an edge leads from the referencing to the referenced table, its key is the
    constraint's name, and it has the ``columns`` of both sides. A referenced table that is not listed is a node too.
    """
    import networkx as nx

    graph: NamedGraph = nx.MultiDiGraph()
    for node in nodes:
        graph.add_node(str(table_of(node)), **node)
    for edge in edges:
        to = edge["references"]
        graph.add_edge(
            str(table_of(edge)),
            str(table_of(to)),
            key=edge["name"],
            columns=tuple(edge["columns"]),
            references=tuple(to["columns"]),
        )
    return graph


def within_steps(graph: NamedGraph, start: str, selector: Selector) -> frozenset[str]:
    """The nodes that a selector means around one of them."""
    import networkx as nx

    needed = nx.single_source_shortest_path_length(graph, start, cutoff=selector.up)
    referring = nx.single_source_shortest_path_length(graph.reverse(copy=False), start, cutoff=selector.down)
    return frozenset((*needed, *referring))


def ranks(count: int, arrows: Collection[tuple[int, int]]) -> tuple[int, ...]:
    """Columns for the nodes from 0 on, so that arrows lead to the right, as short as may be; of a cycle all but one.

    What no arrow touches is in the first.

    >>> ranks(4, [(0, 1), (1, 2), (0, 2)])
    (0, 1, 2, 0)
    """
    after: dict[int, list[int]] = {}
    for start, end in sorted(arrows):
        after.setdefault(start, []).append(end)
    depth: dict[int, int] = {}
    for node in range(count):
        _measure(node, after, depth)
    deepest = max(depth.values(), default=0)
    touched = {end for arrow in arrows for end in arrow}
    return tuple(deepest - depth[node] if node in touched else 0 for node in range(count))


def in_columns(count: int, arrows: Sequence[tuple[int, int]], most: int) -> tuple[int, ...]:
    """``ranks`` in at most so many columns: an arrow that would need one more does not count, the first ones first.

    >>> in_columns(4, [(0, 1), (2, 3), (1, 2)], 2), in_columns(4, [(0, 1), (2, 3), (1, 2)], 4)
    ((0, 1, 0, 1), (0, 1, 2, 3))
    """
    free = ranks(count, arrows)
    if max(free, default=0) < most:
        return free
    kept: list[tuple[int, int]] = []
    for arrow in arrows:
        if max(ranks(count, [*kept, arrow]), default=0) < most:
            kept.append(arrow)
    return ranks(count, kept)


def _measure(node: int, after: Mapping[int, list[int]], depth: dict[int, int]) -> None:
    """How many arrows lead on from the node at most; those that lead back into the way there do not count."""
    way = [node]
    on_the_way = {node}
    while way:
        at = way[-1]
        waiting = [end for end in after.get(at, ()) if end not in depth and end not in on_the_way]
        if at not in depth and waiting:
            way.append(waiting[0])
            on_the_way.add(waiting[0])
            continue
        if at not in depth:
            depth[at] = max((depth[end] + 1 for end in after.get(at, ()) if end in depth), default=0)
        on_the_way.discard(way.pop())

"""The plan as a graph: sources, stages and sinks, and the edges between them.

orders -forward-> enrich -keyed-> minute-mart -forward-> warehouse
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelineplan.documents import Path
from pipelineplan.plan.data_plan import DataPlan
from pipelineplan.plan.stage import Exchange, Input

NodeKind = Literal["source", "stage", "sink"]


@dataclass(frozen=True)
class Edge:
    """Records flow from `upstream` to `downstream`; `selectivity` of them, spread by `exchange`."""

    upstream: str
    downstream: str
    exchange: Exchange
    key: str | None
    selectivity: float
    path: Path


@dataclass(frozen=True)
class Graph:
    """`order` lists node ids so that every node stands after its inputs."""

    kinds: Mapping[str, NodeKind]
    edges: tuple[Edge, ...]
    order: tuple[str, ...]

    def into(self, node: str) -> tuple[Edge, ...]:
        """The edges that end in `node`."""
        return tuple(edge for edge in self.edges if edge.downstream == node)

    def out_of(self, node: str) -> tuple[Edge, ...]:
        """The edges that begin in `node`."""
        return tuple(edge for edge in self.edges if edge.upstream == node)

    def above(self, node: str) -> tuple[str, ...]:
        """Every node that records of `node` have come through, in order, without `node` itself."""
        found: set[str] = set()
        todo = [node]
        while todo:
            for edge in self.into(todo.pop()):
                if edge.upstream not in found:
                    found.add(edge.upstream)
                    todo.append(edge.upstream)
        return tuple(name for name in self.order if name in found)


Faults = tuple[tuple[Path, str], ...]
_SECTIONS: tuple[tuple[str, NodeKind], ...] = (("sources", "source"), ("stages", "stage"), ("sinks", "sink"))


def build_graph(model: DataPlan) -> tuple[Graph, Faults]:
    """The graph of `model`, and what is wrong with it as pairs of path and message.

    Wrong are ids used twice, inputs that are no node, and cycles; the graph is whole only when
    nothing is wrong.
    """
    named = [
        (section, i, node.id) for section, _ in _SECTIONS for i, node in enumerate(getattr(model, section))
    ]
    kinds, wrong = _nodes(named)
    edges = tuple(_edges(model))
    order, more = _joined(kinds, edges)
    return Graph(kinds, edges, order), (*wrong, *more)


def graph_faults(data: Any) -> Faults:
    """What is wrong with the graph of a tree that is no plan yet, as far as ids and inputs can be read.

    Where an id cannot be read nothing is said about inputs that are no node: it may be that one.
    """
    entries = [(s, i, entry) for s, _ in _SECTIONS for i, entry in enumerate(_listed(data, s))]
    named = [(s, i, entry["id"]) for s, i, entry in entries if isinstance(_field(entry, "id"), str)]
    kinds, wrong = _nodes(named)
    edges = tuple(edge for s, i, entry in entries if s != "sources" for edge in _edges_of_entry(s, i, entry))
    whole = len(named) == len(entries) and all(isinstance(_field(data, s), list) for s, _ in _SECTIONS)
    known = edges if whole else tuple(edge for edge in edges if edge.upstream in kinds)
    return (*wrong, *_joined(kinds, known)[1])


def _joined(kinds: Mapping[str, NodeKind], edges: tuple[Edge, ...]) -> tuple[tuple[str, ...], Faults]:
    """The order of the nodes, and the inputs that are no node, or else a cycle."""
    unknown = [edge for edge in edges if kinds.get(edge.upstream, "sink") == "sink"]
    wrong = [(edge.path, _no_input(edge, kinds)) for edge in unknown]
    order, cycle = _sorted(tuple(kinds), tuple(edge for edge in edges if edge not in unknown))
    if cycle:
        path = next(edge.path for edge in edges if edge.downstream == cycle[0])
        wrong.append((path, f"a cycle: {' -> '.join((*cycle, cycle[0]))}; wanted records to flow one way"))
    return order, tuple(wrong)


def _nodes(named: list[tuple[str, int, str]]) -> tuple[dict[str, NodeKind], list[tuple[Path, str]]]:
    kinds: dict[str, NodeKind] = {}
    wrong: list[tuple[Path, str]] = []
    for section, index, node in named:
        if node in kinds:
            wrong.append(((section, index, "id"), f"the id {node!r} is used twice, wanted one of a kind"))
        kinds.setdefault(node, dict(_SECTIONS)[section])
    return kinds, wrong


def _field(data: Any, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def _listed(data: Any, name: str) -> list[Any]:
    found = _field(data, name)
    return found if isinstance(found, list) else []


def _edges_of_entry(section: str, index: int, entry: Any) -> list[Edge]:
    node = _field(entry, "id")
    reads = [read if isinstance(read, str) else _field(read, "from") for read in _listed(entry, "inputs")]
    return [
        Edge(read, node, "forward", None, 1.0, (section, index, "inputs", place))
        for place, read in enumerate(reads)
        if isinstance(read, str) and isinstance(node, str)
    ]


def _edges(model: DataPlan) -> list[Edge]:
    nodes = [("stages", i, stage.id, stage.inputs) for i, stage in enumerate(model.stages)]
    nodes += [("sinks", i, sink.id, sink.inputs) for i, sink in enumerate(model.sinks)]
    return [
        _edge(read, node, (section, index, "inputs", place))
        for section, index, node, inputs in nodes
        for place, read in enumerate(inputs)
    ]


def _edge(read: Input, node: str, path: Path) -> Edge:
    return Edge(read.upstream, node, read.exchange, read.key, float(read.selectivity), path)


def _no_input(edge: Edge, kinds: Mapping[str, NodeKind]) -> str:
    from difflib import get_close_matches

    if edge.upstream in kinds:
        return f"the sink {edge.upstream!r} cannot be an input, wanted a source or stage"
    known = [name for name, kind in kinds.items() if kind != "sink" and name != edge.downstream]
    close = get_close_matches(edge.upstream, known, n=1, cutoff=0.6)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"no source or stage is called {edge.upstream!r}{hint}, wanted one of {', '.join(sorted(known))}"


def _sorted(nodes: tuple[str, ...], edges: tuple[Edge, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Kahn's topological order that keeps the file's order, and one cycle if there is one."""
    waiting = {
        node: {e.upstream for e in edges if e.downstream == node and e.upstream in nodes} for node in nodes
    }
    order: list[str] = []
    while waiting:
        ready = [node for node, inputs in waiting.items() if not inputs]
        if not ready:
            return tuple(order), _cycle(waiting)
        order += ready
        waiting = {n: inputs - set(ready) for n, inputs in waiting.items() if n not in ready}
    return tuple(order), ()


def _cycle(waiting: Mapping[str, set[str]]) -> tuple[str, ...]:
    trail = [next(iter(waiting))]
    while True:
        upstream = min(name for name in waiting[trail[-1]] if name in waiting)
        if upstream in trail:
            return tuple(reversed(trail[trail.index(upstream) :]))
        trail.append(upstream)

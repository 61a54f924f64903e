"""Everything that is connected with a sink: stages that join, merge and part, simulated together.

    orders --+-> join -> mart -> warehouse      one whole: archive holds up warehouse, and the other
    clicks --+    +----> archive                way round, since both stand behind the same join

A source is read by each of its readers from a position of its own, so it does not connect them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.plan import Edge, Plan
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.simulation.reading.chains import Chain


@dataclass(frozen=True)
class Whole(Chain):
    """`sources[i]` is read over `reads[i]`; `edges` are those between stages and sinks.

    `order` lists the stages and sinks so that each stands after what it reads, `sink` last.
    """

    reads: tuple[Edge, ...] = ()
    order: tuple[str, ...] = ()

    def log_name(self, read: Edge) -> str:
        """The source, and its reader where it has several."""
        several = sum(each.upstream == read.upstream for each in self.reads) > 1
        return f"{read.upstream} for {read.downstream}" if several else read.upstream


def whole_of(plan: Plan, sink: Sink) -> Whole:
    """The stages and sinks connected with `sink`, and every source that one of them reads."""
    connected = _connected(plan, sink.id)
    nodes = [name for name in plan.graph.order if name in connected and name != sink.id]
    order = (*nodes, sink.id)
    into = [edge for name in order for edge in plan.graph.into(name)]
    reads = tuple(edge for edge in into if plan.graph.kinds[edge.upstream] == "source")
    return Whole(
        sources=_sources(plan, reads),
        stages=tuple(plan.stage(name) for name in order if plan.graph.kinds[name] == "stage"),
        sink=sink,
        edges=tuple(edge for edge in into if edge not in reads),
        reads=reads,
        order=order,
    )


def _sources(plan: Plan, reads: tuple[Edge, ...]) -> tuple[Source, ...]:
    return tuple(plan.source(edge.upstream) for edge in reads)


def _connected(plan: Plan, start: str) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        node = todo.pop()
        near = [edge.upstream for edge in plan.graph.into(node)]
        near += [edge.downstream for edge in plan.graph.out_of(node)]
        for name in near:
            if name not in found and plan.graph.kinds[name] != "source":
                found.add(name)
                todo.append(name)
    return found

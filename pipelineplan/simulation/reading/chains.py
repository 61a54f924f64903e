"""The ways of records through a plan: one chain per sink, back to the sources it is fed from.

    clicks -forward-> count -forward-> dashboard

Sources may flow together into the first stage by key. Where ways join later, or part, it is no
chain but a whole that is simulated together: see `wholes`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.plan import Edge, Plan
from pipelineplan.plan.jobs import crosses
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.reading.inflow import loudest_first


class NoChain(NotSimulated):
    """The ways of records to a sink join or part."""


@dataclass(frozen=True)
class Chain:
    """The way of records to one sink: `edges[i]` leads into `stages[i]`, the last into the sink."""

    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]
    sink: Sink
    edges: tuple[Edge, ...]

    @property
    def source(self) -> Source:
        """The only source, or the one with the highest rate."""
        return self.sources[0]

    @property
    def name(self) -> str:
        """`source -> sink`, or `source + source -> sink`."""
        return f"{' + '.join(source.id for source in self.sources)} -> {self.sink.id}"


def chain_to(plan: Plan, sink: Sink) -> Chain:
    """The one way of records to `sink`; raises `NoChain` where there is not exactly one."""
    edges: list[Edge] = []
    node = sink.id
    while plan.graph.kinds[node] != "source":
        into = plan.graph.into(node)
        if len(into) != 1 and not _flow_together(plan, into):
            names = ", ".join(edge.upstream for edge in into)
            raise NoChain(f"{node!r} has several inputs ({names})")
        edges.insert(0, into[0])
        node = into[0].upstream
        if plan.graph.kinds[node] == "source":
            break  # Whoever else reads it has a position of its own.
        readers = [edge.downstream for edge in plan.graph.out_of(node) if not _apart(plan, edge, into[0])]
        if len(readers) != 1:
            raise NoChain(f"{node!r} feeds several nodes ({', '.join(readers)})")
    stages = tuple(plan.stage(edge.downstream) for edge in edges[:-1])
    sources = tuple(plan.source(edge.upstream) for edge in plan.graph.into(edges[0].downstream))
    return Chain(loudest_first(plan, sources), stages, sink, tuple(edges))


def _apart(plan: Plan, edge: Edge, way: Edge) -> bool:
    """Whether an edge is another job's reading of the log that the way goes through."""
    return edge != way and crosses(plan, edge) and crosses(plan, way)


def _flow_together(plan: Plan, into: tuple[Edge, ...]) -> bool:
    """Whether inputs can be simulated as one stream: sources, dealt out by key in the same way."""
    return all(
        plan.graph.kinds[edge.upstream] == "source"
        and len(plan.graph.out_of(edge.upstream)) == 1
        and edge.exchange == "keyed"
        and edge.selectivity == into[0].selectivity
        for edge in into
    )


def workers_of(stage: Stage) -> int:
    """The subtasks of a stage; one where it states no parallelism."""
    return stage.parallelism.now if stage.parallelism is not None else 1

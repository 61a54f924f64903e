"""Reads a whole of a plan, in which ways join or part, into inputs of a simulation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from pipelineplan.plan import Edge
from pipelineplan.plan.source import Source
from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.network import Exchange, Inlet, Network, NotSimulated, SourceLog, Stage
from pipelineplan.simulation.reading.chain_reading import ChainReader
from pipelineplan.simulation.reading.chains import workers_of
from pipelineplan.simulation.reading.inflow import Inflow
from pipelineplan.simulation.reading.run_reading import runs_of
from pipelineplan.simulation.reading.usage_reading import usage_of
from pipelineplan.simulation.reading.wholes import Whole


@dataclass
class WholeReader(ChainReader):
    """Like a chain, but with a log for each read and inlets for each stage."""

    @property
    def ways(self) -> Whole:
        """The whole that is read."""
        return cast("Whole", self.chain)

    def network(self, end: End) -> Network:
        """All logs and stages of the whole, the judged sink last; raises `NotSimulated` for several jobs."""
        if len(self.jobs()) > 1:
            raise NotSimulated(
                f"stages of several jobs ({', '.join(self.jobs())}) join or part on the way to "
                f"{self.chain.sink.id!r}: only jobs one after the other are simulated; a log that several "
                "jobs read may stand between them, a join of two jobs or a second output of a job may not"
            )
        logs = tuple(self.logs(end))
        self.assumptions.append("records wait in the logs: what fits between the stages is counted there")
        return Network(
            source=logs[0],
            stages=tuple(self.nodes(end)),
            checkpoint=self.checkpoint(end),
            event_time=self.event_time(end),
            visible=self.visible(),
            absorbs_duplicates=self.absorbs(),
            beside=logs[1:],
            runs=runs_of(self.plan, self.reading(end)),
            usage=usage_of(self.plan, self.ways.sources, self.ways.stages, self.reading(end)),
        )

    def logs(self, end: End) -> Iterator[SourceLog]:
        """One log for each source that a stage reads, with its part of all that arrives at peak."""
        peaks = [
            Inflow(self.plan, (source,), self.reading(end)).peak_per_second() for source in self.ways.sources
        ]
        total = math.fsum(peaks)
        for read, source, peak in zip(self.ways.reads, self.ways.sources, peaks, strict=True):
            log = self.log_of(source, read, end)
            # The last part takes what rounding leaves, so that the parts sum to one.
            yield replace(
                log, name=self.ways.log_name(read), part=peak / total if total else 1.0 / len(peaks)
            )
        if len(set(self.ratios())) > 1:
            self.assumptions.append(
                "sources keep the ratio that their rates have at peak, also at the average load"
            )

    def ratios(self) -> list[float]:
        """Peak over average of each source."""
        flows = [Inflow(self.plan, (source,), self.reading(End.LIKELY)) for source in self.ways.sources]
        return [round(each.peak_per_second() / each.average_per_second(), 9) for each in flows]

    def log_of(self, source: Source, read: Edge, end: End) -> SourceLog:
        """The log that one source is, for one of its readers."""
        partitions = source.partitions or source.max_parallel_readers
        if partitions is None and read.exchange == "forward":
            raise NotSimulated(f"source {source.id!r} states no partitions: add sources[].partitions")
        return replace(
            self.kept(source, Inflow(self.plan, (source,), self.reading(end, hurts_high=False))),
            partitions=partitions or 1,
            hottest_key=Inflow(self.plan, (source,), self.reading(end)).hottest_key(),
        )

    def nodes(self, end: End) -> Iterator[Stage]:
        """Every stage and sink with its inlets."""
        for name in self.ways.order:
            if self.plan.graph.kinds[name] == "stage":
                yield replace(self.planned(self.plan.stage(name), end), inlets=tuple(self.inlets(name, end)))
            else:
                yield replace(self.writer(name, end), inlets=tuple(self.inlets(name, end)))

    def inlets(self, name: str, end: End) -> Iterator[Inlet]:
        """Where a node reads from."""
        for edge in self.plan.graph.into(name):
            source = self.plan.graph.kinds[edge.upstream] == "source"
            yield Inlet(
                self.ways.log_name(edge) if source else edge.upstream,
                Exchange(edge.exchange),
                edge.selectivity,
                self.hottest_of(edge, end),
            )

    def hottest_of(self, edge: Edge, end: End) -> float:
        """The hottest key's share at a keyed inlet, of the sources above that have that key."""
        if edge.exchange != "keyed":
            return 0.0
        above = {edge.upstream, *self.plan.graph.above(edge.upstream)}
        sources = tuple(self.plan.source(name) for name in above if self.plan.graph.kinds[name] == "source")
        ordered = tuple(sorted(sources, key=lambda source: source.id))
        return Inflow(self.plan, ordered, self.reading(end)).hottest_key(edge.key)

    def writer(self, name: str, end: End) -> Stage:
        """The stage that a sink is."""
        sink = next(each for each in self.plan.model.sinks if each.id == name)
        into = self.plan.graph.into(name)[0].upstream
        before = workers_of(self.plan.stage(into)) if self.plan.graph.kinds[into] == "stage" else 1
        capacity = self.plan.operand("μ_sink", sink, "capacity", f"capacity of a writer of {sink.id}")
        if capacity is None:
            self.assumptions.append(f"{sink.id} states no capacity and never limits")
        able = self.at(capacity, end, hurts_high=False, default=math.inf)
        return Stage(sink.id, sink.writers or before, able)

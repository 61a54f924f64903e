"""Reads one chain of a plan into inputs of a simulation, and gathers what is uncertain on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pipelineplan.documents import dotted
from pipelineplan.plan import Edge, Plan
from pipelineplan.plan.objectives import Outage as PlannedOutage
from pipelineplan.plan.semantics import event_time
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage as PlannedStage
from pipelineplan.simulation.arranging import DeclaredOutage, End, Inputs, Load, Pipeline
from pipelineplan.simulation.memory import Memory
from pipelineplan.simulation.network import (
    Checkpoint,
    EventTime,
    Exchange,
    Network,
    NotSimulated,
    OffsetReset,
    SourceLog,
    Stage,
    Visible,
)
from pipelineplan.simulation.reading.chains import Chain, workers_of
from pipelineplan.simulation.reading.checkpoint_reading import checkpoint_of
from pipelineplan.simulation.reading.fact_reading import facts_of
from pipelineplan.simulation.reading.inflow import Inflow, Read
from pipelineplan.simulation.reading.memory_reading import memory_of
from pipelineplan.simulation.reading.run_reading import runs_of
from pipelineplan.simulation.reading.stall_reading import stall_seconds, with_stalls
from pipelineplan.simulation.reading.usage_reading import usage_of
from pipelineplan.simulation.result import FreshnessTarget, Uncertain
from pipelineplan.simulation.scenario import Breaks
from pipelineplan.verdicts import Operand

# What is lost with a zone or a broker depends on what runs where, which a plan does not say: the
# worst is simulated, in which everything stands still until the repair.
_AT_WORST = {
    "zone": (Breaks.JOB, "nothing runs until the zone is back: less when other zones take over"),
    "broker": (Breaks.SOURCE, "nothing is read until the broker is back: less when replicas take over"),
}


def _breaks(outage: PlannedOutage) -> Breaks:
    return _AT_WORST[outage.of][0] if outage.of in _AT_WORST else Breaks(outage.of)


@dataclass
class ChainReader:
    """Reads one chain at each end, and gathers what is uncertain or assumed on the way."""

    plan: Plan
    chain: Chain
    uncertain: dict[str, Uncertain] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)

    def pipeline(self) -> Pipeline:
        """The chain at every end of its inputs, with its promises."""
        inputs = {end: self.inputs(end) for end in End}
        targets = tuple(self.targets())
        return Pipeline(
            self.chain.name,
            inputs,
            targets,
            tuple(self.uncertain.values()),
            tuple(dict.fromkeys([*self.assumptions, *self.left_out()])),
        )

    def at(
        self, operand: Operand | None, end: End, *, hurts_high: bool = True, default: float = 0.0
    ) -> float:
        """The operand's value at an end: its high end is the pessimistic one if `hurts_high`."""
        if operand is None:
            return default
        if operand.low < operand.high:
            self.uncertain.setdefault(
                operand.path, Uncertain(operand.path, f"{operand.name} {operand.shown}")
            )
        match end:
            case End.LIKELY:
                return operand.value
            case End.OPTIMISTIC:
                return operand.low if hurts_high else operand.high
            case End.PESSIMISTIC:
                return operand.high if hurts_high else operand.low

    def inputs(self, end: End) -> Inputs:
        """Network, load and outages at one end."""
        chain = self.chain
        facts = facts_of(self.plan, chain.source, chain.stages, chain.sink, self.reading(end))
        stall = stall_seconds(self.plan, chain.stages, self.reading(end))
        network = with_stalls(self.network(end), stall)
        return Inputs(network, self.load(end), tuple(self.outages(end)), facts)

    def network(self, end: End) -> Network:
        """The logs, stages and sink of the way, in base units."""
        return Network(
            source=self.source_log(end),
            stages=(*self.stages(end), self.sink_stage(end)),
            checkpoint=self.checkpoint(end),
            event_time=self.event_time(end),
            visible=self.visible(),
            absorbs_duplicates=self.absorbs(),
            runs=runs_of(self.plan, self.reading(end)),
            usage=usage_of(self.plan, self.chain.sources, self.chain.stages, self.reading(end)),
        )

    def inflow(self, end: End, *, hurts_high: bool = True) -> Inflow:
        """The chain's sources as one stream, read at `end`."""
        return Inflow(self.plan, self.chain.sources, self.reading(end, hurts_high=hurts_high))

    def reading(self, end: End, *, hurts_high: bool = True) -> Read:
        """How operands are read at an end."""
        return lambda operand: self.at(operand, end, hurts_high=hurts_high)

    def source_log(self, end: End) -> SourceLog:
        """The sources of the chain as one log."""
        inflow = self.inflow(end)
        log = self.kept(self.chain.source, self.inflow(end, hurts_high=False))
        return replace(log, name=inflow.name, partitions=self.partitions(), hottest_key=inflow.hottest_key())

    def kept(self, source: Source, inflow: Inflow) -> SourceLog:
        """The log of `source` with what retention leaves of it, and what its reader does then."""
        reset = source.consumer.offset_reset if source.consumer is not None else None
        seconds = inflow.retention_seconds()
        if math.isfinite(seconds) and reset is None:
            self.assumptions.append(
                "offset reset is earliest: a reader whose position expired goes on at the oldest"
            )
        retention, size = source.retention, self.plan.operand("size", source.record, "size", "record size")
        each = self.at(size, End.LIKELY, default=math.inf) or math.inf
        keeps = self.plan.operand("R_bytes", retention, "bytes_per_partition", "bytes kept")
        rolls = self.plan.operand("segment", retention, "segment", "segment time")
        rolled = self.plan.operand("segment_bytes", retention, "segment_bytes", "segment size")
        if keeps is not None and math.isinf(each):
            self.assumptions.append(f"{source.id}: retention by bytes needs record.size")
        return SourceLog(
            name=source.id,
            partitions=1,
            retention_seconds=seconds,
            offset_reset=OffsetReset(reset or "earliest"),
            retention_records=inflow.read(keeps) / each if keeps and math.isfinite(each) else math.inf,
            segment_seconds=self.at(rolls, End.LIKELY),
            segment_records=self.at(rolled, End.LIKELY) / each,
        )

    def partitions(self) -> int:
        """The partitions of all sources together, or how many read a source without any."""
        source, first = self.chain.source, self.chain.edges[0]
        stated = self.inflow(End.LIKELY).partitions()
        if stated is not None:
            return stated
        if first.exchange == "forward" and self.chain.stages:
            raise NotSimulated(f"source {source.id!r} states no partitions: add sources[].partitions")
        readers = source.max_parallel_readers or 1
        self.assumptions.append(
            f"{source.id} is read by {readers} in parallel, since it states no partitions"
        )
        return readers

    def stages(self, end: End) -> Iterator[Stage]:
        """The stages of the chain, in order."""
        for number, (planned, edge) in enumerate(zip(self.chain.stages, self.chain.edges, strict=False)):
            yield replace(
                self.planned(planned, end),
                exchange=self.exchange(number, edge, workers_of(planned)),
                hottest_key=self.keyed_hottest(edge, end),
                selectivity=edge.selectivity,
            )

    def planned(self, planned: PlannedStage, end: End) -> Stage:
        """A stage of the plan, without what its inputs add."""
        workers = workers_of(planned)
        capacity = self.plan.operand("μ", planned, "capacity", f"capacity of a worker of {planned.id}")
        if capacity is None:
            self.assumptions.append(f"{planned.id} states no capacity and never limits")
        return Stage(
            name=planned.id,
            workers=workers,
            capacity_per_second=self.at(capacity, end, hurts_high=False, default=math.inf),
            key_groups=planned.parallelism.key_groups if planned.parallelism else 0,
            buffer_records=(planned.buffer or 0) / workers,
            service_cv=1.0 if planned.service_cv is None else planned.service_cv,
            memory=self.memory(planned, end),
        )

    def memory(self, planned: PlannedStage, end: End) -> Memory | None:
        """What a stage remembers."""
        more, less = self.reading(end), self.reading(end, hurts_high=False)
        return memory_of(self.plan, planned, more, less)

    def exchange(self, number: int, edge: Edge, workers: int) -> Exchange:
        """How records come to stage `number`; lanes that cannot be paired are dealt out evenly."""
        before = workers_of(self.chain.stages[number - 1]) if number else workers
        if edge.exchange == "forward" and before != workers:
            self.assumptions.append(
                f"{edge.upstream} -> {edge.downstream} is dealt out evenly, as its {before} and {workers} "
                "workers cannot be paired"
            )
            return Exchange.REBALANCE
        return Exchange(edge.exchange)

    def keyed_hottest(self, edge: Edge, end: End) -> float:
        """The hottest key's share at a keyed edge."""
        return self.inflow(end).hottest_key(edge.key) if edge.exchange == "keyed" else 0.0

    def sink_stage(self, end: End) -> Stage:
        """The sink, as the last stage."""
        sink, edge = self.chain.sink, self.chain.edges[-1]
        before = workers_of(self.chain.stages[-1]) if self.chain.stages else self.partitions()
        workers = sink.writers or before
        capacity = self.plan.operand("μ_sink", sink, "capacity", f"capacity of a writer of {sink.id}")
        if capacity is None:
            self.assumptions.append(f"{sink.id} states no capacity and never limits")
        return Stage(
            name=sink.id,
            workers=workers,
            capacity_per_second=self.at(capacity, end, hurts_high=False, default=math.inf),
            exchange=self.exchange(len(self.chain.stages), edge, workers)
            if self.chain.stages
            else Exchange.FORWARD,
            selectivity=edge.selectivity,
        )

    def checkpoint(self, end: End) -> Checkpoint | None:
        """The checkpoints of the job: the largest task of any stage decides how long they take."""
        memories = {stage.id: self.memory(stage, end) for stage in self.chain.stages}
        more, less = self.reading(end), self.reading(end, hurts_high=False)
        return checkpoint_of(self.plan, self.chain.stages, memories, more, less)

    def event_time(self, end: End) -> EventTime:
        """How event time follows arrival, and what the disorder makes late."""
        windowed = [stage for stage in self.chain.stages if stage.window is not None]
        if not windowed:
            return EventTime(late_share=(0.0, 0.0), dropped_share=(0.0, 0.0))
        stated = event_time(self.plan, self.chain.source, windowed[0]) if len(windowed) == 1 else None
        if stated is None:
            return EventTime(unknown_freshness=_why_unknown(windowed))
        lag, window = self.at(stated.lag, end), self.at(stated.window, end)
        # Patience makes results older and fewer records late: what hurts here helps there.
        patience = [
            self.at(each, end, hurts_high=False) for each in (stated.lag, stated.window, stated.lateness)
        ]
        late, dropped = self.inflow(End.LIKELY).late_and_dropped(*patience)
        semantics = self.chain.source.semantics
        watermark = semantics.watermark if semantics else None
        return EventTime(
            watermark_lag_seconds=lag,
            watermark_interval_seconds=self.at(stated.interval, end),
            window_seconds=window,
            late_share=late,
            dropped_share=dropped,
            merged_watermark=watermark is not None and watermark.scope == "merged",
        )

    def visible(self) -> Visible:
        """When readers of the sink see a record."""
        if runs_of(self.plan, self.reading(End.LIKELY)) is not None:
            return Visible.AT_CHECKPOINT  # Results of a run are seen when it has ended.
        guarantee = self.chain.sink.guarantee
        if guarantee is None or guarantee.kind != "transactional":
            return Visible.ON_EMIT
        if not any(stage.checkpoint and stage.checkpoint.interval for stage in self.chain.stages):
            raise NotSimulated(
                f"sink {self.chain.sink.id!r} commits with checkpoints, but no stage states their interval: "
                "add stages[].checkpoint.interval"
            )
        return Visible.AT_CHECKPOINT

    def absorbs(self) -> bool:
        """Whether writing a record twice leaves one."""
        sink = self.chain.sink
        return sink.mode == "upsert" or (sink.guarantee is not None and sink.guarantee.kind == "idempotent")

    def load(self, end: End) -> Load:
        """Rates, burst and trace."""
        inflow = self.inflow(end)
        trace, length = inflow.trace()
        return Load(
            average_per_second=inflow.average_per_second(),
            peak_per_second=inflow.peak_per_second(),
            burst=inflow.burst(),
            trace=trace,
            trace_seconds=length,
        )

    def outages(self, end: End) -> Iterator[DeclaredOutage]:
        """The outages that the plan declares."""
        names: dict[str, int] = {}
        for planned in self.plan.model.outages:
            of = _breaks(planned)
            name = planned.id or f"{planned.of}-outage"
            names[name] = names.get(name, 0) + 1
            if planned.of in _AT_WORST:
                self.assumptions.append(f"{name}: {_AT_WORST[planned.of][1]}")
            if not planned.accepts_writes:
                self.assumptions.append(f"{name}: records that cannot be written wait at their producers")
            yield DeclaredOutage(
                of=of,
                detect_seconds=self.at(self.plan.operand("detect", planned, "detect"), end),
                repair_seconds=self.at(self.plan.operand("repair", planned, "repair"), end),
                drain_target_seconds=planned.drain_target.value if planned.drain_target else None,
                at_peak=planned.during == "peak",
                path=dotted(self.plan.path(planned, "drain_target")),
                name=name if names[name] == 1 else f"{name}-{names[name]}",
            )

    def targets(self) -> Iterator[FreshnessTarget]:
        """The freshness that the plan promises of the sink."""
        for slo in self.plan.model.slos:
            if slo.subject != self.chain.sink.id or slo.freshness is None:
                continue
            for name, probability, target in slo.freshness.targets():
                operand = self.plan.operand("F", slo.freshness, name)
                yield FreshnessTarget(
                    subject=slo.subject,
                    probability=probability,
                    seconds=(target.value, target.low, target.high),
                    since=slo.freshness.measured_from,
                    until=slo.freshness.until,
                    over=slo.freshness.over,
                    path=operand.path if operand is not None else "",
                )

    def left_out(self) -> Iterator[str]:
        """What the plan says that this simulation leaves aside, so that nobody relies on it."""
        yield from self.inflow(End.LIKELY).assumptions()
        yield "event times are arrival times: what a record loses on its way to the log is disorder"
        for stage in self.chain.stages:
            if stage.autoscaling is not None:
                yield f"{stage.id} stays at its parallelism, but in the scenario autoscale-oscillation"
            if stage.retry is not None and stage.retry.failure_share is not None:
                yield f"{stage.id}: no record fails, but in the scenario retry-storm"
        for slo in self.plan.model.slos:
            if slo.latency is not None and slo.subject in {stage.id for stage in self.chain.stages}:
                yield f"latency of {slo.subject} is not judged: only sinks are, yet"


def _why_unknown(windowed: list[PlannedStage]) -> str:
    names = ", ".join(stage.id for stage in windowed)
    if len(windowed) > 1:
        return f"freshness behind several windows ({names}) is not simulated yet"
    return f"when {names} fires is not known: only fixed windows with a watermark lag are simulated yet"

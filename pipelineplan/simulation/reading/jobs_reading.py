"""Reads a chain whose stages are of several jobs: a network for each, with a log between two.

    orders -> clean ==log==> sums -> warehouse
              staging        mart

What a plan does not say of that log is assumed, and said so: as many partitions as workers read it, evenly
filled, or in the shares of the workers that write them where those are as many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipelineplan.plan.jobs import jobs_of, publishes_at_checkpoints
from pipelineplan.plan.objectives import Outage as PlannedOutage
from pipelineplan.plan.stage import Stage as PlannedStage
from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.network import (
    EventTime,
    Exchange,
    Network,
    NotSimulated,
    Onward,
    SourceLog,
    Stage,
    Visible,
)
from pipelineplan.simulation.reading.chain_reading import ChainReader
from pipelineplan.simulation.reading.checkpoint_reading import checkpoint_of
from pipelineplan.simulation.reading.run_reading import runs_of
from pipelineplan.simulation.reading.stall_reading import stall_seconds, with_stalls
from pipelineplan.simulation.reading.usage_reading import usage_of
from pipelineplan.simulation.usage import Usage

_NOTHING_LATE = EventTime(late_share=(0.0, 0.0), dropped_share=(0.0, 0.0))


@dataclass(frozen=True)
class Part:
    """The stages of a chain that are of one job; `first` is the place of the first of them."""

    job: str
    first: int
    stages: tuple[PlannedStage, ...]


@dataclass
class JobsReader(ChainReader):
    """Like a chain, but with a network for each job."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The jobs in the order of the records; raises `NotSimulated` for one that comes twice."""
        jobs, parts = jobs_of(self.plan), list[Part]()
        for place, stage in enumerate(self.chain.stages):
            if parts and parts[-1].job == jobs[stage.id]:
                parts[-1] = replace(parts[-1], stages=(*parts[-1].stages, stage))
            else:
                parts.append(Part(jobs[stage.id], place, (stage,)))
        names = [part.job for part in parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise NotSimulated(
                f"records leave the job {twice[0]!r} and come to it again ({' -> '.join(names)}), so that it "
                "would go back with itself: not simulated; give its parts names of their own"
            )
        return tuple(parts)

    def network(self, end: End) -> Network:
        """The networks of all jobs, the first with what comes then."""
        if runs_of(self.plan, self.reading(end)) is not None:
            raise NotSimulated(
                "ingestion.mode says that the whole plan works in runs, and its stages are of several jobs: "
                "not simulated; leave the mode out, and state each job's checkpoint.interval"
            )
        whole, parts = self.without_jobs(end), self.parts
        after: Onward | None = None
        for part in reversed(parts):
            last = after is None
            own = self.own(part, whole, end, is_last=last)
            after = Onward(replace(own, then=after), whole.stages[part.first].selectivity)
        assert after is not None  # noqa: S101  (a chain of several jobs has parts)
        first = replace(after.network.stages[0], selectivity=after.selectivity)
        return replace(after.network, source=whole.source, stages=(first, *after.network.stages[1:]))

    def without_jobs(self, end: End) -> Network:
        """All stages of the chain as if nothing were between them, without what is of one job only."""
        return Network(
            source=self.source_log(end),
            stages=(*self.stages(end), self.sink_stage(end)),
            event_time=self.event_time(end),
            usage=usage_of(self.plan, self.chain.sources, self.chain.stages, self.reading(end)),
        )

    def stalled(self, end: End) -> Network:
        """The network of all jobs, of which each stands still at its own checkpoints."""
        return self.network(end)

    def own(self, part: Part, whole: Network, end: End, *, is_last: bool) -> Network:
        """The network of one job, as if nothing came before it or after."""
        until = len(whole.stages) if is_last else part.first + len(part.stages)
        stages = whole.stages[part.first : until]
        source = whole.source if part.first == 0 else self.log_before(part, whole)
        memories = {stage.id: self.memory(stage, end) for stage in part.stages}
        more, less = self.reading(end), self.reading(end, hurts_high=False)
        checkpoint = checkpoint_of(self.plan, part.stages, memories, more, less)
        usage = whole.usage
        if usage is not None and part.first > 0:
            # The workers and the source's records are paid with the first job.
            usage = Usage(workers=0.0, prices=usage.prices, currency=usage.currency)
        own = Network(
            source=source,
            stages=(replace(stages[0], selectivity=1.0), *stages[1:]),
            checkpoint=checkpoint,
            event_time=whole.event_time if self.has_window(part) else _NOTHING_LATE,
            visible=self.shown(part, has_cuts=checkpoint is not None, is_last=is_last),
            absorbs_duplicates=is_last and self.absorbs(),
            usage=usage,
            name=part.job,
        )
        return with_stalls(own, stall_seconds(self.plan, part.stages, self.reading(end)))

    def log_before(self, part: Part, whole: Network) -> SourceLog:
        """The log that a later job reads, in which nothing expires."""
        reader: Stage = whole.stages[part.first]
        writers = self.chain.stages[part.first - 1].id
        even = reader.exchange is not Exchange.FORWARD
        shares = () if even else whole.worker_shares(part.first - 1)
        self.assumptions.append(
            f"the log between {writers} and {reader.name} has a partition for each of its {reader.workers} "
            "readers, and keeps everything until it is read"
        )
        return SourceLog(f"{writers} -> {reader.name}", reader.workers, explicit_shares=shares)

    def has_window(self, part: Part) -> bool:
        """Whether event time matters to a job; to the first one, where it does to none."""
        windowed = [stage.window is not None for stage in self.chain.stages]
        first = windowed.index(True) if any(windowed) else 0
        return part.first <= first < part.first + len(part.stages)

    def shown(self, part: Part, *, has_cuts: bool, is_last: bool) -> Visible:
        """When what a job writes is seen, by the next job or by the readers of the sink."""
        writer, guarantee = part.stages[-1].id, self.chain.sink.guarantee
        found = Visible.ON_EMIT
        if not is_last:
            found = self.published(part.stages[-1])
        elif guarantee is not None and guarantee.kind == "transactional":
            writer, found = self.chain.sink.id, Visible.AT_CHECKPOINT
        if found is Visible.AT_CHECKPOINT and not has_cuts:
            raise NotSimulated(
                f"{writer!r} shows what it writes with the checkpoints of the job {part.job!r}, of which no "
                "stage states an interval: add stages[].checkpoint.interval"
            )
        return found

    def published(self, stage: PlannedStage) -> Visible:
        """When the next job sees what `stage` writes, by its guarantee."""
        if stage.guarantee == "at_most_once":
            raise NotSimulated(
                f"{stage.id!r} writes for another job at most once: what is lost between the two when it "
                "fails is not simulated; state at_least_once or exactly_once"
            )
        if stage.guarantee is None:
            self.assumptions.append(
                f"{stage.id} states no guarantee: the next job sees what it writes at once, and again after "
                "a failure"
            )
        return Visible.AT_CHECKPOINT if publishes_at_checkpoints(stage) else Visible.ON_EMIT

    def hit_by(self, outage: PlannedOutage, name: str) -> str:
        """The job that an outage hits, by name; "" where it is all of them."""
        parts = self.parts
        match outage.of:
            case "sink":
                return parts[-1].job
            case "source":
                return parts[0].job
            case "job" | "worker" if outage.job is not None:
                return outage.job
            case "job" | "worker":
                self.assumptions.append(f"{name}: names no job, so each of them fails at that moment")
        return ""

    def left_out(self) -> Iterator[str]:
        """What this simulation leaves aside."""
        yield from super().left_out()
        yield "what the logs between jobs hold and move is in no cost"
        later = [stage for part in self.parts[1:] for stage in part.stages]
        if any(self.memory(stage, End.LIKELY) is not None for stage in later):
            yield "state by event time of a later job takes records to be as old as they are in its own log"

"""What is simulated: a log with partitions, and the stages that its records pass on their way.

    orders            enrich                 mart               warehouse
    [p0 ||||   ]--+-> (worker 0) --+     +-> (worker 0) ------> (writer 0)
    [p1 ||     ]--+                +-key-+
    [p2 |||    ]----> (worker 1) --+     +-> (worker 1) ------> (writer 1)
     source log       forward            keyed: key groups      forward

Everything is in base units (seconds, records, records per second) and has one value: a plan
with intervals becomes several networks. What this simulator cannot say rightly it refuses
with `NotSimulated`, because a wrong number is worse than none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from pipelineplan.errors import PipelinePlanError
from pipelineplan.simulation.memory import Memory
from pipelineplan.simulation.network_checks import problems_of
from pipelineplan.simulation.runs import Runs
from pipelineplan.simulation.usage import Usage


class NotSimulated(PipelinePlanError):  # noqa: N818 - it is an answer and not a mistake of the user
    """A structure or event that this simulator does not model; `reason` says what and why."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, which names the part of the plan and what could be done."""
        self.reason = reason
        super().__init__(reason)


class Exchange(StrEnum):
    """How the records of one stage reach the workers of the next."""

    FORWARD = "forward"
    KEYED = "keyed"
    REBALANCE = "rebalance"


class Visible(StrEnum):
    """When a reader of the sink sees a record: when it is written, or when its checkpoint completes."""

    ON_EMIT = "emit"
    AT_CHECKPOINT = "checkpoint"


class OffsetReset(StrEnum):
    """Where a reader goes on whose position the retention has deleted."""

    EARLIEST = "earliest"
    LATEST = "latest"
    NONE = "none"


def partition_shares(partitions: int, hottest_key: float = 0.0) -> tuple[float, ...]:
    """Share of the records in each partition: the hottest key sits in the first one.

    A partition's share is its hottest key plus its part of the rest, `(1 - h) / P`.
    """
    rest = (1.0 - hottest_key) / partitions
    return (rest + hottest_key, *[rest] * (partitions - 1))


def default_key_groups(workers: int) -> int:
    """Key groups (max parallelism) that Flink chooses when a job does not: 128 up to 85 workers.

    Source: Apache Flink, `KeyGroupRangeAssignment.computeDefaultMaxParallelism`.
    """
    rounded = 1 << max(0, math.ceil(math.log2(workers + workers // 2)))
    return min(max(rounded, 128), 32_768)


def key_group_weights(workers: int, key_groups: int, hottest_key: float = 0.0) -> tuple[float, ...]:
    """Share of the records for each worker: key groups in contiguous ranges, sum 1.

    The worker with the most groups also has the hottest key, as the worst hash would have it.
    """
    sizes = [(index + 1) * key_groups // workers - index * key_groups // workers for index in range(workers)]
    sizes.sort(reverse=True)
    weights = [(1.0 - hottest_key) * size / key_groups for size in sizes]
    return (weights[0] + hottest_key, *weights[1:])


@dataclass(frozen=True)
class SourceLog:
    """A partitioned log: `partitions` of it, of which the first holds the hottest key.

    `explicit_shares` (one per partition, sum 1) stands above `hottest_key`. Records older than
    `retention_seconds` are deleted by the cleaner, which looks every `cleaner_seconds` (Kafka's
    `log.retention.check.interval.ms` is 5 min), and so are those before the last `retention_records`
    of a partition; whole segments of that many seconds or records at a time. Of several logs each
    gets its `part` of all records that arrive; `backlog_records` lie in it from the start, of the
    `backlog_seconds` before it, and no more than `read_limit_per_second` are read from it.
    """

    name: str
    partitions: int
    hottest_key: float = 0.0
    explicit_shares: tuple[float, ...] = ()
    retention_seconds: float = math.inf
    cleaner_seconds: float = 300.0
    offset_reset: OffsetReset = OffsetReset.EARLIEST
    retention_records: float = math.inf
    segment_seconds: float = 0.0
    segment_records: float = 0.0
    part: float = 1.0
    backlog_records: float = 0.0
    backlog_seconds: float = 0.0
    read_limit_per_second: float = math.inf

    @property
    def forgets(self) -> bool:
        """Whether records are deleted at all."""
        return math.isfinite(self.retention_seconds) or math.isfinite(self.retention_records)

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of the records in each partition; sum 1."""
        return self.explicit_shares or partition_shares(self.partitions, self.hottest_key)


@dataclass(frozen=True)
class Inlet:
    """Where a stage of a joint network reads from: the log or stage called `of`, and how it spreads."""

    of: str
    exchange: Exchange = Exchange.FORWARD
    selectivity: float = 1.0
    hottest_key: float = 0.0
    explicit_weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Stage:
    """`workers` that each take up to `capacity_per_second` input records while nothing holds them up.

    `selectivity` is the number of records that reach this stage per record that the stage
    before it takes. `buffer_records` is the room in front of each worker, beyond which the
    stage before is held up; 0 means that records wait upstream. A first stage that is fed
    forward has the log itself in front of it. `service_cv` is the coefficient of variation of
    the service time: it does not move the fluid, but says what the fluid leaves out. With
    `inlets` the stage reads from those, and `exchange` and what belongs to it are theirs. `memory`
    is its state.
    """

    name: str
    workers: int
    capacity_per_second: float
    exchange: Exchange = Exchange.FORWARD
    key_groups: int = 0
    hottest_key: float = 0.0
    explicit_weights: tuple[float, ...] = ()
    selectivity: float = 1.0
    buffer_records: float = 0.0
    service_cv: float = 1.0
    inlets: tuple[Inlet, ...] = ()
    memory: Memory | None = None

    def weights_of(self, inlet: Inlet) -> tuple[float, ...]:
        """Share of an inlet's records for each worker; sum 1. A forward inlet spreads by lanes instead."""
        own = replace(
            self,
            exchange=inlet.exchange,
            hottest_key=inlet.hottest_key,
            explicit_weights=inlet.explicit_weights,
        )
        return own.weights

    @property
    def weights(self) -> tuple[float, ...]:
        """Share of the stage's input for each worker, as an exchange would spread it; sum 1."""
        if self.explicit_weights:
            return self.explicit_weights
        if self.exchange is Exchange.KEYED:
            groups = self.key_groups or default_key_groups(self.workers)
            return key_group_weights(self.workers, groups, self.hottest_key)
        return (1.0 / self.workers,) * self.workers


@dataclass(frozen=True)
class Checkpoint:
    """A consistent cut every `interval_seconds`, valid `duration_seconds` after it begins.

    All workers stand still for `sync_stall_seconds` from its begin. The next one begins at the
    next interval, but not before `min_pause_seconds` have gone since the last completed.
    `restart_seconds` is the time from repair until the restored job reads again. One that is not
    complete after `timeout_seconds` is given up, and after more than `tolerable_failures` in a row
    (None: any number) the job restarts. An incremental one takes `duration_seconds` for what one
    interval changes, and up to `full_seconds` after longer; 0 where it always takes the same.
    An `unaligned` one does not wait for the queues, and restores what was under way.

    Where a stage's memory grows and says how fast it is written, that decides, and `duration_seconds`
    is only what was planned: a checkpoint takes as long as the largest state of its moment, and at least
    `fixed_seconds` (None: as planned). `restore_seconds` of the restart are reading state as planned.
    """

    interval_seconds: float
    duration_seconds: float = 0.0
    min_pause_seconds: float = 0.0
    sync_stall_seconds: float = 0.0
    restart_seconds: float = 0.0
    timeout_seconds: float = math.inf
    tolerable_failures: int | None = None
    full_seconds: float = 0.0
    unaligned: bool = False
    fixed_seconds: float | None = None
    restore_seconds: float = 0.0

    @property
    def effective_interval_seconds(self) -> float:
        """`max(I, d + min_pause)`: the time from one begin to the next."""
        return max(self.interval_seconds, self.duration_seconds + self.min_pause_seconds)

    @property
    def working_share(self) -> float:
        """The part of the time in which workers do not stand still for a checkpoint."""
        return 1.0 - self.sync_stall_seconds / self.effective_interval_seconds

    def intervals(self, seconds: float) -> float:
        """How many of them the changes of that time fill; not less than one."""
        return max(seconds, self.interval_seconds) / self.effective_interval_seconds


@dataclass(frozen=True)
class EventTime:
    """How event time follows arrival: the watermark is the least event time read, minus the lag.

    `window_seconds` is 0 without a window. The late and dropped shares (low, high) come from
    the disorder that the plan states; None where it states none. `unknown_freshness` says why
    nothing can be said of freshness, where that is so.
    """

    watermark_lag_seconds: float = 0.0
    watermark_interval_seconds: float = 0.0
    window_seconds: float = 0.0
    late_share: tuple[float, float] | None = None
    dropped_share: tuple[float, float] | None = None
    merged_watermark: bool = False
    unknown_freshness: str = ""


@dataclass(frozen=True)
class Network:
    """One source log, and `stages` from the first to the sink, which is the last of them.

    A *joint* network has logs `beside` the source, or stages that join, merge or part: all of its
    stages then name their inlets, each stands after what it reads from, and records wait in the
    logs only. With `runs` it works by schedule or trigger, and without all the time.
    `absorbs_duplicates` is true of a sink where writing a record twice leaves one (upsert by
    key). `usage` is what its records cost. Raises `ValueError` when numbers contradict each other.
    """

    source: SourceLog
    stages: tuple[Stage, ...]
    checkpoint: Checkpoint | None = None
    event_time: EventTime = field(default_factory=EventTime)
    visible: Visible = Visible.ON_EMIT
    absorbs_duplicates: bool = False
    beside: tuple[SourceLog, ...] = ()
    runs: Runs | None = None
    usage: Usage | None = None

    def __post_init__(self) -> None:
        """Refuse what no pipeline can be."""
        problems = problems_of(self)
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def has_shuffle(self) -> bool:
        """Whether any exchange connects all workers, so that one worker's loss restarts all."""
        return self.joint or any(stage.exchange is not Exchange.FORWARD for stage in self.stages)

    @property
    def joint(self) -> bool:
        """Whether this is more than one way of records: then stages name what they read from."""
        return bool(self.beside) or any(stage.inlets for stage in self.stages)

    @property
    def logs(self) -> tuple[SourceLog, ...]:
        """The source, and the logs beside it."""
        return (self.source, *self.beside)

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of all arriving records in each partition of each log, one log after the other."""
        if not self.beside:
            return self.source.shares
        return tuple(log.part * share for log in self.logs for share in log.shares)

    @cached_property
    def _flows(self) -> tuple[tuple[float, ...], ...]:
        """What comes to each worker of each stage of a joint network, per record that arrives."""
        return flows_of(self, self.shares)

    def assignment(self) -> tuple[int, ...]:
        """The worker of the first stage that reads each partition: dealt out in turn."""
        workers = self.stages[0].workers
        return tuple(partition % workers for partition in range(self.source.partitions))

    def scale(self, stage: int) -> float:
        """Records that reach stage number `stage` per record of the source, or of all logs together."""
        if self.joint:
            return math.fsum(self._flows[stage])
        return math.prod(each.selectivity for each in self.stages[: stage + 1])

    def worker_shares(self, stage: int) -> tuple[float, ...]:
        """Share of the source's records (before selectivity) for each worker of a stage."""
        if self.joint:
            total = math.fsum(self._flows[stage])
            return tuple(flow / total if total else 0.0 for flow in self._flows[stage])
        for number in range(stage, -1, -1):
            if self.stages[number].exchange is not Exchange.FORWARD:
                return self.stages[number].weights
        shares = [0.0] * self.stages[0].workers
        for partition, worker in enumerate(self.assignment()):
            shares[worker] += self.source.shares[partition]
        return tuple(shares)

    def utilisation(self, rate_per_second: float) -> tuple[float, str]:
        """Load over capacity of the busiest worker, and its name; above 1 a backlog grows."""
        busiest = (0.0, "")
        working = self.checkpoint.working_share if self.checkpoint is not None else 1.0
        for number, stage in enumerate(self.stages):
            shares = self.worker_shares(number)
            worker = max(range(stage.workers), key=lambda index: shares[index])
            able = stage.capacity_per_second * working
            load = shares[worker] * rate_per_second * self.scale(number) / able if able > 0 else math.inf
            busiest = max(busiest, (load, f"{stage.name}[{worker}]"), key=lambda pair: pair[0])
        return busiest


def flows_of(network: Network, flow: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """What comes to each worker of each stage of a joint network when partitions send `flow`."""
    out: dict[str, tuple[float, ...]] = {}
    first = 0
    for log in network.logs:
        out[log.name] = flow[first : first + log.partitions]
        first += log.partitions
    for stage in network.stages:
        come = [0.0] * stage.workers
        for inlet in stage.inlets:
            if inlet.exchange is Exchange.FORWARD:
                for lane, sent in enumerate(out[inlet.of]):
                    come[lane % stage.workers] += inlet.selectivity * sent
            else:
                total = inlet.selectivity * math.fsum(out[inlet.of])
                for worker, weight in enumerate(stage.weights_of(inlet)):
                    come[worker] += weight * total
        out[stage.name] = tuple(come)
    return tuple(out[stage.name] for stage in network.stages)

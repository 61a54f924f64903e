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
from dataclasses import dataclass, field
from enum import StrEnum

from pipelineplan.errors import PipelinePlanError

_SUM_TOLERANCE = 1e-9
# More partitions or workers than this would take more memory than a laptop has.
MOST_CHANNELS = 5000


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
    `log.retention.check.interval.ms` is 5 min).
    """

    name: str
    partitions: int
    hottest_key: float = 0.0
    explicit_shares: tuple[float, ...] = ()
    retention_seconds: float = math.inf
    cleaner_seconds: float = 300.0
    offset_reset: OffsetReset = OffsetReset.EARLIEST

    @property
    def shares(self) -> tuple[float, ...]:
        """Share of the records in each partition; sum 1."""
        return self.explicit_shares or partition_shares(self.partitions, self.hottest_key)


@dataclass(frozen=True)
class Stage:
    """`workers` that each take up to `capacity_per_second` input records, checkpoints on.

    `selectivity` is the number of records that reach this stage per record that the stage
    before it takes. `buffer_records` is the room in front of each worker, beyond which the
    stage before is held up; 0 means that records wait upstream. A first stage that is fed
    forward has the log itself in front of it. `service_cv` is the coefficient of variation of
    the service time: it does not move the fluid, but says what the fluid leaves out.
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
    `restart_seconds` is the time from repair until the restored job reads again.
    """

    interval_seconds: float
    duration_seconds: float = 0.0
    min_pause_seconds: float = 0.0
    sync_stall_seconds: float = 0.0
    restart_seconds: float = 0.0

    @property
    def effective_interval_seconds(self) -> float:
        """`max(I, d + min_pause)`: the time from one begin to the next."""
        return max(self.interval_seconds, self.duration_seconds + self.min_pause_seconds)


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

    `absorbs_duplicates` is true of a sink where writing a record twice leaves one (upsert by
    key). Raises `ValueError` when numbers contradict each other.
    """

    source: SourceLog
    stages: tuple[Stage, ...]
    checkpoint: Checkpoint | None = None
    event_time: EventTime = field(default_factory=EventTime)
    visible: Visible = Visible.ON_EMIT
    absorbs_duplicates: bool = False

    def __post_init__(self) -> None:
        """Refuse what no pipeline can be."""
        problems = [
            *_source_problems(self.source),
            *_stage_problems(self.stages),
            *_checkpoint_problems(self),
        ]
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def has_shuffle(self) -> bool:
        """Whether any exchange connects all workers, so that one worker's loss restarts all."""
        return any(stage.exchange is not Exchange.FORWARD for stage in self.stages)

    def assignment(self) -> tuple[int, ...]:
        """The worker of the first stage that reads each partition: dealt out in turn."""
        workers = self.stages[0].workers
        return tuple(partition % workers for partition in range(self.source.partitions))

    def scale(self, stage: int) -> float:
        """Records that reach stage number `stage` per record of the source."""
        return math.prod(each.selectivity for each in self.stages[: stage + 1])

    def worker_shares(self, stage: int) -> tuple[float, ...]:
        """Share of the source's records (before selectivity) for each worker of a stage."""
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
        for number, stage in enumerate(self.stages):
            shares = self.worker_shares(number)
            worker = max(range(stage.workers), key=lambda index: shares[index])
            load = shares[worker] * rate_per_second * self.scale(number) / stage.capacity_per_second
            busiest = max(busiest, (load, f"{stage.name}[{worker}]"), key=lambda pair: pair[0])
        return busiest


def _source_problems(source: SourceLog) -> list[str]:
    problems = []
    if not 1 <= source.partitions <= MOST_CHANNELS:
        problems.append(f"{source.name}: {source.partitions:,} partitions, wanted 1 to {MOST_CHANNELS:,}")
        return problems
    if not 0 <= source.hottest_key <= 1:
        problems.append(f"{source.name}: hottest key {source.hottest_key}, wanted a share")
    else:
        problems.extend(_share_problems(source.name, source.shares, source.partitions))
    return problems


def _stage_problems(stages: tuple[Stage, ...]) -> list[str]:
    problems = [] if stages else ["no stage, wanted at least the sink"]
    for number, stage in enumerate(stages):
        if not 1 <= stage.workers <= MOST_CHANNELS:
            problems.append(f"{stage.name}: {stage.workers:,} workers, wanted 1 to {MOST_CHANNELS:,}")
            continue
        if not stage.capacity_per_second > 0 or stage.buffer_records < 0 or stage.selectivity < 0:
            problems.append(f"{stage.name}: capacity must be above 0, buffer and selectivity not below")
        if not 0 <= stage.hottest_key <= 1:
            problems.append(f"{stage.name}: hottest key {stage.hottest_key}, wanted a share")
            continue
        if number and stage.exchange is Exchange.FORWARD and stage.workers != stages[number - 1].workers:
            problems.append(
                f"{stage.name}: forward from {stages[number - 1].workers} to {stage.workers} workers"
            )
        problems.extend(_share_problems(stage.name, stage.weights, stage.workers))
    return problems


def _share_problems(name: str, shares: tuple[float, ...], count: int) -> list[str]:
    if len(shares) != count or min(shares) < 0 or abs(sum(shares) - 1.0) > _SUM_TOLERANCE:
        return [f"{name}: wanted {count} shares that are not negative and sum to 1"]
    return []


def _checkpoint_problems(network: Network) -> list[str]:
    checkpoint = network.checkpoint
    if checkpoint is None:
        if network.visible is Visible.AT_CHECKPOINT:
            return ["visible at checkpoint, but there is no checkpoint"]
        return []
    if not checkpoint.interval_seconds > 0 or checkpoint.sync_stall_seconds > checkpoint.duration_seconds:
        return ["checkpoint: wanted an interval above 0 and a stall within the duration"]
    return []

"""Where records come from, how fast, with which event time, and what the log keeps of them."""

import re
from itertools import pairwise
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pipelineplan.plan.section import (
    AtLeastOne,
    Bandwidth,
    Count,
    Duration,
    Flag,
    Growth,
    Name,
    Number,
    RecordRate,
    Reference,
    Section,
    Share,
    Size,
    Text,
    shorthand,
)

_QUANTILE = re.compile(r"p(?=[\d.]*[1-9])(\d{1,2}(?:\.\d{1,6})?)\Z")


class Mutation(Section):
    """How records of the source change after the fact, and how corrections arrive."""

    kind: Literal["append", "upsert", "delete", "cdc"] = Field(
        description="append: nothing changes; upsert: replaced by key; delete: goes; cdc: changes of a table."
    )
    corrections: Text | None = Field(
        None,
        description="The path a correction takes.",
        examples=["A refund is a new change event with a higher lsn"],
    )
    delete_share: Share | None = Field(None, description="The share of records that are deletions.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "kind")


class Retention(Section):
    """How long the log keeps records; a plain duration is its time."""

    time: Duration | None = Field(
        None, description="How long the log keeps a record at least (retention.ms).", examples=["7 d"]
    )
    bytes_per_partition: Size | None = Field(
        None,
        description="How much a partition keeps (retention.bytes); whichever limit comes first.",
        examples=["50 GiB"],
    )
    timestamps: Literal["create", "log_append"] | None = Field(
        None,
        description="By which timestamp the log ages: the producer's (create) or the broker's (log_append).",
    )
    segment: Duration | None = Field(
        None, description="segment.ms: the roll time of a log segment.", examples=["1 d"]
    )
    segment_bytes: Size | None = Field(
        None, description="The size at which a log segment is rolled (segment.bytes).", examples=["1 GiB"]
    )
    cleanup: Literal["delete", "compact", "compact_delete"] | None = Field(
        None, description="delete: by age or size; compact: the newest record of each key stays."
    )
    tombstones: Duration | None = Field(
        None, description="delete.retention.ms of a compacted topic.", examples=["1 d"]
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "time")


class Record(Section):
    """One record on the wire."""

    size: Size | None = Field(
        None, description="The mean size of a record, uncompressed.", examples=["780 B"]
    )
    compression: Number | None = Field(None, description="Uncompressed over compressed size.", examples=[3.2])


class Burst(Section):
    """A multiple of the average rate for a while."""

    factor: Number = Field(description="How many times the average rate.", examples=[3])
    length: Duration = Field(description="For how long.", examples=["20 min"])


class Rate(Section):
    """Arrivals: average and peak, or a recorded trace, with growth."""

    average: RecordRate | None = Field(
        None, description="Records that arrive per time, over a whole day or week.", examples=["4_000/s"]
    )
    peak: RecordRate | None = Field(
        None,
        description="The highest rate that lasts longer than a burst; capacity is judged against it.",
        examples=["11_000/s"],
    )
    burst: Burst | None = None
    growth: Growth | None = Field(None, description="How fast the average grows.", examples=["3 %/month"])
    profile: Reference | None = Field(
        None,
        description="A measured stream profile (.yaml) or a recorded rate trace (.csv).",
        examples=["profiles/clicks.yaml"],
    )
    interval: Duration | None = Field(
        None,
        description="For a trace whose values are counts: the interval that each one counts.",
        examples=["1 min"],
    )
    clock: Literal["event", "arrival"] = Field("arrival", description="Whose clock the rate is by.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "average")


class Keys(Section):
    """How the key spreads records over partitions and tasks."""

    field: Text | None = Field(
        None, description="The field that decides the partition.", examples=["customer_id"]
    )
    hottest_key: Share | None = Field(
        None, description="The hottest key's share of all records.", examples=["2.1 %"]
    )
    distribution: Text | None = Field(
        None, description="How the other keys are spread, in words.", examples=["zipf, s = 1.1"]
    )
    mitigation: Text | None = Field(
        None,
        description="What is done about a hot key.",
        examples=["The largest store is salted over 64 keys"],
    )


class ChangeCapture(Section):
    """What change data capture adds: slot, write-ahead log, snapshot."""

    connector: Text | None = Field(
        None, description="The connector's name in the real system.", examples=["orders-connector"]
    )
    slot_created: Literal["before_snapshot", "after_snapshot"] | None = Field(
        None,
        description="When the replication slot is made; after the snapshot, changes are lost.",
    )
    wal_rate: Bandwidth | None = Field(
        None, description="Write-ahead log that the database produces.", examples=["22 GB/h"]
    )
    disk_free: Size | None = Field(
        None, description="Free disk of the database that log can pile up on.", examples=["300 GB"]
    )
    slot_cap: Size | None = Field(
        None,
        description="The most log that the slot may hold back (max_slot_wal_keep_size).",
        examples=["200 GB"],
    )
    snapshot: Duration | None = Field(
        None, description="How long the initial snapshot takes.", examples=["3 h"]
    )
    slot_gap: Duration | None = Field(
        None,
        description="How long after the beginning of the snapshot the slot is made, if after it.",
        examples=["10 min"],
    )
    heartbeat: Duration | None = Field(
        None,
        description="How often the connector confirms its position on a silent table.",
        examples=["10 s"],
    )
    primary_key: tuple[Text, ...] = Field(
        (), description="The fields that name a row.", examples=[["order_id"]]
    )
    version: Text | None = Field(
        None, description="The field that orders changes of one key.", examples=["lsn"]
    )
    operation: Text | None = Field(
        None,
        description="The field that says what a change is; d, delete and true mean a deletion.",
        examples=["op"],
    )


class ReaderSettings(Section):
    """The consumer group that reads the source."""

    group: Text | None = Field(
        None, description="The consumer group (group.id).", examples=["orders-to-warehouse"]
    )
    max_poll_records: AtLeastOne | None = Field(
        None, description="Records of one poll at most (max.poll.records).", examples=[500]
    )
    max_poll_interval: Duration | None = Field(
        None,
        description="Longest time between two polls (max.poll.interval.ms), else it counts as dead.",
        examples=["5 min"],
    )
    assignor: Literal["range", "round_robin", "sticky", "cooperative"] | None = Field(
        None, description="How partitions are dealt out to readers (partition.assignment.strategy)."
    )
    offset_reset: Literal["earliest", "latest", "none"] | None = Field(
        None,
        description="Where to begin without a valid offset (auto.offset.reset); latest skips records.",
    )
    isolation: Literal["read_committed", "read_uncommitted"] | None = Field(
        None, description="Whether records of open transactions are read (isolation.level)."
    )
    offsets_retention: Duration | None = Field(
        None,
        description="How long a group's offsets are kept (offsets.retention.minutes).",
        examples=["14 d"],
    )


class Clock(Section):
    """Whose clock writes the event time, and how wrong it may be."""

    owner: Text | None = Field(
        None,
        description="Who writes the event time: device, service, database, broker.",
        examples=["database"],
    )
    max_skew: Duration | None = Field(None, description="How wrong that clock may be.", examples=["2 s"])
    future: Literal["reject", "clamp", "accept"] | None = Field(
        None, description="What happens to records from the future."
    )
    future_owner: Text | None = Field(
        None, description="Who looks after records from the future.", examples=["checkout"]
    )


class Duplicates(Section):
    """How often the same record comes again, by which key, and how much later."""

    rate: Share | None = Field(None, description="The share of records that come again.", examples=["0.05 %"])
    key: tuple[Text, ...] = Field(
        (), description="The fields that tell that two records are the same.", examples=[["order_id", "lsn"]]
    )
    horizon: Duration | None = Field(None, description="How much later a repeat can come.", examples=["1 h"])


class Quantiles(Section):
    """A distribution of seconds known by quantiles (`p99: 40 s`), or measured in a profile."""

    quantiles: dict[str, Duration] = Field(
        default_factory=dict, description="p50, p99, p99.9 ... each with a duration."
    )
    profile: Reference | None = Field(
        None, description="A stream profile measured on real records.", examples=["profiles/clicks.yaml"]
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "quantiles" in value:
            return value
        rest = {key: item for key, item in value.items() if not _QUANTILE.match(key)}
        return {**rest, "quantiles": {key: value[key] for key in value if key not in rest}}

    @model_validator(mode="after")
    def _grows(self) -> Self:
        rising = [quantity for _, quantity in self.by_probability()]
        if any(a.low > b.low or a.high > b.high for a, b in pairwise(rising)):
            raise ValueError("quantiles that fall as the probability grows, wanted p50 <= p99 <= p99.9")
        return self

    def by_probability(self) -> tuple[tuple[float, Any], ...]:
        """Pairs of probability (0.99) and duration, by probability."""
        pairs = ((float(key[1:]) / 100, quantity) for key, quantity in self.quantiles.items())
        return tuple((round(p, 12), quantity) for p, quantity in sorted(pairs, key=lambda pair: pair[0]))


class Watermark(Section):
    """How far event time is believed to have come."""

    strategy: Literal["bounded", "monotonous", "punctuated", "adaptive"] = Field(
        "bounded", description="bounded: running maximum minus lag."
    )
    lag: Duration | None = Field(
        None, description="How far behind the newest event time it stays.", examples=["30 s"]
    )
    interval: Duration | None = Field(
        None, description="How often it is emitted; Flink's default is 200 ms.", examples=["200 ms"]
    )
    scope: Literal["per_partition", "merged"] | None = Field(
        None, description="Kept per partition and merged by minimum, or taken after merging."
    )
    idle_timeout: Duration | None = Field(
        None, description="A silent partition stops counting after this.", examples=["45 s"]
    )
    alignment: Duration | None = Field(
        None, description="The most a fast split may run ahead.", examples=["30 s"]
    )
    all_idle: Literal["hold", "advance"] | None = Field(
        None,
        description="When every partition is silent: the watermark holds, or goes on with the clock.",
    )


class Semantics(Section):
    """Event time, ordering, duplicates, lateness, watermark."""

    event_time: Text | None = Field(
        None, description="The field that holds the event time.", examples=["occurred_at"]
    )
    processing_time: Flag = Field(default=False, description="True when event time is not used at all.")
    clock: Clock | None = None
    ordering: Literal["none", "per_key", "per_partition", "total"] | None = Field(
        None, description="In which order records arrive: not at all, per key, per partition, or in all."
    )
    duplicates: Duplicates | None = None
    lateness: Quantiles | None = Field(None, description="Arrival time minus event time.")
    disorder: Quantiles | None = Field(
        None, description="How far an event time lies behind the running maximum, in arrival order."
    )
    sequence: Text | None = Field(
        None, description="The field that counts up by one within each key.", examples=["seq"]
    )
    normal_gap: Duration | None = Field(
        None, description="The longest silence that is normal.", examples=["5 s"]
    )
    watermark: Watermark | None = None


class Source(Section):
    """A system that records come from."""

    id: Name = Field(description="The source's name, which inputs refer to.", examples=["clicks"])
    system: Literal["kafka", "kinesis", "pulsar", "pubsub", "postgres", "mysql", "files", "api", "other"] = (
        Field("other", description="What kind of system it is.")
    )
    topic: Text | None = Field(
        None,
        description="The topic's name in the real system, where the id is another.",
        examples=["shop.public.orders"],
    )
    owner: Text | None = Field(None, description="The team that produces the records.", examples=["checkout"])
    version_owner: Text | None = Field(
        None, description="Who decides about new schema versions.", examples=["checkout-schema"]
    )
    plan: Reference | None = Field(
        None,
        description="The plan that feeds this source, and its sink: orders/plan.yaml#warehouse",
        examples=["orders/plan.yaml#warehouse"],
    )
    contract: Reference | None = Field(
        None, description="The data contract of these records.", examples=["contracts/orders.odcs.yaml"]
    )
    dataset: Text | None = Field(
        None, description="Which dataset of the contract, if it has several.", examples=["orders"]
    )
    mutation: Mutation | None = None
    partitions: AtLeastOne | None = Field(
        None, description="Partitions of the topic, or shards of the stream.", examples=[24]
    )
    replication: AtLeastOne | None = Field(
        None, description="Copies of every partition (replication.factor).", examples=[3]
    )
    min_insync_replicas: AtLeastOne | None = Field(
        None,
        description="Copies that must have a record before it is confirmed (min.insync.replicas).",
        examples=[2],
    )
    acks: Literal["0", "1", "all"] | None = Field(
        None, description="How many copies a producer waits for (acks)."
    )
    producer_buffer: Duration | None = Field(
        None,
        description="How long producers hold records back (delivery.timeout.ms, buffer.memory).",
        examples=["10 min"],
    )
    retention: Retention | None = None
    record: Record | None = None
    rate: Rate | None = None
    keys: Keys | None = None
    cdc: ChangeCapture | None = None
    consumer: ReaderSettings | None = None
    semantics: Semantics | None = None
    max_parallel_readers: Count | None = Field(
        None, description="For systems that limit their readers.", examples=[4]
    )

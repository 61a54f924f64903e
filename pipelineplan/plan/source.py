"""Where records come from, how fast, with which event time, and what the log keeps of them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Literal

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

    kind: Literal["append", "upsert", "delete", "cdc"]
    corrections: Text | None = Field(None, description="The path a correction takes.")
    delete_share: Share | None = Field(None, description="The share of records that are deletions.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "kind")


class Retention(Section):
    """How long the log keeps records; a plain duration is its time."""

    time: Duration | None = None
    bytes_per_partition: Size | None = None
    timestamps: Literal["create", "log_append"] | None = None
    segment: Duration | None = Field(None, description="segment.ms: the roll time of a log segment.")
    segment_bytes: Size | None = None
    cleanup: Literal["delete", "compact", "compact_delete"] | None = None
    tombstones: Duration | None = Field(None, description="delete.retention.ms of a compacted topic.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "time")


class Record(Section):
    """One record on the wire."""

    size: Size | None = None
    compression: Number | None = Field(None, description="Uncompressed over compressed size.")


class Burst(Section):
    """A multiple of the average rate for a while."""

    factor: Number
    length: Duration


class Rate(Section):
    """Arrivals: average and peak, or a recorded trace, with growth."""

    average: RecordRate | None = None
    peak: RecordRate | None = None
    burst: Burst | None = None
    growth: Growth | None = None
    profile: Reference | None = Field(
        None, description="A measured stream profile (.yaml) or a recorded rate trace (.csv)."
    )
    interval: Duration | None = Field(
        None, description="For a trace whose values are counts: the interval that each one counts."
    )
    clock: Literal["event", "arrival"] = Field("arrival", description="Whose clock the rate is by.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return shorthand(value, "average")


class Keys(Section):
    """How the key spreads records over partitions and tasks."""

    field: Text | None = None
    hottest_key: Share | None = Field(None, description="The hottest key's share of all records.")
    distribution: Text | None = None
    mitigation: Text | None = Field(None, description="What is done about a hot key.")


class ChangeCapture(Section):
    """What change data capture adds: slot, write-ahead log, snapshot."""

    slot_created: Literal["before_snapshot", "after_snapshot"] | None = None
    wal_rate: Bandwidth | None = None
    disk_free: Size | None = None
    slot_cap: Size | None = None
    snapshot: Duration | None = Field(None, description="How long the initial snapshot takes.")
    slot_gap: Duration | None = Field(
        None, description="How long after the beginning of the snapshot the slot is made, if after it."
    )
    heartbeat: Duration | None = None
    primary_key: tuple[Text, ...] = ()
    version: Text | None = Field(None, description="The field that orders changes of one key.")
    operation: Text | None = Field(
        None, description="The field that says what a change is; d, delete and true mean a deletion."
    )


class ReaderSettings(Section):
    """The consumer group that reads the source."""

    group: Text | None = None
    max_poll_records: AtLeastOne | None = None
    max_poll_interval: Duration | None = None
    assignor: Literal["range", "round_robin", "sticky", "cooperative"] | None = None
    offset_reset: Literal["earliest", "latest", "none"] | None = None
    isolation: Literal["read_committed", "read_uncommitted"] | None = None
    offsets_retention: Duration | None = None


class Clock(Section):
    """Whose clock writes the event time, and how wrong it may be."""

    owner: Text | None = None
    max_skew: Duration | None = None
    future: Literal["reject", "clamp", "accept"] | None = Field(
        None, description="What happens to records from the future."
    )
    future_owner: Text | None = None


class Duplicates(Section):
    """How often the same record comes again, by which key, and how much later."""

    rate: Share | None = None
    key: tuple[Text, ...] = ()
    horizon: Duration | None = None


class Quantiles(Section):
    """A distribution of seconds known by quantiles (`p99: 40 s`), or measured in a profile."""

    quantiles: dict[str, Duration] = Field(
        default_factory=dict, description="p50, p99, p99.9 ... each with a duration."
    )
    profile: Reference | None = Field(None, description="A stream profile measured on real records.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "quantiles" in value:
            return value
        rest = {key: item for key, item in value.items() if not _QUANTILE.match(key)}
        return {**rest, "quantiles": {key: value[key] for key in value if key not in rest}}

    @model_validator(mode="after")
    def _grows(self) -> Quantiles:
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
    lag: Duration | None = Field(None, description="How far behind the newest event time it stays.")
    interval: Duration | None = Field(None, description="How often it is emitted; Flink's default is 200 ms.")
    scope: Literal["per_partition", "merged"] | None = Field(
        None, description="Kept per partition and merged by minimum, or taken after merging."
    )
    idle_timeout: Duration | None = Field(None, description="A silent partition stops counting after this.")
    alignment: Duration | None = Field(None, description="The most a fast split may run ahead.")
    all_idle: Literal["hold", "advance"] | None = None


class Semantics(Section):
    """Event time, ordering, duplicates, lateness, watermark."""

    event_time: Text | None = Field(None, description="The field that holds the event time.")
    processing_time: Flag = Field(default=False, description="True when event time is not used at all.")
    clock: Clock | None = None
    ordering: Literal["none", "per_key", "per_partition", "total"] | None = None
    duplicates: Duplicates | None = None
    lateness: Quantiles | None = Field(None, description="Arrival time minus event time.")
    disorder: Quantiles | None = Field(
        None, description="How far an event time lies behind the running maximum, in arrival order."
    )
    sequence: Text | None = Field(None, description="The field that counts up by one within each key.")
    normal_gap: Duration | None = Field(None, description="The longest silence that is normal.")
    watermark: Watermark | None = None


class Source(Section):
    """A system that records come from."""

    id: Name
    system: Literal["kafka", "kinesis", "pulsar", "pubsub", "postgres", "mysql", "files", "api", "other"] = (
        Field("other", description="What kind of system it is.")
    )
    owner: Text | None = None
    version_owner: Text | None = Field(None, description="Who decides about new schema versions.")
    plan: Reference | None = Field(
        None, description="The plan that feeds this source, and its sink: orders/plan.yaml#warehouse"
    )
    contract: Reference | None = Field(None, description="The data contract of these records.")
    dataset: Text | None = Field(None, description="Which dataset of the contract, if it has several.")
    mutation: Mutation | None = None
    partitions: AtLeastOne | None = None
    replication: AtLeastOne | None = None
    min_insync_replicas: AtLeastOne | None = None
    acks: Literal["0", "1", "all"] | None = None
    producer_buffer: Duration | None = None
    retention: Retention | None = None
    record: Record | None = None
    rate: Rate | None = None
    keys: Keys | None = None
    cdc: ChangeCapture | None = None
    consumer: ReaderSettings | None = None
    semantics: Semantics | None = None
    max_parallel_readers: Count | None = Field(None, description="For systems that limit their readers.")

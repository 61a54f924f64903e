"""What each exporter calls the lag of a consumer group, and how the age of the oldest unread record follows.

    kafka_exporter       kafka_consumergroup_current_offset < kafka_topic_partition_current_offset offset 10m
    kafka_lag_exporter   kafka_consumergroup_group_lag_seconds > 600

Offsets tell an age without any rate: the oldest unread record is older than ten minutes exactly if the
group stands before the end that the log had ten minutes ago. Sources: the metrics that
kafka_exporter (danielqsj), Kafka Lag Exporter (seglo) and Burrow (LinkedIn) document or register.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelineplan.exchange.promql import duration, number, series


@dataclass(frozen=True)
class LagMetrics:
    """The expressions of one exporter, for a group and a topic; all `older` take seconds.

    `older` fires while the oldest unread record is older, `records` is the lag in records, `watched` a series
    that is there while the group is seen.
    """

    older: Callable[[str, str, float], str]
    records: Callable[[str, str], str]
    watched: Callable[[str, str], str]


@dataclass(frozen=True)
class _Offsets:
    """An exporter that gives offsets: of the group, of the log's end, and their difference."""

    group_label: str
    group_offset: str
    end_offset: str
    lag: str
    by: str

    def older(self, group: str, topic: str, seconds: float) -> str:
        mine = series(self.group_offset, **{self.group_label: group, "topic": topic})
        end = series(self.end_offset, topic=topic)
        behind = f"max by ({self.by}) ({mine}) < max by ({self.by}) ({end} offset {duration(seconds)})"
        # A partition that nobody wrote to has no committed offset and no lag.
        return f"{behind} and max by ({self.by}) ({self.watched(group, topic)}) > 0"

    def records(self, group: str, topic: str) -> str:
        return f"sum({self.watched(group, topic)})"

    def watched(self, group: str, topic: str) -> str:
        return series(self.lag, **{self.group_label: group, "topic": topic})

    @property
    def metrics(self) -> LagMetrics:
        return LagMetrics(self.older, self.records, self.watched)


def _seconds_older(group: str, topic: str, seconds: float) -> str:
    found = series("kafka_consumergroup_group_lag_seconds", group=group, topic=topic)
    return f"max by (cluster_name, topic, partition) ({found}) > {number(seconds)}"


def _group_lag(group: str, topic: str) -> str:
    return series("kafka_consumergroup_group_lag", group=group, topic=topic)


LAG_METRICS: Mapping[str, LagMetrics] = {
    "kafka_exporter": _Offsets(
        "consumergroup",
        "kafka_consumergroup_current_offset",
        "kafka_topic_partition_current_offset",
        "kafka_consumergroup_lag",
        "topic, partition",
    ).metrics,
    "kafka_lag_exporter": LagMetrics(_seconds_older, lambda g, t: f"sum({_group_lag(g, t)})", _group_lag),
    "burrow": _Offsets(
        "consumer_group",
        "burrow_kafka_consumer_current_offset",
        "burrow_kafka_topic_partition_offset",
        "burrow_kafka_consumer_partition_lag",
        "cluster, topic, partition",
    ).metrics,
}

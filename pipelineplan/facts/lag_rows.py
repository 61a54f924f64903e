"""Recorded lag as exporters write it: which columns say what, and the numbers of each row.

    time,metric,topic,partition,group,value            one row a number (a Prometheus export), or
    timestamp,topic,partition,current_offset,log_end_offset,lag      one row a partition

Names of metrics: kafka_exporter (`kafka_consumergroup_lag`, ...), kafka-lag-exporter
(`kafka_consumergroup_group_lag`, ...), Burrow's exporter (`burrow_kafka_consumer_partition_lag`, ...).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

READ, END, LAG = "read position", "end of the log", "lag"
MOST_PARTITIONS = 5000
METRICS = {
    "kafka_consumergroup_current_offset": READ,
    "kafka_consumergroup_group_offset": READ,
    "burrow_kafka_consumer_current_offset": READ,
    "kafka_topic_partition_current_offset": END,
    "kafka_partition_latest_offset": END,
    "burrow_kafka_topic_partition_offset": END,
    "kafka_consumergroup_lag": LAG,
    "kafka_consumergroup_group_lag": LAG,
    "burrow_kafka_consumer_partition_lag": LAG,
}
_COLUMNS = {
    "current_offset": READ,
    "consumer_offset": READ,
    "committed_offset": READ,
    "log_end_offset": END,
    "end_offset": END,
    "latest_offset": END,
    "lag": LAG,
    "current_lag": LAG,
}
_TIMES = ("time", "timestamp", "ts", "date")
_NAMES = ("metric", "name", "__name__", "metric_name")
_GROUPS = ("group", "consumergroup", "consumer_group")
_MILLISECONDS = 1e11


@dataclass(frozen=True)
class LagColumns:
    """What the columns of a recording mean; `short` gives their names as they stand in the file."""

    time: str
    metric: str | None
    roles: Mapping[str, str]
    short: Mapping[str, str]

    def plain(self, row: Mapping[str, str | None]) -> dict[str, str]:
        """A row by the short names of its columns."""
        return {
            short: (row[name] or "").strip()
            for short, name in self.short.items()
            if row.get(name) is not None
        }

    def numbers(self, row: Mapping[str, str]) -> Iterator[tuple[str, int, float, float]]:
        """Role, partition, seconds, value: of one plain row; `ValueError` says what is wrong with it."""
        if self.metric is not None and row.get(self.metric) not in METRICS:
            return
        partition = int(row.get("partition", ""))
        if not 0 <= partition < MOST_PARTITIONS:
            raise ValueError(f"found partition {partition}, wanted 0 to {MOST_PARTITIONS - 1}")
        when = seconds_of(row.get(self.time, ""))
        named = {"value": METRICS[row[self.metric]]} if self.metric is not None else self.roles
        for column, role in named.items():
            if row.get(column):
                value = float(row[column])
                if not math.isfinite(value) or value < 0:
                    raise ValueError(f"found {column} {row[column]!r}, wanted a count")
                yield role, partition, when, value


def columns_of(names: Iterable[str | None]) -> LagColumns | None:
    """What columns of these names mean; None where they are no recorded lag."""
    short = {(name or "").strip().lower().replace("-", "_"): name or "" for name in names}
    time = next((name for name in _TIMES if name in short), None)
    metric = next((name for name in _NAMES if name in short), None)
    roles = {name: role for name, role in _COLUMNS.items() if name in short}
    known = metric is not None and "value" in short
    if time is None or "partition" not in short or not (known or roles):
        return None
    return LagColumns(time, metric if known else None, roles, short)


def group_of(row: Mapping[str, str]) -> str:
    """The consumer group that a plain row names, or nothing."""
    return next((row[name] for name in _GROUPS if row.get(name)), "")


def seconds_of(text: str) -> float:
    """Seconds since 1970 of a time as exporters write it: seconds, milliseconds or ISO 8601."""
    try:
        number = float(text)
    except ValueError:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(f"found the time {text!r}")
    return number / 1000 if abs(number) > _MILLISECONDS else number

"""Recorded lag as exporters write it: offsets of each partition over time, from a CSV.

    time,metric,topic,partition,group,value            one row a number (a Prometheus export), or
    timestamp,topic,partition,current_offset,log_end_offset,lag      one row a partition

Names of metrics: kafka_exporter (`kafka_consumergroup_lag`, ...), kafka-lag-exporter
(`kafka_consumergroup_group_lag`, ...), Burrow's exporter (`burrow_kafka_consumer_partition_lag`, ...).
Two of read position, end of the log and lag give the third.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.simulation.sharing import Floats

READ, END, LAG = "read position", "end of the log", "lag"
_METRICS = {
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
_MOST_BYTES, _MOST_PARTITIONS = 500_000_000, 5000
_MILLISECONDS = 1e11


@dataclass(frozen=True)
class LagRecord:
    """Counts of each partition `[partition, time]`: `read` and `end`; seconds since the first in `time`."""

    time: Floats
    read: Floats
    end: Floats


def read_lag(file: Path, topic: str | None = None, group: str | None = None) -> LagRecord:
    """Read a CSV of recorded lag; with `topic` and `group`, only their rows.

    Raises `InputError` for a file that is none, and where more than one topic or group is in it and
    none is named.
    """
    if not file.is_file() or file.stat().st_size > _MOST_BYTES:
        raise _wrong(file, "found no file of at most 500 MB, wanted a CSV of recorded lag")
    found: dict[tuple[str, int], dict[float, float]] = {}
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.DictReader(text)
        columns = {(name or "").strip().lower().replace("-", "_"): name for name in reader.fieldnames or ()}
        shape = _shape(file, columns)
        seen: set[tuple[str, str]] = set()
        for number, row in enumerate(reader, start=2):
            plain = {
                short: (row[name] or "").strip()
                for short, name in columns.items()
                if row.get(name) is not None
            }
            own = (plain.get("topic", ""), _first(plain, "group", "consumergroup", "consumer_group"))
            if (topic is not None and own[0] != topic) or (group is not None and own[1] not in {group, ""}):
                continue
            try:
                for role, partition, when, value in shape.numbers(plain):
                    found.setdefault((role, partition), {})[when] = value
                    seen.add(own)
            except ValueError as error:
                raise _wrong(file, str(error), number) from None
    _one_reader(file, seen)
    return _aligned(file, found)


@dataclass(frozen=True)
class _Shape:
    time: str
    metric: str | None
    roles: dict[str, str]

    def numbers(self, row: dict[str, str]) -> Iterator[tuple[str, int, float, float]]:
        """Role, partition, seconds, value: of one row."""
        if self.metric is not None and row.get(self.metric) not in _METRICS:
            return
        partition = int(row.get("partition", ""))
        if not 0 <= partition < _MOST_PARTITIONS:
            raise ValueError(f"found partition {partition}, wanted 0 to {_MOST_PARTITIONS - 1}")
        when = seconds_of(row.get(self.time, ""))
        named = {"value": _METRICS[row[self.metric]]} if self.metric is not None else self.roles
        for column, role in named.items():
            if row.get(column):
                value = float(row[column])
                if not math.isfinite(value) or value < 0:
                    raise ValueError(f"found {column} {row[column]!r}, wanted a count")
                yield role, partition, when, value


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


def _shape(file: Path, columns: dict[str, str]) -> _Shape:
    time = next((name for name in _TIMES if name in columns), None)
    metric = next((name for name in _NAMES if name in columns), None)
    roles = {name: role for name, role in _COLUMNS.items() if name in columns}
    known = metric is not None and "value" in columns
    if time is None or "partition" not in columns or not (known or roles):
        wanted = "time, partition, and metric with value, or columns as lag, current_offset, log_end_offset"
        raise _wrong(file, f"found the columns {', '.join(columns) or 'none'}; wanted {wanted}")
    return _Shape(time, metric if known else None, roles)


def _first(row: dict[str, str], *names: str) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _one_reader(file: Path, seen: set[tuple[str, str]]) -> None:
    for place, what in enumerate(("topic", "group")):
        names = sorted({own[place] for own in seen} - {""})
        if len(names) > 1:
            raise _wrong(file, f"found more than one {what} ({', '.join(names[:5])}): name one with --{what}")


def _aligned(file: Path, found: dict[tuple[str, int], dict[float, float]]) -> LagRecord:
    """All partitions at the times that all of them have, the missing one of three from the others."""
    partitions = sorted({partition for _, partition in found})
    roles = {role for role, _ in found}
    if not partitions or len(roles) < 2:
        had = ", ".join(sorted(roles)) or "nothing known"
        raise _wrong(file, f"found {had}; wanted two of read position, end of the log and lag")
    two = (END, READ) if {END, READ} <= roles else tuple(sorted(roles))
    times = sorted(
        set.intersection(*(set(found.get((role, each), {})) for role in two for each in partitions))
    )
    if len(times) < 3:
        raise _wrong(
            file, f"found {len(times)} times at which all partitions are recorded, wanted at least 3"
        )
    counts = {
        role: np.array([[found[role, each][when] for when in times] for each in partitions]) for role in two
    }
    end = counts[END] if END in counts else counts[READ] + counts[LAG]
    read = counts[READ] if READ in counts else end - counts[LAG]
    return LagRecord(np.array(times) - times[0], read, end)


def _wrong(file: Path, message: str, line: int = 1) -> InputError:
    return InputError([Problem(message, Position(str(file), line))])

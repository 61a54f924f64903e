"""The settings of a Kafka topic, whichever tool writes them, and what a plan calls them.

    retention.ms: 604800000     retention.time: 7 d
    cleanup.policy: compact     retention.cleanup: compact

Source: Apache Kafka documentation, "Topic-Level Configs".
"""

from __future__ import annotations

from collections.abc import Callable

from pipelineplan.errors import Position
from pipelineplan.facts.amounts import duration_ms, size_bytes, whole
from pipelineplan.facts.fact import NO_PLACE, About, Value
from pipelineplan.quantities import Dimension

_CLEANUP = {
    frozenset({"delete"}): "delete",
    frozenset({"compact"}): "compact",
    frozenset({"compact", "delete"}): "compact_delete",
}
_TIMESTAMPS = {"createtime": "create", "logappendtime": "log_append"}


class NotUnderstoodError(ValueError):
    """A value that is none of those the setting may have."""


def _limit(write: Callable[[int], str]) -> Callable[[object], Value]:
    """An amount; -1 says that there is no limit."""

    def read(value: object) -> Value:
        number = whole(value)
        if number is None or number < -1:
            raise NotUnderstoodError
        return None if number == -1 else write(number)

    return read


def _count(value: object) -> Value:
    number = whole(value)
    if number is None or number < 1:
        raise NotUnderstoodError
    return number


def _cleanup(value: object) -> Value:
    parts = value if isinstance(value, list) else str(value).strip("[] ").split(",")
    policies = frozenset(str(part).strip().lower() for part in parts)
    if policies not in _CLEANUP:
        raise NotUnderstoodError
    return _CLEANUP[policies]


def _timestamps(value: object) -> Value:
    found = _TIMESTAMPS.get(str(value).strip().lower())
    if found is None:
        raise NotUnderstoodError
    return found


_TIME, _SIZE = _limit(duration_ms), _limit(size_bytes)
_READS: dict[str, tuple[str, Callable[[object], Value], Dimension | None]] = {
    "partitions": ("partitions", _count, None),
    "replicas": ("replication", _count, None),
    "min.insync.replicas": ("min_insync_replicas", _count, None),
    "retention.ms": ("retention.time", _TIME, Dimension.DURATION),
    "retention.bytes": ("retention.bytes_per_partition", _SIZE, Dimension.SIZE),
    "segment.ms": ("retention.segment", _TIME, Dimension.DURATION),
    "segment.bytes": ("retention.segment_bytes", _SIZE, Dimension.SIZE),
    "cleanup.policy": ("retention.cleanup", _cleanup, None),
    "message.timestamp.type": ("retention.timestamps", _timestamps, None),
    "delete.retention.ms": ("retention.tombstones", _TIME, Dimension.DURATION),
}


def setting(topic: About, key: str, value: object, position: Position, written: str = "") -> None:
    """Note the setting `key` of `topic` as a fact, or why it is none."""
    shown = written or f"{key}: {value}"
    if key not in _READS:
        topic.skip(shown, NO_PLACE, position)
        return
    name, read, dimension = _READS[key]
    try:
        topic.fact(name, read(value), shown, position, dimension)
    except NotUnderstoodError:
        topic.skip(shown, f"found {str(value)[:60]!r}, which is no value of {key}", position, name)


def field_of(key: str) -> str:
    """What a plan calls the setting `key`; empty where it has no place for it."""
    return _READS[key][0] if key in _READS else ""

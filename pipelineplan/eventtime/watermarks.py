"""Watermarks: how far event time has surely come, before each record and after the last.

    event time      10   14   12   21        lag 5, one partition
    watermark     .    5    9    9    16     `.` is `NEVER`: nothing has been seen

With a watermark per partition the stream's is the minimum over partitions, and a partition
that was never seen holds it at `NEVER`. Merged, one watermark follows all records in the order
in which they arrive, so a slow reader's records find it far ahead of them.

Sources: T. Akidau et al., The Dataflow Model, PVLDB 8(12), 2015; Apache Flink, Generating
Watermarks (per-partition watermarks are merged by their minimum).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Milliseconds = npt.NDArray[np.int64]

# Far below any event time, and far enough from the end of int64 to subtract lags from.
NEVER = -(2**62)
FURTHEST_MS = 2**60


class Scope(StrEnum):
    """Whether one watermark follows the merged stream, or one follows each partition."""

    MERGED = "merged"
    PER_PARTITION = "per_partition"


@dataclass(frozen=True)
class Watermark:
    """Bounded out-of-orderness: the newest event time less `lag_ms`, emitted with every record.

    `partitions` counts all partitions of the stream when the scope is per partition, also those
    that never send anything.
    """

    lag_ms: int
    scope: Scope = Scope.MERGED
    partitions: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.lag_ms < FURTHEST_MS or self.partitions < 1:
            message = (
                f"found a lag of {self.lag_ms} ms over {self.partitions} partitions, wanted >= 0 and >= 1"
            )
            raise ValueError(message)

    @property
    def followed(self) -> int:
        """How many maxima are followed: one, or one for each partition."""
        return self.partitions if self.scope is Scope.PER_PARTITION else 1


@dataclass(frozen=True)
class WatermarkState:
    """What is carried from chunk to chunk: the newest event time per followed partition.

    `merge` joins the states of consecutive stretches of one stream, so that the maxima of many
    chunks can be found in parallel before the records are looked at.
    """

    highest_ms: Milliseconds
    records: int = 0

    @classmethod
    def start(cls, watermark: Watermark) -> WatermarkState:
        """Before the first record."""
        return cls(np.full(watermark.followed, NEVER, dtype=np.int64))

    def merge(self, later: WatermarkState) -> WatermarkState:
        """The state after this stretch and the `later` one."""
        return WatermarkState(np.maximum(self.highest_ms, later.highest_ms), self.records + later.records)


def advance(
    state: WatermarkState, event_time_ms: Milliseconds, partition: npt.NDArray[np.integer] | None = None
) -> tuple[Milliseconds, WatermarkState]:
    """Progress of event time over `n` records in arrival order, without any lag.

    `event_time_ms` and `partition` have shape `(n,)`; `partition` counts from 0 and is needed
    when the state follows more than one. The result has shape `(n + 1,)`: item `i` is before
    record `i`, the last after all. Raises `ValueError` for a partition that does not exist or
    an event time beyond 36 million years.
    """
    _require_in_range(event_time_ms)
    if len(state.highest_ms) == 1:
        progress = _running_maximum(event_time_ms, int(state.highest_ms[0]))
        highest = progress[-1:].copy()
    else:
        progress, highest = _slowest(state, event_time_ms, _checked(partition, event_time_ms, state))
    return progress, WatermarkState(highest, state.records + len(event_time_ms))


def _running_maximum(values: Milliseconds, before: int) -> Milliseconds:
    result = np.empty(len(values) + 1, dtype=np.int64)
    result[0] = before
    result[1:] = values
    return np.maximum.accumulate(result, out=result)


def _slowest(
    state: WatermarkState, event_time_ms: Milliseconds, partition: npt.NDArray[np.integer]
) -> tuple[Milliseconds, Milliseconds]:
    """The minimum over partitions of their running maxima, and the maxima at the end."""
    slowest = np.full(len(event_time_ms) + 1, FURTHEST_MS, dtype=np.int64)
    highest = state.highest_ms.copy()
    for number in range(len(highest)):
        own = np.where(partition == number, event_time_ms, NEVER)
        running = _running_maximum(own, int(highest[number]))
        np.minimum(slowest, running, out=slowest)
        highest[number] = running[-1]
    return slowest, highest


def _require_in_range(event_time_ms: Milliseconds) -> None:
    if len(event_time_ms) and not (
        int(event_time_ms.min()) > -FURTHEST_MS and int(event_time_ms.max()) < FURTHEST_MS
    ):
        raise ValueError("found an event time beyond 36 million years, wanted milliseconds since 1970")


def _checked(
    partition: npt.NDArray[np.integer] | None, event_time_ms: Milliseconds, state: WatermarkState
) -> npt.NDArray[np.integer]:
    if partition is None or len(partition) != len(event_time_ms):
        raise ValueError("found no partition for every record, wanted one: the watermark is per partition")
    if len(partition) and not (int(partition.min()) >= 0 and int(partition.max()) < len(state.highest_ms)):
        message = f"found partition {int(partition.max())}, wanted 0 to {len(state.highest_ms) - 1}"
        raise ValueError(message)
    return partition

"""Two engines without a Beam-like watermark: Kafka Streams by stream time, Spark by micro-batch.

    Kafka Streams   per task: stream time = the newest event time, the record's own included;
                    dropped when end <= stream time - grace. Every record updates its window at once.
    Spark           watermark = the newest event time of the batches before, over all partitions, less
                    the delay, never below 0. Batch b drops a record when end <= the watermark that batch
                    b - 1 had; it emits (append mode) windows with end <= its own watermark.

    batch            0        1        2        3          delay 0, windows of 10
    event times      5, 12    25       7        3
    watermark        0        12       25       25         of the batch
    late filter      0        0        12       25         of the batch before: 7 is dropped in batch 2

So Spark forgives for one more batch than its watermark says, and a batch without data between two
takes that grace away. Neither has panes on time and late: a record is counted or dropped.

Sources: Apache Kafka, KStreamWindowAggregate.java (process); Apache Spark, MicroBatchExecution.scala and
IncrementalExecution.scala (inputWatermarkForLateEvents: currentBatchId - 1; SPARK-40925),
statefulOperators.scala (watermarkExpression: end <= watermark), WatermarkTracker.scala. Read, not run.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import NEVER, Milliseconds, advance
from pipelineplan.eventtime.watermarks import WatermarkState as State

Flags = npt.NDArray[np.bool_]


def kafka_streams_drops(
    windows: FixedWindows, event_time_ms: Milliseconds, partition: npt.NDArray[np.integer], grace_ms: int
) -> Flags:
    """Whether each of `n` records is dropped; `partition` is that of the topic before the aggregation.

    The windows' allowed lateness is not looked at: Kafka Streams has one grace period.
    """
    dropped = np.zeros(len(event_time_ms), dtype=np.bool_)
    ends = _ends(windows, event_time_ms)
    for number in np.unique(partition):
        mine = partition == number
        stream_time, _ = advance(State(np.full(1, NEVER, dtype=np.int64)), event_time_ms[mine])
        dropped[mine] = ends[mine] <= stream_time[1:] - grace_ms
    return dropped


def spark_drops(
    windows: FixedWindows, event_time_ms: Milliseconds, batch: npt.NDArray[np.integer], delay_ms: int
) -> Flags:
    """Whether each of `n` records is dropped; `batch` never falls, and a number left out had no data.

    The windows' allowed lateness is not looked at: Spark has one delay. Raises `ValueError` for
    batches that fall or are negative.
    """
    if len(batch) and ((batch[1:] < batch[:-1]).any() or int(batch[0]) < 0):
        raise ValueError("found batches out of order, wanted numbers from 0 that never fall")
    progress, _ = advance(State(np.full(1, NEVER, dtype=np.int64)), event_time_ms)
    # How many records the batches up to two before this one held: the watermark of the batch before.
    known = np.searchsorted(batch, batch - 1, side="left")
    late_filter = np.maximum(progress[known] - delay_ms, 0)
    return np.asarray(_ends(windows, event_time_ms) <= late_filter)


def _ends(windows: FixedWindows, event_time_ms: Milliseconds) -> Milliseconds:
    return windows.start_ms(windows.index(event_time_ms)) + windows.size_ms

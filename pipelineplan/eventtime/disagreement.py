"""Where engines would disagree about the very same records, under the same lag, windows and lateness.

    record  window     beam-model   beam-python   flink-datastream   flink-sql   kafka-streams
    7       [0, 10)    dropped      late          dropped            dropped     dropped

For tumbling windows with topic partitions Kafka Streams is among them (its grace period the lag and
the allowed lateness together), and with batches Spark (its delay likewise).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.engine_rules import EngineRule
from pipelineplan.eventtime.other_engines import kafka_streams_drops, spark_drops
from pipelineplan.eventtime.panes import Arrival, Paning, play
from pipelineplan.eventtime.timeliness import FixedWindows
from pipelineplan.eventtime.watermarks import NEVER, Watermark, WatermarkState, advance
from pipelineplan.eventtime.window_kinds import Windows, assigned

COUNTED, DROPPED = "counted", "dropped"
KAFKA_STREAMS, SPARK = "kafka-streams", "spark"


@dataclass(frozen=True)
class Disagreement:
    """One record in one window, and what each engine says: on_time, late, dropped; counted."""

    record: int
    start_ms: int
    end_ms: int
    says: Mapping[str, str]


@dataclass(frozen=True)
class Disagreements:
    """What differs, by record; and how often each engine says what over all records and windows."""

    records: int
    totals: Mapping[str, Mapping[str, int]]
    rows: tuple[Disagreement, ...]

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat row per record and window on which engines disagree."""
        return [{"record": r.record, "start_ms": r.start_ms, "end_ms": r.end_ms, **r.says} for r in self.rows]


Answers = dict[tuple[int, int, int], str]


def disagreements(
    windows: Windows,
    watermark: Watermark,
    arrivals: Sequence[Arrival],
    partition: npt.NDArray[np.integer] | None = None,
    batch: npt.NDArray[np.integer] | None = None,
) -> Disagreements:
    """Compare the engines on `(key, event time)` in order of arrival.

    A session that engines delimit differently is shown with each one's own window. Engines that
    only count or drop disagree with the others only where one drops and the other does not.
    """
    times = np.array([time for _, time in arrivals], dtype=np.int64)
    said: dict[str, Answers] = {}
    for rule in EngineRule:
        progress, _ = advance(WatermarkState.start(watermark), times, partition)
        progress = np.where(
            progress == NEVER, NEVER, progress - watermark.lag_ms + rule.instants.watermark_ms
        )
        played = play(Paning(windows, rule), arrivals, progress.tolist())
        said[rule.value] = {
            (p.record, p.start_ms, p.end_ms): p.timeliness.name.lower() for p in played.placements
        }
    if isinstance(windows, FixedWindows):
        patience = watermark.lag_ms + windows.allowed_lateness_ms
        own = np.zeros(len(times), dtype=np.int64) if partition is None else partition
        said[KAFKA_STREAMS] = _counted(windows, arrivals, kafka_streams_drops(windows, times, own, patience))
        if batch is not None:
            said[SPARK] = _counted(windows, arrivals, spark_drops(windows, times, batch, patience))
    totals = {engine: dict(sorted(Counter(answers.values()).items())) for engine, answers in said.items()}
    return Disagreements(len(arrivals), totals, tuple(_differing(said)))


def _counted(windows: FixedWindows, arrivals: Sequence[Arrival], dropped: npt.NDArray[np.bool_]) -> Answers:
    return {
        (number, *assigned(windows, time)[0]): DROPPED if gone else COUNTED
        for number, ((_, time), gone) in enumerate(zip(arrivals, dropped.tolist(), strict=True))
    }


def _differing(said: Mapping[str, Answers]) -> list[Disagreement]:
    places = sorted(set().union(*said.values()))
    found = []
    for place in places:
        says = {engine: answers.get(place, "in another window") for engine, answers in said.items()}
        precise = {word for word in says.values() if word != COUNTED}
        if len(precise) > 1 or (COUNTED in says.values() and precise == {DROPPED}):
            found.append(Disagreement(*place, says))
    return found

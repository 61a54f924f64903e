"""What each watermark lag would have cost on the recorded events: completeness against waiting.

    lag      at first firing   in the end   dropped   added latency (median)
    0 s              93.1 %       93.1 %     6.9 %      0.1 s
    0.2 s            99.4 %       99.4 %     0.6 %      0.3 s     <- the knee
    4.6 s           100.0 %      100.0 %     0.0 %      4.7 s

Every line is the events themselves, judged by `eventtime` under an engine's rule, and no formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from pipelineplan.eventtime import EngineRule
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark, WatermarkState
from pipelineplan.eventtime.windows import WindowTotals
from pipelineplan.profiling.counting import ValueCounts
from pipelineplan.profiling.measuring import measure
from pipelineplan.profiling.recording import Batch, Progress, Recording, nothing_readable, open_recording
from pipelineplan.profiling.times import Unit
from pipelineplan.sources import StreamProfile

_LAG_QUANTILES = ("p50", "p75", "p90", "p95", "p98", "p99", "p99.9", "p99.99", "max")


class _Columns(TypedDict):
    event_time: str
    arrival_time: str | None
    partition: str | None
    unit: Unit


@dataclass(frozen=True)
class Choices:
    """What is tried: every lag with every allowed lateness, on tumbling windows, by one rule.

    Without lags, they are those of `lags_of` the recording's own profile, which is measured first.
    """

    window_seconds: float
    lags_seconds: tuple[float, ...] = ()
    allowed_seconds: tuple[float, ...] = (0.0,)
    rule: EngineRule = EngineRule.BEAM_MODEL


@dataclass(frozen=True)
class TradeoffRow:
    """One watermark lag and allowed lateness; shares are of all events.

    Latency is from the end of a window to its first firing, by the recording's clock (arrival
    time, or else the newest event time); None when no window fired before the recording ended.
    `knee` marks the lag beyond which waiting buys least.
    """

    lag_seconds: float
    allowed_lateness_seconds: float
    at_first_firing: float
    final: float
    dropped: float
    latency_p50_seconds: float | None
    latency_p95_seconds: float | None
    knee: bool = False


@dataclass(frozen=True)
class Tradeoff:
    """Rows by rising lag, then allowed lateness, over tumbling windows of `window_seconds`."""

    rule: EngineRule
    scope: Scope
    window_seconds: float
    events: int
    unreadable: int
    rows: tuple[TradeoffRow, ...]

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data in a fixed order."""
        return asdict(self) | {
            "rule": self.rule.value,
            "scope": self.scope.value,
            "rows": [asdict(r) for r in self.rows],
        }


def tradeoff(
    paths: Sequence[str | Path],
    choices: Choices,
    *,
    event_time: str,
    arrival_time: str | None = None,
    partition: str | None = None,
    unit: Unit = "auto",
    progress: Progress | None = None,
) -> Tradeoff:
    """Judge the recorded events under every lag and allowed lateness; times to the millisecond.

    With a `partition` column the watermark is the minimum over its partitions, else it follows
    the merged stream. Raises as `measure` does, and `ValueError` for a window below 1 ms or a
    negative lag.
    """
    columns: _Columns = {
        "event_time": event_time,
        "arrival_time": arrival_time,
        "partition": partition,
        "unit": unit,
    }
    if not choices.lags_seconds:
        choices = replace(choices, lags_seconds=lags_of(measure(paths, **columns, progress=progress)))
    recording = open_recording(paths, **columns)
    judgements = _judgements(recording, choices)
    grid = recording.passed_to(lambda batches: _Grid(judgements).taking(batches), progress)
    if grid.events == 0:
        raise nothing_readable(recording)
    scope = grid.tallies[0].judgement.watermark.scope
    rows = _with_knee(grid.rows())
    return Tradeoff(choices.rule, scope, choices.window_seconds, grid.events, recording.unreadable, rows)


class _Grid:
    """One tally per judgement, all fed with the same batches; remembers open windows only."""

    def __init__(self, judgements: Sequence[Judgement]) -> None:
        self.tallies = [WindowTotals(judgement) for judgement in judgements]
        self.waited = [ValueCounts.none() for _ in judgements]
        self.states: list[WatermarkState | None] = [None] * len(judgements)
        self.events = 0
        self._newest_ms: int | None = None

    def taking(self, batches: Iterable[Batch]) -> _Grid:
        """Itself, after all batches."""
        for batch in batches:
            self.take(batch)
        return self

    def take(self, batch: Batch) -> None:
        event_ms = batch.event_us // 1000
        clock = np.maximum.accumulate(event_ms)
        if self._newest_ms is not None:
            np.maximum(clock, self._newest_ms, out=clock)
        self._newest_ms = int(clock[-1])
        if batch.arrival_us is not None:
            clock = batch.arrival_us // 1000
        for number, tally in enumerate(self.tallies):
            chunk = classify(tally.judgement, event_ms, batch.partition, self.states[number])
            self.states[number] = chunk.state
            fired = tally.take(chunk, clock)
            ends = tally.judgement.windows.start_ms(fired.window_index) + tally.judgement.windows.size_ms
            self.waited[number] = self.waited[number].merge(ValueCounts.of(fired.clock_ms - ends))
        self.events += len(event_ms)

    def rows(self) -> list[TradeoffRow]:
        return [_row(tally, waited) for tally, waited in zip(self.tallies, self.waited, strict=True)]


def lags_of(profile: StreamProfile) -> tuple[float, ...]:
    """Lags worth trying: 0 and the quantiles of disorder, within partitions where that was measured."""
    within = profile.within_partitions
    spread = profile.disorder_seconds if within is None else within.disorder_seconds
    # Whole milliseconds, rounded up: a lag is to be enough for its quantile. Twelve digits are no noise.
    millis = {math.ceil(float(f"{spread.quantiles[name] * 1000:.12g}")) for name in _LAG_QUANTILES}
    return tuple(milli / 1000 for milli in sorted({0} | millis))


def _judgements(recording: Recording, choices: Choices) -> list[Judgement]:
    partitions = len(recording.partition_names()) if recording.partition is not None else 1
    scope = Scope.MERGED if recording.partition is None else Scope.PER_PARTITION
    size = round(choices.window_seconds * 1000)
    return [
        Judgement(
            Watermark(round(lag * 1000), scope, max(partitions, 1)),
            FixedWindows(size, round(late * 1000)),
            choices.rule,
        )
        for lag, late in product(sorted(set(choices.lags_seconds)), sorted(set(choices.allowed_seconds)))
    ]


def _row(tally: WindowTotals, waited: ValueCounts) -> TradeoffRow:
    on_time, late, dropped = tally.totals.tolist()
    events, judgement = on_time + late + dropped, tally.judgement
    p50, p95 = (waited.quantile(p) / 1000 if len(waited.values) else None for p in (0.5, 0.95))
    return TradeoffRow(
        lag_seconds=judgement.watermark.lag_ms / 1000,
        allowed_lateness_seconds=judgement.windows.allowed_lateness_ms / 1000,
        at_first_firing=on_time / events,
        final=(on_time + late) / events,
        dropped=dropped / events,
        latency_p50_seconds=p50,
        latency_p95_seconds=p95,
    )


def _with_knee(rows: list[TradeoffRow]) -> tuple[TradeoffRow, ...]:
    """Mark the lag furthest above the chord from the first to the last lag.

    V. Satopää et al., Finding a "Kneedle" in a Haystack, ICDCS workshops 2011.
    """
    knee = _knee([(row.lag_seconds, row.at_first_firing) for row in rows])
    return tuple(TradeoffRow(**{**asdict(row), "knee": row.lag_seconds == knee}) for row in rows)


def _knee(points: list[tuple[float, float]]) -> float | None:
    (first, low), (last, high) = points[0], points[-1]
    if last == first or high <= low:
        return None
    above = {x: (y - low) / (high - low) - (x - first) / (last - first) for x, y in points}
    best = max(above, key=lambda x: (above[x], -x))
    return best if above[best] > 0 else None

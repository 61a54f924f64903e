r"""What recorded lag says of a plan's numbers: capacity of a worker, skew, standstills, arrival rate.

    lag |      /\             rises at lambda while nobody reads, falls at mu - lambda while a worker
        |     /  \            has a backlog: two slopes, two numbers; how long nothing is read is what
        |____/    \____       a restart takes, with detection and repair

A worker with a backlog reads as fast as it can, so its capacity is what it reads then; the interval is
Student's over the samples. Positions that are committed at checkpoints move in steps: record
less often than they commit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelineplan.errors import InputError, Position, Problem
from pipelineplan.plan import Plan
from pipelineplan.simulation.arranging import End, Pipeline
from pipelineplan.simulation.from_plan import pipelines_of
from pipelineplan.simulation.probability import spread
from pipelineplan.simulation.questions.lag_records import LagRecord, read_lag
from pipelineplan.simulation.sharing import Floats

Flags = npt.NDArray[np.bool_]
_BLOCKS = 12
_FEWEST_SAMPLES = 5
# Less than this share of the usual reading is standing still.
_STILL = 0.02


@dataclass(frozen=True)
class Calibrated:
    """A number that was measured, with its 95 % interval, and what the plan says; NaN where unknown."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    samples: int
    planned: float = math.nan
    why: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether the plan's number lies in the interval; None where either is unknown."""
        if math.isnan(self.value) or math.isnan(self.planned):
            return None
        return self.low <= self.planned <= self.high

    def to_json_dict(self) -> dict[str, Any]:
        """Plain data; what is not known is None."""
        numbers = {"value": self.value, "low": self.low, "high": self.high, "planned": self.planned}
        plain = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
        return {
            "name": self.name,
            "unit": self.unit,
            **plain,
            "agrees": self.agrees,
            "samples": self.samples,
            "why": self.why,
        }


def calibrate_plan(
    plan: Plan, metrics: Path, *, topic: str | None = None, group: str | None = None, sink: str | None = None
) -> tuple[Calibrated, ...]:
    """What the recording in the file `metrics` says of one pipeline of `plan`: that to `sink`, or the first.

    Raises `InputError` for a file or a sink that cannot be used.
    """
    pipelines, refused = pipelines_of(plan)
    chosen = [each for each in pipelines if sink is None or each.name.endswith(f"-> {sink}")]
    if not chosen:
        why = "; ".join(f"{what}: {reason}" for what, reason in refused) or "there is no such sink"
        raise InputError([Problem(f"no pipeline to calibrate: {why}", Position(plan.file))])
    return calibrate(chosen[0], read_lag(metrics, topic, group))


def calibrate(pipeline: Pipeline, recorded: LagRecord) -> tuple[Calibrated, ...]:
    """What a recording says of the numbers of a pipeline.

    Raises `InputError` when it has another number of partitions than the plan.
    """
    network = pipeline.inputs[End.LIKELY].network
    partitions = len(recorded.read)
    if network.joint or partitions != network.source.partitions:
        wanted = "one log" if network.joint else f"{network.source.partitions} partitions"
        raise InputError(
            [Problem(f"the recording has {partitions} partitions, the plan {wanted}", Position("--metrics"))]
        )
    load = pipeline.inputs[End.LIKELY].load
    worker_of = np.array(network.assignment())
    seen = _Seen(recorded, worker_of)
    working = network.checkpoint.working_share if network.checkpoint is not None else 1.0
    planned = network.stages[0].capacity_per_second * working / network.stages[0].selectivity
    restart = network.checkpoint.restart_seconds if network.checkpoint is not None else math.nan
    return (
        _over_blocks("arrival rate", "records/s", seen.rate_of, recorded, load.average_per_second),
        _capacity(seen, planned),
        _over_blocks(
            "share of the hottest key", "share", seen.hottest_key_of, recorded, network.source.hottest_key
        ),
        _standstill(seen, restart),
    )


@dataclass(frozen=True)
class _Seen:
    """What moved between samples, `[partition or worker, step]`."""

    recorded: LagRecord
    worker_of: npt.NDArray[np.intp]

    @property
    def seconds(self) -> Floats:
        return np.diff(self.recorded.time)

    def by_worker(self, counts: Floats) -> Floats:
        """Counts of partitions as those of the workers that read them."""
        summed = np.zeros((int(self.worker_of.max()) + 1, counts.shape[1]))
        np.add.at(summed, self.worker_of, counts)
        return summed

    def rate_of(self, chosen: slice) -> float:
        end, time = self.recorded.end[:, chosen], self.recorded.time[chosen]
        return float((end[:, -1] - end[:, 0]).sum() / (time[-1] - time[0]))

    def hottest_key_of(self, chosen: slice) -> float:
        """From the share of the fullest partition of the whole recording: `s = h + (1 - h)/P`."""
        came = self.recorded.end[:, -1] - self.recorded.end[:, 0]
        fullest, count = int(came.argmax()), len(came)
        here = self.recorded.end[:, chosen]
        moved = here[:, -1] - here[:, 0]
        if count == 1 or moved.sum() <= 0:
            return math.nan
        return max(0.0, (count * float(moved[fullest] / moved.sum()) - 1) / (count - 1))

    @property
    def usual(self) -> Floats:
        """How fast records come to each worker, over the whole recording."""
        came = self.by_worker(self.recorded.end)
        return np.asarray((came[:, -1] - came[:, 0]) / (self.recorded.time[-1] - self.recorded.time[0]))

    def standing_still(self) -> Flags:
        """The steps in which nothing at all is read."""
        read = np.diff(self.recorded.read, axis=1).sum(axis=0)
        return np.asarray(read <= _STILL * self.usual.sum() * self.seconds)


def _over_blocks(
    name: str, unit: str, measured: Callable[[slice], float], recorded: LagRecord, planned: float
) -> Calibrated:
    """A number of each of a dozen stretches of the recording, and Student's interval over them."""
    length = max(2, len(recorded.time) // _BLOCKS)
    starts = range(0, len(recorded.time) - length, length)
    values = [measured(slice(start, start + length + 1)) for start in starts]
    known = [each for each in values if not math.isnan(each)]
    if len(known) < 3:
        return _unknown(name, unit, planned, "the recording is too short for an interval")
    over = spread(known)
    return Calibrated(name, over.mean, over.mean_low, over.mean_high, unit, len(known), planned)


def _capacity(seen: _Seen, planned: float) -> Calibrated:
    """What workers read while they have a backlog at both ends of a step and are not held up."""
    name, unit = "capacity of a worker", "records/s"
    lag = seen.by_worker(seen.recorded.end - seen.recorded.read)
    read = np.diff(seen.by_worker(seen.recorded.read), axis=1) / seen.seconds
    # A step's worth of arrivals is no backlog yet, but what any reader has between two looks.
    enough = 1.5 * seen.usual[:, None] * seen.seconds
    behind = (lag[:, :-1] > enough) & (lag[:, 1:] > enough)
    # A step next to a standstill was one in part.
    still = seen.standing_still() | (read.sum(axis=0) < 0)
    near = still | np.append(still[1:], False) | np.append(False, still[:-1])
    samples = read[behind & ~near[None, :] & (seen.usual[:, None] > 0)]
    if len(samples) < _FEWEST_SAMPLES:
        why = "no worker had a backlog for long enough: record a drain"
        return _unknown(name, unit, planned, why)
    over = spread(samples.tolist())
    return Calibrated(name, over.mean, over.mean_low, over.mean_high, unit, len(samples), planned)


def _standstill(seen: _Seen, planned: float) -> Calibrated:
    """How long nothing was read where something should have been; to a step at either end.

    Positions that are committed now and then stand still in between: only what is much longer counts.
    """
    name = "standstill"
    read, still, time = np.diff(seen.recorded.read.sum(axis=0)), seen.standing_still(), seen.recorded.time
    edges = np.flatnonzero(np.diff(np.concatenate(((0,), still.astype(np.int8), (0,)))))
    runs = [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
    moving = np.diff(np.flatnonzero(~still))
    usual = float(np.median(moving)) if len(moving) else 1.0
    long = [run for run in runs if run[1] - run[0] >= max(2.0, 3.0 * usual) and run[1] < len(still)]
    if not long:
        return _unknown(name, "s", planned, "nothing stood still for long: no restart is in the recording")
    lows, highs = [], []
    for start, end in long:
        length, before, after = time[end] - time[start], seen.seconds[max(start - 1, 0)], seen.seconds[end]
        # Where positions went back, the first step was still one of reading in part.
        within = float(seen.seconds[start]) if read[start] < 0 else 0.0
        lows.append(float(length) - within)
        highs.append(float(length + after + (0.0 if within else before)))
    value = sum(low + high for low, high in zip(lows, highs, strict=True)) / (2 * len(long))
    why = "detection and repair are in it, where there were any"
    return Calibrated(name, value, min(lows), max(highs), "s", len(long), planned, why)


def _unknown(name: str, unit: str, planned: float, why: str) -> Calibrated:
    return Calibrated(name, math.nan, math.nan, math.nan, unit, 0, planned, why)

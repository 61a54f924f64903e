"""A join whose inputs are read at different speeds: what it must remember until the slower one comes.

    A  read at 100 times real time  |==============>         event time of A
    B  read at  10 times            |=>                      event time of B
                                       <-----------> what A sent in between lies in the join's state

Alignment stops the faster reader at that distance, so that it goes on only as fast as the slower.

Source: Apache Flink, FLIP-182, Support watermark alignment of FLIP-27 sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.network import Network
    from pipelineplan.simulation.sharing import Floats

_LOOK_SECONDS = (0.1, 60.0)
# So near to the distance is at it.
_CLOSE = 0.01


@dataclass(frozen=True)
class JoinDrift:
    """The logs of the network are the inputs of a join; `drift_seconds` is None without alignment.

    What is read ahead lies in the state with `record_bytes` each. `retention_seconds` is how
    long the state remembers; None for ever.
    """

    record_bytes: float
    drift_seconds: float | None = None
    retention_seconds: float | None = None
    awaited = False
    busy_until_seconds = 0.0

    def process(self, knobs: Knobs) -> Process:
        """A log that has come too far is read on only as fast as the slowest one comes."""
        if self.drift_seconds is None:
            return
        limited: set[int] = set()
        while True:
            before = _reached(knobs)
            yield knobs.env.timeout(_LOOK_SECONDS[0])
            reached = _reached(knobs)
            speeds = (reached - before) / _LOOK_SECONDS[0]
            ahead = reached - reached.min()
            self._limit(knobs, ahead, float(speeds[reached.argmin()]), limited)
            closing = float((speeds - speeds[reached.argmin()]).max())
            wait = float((self.drift_seconds - ahead.max()) / closing) if closing > 0 else _LOOK_SECONDS[1]
            awhile = knobs.env.timeout(min(max(wait, _LOOK_SECONDS[0]), _LOOK_SECONDS[1]))
            yield knobs.env.any_of([awhile, knobs.changed()])

    def _limit(self, knobs: Knobs, ahead: Floats, slowest: float, limited: set[int]) -> None:
        drift = self.drift_seconds or 0.0
        for number, log in enumerate(knobs.network.logs):
            if ahead[number] >= drift * (1.0 - _CLOSE):
                # A little slower than the slowest, so that what was overshot is made up for.
                slower = 1.0 - _CLOSE * (ahead[number] > drift)
                arrives = log.part * knobs.scenario.peak_rate
                knobs.limit(number, max(slowest * slower, _CLOSE) * arrives)
                limited.add(number)
            elif number in limited and ahead[number] < drift / 2:
                knobs.limit(number, log.read_limit_per_second)
                limited.discard(number)

    def figures(self, run: Run) -> Mapping[str, float]:
        """How far apart the inputs were read at most, and what the state then held."""
        from pipelineplan.simulation.figures.curves import Curves
        from pipelineplan.simulation.flow.journal import value_at

        curves = Curves(run)
        logs = [curves.event_time_read(first, last) for first, last in _log_places(run.network)]
        when = np.unique(np.concatenate([each.time for each in logs]))
        progress = [value_at(each.time, each.event_time, when) for each in logs]
        slowest = np.min(progress, axis=0)
        rate = run.scenario.peak_rate
        state = np.zeros_like(slowest)
        drift = np.zeros_like(slowest)
        for log, each in zip(run.network.logs, progress, strict=True):
            ahead = each - slowest
            kept = ahead if self.retention_seconds is None else np.minimum(ahead, self.retention_seconds)
            state += kept * rate * log.part * self.record_bytes
            drift = np.maximum(drift, ahead)
        return {"join_drift_seconds": float(drift.max()), "join_state_bytes": float(state.max())}


def _log_places(network: Network) -> list[tuple[int, int]]:
    """The first partition of each log, and the one after its last."""
    ends = np.cumsum([log.partitions for log in network.logs]).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _reached(knobs: Knobs) -> Floats:
    """The event time up to which each log has been read, `[log]`."""
    from pipelineplan.simulation.event_progress import event_time_of
    from pipelineplan.simulation.scenario import appended_curve

    times, counts = appended_curve(knobs.scenario)
    shares = np.maximum(np.array(knobs.network.shares), 1e-300)
    read = np.minimum(knobs.position() / shares, np.interp(knobs.env.now, times, counts))
    seconds = event_time_of((times, counts), read)
    return np.array([float(seconds[first:last].min()) for first, last in _log_places(knobs.network)])

r"""The curves of a run as columns over time, and over replications the band in which they lie.

lag |    __            p95
    |   /. \__          . the median of all replications
    |__/..__ \___      p05
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.state_figures import state_curves
from pipelineplan.simulation.flow.journal import value_at
from pipelineplan.simulation.sharing import Floats

_SERIES_POINTS, BAND_POINTS = 1001, 121
# What is drawn as a band: of each, its 5th, 50th and 95th percentile over replications.
BANDED = (
    "lag_records",
    "watermark_delay_seconds",
    "read_rate_per_second",
    "buffered_records",
    "checkpoint_seconds",
    "state_bytes",
)
QUANTILES = (("p05", 0.05), ("p50", 0.5), ("p95", 0.95))


def series(run: Run) -> dict[str, tuple[float, ...]]:
    """The curves over time, at even steps and where lag peaks, as columns."""
    curves = Curves(run)
    lag = curves.lag
    even = np.linspace(0.0, run.fluid.now, _SERIES_POINTS)
    marks = [each.restarted_seconds for each in run.phases] + [float(lag.time[lag.records.argmax()])]
    time = np.unique(np.concatenate((even, np.clip(marks, 0.0, run.fluid.now))))
    found = {"time_seconds": time, "arrival_rate_per_second": _rate_at(run, time), **curves_at(curves, time)}
    return {name: _column(values) for name, values in found.items()}


def curves_at(curves: Curves, time: Floats) -> dict[str, Floats]:
    """Every curve at each time; after the end of the run its last value."""
    run, lag = curves.run, curves.lag
    event_time = run.network.event_time
    delay = event_time.watermark_lag_seconds + event_time.watermark_interval_seconds
    oldest = value_at(lag.time, lag.oldest_seconds, time)
    return {
        "lag_records": value_at(lag.time, lag.records, time),
        "oldest_unread_seconds": oldest,
        "watermark_delay_seconds": oldest + delay,
        "read_rate_per_second": _read_rate(curves, time),
        "buffered_records": _buffered(curves, time),
        "checkpoint_seconds": _checkpoint_seconds(run, time),
        **state_curves(run, time),
    }


def bands(samples: Sequence[Mapping[str, Sequence[float]]], time: Floats) -> dict[str, tuple[float, ...]]:
    """Columns `lag_records_p05` and so on over `time`, from the curves of all replications at its points."""
    found = {"time_seconds": _column(time)}
    for name in samples[0]:
        rows = np.array([sample[name] for sample in samples])
        for quantile, share in QUANTILES:
            found[f"{name}_{quantile}"] = _column(np.quantile(rows, share, axis=0))
    return found


def _read_rate(curves: Curves, time: Floats) -> Floats:
    """Records read per second since the point before; what is read again after a restart counts again."""
    total = curves.total(curves.partitions)
    forward = np.cumsum(np.maximum(np.diff(total, prepend=total[:1]), 0.0))
    read = value_at(curves.time, forward, np.minimum(time, curves.time[-1]))
    width = np.diff(time, prepend=time[:1])
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(width > 0, np.diff(read, prepend=read[:1]) / width, 0.0)
    if len(rate) > 1:
        rate[0] = rate[1]
    inside = np.flatnonzero(time <= curves.time[-1])
    if len(inside):
        rate[inside[-1] + 1 :] = rate[inside[-1]]
    return np.asarray(rate)


def _buffered(curves: Curves, time: Floats) -> Floats:
    """Records that wait between stages, in all rooms together."""
    fluid = curves.run.fluid
    waiting = np.zeros(len(time))
    for edge in fluid.layout.stored_edges:
        for lane in range(fluid.layout.network.stages[edge].workers):
            came, left = fluid.columns_of(edge, lane)
            waiting += fluid.journal.at(came, time) - fluid.journal.at(left, time)
    return np.maximum(waiting, 0.0)


def _checkpoint_seconds(run: Run, time: Floats) -> Floats:
    """How long the checkpoint took that completed last; 0 before the first."""
    done = np.array([0.0, *(cut.completed for cut in run.cuts[1:])])
    took = np.array([0.0, *(cut.completed - cut.begun for cut in run.cuts[1:])])
    return np.asarray(took[np.searchsorted(done, time, side="right") - 1])


def _rate_at(run: Run, time: Floats) -> Floats:
    starts = np.array([start for start, _ in run.scenario.rates])
    rates = np.array([rate for _, rate in run.scenario.rates])
    return np.asarray(rates[np.searchsorted(starts, time, side="right") - 1])


def _column(values: Floats) -> tuple[float, ...]:
    """Rounded to a millionth, so that the last bits of a sum do not reach a file."""
    return tuple(float(value) for value in np.round(values, 6))

"""From a run to its figures: lag, drain, replay, duplicates, loss, lateness, freshness, utilisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipelineplan.plan.queueing import kingman_bound_seconds
from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.curves import Curves, Lag
from pipelineplan.simulation.figures.freshness import Delays, Over, Since, Until, freshness
from pipelineplan.simulation.figures.special_figures import (
    ADDED,
    CLOSED,
    EXACT,
    MONEY,
    SPECIAL,
    replayed_records,
    special_figures,
)
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.result import FLUID, Figure, FreshnessTarget
from pipelineplan.simulation.runs import behind_schedule_seconds

_SAMPLED = "fluid, sampled evenly; the interval's end adds an estimate of the random wait"
_COUNTED = "fluid; retention looks at whole records every few minutes, real logs delete segments later"
_BOUNDED = "bounds from the disorder that the plan states"

# Figure -> unit and error class, in the order in which they are reported.
FIGURES: dict[str, tuple[str, str]] = {
    "peak_lag_records": ("records", EXACT),
    "oldest_unread_seconds": ("s", EXACT),
    "drain_seconds": ("s", EXACT),
    "replayed_records": ("records", EXACT),
    "duplicate_records": ("records", EXACT),
    "lost_records": ("records", _COUNTED),
    "late_records": ("records", _BOUNDED),
    "dropped_records": ("records", _BOUNDED),
    "freshness_p50_seconds": ("s", _SAMPLED),
    "freshness_p95_seconds": ("s", _SAMPLED),
    "freshness_p99_seconds": ("s", _SAMPLED),
    "watermark_delay_seconds": ("s", EXACT),
    "throughput_per_second": ("records/s", EXACT),
    "arrived_records": ("records", EXACT),
    "peak_utilisation_worst_worker": ("share", CLOSED),
}

# Low, likely and high of one figure within one run.
Range = tuple[float, float, float]


def measure(run: Run) -> dict[str, Range]:
    """Every figure of `FIGURES`, each as low, likely and high within this run."""
    return measure_curves(Curves(run))


def measure_curves(curves: Curves) -> dict[str, Range]:
    """The same of the curves of a run."""
    run = curves.run
    arrived = float(curves.appended_at(np.array([run.fluid.now]))[0])
    lag = curves.lag
    oldest = curves.peak_age()
    event_time = run.network.event_time
    exact = {
        "peak_lag_records": float(lag.records.max()),
        "oldest_unread_seconds": oldest,
        "drain_seconds": 0.0,  # below, since the end of the run may cut it short
        "replayed_records": replayed_records(run),
        "duplicate_records": sum((each.duplicate_records for each in run.phases), 0.0),
        "lost_records": float(run.lost.sum()),
        "watermark_delay_seconds": oldest
        + event_time.watermark_lag_seconds
        + event_time.watermark_interval_seconds,
        "throughput_per_second": _passes(run, arrived) / run.fluid.now,
        "arrived_records": arrived,
        "peak_utilisation_worst_worker": run.network.utilisation(run.scenario.peak_rate)[0],
    }
    found: dict[str, Range] = {name: (value, value, value) for name, value in exact.items()}
    if _overloaded(run):
        # What has grown up to here goes on growing, so there is no upper end.
        for name in ("peak_lag_records", "oldest_unread_seconds", "watermark_delay_seconds"):
            found[name] = (exact[name], exact[name], math.inf)
    found["drain_seconds"] = _drain(run, lag)
    found["late_records"] = _share_of(arrived, event_time.late_share)
    found["dropped_records"] = _share_of(arrived, event_time.dropped_share)
    found |= _freshness(curves)
    for name, value in special_figures(run).items():
        low, likely, high = found.get(name, (0.0, 0.0, 0.0)) if name in ADDED else (0.0, 0.0, 0.0)
        found[name] = (low + value, likely + value, high + value)
    return found


def _drain(run: Run, lag: Lag) -> Range:
    """The longest drain: after an outage, after a burst, or else after the highest lag of the run.

    One that was not over when the run ended has no upper end, and what had passed of it is its least. Of
    runs by schedule: until none is under way or overdue after an outage, or else how long they were behind.
    """
    if run.network.runs is not None and not run.phases:
        return _exactly(behind_schedule_seconds(run.runs))
    if _overloaded(run):
        return _exactly(math.inf)
    ends = run.scenario.drain_from_seconds
    drains = [(each.drain_seconds, each.restarted_seconds) for each in run.phases] + [
        (math.inf if seconds is None else seconds, end)
        for seconds, end in zip(run.burst_drains, ends, strict=True)
    ]
    if not drains:
        return _seconds_to_empty(lag)
    longest = max(seconds for seconds, _ in drains)
    least = max(seconds if math.isfinite(seconds) else run.fluid.now - since for seconds, since in drains)
    return (max(least, 0.0), longest, longest)


def _exactly(value: float) -> Range:
    return (value, value, value)


def _seconds_to_empty(lag: Lag) -> Range:
    """From the highest lag until no record waits; 0 if none ever did, no upper end if that is not reached."""
    peak = int(lag.records.argmax())
    empty = np.flatnonzero(lag.records[peak:] == 0)
    if len(empty):
        return _exactly(float(lag.time[peak + empty[0]] - lag.time[peak]))
    return (float(lag.time[-1] - lag.time[peak]), math.inf, math.inf)


def _overloaded(run: Run) -> bool:
    """Whether the load as it goes on after the run is more than the busiest worker can take."""
    return run.network.utilisation(run.scenario.lasting_rate)[0] > 1.0


def _passes(run: Run, arrived: float) -> float:
    """Records whose reading was not undone: all that arrived, but for what waits or was lost."""
    live = run.fluid.shares > 0
    return arrived - float(run.fluid.queue[run.fluid.log][live].sum()) - float(run.lost.sum())


def _share_of(records: float, shares: tuple[float, float] | None) -> Range:
    if shares is None:
        return (0.0, math.nan, records)
    low, high = shares
    return (low * records, (low + high) / 2 * records, high * records)


def _freshness(curves: Curves) -> dict[str, Range]:
    if curves.run.network.event_time.unknown_freshness:
        return {f"freshness_p{percent}_seconds": (0.0, math.nan, math.inf) for percent in (50, 95, 99)}
    since = Since.WINDOW_END if curves.run.network.event_time.window_seconds > 0 else Since.RECORD
    delays = freshness(curves, since, Until.COMMITTED)
    return {
        f"freshness_p{percent}_seconds": widened(curves.run, delays, percent / 100)
        for percent in (50, 95, 99)
    }


def promised(target: FreshnessTarget, curves: Curves) -> Range:
    """The freshness that a promise is about, as low, likely and high within one run."""
    if curves.run.network.event_time.unknown_freshness:
        return (0.0, math.nan, math.inf)
    delays = freshness(curves, Since(target.since), Until(target.until), Over(target.over))
    return widened(curves.run, delays, target.probability)


def widened(run: Run, delays: Delays, probability: float) -> Range:
    """A delay and, at its high end, the random wait that a fluid leaves out; an overload has no such end.

    What a recording ends before it is seen has waited at least until then.
    """
    seconds = delays.quantile(probability)
    least = seconds if run.scenario.mean_rate is None else delays.quantile_so_far(probability)
    return (least, seconds, math.inf if _overloaded(run) else seconds + _wait(run, probability))


def _wait(run: Run, probability: float) -> float:
    """The random wait at the peak; of a load with many rates at the worst of them, but for the rarest.

    Half of what may be missed is left to the rarest records, and half to the wait of all others.
    """
    if run.scenario.mean_rate is None:
        return random_wait(run.network, run.scenario.peak_rate, probability)
    spells = [(rate, rate * seconds) for rate, seconds in run.scenario.spells]
    left = (1.0 - probability) / 2 * math.fsum(records for _, records in spells)
    waits = sorted(
        ((random_wait(run.network, rate, probability), rate, records) for rate, records in spells),
        reverse=True,
    )
    common = waits[-1][1]
    for _, rate, records in waits:
        left -= records
        if left < 0:
            common = rate
            break
    return min(waits[0][0], random_wait(run.network, common, (1.0 + probability) / 2))


def random_wait(network: Network, rate_per_second: float, probability: float) -> float:
    """An estimate, in seconds, of the quantile of waiting that only randomness causes.

    Per stage Kingman's upper bound of the mean wait with Poisson arrivals, and an exponential tail,
    summed over the stages with one service time each. 0 where a worker is overloaded: there the
    fluid's own queue is what counts. inf at full load: there a fluid has no queue, and chance no bound.
    """
    total = 0.0
    for number, stage in enumerate(network.stages):
        if math.isinf(stage.capacity_per_second):
            continue
        rate = max(network.worker_shares(number)) * rate_per_second * network.scale(number)
        if math.isclose(rate, stage.capacity_per_second, rel_tol=1e-9):
            return math.inf
        if 0 < rate < stage.capacity_per_second:
            mean = kingman_bound_seconds(rate, stage.capacity_per_second, 1.0, stage.service_cv**2)
            total += mean * -math.log(1 - probability) + 1 / stage.capacity_per_second
    return total


def combine(runs: Sequence[Mapping[str, Range]]) -> dict[str, Figure]:
    """The likely run's figures with the interval over all runs; the first run is the likely one."""
    figures = {}
    for name, (unit, error_class) in (FIGURES | SPECIAL).items():
        if not any(name in run for run in runs):
            continue
        ranges = [run.get(name, (0.0, 0.0, 0.0)) for run in runs]
        low, high = min(each[0] for each in ranges), max(each[2] for each in ranges)
        figures[name] = Figure(ranges[0][1], low, high, unit, FLUID, error_class)
    return figures


def in_currency(figures: Mapping[str, Figure], network: Network) -> dict[str, Figure]:
    """The same with the currency of the prices as the unit of money."""
    currency = network.usage.currency if network.usage is not None else ""
    return {
        name: replace(each, unit=currency) if each.unit == MONEY else each for name, each in figures.items()
    }

"""Whether single records matter to a run, and its freshness by T2 where they do.

    estimate of the wait by chance   8 ms against a promise of 4 min   ->  T1, the estimate on top
                                     2 s against 10 s, or c^2 = 4      ->  T2, every record by itself

A fluid at rest has no queue. Where the wait that chance causes is more than a tenth of what is
promised, or service times vary so much that no estimate bounds it, freshness is simulated record by
record, several times, with a Student interval over the runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelineplan.plan.queueing import kingman_estimate_seconds
from pipelineplan.quantities import say_seconds
from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.freshness import Over, Since, Until, freshness
from pipelineplan.simulation.network import Network
from pipelineplan.simulation.probability import spread
from pipelineplan.simulation.records.record_waits import RecordCurves
from pipelineplan.simulation.result import FreshnessTarget
from pipelineplan.simulation.weather import Weather

# A wait below this share of the promise is left to the estimate; more variation than this to no estimate.
_MATTERS, _TOO_VARIED = 0.1, 1.5
# Steps of one record through one stage, over all runs; and how often at least and at most.
_MOST_STEPS, _FEWEST_RUNS, _MOST_RUNS = 4_000_000, 5, 20
_SEED = 0
QUANTILES = (50, 95, 99)

Range = tuple[float, float, float]


@dataclass(frozen=True)
class ByRecord:
    """Freshness of a run by T2: low, likely and high of each figure, and of each promise."""

    figures: dict[str, Range]
    promised: tuple[Range, ...]


def why_by_record(network: Network, rate_per_second: float, targets: Sequence[FreshnessTarget]) -> str | None:
    """Why the fluid with its estimate does not do for a network at that rate; None where it does."""
    varied = [
        stage.name
        for job in network.jobs
        for stage in job.stages
        if stage.service_cv**2 > _TOO_VARIED and stage.capacity_per_second != float("inf")
    ]
    if varied:
        return f"service times of {', '.join(varied)} vary too much (c^2 above {_TOO_VARIED}) for an estimate"
    wait = mean_wait_seconds(network, rate_per_second)
    least = min((target.seconds[1] for target in targets), default=float("inf"))
    if wait > _MATTERS * least:
        by_chance = f"chance alone makes records wait {say_seconds(wait)} on average"
        return f"{by_chance}; {say_seconds(least)} is promised"
    return None


def mean_wait_seconds(network: Network, rate_per_second: float) -> float:
    """Kingman's estimate of the mean wait at the busiest worker of each stage, summed over the stages."""
    if network.then is not None:
        return sum(mean_wait_seconds(job, rate) for job, rate in network.loads(rate_per_second))
    total = 0.0
    for number, stage in enumerate(network.stages):
        rate = max(network.worker_shares(number)) * rate_per_second * network.scale(number)
        if 0 < rate < stage.capacity_per_second < float("inf"):
            total += kingman_estimate_seconds(rate, stage.capacity_per_second, 1.0, stage.service_cv**2)
    return total


def runs_for(run: Run) -> int:
    """How many runs by record are within reach: 0 where even the fewest are not, or it has no single way."""
    restored = any(outage.restores for outage in run.scenario.outages)
    special = bool(run.scenario.acts or run.restarts or run.jobs) or run.network.joint
    if restored or special or run.network.utilisation(run.scenario.peak_rate)[0] >= 1:
        return 0
    times, counts = run.appended
    arrived = float(np.interp(run.fluid.now, times, counts))
    steps = arrived * sum(max(1.0, run.network.scale(number)) for number in range(len(run.network.stages)))
    most = int(_MOST_STEPS / max(steps, 1.0))
    return min(most, _MOST_RUNS) if most >= _FEWEST_RUNS else 0


def by_record(run: Run, targets: Sequence[FreshnessTarget], runs: int) -> ByRecord:
    """Freshness of a run, from `runs` walks of all its records."""
    found = [one_walk(run, targets, Weather(_SEED, number)) for number in range(runs)]
    figures = {name: _range([each[name] for each, _ in found]) for name in found[0][0]}
    asked = zip(*(seconds for _, seconds in found), strict=True)
    return ByRecord(figures, tuple(_range(values) for values in asked))


def one_walk(
    run: Run, targets: Sequence[FreshnessTarget], weather: Weather
) -> tuple[dict[str, float], tuple[float, ...]]:
    """Freshness of one walk of all records: the figures, and the seconds that each promise is about."""
    curves = RecordCurves(run, weather)
    since = Since.WINDOW_END if run.network.event_time.window_seconds > 0 else Since.RECORD
    own = freshness(curves, since, Until.COMMITTED)
    asked = tuple(
        freshness(curves, Since(each.since), Until(each.until), Over(each.over)).quantile(each.probability)
        for each in targets
    )
    return {f"freshness_p{percent}_seconds": own.quantile(percent / 100) for percent in QUANTILES}, asked


def _range(values: Sequence[float]) -> Range:
    over = spread(values)
    return (over.mean_low, over.mean, over.mean_high)


def refined(runs: Sequence[Run], targets: Sequence[FreshnessTarget]) -> tuple[list[ByRecord], str]:
    """T2 of every run, and why; none, and perhaps a reason why not, where the fluid has to do."""
    why = _why(runs[0], targets)
    if why is None:
        return [], ""
    times = min(runs_for(run) for run in runs)
    if times == 0:
        return [], f"{why}; by record (T2) this run is too long or too entwined, so the estimate stays"
    said = f"{why}: freshness is by record (T2), {times} runs"
    return [by_record(run, targets, times) for run in runs], said


def _why(run: Run, targets: Sequence[FreshnessTarget]) -> str | None:
    if run.scenario.outages or run.scenario.acts or run.network.event_time.unknown_freshness:
        return None
    return why_by_record(run.network, run.scenario.peak_rate, targets)


def worth_walking(run: Run, targets: Sequence[FreshnessTarget]) -> bool:
    """Whether replications of this run walk all its records."""
    return _why(run, targets) is not None and runs_for(run) > 0

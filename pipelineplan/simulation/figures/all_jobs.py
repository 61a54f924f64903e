"""The figures and curves of several jobs in a row: of each what adds up, of the whole what a reader sees.

lag, replays, restarts, hours, costs      added up, each in the records of its own log
oldest unread, restore, utilisation       the worst of all
freshness, watermark, drain               from the first log to the last sink
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from pipelineplan.quantities import say_seconds
from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.curves import Curves, Lag
from pipelineplan.simulation.figures.end_to_end import Row
from pipelineplan.simulation.figures.measures import (
    FIGURES,
    Range,
    drain,
    freshness_figures,
    measure,
    measure_curves,
    share_of,
)
from pipelineplan.simulation.figures.special_figures import SPECIAL
from pipelineplan.simulation.figures.state_figures import state_curves, state_figures, states_of
from pipelineplan.simulation.result import FLUID, Figure, JobResult
from pipelineplan.simulation.sharing import Floats

_ADDED_UP = (
    "replayed_records",
    "lost_records",
    "failed_checkpoints",
    "job_restarts",
    "checkpoint_bytes",
    "replayed_bytes",
    "cross_zone_bytes",
    "cost",
    "added_cost",
    "worker_hours",
    "read_records",
)
_WORST = ("oldest_unread_seconds", "longest_checkpoint_seconds", "peak_utilisation_worst_worker")
_OF_A_JOB = ("peak_lag_records", "oldest_unread_seconds", "replayed_records", "peak_utilisation_worst_worker")


def measure_all(curves: Curves) -> dict[str, Range]:
    """Every figure of a run, as `measure_curves` of one job; of several, `curves` are of the first log."""
    if not curves.run.jobs:
        return measure_curves(curves)
    run, row = curves.run, Row(curves.run)
    each = [measure(job) for job in run.jobs]
    found: dict[str, Range] = {}
    for names, put_together in ((_ADDED_UP, _sum), (_WORST, _most)):
        for name in names:
            known = [one[name] for one in each if name in one]
            if known:
                found[name] = put_together(known)
    lag = Lag(row.turns, row.lag_at(row.turns), np.zeros(0))
    arrived = each[0]["arrived_records"][1]
    overloaded = any(math.isinf(one["peak_lag_records"][2]) for one in each)
    found |= {
        "peak_lag_records": _open(float(lag.records.max()), overloaded=overloaded),
        "drain_seconds": drain(run, lag),
        "duplicate_records": _exactly(sum((one.duplicate_records for one in run.phases), 0.0)),
        "watermark_delay_seconds": _watermark_delay(row, each, overloaded=overloaded),
        "throughput_per_second": each[0]["throughput_per_second"],
        "arrived_records": each[0]["arrived_records"],
        "late_records": share_of(arrived, run.network.event_time.late_share),
        "dropped_records": share_of(arrived, run.network.event_time.dropped_share),
        **freshness_figures(curves),
        **_of_states(run),
    }
    return {name: found[name] for name in (*FIGURES, *SPECIAL) if name in found}


def _watermark_delay(row: Row, each: Sequence[dict[str, Range]], *, overloaded: bool) -> Range:
    """How far the watermark stands behind at worst, between two looks at most a step more.

    A job that goes back to its checkpoint reads records a second time, at an age of up to that in its own
    log on top of the time that they took to come there.
    """
    event_time = row.run.network.event_time
    behind = event_time.watermark_lag_seconds + event_time.watermark_interval_seconds
    came, read = row.watermark
    waited = np.where(np.isfinite(read), read, row.run.fluid.now) - came
    longest = float(waited.max()) + behind
    place = row.read_by
    back = row.run.jobs[place].phases or row.run.jobs[place].restarts
    again = each[place]["oldest_unread_seconds"][1] if back else 0.0
    most = longest + max(float(came[1] - came[0]), again)
    return (longest, max(longest, again + behind), math.inf if overloaded else most)


def _of_states(run: Run) -> dict[str, Range]:
    """State of all stages together; what checkpoints took and wrote is of each job by itself."""
    of_jobs = {"checkpoint_bytes", "longest_checkpoint_seconds"}
    found = state_figures(run, states_of(run))
    return {name: _exactly(value) for name, value in found.items() if name not in of_jobs}


def _exactly(value: float) -> Range:
    return (value, value, value)


def _open(value: float, *, overloaded: bool) -> Range:
    return (value, value, math.inf if overloaded else value)


def _sum(ranges: Iterable[Range]) -> Range:
    low, likely, high = (math.fsum(parts) for parts in zip(*ranges, strict=True))
    return (low, likely, high)


def _most(ranges: Iterable[Range]) -> Range:
    low, likely, high = (max(parts) for parts in zip(*ranges, strict=True))
    return (low, likely, high)


def curves_of_jobs(
    run: Run, time: Floats, of_one: Callable[[Curves, Floats], dict[str, Floats]]
) -> dict[str, Floats]:
    """Every curve at each time, over all jobs; the lag of each log besides."""
    row = Row(run)
    each = [of_one(Curves(job), time) for job in run.jobs]
    event_time = run.network.event_time
    delay = event_time.watermark_lag_seconds + event_time.watermark_interval_seconds
    found = {
        "lag_records": _columns(each, "lag_records", np.sum),
        "oldest_unread_seconds": _columns(each, "oldest_unread_seconds", np.max),
        "watermark_delay_seconds": row.watermark_age(time) + delay,
        "read_rate_per_second": each[0]["read_rate_per_second"],
        "buffered_records": _columns(each, "buffered_records", np.sum),
        "checkpoint_seconds": _columns(each, "checkpoint_seconds", np.max),
        **state_curves(run, time),
    }
    lags = {
        f"lag_records_{job.network.name}": one["lag_records"] for job, one in zip(run.jobs, each, strict=True)
    }
    return found | lags


def _columns(each: Sequence[dict[str, Floats]], name: str, put_together: Callable[..., Floats]) -> Floats:
    return put_together([one[name] for one in each], axis=0)


def job_results(runs: Sequence[Run]) -> tuple[JobResult, ...]:
    """What each job says by itself, over the runs at all ends of the inputs; none where there is only one."""
    if not runs[0].jobs:
        return ()
    found = []
    for place, first in enumerate(runs[0].jobs):
        measured = [measure(run.jobs[place]) for run in runs]
        figures = {name: _figure(name, [one[name] for one in measured]) for name in _OF_A_JOB}
        found.append(JobResult(first.network.name, figures))
    return tuple(found)


def job_notes(jobs: Sequence[JobResult]) -> list[str]:
    """A line for each of several jobs: how far it falls behind in its own log."""
    return [
        f"{each.job}: at most {each.figures['peak_lag_records'].value:,.0f} records wait in its own log, the "
        f"oldest for {say_seconds(each.figures['oldest_unread_seconds'].value)}"
        for each in jobs
    ]


def _figure(name: str, ranges: Sequence[Range]) -> Figure:
    unit, error_class = FIGURES[name]
    low, high = min(one[0] for one in ranges), max(one[2] for one in ranges)
    return Figure(ranges[0][1], low, high, unit, FLUID, error_class)

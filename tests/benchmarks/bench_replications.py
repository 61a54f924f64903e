"""What replications cost: of an example's scenarios, and of the pinned day, with numba and without.

    uv run python tests/benchmarks/bench_replications.py [replications] [jobs] [replications of the day]

The day is that of bench_day.py: 24 h, 64 partitions, 1,440 stalls, three outages; in random load no course
comes back, so every queue change is computed.
"""

import multiprocessing
import resource
import sys
import time
from pathlib import Path
from unittest.mock import patch

from bench_day import DAY, network, scenario

from pipelineplan import workflow
from pipelineplan.simulation import control
from pipelineplan.simulation.chance import replicating
from pipelineplan.simulation.chance.replicating import Futures, in_weather, replications, samples
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.weather import Weather

PLAN = Path(__file__).parents[2] / "examples" / "demo-holds" / "plan.yaml"


def one_day(title: str) -> None:
    """Run and figures of a single replication, the least of three."""
    ran, measured = [], []
    for number in range(3):
        weather = in_weather(network(0.0), scenario(), Weather(0, number))
        started = time.process_time()
        run = control.run_scenario(network(0.0), weather)
        between = time.process_time()
        measure(run)
        ran.append(between - started)
        measured.append(time.process_time() - between)
    print(
        f"the pinned day in random load, {title}: run {min(ran):.2f} s, figures {min(measured):.2f} s (CPU)"
    )


def many_days(days: int, jobs: int) -> None:
    """Replications of the pinned day with their intervals, by fresh processes; CPU of all of them."""
    before, started = cpu_seconds(), time.perf_counter()
    futures = Futures(days, jobs=jobs)
    # Spawned and not forked by a server, so that their CPU and memory are counted.
    with patch.object(replicating, "_processes", lambda: multiprocessing.get_context("spawn")):
        found = replications(samples(network(0.0), scenario(), (), futures), futures, DAY)
    took, cpu = time.perf_counter() - started, cpu_seconds() - before
    print(f"the pinned day: {days:,} replications on {jobs} processes in {took:.1f} s, {cpu:.1f} s of CPU")
    for name in ("drain_seconds", "peak_lag_records", "replayed_records", "freshness_p95_seconds"):
        one = found.figures[name]
        print(f"    {name}: mean {one.mean:,.1f}, 95 % interval {one.mean_low:,.1f} to {one.mean_high:,.1f}")
    peaks = [
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(f"    peak memory {peaks[0]:.0f} MB here, {peaks[1]:.0f} MB in the largest process beside")


def cpu_seconds() -> float:
    """User and system time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    days = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    many_days(days, jobs)
    one_day("with numba")
    with patch.object(control, "find_spec", lambda _: None):
        one_day("numpy alone")
    for name in ("steady", "peak", "sink-outage") if runs else ():
        started = time.perf_counter()
        result = workflow.simulate(PLAN, scenarios=[name], replications=runs, jobs=jobs)
        took, tier = time.perf_counter() - started, result.scenarios[0].replications.tier
        print(
            f"{PLAN.parent.name}, {name} ({tier}): {runs:,} replications on {jobs} processes in {took:.1f} s"
        )


if __name__ == "__main__":
    main()

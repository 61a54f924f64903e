"""What replications cost: of an example's scenarios, and of the pinned day, with numba and without.

    uv run python tests/benchmarks/bench_replications.py [replications] [jobs] [replications of the day]

The day is that of bench_day.py: 24 h, 64 partitions, 1,440 stalls, three outages; in random load no course
comes back, so every queue change is computed.
"""

import sys
import time
from pathlib import Path
from unittest.mock import patch

from bench_day import network, scenario

from pipelineplan import workflow
from pipelineplan.simulation import control
from pipelineplan.simulation.measures import measure
from pipelineplan.simulation.replicating import Futures, in_weather, samples
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


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    days = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    one_day("with numba")
    with patch.object(control, "find_spec", lambda _: None):
        one_day("numpy alone")
    for name in ("steady", "peak", "sink-outage"):
        started = time.perf_counter()
        result = workflow.simulate(PLAN, scenarios=[name], replications=runs, jobs=jobs)
        took, tier = time.perf_counter() - started, result.scenarios[0].replications.tier
        print(
            f"{PLAN.parent.name}, {name} ({tier}): {runs:,} replications on {jobs} processes in {took:.1f} s"
        )
    started = time.perf_counter()
    samples(network(0.0), scenario(), (), Futures(days, jobs=jobs))
    print(
        f"the pinned day: {days:,} replications on {jobs} processes in {time.perf_counter() - started:.1f} s"
    )


if __name__ == "__main__":
    main()

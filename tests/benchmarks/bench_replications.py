"""What replications cost: 1,000 of an example's scenarios, and single ones of the pinned day.

    uv run python tests/benchmarks/bench_replications.py [replications] [jobs]

The day is that of bench_day.py: 24 h, 64 partitions, 1,440 stalls; in random load no course comes
back, so every queue change is computed. Not run by default.
"""

import sys
import time
from pathlib import Path

from bench_day import network, scenario

from pipelineplan import workflow
from pipelineplan.simulation.replicating import Futures, samples

PLAN = Path(__file__).parents[2] / "examples" / "demo-holds" / "plan.yaml"


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    for name in ("steady", "peak", "sink-outage"):
        started = time.perf_counter()
        workflow.simulate(PLAN, scenarios=[name], replications=runs, jobs=jobs)
        took = time.perf_counter() - started
        print(f"{PLAN.parent.name}, {name}: {runs:,} replications on {jobs} processes in {took:.1f} s")
    started = time.perf_counter()
    samples(network(0.0), scenario(), (), Futures(3))
    print(f"the pinned day: {(time.perf_counter() - started) / 3:.1f} s per replication")


if __name__ == "__main__":
    main()

"""A day of a million records a second through three stages: CPU time and memory of the fluid.

    uv run python tests/benchmarks/bench_day.py [buffer_records]

24 h, 64 skewed partitions, two keyed exchanges with a hot key, a checkpoint each minute (8 s, of which
0.25 s stall), two failures, a sink outage of 30 min, hourly changing load. Without chance, what comes back
is computed once; the last line is the compiled loop, which replications use, on the same day.
"""

import math
import resource
import sys
import time
from functools import partial
from importlib.util import find_spec
from unittest.mock import patch

from pipelineplan.simulation import control
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

PARTITIONS = 64
DAY = 86_400.0


def network(buffer_records: float) -> Network:
    weights = [1.0 + 0.6 * partition / (PARTITIONS - 1) for partition in range(PARTITIONS)]
    shares = [weight / math.fsum(weights) for weight in weights]
    shares[-1] += 1.0 - math.fsum(shares)
    return Network(
        SourceLog("events", PARTITIONS, explicit_shares=tuple(shares)),
        (
            Stage("parse", PARTITIONS, 26_000.0),
            Stage(
                "enrich",
                PARTITIONS,
                25_000.0,
                Exchange.KEYED,
                hottest_key=0.005,
                buffer_records=buffer_records,
            ),
            Stage("mart", PARTITIONS, 25_000.0, Exchange.KEYED, buffer_records=buffer_records),
        ),
        Checkpoint(60.0, 8.0, sync_stall_seconds=0.25, restart_seconds=60.0),
    )


def scenario() -> Scenario:
    hours = range(24)
    load = [(3600.0 * hour, 850_000.0 + 150_000.0 * math.sin(hour / 24 * math.tau)) for hour in hours]
    outages = (
        Outage(Breaks.JOB, 10_000.0, 60.0, 60.0, 60.0),
        Outage(Breaks.SINK, 30_000.0, 300.0, 1500.0),
        Outage(Breaks.JOB, 60_000.0, 60.0, 60.0, 60.0),
    )
    return Scenario("day", tuple(load), outages, horizon_seconds=DAY, settle_seconds=DAY)


def main() -> None:
    buffer_records = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    for attempt in ("cold", "warm"):
        once(attempt, buffer_records)
    if not buffer_records and find_spec("numba") is not None:
        by_loop = partial(control.fluid_for, compiled=True)
        with patch.object(control, "fluid_for", lambda network, **_: by_loop(network)):
            run_scenario(network(0.0), scenario())
            once("warm, compiled loop", 0.0)


def once(attempt: str, buffer_records: float) -> None:
    started = time.process_time()
    run = run_scenario(network(buffer_records), scenario())
    ran = time.process_time() - started
    figures = measure(run)
    measured = time.process_time() - started - ran
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{attempt}: run {ran:.2f} s, figures {measured:.2f} s of CPU, peak memory {peak:.0f} MB, "
        f"{run.fluid.changes:,} queue changes, {figures['arrived_records'][1] / 1e9:.1f} G records, "
        f"lag {figures['peak_lag_records'][1] / 1e6:.0f} M, drain {figures['drain_seconds'][1]:.0f} s"
    )


if __name__ == "__main__":
    main()

"""How a run's time grows with partitions, stages, horizon and control events.

    uv run python tests/benchmarks/bench_growth.py

One thing is varied at a time around a base: 64 partitions, 3 stages, 24 h, a checkpoint each minute
with a stall of 0.25 s, hourly changing load, one outage. The least of three runs is shown. `records`
is what room there is between stages.
"""

import math
import time
from dataclasses import dataclass, replace

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.measures import measure
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, SourceLog, Stage
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario

HOUR = 3600.0


@dataclass(frozen=True)
class Case:
    partitions: int = 64
    stages: int = 3
    hours: int = 24
    interval_seconds: float = 60.0
    buffer_records: float = 0.0


VARIED = {
    "partitions": (16, 64, 256, 512),
    "stages": (2, 3, 5, 8),
    "hours": (6, 24, 96, 384),
    "interval_seconds": (240.0, 60.0, 15.0, 5.0),
}


def network(case: Case) -> Network:
    weights = [1.0 + 0.6 * each / max(case.partitions - 1, 1) for each in range(case.partitions)]
    shares = [weight / math.fsum(weights) for weight in weights]
    shares[-1] += 1.0 - math.fsum(shares)
    capacity = 26_000.0 * 64 / case.partitions
    keyed = [
        Stage(
            f"stage{number}",
            case.partitions,
            capacity,
            Exchange.KEYED,
            key_groups=128 * case.partitions,
            buffer_records=case.buffer_records,
        )
        for number in range(1, case.stages)
    ]
    log = SourceLog("events", case.partitions, explicit_shares=tuple(shares))
    stages = (Stage("stage0", case.partitions, capacity), *keyed)
    return Network(log, stages, Checkpoint(case.interval_seconds, 4.0, sync_stall_seconds=0.25))


def scenario(case: Case) -> Scenario:
    load = tuple(
        (HOUR * hour, 850_000.0 + 100_000.0 * math.sin(hour / 24 * math.tau)) for hour in range(case.hours)
    )
    end = HOUR * case.hours
    outage = Outage(Breaks.SINK, 10_000.0, 300.0, 300.0)
    return Scenario("growth", load, (outage,), horizon_seconds=end, settle_seconds=end)


def timed(case: Case) -> tuple[float, float, int]:
    """Seconds of the run and of its figures, the least of three, and the queue changes."""
    best = (math.inf, math.inf)
    for _ in range(3):
        started = time.perf_counter()
        run = run_scenario(network(case), scenario(case))
        ran = time.perf_counter()
        measure(run)
        best = min(best, (ran - started, time.perf_counter() - ran))
    return (*best, run.fluid.changes)


def main() -> None:
    print(f"{'varied':<18}{'value':>8}{'records':>9}{'run s':>9}{'figures s':>11}{'queue changes':>15}")
    for buffer_records in (0.0, 5000.0):
        for name, values in VARIED.items():
            for value in values:
                case = replace(Case(buffer_records=buffer_records), **{name: value})
                ran, measured, changes = timed(case)
                print(
                    f"{name:<18}{value:>8g}{buffer_records:>9g}{ran:>9.2f}{measured:>11.2f}{changes:>15,}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

"""How a run's time grows with partitions, stages, horizon and control events.

    uv run python tests/benchmarks/bench_growth.py [records]

One thing is varied at a time around a base: 64 partitions, 3 stages, 24 h, a checkpoint each minute
with a stall of 0.25 s, hourly changing load, one outage. CPU time, the least of three runs. `records`
is what room there is between stages. After each group the exponent of the time by what is varied (1 is in
step): the slope of least squares through the logarithms, of the last two values alone, and by the number of
queue changes.
"""

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.measures import measure
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
    "partitions": (16, 64, 256, 512, 1024),
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
    """Seconds of CPU of the run and of its figures, the least of three, and the queue changes."""
    best = (math.inf, math.inf)
    for _ in range(3):
        started = time.process_time()
        run = run_scenario(network(case), scenario(case))
        ran = time.process_time()
        measure(run)
        best = min(best, (ran - started, time.process_time() - ran))
    return (*best, run.fluid.changes)


def slope(values: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent `b` of `seconds = a values^b` by least squares."""
    x, y = [math.log(each) for each in values], [math.log(each) for each in seconds]
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    above = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / math.fsum((a - mean_x) ** 2 for a in x)


def main() -> None:
    print(f"{'varied':<18}{'value':>8}{'records':>9}{'run s':>9}{'figures s':>11}{'queue changes':>15}")
    for buffer_records in [float(each) for each in sys.argv[1:]] or [0.0, 5000.0]:
        for name, values in VARIED.items():
            found = []
            for value in values:
                case = replace(Case(buffer_records=buffer_records), **{name: value})
                ran, measured, changes = timed(case)
                print(
                    f"{name:<18}{value:>8g}{buffer_records:>9g}{ran:>9.2f}{measured:>11.2f}{changes:>15,}",
                    flush=True,
                )
                found.append((ran + measured, changes))
            seconds, changes_of = zip(*found, strict=True)
            # Twice as often is half the interval.
            sizes = [1 / value if name == "interval_seconds" else value for value in values]
            by_changes = slope(changes_of, seconds) if max(changes_of) > 2 * min(changes_of) else math.nan
            print(
                f"    exponent of {name}: {slope(sizes, seconds):.2f}, of the last two "
                f"{slope(sizes[-2:], seconds[-2:]):.2f}; of queue changes: {by_changes:.2f}"
            )


if __name__ == "__main__":
    main()

"""The tiers beside general simulators, on a queue that all of them can do: M/M/1 at 80 %.

    uv run python tests/benchmarks/bench_peers.py [records]

The mean time in the system has a closed form, 1/(mu - lambda): each line says how far it was off. T1 has
no chance in it: its line is the fluid of the same rate, for the time that it takes.
"""

import sys
import time
from collections.abc import Callable

import ciw
import numpy as np

from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import Network, SourceLog, Stage
from pipelineplan.simulation.records.per_record import run_per_record
from pipelineplan.simulation.records.record_waits import served, walk
from pipelineplan.simulation.scenario import Scenario
from pipelineplan.simulation.weather import Weather

RATE, CAPACITY = 80.0, 100.0
STAY = 1.0 / (CAPACITY - RATE)


def by_ciw(records: int) -> float:
    model = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE)],
        service_distributions=[ciw.dists.Exponential(CAPACITY)],
        number_of_servers=[1],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(model)
    simulation.simulate_until_max_time(records / RATE)
    seen = simulation.get_all_records()
    return float(np.mean([each.exit_date - each.arrival_date for each in seen]))


def scenario(records: int) -> Scenario:
    seconds = records / RATE
    return Scenario("m-m-1", ((0.0, RATE),), horizon_seconds=seconds, settle_seconds=seconds)


NETWORK = Network(SourceLog("log", 1), (Stage("job", 1, CAPACITY),))


def by_t0(records: int) -> float:
    return float(np.mean(run_per_record(NETWORK, scenario(records), records / RATE).latencies))


def by_t2(records: int) -> float:
    found = walk(run_scenario(NETWORK, scenario(records)), Weather(1, 1))
    return float((found.out - found.born).mean())


def by_lindley(records: int, *, compiled: bool) -> float:
    random = np.random.default_rng(1)
    came = np.cumsum(random.exponential(1 / RATE, records))
    return float((served(came, random.exponential(1 / CAPACITY, records), compiled=compiled) - came).mean())


def by_t1(records: int) -> float:
    measure(run_scenario(NETWORK, scenario(records)))
    return STAY


def timed(title: str, run: Callable[[int], float], records: int) -> None:
    run(1000)
    started = time.process_time()
    found = run(records)
    took = time.process_time() - started
    print(
        f"{title:<34}{records:>12,} records{records / took / 1e3:>12,.0f} k/s{found / STAY - 1:>+9.1%}",
        flush=True,
    )


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    timed("ciw", by_ciw, records)
    timed("T0, record by record in SimPy", by_t0, records)
    timed("T2, a whole walk", by_t2, 50 * records)
    timed("T2's recursion, numpy", lambda count: by_lindley(count, compiled=False), 50 * records)
    timed("T2's recursion, numba", lambda count: by_lindley(count, compiled=True), 50 * records)
    timed("T1, the fluid", by_t1, 10_000_000 * records)


if __name__ == "__main__":
    main()

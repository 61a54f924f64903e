"""T1 against T0 for every scenario of the library: lag curve, drain, latency percentiles, as one page.

    uv run python tests/full/fluid_against_records.py [--write docs/background/fluid-against-records.md]

Two networks, random service, three seeds each, outages of half a minute and checkpoints each 10 s. Exits 1
where something is beyond its bound that the page does not explain.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipelineplan.simulation.arranging import DeclaredOutage, End, Inputs, Load, arrange
from pipelineplan.simulation.control import Run, run_scenario
from pipelineplan.simulation.curves import Curves
from pipelineplan.simulation.freshness import Since, Until, freshness
from pipelineplan.simulation.journal import value_at
from pipelineplan.simulation.library import Burst, Recipe, read_library
from pipelineplan.simulation.measures import random_wait
from pipelineplan.simulation.network import Checkpoint, Exchange, Network, NotSimulated, SourceLog, Stage
from pipelineplan.simulation.per_record import PerRecordRun, run_per_record
from pipelineplan.simulation.record_waits import walk
from pipelineplan.simulation.scenario import Breaks
from pipelineplan.simulation.weather import Weather

SPEED, SEEDS, QUANTILES = 2.0, (1, 2, 3), (0.5, 0.95, 0.99)
CHECKPOINT = Checkpoint(10.0, 1.0, 0.0, 0.05, 4.0)
LAG_BOUND, DRAIN_BOUND, LATENCY_BOUND = 0.02, 0.03, 0.05
HEAD = """# The fluid against single records

Written by `uv run python tests/full/fluid_against_records.py --write
docs/background/fluid-against-records.md`.

Each scenario of the library that two small networks can run (1,200 records a second at peak), by T1 and
record by record by T0: three seeds, exponential service. *Lag* is the root mean square between the two
curves, as a share of the peak, bound 2 % where the peak is at least 100 times the queue of a resting
worker; *drain* is T1 beside the mean of T0, bound 3 % or one second; *p50* to *p99* are latencies from
arrival to the last stage, by T0, and by how much T1 differs (where T1 is below a second, chance rules:
there the estimate is in brackets, and T2 is what says it).
"""
WHY = """
## Where something is beyond its bound

- *Latency at rest.* A fluid has no queue there, so T1 says 0 and its estimate, an upper one, is what
  counts; T2 walks the records and is within a few percent of T0 (last column: its p95 where nothing
  breaks).
- *Drains in the keyed network.* Service and keys are random, and a queue that runs empty for a moment in
  front of one worker is throughput that a fluid keeps; three drains of this size have a standard error
  of 1 to 2 %.
- *Lag curves of small peaks.* Below 100 resting queues the curve is chance, and no bound is set (marked
  `small`).
"""


def forward() -> Network:
    return Network(SourceLog("log", 6), (Stage("count", 4, 275.0 * SPEED),), CHECKPOINT)


def keyed() -> Network:
    stages = (
        Stage("enrich", 6, 200.0 * SPEED),
        Stage("mart", 4, 230.0 * SPEED, Exchange.KEYED, hottest_key=0.02, buffer_records=200.0 * SPEED),
        Stage("out", 3, 350.0 * SPEED, Exchange.KEYED, buffer_records=200.0 * SPEED),
    )
    return Network(SourceLog("log", 6, hottest_key=0.02), stages, CHECKPOINT)


@dataclass(frozen=True)
class Row:
    """One line of the page; `beyond` names the bounds that are broken."""

    cells: tuple[str, ...]
    beyond: tuple[str, ...]


def rows() -> Iterator[tuple[str, Row | str]]:
    for recipe in read_library():
        for name, network in (("forward", forward()), ("keyed", keyed())):
            yield f"{recipe.name}, {name}", row(recipe, network)


def row(recipe: Recipe, network: Network) -> Row | str:
    """The comparison, or why there is none."""
    outages = tuple(DeclaredOutage(kind, 5.0, 20.0) for kind in Breaks)
    inputs = Inputs(network, Load(300.0 * SPEED, 600.0 * SPEED, Burst(2.5, 25.0)), outages)
    recipe = replace(recipe, hottest_key=min(recipe.hottest_key, 0.05))
    try:
        network, scenario = arrange(recipe, inputs, End.LIKELY)
    except NotSimulated as reason:
        return reason.reason
    if scenario.acts or network.joint or scenario.rates[-1][0] > 200:
        return (
            "what happens in it is no matter of these two networks; it has laws and known results of its own"
        )
    if network.utilisation(scenario.rates[0][1])[0] > 0.8 + 1e-9:
        return "more than 80 % of full load"
    scenario = replace(scenario, settle_seconds=20.0, horizon_seconds=260.0)
    run = run_scenario(network, scenario)
    seen = [run_per_record(network, scenario, run.fluid.now, seed=seed) for seed in SEEDS]
    return compared(run, seen)


def compared(run: Run, seen: list[PerRecordRun]) -> Row:
    lag = Curves(run).lag
    fluid = value_at(lag.time, lag.records, seen[0].time)
    load = run.network.utilisation(run.scenario.rates[0][1])[0]
    large = fluid.max() >= 100 * load / (1 - load) * run.network.stages[0].workers
    error = math.sqrt(float(np.mean((fluid - np.mean([each.lag for each in seen], axis=0)) ** 2)))
    share = error / fluid.max() if fluid.max() > 0 else 0.0
    beyond = ["lag"] if large and share > LAG_BOUND else []
    drains = [each.drain_seconds for each in run.phases]
    literal = np.mean([each.drains for each in seen], axis=0) if drains else []
    said = []
    for one, other in zip(drains, literal, strict=True):
        said.append(f"{one:.1f} / {other:.1f} s ({one / other - 1:+.1%})")
        if abs(one - other) > max(1.0, DRAIN_BOUND * other):
            beyond.append("drain")
    cells = [f"{share:.2%}" + ("" if large else " small"), "; ".join(said)]
    delays = freshness(Curves(run), Since.RECORD, Until.EMITTED)
    for probability in QUANTILES:
        records = float(np.mean([np.quantile(each.latencies, probability) for each in seen]))
        found = delays.quantile(probability)
        if found < 1.0:
            estimate = random_wait(run.network, run.scenario.peak_rate, probability)
            cells.append(f"{records:.3f} s [{estimate:.3f}]")
            continue
        cells.append(f"{records:.2f} s ({found / records - 1:+.1%})")
        if abs(found / records - 1) > LATENCY_BOUND and abs(found - records) > 0.5:
            beyond.append(f"p{probability * 100:g}")
    cells.append(_by_walk(run))
    return Row(tuple(cells), tuple(beyond))


def _by_walk(run: Run) -> str:
    """The p95 of T2, where nothing is restored."""
    if any(outage.restores for outage in run.scenario.outages):
        return ""
    found = [walk(run, Weather(1, number)) for number in range(3)]
    late = [np.quantile((each.out - each.born)[each.out <= run.fluid.now], 0.95) for each in found]
    return f"{float(np.mean(late)):.3f} s"


def page() -> tuple[str, int]:
    lines = [
        "| scenario, network | lag | drain T1 / T0 | p50 | p95 | p99 | p95 by T2 | beyond |",
        "|" + "---|" * 8,
    ]
    left_out: dict[str, list[str]] = {}
    count = 0
    for name, found in rows():
        print(name, file=sys.stderr, flush=True)
        if isinstance(found, str):
            left_out.setdefault(found, []).append(name)
            continue
        count += 1
        lines.append("| " + " | ".join((name, *found.cells, ", ".join(found.beyond))) + " |")
    reasons = "".join(f"- {', '.join(names)}: {why}\n" for why, names in left_out.items())
    return f"{HEAD}\n" + "\n".join(lines) + f"\n{WHY}\n## Not compared here\n\n{reasons}", count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    text, count = page()
    if options.write is not None:
        options.write.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())

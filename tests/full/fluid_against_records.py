"""T1 against T0 for every scenario of the library: lag curve, drain, latency percentiles, as one page.

    uv run python tests/full/fluid_against_records.py [--write docs/background/fluid-against-records.md]
    uv run python tests/full/fluid_against_records.py --only replay-after-outage

The networks, what they state and the bounds are those of tests/simulation/test_against_per_record.py; service
is random, four seeds each, and fixed once more for the drains, which chance moves. What is beyond a bound is
named; the tests are what holds the bounds.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pipelineplan.simulation.acts.scaling import Autoscaler
from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.freshness import Since, Until, freshness
from pipelineplan.simulation.figures.measures import random_wait
from pipelineplan.simulation.network import EventTime
from pipelineplan.simulation.records.record_waits import walk
from pipelineplan.simulation.records.side_by_side import SideBySide
from pipelineplan.simulation.weather import Weather

TESTS = Path(__file__).parents[1] / "simulation" / "test_against_per_record.py"
SEEDS, QUANTILES = (1, 2, 3, 4), (0.5, 0.95, 0.99)
LAG_BOUND, DRAIN_BOUND = 0.02, 0.03
HEAD = """# The fluid against single records

Written by `uv run python tests/full/fluid_against_records.py --write
docs/background/fluid-against-records.md`.

Each scenario of the library on two small networks (600 records a second at peak), by T1 and record by
record by T0: exponential service, the mean of four seeds. *Lag* is the root mean square between the
curves as a share of the peak, bound 2 % where the peak is at least 100 times the queue of a resting
worker (else `small`: it is chance); where an autoscaler decides, by the decisions of each seed. *Drain*
is T1, then T0 with fixed service, then T0 with random service and its standard error; bound 3 % or half a
second, each. *p50* to *p99* are latencies from
arrival until first out of the last stage, by T0, and how much T1 differs; where T1 is below a second
chance rules, and the estimate that T1 adds is in brackets. The p95 of T2, which walks the records,
stands where nothing is read again. *Beyond* names the bounds that are broken.
"""
WHY = """
## What is beyond a bound, and why

- *Drains by chance*: a drain ends when the last partition has been empty. Each takes `B / (mu - lambda)`
  in the mean, with a standard deviation of `sqrt((lambda + mu) B / (mu - lambda)^3)`, 2 to 4 % here, so
  that the last of several alike comes later than each of them: by 0.56 standard deviations of two, 1.03
  of four. Fixed service has no such spread, and there T1 and T0 are alike; at rates a thousand times
  higher there is none either.
- *Keyed networks*: keys stay random where service is fixed, and the page looks at one seed of them (of
  job-restart another gives 85.1 s in place of 83.4 s). A queue that runs empty for a moment in front of
  one worker is throughput that a fluid keeps.
- *Latency at rest*: a fluid has no queue. The estimate is an upper one; T2 is within a few percent of
  T0.
- *autoscale-oscillation*: a few records more or less decide when the autoscaler looks. With random service
  each seed parts from T1 at its 5th to 8th decision, at four times the rates still, since a decision is a
  step (7 to 16 % apart then). So each seed is compared with T1 under the decisions of that seed: what is
  left is 0.6 to 0.9 % with one narrow place, and behind exchanges 1.6 to 3.5 %. That is chance and no bias:
  over six seeds the difference of T1 has the mean -0.1 % of the peak, and -0.7 % and 0.2 % at two and four
  times the rates, with standard errors of 1.0, 1.0 and 0.6 %; a single seed varies by 2.4, 2.6 and 1.4 %. An
  autoscaled stage is loaded nearly in full, where a queue varies by `sqrt((lambda + mu) t)` after `t`
  seconds. With fixed service and one narrow place both take the same 18 decisions and are 0.1 % apart.
- *retry-storm, keyed*: which attempts fail is chance. 3,100 records are read during the storm, with a
  standard deviation of some 70, 2.5 % of the peak for the mean of four seeds; 2.4 % here is 0.8 % at four
  times the rates, and 1.9 % with fixed service 0.5 %.
- *State* is compared by the tests: 2 % of its peak in every scenario, with fixed service; behind exchanges it
  is 0.9 % at most, in checkpoint-timeout-loop, where it is 0.2 % at four times the rates: chance of keys.
- *Medians*: where half of the records lie in a recovery, the median sits on its steep end.
- *checkpoint-timeout-loop*: most records are never out for good; T1 says so (inf), and T0 has latencies
  only of those that were out once.
- *Short stops*: the bracket is the estimate of chance alone; T1's freshness is the fluid's part and the
  estimate together, so the seconds of a rebalance are not missing there.
- *burst, forward* runs close to full load for 25 s, where few seeds say little.
"""


def tests() -> object:
    """The module whose networks, facts and bounds are used here."""
    spec = importlib.util.spec_from_file_location("against_per_record", TESTS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Row:
    """One line of the page; `beyond` names the bounds that are broken."""

    name: str
    cells: tuple[str, ...]
    beyond: tuple[str, ...]


def rows(left_out: dict[str, list[str]], only: str) -> Iterator[Row]:
    module = tests()
    for recipe, network in module.CASES:
        if only not in ("", recipe.name):
            continue
        name = f"{recipe.name}, {network}"
        print(name, file=sys.stderr, flush=True)
        try:
            found = module.both(recipe, network, "exponential", seeds=SEEDS)
            fixed = module.both(recipe, network, "deterministic", seeds=(1,)) if found.drains else found
        except pytest.skip.Exception as reason:
            left_out.setdefault(str(reason.msg), []).append(name)
            continue
        yield row(
            name,
            found,
            fixed,
            {**module.EXPLAINED, "autoscale-oscillation": LAG_BOUND}.get(recipe.name, LAG_BOUND),
        )


def row(name: str, found: SideBySide, fixed: SideBySide, allowed: float) -> Row:
    run = found.run
    resting = min(run.network.utilisation(run.scenario.rates[0][1])[0], 0.8)
    large = found.peak_lag >= 100 * resting / (1 - resting) * run.network.stages[0].workers
    error = by_own_decisions(found)
    beyond = ["lag"] if large and error > allowed else []
    drains = []
    for number, (fluid, by_chance) in enumerate(found.drains):
        alike = fixed.drains[number][1]
        single = [each.drains[number] for each in found.records if number < len(each.drains)]
        spread = float(np.std(single, ddof=1)) / len(single) ** 0.5
        drains.append(
            f"{fluid:.1f} / {alike:.1f} ({fluid / alike - 1:+.1%}) / {by_chance:.1f} ± {spread:.1f} s "
            f"({fluid / by_chance - 1:+.1%})"
        )
        beyond += ["drain, fixed"] if beyond_bound(fluid, alike) else []
        beyond += ["drain, random"] if beyond_bound(fluid, by_chance) else []
    lag = f"{error:.2%}" + ("" if large else " small")
    return Row(name, (lag, "; ".join(drains), *latencies(found), by_walk(run)), tuple(dict.fromkeys(beyond)))


def by_own_decisions(found: SideBySide) -> float:
    """How far apart the lag curves are; under an autoscaler by the decisions of each seed, in the mean."""
    scaled = [act for act in found.run.scenario.acts if isinstance(act, Autoscaler)]
    if not scaled:
        return found.lag_error
    module = tests()
    return float(np.mean([module.apart_by_decisions(found.run, scaled[0], seen) for seen in found.records]))


def beyond_bound(fluid: float, records: float) -> bool:
    """Whether a drain differs by more than it may."""
    return abs(fluid - records) > max(0.5, DRAIN_BOUND * records)


def latencies(found: SideBySide) -> Iterator[str]:
    if found.run.network.joint or not found.records[0].latencies:
        yield from ("", "", "")
        return
    # Single records and no windows, which the model of single records does not have.
    run = replace(found.run, network=replace(found.run.network, event_time=EventTime()))
    delays = freshness(Curves(run), Since.RECORD, Until.EMITTED)
    seen = [each.first_latencies for each in found.records]
    for probability in QUANTILES:
        records = float(np.mean([np.quantile(each, probability) for each in seen]))
        fluid = delays.quantile(probability)
        if fluid < 1.0:
            estimate = random_wait(run.network, run.scenario.peak_rate, probability)
            yield f"{records:.3f} s [{estimate:.3f}]"
        else:
            yield f"{records:.2f} s ({fluid / records - 1:+.1%})"


def by_walk(run: Run) -> str:
    """The p95 of T2, where nothing is read again and nothing else happens."""
    restored = any(outage.restores for outage in run.scenario.outages) or run.restarts
    if restored or run.scenario.acts or run.network.joint:
        return ""
    found = [walk(run, Weather(1, number)) for number in range(3)]
    late = [np.quantile((each.out - each.born)[each.out <= run.fluid.now], 0.95) for each in found]
    return f"{float(np.mean(late)):.3f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--only", default="", metavar="SCENARIO", help="print this scenario alone")
    options = parser.parse_args()
    if options.only and options.write is not None:
        parser.error("--write writes the whole page")
    left_out: dict[str, list[str]] = {}
    compared = list(rows(left_out, options.only))
    lines = [
        "| scenario, network | lag | drain T1 / T0 fixed / T0 random | p50 | p95 | p99 | p95 T2 | beyond |",
        "|" + "---|" * 8,
    ]
    lines += [f"| {' | '.join((each.name, *each.cells, ', '.join(each.beyond)))} |" for each in compared]
    reasons = [f"- {', '.join(names)}: {why}" for why, names in left_out.items()]
    text = "\n".join((HEAD, *lines, WHY, "## Not compared here\n", *reasons)) + "\n"
    if options.write is not None:
        options.write.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0 if compared else 1


if __name__ == "__main__":
    sys.exit(main())

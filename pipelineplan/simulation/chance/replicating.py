"""Many futures of one scenario: the same plan in other weather, and how often its promises are kept.

    sink-outage   likely       kept 1000 of 1000   ->  probability >= 0.9963
                  pessimistic  kept    0 of 1000   ->  probability <= 0.0037: the inputs decide

Two spreads are kept apart. *Chance* (how many records come, how long they take, when in its
interval a job dies) is drawn anew in each replication. *Uncertainty of the inputs* is not drawn:
the replications are run at the plan's likely values and at both ends of its intervals, in the
same weather.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import repeat
from multiprocessing.context import BaseContext
from pathlib import Path

from pipelineplan.simulation.arranging import End
from pipelineplan.simulation.chance.keeping import Kept, Sample, name_of
from pipelineplan.simulation.chance.scan import can_scan, scan
from pipelineplan.simulation.control import Run
from pipelineplan.simulation.figures.all_jobs import measure_all
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import promised
from pipelineplan.simulation.figures.series import BAND_POINTS, BANDED, bands, curves_at
from pipelineplan.simulation.in_a_row import run_jobs
from pipelineplan.simulation.network import Network, slowest_job
from pipelineplan.simulation.probability import CONFIDENCE, Chance, chance, runs_to_decide, spread
from pipelineplan.simulation.records.by_record import one_walk, worth_walking
from pipelineplan.simulation.result import (
    FLUID,
    PER_RECORD,
    SCAN,
    FreshnessTarget,
    Replications,
    SloVerdict,
    Uncertain,
)
from pipelineplan.simulation.scenario import Outage, Scenario
from pipelineplan.simulation.sharing import Floats
from pipelineplan.simulation.weather import Weather
from pipelineplan.verdicts import Verdict

# A promise holds where it is kept in at least this share of all futures, if nothing else is asked.
NEEDED = 0.95


@dataclass(frozen=True)
class Futures:
    """How many replications, from which seed, on how many processes; which share must keep a promise.

    What is finished is written to `keep`, where a file is named, and taken from there.
    """

    runs: int
    seed: int = 0
    jobs: int = 1
    needed: float = NEEDED
    keep: Path | None = None


@dataclass(frozen=True)
class Asked:
    """What is replicated, and from which seed; `end_seconds` is where the run without chance ends."""

    network: Network
    scenario: Scenario
    targets: tuple[FreshnessTarget, ...]
    seed: int
    end_seconds: float

    @property
    def band_times(self) -> Floats:
        """The points of the bands, in seconds."""
        import numpy as np

        return np.linspace(0.0, self.end_seconds, BAND_POINTS)


def samples(
    network: Network, scenario: Scenario, targets: tuple[FreshnessTarget, ...], futures: Futures
) -> list[Sample]:
    """Every replication of one scenario, in order, whatever the number of processes.

    A script that asks for several must be importable: its own work under `if __name__ == "__main__"`.
    """
    asked = Asked(network, scenario, targets, futures.seed, run_jobs(network, scenario).fluid.now)
    if futures.keep is None:
        return list(_drawn(asked, futures, range(futures.runs)))
    kept = Kept(futures.keep)
    of = name_of(asked, version("pipelineplan"), find_spec("numba") is not None)
    known = kept.read(of)
    missing = [number for number in range(futures.runs) if number not in known]
    for number, sample in zip(missing, _drawn(asked, futures, missing), strict=True):
        kept.write(of, number, sample)
        known[number] = sample
    return [known[number] for number in range(futures.runs)]


def _drawn(asked: Asked, futures: Futures, numbers: Sequence[int]) -> Iterator[Sample]:
    """The replications of those numbers, each as soon as it and those before it are done."""
    if futures.jobs <= 1:
        for number in numbers:
            yield _sample(asked, number)
        return
    chunk = max(1, len(numbers) // (4 * futures.jobs)) if futures.keep is None else 1
    with ProcessPoolExecutor(futures.jobs, mp_context=_processes()) as pool:
        yield from pool.map(_sample, repeat(asked), numbers, chunksize=chunk)


def _processes() -> BaseContext:
    """Fresh processes: a fork of this one could inherit a lock that one of its threads holds."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _sample(asked: Asked, number: int) -> Sample:
    network, scenario, targets = asked.network, asked.scenario, asked.targets
    weather = Weather(asked.seed, number)
    plain = _plain(network, scenario)
    if plain is not None and can_scan(plain):
        curves, tier = Curves(scan(plain, weather)), SCAN
    else:
        curves, tier = Curves(run_jobs(network, in_weather(network, scenario, weather))), FLUID
    figures = {name: found[1] for name, found in measure_all(curves).items()}
    drawn = curves_at(curves, asked.band_times)
    bands = {name: tuple(drawn[name].tolist()) for name in BANDED if name in drawn}
    if plain is not None and worth_walking(plain, targets):
        fresh, seconds = one_walk(plain, targets, weather)
        sample = Sample(figures | fresh, seconds, f"{tier}, freshness {PER_RECORD}", bands)
    else:
        sample = Sample(figures, tuple(promised(target, curves)[2] for target in targets), tier, bands)
    for run in curves.run.jobs or (curves.run,):
        run.fluid.let_go()
    return sample


@lru_cache(maxsize=4)
def _plain(network: Network, scenario: Scenario) -> Run | None:
    """The run without chance, of which no control event depends on the weather; None where one may."""
    quiet = not (scenario.outages or scenario.drain_from_seconds or scenario.acts)
    return run_jobs(network, scenario) if quiet else None


def in_weather(network: Network, scenario: Scenario, weather: Weather) -> Scenario:
    """The scenario with its failures anywhere between two checkpoints, and random load and service.

    Outages are taken to begin half-way between two checkpoints, as the likely ones do.
    """
    outages = tuple(
        replace(
            outage,
            start_seconds=outage.start_seconds
            + (weather.place(f"{scenario.name}/{number}") - 0.5) * _between(network, outage),
        )
        for number, outage in enumerate(scenario.outages)
    )
    return replace(scenario, outages=outages, weather=weather)


def _between(network: Network, outage: Outage) -> float:
    """The time between two checkpoints of the job that fails."""
    checkpoint = slowest_job(network, outage.job).checkpoint
    return checkpoint.effective_interval_seconds if checkpoint is not None else 0.0


def replications(found: list[Sample], futures: Futures, end_seconds: float) -> Replications:
    """What the replications at the likely inputs say of every figure, and of the curves up to that end."""
    import numpy as np

    values = {name: tuple(each.figures[name] for each in found) for name in found[0].figures}
    spreads = {name: spread(each) for name, each in values.items()}
    drawn = bands([each.curves for each in found], np.linspace(0.0, end_seconds, BAND_POINTS))
    return Replications(
        futures.runs, futures.seed, CONFIDENCE, futures.needed, spreads, values, found[0].tier, drawn
    )


def kept(seconds: Iterable[float], target_seconds: float) -> Chance:
    """How often a figure was within its target; what is not known was not."""
    within = [value <= target_seconds for value in seconds]
    return chance(sum(within), len(within))


def judge_chances(
    verdict: SloVerdict, chances: Mapping[End, Chance], needed: float, uncertain: tuple[Uncertain, ...]
) -> SloVerdict:
    """Holds where the probability is high enough at every end of the inputs, fails where at none."""
    if all(each.low >= needed for each in chances.values()):
        decided = Verdict.HOLDS
    elif all(each.high < needed for each in chances.values()):
        decided = Verdict.FAILS
    else:
        decided = Verdict.UNKNOWN
    message = f"{verdict.message.split(';')[0]}; {_said(chances, decided, needed, uncertain)}"
    named = {end.value: one for end, one in chances.items()}
    return replace(verdict, verdict=decided, message=message, chances=named)


def _said(
    chances: Mapping[End, Chance], decided: Verdict, needed: float, uncertain: tuple[Uncertain, ...]
) -> str:
    least = min(chances.values(), key=lambda one: one.low)
    most = max(chances.values(), key=lambda one: one.high)
    if decided is Verdict.HOLDS:
        return f"kept in {_counted(least)}: holds with probability >= {_down(least.low)} (95 % confidence)"
    if decided is Verdict.FAILS:
        return f"kept in {_counted(most)}: holds with probability <= {_up(most.high)} (95 % confidence)"
    likely = chances[End.LIKELY]
    if likely.low < needed <= likely.high:
        more = runs_to_decide(likely, needed)
        enough = f"about {more:,} would decide" if more > likely.runs else "no number of them would decide"
        return f"kept in {_counted(likely)}, too few to tell from {needed:g}: {enough}"
    at_ends = ", ".join(f"{_counted(one)} at {end.value} inputs" for end, one in chances.items())
    names = ", ".join(f"{each.path} ({each.text})" for each in uncertain)
    return f"kept in {at_ends}: not chance but the inputs decide; measure {names}"


def _counted(one: Chance) -> str:
    return f"{one.kept:,} of {one.runs:,} replications"


def _down(share: float) -> str:
    """Four places, never above the bound."""
    return f"{int(share * 10_000) / 10_000:.4f}"


def _up(share: float) -> str:
    return f"{-int(-share * 10_000 // 1) / 10_000:.4f}"

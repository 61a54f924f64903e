"""What happens to a network: how fast records come, and what breaks when.

rate   ____|----|______________       steps: (start, records per second)
sink   ........xxxxx.............     outage: detect, repair, restart; then the drain
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from pipelineplan.simulation.weather import Weather

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.sharing import Floats


class Breaks(StrEnum):
    """What an outage takes away."""

    JOB = "job"
    WORKER = "worker"
    SOURCE = "source"
    SINK = "sink"


@dataclass(frozen=True)
class Burst:
    """`factor` times the rate for `length_seconds`."""

    factor: float
    length_seconds: float


@dataclass(frozen=True)
class Outage:
    """Something stands still from `start_seconds`: until it is noticed, then repaired, then restarted.

    `restart_seconds` passes only where the job has to be restored (`job`, `worker`); the drain
    follows and is what the simulation finds.
    """

    of: Breaks
    start_seconds: float
    detect_seconds: float = 0.0
    repair_seconds: float = 0.0
    restart_seconds: float = 0.0
    drain_target_seconds: float | None = None
    path: str = ""  # where the plan states the target

    @property
    def restores(self) -> bool:
        """Whether the job goes back to its last completed checkpoint."""
        return self.of in {Breaks.JOB, Breaks.WORKER}

    @property
    def down_seconds(self) -> float:
        """Detection, repair and, where the job is restored, restart."""
        return self.detect_seconds + self.repair_seconds + (self.restart_seconds if self.restores else 0.0)


class Act(Protocol):
    """Something else that happens in a run: a frozen dataclass of what, when and how long.

    `awaited` says whether the run lasts until its process ends.
    """

    @property
    def awaited(self) -> bool:
        """Whether the run lasts until this is over."""

    @property
    def busy_until_seconds(self) -> float:
        """When the last thing that it plans has happened."""

    def process(self, knobs: Knobs, /) -> Process:
        """What it does, as a SimPy process that turns knobs of whichever model runs."""

    def figures(self, run: Run, /) -> Mapping[str, float]:
        """The figures of its own, by names of `measures.SPECIAL`."""


@dataclass(frozen=True)
class Scenario:
    """`rates` are steps `(start_seconds, records_per_second)`, the first at 0; each holds until the next.

    The run ends once everything has drained and `settle_seconds` more have passed, at the
    latest at `horizon_seconds`. `drain_from_seconds` marks the ends of bursts, from where a
    drain is measured as it is after an outage. `acts` are all that happens besides. `weather` is the
    chance of one replication; without it everything comes as expected. `mean_rate` is that of a load
    which comes again, as a recorded day does; without it the last rate goes on.
    """

    name: str
    rates: tuple[tuple[float, float], ...]
    outages: tuple[Outage, ...] = ()
    horizon_seconds: float = 172_800.0
    settle_seconds: float = 600.0
    drain_from_seconds: tuple[float, ...] = ()
    title: str = ""
    weather: Weather | None = None
    acts: tuple[Act, ...] = ()
    mean_rate: float | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError` for steps that are not ordered from 0, or not finite."""
        starts = [start for start, _ in self.rates]
        if not starts or starts[0] != 0 or any(b <= a for a, b in pairwise(starts)):
            raise ValueError(f"{self.name}: rate steps must begin at 0 and rise")
        if any(not math.isfinite(rate) or rate < 0 for _, rate in self.rates):
            raise ValueError(f"{self.name}: rates must be finite and not negative")

    @property
    def peak_rate(self) -> float:
        """The highest rate of the run, in records per second."""
        return max(rate for _, rate in self.rates)

    @property
    def lasting_rate(self) -> float:
        """The rate at which the load goes on when the run is over: above capacity lag grows without end."""
        return self.rates[-1][1] if self.mean_rate is None else self.mean_rate

    @property
    def spells(self) -> tuple[tuple[float, float], ...]:
        """The rates of the run and for how many seconds each holds, one after the other."""
        starts = [min(start, self.horizon_seconds) for start, _ in self.rates]
        ends = [*starts[1:], self.horizon_seconds]
        rates = (rate for _, rate in self.rates)
        return tuple((rate, end - start) for rate, start, end in zip(rates, starts, ends, strict=True))

    @cached_property
    def steps(self) -> tuple[tuple[float, float], ...]:
        """The rates as they come in this run's weather."""
        if self.weather is None:
            return self.rates
        return self.weather.steps(self.rates, self.horizon_seconds)

    @property
    def busy_until_seconds(self) -> float:
        """When the last thing that was planned has happened: a rate step, a repair."""
        ends = [outage.start_seconds + outage.down_seconds for outage in self.outages]
        steps = self.rates[-1][0]
        acts = [act.busy_until_seconds for act in self.acts]
        return max([steps, *ends, *acts, *self.drain_from_seconds])


@dataclass(frozen=True)
class Phases:
    """What an outage did: times in seconds from the start of the run, counts in records.

    `drained_seconds` is None where the run ended before every partition had been empty once.
    """

    of: str
    start_seconds: float
    detected_seconds: float
    repaired_seconds: float
    restarted_seconds: float
    drained_seconds: float | None
    replayed_records: float
    duplicate_records: float
    drain_target_seconds: float | None = None

    @property
    def drain_seconds(self) -> float:
        """From the restart until every partition had been empty once; inf if it never was."""
        if self.drained_seconds is None:
            return math.inf
        return self.drained_seconds - self.restarted_seconds


def appended_curve(scenario: Scenario) -> tuple[Floats, Floats]:
    """Seconds and records appended to the log since the start, straight between the points."""
    import numpy as np

    starts = np.array(
        [start for start, _ in scenario.steps] + [max(scenario.horizon_seconds, scenario.steps[-1][0] + 1.0)]
    )
    rates = np.array([rate for _, rate in scenario.steps])
    counts = np.concatenate(((0.0,), np.cumsum(rates * np.diff(starts))))
    return starts, counts

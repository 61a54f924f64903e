"""Records that fail are tried again: what that costs the workers, and what ends among the dead letters.

    share f fails, k attempts      load on the workers  1 + f + ... + f^(k-1) = (1 - f^k) / (1 - f)
                                   dead letters         f^k of all records

Where retries block, a worker also waits out every backoff. Waits are means: half of what full jitter
draws from.

Source of the jitter: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.knobs import Knobs, Process


def amplification(failure_share: float, attempts: float) -> float:
    """How often a record is tried on average."""
    if failure_share >= 1.0:
        return attempts
    return float((1.0 - failure_share**attempts) / (1.0 - failure_share))


def mean_waits(
    first: float, cap: float | None, factor: float, jitter: str, attempts: int
) -> tuple[float, ...]:
    """The mean wait before each further attempt, in seconds.

    `none`: `min(cap, first * factor^n)`; `full`: half of that, the mean of U(0, that);
    `decorrelated`: the mean of `min(cap, U(first, 3 * previous))` with the mean for the previous.
    """
    waits, most, previous = [], cap if cap is not None else float("inf"), first
    for number in range(attempts - 1):
        if jitter == "decorrelated":
            previous = _mean_of_capped(first, 3.0 * previous, most)
            waits.append(previous)
        else:
            waits.append(min(most, first * factor**number) * (0.5 if jitter == "full" else 1.0))
    return tuple(waits)


def _mean_of_capped(low: float, high: float, cap: float) -> float:
    """The mean of `min(cap, U(low, high))`."""
    if high <= cap:
        return (low + high) / 2
    if cap <= low:
        return cap
    return ((cap**2 - low**2) / 2 + cap * (high - cap)) / (high - low)


@dataclass(frozen=True)
class RetryStorm:
    """From `start_seconds` for `length_seconds` a share of what `stage` tries fails.

    `waits_seconds` are the mean waits before each further attempt, and only count where they block.
    """

    stage: str
    start_seconds: float
    length_seconds: float
    failure_share: float
    attempts: int
    blocking: bool = False
    waits_seconds: tuple[float, ...] = ()
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When the storm is over."""
        return self.start_seconds + self.length_seconds

    def factor(self, capacity_per_second: float) -> float:
        """What is left of a worker's capacity while it lasts."""
        tries = amplification(self.failure_share, self.attempts)
        waits = self.waits_seconds if self.blocking else ()
        blocked = sum(self.failure_share ** (number + 1) * wait for number, wait in enumerate(waits))
        return 1.0 / (tries + blocked * capacity_per_second)

    def process(self, knobs: Knobs) -> Process:
        """Slow the stage down while it lasts, and count what it reads meanwhile."""
        stage = next(each for each in knobs.network.stages if each.name == self.stage)
        yield from knobs.until(self.start_seconds)
        knobs.slow(self.stage, self.factor(stage.capacity_per_second))
        before = float(knobs.position().sum())
        yield from knobs.until(self.busy_until_seconds)
        knobs.slow(self.stage, 1.0)
        knobs.note("tried", float(knobs.position().sum()) - before)

    def figures(self, run: Run) -> Mapping[str, float]:
        """Attempts beyond the first, and records that failed them all."""
        number = [each.name for each in run.network.stages].index(self.stage)
        tried = sum(run.seen.get("tried", ())) * run.network.scale(number)
        return {
            "retried_records": tried * (amplification(self.failure_share, self.attempts) - 1.0),
            "dead_lettered_records": tried * self.failure_share**self.attempts,
        }

"""Records that fail are tried again: what that costs the workers, and what ends among the dead letters.

    share f fails, k attempts      load on the workers  1 + f + ... + f^(k-1) = (1 - f^k) / (1 - f)
                                   dead letters         f^k of all records

Where retries block, a worker also waits out every backoff, by its mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run


def amplification(failure_share: float, attempts: float) -> float:
    """How often a record is tried on average."""
    if failure_share >= 1.0:
        return attempts
    return float((1.0 - failure_share**attempts) / (1.0 - failure_share))


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

    @property
    def dead_share(self) -> float:
        """The records that fail every attempt."""
        return float(self.failure_share**self.attempts)

    def factor(self, capacity_per_second: float) -> float:
        """What is left of a worker's capacity while it lasts."""
        tries = amplification(self.failure_share, self.attempts)
        waits = self.waits_seconds if self.blocking else ()
        blocked = sum(self.failure_share ** (number + 1) * wait for number, wait in enumerate(waits))
        return 1.0 / (tries + blocked * capacity_per_second)

    def process(self, knobs: Knobs) -> Process:
        """Slow the stage down while it lasts, and count what it reads meanwhile."""
        yield from knobs.until(self.start_seconds)
        knobs.fail(self.stage, self)
        before = float(knobs.position().sum())
        yield from knobs.until(self.busy_until_seconds)
        knobs.fail(self.stage, None)
        knobs.note("tried", float(knobs.position().sum()) - before)

    def figures(self, run: Run) -> Mapping[str, float]:
        """Attempts beyond the first, and records that failed them all."""
        number = [each.name for each in run.network.stages].index(self.stage)
        tried = sum(run.seen.get("tried", ())) * run.network.scale(number)
        return {
            "retried_records": tried * (amplification(self.failure_share, self.attempts) - 1.0),
            "dead_lettered_records": tried * self.dead_share,
        }

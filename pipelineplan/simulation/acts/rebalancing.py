"""What a consumer group does to itself: rebalances, and evictions for polls that take too long.

    eager         everybody stops until all have rejoined
    cooperative   only the partitions that move stop

    max.poll.records * seconds per record > max.poll.interval.ms: the member is thrown out before it
    commits, the group rebalances, it reads the same records again: no progress at all

Source: Apache Kafka documentation, `max.poll.interval.ms`, `partition.assignment.strategy`; KIP-62, KIP-429.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run


@dataclass(frozen=True)
class Rebalances:
    """A rebalance of `pause_seconds` every `every_seconds`, `times` of them from `start_seconds` on.

    `moved_share` of the partitions stop; with an eager assignor it is all of them.
    """

    start_seconds: float
    every_seconds: float
    times: int
    pause_seconds: float
    moved_share: float = 1.0
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When the last rebalance is over."""
        return self.start_seconds + (self.times - 1) * self.every_seconds + self.pause_seconds

    def process(self, knobs: Knobs) -> Process:
        """Hold the partitions that move, one rebalance after the other."""
        partitions = len(knobs.network.shares)
        moved = tuple(range(round(self.moved_share * partitions + 0.499)))
        for number in range(self.times):
            yield from knobs.until(self.start_seconds + number * self.every_seconds)
            knobs.hold(moved)
            yield knobs.env.timeout(self.pause_seconds)
            knobs.hold(())

    def figures(self, _run: Run) -> Mapping[str, float]:
        """How many rebalances there were."""
        return {"rebalances": float(self.times)}


@dataclass(frozen=True)
class PollEvictions:
    """While records take `record_seconds` each, every poll outlasts the interval and is read again.

    All members are taken to be thrown out together, which is the worst.
    """

    stage: str
    start_seconds: float
    length_seconds: float
    record_seconds: float
    poll_records: float
    interval_seconds: float
    pause_seconds: float
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When records are fast again."""
        return self.start_seconds + self.length_seconds

    @property
    def evicts(self) -> bool:
        """Whether a poll takes longer than the interval."""
        return self.poll_records * self.record_seconds > self.interval_seconds

    def process(self, knobs: Knobs) -> Process:
        """Slow the stage down; a member that is thrown out begins again where it last committed."""
        stage = next(each for each in knobs.network.stages if each.name == self.stage)
        everything = tuple(range(len(knobs.network.shares)))
        yield from knobs.until(self.start_seconds)
        knobs.slow(self.stage, min(1.0, 1.0 / (self.record_seconds * stage.capacity_per_second)))
        while self.evicts and knobs.env.now < self.busy_until_seconds:
            committed = knobs.position()
            yield knobs.env.timeout(self.interval_seconds)
            knobs.note("read again", knobs.read_again(committed))
            knobs.hold(everything)
            yield knobs.env.timeout(self.pause_seconds)
            knobs.hold(())
        yield from knobs.until(self.busy_until_seconds)
        knobs.slow(self.stage, 1.0)

    def figures(self, run: Run) -> Mapping[str, float]:
        """Rebalances, and records that were read again and again."""
        again = run.seen.get("read again", [])
        return {"rebalances": float(len(again)), "reread_records": sum(again)}

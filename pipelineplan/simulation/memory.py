"""What a stage remembers of the records that come to it, and when it forgets them.

    join, ttl 1 h by the machine's clock     |--came--|------- kept for 1 h -------| gone
    window 1 min by event time               |..window..|-- lag --|-- lateness --| gone, all at once
    dedupe without a time to live            |--came-- and never forgotten: grows without end

How many bytes that is at each moment follows from the curves of a run, see `remembering`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelineplan.plan import capacity

if TYPE_CHECKING:
    from pipelineplan.simulation.network import Network


class Clock(StrEnum):
    """By whose time something is forgotten: the machine's, or that of the events read."""

    PROCESSING = "processing"
    EVENT = "event"


@dataclass(frozen=True)
class Memory:
    """`always_bytes` that stay, and `entry_bytes` for each of `entries_per_record` that records bring.

    An entry is forgotten `life_seconds` after it came (inf: never), by its clock. With a window it
    is forgotten with its window: when the watermark, `watermark_lag_seconds` behind what was read,
    is `life_seconds` past the window's end; windows begin every `slide_seconds` (0: they do not
    overlap) and a record is in each that covers it. Before the run `history_per_second` records
    came to the stage. `largest_share` of the state is in the largest task, which writes
    `changed_share` of it with `bandwidth` at a checkpoint and reads it with `restore_bandwidth`
    (bytes per second; inf: that takes no time of its own). `budget_bytes` is the declared limit.
    """

    always_bytes: float = 0.0
    entry_bytes: float = 0.0
    entries_per_record: float = 1.0
    life_seconds: float = math.inf
    clock: Clock = Clock.PROCESSING
    window_seconds: float = 0.0
    slide_seconds: float = 0.0
    watermark_lag_seconds: float = 0.0
    history_per_second: float = 0.0
    budget_bytes: float = math.inf
    largest_share: float = 1.0
    bandwidth: float = math.inf
    restore_bandwidth: float = math.inf
    changed_share: float = 1.0

    @property
    def bytes_per_record(self) -> float:
        """What one record of the stage's input adds."""
        return self.entry_bytes * self.entries_per_record

    @property
    def grows(self) -> bool:
        """Whether records change its size at all."""
        return self.bytes_per_record > 0

    @property
    def copies(self) -> float:
        """In how many windows each record is."""
        return self.window_seconds / self.slide_seconds if self.slide_seconds > 0 else 1.0

    @property
    def at_rest_bytes(self) -> float:
        """What its history has left when the run begins, in the mean over where windows begin."""
        if not self.grows or math.isinf(self.life_seconds):
            return self.always_bytes
        reach = self.life_seconds
        if self.clock is Clock.EVENT:
            reach += self.watermark_lag_seconds + self.window_seconds / 2
        kept = capacity.remembered_keys(self.history_per_second, self.entries_per_record * self.copies, reach)
        return self.always_bytes + kept * self.entry_bytes

    @property
    def paces_checkpoints(self) -> bool:
        """Whether a checkpoint takes as long as state is large, and that changes."""
        return self.grows and math.isfinite(self.bandwidth)

    @property
    def paces_restores(self) -> bool:
        """Whether a restore does."""
        return self.grows and math.isfinite(self.restore_bandwidth)

    def without_end(self) -> Memory:
        """The same with what it remembers now, and nothing forgotten from here on."""
        return replace(
            self,
            always_bytes=self.at_rest_bytes,
            life_seconds=math.inf,
            window_seconds=0.0,
            slide_seconds=0.0,
            clock=Clock.PROCESSING,
            history_per_second=0.0,
        )

    def written_share(self, intervals: float = 1.0) -> float:
        """The part of state that a checkpoint writes, so many intervals after the last completed one."""
        return min(1.0, self.changed_share * max(intervals, 1.0))

    def checkpoint_seconds(self, size: float, intervals: float = 1.0) -> float:
        """How long the largest task writes its part of `size` bytes."""
        share = self.written_share(intervals)
        return capacity.checkpoint_seconds(size, share, self.largest_share, self.bandwidth)

    def restore_seconds(self, size: float) -> float:
        """How long the largest task reads its part of `size` bytes back."""
        return capacity.restore_seconds(size, self.largest_share, self.restore_bandwidth)


def size_decides(network: Network) -> bool:
    """Whether checkpoints or restores take as long as state is large, and that changes."""
    known = [stage.memory for stage in network.stages if stage.memory is not None]
    return any(each.paces_checkpoints or each.paces_restores for each in known)

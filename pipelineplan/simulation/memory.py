"""What a stage remembers of the records that come to it, and when it forgets them.

    join, ttl 1 h by the machine's clock     |--came--|------- kept for 1 h -------| gone
    window 1 min by event time               |..window..|-- lag --|-- lateness --| gone, all at once
    dedupe without a time to live            |--came-- and never forgotten: grows without end

How many bytes that is at each moment follows from the curves of a run, see `remembering`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from pipelineplan.plan import capacity


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

    def written_bytes(self, size: float) -> float:
        """What all tasks write at a checkpoint."""
        return size * self.changed_share

    def checkpoint_seconds(self, size: float) -> float:
        """How long the largest task writes its part of `size` bytes."""
        return capacity.checkpoint_seconds(size, self.changed_share, self.largest_share, self.bandwidth)

    def restore_seconds(self, size: float) -> float:
        """How long the largest task reads its part of `size` bytes back."""
        return capacity.restore_seconds(size, self.largest_share, self.restore_bandwidth)

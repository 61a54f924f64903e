"""The windows that one record belongs to: tumbling, sliding, a session that it opens, or the one of all.

    fixed 10                 12 -> [10, 20)
    sliding 10, every 5      12 -> [10, 20) [5, 15)          newest first, as Beam assigns them
    session, gap 10          12 -> [12, 22)                  before it merges with its neighbours
    global                   12 -> ALWAYS                    ends when the watermark says that nothing follows

All windows are half-open, all times whole milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from pipelineplan.eventtime.timeliness import FixedWindows

Span = tuple[int, int]
_FURTHEST_MS = 2**60
# The window of all records; a watermark at its end means that the stream is over.
ALWAYS: Span = (-_FURTHEST_MS, _FURTHEST_MS)


@dataclass(frozen=True)
class SlidingWindows:
    """Windows [k * every + offset, k * every + offset + size), open for `allowed_lateness_ms` longer."""

    size_ms: int
    every_ms: int
    allowed_lateness_ms: int = 0
    offset_ms: int = 0

    def __post_init__(self) -> None:
        _require(min(self.size_ms, self.every_ms) > 0, self, "a size and a period above 0")
        _require(0 <= self.allowed_lateness_ms < _FURTHEST_MS, self, "an allowed lateness of 0 ms or more")


@dataclass(frozen=True)
class SessionWindows:
    """Windows per key that grow until nothing came for `gap_ms` of event time."""

    gap_ms: int
    allowed_lateness_ms: int = 0

    def __post_init__(self) -> None:
        _require(0 < self.gap_ms < _FURTHEST_MS, self, "a gap above 0")
        _require(0 <= self.allowed_lateness_ms < _FURTHEST_MS, self, "an allowed lateness of 0 ms or more")


@dataclass(frozen=True)
class GlobalWindow:
    """One window for everything: nothing is late, and only a trigger makes it fire before the end."""

    allowed_lateness_ms: int = 0


Windows = FixedWindows | SlidingWindows | SessionWindows | GlobalWindow


def assigned(windows: Windows, event_ms: int) -> tuple[Span, ...]:
    """The windows of one record as (start, end); for sessions the one that it alone would open."""
    match windows:
        case FixedWindows(size_ms=size):
            start = event_ms - (event_ms - windows.offset_ms) % size
            return ((start, start + size),)
        case SlidingWindows(size_ms=size, every_ms=every):
            newest = event_ms - (event_ms - windows.offset_ms) % every
            return tuple((start, start + size) for start in range(newest, event_ms - size, -every))
        case SessionWindows(gap_ms=gap):
            return ((event_ms, event_ms + gap),)
        case GlobalWindow():
            return (ALWAYS,)
        case _:
            assert_never(windows)


def _require(holds: bool, windows: object, wanted: str) -> None:  # noqa: FBT001 -- reads as the law it states
    if not holds:
        raise ValueError(f"found {windows}, wanted {wanted}")

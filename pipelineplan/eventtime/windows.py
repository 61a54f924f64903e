"""What windows contain when they first fire and in the end, and which record made them fire.

window      on time   late   dropped   fired by record
[0, 10)           2      1         1   2
[10, 20)          1      0         0   4
[20, 30)          1      0         0   -1: still open when the records ended
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.timeliness import Classified, Judgement, classified_in_chunks
from pipelineplan.eventtime.watermarks import Milliseconds

STILL_OPEN = -1
_KINDS = 3
# A chunk whose windows span more than this is counted by sorting, not by a table.
_WIDEST_TABLE = 1 << 20
_MOST_ROWS_UNMERGED = 1 << 18


@dataclass(frozen=True)
class WindowCounts:
    """One row per window that any record belongs to, by rising `start_ms`; all of shape `(k,)`.

    `on_time` is the content of the first firing, `on_time + late` the final content.
    `fired_by` is the number of the record (from 0, in arrival order) after which the watermark
    reached the end of a window with content, `STILL_OPEN` if none did or there was none.
    `fired_at_ms` is the clock at that record, if the tally was given one; 0 where still open.
    """

    start_ms: Milliseconds
    on_time: npt.NDArray[np.int64]
    late: npt.NDArray[np.int64]
    dropped: npt.NDArray[np.int64]
    fired_by: npt.NDArray[np.int64]
    fired_at_ms: Milliseconds

    @property
    def final(self) -> npt.NDArray[np.int64]:
        """How many records each window has counted in the end."""
        return self.on_time + self.late

    @property
    def totals(self) -> tuple[int, int, int]:
        """Records on time, late and accepted, dropped."""
        return int(self.on_time.sum()), int(self.late.sum()), int(self.dropped.sum())


@dataclass
class WindowTally:
    """Counts chunks of one stream in order: `take` each, then `finish`."""

    judgement: Judgement
    _rows: list[tuple[Milliseconds, npt.NDArray[np.int64]]] = field(default_factory=list)
    _unmerged: int = 0
    _fired: list[Firings] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = OpenWindows(self.judgement)

    def take(self, chunk: Classified, clock_ms: Milliseconds | None = None) -> None:
        """Count the chunk that follows those taken before; `clock_ms` says when each record came."""
        if len(chunk.window_index) == 0:
            return
        index, counts = _counted(chunk)
        self._rows.append((index, counts))
        self._unmerged += len(index)
        if self._unmerged > _MOST_ROWS_UNMERGED:
            self._rows = [_summed(self._rows)]
            self._unmerged = 0
        fired = self._open.take(chunk, index[counts[:, 0] > 0], clock_ms)
        if len(fired.window_index):
            self._fired.append(fired)

    def finish(self) -> WindowCounts:
        """The counts of all windows, by their starts."""
        index, counts = _summed(self._rows)
        fired_by = np.full(len(index), STILL_OPEN, dtype=np.int64)
        fired_at = np.zeros(len(index), dtype=np.int64)
        for fired in self._fired:
            rows = np.searchsorted(index, fired.window_index)
            fired_by[rows], fired_at[rows] = fired.record, fired.clock_ms
        on_time, late, dropped = counts.T
        return WindowCounts(
            self.judgement.windows.start_ms(index), on_time, late, dropped, fired_by, fired_at
        )


@dataclass
class WindowTotals:
    """What all windows come to: `totals` as of `WindowCounts`. Remembers open windows only.

    `take` each chunk of one stream in order, with the clock at each record; it gives the first
    firings that the chunk made.
    """

    judgement: Judgement
    totals: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(_KINDS, dtype=np.int64))

    def __post_init__(self) -> None:
        self._open = OpenWindows(self.judgement)

    def take(self, chunk: Classified, clock_ms: Milliseconds) -> Firings:
        """Count the chunk that follows those taken before."""
        self.totals += np.bincount(chunk.timeliness, minlength=_KINDS)
        index, counts = _counted(chunk)
        return self._open.take(chunk, index[counts[:, 0] > 0], clock_ms)


@dataclass(frozen=True)
class Firings:
    """Windows that fired for the first time: after which record (from 0), at which clock; shape `(k,)`."""

    window_index: Milliseconds
    record: npt.NDArray[np.int64]
    clock_ms: Milliseconds


class OpenWindows:
    """Windows with content whose end the watermark has not reached."""

    def __init__(self, judgement: Judgement) -> None:
        """None has content."""
        self._judgement = judgement
        self._waiting: Milliseconds = np.empty(0, dtype=np.int64)

    def take(
        self, chunk: Classified, with_content: Milliseconds, clock_ms: Milliseconds | None = None
    ) -> Firings:
        """The windows that fire in this chunk; `with_content` are those of its records on time."""
        waiting = np.union1d(self._waiting, with_content)
        deadline = self._judgement.windows.start_ms(waiting) + self._judgement.fires_at_ms
        after = chunk.watermark_ms[1:]
        at = np.searchsorted(after, deadline, side="left")
        fires = at < len(after)
        self._waiting = waiting[~fires]
        clock = np.zeros(len(after), dtype=np.int64) if clock_ms is None else clock_ms
        first = chunk.state.records - len(after)
        return Firings(waiting[fires], at[fires] + first, clock[at[fires]])


def count_windows(
    judgement: Judgement, event_time_ms: Milliseconds, partition: npt.NDArray[np.integer] | None = None
) -> WindowCounts:
    """Classify and count a whole stream that lies in memory; arguments as in `classify`."""
    tally = WindowTally(judgement)
    for chunk in classified_in_chunks(judgement, event_time_ms, partition):
        tally.take(chunk)
    return tally.finish()


def _counted(chunk: Classified) -> tuple[Milliseconds, npt.NDArray[np.int64]]:
    """The windows of a chunk, rising, and their counts on time, late, dropped: shape `(k, 3)`."""
    lowest = int(chunk.window_index.min())
    span = int(chunk.window_index.max()) - lowest + 1
    if span > _WIDEST_TABLE:
        present, position = np.unique(chunk.window_index, return_inverse=True)
    else:
        present, position = np.arange(lowest, lowest + span), chunk.window_index - lowest
    cells = position * _KINDS + chunk.timeliness
    table = np.bincount(cells, minlength=len(present) * _KINDS).reshape(-1, _KINDS)
    seen = table.any(axis=1)
    return present[seen], table[seen]


def _summed(
    rows: list[tuple[Milliseconds, npt.NDArray[np.int64]]],
) -> tuple[Milliseconds, npt.NDArray[np.int64]]:
    if not rows:
        return np.empty(0, dtype=np.int64), np.empty((0, _KINDS), dtype=np.int64)
    every = np.concatenate([index for index, _ in rows])
    present, position = np.unique(every, return_inverse=True)
    counts = np.zeros((len(present), _KINDS), dtype=np.int64)
    np.add.at(counts, position, np.concatenate([counted for _, counted in rows]))
    return present, counts

"""What is compared with what: two datasets, the keys that say which rows belong together, and how strictly.

    source orders        order_id   updated_at            amount
    destination lake     order_id   updated_at            amount       the same rows: they are compared whole

    source orders        store_id   updated_at            amount_cents
    destination mart     store_id   minute      changes   amount_cents a row stands for `changes` records of
                                                                      the source: both are added up by key

What the pipeline left out on purpose is data too, with the source's columns, and stands beside the
destination: source = destination + late_dropped + dead_lettered + filtered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelineplan.verdicts import Severity

Term = Literal["late_dropped", "dead_lettered", "filtered"]
TERMS: tuple[Term, ...] = ("late_dropped", "dead_lettered", "filtered")
BUCKETS = 16


@dataclass(frozen=True)
class Escalation:
    """Who hears of drift: after `after_windows` closed windows, with which severity."""

    after_windows: int = 1
    to: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True)
class Side:
    """How one dataset is read.

    `event_time` is its column, None where all rows are one window. `truncated` names a key that it
    has no column for, and stands for its event time rounded down to `grain_us` microseconds.
    `records` is the column that says how many records of the source one row stands for. Rows with
    equal `once_by` are one row: any of them, or the one with the highest `newest_by`.
    """

    event_time: str | None
    truncated: str | None = None
    grain_us: int = 0
    records: str | None = None
    once_by: tuple[str, ...] = ()
    newest_by: str | None = None


@dataclass(frozen=True)
class Pair:
    """Everything that decides a reconciliation but the data.

    `columns` are the compared columns beside the keys; empty means all that both sides have, but for
    `ignored`. `measures` are summed. `window_us` is the length of a segment in event time; a window
    is compared once the watermark has passed its end by `closes_after_us`, and the watermark, if not
    given, is the newest event time of the destination less `lag_us`. `tolerance` is the share (0 to
    1) of a window's rows, or of a measure's sum, that may differ. Totals are kept for each of the
    `slices` of a window in time and each of `buckets` of keys: the finer, the fewer rows are read again.
    """

    name: str
    source: str
    destination: str
    keys: tuple[str, ...]
    source_side: Side
    destination_side: Side
    measures: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    window_us: int = 3_600_000_000
    closes_after_us: int = 0
    lag_us: int = 0
    tolerance: float = 0.0
    both_directions: bool = True
    escalation: Escalation = Escalation()
    terms: tuple[tuple[Term, str], ...] = ()
    slices: int = 1
    buckets: int = BUCKETS
    portable: bool = False
    path: str = ""
    position: str = ""

    @property
    def added_up(self) -> bool:
        """Whether rows are added up by key, because a row of the destination stands for several."""
        return self.destination_side.records is not None

    @property
    def slice_us(self) -> int:
        """The length of a slice of a window in microseconds."""
        return self.window_us // self.slices

    @property
    def roles(self) -> tuple[tuple[str, str, Side], ...]:
        """Role, dataset and side of everything that is read: source, destination, and the terms."""
        terms = [(term, dataset, self.source_side) for term, dataset in self.terms]
        first = ("source", self.source, self.source_side)
        return (first, ("destination", self.destination, self.destination_side), *terms)

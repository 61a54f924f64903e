"""The table that an ordinary suite can check: one row per window, counts and shares of every flag.

    window_start           records  late  late_share  dropped  out_of_order  duplicate  gap
    2026-11-09T10:00:00Z      1200     3      0.0025        0            98          1    0

Counts add up, so tables of shards (by key, or of consecutive stretches) are merged by `merge`; what is in
a row is a number or a day, so any engine that Great Expectations knows can read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipelineplan.errors import MissingExtraError
from pipelineplan.quality.streaming.flags import FLAGS, Flagged


@dataclass(frozen=True)
class WindowMetrics:
    """Records and flags by window: `counts[start_ms]` has `records` and a number for each flag."""

    counts: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """The sum of one column over all windows."""
        return sum(row.get(name, 0) for row in self.counts.values())

    def rows(self) -> list[dict[str, Any]]:
        """One row per window by time, with the share of each flag beside its count."""
        return [_row(start, self.counts[start]) for start in sorted(self.counts)]


def partial(found: Flagged) -> WindowMetrics:
    """Count some records and their flags by window."""
    ones = np.ones(len(found.window_start_ms), dtype=np.bool_)
    return partial_flags(replace(found, flags={"records": ones, **found.flags}))


def partial_flags(found: Flagged) -> WindowMetrics:
    """Count the flags alone: the records themselves are counted elsewhere."""
    starts, position = np.unique(found.window_start_ms, return_inverse=True)
    columns = {
        name: np.bincount(position, weights=flags, minlength=len(starts)).astype(np.int64)
        for name, flags in found.flags.items()
    }
    return WindowMetrics(
        {
            int(start): {name: int(counts[at]) for name, counts in columns.items()}
            for at, start in enumerate(starts)
        }
    )


def merge(parts: Iterable[WindowMetrics]) -> WindowMetrics:
    """Add up partial tables, in any order; their columns come in the order of `FLAGS`."""
    merged: dict[int, dict[str, int]] = {}
    for part in parts:
        for start, row in part.counts.items():
            add_counts(merged.setdefault(start, {}), row)
    return WindowMetrics(
        {
            start: {name: row[name] for name in ("records", *FLAGS) if name in row}
            for start, row in merged.items()
        }
    )


def add_counts(into: dict[str, int], row: Mapping[str, int]) -> None:
    """Add the counts of one row to those of another."""
    for name, count in row.items():
        into[name] = into.get(name, 0) + count


def write(metrics: WindowMetrics, path: Path) -> Path:
    """Write the table as Parquet; raises `MissingExtraError` without pyarrow, `OSError` when it cannot."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError("a table of stream metrics", "data") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(metrics.rows()), path)
    return path


def _row(start_ms: int, counts: Mapping[str, int]) -> dict[str, Any]:
    started = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=start_ms)
    row: dict[str, Any] = {"window_start": started, "records": counts["records"]}
    for name, count in counts.items():
        if name != "records":
            row |= {name: count, f"{name}_share": count / counts["records"]}
    return row

"""Spans of time that hold what is looked for, said of the column itself.

    looked for   ..x..........xx.x............x.      slices of event time
    spans          [)         [----)           [)     at most `MOST_SPANS`, the widest gaps left out

Files with statistics skip their parts that lie outside. They know the least and the greatest value of a
column, and nothing of what is computed from it, so the condition names the column and constants only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# A half-open span in microseconds since 1970.
Span = tuple[int, int]

# Each span is compared with every row of the parts that are read: few, and only if they leave out much.
MOST_SPANS = 8
LEAST_LEFT_OUT = 0.5
# The instants that DuckDB can hold.
_FIRST, _LAST = -9_223_372_022_400_000_000, 9_223_372_036_854_775_806


@dataclass(frozen=True)
class Clock:
    """A column of instants: its name, quoted for SQL, and DuckDB's name of its type."""

    column: str
    kind: str

    @property
    def extremes(self) -> str:
        """The first and the last instant in microseconds, which a Parquet file knows without being read."""
        return f"epoch_us(min({self.column})), epoch_us(max({self.column}))"

    def within(self, spans: Iterable[Span]) -> str:
        """Whether the instant lies in one of `spans`."""
        return " OR ".join(
            f"{self.column} >= {self._at(start)} AND {self.column} < {self._at(end)}" for start, end in spans
        )

    def _at(self, microseconds: int) -> str:
        return f"make_timestamp({min(max(microseconds, _FIRST), _LAST)}::BIGINT)::{self.kind}"


def spans_of(slices: Sequence[int], slice_us: int) -> list[Span]:
    """Few spans that hold all of `slices`, sorted numbers of slices of `slice_us`.

    A span begins a microsecond early, because nanoseconds before 1970 are cut off towards zero.
    """
    between = ((after - before - 1, at) for at, (before, after) in enumerate(pairwise(slices), 1))
    widest = sorted(gap for gap in between if gap[0])[-(MOST_SPANS - 1) :]
    whole = slices[-1] - slices[0] + 1
    cuts = sorted(at for _, at in widest) if sum(gap for gap, _ in widest) > LEAST_LEFT_OUT * whole else []
    starts, ends = [0, *cuts], [*cuts, len(slices)]
    return [
        (slices[start] * slice_us - 1, (slices[end - 1] + 1) * slice_us)
        for start, end in zip(starts, ends, strict=True)
    ]

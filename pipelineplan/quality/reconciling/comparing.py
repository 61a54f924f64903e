"""Which windows are comparable, and in which segments the balance does not hold.

    source = destination + late_dropped + dead_lettered + filtered          of closed windows only

    10:00   10:05   10:10   10:15                     watermark of the destination 10:17, windows of 5 min,
    closed  closed  open    open                      still changing for 5 min after their end

A window that may still change is not compared: what has not arrived yet is not lost. So it is the
watermark, and not a tolerance, that keeps late data from raising alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pipelineplan.quality.reconciling.pair import Pair
from pipelineplan.quality.reconciling.reading import NO_WINDOW
from pipelineplan.quality.reconciling.segments import Partial, Segment, Totals, added_up

# A watermark that has passed everything: the data is known to be complete.
END = (1 << 63) - 1


@dataclass(frozen=True)
class WindowTotals:
    """One window: totals by role (source, destination, terms); segments that differ, with their records."""

    number: int
    closed: bool
    roles: Mapping[str, Totals]
    differing: Mapping[Segment, int]

    def records(self, role: str) -> int:
        """The records of `role`, 0 where it has none."""
        return self.roles[role].records if role in self.roles else 0

    @property
    def net_records(self) -> int:
        """Records of the source less those that are accounted for: above 0 some are missing."""
        return self.records("source") - sum(self.records(role) for role in self.roles if role != "source")

    @property
    def net_sums(self) -> tuple[Decimal, ...]:
        """The same for the sum of each measure."""
        return _balance(self.roles).sums


@dataclass(frozen=True)
class Compared:
    """Every window by time, closed or open; `watermark_us` None when there is no time to go by."""

    watermark_us: int | None
    windows: tuple[WindowTotals, ...]
    without_time: WindowTotals | None = None

    @property
    def closed(self) -> tuple[WindowTotals, ...]:
        """The windows that were compared."""
        return tuple(window for window in self.windows if window.closed)

    @property
    def differing(self) -> tuple[Segment, ...]:
        """The segments of closed windows that differ, by time and bucket."""
        return tuple(segment for window in self.closed for segment in window.differing)


def finish(pair: Pair, merged: Mapping[str, Partial], watermark_us: int | None = None) -> Compared:
    """Judge merged partial results; `watermark_us` is the destination's committed watermark, if known."""
    watermark = watermark_us if watermark_us is not None else watermark_of(pair, merged)
    by_window: dict[int, dict[Segment, dict[str, Totals]]] = {}
    for role, found in merged.items():
        for segment, totals in found.totals.items():
            number = segment[0] if segment[0] == NO_WINDOW else segment[0] // pair.slices
            by_window.setdefault(number, {}).setdefault(segment, {})[role] = totals
    without = by_window.pop(NO_WINDOW, None)
    windows = tuple(
        _window(number, by_window[number], closed=is_closed(pair, number, watermark))
        for number in sorted(by_window)
    )
    return Compared(watermark, windows, _window(NO_WINDOW, without, closed=False) if without else None)


def watermark_of(pair: Pair, merged: Mapping[str, Partial]) -> int | None:
    """The newest event time that both sides have reached, less the lag; None when one has none."""
    if pair.source_side.event_time is None or pair.destination_side.event_time is None:
        return END
    newest = [merged[role].newest_us if role in merged else None for role in ("source", "destination")]
    known = [time for time in newest if time is not None]
    return min(known) - pair.lag_us if len(known) == len(newest) else None


def is_closed(pair: Pair, number: int, watermark_us: int | None) -> bool:
    """Whether the window `number` can no longer change under a watermark."""
    return watermark_us is not None and (number + 1) * pair.window_us + pair.closes_after_us <= watermark_us


def _window(number: int, segments: Mapping[Segment, Mapping[str, Totals]], *, closed: bool) -> WindowTotals:
    parts: dict[str, list[Totals]] = {}
    for found in segments.values():
        for role, totals in found.items():
            parts.setdefault(role, []).append(totals)
    roles = {role: added_up(several) for role, several in parts.items()}
    differing = {
        segment: sum(totals.records for totals in segments[segment].values())
        for segment in sorted(segments)
        if _differs(segments[segment])
    }
    return WindowTotals(number, closed, roles, differing)


def _differs(roles: Mapping[str, Totals]) -> bool:
    if len(roles) == 2 and "source" in roles:  # nearly always, of tens of thousands of segments
        one, other = roles.values()
        return one != other
    left = _balance(roles)
    return left.records != 0 or left.digest != 0 or any(left.sums)


def _balance(roles: Mapping[str, Totals]) -> Totals:
    """The source less everything else."""
    width = len(next(iter(roles.values())).sums)
    left = roles.get("source", Totals(0, 0, (Decimal(0),) * width))
    for role, totals in roles.items():
        if role != "source":
            left -= totals
    return left

"""What flows into the first stage of a chain: one source, or several that one stage reads by key.

    orders     18_000/s --keyed--+
                                 +--> enrich     simulated as one stream of 18_400/s
    customers     400/s --keyed--+

Sources that are dealt out to the same workers by the same rule share those workers, so the lag and
the drain of all together are those of one stream of their total rate; how they share it among
themselves is not simulated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelineplan.eventtime import completeness
from pipelineplan.plan import Plan
from pipelineplan.plan.load import average_rate, peak_rate
from pipelineplan.plan.semantics import disorder_of
from pipelineplan.plan.source import Source
from pipelineplan.simulation.network import NotSimulated
from pipelineplan.simulation.scenario import Burst
from pipelineplan.verdicts import Operand

Read = Callable[[Operand | None], float]
Shares = tuple[float, float]


@dataclass(frozen=True)
class Inflow:
    """`sources` as one stream, the loudest first; `read` gives an operand's value at one end."""

    plan: Plan
    sources: tuple[Source, ...]
    read: Read

    @property
    def name(self) -> str:
        """The sources' ids, joined."""
        return " + ".join(source.id for source in self.sources)

    def peak_per_second(self) -> float:
        """The sum of the peak rates."""
        return sum(self._peaks())

    def average_per_second(self) -> float:
        """The sum of the average rates; a source that states none counts with its peak."""
        return sum(self._averages())

    def trace(self) -> tuple[tuple[tuple[float, float], ...], float]:
        """The recorded rates of the loudest source on top of the others' averages, and their length."""
        rate = self.sources[0].rate
        recorded = (
            self.plan.traces.get(rate.profile) if rate is not None and rate.profile is not None else None
        )
        if recorded is None:
            return (), 0.0
        others = sum(self._averages()[1:])
        return tuple((start, steps + others) for start, steps in recorded.steps), recorded.length_seconds

    def burst(self) -> Burst | None:
        """The burst of the loudest source."""
        stated = self.sources[0].rate.burst if self.sources[0].rate is not None else None
        return (
            Burst(stated.factor, self.read(self.plan.operand("burst", stated, "length"))) if stated else None
        )

    def retention_seconds(self) -> float:
        """The shortest retention of any source; infinite when none states one."""
        kept = [self.plan.operand("R", source.retention, "time", "retention") for source in self.sources]
        return min((self.read(one) for one in kept if one is not None), default=math.inf)

    def partitions(self) -> int | None:
        """The partitions of all sources together; None when one does not state its own."""
        stated = [source.partitions for source in self.sources]
        return None if None in stated else sum(count for count in stated if count is not None)

    def hottest_key(self, key: str | None = None) -> float:
        """The hottest key's share of all records, as if the sources had it in common.

        With `key`, only sources whose key is that field count.
        """
        shares = [self._hottest(source) if key in {None, _key(source)} else 0.0 for source in self.sources]
        return sum(share * weight for share, weight in zip(shares, self._weights(), strict=True))

    def late_and_dropped(
        self, lag: float, window: float, lateness: float
    ) -> tuple[Shares | None, Shares | None]:
        """Bounds on the share that is late at the first firing, and that is dropped; seconds in.

        None when a source states no disorder. Every source is judged by its own disorder.
        """
        late, dropped = [0.0, 0.0], [0.0, 0.0]
        for source, weight in zip(self.sources, self._weights(), strict=True):
            disorder = disorder_of(self.plan, source)
            if disorder is None:
                return None, None
            share = completeness(
                disorder, window_seconds=window, watermark_lag_seconds=lag, allowed_lateness_seconds=lateness
            )
            late[0] += weight * (1.0 - share.at_first_firing.high)
            late[1] += weight * (1.0 - share.at_first_firing.low)
            dropped[0] += weight * share.dropped.low
            dropped[1] += weight * share.dropped.high
        return (late[0], late[1]), (dropped[0], dropped[1])

    def assumptions(self) -> Iterator[str]:
        """What is assumed when several sources become one stream."""
        if len(self.sources) > 1:
            yield (
                f"{self.name} are simulated as one stream: lag and drain are those of all together, exact "
                "when their hottest keys and their ratios of peak to average agree"
            )

    def _peaks(self) -> list[float]:
        rates = [(source.id, peak_rate(self.plan, source)) for source in self.sources]
        for source, rate in rates:
            if rate is None:
                raise NotSimulated(f"source {source!r} states no rate: add sources[].rate")
        return [self.read(rate) for _, rate in rates]

    def _averages(self) -> list[float]:
        stated = [average_rate(self.plan, source) for source in self.sources]
        return [
            peak if average is None else self.read(average)
            for average, peak in zip(stated, self._peaks(), strict=True)
        ]

    def _weights(self) -> list[float]:
        if len(self.sources) == 1:
            return [1.0]
        peaks = self._peaks()
        return [peak / sum(peaks) if sum(peaks) else 0.0 for peak in peaks]

    def _hottest(self, source: Source) -> float:
        return self.read(self.plan.operand("h", source.keys, "hottest_key", "share of the hottest key"))


def loudest_first(plan: Plan, sources: tuple[Source, ...]) -> tuple[Source, ...]:
    """The sources by falling peak rate."""

    def loudness(source: Source) -> float:
        peak = peak_rate(plan, source)
        return peak.value if peak is not None else 0.0

    return tuple(sorted(sources, key=loudness, reverse=True))


def _key(source: Source) -> str | None:
    return source.keys.field if source.keys is not None else None

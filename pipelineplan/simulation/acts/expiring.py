"""What does not wait for a reader: tombstones that are cleaned away, and transactions that are aborted.

    delete k --------- tombstone kept for delete.retention.ms ---|   a reader who comes later keeps k

    begin txn -- pre-commit with the checkpoint -- crash ------- restart: commit!  the broker: "too late"

Sources: Apache Kafka documentation, `delete.retention.ms`, `transaction.timeout.ms`; FLINK-30419.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run

_MARKS = 20_000


class CountedAfterwards:
    """An act that turns no knob: what happens is the scenario's, and it says what that means."""

    awaited = True
    busy_until_seconds = 0.0

    def process(self, knobs: Knobs) -> Process:
        """Nothing of its own."""
        yield from knobs.until(0.0)


@dataclass(frozen=True)
class Tombstones(CountedAfterwards):
    """`delete_share` of the records are deletions, which a compacted log forgets after `kept_seconds`."""

    delete_share: float
    kept_seconds: float

    def figures(self, run: Run) -> Mapping[str, float]:
        """Deletions that were cleaned away before they were read: their keys live on."""
        from pipelineplan.simulation.figures.curves import Curves

        curves = Curves(run)
        total = float(curves.appended_at(np.array([run.fluid.now]))[0])
        counts = (np.arange(_MARKS) + 0.5) / _MARKS * total
        came = np.interp(counts, curves.appended, curves.appended_time)
        missed = 0.0
        for partition, share in enumerate(curves.shares):
            if share > 0:
                age = np.minimum(curves.read_at(partition, came), run.fluid.now) - came
                missed += share * float((age > self.kept_seconds).mean()) * total
        return {"resurrected_keys": float(self.delete_share * missed)}


@dataclass(frozen=True)
class TransactionExpiry(CountedAfterwards):
    """The job dies between the completion of a checkpoint and the commit of its transaction.

    That transaction was opened by the checkpoint before, and must be committed on restart. The
    broker has aborted it if it is older than `timeout_seconds` by then.
    """

    timeout_seconds: float

    def figures(self, run: Run) -> Mapping[str, float]:
        """The age of the open transaction at the restart, and the records in it if it was aborted."""
        oldest, lost = 0.0, 0.0
        for phase in run.phases:
            done = [cut for cut in run.cuts if cut.completed <= phase.start_seconds]
            if len(done) < 2:
                continue
            opened, closed = done[-2], done[-1]
            age = phase.restarted_seconds - opened.begun
            oldest = max(oldest, age)
            if age > self.timeout_seconds:
                lost += float((closed.position - opened.position).sum())
        return {"oldest_transaction_seconds": oldest, "aborted_records": lost}


@dataclass(frozen=True)
class DomainLoss:
    """One of `domains` zones is away from `start_seconds` on, and the rest does what it can."""

    start_seconds: float
    length_seconds: float
    domains: int
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When all zones are back."""
        return self.start_seconds + self.length_seconds

    def process(self, knobs: Knobs) -> Process:
        """Slow every stage down while the zone is away."""
        yield from knobs.until(self.start_seconds)
        for stage in knobs.network.stages:
            knobs.slow(stage.name, (self.domains - 1) / self.domains)
        yield from knobs.until(self.busy_until_seconds)
        for stage in knobs.network.stages:
            knobs.slow(stage.name, 1.0)

    def figures(self, run: Run) -> Mapping[str, float]:
        """The load of the busiest worker on what is left."""
        left = (self.domains - 1) / self.domains
        return {"utilisation_without_domain": run.network.utilisation(run.scenario.peak_rate)[0] / left}


@dataclass(frozen=True)
class Rejection(CountedAfterwards):
    """The log takes only a part of what is sent to it; the scenario's rates are what it takes."""

    rejected_records: float
    sent_records: float

    def figures(self, _run: Run) -> Mapping[str, float]:
        """What was refused, and its share of all that was sent in that time."""
        share = self.rejected_records / self.sent_records if self.sent_records else 0.0
        return {"rejected_records": self.rejected_records, "rejected_share": share}


@dataclass(frozen=True)
class Backfill:
    """Old records are read beside the live ones: the log number `log` of the network."""

    log: int
    records: float
    awaited = True
    busy_until_seconds = 0.0

    def process(self, knobs: Knobs) -> Process:
        """Wait until the last old record has been read."""
        first = sum(log.partitions for log in knobs.network.logs[: self.log])
        mine = slice(first, first + knobs.network.logs[self.log].partitions)
        left = float(knobs.waiting()[mine].sum())
        while left > 0.5e-6 * self.records:
            # At most a hundredth of what is left at the speed so far, so that the end is met closely.
            yield knobs.env.timeout(max(1.0, knobs.env.now * left / (self.records - left + 1.0) / 2))
            left = float(knobs.waiting()[mine].sum())

    def figures(self, run: Run) -> Mapping[str, float]:
        """How long it took, found where its curve ends."""
        first = sum(log.partitions for log in run.network.logs[: self.log])
        partitions = range(first, first + run.network.logs[self.log].partitions)
        read = np.sum([run.fluid.journal.column(each) for each in partitions], axis=0)
        done = np.flatnonzero(read >= self.records * (1.0 - 1e-9))
        seconds = float(run.fluid.journal.time[done[0]]) if len(done) else float("inf")
        return {"backfill_seconds": seconds, "backfill_records": self.records}

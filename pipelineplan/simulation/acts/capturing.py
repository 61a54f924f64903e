"""Change data capture: the slot that keeps the database's log, and the snapshot beside the stream.

    connector away   the slot keeps every byte of the write-ahead log that nobody has confirmed
    disk full        the database stops; with a cap the slot is lost instead, and a snapshot is due

    |-- snapshot --|            slot made before it: what changes meanwhile comes twice
                      |-- slot  slot made after it: what changed in between never comes

Sources: PostgreSQL documentation, `max_slot_wal_keep_size`; Debezium documentation, PostgreSQL connector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run


@dataclass(frozen=True)
class SlotFill:
    """The database writes `wal_bytes_per_second`; a slot without a cap may fill `disk_free_bytes`."""

    wal_bytes_per_second: float
    disk_free_bytes: float
    cap_bytes: float | None = None
    awaited = True
    busy_until_seconds = 0.0

    def process(self, knobs: Knobs) -> Process:
        """Nothing of its own: the outage is the scenario's."""
        yield from knobs.until(0.0)

    def figures(self, run: Run) -> Mapping[str, float]:
        """The most that the slot kept, what the disk had left, and slots lost to their cap."""
        from pipelineplan.simulation.figures.curves import Curves

        kept = self.wal_bytes_per_second * Curves(run).peak_age()
        held = kept if self.cap_bytes is None else min(kept, self.cap_bytes)
        return {
            "slot_bytes": held,
            "disk_left_bytes": max(self.disk_free_bytes - held, 0.0),
            "seconds_to_full_disk": self.disk_free_bytes / self.wal_bytes_per_second,
            "slots_lost": float(self.cap_bytes is not None and kept > self.cap_bytes),
        }


@dataclass(frozen=True)
class Snapshot:
    """The stream waits while the snapshot is read; the slot was made `slot_gap_seconds` after its begin.

    A gap of 0 is a slot that was there before. `absorbs` is true of a sink that merges by key.
    """

    start_seconds: float
    length_seconds: float
    slot_gap_seconds: float = 0.0
    absorbs: bool = False
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When the snapshot has been read."""
        return self.start_seconds + self.length_seconds

    def process(self, knobs: Knobs) -> Process:
        """Hold the stream until the snapshot has been read."""
        yield from knobs.until(self.start_seconds)
        before = float((knobs.position() + knobs.waiting()).sum())
        knobs.hold(tuple(range(len(knobs.network.shares))))
        yield from knobs.until(self.start_seconds + self.slot_gap_seconds)
        knobs.note("before the slot", float((knobs.position() + knobs.waiting()).sum()) - before)
        yield from knobs.until(self.busy_until_seconds)
        knobs.note("during the snapshot", float((knobs.position() + knobs.waiting()).sum()) - before)
        knobs.hold(())

    def figures(self, run: Run) -> Mapping[str, float]:
        """What comes twice, what is written twice, and what never comes."""
        missed = sum(run.seen.get("before the slot", ()))
        twice = sum(run.seen.get("during the snapshot", ())) - missed
        return {
            "overlapping_records": twice,
            "duplicate_records": 0.0 if self.absorbs else twice,
            "missed_changes": missed,
        }

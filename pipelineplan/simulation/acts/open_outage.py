"""What is noted of an outage while it lasts and drains."""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.simulation.scenario import Outage, Phases


@dataclass
class OpenOutage:
    """An outage that is under way or draining."""

    outage: Outage
    restarted: float = 0.0
    draining: bool = False
    drained: float | None = None
    replayed: float = 0.0
    duplicates: float = 0.0

    def close(self) -> Phases:
        """The phases, as they were at the end of the run, or are still to come."""
        detected = self.outage.start_seconds + self.outage.detect_seconds
        due = self.outage.start_seconds + self.outage.down_seconds
        return Phases(
            of=self.outage.of.value,
            start_seconds=self.outage.start_seconds,
            detected_seconds=detected,
            repaired_seconds=detected + self.outage.repair_seconds,
            restarted_seconds=max(self.restarted, due),
            drained_seconds=self.drained,
            replayed_records=self.replayed,
            duplicate_records=self.duplicates,
            drain_target_seconds=self.outage.drain_target_seconds,
        )

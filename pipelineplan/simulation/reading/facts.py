"""What a plan says that only some scenarios ask for, and how they ask for it.

facts.need("wal_bytes_per_second")   ->  30e6, or a refusal that names sources[].cdc.wal_rate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelineplan.simulation.network import NotSimulated

# Fact -> the field of the plan that states it.
STATED_BY: Mapping[str, str] = {
    "record_bytes": "sources[].record.size",
    "wal_bytes_per_second": "sources[].cdc.wal_rate",
    "slot_cap_bytes": "sources[].cdc.slot_cap",
    "disk_free_bytes": "sources[].cdc.disk_free",
    "snapshot_seconds": "sources[].cdc.snapshot",
    "slot_gap_seconds": "sources[].cdc.slot_gap",
    "tombstone_seconds": "sources[].retention.tombstones",
    "delete_share": "sources[].mutation.delete_share",
    "transaction_timeout_seconds": "sinks[].guarantee.timeout",
    "retry_attempts": "stages[].retry.attempts",
    "max_poll_records": "sources[].consumer.max_poll_records",
    "max_poll_interval_seconds": "sources[].consumer.max_poll_interval",
    "assignor": "sources[].consumer.assignor",
    "watermark_scope": "sources[].semantics.watermark.scope",
    "idle_timeout_seconds": "sources[].semantics.watermark.idle_timeout",
    "max_future_skew_seconds": "sources[].semantics.clock.max_skew",
    "replay_rate_per_second": "replay.rate_limit",
    "replay_seconds": "replay.from and replay.to",
    "most_workers": "stages[].autoscaling.maximum",
    "target_utilisation": "stages[].autoscaling.target_utilisation",
    "state_ttl_seconds": "stages[].state.ttl",
    "alignment_seconds": "sources[].semantics.watermark.alignment",
    "failure_domains": "capacity.failure_domains",
    "reverse_sync_per_second": "cutover.reverse_sync.capacity",
    "checkpoint_timeout_seconds": "stages[].checkpoint.timeout",
}


@dataclass(frozen=True)
class Facts:
    """Values at one end of the plan's intervals, in base units; None where the plan does not state one."""

    record_bytes: float | None = None
    wal_bytes_per_second: float | None = None
    slot_cap_bytes: float | None = None
    disk_free_bytes: float | None = None
    snapshot_seconds: float | None = None
    slot_gap_seconds: float | None = None
    tombstone_seconds: float | None = None
    delete_share: float | None = None
    transaction_timeout_seconds: float | None = None
    retry_stage: str = ""
    retry_attempts: float | None = None
    retry_blocking: bool = True
    retry_waits_seconds: tuple[float, ...] = ()
    failure_share: float = 0.0
    max_poll_records: float | None = None
    max_poll_interval_seconds: float | None = None
    assignor: str | None = None
    watermark_scope: str | None = None
    idle_timeout_seconds: float | None = None
    allowed_lateness_seconds: float = 0.0
    max_future_skew_seconds: float | None = None
    future: str = "accept"
    replay_rate_per_second: float | None = None
    replay_seconds: float | None = None
    scaled_stage: str = ""
    least_workers: float = 1.0
    most_workers: float | None = None
    target_utilisation: float | None = None
    rescale_seconds: float = 60.0
    state_ttl_seconds: float | None = None
    alignment_seconds: float | None = None
    failure_domains: float | None = None
    reverse_sync_per_second: float | None = None
    checkpoint_timeout_seconds: float | None = None
    on_violation: str = "quarantine"
    cron: str = ""
    zone: str = "UTC"

    def need(self, name: str) -> float:
        """A number that a scenario cannot do without; raises `NotSimulated` naming the field."""
        value = getattr(self, name)
        if value is None:
            raise NotSimulated(
                f"the plan does not state {STATED_BY[name]}, which this scenario is about: add it"
            )
        return float(value)

"""What a record of a pipeline uses of logs and networks, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """What one record of a pipeline uses, and who is paid: bytes, worker-hours, money.

    `record_bytes` as the log has it, `crossing_bytes` that go from zone to zone when it comes and
    `reread_bytes` when it is read again, `kept_byte_seconds` in all copies until the log deletes it.
    `workers` are those that are paid. Of what arrives `old_records` lay in the log before and are only read,
    by an `own_job` beside the one that runs all the time. `prices` pair a kind of a price file with
    money per worker-hour, byte, or byte and month.
    """

    workers: float
    record_bytes: float = 0.0
    crossing_bytes: float = 0.0
    reread_bytes: float = 0.0
    kept_byte_seconds: float = 0.0
    old_records: float = 0.0
    own_job: bool = False
    prices: tuple[tuple[str, float], ...] = ()
    currency: str = ""

"""Reads out of a plan what only some scenarios ask for, at one end of its intervals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pipelineplan.plan import Plan
from pipelineplan.plan.capacity import mean_waits
from pipelineplan.plan.section import Section
from pipelineplan.plan.sink import Sink
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.simulation.reading.facts import Facts
from pipelineplan.simulation.reading.inflow import Read

Number = Callable[[Section | None, str], float | None]


def facts_of(plan: Plan, source: Source, stages: tuple[Stage, ...], sink: Sink, read: Read) -> Facts:
    """The facts of one way through a plan; `read` gives an operand's value at the end that is meant."""

    def number(section: Section | None, field: str) -> float | None:
        operand = plan.operand(field, section, field)
        return None if operand is None else read(operand)

    return Facts(
        **_of_source(source, number),
        **_of_stages(stages, number),
        **_of_event_time(source, stages, number),
        **_of_changes(plan, number),
        transaction_timeout_seconds=number(sink.guarantee, "timeout"),
        failure_domains=number(plan.model.capacity, "failure_domains"),
    )


def _of_source(source: Source, number: Number) -> dict[str, Any]:
    capture, consumer = source.cdc, source.consumer
    gap = number(capture, "slot_gap")
    before = capture is not None and capture.slot_created == "before_snapshot"
    return {
        "record_bytes": number(source.record, "size"),
        "wal_bytes_per_second": number(capture, "wal_rate"),
        "slot_cap_bytes": number(capture, "slot_cap"),
        "disk_free_bytes": number(capture, "disk_free"),
        "snapshot_seconds": number(capture, "snapshot"),
        "slot_gap_seconds": 0.0 if before else gap,
        "tombstone_seconds": number(source.retention, "tombstones"),
        "delete_share": number(source.mutation, "delete_share"),
        "max_poll_records": number(consumer, "max_poll_records"),
        "max_poll_interval_seconds": number(consumer, "max_poll_interval"),
        "assignor": consumer.assignor if consumer is not None else None,
    }


def _of_stages(stages: tuple[Stage, ...], number: Number) -> dict[str, Any]:
    """Of several stages that retry, scale or time out, the first one counts."""
    found: dict[str, Any] = {}
    for stage in reversed(stages):
        if stage.retry is not None:
            found |= _of_retry(stage, number)
        if stage.autoscaling is not None:
            scaling = stage.autoscaling
            found |= {
                "scaled_stage": stage.id,
                "least_workers": number(scaling, "minimum") or 1.0,
                "most_workers": number(scaling, "maximum"),
                "target_utilisation": number(scaling, "target_utilisation"),
                "rescale_seconds": number(scaling, "restart") or 60.0,
            }
        timeout = number(stage.checkpoint, "timeout")
        found["checkpoint_timeout_seconds"] = timeout or found.get("checkpoint_timeout_seconds")
        ttl = stage.state.ttl if stage.state is not None else None
        found["state_ttl_seconds"] = number(ttl, "time") or found.get("state_ttl_seconds")
    return found


def _of_retry(stage: Stage, number: Number) -> dict[str, Any]:
    retry = stage.retry
    if retry is None:
        return {}
    waits: tuple[float, ...] = ()
    if retry.backoff is not None:
        first, cap = number(retry.backoff, "first") or 0.0, number(retry.backoff, "cap")
        waits = mean_waits(first, cap, retry.backoff.factor, retry.backoff.jitter, retry.attempts)
    return {
        "retry_stage": stage.id,
        "retry_attempts": float(retry.attempts),
        "retry_blocking": retry.blocking,
        "retry_waits_seconds": waits,
        "failure_share": number(retry, "failure_share") or 0.0,
    }


def _of_event_time(source: Source, stages: tuple[Stage, ...], number: Number) -> dict[str, Any]:
    semantics = source.semantics
    watermark, clock = (semantics.watermark, semantics.clock) if semantics is not None else (None, None)
    windows = [stage.window for stage in stages if stage.window is not None]
    return {
        "watermark_scope": watermark.scope if watermark is not None else None,
        "idle_timeout_seconds": number(watermark, "idle_timeout"),
        "alignment_seconds": number(watermark, "alignment"),
        "max_future_skew_seconds": number(clock, "max_skew"),
        "future": (clock.future if clock is not None else None) or "accept",
        "allowed_lateness_seconds": (number(windows[0], "allowed_lateness") if windows else None) or 0.0,
    }


def _of_changes(plan: Plan, number: Number) -> dict[str, Any]:
    replay, cutover, ingestion = plan.model.replay, plan.model.cutover, plan.model.ingestion
    schedule = ingestion.schedule if ingestion is not None else None
    sync = cutover.reverse_sync if cutover is not None else None
    return {
        "replay_rate_per_second": number(replay, "rate_limit"),
        "replay_seconds": _span(replay.start, replay.end) if replay is not None else None,
        "reverse_sync_per_second": number(sync, "capacity"),
        "cron": schedule.cron if schedule is not None else "",
        "zone": (schedule.zone if schedule is not None else None) or "UTC",
        "on_violation": (ingestion.on_violation if ingestion is not None else None) or "quarantine",
    }


def _span(start: str | None, end: str | None) -> float | None:
    """The seconds between two dates or times, where both can be read."""
    try:
        days = [datetime.fromisoformat(str(each)) for each in (start, end)]
        return max((days[1] - days[0]).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None

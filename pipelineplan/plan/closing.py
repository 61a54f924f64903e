"""When a window of a node can no longer change, as far as the plan says.

window ends    watermark passes it    allowed lateness is over
    |--- lag ----------|------ closes after ------|   from here on it may be compared
"""

from __future__ import annotations

from pipelineplan.plan.governance import Reconciliation
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.semantics import sources_above, windowed_above


def allowed_lateness_seconds(plan: Plan, node: str) -> float:
    """The sum of the allowed lateness of every window that records of `node` have come through."""
    windows = [stage.window for stage in windowed_above(plan, node) if stage.window is not None]
    return sum(window.allowed_lateness.value for window in windows if window.allowed_lateness is not None)


def closes_after_seconds(plan: Plan, node: str, stated: Reconciliation | None) -> float:
    """How long after the watermark has passed its end a window of `node` may still change."""
    if stated is not None and stated.closes_after is not None:
        return stated.closes_after.value
    return allowed_lateness_seconds(plan, node)


def watermark_lag_seconds(plan: Plan, node: str) -> float:
    """The largest watermark lag of the sources whose records come to `node`; 0 where none is stated."""
    marks = [each.semantics.watermark for each in sources_above(plan, node) if each.semantics is not None]
    return max((mark.lag.value for mark in marks if mark is not None and mark.lag is not None), default=0.0)

"""A plan in another tool's format, simulated before where the format takes thresholds from that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelineplan.plan import Plan
from pipelineplan.workflow.given import as_plan

if TYPE_CHECKING:
    from pipelineplan.exchange import Export
    from pipelineplan.simulation import SimulationResult


def export(
    plan: Plan | Path | str,
    format: str,  # noqa: A002  (what it is)
    *,
    settings: Mapping[str, str] | None = None,
    env: str | None = None,
) -> Export:
    """`plan` in another tool's format: "strimzi", "flink", "prometheus" and the others of `EXPORTS`.

    `settings` are what the format asks for and no plan says, such as `{"cluster": "main"}`. Every value
    has the place that says it, and what cannot be carried is in `dropped`. Raises `InputError` for an
    unknown format or setting, and for a plan that states nothing of what the format holds.
    """
    from pipelineplan.exchange import SIMULATED
    from pipelineplan.exchange import export as write_as

    one = as_plan(plan, env)
    return write_as(one, format, settings, _simulated(one) if format in SIMULATED else None)


def _simulated(plan: Plan) -> SimulationResult:
    from pipelineplan.simulation import simulate

    return simulate(plan)

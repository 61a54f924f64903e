"""What is refused since it would keep a machine busy for hours."""

from __future__ import annotations

from pipelineplan.simulation.network import Network, NotSimulated
from pipelineplan.simulation.scenario import Scenario

_MOST_CHECKPOINTS = 400_000


def refuse_endless(network: Network, scenario: Scenario) -> None:
    """Raises `NotSimulated` for more checkpoints, or micro-batches, than anybody would wait for."""
    checkpoint = network.checkpoint
    if checkpoint is None:
        return
    count = scenario.horizon_seconds / checkpoint.effective_interval_seconds
    if count > _MOST_CHECKPOINTS:
        raise NotSimulated(
            f"scenario {scenario.name!r}: {count:,.0f} checkpoints in a run, wanted at most "
            f"{_MOST_CHECKPOINTS:,}: raise the checkpoint interval"
        )


def refuse_without_cuts(network: Network, scenario: Scenario) -> None:
    """Raises `NotSimulated` for a job that fails and has neither checkpoints nor runs to go back to."""
    if network.checkpoint is not None or network.runs is not None:
        return
    if any(outage.restores for outage in scenario.outages):
        raise NotSimulated(
            f"scenario {scenario.name!r}: a job without checkpoints has no position to go back to: "
            "add `checkpoint: {interval: ...}` to a stage"
        )

"""The figures that only some scenarios have: their units, and what their error consists of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipelineplan.simulation.figures.costing import usage_figures
from pipelineplan.simulation.figures.state_figures import EXACT_STATE, state_figures, states_of
from pipelineplan.simulation.runs import run_figures

if TYPE_CHECKING:
    from pipelineplan.simulation.control import Run

EXACT = "exact fluid, rounding only"
_MARKED = "fluid, evenly spaced marks"
_MEAN = "fluid with mean retries"
CLOSED = "closed form"
_PRICED = "quantities of the run times the prices that the plan names"
# The unit of money; a figure has the currency of the price file in its place.
MONEY = "money"

# Figure -> unit and error class, in the order in which they are reported.
SPECIAL: dict[str, tuple[str, str]] = {
    "failed_checkpoints": ("checkpoints", EXACT),
    "job_restarts": ("restarts", EXACT),
    "rebalances": ("rebalances", EXACT),
    "reread_records": ("records", EXACT),
    "retried_records": ("records", _MEAN),
    "dead_lettered_records": ("records", _MEAN),
    "misread_records": ("records", EXACT),
    "rejected_records": ("records", CLOSED),
    "rejected_share": ("share", CLOSED),
    "backfill_seconds": ("s", EXACT),
    "backfill_records": ("records", EXACT),
    "buffered_records": ("records", EXACT),
    "join_drift_seconds": ("s", EXACT),
    "join_state_bytes": ("bytes", EXACT),
    "slot_bytes": ("bytes", EXACT),
    "disk_left_bytes": ("bytes", EXACT),
    "seconds_to_full_disk": ("s", CLOSED),
    "slots_lost": ("slots", EXACT),
    "overlapping_records": ("records", EXACT),
    "missed_changes": ("records", EXACT),
    "resurrected_keys": ("records", _MARKED),
    "oldest_transaction_seconds": ("s", EXACT),
    "aborted_records": ("records", EXACT),
    "utilisation_without_domain": ("share", CLOSED),
    "rescales": ("changes", EXACT),
    "most_workers": ("workers", EXACT),
    "scaled_worker_hours": ("h", EXACT),
    "unsynced_records": ("records", EXACT),
    "runs": ("runs", EXACT),
    "runs_beyond_next": ("runs", EXACT),
    "longest_run_seconds": ("s", EXACT),
    "latest_result_seconds": ("s", EXACT),
    "largest_run_records": ("records", EXACT),
    "smallest_run_records": ("records", EXACT),
    "peak_state_bytes": ("bytes", EXACT_STATE),
    "end_state_bytes": ("bytes", EXACT_STATE),
    "seconds_to_full_state": ("s", EXACT_STATE),
    "checkpoint_bytes": ("bytes", EXACT_STATE),
    "longest_checkpoint_seconds": ("s", EXACT_STATE),
    "restore_seconds": ("s", EXACT_STATE),
    "replayed_bytes": ("bytes", CLOSED),
    "cross_zone_bytes": ("bytes", CLOSED),
    "cost": (MONEY, _PRICED),
    "added_cost": (MONEY, _PRICED),
    "worker_hours": ("h", CLOSED),
    "read_records": ("records", EXACT),
}
# These come on top of what the fluid itself counts; all others stand in its place.
ADDED = frozenset({"duplicate_records"})


def replayed_records(run: Run) -> float:
    """Records that were read again since positions went back."""
    return sum((each.replayed_records for each in run.phases), 0.0) + sum(
        (back for _, back in run.restarts), 0.0
    )


def special_figures(run: Run) -> dict[str, float]:
    """What a run has of them: what its acts say, its failed checkpoints, and what it costs."""
    found: dict[str, float] = {}
    checkpoint = run.network.checkpoint
    if checkpoint is not None and math.isfinite(checkpoint.timeout_seconds):
        found["failed_checkpoints"] = float(len(run.failed_checkpoints))
        found["job_restarts"] = float(len(run.restarts))
    for act in run.scenario.acts:
        for name, value in act.figures(run).items():
            found[name] = found.get(name, 0.0) + value
    if run.network.runs is not None:
        found |= run_figures(run.runs)
    states = states_of(run)
    found |= state_figures(run, states)
    workers = sum(stage.workers for stage in run.network.stages)
    found["worker_hours"] = workers * run.fluid.now / 3600.0
    read = float(run.fluid.departed[run.fluid.log].sum() - run.lost.sum())
    found["read_records"] = read + replayed_records(run) + found.get("reread_records", 0.0)
    found |= usage_figures(run, states, found)
    return found

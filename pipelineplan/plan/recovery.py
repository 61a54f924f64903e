"""How long records pile up when something breaks: detection, repair, restart, and what is read again.

|-- detect --|-- repair --|-- restart --|------------ drain ------------|
records pile up for T = detect + repair + restart, and a job that goes back to its last
checkpoint reads up to I_eff + d seconds of records again.

A sink that takes nothing holds up the barriers too: checkpoints time out, and a job that has used up its
tolerable failures restarts in the middle of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelineplan.plan import capacity
from pipelineplan.plan.jobs import jobs_of, stops
from pipelineplan.plan.load import Values
from pipelineplan.plan.objectives import Outage
from pipelineplan.plan.plan import Plan, once
from pipelineplan.plan.section import Section
from pipelineplan.plan.stage import Stage
from pipelineplan.plan.state_size import state_bytes
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Operand

PHASES = frozenset({"detect", "repair", "restart", "restore"})
_RESTARTS = {"job", "worker", "zone"}


@dataclass(frozen=True)
class Downtime:
    """The phases of an outage as operands, and the seconds they add up to at given values."""

    outage: Outage
    operands: tuple[Operand, ...]

    def down(self, values: Values) -> float:
        """Seconds for which nothing is read: detect + repair + restart + restore."""
        return values["detect"] + values["repair"] + self.restarting(values)

    def restarting(self, values: Values) -> float:
        """Seconds of restart and restore; none for a sink's outage that the job sits out."""
        return values.get("restart", 0.0) + values.get("restore", 0.0) if self.restarts(values) else 0.0

    def restarts(self, values: Values) -> bool:
        """Whether the job restarts: by the outage itself, or because checkpoints fail while it lasts.

        The earliest that `k` tolerable failures are used up is after `timeout + k * max(I, timeout + pause)`.
        """
        if self.outage.of != "sink":
            return self.outage.of in _RESTARTS
        if "timeout" not in values:
            return False
        attempt = max(values["I"], values["timeout"] + values.get("pause", 0.0))
        return values["detect"] + values["repair"] > values["timeout"] + values["k"] * attempt

    def replayed(self, values: Values) -> float:
        """Seconds of records that are read a second time, at most: `I_eff + d` after a restart."""
        if "I" not in values or not self.restarts(values):
            return 0.0
        duration = values.get("d", 0.0)
        interval = capacity.effective_interval_seconds(values["I"], duration, values.get("pause", 0.0))
        return interval + duration

    def piled_up(self, values: Values) -> float:
        """Seconds of records to be worked off: down, and read again."""
        return self.down(values) + self.replayed(values)


@once
def downtime(plan: Plan, outage: Outage, stage: Stage) -> Downtime:
    """The phases of `outage` as stage `stage` sees them; a sink's outage restarts a job that gives up."""
    phases = [plan.operand("detect", outage, "detect", "time to detect")]
    phases += [plan.operand("repair", outage, "repair", "time to repair")]
    gives_up = _giving_up(plan, stage) if outage.of == "sink" else []
    if outage.of in _RESTARTS or gives_up:
        phases += [*restart_operands(plan, stage), restore_operand(plan, stage)]
        phases += [*checkpoint_operands(plan, stage), *gives_up]
    return Downtime(outage, tuple(operand for operand in phases if operand is not None))


def phases(plan: Plan, outage: Outage, stage: Stage | None) -> tuple[Operand, ...]:
    """What an outage's length adds up from: detect and repair, and at `stage` restart and restore."""
    if stage is not None:
        down = downtime_before(plan, outage, stage)
        return tuple(one for one in down.operands if one.symbol in PHASES) if down is not None else ()
    found = (plan.operand(name, outage, name, f"time to {name}") for name in ("detect", "repair"))
    return tuple(operand for operand in found if operand is not None)


def slowest_downtime(plan: Plan, outage: Outage, stages: Sequence[Stage]) -> Downtime:
    """The phases of `outage` at the one of `stages` that takes longest: stages of a job are back together."""

    def seconds(down: Downtime) -> float:
        return down.piled_up({operand.symbol: operand.value for operand in down.operands})

    return max((downtime(plan, outage, stage) for stage in stages), key=seconds)


def downtime_before(plan: Plan, outage: Outage, stage: Stage) -> Downtime | None:
    """The phases of an outage as they keep records from `stage`, of its own job or of one before it.

    None where it stops neither.
    """
    if stops(plan, outage, stage):
        return downtime(plan, outage, stage)
    above = [one for one in plan.model.stages if one.id in plan.graph.above(stage.id)]
    stopped = [one for one in above if stops(plan, outage, one)]
    return slowest_downtime(plan, outage, stopped) if stopped else None


def _giving_up(plan: Plan, stage: Stage) -> list[Operand | None]:
    """When checkpoints time out and how many failures are borne; nothing where no timeout is stated."""
    checkpoint = stage.checkpoint
    timeout = plan.operand("timeout", checkpoint, "timeout", "checkpoint timeout")
    if timeout is None or checkpoint is None or checkpoint.interval is None:
        return []
    path = plan.path(checkpoint)
    borne = plan.operand("k", checkpoint, "tolerable_failures", "tolerable failures")
    return [timeout, borne or plan.assumed("k", "tolerable failures", 0, None, path, (0, 3))]


def restart_operands(plan: Plan, stage: Stage) -> list[Operand | None]:
    """The time until a job runs again; assumed to be a minute where the plan does not say."""
    path = plan.path(stage, "checkpoint")
    stated = plan.operand("restart", stage.checkpoint, "restart", "time to restart")
    return [
        stated or plan.assumed("restart", "time to restart", 60.0, Dimension.DURATION, path, (10.0, 600.0))
    ]


def checkpoint_operands(plan: Plan, stage: Stage) -> list[Operand | None]:
    """Interval, duration and pause of the checkpoints that a restart goes back to."""
    checkpoint = stage.checkpoint
    interval = plan.operand("I", checkpoint, "interval", "checkpoint interval")
    if interval is None:
        return []
    pause = plan.operand("pause", checkpoint, "min_pause", "minimum pause")
    return [interval, duration_operand(plan, stage), pause]


def committing_stage(plan: Plan, sink: str) -> Stage | None:
    """The stage whose checkpoints commit what `sink` shows: the last of its job that states an interval."""
    above = [plan.stage(name) for name in plan.graph.above(sink) if plan.graph.kinds[name] == "stage"]
    own = {jobs_of(plan).get(edge.upstream) for edge in plan.graph.into(sink)}
    above = [one for one in above if jobs_of(plan)[one.id] in own]
    stated = [one for one in above if one.checkpoint is not None and one.checkpoint.interval is not None]
    return stated[-1] if stated else None


def checkpointing_stage(plan: Plan, stage: Stage) -> Stage | None:
    """The stage that states the interval for the job of `stage`: itself, or the first that does."""
    jobs = jobs_of(plan)
    same = (stage, *(one for one in plan.model.stages if jobs[one.id] == jobs[stage.id]))
    return next((one for one in same if one.checkpoint and one.checkpoint.interval is not None), None)


def duration_operand(plan: Plan, stage: Stage) -> Operand | None:
    """The duration of a checkpoint: stated, or computed for the largest task from state and bandwidth."""
    stated = plan.operand("d", stage.checkpoint, "duration", "checkpoint duration")
    if stated is not None or stage.checkpoint is None:
        return stated
    computed = _computed(plan, stage)
    if computed is not None:
        return computed
    interval = stage.checkpoint.interval.value if stage.checkpoint.interval else 60.0
    path = plan.path(stage, "checkpoint")
    return plan.assumed("d", "checkpoint duration", 0.0, Dimension.DURATION, path, (0.0, interval / 2))


def _computed(plan: Plan, stage: Stage) -> Operand | None:
    state = stage.state
    size = state_bytes(plan, stage)
    if state is None or not size or state.bandwidth is None:
        return None
    share = state_share(stage)
    changed = state.changed_per_interval if stage.checkpoint and stage.checkpoint.incremental else None
    low, value, high = (
        capacity.checkpoint_seconds(size, written, share, bandwidth)
        for written, bandwidth in (
            (changed.low if changed else 1.0, state.bandwidth.high),
            (changed.value if changed else 1.0, state.bandwidth.value),
            (changed.high if changed else 1.0, state.bandwidth.low),
        )
    )
    operand = plan.operand("d", state, "bandwidth", "checkpoint duration from state and bandwidth")
    return _seconds(operand, value, low, high) if operand is not None else None


def state_share(stage: Stage) -> float:
    """The largest task's share of the state: key groups are dealt out whole."""
    if stage.parallelism is None:
        return 1.0
    return capacity.keyed_share(stage.parallelism.key_groups, stage.parallelism.now)


def restore_operand(plan: Plan, stage: Stage) -> Operand | None:
    """How long the largest task reads its state back, where the plan says how fast."""
    section: Section | None = stage.state
    if stage.state is None or stage.state.restore_bandwidth is None:
        return None
    operand = plan.operand("restore", section, "restore_bandwidth", "time to restore state")
    speed = stage.state.restore_bandwidth
    share, size = state_share(stage), state_bytes(plan, stage)
    low, value, high = (
        capacity.restore_seconds(size, share, at) for at in (speed.high, speed.value, speed.low)
    )
    return _seconds(operand, value, low, high) if operand is not None else None


def _seconds(operand: Operand, value: float, low: float, high: float) -> Operand:
    return Operand(
        operand.symbol,
        operand.name,
        value,
        low,
        high,
        operand.basis,
        operand.path,
        operand.position,
        Dimension.DURATION,
    )

"""The waits that a record has to sit out before a reader sees it, however much capacity there is.

    event time            window's end      watermark passes       next checkpoint completes
    |--- up to W ----------|---- B + w -------|----- up to I_eff + d ----|  visible

The window's wait is uniform over W, the commit's over I_eff, and nobody knows how their phases
stand to each other. Their sum, at any phase, lies within

    p * max(W, I_eff)  <=  quantile p of the sum  <=  min(W, I_eff) + p * max(W, I_eff)

since the longer of the two waits alone is the one bound, and the shorter at its full length on
top of it the other. A scheduled run picks up what has arrived by its start: a record's lateness, then
anything from nothing to a whole interval, then the run.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelineplan.documents import dotted
from pipelineplan.eventtime import Disorder
from pipelineplan.plan import capacity
from pipelineplan.plan.calendar import cron_fault, intervals_seconds
from pipelineplan.plan.load import Values
from pipelineplan.plan.objectives import Slo
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.recovery import checkpoint_operands, committing_stage
from pipelineplan.plan.semantics import event_time, lateness_of, windowed_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand


@dataclass(frozen=True)
class Waits:
    """The waits on the way from one source to an SLO's subject, as operands of a formula."""

    operands: tuple[Operand, ...]
    from_record: bool
    lateness: Disorder | None = None
    scheduled: bool = False

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols that there is an operand for."""
        return frozenset(operand.symbol for operand in self.operands)

    def quantile(self, values: Values, probability: float) -> tuple[float, float]:
        """Bounds in seconds on the quantile `probability` of the time until a result is visible."""
        fixed, window, commit = self._parts(values)
        if self.scheduled and self.lateness is not None:
            late = self.lateness.quantile_bounds(probability)
            return fixed + late.low, fixed + late.high + commit
        if not self.from_record:
            return fixed + max(0.0, probability * commit - window), fixed + values.get("w", 0.0) + commit
        if self.lateness is not None:
            return self._with_lateness(self.lateness, fixed, commit, probability)
        longer, shorter = max(window, commit), min(window, commit)
        least = fixed + probability * longer
        return least, least + values.get("w", 0.0) + shorter

    @staticmethod
    def _with_lateness(
        lateness: Disorder, fixed: float, commit: float, probability: float
    ) -> tuple[float, float]:
        """Without a window: the record's own lateness and the commit's wait, each alone or both at once.

        At least the larger quantile of the two; at most both at the quantile that leaves each half of
        what may exceed it (the union bound), whatever they have to do with each other.
        """
        both = 1 - (1 - probability) / 2
        late = lateness.quantile_bounds(probability).low
        return fixed + max(late, probability * commit), fixed + lateness.quantile_bounds(
            both
        ).high + both * commit

    def longest(self, values: Values) -> float:
        """The longest wait of any record, in seconds."""
        fixed, window, commit = self._parts(values)
        return fixed + values.get("w", 0.0) + commit + (window if self.from_record else 0.0)

    def _parts(self, values: Values) -> tuple[float, float, float]:
        duration = values.get("d", 0.0)
        commit = 0.0
        if "I" in values:
            commit = capacity.effective_interval_seconds(values["I"], duration, values.get("pause", 0.0))
        return values.get("B", 0.0) + duration, values.get("W", 0.0), commit


def waits(plan: Plan, slo: Slo, source: Source) -> Waits | str:
    """The waits from `source` to the subject of `slo`, or what the plan must state first."""
    if slo.freshness is None:
        return "no freshness target"
    if plan.model.ingestion is not None and plan.model.ingestion.mode == "batch":
        return _scheduled_waits(plan, slo, source)
    window, commit = _window_waits(plan, slo, source), _commit_waits(plan, slo)
    if isinstance(window, str) or isinstance(commit, str):
        return window if isinstance(window, str) else str(commit)
    from_record = slo.freshness.measured_from == "record"
    if window or not from_record:
        return Waits((*window, *commit), from_record)
    lateness = lateness_of(plan, source)
    if lateness is None:
        return f"cannot say how old records of {source.id!r} are when they arrive: state semantics.lateness"
    return Waits(tuple(commit), from_record, lateness)


def _scheduled_waits(plan: Plan, slo: Slo, source: Source) -> Waits | str:
    """The longest interval between runs and the length of one, after the record's own lateness."""
    schedule = plan.model.ingestion.schedule if plan.model.ingestion is not None else None
    length = plan.operand("d", schedule, "run_length", "length of a run")
    lateness = lateness_of(plan, source)
    if slo.freshness is not None and slo.freshness.measured_from != "record":
        return "the freshness of scheduled runs counts from the record: state from: record"
    if schedule is None or cron_fault(schedule.cron) or length is None or lateness is None:
        return (
            f"cannot say how old records of {source.id!r} are after a run: state ingestion.schedule with "
            "its cron and run_length, and semantics.lateness"
        )
    longest, path = intervals_seconds(schedule.cron)[1], ("ingestion", "schedule", "cron")
    where, unit = dotted(path), Dimension.DURATION
    name = f"longest interval of {schedule.cron!r}"
    every = Operand("I", name, longest, longest, longest, Basis.DECLARED, where, plan.position(path), unit)
    return Waits((every, length), from_record=True, lateness=lateness, scheduled=True)


def _window_waits(plan: Plan, slo: Slo, source: Source) -> tuple[Operand, ...] | str:
    """Window, watermark lag and watermark interval, where there is a window on the way."""
    windowed = [
        stage for stage in windowed_above(plan, slo.subject) if source.id in plan.graph.above(stage.id)
    ]
    if len(windowed) > 1:
        return f"{slo.subject!r} stands behind several windows: `pipelineplan simulate` adds them up"
    if not windowed:
        return ()
    stated = event_time(plan, source, windowed[0])
    if stated is None:
        return f"cannot say when {windowed[0].id!r} fires: state semantics.watermark.lag and a fixed window"
    return (stated.window, stated.lag, stated.interval)


def _commit_waits(plan: Plan, slo: Slo) -> tuple[Operand, ...] | str:
    """The checkpoints that a transactional sink shows its results at, unless it counts until emitted."""
    committing = _committing_stage(plan, slo)
    if committing is None or slo.freshness is None or slo.freshness.until != "committed_visible":
        return ()
    found = tuple(operand for operand in checkpoint_operands(plan, committing) if operand is not None)
    return found or f"a transactional sink shows results at checkpoints: state that of {committing.id!r}"


def _committing_stage(plan: Plan, slo: Slo) -> Stage | None:
    """The stage whose checkpoints make the results of a transactional sink visible."""
    if plan.graph.kinds[slo.subject] != "sink":
        return None
    guarantee = plan.sink(slo.subject).guarantee
    if guarantee is None or guarantee.kind != "transactional":
        return None
    stages = [plan.stage(n) for n in plan.graph.above(slo.subject) if plan.graph.kinds[n] == "stage"]
    return committing_stage(plan, slo.subject) or (stages[-1] if stages else None)

"""The waits that a record has to sit out before a reader sees it, however much capacity there is.

    event time            window's end      watermark passes       next checkpoint completes
    |--- up to W ----------|---- B + w -------|----- up to I_eff + d ----|  visible

The window's wait is uniform over W, the commit's over I_eff, and nobody knows how their phases
stand to each other. Their sum, at any phase, lies within

    p * max(W, I_eff)  <=  quantile p of the sum  <=  min(W, I_eff) + p * max(W, I_eff)

since the longer of the two waits alone is the one bound, and the shorter at its full length on
top of it the other. A scheduled run picks up what has arrived by its start: a record's lateness, then
anything from nothing to a whole interval, then the run.

Several jobs in a row commit one after the other, and the same holds of all their waits: the longest alone
from below, the others at their full length on top from above. Where their phases drift past each other
(intervals that are no multiples) the waits are independent, and the quantile is that of a sum of uniform
waits, `independent_quantile`; where they are aligned it may be anywhere between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from pipelineplan.documents import dotted
from pipelineplan.eventtime import Disorder
from pipelineplan.plan import capacity
from pipelineplan.plan.calendar import cron_fault, intervals_seconds
from pipelineplan.plan.jobs import handing_over, jobs_of, publishes_at_checkpoints
from pipelineplan.plan.load import Values
from pipelineplan.plan.objectives import Slo
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.recovery import checkpoint_operands, checkpointing_stage, committing_stage
from pipelineplan.plan.semantics import event_time, lateness_of, windowed_above
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand


@dataclass(frozen=True)
class Waits:
    """The waits on the way from one source to an SLO's subject, as operands of a formula.

    Commits on the way from one job to the next have the symbols `I_1`, `d_1`, ... up to `handovers`.
    """

    operands: tuple[Operand, ...]
    from_record: bool
    lateness: Disorder | None = None
    scheduled: bool = False
    handovers: int = 0

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols that there is an operand for."""
        return frozenset(operand.symbol for operand in self.operands)

    def quantile(self, values: Values, probability: float) -> tuple[float, float]:
        """Bounds in seconds on the quantile `probability` of the time until a result is visible."""
        fixed, window, commits = self._parts(values)
        longest = max(commits, default=0.0)
        if self.scheduled and self.lateness is not None:
            late = self.lateness.quantile_bounds(probability)
            return fixed + late.low, fixed + late.high + longest
        if not self.from_record:
            least = max(0.0, probability * longest - window)
            return fixed + least, fixed + values.get("w", 0.0) + math.fsum(commits)
        if self.lateness is not None:
            return self._with_lateness(self.lateness, fixed, commits, probability)
        *shorter, longer = sorted((window, *commits))
        least = fixed + probability * longer
        return least, least + values.get("w", 0.0) + math.fsum(shorter)

    def independent_quantile(self, values: Values, probability: float) -> float | None:
        """The quantile where windows and commits drift past each other; None for a single wait.

        From a record without lateness: what a record's own lateness has to do with them is not known.
        """
        fixed, window, commits = self._parts(values)
        periods = [each for each in ((window, *commits) if self.from_record else commits) if each > 0]
        if len(commits) < 2 or self.scheduled or self.lateness is not None:
            return None
        return fixed + values.get("w", 0.0) + quantile_of_uniform_sum(periods, probability)

    @staticmethod
    def _with_lateness(
        lateness: Disorder, fixed: float, commits: Sequence[float], probability: float
    ) -> tuple[float, float]:
        """Without a window: the record's own lateness and the commit's wait, each alone or both at once.

        At least the larger quantile of the two; at most both at the quantile that leaves each half of
        what may exceed it (the union bound), whatever they have to do with each other.
        """
        both = 1 - (1 - probability) / 2
        late = lateness.quantile_bounds(probability).low
        longest = max(commits, default=0.0)
        others = math.fsum(commits) - longest
        return fixed + max(late, probability * longest), fixed + lateness.quantile_bounds(
            both
        ).high + both * longest + others

    def longest(self, values: Values) -> float:
        """The longest wait of any record, in seconds."""
        fixed, window, commits = self._parts(values)
        return fixed + values.get("w", 0.0) + math.fsum(commits) + (window if self.from_record else 0.0)

    def _parts(self, values: Values) -> tuple[float, float, tuple[float, ...]]:
        """What every record waits; the window; and the effective interval of each job's commits."""
        fixed, commits = values.get("B", 0.0), []
        for mark in ("", *(f"_{number}" for number in range(1, self.handovers + 1))):
            duration = values.get(f"d{mark}", 0.0)
            fixed += duration
            if f"I{mark}" in values:
                pause = values.get(f"pause{mark}", 0.0)
                commits.append(capacity.effective_interval_seconds(values[f"I{mark}"], duration, pause))
        return fixed, values.get("W", 0.0), tuple(commits)


def waits(plan: Plan, slo: Slo, source: Source) -> Waits | str:
    """The waits from `source` to the subject of `slo`, or what the plan must state first."""
    if slo.freshness is None:
        return "no freshness target"
    if plan.model.ingestion is not None and plan.model.ingestion.mode == "batch":
        return _scheduled_waits(plan, slo, source)
    window, commit = _window_waits(plan, slo, source), _commit_waits(plan, slo)
    handed = _handovers(plan, slo, source)
    for part in (window, commit, handed):
        if isinstance(part, str):
            return part
    operands = (*window, *commit, *(operand for each in handed for operand in each))
    from_record = slo.freshness.measured_from == "record"
    if window or not from_record:
        return Waits(operands, from_record, handovers=len(handed))
    lateness = lateness_of(plan, source)
    if lateness is None:
        return f"cannot say how old records of {source.id!r} are when they arrive: state semantics.lateness"
    return Waits(operands, from_record, lateness, handovers=len(handed))


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


def _handovers(plan: Plan, slo: Slo, source: Source) -> tuple[tuple[Operand, ...], ...] | str:
    """The checkpoints at which each job before the last shows what it wrote, where it waits for them."""
    found: list[tuple[Operand, ...]] = []
    for stage in handing_over(plan, slo.subject):
        if source.id not in plan.graph.above(stage.id) or not publishes_at_checkpoints(stage):
            continue
        stating = checkpointing_stage(plan, stage)
        operands = [] if stating is None else [one for one in checkpoint_operands(plan, stating) if one]
        if not operands:
            return f"{stage.id!r} shows what it writes at checkpoints: state that of {stage.id!r}"
        number = len(found) + 1
        found.append(tuple(_of_job(plan, stage, one, number) for one in operands))
    return tuple(found)


def _of_job(plan: Plan, stage: Stage, operand: Operand, number: int) -> Operand:
    name = f"{operand.name} of the job {jobs_of(plan)[stage.id]}"
    return replace(operand, symbol=f"{operand.symbol}_{number}", name=name)


def quantile_of_uniform_sum(periods: Sequence[float], probability: float) -> float:
    """The quantile of a sum of independent waits, each uniform over `[0, period]`, in their unit.

    `P(S <= x) = sum over subsets s of (-1)^|s| * max(0, x - sum(s))^n / (n! * product of periods)`, which for
    equal periods is Irwin-Hall (P. Hall, Biometrika 19, 1927); found by bisection, as it rises.
    """
    count, product = len(periods), math.prod(periods)
    sums = [(size, math.fsum(each)) for size in range(count + 1) for each in combinations(periods, size)]

    def below(x: float) -> float:
        terms = ((-1.0) ** size * max(0.0, x - taken) ** count for size, taken in sums)
        return math.fsum(terms) / (math.factorial(count) * product)

    low, high = 0.0, math.fsum(periods)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < probability else (low, middle)
    return high


def _committing_stage(plan: Plan, slo: Slo) -> Stage | None:
    """The stage whose checkpoints make the results of a transactional sink visible."""
    if plan.graph.kinds[slo.subject] != "sink":
        return None
    guarantee = plan.sink(slo.subject).guarantee
    if guarantee is None or guarantee.kind != "transactional":
        return None
    stages = [plan.stage(n) for n in plan.graph.above(slo.subject) if plan.graph.kinds[n] == "stage"]
    # Of the last job: what the jobs before it show at their checkpoints is a wait of its own.
    return committing_stage(plan, slo.subject) or (stages[-1] if stages else None)

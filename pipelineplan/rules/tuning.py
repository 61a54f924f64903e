r"""CHK103: are checkpoints neither so frequent that they cost more than failures, nor so rare that those do?

lost |\                 _/
     | \  checkpoints _/  work done again after a failure
     |  \___       __/
     +---------^------------ interval: Daly's optimum, by how long processing stalls for a checkpoint
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.jobs import stops
from pipelineplan.plan.load import Values
from pipelineplan.plan.recovery import restart_operands
from pipelineplan.plan.stage import Stage
from pipelineplan.plan.tuning import daly_interval_seconds, run_seconds
from pipelineplan.quantities import Dimension, say_seconds, say_share
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.inequality import inequality
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand, Severity

_BY_FAILURE = {"job", "worker", "zone"}
_MORE = 0.05


@rule(
    "CHK103",
    title="Checkpoints cost little more than they have to",
    why="Each checkpoint stalls processing for a moment, and each failure repeats the work since the last "
    "one: too frequent pays the one too often, too rare the other.",
    formula="lost(I) <= lost(I*) + 5 %,   lost(I) = e^(R/M) * M/(I - s) * (e^(I/M) - 1) - 1,   I* by Daly, "
    "s the stall and not the duration, M the mean time between failures",
    bad="interval: 10 s with stall: 1 s and a failure each 30 d: 11 % of the time, where 38 min costs 0.1 %",
    good="interval: 60 s with stall: 500 ms: 0.8 % of the time",
    fix="move the interval towards the one that costs least, as far as freshness allows",
    source="Daly, Future Generation Computer Systems 22, 2006, eq. 20 and 37; Young, CACM 17, 1974",
    severity=dict.fromkeys(ADVICE, Severity.INFO),
)
def checkpoints_pay(plan: Plan) -> Iterator[Claim]:
    """`lost(I) <= lost(I*) + 5 %` for every stage with checkpoints and failures of a known frequency."""
    for stage in plan.model.stages:
        interval = plan.operand("I", stage.checkpoint, "interval", "checkpoint interval")
        stall = plan.operand("s", stage.checkpoint, "stall", "stall of a checkpoint")
        between = _between_failures(plan, stage)
        if interval is not None and stall is not None and between:
            yield _paying_claim(plan, stage, (interval, stall, *between))


def _between_failures(plan: Plan, stage: Stage) -> tuple[Operand, ...]:
    """The mean times between the outages that restart the job of `stage`."""
    found = [
        plan.operand(f"M{number}", outage, "mean_time_between", f"mean time between outages of {outage.of}")
        for number, outage in enumerate(plan.model.outages, 1)
        if outage.of in _BY_FAILURE and stops(plan, outage, stage)
    ]
    return tuple(operand for operand in found if operand is not None)


def _paying_claim(plan: Plan, stage: Stage, operands: tuple[Operand, ...]) -> Claim:
    restart = tuple(one for one in restart_operands(plan, stage) if one is not None)
    known = {one.symbol: one.value for one in (*operands, *restart)}
    return inequality(
        (*plan.path(stage, "checkpoint"), "interval"),
        stage.id,
        (*operands, *restart),
        lambda v: _lost(v, v["I"] - v["s"]),
        lambda v: _lost(v, _best(v)) + _MORE,
        lambda e: _paying_said(stage, e),
        dimension=Dimension.SHARE,
        changes=(Change("I", rises=known["I"] - known["s"] < _best(known)), Change("s", rises=False)),
    )


def _mean(values: Values) -> float:
    """The mean time between failures of any kind: their rates add up."""
    return 1 / sum(1 / values[symbol] for symbol in values if symbol.startswith("M"))


def _best(values: Values) -> float:
    return daly_interval_seconds(values["s"], _mean(values))


def _lost(values: Values, work_seconds: float) -> float:
    """The share of time beyond the work itself, restarts included; unbounded where there is only stall."""
    if work_seconds <= 0:
        return float("inf")
    mean = _mean(values)
    return run_seconds(1.0, work_seconds, values["s"], values["restart"], mean) - 1


def _paying_said(stage: Stage, evaluation: Evaluation) -> str:
    values = evaluation.values
    return (
        f"checkpoints of {stage.id!r} every {say_seconds(values['I'])} cost {evaluation.left_shown} of the "
        f"time, with what failures repeat; every {say_seconds(_best(values) + values['s'])} would cost "
        f"{say_share(evaluation.right[0] - _MORE)}"
    )

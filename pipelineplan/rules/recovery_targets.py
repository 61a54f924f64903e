"""RCV: can the plan be back in the time, and with the data, that it says?

backup -- interval --> backup       the most that is lost, against recovery_point (RPO)
lost -- restore --> back            data over bandwidth, against recovery_time (RTO)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.load import Values
from pipelineplan.plan.operations import Backup
from pipelineplan.plan.recovery import PHASES, committing_stage, phases
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.inequality import at_most, inequality
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand

_QUARTER_SECONDS = 92 * 86_400.0


def _backups(plan: Plan) -> tuple[Backup, ...]:
    return plan.model.reliability.backup if plan.model.reliability is not None else ()


def _of(name: str, words: str) -> Callable[[Evaluation], str]:
    """A message about `name` with both sides."""
    return lambda e: words.format(name, e.left_shown, e.right_shown)


@rule(
    "RCV101",
    title="Backups are as frequent as the recovery point asks",
    why="What was written since the last backup is gone with the store; nothing else brings it back.",
    formula="interval of the backup <= recovery_point;   replication lag <= recovery_point",
    bad="recovery_point: 15 min with a backup each day",
    good="recovery_point: 15 min with a log archived every 5 min",
    fix="back up more often (interval:), or accept a longer reliability.recovery_point",
    source="recovery point objective: the most recent point that data can be restored to",
)
def point_is_kept(plan: Plan) -> Iterator[Claim]:
    """Each backup's interval, and the lag of the other region, against the recovery point."""
    point = plan.operand("RPO", plan.model.reliability, "recovery_point", "recovery point")
    if point is None:
        return
    for backup in _backups(plan):
        lost = plan.operand("lost", backup, "interval", "interval of the backups")
        if lost is not None:
            yield _lost(plan.path(backup, "interval"), backup.of, lost, point)
    placement = plan.model.design.placement if plan.model.design is not None else None
    lag = plan.operand("lost", placement, "replication_lag", "lag of the other region")
    if placement is not None and lag is not None and placement.survives == "region":
        yield _lost(plan.path(placement, "replication_lag"), "region", lag, point)


def _lost(path: Path, subject: str, lost: Operand, point: Operand) -> Claim:
    return at_most(
        path,
        subject,
        lost,
        point,
        lambda e: f"up to {e.left_shown} of {subject!r} are lost; the plan accepts {e.right_shown}",
        changes=(Change("lost", rises=False), Change("RPO", rises=True)),
    )


@rule(
    "RCV102",
    title="A restore takes no longer than the recovery time",
    why="Whoever has never timed a restore finds out on the worst day that it takes a night.",
    formula="restore_time, or data / restore_bandwidth, <= recovery_time",
    bad="2 TB at 200 MB/s (2.8 h) with recovery_time: 1 h",
    good="2 TB at 1 GB/s (33 min) with recovery_time: 1 h",
    fix="restore faster (restore_bandwidth:), keep a standby, or accept a longer recovery_time",
    source="recovery time objective; a drill's measured time counts before an estimate",
)
def time_is_kept(plan: Plan) -> Iterator[Claim]:
    """The measured or computed time of every restore against the recovery time."""
    within = plan.operand("RTO", plan.model.reliability, "recovery_time", "recovery time")
    for backup in _backups(plan) if within is not None else ():
        measured = plan.operand("restore", backup, "restore_time", "time of the last drill")
        data = plan.operand("data", backup, "data", "data to restore")
        speed = plan.operand("B", backup, "restore_bandwidth", "restore bandwidth")
        if measured is None and (data is None or speed is None):
            missing = (
                f"cannot say how long a restore of {backup.of!r} takes: state restore_time, or data and "
                "restore_bandwidth"
            )
            yield Claim(plan.path(backup), backup.of, missing=missing)
            continue
        yield inequality(
            plan.path(backup, "restore_time" if measured is not None else "restore_bandwidth"),
            backup.of,
            (measured, within) if measured is not None else (data, speed, within),
            _restoring,
            lambda v: v["RTO"],
            _of(backup.of, "a restore of {!r} takes {}; the plan allows {}"),
            changes=(Change("B", rises=True), Change("restore", rises=False), Change("RTO", rises=True)),
        )


def _restoring(values: Values) -> float:
    if "restore" in values:
        return values["restore"]
    return values["data"] / values["B"] if values["B"] else float("inf")


@rule(
    "RCV103",
    title="A restore is rehearsed every quarter",
    why="A backup is worth what its last restore was; keys, formats and people change meanwhile.",
    formula="drill_every <= 92 d",
    bad="drill_every: 1 year",
    good="drill_every: 90 d",
    fix="rehearse the restore at least every quarter (drill_every:)",
    source="design playbook: restore drills, quarterly at least",
    severity=ADVICE,
)
def drilled(plan: Plan) -> Iterator[Claim]:
    """The interval between two drills of every backup that states one."""
    for backup in _backups(plan):
        every = plan.operand("every", backup, "drill_every", "interval of the drills")
        if every is not None:
            yield inequality(
                plan.path(backup, "drill_every"),
                backup.of,
                (every,),
                lambda v: v["every"],
                lambda _: _QUARTER_SECONDS,
                _of(backup.of, "a restore of {!r} is rehearsed every {}; a quarter has {}"),
                changes=(Change("every", rises=False),),
            )


@rule(
    "RCV104",
    title="Claimed outages are over within the recovery time",
    why="The outages that the plan claims to survive and the time in which it claims to be back are one "
    "promise, said twice.",
    formula="detect + repair + restart + restore <= recovery_time",
    bad="an outage of 5 min + 2 h with recovery_time: 1 h",
    good="an outage of 5 min + 40 min with recovery_time: 1 h",
    fix="detect or repair sooner, or accept a longer reliability.recovery_time",
    source="recovery time objective against the plan's own outages",
)
def outages_are_over(plan: Plan) -> Iterator[Claim]:
    """Every claimed outage, as the job before the first sink sees it, against the recovery time."""
    within = plan.operand("RTO", plan.model.reliability, "recovery_time", "recovery time")
    if within is None:
        return
    stage = committing_stage(plan, plan.model.sinks[0].id)
    for outage in plan.model.outages:
        yield inequality(
            plan.path(outage, "repair"),
            outage.id or outage.of,
            (*phases(plan, outage, stage), within),
            lambda v: sum(v.get(symbol, 0.0) for symbol in PHASES),
            lambda v: v["RTO"],
            _of(outage.of, "an outage of the {} lasts {}; allowed are {}"),
            changes=(Change("repair", rises=False), Change("RTO", rises=True)),
        )

"""SCH: does what is deprecated stay until its last record and its last reader are gone?

announced |-------- readers move: upgrade --------| removed
last written v1 |-- R + segment, savepoints, dead letters, replay range --| support of v1 may go
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.contracts.evolution.history import instant_of
from pipelineplan.documents import dotted
from pipelineplan.plan import Plan
from pipelineplan.plan.load import Values
from pipelineplan.plan.schema_policy import Deprecation
from pipelineplan.plan.succession import Succession, successions
from pipelineplan.quantities import Dimension
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.rules.registry import BY_LEVEL, rule
from pipelineplan.verdicts import Basis, Operand


@rule(
    "SCH205",
    title="Support of a version outlives its last record",
    why="A reader that no longer reads a version stops at the first of its records that a restart, a "
    "savepoint, a dead letter or a replay brings back.",
    formula="max(R + segment, savepoint age, dead letters, other logs, replay range) + producer drain <= "
    "removed - last written",
    bad="v1 was written until 1 June, is kept for 30 d, and its support goes on 15 June",
    good="the same, and its support goes on 15 July",
    fix="let the support go later, or shorten what keeps records for so long",
    source="computed from the plan's own retention and dates; docs/background/compatibility.md says how",
    severity=BY_LEVEL,
)
def support_outlives_records(plan: Plan) -> Iterator[Claim]:
    """For every version that readers drop: how long its records wait, against when support goes."""
    for one in successions(plan):
        for gone in one.policy.deprecations:
            if gone.version is not None and gone.removed is not None:
                yield _support_claim(one, gone)


def _support_claim(one: Succession, gone: Deprecation) -> Claim:
    path = one.plan.path(gone, "removed")
    written, subject = _last_written(one, gone), f"{one.dataset} {gone.version}"
    if written is None or gone.removed is None:
        missing = (
            f"cannot say when {gone.version} of {one.dataset!r} is written for the last time: state "
            "last_written, or record the version after it with its date"
        )
        return Claim(path, subject, missing=missing)
    if not one.kept:
        missing = f"cannot say how long records of {one.dataset!r} are kept: state its retention"
        return Claim(path, subject, missing=missing)
    span = _between(one, gone, "support", "support after the last record", written, instant_of(gone.removed))
    drain = one.plan.operand("drain", one.policy, "producer_drain", "producers' drain")
    operands = (*one.kept, *((drain,) if drain is not None and gone.last_written is None else ()), span)
    return Claim(
        path,
        subject,
        operands,
        left=lambda v: _twice(one.kept_seconds(v) + v.get("drain", 0.0)),
        right=lambda v: _twice(v["support"]),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"records of {subject} may be read for {_long(e.left_shown)} after the last one is written; "
            f"readers support it for {e.right_shown}"
        ),
        changes=(Change("R", rises=False), Change("support", rises=True)),
    )


def _last_written(one: Succession, gone: Deprecation) -> float | None:
    """When the last producer stops writing the version, else when the next recorded one begins."""
    if gone.last_written is not None:
        return instant_of(gone.last_written)
    index = one.recorded.index(gone.version or "")
    if index is None or index + 1 >= len(one.recorded.starts):
        return None
    return one.recorded.starts[index + 1]


@rule(
    "SCH206",
    title="A deprecation leaves time for readers and for old records",
    why="What is removed too early breaks the slowest reader, or the first replay that needs it.",
    formula="max(slowest upgrade, stated window, R + segment, savepoint age, dead letters, other logs, "
    "replay range) <= removed - announced",
    bad="announced on 1 June and removed on 10 June, with a reader that needs 14 d and 30 d of records",
    good="announced on 1 June and removed on 1 August",
    fix="remove it later, or announce it earlier",
    source="computed from the plan's own dates; the simulated lag is added by SCH401",
    severity=BY_LEVEL,
)
def deprecation_leaves_time(plan: Plan) -> Iterator[Claim]:
    """For every dated deprecation: everything that has to fit between its two dates."""
    for one in successions(plan):
        for gone in one.policy.deprecations:
            window = window_operand(one, gone)
            if window is not None:
                yield _window_claim(one, gone, window)


def window_operand(one: Succession, gone: Deprecation) -> Operand | None:
    """The time from announcement to removal, where both are dated."""
    if gone.announced is None or gone.removed is None:
        return None
    start, end = instant_of(gone.announced), instant_of(gone.removed)
    return _between(one, gone, "window", "time from announcement to removal", start, end)


def subject_of(one: Succession, gone: Deprecation) -> str:
    """The dataset and the field or version that goes."""
    return f"{one.dataset} {gone.version}" if gone.version is not None else f"{one.dataset}.{gone.field}"


def _window_claim(one: Succession, gone: Deprecation, window: Operand) -> Claim:
    # A compacted log has no end that anybody could wait for.
    wanted = [*(kept for kept in one.kept if math.isfinite(kept.high)), *_upgrades(one)]
    stated = one.plan.operand("stated", one.policy, "deprecation_window", "stated deprecation window")
    wanted += [stated] if stated is not None else []

    def left(values: Values) -> Bounds:
        others = [values[o.symbol] for o in wanted if o.symbol not in {"R", "segment"}]
        log = sum(values[o.symbol] for o in wanted if o.symbol in {"R", "segment"})
        return _twice(max([log, *others]))

    def says(e: Evaluation) -> str:
        by = max(wanted, key=lambda o: e.values[o.symbol], default=None)
        reason = f" ({by.name})" if by is not None else ""
        return (
            f"{subject_of(one, gone)} goes {e.right_shown} after it is announced; it has to stay for "
            f"{_long(e.left_shown)}{reason}"
        )

    return Claim(
        one.plan.path(gone, "removed"),
        subject_of(one, gone),
        (*wanted, window),
        left=left,
        right=lambda v: _twice(v["window"]),
        dimension=Dimension.DURATION,
        says=says,
        changes=(Change("window", rises=True),),
    )


def _upgrades(one: Succession) -> list[Operand]:
    """The slowest reader's upgrade, where any is stated."""
    found = [
        operand
        for name, reader in one.policy.consumers.items()
        if (operand := one.plan.operand("upgrade", reader, "upgrade", f"upgrade of {name}"))
    ]
    return [max(found, key=lambda operand: operand.high)] if found else []


def _between(one: Succession, gone: Deprecation, symbol: str, name: str, start: float, end: float) -> Operand:
    path = one.plan.path(gone, "removed")
    seconds = end - start
    place = one.plan.position(path)
    return Operand(
        symbol, name, seconds, seconds, seconds, Basis.DECLARED, dotted(path), place, Dimension.DURATION
    )


def _twice(value: float) -> Bounds:
    return (value, value)


def _long(shown: str) -> str:
    return "ever" if shown == "never" else shown

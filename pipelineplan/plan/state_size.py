"""How much a stage remembers: stated as so many keys, or as what new records bring until it is forgotten.

keys: 40_000_000                                      40 M keys
new_keys: 100 %, ttl: 36 h   at 300/s    300 * 36 h = 39 M keys
new_keys: 100 %, no ttl                               more each second, without end
"""

from __future__ import annotations

import math
from dataclasses import replace

from pipelineplan.documents import dotted
from pipelineplan.plan import capacity
from pipelineplan.plan.load import arrivals
from pipelineplan.plan.plan import Plan
from pipelineplan.plan.semantics import sources_above
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand

# Joins that keep each record of either side until it is forgotten.
_KEEPS_RECORDS = {"inner", "left", "interval"}


def new_keys_operand(plan: Plan, stage: Stage) -> Operand | None:
    """The share of records that bring something new to remember; None where state stays as it is.

    A join keeps every record, so it is all of them unless the plan says how many keys there are.
    """
    stated = plan.operand("n", stage.state, "new_keys", "share of records with a new key")
    if stated is not None or stage.join is None or stage.join.kind not in _KEEPS_RECORDS:
        return stated
    if stage.state is not None and stage.state.keys is not None:
        return None
    path = plan.path(stage.join)
    return Operand(
        "n",
        "share of records that the join keeps",
        1.0,
        1.0,
        1.0,
        Basis.DECLARED,
        dotted(path),
        plan.position(path),
        Dimension.SHARE,
    )


def each_operand(plan: Plan, stage: Stage) -> Operand | None:
    """The bytes of one key; of a join that states none, those of the largest record that it keeps."""
    stated = plan.operand("each", stage.state, "bytes_per_key", "bytes per key")
    if stated is not None or stage.join is None:
        return stated
    sizes = [
        plan.operand("each", source.record, "size", "size of a record")
        for source in sources_above(plan, stage.id)
    ]
    return max((one for one in sizes if one is not None), key=lambda one: one.value, default=None)


def life_operands(plan: Plan, stage: Stage) -> tuple[Operand, ...]:
    """How long a key is remembered, as a sum: a window's length, lag and lateness, or time to live.

    Empty where nothing is ever forgotten.
    """
    for field in ("fixed", "sliding", "session"):
        span = plan.operand("W", stage.window, field, "window")
        if span is not None:
            late = plan.operand("L", stage.window, "allowed_lateness", "allowed lateness")
            found = (span, lag_operand(plan, stage), late)
            return tuple(operand for operand in found if operand is not None)
    ttl = stage.state.ttl if stage.state is not None else None
    lives = plan.operand("ttl", ttl, "time", "time to live")
    kept = lives or plan.operand("ttl", stage.join, "retention", "retention of the join")
    return (kept,) if kept is not None else ()


def lag_operand(plan: Plan, stage: Stage) -> Operand | None:
    """The longest watermark lag of any source above."""
    lags = [
        plan.operand("B", source.semantics.watermark, "lag", "watermark lag")
        for source in sources_above(plan, stage.id)
        if source.semantics is not None
    ]
    return max((one for one in lags if one is not None), key=lambda one: one.value, default=None)


def keys_operand(plan: Plan, stage: Stage) -> Operand | None:
    """The keys that are remembered: stated, or at rest at the average rate `lambda * n * T`.

    Infinite where they come and are never forgotten; None where the plan does not say enough.
    """
    stated = plan.operand("keys", stage.state, "keys", "keys")
    new = new_keys_operand(plan, stage)
    if stated is not None or new is None:
        return stated
    flows, life = arrivals(plan, stage.id, peak=False), life_operands(plan, stage)
    if flows is None:
        return None
    ends = []
    for end in ("value", "low", "high"):
        rate = math.fsum(getattr(flow.rate, end) * flow.factor for flow in flows)
        seconds = math.fsum(getattr(one, end) for one in life) if life else math.inf
        ends.append(capacity.remembered_keys(rate, getattr(new, end), seconds))
    value, low, high = ends
    name = "keys remembered at the average rate"
    return replace(new, symbol="keys", name=name, value=value, low=low, high=high, dimension=None)


def state_bytes(plan: Plan, stage: Stage) -> float:
    """The state of a whole stage: keys * bytes per key * amplification; 0 where that is not known.

    What is never forgotten has no size at rest, so that is not known either.
    """
    keys, each = keys_operand(plan, stage), each_operand(plan, stage)
    if keys is None or each is None or math.isinf(keys.value):
        return 0.0
    return keys.value * each.value * (stage.state.amplification if stage.state is not None else 1.0)

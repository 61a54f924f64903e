"""SIZ3: what each component carries at peak, where it is scaled out, and which breaks first on the way up.

api 400/s of 3 * 300/s      44 %     holds up to 2.2 times
db  900/s of 2_000/s        45 %     holds up to 2.2 times, 800 GB of 1 TB
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pipelineplan.documents import Path
from pipelineplan.plan import Plan, sizing
from pipelineplan.plan.design import Component
from pipelineplan.plan.load import Values, peak_rate
from pipelineplan.quantities import Dimension
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.inequality import inequality
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

_THRESHOLDS = "system design workflows, scaling thresholds"


def _components(plan: Plan) -> tuple[Component, ...]:
    return plan.model.design.components if plan.model.design is not None else ()


def _carrying(plan: Plan, one: Component) -> tuple[Operand, Operand, Operand] | None:
    """Load, capacity of an instance, and instances (one where they are not stated)."""
    load = plan.operand("load", one, "load", "load at peak")
    able = plan.operand("μ", one, "capacity", "capacity of an instance")
    return (load, able, _instances(plan, one)) if load is not None and able is not None else None


def _instances(plan: Plan, one: Component) -> Operand:
    stated = plan.operand("n", one, "instances", "instances")
    return stated or plan.assumed("n", "instances", 1.0, None, plan.path(one, "instances"))


def _used(values: Values) -> float:
    return values["load"] / (values["n"] * values["μ"]) if values["n"] * values["μ"] else float("inf")


@rule(
    "SIZ301",
    title="Every component has headroom at peak",
    why="Queues grow without bound as utilisation nears one, and there must be room for a failed "
    "instance: 60 to 70 % at peak leaves it.",
    formula="load / (n * μ) <= max_utilisation   (70 % where the plan states none)",
    bad="400/s on two instances of 250/s: 80 %",
    good="400/s on three instances of 250/s: 53 %",
    fix="add instances, raise their capacity, or state capacity.max_utilisation",
    source="design playbook: at most 60-70 % utilisation at peak",
    severity=ADVICE,
)
def has_headroom(plan: Plan) -> Iterator[Claim]:
    """The utilisation of every component that states a load and a capacity."""
    policy = plan.model.capacity
    stated = plan.operand("limit", policy, "max_utilisation", "highest utilisation")
    path: Path = ("capacity", "max_utilisation")
    limit = stated or plan.assumed("limit", "highest utilisation", 0.7, Dimension.SHARE, path, (0.6, 0.7))
    for one in _components(plan):
        carrying = _carrying(plan, one)
        if carrying is not None:
            yield _headroom(plan, one, (*carrying, limit))


def _headroom(plan: Plan, one: Component, operands: tuple[Operand, ...]) -> Claim:
    return inequality(
        plan.path(one, "capacity"),
        one.id,
        operands,
        _used,
        lambda v: v["limit"],
        lambda e: (
            f"the {e.values['n']:.0f} instances of {one.id!r} are used to {e.left_shown} at peak; allowed "
            f"are {e.right_shown}"
        ),
        dimension=Dimension.SHARE,
        changes=(Change("n", rises=True, whole=True), Change("μ", rises=True)),
    )


@rule(
    "SIZ302",
    title="No component is beyond the size of one instance",
    why="A single database, server, cache or broker has a size beyond which it is sharded or scaled out; "
    "to do that in an emergency is to do it badly.",
    formula="per instance: database <= 10,000/s and <= 1 TB; api: load * latency <= 1,000 at once; "
    "cache memory <= 80 %; broker <= 50,000/s",
    bad="a database of one instance with 12_000/s",
    good="a database of two shards with 12_000/s",
    fix="add instances: (shards), lower the load, or record a decision with the measured limit",
    source=_THRESHOLDS,
    severity=ADVICE,
)
def within_one_instance(plan: Plan) -> Iterator[Claim]:
    """Each stated figure of a component against the threshold of its kind."""
    for one in _components(plan):
        count = _instances(plan, one)
        load = plan.operand("load", one, "load", "load at peak")
        yield from _at_most(plan, one, "database", load, count, 10_000.0)
        yield from _at_most(plan, one, "broker", load, count, 50_000.0)
        data = plan.operand("load", one, "data", "data")
        yield from _at_most(plan, one, "database", data, count, 1e12)
        memory = plan.operand("load", one, "memory", "memory in use")
        yield from _at_most(plan, one, "cache", memory, None, 0.8)
        yield from _at_once(plan, one, load, count)


def _at_most(
    plan: Plan, one: Component, kind: str, load: Operand | None, count: Operand | None, limit: float
) -> Iterator[Claim]:
    if one.kind != kind or load is None:
        return
    yield inequality(
        plan.path(one, load.path.rpartition(".")[2]),
        f"{one.id} {load.name}",
        (load, count),
        lambda v: v["load"] / max(1.0, v.get("n", 1.0)),
        lambda _: limit,
        lambda e: f"an instance of {one.id!r} has {e.left_shown} ({load.name}); a {kind} {_scaled(e)}",
        dimension=load.dimension,
        changes=(Change("n", rises=True, whole=True), Change("load", rises=False)),
    )


def _scaled(evaluation: Evaluation) -> str:
    return f"is scaled out at {evaluation.right_shown}"


def _at_once(plan: Plan, one: Component, load: Operand | None, count: Operand) -> Iterator[Claim]:
    latency = plan.operand("W", one, "latency", "mean time that it holds a request")
    if one.kind != "api" or load is None or latency is None:
        return
    yield inequality(
        plan.path(one, "latency"),
        f"{one.id} connections",
        (load, latency, count),
        lambda v: sizing.concurrent_requests(v["load"], v["W"]) / max(1.0, v.get("n", 1.0)),
        lambda _: 1000.0,
        lambda e: (
            f"a server of {one.id!r} holds {e.left[0]:,.0f} requests at once; it is scaled out at 1,000"
        ),
        dimension=None,
        changes=(Change("n", rises=True, whole=True), Change("W", rises=False)),
    )


@rule(
    "SIZ303",
    title="The stress test goes to at least twice the peak",
    why="A test up to the peak shows that today works; where the system breaks, and how, is found beyond.",
    formula="highest stress or spike rate >= 2 * peak",
    bad="a stress test up to 450/s with a peak of 400/s",
    good="a stress test up to 1_000/s with a peak of 400/s",
    fix="raise rate: of the stress test in design.load_tests",
    source="design playbook: load test to two to three times the expected peak",
    severity=ADVICE,
)
def stressed_enough(plan: Plan) -> Iterator[Claim]:
    """Twice the peak of the users, or of the only source, against the highest rate that is driven."""
    design = plan.model.design
    tests = [
        test
        for test in (design.load_tests if design is not None else ())
        if test.kind in {"stress", "spike"} and test.rate is not None
    ]
    peak = _peak(plan)
    if design is None or not tests or peak is None:
        return
    highest = max(tests, key=lambda test: test.rate.value if test.rate is not None else 0.0)
    driven = plan.operand("driven", highest, "rate", "highest rate that is driven")
    yield inequality(
        plan.path(highest, "rate"),
        "stress",
        (peak, driven),
        lambda v: 2 * v[peak.symbol],
        lambda v: v["driven"],
        lambda e: f"twice the peak is {e.left_shown}; the highest rate that is driven is {e.right_shown}",
        dimension=Dimension.RATE,
        changes=(Change("driven", rises=True),),
    )


def _peak(plan: Plan) -> Operand | None:
    users = plan.model.design.users if plan.model.design is not None else None
    stated = plan.operand("peak", users, "peak", "planned peak rate")
    if stated is not None or len(plan.model.sources) > 1:
        return stated
    return peak_rate(plan, plan.model.sources[0])


@rule(
    "SIZ304",
    title="It is known which component breaks first on the way to ten times the load",
    why="The limit that breaks first decides what has to be built before growth comes.",
    formula="10 * load <= n * μ",
    bad="400/s on three instances of 300/s: up to 2.2 times",
    good="400/s on twenty instances of 300/s: up to 15 times",
    fix="write into capacity.ten_times what changes before that limit is reached",
    source="design playbook: capacity planning; the first of all limits under equal growth",
    severity=dict.fromkeys(ADVICE, Severity.INFO),
)
def breaks_first(plan: Plan) -> Iterator[Claim]:
    """The component that carries the fewest times its load, against ten times."""
    carried = {one.id: (one, _carrying(plan, one)) for one in _components(plan)}
    known = {name: operands for name, (_, operands) in carried.items() if operands is not None}
    if len(known) < 2:
        return
    first = sizing.first_limit({name: _times(operands) for name, operands in known.items()})
    if first is None:
        return
    one = carried[first[0]][0]
    yield inequality(
        plan.path(one, "capacity"),
        one.id,
        known[one.id],
        lambda v: 10 * v["load"],
        lambda v: v["n"] * v["μ"],
        _says(one.id, len(known)),
        dimension=Dimension.RATE,
        changes=(Change("n", rises=True, whole=True), Change("μ", rises=True)),
    )


def _times(operands: Iterable[Operand]) -> float:
    load, able, count = operands
    return sizing.times_until(able.value * count.value, load.value)


def _says(name: str, count: int) -> Callable[[Evaluation], str]:
    return lambda e: (
        f"of {count} components {name!r} breaks first, at "
        f"{sizing.times_until(e.right[0], e.left[0] / 10):.1f} times today's peak; ten times are "
        f"{e.left_shown} of {e.right_shown}"
    )

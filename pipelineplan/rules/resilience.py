"""RES: do timeouts, retries, breakers and queues fit together?

caller waits 2 s |----------------------------|
                 | 500 ms | wait | 500 ms | wait | 500 ms |    three attempts must end before the caller does
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.design import Channel
from pipelineplan.plan.load import Values
from pipelineplan.plan.operations import Dependency
from pipelineplan.quantities import Dimension, say
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import at_most, inequality
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand

_PLAYBOOK = "design playbook, reliability and resilience"
_LEAST_MODES = 3


def _called(plan: Plan) -> tuple[Dependency, ...]:
    return plan.model.reliability.dependencies if plan.model.reliability is not None else ()


def _channels(plan: Plan) -> tuple[Channel, ...]:
    return plan.model.design.channels if plan.model.design is not None else ()


@rule(
    "RES101",
    title="The caller waits longer than all attempts together",
    why="A caller that gives up first asks again while the old attempts still run: the work doubles and "
    "nobody gets an answer.",
    formula="(1 + retries) * timeout + waits <= within",
    bad="timeout: 500 ms with retries: 3 and a caller that waits 1 s",
    good="timeout: 300 ms with retries: 2 and a caller that waits 2 s",
    fix="lower timeout: or retries:, or let the caller wait longer (within:)",
    source=f"{_PLAYBOOK}: timeout budgets cascade",
)
def caller_waits(plan: Plan) -> Iterator[Claim]:
    """Every dependency that states its timeout and how long its caller waits."""
    for one in _called(plan):
        timeout = plan.operand("t", one, "timeout", "timeout of an attempt")
        within = plan.operand("within", one, "within", "how long the caller waits")
        if timeout is None or within is None:
            continue
        retries = plan.operand("r", one, "retries", "retries")
        waits = plan.operand("waits", one, "waits", "waits between attempts")
        yield inequality(
            plan.path(one, "within"),
            one.id,
            (timeout, retries, waits, within),
            lambda v: (1 + v.get("r", 0.0)) * v["t"] + v.get("waits", 0.0),
            lambda v: v["within"],
            lambda e: f"all attempts together take up to {e.left_shown}; the caller waits {e.right_shown}",
            changes=(
                Change("t", rises=False),
                Change("r", rises=False, whole=True),
                Change("within", rises=True),
            ),
        )


@rule(
    "RES102",
    title="A circuit breaker sees enough calls to open",
    why="A breaker that must see twenty calls in ten seconds never opens for a dependency that is called "
    "once a second, and every call waits for its timeout.",
    formula="least_calls <= calls * over",
    bad="least_calls: 20 over 10 s with 60/min: 10 calls",
    good="least_calls: 20 over 10 s with 50/s: 500 calls",
    fix="lower least_calls:, or count over a longer window (over:)",
    source="Resilience4j documentation, CircuitBreaker: minimumNumberOfCalls",
    severity=ADVICE,
)
def breaker_sees_enough(plan: Plan) -> Iterator[Claim]:
    """Every breaker that states a least number of calls, against the calls in its window."""
    for one in _called(plan):
        least = plan.operand("least", one.breaker, "least_calls", "calls before it decides")
        over = plan.operand("over", one.breaker, "over", "window of the breaker")
        calls = plan.operand("calls", one, "calls", "calls per second")
        if least is None or over is None or calls is None or one.breaker is None:
            continue
        yield inequality(
            plan.path(one.breaker, "least_calls"),
            one.id,
            (least, calls, over),
            lambda v: v["least"],
            lambda v: v["calls"] * v["over"],
            lambda e: f"it decides after {e.left[0]:,.0f} calls; {e.right[0]:,.0f} come in its window",
            dimension=None,
            changes=(Change("least", rises=False, whole=True), Change("over", rises=True)),
        )


@rule(
    "RES103",
    title="A bounded channel is drained as fast as it fills",
    why="A queue only moves a shortage of capacity into the future, with interest.",
    formula="load <= drains",
    bad="load: 5_000/s with drains: 4_000/s",
    good="load: 5_000/s with drains: 8_000/s",
    fix="add readers (drains:), or shed load before the channel",
    source="a queue is stable below one",
)
def drained(plan: Plan) -> Iterator[Claim]:
    """Every channel that states what arrives and what its readers take."""
    for one in _channels(plan):
        load = plan.operand("load", one, "load", "arrivals at peak")
        drains = plan.operand("drains", one, "drains", "what its readers take")
        if load is not None and drains is not None:
            yield at_most(
                plan.path(one, "drains"),
                one.id,
                load,
                drains,
                lambda e: f"{e.left_shown} arrive at peak; the readers take {e.right_shown}",
            )


@rule(
    "RES104",
    title="A bounded channel holds an outage of its readers, or says what happens when it is full",
    why="The bound protects the memory; what it does to those who write is decided before it is reached.",
    formula="load * (detect + repair) <= bound, or overflow: is stated",
    bad="bound: 100_000 with 5_000/s and an outage of 20 min: 6 million",
    good="the same bound with overflow: reject with 429 and retry-after",
    fix="state overflow: (reject, drop the oldest, spill to disk), or raise bound:",
    source=f"{_PLAYBOOK}: bounded queues, back-pressure",
    severity=ADVICE,
)
def holds_an_outage(plan: Plan) -> Iterator[Claim]:
    """Every bounded channel without an overflow policy, against the longest claimed outage of its readers."""
    stopped = [one for one in plan.model.outages if one.of in {"job", "worker", "zone", "sink"}]
    if not stopped:
        return
    longest = max(stopped, key=lambda one: one.detect.value + one.repair.value)
    phases = (
        plan.operand("detect", longest, "detect", "time to detect"),
        plan.operand("repair", longest, "repair", "time to repair"),
    )
    for one in _channels(plan):
        load = plan.operand("load", one, "load", "arrivals at peak")
        bound = plan.operand("bound", one, "bound", "the most that may wait")
        if load is not None and bound is not None and one.overflow is None:
            yield _full_claim(plan, one, load, bound, phases)


def _full_claim(
    plan: Plan, one: Channel, load: Operand, bound: Operand, phases: tuple[Operand | None, ...]
) -> Claim:
    def waiting(values: Values) -> float:
        return values["load"] * (values["detect"] + values["repair"])

    return inequality(
        plan.path(one, "bound"),
        one.id,
        (load, *phases, bound),
        waiting,
        lambda v: v["bound"],
        lambda e: (
            f"{e.left[0]:,.0f} wait after the longest outage of its readers, at "
            f"{say(e.values['load'], Dimension.RATE)}; {e.right[0]:,.0f} may, and nothing says what then"
        ),
        dimension=None,
        changes=(Change("bound", rises=True, whole=False), Change("load", rises=False)),
    )


@rule(
    "RES105",
    title="At least three ways to fail are known",
    why="Who can name one way in which the system fails has thought about that one; three make a habit.",
    formula="3 <= number of failure modes with detection and mitigation",
    bad="two failure modes, one of them without detection",
    good="three failure modes, each with detection: and mitigation:",
    fix="add entries to reliability.failure_modes: with mode:, detection: and mitigation:",
    source="production engineering workflow, stage 6",
    severity=ADVICE,
)
def three_ways(plan: Plan) -> Iterator[Claim]:
    """The failure modes of a design that say how they are seen and what is done."""
    if plan.model.metadata.workflow == "data-plan":
        return
    modes = plan.model.reliability.failure_modes if plan.model.reliability is not None else ()
    whole = float(sum(bool(one.detection and one.mitigation) for one in modes))
    yield inequality(
        ("reliability", "failure_modes"),
        "failure modes",
        (),
        lambda _: float(_LEAST_MODES),
        lambda _: whole,
        lambda e: (
            f"{e.right[0]:.0f} of {len(modes)} failure modes say how they are seen and what is done; wanted "
            f"are {_LEAST_MODES}"
        ),
        dimension=None,
    )


@rule(
    "RES106",
    title="No component is a single point of failure",
    why="What there is once is down whenever it is repaired, and everything behind it with it.",
    formula="2 <= instances   for every component that the system runs itself",
    bad="a database of one instance",
    good="a database of two instances in two zones",
    fix="run at least two instances: in different zones, or record why one is enough under risks:",
    source="system design workflows, review: identify single points of failure",
    severity=ADVICE,
)
def not_alone(plan: Plan) -> Iterator[Claim]:
    """Every component with a stated number of instances; clients and others' systems do not count."""
    for one in plan.model.design.components if plan.model.design is not None else ():
        count = plan.operand("n", one, "instances", "instances")
        if count is not None and one.kind not in {"client", "external"}:
            yield inequality(
                plan.path(one, "instances"),
                one.id,
                (count,),
                lambda _: 2.0,
                lambda v: v["n"],
                lambda e: f"instances: {e.right[0]:.0f}; at least {e.left[0]:.0f} survive the loss of one",
                dimension=None,
                changes=(Change("n", rises=True, whole=True),),
            )

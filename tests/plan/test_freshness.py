"""The bounds on freshness quantiles against windows and checkpoints simulated at random phases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from pipelineplan.errors import Position
from pipelineplan.plan import Plan
from pipelineplan.plan.freshness import Waits, waits
from pipelineplan.quantities import Dimension
from pipelineplan.verdicts import Basis, Operand

RECORDS = 4000
CYCLES = 400  # long enough for the slowest beat between the periods used here


def waits_of(values: dict[str, float], *, from_record: bool) -> Waits:
    operands = tuple(
        Operand(s, s, v, v, v, Basis.DECLARED, "$", Position("p"), Dimension.DURATION)
        for s, v in values.items()
    )
    return Waits(operands, from_record)


def simulated(values: dict[str, float], rng: np.random.Generator, *, from_record: bool) -> np.ndarray:
    """Seconds until records are visible: windows, then watermark ticks, then checkpoints, each at its phase.

    An independent statement of the mechanism: no quantile, no formula, only the next tick after a time.
    """
    window, lag, tick = values.get("W", 0.0), values.get("B", 0.0), values.get("w", 0.0)
    duration = values.get("d", 0.0)
    commit = max(values["I"], duration + values.get("pause", 0.0)) if "I" in values else 0.0
    span = CYCLES * max(window, commit, 1.0)
    event = rng.uniform(0, span, RECORDS)
    end = next_tick(event, window, rng.uniform(0, window)) if window else event
    ready = end + lag
    fired = next_tick(ready, tick, rng.uniform(0, tick)) if tick else ready
    begun = next_tick(fired, commit, rng.uniform(0, commit)) if commit else fired
    return begun + duration - (event if from_record else end)


def next_tick(times: np.ndarray, period: float, phase: float) -> np.ndarray:
    return phase + np.ceil((times - phase) / period) * period


CASES = [
    {"W": 60, "B": 30, "w": 0.2, "I": 600, "d": 5},  # W < I, commensurate
    {"W": 60, "B": 45, "w": 0.2, "I": 60, "d": 2},  # W = I: the phase never changes
    {"W": 600, "B": 5, "w": 1, "I": 60, "d": 3},  # W > I, commensurate
    {"W": 60, "B": 10, "w": 0.2, "I": 97.3, "d": 1},  # incommensurate, W < I
    {"W": 97.3, "B": 10, "w": 0.2, "I": 60, "d": 1},  # incommensurate, W > I
    {"W": 20, "B": 0, "w": 0.0, "I": 30, "d": 0},  # a short beat: 2 to 3
    {"W": 60, "B": 30, "w": 0.2, "I": 60, "d": 50, "pause": 30},  # checkpoints at 80 s in truth
    {"W": 60, "B": 30, "w": 0.2},  # visible as soon as emitted
    {"I": 60, "d": 4},  # no window at all
    {"W": 60, "B": 3, "w": 30, "I": 45, "d": 0},  # a slow watermark
]


@pytest.mark.parametrize("since", ["record", "window_end"])
@pytest.mark.parametrize("values", CASES, ids=lambda v: " ".join(f"{k}{x:g}" for k, x in v.items()))
def test_law_the_quantile_lies_within_its_bounds_at_every_phase(values: dict[str, float], since: str) -> None:
    rng = np.random.default_rng(20261121)
    from_record = since == "record"
    chain = waits_of(values, from_record=from_record)
    longest = max(values.get("W", 0), values.get("I", 0), values.get("d", 0) + values.get("pause", 0))
    for _ in range(40):
        seen = simulated(values, rng, from_record=from_record)
        assert seen.max() <= chain.longest(values) + 1e-6
        for probability in (0.5, 0.95, 0.99):
            low, high = chain.quantile(values, probability)
            # four standard errors of a sampled quantile of a spread that is at most the longer period
            noise = 4 * longest * np.sqrt(probability * (1 - probability) / RECORDS)
            assert low - noise <= np.quantile(seen, probability) <= high + noise


@pytest.mark.parametrize("values", CASES[:3], ids=["W<I", "W=I", "W>I"])
def test_the_bounds_are_no_wider_than_the_phases_make_them(values: dict[str, float]) -> None:
    """Over all phases the quantile comes near to both bounds, so neither could be tightened for nothing."""
    rng = np.random.default_rng(4)
    low, high = waits_of(values, from_record=True).quantile(values, 0.95)
    seen = [np.quantile(simulated(values, rng, from_record=True), 0.95) for _ in range(150)]
    slack = 0.1 * (high - low)
    assert min(seen) <= low + slack
    assert max(seen) >= high - slack


def test_bounds_by_hand() -> None:
    # W 60, I 600, d 5, B 30: 35 + 0.95 * 600 = 605 s at least, and 60 s and one tick more at most
    values = {"W": 60.0, "B": 30.0, "w": 0.2, "I": 600.0, "d": 5.0}
    assert waits_of(values, from_record=True).quantile(values, 0.95) == pytest.approx((605, 665.2))
    # from the window's end: at least 605 - 60, at most one whole interval
    assert waits_of(values, from_record=False).quantile(values, 0.95) == pytest.approx((545, 635.2))
    assert waits_of(values, from_record=True).longest(values) == pytest.approx(695.2)


PLAN = """\
apiVersion: pipelineplan/v1
kind: DataPlan
metadata: {name: fresh}
sources: [{id: a, semantics: {watermark: {lag: 30 s}}}]
stages:
  - {id: count, inputs: [a], window: {fixed: 1 min}, checkpoint: {interval: 10 min, duration: 5 s}}
sinks: [{id: out, inputs: [count], guarantee: transactional}]
slos: [{for: out, freshness: {p95: 4 min}}]
"""


def test_the_waits_of_a_plan_are_those_on_the_way(read: Callable[..., Plan]) -> None:
    plan = read(PLAN)
    chain = waits(plan, plan.model.slos[0], plan.source("a"))
    assert {operand.symbol: operand.value for operand in chain.operands} == {
        "W": 60,
        "B": 30,
        "w": 0.2,
        "I": 600,
        "d": 5,
    }
    assert chain.from_record


@pytest.mark.parametrize(
    ("old", "new", "symbols"),
    [
        ("guarantee: transactional", "guarantee: idempotent", {"W", "B", "w"}),
        ("{p95: 4 min}", "{p95: 4 min, until: emitted}", {"W", "B", "w"}),
    ],
)
def test_only_what_is_on_the_way_is_waited_for(
    read: Callable[..., Plan], old: str, new: str, symbols: set[str]
) -> None:
    plan = read(PLAN.replace(old, new))
    assert waits(plan, plan.model.slos[0], plan.source("a")).symbols == symbols


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{fixed: 1 min}", "{session: 1 min}", "a fixed window"),
        ("semantics: {watermark: {lag: 30 s}}", "system: kafka", "state semantics.watermark.lag"),
        (", checkpoint: {interval: 10 min, duration: 5 s}", "", "state that of 'count'"),
    ],
)
def test_what_is_missing_on_the_way_is_named(
    read: Callable[..., Plan], old: str, new: str, said: str
) -> None:
    plan = read(PLAN.replace(old, new))
    found = waits(plan, plan.model.slos[0], plan.source("a"))
    assert isinstance(found, str)
    assert said in found


def test_without_a_window_the_lateness_of_the_record_itself_counts(read: Callable[..., Plan]) -> None:
    """A million records with exponential lateness, committed each 10 min at any phase: inside the bounds."""
    bare = PLAN.replace("window: {fixed: 1 min}, ", "")
    plan = read(bare)
    assert "state semantics.lateness" in str(waits(plan, plan.model.slos[0], plan.source("a")))

    mean, interval, duration = 20.0, 600.0, 5.0
    stated = {f"p{p:g}": f"{-mean * math.log(1 - p / 100):.6f} s" for p in (50, 90, 95, 97.5, 99, 99.5, 99.9)}
    quantiles = ", ".join(f"{name}: {value}" for name, value in stated.items())
    plan = read(bare.replace("semantics: {", f"semantics: {{lateness: {{{quantiles}}}, "))
    chain = waits(plan, plan.model.slos[0], plan.source("a"))
    assert not isinstance(chain, str)
    draw = np.random.default_rng(7)
    late = draw.exponential(mean, 1_000_000)
    total = late + draw.uniform(0, interval, 1_000_000) + duration
    values = {operand.symbol: operand.value for operand in chain.operands}
    for probability in (0.5, 0.95, 0.99):
        low, high = chain.quantile(values, probability)
        assert low <= np.quantile(total, probability) <= high
        assert high - low < 0.4 * interval

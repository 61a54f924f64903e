"""CST: is what the plan uses within its budget, by the prices that it names itself?

compute 12,960 worker-hours * 0.12 EUR  1,555 EUR
log     2.65 TB * 0.09 EUR/GB             239 EUR     together 1,794 of 4,000 EUR/month
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.documents import dotted
from pipelineplan.plan import Plan
from pipelineplan.plan import cost as costs
from pipelineplan.plan.cost import CostLine
from pipelineplan.plan.prices import PriceList, money_a_month
from pipelineplan.rules.claim import Change, Claim, Evaluation
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Basis, Operand

_SOURCE = "design playbook, cost and FinOps; quantities times the user's own prices"


def _prices(plan: Plan) -> PriceList | None:
    reference = plan.model.capacity.price_file if plan.model.capacity is not None else None
    return plan.prices.get(reference) if reference is not None else None


def _budget(plan: Plan, currency: str) -> Operand | str | None:
    """The budget a month in the currency of the prices; what to state where it cannot be compared."""
    constraints = plan.model.context.constraints if plan.model.context is not None else None
    if constraints is None or constraints.budget is None:
        return None
    path, money = plan.path(constraints, "budget"), money_a_month(constraints.budget)
    if money is None:
        return (
            f"cannot compare {constraints.budget!r} with a cost: state the budget as 4_000 {currency}/month"
        )
    if money[1] != currency:
        return f"cannot compare a budget in {money[1]} with prices in {currency}: state both in one currency"
    return _operand(plan, "budget", f"budget a month in {currency}", (money[0],) * 3, path, Basis.DECLARED)


def _operand(
    plan: Plan,
    symbol: str,
    name: str,
    ends: tuple[float, float, float],
    path: tuple[str | int, ...],
    basis: Basis,
) -> Operand:
    low, value, high = ends
    return Operand(symbol, name, value, low, high, basis, dotted(path), plan.position(path))


@rule(
    "CST101",
    title="A month costs no more than the budget",
    why="The bill comes a month after the design; the quantities are known before.",
    formula="sum of quantity * price of every month's line <= budget a month",
    bad="60 queries a minute over 75 GiB each at 5 USD per TiB: 949,219 USD a month",
    good="the same queries over a partition of 75 MiB: 927 USD a month",
    fix="lower the largest line, or raise context.constraints.budget",
    source=f"{_SOURCE}; shopify.engineering/reducing-bigquery-costs",
)
def within_budget(plan: Plan) -> Iterator[Claim]:
    """The estimate of a month against the budget; what has no price leaves the verdict open."""
    prices = _prices(plan)
    lines = costs.cost_lines(plan)
    budget = _budget(plan, prices.currency) if prices is not None else None
    if prices is None or budget is None:
        return
    path = ("context", "constraints", "budget")
    if isinstance(budget, str):
        yield Claim(path, "month", missing=budget)
        return
    name = f"estimated cost a month in {prices.currency}"
    ends = costs.cost(lines, prices)
    month = _operand(plan, "month", name, ends, ("capacity", "price_file"), Basis.IMPORTED)
    open_lines = costs.unpriced(lines, prices)
    more = float("inf") if open_lines else 0.0
    yield Claim(
        path,
        "month",
        (month, budget),
        left=lambda v: (v["month"], v["month"] + more),
        right=lambda v: (v["budget"], v["budget"]),
        says=lambda e: _month_says(e, prices, lines),
        changes=(Change("budget", rises=True),),
    )


def _month_says(evaluation: Evaluation, prices: PriceList, lines: tuple[CostLine, ...]) -> str:
    """What a month costs, its largest line, and what has no price."""
    total, budget = evaluation.values["month"], evaluation.values["budget"]
    text = f"a month is estimated at {total:,.0f} {prices.currency} of {budget:,.0f}"
    priced = [line for line in lines if line.kind in prices.by_kind and not line.once]
    if priced and total:
        largest = max(priced, key=lambda line: line.quantity * prices.by_kind[line.kind].per_base)
        share = largest.quantity * prices.by_kind[largest.kind].per_base / total
        text += f", {share:.0%} of it {largest.kind.replace('_', ' ')} of {largest.of!r}"
    lacking = dict.fromkeys(line.kind for line in costs.unpriced(lines, prices))
    return f"{text}; state a price of {', '.join(lacking)}" if lacking else text


@rule(
    "CST102",
    title="A replay costs no more than what the month's budget leaves",
    why="The replay comes on top of the running pipeline, in the month in which something went wrong "
    "already.",
    formula="month + quantities of the replay * price <= budget a month",
    bad="a month of 3,900 of 4,000 EUR and a replay of 400 EUR",
    good="a month of 3,000 of 4,000 EUR and a replay of 400 EUR",
    fix="replay a shorter range, in parts over two months, or set the money aside",
    source=_SOURCE,
    severity=ADVICE,
)
def replay_within_budget(plan: Plan) -> Iterator[Claim]:
    """The declared replay beside a month of the running pipeline."""
    prices = _prices(plan)
    lines = costs.cost_lines(plan)
    budget = _budget(plan, prices.currency) if prices is not None else None
    if prices is None or not isinstance(budget, Operand) or not any(line.once for line in lines):
        return
    place = ("capacity", "price_file")
    words = f"estimated cost {{}} in {prices.currency}"
    month = _operand(plan, "month", words.format("a month"), costs.cost(lines, prices), place, Basis.IMPORTED)
    once = costs.cost(lines, prices, once=True)
    replay = _operand(plan, "replay", words.format("of the replay"), once, place, Basis.IMPORTED)
    open_lines = costs.unpriced(lines, prices) or costs.unpriced(lines, prices, once=True)
    more = float("inf") if open_lines else 0.0
    yield Claim(
        ("replay",),
        "replay",
        (month, replay, budget),
        left=lambda v: (v["month"] + v["replay"], v["month"] + v["replay"] + more),
        right=lambda v: (v["budget"], v["budget"]),
        says=lambda e: (
            f"a replay is estimated at {e.values['replay']:,.0f} {prices.currency} beside "
            f"{e.values['month']:,.0f} a month, of {e.values['budget']:,.0f}"
            f"{'; state a price of everything that is used' if open_lines else ''}"
        ),
        changes=(Change("budget", rises=True),),
    )

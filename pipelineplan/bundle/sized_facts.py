"""What follows from the plan's own numbers: size and cost for section 5, error budgets for section 10.

requests of the users    116/s on average, 463/s at peak     $.design.users
disk of tracks           5.47 PB after a year                $.design.stores[0]
error budget             216 min in 30 d                     $.slos[0].availability
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.bundle.checklist import Said
from pipelineplan.documents import dotted
from pipelineplan.plan import Plan, budgets, sizing
from pipelineplan.plan.cost import CostLine, cost, cost_lines, records_a_month, unpriced
from pipelineplan.plan.design import Component, Users
from pipelineplan.plan.prices import PriceList
from pipelineplan.plan.section import Section
from pipelineplan.quantities import Dimension, say, say_seconds, say_share

Facts = Iterator[tuple[str, Said]]
_YEAR_DAYS = 365.0
_THIRTY_DAYS = 30 * 86_400.0


def size_facts(plan: Plan) -> Facts:
    """Requests, bandwidth, disks, components, what breaks first, and the cost of a month and of a replay."""
    design = plan.model.design
    if design is not None:
        yield from _users(plan, design.users)
        yield from _disks(plan)
        yield from _components(plan)
    yield from _costs(plan)


def _at(plan: Plan, section: Section) -> str:
    return dotted(plan.path(section))


def _users(plan: Plan, users: Users | None) -> Facts:
    if users is None or users.daily is None or users.requests_per_user_per_day is None:
        return
    average = sizing.requests_per_second(users.daily, users.requests_per_user_per_day)
    factor = users.peak_factor or 3.0
    peak = average * factor
    times = f"{factor:g} times at peak{'' if users.peak_factor else ', assumed'}"
    rates = f"{say(average, Dimension.RATE)} on average, {say(peak, Dimension.RATE)} ({times})"
    yield (
        "requests of the users",
        Said(
            f"{users.daily:,} * {users.requests_per_user_per_day:,} a day / 86,400 s = {rates}",
            _at(plan, users),
        ),
    )
    if users.bytes_per_request is not None:
        bandwidth = peak * users.bytes_per_request.value
        gigabits = f"{bandwidth * 8 / 1e9:.3g} Gbit/s"
        text = f"{say(bandwidth, Dimension.BANDWIDTH)} at peak ({gigabits})"
        yield "bandwidth of the users", Said(text, _at(plan, users))


def _disks(plan: Plan) -> Facts:
    for store in plan.model.design.stores if plan.model.design is not None else ():
        if store.daily is None:
            continue
        kept = store.retention.value / sizing.DAY_SECONDS if store.retention is not None else math.inf
        growth = store.growth.value if store.growth is not None else 0.0
        copies = float(store.replication or 1)
        after = sizing.stored_bytes(store.daily.value, copies, _YEAR_DAYS, kept, growth)
        text = f"{say(after, Dimension.SIZE)} after a year: {store.daily.text} a day in {copies:g} copies"
        text += f", growing {store.growth.text}" if store.growth is not None else ""
        text += f", kept for {store.retention.text}" if store.retention is not None else ""
        yield f"disk of {store.id}", Said(text, _at(plan, store))


def _components(plan: Plan) -> Facts:
    components = plan.model.design.components if plan.model.design is not None else ()
    carried = {one.id: _times(one) for one in components if _times(one) is not None}
    for one in components:
        times = carried.get(one.id)
        if times is not None:
            used = f"{say_share(1 / times) if times else 'all'} used at peak, holds up to {times:.1f} times"
            yield f"headroom of {one.id}", Said(used, _at(plan, one))
    first = sizing.first_limit({name: times for name, times in carried.items() if times is not None})
    if first is not None and len(carried) > 1:
        text = f"{first[0]} at {first[1]:.1f} times today's peak"
        yield "breaks first on the way to ten times", Said(text, "$.design.components")


def _times(one: Component) -> float | None:
    if one.load is None or one.capacity is None or not one.load.value:
        return None
    return sizing.times_until(one.capacity.value * (one.instances or 1), one.load.value)


def _costs(plan: Plan) -> Facts:
    lines = cost_lines(plan)
    for line in lines:
        kind = line.kind.replace("_", " ")
        label = (
            f"replay: {kind.removeprefix('replay ')} of {line.of}" if line.once else f"{kind} of {line.of}"
        )
        yield label, Said(f"{_quantity(line)} ({line.formula})", line.path)
    reference = plan.model.capacity.price_file if plan.model.capacity is not None else None
    prices = plan.prices.get(reference) if reference is not None else None
    if prices is not None:
        yield from _money(plan, lines, prices)


def _quantity(line: CostLine) -> str:
    if line.is_compute:
        hours = f"{line.quantity:,.0f}" if line.quantity >= 100 else f"{line.quantity:.3g}"
        return f"{hours} worker-hours{'' if line.once else ' a month'}"
    kept = line.kind in {"log_storage", "state_storage", "store"}
    size = say(line.quantity, Dimension.SIZE)
    return f"{size} kept" if kept else f"{size}{'' if line.once else ' a month'}"


def _money(plan: Plan, lines: tuple[CostLine, ...], prices: PriceList) -> Facts:
    """Money, marked as an estimate, with the day of the oldest price."""
    oldest = min(price.as_of for price in prices.by_kind.values())
    where = f"$.capacity.price_file, prices as of {oldest}"
    month = cost(lines, prices)[1]
    lacking = sorted({line.kind for line in unpriced(lines, prices)})
    without = f", without {' and '.join(lacking).replace('_', ' ')}" if lacking else ""
    yield "estimated cost a month", Said(f"{month:,.0f} {prices.currency}{without}", where)
    records = records_a_month(plan)
    if records:
        each = month / records * 1e6
        yield "estimated cost of a million records", Said(f"{each:.3g} {prices.currency}", where)
    if any(line.once for line in lines):
        replay = cost(lines, prices, once=True)[1]
        yield "estimated cost of the replay, once", Said(f"{replay:,.0f} {prices.currency}", where)


def budget_facts(plan: Plan) -> Facts:
    """Error budgets, the burn-rate alerts that follow from them, and availability in series."""
    for slo in plan.model.slos:
        if slo.availability is None:
            continue
        period = slo.window.value if slo.window is not None else _THIRTY_DAYS
        where = dotted(plan.path(slo, "availability"))
        left = say_seconds(budgets.budget_seconds(slo.availability.value, period))
        yield (
            f"error budget of {slo.subject}",
            Said(f"{left} in {say_seconds(period)} at {slo.availability.text}", where),
        )
        yield f"burn-rate alerts of {slo.subject}", Said(_alerts(slo.availability.value, period), where)
    yield from _series(plan)


def _alerts(availability: float, period_seconds: float) -> str:
    """The alerts that an objective calls for; one that could never fire is said to."""
    said = []
    for alert in budgets.BURN_ALERTS:
        burn = alert.burn_rate(period_seconds)
        failing = budgets.error_rate(burn, availability)
        at = f"{say_share(failing)} failing" if failing <= 1 else "more than all failing: it cannot fire"
        said.append(f"{alert.severity} at {burn:.3g} times over {say_seconds(alert.window_seconds)} ({at})")
    return ", ".join(said)


def _series(plan: Plan) -> Facts:
    called = plan.model.reliability.dependencies if plan.model.reliability is not None else ()
    needed = [one for one in called if one.availability is not None and not one.optional]
    if needed:
        together = budgets.in_series(
            budgets.redundant(one.availability.value, float(one.copies or 1))
            for one in needed
            if one.availability is not None
        )
        names = ", ".join(one.id for one in needed)
        text = f"{say_share(together)} at most: {names}"
        yield "availability that dependencies in series give", Said(text, "$.reliability.dependencies")

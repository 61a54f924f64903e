"""SLO: does the error budget follow from the promise, do the outages fit in it, is its burning told in time?

99.5 % over 30 d = 216 min;  outages that are claimed cost 21 min of them;  14.4 times too fast pages
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelineplan.plan import Plan, budgets
from pipelineplan.plan.load import Values
from pipelineplan.plan.objectives import Outage, Slo
from pipelineplan.plan.operations import Alert
from pipelineplan.plan.recovery import PHASES, committing_stage, phases
from pipelineplan.quantities import Dimension, say_seconds, say_share
from pipelineplan.rules.claim import Bounds, Change, Claim, Evaluation
from pipelineplan.rules.inequality import inequality, statement
from pipelineplan.rules.registry import ADVICE, BY_LEVEL, rule
from pipelineplan.verdicts import Operand, Verdict

_WORKBOOK = "The Site Reliability Workbook, 2018, chapter 5"


def _promises(plan: Plan) -> Iterator[tuple[Slo, Operand, Operand]]:
    """Every promise of availability with its window; a promise without one is over thirty days."""
    for slo in plan.model.slos:
        share = plan.operand("A", slo, "availability", "promised availability")
        if share is not None:
            path = plan.path(slo, "window")
            stated = plan.operand("W", slo, "window", "window of the promise")
            yield (
                slo,
                share,
                stated or plan.assumed("W", "window of the promise", 30 * 86_400.0, Dimension.DURATION, path),
            )


def _budget(values: Values) -> float:
    return budgets.budget_seconds(values["A"], values["W"])


@rule(
    "SLO101",
    title="The error budget is what the promise leaves",
    why="A budget that is larger than the promise allows is spent in good faith, and the promise is broken.",
    formula="error_budget <= 1 - availability",
    bad="availability: 99.9 % with error_budget: 1 %",
    good="availability: 99.9 % with error_budget: 0.1 %",
    fix="lower error_budget, or promise less availability",
    source="Site Reliability Engineering, 2016, chapter 4: the budget is one minus the objective",
)
def budget_follows(plan: Plan) -> Iterator[Claim]:
    """`error_budget <= 1 - availability`; half a millionth is rounding."""
    for slo, share, _ in _promises(plan):
        budget = plan.operand("budget", slo, "error_budget", "error budget")
        if budget is not None:
            yield inequality(
                plan.path(slo, "error_budget"),
                slo.subject,
                (budget, share),
                lambda v: v["budget"],
                lambda v: 1 - v["A"] + 5e-13,
                lambda e: f"the budget is {e.left_shown}; the promise leaves {e.right_shown}",
                dimension=Dimension.SHARE,
                changes=(Change("budget", rises=False), Change("A", rises=False)),
            )


@rule(
    "SLO102",
    title="The claimed outages fit in the error budget",
    why="What the plan itself expects to break, as often as it says, must leave something of the budget "
    "for what nobody expected.",
    formula="sum over outages of (detect + repair + restart) * W / mean_time_between <= (1 - A) * W",
    bad="99.99 % over 30 d (4.3 min) with an hour's outage every 180 d (10 min in 30 d)",
    good="99.9 % over 30 d (43 min) with an hour's outage every 180 d",
    fix="detect or repair sooner, fail less often, or promise less availability",
    source="availability = uptime over time: the mean downtime of a window",
)
def outages_fit(plan: Plan) -> Iterator[Claim]:
    """The mean downtime of a window by all outages that say how often they come."""
    known = [one for one in plan.model.outages if one.mean_time_between is not None]
    for slo, share, window in _promises(plan):
        counted = [(outage, _breaks(plan, slo, outage)) for outage in known]
        counted = [(outage, surely) for outage, surely in counted if surely is not False]
        if counted:
            yield _expected_claim(plan, slo, (share, window), counted)


def _breaks(plan: Plan, slo: Slo, outage: Outage) -> bool | None:
    """Whether an outage takes away what is promised; None when only `counts` could say so.

    A sink that is down cannot be read, a stage whose job restarts does nothing. Whether a sink that
    stands still is available, for want of new records, is a matter of the promise.
    """
    if slo.counts is not None:
        return outage.of in slo.counts
    surely = {"sink"} if plan.graph.kinds[slo.subject] == "sink" else {"job", "worker", "zone"}
    return True if outage.of in surely else None


def _expected_claim(
    plan: Plan, slo: Slo, promise: tuple[Operand, Operand], counted: list[tuple[Outage, bool | None]]
) -> Claim:
    terms = [_phases(plan, outage, slo, place) for place, (outage, _) in enumerate(counted)]

    def mean(values: Values) -> Bounds:
        each = [_expected(values, place) for place in range(len(counted))]
        surely = [seconds for seconds, (_, breaks) in zip(each, counted, strict=True) if breaks]
        return math.fsum(surely), math.fsum(each)

    return Claim(
        plan.path(slo, "availability"),
        slo.subject,
        (*promise, *(operand for term in terms for operand in term)),
        left=mean,
        right=lambda v: (_budget(v), _budget(v)),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"{_kinds(len(counted))} {e.left_shown} of {say_seconds(e.values['W'])} on average; "
            f"{say_share(e.values['A'])} leave {e.right_shown}{_settle(e, slo)}"
        ),
        changes=(Change("A", rises=False), Change("mtbf_0", rises=True)),
    )


def _settle(evaluation: Evaluation, slo: Slo) -> str:
    if evaluation.verdict is not Verdict.UNKNOWN or slo.counts is not None:
        return ""
    return "; state counts: with the outages during which it is not available"


def _expected(values: Values, place: int) -> float:
    between = values[f"mtbf_{place}"]
    return _down(values, place) * values["W"] / between if between else math.inf


def _phases(plan: Plan, outage: Outage, slo: Slo, place: int) -> tuple[Operand, ...]:
    """The phases of an outage as the promised thing sees it, under symbols of its own."""
    stage = committing_stage(plan, slo.subject) if plan.graph.kinds[slo.subject] == "sink" else None
    if plan.graph.kinds[slo.subject] == "stage":
        stage = plan.stage(slo.subject)
    between = plan.operand("mtbf", outage, "mean_time_between", "mean time between")
    return tuple(_numbered(one, place) for one in (*phases(plan, outage, stage), between) if one is not None)


def _numbered(operand: Operand, place: int) -> Operand:
    return Operand(
        f"{operand.symbol}_{place}",
        operand.name,
        operand.value,
        operand.low,
        operand.high,
        operand.basis,
        operand.path,
        operand.position,
        operand.dimension,
    )


def _down(values: Values, place: int) -> float:
    return sum(values.get(f"{symbol}_{place}", 0.0) for symbol in PHASES)


@rule(
    "SLO103",
    title="One claimed outage alone does not use up the error budget",
    why="A promise that one foreseen outage breaks is broken in the month in which it comes.",
    formula="detect + repair + restart <= (1 - A) * W   for every claimed outage",
    bad="99.9 % over 30 d (43 min) with an outage of an hour",
    good="99.5 % over 30 d (3.6 h) with an outage of an hour",
    fix="detect or repair sooner, promise less availability, or take a longer window",
    source="Site Reliability Engineering, 2016, chapter 3: the budget is what may fail",
    severity=ADVICE,
)
def one_outage_fits(plan: Plan) -> Iterator[Claim]:
    """Each claimed outage against the whole budget of each promise that it breaks."""
    for slo, share, window in _promises(plan):
        for outage in plan.model.outages:
            breaks = _breaks(plan, slo, outage)
            if breaks is not False:
                yield _alone(plan, slo, outage, (share, window), surely=breaks is True)


def _alone(plan: Plan, slo: Slo, outage: Outage, promise: tuple[Operand, Operand], *, surely: bool) -> Claim:
    lasting = [one for one in _phases(plan, outage, slo, 0) if not one.symbol.startswith("mtbf")]
    return Claim(
        plan.path(outage, "repair"),
        f"{slo.subject} {outage.id or outage.of}",
        (*promise, *lasting),
        left=lambda v: (_down(v, 0) if surely else 0.0, _down(v, 0)),
        right=lambda v: (_budget(v), _budget(v)),
        dimension=Dimension.DURATION,
        says=lambda e: (
            f"an outage of the {outage.of} lasts {say_seconds(e.left[1])}; the budget is {e.right_shown}"
            f"{_settle(e, slo)}"
        ),
        changes=(Change("repair_0", rises=False), Change("A", rises=False)),
    )


def _burning(plan: Plan) -> Iterator[tuple[Alert, Slo, Operand, Operand]]:
    """Every burn-rate alert with the promise that it guards."""
    alerts = plan.model.operations.alerts if plan.model.operations is not None else ()
    for alert in alerts:
        for slo, share, window in _promises(plan) if alert.signal == "burn_rate" else ():
            if alert.objective in {None, slo.subject}:
                yield alert, slo, share, window


@rule(
    "SLO201",
    title="A burn-rate alert fires before much of the budget is gone",
    why="An alert that waits for too high a rate over too long a window comes when the month is lost.",
    formula="burn_rate * window / W <= 2 % (window up to 1 h), 5 % (up to 6 h), 10 % (longer)",
    bad="burn_rate: 36 over 1 h with W 30 d: 5 % are gone when it fires",
    good="burn_rate: 14.4 over 1 h with W 30 d: 2 %",
    fix="lower burn_rate: to share * W / window",
    source=f"{_WORKBOOK}; design playbook: 2 % in 1 h and 5 % in 6 h page, 10 % in 24 h is a ticket",
    severity=ADVICE,
)
def burning_is_told(plan: Plan) -> Iterator[Claim]:
    """The share of the budget that is used when the alert fires, against the starter shares."""
    for alert, slo, _, period in _burning(plan):
        rate = plan.operand("burn", alert, "burn_rate", "burn rate")
        window = plan.operand("window", alert, "window", "window of the alert")
        if rate is None or window is None:
            missing = f"cannot say when the alert on {slo.subject!r} fires: state burn_rate: and window:"
            yield Claim(plan.path(alert), slo.subject, missing=missing)
            continue
        yield inequality(
            plan.path(alert, "burn_rate"),
            slo.subject,
            (rate, window, period),
            lambda v: v["burn"] * v["window"] / v["W"],
            lambda v: budgets.allowed_share(v["window"]) * (1 + 1e-12),
            lambda e: (
                f"{e.left_shown} of the budget is gone when it fires; over {say_seconds(e.values['window'])} "
                f"{e.right_shown} may be"
            ),
            dimension=Dimension.SHARE,
            changes=(Change("burn", rises=False), Change("W", rises=True)),
        )


@rule(
    "SLO202",
    title="A burn-rate alert can fire",
    why="A burn rate that only more than all requests failing would reach never comes, however bad it is.",
    formula="burn_rate * (1 - A) <= 1",
    bad="burn_rate: 14.4 with a promise of 93 %: 101 % of the requests would have to fail",
    good="burn_rate: 14.4 with a promise of 99 %: at 14 % failures",
    fix="lower burn_rate, over a longer window",
    source="the error rate at which a budget burns that fast cannot be above one",
)
def burning_can_be_reached(plan: Plan) -> Iterator[Claim]:
    """`burn_rate * (1 - A) <= 1` for every burn-rate alert."""
    for alert, slo, share, _ in _burning(plan):
        rate = plan.operand("burn", alert, "burn_rate", "burn rate")
        if rate is not None:
            yield inequality(
                plan.path(alert, "burn_rate"),
                f"{slo.subject} reached",
                (rate, share),
                lambda v: budgets.error_rate(v["burn"], v["A"]),
                lambda _: 1.0,
                lambda e: f"it fires when {e.left_shown} of the requests fail",
                dimension=Dimension.SHARE,
                changes=(Change("burn", rises=False), Change("A", rises=True, limit=1.0)),
            )


@rule(
    "SLO203",
    title="Each promise of availability pages by a fast and by a slow window",
    why="A short window sees what burns fast and forgets what burns slowly; a long one comes late for "
    "both. Two of them see each other's blind side.",
    formula="a page over at most 1 h and one over more, at most 6 h, for every promise",
    bad="one alert over 1 h",
    good="pages over 1 h and 6 h, a ticket over 24 h",
    fix="add burn_rate alerts to operations.alerts: with objective:, burn_rate: and window:",
    source=f"{_WORKBOOK}: multiple burn rates, multiple windows",
    severity=ADVICE,
)
def both_windows(plan: Plan) -> Iterator[Claim]:
    """Which windows page, for plans that have burn-rate alerts or are written as a design."""
    burning = list(_burning(plan))
    if not burning and plan.model.metadata.workflow == "data-plan":
        return
    for slo, _, period in _promises(plan):
        windows = [
            alert.window.value
            for alert, mine, _, _ in burning
            if mine is slo and alert.severity == "page" and alert.window is not None
        ]
        fast, slow = any(w <= 3_600 for w in windows), any(3_600 < w <= 21_600 for w in windows)
        wanted = ", ".join(_wanted(one, period.value) for one in budgets.BURN_ALERTS)
        what = f"{slo.subject!r} has pages over {_listed(windows)}; its promise calls for {wanted}"
        yield statement(plan.path(slo, "availability"), slo.subject, what, true=fast and slow)


def _kinds(count: int) -> str:
    return "1 kind of outage costs" if count == 1 else f"{count} kinds of outage cost"


def _wanted(alert: budgets.BurnAlert, period_seconds: float) -> str:
    window = say_seconds(alert.window_seconds)
    return f"a {alert.severity} at {alert.burn_rate(period_seconds):.3g} over {window}"


def _listed(windows: list[float]) -> str:
    return " and ".join(say_seconds(window) for window in sorted(windows)) or "no window"


@rule(
    "SLO301",
    title="The promise is no more than its dependencies in series give",
    why="Of things that are all needed, the chain is weaker than each: three of 99.9 % give 99.7 %.",
    formula="A <= product of (1 - (1 - a)^copies) over all dependencies that are needed",
    bad="a promise of 99.9 % on three dependencies of 99.9 %",
    good="a promise of 99.5 % on three dependencies of 99.9 %",
    fix="promise less, add independent copies: of the weakest, or make one optional with a fallback",
    source="availability of a series system: the product; of a parallel one: 1 - product of failures",
    severity=BY_LEVEL,
)
def series_gives(plan: Plan) -> Iterator[Claim]:
    """The product of the availabilities that dependencies state, against each promise."""
    called = plan.model.reliability.dependencies if plan.model.reliability is not None else ()
    needed = [one for one in called if one.availability is not None and not one.optional]
    count = len(needed)
    operands = [
        _numbered(operand, place)
        for place, one in enumerate(needed)
        for operand in (
            plan.operand("a", one, "availability", f"availability of {one.id}"),
            plan.operand("copies", one, "copies", f"copies of {one.id}"),
        )
        if operand is not None
    ]
    for slo, share, _ in _promises(plan) if needed else ():
        yield inequality(
            plan.path(slo, "availability"),
            slo.subject,
            (share, *operands),
            lambda v: v["A"],
            lambda v: budgets.in_series(
                budgets.redundant(v[f"a_{n}"], v.get(f"copies_{n}", 1.0)) for n in range(count)
            ),
            lambda e: f"{e.left_shown} is promised; {count} dependencies in series give {e.right_shown}",
            dimension=Dimension.SHARE,
            changes=(
                Change("A", rises=False),
                *(Change(f"a_{n}", rises=True, limit=1.0) for n in range(count)),
            ),
        )

"""SIZ1, SIZ2: do the plan's own figures follow from its users and its daily data?

users * requests / 86,400 = average;  average * factor = peak;  peak * bytes = bandwidth
daily data * copies * the days it is kept = disk
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelineplan.plan import Plan, sizing
from pipelineplan.plan.design import Store, Users
from pipelineplan.plan.load import Values, peak_rate
from pipelineplan.quantities import Dimension
from pipelineplan.rules.capacity import Busiest, busiest_worker
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import inequality
from pipelineplan.rules.registry import ADVICE, rule
from pipelineplan.verdicts import Operand

_SOURCE = "system design workflows, capacity planning"
_YEAR_DAYS = 365.0
_SLIP = 10.0


def _users(plan: Plan) -> Users | None:
    return plan.model.design.users if plan.model.design is not None else None


def _counted(plan: Plan, users: Users) -> tuple[Operand, Operand] | None:
    """Daily users and requests a day of each, where both are stated."""
    count = plan.operand("U", users, "daily", "daily users")
    each = plan.operand("r", users, "requests_per_user_per_day", "requests a day of each")
    return (count, each) if count is not None and each is not None else None


def _counted_and_planned(plan: Plan, users: Users | None) -> tuple[Operand, ...] | None:
    """What is counted of the users, and the average that is planned for them, where all are stated."""
    counted = _counted(plan, users) if users is not None else None
    average = plan.operand("average", users, "average", "planned average rate")
    return (*counted, average) if counted is not None and average is not None else None


def _mean(values: Values) -> float:
    return sizing.requests_per_second(values["U"], values["r"])


@rule(
    "SIZ101",
    title="The planned average covers what the users ask",
    why="Everything after it is sized by this rate; a mistake here is multiplied by the peak, the bytes "
    "and the copies.",
    formula="U * r / 86400 <= average   (U daily users, r requests a day of each)",
    bad="1M users with 10 requests a day, planned as 100/s",
    good="1M users with 10 requests a day, planned as 120/s",
    fix="raise design.users.average, or mend the number of users or of their requests",
    source=_SOURCE,
)
def average_covers_users(plan: Plan) -> Iterator[Claim]:
    """`U * r / 86400 <= average`, where the plan states all three."""
    users = _users(plan)
    known = _counted_and_planned(plan, users)
    if users is None or known is None:
        return
    yield inequality(
        plan.path(users, "average"),
        "users",
        known,
        _mean,
        lambda v: v["average"],
        lambda e: f"the users ask {e.left_shown} on average; planned are {e.right_shown}",
        dimension=Dimension.RATE,
        changes=(Change("average", rises=True),),
    )


@rule(
    "SIZ102",
    title="The planned average is of the size that the users make it",
    why="A rate per minute that is written per second is sixty times too large, and so is every machine "
    "that follows from it.",
    formula="average <= 10 * U * r / 86400",
    bad="1M users with 10 requests a day, planned as 6_944/s (their rate per minute)",
    good="1M users with 10 requests a day, planned as 120/s",
    fix="mend the unit of design.users.average (per second, minute or day), or the number of users",
    source=_SOURCE,
    severity=ADVICE,
)
def average_is_of_their_size(plan: Plan) -> Iterator[Claim]:
    """`average <= 10 * U * r / 86400`: more than ten times as much is a slip of the unit."""
    users = _users(plan)
    known = _counted_and_planned(plan, users)
    if users is None or known is None:
        return
    yield inequality(
        plan.path(users, "average"),
        "users",
        known,
        lambda v: v["average"],
        lambda v: _SLIP * _mean(v),
        lambda e: (
            f"planned are {e.left_shown} on average, {e.left[0] / max(_mean(e.values), 1e-300):.0f} times "
            f"what the users ask"
        ),
        dimension=Dimension.RATE,
        changes=(Change("average", rises=False),),
    )


@rule(
    "SIZ103",
    title="The planned peak is the average times its factor",
    why="Nobody comes evenly over the day: what is sized for the mean is short every evening.",
    formula="average * factor <= peak   (factor 3 where it is not stated)",
    bad="an average of 116/s with a factor of 4, planned for a peak of 400/s",
    good="an average of 116/s with a factor of 4, planned for a peak of 480/s",
    fix="raise design.users.peak, or state the measured design.users.peak_factor",
    source=f"{_SOURCE}: a peak of three to five times the average",
)
def peak_follows(plan: Plan) -> Iterator[Claim]:
    """`average * factor <= peak`; the average is the stated one, else that of the users."""
    users = _users(plan)
    peak = plan.operand("peak", users, "peak", "planned peak rate")
    if users is None or peak is None:
        return
    counted, average = _counted(plan, users), plan.operand("average", users, "average", "average rate")
    if counted is None and average is None:
        return
    path = plan.path(users, "peak_factor")
    factor = plan.operand("factor", users, "peak_factor", "peak over average")
    factor = factor or plan.assumed("factor", "peak over average", 3.0, None, path, (3.0, 5.0))
    yield inequality(
        plan.path(users, "peak"),
        "users",
        (*((average,) if average is not None else counted or ()), factor, peak),
        lambda v: (v["average"] if "average" in v else _mean(v)) * v["factor"],
        lambda v: v["peak"],
        lambda e: (
            f"{e.values['factor']:g} times the average is {e.left_shown}; planned for a peak of "
            f"{e.right_shown}"
        ),
        dimension=Dimension.RATE,
        changes=(Change("peak", rises=True), Change("factor", rises=False)),
    )


@rule(
    "SIZ104",
    title="The network carries the peak",
    why="Bytes are where bits were meant by a factor of eight, and no queue helps a link that is full.",
    formula="peak * bytes <= bandwidth",
    bad="116/s of 5 MB over 580 Mbit/s: eight times too little",
    good="116/s of 5 MB over 580 MB/s",
    fix="raise design.users.bandwidth, or mend its unit (MB/s are bytes, Mbit/s are bits)",
    source=f"{_SOURCE}: bandwidth = request size * requests per second",
)
def network_carries(plan: Plan) -> Iterator[Claim]:
    """`peak * bytes <= bandwidth`; without a stated peak, the users' average."""
    users = _users(plan)
    link = plan.operand("bandwidth", users, "bandwidth", "planned bandwidth")
    size = plan.operand("bytes", users, "bytes_per_request", "bytes of a request")
    if users is None or link is None or size is None:
        return
    peak = plan.operand("peak", users, "peak", "planned peak rate")
    rates = (peak,) if peak is not None else _counted(plan, users)
    if not rates:
        return
    yield inequality(
        plan.path(users, "bandwidth"),
        "users",
        (*rates, size, link),
        lambda v: (v["peak"] if "peak" in v else _mean(v)) * v["bytes"],
        lambda v: v["bandwidth"],
        lambda e: f"the requests need {e.left_shown}; planned are {e.right_shown}",
        dimension=Dimension.BANDWIDTH,
        changes=(Change("bandwidth", rises=True),),
    )


@rule(
    "SIZ105",
    title="The source carries what the users send",
    why="The pipeline is judged by its source's rate; when the users make more records than that, every "
    "verdict on it is about another system.",
    formula="peak * events_per_request <= peak rate of the source",
    bad="a peak of 400/s with 2 records each into a source that is planned for 500/s",
    good="a peak of 400/s with 2 records each into a source that is planned for 1_000/s",
    fix="raise the source's rate.peak, or mend events_per_request of design.users",
    source="conservation of records between the users' requests and the source that they feed",
)
def source_carries(plan: Plan) -> Iterator[Claim]:
    """The peak of the users against the peak of the source that they feed."""
    users = _users(plan)
    peak = plan.operand("peak", users, "peak", "planned peak rate")
    fed = [source for source in plan.model.sources if users is not None and source.id == users.source]
    if users is None or peak is None or not fed:
        return
    rate = peak_rate(plan, fed[0])
    if rate is None:
        yield Claim(
            plan.path(fed[0]),
            fed[0].id,
            missing=f"cannot say whether {fed[0].id!r} carries what the users send: state rate.peak",
        )
        return
    each = plan.operand("e", users, "events_per_request", "records of each request")
    yield inequality(
        (*plan.path(fed[0]), "rate"),
        fed[0].id,
        (peak, each, rate),
        lambda v: v["peak"] * v.get("e", 1.0),
        lambda v: v[rate.symbol],
        lambda e: f"the users send {e.left_shown} at peak; {fed[0].id!r} is planned for {e.right_shown}",
        dimension=Dimension.RATE,
        changes=(Change(rate.symbol, rises=True),),
    )


@rule(
    "SIZ201",
    title="The disks hold the first year",
    why="Copies and growth multiply what comes each day; a disk that is full in autumn was too small in "
    "spring.",
    formula="daily * copies * days kept, growing by g each month, <= first_year",
    bad="5 TB a day in 3 copies on 1.8 PB: the copies are forgotten",
    good="5 TB a day in 3 copies on 5.5 PB",
    fix="raise first_year: of the store, keep data for less long (retention:), or keep fewer copies",
    source=f"{_SOURCE}: storage per year = daily data * 365 * replication",
)
def disks_hold(plan: Plan) -> Iterator[Claim]:
    """What lies in each store after a year, against the disk that is planned."""
    for store in plan.model.design.stores if plan.model.design is not None else ():
        daily = plan.operand("daily", store, "daily", "new data a day")
        disk = plan.operand("disk", store, "first_year", "disk planned for the first year")
        if daily is not None and disk is not None:
            yield _disk_claim(plan, store, daily, disk)


def _disk_claim(plan: Plan, store: Store, daily: Operand, disk: Operand) -> Claim:
    return inequality(
        plan.path(store, "first_year"),
        store.id,
        (
            daily,
            plan.operand("c", store, "replication", "copies"),
            plan.operand("kept", store, "retention", "retention"),
            plan.operand("g", store, "growth", "growth of the daily data"),
            disk,
        ),
        _after_a_year,
        lambda v: v["disk"],
        lambda e: (
            f"{store.id!r} holds {e.left_shown} after a year in {e.values.get('c', 1.0):.0f} copies; "
            f"planned are {e.right_shown}"
        ),
        dimension=Dimension.SIZE,
        changes=(
            Change("disk", rises=True),
            Change("kept", rises=False),
            Change("c", rises=False, whole=True),
        ),
    )


def _after_a_year(values: Values) -> float:
    kept = values.get("kept", float("inf")) / sizing.DAY_SECONDS
    return sizing.stored_bytes(values["daily"], values.get("c", 1.0), _YEAR_DAYS, kept, values.get("g", 0.0))


@rule(
    "SIZ202",
    title="The capacity lasts for the growth horizon",
    why="What keeps up today and is not looked at again until the horizon must keep up on its last day.",
    formula="s_w * λ * (1 + g)^(horizon in months) <= μ",
    bad="growth: 20 %/month over 180 d with a busiest worker at half of its capacity: 3 times the load",
    good="growth: 3 %/month over 180 d with a busiest worker at half of its capacity: 1.2 times the load",
    fix="raise parallelism or capacity before then, or shorten capacity.growth_horizon",
    source="compound growth of the arrival rate, against the busiest worker of CAP101",
    severity=ADVICE,
)
def lasts(plan: Plan) -> Iterator[Claim]:
    """The load of every stage's busiest worker at the growth horizon."""
    horizon = plan.operand("H", plan.model.capacity, "growth_horizon", "growth horizon")
    if horizon is None:
        return
    for stage in plan.model.stages:
        worker = busiest_worker(plan, stage)
        if not isinstance(worker, str):
            growths = _growths(plan, worker)
            if growths:
                yield _lasts_claim((*plan.path(stage), "capacity"), worker, horizon, growths)


def _growths(plan: Plan, worker: Busiest) -> dict[str, Operand]:
    """The growth of each source that states one, by the source's id."""
    found = {
        arrival.source: plan.operand(
            f"g_{arrival.source}", plan.source(arrival.source).rate, "growth", "growth"
        )
        for arrival in worker.arriving
    }
    return {source: growth for source, growth in found.items() if growth is not None}


def _lasts_claim(
    path: tuple[str | int, ...], worker: Busiest, horizon: Operand, growths: dict[str, Operand]
) -> Claim:
    def at_horizon(values: Values) -> float:
        days = values["H"] / sizing.DAY_SECONDS
        grown = sum(
            values[arrival.rate.symbol]
            * arrival.factor
            * sizing.growth_factor(values.get(f"g_{arrival.source}", 0.0), days)
            for arrival in worker.arriving
        )
        return grown * worker.share.of_busiest(values)

    return inequality(
        path,
        worker.stage.id,
        (*worker.operands, horizon, *growths.values()),
        at_horizon,
        lambda v: v["μ"],
        lambda e: (
            f"after {horizon.shown} of growth the busiest worker of {worker.stage.id!r} gets {e.left_shown} "
            f"of {e.right_shown}"
        ),
        dimension=Dimension.RATE,
        changes=(*worker.changes(), Change("H", rises=False)),
    )

"""SCD: do scheduled runs start when they should, end before the next one, and catch up without a flood?

|-- run --|            |-- run --|            |-- run --|
^ 04:15                ^ 04:15                ^ 04:15, in a zone where that time exists every day
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from pipelineplan.plan import Plan
from pipelineplan.plan.calendar import cron_fault, first_odd_start, intervals_seconds, known_zone
from pipelineplan.plan.ingestion import Schedule
from pipelineplan.quantities import Dimension, say_seconds
from pipelineplan.rules.claim import Change, Claim
from pipelineplan.rules.inequality import inequality, statement
from pipelineplan.rules.registry import ADVICE, ALWAYS_ERROR, BY_LEVEL, rule
from pipelineplan.verdicts import Basis, Operand

_AT = ("ingestion", "schedule")


def _schedule(plan: Plan) -> Schedule | None:
    return plan.model.ingestion.schedule if plan.model.ingestion is not None else None


def _readable(plan: Plan) -> Schedule | None:
    """The schedule, where its expression can be read: SCD101 says when it cannot."""
    schedule = _schedule(plan)
    return schedule if schedule is not None and not cron_fault(schedule.cron) else None


@rule(
    "SCD101",
    title="The schedule can be read, and its zone exists",
    why="A schedule without a zone runs by whatever clock its server has; one in a zone nobody knows "
    "does not run.",
    formula="five cron fields, and an IANA zone",
    bad='cron: "15 4 * *", zone: CEST',
    good='cron: "15 4 * * *", zone: Europe/Berlin',
    fix="write five fields, and the zone as Area/City",
    source="apache/airflow#38098; the IANA time zone database",
    severity=ALWAYS_ERROR,
)
def schedule_is_readable(plan: Plan) -> Iterator[Claim]:
    """The expression, then the zone."""
    schedule = _schedule(plan)
    if schedule is None:
        return
    fault = cron_fault(schedule.cron)
    what = f"cannot be read: {fault[:1].lower()}{fault[1:]}" if fault else "can be read"
    yield statement((*_AT, "cron"), "cron", f"the schedule {schedule.cron!r} {what}", true=not fault)
    if schedule.zone is None:
        yield Claim(_AT, "zone", missing="nobody knows by which clock it runs: state ingestion.schedule.zone")
        return
    known = known_zone(schedule.zone)
    yield statement((*_AT, "zone"), "zone", _zone_said(schedule.zone, known=known), true=known)


def _zone_said(zone: str, *, known: bool) -> str:
    if known:
        return f"{zone} is an IANA zone"
    from zoneinfo import available_timezones

    # No abbreviation is proposed: CEST is not EST.
    near = difflib.get_close_matches(zone, sorted(one for one in available_timezones() if "/" in one), 1)
    return f"{zone!r} is no IANA zone{f', did you mean {near[0]}?' if near else ''}"


@rule(
    "SCD102",
    title="Scheduled local times exist once every day",
    why="Where clocks are set forward an hour is missing, and where they are set back it comes twice: "
    "a run in that hour is skipped, moved or done twice, by the scheduler's choice.",
    formula="every start from 2026 to 2036 exists exactly once in its zone",
    bad='cron: "30 2 * * *", zone: Europe/Berlin',
    good='cron: "15 4 * * *", zone: Europe/Berlin',
    fix="start outside the hours between 1 and 3, or by UTC",
    source="apache/airflow#38098, #30195",
    severity=ADVICE,
)
def starts_exist_once(plan: Plan) -> Iterator[Claim]:
    """The first start that does not exist or occurs twice."""
    schedule = _readable(plan)
    if schedule is None or schedule.zone is None or not known_zone(schedule.zone):
        return
    odd = first_odd_start(schedule.cron, schedule.zone)
    what = f"every start of {schedule.cron!r} exists once in {schedule.zone}"
    if odd is not None:
        occurs = "does not exist" if odd.occurs == "never" else "occurs twice"
        what = f"the start at {odd.local:%Y-%m-%d %H:%M} {occurs} in {schedule.zone}"
    yield statement((*_AT, "cron"), "cron", what, true=odd is None)


@rule(
    "SCD103",
    title="A run ends before the next one begins",
    why="Runs that overlap work on the same data, or queue up until the day is over.",
    formula="run length <= shortest interval between starts * concurrency",
    bad='cron: "*/15 * * * *" with run_length: 20 min and concurrency: 1',
    good='cron: "15 4 * * *" with run_length: 25 min',
    fix="start less often, make runs shorter, or allow several at once",
    source="apache/airflow#47354; a queue whose work exceeds its time grows",
    severity=BY_LEVEL,
)
def runs_do_not_overlap(plan: Plan) -> Iterator[Claim]:
    """`run length <= interval * concurrency`."""
    schedule = _readable(plan)
    length = plan.operand("run", schedule, "run_length", "length of a run")
    if schedule is None or length is None:
        return
    yield inequality(
        (*_AT, "run_length"),
        "run_length",
        (
            length,
            _interval(plan, schedule),
            plan.operand("c", plan.model.ingestion, "concurrency", "runs at once"),
        ),
        lambda v: v["run"],
        lambda v: v["every"] * v.get("c", 1.0),
        lambda e: (
            f"a run takes {e.left_shown}; one begins every {say_seconds(e.values['every'])} and "
            f"{e.values.get('c', 1):.0f} may run at once, so it has {e.right_shown}"
        ),
        changes=(Change("run", rises=False), Change("c", rises=True, whole=True)),
    )


def _interval(plan: Plan, schedule: Schedule) -> Operand:
    seconds = intervals_seconds(schedule.cron)[0]
    path = (*_AT, "cron")
    return Operand(
        "every",
        f"shortest interval of {schedule.cron!r}",
        seconds,
        seconds,
        seconds,
        Basis.DECLARED,
        "$.ingestion.schedule.cron",
        plan.position(path),
        Dimension.DURATION,
    )


@rule(
    "SCD104",
    title="Catching up is bounded, and covers the longest outage",
    why="An unbounded catch-up starts thousands of runs at once; one that is bounded below the longest "
    "outage leaves a hole that nobody fills.",
    formula="ceil(T / interval) <= max_catch_up_runs,   T = detect + repair of the longest outage",
    bad="max_catch_up_runs: 3 for hourly runs and a day's outage, or no bound at all",
    good="catch_up: true, max_catch_up_runs: 48 for hourly runs and a day's outage",
    fix="state ingestion.schedule.max_catch_up_runs, as many as the longest outage misses",
    source="apache/airflow#47354: 17,520 runs after two years",
    severity=BY_LEVEL,
)
def catching_up_is_bounded(plan: Plan) -> Iterator[Claim]:
    """The runs that the longest outage misses against the most that are caught up."""
    schedule = _readable(plan)
    if schedule is None or not schedule.catch_up:
        return
    most = plan.operand("most", schedule, "max_catch_up_runs", "most runs that are caught up")
    if most is None:
        yield statement(
            (*_AT, "catch_up"), "catch_up", "as many runs are caught up as were ever missed", true=False
        )
        return
    longest = max(plan.model.outages, key=lambda o: o.detect.value + o.repair.value, default=None)
    if longest is None:
        return
    yield inequality(
        (*_AT, "max_catch_up_runs"),
        longest.id or longest.of,
        (
            plan.operand("detect", longest, "detect", "time to detect"),
            plan.operand("repair", longest, "repair", "time to repair"),
            _interval(plan, schedule),
            most,
        ),
        lambda v: float(-(-(v["detect"] + v["repair"]) // v["every"])),
        lambda v: v["most"],
        lambda e: (
            f"an outage of {longest.id or longest.of} of "
            f"{say_seconds(e.values['detect'] + e.values['repair'])} misses "
            f"up to {e.left[1]:.0f} run{'s' if e.left[1] != 1 else ''}; "
            f"{e.right[0]:.0f} {'are' if e.right[0] != 1 else 'is'} caught up"
        ),
        dimension=None,
        changes=(Change("most", rises=True, whole=True),),
    )

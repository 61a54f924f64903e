"""The alerts that the plan states, as rules: each threshold is the plan's own, at its place.

operations.alerts: {signal: lag, above: 10 min, lasting: 5 min, severity: page}

A signal that no exporter measures is written as a comment, with what it would take; a threshold in words
that no rule can compare is left out and listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pipelineplan.exchange.alert_rule import AlertRule
from pipelineplan.exchange.budget_alerts import burning
from pipelineplan.exchange.measuring_by import Meters
from pipelineplan.exchange.promql import duration, number
from pipelineplan.plan.load import average_rate
from pipelineplan.plan.operations import Alert
from pipelineplan.plan.source import Source
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import Dimension, say_seconds

_Writer = Callable[[Meters, Alert], Iterator[AlertRule]]
_NOT_KNOWN = "no exporter that is known measures it, and the plan does not say by what it is measured"


def stated_alerts(meters: Meters) -> Iterator[AlertRule]:
    """A rule for every alert of the plan and each thing that it is about."""
    operations = meters.tracer.plan.model.operations
    for alert in operations.alerts if operations is not None else ():
        write = _WRITERS.get(alert.signal)
        if write is None:
            meters.tracer.drop(alert, "", f"{alert.signal}: {_NOT_KNOWN}")
        else:
            yield from write(meters, alert)


def _rule(  # noqa: PLR0913  (what a rule is made of)
    meters: Meters,
    alert: Alert,
    name: str,
    expr: str,
    says: str,
    *,
    how: str = "",
    about: Mapping[str, str] | None = None,
    watches: tuple[str, ...] = (),
    needs: str = "",
) -> AlertRule:
    lasting = meters.tracer.stated(alert, "lasting")
    return AlertRule(
        name,
        expr,
        says,
        alert.signal,
        (meters.tracer.place(alert, "above"),),
        how,
        lasting,
        meters.tracer.stated(alert, "severity"),
        meters.tracer.stated(alert, "runbook"),
        about or {},
        watches,
        needs,
    )


def _lag(meters: Meters, alert: Alert) -> Iterator[AlertRule]:
    count = meters.count(alert)
    limit = meters.amount(alert, Dimension.DURATION) if count is None else None
    if count is None and limit is None:
        return
    if meters.lag is None:
        yield from _lag_of_jobs(meters, alert, count, limit.value if limit is not None else 0.0)
        return
    for source in meters.kafka():
        group, needs = meters.group_of(source)
        topic = source.topic or source.id
        if limit is not None:
            expr = meters.lag.older(group, topic, limit.value)
            says = f"the oldest unread record of {topic} is older than {limit.text}"
        else:
            expr = f"{meters.lag.records(group, topic)} > {number(count or 0.0)}"
            says = f"more than {number(count or 0.0)} records of {topic} are unread"
        about, watched = {"source": source.id}, (meters.lag.watched(group, topic),)
        yield _rule(meters, alert, "ConsumerLag", expr, says, about=about, watches=watched, needs=needs)


def _lag_of_jobs(meters: Meters, alert: Alert, count: float | None, seconds: float) -> Iterator[AlertRule]:
    """By Flink's pending records, which are a time at the average rate that the plan states."""
    for job, stages in meters.jobs():
        sources = [source for source in meters.kafka() if _reads(meters, stages, source)]
        rates = [average_rate(meters.tracer.plan, source) for source in sources]
        known = [rate for rate in rates if rate is not None]
        pending = meters.of_job("taskmanager_job_task_operator_pendingRecords", job)
        how = needs = ""
        if count is None:
            rate = sum(one.value for one in known)
            count_of_job = seconds * rate
            how = f"{say_seconds(seconds)} at the average rate of {number(rate)}/s"
            needs = "" if sources and len(known) == len(rates) else "state rate.average: of the job's sources"
        else:
            count_of_job = count
        says = f"{job} has more than {number(count_of_job)} records to read"
        expr = f"sum({pending}) > {number(count_of_job)}"
        rule = _rule(meters, alert, "ConsumerLag", expr, says, how=how, about={"job": job}, needs=needs)
        yield rule.watching(pending)


def _reads(meters: Meters, stages: list[Stage], source: Source) -> bool:
    return any(e.upstream == source.id for stage in stages for e in meters.tracer.plan.graph.into(stage.id))


def _of_jobs(metric: str, name: str, says: str, dimension: Dimension, scale: float) -> _Writer:
    """An alert on a metric of Flink, whose unit is `scale` times the plan's."""

    def write(meters: Meters, alert: Alert) -> Iterator[AlertRule]:
        limit = meters.amount(alert, dimension)
        if limit is None:
            return
        jobs = list(meters.jobs())
        if not jobs:
            meters.tracer.drop(alert, "", f"{alert.signal}: {_NOT_KNOWN}; no stage runs on Flink")
        for job, _ in jobs:
            series = meters.of_job(metric, job)
            expr = f"max by (job_name) ({series}) > {number(limit.value * scale)}"
            said = f"{says} of {job} is above {limit.text}"
            yield _rule(meters, alert, name, expr, said, about={"job": job}).watching(series)

    return write


def _of_a_meter(meter: str, name: str, says: str) -> _Writer:
    """An alert on a gauge of seconds that only the user can name."""

    def write(meters: Meters, alert: Alert) -> Iterator[AlertRule]:
        limit = meters.amount(alert, Dimension.DURATION)
        if limit is not None:
            metric, needs = meters.named(meter)
            expr = f"max({metric}) > {number(limit.value)}"
            rule = _rule(meters, alert, name, expr, f"{says} {limit.text}", needs=needs)
            yield rule if needs else rule.watching(metric)

    return write


def _error_rate(meters: Meters, alert: Alert) -> Iterator[AlertRule]:
    limit = meters.amount(alert, Dimension.SHARE)
    if limit is None:
        return
    errors, needs = meters.named("errors")
    requests, also = meters.named("requests")
    span = duration(alert.lasting.value) if alert.lasting is not None else "<LASTING>"
    unsaid = "" if alert.lasting is not None else "state lasting:, over which the share is taken"
    expr = f"sum(rate({errors}[{span}])) / sum(rate({requests}[{span}])) > {number(limit.value)}"
    needs = "; ".join(text for text in (needs, also, unsaid) if text)
    yield _rule(meters, alert, "ErrorRate", expr, f"more than {limit.text} fail", needs=needs)


_WRITERS: Mapping[str, _Writer] = {
    "lag": _lag,
    "watermark_lag": _of_jobs(
        "taskmanager_job_task_operator_watermarkLag",
        "WatermarkLag",
        "the watermark lag",
        Dimension.DURATION,
        1000.0,
    ),
    "checkpoint": _of_jobs(
        "jobmanager_job_lastCheckpointDuration",
        "CheckpointDuration",
        "the duration of the last checkpoint",
        Dimension.DURATION,
        1000.0,
    ),
    "state": _of_jobs("jobmanager_job_lastCheckpointFullSize", "StateSize", "the state", Dimension.SIZE, 1.0),
    "saturation": _of_jobs(
        "taskmanager_job_task_busyTimeMsPerSecond",
        "BusiestSubtask",
        "the share of time in which the busiest subtask is busy,",
        Dimension.SHARE,
        1000.0,
    ),
    "freshness": _of_a_meter("freshness", "Freshness", "the newest result that a reader sees is older than"),
    "dead_letters": _of_a_meter(
        "dead_letters", "DeadLetters", "the oldest dead letter has waited longer than"
    ),
    "error_rate": _error_rate,
    "burn_rate": burning,
}

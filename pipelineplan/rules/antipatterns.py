"""What a plan must not do, where presence is not enough to see it.

latency_class: near-real-time
ingestion: {mode: batch, schedule: {cron: "*/5 * * * *"}}      # real time in name only
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelineplan.documents import Path
from pipelineplan.plan import Plan
from pipelineplan.plan.governance import QualityCheck
from pipelineplan.plan.stage import Stage
from pipelineplan.quantities import say_share
from pipelineplan.rules.presence import is_scheduled, is_streaming

_REAL_TIME = {"sub-second", "sub-minute", "near-real-time"}
_MOST_SKEW = 1.5


@dataclass(frozen=True)
class Fault:
    """One place at which the plan does it."""

    path: Path
    what: str


@dataclass(frozen=True)
class AntiPattern:
    """A pattern with its code, what to do instead, and the function that finds it."""

    code: str
    title: str
    why: str
    fix: str
    faults: Callable[[Plan], Iterator[Fault]]


def cron_as_real_time(plan: Plan) -> Iterator[Fault]:
    """A latency class below the hour on runs that the clock starts."""
    batch = plan.model.ingestion is not None and plan.model.ingestion.mode == "batch"
    context = plan.model.context
    if context is None or not (batch or is_scheduled(plan)):
        return
    if context.latency_class in _REAL_TIME:
        yield Fault(
            ("context", "latency_class"),
            f"{context.latency_class} is promised of scheduled batches",
        )
    for place, consumer in enumerate(context.consumers):
        if consumer.latency_class in _REAL_TIME:
            what = f"{consumer.latency_class} is promised to {consumer.id!r} of scheduled batches"
            yield Fault(("context", "consumers", place, "latency_class"), what)


def stream_without_event_time(plan: Plan) -> Iterator[Fault]:
    """A stream with neither event time nor a choice against it, or windows over processing time."""
    if not is_streaming(plan):
        return
    windowed = [stage.id for stage in plan.model.stages if stage.window is not None]
    for place, source in enumerate(plan.model.sources):
        semantics = source.semantics
        path: Path = ("sources", place, "semantics")
        if semantics is None or (semantics.event_time is None and not semantics.processing_time):
            yield Fault((*path, "event_time"), f"the stream {source.id!r} has no event time")
        elif semantics.processing_time and windowed:
            what = f"{source.id!r} is read by processing time, and {windowed[0]!r} has event-time windows"
            yield Fault((*path, "processing_time"), what)


def incremental_without_corrections(plan: Plan) -> Iterator[Fault]:
    """Incremental stages that do not know late, repeated or corrected records."""
    for place, stage in enumerate(plan.model.stages):
        if stage.mode != "incremental":
            continue
        lacking = _unhandled(plan, stage)
        if lacking:
            what = f"{stage.id!r} is incremental, and nothing says what it does with {' and '.join(lacking)}"
            yield Fault(("stages", place, "mode"), what)


def _unhandled(plan: Plan, stage: Stage) -> list[str]:
    above = [source for source in plan.model.sources if source.id in plan.graph.above(stage.id)]
    repeats = [s.id for s in above if s.semantics is None or s.semantics.duplicates is None]
    corrected = [
        s.id
        for s in above
        if s.mutation is None or (s.mutation.kind != "append" and not s.mutation.corrections)
    ]
    lacking = ["late records (late)"] if stage.window is not None and stage.late is None else []
    lacking += [f"repeats of {source!r} (semantics.duplicates)" for source in repeats]
    return lacking + [f"corrections of {source!r} (mutation.corrections)" for source in corrected]


def check_without_threshold(plan: Plan) -> Iterator[Fault]:
    """Quality checks that no data could fail."""
    for place, check in enumerate(plan.model.quality):
        if not _bounded(check):
            name = check.id or f"{check.check} of {check.dataset}"
            yield Fault(("quality", place), f"the check {name!r} has no threshold")


def _bounded(check: QualityCheck) -> bool:
    match check.check:
        case "freshness":
            return check.within is not None
        case "range" | "volume":
            return check.between is not None
        case "domain":
            return bool(check.values)
        case "regex":
            return check.pattern is not None
        case "drift":
            return check.threshold is not None and bool(check.shares)
        case "null" | "unique" | "referential" | "duplicate" | "out_of_order" | "sql":
            return check.threshold is not None


def migration_without_window(plan: Plan) -> Iterator[Fault]:
    """A rollout, or a field that goes, without a compatibility mode and a time for readers to move."""
    contracts = plan.model.contracts
    if contracts is None:
        return
    if contracts.rollout and not contracts.policies:
        yield Fault(
            ("contracts", "rollout"),
            "versions roll out, and no dataset has a compatibility policy",
        )
    for dataset, policy in contracts.policies.items():
        for place, gone in enumerate(policy.deprecations):
            if policy.deprecation_window is None and (gone.announced is None or gone.removed is None):
                what = f"{dataset}.{gone.field} goes without a window between announcement and removal"
                yield Fault(("contracts", dataset, "deprecations", place), what)
        if contracts.rollout and policy.compatibility in {None, "NONE"}:
            yield Fault(
                ("contracts", dataset),
                f"versions roll out, and {dataset!r} promises no compatibility",
            )


def replay_without_idempotency(plan: Plan) -> Iterator[Fault]:
    """A replay whose records may count twice."""
    if plan.model.replay is not None and not plan.model.replay.idempotent_by:
        yield Fault(("replay",), "records that are replayed may count twice")


def cutover_without_triggers(plan: Plan) -> Iterator[Fault]:
    """A switch that nothing measurable turns back."""
    rollback = plan.model.rollback
    if plan.model.cutover is not None and (rollback is None or not rollback.triggers):
        yield Fault(
            ("cutover",),
            "the pipeline is switched over, and nothing says when to switch back",
        )


def lag_without_threshold(plan: Plan) -> Iterator[Fault]:
    """A stream behind which nobody notices the backlog."""
    if not is_streaming(plan):
        return
    alerts = plan.model.operations.alerts if plan.model.operations is not None else ()
    if not any(alert.signal == "lag" and alert.above is not None for alert in alerts):
        yield Fault(("operations", "alerts"), "no alert has a threshold for lag")


def skew_without_strategy(plan: Plan) -> Iterator[Fault]:
    """A hot key that makes its partition half as big again as the mean, or bigger, and no mitigation.

    The hot partition has h + (1 - h) / P of the records, the mean one 1 / P.
    """
    for place, source in enumerate(plan.model.sources):
        keys, partitions = source.keys, source.partitions
        if keys is None or keys.hottest_key is None or partitions is None or keys.mitigation:
            continue
        hot = keys.hottest_key.value
        times = (hot + (1 - hot) / partitions) * partitions
        if times > _MOST_SKEW:
            what = (
                f"the hottest key of {source.id!r} has {say_share(hot)}, which makes its partition "
                f"{times:.1f} times the mean of {partitions}"
            )
            yield Fault(("sources", place, "keys"), what)


def release_without_gates(plan: Plan) -> Iterator[Fault]:
    """A release that nothing could stop."""
    acceptance = plan.model.acceptance
    if acceptance is None or not (acceptance.release_gates or acceptance.validation):
        yield Fault(("acceptance",), "nothing is validated before the release")


ANTI_PATTERNS: tuple[AntiPattern, ...] = (
    AntiPattern(
        "ANT101",
        "Real time is not a batch that cron starts",
        "A result is as old as the interval between runs, whatever the class says.",
        "state ingestion.mode: stream, micro_batch or cdc, or a latency_class: of hourly or daily",
        cron_as_real_time,
    ),
    AntiPattern(
        "ANT102",
        "A stream has event-time semantics",
        "Without event time a delay, an outage or a replay changes the result.",
        "add semantics.event_time: with the field to the source, or processing_time: true without windows",
        stream_without_event_time,
    ),
    AntiPattern(
        "ANT103",
        "Incremental logic handles late, repeated and corrected records",
        "What is added up once and never again keeps every mistake for ever.",
        "add late: to the stage, and semantics.duplicates: and mutation.corrections: to its sources",
        incremental_without_corrections,
    ),
    AntiPattern(
        "ANT104",
        "Every quality check has a threshold",
        "A check that no data can fail is not a check.",
        "add threshold: to the check, or within:, between:, values:, pattern: by its kind",
        check_without_threshold,
    ),
    AntiPattern(
        "ANT105",
        "A schema migrates within a compatibility window",
        "Between the first and the last deployment both versions are read.",
        "add compatibility: and deprecation_window: to the dataset under contracts",
        migration_without_window,
    ),
    AntiPattern(
        "ANT106",
        "A replay is idempotent",
        "A replay ends where live records begin, and never exactly there.",
        "add replay.idempotent_by: with the fields that make a record the same",
        replay_without_idempotency,
    ),
    AntiPattern(
        "ANT107",
        "A cutover has rollback triggers",
        "On the day itself nobody agrees on what is bad enough.",
        "add rollback.triggers: with a measurement and a threshold each",
        cutover_without_triggers,
    ),
    AntiPattern(
        "ANT108",
        "Lag has a threshold",
        "Lag is the first sign of nearly every failure of a stream, and grows unseen.",
        "add {signal: lag, above: 10 min} to operations.alerts:",
        lag_without_threshold,
    ),
    AntiPattern(
        "ANT109",
        "Skewed keys have a strategy",
        "More workers do not help a partition that one key fills.",
        "add mitigation: to the source's keys, such as salting the hot key",
        skew_without_strategy,
    ),
    AntiPattern(
        "ANT110",
        "A release has validation gates",
        "What is not stated before the release is argued about after it.",
        "add validation: and release_gates: to acceptance",
        release_without_gates,
    ),
)

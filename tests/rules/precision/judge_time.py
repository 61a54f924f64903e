"""Judges of event time: streams played record by record, watermark by watermark."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from precision.bench import Answer, any_of, judge
from precision.written import Tree, at, checkpoint_seconds, num, number, outages

_RECORDS = 20_000


def _windowed(tree: Tree) -> Tree | None:
    last: Tree = tree["stages"][-1]
    return last if num(last, "window.fixed") else None


@judge(
    "EVT101", "20,000 records played: their disorder at the best and at the worst that the quantiles allow"
)
def complete(tree: Tree) -> Answer:
    stage, source = _windowed(tree), tree["sources"][0]
    wanted, lag = num(tree, "slos.0.completeness.share"), num(source, "semantics.watermark.lag")
    quantiles = at(source, "semantics.disorder")
    if stage is None or wanted is None or lag is None or not quantiles:
        return None
    points = sorted((float(name[1:]) / 100, number(value) or 0.0) for name, value in quantiles.items())
    window, late = num(stage, "window.fixed") or 0.0, num(stage, "window.allowed_lateness", 0.0) or 0.0
    best = _counted(points, window, lag + late, kindly=True)
    worst = _counted(points, window, lag + late, kindly=False)
    if best < wanted - 5e-5:
        return True
    return False if worst > wanted + 5e-5 else None


def _counted(points: list[tuple[float, float]], window: float, patience: float, *, kindly: bool) -> float:
    """The share of records that their window still takes, when one carrier moves the watermark.

    Record i arrives at i; its disorder is drawn in equal parts from the distribution that the quantiles
    allow: each as early as it may be (kindly), or as late.
    """
    shares = np.array([p for p, _ in points])
    values = np.array([v for _, v in points])
    part = (np.arange(_RECORDS) + 0.5) / _RECORDS
    place = np.searchsorted(shares, part)
    edges = np.concatenate(([0.0], values)) if kindly else np.concatenate((values, [np.inf]))
    behind = np.random.default_rng(1).permutation(edges[place])
    carrier = np.linspace(0, 100 * window, _RECORDS, endpoint=False) + window * 50
    event = carrier - np.where(np.isinf(behind), 1e15, behind)
    newest = np.maximum.accumulate(carrier)  # a record of disorder 0 comes with each of them
    end = (np.floor(event / window) + 1) * window
    dropped = newest - patience >= end
    return float(1 - dropped.mean())


@judge("EVT301", "a partition that falls silent at 30 phases: ticks, probes, windows and commits one by one")
def silence(tree: Tree) -> Answer:
    stage, source = _windowed(tree), tree["sources"][0]
    names = ("lag", "interval", "idle_timeout")
    lag, beat, idle = (num(source, f"semantics.watermark.{name}") for name in names)
    target = num(tree, "slos.0.freshness.p95")
    if stage is None or lag is None or not beat or idle is None or target is None:
        return None
    if (num(source, "partitions") or 1) < 2:
        return None
    window = num(stage, "window.fixed") or 1.0
    commits = _commits(tree, stage)
    if commits is None:
        return None
    early = [0.001, beat / 3, beat / 2, 0.9 * beat, window / 3, 0.9 * window]
    ages = [
        _age_in_silence(window, lag, beat, idle, (*commits, phase / 5), delta)
        for delta in early
        for phase in range(5)
    ]
    return max(ages) - (window if at(tree, "slos.0.freshness.from") == "window_end" else 0.0) > target


def _commits(tree: Tree, stage: Tree) -> tuple[float, float] | None:
    """Every how many seconds a checkpoint starts, and how long it takes; zeros where nothing waits for it."""
    if at(tree, "sinks.0.guarantee.kind") != "transactional":
        return (0.0, 0.0)
    every, takes = num(stage, "checkpoint.interval"), checkpoint_seconds(stage)
    if not every or takes is None:
        return None
    return max(every, takes + (num(stage, "checkpoint.min_pause", 0.0) or 0.0)), takes


def _age_in_silence(
    window: float, lag: float, beat: float, idle: float, commits: tuple[float, float, float], early: float
) -> float:
    """How old a window's first record is when it is seen, if a partition fell silent `early` before its turn.

    At each tick a partition with new records is active; at the next one without any its timer starts, and at
    the first after the timeout it counts as idle (as in Flink's WatermarksWithIdleness).
    """
    end = 10 * window
    silent = end + lag - early
    noticed = math.ceil(silent / beat) * beat
    started = noticed + beat
    idle_at = started + (math.floor(idle / beat) + 1) * beat
    fires = max(idle_at, math.ceil((end + lag) / beat) * beat)
    every, takes, phase = commits
    if every:
        begins = (math.ceil(fires / every - phase) + phase) * every
        fires = begins + takes
    return fires - (end - window)


@judge("EVT302", "two records a normal gap apart: is the partition counted out between them?")
def counted_out(tree: Tree) -> Answer:
    source = tree["sources"][0]
    idle, gap = num(source, "semantics.watermark.idle_timeout"), num(source, "semantics.normal_gap")
    if idle is None or gap is None:
        return None
    last_record, next_record = 0.0, gap
    return next_record - last_record > idle


@judge(
    "EVT401", "a record from the future, then honest ones at p99.9 of disorder from every place of a window"
)
def future(tree: Tree) -> Answer:
    stage, source = _windowed(tree), tree["sources"][0]
    skew, lag = num(source, "semantics.clock.max_skew"), num(source, "semantics.watermark.lag")
    if stage is None or skew is None or lag is None or at(source, "semantics.clock.future") != "accept":
        return None
    quantiles = at(source, "semantics.disorder") or {}
    late_by = number(quantiles.get("p99.9"))
    if late_by is None:
        return None
    window, late = num(stage, "window.fixed") or 1.0, num(stage, "window.allowed_lateness", 0.0) or 0.0
    now = 1000 * window + late_by
    watermark = now + skew - lag
    for step in range(1, 401):
        event = now - late_by - window * (1 - step / 400) - 1e-9
        end = (math.floor(event / window) + 1) * window
        shifted = watermark + (event - (now - late_by))  # the same moment, seen from this record
        if shifted - late >= end + 1e-6:
            return True
    return False


@judge("EVT402", "four partitions read again, one at half speed: are records of it dropped?")
def replayed(tree: Tree) -> Answer:
    stage, source = _windowed(tree), tree["sources"][0]
    scope, lag = at(source, "semantics.watermark.scope"), num(source, "semantics.watermark.lag")
    if stage is None or "replay" not in tree or scope is None or lag is None:
        return None
    if (num(source, "partitions") or 1) < 2:
        return None
    window, late = num(stage, "window.fixed") or 1.0, num(stage, "window.allowed_lateness", 0.0) or 0.0
    span = 40 * (window + lag + late)
    positions = [0.0, 0.0]
    for _ in range(1000):
        positions = [positions[0] + span / 1000, positions[1] + span / 2000]
        newest = max(positions) if scope == "merged" else min(positions)
        end = (math.floor(positions[1] / window) + 1) * window
        if newest - lag - late >= end:
            return True
    return False


@judge("EVT404", "a window of ten records and three late ones, its firings written to the sink and added up")
def sent_again(tree: Tree) -> Answer:
    stage = _windowed(tree)
    mode = at(tree, "sinks.0.mode")
    late = num(stage, "window.allowed_lateness", 0.0) if stage else None
    if stage is None or mode is None or not late:
        return None
    kind = at(stage, "window.accumulation") or ("accumulating" if at(stage, "engine") == "flink" else None)
    if kind is None:
        return None
    firings = [10, 13] if kind == "accumulating" else [10, 3]
    shown = 0
    for firing in firings:
        shown = shown + firing if mode == "append" else firing
    return shown != 13


@judge("ORD102", "two records of one key, the first fails once: does the older state end up last?")
def overtaken(tree: Tree) -> Answer:
    last, source = tree["stages"][-1], tree["sources"][0]
    order = at(source, "semantics.ordering")
    if "retry" not in last or order in {None, "none"}:
        return None
    passes = at(last, "retry.blocking") is False
    written = [(2, "new"), (1, "old")] if passes else [(1, "old"), (2, "new")]
    kept = max(written) if at(source, "cdc.version") else written[-1]
    return kept != (2, "new")


@judge("ORD103", "records of one key through the exchange to workers of different speed")
def raced(tree: Tree) -> Answer:
    if at(tree, "sources.0.semantics.ordering") in {None, "none"}:
        return None
    found: list[Answer] = []
    for stage in tree["stages"]:
        exchange = at(stage, "inputs.0.exchange") or "forward"
        workers = int(num(stage, "parallelism.now") or 2)
        out = []
        for record in range(8):
            worker = record % max(workers, 2) if exchange == "rebalance" else 0
            out.append((record + 5 * (worker == 0), record))
        found.append([record for _, record in sorted(out)] != list(range(8)))
    return any_of(found)


@judge("ORD104", "three records for each partition, dealt out in turn and read back partition by partition")
def in_total(tree: Tree) -> Answer:
    partitions = min(num(tree, "sources.0.partitions") or 0, 500.0) or None
    if at(tree, "sources.0.semantics.ordering") != "total" or partitions is None:
        return None
    many = 3 * min(int(partitions), 500)
    logs = [[n for n in range(many) if n % int(partitions) == log] for log in range(int(partitions))]
    return [n for log in logs for n in log] != list(range(many))


@judge("SCD102", "the start of every day from 2026 to 2036 taken to UTC and back, by both of its folds")
def odd_start(tree: Tree) -> Answer:
    schedule = at(tree, "ingestion.schedule")
    if not schedule or "zone" not in schedule or "cron" not in schedule:
        return None
    return _odd(schedule["cron"], schedule["zone"])


@cache
def _odd(cron: str, name: str) -> bool:
    from datetime import UTC, datetime, timedelta
    from zoneinfo import ZoneInfo

    minute, hour = cron.split()[:2]
    if "*" in minute + hour:
        return False  # each hour that there is has its run, by the clock that never jumps
    zone = ZoneInfo(name)
    day = datetime(2026, 1, 1, int(hour), int(minute))  # noqa: DTZ001  (a local time, which may not exist)
    while day.year <= 2036:
        first, second = (day.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        back = first.astimezone(zone).replace(tzinfo=None)
        if first != second or back != day:
            return True
        day += timedelta(days=1)
    return False


def _starts(cron: str, days: int) -> list[float] | None:
    """The seconds of all starts in `days` days of 24 hours."""
    minute, hour, *rest = cron.split()
    if rest != ["*", "*", "*"]:
        return None
    minutes = range(0, 60, int(minute[2:])) if minute.startswith("*/") else [int(minute)]
    hours = range(24) if hour == "*" else [int(hour)]
    return [d * 86_400.0 + h * 3600 + m * 60 for d in range(days) for h in hours for m in minutes]


@judge("SCD103", "thirty days of runs listed: more at once than are allowed?")
def overlap(tree: Tree) -> Answer:
    length, cron = num(tree, "ingestion.schedule.run_length"), at(tree, "ingestion.schedule.cron")
    starts = _starts(cron, 30) if cron else None
    if length is None or starts is None:
        return None
    most = num(tree, "ingestion.concurrency", 1.0) or 1.0
    return any(sum(1 for s in starts if s <= now < s + length) > most for now in starts[-200:])


@judge("SCD104", "all starts listed, and those counted that the longest stop hides, wherever it begins")
def caught_up(tree: Tree) -> Answer:
    schedule, cron = at(tree, "ingestion.schedule"), at(tree, "ingestion.schedule.cron")
    starts = _starts(cron, 400) if cron else None
    if not schedule or schedule.get("catch_up") is not True or starts is None:
        return None
    most = num(schedule, "max_catch_up_runs")
    stops = [(num(o, "detect") or 0) + (num(o, "repair") or 0) for o in outages(tree, *_KINDS)]
    if most is None or not stops or max(stops) > 300 * 86_400:
        return None
    down = max(stops)
    begins = [*(start for start in starts[:60]), *(start - 1.0 for start in starts[1:60])]
    import bisect

    missed = [
        bisect.bisect_left(starts, begin + down - 1e-9) - bisect.bisect_left(starts, begin - 1e-9)
        for begin in begins
    ]
    return max(missed) > most


_KINDS = ("source", "broker", "job", "worker", "zone", "sink")

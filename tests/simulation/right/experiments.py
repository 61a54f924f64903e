"""Sums over many records, against which closed forms and published figures are held. Seeds are fixed."""

from __future__ import annotations

import heapq
import math

import numpy as np
import numpy.typing as npt

from pipelineplan.eventtime.emission import Periodic
from pipelineplan.eventtime.other_engines import spark_drops
from pipelineplan.eventtime.timeliness import FixedWindows, Judgement, classify
from pipelineplan.eventtime.watermarks import Scope, Watermark
from pipelineplan.simulation.acts.event_marks import EventMarks
from pipelineplan.simulation.chance.replicating import in_weather
from pipelineplan.simulation.control import run_scenario
from pipelineplan.simulation.figures.curves import Curves
from pipelineplan.simulation.figures.measures import measure
from pipelineplan.simulation.network import Checkpoint, Exchange, Inlet, Network, SourceLog, Stage
from pipelineplan.simulation.records.record_waits import served, walk
from pipelineplan.simulation.scenario import Breaks, Outage, Scenario
from pipelineplan.simulation.weather import Weather

Floats = npt.NDArray[np.float64]
DAY = 86_400.0
# One unit of time is a million milliseconds, so that whole milliseconds lose nothing that shows.
UNIT = 1_000_000


# Waiting by chance ------------------------------------------------------------------------------------------


def wait_by_record(
    rate_per_second: float, capacity_per_second: float, service_cv: float, seconds: float, runs: int
) -> float:
    """The mean wait before service of T2's records, the first tenth of each run left out."""
    network = Network(SourceLog("log", 1), (Stage("job", 1, capacity_per_second, service_cv=service_cv),))
    scenario = Scenario("steady", ((0.0, rate_per_second),), horizon_seconds=seconds, settle_seconds=seconds)
    run, means = run_scenario(network, scenario), []
    for number in range(runs):
        found = walk(run, Weather(3, number))
        later = found.born > seconds / 10
        means.append(float((found.out - found.born)[later].mean()) - 1.0 / capacity_per_second)
    return float(np.mean(means))


def waits_of_servers(servers: int, offered_load: float, records: int) -> dict[str, float]:
    """M/M/c by the recursion of Kiefer and Wolfowitz: the first server that is free takes the next record."""
    random = np.random.default_rng(7)
    came = np.cumsum(random.exponential(1.0 / offered_load, records)).tolist()
    work = random.exponential(1.0, records).tolist()
    free = [0.0] * servers
    waited = total = 0.0
    for at, needed in zip(came, work, strict=True):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + needed)
        waited += begins > at
        total += begins - at
    return {"share_that_waits": waited / records, "wait_in_service_times": total / records}


def wait_in_batches(mean_batch: float, load: float, records: int) -> float:
    """The mean wait, in service times, where batches of a geometric number come at once; fixed service."""
    random = np.random.default_rng(5)
    sizes = random.geometric(1.0 / mean_batch, int(records / mean_batch))
    came = np.repeat(np.cumsum(random.exponential(mean_batch / load, len(sizes))), sizes)
    done = served(came, np.ones(len(came)), compiled=False)
    return float((done - came).mean()) - 1.0


def drains_in_weather(runs: int) -> dict[str, float]:
    """Drains of 4,000 records at 80/s in and 100/s out by T1's replications."""
    network = Network(SourceLog("log", 1), (Stage("job", 1, 100.0),))
    away = (Outage(Breaks.SINK, 60.0, 0.0, 50.0),)
    scenario = Scenario("out", ((0.0, 80.0),), away, horizon_seconds=600.0, settle_seconds=1.0)
    drains = []
    for number in range(runs):
        run = run_scenario(network, in_weather(network, scenario, Weather(11, number, 5.0)))
        drains.append(run.phases[0].drain_seconds)
    return {"mean": float(np.mean(drains)), "standard_deviation": float(np.std(drains, ddof=1))}


def first_passages(
    backlog_records: float, rate_per_second: float, capacity_per_second: float, runs: int
) -> dict[str, float]:
    """Drains record by record: Poisson arrivals and services until the backlog has gone."""
    random = np.random.default_rng(3)
    both = rate_per_second + capacity_per_second
    left = np.full(runs, int(backlog_records))
    seconds = np.zeros(runs)
    going = left > 0
    while going.any():
        # As many changes as there are records left cannot empty any queue before the last of them.
        many = left[going]
        seconds[going] += random.gamma(many, 1.0 / both)
        left[going] += many - 2 * random.binomial(many, capacity_per_second / both)
        going = left > 0
    return {"mean": float(seconds.mean()), "standard_deviation": float(seconds.std(ddof=1))}


def littles_law() -> float:
    """Records waiting over time, by the waits of records: a day of 64 partitions with a sink outage."""
    weights = [1.0 + 0.6 * each / 63 for each in range(64)]
    shares = [weight / math.fsum(weights) for weight in weights]
    shares[-1] += 1.0 - math.fsum(shares)
    network = Network(
        SourceLog("events", 64, explicit_shares=tuple(shares)),
        (Stage("parse", 64, 26_000.0), Stage("mart", 64, 25_000.0, Exchange.KEYED, hottest_key=0.005)),
        Checkpoint(60.0, 8.0, sync_stall_seconds=0.25),
    )
    load = tuple(
        (3600.0 * hour, 850_000.0 + 150_000.0 * math.sin(hour / 24 * math.tau)) for hour in range(24)
    )
    away = (Outage(Breaks.SINK, 30_000.0, 300.0, 1500.0),)
    run = run_scenario(network, Scenario("day", load, away, horizon_seconds=DAY, settle_seconds=DAY))
    curves = Curves(run)
    held = float(np.trapezoid(curves.lag.records, curves.lag.time))
    places = (np.arange(20_000) + 0.5) / 20_000
    total = float(curves.appended_at(np.array([run.fluid.now]))[0])
    came = np.interp(places * total, curves.appended, curves.appended_time)
    waits = 0.0
    for partition, share in enumerate(curves.shares):
        gone = np.minimum(curves.read_at(partition, came), run.fluid.now)
        waits += float(share) * total * float((gone - came).mean())
    return held / waits


# Event time -------------------------------------------------------------------------------------------------


def idle_ms(interval_ms: int, idle_timeout_ms: int, last_event_ms: int) -> float:
    """When a partition turns idle whose only record came then."""
    return float(Periodic(interval_ms, 0, idle_timeout_ms).idle_from(np.array([last_event_ms]))[0])


def late_share(
    records_per_unit: float, lag_units: float, partitions: int = 1, window_units: float = 0.0
) -> float:
    """The share of 400,000 Poisson records with exponential delays of 1 that come too late.

    Behind the watermark itself, or behind the end of their window where there is one.
    """
    random, records = np.random.default_rng(20), 400_000
    born = np.cumsum(random.exponential(1 / records_per_unit, records))
    order = np.argsort(born + random.exponential(1.0, records), kind="stable")
    scope = Scope.PER_PARTITION if partitions > 1 else Scope.MERGED
    windows = FixedWindows(max(1, round(window_units * UNIT)))
    judgement = Judgement(Watermark(round(lag_units * UNIT), scope, partitions), windows)
    times = np.round(born[order] * UNIT).astype(np.int64)
    return float((classify(judgement, times, random.integers(0, partitions, records)).timeliness > 0).mean())


def late_share_thinned(records_per_unit: float, lag_units: float, one_of: int) -> float:
    """The same of four million records of which one in so many is kept, with the watermark of those alone."""
    random, records = np.random.default_rng(21), 4_000_000
    born = np.cumsum(random.exponential(1 / records_per_unit, records))
    came = born + random.exponential(1.0, records)
    kept = random.random(records) < 1.0 / one_of
    times = np.round(born[kept][np.argsort(came[kept], kind="stable")] * UNIT).astype(np.int64)
    judgement = Judgement(Watermark(round(lag_units * UNIT)), FixedWindows(1))
    return float((classify(judgement, times).timeliness > 0).mean())


def late_integral(
    records_per_unit: float, lag_units: float, partitions: int = 1, window_units: float = 0.0
) -> float:
    """P(late) of the same records as an integral over the delay, averaged over the window.

    `integral of f(x) (1 - exp(-(r/P) integral from 0 to x - B of F))^P dx`, with B the lag and, of a
    record in a window, what is left of it: each length is as likely.
    """
    left = (np.arange(400) + 0.5) / 400 * window_units if window_units else np.array([0.0])
    beyond = np.linspace(0.0, 40.0, 40_001)
    behind = (-np.expm1(-records_per_unit / partitions * (beyond + np.expm1(-beyond)))) ** partitions
    whole = float(np.trapezoid(np.exp(-beyond) * behind, beyond))
    # An exponential delay forgets: only how far x is beyond lag and window counts.
    return whole * float(np.exp(-(lag_units + left)).mean())


def replayed_late_share(*, merged: bool, hours: float, lag_seconds: float, by_record: bool) -> float:
    """What is dropped of four partitions replayed at 1 to 2 times the same speed, windows of a minute.

    By the marks on the fluid's curves, or record by record in the order in which they are read.
    """
    drop = _by_order if by_record else _by_marks
    return drop(hours, lag_seconds, (3.0, 4.0, 5.0, 6.0), merged=merged)


def _by_order(hours: float, lag_seconds: float, speeds: tuple[float, ...], *, merged: bool) -> float:
    each = int(hours * 3600.0)
    happened = np.tile(np.arange(each), len(speeds))
    partition = np.repeat(np.arange(len(speeds)), each)
    order = np.argsort(happened / np.array(speeds)[partition], kind="stable")
    scope = Scope.MERGED if merged else Scope.PER_PARTITION
    watermark = Watermark(round(lag_seconds * 1000), scope, len(speeds))
    times = happened[order].astype(np.int64) * 1000
    judged = classify(Judgement(watermark, FixedWindows(60_000)), times, partition[order])
    return float((judged.timeliness >= 2).mean())


def _by_marks(hours: float, lag_seconds: float, speeds: tuple[float, ...], *, merged: bool) -> float:
    logs = [SourceLog(f"log{number}", 1, part=0.25) for number in range(len(speeds))]
    readers = tuple(
        Stage(f"read{number}", 1, speed, inlets=(Inlet(f"log{number}"),))
        for number, speed in enumerate(speeds)
    )
    merge = Stage("window", 1, math.inf, inlets=tuple(Inlet(each.name) for each in readers))
    network = Network(logs[0], (*readers, merge), beside=tuple(logs[1:]))
    marks = EventMarks(lag_seconds, 60.0, merged=merged)
    length = hours * 3600.0
    away = Outage(Breaks.SOURCE, 0.0, 0.0, length)
    rates = ((0.0, 4.0), (length, 0.0))
    scenario = Scenario("replay", rates, (away,), horizon_seconds=3 * length, acts=(marks,))
    return measure(run_scenario(network, scenario))["dropped_records"][1] / (4.0 * length)


def dropped_behind(engine: str, behind_seconds: float, lag_seconds: float) -> float:
    """Two partitions, one of them that far behind, windows of a minute: the share that the engine drops.

    Flink takes the least watermark over partitions, Spark the newest event time over all of them.
    """
    seconds = 7200
    happened = np.concatenate((np.arange(seconds), np.arange(seconds) - behind_seconds)) + 10 * 3600.0
    partition = np.repeat((0, 1), seconds)
    order = np.argsort(np.tile(np.arange(seconds), 2), kind="stable")
    times = np.round(happened[order] * 1000).astype(np.int64)
    windows = FixedWindows(60_000)
    if engine == "spark":
        batches = np.arange(len(times)) // 20
        return float(spark_drops(windows, times, batches, round(lag_seconds * 1000)).mean())
    watermark = Watermark(round(lag_seconds * 1000), Scope.PER_PARTITION, 2)
    return float((classify(Judgement(watermark, windows), times, partition[order]).timeliness >= 2).mean())

"""Judges of load: workers dealt their records one by one, queues stepped through time, and the fluid T1."""

from __future__ import annotations

import math
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from precision.bench import Answer, any_of, judge
from precision.written import Tree, arriving, at, busiest, num, outages, shares

_SIMULATED = ("apiVersion", "kind", "metadata", "sources", "stages", "sinks", "slos", "outages")
# What T1 does not read in the runs below: leaving it out lets mutants of it share a result.
_LEFT_OUT = {
    "sources": {"cdc", "producer_buffer", "replication", "min_insync_replicas", "acks", "owner"},
    "stages": {"files", "dead_letters", "late", "operator_uids", "retry"},
    "semantics": {"clock", "ordering", "normal_gap", "duplicates"},
}


BY_T1 = {"CAP101", "CAP201", "CAP301", "EVT201"}


@cache
def _peak() -> Any:
    from pipelineplan.simulation.acts.library import read_library

    return next(recipe for recipe in read_library() if recipe.name == "peak")


@lru_cache(maxsize=64)
def _results(text: str) -> dict[str, Any]:
    from pipelineplan.plan import read_plan
    from pipelineplan.simulation import from_plan, simulating
    from pipelineplan.simulation.arranging import End
    from pipelineplan.simulation.network import NotSimulated

    with TemporaryDirectory() as folder:
        file = Path(folder) / "plan.yaml"
        file.write_text(text, encoding="utf-8")
        plan = read_plan(file)
    found = {}
    for pipeline in from_plan.pipelines_of(plan)[0]:
        runs = {"peak": simulating._of_recipe(_peak())}
        for index, outage in enumerate(pipeline.inputs[End.LIKELY].outages):
            name = outage.name or outage.of.value
            runs[f"{index} {name}"] = simulating._of_outage(index, name)
        for name, arranged in runs.items():
            with suppress(NotSimulated, ValueError, OverflowError):
                found[name] = simulating.run_ends(pipeline, arranged, None)
    return found


def simulated(tree: Tree) -> dict[str, Any]:
    """T1's results at peak and in each outage, on the parts of the plan that it reads."""
    kept = {key: tree[key] for key in _SIMULATED if key in tree}
    for key in ("sources", "stages"):
        kept[key] = [{k: v for k, v in one.items() if k not in _LEFT_OUT[key]} for one in tree[key]]
    for source in kept["sources"]:
        if "semantics" in source:
            meant = source["semantics"].items()
            source["semantics"] = {k: v for k, v in meant if k not in _LEFT_OUT["semantics"]}
    return _results(yaml.dump(kept, Dumper=yaml.CSafeDumper, sort_keys=False))


@judge("CAP101", "T1: lag at the end of the simulated peak hour")
def keeps_up(tree: Tree) -> Answer:
    peak = simulated(tree).get("peak")
    if peak is None or _loops(tree):
        return None
    return bool(peak.figures["peak_lag_records"].value > 1e-5 * peak.figures["arrived_records"].value)


def _loops(tree: Tree) -> bool:
    """Whether checkpoints fail by themselves and restart the job: CHK101's harm, from which all follows."""
    peak = simulated(tree).get("peak")
    return peak is not None and "job_restarts" in peak.figures and peak.figures["job_restarts"].value > 0


@judge("CAP201", "T1: how long the simulated backlog of each outage takes to drain")
def drains(tree: Tree) -> Answer:
    if _loops(tree):
        return None
    verdicts = [
        verdict.verdict.value
        for scenario in simulated(tree).values()
        for verdict in scenario.slo_verdicts
        if verdict.objective == "drain"
    ]
    return any_of({"fails": True, "holds": False, "unknown": None}[each] for each in verdicts)


@judge("CAP301", "T1: records that expire unread, or a reader whose position expired, in any outage")
def expires(tree: Tree) -> Answer:
    seen: list[Answer] = []
    for name, scenario in simulated(tree).items():
        if name != "peak":
            halted = any("position expired" in note for note in scenario.notes)
            seen.append(bool(halted or scenario.figures["lost_records"].value > 0))
    if _loops(tree) or keeps_up(tree) or num(tree, "sources.0.retention.time") is None:
        return None  # what never catches up loses records later than a run is long
    return any_of(seen)


@judge("EVT201", "T1: the simulated freshness at peak against the target")
def fresh(tree: Tree) -> Answer:
    peak = simulated(tree).get("peak")
    if peak is None or _loops(tree) or keeps_up(tree):
        return None
    said = [v.verdict.value for v in peak.slo_verdicts if v.objective.startswith("freshness")]
    return any_of({"fails": True, "holds": False, "unknown": None}[each] for each in said)


@judge("CAP102", "partitions or key groups handed out one by one; the fullest against the plan's limit")
def headroom(tree: Tree) -> Answer:
    limit = num(tree, "capacity.max_utilisation")
    return any_of(_beyond(busiest(tree, i), _able(one, limit)) for i, one in enumerate(tree["stages"]))


def _able(stage: Tree, part: float | None = 1.0) -> float | None:
    able = num(stage, "capacity")
    return None if able is None or part is None else able * part


def _beyond(left: float | None, right: float | None) -> Answer:
    return None if left is None or right is None else left > right * (1 + 1e-9)


@judge("CAP103", "every set of lost workers taken away, and the partitions handed out again one by one")
def survivors(tree: Tree) -> Answer:
    found: list[Answer] = []
    for outage in outages(tree, "worker", "zone"):
        for place, stage in enumerate(tree["stages"]):
            workers = int(num(stage, "parallelism.now") or 0)
            domains = int(num(tree, "capacity.failure_domains") or 0)
            if not workers or (outage["of"] == "zone" and not domains):
                found.append(None)
                continue
            zones = [len(range(zone, workers, domains)) for zone in range(domains)]
            lost = 1 if outage["of"] == "worker" else max(zones)
            left = workers - lost
            found.append(True if left < 1 else _beyond(busiest(tree, place, left), _able(stage)))
    return any_of(found)


@judge("CAP104", "partitions or key groups handed out one by one; is there a worker without any?")
def idle_workers(tree: Tree) -> Answer:
    found: list[Answer] = []
    for place in range(len(tree["stages"])):
        held = shares(tree, place)
        found.append(None if held is None else min(held) <= 0)
    return any_of(found)


@judge("BKF101", "replayed records dealt out beside the live ones, every partition by itself")
def beside_live(tree: Tree) -> Answer:
    if at(tree, "replay.isolation") == "separate_job" or "replay" not in tree:
        return None
    limit, part = num(tree, "replay.rate_limit"), num(tree, "capacity.max_utilisation")
    if limit is None:
        return None
    found: list[Answer] = []
    for place, stage in enumerate(tree["stages"]):
        held, live, peak = shares(tree, place), arriving(tree, place), num(tree, "sources.0.rate.peak")
        if held is None or live is None or not peak:
            found.append(None)
            continue
        both = [share * live + share * limit * (live / peak) for share in held]
        found.append(_beyond(max(both), _able(stage, part)))
    return any_of(found)


@judge("DLV201", "one second of records at the sink, every attempt of every layer counted")
def storm(tree: Tree) -> Answer:
    last, sink = tree["stages"][-1], tree["sinks"][0]
    attempts, able = num(last, "retry.attempts"), num(sink, "capacity")
    into = arriving(tree, len(tree["stages"]) - 1)
    if attempts is None or at(last, "retry.blocking") is not False or into is None or able is None:
        return None
    into *= num(sink, "inputs.0.selectivity", 1.0) or 0.0
    called = [one for one in at(tree, "reliability.dependencies") or () if one["id"] == "board"]
    tries = 1 + int(num(called[0], "retries", 0.0) or 0) if called else 1
    calls = sum(into for _attempt in range(int(attempts)) for _call in range(tries))
    return _beyond(calls, able * (num(sink, "writers") or last["parallelism"]["now"]))


@judge("DLV202", "a queue of single records through one worker, failing ones waited for one by one")
def blocked(tree: Tree) -> Answer:
    place, last = len(tree["stages"]) - 1, tree["stages"][-1]
    failing, attempts = num(last, "retry.failure_share"), num(last, "retry.attempts")
    able, own = num(last, "capacity"), busiest(tree, place)
    if at(last, "retry.blocking") is False or None in {failing, attempts, able, own} or not able or not own:
        return None
    if not failing or (attempts or 1) < 2:
        return None
    took = sum(_failing_record(last, Random(i)) for i in range(200)) / 200
    mean = (1 - failing) / able + failing * took
    return None if abs(mean * own - 1) < 0.03 else mean * own > 1


def _failing_record(stage: Tree, draw: Random) -> float:
    """Seconds that one record takes which fails every attempt: attempt, wait, attempt, wait, ..."""
    first, cap = num(stage, "retry.backoff.first"), num(stage, "retry.backoff.cap", math.inf)
    jitter, factor = at(stage, "retry.backoff.jitter") or "none", num(stage, "retry.backoff.factor", 2.0)
    each, spent = 1 / (num(stage, "capacity") or 1), 0.0
    if first is None or cap is None or factor is None:
        return each * (num(stage, "retry.attempts") or 1)
    wait = before = first
    for attempt in range(int(num(stage, "retry.attempts") or 1)):
        spent += each
        if attempt == int(num(stage, "retry.attempts") or 1) - 1:
            break
        longest = min(cap, wait)
        if jitter == "full":
            spent += draw.uniform(0, longest)
        elif jitter == "decorrelated":
            before = min(cap, draw.uniform(first, 3 * before))
            spent += before
        else:
            spent += longest
        wait *= factor
    return spent


@judge("ORD101", "2,000 polls drawn: in each all records share the weather of one lognormal service time")
def polls(tree: Tree) -> Answer:
    source, reader = tree["sources"][0], tree["stages"][0]
    records, longest = num(source, "consumer.max_poll_records"), num(source, "consumer.max_poll_interval")
    able, spread = num(reader, "capacity"), num(reader, "service_cv")
    if at(reader, "engine") == "flink" or None in {records, longest, able, spread} or not able:
        return None
    sigma = math.sqrt(math.log(1 + (spread or 0.0) ** 2))
    draw = Random(7)
    waits = 0.0
    if reader is tree["stages"][-1] and at(reader, "retry.blocking"):
        only = {**reader, "capacity": "1e18/s"}
        waits = sum(_failing_record(only, Random(i)) for i in range(200)) / 200
    busy = sorted(
        (records or 0) * math.exp(draw.gauss(-sigma * sigma / 2, sigma)) / able + waits for _ in range(2000)
    )
    slow, slower = busy[int(0.988 * 2000)], busy[int(0.992 * 2000)]  # either side of the 99 % of chance
    if slow > (longest or 0):
        return True
    return False if slower <= (longest or 0) else None


@judge("FIL101", "the files of one day listed, with the bytes that went into them")
def small_files(tree: Tree) -> Answer:
    found: list[Answer] = []
    for place, stage in enumerate(tree["stages"]):
        if "files" not in stage:
            continue
        every = num(stage, "files.interval") or num(stage, "checkpoint.interval")
        mean, each = num(tree, "sources.0.rate.average"), num(tree, "sources.0.record.size")
        if not every or mean is None or each is None or at(stage, "files.compaction"):
            found.append(None)
            continue
        for one in tree["stages"][: place + 1]:
            mean *= num(one, "inputs.0.selectivity", 1.0) or 0.0
        writers, parts = num(stage, "files.writers", 1.0) or 1, num(stage, "files.partitions", 1.0) or 1
        files = sum(1 for _writer in range(int(writers)) for _part in range(int(parts)))
        found.append(_beyond(64e6, mean * each * every / files))
    return any_of(found)

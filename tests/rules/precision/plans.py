"""Random plans that hold with room to spare, written in base units.

Numbers are chosen forward: load, then workers that carry it, then outages, then what has to outlast
them. Which optional parts a plan has (a window, change capture, a polling reader, a schedule ...) is drawn.
"""

from __future__ import annotations

from random import Random

from precision.written import (
    Tree,
    arriving,
    bandwidth,
    busiest,
    checkpoint_seconds,
    down_seconds,
    num,
    per_second,
    percent,
    restart_seconds,
    s,
    size,
)


def random_plan(draw: Random, number: int) -> Tree:
    """One plan; the same for the same state of `draw`."""
    tree: Tree = {
        "apiVersion": "pipelineplan/v1",
        "kind": "DataPlan",
        "metadata": {"name": f"plan-{number}", "owner": "team", "quality_level": "production"},
    }
    peak = round(10 ** draw.uniform(3, 5), -1)
    tree["sources"] = [_source(draw, peak)]
    tree["stages"] = _stages(draw)
    tree["sinks"] = [_sink(draw, tree)]
    tree["capacity"] = {"max_utilisation": "70 %", "failure_domains": 3}
    _capacities(draw, tree)
    tree["outages"] = _outages(draw)
    _total(draw, tree)
    _state_and_checkpoints(draw, tree)
    _patience(draw, tree)
    _what_outlasts(draw, tree)
    for part in (_change_capture, _polling, _files, _retries, _switch, _replay, _schedule):
        part(draw, tree)
    _promises(draw, tree)
    return tree


def _source(draw: Random, peak: float) -> Tree:
    ordering = draw.choice(["none", "per_key", "per_partition"])
    return {
        "id": "events",
        "system": "kafka",
        "owner": "team",
        "partitions": draw.choice([6, 8, 12, 24, 48]),
        "replication": 3,
        "min_insync_replicas": 2,
        "acks": "all",
        "record": {"size": size(draw.randrange(200, 2000))},
        "rate": {"average": per_second(round(peak / draw.uniform(1.5, 3))), "peak": per_second(peak)},
        "keys": {"field": "user_id", "hottest_key": percent(round(draw.uniform(0, 0.02), 4))},
        "semantics": {"event_time": "at", "ordering": ordering},
    }


def _stages(draw: Random) -> list[Tree]:
    engine = draw.choice(["flink", "flink", "kafka_streams"])
    count: Tree = {
        "id": "count",
        "engine": engine,
        "inputs": [
            {"from": "events", "exchange": draw.choice(["forward", "keyed", "keyed"]), "key": "user_id"}
        ],
        "parallelism": {"now": draw.choice([3, 4, 6, 8, 12]), "max": draw.choice([120, 128, 240])},
        "service_cv": round(draw.uniform(0, 1.2), 2),
        "mode": "incremental",
        "guarantee": "exactly_once",
        "operator_uids": "stable",
    }
    if draw.random() < 0.4:
        clean = {**count, "id": "clean", "inputs": [{"from": "events", "exchange": "forward"}]}
        clean["parallelism"] = dict(count["parallelism"])
        count["inputs"] = [{"from": "clean", "exchange": "keyed", "key": "user_id", "selectivity": 0.8}]
        return [clean, count]
    return [count]


def _sink(draw: Random, tree: Tree) -> Tree:
    kind = draw.choice(["idempotent", "transactional", "transactional"])
    sink: Tree = {
        "id": "board",
        "inputs": [{"from": "count", "exchange": "forward", "selectivity": 0.1}],
        "owner": "team",
        "guarantee": {"kind": kind},
        "idempotency_key": ["user_id", "minute"],
        "writers": tree["stages"][-1]["parallelism"]["now"],
    }
    if draw.random() < 0.7:
        sink["mode"] = draw.choice(["upsert", "append"])
    return sink


def _capacities(draw: Random, tree: Tree) -> None:
    """Each worker carries the survivors' load with a third to spare, and its own at half."""
    for place, stage in enumerate(tree["stages"]):
        workers = stage["parallelism"]["now"]
        partitions = tree["sources"][0]["partitions"]
        if stage["inputs"][0]["exchange"] == "forward" and workers > partitions:
            workers = stage["parallelism"]["now"] = partitions
        lost = busiest(tree, place, workers - -(-workers // 3)) or 0.0
        own = busiest(tree, place) or 0.0
        stage["capacity"] = per_second(round(max(1.3 * lost, own * draw.uniform(1.9, 3.0)), 1))
    tree["sinks"][0]["writers"] = tree["stages"][-1]["parallelism"]["now"]
    into = (arriving(tree, len(tree["stages"]) - 1) or 0.0) * 0.1
    tree["sinks"][0]["capacity"] = per_second(round(40 * into / tree["sinks"][0]["writers"], 1))


def _outages(draw: Random) -> list[Tree]:
    kinds = ["job", "broker", *draw.sample(["worker", "zone", "sink", "source"], 2)]
    return [
        {
            "of": kind,
            "detect": s(draw.randrange(30, 400, 10)),
            "repair": s(draw.randrange(60, 2400, 30)),
            "mean_time_between": "2592000 s",
        }
        for kind in kinds
    ]


def _state_and_checkpoints(draw: Random, tree: Tree) -> None:
    """One job, so its stages share their checkpoints: the same object, as a YAML anchor would make it."""
    last = tree["stages"][-1]
    workers = last["parallelism"]["now"]
    total = 10 ** draw.uniform(8.5, 10.5)
    each = draw.randrange(100, 900)
    last["state"] = {
        "keys": int(total / each),
        "bytes_per_key": size(each),
        "amplification": 1.2,
        "changed_per_interval": "10 %",
        "bandwidth": bandwidth(round(total / workers / draw.uniform(20, 90))),
        "restore_bandwidth": bandwidth(round(total / workers / draw.uniform(20, 90))),
        "budget": size(round(total * 1.2 * draw.uniform(1.3, 2.5))),
        "backend": "rocksdb",
    }
    checkpoint: Tree = {
        "interval": s(draw.choice([30, 60, 120])),
        "incremental": True,
        "tolerable_failures": draw.choice([1, 2, 3]),
        "restart": s(draw.randrange(20, 90)),
        "min_pause": s(draw.choice([5, 10, 20])),
    }
    last["checkpoint"] = checkpoint
    if draw.random() < 0.4:
        checkpoint["duration"] = s(draw.randrange(2, 15))
    takes = checkpoint_seconds(last) or 1.0
    checkpoint["timeout"] = s(round(max(60.0, takes * draw.uniform(2.6, 5))))
    for stage in tree["stages"][:-1]:
        checkpoint.setdefault("duration", s(round(takes, 1)))
        stage["checkpoint"] = checkpoint


def _patience(draw: Random, tree: Tree) -> None:
    """Disorder, the watermark that waits for it, the window, and the clocks."""
    last, source = tree["stages"][-1], tree["sources"][0]
    points = sorted(10 ** draw.uniform(-0.5, 2.3) for _ in range(6))
    names = ("p50", "p90", "p99", "p99.9", "p99.99", "p99.999")
    disorder = {name: s(round(point, 1)) for name, point in zip(names, points, strict=True)}
    gap = draw.randrange(2, 30)
    source["semantics"] |= {
        "disorder": disorder,
        "lateness": disorder,
        "normal_gap": s(gap),
        "watermark": {
            "lag": s(round(points[2] * draw.uniform(1.0, 1.5) + 1, 1)),
            "interval": s(draw.choice([0.2, 0.5, 1])),
            "scope": "per_partition",
            "idle_timeout": s(round(gap * draw.uniform(1.5, 4))),
        },
    }
    source["semantics"]["clock"] = {"max_skew": s(round(draw.uniform(0.1, 20), 1)), "future": "accept"}
    if draw.random() < 0.8:
        late = points[4] + points[3] + 25
        last["window"] = {
            "fixed": s(draw.choice([10, 60, 300, 900])),
            "allowed_lateness": s(round(late * draw.uniform(1.1, 2))),
            "accumulation": "discarding" if tree["sinks"][0].get("mode") == "append" else "accumulating",
        }
        last["late"] = {"to": "side_output", "owner": "team", "alert": "1 %"}


def _what_outlasts(draw: Random, tree: Tree) -> None:
    """Everything that has to be kept for longer than the longest stop, and drain targets that can be met."""
    last, source, sink = tree["stages"][-1], tree["sources"][0], tree["sinks"][0]
    checkpoint = last["checkpoint"]
    again = 2 * (num(checkpoint, "interval") or 0) + 2 * (checkpoint_seconds(last) or 0)
    restart = restart_seconds(last) or 0.0
    stops = {
        outage["of"]: (down_seconds(outage, last) or 0.0)
        + again
        + (restart if outage["of"] == "sink" else 0.0)
        for outage in tree["outages"]
    }
    longest = max(stops.values())
    for outage in tree["outages"]:
        used = max(
            (busiest(tree, i) or 0) / (num(one, "capacity") or 1) for i, one in enumerate(tree["stages"])
        )
        drained = stops[outage["of"]] * used / (1 - used) + (restart if outage["of"] == "sink" else 0.0)
        outage["drain_target"] = s(round(drained * draw.uniform(1.3, 2.5) + 5))
    source["retention"] = {"time": s(round(longest * draw.uniform(3.3, 9) + 600)), "cleanup": "delete"}
    source["producer_buffer"] = s(round(longest * draw.uniform(1.2, 2)))
    source["semantics"]["duplicates"] = {
        "key": ["user_id", "sequence"],
        "horizon": s(round(longest * draw.uniform(1.3, 3))),
    }
    source["consumer"] = {
        "offset_reset": "none",
        "offsets_retention": s(round(longest * draw.uniform(1.5, 20))),
    }
    window = (num(last, "window.fixed") or 0) + (num(last, "window.allowed_lateness") or 0)
    patience = window + (num(source, "semantics.watermark.lag") or 0)
    last["state"]["ttl"] = {
        "time": s(round((patience + longest) * draw.uniform(1.3, 3))),
        "clock": "processing",
    }
    if sink["guarantee"]["kind"] == "transactional":
        attempt = (num(checkpoint, "timeout") or 0) + max(
            num(checkpoint, "interval") or 0, num(checkpoint, "min_pause") or 0
        )
        span = (2 + checkpoint["tolerable_failures"]) * attempt + longest
        timeout = round(span * draw.uniform(1.2, 2))
        sink["guarantee"] |= {"timeout": s(timeout), "broker_max": s(round(timeout * draw.uniform(1.1, 2)))}
    last["dead_letters"] = {
        "topic": "dlq",
        "owner": "team",
        "triage": s(86_400 * 2),
        "retention": s(86_400 * 7),
    }
    if draw.random() < 0.25:
        source["retention"] |= {"cleanup": "compact_delete", "tombstones": s(round(6 * 3600 + 2 * longest))}


def _change_capture(draw: Random, tree: Tree) -> None:
    if draw.random() < 0.5:
        return
    stop = max((num(o, "detect") or 0) + (num(o, "repair") or 0) for o in tree["outages"])
    silence, wal = max(stop, 7200.0), draw.randrange(1_000_000, 9_000_000)
    cap = wal * silence * draw.uniform(2.2, 4)
    tree["sources"][0]["cdc"] = {
        "slot_created": "before_snapshot",
        "wal_rate": bandwidth(wal),
        "snapshot": "7200 s",
        "slot_cap": size(round(cap)),
        "disk_free": size(round(cap * draw.uniform(1.2, 2))),
        "heartbeat": s(draw.choice([5, 10, 30])),
        "primary_key": ["user_id"],
        "version": "lsn",
    }


def _polling(draw: Random, tree: Tree) -> None:
    reader = tree["stages"][0]
    if reader["engine"] == "flink":
        return
    records = draw.choice([100, 500, 1000])
    slow = records / (num(reader, "capacity") or 1) * 8
    tree["sources"][0]["consumer"] |= {
        "max_poll_records": records,
        "max_poll_interval": s(round(max(60.0, slow * draw.uniform(1.3, 4)))),
    }


def _files(draw: Random, tree: Tree) -> None:
    if draw.random() < 0.6:
        return
    place = draw.randrange(len(tree["stages"]))
    stage = tree["stages"][place]
    mean = (num(tree, "sources.0.rate.average") or 0) * (num(tree, "sources.0.record.size") or 0)
    writers, parts = stage["parallelism"]["now"], draw.choice([1, 4, 24])
    every = 64e6 * writers * parts / (mean * 0.8) * draw.uniform(1.2, 3)
    stage["files"] = {"interval": s(round(every + 1)), "writers": writers, "partitions": parts}


def _retries(draw: Random, tree: Tree) -> None:
    last, source = tree["stages"][-1], tree["sources"][0]
    if draw.random() < 0.3:
        return
    ordered = source["semantics"]["ordering"] != "none" and "cdc" not in source
    blocking = ordered or draw.random() < 0.5
    attempts = draw.choice([2, 3, 4])
    last["retry"] = {
        "attempts": attempts,
        "blocking": blocking,
        "failure_share": percent(0.00001),
        "backoff": {"first": "0.1 s", "cap": "5 s", "jitter": draw.choice(["none", "full", "decorrelated"])},
    }
    if blocking:
        spare = 1 / (busiest(tree, len(tree["stages"]) - 1) or 1) - 1 / (num(last, "capacity") or 1)
        last["retry"]["failure_share"] = percent(round(spare / 20 / draw.uniform(2, 6), 9))
    elif draw.random() < 0.5:
        retries = draw.choice([1, 2])
        tree["reliability"] = {"dependencies": [{"id": "board", "retries": retries, "timeout": "5 s"}]}


def _switch(draw: Random, tree: Tree) -> None:
    if draw.random() < 0.4:
        return
    kept = num(tree, "sources.0.retention.time") or 0.0
    age = round(kept / draw.uniform(1.2, 2))
    tree["rollback"] = {
        "deadline": s(round(age / draw.uniform(1.1, 2))),
        "savepoint_age": s(age),
        "triggers": ["freshness > 8 min for 10 min"],
        "steps": ["point the view at the old table"],
    }
    tree["cutover"] = {
        "steps": [
            {
                "id": "parity",
                "does": "Compare both tables over a day",
                "owner": "team",
                "threshold": "0 rows",
            },
            {
                "id": "move-reads",
                "does": "Move reads to the new table",
                "owner": "team",
                "threshold": "8 min",
            },
            {"id": "retire", "does": "Stop the old job", "owner": "team", "threshold": "14 d"},
        ]
    }


def _replay(draw: Random, tree: Tree) -> None:
    if draw.random() < 0.5:
        return
    days = draw.choice([1, 2, 3])
    where = draw.choice(["topic", "lake"])
    apart = draw.choice(["separate_job", "shared"])
    if where == "topic":
        kept = max(num(tree, "sources.0.retention.time") or 0.0, days * 86_400 * draw.uniform(2.5, 5))
        tree["sources"][0]["retention"]["time"] = s(round(kept))
    average = num(tree, "sources.0.rate.average") or 0.0
    limit = average * draw.uniform(0.6, 2) if where == "topic" else average
    if apart == "shared":
        for place, stage in enumerate(tree["stages"]):
            own = busiest(tree, place) or 1.0
            room = 0.7 * (num(stage, "capacity") or 0.0) / own - 1
            limit = min(limit, room * (num(tree, "sources.0.rate.peak") or 0.0) / 1.3)
    tree["replay"] = {
        "input": where,
        "from": "2026-11-01",
        "to": f"2026-11-0{1 + days}",
        "rate_limit": per_second(round(limit, 1)),
        "isolation": apart,
        "idempotent_by": ["user_id"],
    }


def _schedule(draw: Random, tree: Tree) -> None:
    """A nightly or hourly run beside the stream: its clock, its length, its catching up."""
    if draw.random() < 0.6:
        return
    cron, every = draw.choice([("15 4 * * *", 86_400), ("20 * * * *", 3600), ("*/30 * * * *", 1800)])
    stop = max((num(o, "detect") or 0) + (num(o, "repair") or 0) for o in tree["outages"])
    tree["ingestion"] = {
        "mode": "stream",
        "concurrency": draw.choice([1, 2]),
        "schedule": {
            "cron": cron,
            "zone": "UTC" if every < 86_400 else draw.choice(["Europe/Berlin", "America/New_York"]),
            "catch_up": True,
            "max_catch_up_runs": int(stop / every) + 3,
            "run_length": s(round(every / draw.uniform(1.5, 4))),
        },
    }


def _total(draw: Random, tree: Tree) -> None:
    """Now and then one partition in a total order."""
    source = tree["sources"][0]
    one = draw.random() < 0.08 and source["semantics"]["ordering"] == "per_partition"
    if not one or tree["stages"][0]["inputs"][0]["exchange"] != "forward":
        return
    source |= {"partitions": 1, "keys": {"field": "user_id"}}
    source["semantics"]["ordering"] = "total"
    for stage in tree["stages"]:
        stage["parallelism"]["now"] = 1
        stage["capacity"] = per_second(3 * (num(source, "rate.peak") or 0.0))
    tree["outages"] = [outage for outage in tree["outages"] if outage["of"] not in {"worker", "zone"}]


def _promises(draw: Random, tree: Tree) -> None:
    last, source = tree["stages"][-1], tree["sources"][0]
    slo: Tree = {"for": "board"}
    commit = 0.0
    if tree["sinks"][0]["guarantee"]["kind"] == "transactional":
        takes, pause = checkpoint_seconds(last) or 0.0, num(last, "checkpoint.min_pause") or 0.0
        commit = max(num(last, "checkpoint.interval") or 0.0, takes + pause) + takes
    lag, beat = (
        num(source, "semantics.watermark.lag") or 0.0,
        num(source, "semantics.watermark.interval") or 0.0,
    )
    idle = num(source, "semantics.watermark.idle_timeout") or 0.0
    window = num(last, "window.fixed") or 0.0
    since = draw.choice(["record", "window_end"]) if window else "record"
    longest = (window if since == "record" else 0.0) + lag + 4 * beat + idle + commit
    late = num(source, "semantics.lateness.p99") or 0.0
    slo["freshness"] = {"p95": s(round((longest + late) * draw.uniform(1.2, 2) + 5)), "from": since}
    if window:
        slo["completeness"] = {"share": percent(draw.choice([0.99, 0.995, 0.999])), "at": "final"}
    tree["slos"] = [slo]

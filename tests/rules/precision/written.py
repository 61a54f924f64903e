"""Reads the numbers of a plan's tree without the package: what judges go by must not be what is judged.

"90 s" -> 90.0     "4500/s" -> 4500.0     "2.5 %" -> 0.025     12 -> 12.0     a missing key -> None
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Tree = dict[str, Any]


def at(tree: Any, path: str) -> Any:
    """What stands at `path` ("sources.0.semantics.watermark.lag"), or None."""
    for step in path.split("."):
        if isinstance(tree, list) and step.isdigit() and int(step) < len(tree):
            tree = tree[int(step)]
        elif isinstance(tree, dict) and step in tree:
            tree = tree[step]
        else:
            return None
    return tree


def number(value: Any) -> float | None:
    """A number in base units; the plans here are written in base units only."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    text = str(value)
    if text.endswith("%"):
        return float(text[:-1]) / 100
    return float(text.split(maxsplit=1)[0].removesuffix("/s"))


def num(tree: Any, path: str, default: float | None = None) -> float | None:
    """The number at `path`, or `default`."""
    found = number(at(tree, path))
    return default if found is None else found


def s(value: float) -> str:
    return f"{value:.12g} s"


def per_second(value: float) -> str:
    return f"{value:.12g}/s"


def size(value: float) -> str:
    return f"{value:.12g} B"


def bandwidth(value: float) -> str:
    return f"{value:.12g} B/s"


def percent(value: float) -> str:
    return f"{100 * value:.12g} %"


def outages(tree: Tree, *kinds: str) -> Iterator[Tree]:
    """The outages of these kinds."""
    return (one for one in tree.get("outages", ()) if one["of"] in kinds)


# ------------------------------------------------------------------ who gets how many records


def dealt(weights: list[float], workers: int) -> list[float]:
    """Partitions handed out one by one, round and round."""
    held = [0.0] * workers
    for place, weight in enumerate(weights):
        held[place % workers] += weight
    return held


def in_ranges(weights: list[float], workers: int) -> list[float]:
    """Key groups handed out as Flink does it: group g goes to worker g * workers // groups."""
    held = [0.0] * workers
    for group, weight in enumerate(weights):
        held[group * workers // len(weights)] += weight
    return held


def shares(tree: Tree, place: int, workers: int | None = None) -> list[float] | None:
    """What part of all records each worker of stage `place` gets, the hot key where it hurts most."""
    stage = tree["stages"][place]
    read = stage["inputs"][0]
    workers = workers or int(num(stage, "parallelism.now") or 0)
    source = tree["sources"][0]
    hot = num(source, "keys.hottest_key", 0.0) or 0.0
    if workers < 1:
        return None
    if read.get("exchange") == "rebalance":
        return [1.0 / workers] * workers
    if read.get("exchange") == "keyed":
        groups, deal = num(stage, "parallelism.max"), in_ranges
    elif read.get("exchange", "forward") == "forward" and place == 0:
        groups, deal = num(source, "partitions"), dealt
    else:
        return shares(tree, place - 1, workers)
    if groups is None:
        return None
    held = deal([(1 - hot) / groups] * int(groups), workers)
    if read.get("exchange") == "keyed" and read.get("key") not in {None, at(source, "keys.field")}:
        return deal([1 / groups] * int(groups), workers)
    held[held.index(max(held))] += hot
    return held


def arriving(tree: Tree, place: int) -> float | None:
    """Records per second that come to stage `place` at peak."""
    rate = num(tree, "sources.0.rate.peak")
    if rate is None:
        return None
    for stage in tree["stages"][: place + 1]:
        rate *= num(stage, "inputs.0.selectivity", 1.0) or 0.0
    return rate


def busiest(tree: Tree, place: int, workers: int | None = None) -> float | None:
    """Records per second at the busiest worker of stage `place`."""
    held, rate = shares(tree, place, workers), arriving(tree, place)
    return None if held is None or rate is None else max(held) * rate


# ------------------------------------------------------------------ how long things take


def state_of_largest(stage: Tree) -> float | None:
    """Bytes of state of the task that has most key groups."""
    keys, each = num(stage, "state.keys"), num(stage, "state.bytes_per_key")
    groups, workers = num(stage, "parallelism.max"), num(stage, "parallelism.now")
    if None in {keys, each, groups, workers}:
        return None
    more = num(stage, "state.amplification", 1.0) or 0.0
    held = in_ranges([1.0 / int(groups or 1)] * int(groups or 1), int(workers or 1))
    return (keys or 0) * (each or 0) * more * max(held)


def checkpoint_seconds(stage: Tree) -> float | None:
    """How long its largest task writes, or what is stated."""
    stated = num(stage, "checkpoint.duration")
    if stated is not None:
        return stated
    held, speed = state_of_largest(stage), num(stage, "state.bandwidth")
    if held is None or not speed:
        return None
    part = num(stage, "state.changed_per_interval", 1.0) if at(stage, "checkpoint.incremental") else 1.0
    return held * (part if part is not None else 1.0) / speed


def restart_seconds(stage: Tree) -> float | None:
    """Until a job runs again with its state."""
    base, speed = num(stage, "checkpoint.restart"), num(stage, "state.restore_bandwidth")
    if base is None:
        return None
    held = state_of_largest(stage)
    return base + (held / speed if held is not None and speed else 0.0)


def down_seconds(outage: Tree, stage: Tree) -> float | None:
    """From the failure until records are read again."""
    base = restart_seconds(stage) if outage["of"] in {"job", "worker", "zone"} else 0.0
    detect, repair = num(outage, "detect"), num(outage, "repair")
    if base is None or detect is None or repair is None:
        return None
    return detect + repair + base


def checkpoint_starts(stage: Tree, count: int) -> list[tuple[float, float]] | None:
    """When each of the first `count` checkpoints starts and ends, the first at 0."""
    every, takes = num(stage, "checkpoint.interval"), checkpoint_seconds(stage)
    if not every or takes is None:
        return None
    pause = num(stage, "checkpoint.min_pause", 0.0) or 0.0
    found, now = [], 0.0
    for _ in range(count):
        found.append((now, now + takes))
        now = max(now + every, now + takes + pause)
    return found

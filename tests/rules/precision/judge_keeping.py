"""Judges of what is kept, acknowledged, written and merged: timelines gone through event by event."""

from __future__ import annotations

from datetime import datetime

from precision.bench import Answer, any_of, judge
from precision.written import (
    Tree,
    at,
    checkpoint_seconds,
    checkpoint_starts,
    down_seconds,
    in_ranges,
    num,
    outages,
    restart_seconds,
)


def _exceeds(left: float | None, right: float | None) -> Answer:
    return None if left is None or right is None else left > right * (1 + 1e-9)


@judge(
    "CHK101",
    "the largest task's bytes counted key group by key group, written at half speed",
)
def completes(tree: Tree) -> Answer:
    found: list[Answer] = []
    for stage in tree["stages"]:
        takes, timeout = checkpoint_seconds(stage), num(stage, "checkpoint.timeout")
        found.append(_exceeds(None if takes is None else 2 * takes, timeout))
    return any_of(found)


@judge("CHK102", "one checkpoint that fails: is the job restarted?")
def restarts(tree: Tree) -> Answer:
    found: list[Answer] = []
    for stage in tree["stages"]:
        tolerated = num(stage, "checkpoint.tolerable_failures")
        failed = 1
        found.append(None if tolerated is None else failed > tolerated)
    return any_of(found)


@judge("CHK201", "a transaction followed through failed checkpoints, a crash and the restart that commits it")
def expires_open(tree: Tree) -> Answer:
    last, sink = tree["stages"][-1], tree["sinks"][0]
    if at(sink, "guarantee.kind") != "transactional" or at(sink, "guarantee.two_phase_participation"):
        return None
    names = ("interval", "timeout", "tolerable_failures")
    every, timeout, tolerated = (num(last, f"checkpoint.{name}") for name in names)
    tau = num(sink, "guarantee.timeout")
    if every is None or timeout is None or tolerated is None or tau is None:
        return None
    pause = num(last, "checkpoint.min_pause", 0.0) or 0.0
    stops = [down_seconds(outage, last) for outage in outages(tree, "job", "worker", "zone")]
    if not stops or None in stops:
        return None
    begun, ended = 0.0, timeout  # the checkpoint that opened it uses its timeout up too
    for _failure in range(int(tolerated) + 1):
        begun = max(begun + every, ended + pause)
        ended = begun + timeout
    crash = ended
    committed = crash + max(stop for stop in stops if stop is not None)
    return committed > tau


@judge("CHK202", "the producer asks the broker for its timeout")
def refused(tree: Tree) -> Answer:
    if at(tree, "sinks.0.guarantee.kind") != "transactional":
        return None
    return _exceeds(num(tree, "sinks.0.guarantee.timeout"), num(tree, "sinks.0.guarantee.broker_max"))


@judge("CAP302", "the reader's position expired while it was down: where does it go on, and what is between?")
def skipped(tree: Tree) -> Answer:
    kept, reset = num(tree, "sources.0.retention.time"), at(tree, "sources.0.consumer.offset_reset")
    if kept is None or reset is None:
        return None
    if reset != "earliest":
        stood, oldest, newest = 0.0, 1.0, 1.0 + kept  # a second of the log is gone when it comes back
        goes_on = newest if reset == "latest" else stood
        return goes_on > oldest
    last = tree["stages"][0]
    return any_of(
        _exceeds(_read_again(o, last) if o["of"] in _AGAIN else down_seconds(o, last), kept)
        for o in tree["outages"]
        if o["of"] != "sink"
    )


_AGAIN = {"job", "worker", "zone"}


@judge("CAP401", "the bytes of every key group summed, against the budget")
def too_large(tree: Tree) -> Answer:
    found: list[Answer] = []
    for stage in tree["stages"]:
        keys, each, budget = (num(stage, f"state.{name}") for name in ("keys", "bytes_per_key", "budget"))
        if budget is None:
            continue
        if keys is None or each is None:
            found.append(None)
            continue
        stored = each * (num(stage, "state.amplification", 1.0) or 0.0)
        found.append(_exceeds(sum(in_ranges([keys * stored / 97] * 97, 5)), budget))
    return any_of(found)


@judge("CAP402", "the last write of a window's state, and its latest record after the longest stop")
def forgotten(tree: Tree) -> Answer:
    last, ttl = tree["stages"][-1], num(tree["stages"][-1], "state.ttl.time")
    window, lag = num(last, "window.fixed"), num(tree, "sources.0.semantics.watermark.lag")
    if ttl is None or window is None or lag is None:
        return None
    written = 0.0
    latest = written + window + lag + (num(last, "window.allowed_lateness", 0.0) or 0.0)
    if at(last, "state.ttl.clock") != "event":
        stops = [_read_again(outage, last) for outage in outages(tree, "job", "worker", "zone", "sink")]
        if None in stops:
            return None
        latest += max((stop for stop in stops if stop is not None), default=0.0)
    return _exceeds(latest - written, ttl)


def _gives_up(stage: Tree, down: float) -> bool:
    """Whether checkpoints that cannot pass a sink fail so often before it is back that the job restarts."""
    every, timeout = num(stage, "checkpoint.interval"), num(stage, "checkpoint.timeout")
    if every is None or timeout is None:
        return False
    begun, failures = 0.0, 0
    while begun + timeout < down and failures < 100_000:
        failures += 1
        if failures > (num(stage, "checkpoint.tolerable_failures", 0.0) or 0.0):
            return True
        begun = max(begun + every, begun + timeout + (num(stage, "checkpoint.min_pause", 0.0) or 0.0))
    return False


def _read_again(outage: Tree, stage: Tree) -> float | None:
    """How much later a record may come again: read just after a barrier, it was in no checkpoint yet."""
    down = down_seconds(outage, stage)
    if down is None or (outage["of"] == "sink" and not _gives_up(stage, down)):
        return down
    if outage["of"] == "sink":
        restart = restart_seconds(stage)
        down = None if restart is None else down + restart
    starts = checkpoint_starts(stage, 3)
    if starts is None or down is None:
        return None
    first_read = starts[1][0]  # just after the second barrier, so only the third checkpoint holds it
    crash = starts[2][1]  # as that one is about to complete
    return crash - first_read + down


@judge(
    "CAP403", "a record read just after a barrier, and the crash just before the next checkpoint completes"
)
def comes_again(tree: Tree) -> Answer:
    last = tree["stages"][-1]
    horizon = num(tree, "sources.0.semantics.duplicates.horizon")
    if horizon is None or not at(tree, "sources.0.semantics.duplicates.key"):
        return None
    return any_of(_exceeds(_read_again(o, last), horizon) for o in outages(tree, "job", "worker", "zone"))


@judge("TMB101", "a deletion written as the reader stops; it starts again and reads the topic for an hour")
def resurrected(tree: Tree) -> Answer:
    source, last = tree["sources"][0], tree["stages"][-1]
    kept = num(source, "retention.tombstones")
    if at(source, "retention.cleanup") != "compact_delete" or kept is None:
        return None
    found: list[Answer] = []
    for outage in outages(tree, "job", "zone", "sink"):
        down = down_seconds(outage, last)
        found += [None if down is None else down + hour * 3600 > kept for hour in (0, 6)]
    if not found or None in found:
        return None
    return True if all(found[::2]) and any(found[::2]) else (None if any(found) else False)


@judge("DLV101", "twenty records through a crash, read again, written to the sink: lost or twice?")
def guaranteed(tree: Tree) -> Answer:
    source, sink = tree["sources"][0], tree["sinks"][0]
    kind = at(sink, "guarantee.kind")
    words = {"at_most_once": 0, "at_least_once": 1, "exactly_once": 2, "idempotent": 2, "transactional": 2}
    promised = max([words[at(tree["stages"][-1], "guarantee") or "at_most_once"], words[kind] if kind else 0])
    if (
        at(source, "acks") is None
        or any(at(stage, "guarantee") is None for stage in tree["stages"])
        or not kind
    ):
        return None
    sent = [n for n in range(20) if at(source, "acks") != "0" or n != 3]  # one is lost before the log
    seen, table = sent, {}
    for stage in tree["stages"]:
        seen = _through_a_crash(seen, stage["guarantee"])
    absorbs = (kind == "idempotent" and at(sink, "idempotency_key")) or (
        at(tree["stages"][-1], "guarantee") == "exactly_once" and at(source, "semantics.duplicates.key")
    )
    written = seen + (
        seen[8:12]
        if kind == "at_least_once" or (kind == "idempotent" and not at(sink, "idempotency_key"))
        else []
    )
    table = {n: (1 if absorbs and kind != "at_least_once" else written.count(n)) for n in set(written)}
    lost = len(table) < 20
    twice = any(count > 1 for count in table.values())
    return (lost and promised >= 1) or (twice and promised == 2)


def _through_a_crash(records: list[int], guarantee: str) -> list[int]:
    """The state of a stage whose checkpoint is after ten records and which crashes after fourteen."""
    if guarantee == "at_most_once":
        return records[:10] + records[14:]
    if guarantee == "at_least_once":
        return records[:14] + records[10:]
    return records


@judge("DLV102", "each broker that has a copy taken away: is the record still somewhere?")
def copies(tree: Tree) -> Answer:
    source = tree["sources"][0]
    least, acks = num(source, "min_insync_replicas"), at(source, "acks")
    if least is None or acks is None:
        return None
    holders = {"0": 0, "1": 1}.get(str(acks), int(least))
    return any(holders - 1 < 1 for _lost in range(max(1, holders)))


@judge("DLV103", "each of the replicas taken away: are enough left to accept a record?")
def writable(tree: Tree) -> Answer:
    least, there = num(tree, "sources.0.min_insync_replicas"), num(tree, "sources.0.replication")
    if least is None or there is None:
        return None
    return any(
        sum(1 for one in range(int(there)) if one != lost) < least for lost in range(min(int(there), 99))
    )


@judge("DLV104", "the oldest record in a producer's buffer when the broker takes records again")
def buffered(tree: Tree) -> Answer:
    holds = num(tree, "sources.0.producer_buffer")
    if holds is None:
        return None
    waits = [
        (num(o, "detect") or 0) + (num(o, "repair") or 0)
        for o in tree["outages"]
        if o["of"] == "broker" or o.get("accepts_writes") is False
    ]
    return any_of(_exceeds(wait, holds) for wait in waits)


@judge("DLV105", "the instant the last member leaves, and the first one that is back")
def offsets_gone(tree: Tree) -> Answer:
    kept = num(tree, "sources.0.consumer.offsets_retention")
    return any_of(_exceeds(down_seconds(o, tree["stages"][0]), kept) for o in outages(tree, "job", "zone"))


@judge("DLV203", "a dead letter written, expired, looked for")
def unread_letters(tree: Tree) -> Answer:
    letters = at(tree["stages"][-1], "dead_letters") or {}
    return _exceeds(num(letters, "triage"), num(letters, "retention"))


def _silences(tree: Tree) -> list[float] | None:
    found = [num(tree, "sources.0.cdc.snapshot", 0.0) or 0.0]
    stops = outages(tree, "source", "broker")
    return [*found, *((num(one, "detect") or 0) + (num(one, "repair") or 0) for one in stops)]


def _filled(tree: Tree, room: float | None) -> Answer:
    """Whether the log of the longest silence, written in 1,000 steps, runs over; once to twice: unseen."""
    rate, silences = num(tree, "sources.0.cdc.wal_rate"), _silences(tree)
    if rate is None or room is None or not silences:
        return None
    step = max(silences) / 1000
    filled = sum(rate * step for _ in range(1000))
    return True if filled > room else (False if 2 * filled <= room else None)


@judge(
    "CDC102",
    "the log of the longest silence written to the disk in steps (once to twice full: unseen)",
)
def disk(tree: Tree) -> Answer:
    return _filled(tree, num(tree, "sources.0.cdc.disk_free"))


@judge("CDC103", "the same, up to the slot's cap")
def cap(tree: Tree) -> Answer:
    return _filled(tree, num(tree, "sources.0.cdc.slot_cap"))


@judge("CDC104", "the slot filled to its cap: is the disk full before?")
def cap_on_disk(tree: Tree) -> Answer:
    return _exceeds(num(tree, "sources.0.cdc.slot_cap"), num(tree, "sources.0.cdc.disk_free"))


@judge("CDC106", "the log written between two beats of the slot (between once and twice: unseen)")
def quiet(tree: Tree) -> Answer:
    source = tree["sources"][0]
    rate, beat = num(source, "cdc.wal_rate"), num(source, "cdc.heartbeat")
    gap = num(source, "semantics.normal_gap")
    rooms = [room for name in ("disk_free", "slot_cap") if (room := num(source, f"cdc.{name}")) is not None]
    moves = [each for each in (beat, gap) if each is not None]
    if rate is None or not rooms or not moves:
        return None
    kept = rate * min(moves)
    return True if kept > min(rooms) else (False if 2 * kept <= min(rooms) else None)


@judge("CDC101", "a row changed while the snapshot runs: is it in the snapshot or in the slot?")
def gap_before_slot(tree: Tree) -> Answer:
    made = at(tree, "sources.0.cdc.slot_created")
    if made is None:
        return None
    slot, changed, snapshot = (0, 1, 0.5) if made == "before_snapshot" else (2, 1, 0.5)
    return not (changed < snapshot or changed >= slot)


@judge("CDC105", "a snapshot's old row that comes after the stream's newer one, merged by key and version")
def merged(tree: Tree) -> Answer:
    cdc = at(tree, "sources.0.cdc")
    if not cdc or at(tree, "sinks.0.mode") != "upsert":
        return None
    table: dict[str, tuple[int, str]] = {}
    for row, (version, value) in enumerate([(2, "new"), (1, "old")]):
        key = "k" if cdc.get("primary_key") else str(row)
        if key not in table or not cdc.get("version") or version > table[key][0]:
            table[key] = (version, value)
    return list(table.values()) != [(2, "new")]


def _instants(tree: Tree) -> tuple[float, float] | None:
    start, end = at(tree, "replay.from"), at(tree, "replay.to")
    if not start or not end:
        return None
    return datetime.fromisoformat(start).timestamp(), datetime.fromisoformat(end).timestamp()


@judge("BKF102", "1,000 records of the range read one after the other: how old is each when its turn comes?")
def expired_input(tree: Tree) -> Answer:
    kept, limit = num(tree, "sources.0.retention.time"), num(tree, "replay.rate_limit")
    mean, span = num(tree, "sources.0.rate.average"), _instants(tree)
    if at(tree, "replay.input") != "topic" or None in {kept, limit, mean} or span is None or not limit:
        return None
    start, end = span
    oldest, now = 0.0, end
    for step in range(1001):
        written = start + (end - start) * step / 1000
        oldest = max(oldest, now - written)
        now += (end - start) / 1000 * (mean or 0.0) / limit
    return None if abs(oldest / (kept or 1) - 1) < 0.002 else oldest > (kept or 0.0)


@judge("CUT201", "the last day of the way back: is the first record after the switch still in the log?")
def no_way_back(tree: Tree) -> Answer:
    return _exceeds(num(tree, "rollback.deadline"), num(tree, "sources.0.retention.time"))


@judge("CUT202", "the same day: is the savepoint still there, and the log that it reads on from?")
def no_savepoint(tree: Tree) -> Answer:
    age, kept = num(tree, "rollback.savepoint_age"), num(tree, "sources.0.retention.time")
    if age is None:
        return None
    found = [_exceeds(age, kept)] if kept is not None else []
    deadline = num(tree, "rollback.deadline")
    return any_of([*found, *([_exceeds(deadline, age)] if deadline is not None else [])])


@judge("CUT205", "the steps gone through in order: are reads moved before anything was compared?")
def unproved(tree: Tree) -> Answer:
    steps = at(tree, "cutover.steps") or []
    names = [step.get("id") for step in steps]
    if "move-reads" not in names:
        return None
    return "parity" not in names[: names.index("move-reads")]


@judge("EVT403", "a late record in the side output: does anybody look?")
def unowned(tree: Tree) -> Answer:
    late = at(tree["stages"][-1], "late")
    return None if not late or late.get("to") in {None, "drop"} else not late.get("owner")

"""REPLAY and WINDOW against brute force: every record enumerated, every reader run."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

from pipelineplan.contracts.avro import avro_of, resolve
from pipelineplan.contracts.evolution import Choices, Mode, Version, judge_mode
from pipelineplan.contracts.evolution.replay import Log, judge_replay, live, written
from pipelineplan.contracts.evolution.rollout import Rollout, Step, Upgrade, Wait, meetings, safe_order

# A version as fields, and whether each has a default: what a record needs to be read is then plain.
Fields = dict[str, bool]


def schema(fields: Fields) -> Any:
    made = [{"name": n, "type": "int"} | ({"default": 0} if default else {}) for n, default in fields.items()]
    return avro_of({"type": "record", "name": "R", "fields": made})


def read(reader: Fields, record: dict[str, int]) -> bool:
    """A reader at work on one record: what is not there is taken from the default, or it fails."""
    return all(name in record or default for name, default in reader.items())


def random_version(source: random.Random) -> Fields:
    return {name: source.random() < 0.5 for name in "abcd" if source.random() < 0.6} or {"a": False}


def versions_of(fields: list[Fields]) -> list[Version[Any]]:
    return [Version(f"v{i + 1}", schema(one)) for i, one in enumerate(fields)]


def replay_passes(fields: list[Fields], alive: list[int]) -> bool:
    versions = versions_of(fields)
    return judge_replay(versions[-1], [versions[i] for i in alive], resolve, Choices()).passes


def brute_replay(
    fields: list[Fields], spans: list[tuple[float, float]], logs: list[float], at: int, back: float
) -> tuple[bool, list[int]]:
    """Every record of every half day up to the replay, and what the reader does with those still there.

    All limits are whole days, so that whole and half days are in every interval that is not empty.
    """
    passes, seen = True, set()
    for instant in (half / 2 for half in range(2 * at + 1)):
        for version, (start, end) in enumerate(spans):
            kept = any(instant + horizon > at for horizon in logs)
            if start <= instant < end and kept and instant >= at - back:
                seen.add(version)
                passes = passes and read(fields[-1], dict.fromkeys(fields[version], 1))
    return passes, sorted(seen)


def test_replay_equals_brute_force_on_3000_histories() -> None:
    source, refused = random.Random("histories"), 0
    for _ in range(3000):
        count = source.randrange(1, 6)
        fields = [random_version(source) for _ in range(count)]
        starts = [float(day) for day in sorted(source.sample(range(60), count))]
        until = [source.choice([None, None, start + source.randrange(1, 30)]) for start in starts]
        spans = written(starts, float(source.randrange(4)), [*until[:-1], None])
        logs = [float(source.choice([0, 1, 5, 20])), source.choice([0.0, 10.0, math.inf, 30.0])]
        at, back = int(starts[-1]) + source.randrange(30), source.choice([math.inf, 7.0, 25.0])
        alive = live(spans, [Log("l", horizon) for horizon in logs], float(at), back)
        days = [(one.start_seconds, one.end_seconds) for one in spans]
        passes, seen = brute_replay(fields, days, logs, at, back)
        assert alive == seen
        assert replay_passes(fields, alive) is passes
        refused += not passes
    assert 500 < refused < 2500


V1, V2, V3 = {"id": False}, {"id": False, "region": True}, {"id": False, "region": False}
V4 = {**V3, "ch": True}
STARTS = (0.0, 20.0, 45.0, 80.0)
PAGE = Path(__file__).parents[2] / "docs/background/compatibility.md"


def four_situations() -> Iterator[tuple[str, ...]]:
    """The table of the page, computed: what each mode says, which versions are live, and what happens.

    What happens is told by records: one of each day, read by the new reader where the log still has it.
    """
    for known, at, retention in (3, 46, 30), (3, 46, 7), (4, 90, 60), (4, 90, 365):
        fields = [V1, V2, V3, V4][:known]
        versions = versions_of(fields)
        said = [
            judge_mode(versions, mode, resolve, Choices()).passes
            for mode in (Mode.BACKWARD, Mode.BACKWARD_TRANSITIVE)
        ]
        spans = written(STARTS[:known], 0.0, [None] * known)
        alive = live(spans, [Log("topic", retention)], at, math.inf)
        days = [(span.start_seconds, span.end_seconds) for span in spans]
        happens, seen = brute_replay(fields, days, [retention], at, math.inf)
        assert alive == seen
        words = ["passes" if passes else "refuses" for passes in (*said, replay_passes(fields, alive))]
        names = ", ".join(versions[index].name for index in alive)
        situation = f"{versions[-1].name} on day {at}, retention {retention} d"
        yield (situation, *words, names, "read" if happens else "v1 is not read")


def test_the_four_situations_are_as_the_page_says() -> None:
    rows = list(four_situations())
    lines = [f"| {' | '.join(row)} |" for row in rows]
    assert "\n".join(lines) in PAGE.read_text(encoding="utf-8"), "\n".join(lines)
    truth = ["passes" if row[-1] == "read" else "refuses" for row in rows]
    right = [sum(row[mode] == true for row, true in zip(rows, truth, strict=True)) for mode in (1, 2, 3)]
    assert right == [2, 2, 4]


def random_rollout(source: random.Random) -> Rollout:
    groups = [("consumers", "a"), ("producers", "p")]
    groups += [("consumers", "b")] if source.random() < 0.3 else []
    steps: list[Step] = []
    for _ in range(source.randrange(1, 5)):
        if source.random() < 0.3:
            steps.append(Wait(float(source.choice([1, 3, 10]))))
        else:
            side, group = source.choice(groups)
            steps.append(Upgrade(side, group, source.randrange(3), canary=source.random() < 0.2))
    horizon = source.choice([0.5, 2.0, 5.0])
    waiting = {3: float(source.randrange(7))} if source.random() < 0.4 else {}
    rollback = source.random() < 0.6
    declared = rollback and source.random() < 0.5
    back = random_way_back(source, groups) if declared else None
    return Rollout(dict.fromkeys(groups, 0), tuple(steps), horizon, rollback, back, waiting)


def random_way_back(source: random.Random, groups: list[Any]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for side, group in source.sample(groups, source.randrange(1, len(groups) + 1)):
        steps += [Wait(float(source.choice([1, 3])))] if source.random() < 0.3 else []
        steps.append(Upgrade(side, group, source.choice([0, 0, 1])))
    return tuple(steps)


class Timeline:
    """What happens, instant by instant: records are written one by one and readers read each of them."""

    def __init__(self, horizon: float) -> None:
        self.now, self.horizon = 0.0, horizon
        self.records: list[tuple[int, float]] = []
        self.read: set[tuple[int, int]] = set()

    def instant(self, running: dict[tuple[str, str], list[int]]) -> None:
        for (side, _), versions in running.items():
            if side == "producers":
                self.records += [(version, self.now) for version in versions]
        for (side, _), versions in running.items():
            for reader in versions if side == "consumers" else []:
                for version, at in self.records:
                    if self.now - at < self.horizon:
                        self.read.add((reader, version))


Fleet = dict[tuple[str, str], list[int]]


def brute_step(line: Timeline, running: Fleet, step: Step) -> Fleet:
    """What runs after one step, having watched what happens in it."""
    if isinstance(step, Wait):
        line.now += step.seconds
        line.instant(running)
        return running
    key = (step.side, step.group)
    both = running | {key: [*running[key], step.to]}
    line.instant(both)
    after = both if step.canary else running | {key: [step.to]}
    line.instant(after)
    return after


def brute_rollout(rollout: Rollout) -> set[tuple[int, int]]:
    """Everything up to each turn, from the beginning every time, and then the way back."""
    met: set[tuple[int, int]] = set()
    turns = [len(rollout.steps), *(range(1, len(rollout.steps) + 1) if rollout.rollback else ())]
    for back_at, turn in enumerate(turns):
        line = Timeline(rollout.horizon_seconds)
        # The last record of an earlier version was written just before the next one's first.
        line.records = [(version, -age - 1e-9) for version, age in rollout.waiting.items()]
        running: Fleet = {key: [version] for key, version in rollout.before.items()}
        line.instant(running)
        done: list[tuple[tuple[str, str], list[int]]] = []
        for step in rollout.steps[:turn]:
            if isinstance(step, Upgrade):
                done.append(((step.side, step.group), running[(step.side, step.group)]))
            running = brute_step(line, running, step)
        if back_at and rollout.back is not None:
            for step in rollout.back:
                running = brute_step(line, running, step)
        elif back_at:
            for key, old in reversed(done):
                running = running | {key: [*running[key], *old]}
                line.instant(running)
                running = running | {key: old}
                line.instant(running)
        met |= line.read
    return met


def test_meetings_equal_brute_force_on_3000_rollouts() -> None:
    source = random.Random("rollouts")
    for _ in range(3000):
        rollout = random_rollout(source)
        assert meetings(rollout) == brute_rollout(rollout), rollout


def test_a_safe_order_is_safe_and_none_means_none() -> None:
    source, found = random.Random("orders"), 0
    for _ in range(400):
        rollout = random_rollout(source)
        bad = {(source.randrange(3), source.randrange(3)) for _ in range(2)} - {(0, 0)}
        order = safe_order(rollout, bad)
        if order is not None:
            found += 1
            assert not brute_rollout(order) & bad
            assert sorted(map(str, upgrades(order))) == sorted(map(str, upgrades(rollout)))
        else:
            tried = permutations(upgrades(rollout))
            pause = Wait(rollout.horizon_seconds)
            assert all(brute_rollout(replace(rollout, steps=one)) & bad for one in paused(tried, pause))
    assert 100 < found < 400


def upgrades(rollout: Rollout) -> list[Upgrade]:
    return [step for step in rollout.steps if isinstance(step, Upgrade)]


def paused(orders: Iterable[tuple[Upgrade, ...]], pause: Wait) -> Iterator[tuple[Step, ...]]:
    """Each order with everything that can be waited for waited for."""
    return (tuple(one for step in order for one in (step, pause)) for order in orders)


def test_consumers_first_when_new_reads_old_and_rollback_asks_for_both() -> None:
    before = {("consumers", "c"): 0, ("producers", "p"): 0}
    steps = (Upgrade("producers", "p", 1), Upgrade("consumers", "c", 1))
    old_cannot_read_new = {(0, 1)}
    one_way = Rollout(before, steps, 7.0, rollback=False)
    assert meetings(one_way) & old_cannot_read_new
    assert safe_order(one_way, old_cannot_read_new) == replace(one_way, steps=(steps[1], steps[0]))
    assert safe_order(replace(one_way, rollback=True), old_cannot_read_new) is None


def test_a_declared_way_back_that_waits_is_safe_where_undoing_at_once_is_not() -> None:
    before = {("consumers", "c"): 0, ("producers", "p"): 0}
    steps = (Upgrade("consumers", "c", 1), Upgrade("producers", "p", 1))
    back = (Upgrade("producers", "p", 0), Wait(7.0), Upgrade("consumers", "c", 0))
    patient = Rollout(before, steps, 7.0, back=back)
    assert (0, 1) not in meetings(patient)
    assert (0, 1) in meetings(replace(patient, back=None))
    assert (0, 1) in meetings(replace(patient, back=(back[0], Wait(6.0), back[2])))


def test_records_of_an_earlier_version_count_while_they_are_there() -> None:
    only = Rollout({("consumers", "c"): 1, ("producers", "p"): 1}, (), 7.0, waiting={0: 6.0})
    assert meetings(only) == {(1, 0), (1, 1)}
    assert meetings(replace(only, waiting={0: 7.0})) == {(1, 1)}

"""Which reader meets which writer while a rollout goes on, and back.

    step                 readers        written      a reader may meet
    consumers to v2      v1, v2         v1           (v1,v1) (v2,v1)
    producers to v2      v2             v1, v2       (v2,v1) (v2,v2)
    back: producers      v2             v2, v1
    back: consumers      v2, v1         v1           (v1,v2): v2's records are still there

While a step goes on the old and the new version both run. A record may be unread, or be read again,
for `horizon_seconds`; steps may follow each other at once, and only a declared wait lets records age.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal, TypeAlias

from pipelineplan.contracts.evolution.change import Choices
from pipelineplan.contracts.evolution.modes import CompatResult, Reads, Schema, Version, judge_pair

Side: TypeAlias = Literal["consumers", "producers"]
MeetingPair: TypeAlias = tuple[int, int]
MOST_REORDERED = 6


@dataclass(frozen=True)
class Upgrade:
    """One group goes to the version number `to`; a canary leaves the old version running too."""

    side: Side
    group: str
    to: int
    canary: bool = False

    def shown(self, names: Sequence[str]) -> str:
        """The step for a message."""
        canary = " (canary)" if self.canary else ""
        return f"{self.side} {self.group} to {names[self.to]}{canary}"


@dataclass(frozen=True)
class Wait:
    """Nothing is changed for at least so long, and records age."""

    seconds: float

    def shown(self, names: Sequence[str]) -> str:  # noqa: ARG002  (the same question as of an upgrade)
        """The step for a message."""
        return f"wait {self.seconds / 86_400:g} d" if self.seconds < math.inf else "wait for ever"


Step: TypeAlias = Upgrade | Wait
Running: TypeAlias = dict[tuple[Side, str], frozenset[int]]


@dataclass(frozen=True)
class Rollout:
    """What runs before it, the steps, and whether any of them may be undone in reverse order."""

    before: Mapping[tuple[Side, str], int]
    steps: tuple[Step, ...]
    horizon_seconds: float
    rollback: bool = True


@dataclass
class _World:
    """What runs now, and the age in seconds of the youngest record of each version in the log."""

    running: Running
    ages: dict[int, float] = field(default_factory=dict)
    met: set[MeetingPair] = field(default_factory=set)

    def look(self) -> None:
        """Writers write, readers read whatever is there."""
        for writer in self.versions("producers"):
            self.ages[writer] = 0.0
        self.met |= {(reader, writer) for reader in self.versions("consumers") for writer in self.ages}

    def versions(self, side: Side) -> set[int]:
        return {version for (of, _), found in self.running.items() if of == side for version in found}

    def put(self, key: tuple[Side, str], versions: frozenset[int]) -> None:
        """Roll a group: what ran and what comes run beside each other, then only what comes."""
        self.running[key] = self.running.get(key, frozenset()) | versions
        self.look()
        self.running[key] = versions
        self.look()

    def wait(self, seconds: float, horizon_seconds: float) -> None:
        self.ages = {one: age + seconds for one, age in self.ages.items() if age + seconds < horizon_seconds}
        self.look()

    def copy(self) -> _World:
        return _World(dict(self.running), dict(self.ages), self.met)


def meetings(rollout: Rollout) -> set[MeetingPair]:
    """Every (reader, writer) pair of version numbers that may meet, rollback included."""
    world = _World({key: frozenset({version}) for key, version in rollout.before.items()})
    world.look()
    undo: list[tuple[tuple[Side, str], frozenset[int]]] = []
    for step in rollout.steps:
        match step:
            case Wait(seconds):
                world.wait(seconds, rollout.horizon_seconds)
            case Upgrade(side, group, to, canary):
                old = world.running.get((side, group), frozenset())
                undo.append(((side, group), old))
                world.put((side, group), old | {to} if canary else frozenset({to}))
        if rollout.rollback:
            back = world.copy()
            for key, versions in reversed(undo):
                back.put(key, versions)
    return world.met


def safe_order(rollout: Rollout, bad: set[MeetingPair]) -> tuple[Step, ...] | None:
    """An order of the upgrades in which no pair of `bad` meets, with waits where it takes them.

    None when there is none, or when there are more upgrades than are tried in every order.
    """
    upgrades = [step for step in rollout.steps if isinstance(step, Upgrade)]
    if len(upgrades) > MOST_REORDERED:
        return None
    orders = [rollout.steps, *_orders(upgrades, 0.0), *_orders(upgrades, rollout.horizon_seconds)]
    return next((steps for steps in orders if not _meets(rollout, steps, bad)), None)


def judge_window(
    rollout: Rollout, versions: Sequence[Version[Schema]], reads: Reads[Schema], choices: Choices
) -> CompatResult:
    """Every pair that `rollout` lets meet, judged; an order that is safe, or the pairs that conflict."""
    everybody = range(len(versions))
    judged = {
        (r, w): judge_pair(versions[r], versions[w], reads, choices, "readers during the rollout")
        for r in everybody
        for w in everybody
        if r != w
    }
    bad = {pair for pair, one in judged.items() if not one.passes}
    met = sorted(meetings(rollout) - {(one, one) for one in everybody})
    names = [version.name for version in versions]
    conflict = ", ".join(f"{names[r]} reads {names[w]}" for r, w in met if (r, w) in bad)
    order = safe_order(rollout, bad)
    if order is not None:
        advice = "safe order: " + "; ".join(step.shown(names) for step in order)
    elif sum(isinstance(step, Upgrade) for step in rollout.steps) > MOST_REORDERED:
        advice = f"more than {MOST_REORDERED} upgrades: no other order was tried"
    else:
        advice = f"no order of these steps is safe: {conflict}"
    return CompatResult("WINDOW", tuple(judged[pair] for pair in met), advice, conflict)


def _meets(rollout: Rollout, steps: tuple[Step, ...], bad: set[MeetingPair]) -> bool:
    tried = Rollout(rollout.before, steps, rollout.horizon_seconds, rollout.rollback)
    return bool(meetings(tried) & bad)


def _orders(upgrades: list[Upgrade], pause_seconds: float) -> Iterator[tuple[Step, ...]]:
    for order in permutations(upgrades):
        steps: list[Step] = []
        for upgrade in order:
            steps += [upgrade, Wait(pause_seconds)] if pause_seconds else [upgrade]
        yield tuple(steps)

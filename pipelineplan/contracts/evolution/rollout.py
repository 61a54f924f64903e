"""Which reader meets which writer while a rollout goes on, and back.

    step                 readers        written      a reader may meet
    consumers to v2      v1, v2         v1           (v1,v1) (v2,v1)
    producers to v2      v2             v1, v2       (v2,v1) (v2,v2)
    back: producers      v2             v2, v1
    back: consumers      v2, v1         v1           (v1,v2): v2's records are still there

While a step goes on the old and the new version both run. A record may be unread, or be read again,
for `horizon_seconds`; steps may follow each other at once, and only a declared wait lets records age.
Records of earlier versions that are still there when it begins count too.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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

    @property
    def key(self) -> tuple[Side, str]:
        """The group that is upgraded."""
        return (self.side, self.group)

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
_Group: TypeAlias = tuple[Side, str]
Running: TypeAlias = dict[_Group, frozenset[int]]


@dataclass(frozen=True)
class Rollout:
    """What runs before it, the steps, and whether it may be turned back after any of them.

    `back` are the steps of a declared way back; None undoes what was done in reverse order. `waiting`
    says of earlier versions how many seconds old their youngest record is when the rollout begins.
    """

    before: Mapping[tuple[Side, str], int]
    steps: tuple[Step, ...]
    horizon_seconds: float
    rollback: bool = True
    back: tuple[Step, ...] | None = None
    waiting: Mapping[int, float] = field(default_factory=dict)


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

    def take(self, step: Step, horizon_seconds: float) -> None:
        """One step of a rollout."""
        match step:
            case Wait(seconds):
                self.wait(seconds, horizon_seconds)
            case Upgrade(_, _, to, canary):
                old = self.running.get(step.key, frozenset())
                self.put(step.key, old | {to} if canary else frozenset({to}))

    def wait(self, seconds: float, horizon_seconds: float) -> None:
        self.ages = {one: age + seconds for one, age in self.ages.items() if age + seconds < horizon_seconds}
        self.look()

    def copy(self) -> _World:
        return _World(dict(self.running), dict(self.ages), self.met)


def meetings(rollout: Rollout) -> set[MeetingPair]:
    """Every (reader, writer) pair of version numbers that may meet, rollback included."""
    world = _World(
        {key: frozenset({version}) for key, version in rollout.before.items()},
        {version: age for version, age in rollout.waiting.items() if age < rollout.horizon_seconds},
    )
    world.look()
    undo: list[tuple[_Group, frozenset[int]]] = []
    for step in rollout.steps:
        if isinstance(step, Upgrade):
            undo.append((step.key, world.running.get(step.key, frozenset())))
        world.take(step, rollout.horizon_seconds)
        if rollout.rollback:
            _turn_back(world.copy(), rollout, undo)
    return world.met


def involved(rollout: Rollout) -> list[int]:
    """The numbers of the versions that anybody runs, or that are still in the log."""
    moves = [*rollout.steps, *(rollout.back or ())]
    to = [step.to for step in moves if isinstance(step, Upgrade)]
    return sorted({*rollout.before.values(), *to, *rollout.waiting})


def _turn_back(world: _World, rollout: Rollout, undo: Sequence[tuple[_Group, frozenset[int]]]) -> None:
    """Go back from where `world` is: as declared, else by undoing what was done, the last first."""
    if rollout.back is None:
        for key, versions in reversed(undo):
            world.put(key, versions)
    for step in rollout.back or ():
        world.take(step, rollout.horizon_seconds)


def safe_order(rollout: Rollout, bad: Collection[MeetingPair]) -> Rollout | None:
    """The rollout with its upgrades in an order in which no pair of `bad` meets, with waits if it takes them.

    The declared way back is kept where it is safe, else steps are undone in reverse. None when no order
    is safe, or when there are more upgrades than are tried in every order.
    """
    upgrades = [step for step in rollout.steps if isinstance(step, Upgrade)]
    if len(upgrades) > MOST_REORDERED:
        return None
    orders = [rollout.steps, *_orders(upgrades, 0.0), *_orders(upgrades, rollout.horizon_seconds)]
    backs = [rollout.back, None] if rollout.rollback and rollout.back is not None else [rollout.back]
    tried = (replace(rollout, steps=steps, back=back) for back in backs for steps in orders)
    return next((one for one in tried if not meetings(one) & set(bad)), None)


def advise(rollout: Rollout, bad: Collection[MeetingPair], names: Sequence[str]) -> str:
    """A safe order in words, or why there is none; `bad` are the pairs that must not meet."""
    order = safe_order(rollout, bad)
    if order is not None:
        back = "; back in reverse order" if order.back != rollout.back else ""
        return f"safe order: {'; '.join(step.shown(names) for step in order.steps)}{back}"
    if sum(isinstance(step, Upgrade) for step in rollout.steps) > MOST_REORDERED:
        return f"more than {MOST_REORDERED} upgrades: no other order was tried"
    return f"no order of these steps is safe: {conflicts(rollout, bad, names)}"


def conflicts(rollout: Rollout, bad: Collection[MeetingPair], names: Sequence[str]) -> str:
    """The pairs of `bad` that meet in the declared order, as `v1 reads v2`."""
    return ", ".join(f"{names[r]} reads {names[w]}" for r, w in sorted(meetings(rollout) & set(bad)))


def judge_window(
    rollout: Rollout, versions: Sequence[Version[Schema]], reads: Reads[Schema], choices: Choices
) -> CompatResult:
    """Every pair that `rollout` lets meet, judged; an order that is safe, or the pairs that conflict."""
    everybody = involved(rollout)
    judged = {
        (r, w): judge_pair(versions[r], versions[w], reads, choices, "readers during the rollout")
        for r in everybody
        for w in everybody
        if r != w
    }
    bad = {pair for pair, one in judged.items() if not one.passes}
    met = sorted(meetings(rollout) - {(one, one) for one in everybody})
    names = [version.name for version in versions]
    pairs = tuple(judged[pair] for pair in met)
    return CompatResult("WINDOW", pairs, advise(rollout, bad, names), conflicts(rollout, bad, names))


def _orders(upgrades: list[Upgrade], pause_seconds: float) -> Iterator[tuple[Step, ...]]:
    for order in permutations(upgrades):
        steps: list[Step] = []
        for upgrade in order:
            steps += [upgrade, Wait(pause_seconds)] if pause_seconds else [upgrade]
        yield tuple(steps)

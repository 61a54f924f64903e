"""When differences are worth somebody's night: drift over closed windows, with hysteresis.

    window        1      2      3      4       ...   9      10     11     12         tolerance 0.25 %, k = 4
    lost          0.1 %  0.1 %  0.1 %  0.1 %         0 %    0 %    0 %    0 %
    in sum        0.1 %  0.2 %  0.3 %  0.4 %         0.8 %  0.8 %  0.8 %  0
    level         quiet  quiet  quiet  escalated     escalated            quiet

Two ways lead up. k closed windows in a row differ by more than the tolerance; or windows that are each
within it lose (or gain) in sum more than the tolerance, over at least k windows: a cumulative sum on each
side, as in E. S. Page, Continuous Inspection Schemes, Biometrika 41, 1954, with a reference of 0, since
closed windows agree exactly when nothing is wrong. One way leads down: k windows in a row that agree to
within half the tolerance while the drift has stopped growing. In between nothing changes, so a difference
that swings around the tolerance calls once and not every window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How far it has come: nothing, some windows beyond tolerance, somebody is called."""

    QUIET = "quiet"
    NOTICED = "noticed"
    ESCALATED = "escalated"


@dataclass(frozen=True)
class Observed:
    """Of one closed window: the share of records that differs, and the share that is lost (gained: < 0)."""

    window: int
    differing: float
    net: float


@dataclass(frozen=True)
class Step:
    """After one window: the level, the cumulative drift that speaks for it, and why it is so."""

    window: int
    level: Level
    drift: float
    reason: str = ""


@dataclass
class _Run:
    """A cumulative sum on one side: how much, over how many windows, and whether the last one added to it."""

    sign: int
    total: float = 0.0
    windows: int = 0
    grew: bool = False

    def add(self, net: float) -> None:
        self.grew = self.sign * net > 0
        self.total = max(0.0, self.total + self.sign * net)
        self.windows = self.windows + 1 if self.total > 0 else 0


def escalation(observed: Iterable[Observed], tolerance: float, after_windows: int) -> Iterator[Step]:
    """The level after each window, in order; `tolerance` is a share from 0 to 1."""
    lost, gained = _Run(1), _Run(-1)
    beyond = calm = 0
    level = Level.QUIET
    for window in observed:
        lost.add(window.net)
        gained.add(window.net)
        worse = max(lost, gained, key=lambda run: run.total)
        beyond = beyond + 1 if window.differing > tolerance else 0
        calm = calm + 1 if window.differing <= tolerance / 2 and not worse.grew else 0
        if calm >= after_windows and level is not Level.QUIET:
            lost, gained, level = _Run(1), _Run(-1), Level.QUIET
        reason = _reason(lost, gained, beyond, tolerance, after_windows)
        if reason:
            level = Level.ESCALATED
        elif beyond and level is Level.QUIET:
            level = Level.NOTICED
        yield Step(window.window, level, max(lost.total, gained.total), reason)


def _reason(lost: _Run, gained: _Run, beyond: int, tolerance: float, after_windows: int) -> str:
    if beyond >= after_windows:
        return f"{beyond} closed windows in a row differ by more than {tolerance:.3%}"
    for run, word in ((lost, "lost"), (gained, "gained")):
        if run.total > tolerance and run.windows >= after_windows:
            return f"{run.total:.3%} {word} in sum over {run.windows} closed windows, {tolerance:.3%} allowed"
    return ""

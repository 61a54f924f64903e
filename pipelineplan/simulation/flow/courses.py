r"""What the queues did once they do again: the way from one state to rest, computed once.

    stall  ____    ____    ____         the same queues, rates and stops at the end of each stall:
    lag   /    \__/    \__/    \__     the same sixty queues run empty, at the same seconds after

A course is found again by the exact bits of the state it starts from, so nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelineplan.simulation.sharing import Floats

_MOST_KEPT = 64


@dataclass(frozen=True)
class Course:
    """From a state to rest: `seconds` `[change]` since its start, and what is so at its end.

    `arrived` and `departed` are records since the start, `[channel]`; `pattern` is the place of
    its rows in the journal.
    """

    seconds: Floats
    pattern: int
    arrived: Floats
    departed: Floats
    queue: Floats
    inflow: Floats
    outflow: Floats
    net: Floats

    @property
    def length_seconds(self) -> float:
        """From the start to the last change."""
        return float(self.seconds[-1]) if len(self.seconds) else 0.0


@dataclass(frozen=True)
class Leg:
    """The rates of one piece of a course, and how long they held."""

    seconds: float
    inflow: Floats
    outflow: Floats


class Courses:
    """The courses of one run by the state from which they start; the oldest make room."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[bytes, Course] = {}

    def find(self, state: bytes) -> Course | None:
        """The course from that state, if it has been taken before."""
        return self._known.get(state)

    def keep(self, state: bytes, course: Course) -> None:
        """Remember a course, and forget the oldest beyond those that are kept."""
        self._known[state] = course
        if len(self._known) > _MOST_KEPT:
            del self._known[next(iter(self._known))]


def counts_along(legs: list[Leg], channels: int) -> tuple[Floats, Floats, Floats]:
    """Seconds `[leg]`, and records arrived and departed `[leg, channel]`, at the end of each leg."""
    if not legs:
        return np.zeros(0), np.zeros((0, channels)), np.zeros((0, channels))
    seconds = np.array([leg.seconds for leg in legs])
    arrived = np.cumsum([leg.inflow * leg.seconds for leg in legs], axis=0)
    departed = np.cumsum([leg.outflow * leg.seconds for leg in legs], axis=0)
    return np.cumsum(seconds), arrived, departed

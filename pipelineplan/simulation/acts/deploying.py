"""What goes wrong when versions change: schemas in the wrong order, and the way back after a cutover.

producer  v1 v1 v2 v2 v2 v2 v2 v2      readers know v2 only from here on
consumer  v1 ------------------|v2     what lies between is dead-lettered, misread, or blocks
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run


@dataclass(frozen=True)
class SchemaOrder:
    """Producers write the new version from `start_seconds`, readers know it `length_seconds` later.

    `on_violation`: `quarantine` dead-letters what cannot be read, `reject` stops at it, `pass`
    writes it on misread.
    """

    start_seconds: float
    length_seconds: float
    on_violation: str = "quarantine"
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """When readers know the new version."""
        return self.start_seconds + self.length_seconds

    def process(self, knobs: Knobs) -> Process:
        """Where the new version blocks, nothing is read beyond its first record until readers know it."""
        yield from knobs.until(self.start_seconds)
        written = knobs.position() + knobs.waiting()
        if self.on_violation == "reject":
            yield from self._blocked(knobs, written)
        yield from knobs.until(self.busy_until_seconds)
        met = float(np.maximum(knobs.position() - written, 0.0)[np.array(knobs.network.shares) > 0].sum())
        knobs.note("unreadable", met)
        knobs.hold(())

    def _blocked(self, knobs: Knobs, written: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Process:
        """Every partition is held when its last record of the old version has been read."""
        while knobs.env.now < self.busy_until_seconds:
            reached = knobs.position() >= written * (1.0 - 1e-9) - 0.5
            knobs.hold(tuple(np.flatnonzero(reached).tolist()))
            if reached.all():
                return
            yield knobs.env.timeout(1.0)

    def figures(self, run: Run) -> Mapping[str, float]:
        """What was met of the new version by readers that did not know it."""
        met = sum(run.seen.get("unreadable", ()))
        return {"misread_records" if self.on_violation == "pass" else "dead_lettered_records": met}


@dataclass(frozen=True)
class WayBack:
    """A rollback at `rollback_seconds`: what the reverse sync has not yet brought to the old side is lost."""

    rollback_seconds: float
    awaited = True

    @property
    def busy_until_seconds(self) -> float:
        """The moment of the rollback."""
        return self.rollback_seconds

    def process(self, knobs: Knobs) -> Process:
        """Look at the moment of the rollback."""
        yield from knobs.until(self.rollback_seconds)
        knobs.note("unsynced", float(knobs.waiting().sum()))

    def figures(self, run: Run) -> Mapping[str, float]:
        """Changes that the old side does not have."""
        return {"unsynced_records": sum(run.seen.get("unsynced", ()))}

"""What happens to records unseen by the queues: read again by who remembers them, dropped on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from pipelineplan.simulation.sharing import Floats


@dataclass(frozen=True)
class DeadLetters:
    """Of the records between two positions of all partitions together a stage passed on all but a `share`."""

    stage: str
    first: float
    last: float
    share: float

    def passed(self, records: Floats, scale: float) -> Floats:
        """How many of so many records of a later stage there are then, `scale` for each that is read."""
        inside = np.clip(records - self.first * scale, 0.0, (self.last - self.first) * scale)
        return np.asarray(records - self.share * inside)


@dataclass
class Asides:
    """The moments at which positions went back and the state did not, and what stages did not pass on."""

    reread_at: list[float] = field(default_factory=list)
    dead_letters: list[DeadLetters] = field(default_factory=list)

    def drop(self, stage: str, share: float, position: float) -> None:
        """From this position on a stage passes on all but this share; 0 ends it."""
        for place, each in enumerate(self.dead_letters):
            if each.stage == stage and np.isinf(each.last):
                self.dead_letters[place] = replace(each, last=position)
        if share > 0:
            self.dead_letters.append(DeadLetters(stage, position, np.inf, share))

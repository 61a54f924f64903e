"""The chance of one replication: how many records come in each minute, how fast workers are, when a job dies.

    replication 7   arrivals  |612|588|603|...   records in each minute, Poisson
                    enrich    |1.01|0.98|...     of each worker's capacity, by its service times
                    failure   0.83               of the way from one checkpoint to the next

Every stream is drawn from the seed, the number of the replication and its own *name*, never from the
order of calls: two plans that are compared, or a plan with one worker more, meet the same weather
(common random numbers). Within a minute nothing varies; what records wait for by chance on shorter
times is the estimate that is added to freshness.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from pipelineplan.simulation.network import Stage
    from pipelineplan.simulation.sharing import Floats

SPELL_SECONDS = 60.0
SPELLS_IN_A_BLOCK = 64


@dataclass(frozen=True)
class Weather:
    """Replication number `replication` of the runs that `seed` names; rates hold for one spell."""

    seed: int
    replication: int
    spell_seconds: float = SPELL_SECONDS

    def stream(self, name: str) -> np.random.Generator:
        """The random numbers of that name, always the same ones."""
        import numpy as np

        words = hashlib.sha256(name.encode()).digest()
        keys = [int.from_bytes(words[place : place + 4], "little") for place in (0, 4, 8, 12)]
        return np.random.Generator(
            np.random.PCG64DXSM(np.random.SeedSequence((self.seed, self.replication, *keys)))
        )

    def steps(self, rates: tuple[tuple[float, float], ...], until: float) -> tuple[tuple[float, float], ...]:
        """The rates with a Poisson number of records in each spell, as steps `(start, per second)`."""
        import numpy as np

        spells = np.arange(0.0, until, self.spell_seconds)
        starts = np.unique(np.concatenate((spells, [start for start, _ in rates])))
        holding = np.searchsorted([start for start, _ in rates], starts, side="right") - 1
        lengths = np.diff(np.append(starts, max(until, starts[-1] + self.spell_seconds)))
        expected = np.array([rate for _, rate in rates])[holding] * lengths
        drawn = self.stream("arrivals").poisson(expected) / lengths
        return tuple(zip(starts.tolist(), drawn.tolist(), strict=True))

    def speeds(self, stage: Stage, block: int) -> Floats:
        """What each worker of a stage does, as a share of its capacity, `[worker, spell]`.

        A block has `SPELLS_IN_A_BLOCK` spells. Mean 1 and variance `c^2 / (mu * spell)`: that of the
        number served by a renewal process.
        """
        import numpy as np

        variance = stage.service_cv**2 / (stage.capacity_per_second * self.spell_seconds)
        shape = (stage.workers, SPELLS_IN_A_BLOCK)
        if variance <= 0:
            return np.ones(shape)
        return np.asarray(self.stream(f"service/{stage.name}/{block}").gamma(1.0 / variance, variance, shape))

    def place(self, name: str) -> float:
        """Where between two checkpoints something breaks, from 0 to 1."""
        return float(self.stream(f"failure/{name}").random())

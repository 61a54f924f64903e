"""Parallelism that follows the load: the rule, its limits, and what each change costs.

    wanted = ceil((arrivals + backlog / catch-up time) / (capacity of a worker * target utilisation))

Every change stops the job for its restart, which makes a backlog, which asks for more workers; when
that has drained, fewer do, and the job stops again.

Sources: V. Kalavri et al., Three steps is all you need: fast, accurate, automatic scaling decisions
for distributed streaming dataflows (DS2), OSDI 2018; Apache Flink Kubernetes Operator, *Autoscaler*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelineplan.simulation.network import Exchange
from pipelineplan.simulation.spreading import default_key_groups, key_group_weights

if TYPE_CHECKING:
    from pipelineplan.simulation.acts.knobs import Knobs, Process
    from pipelineplan.simulation.control import Run
    from pipelineplan.simulation.network import Stage


def wanted_workers(rate_per_second: float, true_rate_per_worker: float) -> int:
    """The least number of workers that keeps up: the rule of DS2 for one operator."""
    return max(1, math.ceil(rate_per_second / true_rate_per_worker - 1e-9))


@dataclass(frozen=True)
class Autoscaler:
    """Looks every `every_seconds` and changes the workers of `stage` between `least` and `most`.

    `catch_up_seconds` is how fast a backlog is to be gone. A stage of `n` workers is as fast as
    its busiest one lets it be.
    """

    stage: str
    least: int
    most: int
    target_utilisation: float
    restart_seconds: float
    every_seconds: float = 60.0
    catch_up_seconds: float = 600.0
    until_seconds: float = math.inf
    awaited = False

    @property
    def busy_until_seconds(self) -> float:
        """It plans nothing by itself."""
        return 0.0

    def process(self, knobs: Knobs) -> Process:
        """Measure, decide, restart; for as long as the run lasts."""
        stage = next(each for each in knobs.network.stages if each.name == self.stage)
        scale = knobs.network.scale(knobs.network.stages.index(stage))
        workers, since, arrived = stage.workers, 0.0, 0.0
        while True:
            yield knobs.env.timeout(self.every_seconds)
            come = float((knobs.position() + knobs.waiting()).sum())
            rate = (come - arrived) / self.every_seconds * scale
            backlog = float(knobs.waiting().sum()) * scale
            arrived = come
            wanted = self.decide(rate + backlog / self.catch_up_seconds, stage.capacity_per_second)
            if wanted != workers and knobs.env.now < self.until_seconds:
                knobs.note("worker seconds", workers * (knobs.env.now - since))
                since, workers = knobs.env.now, wanted
                yield from self._change(knobs, stage, wanted)
                arrived = float((knobs.position() + knobs.waiting()).sum())

    def decide(self, rate_per_second: float, capacity_per_second: float) -> int:
        """The workers for that many records a second, within the limits."""
        wanted = wanted_workers(rate_per_second, capacity_per_second * self.target_utilisation)
        return min(max(wanted, self.least), self.most)

    def _change(self, knobs: Knobs, stage: Stage, workers: int) -> Process:
        knobs.note("rescaled to", workers)
        knobs.stand_still()
        yield knobs.env.timeout(self.restart_seconds)
        knobs.slow(self.stage, busiest_share(stage, stage.workers) / busiest_share(stage, workers))
        knobs.move_on()

    def figures(self, run: Run) -> Mapping[str, float]:
        """How often it changed its mind, the most workers, and what they add up to."""
        steps = run.seen.get("rescaled to", [])
        before = next(each for each in run.network.stages if each.name == self.stage).workers
        spent = sum(run.seen.get("worker seconds", ()))
        spent += (steps[-1] if steps else before) * (run.fluid.now - self._last_change(run))
        return {
            "rescales": float(len(steps)),
            "most_workers": float(max([before, *steps])),
            "scaled_worker_hours": spent / 3600.0,
        }

    def _last_change(self, run: Run) -> float:
        spent, steps = run.seen.get("worker seconds", []), run.seen.get("rescaled to", [])
        before = next(each for each in run.network.stages if each.name == self.stage).workers
        return float(np.sum([s / w for s, w in zip(spent, [before, *steps], strict=False)]))


def busiest_share(stage: Stage, workers: int) -> float:
    """The share of the busiest of that many workers, for a keyed stage by its key groups."""
    exchange = stage.inlets[0].exchange if stage.inlets else stage.exchange
    if exchange is not Exchange.KEYED:
        return 1.0 / workers
    groups = stage.key_groups or default_key_groups(workers)
    return max(key_group_weights(workers, groups, stage.hottest_key))

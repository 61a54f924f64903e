"""Records are conserved on 10,000 random networks and control sequences: the worst that was found.

    uv run python tests/full/conserve_records.py [examples]

Up to four stages (three and more bounded exchanges in a row among them), checkpoints, failures and
rate steps, as the laws of the fast suite draw them. Leaves with status 1 when one is violated by more
than 1e-9 of the records.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))

from test_laws import passes_on_what_it_takes, runs, violations

from pipelineplan.simulation.control import Run
from pipelineplan.simulation.flow.fluid import Fluid


@dataclass(frozen=True)
class Conserved:
    """What was looked at, and the worst of it.

    `missing_share` is of the records of a queue, `most_changes` is how often the rates changed between two
    turns of the knobs, for each queue.
    """

    runs: int
    with_three_bounded: int
    missing_share: float
    most_changes: float


@contextmanager
def changes_counted() -> Iterator[list[float]]:
    """How many changes each stretch between two turns of the knobs had, for each queue."""
    seen: list[float] = [0.0]
    advance = Fluid.advance

    def counting(self: Fluid, until: float) -> None:
        before = self.changes
        advance(self, until)
        seen[0] = max(seen[0], (self.changes - before) / len(self.queue))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fluid, "advance", counting)
        yield seen


def conserve(wanted: int) -> Conserved:
    """The laws on that many runs; raises `AssertionError` where one is violated."""
    seen: list[tuple[float, int]] = []

    @settings(
        max_examples=wanted,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(runs())
    def conserved(run: Run) -> None:
        violations(run.fluid)
        passes_on_what_it_takes(run.fluid)
        missing = np.abs(run.fluid.arrived - run.fluid.departed - run.fluid.queue)
        bounded = [run.fluid.layout.edges[edge] for edge in run.fluid.layout.stored_edges]
        seen.append((float((missing / np.maximum(run.fluid.arrived, 1.0)).max()), len(bounded)))

    with changes_counted() as changes:
        conserved()
    return Conserved(
        len(seen),
        sum(edges >= 3 for _, edges in seen),
        max(share for share, _ in seen),
        changes[0],
    )


def main() -> int:
    found = conserve(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
    print(
        f"{found.runs:,} runs, {found.with_three_bounded:,} with three bounded edges or more: "
        f"worst share missing {found.missing_share:.1e}, at most {found.most_changes:.1f} changes of each "
        "queue between two turns of the knobs"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

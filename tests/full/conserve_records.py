"""Records are conserved on 10,000 random networks and control sequences: the worst that was found.

    uv run python tests/full/conserve_records.py [examples]

Up to four stages (three and more bounded exchanges in a row among them), checkpoints, failures and
rate steps, as the laws of the fast suite draw them. Leaves with status 1 when one is violated by more
than 1e-9 of the records.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).parents[1] / "simulation"))

from test_laws import passes_on_what_it_takes, runs, violations

from pipelineplan.simulation.control import Run


def main() -> int:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
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

    conserved()
    shuffled = sum(edges >= 3 for _, edges in seen)
    worst = max(share for share, _ in seen)
    print(
        f"{len(seen):,} runs, {shuffled:,} with three bounded edges or more: worst share missing {worst:.1e}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

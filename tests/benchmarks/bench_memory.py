"""Where the memory of the pinned day goes, step by step in one process: with the compiled loop, or on numpy.

    uv run python tests/benchmarks/bench_memory.py [numpy]

The day is that of bench_day.py. What is resident after each step, and what the step added.
"""

import sys
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import patch


def resident_megabytes() -> float:
    """What of this process is in memory now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


class Ledger:
    def __init__(self) -> None:
        self.before = 0.0

    def note(self, step: str) -> None:
        now = resident_megabytes()
        print(f"{step:<48}{now:>6.0f} MB{now - self.before:>+6.0f}", flush=True)
        self.before = now


def main() -> None:
    compiled = "numpy" not in sys.argv[1:]
    ledger = Ledger()
    ledger.note("Python")
    for name in ("numpy", "simpy", *(("llvmlite.binding", "numba") if compiled else ())):
        import_module(name)
        ledger.note(f"import {name}")
    import numpy as np
    from bench_day import network, scenario

    from pipelineplan.simulation import control
    from pipelineplan.simulation.figures.measures import measure

    ledger.note("import the simulator")
    if compiled:
        kernels = import_module("pipelineplan.simulation.flow.kernels")
        ledger.note("the loops, not yet called")
        kernels.serve(np.array([0.0]), np.array([1.0]))
        ledger.note("a first loop, loaded as machine code")
    by_loop = partial(control.fluid_for, compiled=True)
    chosen = (lambda network, **_: by_loop(network)) if compiled else control.fluid_for
    with patch.object(control, "fluid_for", chosen):
        control.run_scenario(network(0.0), replace(scenario(), horizon_seconds=100.0, settle_seconds=100.0))
        ledger.note("100 seconds of the day")
        run = control.run_scenario(network(0.0), scenario())
    ledger.note(f"the day, {len(run.fluid.journal):,} rows")
    measure(run)
    ledger.note("its figures")


if __name__ == "__main__":
    main()

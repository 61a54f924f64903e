"""`check` of the main example in a fresh process: wall time, peak memory, and what is imported.

    uv run python tests/benchmarks/bench_check.py [runs]

The median of the runs after one warm-up: judged anew, and with verdicts that were kept. Beside it, in the
same run, the floor: a Python process that imports pydantic and yaml and does nothing. Every process finds
Python's bytecode in a folder made for it, as it would in an installation.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "examples" / "orders-to-warehouse"
CHECK = [sys.executable, "-m", "pipelineplan", "check", "--no-cache", str(PLAN)]
AGAIN = [sys.executable, "-m", "pipelineplan", "check", str(PLAN)]
FLOOR = [sys.executable, "-c", "import pydantic, yaml; pydantic.BaseModel"]
HEAVY = {
    "altair",
    "apache_beam",
    "duckdb",
    "great_expectations",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "simpy",
}
COUNT = """
import sys, io, contextlib
from pipelineplan.cli import run
with contextlib.redirect_stdout(io.StringIO()):
    run(["check", "--no-cache", sys.argv[1]])
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def once(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak memory in MB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    _, _, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def median(command: list[str], runs: int) -> tuple[float, float, float]:
    measured = [once(command) for _ in range(runs + 1)][1:]
    wall, cpu, memory = (statistics.median(of) for of in zip(*measured, strict=True))
    return wall, cpu, memory


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as bytecode:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode
        show(runs)


def show(runs: int) -> None:
    """Print the three medians, and what `check` imports."""
    for name, command in (
        ("check", CHECK),
        ("check, verdicts kept", AGAIN),
        ("floor (pydantic and yaml)", FLOOR),
    ):
        wall, cpu, memory = median(command, runs)
        print(f"{name}: {wall:.2f} s, {cpu:.2f} s CPU, {memory:.0f} MB (median of {runs})")
    done = subprocess.run(
        [sys.executable, "-c", COUNT, str(PLAN)], capture_output=True, text=True, check=True
    )
    imported = set(done.stdout.split())
    third = sorted(
        name for name in imported if name not in sys.stdlib_module_names and not name.startswith("_")
    )
    print(f"third-party imports: {', '.join(third)}")
    print(f"heavy libraries imported: {', '.join(sorted(imported & HEAVY)) or 'none'}")


if __name__ == "__main__":
    main()

"""`bundle` of the main example in a fresh process, without and with its data: wall time and memory.

uv run python tests/benchmarks/bench_bundle.py [runs]
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


def once(arguments: list[str]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "pipelineplan",
            "bundle",
            str(PLAN),
            *arguments,
            "-o",
            f"{folder}/out",
        ]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{' '.join(command)} failed")
        return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    data = ["--data-dir", str(PLAN / "data"), "--as-of", "2026-11-09T10:30:20"]
    for name, arguments in (("without data", []), ("with data, by Great Expectations", data)):
        measured = [once(arguments) for _ in range(runs + 1)][1:]
        wall, memory = (statistics.median(one[i] for one in measured) for i in (0, 1))
        print(f"{name}: {wall:.1f} s, {memory:.0f} MB (median of {runs})")


if __name__ == "__main__":
    main()

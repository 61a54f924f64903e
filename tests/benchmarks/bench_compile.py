"""Compile 200 quality rules into a Great Expectations project, without importing it.

uv run python tests/benchmarks/bench_compile.py
"""

from __future__ import annotations

import statistics
import sys
import time

from pipelineplan.quality import QualityRule, compile_suites, gx_files

RULES = [QualityRule(f"table_{i % 10}", "range", (f"column_{i}",), low=0, high=i) for i in range(200)]


def once() -> float:
    start = time.perf_counter()
    files = gx_files(compile_suites([], RULES))
    assert len(files) > 10
    return time.perf_counter() - start


def main() -> None:
    seconds = statistics.median(once() for _ in range(9))
    imported = "great_expectations" in sys.modules
    print(f"200 rules: {seconds * 1000:.0f} ms (median of 9), great_expectations imported: {imported}")


if __name__ == "__main__":
    main()

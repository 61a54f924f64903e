"""Run every benchmark and write what they print, with date, commit and machine, as one page.

    uv run python tests/benchmarks/run.py [--write docs/background/figures.md]

Figures vary with the machine and its load: read ratios, and medians where a script gives them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BENCHMARKS = (
    ("`check` of one plan in a fresh process", ["bench_check.py", "9"]),
    ("`check` of 200 plans: cold, kept, and a peer", ["bench_fleet.py", "200", "3"]),
    ("`bundle` of the main example in a fresh process", ["bench_bundle.py", "3"]),
    ("A day of a million records a second, simulated", ["bench_day.py"]),
    ("How a run grows with partitions, stages, horizon and checkpoints", ["bench_growth.py"]),
    ("Replications", ["bench_replications.py", "1000", "2", "1000"]),
    ("The tiers beside general simulators", ["bench_peers.py"]),
    ("Event time and `profile`, beside bare DuckDB", ["event_time_speed.py", "10"]),
    ("`profile`: growth, and 5 GB", ["profile_growth.py", "30", "5"]),
    ("200 pairs of contracts, beside datacontract-cli and buf", ["bench_compat.py", "200"]),
    ("Compiling 200 quality rules", ["bench_compile.py"]),
    ("Reconciling ten million records, beside a full outer join", ["bench_reconcile.py", "5"]),
    ("Twenty quality checks, beside bare DuckDB and pandas", ["bench_quality.py", "10", "3"]),
)
HEAD = """# Figures

Written by `uv run python tests/benchmarks/run.py --write docs/background/figures.md`; each part is what
the named script printed. Figures vary with the machine and its load.
"""


def commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"


def machine() -> str:
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {python}, {platform.system()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d")
    parts = [HEAD, f"Measured {now} at commit {commit()} on {machine()}.\n"]
    failed = 0
    for title, (script, *arguments) in BENCHMARKS:
        print(f"running {script}", file=sys.stderr)
        command = [sys.executable, str(HERE / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        failed += done.returncode != 0
        shown = done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr.strip()[-500:]}"
        run = " ".join(["python", f"tests/benchmarks/{script}", *arguments])
        parts.append(f"## {title}\n\n`{run}`\n\n```\n{shown}\n```\n")
    page = "\n".join(parts)
    if options.write is not None:
        options.write.write_text(page, encoding="utf-8")
    else:
        print(page)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
